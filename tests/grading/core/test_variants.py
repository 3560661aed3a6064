"""Hidden inputs of each learner's own: as good as the key's, as secret, and no others tomorrow."""

import json
import pickle
import re
import shutil
import stat
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest

from course_utils import notebooks
from course_utils.grading.authoring.build import build_solution
from course_utils.grading.authoring.edition import given_away
from course_utils.grading.batches.resume import Terms, plan
from course_utils.grading.fingerprints import judged, read_popular
from course_utils.grading.grade import grade_one
from course_utils.grading.intake import find_hand_ins
from course_utils.grading.key import Key, read_keys
from course_utils.grading.lint import problems
from course_utils.grading.pages.feedback import feedback_html
from course_utils.grading.pages.report import report_html
from course_utils.grading.results import read_result
from course_utils.grading.running.run import RunOutcome
from course_utils.grading.values import numbers, same_lines
from course_utils.grading.variants import stored
from course_utils.grading.variants.dealing import (
    VariedKey,
    made_variants,
    stored_variants,
    variant_lines,
)
from course_utils.grading.variants.making import VariantError, hidden_values
from course_utils.grading.variants.secret import (
    dealt,
    drawn_seed,
    make_secret,
    read_secret,
    secret_path,
    seed_key,
)
from course_utils.grading.variants.seeds import reseeded, seeds

SECRET = "ab" * 32  # so that every run of these tests draws the same seeds
SLUGS = ["double", "square", "cube"]
RIGHT = {
    "double": "def double(x):\n    return x + x",
    "square": "def square(x):\n    return x * x",
    "cube": "def cube(x):\n    return x**3",
}
SEEDED = "rng.uniform(1.2, 2.8, size=4)"
DRAWN = f"    rng = np.random.default_rng(7)\n    for number in {SEEDED}:"
LITERAL = "    for number in np.arange(1.2, 2.8, 0.4):"


# Seeds are found in the syntax tree.


def test_the_literal_seeds_are_found_and_nothing_else_is():
    source = """
def _hidden():
    # default_rng(1)
    text = "é default_rng(2)"; rng = np.random.default_rng(3)
    default_rng(seed=4), default_rng([5]), default_rng(SEED), default_rng(), default_rng(True)
    rng.integers(6), random.default_rng(
        7
    ), np.random.default_rng(3)
"""
    assert seeds(source) == [3, 4, 7, 3]
    changed = reseeded(source, lambda seed: seed * 1000)
    assert seeds(changed) == [3000, 4000, 7000, 3000]
    assert re.sub("000", "", changed) == source
    assert reseeded(source, lambda seed: seed) == source


def test_a_source_without_a_seed_stays_as_it_is():
    assert reseeded("x = 'é'\n", lambda seed: 0) == "x = 'é'\n"


# The secret.


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path):
    assert read_secret(tmp_path) is None
    secret = make_secret(tmp_path)
    assert len(secret) == 32
    assert stat.S_IMODE(secret_path(tmp_path).stat().st_mode) == 0o600
    assert make_secret(tmp_path) == read_secret(tmp_path) == secret
    assert [path.name for path in tmp_path.iterdir()] == ["variants.secret"]
    (tmp_path / "other").mkdir()
    assert make_secret(tmp_path / "other") != secret


def test_of_two_that_make_a_secret_at_once_the_first_counts(tmp_path, monkeypatch):
    from course_utils.grading.variants import secret as secrets

    known = iter([None])  # the first look finds none, as another process is just making it
    really = secrets.read_secret
    monkeypatch.setattr(secrets, "read_secret", lambda folder: next(known, really(folder)))
    secret_path(tmp_path).write_text(SECRET)
    assert make_secret(tmp_path) == bytes.fromhex(SECRET)


@pytest.mark.parametrize("text", ["", "ab", "xy" * 32, f"{SECRET}ab"])
def test_a_damaged_secret_is_refused(tmp_path, text):
    secret_path(tmp_path).write_text(text)
    with pytest.raises(ValueError, match="does not hold 64 hexadecimal digits"):
        make_secret(tmp_path)


def test_a_folder_that_can_take_no_secret_is_told(tmp_path):
    with pytest.raises(ValueError, match="cannot be made: No such file"):
        make_secret(tmp_path / "missing")


def test_learners_are_dealt_all_variants_alike_and_one_more_moves_few():
    learners = [f"learner {each}" for each in range(3000)]

    def deal(count, exercise="ex01", secret=b"s"):
        return [dealt(secret, exercise, learner, count) for learner in learners]

    five, six = deal(5), deal(6)
    assert five == deal(5)
    shares = Counter(five)
    assert sorted(shares) == [1, 2, 3, 4, 5]
    assert all(500 < share < 700 for share in shares.values())
    assert {new for old, new in zip(five, six, strict=True) if old != new} == {6}
    for other in (deal(5, exercise="ex02"), deal(5, secret=b"t")):  # who agrees, does by chance
        assert 450 < sum(a == b for a, b in zip(five, other, strict=True)) < 750


def test_a_seed_hangs_on_the_secret_the_exercise_the_variant_the_question_and_the_try():
    def draw(secret=b"s", exercise="ex01", variant=1, question="q", seed=7, attempt=0):
        return drawn_seed(seed_key(secret, exercise, variant), question, seed, attempt)

    others = [draw(b"t"), draw(exercise="ex02"), draw(variant=2)]
    others += [draw(question="r"), draw(seed=8), draw(attempt=1)]
    assert draw() == draw()
    assert len({draw(), *others}) == 7


# A folder of solutions that the tests may change.


@pytest.fixture
def solutions(built_key, tmp_path):
    folder = shutil.copytree(built_key, tmp_path / "solutions")
    secret_path(folder).write_text(SECRET)
    return folder


@pytest.fixture
def rebuilt(solutions, run_in_process):
    """Change the hidden check of a question, or the popular answers, and build the key again."""

    def rebuild(slug=None, old="", new="", popular=""):
        path = solutions / "ex01_mini.ipynb"
        notebook = notebooks.read(path)
        for cell in notebook.cells:
            if slug and cell.id == f"ex01-{slug}-hidden":
                assert old in cell.source
                cell.source = cell.source.replace(old, new)
        notebooks.write(notebook, path)
        with (solutions / "ex01_mini.toml").open("a", encoding="utf-8") as file:
            file.write(popular)
        build_solution(path, run=run_in_process)
        return solutions

    return rebuild


@pytest.fixture
def make(at_once, run_in_process):
    """The key of the mini exercise with variants, made in this process."""

    def make_here(solutions, count, *, run=run_in_process, executor=None):
        executor = executor or at_once()
        return made_variants(read_keys(solutions), solutions, count, executor=executor, run=run)[
            "ex01_mini"
        ]

    return make_here


def forbidden(notebook):
    raise AssertionError("nothing was to be run")


# Each variant is as good as the key.


def test_every_variant_is_built_and_checked_as_a_key_is(solutions, make, run_in_process):
    key = make(solutions, 4)
    answers = read_popular(solutions / "ex01_mini.toml", key.exercise)
    assert [variant.variant for variant in key.variants] == [1, 2, 3, 4]
    for variant in key.variants:
        assert problems(variant.exercise) == []
        marks, faults = judged(variant.exercise, answers, run_in_process)
        assert faults == []
        wanted = sorted(marks, key=lambda mark: SLUGS.index(mark.question))
        assert list(variant.fingerprints) == wanted
    assert len({key.sha256, *(variant.sha256 for variant in key.variants)}) == 5


def test_no_two_variants_have_the_values_of_a_question_in_common(solutions, make):
    key = make(solutions, 6)
    for slug in SLUGS:
        values = [hidden_values(each, slug) for each in (key, *key.variants)]
        pairs = [(a, b) for at, a in enumerate(values) for b in values[:at]]
        assert len(pairs) == 21
        assert not any(same_lines(a, b) for a, b in pairs)


def test_only_the_hidden_checks_differ(solutions, make):
    key = make(solutions, 1)
    for cell, other in zip(
        key.exercise.notebook.cells, key.variants[0].exercise.notebook.cells, strict=True
    ):
        if cell.id.endswith("-hidden"):
            assert re.sub(r"default_rng\(\d+\)", "", other.source) == re.sub(
                r"default_rng\(7\)", "", cell.source
            )
            assert other.outputs != cell.outputs
        else:
            assert other == cell


def test_right_answers_earn_everything_and_wrong_ones_are_named(
    solutions, make, hand_in, run_in_process
):
    key = make(solutions, 3)
    data = hand_in(RIGHT | {"double": "def double(x):\n    return x + 2"})
    for variant in key.variants:
        right = grade_one(hand_in(RIGHT), variant, learner="a", run=run_in_process)
        assert (right.points, right.variant) == (20, variant.variant)
        wrong = grade_one(data, variant, learner="a", run=run_in_process).questions[0]
        assert (wrong.points, wrong.misconception) == (0, "adds instead")
        assert wrong.advice == "You added double. Multiply."


# For about four seeds in ten every input is below 2.5, so that this wrong answer would earn.
CONVINCING = """
[[answer]]
question = "double"
kind = "wrong"
name = "right for small ones"
message = "Try 2.7."
code = '''
def double(x):
    return 2 * x if x < 2.5 else 0.0
'''
"""


def test_a_seed_that_lets_a_wrong_answer_earn_is_replaced_by_the_next(
    rebuilt, make, run_in_process
):
    solutions = rebuilt(popular=CONVINCING)
    key = make(solutions, 6)
    (answer,) = [
        a
        for a in read_popular(solutions / "ex01_mini.toml", key.exercise)
        if a.name == "right for small ones"
    ]
    double = key.exercise.questions[0]
    tries = []
    for variant in key.variants:
        assert judged(variant.exercise, [answer], run_in_process)[1] == []
        own = seed_key(bytes.fromhex(SECRET), key.name, variant.variant)
        seed = seeds(variant.exercise.cell(double, "hidden").source)[0]
        tries.append([drawn_seed(own, "double", 7, at) for at in range(20)].index(seed))
    assert 0 in tries  # a seed that will do is not passed over
    assert max(tries) >= 1, tries


def test_an_equivalent_answer_that_would_not_earn_sends_a_seed_away(rebuilt, make, run_in_process):
    picky = CONVINCING.replace('"wrong"', '"equivalent"').replace("else 0.0", "else 2 * x")
    picky = picky.replace("x < 2.5", "x < 2.7")
    picky = picky.replace("else 2 * x", "else 0.0")
    key = make(rebuilt(popular=picky), 6)
    for variant in key.variants:
        values = [float(line.split()[1]) for line in hidden_values(variant, "double")]
        assert max(values) < 5.4


def test_misconceptions_that_print_the_same_send_a_seed_away(rebuilt, make):
    alike = CONVINCING.replace("else 0.0", "else 1.0").replace("2 * x", "x + 2")
    alike = alike.replace("right for small ones", "adds at times")
    key = make(rebuilt(popular=alike), 6)
    for variant in key.variants:
        values = [mark.values for mark in variant.fingerprints if mark.question == "double"]
        assert len(values) == 3
        assert not any(same_lines(a, b) for at, a in enumerate(values) for b in values[:at])


def test_more_variants_than_there_are_is_told(rebuilt, make):
    solutions = rebuilt("double", SEEDED, "(1.25 + rng.integers(3) + [0.1, 0.2, 0.3])")
    assert len(make(solutions, 2).variants) == 2
    with pytest.raises(VariantError) as told:
        make(solutions, 4)
    assert "Only 2 variants of ex01_mini can be had: of 50 seeds" in str(told.value)
    assert "'ex01-double-hidden': its values are those of the key or of" in str(told.value)
    assert str(told.value).endswith("Or ask for 2 variants at most.")


def test_a_question_without_a_seed_keeps_its_inputs_and_is_told(rebuilt, make):
    rebuilt("double", DRAWN, LITERAL)
    noise = "[1.5, 2.0, 2.5, 2.6] + 0 * rng.uniform(size=4)"
    solutions = rebuilt("square", SEEDED, noise)  # random, but not what is printed
    assert list(variant_lines(stored_variants(read_keys(solutions), solutions, 3))) == [
        "  variants of ex01_mini: 3, 3 of them to be made; the same inputs for everyone: double"
    ]
    key = make(solutions, 3)
    assert key.kept == ["double", "square"]
    assert list(variant_lines({"ex01_mini": key})) == [
        "  variants of ex01_mini: 3; the same inputs for everyone: double, square"
    ]
    for slug in ("double", "square"):
        marks = [mark for mark in key.fingerprints if mark.question == slug]
        for variant in key.variants:
            assert hidden_values(variant, slug) == hidden_values(key, slug)
            assert [mark for mark in variant.fingerprints if mark.question == slug] == marks
    assert not same_lines(hidden_values(key, "cube"), hidden_values(key.variants[0], "cube"))


def test_an_exercise_that_draws_nothing_keeps_its_key(rebuilt, make):
    for slug in SLUGS:
        solutions = rebuilt(slug, DRAWN, LITERAL)
    key = make(solutions, 3, run=forbidden)
    assert type(key) is Key
    assert key.of("ana") is key
    assert list(variant_lines({"ex01_mini": key})) == [
        "  variants of ex01_mini: none, the hidden checks draw nothing from a seed"
    ]
    planned = stored_variants(read_keys(solutions), solutions, 3)
    assert list(variant_lines(planned)) == list(variant_lines({"ex01_mini": key}))


def test_a_grader_that_fails_chooses_no_seed(solutions, make):
    def fails(notebook):
        return RunOutcome("sandbox_failed", {}, 0.0, sandboxed=True, detail="no room")

    with pytest.raises(VariantError, match="The grader itself failed: no room"):
        make(solutions, 2, run=fails)
    assert not (solutions / ".variants").exists()


def test_a_grader_that_fails_at_a_popular_answer_chooses_no_seed(solutions, make, run_in_process):
    def fails(notebook):
        if "by a sum" in str(notebook) or "return x + 2" in str(notebook):
            return RunOutcome("sandbox_failed", {}, 0.0, sandboxed=True, detail="no room")
        return run_in_process(notebook)

    with pytest.raises(VariantError, match="The grader itself failed: no room"):
        make(solutions, 2, run=fails)


def test_a_seed_at_which_the_lint_stumbles_is_replaced(rebuilt, make):
    few = "rng.integers(1, 7, size=3)"  # for four seeds in ten, two of the numbers are the same
    key = make(rebuilt("double", SEEDED, few), 6)
    for variant in key.variants:
        assert len({*hidden_values(variant, "double")}) >= 3


def test_a_seed_at_which_the_worked_answer_stops_is_replaced(rebuilt, make):
    stops = f"{DRAWN.replace('4', '8')}\n        assert number < 2.7"
    key = make(rebuilt("double", DRAWN, stops), 6)
    for variant in key.variants:
        assert len(hidden_values(variant, "double")) == 8


def test_a_worked_answer_that_is_out_of_time_chooses_no_seed(solutions, make, run_in_process):
    def slow(notebook):
        outcome = run_in_process(notebook)
        last = list(outcome.cells)[-1]
        late = replace(outcome.cells[last], status="timed_out")
        return replace(outcome, cells=outcome.cells | {last: late})

    with pytest.raises(VariantError, match=r"not run to their end \(finished, ex01-cube-hidden\)"):
        make(solutions, 2, run=slow)


def test_worked_answers_that_do_not_end_choose_no_seed(solutions, make, run_in_process):
    def slow(notebook):
        return replace(run_in_process(notebook), ended="timed_out")

    with pytest.raises(VariantError, match=r"not run to their end \(timed_out\).*--timeout"):
        make(solutions, 2, run=slow)


# What is passed on earns nothing.


def recited(slug, key):
    """An answer that recites the values of a variant, whatever it is asked."""
    told = [float(number) for line in hidden_values(key, slug) for number in numbers(line)]
    public = {"double": 3.0}[slug]
    return f"told = iter({[public, *told]})\ndef {slug}(x):\n    return next(told)"


def two_learners(key):
    """Two learners with different variants."""
    ana = "ana"
    bob = next(name for name in map(str, range(99)) if key.of(name) is not key.of(ana))
    return ana, bob


def test_values_that_are_passed_on_earn_for_nobody_else(solutions, make, hand_in, run_in_process):
    key = make(solutions, 4)
    ana, bob = two_learners(key)
    data = hand_in({"double": recited("double", key.of(ana))})
    own, passed_on = (
        grade_one(data, key.of(name), learner=name, run=run_in_process) for name in (ana, bob)
    )
    assert (own.points, passed_on.points) == (7, 0)
    assert passed_on.questions[0].outcome == "not_earned"


def test_a_page_tells_neither_the_variant_nor_a_value_of_it(
    solutions, make, hand_in, run_in_process
):
    key = make(solutions, 4)
    ana, bob = two_learners(key)
    data = hand_in({"double": "def double(x):\n    return x + 2", "cube": RIGHT["cube"]})
    pages = []
    for name in (ana, bob):
        result = grade_one(data, key.of(name), learner=name, run=run_in_process)
        page = feedback_html(replace(result, learner="x", seconds=0.0), key.exercise)
        for variant in (key, *key.variants):
            told = [n for slug in SLUGS for v in hidden_values(variant, slug) for n in numbers(v)]
            assert len(told) == 12
            assert not any(number in page for number in told)
        pages.append(re.sub(r"[\d.]+ s\b", "", page))
    assert pages[0] == pages[1]
    assert "variant" not in pages[0].lower()


def test_the_report_takes_variants_for_one_key_and_tells_of_two(
    solutions, make, hand_in, run_in_process
):
    key = make(solutions, 4)
    results = [
        grade_one(hand_in(RIGHT), key.of(str(each)), learner=str(each), run=run_in_process)
        for each in range(6)
    ]
    assert len({result.key_sha256 for result in results}) > 1
    assert "different keys" not in report_html(results)
    changed = [*results, replace(results[0], learner="7", key_sha256="0")]
    assert "by 2 different keys" in report_html(changed)


# The same ones tomorrow.


def test_variants_are_made_once(solutions, make):
    key = make(solutions, 3)
    assert make(solutions, 3, run=forbidden) == key
    assert make(solutions, 2, run=forbidden).variants == key.variants[:2]
    assert stored_variants(read_keys(solutions), solutions, 3)["ex01_mini"] == key


def test_variants_can_be_read_by_their_owner_alone(solutions, make):
    make(solutions, 1)
    assert stat.S_IMODE((solutions / ".variants").stat().st_mode) == 0o700


def test_variants_made_again_are_the_same(solutions, make):
    key = make(solutions, 3)
    shutil.rmtree(solutions / ".variants" / "ex01_mini")
    assert make(solutions, 3).variants == key.variants
    secret_path(solutions).write_text("cd" * 32)
    assert not set(make(solutions, 3).variants) & set(key.variants)


def test_a_repeated_variant_is_replaced_as_if_they_were_made_in_turn(rebuilt, make):
    few = "(1.25 + rng.integers(9) + [0.1, 0.2, 0.3])"
    solutions = rebuilt("double", SEEDED, few)
    key = make(solutions, 6)
    values = [tuple(hidden_values(each, "double")) for each in (key, *key.variants)]
    assert len(set(values)) == 7
    shutil.rmtree(solutions / ".variants")
    in_turn = [make(solutions, count).variants[-1] for count in range(1, 7)]
    assert tuple(in_turn) == key.variants


@pytest.mark.parametrize("damage", ["half", "other values", "not JSON at all"])
def test_a_damaged_variant_is_made_again(solutions, make, damage):
    key = make(solutions, 3)
    path = solutions / ".variants" / "ex01_mini" / "2.json"
    whole = path.read_text()
    number = numbers(hidden_values(key.variants[1], "double")[0])[0]
    assert number in whole
    broken = {"half": whole[:900], "other values": whole.replace(number, "9.0"), damage[:3]: "[]"}
    path.write_text(broken.get(damage, "[]"))
    planned = stored_variants(read_keys(solutions), solutions, 3)["ex01_mini"]
    assert planned.missing == 1
    assert make(solutions, 3) == key
    assert path.read_text() == whole


def test_what_is_made_stays_when_it_stops_half_way(solutions, make, run_in_process):
    make(solutions, 2)
    kept = {path: path.stat().st_mtime_ns for path in solutions.rglob(".variants/*/*.json")}
    runs = []

    def stops(notebook):
        runs.append(notebook)
        if len(runs) == 9:
            raise KeyboardInterrupt
        return run_in_process(notebook)

    with pytest.raises(KeyboardInterrupt):
        make(solutions, 9, run=stops)
    make(solutions, 9)
    assert len(kept) == 2
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())


def test_another_grader_key_or_popular_answer_makes_variants_again(
    solutions, make, rebuilt, monkeypatch
):
    def missing():
        return stored_variants(read_keys(solutions), solutions, 2)["ex01_mini"].missing

    make(solutions, 2)
    assert missing() == 0
    with monkeypatch.context() as patch:
        patch.setattr(stored, "grader_version", lambda: "0.2")
        assert missing() == 2
    assert missing() == 0
    rebuilt(popular=CONVINCING.replace('"wrong"', '"equivalent"').replace("else 0.0", "else x+x"))
    assert missing() == 2
    make(solutions, 2)
    rebuilt("double", "size=4", "size=5")
    assert missing() == 2


def test_no_secret_leaves_for_a_worker(solutions, make, at_once):
    sent = []

    class Recording(at_once):
        def submit(self, fn, /, *args, **kwargs):
            sent.append(pickle.dumps((args, {k: v for k, v in kwargs.items() if k != "run"})))
            return super().submit(fn, *args, **kwargs)

    key = make(solutions, 2, executor=Recording())
    assert len(sent) == 3
    assert not any(bytes.fromhex(SECRET) in data or SECRET.encode() in data for data in sent)
    assert type(key.of("ana")) is Key
    assert "secret" not in repr(key)


# Batches.


def test_a_batch_resumes_by_each_learners_own_variant(
    solutions, make, folder, hand_in, grade_here, tmp_path
):
    names = [f"learner{each}" for each in range(8)]
    path, out = folder(**dict.fromkeys(names, hand_in(RIGHT))), tmp_path / "out"

    def grade(keys):
        return grade_here(path, out, keys=keys)

    def graded_by():
        results = [read_result(out / "results" / name / "ex01_mini.json") for name in names]
        assert {result.points for result in results} == {20}
        return {result.learner: (result.variant, result.key_sha256) for result in results}

    plain, key = read_keys(solutions), make(solutions, 3)
    grade(plain)
    keys = {"ex01_mini": key}
    assert set(grade(keys).values()) == {("grade", "the key has changed")}
    first = graded_by()
    assert first == {name: (key.of(name).variant, key.of(name).sha256) for name in names}
    assert {variant for variant, _ in first.values()} == {1, 2, 3}
    assert set(grade({"ex01_mini": make(solutions, 3)}).values()) == {("resume", "")}
    more = make(solutions, 4)
    moved = {name for name in names if more.of(name).variant == 4}
    done = grade({"ex01_mini": more})
    assert {name for name in names if done[f"{name}/ex01_mini"][0] == "grade"} == moved
    assert graded_by() == first | dict.fromkeys(moved, (4, more.variants[3].sha256))


def test_a_hand_in_that_the_grader_fails_at_keeps_its_variant(
    solutions, make, folder, hand_in, grade_here, tmp_path
):
    names = [f"learner{each}" for each in range(6)]
    path, key = folder(**dict.fromkeys(names, hand_in(RIGHT))), make(solutions, 3)
    grade_here(path, tmp_path / "out", keys={"ex01_mini": key}, run=forbidden)
    for name in names:
        result = read_result(tmp_path / "out" / "results" / name / "ex01_mini.json")
        assert result.status == "grader_failed"
        assert (result.variant, result.key_sha256) == (key.of(name).variant, key.of(name).sha256)


def test_a_dry_run_before_the_variants_are_made_resumes_nothing(
    solutions, folder, hand_in, grade_here, tmp_path
):
    path, out = folder(ana=hand_in(RIGHT)), tmp_path / "out"
    plain = read_keys(solutions)
    grade_here(path, out, keys=plain)
    planned = stored_variants(plain, solutions, 2)
    (task,) = plan(find_hand_ins(path, plain).hand_ins, planned, out, Terms(60, sandboxed=False))
    assert (task.action, task.why) == ("grade", "the key has changed")
    assert isinstance(planned["ex01_mini"], VariedKey)
    assert not (solutions / ".variants").exists()


# What is given out holds nothing of it.


def test_an_edition_with_the_secret_or_a_variant_is_found(solutions, make, tmp_path):
    make(solutions, 1)
    edition = tmp_path / "edition"
    (edition / "notebooks").mkdir(parents=True)
    (edition / "notebooks" / "fine.txt").write_text("nothing to see")
    assert list(given_away(solutions, edition)) == []
    (edition / "notebooks" / "note.txt").write_text(f"key = {SECRET!r}\n")
    assert list(given_away(solutions, edition)) == [
        "notebooks/note.txt: the secret of the variants"
    ]
    (edition / "notebooks" / "note.txt").unlink()
    shutil.copy(secret_path(solutions), edition)
    found = list(given_away(solutions, edition))
    assert found[0] == "variants.secret: it belongs to the instructor"
    (edition / "variants.secret").unlink()
    (edition / "exercises" / ".variants").mkdir(parents=True)
    (edition / "exercises" / ".variants" / "1.json").write_text("{}")
    (found,) = given_away(solutions, edition)
    assert found == "exercises/.variants/1.json: it belongs to the instructor"


# The command.

READS = """
def double(x):
    for path in {paths!r}:
        try:
            open(path).read()
            return 2 * x
        except OSError:
            pass
    return 0.0
"""


def test_the_command_deals_makes_and_keeps_variants(solutions, folder, hand_in, tmp_path, sandbox):
    secret_path(solutions).unlink()
    paths = [str(secret_path(solutions)), str(solutions / ".variants" / "ex01_mini" / "1.json")]
    names = [f"learner{each}" for each in range(4)]
    path = folder(
        **dict.fromkeys(names, hand_in(RIGHT)), spy=hand_in({"double": READS.format(paths=paths)})
    )
    out = tmp_path / "out"

    def course(*arguments):
        command = [sys.executable, "-m", "course_utils.cli", "grade", path, "--key", solutions]
        command += ["--out", out, "--variants", "2", *arguments]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    before = sorted(solutions.rglob("*"))
    assert "variants of ex01_mini: 2, 2 of them to be made" in course("--dry-run")
    assert sorted(solutions.rglob("*")) == before
    assert not out.exists()
    told = course()
    assert "variants of ex01_mini: 2\n" in told
    assert "5 hand-ins: 5 graded." in told
    results = {
        name: json.loads((out / "results" / name / "ex01_mini.json").read_text())
        for name in [*names, "spy"]
    }
    assert [results[name]["points"] for name in names] == [20] * 4
    assert results["spy"]["points"] == 0
    assert {result["variant"] for result in results.values()} <= {1, 2}
    assert all(result["sandboxed"] for result in results.values())
    assert "5 graded (5 of them resumed)" in course()
    assert "resume: 5" in course("--dry-run")
