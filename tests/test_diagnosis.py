"""The laws of diagnose(): what may change a verdict and what may not, on traces and on arrays."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from course_utils.datasets import load_digits
from course_utils.diagnosis import (
    BY_NAME,
    VERDICTS,
    Trace,
    deciding,
    diagnose,
    profile_slope,
    verdicts,
)
from course_utils.diagnosis.statistics import first_break, leverage, loss_course, update_ratios
from course_utils.diagnosis.symptoms import any_of, between, change, number
from course_utils.diagnosis.trace import BY_LAYER, BY_STEP
from course_utils.network import MLP
from course_utils.training import RECORDABLE, SGD, train

EVERYTHING = (*BY_STEP, *BY_LAYER)
STEPS, LAYERS = 40, 6


def run_of(*, steps=60, learning_rate=0.1, spoil=None, record=EVERYTHING, width=24, **settings):
    """One short run on the digits; settings are those of MLP, depth the hidden layers."""
    rng = np.random.default_rng(0)
    widths = [64, *[width] * settings.pop("depth", 6), 10]
    net = MLP(widths, rng=rng, **settings)
    if spoil is not None:
        spoil(net)
    digits = load_digits(standardised=True).train
    return train(
        net,
        digits,
        steps=steps,
        batch_size=64,
        optimizer=SGD(learning_rate),
        rng=rng,
        record=record,
    )


def trace_of(**settings):
    return Trace.from_history(run_of(**settings), classes=10)


def bias_of(value):
    def spoil(net):
        for biases in net.biases[:-1]:
            biases[...] = value

    return spoil


AILING = {
    verdicts.HEALTHY: {"activation": "tanh"},
    verdicts.SATURATION: {"activation": "sigmoid", "depth": 10},
    verdicts.SMALL_INIT: {"activation": "tanh", "gain": 0.2},
    verdicts.EXPLODING: {"activation": "relu", "init": "he", "gain": 2.5, "depth": 8},
    verdicts.DEAD_UNITS: {"activation": "relu", "init": "he", "spoil": bias_of(-5.0)},
    verdicts.STEP_TOO_LARGE: {"activation": "relu", "init": "he", "learning_rate": 3.0},
    verdicts.STEP_TOO_SMALL: {"activation": "tanh", "learning_rate": 1e-5},
}


@pytest.fixture(scope="module")
def ailing():
    return {name: trace_of(**settings) for name, settings in AILING.items()}


def success(**more):
    """A run that has learnt all there is: loss, gradients and updates go to 0 together."""
    fall = np.logspace(0, -7, STEPS)
    norms = fall[:, None] * np.ones(LAYERS)
    fields = {
        "loss": math.log(10) * fall,
        "grad_weight_norm": 0.3 * norms,
        "weight_norm": np.ones_like(norms),
        "update_norm": 0.03 * norms,
        "grad_hidden_norm": norms,
        "hidden_rms": np.ones_like(norms),
        "classes": 10,
    }
    return Trace(**(fields | more))


# --- verdicts --------------------------------------------------------------------------------


@pytest.mark.parametrize("label", AILING)
def test_each_way_to_fail_has_its_own_verdict(label, ailing):
    assert diagnose(ailing[label]).verdict == label


def test_a_history_and_its_arrays_get_the_same_note():
    history = run_of(**AILING[verdicts.SATURATION])
    arrays_of_another_framework = {name: history[name].tolist() for name in history.names}
    single = {name: history[name].astype(np.float32) for name in history.names}
    note = str(diagnose(history, classes=10))
    assert note == str(diagnose(Trace(**arrays_of_another_framework, classes=10)))
    assert diagnose(Trace(**single, classes=10)).verdict == verdicts.SATURATION


def test_a_success_is_healthy_and_never_vanishing():
    note = diagnose(success())
    assert note.verdict == verdicts.HEALTHY
    assert note.symptoms["solved"].present
    # the same small gradients and updates, on the plateau of guessing, are no success
    assert diagnose(success(loss=np.full(STEPS, math.log(10)))).verdict != verdicts.HEALTHY


def test_a_gradient_that_underflows_to_zero_is_not_taken_for_dead_units():
    trace = trace_of(
        activation="sigmoid", depth=90, width=8, dtype=np.float32, steps=12, record=EVERYTHING
    )
    assert trace.grad_weight_norm[0, 0] == 0.0
    assert diagnose(trace).verdict == verdicts.SATURATION


def test_dead_units_are_recognised_by_their_silence_alone(ailing):
    poorer = ailing[verdicts.DEAD_UNITS].without("dead_share", "slope_mean", "grad_hidden_norm")
    assert diagnose(poorer).verdict == verdicts.DEAD_UNITS
    # without the hidden values either, it might have been an underflow
    assert diagnose(poorer.without("hidden_rms")).verdict == verdicts.NOT_ENOUGH_EVIDENCE


def broken_at(step, **more):
    """A healthy run whose first layer's signal, and all after it, is NaN from that step on."""
    fall = np.linspace(1, 0.5, STEPS)
    fields = {
        "loss": 2.3 * fall,
        "grad_weight_norm": np.ones((STEPS, LAYERS)),
        "weight_norm": np.full((STEPS, LAYERS), 5.0),
        "hidden_rms": np.ones((STEPS, LAYERS)),
        "grad_hidden_norm": np.ones((STEPS, LAYERS)),
    } | more
    for name, values in fields.items():
        after = step + 1 if name == "weight_norm" else step
        values[after:] = np.nan
    return Trace(**fields, classes=10)


@given(st.integers(0, STEPS - 1))
def test_a_nan_that_enters_at_the_first_layer_is_bad_data(step):
    assert diagnose(broken_at(step)).verdict == verdicts.BAD_DATA


def test_a_nan_is_no_bad_data_where_the_data_are_known_to_be_finite():
    spoilt = broken_at(7)
    assert diagnose(spoilt.replaced(data_finite=True)).verdict == verdicts.NOT_ENOUGH_EVIDENCE
    assert diagnose(spoilt.replaced(data_finite=False)).verdict == verdicts.BAD_DATA


@pytest.mark.parametrize("label", [verdicts.EXPLODING, verdicts.STEP_TOO_LARGE])
def test_a_nan_out_of_finite_data_is_never_blamed_on_them(label, ailing):
    trace = ailing[label]
    broken = first_break(trace)
    assert broken is not None
    for known in (None, True):
        assert diagnose(trace.replaced(data_finite=known)).verdict == label


def test_weights_that_grew_before_the_break_are_not_blamed_on_the_data():
    grown = np.full((STEPS, LAYERS), 5.0) * np.logspace(0, 8, STEPS)[:, None]
    note = diagnose(broken_at(20, weight_norm=grown))
    assert note.verdict == verdicts.STEP_TOO_LARGE


def stuck(**more):
    """A run whose gradients and steps are as they should be, and whose loss does not fall."""
    level = np.ones((STEPS, LAYERS))
    norms = {"grad_weight_norm": level, "grad_hidden_norm": level, "update_norm": 0.01 * level}
    return success(**({"loss": np.full(STEPS, 2.3), "dead_share": 0 * level} | norms | more))


def test_a_loss_that_fell_and_came_back_is_too_large_a_step():
    loss = np.concatenate([np.linspace(2.3, 0.5, STEPS // 2), np.full(STEPS // 2, 2.4)])
    assert diagnose(stuck(loss=loss)).verdict == verdicts.STEP_TOO_LARGE


def test_a_run_that_had_learnt_was_not_broken_by_how_it_was_born():
    loss = np.append(np.linspace(2.3, 0.5, STEPS - 1), np.nan)
    born_growing = np.ones((STEPS, LAYERS)) * np.logspace(3, 0, LAYERS)
    grown = np.ones((STEPS, LAYERS)) * np.where(np.arange(STEPS) < STEPS - 2, 1, 100)[:, None]
    trace = stuck(loss=loss, grad_hidden_norm=born_growing, weight_norm=grown)
    assert diagnose(trace).verdict == verdicts.STEP_TOO_LARGE
    never_learnt = trace.replaced(loss=np.append(np.full(STEPS - 1, 2.3), np.nan))
    assert diagnose(never_learnt).verdict == verdicts.EXPLODING


def test_units_that_died_in_training_without_a_trace_in_the_loss_are_seen():
    dead = np.zeros((STEPS, LAYERS))
    dead[STEPS // 2 :, 2] = 1.0
    note = diagnose(stuck(dead_share=dead))
    assert note.verdict == verdicts.STEP_TOO_LARGE
    assert any("dead units rise from 0 % to 100 %" in sentence for sentence in note.evidence)


def test_after_long_patience_a_borderline_symptom_counts():
    def run(steps):
        level = np.ones((steps, LAYERS))
        profile = level * np.append(np.logspace(-1.3, 0, LAYERS - 1), 1.0)
        return Trace(
            loss=np.full(steps, 2.3), grad_weight_norm=profile, weight_norm=level,
            update_norm=0.01 * profile, grad_hidden_norm=profile, hidden_rms=level,
            dead_share=0 * level, classes=10,
        )  # fmt: skip

    short, long = diagnose(run(100)), diagnose(run(300))
    assert (short.verdict, short.needs) == (verdicts.NOT_ENOUGH_EVIDENCE, ("more steps",))
    assert long.verdict == verdicts.SATURATION
    # what was never recorded stays unknown, however long the run
    assert diagnose(run(300).without("grad_hidden_norm", "hidden_rms")).needs != ("more steps",)


@pytest.mark.parametrize(
    ("learning_rate", "verdict"),
    [
        (1e-6, verdicts.STEP_TOO_SMALL),
        (0.1, verdicts.HEALTHY),
        (300.0, verdicts.STEP_TOO_LARGE),
    ],
)
def test_a_net_without_hidden_layers_can_be_judged(learning_rate, verdict):
    assert diagnose(trace_of(depth=0, learning_rate=learning_rate)).verdict == verdict


def test_what_nothing_explains_is_said_to_be_unexplained():
    note = diagnose(stuck())
    assert (note.verdict, note.needs) == (verdicts.NOT_ENOUGH_EVIDENCE, ())
    assert "ten examples" in note.remedy
    # had they been counted, dead units might have explained it
    assert diagnose(stuck().without("dead_share")).needs == ("dead_share",)


@pytest.mark.parametrize(
    ("look", "seen_in", "not_in"),
    [
        ("plateau", verdicts.SMALL_INIT, verdicts.HEALTHY),
        ("frozen", verdicts.SATURATION, verdicts.HEALTHY),
        ("slopes", verdicts.SATURATION, verdicts.SMALL_INIT),
        ("tiny alike", verdicts.SMALL_INIT, verdicts.SATURATION),
        ("signal", verdicts.SMALL_INIT, verdicts.SATURATION),
        ("had learnt", verdicts.HEALTHY, verdicts.SMALL_INIT),
        ("break", verdicts.STEP_TOO_LARGE, verdicts.HEALTHY),
        ("grown", verdicts.EXPLODING, verdicts.HEALTHY),
        ("large update", verdicts.STEP_TOO_LARGE, verdicts.HEALTHY),
        ("overshoot", verdicts.STEP_TOO_LARGE, verdicts.HEALTHY),
        ("died", verdicts.EXPLODING, verdicts.DEAD_UNITS),
        ("unmoved", verdicts.STEP_TOO_SMALL, verdicts.HEALTHY),
    ],
)
def test_a_symptom_is_seen_where_it_is_and_not_where_it_is_not(look, seen_in, not_in, ailing):
    assert diagnose(ailing[seen_in]).symptoms[look].present is True
    assert diagnose(ailing[not_in]).symptoms[look].present is False


def test_a_signal_that_underflows_is_no_dead_layer():
    tiny = trace_of(activation="relu", init="he", gain=1e-5, depth=12, dtype=np.float32, steps=12)
    poorer = tiny.without("dead_share")
    assert poorer.hidden_rms[0, -2] == 0.0
    assert diagnose(poorer).verdict != verdicts.DEAD_UNITS


@pytest.mark.parametrize(
    ("growth", "verdict"), [(1.0, verdicts.BAD_DATA), (3.0, verdicts.NOT_ENOUGH_EVIDENCE)]
)
def test_without_signals_only_unchanged_weights_accuse_the_data(growth, verdict):
    weights = np.full((STEPS, LAYERS), 5.0)
    weights[20:] *= growth
    assert diagnose(broken_at(20, weight_norm=weights).without("hidden_rms")).verdict == verdict


# --- deciding, for everything that can be seen -----------------------------------------------

BROKEN = ("bad data", "had learnt", "growth", "jumps", "large update", "grown")
UNLEARNT = (
    *("had learnt", "dead", "growth", "decay", "signal"),
    *("jumps", "overshoot", "unmoved", "died"),
)


def every_sight(keys, **fixed):
    for looks in itertools.product((True, False, None), repeat=len(keys)):
        yield {**fixed, **dict(zip(keys, looks, strict=True))}


def flips(keys, decide, **fixed):
    """How often a verdict turns into another disease because one look is not known any more."""
    found = 0
    for seen in every_sight(keys, **fixed):
        if seen.get("bad data") and seen["growth"]:
            continue  # ill in two ways at once: either may be named
        verdict, _ = decide(seen, classes_known=True)
        for key in keys:
            poorer, _ = decide({**seen, key: None}, classes_known=True)
            found += poorer not in (verdict, verdicts.NOT_ENOUGH_EVIDENCE)
    return found


def test_no_verdict_of_all_turns_into_another_for_want_of_a_look():
    assert flips(BROKEN, deciding.decide, **{"break": True}) == 0
    for fallen in (False, None):
        unlearnt = {"break": False, "too short": False, "fallen": fallen}
        assert flips(UNLEARNT, deciding.decide, **unlearnt) == 0


def test_passing_over_what_is_not_known_would_be_caught():
    def rashly(seen, **known):
        return deciding.decide({key: bool(look) for key, look in seen.items()}, **known)

    assert flips(BROKEN, rashly, **{"break": True}) > 0


def test_whatever_is_seen_a_doubt_names_what_it_hangs_on():
    for seen in every_sight(BROKEN, **{"break": True}):
        verdict, undecided = deciding.decide(seen, classes_known=True)
        assert bool(undecided) is (verdict == verdicts.NOT_ENOUGH_EVIDENCE)


# --- what may not change a verdict -------------------------------------------------------------


@pytest.mark.parametrize("label", AILING)
@pytest.mark.parametrize("scale", [1e-6, 1e5])
def test_the_unit_of_the_loss_changes_nothing(label, scale, ailing):
    trace = ailing[label].without("classes")  # ln C is in nats
    with np.errstate(over="ignore"):
        other = trace.replaced(
            loss=scale * trace.loss,
            grad_weight_norm=scale * trace.grad_weight_norm,
            grad_hidden_norm=scale * trace.grad_hidden_norm,
        )
    assert diagnose(other).verdict == diagnose(trace).verdict


@pytest.mark.parametrize("label", AILING)
def test_a_permutation_of_units_changes_nothing(label, ailing):
    settings = dict(AILING[label])
    spoil_first = settings.pop("spoil", lambda net: None)

    def permute(net):
        spoil_first(net)
        rng = np.random.default_rng(5)
        for layer in range(net.n_layers - 1):
            order = rng.permutation(net.widths[layer + 1])
            net.weights[layer] = net.weights[layer][:, order].copy()
            net.biases[layer] = net.biases[layer][order].copy()
            net.weights[layer + 1] = net.weights[layer + 1][order].copy()

    other = trace_of(**settings, spoil=permute)
    np.testing.assert_allclose(other.weight_norm[0], ailing[label].weight_norm[0])
    assert diagnose(other).verdict == label


@pytest.mark.parametrize("label", AILING)
def test_one_step_is_not_enough_evidence(label, ailing):
    note = diagnose(ailing[label].first(1))
    assert note.verdict == verdicts.NOT_ENOUGH_EVIDENCE
    assert note.needs == ("more steps",)


def test_a_run_that_breaks_at_once_needs_no_more_steps():
    assert diagnose(broken_at(0).first(1)).verdict == verdicts.BAD_DATA


@pytest.mark.parametrize("label", AILING)
def test_accuracy_and_slopes_illustrate_and_never_decide(label, ailing):
    """What only illustrates a verdict, the slopes and the accuracy, never decides one."""
    assert diagnose(ailing[label].without("accuracy", "slope_mean")).verdict == label


values = st.one_of(
    st.floats(0, 1e3), st.sampled_from([0.0, 1e-320, 1e-30, 1e30, 1.7e308, math.inf, math.nan])
)


@st.composite
def any_trace(draw):
    steps, layers = draw(st.integers(1, 14)), draw(st.integers(1, 4))
    rows = arrays(np.float64, (steps, layers), elements=values)
    shares = arrays(np.float64, (steps, layers), elements=st.sampled_from([0, 0.5, 0.95, 1.0]))
    columns = arrays(np.float64, steps, elements=st.one_of(values, st.floats(-10, 0)))
    return Trace(
        loss=draw(columns),
        grad_weight_norm=draw(rows),
        weight_norm=draw(st.none() | rows),
        update_norm=draw(st.none() | rows),
        grad_hidden_norm=draw(st.none() | rows),
        hidden_rms=draw(st.none() | rows),
        slope_mean=draw(st.none() | rows),
        dead_share=draw(st.none() | shares),
        classes=draw(st.none() | st.integers(2, 1000)),
        data_finite=draw(st.none() | st.booleans()),
    )


@given(any_trace())
def test_any_numbers_get_a_note_with_evidence_and_without_a_warning(trace):
    note = diagnose(trace)
    assert note.verdict in VERDICTS
    assert note.evidence
    assert all(0.0 <= s.strength <= 1.0 for s in note.symptoms.values())
    assert all((s.strength > 0) <= (s.present is True) for s in note.symptoms.values())
    told = " ".join(str(note).split())
    assert told.startswith(f"Verdict: {note.verdict} ")
    for sentence in (*note.evidence, note.remedy, note.check):
        assert " ".join(sentence.split()) in told
    if note.needs:
        assert note.verdict == verdicts.NOT_ENOUGH_EVIDENCE
        assert not set(note.needs) & set(trace.recorded)


# --- statistics ----------------------------------------------------------------------------------


@given(st.floats(1e-3, 1e3), st.floats(1e-5, 1e5), st.integers(2, 20))
def test_the_slope_of_a_geometric_profile_is_the_logarithm_of_its_ratio(ratio, start, layers):
    norms = start * ratio ** np.arange(layers)
    assert profile_slope(norms) == pytest.approx(math.log10(ratio), abs=1e-9)
    assert profile_slope(7.0 * norms) == pytest.approx(profile_slope(norms), abs=1e-9)
    assert profile_slope(norms[::-1]) == pytest.approx(-profile_slope(norms), abs=1e-9)


def test_the_slope_where_there_is_no_line():
    assert math.isnan(profile_slope([1.0]))
    assert math.isnan(profile_slope([1.0, np.inf, 1.0]))
    assert profile_slope([0.0, 1e-30, 1.0]) == math.inf
    assert profile_slope([1.0, 0.0]) == -math.inf
    assert profile_slope([0.0, 0.0]) == 0.0


def test_leverage_bounds_the_change_of_the_loss():
    net = MLP([4, 8, 8, 3], activation="tanh", rng=np.random.default_rng(0))
    rng = np.random.default_rng(1)
    data = rng.normal(size=(30, 4)), rng.integers(0, 3, 30)
    history = train(
        net, data, steps=1, optimizer=SGD(1e-12), record=["weight_norm", "grad_weight_norm"]
    )
    bound = leverage(Trace.from_history(history))
    before, worst = net.loss_of(*data), 0.0
    for layer in range(net.n_layers):
        kept = net.weights[layer].copy()
        net.loss_and_gradients(*data)
        step = 1e-6 * np.linalg.norm(kept) / np.linalg.norm(net.grad_weights[layer])
        net.weights[layer] = kept + step * net.grad_weights[layer]
        worst = max(worst, (net.loss_of(*data) / before - 1) / 1e-6)
        net.weights[layer] = kept
    assert worst == pytest.approx(bound, rel=1e-3)  # along the gradient the bound is reached


def test_the_first_break_is_the_historys():
    history = run_of(**AILING[verdicts.EXPLODING])
    assert tuple(first_break(Trace.from_history(history))) == tuple(history.first_nonfinite())


def test_the_course_of_the_loss_stops_before_the_first_nan():
    trace = Trace(loss=[3.0, 2.0, np.nan, 9.0], grad_weight_norm=np.ones((4, 1)), classes=10)
    course = loss_course(trace)
    assert (course.first, course.highest, course.end) == (3.0, 3.0, 2.5)
    assert course.baseline == pytest.approx(math.log(10))
    assert loss_course(trace.replaced(loss=np.full(4, np.inf))) is None


def test_a_layer_that_did_not_move_has_ratio_0_whatever_its_weights():
    trace = success(update_norm=np.zeros((STEPS, LAYERS)), weight_norm=np.zeros((STEPS, LAYERS)))
    assert (update_ratios(trace) == 0).all()


@given(st.floats(allow_nan=True), st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_between_the_thresholds_nothing_is_told(value, absent, width):
    bounds = (absent, absent + width)
    look = between(value, bounds)
    inside = math.isnan(value) or bounds[0] < value < bounds[1]
    assert (look is None) is inside
    assert between(-value, (-bounds[0], -bounds[1])) is look


def test_unknown_is_not_absent():
    assert any_of(False, None) is None
    assert any_of(True, None) is True
    assert any_of(False, False) is False


def test_numbers_read_well():
    assert [number(x) for x in (2.3026, 0.00123, 2.5e-7, 705.4, 1e300, np.inf, 0.0)] == [
        "2.3", "0.00123", "2.5·10⁻⁷", "705", "1.0·10³⁰⁰", "inf", "0",
    ]  # fmt: skip
    assert change(0.01) == "stays level"
    assert change(-3.3) == "shrinks 2000-fold"
    assert change(-math.inf) == "falls to exactly 0"


# --- what is accepted ----------------------------------------------------------------------------


def test_a_trace_is_a_read_only_copy():
    loss = np.ones(STEPS)
    trace = success(loss=loss)
    loss[:] = 0.0
    assert (trace.loss == 1.0).all()
    with pytest.raises(ValueError, match="read-only"):
        trace.loss[0] = 0.0


def test_a_trace_can_hold_every_statistic_that_a_diagnosis_uses_and_train_records_them():
    fields = {field.name for field in dataclasses.fields(Trace)}
    assert set(EVERYTHING) == fields - {"classes", "data_finite"}
    assert set(EVERYTHING) <= set(RECORDABLE)
    assert success().without("hidden_rms").hidden_rms is None
    assert success().first(3).steps == 3


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"loss": [[1.0]]}, ValueError, r"loss must have shape \(steps,\), got \(1, 1\)\. Pass"),
        ({"loss": []}, ValueError, r"loss must have shape \(steps,\), got \(0,\)\. Pass"),
        (
            {"grad_weight_norm": np.ones(STEPS)},
            ValueError,
            r"grad_weight_norm must have shape \(steps, layers\), got \(40,\)\. Pass",
        ),
        (
            {"weight_norm": np.ones((STEPS, 2))},
            ValueError,
            r"weight_norm must have shape \(40, 6\) like the others, got \(40, 2\)\. Pass",
        ),
        (
            {"accuracy": np.ones(3)},
            ValueError,
            r"accuracy must have shape \(40,\) like the others, got \(3,\)\. Pass",
        ),
        (
            {"update_norm": -np.ones((STEPS, LAYERS))},
            ValueError,
            r"update_norm must be >= 0, got -1\. Pass",
        ),
        (
            {"dead_share": np.full((STEPS, LAYERS), 1.5)},
            ValueError,
            r"dead_share must be within 0 to 1, got 1\.5\. Pass",
        ),
        ({"classes": 1}, ValueError, r"classes must be >= 2, got 1\. Pass"),
        ({"loss": ["a"] * STEPS}, TypeError, "loss must be an array of real numbers, got list"),
        ({"hidden_rms": [[1.0], [1.0, 2.0]]}, TypeError, "hidden_rms must be an array of real"),
    ],
)
def test_arrays_that_do_not_fit_get_one_line(fields, error, message):
    with pytest.raises(error, match=message) as caught:
        success(**fields)
    assert "\n" not in str(caught.value)


def test_only_a_trace_or_a_history_can_be_diagnosed():
    with pytest.raises(TypeError, match=r"run must be a Trace or a History, got dict\. Pass Trace"):
        diagnose({"loss": [1.0]})
    history = run_of(steps=1, record=["weight_norm"])
    with pytest.raises(ValueError, match="'grad_weight_norm' was not recorded"):
        diagnose(history)


def test_every_verdict_says_what_it_means_and_what_to_do():
    assert len(set(VERDICTS)) == len(VERDICTS) == 9
    for verdict in BY_NAME.values():
        for sentence in (verdict.means, verdict.remedy, verdict.check):
            assert sentence.endswith(".")
            assert "\n" not in sentence
        assert verdict.lesson in {"06", "07", "08", "09"}
