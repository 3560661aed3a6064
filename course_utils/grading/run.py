"""Run one notebook and say of each cell how it went.

One worker process per notebook: it runs pytest with nbval's classes on the notebook, whose kernel
is in a sandbox. The notebook goes in by the worker's standard input and the outcomes come out by
its standard output, both anonymous files, so nothing is left behind, however a run ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal

import nbformat
from nbformat import NotebookNode

from course_utils.grading.processes import end_tree
from course_utils.grading.sandbox import (
    CONNECTION_FOLDER,
    KERNEL_SCRIPT,
    PACKAGE,
    Limits,
    Sandbox,
    SandboxUnavailable,
    find_sandbox,
)

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
    ids = _code_cell_ids(notebook)
    if sandbox == "find":
        sandbox = find_sandbox()
    started = time.monotonic()
    with (
        _scratch(sandbox) as folder,
        tempfile.TemporaryFile("w+") as given,
        tempfile.TemporaryFile("w+") as results,
        tempfile.TemporaryFile("w+", errors="replace") as log,
    ):
        json.dump(_job(notebook, limits, sandbox, folder), given)
        given.seek(0)
        in_time = _run_worker(sandbox, given, results, log, limits)
        results.seek(0)
        log.seek(0)
        cells, ended, detail = _read(results)
        if ended == "finished" and len(cells) < len(ids):
            ended, detail = "sandbox_failed", f"only {len(cells)} of {len(ids)} cells were reported"
        if not ended:
            ended = "sandbox_failed" if in_time else "timed_out"
            detail = log.read()[-2000:].strip() or "the worker was stopped"
    outcomes = {cell_id: cells.get(cell_id, CellOutcome(cell_id, "not_run")) for cell_id in ids}
    seconds = time.monotonic() - started
    return RunOutcome(ended, outcomes, seconds, sandbox is not None, detail)


def _code_cell_ids(notebook: NotebookNode) -> list[str]:
    ids = [cell.get("id", "") for cell in notebook.cells if cell.cell_type == "code"]
    if "" in ids or len(set(ids)) != len(ids):
        raise ValueError(
            f"each code cell needs an id of its own, got {ids}. "
            "Run the notebook through course build."
        )
    return ids


@contextlib.contextmanager
def _scratch(sandbox: Sandbox | None) -> Iterator[str]:
    """Yield a path at which the worker may make its folder; a room has its own /tmp."""
    if sandbox is not None:
        yield "/tmp/notebook"
    else:
        with tempfile.TemporaryDirectory(prefix="course-", ignore_cleanup_errors=True) as parent:
            yield str(Path(parent) / "n")


def _job(
    notebook: NotebookNode, limits: Limits, sandbox: Sandbox | None, folder: str
) -> dict[str, Any]:
    script = KERNEL_SCRIPT if sandbox else str(PACKAGE / "grading" / "kernel.py")
    argv = [sys.executable, "-I", script, "-f", "{connection_file}"]
    return {
        "notebook": nbformat.writes(notebook),
        "folder": folder,
        "limits": asdict(limits),
        "kernel_argv": sandbox.kernel_command(argv, limits) if sandbox else argv,
        "connection_folder": CONNECTION_FOLDER if sandbox else None,
        "start_seconds": START_SECONDS,
    }


def _run_worker(
    sandbox: Sandbox | None, given: IO[str], results: IO[str], log: IO[str], limits: Limits
) -> bool:
    """Run the worker to its end; return False if it had to be stopped."""
    command = [sys.executable, "-I", "-m", "course_utils.grading.worker"]
    worker = subprocess.Popen(
        sandbox.worker_command(command) if sandbox else command,
        stdin=given,
        stdout=results,
        stderr=log,
        cwd="/" if sandbox else None,
        start_new_session=True,
    )
    try:
        worker.wait(START_SECONDS + limits.total_seconds + _GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    finally:
        _end(worker)
    return True


def _end(worker: subprocess.Popen[bytes]) -> None:
    """Stop the worker and what it started (in a sandbox, the kernel ends with its room)."""
    if worker.poll() is None:
        end_tree(worker.pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def _read(results: IO[str]) -> tuple[dict[str, CellOutcome], str, str]:
    cells: dict[str, CellOutcome] = {}
    ended = detail = ""
    for line in results:
        with contextlib.suppress(json.JSONDecodeError):  # the line a stopped worker was writing
            record = json.loads(line)
            if "cell_id" in record:
                cells[record["cell_id"]] = CellOutcome(**record)
            else:
                ended, detail = record["ended"], record["detail"]
    return cells, ended, detail
