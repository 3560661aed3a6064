"""Whoever does what the note says, visit after visit, ends with a net that learns."""

from dataclasses import replace

import numpy as np
import pytest

from course_utils.diagnosis import diagnose, verdicts
from course_utils.diagnosis.bank import Case, Settings

PATIENTS, VISITS, LONGEST = 24, 7, 2000
INIT = {"tanh": "xavier", "sigmoid": "xavier", "selu": "lecun"}
ACTIVATIONS = ("relu", "tanh", "sigmoid", "elu", "selu", "leaky_relu", "softplus")


def patient(seed):
    """A net with whatever ails it, often several things at once."""
    rng = np.random.default_rng(seed)
    activation = str(rng.choice(ACTIVATIONS))
    return Settings(
        activation=activation,
        init=INIT.get(activation, "he"),
        depth=int(rng.integers(1, 14)),
        width=int(rng.integers(12, 40)),
        gain=float(rng.choice([1.0, np.exp(0.5 * rng.normal())])),
        bias=float(rng.choice([0, 0, 0, -3, -1, 1])),
        learning_rate=float(10 ** rng.uniform(-4, 1)),
        momentum=float(rng.choice([0, 0, 0.9])),
        batch=int(rng.integers(20, 120)),
        steps=70,
        split=3,
        seed=seed,
    )


def follow(settings, note):
    """The settings after the remedy that the note names first; None if it names none to follow."""
    customary = {"gain": 1.0, "bias": 0.0, "init": INIT.get(settings.activation, "he")}
    # bias 0 in vain: leaky ReLU, as the note says
    revived = {"bias": 0.0} if settings.bias else {"activation": "leaky_relu"}
    remedies = {
        verdicts.SATURATION: {"activation": "tanh", "gain": 1.0, "bias": 0.0, "init": "xavier"},
        verdicts.SMALL_INIT: customary,
        verdicts.EXPLODING: customary,
        verdicts.DEAD_UNITS: revived,
        verdicts.STEP_TOO_LARGE: {"learning_rate": settings.learning_rate / 10},
        verdicts.STEP_TOO_SMALL: {"learning_rate": settings.learning_rate * 10},
    }
    if note.needs == ("more steps",):
        return replace(settings, steps=3 * settings.steps)
    return replace(settings, **remedies[note.verdict]) if note.verdict in remedies else None


def verdicts_of(settings, advise):
    """The verdicts of visit after visit, until one is "healthy" or there is nothing to follow."""
    given = []
    for _ in range(VISITS):
        note = diagnose(Case("patient", "", settings).run())
        given.append(note.verdict)
        after = None if note.verdict == verdicts.HEALTHY else advise(settings, note)
        if after is None or after == settings or after.steps > LONGEST:
            break
        settings = after
    return given


@pytest.fixture(scope="module")
def visits():
    return [verdicts_of(patient(seed), follow) for seed in range(3000, 3000 + PATIENTS)]


def test_most_patients_are_ill_at_first_and_most_are_healed(visits):
    assert sum(given[0] == verdicts.HEALTHY for given in visits) <= PATIENTS / 2
    assert sum(given[-1] == verdicts.HEALTHY for given in visits) >= 0.85 * PATIENTS


def test_healing_takes_few_visits(visits):
    assert np.mean([len(given) for given in visits]) <= 4


def test_the_wrong_remedies_do_not_heal():
    def perverse(settings, note):
        if note.verdict == verdicts.STEP_TOO_SMALL:
            return replace(settings, learning_rate=settings.learning_rate / 10)
        if note.verdict == verdicts.STEP_TOO_LARGE:
            return replace(settings, learning_rate=settings.learning_rate * 10)
        return None

    ends = [verdicts_of(patient(seed), perverse)[-1] for seed in range(3000, 3000 + PATIENTS)]
    assert sum(end == verdicts.HEALTHY for end in ends) <= PATIENTS / 2
