"""Whose file it is, by the names that Canvas and Moodle give to what is downloaded from them."""

import re
from dataclasses import dataclass

from course_utils.grading.intake.files import Parts


@dataclass(frozen=True)
class Owner:
    """A learner as a path names them.

    key: tells them from all others of this intake, where no roster does.
    name: as the path has it. lms_id: their number in Canvas, or in one Moodle assignment.
    file: the name under which they handed in. late: the LMS marked it.
    serial: Canvas' number of the file, which grows with time.
    """

    key: str
    name: str
    file: str
    lms_id: str = ""
    late: bool = False
    serial: int = 0


class NoOwnerError(ValueError):
    """A path that does not tell whose file it is; the message says what to do."""


# Canvas, lib/content_zipper.rb (add_submission, get_filename, add_upload_submission):
# [sortable name in lower case, "LATE", user id] joined by "_", cleared of all but word characters,
# then the attachment's id and the name that the learner gave it. Without names:
# "anon_" and an anonymous id in place of the user's. A group has its name in the learner's place.
# What is typed into Canvas, not uploaded, ends in the user's id and "text.html" or "link.html".
CANVAS = re.compile(
    r"(?:(?P<name>.*?)_)??(?:(?P<late>(?i:late))_)?(?:(?P<anon>anon_[A-Za-z0-9]+)|(?P<id>[0-9]+))"
    r"_(?:(?P<serial>[0-9]{1,20})_(?P<file>.+)|(?P<entry>text\.html|link\.html))",
    re.DOTALL,
)
# Moodle, mod/assign/classes/downloader.php (get_student_prefix, load_submissionplugin_filelist):
# "full name_participant's number_assignsubmission_file", a folder (with a "_" behind it before
# 4.1) or, if the instructor wants none, the start of a file's name. "_" in names becomes a blank.
# A group has its name and number there, "Default group" has no number.
MOODLE = re.compile(
    r"(?P<name>[^_]*)(?:_(?P<id>[0-9]+))?_assignsubmission_(?P<plugin>[a-z]+)(?:_(?P<file>.*))?",
    re.DOTALL,
)


def lms_id(part: str) -> str | None:
    """By which id Canvas or Moodle names a learner in `part`, "" for a group without one.

    None where it is no name of theirs.
    """
    if match := MOODLE.fullmatch(part):
        return match["id"] or ""
    match = CANVAS.fullmatch(part)
    return match["id"] or match["anon"] if match else None


def owner_named(parts: Parts) -> Owner:
    """The learner whom Canvas or Moodle names in the first of `parts`."""
    return moodle_owner(parts) if MOODLE.fullmatch(parts[0]) else canvas_owner(parts)


def canvas_owner(parts: Parts) -> Owner:
    """The learner in a path of a Canvas download; NoOwnerError where no part of it is named so."""
    for place, part in enumerate(parts):
        if match := CANVAS.fullmatch(part):
            lms_id = match["id"] or match["anon"]
            name = match["name"] or ""
            key = f"{name}_{lms_id}" if name else lms_id
            return Owner(
                key=key,
                name=name,
                file=(match["file"] or parts[-1]) if place == len(parts) - 1 else parts[-1],
                lms_id=lms_id,
                late=bool(match["late"]),
                serial=int(match["serial"] or 0),
            )
    raise NoOwnerError(
        "Its name is not one that Canvas gives: name_userid_fileid_file. Leave the names as they "
        "were downloaded, or put it at <learner>/<exercise>.ipynb."
    )


def moodle_owner(parts: Parts) -> Owner:
    """The learner in a path of a Moodle download; NoOwnerError where no part of it is named so."""
    for place, part in enumerate(parts):
        if match := MOODLE.fullmatch(part):
            lms_id = match["id"] or ""
            flat = match["file"] if place == len(parts) - 1 else ""
            key = f"{match['name']}_{lms_id}" if lms_id else match["name"]
            return Owner(key=key, name=match["name"], file=flat or parts[-1], lms_id=lms_id)
    raise NoOwnerError(
        "Its name is not one that Moodle gives: Full Name_number_assignsubmission_file. Leave the "
        "names as they were downloaded, or put it at <learner>/<exercise>.ipynb."
    )
