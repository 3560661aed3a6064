"""The folder of the grades: what is written into it for each hand-in, and for all of them.

GRADES/results/<learner>/<exercise>.json is the only thing that cannot be had again for nothing,
so it is written first, as soon as it is known. All else is made from the results.
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from course_utils.grading.batches.resume import result_path
from course_utils.grading.files import write_atomically
from course_utils.grading.grade import Result
from course_utils.grading.hand_ins import HandIn
from course_utils.grading.key import Key
from course_utils.grading.pages.feedback import feedback_html
from course_utils.grading.pages.report import write_report
from course_utils.grading.results import read_result, read_results, result_json
from course_utils.grading.tables.gradebook import gradebook_csv, wide_csv
from course_utils.grading.tables.late import NO_POLICY, Final, Policy, final_points
from course_utils.grading.version import pages_version

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Grades:
    """A folder of grades.

    policy: what being late costs; the results themselves hold the raw points.
    """

    folder: Path
    keys: Mapping[str, Key]
    policy: Policy = NO_POLICY

    def write(self, hand_in: HandIn, result: Result) -> None:
        """Store the result of a hand-in, then the page that the learner reads."""
        write_atomically(result_path(self.folder, hand_in), result_json(result))
        self._write_page(hand_in, result)

    def refreshed(self, hand_in: HandIn) -> Result:
        """The stored result of a hand-in; what is new of its origin and its page is brought up."""
        path = result_path(self.folder, hand_in)
        stored = read_result(path)
        result = replace(stored, origin=hand_in.origin)
        if result != stored:
            write_atomically(path, result_json(result))
        self._write_page(hand_in, result)
        return result

    def _write_page(self, hand_in: HandIn, result: Result) -> None:
        """Write the page of `result`, unless the one that is there was made from just that."""
        path = self.folder / "feedback" / hand_in.learner / f"{hand_in.exercise}.html"
        final = final_points(result, self.policy)
        stamp = f"<!-- {_made_from(result, final)} -->\n"
        if not _ends_with(path, stamp.encode()):
            page = feedback_html(result, self.keys[hand_in.exercise].exercise, final=final)
            write_atomically(path, page + stamp, durable=False)


def write_summaries(folder: Path, policy: Policy = NO_POLICY) -> None:
    """Write gradebooks and report from all results in `folder`, those of earlier batches, too.

    Each reads the results anew: one in memory at a time, however large the class.
    """

    def passed_over(path: Path, fault: str) -> None:
        log.warning("%s is left out of the gradebook: %s", path, fault)

    table = gradebook_csv(read_results(folder, on_fault=passed_over), policy)
    write_atomically(folder / "gradebook.csv", table)
    write_atomically(folder / "gradebook_wide.csv", wide_csv(read_results(folder), policy))
    write_report(folder)


def _made_from(result: Result, final: Final) -> str:
    """A hash of all that a page is made from; how long it took is no part of it."""
    timeless = tuple(replace(question, seconds=0.0) for question in result.questions)
    text = result_json(replace(result, seconds=0.0, questions=timeless))
    return hashlib.sha256(f"{text}{final}{pages_version()}".encode()).hexdigest()


def _ends_with(path: Path, end: bytes) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(-len(end), 2)
            return file.read() == end
    except OSError:  # missing, or shorter than that
        return False
