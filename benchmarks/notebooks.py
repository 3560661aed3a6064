"""CPU seconds that each lesson and each solution takes to execute, and the whole course.

    python benchmarks/notebooks.py [--rounds 3] [notebooks/04_vanishing.ipynb …]

Each notebook runs in a fresh kernel with one BLAS thread, from a copy of the course's folders, as
a learner's "Run All" does. What is counted is all that the kernel process used, user and system,
from its start until its last cell is done and it is stopped, so importing NumPy and Matplotlib is
part of each figure; Python may keep what it compiles, so only a first round compiles the course.
The least of the rounds stands for a notebook: what else the machine does only adds. A virtual
machine gives idle memory back to its host, and getting it again can take longer than a lesson: so
it is fetched first.
Ends with status 1 if the course needs more than its goal.
"""

import argparse
import mmap
import os
import resource
import shutil
import sys
import tempfile
from pathlib import Path

from tqdm import tqdm

from course_utils import notebooks

ROOT = Path(__file__).parents[1]
FOLDERS = ("notebooks", "solutions")
GOAL = 60.0  # seconds of CPU for the whole course, on one core
MEMORY = 512 * 2**20  # bytes; more than any of the notebooks needs


def cpu_of_ended_kernels() -> float:
    """Seconds, user and system, of the child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def fetch_memory() -> None:
    """Touch each page of what a kernel is about to need, and free it again."""
    with mmap.mmap(-1, MEMORY) as memory:
        for start in range(0, MEMORY, mmap.PAGESIZE):
            memory[start] = 1


def cpu_seconds(path: Path) -> float:
    """What executing this notebook takes."""
    fetch_memory()
    before = cpu_of_ended_kernels()
    notebooks.execute(notebooks.read(path), folder=path.parent)
    return cpu_of_ended_kernels() - before


def copied(folder: Path, names: list[Path]) -> list[Path]:
    """The notebooks named (all, if none is), in a copy that a run may write to."""
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name)
    chosen = [path.resolve().relative_to(ROOT) for path in names]
    chosen = chosen or [
        path.relative_to(ROOT) for name in FOLDERS for path in sorted(ROOT.glob(f"{name}/*.ipynb"))
    ]
    return [folder / path for path in chosen]


def main() -> int:
    """Measure, print a table, and compare the sum with the goal."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as name:
        paths = copied(Path(name), options.notebooks)
        turns = [path for _ in range(options.rounds) for path in paths]
        taken = [(path, cpu_seconds(path)) for path in tqdm(turns, disable=None)]
    least = {path: min(cpu for which, cpu in taken if which == path) for path in paths}
    print(f"CPU seconds, least of {options.rounds} rounds")
    for path, seconds in least.items():
        print(f"{path.parent.name}/{path.stem:28} {seconds:6.2f}")
    total = sum(least.values())
    print(f"{'together':38} {total:6.2f}   goal {GOAL:.0f}")
    return 0 if total <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
