"""The remedy table: how runs become verdicts, and a sample of the runs again."""

import dataclasses
import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from course_utils import plots, remedies
from course_utils.plots.remedies import COLOURS
from course_utils.remedies import (
    FAILURES,
    REMEDIES,
    SEEDS,
    Outcome,
    Run,
    Verdict,
    catalogue,
    evidence,
    judging,
    outcome,
    setting,
)
from course_utils.remedies import __main__ as command_line

CELLS = list(itertools.product(FAILURES, REMEDIES))
CHANGED = [cell for cell in CELLS if outcome(*cell).verdict is not Verdict.NOTHING]
VANISHING_OR_LARGE = ("sigmoid", "small_init", "large_init")

accuracies = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def runs(values, *, finite=True):
    return [Run(value, finite, value) for value in values]


def a_cell(with_it, without, *, nothing=False):
    return Outcome("sigmoid", "relu", with_it, without, nothing)


# ------------------------------------------------------------------ from runs to a verdict


@given(accuracies)
def test_what_changes_no_accuracy_has_no_effect(values):
    assert a_cell(runs(values), runs(values)).verdict is Verdict.NO_EFFECT
    assert a_cell(runs(values), runs(values), nothing=True).verdict is Verdict.NOTHING


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=12), st.data())
def test_the_order_of_the_seeds_decides_nothing(pairs, data):
    shuffled = data.draw(st.permutations(pairs))
    first, second = (
        a_cell(runs(new for new, _ in some), runs(old for _, old in some))
        for some in (pairs, shuffled)
    )
    assert first.gain == pytest.approx(second.gain)
    if not any(abs(first.gain - border) < 1e-9 for border in (judging.BETTER, judging.WORSE)):
        assert first.verdict is second.verdict


@given(st.floats(0, 0.7), st.floats(-1, 1))
def test_the_gain_and_the_share_that_learns_decide(before, change):
    after = min(max(before + change, 0), 1)
    cell = a_cell(runs([after] * 4), runs([before] * 4))
    if after - before >= judging.BETTER + 1e-9:
        wanted = Verdict.CURES if after >= judging.LEARNED else Verdict.HELPS
    elif after - before <= judging.WORSE - 1e-9:
        wanted = Verdict.HURTS
    elif judging.WORSE + 1e-9 < after - before < judging.BETTER - 1e-9:
        wanted = Verdict.NO_EFFECT
    else:
        return  # on a border
    assert cell.verdict is wanted


def test_a_run_with_nan_has_not_learned_and_too_many_of_them_are_no_cure():
    lost, good = runs([0.95], finite=False), runs([0.95])
    guessing = runs([0.1] * 5)
    assert a_cell(good * 4 + lost, guessing).verdict is Verdict.CURES
    assert a_cell(good * 3 + lost * 2, guessing).verdict is Verdict.HELPS
    assert a_cell(good * 3 + lost * 2, guessing).finite == pytest.approx(0.6)


# ------------------------------------------------------------------ the catalogue


@pytest.mark.parametrize(("failure", "remedy"), CELLS)
def test_a_remedy_changes_one_thing(failure, remedy):
    before = FAILURES[failure].setting
    after = REMEDIES[remedy].apply(before)
    names = {field.name for field in dataclasses.fields(before)}
    changed = {name for name in names if getattr(before, name) != getattr(after, name)}
    assert changed <= {"init", "gain"} if remedy == "careful_init" else len(changed) <= 1
    assert (not changed) == (remedy == "none" or outcome(failure, remedy).nothing)


def test_only_none_changes_nothing_everywhere():
    idle = [id_ for id_ in REMEDIES if all(outcome(f, id_).nothing for f in FAILURES)]
    assert idle == []
    assert not any(outcome(failure, "none").nothing for failure in FAILURES)


def test_each_remedy_says_when_at_what_price_and_how_one_sees_that_it_worked():
    for id_, remedy in REMEDIES.items():
        words = (remedy.when, remedy.price, remedy.seen, remedy.lesson)
        assert all(words) if id_ != "none" else not any(words)


def test_unknown_ids_are_named():
    with pytest.raises(ValueError, match=r"failure must be a known id, got 'x'\. Choose one of si"):
        outcome("x", "none")
    with pytest.raises(ValueError, match=r"remedy must be a known id, got 'y'\. Choose one of non"):
        remedies.rerun("sigmoid", "y")
    with pytest.raises(ValueError, match="remedy must be a known id"):
        remedies.remedy_table("clip_norm", "z")


# ------------------------------------------------------------------ the kept runs


def test_every_cell_is_kept_for_every_seed_and_no_more():
    kept = json.loads(evidence.STORE.read_text(encoding="utf-8"))
    assert {(f, r) for f, cells in kept.items() for r in cells} == set(CHANGED)
    for cell in itertools.chain.from_iterable(cells.values() for cells in kept.values()):
        assert [len(column) for column in cell.values()] == [len(SEEDS)] * 3
        right = np.array(cell["accuracy"]) * 297
        assert right == pytest.approx(np.round(right), abs=0.02)  # of 297 test digits


@pytest.mark.parametrize(("failure", "remedy"), CHANGED)
def test_no_verdict_hangs_on_one_seed(failure, remedy):
    cell = outcome(failure, remedy)
    for seed in SEEDS:
        fewer = (
            cell.runs[:seed] + cell.runs[seed + 1 :],
            cell.without[:seed] + cell.without[seed + 1 :],
        )
        assert dataclasses.replace(cell, runs=fewer[0], without=fewer[1]).verdict is cell.verdict


def test_the_failures_fail_as_their_stories_say():
    for id_ in VANISHING_OR_LARGE:
        assert outcome(id_, "none").band[1] < 0.2
    assert [outcome(id_, "none").finite for id_ in VANISHING_OR_LARGE] == [1, 1, 0]
    late = outcome("large_step", "none")
    assert np.mean([run.best > 0.7 for run in late.runs]) >= 0.75  # it learns first
    assert late.learned < 0.25
    assert late.finite < 0.75
    assert outcome("healthy", "none").learned == 1


def test_what_the_lessons_say_of_the_table():
    verdicts = {remedy: [outcome(f, remedy).verdict for f in FAILURES] for remedy in REMEDIES}
    assert verdicts["clip_norm"][:2] == [Verdict.NO_EFFECT] * 2  # it revives no vanished gradient
    assert verdicts["clip_norm"][3] is Verdict.CURES
    assert verdicts["careful_init"][1:3] == [Verdict.CURES] * 2
    assert verdicts["careful_init"][3] is Verdict.NOTHING
    assert Verdict.HURTS in [row[-1] for row in verdicts.values()]


# ------------------------------------------------------------------ the runs again

_CPU_SAMPLE = [
    (failure, remedy, index % len(SEEDS)) for index, (failure, remedy) in enumerate(CHANGED)
]


def disagreement(failure, remedy, seed):
    """How far a fresh run is from the kept one; where the seeds differ much, from their range."""
    cell, fresh = outcome(failure, remedy), remedies.rerun(failure, remedy, seed=seed)
    low, high = cell.band
    if high - low < 0.15:
        return abs(fresh.accuracy - cell.runs[seed].accuracy)
    return max(low - fresh.accuracy, fresh.accuracy - high, 0.0)


@pytest.mark.parametrize(("failure", "remedy", "seed"), _CPU_SAMPLE)
def test_a_sample_of_the_cells_comes_out_again(failure, remedy, seed):
    assert disagreement(failure, remedy, seed) < 0.06


@pytest.mark.parametrize(
    ("failure", "remedy"),
    [c for c in CHANGED if c[0] in VANISHING_OR_LARGE and outcome(*c).verdict is Verdict.CURES],
)
def test_a_cure_that_is_no_longer_applied_is_noticed(failure, remedy, monkeypatch):
    untreated = FAILURES[failure].setting
    monkeypatch.setattr(evidence, "run", lambda _treated, seed: setting.run(untreated, seed))
    assert disagreement(failure, remedy, seed=0) > 0.5


def test_every_cell_has_the_same_budget_and_a_seed_the_same_batches(monkeypatch):
    seen = []

    def no_training(net, data, **options):
        rng = options["rng"]
        order = tuple(rng.permutation(1500)[:5])
        seen.append((options["steps"], options["batch_size"], order, data[0].shape))
        raise InterruptedError

    monkeypatch.setattr(setting, "train", no_training)
    for failure, remedy in CHANGED:
        with pytest.raises(InterruptedError):
            remedies.rerun(failure, remedy, seed=3)
    assert len(set(seen)) == 1
    with pytest.raises(InterruptedError):
        remedies.rerun("sigmoid", "none", seed=4)
    assert len(set(seen)) == 2


# ------------------------------------------------------------------ keeping them


def test_what_is_written_is_read_again(tmp_path, monkeypatch):
    def counted(broken_setting, seed):
        return Run(round(broken_setting.learning_rate / (1 + seed), 4), seed % 2 == 0, 0.5)

    monkeypatch.setattr(evidence, "run", counted)
    path = tmp_path / "remedies.json"
    evidence.write(path=path)
    for failure, remedy in CHANGED:
        cell = outcome(failure, remedy, path=path)
        rate = REMEDIES[remedy].apply(FAILURES[failure].setting).learning_rate
        assert [run.accuracy for run in cell.runs] == [round(rate / (1 + s), 4) for s in SEEDS]
        assert [run.finite for run in cell.runs] == [s % 2 == 0 for s in SEEDS]
    assert path.read_text(encoding="utf-8").count("\n") == len(CHANGED) + 2 * len(FAILURES) + 2


def test_missing_and_damaged_runs_name_the_command(tmp_path):
    with pytest.raises(ValueError, match=r"No runs are stored for sigmoid\. Run `python -m course"):
        outcome("sigmoid", "none", path=tmp_path / "none.json")
    whole = json.loads(evidence.STORE.read_text(encoding="utf-8"))
    del whole["sigmoid"]["relu"]
    path = tmp_path / "part.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(ValueError, match=r"No runs are stored for sigmoid, relu\. Run `python"):
        outcome("sigmoid", "relu", path=path)
    for number, text in enumerate(("", "{", '{"sigmoid": {"none": {}}}')):
        path = tmp_path / f"damaged{number}.json"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match="Delete it and run `python -m course") as caught:
            outcome("sigmoid", "none", path=path)
        assert "\n" not in str(caught.value)


def test_the_command_prints_both_tables(capsys, monkeypatch, tmp_path):
    assert command_line.main([]) == 0
    told = capsys.readouterr().out
    assert all(title in told for title in (REMEDIES["residual"].title, FAILURES["healthy"].title))
    assert REMEDIES["clip_norm"].when in told
    monkeypatch.setattr(evidence, "STORE", tmp_path / "none.json")
    assert command_line.main([]) == 1
    assert "python -m course_utils.remedies write" in capsys.readouterr().err


# ------------------------------------------------------------------ what a learner sees


def test_the_table_of_words_names_each_failure_in_the_column_of_its_verdict():
    table = remedies.remedy_table()
    assert [row[0] for row in table.rows] == [REMEDIES[r].title for r in REMEDIES if r != "none"]
    for id_, row in zip([r for r in REMEDIES if r != "none"], table.rows, strict=True):
        for failure in FAILURES:
            cell = outcome(failure, id_)
            columns = [
                heading
                for heading, words in zip(table.headings[1:5], row[1:5], strict=True)
                if f"{FAILURES[failure].title} (" in words
            ]
            verdict = str(cell.verdict).replace("no effect", "no effect on")
            assert columns == ([] if cell.verdict is Verdict.NOTHING else [verdict])


@pytest.mark.parametrize("table", [remedies.remedy_table, remedies.outcome_table])
def test_the_tables_are_tables_and_can_be_cut_short(table):
    markdown = table()._repr_markdown_().splitlines()
    assert len({line.count("|") for line in markdown}) == 1
    short = table("careful_init", "clip_norm")
    assert short.rows[-2:] == [r for i in (3, 4) for r in [table().rows[i - len(REMEDIES)]]]
    assert all(word in repr(short) for row in short.rows for word in row)


def test_the_grid_is_that_of_the_outcomes_and_none_comes_first():
    rows, columns, verdicts, medians = remedies.verdict_grid("relu")
    assert rows == ["none", REMEDIES["relu"].title]
    assert columns == [failure.title for failure in FAILURES.values()]
    assert verdicts[0] == [""] * len(FAILURES)
    assert verdicts[1] == [str(outcome(f, "relu").verdict) for f in FAILURES]
    assert medians[1] == [outcome(f, "relu").median for f in FAILURES]


def test_the_figure_writes_verdict_and_number_into_each_cell():
    rows, columns, verdicts, medians = remedies.verdict_grid()
    ax = plots.plot_verdicts(verdicts, medians, remedies=rows, failures=columns)
    written = {text.get_position(): text.get_text() for text in ax.texts}
    assert len(written) == len(rows) * len(columns)
    for (row, words), column in itertools.product(enumerate(verdicts), range(len(columns))):
        told = written[column, row]
        if words[column] == str(Verdict.NOTHING):
            assert told == "–"
        else:
            assert told == f"{words[column]}\n{medians[row][column]:.0%}".lstrip()
    assert [tick.get_text() for tick in ax.get_yticklabels()] == rows


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_the_figure_s_words_stand_out_and_its_blues_stand_apart_in_grey():
    for word, colour in COLOURS.items():
        light, dark = luminance(colour), 0.0
        if word == "cures":
            light, dark = 1.0, luminance(colour)
        assert (light + 0.05) / (dark + 0.05) > 7
    greys = [luminance(COLOURS[word]) for word in ("cures", "helps", "no effect")]
    assert min(np.diff(greys)) > 0.2


def test_the_settings_say_what_careful_is_for_every_activation_in_use():
    used = {failure.setting.activation for failure in FAILURES.values()}
    assert used <= set(catalogue.CAREFUL)
