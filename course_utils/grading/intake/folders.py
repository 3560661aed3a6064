"""Whose file it is where each learner has a folder, or a zip, of their own."""

from collections.abc import Callable, Collection, Iterable

from course_utils.grading.intake.files import Parts, is_zip
from course_utils.grading.intake.lms import NoOwnerError, Owner

PLACE_IT = "Put it at <learner>/<exercise>.ipynb."


class Folders:
    """The folders of an intake, and which of them are learners'.

    <learner>/<exercise>.ipynb is the rule. Folders that name an exercise are passed over, so
    <exercise>/<learner>/ and <learner>/<exercise>/ (as nbgrader has it) do as well; so is a
    folder around all the others, and a learner's only zip. A zip in a learner's place is a
    folder of that name.
    """

    def __init__(
        self,
        paths: Iterable[Parts],
        is_exercise: Callable[[str], bool],
        is_known: Callable[[str], bool],
        *,
        strays: bool = False,
    ) -> None:
        """paths: those of all files that are placed by their folder.

        is_known: whether the roster has one learner of a name. The first depth at which it has
        most of the folders is the learners', for all files: what a learner's own folders are
        called counts for nothing. strays: the files lie beside an LMS's download, so they are
        too few to tell by each other.
        """
        above = {path[:-1] for path in paths}
        self._is_exercise = is_exercise
        self._zips: dict[Parts, set[str]] = {}
        for folders in above:
            for place, folder in enumerate(folders):
                if is_zip(folder):
                    self._zips.setdefault(folders[:place], set()).add(folder)
        named = {tuple(self._named(folders)) for folders in above}
        self._around = 0 if strays else _around(named, is_known)
        inside = [folders[self._around :] for folders in named]
        self._depth = None if strays else _depth(inside, is_known)

    def _named(self, folders: Parts) -> list[str]:
        """The folders that name no exercise, down to a learner's own zip."""
        found: list[str] = []
        for place, folder in enumerate(folders):
            if found and self._zips.get(folders[:place]) == {folder}:
                break
            name = folder[:-4] if is_zip(folder) else folder
            if not self._is_exercise(name) and found[-1:] != [name]:
                found.append(name)
        return found

    def owner(self, path: Parts) -> Owner:
        """The learner in `path`; NoOwnerError if no folder, or more than one, can be theirs."""
        found = self._named(path[:-1])[self._around :]
        if self._depth is not None and len(found) > self._depth:
            return named(found[self._depth], path)
        if len(found) > 1:
            names = "/".join(found)
            raise NoOwnerError(f"Which of the folders {names} is the learner's? {PLACE_IT}")
        if found:
            return named(found[0], path)
        stem = path[-1].partition(".ipynb")[0]
        if len(path) > 1 and not self._is_exercise(stem):  # <exercise>/<learner>.ipynb
            return named(stem, path)
        raise NoOwnerError(f"No folder says whose it is. {PLACE_IT}")


def named(name: str, path: Parts) -> Owner:
    """The owner of that name, whose file lies at `path`."""
    return Owner(key=name, name=name, file=path[-1])


def common(paths: Collection[Parts]) -> Parts:
    """The parts that all of `paths` begin with."""
    first, last = min(paths, default=()), max(paths, default=())
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    return first[:same]


def _around(named: Collection[Parts], is_known: Callable[[str], bool]) -> int:
    """How many folders lie around all others, as where a folder was zipped."""
    same = common(named)
    around = next((n for n, folder in enumerate(same) if is_known(folder)), len(same))
    return around if all(len(folders) > around for folders in named) else 0


def _depth(paths: Iterable[Parts], is_known: Callable[[str], bool]) -> int | None:
    """The first depth at which most of the folders are learners on the roster."""
    names: dict[int, set[str]] = {}
    for path in paths:
        for depth, name in enumerate(path):
            names.setdefault(depth, set()).add(name)
    for depth, there in sorted(names.items()):
        if 2 * sum(map(is_known, there)) > len(there):
            return depth
    return None
