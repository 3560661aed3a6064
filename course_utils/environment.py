"""Is everything here that the lessons need? One line a requirement, with what to do."""

import sys
from collections.abc import Iterator
from importlib import metadata

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

DISTRIBUTION = "vanishing-exploding-gradients"
REMEDY = "Close JupyterLab and run `make lab` in the course's folder: it sets up what is missing."


def check_environment(distribution: str = DISTRIBUTION) -> None:
    """Print what the lessons need, whether it is here, and what to do if some of it is not.

    distribution: the installed package whose requirements are read.
    """
    try:
        requirements = metadata.requires(distribution) or []
        python = metadata.metadata(distribution)["Requires-Python"]
    except metadata.PackageNotFoundError:
        print(f"missing  {distribution}, the course's own package")
        print(REMEDY)
        return
    version = ".".join(map(str, sys.version_info[:3]))
    rows = [_row("Python", SpecifierSet(python or ""), version), *_packages(requirements)]
    print("\n".join(line for _, line in rows))
    print("All is ready." if all(fine for fine, _ in rows) else REMEDY)


def _packages(requirements: list[str]) -> Iterator[tuple[bool, str]]:
    for text in sorted(requirements):
        wanted = Requirement(text)
        if wanted.marker:
            continue  # not for every learner: of one platform, or for who develops the course
        try:
            installed = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            installed = ""
        yield _row(wanted.name, wanted.specifier, installed)


def _row(name: str, wanted: SpecifierSet, installed: str) -> tuple[bool, str]:
    """Whether it is fine, and its line; what is fine is told by its bound, not by its version."""
    need = f"{name} {wanted}".rstrip()
    if installed and wanted.contains(installed, prereleases=True):
        return True, f"ok       {need}"
    return False, f"{'too old' if installed else 'missing'}  {need}" + (
        f", found {installed}" if installed else ""
    )
