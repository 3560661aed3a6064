"""The forge from outside: kernels that are ready in milliseconds, forked from one warm process.

What runs in its room is ``room.forge``.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Sequence
from typing import IO

from course_utils.grading.running.forked_kernel import ForkedKernel
from course_utils.grading.running.sandbox import Limits


class ForgeClosed(Exception):  # noqa: N818 (the name says what is so)
    """The forge has ended, and no kernel is to be had from it; a cold one may still be."""


class Forge:
    """A process that forks kernels on request.

    It ends with ``close``, or with the thread that made it.
    """

    def __init__(self, command: Sequence[str], *, log: IO[bytes]) -> None:
        """Start it. command: ``Sandbox.forge_command``; log: where its standard error goes."""
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                list(command), stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=log
            )

    def kernel(self, limits: Limits) -> ForkedKernel:
        """Ask for a kernel, without waiting for it: ``connect`` does. Raises ForgeClosed."""
        ours, theirs = socket.socketpair()
        # The sender of each message is then named by its number in this process's namespace.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        share = {
            "memory_bytes": limits.memory_bytes,
            "disk_bytes": limits.disk_bytes,
            "processes": limits.processes,
            "cpu_seconds": limits.cpu_seconds,
        }
        with theirs:
            try:
                socket.send_fds(self._control, [json.dumps(share).encode()], [theirs.fileno()])
            except OSError as error:
                ours.close()
                raise ForgeClosed(f"the forge has ended: {error}") from error
        return ForkedKernel(ours, limits=limits)

    def close(self) -> None:
        """End the forge and all its kernels."""
        self._control.close()
        self._process.kill()
        self._process.wait()
