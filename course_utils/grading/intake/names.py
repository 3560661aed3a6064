"""Names of people: compared, whoever wrote them, and made into names of folders."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator

from course_utils.grading.hand_ins import shown

# NTFS allows 255 UTF-16 units a part, ext4 255 bytes; whole paths on Windows end at 260 characters
MOST_CHARACTERS, MOST_BYTES = 60, 150
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file: with any ending, in any case
RESERVED = {"con", "prn", "aux", "nul"} | {
    f"{device}{digit}" for device in ("com", "lpt") for digit in "0123456789¹²³"
}


def squashed(name: str) -> str:
    """Letters, their marks, and digits of `name`, in one form and case.

    "Núñez, Ana" and "NÚÑEZ ANA" give the same; so do composed and decomposed accents, and a name
    with and without marks of direction. "Nunez" stays apart: see `unaccented`.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    kept = "".join(c for c in folded if unicodedata.category(c)[0] in "LMN")
    return unicodedata.normalize("NFC", kept)  # an accent may have lost what stood before it


def unaccented(squash: str) -> str:
    """A squashed name without its accents: what is left when a form or a keyboard has none."""
    apart = unicodedata.normalize("NFD", squash)
    return "".join(c for c in apart if unicodedata.category(c)[0] != "M")


def orders(name: str) -> Iterator[str]:
    """`name` squashed, with its words in each order that keeps the circle.

    Given and family names trade places ("Ana Núñez", "Núñez, Ana", "núñezana") and nothing tells
    where the one ends, so all places are tried.
    """
    words = [word for word in map(squashed, re.split(r"[\s,]+", name)) if word]
    for first in range(len(words)):
        yield "".join(words[first:] + words[:first])


def folder_name(name: str) -> str:
    """`name` as the name of a folder on any file system, as close to it as may be.

    Controls and marks of direction go, separators and Windows' special characters become "_".
    Two names can give the same, or differ in case alone: see `folder_names`.
    """
    text = unicodedata.normalize("NFC", shown(name))
    text = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in text)
    text = " ".join(re.sub(r'[<>:"/\\|?*]', "_", text).split()).strip(". ")
    if not text:
        return f"unnamed {_mark(name)}"
    if text.partition(".")[0].rstrip().casefold() in RESERVED:
        text = f"_{text}"
    if len(text) > MOST_CHARACTERS or len(text.encode()) > MOST_BYTES:
        text = text[:MOST_CHARACTERS].encode()[:MOST_BYTES].decode("utf-8", "ignore")
        text = f"{text.rstrip('. ')} {_mark(name)}"
    return text


def folder_names(names: dict[str, str]) -> dict[str, str]:
    """A folder for each identity (identity -> name), no two alike on any file system.

    Where names fall together, a few digits made from the identity are put behind each of them.
    """
    folders = {identity: folder_name(name) for identity, name in names.items()}
    seen: dict[str, list[str]] = {}
    for identity, folder in folders.items():
        seen.setdefault(_as_file_systems_see_it(folder), []).append(identity)
    for alike in seen.values():
        if len(alike) > 1:
            folders |= {identity: f"{folders[identity]} {_mark(identity)}" for identity in alike}
    return folders


def _as_file_systems_see_it(folder: str) -> str:
    return unicodedata.normalize("NFC", folder.casefold())


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
