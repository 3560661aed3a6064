"""The results of a hand-in as Gradescope reads them.

Source: https://gradescope-autograders.readthedocs.io/en/latest/specs/ (results.json).

What is graded here is uploaded there. Grading in a container of Gradescope's is another matter:
the key would lie beside the learner's code, and only a sandbox keeps the two apart. It needs user
namespaces, which that container would have to allow; `course grade` says so where it does not.
"""

import json
from decimal import Decimal
from typing import Any

from course_utils.grading.grade import QuestionResult, Result
from course_utils.grading.tables.late import NO_POLICY, Final, Policy, final_points


def results_json(result: Result, policy: Policy = NO_POLICY) -> str:
    """The text of results.json for one hand-in.

    The learner sees all of it, so it says what the feedback page says: no input of a hidden check
    and no value. The score is that under `policy`, and overrides the sum of the tests.
    """
    final = final_points(result, policy)
    content = {
        "score": _number(final.points),
        "execution_time": round(result.seconds),
        "output": _summary(result, final),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(question) for question in result.questions],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _summary(result: Result, final: Final) -> str:
    lines = [result.title, result.reason]
    if final.penalty:
        lines.append(f"{result.points} points, less {final.penalty.normalize():f}: {final.reason}.")
    return "\n".join(filter(None, lines))


def _test(question: QuestionResult) -> dict[str, Any]:
    return {
        "number": question.number,
        "name": question.title,
        "score": question.points,
        "max_score": question.max_points,
        "status": "passed" if question.outcome == "earned" else "failed",
        "output": "\n".join(filter(None, [question.message, question.advice])),
        "output_format": "text",
        "visibility": "visible",
    }


def _number(points: Decimal) -> int | float:
    return int(points) if points == points.to_integral_value() else float(points)
