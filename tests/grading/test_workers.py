"""Workers that live on: no job leaves a trace in the next, no failure of theirs is a verdict."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
import pytest

from course_utils.grading.running import run, workers
from course_utils.grading.running.run import Limits, RunOutcome, run_notebook
from course_utils.grading.running.sandbox import Sandbox
from course_utils.grading.running.worker_process import WorkerFailed, WorkerProcess
from course_utils.grading.running.workers import FALSE_STARTS, PooledRunner, Workers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")

LIMITS = Limits(cell_seconds=1, total_seconds=20)
CodeCell = Callable[..., nbformat.NotebookNode]
Notebook = Callable[..., nbformat.NotebookNode]


@pytest.fixture(scope="module")
def notebook(code_cell: CodeCell) -> Notebook:
    """Make a notebook of the given sources, with the cells c0, c1, …"""

    def build(*sources: str) -> nbformat.NotebookNode:
        cells = [code_cell(f"c{number}", source) for number, source in enumerate(sources)]
        return nbformat.v4.new_notebook(cells=cells)

    return build


@pytest.fixture
def one(sandbox: Sandbox) -> Iterator[Workers]:
    """One worker."""
    yield from _closing(Workers(1, sandbox, LIMITS))


@pytest.fixture
def two(sandbox: Sandbox) -> Iterator[Workers]:
    yield from _closing(Workers(2, sandbox, LIMITS))


def _closing(made: Workers) -> Iterator[Workers]:
    try:
        yield made
    finally:
        made.close()
    assert _left() == []


_WORKER = "course_utils.grading.running.worker"


def _workers(of: int | None = None) -> list[psutil.Process]:
    """The workers' own processes, without the rooms around them."""
    found = []
    for process in _family(of):
        with contextlib.suppress(psutil.Error):
            if process.name() != "bwrap" and _WORKER in process.cmdline():
                found.append(process)
    return found


_EARLIER: set[psutil.Process] = set()


@pytest.fixture(autouse=True)
def _count_what_this_test_starts() -> None:
    """Workers that the tests of another file have started live as long as the tests do."""
    _EARLIER.clear()
    _EARLIER.update(psutil.Process().children(recursive=True))


def _family(of: int | None = None) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(of).children(recursive=True)
        return [each for each in family if each not in _EARLIER]
    return []


def _left() -> list[psutil.Process]:
    """Descendants of this process that do not end by themselves within some seconds."""
    return psutil.wait_procs(_family(), timeout=10)[1]


def _said(outcome: RunOutcome) -> list[tuple[str, str, str, str]]:
    """All of an outcome but the time it took."""
    cells = outcome.cells.values()
    return [("", outcome.ended, outcome.detail, "")] + [
        (cell.cell_id, cell.status, cell.stdout, cell.error) for cell in cells
    ]


# What a hand-in may do to the process it runs in, and so to a process that were shared.
TRACES = [
    "import os\nos._exit(1)",
    "while True:\n    pass",
    "print('x' * 3_000_000)",
    "import builtins\nbuiltins.print = None",
    "import numpy as np\nnp.random.seed(1)\nnp.float64 = None\nnp.seterr(all='raise')",
    "import os, sys\nos.environ['HOME'] = '/nowhere'\nos.chdir('/')\nsys.path.clear()",
    "open('/tmp/left', 'w').write('for the next')",
    "import course_utils.checks as checks\nchecks.check = None\nchecks.left = 1",
    "get_ipython().input_transformers_post.append(lambda lines: ['pass\\n'])",
    "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,)).start()",
    "raise SystemExit",
    "import sys\nsys.stdout.close()",
]
LOOKS = (
    "import os, sys, threading\nimport numpy as np\nimport course_utils.checks as checks\n"
    "print(os.environ['HOME'], os.getcwd(), len(sys.path), sorted(os.listdir('/tmp')))\n"
    "print(np.float64(1), np.geterr(), threading.active_count(), hasattr(checks, 'left'))\n"
    "print(sorted(name for name in globals() if not name.startswith('_')))",
    "1 / 0",
    "print('value: 1.5')",
)


def test_a_notebook_goes_as_if_it_were_the_first(one: Workers, notebook: Notebook) -> None:
    first = one.run(notebook(*LOOKS))
    assert [cell.status for cell in first.cells.values()] == ["passed", "error", "failed"], first
    worker = _workers()
    for trace in [*TRACES, *TRACES[3:]]:
        one.run(notebook(trace, "print(1)"))
    assert _said(one.run(notebook(*LOOKS))) == _said(first)
    assert _workers() == worker, "it was another worker that was asked"


def test_a_worker_gathers_nothing(one: Workers, notebook: Notebook) -> None:
    sizes = []
    for _ in range(3):
        for _ in range(60):
            one.run(notebook("print('value: 1.5' * 200)", "1 / 0"))
        sizes.append(_workers()[0].memory_info().rss)
    assert sizes[2] - sizes[0] < 3 << 20, sizes


def test_both_ways_to_run_a_notebook_say_the_same(
    one: Workers, notebook: Notebook, sandbox: Sandbox
) -> None:
    task = notebook(*LOOKS[1:], "import os\nos._exit(1)", "print(1)")
    assert _said(one.run(task)) == _said(run_notebook(task, limits=LIMITS, sandbox=sandbox))


def test_a_worker_outlives_the_thread_that_needed_it_first(
    one: Workers, notebook: Notebook
) -> None:
    seen = []
    for _ in range(2):
        thread = threading.Thread(target=lambda: seen.append(one.run(notebook("print(1)"))))
        thread.start()
        thread.join()
        seen.append(_workers())
    assert seen[0].ended == seen[2].ended == "finished"
    assert len(seen[1]) == 1
    assert seen[1] == seen[3]


def test_no_more_workers_than_seats(two: Workers, notebook: Notebook) -> None:
    nap = notebook("import time\ntime.sleep(0.2)")
    with ThreadPoolExecutor(6) as threads:
        outcomes = list(threads.map(two.run, [nap] * 6))
    assert {outcome.ended for outcome in outcomes} == {"finished"}
    assert len(_workers()) == 2


def test_a_worker_is_renewed_in_time(
    one: Workers, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "MOST_JOBS", 2)
    asked = []
    for _ in range(3):
        one.run(notebook("print(1)"))
        asked += _workers()
    assert asked[0] == asked[1] != asked[2]


def test_idle_workers_wait_without_waking(two: Workers, notebook: Notebook) -> None:
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(two.run, [notebook("import time\ntime.sleep(0.2)")] * 2))
    time.sleep(0.5)  # the kernels that were asked for ahead are on their way
    before = _wakings()
    time.sleep(1)
    assert _wakings() == before


def _wakings() -> dict[int, int]:
    return {process.pid: process.num_ctx_switches().voluntary for process in _family()}


def test_ids_must_tell_cells_apart(one: Workers, notebook: Notebook) -> None:
    same = notebook("1", "2")
    same.cells[1]["id"] = "c0"
    with pytest.raises(ValueError, match="id of its own"):
        one.run(same)
    assert one.run(notebook("print(1)")).ended == "finished"  # and the seat is free


# Workers that fail. Each reads its setting and its first job, and then does something else.

READ = "import sys, time; sys.stdin.readline(); sys.stdin.readline();"
FAULTS = {
    "dies before": "raise SystemExit('no room in here')",
    "dies": READ + "raise SystemExit('no room in here')",
    "hangs": READ + "time.sleep(1000)",
    "never reads": "import time; time.sleep(1000)",
    "writes no JSON": READ + "print('{no', flush=True); time.sleep(1000)",
    "writes bytes": READ
    + r"sys.stdout.buffer.write(b'\xff\n'); sys.stdout.flush(); time.sleep(1000)",
    "writes a list": READ + "print('[1]', flush=True); time.sleep(1000)",
    "answers another job": READ
    + """print('{"job": 7, "ended": "finished", "detail": ""}', flush=True)""",
    "writes without end": READ + "\nwhile True: print('x' * 100_000, end='')",
}


@dataclass(frozen=True)
class Faulty(Sandbox):
    """A sandbox whose first workers are ``fault``; what else is asked of it is as it should be."""

    fault: str = ""
    times: int = 1
    asked: list[str] = field(default_factory=list)

    def worker_command(self, command: Sequence[str]) -> list[str]:
        self.asked.append("a worker")
        if len(self.asked) <= self.times:
            return [sys.executable, "-c", self.fault]
        run._GRACE_SECONDS = 10.0  # what the test of a hanging one has shortened
        return super().worker_command(command)


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_no_whole_answer_is_a_failure(fault: str, notebook: Notebook) -> None:
    worker = WorkerProcess(Faulty("none", fault=FAULTS[fault]), {})
    seconds = 1 if fault in ("hangs", "never reads") else 60
    job = {"notebook": notebook("#" * 1_000_000)}  # more than a socket holds unread
    with pytest.raises(WorkerFailed) as failed:
        list(worker.answers(job, seconds=seconds))
    assert failed.value.in_time == (seconds == 60)
    assert not worker.in_step
    worker.end()
    assert _left() == []


SLIPS = {
    "leaves cells out": """print('{"job": 1, "ended": "finished", "detail": ""}', flush=True)""",
    "writes half a record": """print('{"job": 1, "cell_id": "c0"}', flush=True)""",
    "adds a field": """print('{"job": 1, "cell_id": "c0", "status": "", "x": 1}', flush=True)""",
}


@pytest.mark.parametrize("slip", SLIPS)
def test_an_answer_that_says_too_little_or_too_much_is_a_failure(
    slip: str, notebook: Notebook
) -> None:
    worker = WorkerProcess(Faulty("none", fault=READ + SLIPS[slip]), {})
    outcome = run.ask(worker, notebook("print(1)"), limits=LIMITS, sandboxed=True)
    worker.end()
    assert outcome.ended == "sandbox_failed"
    assert outcome.cells["c0"].status == "not_run"


@pytest.mark.parametrize("fault", ["dies", "hangs", "writes no JSON"])
def test_a_worker_that_fails_is_replaced_and_its_notebook_run_again(
    fault: str,
    sandbox: Sandbox,
    notebook: Notebook,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    # A second for the hanging one; what is asked for after it has all its time again.
    monkeypatch.setattr(run, "_GRACE_SECONDS", 1 - run.START_SECONDS - LIMITS.total_seconds)
    faulty = Faulty(sandbox.bwrap, fault=FAULTS[fault])
    made = Workers(1, faulty, LIMITS)
    try:
        outcome = made.run(notebook("print('value: 1.5')"))
        assert outcome.ended == "finished", outcome
        assert outcome.cells["c0"].stdout == "value: 1.5\n"
        assert _left() == []  # neither the failed one nor the one that ran it again
        assert made.run(notebook("print(1)")).ended == "finished"
        assert len(_workers()) == 1
        assert len(faulty.asked) == 3
    finally:
        made.close()
    assert list(tmp_path.iterdir()) == []


def test_what_the_worker_last_said_is_told(sandbox: Sandbox) -> None:
    worker = WorkerProcess(Faulty(sandbox.bwrap, fault=FAULTS["dies"]), {})
    with pytest.raises(WorkerFailed, match="no room in here") as failed:
        list(worker.answers({}, seconds=60))
    worker.end()
    assert failed.value.in_time
    assert not worker.in_step


def test_a_worker_that_is_killed_at_work_costs_nothing(one: Workers, notebook: Notebook) -> None:
    one.run(notebook("print(1)"))
    killed = _workers()
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(one.run, notebook("import time\ntime.sleep(0.7)\nprint(1)"))
        time.sleep(0.3)
        killed[0].kill()
        assert running.result().cells["c0"].stdout == "1\n"
    assert one.run(notebook("print(1)")).ended == "finished"
    assert len(_workers()) == 1
    assert _workers() != killed


def test_without_any_sandbox_it_is_the_graders_fault(notebook: Notebook) -> None:
    broken = Faulty("/bin/false", times=1000, fault="raise SystemExit('no room in here')")
    made = Workers(1, broken, LIMITS)
    for _ in range(FALSE_STARTS + 2):
        outcome = made.run(notebook("print(1)"))
        assert outcome.ended == "sandbox_failed"
        assert "no room in here" in outcome.detail
        assert outcome.cells["c0"].status == "not_run"
    # Each notebook was run by itself, and after a few false starts only so.
    assert len(broken.asked) == FALSE_STARTS + 2 + FALSE_STARTS


def test_a_forge_that_fails_is_the_workers_failure(sandbox: Sandbox, notebook: Notebook) -> None:
    class NoForge(Sandbox):
        def forge_command(self) -> list[str]:
            return ["false"]

    made = Workers(1, NoForge(sandbox.bwrap), LIMITS)
    try:
        for _ in range(FALSE_STARTS + 1):
            assert made.run(notebook("print(1)")).ended == "finished"
    finally:
        made.close()


COORDINATOR = """
import sys, threading, time
import nbformat
from course_utils.grading.running.workers import PooledRunner
run = PooledRunner(size=2)
def nap(seconds):
    cell = nbformat.v4.new_code_cell(f"import time; time.sleep({seconds})", id="c0")
    return nbformat.v4.new_notebook(cells=[cell])
run(nap(0))
print("idle", flush=True)
if sys.argv[1] == "at work":
    threads = [threading.Thread(target=run, args=(nap(3),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(1)
print("so be it", flush=True)
if sys.argv[1] != "at its end":
    time.sleep(1000)
"""


@pytest.mark.parametrize(
    ("when", "sent"),
    [
        ("idle", signal.SIGKILL),
        ("at work", signal.SIGKILL),
        ("at work", signal.SIGINT),
        ("at its end", None),
    ],
)
def test_nothing_outlives_the_coordinator(
    when: str, sent: signal.Signals | None, sandbox: Sandbox, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", COORDINATOR, when]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    coordinator = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        for word in ("idle\n", "so be it\n"):
            assert coordinator.stdout.readline() == word
        family = _family(coordinator.pid)
        assert sent is None or len(_workers(coordinator.pid)) == (2 if when == "at work" else 1)
        if sent:
            coordinator.send_signal(sent)
        _, alive = psutil.wait_procs(family, timeout=15)
        assert alive == []
        coordinator.wait(15)
    finally:
        coordinator.kill()
        coordinator.wait()
        coordinator.stdout.close()
    assert list(tmp_path.iterdir()) == []


def test_a_runner_can_be_sent_and_has_one_pool_a_process(
    sandbox: Sandbox, notebook: Notebook
) -> None:
    runner = PooledRunner(limits=LIMITS, hide=(Path("/usr/share"),))
    twin = pickle.loads(pickle.dumps(runner))
    assert twin == runner
    try:
        assert runner(notebook("print(1)")).ended == "finished"
        first = _workers()
        outcome = twin(notebook("import os\nprint(os.listdir('/usr/share'))"))
        assert outcome.cells["c0"].stdout == "[]\n"
        assert _workers() == first
    finally:
        workers._workers_of(os.getpid(), runner).close()


def test_without_a_sandbox_the_outcome_says_so(notebook: Notebook) -> None:
    outcome = PooledRunner(limits=LIMITS, unsandboxed=True)(notebook("print(1)"))
    assert not outcome.sandboxed
    assert outcome.ended == "finished"
