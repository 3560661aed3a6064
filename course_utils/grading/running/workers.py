"""Workers that live on: each runs many notebooks, one after another, in kernels that are forked.

A notebook whose worker or kernel fails is run once more by ``run_notebook``: alone, in a worker
and a kernel of its own. So what is called the sandbox's failure has failed in two ways.
"""

from __future__ import annotations

import atexit
import functools
import logging
import os
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from nbformat import NotebookNode

from course_utils.grading.running.run import (
    Limits,
    RunOutcome,
    Sandbox,
    ask,
    code_cell_ids,
    find_sandbox,
    run_notebook,
    setting_of_many,
)
from course_utils.grading.running.worker_process import WorkerProcess

MOST_JOBS = 500  # of one worker; what it may have gathered by then goes with it
FALSE_STARTS = 3  # workers in a row that failed at their first notebook: then no more are tried

_log = logging.getLogger(__name__)


@dataclass
class _Seat:
    """The place of one worker; empty until there is a notebook, and after the worker failed."""

    worker: WorkerProcess | None = None


class Workers:
    """At most ``size`` workers, started when they are needed. For any number of threads."""

    def __init__(self, size: int, sandbox: Sandbox, limits: Limits) -> None:
        """size: how many notebooks run at a time; who comes then waits for a seat."""
        self.size, self.sandbox, self.limits = size, sandbox, limits
        self._seats: queue.LifoQueue[_Seat] = queue.LifoQueue()
        for _ in range(size):
            self._seats.put(_Seat())
        self._false_starts = 0
        # A worker ends with the thread that starts it, and a caller's may end any time.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="starts-workers")

    def run(self, notebook: NotebookNode) -> RunOutcome:
        """Run ``notebook`` as ``run_notebook`` does, by a worker that is already there.

        Raises ValueError as it does. Whatever the cells do is an outcome, never an exception.
        """
        code_cell_ids(notebook)
        seat = self._seats.get()
        try:
            outcome = self._by_worker(seat, notebook)
            return outcome or run_notebook(notebook, limits=self.limits, sandbox=self.sandbox)
        finally:
            self._seats.put(seat)

    def close(self) -> None:
        """End the workers, each after the notebook that it runs. Further ones start anew."""
        for seat in [self._seats.get() for _ in range(self.size)]:
            _leave(seat)
            self._seats.put(seat)

    def _by_worker(self, seat: _Seat, notebook: NotebookNode) -> RunOutcome | None:
        """Return the outcome, or None if the worker or its kernel failed, or none can be had."""
        if seat.worker is None or not seat.worker.is_alive() or seat.worker.jobs >= MOST_JOBS:
            _leave(seat)
            if self._false_starts >= FALSE_STARTS:
                return None
            setting = setting_of_many(self.sandbox, self.limits)
            seat.worker = self._starter.submit(WorkerProcess, self.sandbox, setting).result()
        first = seat.worker.jobs == 0
        outcome = ask(seat.worker, notebook, limits=self.limits, sandboxed=True)
        if seat.worker.in_step and outcome.ended != "sandbox_failed":
            self._false_starts = 0
            return outcome
        _leave(seat)
        self._false_starts += first
        _log.warning("a worker failed and its notebook is run by itself: %s", outcome.detail)
        if self._false_starts == FALSE_STARTS:
            _log.warning("%s workers in a row failed: no more are started", FALSE_STARTS)
        return None


def _leave(seat: _Seat) -> None:
    if seat.worker is not None:
        seat.worker.end()
        seat.worker = None


@dataclass(frozen=True)
class PooledRunner:
    """Runs notebooks by this process's own workers; can be sent to other processes.

    hide: folders that no room shows. size: how many notebooks run at a time.
    unsandboxed: run them with the caller's own rights instead, each by a worker of its own.
    Raises SandboxUnavailable on the first notebook if no sandbox can start here.
    """

    limits: Limits = field(default_factory=Limits)
    hide: tuple[Path, ...] = ()
    unsandboxed: bool = False
    size: int = 1

    def __call__(self, notebook: NotebookNode) -> RunOutcome:
        """Run one notebook: see ``run_notebook``."""
        if self.unsandboxed:
            return run_notebook(notebook, limits=self.limits, sandbox=None)
        with _one_at_a_time:
            workers = _workers_of(os.getpid(), self)
        return workers.run(notebook)


_one_at_a_time = threading.Lock()


@functools.cache
def _workers_of(_: int, runner: PooledRunner) -> Workers:
    """Return the workers of one process: a fork of it must not speak with those of its parent."""
    sandbox = replace(find_sandbox(), hide=runner.hide)
    workers = Workers(runner.size, sandbox, runner.limits)
    atexit.register(workers.close)
    return workers
