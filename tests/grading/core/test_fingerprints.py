"""Popular answers: read, run, kept, recognised; and a key that is not whole is refused."""

import pickle
import shutil

import pytest

from course_utils import notebooks
from course_utils.grading.authoring.build import build_solution, is_solution
from course_utils.grading.exercise import ExerciseError, parse
from course_utils.grading.fingerprints import (
    PopularAnswer,
    fingerprint,
    read_popular,
    recognise,
    rounds,
)
from course_utils.grading.key import read_key, read_keys


@pytest.fixture
def solutions(built_key, tmp_path):
    return shutil.copytree(built_key, tmp_path / "solutions")


def write_popular(folder, text):
    (folder / "ex01_mini.toml").write_text(text, encoding="utf-8")


def read_toml(solutions, mini):
    return read_popular(solutions / "ex01_mini.toml", mini)


def test_the_answers_of_each_question_are_read(solutions, mini):
    answers = read_toml(solutions, mini)
    assert len(answers) == 9
    assert {a.kind for a in answers if a.question == "cube"} == {"wrong", "equivalent"}


def test_a_round_holds_one_answer_of_each_question_at_most_and_none_is_lost(solutions, mini):
    answers = read_toml(solutions, mini)[:-1]
    shared = list(rounds(mini, answers))
    assert sorted((a.question, a.name) for row in shared for a in row) == sorted(
        (a.question, a.name) for a in answers
    )
    assert all(len({a.question for a in row}) == len(row) for row in shared)
    assert len(shared) == 3


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[[answer]]", "[[answer", "not readable as TOML"),
        ('kind = "wrong"', 'kind = "bad"', "kind 'bad'"),
        ('question = "double"', 'question = "triple"', "question 'triple'"),
        ('name = "a constant"\n', "", "its keys are"),
        ('name = "a constant"', 'name = ""', "one is empty"),
        ('message = "You added double. Multiply."', "message = 5", "one is empty"),
        ('kind = "equivalent"', 'kind = "wrong"', "no equivalent answer is listed"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(solutions, mini, old, new, words):
    path = solutions / "ex01_mini.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    write_popular(solutions, text.replace(old, new))
    with pytest.raises(ValueError, match=words):
        read_toml(solutions, mini)


def answer(code, kind="wrong", name="a name", message=""):
    return PopularAnswer("double", kind, name, f"def double(x):\n    return {code}", message)


def test_wrong_answers_leave_their_values_and_right_ones_nothing(mini, run_in_process):
    marks = fingerprint(
        mini, [answer("0.5 * x"), answer("x + x", "equivalent"), answer("x / 0")], run_in_process
    )
    assert [mark.name for mark in marks] == ["a name"]
    assert all(line.startswith("value: ") for line in marks[0].values)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([answer("2 * x", "wrong")], "the wrong answer 'a name' earns its points"),
        ([answer("3 * x", "equivalent")], "'a name' does not earn its points"),
        (
            [answer("3 * x", message="one"), answer("x + x + x", name="other", message="two")],
            "'other' and 'a name' print the same values",
        ),
    ],
)
def test_hidden_inputs_that_tell_too_little_are_refused(mini, run_in_process, answers, words):
    with pytest.raises(ExerciseError, match=words):
        fingerprint(mini, answers, run_in_process)


def test_a_misconception_is_recognised_by_its_values_alone(solutions, mini):
    key = read_key(solutions / "ex01_mini.ipynb")
    double, square = mini.questions[:2]
    mark = next(m for m in key.fingerprints if m.question == "double" and "adds" in m.name)
    printed = "a stray line\n" + "\n".join(mark.values) + "\n"
    assert recognise(double, printed, key.fingerprints).message == "You added double. Multiply."
    assert recognise(square, printed, key.fingerprints) is None
    assert recognise(double, printed.replace("e+00", "e+01"), key.fingerprints) is None
    assert recognise(double, "", key.fingerprints) is None


def test_building_again_changes_no_byte(solutions, run_in_process):
    before = {path.name: path.read_bytes() for path in solutions.iterdir()}
    build_solution(solutions / "ex01_mini.ipynb", run=run_in_process)
    assert {path.name: path.read_bytes() for path in solutions.iterdir()} == before


def test_only_a_notebook_with_hidden_checks_is_a_solution(solutions, hand_in, tmp_path):
    (tmp_path / "exercise.ipynb").write_bytes(hand_in())
    assert is_solution(solutions / "ex01_mini.ipynb")
    assert not is_solution(tmp_path / "exercise.ipynb")


def test_a_key_can_be_sent_to_another_process(built_key):
    key = read_key(built_key / "ex01_mini.ipynb")
    assert key.exercise.points == 20  # parsed once, and kept
    sent = pickle.loads(pickle.dumps(key))
    assert (sent, sent.sha256) == (key, key.sha256)
    assert sent.exercise.points == 20


def delete(name):
    return lambda folder: (folder / name).unlink()


def change_cell(name, change):
    def apply(folder):
        notebook = notebooks.read(folder / "ex01_mini.ipynb")
        change(next(cell for cell in notebook.cells if cell.id == name))
        notebooks.write(notebook, folder / "ex01_mini.ipynb")

    return apply


def another_answer(folder):
    text = (folder / "ex01_mini.toml").read_text(encoding="utf-8")
    write_popular(folder, text.replace("Multiply", "Do multiply"))


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (delete("ex01_mini.toml"), "ex01_mini.toml is missing"),
        (delete("ex01_mini.fingerprints.json"), "fingerprints.json is missing. Run: course build"),
        (delete("ex01_mini.ipynb"), "holds no solution notebook"),
        (another_answer, "not those of its solution. Run: course build"),
        (
            lambda folder: (folder / "ex01_mini.fingerprints.json").write_text("[]"),
            "not those of its solution",
        ),
        (lambda folder: (folder / "ex01_mini.ipynb").write_text("{"), "not a readable notebook"),
        (
            change_cell("ex01-cube-hidden", lambda cell: cell.update(execution_count=None)),
            "cell 'ex01-cube-hidden': it was not executed",
        ),
        (
            change_cell("ex01-cube-hidden", lambda cell: cell.update(outputs=[])),
            "cell 'ex01-cube-hidden': it prints 0 different numbers",
        ),
    ],
)
def test_a_broken_key_is_refused_with_place_and_remedy(solutions, break_it, words):
    break_it(solutions)
    with pytest.raises(ValueError, match=words):
        read_keys(solutions)


def test_values_changed_after_the_build_are_noticed(solutions):
    """Points and sources are stamped; stored values are not, so the fingerprints vouch for them."""

    def change(cell):
        cell.outputs[0].text = cell.outputs[0].text.replace("e+0", "e+1")

    change_cell("ex01-cube-hidden", change)(solutions)
    with pytest.raises(ValueError, match="Run: course build"):
        read_keys(solutions)


def test_the_faults_of_all_keys_are_told_at_once(solutions):
    shutil.copy(solutions / "ex01_mini.ipynb", solutions / "ex02_mini.ipynb")
    delete("ex01_mini.toml")(solutions)
    with pytest.raises(ValueError, match=r"(?s)ex01_mini\.toml.*ex02_mini\.toml"):
        read_keys(solutions)


def test_the_hash_of_a_key_changes_with_its_values_and_messages(mini, built_key):
    key = read_key(built_key / "ex01_mini.ipynb")
    first = key.fingerprints[0]
    hashes = {
        key.sha256,
        type(key)(key.name, key.text.replace("e+00", "e+01"), key.fingerprints).sha256,
        type(key)(key.name, key.text, key.fingerprints[1:]).sha256,
        type(key)(key.name, key.text, (*key.fingerprints[1:], first)).sha256,
    }
    assert len(hashes) == 4
    assert parse(key.exercise.notebook, key.name).points == mini.points
