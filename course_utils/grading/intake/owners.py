"""Whose each file is: by an LMS's names or by folders, at the one place where the intake has them.

A learner can give any name to what lies in their own folder or zip, also one by which Canvas or
Moodle would name another learner. So the place where owners are named is decided for the whole
intake, by most of what is there, and no name further in counts.
"""

from collections.abc import Callable, Collection, Iterable

from course_utils.grading.intake.files import Parts, is_zip
from course_utils.grading.intake.folders import Folders, common
from course_utils.grading.intake.lms import (
    NoOwnerError,
    Owner,
    canvas_owner,
    lms_id,
    moodle_owner,
    owner_named,
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
        names = _LmsNames(paths, is_known) if kind == "auto" else None
        self._place = names.place if names else None
        self._downloads = names.odd_downloads if names else set()
        plain = [path for path in paths if not self._is_lms(path)]
        strays = self._place is not None
        self._folders = Folders(plain, is_exercise, is_known, strays=strays)

    def of(self, path: Parts) -> Owner:
        """Whose the file at `path` is; NoOwnerError, which says what to do, if nothing tells."""
        if self._kind == "canvas":
            return canvas_owner(path)
        if self._kind == "moodle":
            return moodle_owner(path)
        if self._place is not None and self._is_lms(path):
            return owner_named(path[self._place :])
        if any(path[: len(download)] == download for download in self._downloads):
            raise NoOwnerError(
                "Its folder looks like a download of Canvas or Moodle, among others that do not. "
                "Grade that folder alone, or say which it is: --from."
            )
        return self._folders.owner(path)

    def _is_lms(self, path: Parts) -> bool:
        place = self._place
        return place is not None and len(path) > place and lms_id(path[place]) is not None


class _LmsNames:
    """Where in the paths an LMS's names stand: at the front, or in each of several downloads.

    place: None if they stand nowhere. odd_downloads: folders that look like downloads among
    others that do not. In front of all of it may lie a folder that is around everything.
    """

    def __init__(self, paths: Collection[Parts], is_known: Callable[[str], bool]) -> None:
        """is_known: a folder of that name is a learner's, whatever they call their files."""
        self.place: int | None = None
        self.odd_downloads: set[Parts] = set()
        around = common(paths)
        stop = (n for n, part in enumerate(around) if is_known(part) or lms_id(part) is not None)
        around = around[: next(stop, len(around))]
        if self._looks(around, {path[len(around)] for path in paths if len(path) > len(around)}):
            self.place = len(around)
            return
        inside: dict[Parts, set[str]] = {}
        for path in paths:
            if len(path) > len(around) + 1:
                inside.setdefault(path[: len(around) + 1], set()).add(path[len(around) + 1])
        downloads = {
            folder
            for folder, names in inside.items()
            if not is_known(folder[-1]) and _most(lms_id(name) is not None for name in names)
        }
        ids = {folder: _ids(inside[folder]) for folder in downloads}
        if len(set().union(*ids.values())) < 2:  # one learner's own way of naming
            return
        if _most(folder in downloads for folder in inside):
            self.place = len(around) + 1
        else:
            self.odd_downloads = {folder for folder in downloads if len(ids[folder]) > 1}

    @staticmethod
    def _looks(around: Parts, names: Collection[str]) -> bool:
        """Whether `names` are an LMS's: of two learners or more, if they lie in a folder."""
        enough = 2 if around and not is_zip(around[-1]) else 1
        return len(_ids(names)) >= enough and _most(lms_id(name) is not None for name in names)


def _ids(names: Iterable[str]) -> set[str]:
    return {found for name in names if (found := lms_id(name)) is not None}


def _most(flags: Iterable[bool]) -> bool:
    """Whether more than half of `flags` hold."""
    counted = list(flags)
    return 2 * sum(counted) > len(counted)
