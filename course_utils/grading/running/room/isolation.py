"""A fork in namespaces of its own: it sees no other process, file, socket or host name.

What bubblewrap does for a room, done once more for each kernel within the room of the forge, in
a few thousandths of a second. In order: new namespaces of every kind; a map of the one user; an
empty /tmp and /dev/shm and a /proc of its own; limits; then no privilege is left, and none can
be had again. Sources: Linux's user_namespaces(7), pid_namespaces(7), capabilities(7).
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import fcntl
import os
import platform
import resource
import signal
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

from .syscalls import refuse_needless_calls

SHARED_MEMORY_BYTES = 1 << 20
OPEN_FILES = 256

# From the headers linux/sched.h, sys/mount.h, linux/prctl.h, linux/capability.h, linux/sockios.h.
_CLONE = {"x86_64": 56, "aarch64": 220}
_NEW_NAMESPACES = (
    0x00020000  # mount
    | 0x02000000  # control groups
    | 0x04000000  # host name
    | 0x08000000  # System V objects
    | 0x10000000  # user
    | 0x20000000  # process
    | 0x40000000  # network
)
_NOSUID, _NODEV, _NOEXEC, _BIND, _RECURSIVE = 2, 4, 8, 0x1000, 0x4000
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 24, 38, 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1

_libc = ctypes.PyDLL(None, use_errno=True)


@dataclass(frozen=True)
class Share:
    """What one kernel may use: bytes, processes (threads count) and seconds of processor time."""

    memory_bytes: int
    disk_bytes: int
    processes: int
    cpu_seconds: int


def fork_apart() -> int:
    """Fork into new namespaces of every kind; return 0 in the child, its process id in the parent.

    The child is the first process of its process namespace: when it ends, all others there end.
    The caller must have one thread only. Raises OSError where namespaces are refused.
    """
    number = _CLONE.get(platform.machine())
    if number is None:
        raise OSError(f"no number of the call clone is known for {platform.machine()}")
    # The C library's fork takes no flags, and to unshare first would cost another fork.
    return _checked("clone", _libc.syscall(number, _NEW_NAMESPACES | signal.SIGCHLD, 0, 0, 0, 0))


def mounts_below(folder: str) -> list[str]:
    """Return the outermost mount points below ``folder``: what an empty one would hide."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = sorted(point for line in lines if (point := line.split()[4]).startswith(f"{folder}/"))
    found: list[str] = []
    for point in points:
        if not found or not point.startswith(f"{found[-1]}/"):
            found.append(point)
    return found


def settle(share: Share, trees: list[str], user: int, group: int) -> None:
    """Make the child's namespaces its own and give up every privilege.

    trees: the mount points below /tmp, which stay. user, group: the ids that it had before it was
    forked, which it keeps.
    Raises OSError at the first step that is refused.
    """
    _map_ids(user, group)
    _mount("proc", "/proc", _NOSUID | _NODEV | _NOEXEC, "")
    _mount("devpts", "/dev/pts", _NOSUID | _NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    _mount("tmpfs", "/dev/shm", _NOSUID | _NODEV, f"mode=1777,size={SHARED_MEMORY_BYTES}")
    _empty_tmp(trees, f"mode=1777,size={share.disk_bytes}")
    _start_loopback()
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
    os.setsid()
    _set_limits(share)
    _drop_capabilities()
    refuse_needless_calls()


def keep_house(child: int) -> None:
    """Be the first process of a namespace: reap what ends, and end when ``child`` does."""
    with contextlib.suppress(ChildProcessError):
        while os.wait()[0] != child:
            pass
    os._exit(0)


def _map_ids(user: int, group: int) -> None:
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _mount(source: str, target: str, flags: int, options: str) -> None:
    """Mount a file system of the kind ``source``, or with ``_BIND`` the folder of that name."""
    done = _libc.mount(source.encode(), target.encode(), source.encode(), flags, options.encode())
    _checked(f"mount {target}", done)


def _empty_tmp(trees: list[str], options: str) -> None:
    opened = {tree: os.open(tree, os.O_PATH | os.O_DIRECTORY) for tree in trees}
    _mount("tmpfs", "/tmp", _NOSUID | _NODEV, options)
    for tree, descriptor in opened.items():
        Path(tree).mkdir(parents=True)
        _mount(f"/proc/self/fd/{descriptor}", tree, _BIND | _RECURSIVE, "")
        os.close(descriptor)
    os.chdir("/tmp")  # the old one, below the mount, would still be at hand


def _start_loopback() -> None:
    """Let the kernel's own processes speak to each other, as they may in any room."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = array.array("B", struct.pack("16sh22x", b"lo", 0))
        fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request)
        (flags,) = struct.unpack_from("h", request, 16)
        struct.pack_into("h", request, 16, flags | _IFF_UP)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)


def _set_limits(share: Share) -> None:
    for what, most in {
        resource.RLIMIT_AS: share.memory_bytes,
        resource.RLIMIT_NPROC: share.processes,
        resource.RLIMIT_FSIZE: share.disk_bytes,
        resource.RLIMIT_CPU: share.cpu_seconds,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
    }.items():
        resource.setrlimit(what, (most, most))


def _drop_capabilities() -> None:
    """Leave no capability in any set, and none that a program could bring back."""
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for capability in range(last + 1):
        _prctl(_PR_CAPBSET_DROP, capability)
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    head = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _checked("capset", _libc.capset(head, (ctypes.c_uint32 * 6)()))
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _prctl(option: int, value: int) -> None:
    _checked(f"prctl {option}", _libc.prctl(option, *map(ctypes.c_ulong, (value, 0, 0, 0))))


def _checked(what: str, result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
