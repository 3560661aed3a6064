"""A filter of system calls, which the kernel's process puts on itself before a learner's code runs.

Namespaces take away files, processes and the network. Left are calls whose memory no limit
counts (anonymous files, System V objects), calls that reach the host past a network namespace
(AF_VSOCK), and calls a notebook has no use for whose faults have opened sandboxes before. They
fail with EPERM. Needs ``no_new_privs``, which bubblewrap sets. Run by path: imports no sibling.
Source: Linux, Documentation/userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct

# Numbers on x86-64 and on 64-bit ARM, from the headers asm/unistd_64.h and asm-generic/unistd.h.
DENIED = {
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsmount": (432, 432),
    "open_by_handle_at": (304, 265),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
}
_SOCKET = (41, 198)
_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, 16)  # 16: AF_NETLINK
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column, AUDIT_ARCH_…

_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
_X32 = 0x40000000  # the same calls under other numbers
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def refuse_needless_calls() -> None:
    """Put the filter on this process and all that it will start.

    On a machine whose numbers are not in the table nothing is done: the rooms hold without it.
    Raises OSError if the operating system does not take the filter.
    """
    if platform.machine() not in _MACHINES:
        return
    code = _program(*_MACHINES[platform.machine()])
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"the filter of system calls was refused: {os.strerror(number)}")


def _program(column: int, machine: int) -> bytes:
    def step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("HBBI", code, if_true, if_false, value)

    steps = [
        step(_LOAD, _MACHINE),
        step(_JUMP_IF_EQUAL, machine, 1, 0),
        step(_RETURN, _KILL),
        step(_LOAD, _NUMBER),
    ]
    if column == 0:
        steps += [step(_JUMP_IF_AT_LEAST, _X32, 0, 1), step(_RETURN, _REFUSE)]
    for numbers in DENIED.values():
        steps += [step(_JUMP_IF_EQUAL, numbers[column], 0, 1), step(_RETURN, _REFUSE)]
    steps += [
        step(_JUMP_IF_EQUAL, _SOCKET[column], 1, 0),
        step(_RETURN, _ALLOW),
        step(_LOAD, _FIRST_ARGUMENT),
    ]
    for family in _FAMILIES:
        steps += [step(_JUMP_IF_EQUAL, family, 0, 1), step(_RETURN, _ALLOW)]
    return b"".join([*steps, step(_RETURN, _REFUSE)])
