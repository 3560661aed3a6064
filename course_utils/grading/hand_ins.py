"""One hand-in: whose it is, where it lies, when it came, and how to read it safely."""

import os
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from course_utils.grading.overlay import MAX_HAND_IN_BYTES, UnreadableError


@dataclass(frozen=True)
class Origin:
    """What is known of a hand-in besides its bytes; a plain folder knows nothing of it.

    name: the learner's own, as a person writes it. ids: what the roster or the LMS calls them.
    handed_in: when, with its time zone. late: the LMS itself marked it so.
    attempt: 1 for the first. file: the name under which it was handed in.
    """

    name: str = ""
    ids: tuple[str, ...] = ()
    handed_in: datetime | None = None
    late: bool = False
    attempt: int = 1
    file: str = ""


@dataclass(frozen=True)
class HandIn:
    """A handed-in file. learner and exercise name the grades' files, so they are parts of a path.

    Raises ValueError for a name that would be written outside of the folder of the grades.
    """

    learner: str
    exercise: str
    path: Path
    origin: Origin = Origin()

    def __post_init__(self) -> None:
        """Both names become one part of a path each."""
        for name in (self.learner, self.exercise):
            if name in ("", ".", "..") or set(name) & set("/\\\0"):
                raise ValueError(f"{name!r} is no name of a folder. Rename the hand-in's folder.")


def find_hand_ins(folder: Path) -> list[HandIn]:
    """Every notebook one level below `folder`, sorted by learner and exercise.

    Hidden files and folders (.ipynb_checkpoints, .git) are nobody's hand-in.
    Raises ValueError if there is none.
    """
    if not folder.is_dir():
        raise ValueError(f"There is no folder {folder}. Name the folder of the hand-ins.")
    found = [
        HandIn(path.parent.name, path.stem, path)
        for path in sorted(folder.glob("*/*.ipynb"))
        if not path.name.startswith(".") and not path.parent.name.startswith(".")
    ]
    if not found:
        raise ValueError(f"{folder} holds no hand-in. It needs {folder}/<learner>/<exercise>.ipynb")
    return found


def read_hand_in(hand_in: HandIn) -> bytes:
    """The bytes of a hand-in; UnreadableError for a link, a pipe or a file beyond the size cap.

    A link could make the grader read the key, or another learner's work, as a hand-in.
    """
    if hand_in.path.is_symlink() or hand_in.path.parent.is_symlink():
        raise UnreadableError("It is a link, not a file. Hand in the notebook itself.")
    try:
        handle = os.open(hand_in.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise UnreadableError("It is not a file. Hand in the notebook itself.")
            with os.fdopen(handle, "rb", closefd=False) as file:
                return file.read(MAX_HAND_IN_BYTES + 1)
        finally:
            os.close(handle)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnreadableError(f"It cannot be read: {reason}. Check its permissions.") from error
