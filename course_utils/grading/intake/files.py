"""The files that an instructor has: in a folder, in a zip, and in a learner's zip.

Nothing is ever extracted. A file is listed by its parts, a zip counting as a folder, and is read
into memory when it is asked for. No link is followed, on the disk or in a zip. What must not be
read is listed as well, and says why when it is read: a bad file costs only itself.
"""

import errno
import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Protocol

from course_utils.grading.intake.archive import LEARNERS, RECEIVED, Member, check_size, members
from course_utils.grading.overlay import MAX_HAND_IN_BYTES, UnreadableError

Parts = tuple[str, ...]
# what file managers leave behind; names with a dot in front are passed over as well
LEFTOVERS = {"__macosx", "thumbs.db", "desktop.ini"}
LINK = "It is a link, not a file. Hand in the notebook itself."


class File(Protocol):
    """A file among the hand-ins: its path below them as parts, and when it was last changed.

    changed: POSIX time, 0.0 where none is known. It tells the newer of two files, no more.
    """

    @property
    def parts(self) -> Parts:
        """The path, zips counting as folders."""

    @property
    def changed(self) -> float:
        """When it was last changed."""

    def read(self) -> bytes:
        """The bytes; UnreadableError where there are none to be had."""


class Archive(Protocol):
    """A zip, wherever it lies."""

    def members(self) -> list[Member]:
        """Its members; UnreadableError where it must not or cannot be opened."""


@dataclass(frozen=True, slots=True)
class DiskFile:
    """A file on the disk."""

    parts: Parts
    changed: float
    path: str

    def read(self) -> bytes:
        """The bytes; one more than a hand-in may have, where there are too many."""
        return self.head(MAX_HAND_IN_BYTES + 1)

    def head(self, count: int) -> bytes:
        """At most `count` bytes; UnreadableError for a link, a pipe or what may not be read."""
        with open_safely(self.path) as file:
            return file.read(count)


@dataclass(frozen=True, slots=True)
class ZippedFile:
    """A member of a zip, by its place in it."""

    parts: Parts
    changed: float
    archive: Archive
    index: int

    def read(self) -> bytes:
        """The bytes; UnreadableError where the member must not be inflated."""
        return self.archive.members()[self.index].read()

    def head(self, count: int) -> bytes:
        """The bytes, if there are fewer than `count`."""
        return self.archive.members()[self.index].read(count - 1)


@dataclass(frozen=True)
class Unread:
    """A file that is not read, and why."""

    parts: Parts
    reason: str
    changed: float = 0.0

    def read(self) -> bytes:
        """Raises UnreadableError with the reason."""
        raise UnreadableError(self.reason)


@dataclass(frozen=True)
class DiskArchive:
    """A zip on the disk, as it was when it was listed."""

    path: Path
    changed: float

    def members(self) -> list[Member]:
        """Its members; the last few zips stay open, since a long list takes a while to read."""
        return _members_on_disk(self.path, self.changed)


@dataclass(frozen=True)
class InnerArchive:
    """A learner's zip, which is read anew each time: ten thousand would not fit into memory."""

    file: DiskFile | ZippedFile

    def members(self) -> list[Member]:
        """Its members, under a learner's limits."""
        data = io.BytesIO(self.file.head(LEARNERS.size + 1))
        check_size(data, LEARNERS)
        return members(data, LEARNERS)


@lru_cache(maxsize=32)
def _members_on_disk(path: Path, changed: float) -> list[Member]:
    with open_safely(path) as file:
        check_size(file, RECEIVED)
    return members(path, RECEIVED)


def open_safely(path: Path | str) -> IO[bytes]:
    """Open `path` for reading; UnreadableError if it is a link, a pipe or may not be read.

    A link could make the grader read the key, or another learner's work, as a hand-in.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise UnreadableError("It is not a file. Hand in the notebook itself.")
        return os.fdopen(handle, "rb")
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnreadableError(LINK) from error
        reason = error.strerror or type(error).__name__
        raise UnreadableError(f"It cannot be read: {reason}. Check its permissions.") from error


def listed(source: Path) -> list[File]:
    """Every file below the folder, or in the zip, at `source`, sorted by path.

    Zips are looked into, to the second level: a learner's zip in an LMS's zip.
    Raises ValueError where there is no folder or zip, or where the zip cannot be opened.
    """
    if source.is_dir():
        found = _in_folder(source)
    elif source.is_file():
        found = _in_zip(DiskArchive(source.resolve(), source.stat().st_mtime), (), inner=True)
    else:
        raise ValueError(f"There is no folder {source}. Name the folder or zip of the hand-ins.")
    try:
        return sorted(found, key=lambda file: file.parts)
    except UnreadableError as error:
        raise ValueError(f"{source}: {error}") from error


def is_zip(name: str) -> bool:
    """Whether a file is a zip, by its name."""
    return name.lower().endswith(".zip")


def _in_folder(folder: Path) -> Iterator[File]:
    for file in _walk(folder):
        if isinstance(file, DiskFile) and is_zip(file.parts[-1]):
            received = len(file.parts) == 1  # an LMS's zip; a learner's lies in a folder
            archive = DiskArchive(Path(file.path), file.changed) if received else InnerArchive(file)
            yield from _looked_into(file, archive, inner=received)
        else:
            yield file


def _in_zip(archive: Archive, above: Parts, *, inner: bool) -> Iterator[File]:
    """The files of a zip whose own path is `above`; inner: zips in it are looked into."""
    for index, member in enumerate(archive.members()):
        file = ZippedFile((*above, *member.parts), member.changed, archive, index)
        if any(_is_leftover(part) for part in member.parts):
            continue
        if inner and is_zip(file.parts[-1]):
            yield from _looked_into(file, InnerArchive(file), inner=False)
        elif is_zip(file.parts[-1]):
            yield Unread(file.parts, "It is a zip in a zip in a zip. Unpack it, and zip it once.")
        else:
            yield file


def _looked_into(file: DiskFile | ZippedFile, archive: Archive, *, inner: bool) -> Iterator[File]:
    """The files in a zip, or the zip itself and why it is not opened."""
    try:
        yield from list(_in_zip(archive, file.parts, inner=inner))
    except UnreadableError as error:
        yield Unread(file.parts, str(error), file.changed)


def _walk(top: Path) -> Iterator[DiskFile | Unread]:
    """The files below `top`; without recursion, since a learner's folders may be nested deeply."""
    waiting: list[tuple[Parts, str]] = [((), str(top))]
    while waiting:
        above, folder = waiting.pop()
        try:
            with os.scandir(folder) as found:
                entries = list(found)
        except OSError as error:
            yield Unread(above, f"Its folder cannot be read: {error.strerror}. Check permissions.")
            continue
        for entry in entries:
            parts = (*above, entry.name)
            if _is_leftover(entry.name):
                continue
            if entry.is_symlink():
                yield Unread(parts, LINK)
            elif entry.is_dir(follow_symlinks=False):
                waiting.append((parts, entry.path))
            else:
                changed = entry.stat(follow_symlinks=False).st_mtime
                yield DiskFile(parts, changed, entry.path)


def _is_leftover(name: str) -> bool:
    return (name.startswith(".") and name != "..") or name.lower() in LEFTOVERS
