"""When a hand-in came, where something says so that the learner cannot set.

Neither LMS's download does: Canvas' files bear a mark "LATE" at most, and the times in both zips
are those of the download (Canvas, lib/content_zipper.rb; Moodle, files/classes/local/
archive_writer/zip_writer.php: both add streams without a time). The time of a file on the disk is
that of a copy, or the learner's own doing. What is left is the roster's column, filled in by the
instructor or by Moodle's grading worksheet, and the timestamp.txt beside nbgrader's hand-ins.
"""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

MOODLE = ("%A, %d %B %Y, %I:%M %p", "%A, %B %d, %Y, %I:%M %p", "%A, %d %B %Y, %H:%M")


def moment(text: str) -> datetime:
    """A time as ISO 8601, as nbgrader or as an English Moodle writes it; local if it has no zone.

    Raises ValueError if it is none of these.
    """
    day, _, rest = text.strip().partition(" ")
    clock, _, zone = rest.partition(" ")
    try:
        if zone and "-" in day:  # nbgrader: 2015-02-02 15:58:23.948203 America/Los_Angeles
            return datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=_zone(zone))
        return _local(datetime.fromisoformat(text.strip()))
    except (ValueError, OSError):
        pass
    for form in MOODLE:
        try:
            return _local(datetime.strptime(text.strip(), form))
        except ValueError:
            continue
    raise ValueError(f"{text!r} is no time that is known. Write it as 2030-01-31T23:59+01:00.")


def _zone(name: str) -> tzinfo:
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except KeyError as error:  # ZoneInfoNotFoundError
        raise ValueError(f"{name} is no time zone") from error


def _local(when: datetime) -> datetime:
    return when if when.tzinfo else when.astimezone()
