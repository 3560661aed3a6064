"""Run one notebook and say of each cell how it went.

One worker process per notebook: it runs pytest with nbval's classes on the notebook, whose kernel
is in a sandbox. ``workers`` keeps such processes for many notebooks.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from nbformat import NotebookNode

from course_utils.grading.running.sandbox import (
    CONNECTION_FOLDER,
    KERNEL_SCRIPT,
    PACKAGE,
    Limits,
    Sandbox,
    SandboxUnavailable,
    find_sandbox,
)
from course_utils.grading.running.worker_process import WorkerFailed, WorkerProcess

__all__ = [
    "CellOutcome",
    "Limits",
    "RunOutcome",
    "Sandbox",
    "SandboxUnavailable",
    "find_sandbox",
    "run_notebook",
]

START_SECONDS = 60.0
_GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class CellOutcome:
    """How one cell went.

    status: "passed", "failed" (other values than the stored ones), "error" (an exception, or the
        kernel's end), "timed_out" or "not_run".
    stdout: what it printed. error: e.g. "NameError: name 'np' is not defined", or "".
    """

    cell_id: str
    status: str
    stdout: str = ""
    error: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class RunOutcome:
    """How the run of a notebook went.

    ended: "finished", "timed_out" (a cell or the whole), "kernel_died", "output_limit",
        "memory_limit" or "sandbox_failed" (nothing could be run, or the worker itself fell).
    cells: the outcome of each code cell, by cell id. seconds: wall time, with the start.
    detail: why it ended so, for the instructor.
    """

    ended: str
    cells: dict[str, CellOutcome]
    seconds: float
    sandboxed: bool
    detail: str = ""


def run_notebook(
    notebook: NotebookNode,
    *,
    limits: Limits | None = None,
    sandbox: Sandbox | Literal["find"] | None = "find",
) -> RunOutcome:
    """Execute the code cells of ``notebook`` in order and compare them with their stored outputs.

    A cell passes when it raised nothing and printed the lines ``value: …`` and ``✓ …`` that its
    stored output holds (see ``values``). The notebook's own kernel, tags and marker comments
    have no say. Each code cell needs an id of its own.
    sandbox: how to start the rooms; None runs the cells with the caller's own rights.
    Raises SandboxUnavailable when a sandbox is to be found and none can start here, ValueError
    for missing or repeated ids. Whatever the cells do is an outcome, never an exception.
    """
    limits = limits or Limits()
    code_cell_ids(notebook)
    if sandbox == "find":
        sandbox = find_sandbox()
    with _scratch(sandbox) as folder:
        worker = WorkerProcess(sandbox, _setting_of_one(sandbox, limits, folder))
        try:
            return ask(worker, notebook, limits=limits, sandboxed=sandbox is not None)
        finally:
            worker.end()


def ask(
    worker: WorkerProcess, notebook: NotebookNode, *, limits: Limits, sandboxed: bool
) -> RunOutcome:
    """Have ``worker`` run ``notebook``. A worker that fails is an outcome, too."""
    started = time.monotonic()
    ids = code_cell_ids(notebook)
    cells: dict[str, CellOutcome] = {}
    ended = detail = ""
    seconds = START_SECONDS + limits.total_seconds + _GRACE_SECONDS
    try:
        for record in worker.answers({"notebook": notebook}, seconds=seconds):
            if "cell_id" in record:
                cells[record["cell_id"]] = CellOutcome(**record)
            else:
                ended, detail = record["ended"], record["detail"]
    except WorkerFailed as failure:
        ended, detail = "sandbox_failed" if failure.in_time else "timed_out", str(failure)
    except (KeyError, TypeError) as error:
        ended, detail = "sandbox_failed", f"the worker wrote no record: {error}"
    if ended == "finished" and set(cells) != set(ids):
        ended, detail = "sandbox_failed", f"{len(cells)} of {len(ids)} cells were reported"
    outcomes = {cell_id: cells.get(cell_id, CellOutcome(cell_id, "not_run")) for cell_id in ids}
    return RunOutcome(ended, outcomes, time.monotonic() - started, sandboxed, detail)


def code_cell_ids(notebook: NotebookNode) -> list[str]:
    """Return the ids of the code cells. Raises ValueError if one is missing or repeated."""
    ids = [cell.get("id", "") for cell in notebook.cells if cell.cell_type == "code"]
    if "" in ids or len(set(ids)) != len(ids):
        raise ValueError(
            f"each code cell needs an id of its own, got {ids}. "
            "Run the notebook through course build."
        )
    return ids


@contextlib.contextmanager
def _scratch(sandbox: Sandbox | None) -> Iterator[str]:
    """Yield a folder for the kernel's sockets; in the worker's room it is there already."""
    if sandbox is not None:
        yield CONNECTION_FOLDER
    else:
        with tempfile.TemporaryDirectory(prefix="course-", ignore_cleanup_errors=True) as folder:
            yield folder


def _setting_of_one(sandbox: Sandbox | None, limits: Limits, folder: str) -> dict[str, Any]:
    """Return what a worker of one notebook is told before it: a kernel is started for it."""
    script = KERNEL_SCRIPT if sandbox else str(PACKAGE / "grading" / "running" / "kernel.py")
    argv = [sys.executable, "-I", script, "-f", "{connection_file}"]
    kernel_argv = sandbox.kernel_command(argv, limits) if sandbox else argv
    return {"kernel_argv": kernel_argv, **_setting(limits, folder)}


def setting_of_many(sandbox: Sandbox, limits: Limits) -> dict[str, Any]:
    """Return what a worker of many notebooks is told before them: their kernels are forked."""
    return {"forge_argv": sandbox.forge_command(), **_setting(limits, CONNECTION_FOLDER)}


def _setting(limits: Limits, folder: str) -> dict[str, Any]:
    return {"limits": asdict(limits), "folder": folder, "start_seconds": START_SECONDS}
