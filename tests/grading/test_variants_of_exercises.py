"""The real exercises: each has a variant that passes all that a build checks, in the sandbox."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from course_utils.grading.fingerprints import read_popular
from course_utils.grading.key import Key, read_keys
from course_utils.grading.running.sandbox import Limits, Sandbox
from course_utils.grading.running.workers import Workers
from course_utils.grading.values import same_lines
from course_utils.grading.variants.dealing import varied_slugs
from course_utils.grading.variants.making import hidden_values, make_variant, varying

SOLUTIONS = Path(__file__).parents[2] / "solutions"
NAMES = sorted(path.stem for path in SOLUTIONS.glob("ex*.ipynb"))
# Questions that ask every learner the same: what they ask of is typed in, not drawn.
SAME_FOR_ALL = {
    "links-until",
    "gradient-errors",
    "steps-to-end",
    "first-bad-steps",
    "stopping-depths",
    "first-break",
    "critical-stds",
    "nan-cause",
    "depth-budget",
    "leaky-moments",
    "weight-scale",
    "activation-gains",
    "branch-scale",
    "forget-bias",
    "variance-path",
    "edge-numbers",
    "critical-weights",
}


@pytest.fixture(scope="module")
def made(sandbox: Sandbox) -> Iterator[dict[str, tuple[Key, Key]]]:
    """Each key with one variant of it, by name; that it can be had is what is tested."""
    workers = Workers(2, sandbox, Limits())
    run = workers.run

    def make(key: Key) -> tuple[Key, Key]:
        slugs = varying(key, run=run)
        answers = read_popular(SOLUTIONS / f"{key.name}.toml", key.exercise)
        taken = {slug: [hidden_values(key, slug)] for slug in slugs}
        variant = make_variant(key, answers, 1, seed_key=b"test", slugs=slugs, taken=taken, run=run)
        return key, variant

    keys = read_keys(SOLUTIONS)
    with contextlib.closing(workers), ThreadPoolExecutor(2) as executor:
        yield dict(zip(keys, executor.map(make, keys.values()), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_an_exercise_has_a_variant_with_values_of_its_own(made, name):
    key, variant = made[name]
    slugs = {question.slug for question in key.exercise.questions}
    assert set(varied_slugs(key, variant)) == slugs - SAME_FOR_ALL
    for slug in slugs:
        same = same_lines(hidden_values(key, slug), hidden_values(variant, slug))
        assert same == (slug in SAME_FOR_ALL)
    assert len(variant.fingerprints) == len(key.fingerprints)


def test_the_questions_that_ask_all_the_same_are_those_of_the_exercises(made):
    slugs = {question.slug for key, _ in made.values() for question in key.exercise.questions}
    assert slugs >= SAME_FOR_ALL
    assert len(slugs) == 57
