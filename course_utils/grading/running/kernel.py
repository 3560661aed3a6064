"""The kernel's entry point, run by path inside the sandbox, where the package is not installed.

Usage: ``python -I kernel.py -f CONNECTION_FILE`` starts ipykernel with less than usual: no
debugger, no history. ``--forge`` starts the process that forks kernels, ``--check`` goes no
further than the door. Of the course it offers ``course_utils.checks`` and nothing else.
"""

from __future__ import annotations

import importlib
import sys
import zlib
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType
from typing import Any


class OnlyChecks(MetaPathFinder):
    """Says in one line that the lessons' own code is not there while answers are checked.

    A courtesy: what keeps it away from a hand-in is that the sandbox doesn't hold it.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        """Let every other module pass. Raises ModuleNotFoundError for the lessons' code."""
        if fullname.startswith("course_utils.") and fullname != "course_utils.checks":
            raise ModuleNotFoundError(
                f"{fullname} is not available while answers are checked. "
                "Write the computation yourself; course_utils.checks may be imported.",
                name=fullname,
            )


def _code_name(_: Any, raw_code: str, *__: Any) -> str:
    """Name a cell's code by a hash, as ipykernel does, which computes its own slowly, in Python."""
    return f"<cell {zlib.crc32(raw_code.encode(errors='replace')):08x}>"


def main() -> None:
    """Start what the arguments ask for."""
    here = Path(__file__).resolve().parent
    what = sys.argv[1:]
    if (here / "course_utils").is_dir():  # in the sandbox, not in the package
        sys.path.insert(0, str(here))
        if what != ["--forge"]:  # whose forks refuse for themselves
            importlib.import_module("room.syscalls").refuse_needless_calls()
    if what == ["--check"]:
        print("the room is open")
        return
    sys.meta_path.insert(0, OnlyChecks())
    # ipykernel imports the debugger when it can be imported: a fifth of a second for nothing.
    sys.modules["debugpy"] = None  # type: ignore[assignment]
    from ipykernel.compiler import XCachingCompiler
    from ipykernel.zmqshell import ZMQInteractiveShell

    XCachingCompiler.get_code_name = _code_name  # type: ignore[method-assign]
    # exit() would end the kernel a tenth of a second later, and cost other questions their points.
    ZMQInteractiveShell.ask_exit = lambda shell: None  # type: ignore[method-assign]
    if what == ["--forge"]:
        sys.path.insert(0, "")  # as ipykernel's application does
        importlib.import_module("room.forge").main()
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance(["--HistoryManager.enabled=False", *what])


if __name__ == "__main__":
    main()
