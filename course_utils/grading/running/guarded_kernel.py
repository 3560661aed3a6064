"""nbval's kernel, watched: its time, its memory, its output, and whether it lives.

nbval waits for a message with one long timeout. Here every wait is cut into short ones, and
between them the kernel is looked at. What it prints is read while it prints, so that a flood
is stopped before it fills the worker's memory.
"""

from __future__ import annotations

import math
import time
from collections import deque
from queue import Empty
from typing import Any, NoReturn

from nbval.kernel import RunningKernel

from course_utils.grading.running.processes import memory_used
from course_utils.grading.running.sandbox import Limits

POLL_SECONDS = 0.1
ENVELOPE_BYTES = 1000  # ids, signature and headers of a message: no part of what is printed
_LEAST_BYTES = 256  # what a message counts at least, since each costs time and memory


class KernelStopped(Exception):  # noqa: N818 (an end, not always an error)
    """The kernel came to its end; ``ended`` says how, in the words of RunOutcome."""

    def __init__(self, ended: str, detail: str) -> None:
        """ended: one of RunOutcome's words; detail: a sentence."""
        super().__init__(detail)
        self.ended = ended
        self.detail = detail


class GuardedKernel(RunningKernel):  # type: ignore[misc]
    """A RunningKernel that raises KernelStopped as soon as a limit is met.

    A subclass says how messages come in, and how the process is watched and stopped.

    deadline: the moment, on the monotonic clock, when it is stopped whatever it does.
    ended, detail: how it ended, "" while it lives.
    reply_status: the status of the last reply to an execute request.
    pid: the process that, with its descendants, may use the memory.
    """

    pid: int

    def __init__(self, limits: Limits) -> None:
        """limits: what the notebook may use."""
        self.limits = limits
        self.ended = self.detail = self.reply_status = ""
        self.deadline = math.inf
        self._messages: dict[str, deque[dict[str, Any]]] = {"shell": deque(), "iopub": deque()}
        self._bytes = 0
        self._looked_at_memory = time.monotonic()

    def connect(self, seconds: float) -> None:
        """Wait until the kernel answers; if it doesn't in that time, keep why in ``detail``."""
        raise NotImplementedError

    def is_alive(self) -> bool:
        """Tell whether the kernel's process runs."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the kernel at once, and all that it started."""
        raise NotImplementedError

    def _receive(self) -> None:
        """Take what has arrived. What can't be read is a forgery, and is dropped."""
        raise NotImplementedError

    def _wait(self, seconds: float) -> None:
        """Return when something has arrived, or after that time."""
        raise NotImplementedError

    def get_message(self, stream: str, timeout: float | None = None) -> dict[str, Any]:
        """Return the next message. Raises Empty after ``timeout`` seconds, or KernelStopped."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            self._receive()
            if self._messages[stream]:
                return self._messages[stream].popleft()
            self._look()
            left = end - time.monotonic()
            if left <= 0:
                raise Empty
            self._wait(min(POLL_SECONDS, left))

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """Wait for the reply to a request, ``timeout`` seconds in all, and keep its status."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            message = self.get_message("shell", timeout=end - time.monotonic())
            if message["parent_header"].get("msg_id") == msg_id:
                self.reply_status = str(message["content"].get("status"))
                return

    def give_up(self, ended: str, detail: str) -> None:
        """End the kernel, unless it has ended, and keep why."""
        if not self.ended:
            self.stop()
            self.ended, self.detail = ended, detail

    def _count(self, size: int) -> None:
        """Add a message of ``size`` bytes to what was printed."""
        self._bytes += max(_LEAST_BYTES, size - ENVELOPE_BYTES)
        if self._bytes > self.limits.output_bytes:
            self._stop_flood()

    def _look(self) -> None:
        """Raise KernelStopped if the kernel has ended or must end."""
        now = time.monotonic()
        if not self.is_alive():
            self._stop("kernel_died", "the kernel ended before the cell did")
        if now > self.deadline:
            self._stop("timed_out", "the cell did not stop when it was asked to")
        if now - self._looked_at_memory >= POLL_SECONDS:
            self._looked_at_memory = now
            used = memory_used(self.pid, self.limits.memory_bytes)
            if used > self.limits.memory_bytes:
                self._stop("memory_limit", f"more than {self.limits.memory_bytes} bytes were used")

    def _stop_flood(self) -> NoReturn:
        self._stop("output_limit", f"more than {self.limits.output_bytes} bytes were printed")

    def _stop(self, ended: str, detail: str) -> NoReturn:
        self.give_up(ended, detail)
        raise KernelStopped(ended, detail)


def readable(source: str) -> str:
    """Return ``source`` without half surrogate pairs: in a comment they shall do no harm."""
    return source.encode(errors="replace").decode()
