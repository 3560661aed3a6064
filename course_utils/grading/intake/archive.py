"""Look into a zip without trust: nothing is extracted, and every member is capped.

A member is inflated in memory, alone, and never beyond the size that its zip declares; a zip that
declares too much is refused before anything is inflated. Links, encrypted members, paths that lead
out of the zip and methods that inflate without a bound (bzip2, LZMA) are refused. All of it is
told in words for the learner.
"""

import io
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from course_utils.grading.overlay import MAX_HAND_IN_BYTES, UnreadableError

ENCRYPTED = 0x1  # bits of ZipInfo.flag_bits; PKWARE's APPNOTE 4.4.4
UTF8 = 0x800
MEMBER_SIGNATURE = b"PK\x01\x02"  # of each entry in the list of members; APPNOTE 4.3.12
DAMAGE = (BadZipFile, EOFError, OSError, RuntimeError, ValueError, struct.error, zlib.error)
REMEDY = "Hand in the notebook itself, not a zip."


@dataclass(frozen=True)
class Limits:
    """What a zip may hold: members, their bytes when inflated, and its own bytes."""

    members: int
    inflated: int
    size: int


# a whole course's download: ten thousand hand-ins of several files, read one at a time
RECEIVED = Limits(members=100_000, inflated=10_000 * MAX_HAND_IN_BYTES, size=10**12)
LEARNERS = Limits(members=2_000, inflated=20 * MAX_HAND_IN_BYTES, size=5 * MAX_HAND_IN_BYTES)


@dataclass(frozen=True)
class Member:
    """A file in a zip. changed: POSIX time, 0.0 where the zip has none that can be."""

    parts: tuple[str, ...]
    archive: ZipFile
    info: ZipInfo

    @property
    def changed(self) -> float:
        """When it was changed, as the zip has it: to two seconds, in an unknown time zone."""
        try:
            return datetime(*self.info.date_time).timestamp()
        except (ValueError, OverflowError, OSError):
            return 0.0

    def read(self, most: int = MAX_HAND_IN_BYTES) -> bytes:
        """The inflated bytes; UnreadableError if there are more than `most`, or they must not be.

        The header's size is looked at first, and nothing beyond it is inflated: where it lies,
        the check sum does not fit.
        """
        if reason := self._refusal(most):
            raise UnreadableError(reason)
        try:
            with self.archive.open(self.info) as file:
                return file.read(most + 1)
        except DAMAGE as error:
            raise UnreadableError(
                f"It is damaged in its zip ({type(error).__name__}). {REMEDY}"
            ) from error

    def _refusal(self, most: int) -> str:
        kind = stat.S_IFMT(self.info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            return f"In its zip it is a link, not a file. {REMEDY}"
        if ".." in self.parts:
            return f"Its path {'/'.join(self.parts)} leads out of its zip. {REMEDY}"
        if self.info.flag_bits & ENCRYPTED:
            return f"Its zip has a password. {REMEDY}"
        if self.info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            method = self.info.compress_type
            return f"It is zipped by method {method}; only 0 and 8 are opened. {REMEDY}"
        if self.info.file_size > most:
            size = self.info.file_size
            return f"It has {size} bytes, more than {most}. Clear the outputs and zip again."
        return ""


def members(zipped: Path | IO[bytes], limits: Limits) -> list[Member]:
    """The files in a zip, in its own order; folders are left out. Check its size first.

    The zip stays open as long as one of its members is in use.
    Raises UnreadableError if it is no zip or inflates to more than `limits` allow.
    """
    try:
        archive = ZipFile(zipped)
    except DAMAGE as error:
        raise UnreadableError(f"It is no zip, or a damaged one ({error}). {REMEDY}") from error
    named = (info for info in archive.infolist() if info.filename)  # is_dir fails without a name
    infos = [info for info in named if not info.is_dir()]
    inflated = sum(info.file_size for info in infos)
    if inflated > limits.inflated:
        most = limits.inflated
        raise UnreadableError(f"The zip inflates to {inflated} bytes, more than {most}. {REMEDY}")
    return [Member(parts, archive, info) for info in infos if (parts := _parts(info))]


def check_size(file: IO[bytes], limits: Limits) -> None:
    """Raise UnreadableError if the zip in `file` is larger, or has more members, than allowed.

    It comes before the list of members is read, which takes ten times its size in memory.
    """
    size = file.seek(0, io.SEEK_END)
    if size > limits.size:
        raise UnreadableError(f"The zip has {size} bytes, more than {limits.size}. {REMEDY}")
    count = sum(block.count(MEMBER_SIGNATURE) for block in _blocks(file))
    if count > limits.members:
        most = limits.members
        raise UnreadableError(f"The zip has {count} members, more than {most}. {REMEDY}")


def _blocks(file: IO[bytes], size: int = 1 << 20) -> Iterator[bytes]:
    file.seek(0)
    while block := file.read(size):
        yield block


def _parts(info: ZipInfo) -> tuple[str, ...]:
    """The member's path as parts, also where Windows wrote it with backslashes."""
    path = _name(info).replace("\\", "/")
    return tuple(part for part in path.split("/") if part not in ("", "."))


def _name(info: ZipInfo) -> str:
    """The member's name; several zip tools write UTF-8 without saying so (APPNOTE D.1)."""
    if info.flag_bits & UTF8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename
