"""The bank's labels are true, its sets are apart, and diagnose() finds what they say."""

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from course_utils.datasets import load_digits
from course_utils.diagnosis import VERDICTS, bank, deciding, diagnose, judging, verdicts
from course_utils.diagnosis.symptoms import Symptom

OPTIONAL = (
    *("weight_norm", "update_norm", "grad_hidden_norm", "hidden_rms"),
    *("dead_share", "slope_mean", "accuracy", "classes"),
)


@pytest.fixture(scope="module")
def trained():
    """(net, trace) of every case, by set and in the order of its cases."""
    return {which: [case.train() for case in bank.cases(which)] for which in bank.SETS}


@pytest.fixture(scope="module")
def runs(trained):
    return {which: [trace for _, trace in pairs] for which, pairs in trained.items()}


def counted(which, runs):
    labels = [case.label for case in bank.cases(which)]
    return bank.confusion(labels, [diagnose(trace).verdict for trace in runs[which]])


@pytest.mark.parametrize("which", bank.SETS)
def test_the_verdicts_are_right(which, runs):
    assert bank.macro_recall(counted(which, runs)) >= 0.95


@pytest.mark.parametrize("which", bank.SETS)
def test_an_error_is_an_abstention_and_not_another_disease(which, runs):
    counts = counted(which, runs)
    wrong = counts - np.diag(np.diag(counts))
    abstained = VERDICTS.index(verdicts.NOT_ENOUGH_EVIDENCE)
    assert wrong.sum() == wrong[:, abstained].sum()


def test_there_are_enough_runs_of_every_label():
    for which in bank.SETS:
        assert min(Counter(case.label for case in bank.cases(which)).values()) >= 8
        assert {case.label for case in bank.cases(which)} == set(VERDICTS)
        assert len({case.name for case in bank.cases(which)}) == len(bank.cases(which))
    assert len(bank.cases("test")) >= 60


@pytest.mark.parametrize("name", ["split", "seed", "width", "batch"])
def test_the_sets_share_no_split_seed_width_or_batch(name):
    used = {
        which: {getattr(case.settings, name) for case in bank.cases(which)} for which in bank.SETS
    }
    for one, other in itertools.combinations(used, 2):
        assert not used[one] & used[other], (one, other)


# --- the labels, confirmed without diagnose() ----------------------------------------------------


def accuracy_on_held_out(net, settings):
    held_out = load_digits(seed=settings.split, standardised=True).test
    with np.errstate(all="ignore"):
        predicted = net.outputs(held_out.inputs).argmax(axis=1)
    return float(np.mean(predicted == held_out.labels))


def accuracy_of_a_longer_run(settings):
    """Deep nets need more steps than the bank's short runs."""
    longer = replace(settings, steps=3 * settings.steps)
    return accuracy_on_held_out(longer.train()[0], longer)


@pytest.mark.parametrize("which", bank.SETS)
def test_healthy_runs_learn_and_broken_ones_do_not(which, trained):
    for case, (net, _) in zip(bank.cases(which), trained[which], strict=True):
        accuracy = accuracy_on_held_out(net, case.settings)
        if case.label == verdicts.HEALTHY:
            assert accuracy > 0.6, case
        elif case.label != verdicts.NOT_ENOUGH_EVIDENCE:
            assert accuracy < 0.5, case


@pytest.mark.parametrize("which", ["test", "audit"])
def test_without_the_named_cause_the_same_run_learns(which):
    for case in bank.cases(which):
        assert bool(case.cure) is (case.label != verdicts.HEALTHY), case
        if case.cure:
            assert accuracy_of_a_longer_run(case.cured().settings) > 0.6, case


def test_a_label_that_is_not_the_cause_would_be_caught():
    small = next(case for case in bank.cases() if case.label == verdicts.SMALL_INIT)
    rate = small.settings.learning_rate
    assert accuracy_of_a_longer_run(replace(small.settings, learning_rate=rate / 10)) < 0.5


# --- what was not recorded -----------------------------------------------------------------------


def changed_verdicts(traces, *, up_to):
    """(verdict, verdict without some of the optional fields) where they differ, with the names."""
    for trace in traces:
        whole = diagnose(trace).verdict
        for size in range(1, up_to + 1):
            for names in itertools.combinations(OPTIONAL, size):
                poorer = diagnose(trace.without(*names)).verdict
                if poorer != whole:
                    yield whole, poorer, names


@pytest.mark.parametrize("which", bank.SETS)
def test_what_is_missing_never_turns_one_disease_into_another(which, runs):
    flips = [
        change
        for change in changed_verdicts(runs[which], up_to=2)
        if change[1] != verdicts.NOT_ENOUGH_EVIDENCE
    ]
    assert flips == []


def test_taking_the_unknown_for_absent_would_be_caught(runs, monkeypatch):
    def rashly(seen, **known):
        return deciding.decide({key: bool(look) for key, look in seen.items()}, **known)

    monkeypatch.setattr(judging, "decide", rashly)
    changes = changed_verdicts(runs["tuning"], up_to=2)
    assert any(poorer != verdicts.NOT_ENOUGH_EVIDENCE for _, poorer, _ in changes)


@pytest.mark.parametrize(
    ("look", "label"),
    [
        ("fallen", verdicts.HEALTHY),
        ("decay", verdicts.SATURATION),
        ("signal", verdicts.SMALL_INIT),
        ("growth", verdicts.EXPLODING),
        ("dead", verdicts.DEAD_UNITS),
        ("jumps", verdicts.STEP_TOO_LARGE),
        ("unmoved", verdicts.STEP_TOO_SMALL),
        ("bad data", verdicts.BAD_DATA),
        ("too short", verdicts.NOT_ENOUGH_EVIDENCE),
    ],
)
def test_each_verdict_rests_on_a_look_of_its_own(look, label, runs, monkeypatch):
    seeing = counted("tuning", runs)
    blind = {look: lambda trace: Symptom(look, False, "Not looked at.")}
    monkeypatch.setattr(judging, "LOOKS", {**judging.LOOKS, **blind})
    blindly = counted("tuning", runs)
    row = VERDICTS.index(label)
    assert blindly[row, row] < seeing[row, row] == seeing[row].sum()


# --- counting ------------------------------------------------------------------------------------


def test_confusion_counts_labels_in_rows_and_verdicts_in_columns():
    counts = bank.confusion(
        ["healthy", "healthy", "exploding"], ["healthy", "exploding", "healthy"]
    )
    healthy, exploding = VERDICTS.index("healthy"), VERDICTS.index("exploding")
    assert counts[healthy, exploding] == counts[exploding, healthy] == counts[healthy, healthy] == 1
    assert counts.sum() == 3
    assert bank.macro_recall(counts) == pytest.approx((1 / 2 + 0) / 2)


def test_macro_recall_weighs_labels_alike_however_many_runs_they_have():
    labels = ["healthy"] * 9 + ["exploding"]
    assert bank.macro_recall(bank.confusion(labels, labels)) == 1.0
    assert bank.macro_recall(bank.confusion(labels, ["healthy"] * 10)) == 0.5


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ValueError, match="shorter"):
        bank.confusion(["healthy"], [])
    with pytest.raises(ValueError, match=r"unknown verdict 'ill'"):
        bank.confusion(["ill"], ["healthy"])
    with pytest.raises(ValueError, match=r"counts must hold at least one run, got none\. Pass"):
        bank.macro_recall(np.zeros((9, 9), dtype=int))
    with pytest.raises(ValueError, match=r"which must be one of tuning, test, audit, got 'all'\."):
        bank.cases("all")


def test_a_case_runs_the_same_each_time():
    case = bank.cases()[0]
    np.testing.assert_array_equal(case.run().grad_weight_norm, case.run().grad_weight_norm)
