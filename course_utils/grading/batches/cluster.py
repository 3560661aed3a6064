"""Grade on a Dask cluster: the same pure function, on workers of other machines.

Needs the optional package distributed, which is imported only here, when a scheduler is named.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from course_utils.grading.key import Key
from course_utils.grading.running.run import SandboxUnavailable, find_sandbox
from course_utils.grading.version import grader_version

if TYPE_CHECKING:
    from distributed import Client

ANSWERS_WITHIN = "10s"
MOST_NAMED = 3  # workers, where something is amiss with many


class ClusterError(RuntimeError):
    """The cluster cannot grade; the message says why, and what to do."""


@dataclass(frozen=True)
class Cluster:
    """A cluster that grades. threads: of the worker that has most; slots: threads of them all."""

    executor: Executor
    threads: int
    slots: int


class KeysSentOnce(Executor):
    """Dask's own executor, but each key is sent to the scheduler once, not with each hand-in.

    It is sent as the result of a task, which a worker can do again: scattered data would be lost
    with the workers that hold them.
    """

    def __init__(self, client: Client) -> None:
        """client: of the scheduler."""
        self._client = client
        self._executor = client.get_executor(pure=False)
        self._sent: dict[str, Any] = {}

    def submit(self, fn: Any, /, *args: Any, **options: Any) -> Future[Any]:
        """The future of ``fn(*args, **options)`` on some worker.

        Raises ClusterError if the scheduler is gone.
        """
        try:
            sent = [self._sent_once(value) if isinstance(value, Key) else value for value in args]
            future: Future[Any] = self._executor.submit(fn, *sent, **options)
        except Exception as error:  # Dask has many, and this client is of no use after any of them
            raise ClusterError(
                f"The scheduler is gone ({type(error).__name__}: {error}). "
                "Start it and its workers again, then run the same command again."
            ) from error
        return future

    def _sent_once(self, key: Key) -> Any:
        if key.sha256 not in self._sent:
            self._sent[key.sha256] = self._client.submit(_itself, key, pure=False)
        return self._sent[key.sha256]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Give up what is not done yet."""
        self._executor.shutdown(wait=wait and not cancel_futures)


def _itself(key: Key) -> Key:
    return key


@contextlib.contextmanager
def connected(address: str, *, sandboxed: bool) -> Iterator[Cluster]:
    """The cluster whose scheduler is at `address`, once its workers are fit to grade.

    Raises ClusterError if distributed is missing, the scheduler does not answer, or it has no
    workers, or one of them has another version of the grader or no sandbox.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ClusterError(
            "--scheduler needs the package distributed. Run: pip install distributed"
        ) from None
    try:
        client = Client(address, timeout=ANSWERS_WITHIN, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"No scheduler answers at {address} ({error}). "
            "Start one with: dask scheduler, and name the address that it prints."
        ) from None
    with client:
        threads = _fit(client, sandboxed=sandboxed)
        yield Cluster(KeysSentOnce(client), max(threads), sum(threads))


def _fit(client: Client, *, sandboxed: bool) -> list[int]:
    """The threads of each worker; ClusterError where one of them must not grade."""
    threads = list(client.nthreads().values())
    if not threads:
        raise ClusterError("The scheduler has no workers. Start some with: dask worker ADDRESS")
    try:
        states = client.run(state_of_worker, sandboxed=sandboxed)
    except Exception as error:
        raise ClusterError(
            f"The workers cannot run this course ({type(error).__name__}: {error}). "
            "Install the same copy of it where they run."
        ) from None
    wanted = grader_version()
    odd = {worker: version for worker, (version, _) in states.items() if version != wanted}
    if odd:
        raise ClusterError(
            f"The grader here is {wanted}, but {_named(odd)}. "
            "Install the same copy of the course, and of its packages, and start them again."
        )
    if without := {worker: fault for worker, (_, fault) in states.items() if fault}:
        raise ClusterError(f"No sandbox starts on {_named(without)}")
    return threads


def state_of_worker(*, sandboxed: bool) -> tuple[str, str]:
    """The version of the grader where this runs, and why no sandbox can start there, or ""."""
    try:
        if sandboxed:
            find_sandbox()
    except SandboxUnavailable as error:
        return grader_version(), str(error)
    return grader_version(), ""


def _named(odd: dict[str, str]) -> str:
    few = ", ".join(f"{worker}: {what}" for worker, what in list(odd.items())[:MOST_NAMED])
    return few if len(odd) <= MOST_NAMED else f"{few}, and {len(odd) - MOST_NAMED} more"
