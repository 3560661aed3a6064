"""A kernel of its own process, which jupyter_client starts and speaks to over zmq's sockets."""

from __future__ import annotations

import contextlib
import subprocess
import time
from pathlib import Path
from queue import Empty
from typing import IO

import zmq
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from zmq.utils.monitor import recv_monitor_message

from course_utils.grading.running.guarded_kernel import (
    ENVELOPE_BYTES,
    GuardedKernel,
    KernelStopped,
    readable,
)
from course_utils.grading.running.processes import end_tree
from course_utils.grading.running.sandbox import Limits

_IOPUB_SECONDS = 0.05  # the subscription may be a moment later than the first reply


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


class ColdKernel(GuardedKernel):
    """A GuardedKernel whose process starts at once; ``connect`` waits until it answers.

    argv: the command that starts it. folder: where its sockets are; a short path.
    """

    def __init__(self, argv: list[str], folder: Path, *, limits: Limits, log: IO[bytes]) -> None:
        """Start the kernel's process; log: where its standard error goes."""
        super().__init__(limits)
        self.log = log
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
        self.pid = self._process.pid

    def connect(self, seconds: float) -> None:
        """Wait until the kernel answers; if it doesn't in that time, keep why in ``detail``."""
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
        context.setsockopt(zmq.MAXMSGSIZE, self.limits.output_bytes + ENVELOPE_BYTES)
        self.kc = self.km.client(context=context)
        self.kc.start_channels(stdin=False, hb=False)
        self._sockets = {
            "shell": self.kc.shell_channel.socket,
            "iopub": self.kc.iopub_channel.socket,
        }
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

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """Ask for a cell to be executed; return the request's id."""
        msg_id: str = super().execute_cell_input(readable(cell_input), allow_stdin)
        return msg_id

    def stop(self) -> None:
        """End the kernel at once, and all that it started."""
        end_tree(self._process.pid)
        self._process.kill()
        self._process.wait()
        self.kc.stop_channels()

    def is_alive(self) -> bool:
        """Tell whether the kernel's process runs."""
        return not self.ended and self._process.poll() is None

    def _receive(self) -> None:
        for name, socket in self._sockets.items():
            while True:
                try:
                    frames = socket.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    break
                self._count(sum(map(len, frames)))
                with contextlib.suppress(Exception):
                    _, signed = self.kc.session.feed_identities(frames)
                    self._messages[name].append(self.kc.session.deserialize(signed))

    def _wait(self, seconds: float) -> None:
        self._poller.poll(int(1000 * seconds) + 1)

    def _look(self) -> None:
        if self._disconnected() and self._lives_on():
            self._stop_flood()  # one message was larger than all that may be printed
        super()._look()

    def _disconnected(self) -> bool:
        ready = [monitor for monitor in self._monitors if monitor.poll(0)]
        for monitor in ready:
            recv_monitor_message(monitor)
        return bool(ready)

    def _lives_on(self) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.5)
        return self.is_alive()
