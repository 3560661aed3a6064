"""A worker seen from outside: its process, what is said to it, and its end.

Both directions go through one pair of sockets, which have no name, so nothing is left behind,
however a run ends, and a worker whose coordinator is gone reads the end of its input.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from course_utils.grading.running.processes import end_tree
from course_utils.grading.running.sandbox import Sandbox

MOST_BYTES = 64 << 20  # in the answer to one job; a kernel's output limit is far below it
_CHUNK = 1 << 16
_LOG_CHARACTERS = 2000

Record = dict[str, Any]


class WorkerFailed(Exception):  # noqa: N818 (the name says what is so)
    """No whole answer came from the worker, which is of no more use; the message says why.

    in_time: False if it was still at work when its time was up.
    """

    def __init__(self, detail: str, *, in_time: bool = True) -> None:
        """detail: what the worker last said of itself, for the instructor."""
        super().__init__(detail)
        self.in_time = in_time


class WorkerProcess:
    """A worker in its room, given one job at a time. Not for several threads at once.

    It ends when the thread that made it ends: bubblewrap holds on to its parent thread.

    jobs: how many it was given. in_step: whether it has answered them all, in full.
    """

    def __init__(self, sandbox: Sandbox | None, setting: Record) -> None:
        """setting: what holds for all jobs, as ``worker`` reads it."""
        command = [sys.executable, "-I", "-m", "course_utils.grading.running.worker"]
        self.jobs, self.in_step = 0, True
        self._log = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 (see end)
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                sandbox.worker_command(command) if sandbox else command,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._log,
                cwd="/" if sandbox else None,
                start_new_session=True,
            )
        self._setting = setting

    def answers(self, job: Record, *, seconds: float) -> Iterator[Record]:
        """Give the job and yield its records as they come, down to the one that holds "ended".

        Raises WorkerFailed if the last has not come after ``seconds``, the worker has ended, or
        it wrote what is no record of this job.
        """
        self.jobs, self.in_step = self.jobs + 1, False
        end = time.monotonic() + seconds
        self._log.seek(0)
        self._log.truncate()  # the worker writes on from here
        lines = [self._setting] if self.jobs == 1 else []
        try:
            self._socket.settimeout(seconds)
            for line in [*lines, {**job, "job": self.jobs}]:
                self._socket.sendall(json.dumps(line).encode() + b"\n")
            yield from self._records(end)
        except TimeoutError:
            raise WorkerFailed(self._said("the worker was stopped"), in_time=False) from None
        except OSError:
            raise WorkerFailed(self._said("the worker was stopped")) from None

    def _records(self, end: float) -> Iterator[Record]:
        for line in self._lines(end):
            record = self._record(line)
            self.in_step = "ended" in record
            yield record
            if self.in_step:
                return

    def _lines(self, end: float) -> Iterator[bytes]:
        received = 0
        parts: list[bytes] = []
        while received <= MOST_BYTES:
            self._socket.settimeout(max(end - time.monotonic(), 1e-3))
            chunk = self._socket.recv(_CHUNK)
            if not chunk:
                raise WorkerFailed(self._said("the worker ended"))
            received += len(chunk)
            *lines, rest = chunk.split(b"\n")
            for line in lines:
                yield b"".join([*parts, line])
                parts.clear()
            parts.append(rest)
        raise WorkerFailed(f"the worker wrote more than {MOST_BYTES} bytes")

    def _record(self, line: bytes) -> Record:
        with contextlib.suppress(ValueError):
            record = json.loads(line)
            if isinstance(record, dict) and record.pop("job", None) == self.jobs:
                return record
        raise WorkerFailed(f"the worker wrote no record of its job: {line[:200]!r}")

    def _said(self, otherwise: str) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.1)  # its last words may be on their way
        self._log.seek(0)
        return self._log.read()[-_LOG_CHARACTERS:].strip() or otherwise

    def is_alive(self) -> bool:
        """Tell whether the worker's process runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """Stop the worker and what it started (in a sandbox, the kernel ends with its room)."""
        if self.is_alive():
            end_tree(self._process.pid)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._socket.close()
        self._log.close()
