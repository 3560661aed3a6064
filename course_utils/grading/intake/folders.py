"""Whose file it is where each learner has a folder, or a zip, of their own."""

from collections.abc import Callable, Iterable

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

    def __init__(self, paths: Iterable[Parts], is_exercise: Callable[[str], bool]) -> None:
        """paths: those of all files that are placed by their folder."""
        above = {path[:-1] for path in paths}
        self._is_exercise = is_exercise
        self._zips: dict[Parts, set[str]] = {}
        for folders in above:
            for place, folder in enumerate(folders):
                if is_zip(folder):
                    self._zips.setdefault(folders[:place], set()).add(folder)
        self._around = _around({tuple(self._named(folders)) for folders in above})

    def candidates(self, path: Parts) -> list[str]:
        """The folders in `path` that may be the learner's."""
        return self._named(path[:-1])[self._around :]

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
        found = self.candidates(path)
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


def _around(named: set[Parts]) -> int:
    """How many folders at the front lie around all others, as where a folder was zipped."""
    first, last = min(named, default=()), max(named, default=())
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    return same if all(len(folders) > same for folders in named) else 0
