"""One hand-in: whose it is, when it came, and where its bytes are read from."""

import contextlib
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Origin:
    """What is known of a hand-in besides its bytes; what is not known is left as it is here.

    name: the learner's own, as a person writes it. ids: what the roster or the LMS calls them.
    handed_in: when, with its time zone; never the time of a file, which anyone can set.
    late: the LMS itself marked it so. attempt: 1 for the first.
    file: where it lay among the hand-ins, with the name under which it was handed in.
    """

    name: str = ""
    ids: tuple[str, ...] = ()
    handed_in: datetime | None = None
    late: bool = False
    attempt: int = 1
    file: str = ""


class Source(Protocol):
    """Where the bytes of a hand-in come from: a file on the disk, or a member of a zip."""

    def read(self) -> bytes:
        """The bytes; UnreadableError, which tells the learner why, where there are none."""


@dataclass(frozen=True, slots=True)
class HandIn:
    """A handed-in file. learner and exercise name the grades' files, so they are parts of a path.

    Raises ValueError for a name that would be written outside of the folder of the grades.
    """

    learner: str
    exercise: str
    source: Source
    origin: Origin = Origin()

    def __post_init__(self) -> None:
        """Both names become one part of a path each."""
        for name in (self.learner, self.exercise):
            if name in ("", ".", "..") or set(name) & set("/\\\0"):
                raise ValueError(f"{name!r} is no name of a folder. Rename the hand-in's folder.")

    def read(self) -> bytes:
        """The bytes of the hand-in; UnreadableError where they cannot or must not be read."""
        return self.source.read()


def shown(name: str) -> str:
    """`name` as text that can be written: bytes of a file name that are no UTF-8 as escapes."""
    with contextlib.suppress(UnicodeEncodeError):
        name.encode()
        return name
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a pair of UTF-16, as Windows allows in names
        return name.encode("utf-8", "backslashreplace").decode()
