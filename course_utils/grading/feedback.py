"""The page that a learner reads: what earned, what did not, and what to think about next."""

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from course_utils.grading.grade import Result

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


# *word* or *a few words*, but neither 2*3*4 nor h**2
EMPHASIS = re.compile(r"(?<![\w*])\*(\w[^*\n]*)(?<=\w)\*(?![\w*])")


def feedback_html(result: Result) -> str:
    """`result` as one HTML page without any outside file; every text in it is escaped."""
    return _template().render(
        result=result,
        banner=STATUS_WORDS.get(result.status, ""),
        reason=result.reason if result.status in TOLD else "",
        words=OUTCOME_WORDS,
    )


@cache
def _template() -> Template:
    loader = PackageLoader("course_utils.grading", "templates")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["emphasised"] = emphasised
    return environment.get_template("feedback.html")


def emphasised(text: str) -> Markup:
    """`text` escaped, with what stands between single asterisks emphasised."""
    return Markup(EMPHASIS.sub(r"<em>\1</em>", str(escape(text))))
