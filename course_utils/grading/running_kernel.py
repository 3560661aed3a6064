"""nbval's kernel, watched: its time, its memory, its output, and whether it lives.

nbval waits for a message with one long timeout. Here every wait is cut into short ones, and
between them the kernel is looked at. What it prints is read while it prints, so that a flood
is stopped before it fills the worker's memory.
"""

from __future__ import annotations

import contextlib
import math
import subprocess
import time
from collections import deque
from pathlib import Path
from queue import Empty
from typing import IO, Any, NoReturn

import zmq
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from nbval.kernel import RunningKernel
from zmq.utils.monitor import recv_monitor_message

from course_utils.grading.processes import end_tree, memory_used
from course_utils.grading.sandbox import Limits

POLL_SECONDS = 0.1
_IOPUB_SECONDS = 0.05  # the subscription may be a moment later than the first reply
_ENVELOPE_BYTES = 1000  # ids, signature and headers of a message: no part of what is printed
_LEAST_BYTES = 256  # what a message counts at least, since each costs time and memory


class KernelStopped(Exception):  # noqa: N818 (an end, not always an error)
    """The kernel came to its end; ``ended`` says how, in the words of RunOutcome."""

    def __init__(self, ended: str, detail: str) -> None:
        """ended: one of RunOutcome's words; detail: a sentence."""
        super().__init__(detail)
        self.ended = ended
        self.detail = detail


class _OneKernel(KernelSpecManager):
    """Knows one kernel, whatever name a notebook asks for."""

    argv: list[str]

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(
            argv=self.argv,
            display_name="course",
            language="python",
            # A signal would end in the sandbox's own session, where no one hears it.
            interrupt_mode="message",
        )


class GuardedKernel(RunningKernel):  # type: ignore[misc]
    """A RunningKernel that raises KernelStopped as soon as a limit is met.

    Its process starts at once; ``connect`` waits until it answers.

    argv: the command that starts it. folder: where its sockets are; a short path.
    deadline: the moment, on the monotonic clock, when it is stopped whatever it does.
    ended, detail: how it ended, "" while it lives.
    reply_status: the status of the last reply to an execute request.
    """

    def __init__(self, argv: list[str], folder: Path, *, limits: Limits, log: IO[bytes]) -> None:
        """Start the kernel's process; log: where its standard error goes."""
        self.limits, self.log = limits, log
        self.ended = self.detail = self.reply_status = ""
        self.deadline = math.inf
        self._bytes = 0
        self._looked_at_memory = 0.0
        specs = _OneKernel()
        specs.argv = argv
        self.km = KernelManager(
            kernel_name="course",
            kernel_spec_manager=specs,
            transport="ipc",
            ip=str(folder / "k"),
            connection_file=str(folder / "kernel.json"),
        )
        # Its standard output must not be the worker's, which carries the verdicts.
        nothing = subprocess.DEVNULL
        self.km.start_kernel(stdin=nothing, stdout=nothing, stderr=log, cwd=str(folder))
        provisioner = self.km.provisioner
        assert isinstance(provisioner, LocalProvisioner)
        assert provisioner.process is not None
        self._process = provisioner.process

    def connect(self, seconds: float) -> None:
        """Wait until the kernel answers. Raises KernelStopped if it doesn't in that time."""
        self._open_channels()
        try:
            self._handshake(seconds)
        except KernelStopped as stopped:
            self.log.seek(0)
            said = self.log.read()[-2000:].decode(errors="replace").strip()
            self.ended = "sandbox_failed"
            self.detail = f"the kernel did not start: {stopped.detail}. {said}".strip()

    def _open_channels(self) -> None:
        context = zmq.Context()
        context.setsockopt(zmq.LINGER, 0)
        context.setsockopt(zmq.RECONNECT_IVL, 5)  # ms; the sockets' files appear any moment
        context.setsockopt(zmq.MAXMSGSIZE, self.limits.output_bytes + _ENVELOPE_BYTES)
        self.kc = self.km.client(context=context)
        self.kc.start_channels(stdin=False, hb=False)
        self._sockets = {
            "shell": self.kc.shell_channel.socket,
            "iopub": self.kc.iopub_channel.socket,
        }
        self._messages: dict[str, deque[dict[str, Any]]] = {name: deque() for name in self._sockets}
        self._monitors = [
            socket.get_monitor_socket(zmq.EVENT_DISCONNECTED) for socket in self._sockets.values()
        ]
        self._poller = zmq.Poller()
        for socket in [*self._sockets.values(), *self._monitors]:
            self._poller.register(socket, zmq.POLLIN)

    def _handshake(self, seconds: float) -> None:
        """Wait until a request is answered on both channels."""
        end = time.monotonic() + seconds
        while True:
            msg_id = self.kc.kernel_info()
            try:
                self.await_reply(msg_id, timeout=end - time.monotonic())
            except Empty:
                self._stop("sandbox_failed", f"the kernel did not answer within {seconds:g} s")
            with contextlib.suppress(Empty):
                self.await_idle(msg_id, _IOPUB_SECONDS)
                return

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
            self._poller.poll(int(1000 * min(POLL_SECONDS, left)) + 1)

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """Wait for the reply to a request, ``timeout`` seconds in all, and keep its status."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            message = self.get_message("shell", timeout=end - time.monotonic())
            if message["parent_header"].get("msg_id") == msg_id:
                self.reply_status = str(message["content"].get("status"))
                return

    def stop(self) -> None:
        """End the kernel at once, and all that it started."""
        end_tree(self._process.pid)
        self._process.kill()
        self._process.wait()
        self.kc.stop_channels()

    def give_up(self, ended: str, detail: str) -> None:
        """End the kernel, unless it has ended, and keep why."""
        if not self.ended:
            self.stop()
            self.ended, self.detail = ended, detail

    def is_alive(self) -> bool:
        """Tell whether the kernel's process runs."""
        return not self.ended and self._process.poll() is None

    def _receive(self) -> None:
        """Take what has arrived. What can't be read is a forgery, and is dropped."""
        for name, socket in self._sockets.items():
            while True:
                try:
                    frames = socket.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    break
                size = sum(map(len, frames))
                self._bytes += max(_LEAST_BYTES, size - _ENVELOPE_BYTES)
                if self._bytes > self.limits.output_bytes:
                    self._stop_flood()
                with contextlib.suppress(Exception):
                    _, signed = self.kc.session.feed_identities(frames)
                    self._messages[name].append(self.kc.session.deserialize(signed))

    def _look(self) -> None:
        now = time.monotonic()
        if self._disconnected() and self._lives_on():
            self._stop_flood()  # one message was larger than all that may be printed
        if not self.is_alive():
            self._stop("kernel_died", "the kernel ended before the cell did")
        if now > self.deadline:
            self._stop("timed_out", "the cell did not stop when it was asked to")
        if now - self._looked_at_memory >= POLL_SECONDS:
            self._looked_at_memory = now
            used = memory_used(self._process.pid, self.limits.memory_bytes)
            if used > self.limits.memory_bytes:
                self._stop("memory_limit", f"more than {self.limits.memory_bytes} bytes were used")

    def _disconnected(self) -> bool:
        ready = [monitor for monitor in self._monitors if monitor.poll(0)]
        for monitor in ready:
            recv_monitor_message(monitor)
        return bool(ready)

    def _lives_on(self) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.5)
        return self.is_alive()

    def _stop_flood(self) -> NoReturn:
        self._stop("output_limit", f"more than {self.limits.output_bytes} bytes were printed")

    def _stop(self, ended: str, detail: str) -> NoReturn:
        self.give_up(ended, detail)
        raise KernelStopped(ended, detail)
