"""A process and all that it started: how much memory they use together, and their end."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil


def memory_used(pid: int, enough: int) -> int:
    """Return the bytes of memory that a process and its descendants occupy together.

    Resident sizes count a page once for each process that shares it, so a handful of forks looks
    large. Only when that sum exceeds ``enough`` are the shared pages told apart, which is slower.
    """
    family = _family(pid)
    resident = sum(map(_resident, family))
    return resident if resident <= enough else sum(map(_proportional, family))


def end_tree(pid: int) -> None:
    """Kill a process and its descendants."""
    for process in _family(pid):
        with contextlib.suppress(psutil.Error):
            process.kill()


def _family(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    return []


def _resident(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def _proportional(process: psutil.Process) -> int:
    try:
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return 1024 * int(line.split()[1])
    except (OSError, ValueError):
        pass
    return _resident(process)
