"""When a hand-in came, where something says so that the learner cannot set.

Neither LMS's download does: Canvas' files bear a mark "LATE" at most, and the times in both zips
are those of the download (Canvas, lib/content_zipper.rb; Moodle, files/classes/local/
archive_writer/zip_writer.php: both add streams without a time). The time of a file on the disk is
that of a copy, and timestamp.txt beside nbgrader's hand-ins is a file that any learner can hand
in. What is left is the roster's column: the instructor's own, or Moodle's grading worksheet.
"""

from datetime import datetime

MOODLE = ("%A, %d %B %Y, %I:%M %p", "%A, %B %d, %Y, %I:%M %p", "%A, %d %B %Y, %H:%M")


def moment(text: str) -> datetime:
    """A time as ISO 8601, or as an English Moodle writes it; local where it has no time zone.

    Raises ValueError if it is neither.
    """
    for form in (None, *MOODLE):
        try:
            when = datetime.strptime(text, form) if form else datetime.fromisoformat(text)
        except ValueError:
            continue
        return when if when.tzinfo else when.astimezone()
    raise ValueError(f"{text!r} is no time that is known. Write it as 2030-01-31T23:59+01:00.")
