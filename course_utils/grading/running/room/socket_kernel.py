"""ipykernel's kernel, spoken to over one socket: no zmq, and no thread before a cell may run."""

# ipykernel's own methods are not typed
# mypy: allow-untyped-calls

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from types import SimpleNamespace
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from tornado.ioloop import IOLoop
from traitlets.config import Config
from traitlets.log import get_logger

from .messages import Message, receive
from .shell import Shell
from .wire import Pipes, Stream, Wire


class SocketKernel(IPythonKernel):
    """Answers execute requests; made before a fork, and served in it."""

    def __init__(self, **traits: Any) -> None:
        """traits: those of IPythonKernel."""
        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.xmode = "Minimal"  # of a traceback only the last line is kept
        self.wire = Wire()
        super().__init__(
            config=config, session=self.wire, shell_class=Shell, log=get_logger(), **traits
        )
        self._execute_sleep = 0.0  # a wait for zmq's threads
        self.streams = Stream(self, "stdout", 1), Stream(self, "stderr", 2)
        self.pipes: Pipes | None = None

    def warm_up(self, sources: tuple[str, ...]) -> None:
        """Run cells of our own, so that what they import and build is there; then forget them."""
        header = {"msg_id": "warm-up", "msg_type": "execute_request"}
        stdout, stderr = self.streams
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            for source in sources:
                content = {"code": source, "store_history": False, "stop_on_error": False}
                asyncio.run(self.answer({"header": header, "metadata": {}, "content": content}))
        shell: Any = self.shell
        shell.reset(new_session=False)
        for name in ("last_type", "last_value", "last_traceback"):
            vars(sys).pop(name, None)

    def open(self, connection: socket.socket) -> None:
        """Speak over ``connection`` from now on, and gather what is written to descriptors."""
        sys.stdout, sys.stderr = self.streams
        self.wire.open(connection)
        self.pipes = Pipes(*self.streams)

    async def serve(self, connection: socket.socket) -> None:
        """Answer requests until the connection ends."""
        process = os.getpid()
        self.io_loop = IOLoop.current()
        # Asked for where a cell awaits: only in this thread can an interrupt cancel it.
        self.shell_channel_thread = SimpleNamespace(parent_thread=threading.current_thread())
        while True:
            await _readable(connection)
            request = receive(connection)
            if request is None:
                return
            await self.answer(request)
            if os.getpid() != process:
                os._exit(0)  # a fork of the learner's that came back from the cell

    async def answer(self, request: Message) -> None:
        """Execute a cell as ipykernel does: what it prints, the reply, idle."""
        shell: Any = self.shell
        shell.next_cell(request["content"]["code"])
        self.set_parent([], request)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):  # one that came after the cell's end
            await self.execute_request(None, [], request)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if self.pipes is not None:
            self.pipes.drain()
        for stream in self.streams:
            stream.flush()
        self._publish_status("idle", "shell")

    def _publish_execute_input(self, *_: Any) -> None:
        """Send nothing: this tells other clients what was run, and there are none."""


async def _readable(connection: socket.socket) -> None:
    """Wait for something to read, while tasks of earlier cells go on."""
    arrived = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(connection, arrived.set)
    await arrived.wait()
    loop.remove_reader(connection)
