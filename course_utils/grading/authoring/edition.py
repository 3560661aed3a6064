"""The student edition: a folder with all that a learner needs and nothing that answers."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from course_utils import notebooks
from course_utils.grading.release import (
    answer_secrets,
    hidden_secrets,
    leaks,
    notebook_lines,
    read_all,
    release_folder,
    solution_paths,
)
from course_utils.grading.variants.secret import secret_path
from course_utils.grading.variants.stored import FOLDER as VARIANTS

# what a learner needs for `make lab` and `course check`; a name that is not here stays at home
FILES = (
    "README.md",
    "LICENSE",
    "CITATION.cff",
    "Makefile",
    "pyproject.toml",
    "requirements.lock",
    "environment.yml",
)
OPTIONAL = ("CITATION.cff",)
FOLDERS = ("notebooks", "course_utils", "docs")
LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", ".*", "*.pyc", "*.fingerprints.json", "*.toml", "Untitled*.ipynb"
)


def write_edition(course: Path, target: Path) -> list[Path]:
    """Write the student edition of the course folder `course` into `target`.

    The exercises are released afresh from the solutions, then the whole folder is searched
    for what must not be in it. Returns the files written, sorted, relative to `target`.
    Raises ValueError if `target` is not empty, or if anything of an answer is found in it
    (the folder is then taken away again).
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ValueError(f"{target} is not an empty folder. Name a new folder, or empty this one.")
    missing = [name for name in FILES if name not in OPTIONAL and not (course / name).is_file()]
    missing += [name for name in FOLDERS if not (course / name).is_dir()]
    if missing:
        raise ValueError(f"{course} lacks {', '.join(missing)}. Run this in the course folder.")
    target.mkdir(parents=True, exist_ok=True)
    try:
        release_folder(course / "solutions", target / "exercises")
        for name in FILES:
            if (course / name).is_file():
                shutil.copyfile(course / name, target / name)
        for name in FOLDERS:
            shutil.copytree(course / name, target / name, ignore=LEFT_OUT)
        if found := list(given_away(course / "solutions", target)):
            raise ValueError("The student edition would give answers away:\n" + "\n".join(found))
    except BaseException:
        shutil.rmtree(target)
        raise
    return sorted(path.relative_to(target) for path in target.rglob("*") if path.is_file())


def given_away(solutions: Path, edition: Path) -> Iterator[str]:
    """Yield each place in the folder `edition` that gives away something of `solutions`.

    Hidden checks are looked for everywhere; worked answers in the exercises only, since a lesson
    or the library may well hold the very line that a learner is asked to write.
    """
    solved = read_all(solution_paths(solutions))
    hidden = {secret for exercise in solved for secret in hidden_secrets(exercise)}
    answers = {secret for exercise in solved for secret in answer_secrets(exercise)}
    kept_back = {path.name for path in solutions.iterdir() if path.suffix != ".ipynb"}
    secret = secret_path(solutions).read_text() if secret_path(solutions).is_file() else ""
    for path in sorted(path for path in edition.rglob("*") if path.is_file()):
        where = path.relative_to(edition)
        of_key = path.name in kept_back or VARIANTS in where.parts
        if of_key or where.parts[0] in ("solutions", "tests", ".git"):
            yield f"{where}: it belongs to the instructor"
        forbidden = hidden | answers if where.parts[0] == "exercises" else hidden
        lines = _lines(path)
        yield from (f"{where}: {line!r}" for line in leaks(lines, forbidden))
        if secret and any(secret.strip() in line for line in lines):
            yield f"{where}: the secret of the variants"


def _lines(path: Path) -> list[str]:
    if path.suffix == ".ipynb":
        return notebook_lines(notebooks.read(path))
    return path.read_bytes().decode("utf-8", "replace").split("\n")
