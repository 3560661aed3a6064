"""The text of the grades' files, harmless in a spreadsheet."""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from course_utils.grading.grade import Result

COLUMNS = ("learner", "exercise", "points", "max_points", "status")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def shown(name: str) -> str:
    """`name` as text: the bytes of a file name that are no UTF-8 as escapes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def defused(cell: str) -> str:
    """`cell` such that no spreadsheet takes it for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def gradebook_csv(results: Iterable[Result]) -> str:
    """The gradebook as CSV text, sorted by learner and exercise."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in sorted(results, key=lambda result: (result.learner, result.exercise)):
        cells = (shown(row.learner), shown(row.exercise), row.points, row.max_points, row.status)
        writer.writerow([defused(str(cell)) for cell in cells])
    return text.getvalue()


def result_json(result: Result) -> str:
    """One result as JSON text."""
    fields = asdict(result)
    fields |= {"learner": shown(result.learner), "exercise": shown(result.exercise)}
    return json.dumps(fields, indent=1, ensure_ascii=False, default=datetime.isoformat) + "\n"
