"""Kernels forked by the forge: what keeps one from another, and from the process they share.

The kernels are asked for from within a worker's room, as a worker does, but one order at a time.
"""

from __future__ import annotations

import ast
import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from course_utils.grading.fingerprints import answer_source, read_popular, rounds
from course_utils.grading.overlay import overlay
from course_utils.grading.release import read_exercise
from course_utils.grading.running import sandbox as rooms
from course_utils.grading.running.run import ask, run_notebook, setting_of_many
from course_utils.grading.running.sandbox import Limits, Sandbox
from course_utils.grading.running.worker_process import WorkerProcess

pytestmark = [
    pytest.mark.hostile,
    pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux"),
]
SOLUTIONS = Path(__file__).parents[2] / "solutions"

DRIVER = """
import json, sys, tempfile
from course_utils.grading.running.forge import Forge, ForgeClosed
from course_utils.grading.running.guarded_kernel import KernelStopped
from course_utils.grading.running.sandbox import Limits

def execute(kernel, source):
    request = kernel.execute_cell_input(source)
    kernel.await_reply(request, timeout=20)
    printed = error = ""
    while True:
        message = kernel.get_message("iopub", timeout=20)
        content = message["content"]
        if message["parent_header"].get("msg_id") != request:
            continue
        if message["msg_type"] == "status" and content["execution_state"] == "idle":
            return {"status": kernel.reply_status, "printed": printed, "error": error}
        if message["msg_type"] == "stream" and content["name"] == "stdout":
            printed += content["text"]
        if message["msg_type"] == "error":
            error = content["ename"] + ": " + content["evalue"]

def obey(name, source="", action="execute"):
    if action == "close":
        forge.close()
        return {}
    if name not in kernels:
        kernels[name] = forge.kernel(limits)
        kernels[name].connect(60)
    kernel = kernels[name]
    if action == "start":
        kernel.execute_cell_input(source)
        return {}
    if action == "stop":
        kernel.stop()
        return {"alive": kernel.is_alive()}
    if kernel.ended:
        return {"ended": kernel.ended, "detail": kernel.detail}
    try:
        return execute(kernel, source)
    except KernelStopped as stopped:
        return {"ended": stopped.ended, "detail": stopped.detail}

command, limits = json.loads(sys.stdin.readline())
limits, kernels = Limits(**limits), {}
forge = Forge(command, log=tempfile.TemporaryFile())
for line in sys.stdin:
    try:
        reply = obey(**json.loads(line))
    except ForgeClosed as closed:
        reply = {"closed": str(closed)}
    print(json.dumps(reply), flush=True)
"""


class Kernels:
    """A forge in a worker's room, and the kernels that were asked of it, by name."""

    def __init__(self, sandbox: Sandbox, **limits: int) -> None:
        command = sandbox.worker_command([sys.executable, "-I", "-c", DRIVER])
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd="/")
        self._write([sandbox.forge_command(), limits])

    def _write(self, order: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def order(self, name: str, source: str = "", action: str = "execute") -> dict[str, Any]:
        self._write({"name": name, "source": source, "action": action})
        assert self.process.stdout is not None
        reply: dict[str, Any] = json.loads(self.process.stdout.readline())
        return reply

    def look(self, name: str, source: str) -> Any:
        """What `source` leaves in `seen`, in the kernel of that name."""
        reply = self.order(name, f"{source}\nprint(repr(seen))")
        assert reply.get("status") == "ok", reply
        return ast.literal_eval(reply["printed"].splitlines()[-1])

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def kernels(sandbox: Sandbox) -> Iterator[Kernels]:
    started = Kernels(sandbox)
    yield started
    started.end()


@pytest.fixture
def own_kernels(sandbox: Sandbox) -> Iterator[Callable[..., Kernels]]:
    """Start a forge for this test alone: ``own_kernels(processes=16)``."""
    started: list[Kernels] = []

    def start(**limits: int) -> Kernels:
        started.append(Kernels(sandbox, **limits))
        return started[-1]

    yield start
    for each in started:
        each.end()


def test_no_process_of_another_kernel_is_seen_or_signalled(kernels: Kernels) -> None:
    kernels.order("first", "import subprocess\nsleeper = subprocess.Popen(['sleep', '100'])")
    source = """
import os, signal
seen = sorted(int(name) for name in os.listdir('/proc') if name.isdigit())
own = set(map(int, os.listdir('/proc/self/task')))
for number in {-1, *range(2, 400)} - own:
    try:
        os.kill(number, signal.SIGKILL)
    except OSError:
        pass
"""
    assert kernels.look("second", source) == [1, 2]
    assert kernels.look("first", "seen = sleeper.poll()") is None
    assert kernels.look("the forge lives", "seen = 1") == 1


def test_no_file_of_another_kernel_is_seen(kernels: Kernels) -> None:
    folders = ("/tmp", "/dev/shm", "/proc/1/cwd", "/proc/self/cwd")
    kernels.order("writes", "for f in ('/tmp', '/dev/shm'):\n    open(f + '/note', 'w').write('x')")
    source = f"import os\nseen = [folder for folder in {folders} if 'note' in os.listdir(folder)]"
    assert kernels.look("writes", source) == list(folders)
    assert kernels.look("reads", source) == []


def test_no_socket_of_another_kernel_is_reached(kernels: Kernels) -> None:
    listen = """
import socket
unix, tcp = socket.socket(socket.AF_UNIX), socket.create_server(("127.0.0.1", 4444))
unix.bind("\\0meet")
unix.listen()
"""
    reach = """
import socket
seen = []
for family, address in ((socket.AF_UNIX, "\\0meet"), (socket.AF_INET, ("127.0.0.1", 4444))):
    with socket.socket(family) as connection:
        seen.append(connection.connect_ex(address) == 0)
"""
    kernels.order("listens", listen)
    assert kernels.look("listens", reach) == [True, True]
    assert kernels.look("reaches", reach) == [False, False]


def test_no_terminal_of_another_kernel_is_seen(kernels: Kernels) -> None:
    kernels.order("has a terminal", "import os\nends = os.openpty()")
    names = "import os\nseen = sorted(os.listdir('/dev/pts'))"
    assert kernels.look("has a terminal", names) == ["0", "ptmx"]
    assert kernels.look("has none", names) == ["ptmx"]


def test_no_open_file_is_shared_with_the_forge(kernels: Kernels) -> None:
    source = """
import os
seen = []
for process in ("1", "self"):
    for name in os.listdir(f"/proc/{process}/fd"):
        try:
            seen.append(os.readlink(f"/proc/{process}/fd/{name}"))
        except OSError:
            pass
"""
    kinds = ("/dev/null", "pipe:", "socket:", "anon_inode:[eventpoll]", "/proc/")
    seen = kernels.look("fresh", source)
    assert [path for path in seen if not path.startswith(kinds)] == []
    assert len([path for path in seen if path.startswith("socket:")]) == 3  # ours, and asyncio's


def test_no_memory_is_shared_with_the_forge(kernels: Kernels) -> None:
    source = "seen = [line for line in open('/proc/self/maps') if line.split()[1][1::2] == 'ws']"
    assert kernels.look("fresh", source) == []


def test_what_one_kernel_changes_is_not_there_in_the_next(kernels: Kernels) -> None:
    change = """
import builtins, os, sys, threading, numpy as np, course_utils.checks as checks
os.environ["LEFT"] = "1"
np.mean = lambda values: 42.0
builtins.print_left = checks.left = sys.left = True
np.random.seed(0)
np.seterr(all="ignore")
os.umask(0o777)
threading.Thread(target=threading.Event().wait, daemon=True, name="left").start()
"""
    source = """
import builtins, os, sys, threading, numpy as np, course_utils.checks as checks
seen = [os.environ.get("LEFT"), float(np.mean([1, 2])), hasattr(builtins, "print_left"),
        hasattr(checks, "left"), hasattr(sys, "left"), np.geterr()["over"], os.umask(0o022),
        [thread.name for thread in threading.enumerate() if thread.name == "left"]]
"""
    kernels.order("changes", change)
    assert kernels.look("changes", source)[:2] == ["1", 42.0]
    assert kernels.look("comes after", source) == [None, 1.5, *[False] * 3, "warn", 0o022, []]


@pytest.mark.parametrize("draw", ["random.random()", "float(np.random.rand())", "os.urandom(8)"])
def test_no_two_kernels_draw_the_same_random_numbers(kernels: Kernels, draw: str) -> None:
    source = f"import os, random, numpy as np\nseen = {draw}"
    drawn = [kernels.look(f"{draw} {number}", source) for number in range(3)]
    assert len(set(drawn)) == 3


def test_nothing_of_the_warming_up_is_there(kernels: Kernels) -> None:
    source = """
import matplotlib.pyplot as plt, sys
names = [name for name in ("np", "plt", "figure", "axes") if name in before]
seen = [names, get_ipython().execution_count, plt.get_fignums(), hasattr(sys, "last_value")]
"""
    kernels.order("new", "before = dict(globals())")
    assert kernels.look("new", source) == [[], 1, [], False]


def test_a_fork_bomb_in_one_kernel_lets_the_other_answer(
    own_kernels: Callable[..., Kernels],
) -> None:
    kernels = own_kernels(processes=32)
    bomb = "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
    kernels.order("answers", "1")
    kernels.order("bomb", bomb, "start")
    start = "import subprocess\nseen = subprocess.run(['true']).returncode"
    assert kernels.look("answers", start) == 0
    assert kernels.look("comes after", start) == 0
    assert kernels.order("bomb", action="stop") == {"alive": False}
    room = psutil.Process(kernels.process.pid).children(recursive=True)
    assert len([process for process in room if process.status() != psutil.STATUS_ZOMBIE]) < 16


def test_memory_of_processes_that_left_their_parent_is_counted(
    own_kernels: Callable[..., Kernels],
) -> None:
    hog = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        if os.fork() == 0:
            kept = b"x" * (300 << 20)
            time.sleep(100)
        os._exit(0)
    os.wait()
time.sleep(100)
"""
    kernels = own_kernels(memory_bytes=1 << 30)
    assert kernels.order("hog", hog)["ended"] == "memory_limit"
    assert kernels.look("comes after", "seen = 1") == 1


ESCAPES = """
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
tmpfs, null = b"tmpfs", None
head = (ctypes.c_uint32 * 2)(0x20080522, 0)
every = (ctypes.c_uint32 * 6)(*[0xffffffff] * 6)
def write(path):
    try:
        with open(path, "w") as file:
            file.write("100")
        return 0
    except OSError:
        return -1
def clone(flags):
    child = libc.syscall({"x86_64": 56, "aarch64": 220}[os.uname().machine], flags | 17, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    return child
def enter(path):
    return libc.setns(os.open(path, os.O_RDONLY), 0)
attempts = {
    "take capabilities back": lambda: libc.capset(head, every),
    "make a user namespace": lambda: clone(0x10000000),
    "make a mount namespace": lambda: clone(0x20000),
    "unshare a user namespace": lambda: libc.unshare(0x10000000),
    "mount": lambda: libc.mount(tmpfs, b"/tmp", tmpfs, 0, null),
    "bring the tmpfs to another size": lambda: libc.mount(null, b"/tmp", null, 32, b"size=1g"),
    "make the root writable": lambda: libc.mount(null, b"/", null, 32, null),
    "take the tmpfs away": lambda: libc.umount2(b"/tmp", 2),
    "take the new proc away": lambda: libc.umount2(b"/proc", 2),
    "enter the first process's namespace": lambda: enter("/proc/1/ns/mnt"),
    "trace the first process": lambda: libc.ptrace(16, 1, 0, 0),
    "allow user namespaces": lambda: write("/proc/sys/user/max_user_namespaces"),
    "write to a locked mount": lambda: write("/usr/bin/left"),
    "write beside the checks": lambda: write("/course/course_utils/checks.py"),
    "become root": lambda: libc.setuid(0),
    "raise a limit": lambda: libc.prlimit(0, 6, (ctypes.c_uint64 * 2)(999, 999), null),
    "start the network": lambda: socket.if_nametoindex("lo") and libc.sethostname(b"x", 1),
}
seen = [name for name, attempt in attempts.items() if attempt() >= 0]
"""


def test_no_way_out_is_open(kernels: Kernels) -> None:
    assert kernels.look("escapes", ESCAPES) == []


def test_without_the_filter_of_calls_the_namespaces_hold_alone(
    own_kernels: Callable[..., Kernels], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Privileges are gone as well: the filter is not what all the rest depends on."""
    files = {
        path.name: path.read_text()
        for path in (rooms.PACKAGE / "grading/running/room").glob("*.py")
    }
    plain = tmp_path / "room"
    plain.mkdir()
    for name, text in files.items():
        (plain / name).write_text(text.replace("    refuse_needless_calls()\n", ""))
    assert (plain / "isolation.py").read_text() != files["isolation.py"]
    usual = rooms._course_folder()
    room = str(rooms.PACKAGE / "grading" / "running" / "room")
    monkeypatch.setattr(
        rooms, "_course_folder", lambda: [str(plain) if arg == room else arg for arg in usual]
    )
    _show_too(plain, monkeypatch)
    allowed = {"trace the first process", "enter the first process's namespace"}
    assert set(own_kernels().look("escapes", ESCAPES)) <= allowed


def _show_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trees = rooms._trees()
    monkeypatch.setattr(rooms, "_trees", lambda: [*trees, folder])


def test_an_interpreter_below_tmp_stays_in_sight(
    own_kernels: Callable[..., Kernels], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "library").write_text("")
    _show_too(tree, monkeypatch)
    source = f"import os\nseen = os.listdir({str(tree)!r})"
    assert own_kernels().look("any", source) == ["library"]


def test_a_forge_that_ended_says_so(own_kernels: Callable[..., Kernels]) -> None:
    kernels = own_kernels()
    assert kernels.look("first", "seen = 1") == 1
    kernels.order("", action="close")
    assert kernels.order("first", "1")["ended"] == "kernel_died"
    assert "the forge has ended" in kernels.order("second", "1")["closed"]


def test_a_forge_that_cannot_start_is_told_by_its_kernels(sandbox: Sandbox) -> None:
    class Broken(Sandbox):
        def forge_command(self) -> list[str]:
            return ["false"]

    kernels = Kernels(Broken(sandbox.bwrap))
    reply = kernels.order("first", "1")
    kernels.end()
    assert "forge" in reply.get("detail", "") + reply.get("closed", ""), reply


def _memory(process: psutil.Process) -> bytes:
    """All that a process has in memory and may write to."""
    parts = []
    with Path(f"/proc/{process.pid}/mem").open("rb") as memory:
        for line in Path(f"/proc/{process.pid}/maps").read_text().splitlines():
            limits, rights = line.split()[:2]
            if rights.startswith("rw"):
                start, end = (int(number, 16) for number in limits.split("-"))
                memory.seek(start)
                with contextlib.suppress(OSError):
                    parts.append(memory.read(end - start))
    return b"".join(parts)


def test_the_forge_holds_no_hidden_value_and_no_hand_in(
    sandbox: Sandbox, code_cell: Callable[..., nbformat.NotebookNode]
) -> None:
    answer, hidden = "answer = 'the-learner-wrote-this'", "value: 7.123123e+07"
    cells = [code_cell("a", answer), code_cell("b", "print(answer)", stored=hidden, graded=True)]
    limits = Limits()
    others = set(psutil.Process().children(recursive=True))
    worker = WorkerProcess(sandbox, setting_of_many(sandbox, limits))
    try:
        notebook = nbformat.v4.new_notebook(cells=cells)
        ask(worker, notebook, limits=limits, sandboxed=True)
        held: dict[str, bytes] = {}
        for process in set(psutil.Process().children(recursive=True)) - others:
            if process.status() != psutil.STATUS_ZOMBIE and "python" in process.name():
                kind = "forge" if "--forge" in process.cmdline() else "worker"
                held[kind] = held.get(kind, b"") + _memory(process)
    finally:
        worker.end()
    assert len(held["forge"]) > 10 << 20
    assert b"7.123123e+07" in held["worker"]
    for secret in (b"7.123123e+07", b"the-learner-wrote-this"):
        assert secret not in held["forge"]


def test_a_fork_that_comes_back_from_its_cell_answers_nothing(kernels: Kernels) -> None:
    """In a cold kernel both would read the next requests, and it ends."""
    kernels.order("forks", "import os\nchild = os.fork()")
    assert kernels.look("forks", "seen = os.waitpid(child, 0)[1]") == 0


QUIRKS = [
    "import os\nos.write(1, b'raw ')\nos.system('echo from a shell')",
    "import subprocess\nsubprocess.run(['seq', '20000'], check=True)",
    "input()",
    "await __import__('asyncio').sleep(0.01)\nprint('awaited')",
    "raise SystemExit(3)",
    "exit()",
    "import time\ntime.sleep(0.3)",
    "print('still here')",
    "import threading\nt = threading.Thread(target=print, args=('threaded',))\nt.start(); t.join()",
    "if os.fork() == 0:\n    print('by a fork', flush=True)\n    os._exit(0)\n_ = os.wait()",
    "import sys\nsys.stdout.write('no newline'); print(__name__, sys.stdout.isatty())",
    "import pickle\nclass Mine:\n    pass\ntype(pickle.loads(pickle.dumps(Mine()))).__name__",
    "!echo by a magic",
    "  print('indented')",
    ">>> print('from a session')",
    "In [1]: print('from a session of IPython')",
    "print(5\n% 3)",
    "autocall",
    "autocall = 'a name, and no magic, from here on'",
    "autocall",
    "print('\\d')",
    "%%capture kept\nprint('kept')",
    "print(kept.stdout)",
    "import inspect\ndef two():\n    return 2",
    "print(inspect.getsource(two), two.__code__.co_filename)",
    "1 +",
]


def _in_both(notebook: nbformat.NotebookNode, sandbox: Sandbox) -> Iterator[dict[str, list[str]]]:
    limits = Limits()
    worker = WorkerProcess(sandbox, setting_of_many(sandbox, limits))
    try:
        forked = ask(worker, notebook, limits=limits, sandboxed=True)
    finally:
        worker.end()
    for outcome in (run_notebook(notebook, limits=limits, sandbox=sandbox), forked):
        yield {name: [cell.status, cell.stdout, cell.error] for name, cell in outcome.cells.items()}


def test_the_quirks_of_a_cold_kernel_are_a_forked_ones_too(
    sandbox: Sandbox, code_cell: Callable[..., nbformat.NotebookNode]
) -> None:
    cells = [code_cell(f"c{number}", source) for number, source in enumerate(QUIRKS)]
    cold, forked = _in_both(nbformat.v4.new_notebook(cells=cells), sandbox)
    for number, source in enumerate(QUIRKS):
        assert forked[f"c{number}"] == cold[f"c{number}"], source


def test_a_cell_is_transformed_once(kernels: Kernels) -> None:
    """IPython and ipykernel each ask for it, which for most cells is most of the work."""
    count = (
        "cells = []\nget_ipython().input_transformers_post.append(lambda c: cells.append(c) or c)"
    )
    kernels.order("counts", count)
    assert kernels.look("counts", "seen = len(cells)") == 1


def test_each_cell_has_a_name_of_its_own(kernels: Kernels) -> None:
    """Else Python finds the source of one cell under the name of another."""
    source = "def two():\n    return 2\n"
    kernels.order("named", source)
    assert kernels.look("named", "import inspect\nseen = inspect.getsource(two)") == source


@pytest.mark.parametrize("name", ["ex03_floats", "ex12_through_time"])
def test_answers_fare_alike_in_both_kinds_of_kernel(name: str, sandbox: Sandbox) -> None:
    exercise = read_exercise(SOLUTIONS / f"{name}.ipynb")
    slugs = {question.slug: question for question in exercise.questions}
    popular = read_popular(SOLUTIONS / f"{name}.toml", exercise)
    first, second, *_ = rounds(exercise, popular)
    for row in (first, second):
        sources = {
            answer.question: answer_source(slugs[answer.question], answer.code) for answer in row
        }
        cold, forked = _in_both(overlay(exercise, sources), sandbox)
        assert forked == cold
