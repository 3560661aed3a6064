"""The only module that touches nbval: its IPyNbFile, IPyNbCell and RunningKernel, version 0.11.

nbval reads the notebook, sends each cell to the kernel and gathers what comes back. What is
decided here: which kernel runs, how long it may, and what counts as the same output.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbval.plugin import IPyNbCell, IPyNbFile, NbCellError

from course_utils.grading.running.guarded_kernel import GuardedKernel, KernelStopped
from course_utils.grading.values import answer_lines, same_lines

INTERRUPT_SECONDS = 2.0
_ERROR_CHARACTERS = 4000

Emit = Callable[[dict[str, Any]], None]


class CellNotRun(Exception):  # noqa: N818 (nothing failed: the turn never came)
    """The kernel had ended, or the notebook's time was up, before this cell's turn."""


class CellTimedOut(Exception):  # noqa: N818
    """The cell used up its time."""


class AnswersDiffer(Exception):  # noqa: N818
    """The cell printed other values than the stored ones."""


class NotebookFile(IPyNbFile):  # type: ignore[misc]
    """A notebook in memory whose kernel is the given one, whatever its metadata asks for."""

    nb: NotebookNode
    start_seconds: float
    ends_at: float

    def setup(self) -> None:
        """Wait for the kernel; the notebook's time runs from there."""
        self.kernel.connect(self.start_seconds)
        self.ends_at = time.monotonic() + self.kernel.limits.total_seconds

    def collect(self) -> Iterator[NotebookCell]:
        """Yield the code cells, with no option that a tag or a comment of theirs sets."""
        code_cells = (cell for cell in self.nb.cells if cell.cell_type == "code")
        for number, cell in enumerate(code_cells):
            item: NotebookCell = NotebookCell.from_parent(
                self, name=cell["id"], cell_num=number, cell=cell, options=defaultdict(bool)
            )
            yield item


class NotebookCell(IPyNbCell):  # type: ignore[misc]
    """One code cell: run by nbval, judged by its value lines and by the kernel's reply."""

    @property
    def location(self) -> tuple[str, int, str]:
        """Where the cell stands, for reports of pytest's that nobody reads: found at no cost."""
        return self.path.name, self.cell_num, self.name

    def setup(self) -> None:
        """Leave no mark of an earlier cell's timeout on this one."""

    def runtest(self) -> None:
        """Run the cell. Raises what stands between it and "passed"."""
        kernel: GuardedKernel = self.parent.kernel
        seconds = min(kernel.limits.cell_seconds, self.parent.ends_at - time.monotonic())
        if seconds <= 0:
            kernel.give_up("timed_out", "the time for the whole notebook was up")
        if not kernel.is_alive():
            kernel.give_up("kernel_died", "the kernel ended between two cells")
        if kernel.ended:
            raise CellNotRun
        self.config.option.nbval_cell_timeout = seconds
        self.output_timeout = INTERRUPT_SECONDS
        kernel.deadline = time.monotonic() + seconds + INTERRUPT_SECONDS
        self.parent.timed_out = False
        try:
            super().runtest()
        except NbCellError:
            if not self.parent.timed_out:
                raise
        if self.parent.timed_out:
            # Also when the cell came to a good end after it was interrupted.
            raise CellTimedOut(f"the cell did not finish within {seconds:g} s")
        self._judge()

    def _judge(self) -> None:
        if self.parent.kernel.reply_status != "ok":
            raise NbCellError(self.cell_num, "the kernel reported an error", self.cell.source)
        expected = answer_lines(_stdout(self.cell.outputs))
        graded = self.cell.metadata.get("nbgrader", {}).get("grade", False)
        if graded and not expected:
            raise AnswersDiffer("this check has no stored values to compare with")
        if not same_lines(expected, answer_lines(_stdout(self.test_outputs))):
            raise AnswersDiffer("other values were printed than the expected ones")

    def record(self, error: BaseException | None, seconds: float) -> dict[str, Any]:
        """Return the cell's outcome as RunOutcome's reader takes it."""
        shown = str(error or "")
        raised = [out for out in self.test_outputs or () if out["output_type"] == "error"]
        if error is None:
            status = "passed"
        elif isinstance(error, CellNotRun):
            status = "not_run"
        elif isinstance(error, CellTimedOut):
            status = "timed_out"
        elif isinstance(error, KernelStopped):
            status = "timed_out" if error.ended == "timed_out" else "error"
        elif isinstance(error, AnswersDiffer):
            status = "failed"
        else:
            status = "error"
            if raised:
                shown = f"{raised[0]['ename']}: {raised[0]['evalue']}"
        return {
            "cell_id": self.cell["id"],
            "status": status,
            "stdout": _stdout(self.test_outputs or ()),
            "error": shown[:_ERROR_CHARACTERS],
            "seconds": round(seconds, 3),
        }


class Session:
    """A pytest plugin: one session that runs a notebook for each job, until there is none left."""

    def __init__(
        self,
        jobs: Iterator[dict[str, Any]],
        kernels: Iterator[GuardedKernel],
        start_seconds: float,
        emit: Emit,
    ) -> None:
        """kernels: one for each job, started or soon to be; start_seconds: how long it may need."""
        self.jobs, self.kernels, self.start_seconds, self.emit = jobs, kernels, start_seconds, emit
        self._job = 0
        self._timed_out = ""

    def pytest_configure(self, config: pytest.Config) -> None:
        """Give nbval the one option that it takes from the terminal reporter."""
        config.option.color = "no"

    def pytest_collection(self) -> bool:
        """Collect nothing from disk."""
        return True

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the jobs, as they come."""
        for job in self.jobs:
            self._job, self._timed_out = job["job"], ""
            kernel = next(self.kernels)
            _run(session, self._file(session, job["notebook"], kernel))
            self._end(kernel)
        return True

    def _file(
        self, session: pytest.Session, notebook: dict[str, Any], kernel: GuardedKernel
    ) -> NotebookFile:
        file: NotebookFile = NotebookFile.from_parent(
            session, path=session.config.rootpath / "notebook.ipynb"
        )
        file.nb = nbformat.from_dict(notebook)
        file.kernel, file.start_seconds = kernel, self.start_seconds
        return file

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Emit a cell's outcome as soon as it is known: the worker may be stopped any moment."""
        error = call.excinfo.value if call.excinfo else None
        if call.when == "call" and isinstance(item, NotebookCell):
            record = item.record(error, call.duration)
            if record["status"] == "timed_out":
                self._timed_out = record["error"]
            self.emit({"job": self._job, **record})

    def _end(self, kernel: GuardedKernel) -> None:
        """Emit how the run ended: the kernel's own end counts for more than a slow cell."""
        ended, detail = ("timed_out", self._timed_out) if self._timed_out else ("finished", "")
        if kernel.ended:
            ended, detail = kernel.ended, kernel.detail
        self.emit({"job": self._job, "ended": ended, "detail": detail})


def _run(session: pytest.Session, file: NotebookFile) -> None:
    """Run the cells by pytest's own protocol, which sets up the file first and stops it last."""
    cells = list(file.collect())
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        session.config.hook.pytest_runtest_protocol(item=cell, nextitem=following)


def _stdout(outputs: Any) -> str:
    """Return what was printed to standard output; warnings on stderr are no part of an answer."""
    return "".join(
        out["text"] for out in outputs if out["output_type"] == "stream" and out["name"] == "stdout"
    )
