"""The connection that `course lab` gives to JupyterLab."""

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

from course_utils.cli import lab
from course_utils.lab_websocket import PromptConnection


def test_messages_are_sent_at_once_before_the_kernel_is_connected(monkeypatch):
    calls = []

    class Handler:
        def set_nodelay(self, value):
            calls.append(("nodelay", value))

    monkeypatch.setattr(
        ZMQChannelsWebsocketConnection, "connect", lambda self: calls.append("connected")
    )
    connection = PromptConnection.__new__(PromptConnection)
    monkeypatch.setattr(PromptConnection, "websocket_handler", Handler())
    connection.connect()
    assert calls == [("nodelay", True), "connected"]


def test_the_command_names_this_class():
    module, _, name = lab.PROMPT_CONNECTION.rpartition(".")
    assert (module, name) == (PromptConnection.__module__, PromptConnection.__name__)
