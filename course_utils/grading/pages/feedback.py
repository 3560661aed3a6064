"""The page that a learner reads: what earned, what did not, and what to think about next.

It holds the learner's own code and what the exercise gives out; of a hidden check, neither its
source nor an input nor a value.
"""

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from course_utils.grading.exercise import Exercise
from course_utils.grading.grade import QuestionResult, Result
from course_utils.grading.pages.code_html import code_html, visible
from course_utils.grading.pages.prompts import prompt_html
from course_utils.grading.tables.late import Final

STATUS_WORDS = {
    "unreadable": "This file could not be graded.",
    "timed_out": "Your notebook did not end in time. What ended before that is graded.",
    "kernel_died": "Python stopped while your notebook ran. What could be run is graded.",
    "output_limit": "Your notebook printed too much and was stopped. What ran is graded.",
    "memory_limit": "Your notebook used too much memory and was stopped. What ran is graded.",
    "sandbox_failed": "The grader could not start. This is not your fault: tell your instructor.",
    "grader_failed": "The grader failed. This is not your fault: tell your instructor.",
}
# the reason is the learner's to mend; that of a failed grader is for the instructor's eyes
TOLD = ("unreadable",)
OUTCOME_WORDS = {
    "earned": "Right",
    "blank": "Not answered",
    "not_earned": "Not right yet",
    "error": "Stopped by an error",
    "timed_out": "Did not end in time",
    "not_run": "Not run",
}
VISIBLE_WORDS = {
    "passed": "The visible check is satisfied.",
    "failed": "The visible check is not satisfied.",
    "error": "The visible check is not satisfied.",
    "timed_out": "The visible check did not end in time.",
}
LONG = 40  # lines of code beyond which an answer is folded

# *word* or *a few words*, but neither 2*3*4 nor h**2
EMPHASIS = re.compile(r"(?<![\w*])\*(\w[^*\n]*)(?<=\w)\*(?![\w*])")


def feedback_html(
    result: Result, exercise: Exercise | None = None, *, final: Final | None = None
) -> str:
    """`result` as one HTML page without script or outside file; every text in it is escaped.

    exercise: the trusted one, whose prompts say what was asked; None if there is none.
    final: the points that count by the late policy; None if there is no policy.
    """
    return _template().render(
        result=result,
        prompts=_prompts(exercise) if exercise else {},
        late=late_words(final) if final else "",
        banner=STATUS_WORDS.get(result.status, ""),
        reason=result.reason if result.status in TOLD else "",
        words=OUTCOME_WORDS,
        visible_words=VISIBLE_WORDS,
    )


def late_words(final: Final) -> str:
    """What being late has cost, in a sentence, or '' for a hand-in that came in time."""
    if not final.reason:
        return ""
    reason = final.reason[0].upper() + final.reason[1:]
    if not final.penalty:
        return f"{reason}: nothing is taken off."
    penalty, points = (f"{number.normalize():f}" for number in (final.penalty, final.points))
    return f"{reason}: {penalty} taken off, {points} of {final.raw} points count."


def _prompts(exercise: Exercise) -> dict[str, Markup]:
    """What each question asks, by slug."""
    cells = exercise.cells_by_id()
    return {q.slug: prompt_html(cells[q.cell_id("prompt")].source) for q in exercise.questions}


def templates() -> Environment:
    """The environment of the grader's templates: everything is escaped, nothing may be missing."""
    return Environment(
        loader=PackageLoader("course_utils.grading.pages", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _template() -> Template:
    environment = templates()
    environment.filters |= {
        "emphasised": emphasised,
        "visible": visible,
        "code": code_html,
        "lines": lines,
    }
    environment.tests |= {"unfolded": unfolded, "visibly_told": visibly_told}
    return environment.get_template("feedback.html")


def emphasised(text: str) -> Markup:
    """`text` escaped, with what stands between single asterisks emphasised."""
    return Markup(EMPHASIS.sub(r"<em>\1</em>", str(escape(text))))


def lines(code: str) -> str:
    """How long `code` is, in words."""
    count = len(code.strip("\n").splitlines())
    return "1 line" if count == 1 else f"{count:,} lines"


def unfolded(question: QuestionResult) -> bool:
    """Whether the answer is open when the page opens: it is short, and there is work to do."""
    return question.outcome != "earned" and question.answer.count("\n") < LONG


def visibly_told(question: QuestionResult) -> bool:
    """Whether the visible check's verdict adds anything to what else is said."""
    told = question.message and not question.advice  # the message says it, and more
    same = question.outcome == "earned" and question.visible == "passed"
    return bool(question.answer) and not told and not same and question.visible in VISIBLE_WORDS
