"""Which exercise a file answers: by its name, else by its cells. Never a guess."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from course_utils.grading.exercise import ROLE_ID
from course_utils.grading.overlay import UnreadableError, claimed_names, read_cells

WORD = re.compile(r"[^\W_]+")
SUFFIX = re.compile(r"(\.ipynb)?(\.(ipynb|zip|json|txt))?$", re.IGNORECASE)
# what browsers, file managers and people put behind the name of a file
ENDING = re.compile(r"[0-9]{1,3}|v[0-9]{1,3}|copy|copie|copia|kopie|of|final|done|submission")
# the second download of a browser, the second upload to Canvas (Attachment.make_unique_filename)
COUNT = re.compile(r"(?:-|\s?\()(?P<count>[0-9]{1,2})\)?$")


class Exercises:
    """The names of the exercises that can be graded, e.g. ex01_chain_rule."""

    def __init__(self, names: Iterable[str]) -> None:
        """Keep the names, and the words that they are made of."""
        self._words = {name: _words(name) for name in sorted(names)}
        # a learner tries out many names, but a folder's is asked for with each of its files
        self.named = lru_cache(maxsize=1 << 16)(self._named)

    def _named(self, name: str) -> str | None:
        """The one exercise that a file's or folder's name holds, in any case and spelling.

        Its number alone ("ex01") will do, if nothing but an ending such as "final" is around it.
        """
        words = _words(SUFFIX.sub("", name))
        whole = [exercise for exercise, own in self._words.items() if _holds(words, own)]
        if not whole:
            rest = [word for word in words if not ENDING.fullmatch(word)]
            whole = [e for e, own in self._words.items() if rest in (own[:1], ["".join(own)])]
        return whole[0] if len(whole) == 1 else None

    def named_exactly(self, name: str) -> bool:
        """Whether a name says which exercise it is and nothing else but an ending."""
        exercise = self.named(name)
        own = self._words[exercise] if exercise else []
        words = [word for word in _words(SUFFIX.sub("", name)) if not ENDING.fullmatch(word)]
        return words in (own, own[:1], ["".join(own)])

    def answered(self, data: bytes) -> str:
        """The one exercise whose answer cells are in the notebook `data`.

        Cells are known as the grader knows them: by grade_id, marker comment or cell id.
        Raises UnreadableError if it is no notebook, or answers no exercise, or several.
        """
        numbers = {_number(cell) for cell in read_cells(data)}
        found = [e for e, own in self._words.items() if own[0] in numbers]
        if len(found) == 1:
            return found[0]
        if found:
            raise UnreadableError(
                f"It holds answers to {' and '.join(found)}. Hand in one notebook an exercise."
            )
        raise UnreadableError(
            "Neither its name nor its cells tell the exercise. "
            f"Rename the file to one of: {', '.join(self._words)}."
        )


def attempt_in(name: str) -> int:
    """Which attempt a file's name tells: 3 for "ex01-2.ipynb", 2 for "ex01 (1).ipynb", else 1."""
    match = COUNT.search(SUFFIX.sub("", name))
    return int(match["count"]) + 1 if match else 1


def is_notebook(name: str) -> bool:
    """Whether a name is a notebook's; browsers save some as .ipynb.json or .ipynb.txt."""
    return re.search(r"\.ipynb(\.json|\.txt)?$", name, re.IGNORECASE) is not None


def _words(name: str) -> list[str]:
    return WORD.findall(unicodedata.normalize("NFKC", name).casefold())


def _holds(words: list[str], own: list[str]) -> bool:
    starts = range(len(words) - len(own) + 1)
    return any(words[start : start + len(own)] == own for start in starts)


def _number(cell: dict[str, Any]) -> str:
    """The number of the exercise (ex01) whose answer a cell claims to be, or ""."""
    for name in claimed_names(cell):
        match = ROLE_ID.fullmatch(name) if isinstance(name, str) else None
        if match and match["role"] == "answer":
            return match["exercise"]
    return ""
