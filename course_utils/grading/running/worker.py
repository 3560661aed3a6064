"""A worker: runs notebooks with pytest and nbval, in a room of its own.

Started by ``WorkerProcess``, as a module. Standard input brings one JSON object a line: first the
setting, then a job each. Standard output answers each job with a record for each cell, then one
that says how the run ended, and carries nothing else: what pytest or nbval print goes to standard
error. The worker ends when its input does.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.grading.running.sandbox import Limits

if TYPE_CHECKING:
    from course_utils.grading.running.forge import Forge
    from course_utils.grading.running.guarded_kernel import GuardedKernel

Emit = Callable[[dict[str, Any]], None]

# What a session that outlives its jobs must not gather, or no cell has a use for.
_UNUSED_PLUGINS = (
    *("assertion", "cacheprovider", "capture", "debugging", "doctest", "faulthandler", "junitxml"),
    *("logging", "pastebin", "recwarn", "setuponly", "setupplan", "skipping", "stepwise"),
    *("subtests", "terminal", "threadexception", "tmpdir", "unittest", "unraisableexception"),
    "warnings",
)
# What jsonschema imports where it can, for addresses, colours and dates: up to a second in all.
# A notebook's schema has none.
_UNUSED_FORMATS = ("fqdn", "isoduration", "rfc3987_syntax", "uri_template", "webcolors")
PYTEST_OPTIONS = (
    # Nothing that may lie about configures the run: no ini file, no conftest.py, no plugin.
    *("-c", os.devnull, "--noconftest", "-p", "nbval.plugin"),
    *(part for name in _UNUSED_PLUGINS for part in ("-p", f"no:{name}")),
)


def main() -> None:
    """Run the jobs on standard input."""
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        del os.environ[name]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    emit = _emitter()
    setting = json.loads(sys.stdin.readline())
    # Imported while the kernel starts: they take as long.
    kernels = _kernels(setting)
    import pytest

    from course_utils.grading.running.nbval_adapter import Session

    session = Session(map(json.loads, sys.stdin), kernels, setting["start_seconds"], emit)
    folder = setting["folder"]
    code = pytest.main([*PYTEST_OPTIONS, "--rootdir", folder, folder], plugins=[session])
    # Nothing is left to be tidied up that the end of the process doesn't; it takes a while.
    os._exit(int(code))


def _emitter() -> Emit:
    """Keep standard output to the records: whatever else is printed goes to standard error."""
    results = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def emit(record: dict[str, Any]) -> None:
        results.write(json.dumps(record) + "\n")
        results.flush()

    return emit


def _kernels(setting: dict[str, Any]) -> Iterator[GuardedKernel]:
    """Return the kernels of the jobs to come; what starts them has been started."""
    for name in _UNUSED_FORMATS:
        sys.modules[name] = None  # type: ignore[assignment]
    limits = Limits(**setting["limits"])
    log = tempfile.TemporaryFile()  # noqa: SIM115 (the kernels', as long as the worker lives)
    if "forge_argv" in setting:
        from course_utils.grading.running.forge import Forge

        return _forked(Forge(setting["forge_argv"], log=log), limits)
    from course_utils.grading.running.running_kernel import ColdKernel

    return iter(
        [ColdKernel(setting["kernel_argv"], Path(setting["folder"]), limits=limits, log=log)]
    )


def _forked(forge: Forge, limits: Limits) -> Iterator[GuardedKernel]:
    """Yield kernels without end; each has been asked for while the one before it was at work."""
    following = forge.kernel(limits)
    while True:
        kernel, following = following, forge.kernel(limits)
        yield kernel


if __name__ == "__main__":
    main()
