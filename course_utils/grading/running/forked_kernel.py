"""A kernel forked in the forge's room, reached over one socket and watched by its process."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import struct
import time
import uuid

from course_utils.grading.running.guarded_kernel import ENVELOPE_BYTES, GuardedKernel, readable
from course_utils.grading.running.room.messages import LENGTH, pack
from course_utils.grading.running.sandbox import Limits

_CHUNK = 1 << 16
_STOP_SECONDS = 5.0
_CREDENTIALS = struct.Struct("3i")  # process, user, group


class _NotStarted(Exception):  # noqa: N818 (the name says what is so)
    pass


class ForkedKernel(GuardedKernel):
    """A GuardedKernel that the forge was asked for; ``connect`` waits until it is there."""

    def __init__(self, connection: socket.socket, *, limits: Limits) -> None:
        """connection: our end of its socket, with SO_PASSCRED."""
        super().__init__(limits)
        connection.setblocking(False)
        self._connection = connection
        self._arrived = bytearray()
        self._processes: list[int] = []  # pidfds: of the room's first process, and the kernel
        self._poller = select.poll()
        self._poller.register(connection, select.POLLIN)

    def connect(self, seconds: float) -> None:
        """Wait until the kernel answers; if it doesn't in that time, keep why in ``detail``."""
        end = time.monotonic() + seconds
        try:
            for said in ("apart", "ready"):
                self._processes.append(os.pidfd_open(self._hear(said, end)))
        except (_NotStarted, OSError) as error:
            self.give_up("sandbox_failed", f"the kernel did not start: {error}")
            return
        self._poller.register(self._processes[-1], select.POLLIN)

    def _hear(self, word: str, end: float) -> int:
        """Wait for one message of the start, and return the process that it came from."""
        if not self._poller.poll(max(0.0, 1000 * (end - time.monotonic()))):
            raise _NotStarted("it did not answer in time")
        packed, attached, _, _ = self._connection.recvmsg(_CHUNK, socket.CMSG_SPACE(12))
        if not packed:
            raise _NotStarted("the forge ended")
        message = json.loads(packed[LENGTH.size :])
        if word not in message:
            raise _NotStarted(message.get("failed", f"it said {message}"))
        process: int = _CREDENTIALS.unpack(attached[0][2])[0]
        if word == "apart":
            self.pid = process
        return process

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """Ask for a cell to be executed; return the request's id."""
        msg_id = uuid.uuid4().hex
        content = {
            "code": readable(cell_input),
            "silent": False,
            "store_history": False,
            "user_expressions": {},
            "allow_stdin": bool(allow_stdin),
            "stop_on_error": False,
        }
        header = {"msg_id": msg_id, "msg_type": "execute_request"}
        request = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self._send(pack(request))
        return msg_id

    def _send(self, packed: bytes) -> None:
        """Send it all, and read on meanwhile: who only floods must not make us wait."""
        rest = memoryview(packed)
        while rest:
            try:
                rest = rest[self._connection.send(rest) :]
            except BlockingIOError:
                self._receive()
                self._look()
                time.sleep(0.001)
            except OSError:
                self._stop("kernel_died", "the kernel ended before the cell did")

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the cell."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._processes[-1], signal.SIGINT)

    def is_alive(self) -> bool:
        """Tell whether the kernel's process runs, and can still be spoken to."""
        return not self.ended and bool(self._processes) and not _ended(self._processes[-1])

    def stop(self) -> None:
        """End the kernel at once, and all that it started."""
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(process, signal.SIGKILL)
        for process in self._processes:
            select.select([process], [], [], _STOP_SECONDS)
            os.close(process)
        self._processes.clear()
        self._connection.close()

    def _receive(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            while chunk := self._connection.recv(_CHUNK):
                self._arrived += chunk
                self._take_messages()

    def _take_messages(self) -> None:
        while len(self._arrived) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._arrived)
            if length > self.limits.output_bytes + ENVELOPE_BYTES:
                self._stop_flood()  # one message was larger than all that may be printed
            if len(self._arrived) < LENGTH.size + length:
                return
            packed = bytes(self._arrived[LENGTH.size : LENGTH.size + length])
            del self._arrived[: LENGTH.size + length]
            self._count(length)
            self._take(packed)

    def _take(self, packed: bytes) -> None:
        with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
            message = json.loads(packed)
            message["msg_type"] = message["header"]["msg_type"]
            channel = "shell" if message["msg_type"] == "execute_reply" else "iopub"
            self._messages[channel].append(message)

    def _wait(self, seconds: float) -> None:
        self._poller.poll(1000 * seconds)


def _ended(process: int) -> bool:
    return bool(select.select([process], [], [], 0)[0])
