"""Jupyter's messages over a stream socket: four bytes that give the length, then JSON.

A message has ``header`` (``msg_id``, ``msg_type``), ``parent_header`` (of the request that it
answers) and ``content``, as https://jupyter-client.readthedocs.io/en/stable/messaging.html says.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

LENGTH = struct.Struct("!I")

Message = dict[str, Any]


def pack(message: Message) -> bytes:
    """Return the bytes of a message; what JSON does not know goes in as text."""
    # Plain ASCII: half a surrogate pair, which UTF-8 does not know, passes as an escape.
    body = json.dumps(message, default=str).encode("ascii")
    return LENGTH.pack(len(body)) + body


def receive(connection: socket.socket) -> Message | None:
    """Wait for the next message of a trusted sender; None if the connection was closed."""
    size = connection.recv(LENGTH.size, socket.MSG_WAITALL)
    if len(size) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(size)
    body = connection.recv(length, socket.MSG_WAITALL)
    return None if len(body) < length else json.loads(body)
