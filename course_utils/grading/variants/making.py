"""Make the variants of a key: other seeds, and all that a build makes and checks of them.

A variant earns its place like a solution: its values are those of the worked answers, each popular
wrong answer must score 0 and be told from the others, each equivalent one must earn its points.
A seed that fails is followed by the next one, so the same secret always gives the same variants.
"""

import copy
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output

from course_utils.grading.exercise import Exercise, Problem, Question, stamp
from course_utils.grading.fingerprints import Fingerprint, PopularAnswer, Runner, judged
from course_utils.grading.key import Key
from course_utils.grading.lint import printed, problems
from course_utils.grading.overlay import overlay
from course_utils.grading.running.run import CellOutcome, RunOutcome
from course_utils.grading.values import same_lines, value_lines
from course_utils.grading.variants.secret import drawn_seed
from course_utils.grading.variants.seeds import reseeded, seeds

# the seeds that show whether a check's values depend on its seed: not secret, none is graded with
PROBES, PROBE_KEY = 4, b"probe"
MOST_SEEDS = 50  # tried for one question of one variant
SAME_VALUES = "its values are those of the key or of another variant"

Values = Sequence[str]
log = logging.getLogger(__name__)


class VariantError(ValueError):
    """A variant that cannot be had; the message says why, and what to do."""


def seeded(exercise: Exercise) -> list[Question]:
    """The questions whose hidden checks have a literal seed; all others have literal inputs."""
    return [q for q in exercise.questions if seeds(exercise.cell(q, "hidden").source)]


def hidden_values(key: Key, slug: str) -> Values:
    """The value lines that earn the points of the question `slug`."""
    (question,) = [q for q in key.exercise.questions if q.slug == slug]
    return value_lines(printed(key.exercise.cell(question, "hidden")))


def varying(key: Key, *, run: Runner) -> list[str]:
    """The slugs of the questions whose right values change with the seed.

    Where they do not, e.g. since random numbers only surround what is looked for, other seeds
    would hide nothing: such a question keeps its inputs.
    Raises VariantError if the worked answers cannot be run.
    """
    exercise = key.exercise
    found: set[str] = set()
    for probe in range(PROBES):
        still = [question for question in seeded(exercise) if question.slug not in found]
        if not still:
            break
        tried = _copy(exercise)
        for question in still:
            _draw(tried, question, exercise, probe, PROBE_KEY)
        for question, cell in _worked(tried, still, run).items():
            values = value_lines(cell.stdout)
            if not same_lines(hidden_values(key, question.slug), values):
                found.add(question.slug)
    return [question.slug for question in exercise.questions if question.slug in found]


def make_variant(
    key: Key,
    answers: Sequence[PopularAnswer],
    number: int,
    *,
    seed_key: bytes,
    slugs: Collection[str],
    taken: Mapping[str, Iterable[Values]],
    run: Runner,
) -> Key:
    """The variant `number` (>= 1) of `key`; the questions not in `slugs` stay as they are.

    answers: the popular answers of the exercise. seed_key: what the seeds are drawn by.
    taken: values, by slug, that a question of this variant must not have.
    Raises VariantError if a question has no seed among the first MOST_SEEDS that would do.
    """
    made = _copy(key.exercise)
    pending = {question: 0 for question in made.questions if question.slug in slugs}
    marks = [mark for mark in key.fingerprints if mark.question not in slugs]
    while pending:
        for question, attempt in pending.items():
            _draw(made, question, key.exercise, attempt, seed_key)
        faults, kept = _try(made, list(pending), answers, taken, run)
        for question in [each for each in pending if each not in faults]:
            del pending[question]
            marks += [mark for mark in kept if mark.question == question.slug]
        for question, fault in faults.items():
            log.info("another seed for variant %s of %s: %s", number, key.name, fault)
            pending[question] += 1
            if pending[question] == MOST_SEEDS:
                raise VariantError(_hopeless(key, number, fault))
    return Key(key.name, nbformat.writes(made.notebook), _in_order(marks, made), number)


def _try(
    made: Exercise,
    pending: list[Question],
    answers: Sequence[PopularAnswer],
    taken: Mapping[str, Iterable[Values]],
    run: Runner,
) -> tuple[dict[Question, Problem], list[Fingerprint]]:
    """Bring the pending questions of `made` up to their seeds, and check them as a build does.

    Returns a fault of each question that needs another seed, and the fingerprints of the others.
    """
    found: list[Problem] = []
    for question, worked in _worked(made, pending, run).items():
        cell = made.cell(question, "hidden")
        cell.outputs = [new_output("stream", name="stdout", text=worked.stdout)]
        values = value_lines(worked.stdout)
        if any(same_lines(other, values) for other in taken.get(question.slug, ())):
            remedy = "Draw more of its inputs."
            found.append(Problem(question.cell_id("hidden"), SAME_VALUES, remedy))
    stamp(made.notebook)
    found += problems(made)
    faults = _by_question(found, pending)
    sound = [question.slug for question in pending if question not in faults]
    kept, misjudged = judged(made, [a for a in answers if a.question in sound], _sure(run))
    return faults | _by_question(misjudged, pending), kept


def _by_question(found: Iterable[Problem], pending: list[Question]) -> dict[Question, Problem]:
    """The first problem of each question; VariantError for one that no seed can mend."""
    questions = {question.cell_id("hidden"): question for question in pending}
    faults: dict[Question, Problem] = {}
    for problem in found:
        if problem.cell_id not in questions:
            raise VariantError(str(problem))
        faults.setdefault(questions[problem.cell_id], problem)
    return faults


def _worked(
    exercise: Exercise, questions: list[Question], run: Runner
) -> dict[Question, CellOutcome]:
    """How the hidden checks of `questions` go with the worked answers of these alone.

    Raises VariantError if the run does not end: no seed mends that.
    """
    sources = {question.slug: exercise.cell(question, "answer").source for question in questions}
    outcome = _sure(run)(overlay(exercise, sources))
    late = [cell.cell_id for cell in outcome.cells.values() if cell.status == "timed_out"]
    if outcome.ended != "finished" or late:
        raise VariantError(
            f"The worked answers of {exercise.name} were not run to their end "
            f"({', '.join([outcome.ended, *late])}). Give them more time with --timeout."
        )
    return {question: outcome.cells[question.cell_id("hidden")] for question in questions}


def _sure(run: Runner) -> Runner:
    """`run`, which raises where the grader itself has failed: that must not choose a seed."""

    def run_for_sure(notebook: NotebookNode) -> RunOutcome:
        outcome = run(notebook)
        if outcome.ended == "sandbox_failed":
            raise VariantError(f"The grader itself failed: {outcome.detail}. Mend that.")
        return outcome

    return run_for_sure


def _draw(made: Exercise, question: Question, base: Exercise, attempt: int, key: bytes) -> None:
    """Give `question` of `made` the seeds of the `attempt`-th try."""
    made.cell(question, "hidden").source = reseeded(
        base.cell(question, "hidden").source,
        lambda seed: drawn_seed(key, question.slug, seed, attempt),
    )


def _copy(exercise: Exercise) -> Exercise:
    return Exercise(exercise.name, copy.deepcopy(exercise.notebook), exercise.questions)


def _in_order(marks: list[Fingerprint], exercise: Exercise) -> tuple[Fingerprint, ...]:
    """`marks` by question; of two that fit, the first one names the answer."""
    order = [question.slug for question in exercise.questions]
    return tuple(sorted(marks, key=lambda mark: order.index(mark.question)))


def _hopeless(key: Key, number: int, fault: Problem) -> str:
    return (
        f"Only {number - 1} variants of {key.name} can be had: of {MOST_SEEDS} seeds for the next "
        f"one, the last failed so: {fault} Or ask for {number - 1} variants at most."
    )
