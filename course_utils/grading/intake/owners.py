"""Whose each file is: by Canvas' names, by Moodle's, or by folders, told apart file by file."""

from collections.abc import Callable, Iterable

from course_utils.grading.intake.files import Parts, is_zip
from course_utils.grading.intake.folders import Folders, named
from course_utils.grading.intake.lms import (
    CANVAS,
    MOODLE,
    Owner,
    canvas_owner,
    moodle_owner,
)

KINDS = ("auto", "folder", "canvas", "moodle")


class Owners:
    """The owners of the files of one intake."""

    def __init__(
        self,
        paths: Iterable[Parts],
        *,
        kind: str = "auto",
        is_exercise: Callable[[str], bool],
        is_known: Callable[[str], bool] = lambda name: False,
    ) -> None:
        """paths: those of all notebooks. is_known: whether a folder's name is on the roster.

        Raises ValueError for a kind that there is not.
        """
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no kind of hand-ins. Choose from {', '.join(KINDS)}.")
        paths = list(paths)
        self._kind = kind
        self._is_known = is_known
        self._downloads = _canvas_downloads(paths) if kind == "auto" else set()
        plain = [path for path in paths if self._kind_of(path) == "folder"]
        self._folders = Folders(plain, is_exercise)

    def of(self, path: Parts) -> Owner:
        """Whose the file at `path` is; NoOwnerError, which says what to do, if nothing tells."""
        kind = self._kind_of(path)
        if kind == "canvas":
            return canvas_owner(path)
        if kind == "moodle":
            return moodle_owner(path)
        known = [name for name in self._folders.candidates(path) if self._is_known(name)]
        return named(known[0], path) if len(known) == 1 else self._folders.owner(path)

    def _kind_of(self, path: Parts) -> str:
        if self._kind != "auto":
            return self._kind
        if any(MOODLE.fullmatch(part) for part in path):
            return "moodle"
        places = range(len(path))
        if any(path[:n] in self._downloads and CANVAS.fullmatch(path[n]) for n in places):
            return "canvas"
        return "folder"


def _canvas_downloads(paths: Iterable[Parts]) -> set[Parts]:
    """The folders that Canvas made: most names in them are Canvas', those of two learners or more.

    At the top, or in a zip, one learner is enough; deeper it could be a learner's own naming.
    """
    names: dict[Parts, set[str]] = {}
    for path in paths:
        for place, part in enumerate(path):
            names.setdefault(path[:place], set()).add(part)
    found = set()
    for folder, inside in names.items():
        matches = [match for name in inside if (match := CANVAS.fullmatch(name))]
        learners = {match["id"] or match["anon"] for match in matches}
        enough = 1 if not folder or is_zip(folder[-1]) else 2
        if len(learners) >= enough and 2 * len(matches) > len(inside):
            found.add(folder)
    return found
