"""Which grader it was: a name that changes whenever the same hand-in might be graded otherwise."""

import hashlib
import platform
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

import course_utils

PACKAGE = Path(course_utils.__file__).resolve().parent
# what grading rests on outside of its own folder: in the kernel, and for the form of a notebook
BESIDE = ("checks.py", "notebooks.py")
# parts of grading/ that no grade depends on: most begin where a Result is there
APART = frozenset(
    {"authoring", "batches", "files", "intake", "pages", "results", "tables", "version"}
)
PACKAGES = ("ipykernel", "nbval", "numpy")


@cache
def grader_version() -> str:
    """The course's version, and a hash of the code and the packages that decide a grade.

    The package's version alone stands still between two releases, while a fix of the grader in
    between changes grades. How pages and tables look is left out: they are made again anyway.
    """
    python = ".".join(platform.python_version_tuple()[:2])
    beside = (python, *map(metadata.version, PACKAGES))
    return f"{course_utils.__version__}+{_digest(deciding_files(), beside)}"


@cache
def pages_version() -> str:
    """A hash of the code and the templates that the pages are made with."""
    grading = PACKAGE / "grading"
    return _digest(
        [*_sources(grading, apart=True), *sorted((grading / "pages" / "templates").iterdir())]
    )


def deciding_files() -> list[Path]:
    """The source files that may decide a grade, in a fixed order.

    What is not known to stand apart counts: to grade again for nothing is the lesser harm.
    """
    return [*(PACKAGE / name for name in BESIDE), *_sources(PACKAGE / "grading", apart=False)]


def _sources(grading: Path, *, apart: bool) -> list[Path]:
    """The modules of `grading`, those that stand apart or the others."""

    def name(path: Path) -> str:
        return path.relative_to(grading).with_suffix("").parts[0]

    return [path for path in sorted(grading.rglob("*.py")) if (name(path) in APART) == apart]


def _digest(paths: Iterable[Path], beside: Iterable[str] = ()) -> str:
    digest = hashlib.sha256(repr(tuple(beside)).encode())
    for path in paths:
        source = path.read_text(encoding="utf-8")  # with \n, whatever a checkout made of it
        digest.update(f"{path.relative_to(PACKAGE).as_posix()}\0{source}\0".encode())
    return digest.hexdigest()[:16]
