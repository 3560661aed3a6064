"""Files that are whole or not there, in a folder that one process writes at a time."""

import contextlib
import errno
import os
import secrets
import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: there two batches into one folder are not kept apart
    fcntl = None  # type: ignore[assignment]

PART = ".part"
LOCK = ".lock"


class FolderInUseError(RuntimeError):
    """Another process writes into the folder; the message says which."""


def write_atomically(path: Path, content: str | bytes, *, durable: bool = True) -> None:
    """Write `content`, text as UTF-8 with \\n, so that `path` is never half a file.

    When this returns, the file and its name are on the disk: neither the end of this process
    nor a power cut takes them back. It is as readable as the umask has it.
    durable: False for what can be made again: a power cut before ``sync_all`` may empty it.
    Raises OSError (disk full, no permission); `path` is then what it was before.
    """
    _make_folder(path.parent)
    part = path.with_name(f".{secrets.token_hex(8)}{PART}")
    try:
        with part.open("xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        part.replace(path)
        if durable:
            _sync(path.parent)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)  # the file that is missing, not the part of it
        raise


def sync_all() -> None:
    """Bring all that was written onto the disk, at once: quicker than file by file."""
    if hasattr(os, "sync"):
        os.sync()


def _make_folder(folder: Path) -> None:
    """Make `folder` and those above it, each of them on the disk before it is put to use."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    """Bring the names in `folder` onto the disk, where its file system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # what a file system says that has no such thing
            raise
    finally:
        os.close(handle)


@contextlib.contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Be the one that writes into `folder` (made if missing); sweep what a killed one left.

    The operating system lets go of the lock when its holder ends, however it ends.
    Raises FolderInUseError if another process holds it, OSError if `folder` cannot be written.
    """
    _make_folder(folder)
    handle = _locked(folder / LOCK)
    try:
        sweep(folder)
        yield
    finally:
        (folder / LOCK).unlink(missing_ok=True)
        os.close(handle)


def _locked(path: Path) -> int:
    """An open handle that holds the lock file at `path`, with our name in it."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if fcntl is not None:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _still_there(path, handle):
                os.ftruncate(handle, 0)
                os.write(handle, _who().encode())
                return handle
        except BlockingIOError:
            holder = os.read(handle, 200).decode("utf-8", "replace") or "one that has just begun"
            os.close(handle)
            raise FolderInUseError(
                f"{path.parent} is being written by another process: {holder}. "
                "Wait until it ends, or name another folder with --out."
            ) from None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _still_there(path: Path, handle: int) -> bool:
    """Whether `path` is the file that is open: its last holder takes it away."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(handle))
    return False


def _who() -> str:
    started = datetime.now().astimezone().isoformat(" ", "seconds")
    return f"process {os.getpid()} on {socket.gethostname()}, since {started}"


def sweep(folder: Path) -> None:
    """Remove the parts of files that a killed process has left below `folder`."""
    for part in folder.rglob(f".*{PART}"):
        part.unlink(missing_ok=True)
