"""The worker of one run: reads the job, writes the notebook alone into a fresh folder, runs pytest.

Started by ``run_notebook`` as ``python -I -m course_utils.grading.worker``, in its own room. The
job comes by standard input. Standard output carries the outcomes, one JSON object a line, and
nothing else: pytest's own report goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from course_utils.grading.sandbox import Limits

Emit = Callable[[dict[str, Any]], None]

PYTEST_OPTIONS = (
    # Nothing that may lie about configures the run: no ini file, no conftest.py, no plugin.
    *("-c", os.devnull, "--noconftest", "-p", "no:cacheprovider", "-p", "nbval.plugin"),
    *("-q", "--tb=short", "--color=no", "-W", "ignore"),
)


def main() -> None:
    """Run the job on standard input."""
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        del os.environ[name]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    results = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def emit(record: dict[str, Any]) -> None:
        results.write(json.dumps(record) + "\n")
        results.flush()

    job = json.load(sys.stdin)
    folder = Path(job["folder"])
    folder.mkdir()
    with tempfile.TemporaryFile() as log:
        _run(job, folder, log, emit)
    # Nothing is left to be tidied up that the end of the process doesn't; it takes a while.
    os._exit(0)


def _run(job: dict[str, Any], folder: Path, log: IO[bytes], emit: Emit) -> None:
    # jsonschema builds a grammar of internationalised addresses on import, 0.8 s, where it can;
    # a notebook's schema needs none.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    from course_utils.grading.running_kernel import ColdKernel

    place = Path(job["connection_folder"] or folder)
    kernel = ColdKernel(job["kernel_argv"], place, limits=Limits(**job["limits"]), log=log)
    # Imported while the kernel starts: they take as long.
    import pytest

    from course_utils.grading.nbval_adapter import NotebookRun

    notebook = folder / "notebook.ipynb"
    # A source may hold half a surrogate pair, which no file can.
    notebook.write_bytes(job["notebook"].encode(errors="replace"))
    run = NotebookRun(kernel, job["start_seconds"], emit)
    code = pytest.main([*PYTEST_OPTIONS, "--rootdir", str(folder), str(notebook)], plugins=[run])
    if code not in (0, 1, 5):  # all passed, some did not, there was no code cell
        run.ended, run.detail = "sandbox_failed", f"pytest ended with exit code {int(code)}"
    run.end()


if __name__ == "__main__":
    main()
