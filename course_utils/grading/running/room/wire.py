"""How a forked kernel speaks: ipykernel's messages over one socket, with no zmq and no thread.

What is printed by Python goes through a ``Stream``; what a subprocess prints, or C code, comes
by a pipe and joins it.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import select
import signal
import socket
import threading
import time
from typing import Any

from jupyter_client.session import Session

from .messages import Message, pack

FLUSH_CHARACTERS = 1 << 13
FLUSH_SECONDS = 0.2
_CHUNK = 1 << 16


class Wire(Session):
    """A Session that sends every message over one socket, and none before ``open``."""

    def __init__(self, **traits: Any) -> None:
        """traits: those of Session."""
        super().__init__(**traits)
        self._connection: socket.socket | None = None
        self._lock = threading.Lock()

    def open(self, connection: socket.socket) -> None:
        """Send over ``connection`` from now on."""
        self._connection = connection
        self.pid = os.getpid()

    def send(  # noqa: D102 (as in Session; the stream is always the one)
        self,
        stream: Any,
        msg_or_type: Message | str,
        content: Message | None = None,
        parent: Message | None = None,
        ident: Any = None,
        buffers: Any = None,
        track: bool = False,
        header: Message | None = None,
        metadata: Message | None = None,
    ) -> Message:
        message = (
            self.msg(msg_or_type, content, parent, header, metadata)
            if isinstance(msg_or_type, str)
            else msg_or_type
        )
        if self._connection is not None and os.getpid() == self.pid:
            self._put(self._connection, pack({name: message[name] for name in _SENT}))
        return message

    def _put(self, connection: socket.socket, packed: bytes) -> None:
        # An interrupt halfway would leave half a message, and the rest would be read wrongly.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with self._lock:
                connection.sendall(packed)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


_SENT = ("header", "parent_header", "content")


class Stream(io.TextIOBase):
    """Standard output or standard error, gathered into ``stream`` messages.

    kernel: the ipykernel whose current request the messages answer.
    name: "stdout" or "stderr". descriptor: where a fork of the learner's writes.
    """

    encoding = "utf-8"

    def __init__(self, kernel: Any, name: str, descriptor: int) -> None:
        """Gather nothing yet."""
        self.name, self._kernel, self._descriptor = name, kernel, descriptor
        self._lock = threading.RLock()
        self._texts: list[str] = []
        self._characters = 0
        self._gathered_since = 0.0

    def fileno(self) -> int:
        """Return the descriptor; what is written to it is gathered, too."""
        return self._descriptor

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Gather ``text``; send what was gathered when it is much, or has waited."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        if os.getpid() != self._kernel.session.pid:
            # The connection is the first process's alone.
            os.write(self._descriptor, text.encode(errors="replace"))
            return len(text)
        with self._lock:
            if not self._texts:
                self._gathered_since = time.monotonic()
            self._texts.append(text)
            self._characters += len(text)
            waited = time.monotonic() - self._gathered_since
            if self._characters > FLUSH_CHARACTERS or waited > FLUSH_SECONDS:
                self.flush()
        return len(text)

    def flush(self) -> None:
        """Send what was gathered."""
        with self._lock:
            text = "".join(self._texts)
            self._texts.clear()
            self._characters = 0
            if text:
                content = {"name": self.name, "text": text}
                self._kernel.send_response(None, "stream", content)


class Pipes:
    """Two pipes in the place of descriptors 1 and 2, read into the streams by a thread."""

    def __init__(self, stdout: Stream, stderr: Stream) -> None:
        """Put the pipes in place and start to read."""
        self._lock = threading.Lock()
        self._streams = {_pipe_from(stream.fileno()): stream for stream in (stdout, stderr)}
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {end: decoder(errors="replace") for end in self._streams}
        threading.Thread(target=self._watch, daemon=True).start()

    def drain(self) -> None:
        """Pass on what has been written so far."""
        with self._lock:
            for end in list(self._streams):
                self._pass_on(end)

    def _watch(self) -> None:
        while self._streams:
            select.select(list(self._streams), [], [])
            self.drain()

    def _pass_on(self, end: int) -> None:
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(end, _CHUNK):
                self._streams[end].write(self._decoders[end].decode(chunk))
                self._streams[end].flush()
            del self._streams[end]  # its other end was closed


def _pipe_from(descriptor: int) -> int:
    """Let ``descriptor`` be the way into a new pipe; return the way out."""
    out, into = os.pipe()
    os.dup2(into, descriptor)
    os.close(into)
    os.set_blocking(out, False)
    return out
