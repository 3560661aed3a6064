"""Hand-ins that attack the grader, at the level of ``run_notebook``, in both kinds of kernel.

Each notebook holds three questions. The learner's code for the second one is hostile; the first
is right and must keep its outcome, the second must never pass, and the third passes wherever the
kernel survives.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import nbformat
import pytest

from course_utils.grading.running.run import Limits, RunOutcome
from course_utils.grading.running.sandbox import Sandbox

pytestmark = [
    pytest.mark.hostile,
    pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux"),
]

Exam = Callable[[str], nbformat.NotebookNode]
RunNotebook = Callable[..., RunOutcome]
QUICK = Limits(cell_seconds=1, total_seconds=20)
# for attacks that another limit must stop first, also on a busy machine
PATIENT = Limits(cell_seconds=10, total_seconds=40)

CHECK = """
def _hidden():
    for x in (1.5, 2.25, 40.125):
        print(f"value: {%s(x):.6e}")
_hidden()
"""
DOUBLE = "value: 3.000000e+00\nvalue: 4.500000e+00\nvalue: 8.025000e+01\n"
TRIPLE = "value: 4.500000e+00\nvalue: 6.750000e+00\nvalue: 1.203750e+02\n"
RIGHT = "def triple(x):\n    return 3 * x\n"
WRONG = "def triple(x):\n    return 2 * x\n"


@pytest.fixture(scope="module")
def exam(code_cell: Callable[..., nbformat.NotebookNode]) -> Exam:
    """Build the notebook of three questions with ``answer`` as the second one's."""

    def build(answer: str) -> nbformat.NotebookNode:
        return nbformat.v4.new_notebook(
            cells=[
                code_cell("first-answer", "def double(x):\n    return 2 * x"),
                code_cell("first-hidden", CHECK % "double", stored=DOUBLE, graded=True),
                code_cell("second-answer", answer),
                code_cell("second-hidden", CHECK % "triple", stored=TRIPLE, graded=True),
                code_cell("third-answer", "def once_more(x):\n    return 2 * x"),
                code_cell("third-hidden", CHECK % "once_more", stored=DOUBLE, graded=True),
            ]
        )

    return build


def _statuses(outcome: RunOutcome) -> dict[str, str]:
    return {cell_id: cell.status for cell_id, cell in outcome.cells.items()}


def _passed(outcome: RunOutcome) -> set[str]:
    hidden = {"first-hidden", "second-hidden", "third-hidden"}
    return {cell_id.split("-")[0] for cell_id in hidden if _statuses(outcome)[cell_id] == "passed"}


# Each: what it is, the hostile answer, how the run ends, the question's own cell, what else passes.
ALIVE, DEAD = {"first", "third"}, {"first"}
ATTACKS = {
    "leaves at once": ("import os\nos._exit(0)", "kernel_died", "error", DEAD),
    "asks to leave": ("exit()", "finished", "passed", ALIVE),
    "reads a null pointer": ("import ctypes\nctypes.string_at(0)", "kernel_died", "error", DEAD),
    "kills all it sees": ("import os\nos.kill(-1, 9)", None, None, None),
    "kills its parent": ("import os\nos.kill(os.getppid(), 9)\n" + WRONG, None, None, None),
    "stops itself": (
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
        "timed_out",
        "timed_out",
        DEAD,
    ),
    "never ends": ("while True:\n    pass", "timed_out", "timed_out", ALIVE),
    "sleeps": ("import time\ntime.sleep(1000)", "timed_out", "timed_out", ALIVE),
    "swallows the interrupt": (
        "while True:\n    try:\n        while True:\n            pass\n"
        "    except BaseException:\n        pass",
        "timed_out",
        "timed_out",
        DEAD,
    ),
    "swallows the interrupt and chatters": (
        "import time\nwhile True:\n    try:\n"
        "        time.sleep(0.2)\n        print('.', flush=True)\n"
        "    except BaseException:\n        pass",
        "timed_out",
        "timed_out",
        DEAD,
    ),
    "ignores the signal": (
        "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(1000)",
        "timed_out",
        "timed_out",
        DEAD,
    ),
    "takes its time, then is right": (
        "import time\ntry:\n    time.sleep(1000)\nexcept KeyboardInterrupt:\n    pass\n" + WRONG,
        "timed_out",
        "timed_out",
        ALIVE,
    ),
    "asks for 64 GB": ("x = bytearray(64 << 30)", "finished", "error", ALIVE),
    "prints 1 GB": (
        "for _ in range(1024):\n    print('x' * (1 << 20))",
        "output_limit",
        "error",
        DEAD,
    ),
    "prints 100 MB at once": ("print('x' * (100 << 20))", "output_limit", "error", DEAD),
    "prints without end": (
        "while True:\n    print('x', flush=True)",
        "output_limit",
        "error",
        DEAD,
    ),
    "displays without end": ("while True:\n    display('x')", None, None, None),
    "turns cells into pass": (
        "get_ipython().input_transformers_post.append(lambda lines: ['pass\\n'])",
        "finished",
        "passed",
        DEAD,
    ),
    "turns trees into pass": (
        "import ast\nclass Empty(ast.NodeTransformer):\n"
        "    def visit_Module(self, node):\n        return ast.Module([], [])\n"
        "get_ipython().ast_transformers.append(Empty())",
        "finished",
        "passed",
        DEAD,
    ),
    "hides exceptions": (
        "get_ipython().set_custom_exc((Exception,), lambda *given, **named: None)",
        "finished",
        "passed",
        ALIVE,
    ),
    "hides tracebacks": (
        "get_ipython()._showtraceback = lambda *given, **named: None\n"
        "get_ipython().showtraceback = lambda *given, **named: None",
        "finished",
        "passed",
        ALIVE,
    ),
    "lies about how a cell ended": (
        "from IPython.core.interactiveshell import ExecutionResult\n"
        "ExecutionResult.success = property(lambda self: True)\n"
        "get_ipython().showtraceback = lambda *given, **named: None",
        "finished",
        "passed",
        ALIVE,
    ),
    "asks nbval to skip": (
        "# NBVAL_SKIP\n# NBVAL_IGNORE_OUTPUT\n" + WRONG,
        "finished",
        "passed",
        ALIVE,
    ),
    "asks nbval to expect an exception": (
        "# NBVAL_RAISES_EXCEPTION\nraise ValueError",
        "finished",
        "error",
        ALIVE,
    ),
    "forges values in its own cell": (
        WRONG + f"print({TRIPLE!r})",
        "finished",
        "failed",
        ALIVE,
    ),
    "forges values when called": (
        "def triple(x):\n    print('value: 4.500000e+00')\n    return 2 * x",
        "finished",
        "passed",
        ALIVE,
    ),
    "prints nothing": (
        "import builtins, sys\nbuiltins.print = lambda *given, **named: None\n" + RIGHT,
        "finished",
        "passed",
        None,
    ),
    "equals everything": (
        "class Any(float):\n"
        "    def __eq__(self, other):\n        return True\n"
        "    def __format__(self, spec):\n        return 'value: value: nan'\n"
        "    __repr__ = __str__ = lambda self: 'nan'\n"
        "def triple(x):\n    return Any(1)",
        "finished",
        "passed",
        ALIVE,
    ),
    "formats as what it finds on disk": (
        "import pathlib\n"
        "class Reader:\n"
        "    def __format__(self, spec):\n"
        "        for folder in ('/tmp', '/conn', '/home', '/course'):\n"
        "            for path in pathlib.Path(folder).glob('**/notebook.ipynb'):\n"
        "                return path.read_text().split('value: ')[1][:12]\n"
        "        return 'nothing found'\n"
        "def triple(x):\n    return Reader()",
        "finished",
        "passed",
        ALIVE,
    ),
    "prints later from a thread": (
        "import threading, time\n"
        "def late():\n    time.sleep(0.05)\n    print('value: 4.500000e+00')\n"
        "threading.Thread(target=late).start()",
        "finished",
        None,
        None,
    ),
    "writes verdicts where the worker writes": (
        "import os, json\n"
        "for cell in ('second-hidden', 'third-hidden'):\n"
        "    line = json.dumps({'cell_id': cell, 'status': 'passed'}) + '\\n'\n"
        "    for fd in range(3):\n"
        "        try:\n            os.write(fd, line.encode())\n"
        "        except OSError:\n            pass\n" + WRONG,
        "finished",
        "passed",
        ALIVE,
    ),
    "forges messages": (
        "kernel = get_ipython().kernel\n"
        "if kernel.iopub_socket is None:\n"
        "    def send(frames):\n"
        "        junk = frames[2] if len(frames) > 2 else frames[0]\n"
        "        size = len(junk).to_bytes(4, 'big')\n"
        "        kernel.session._connection.sendall(size + junk)\n"
        "else:\n"
        "    send = kernel.iopub_socket.send_multipart\n"
        "for junk in ([b''], [b'<IDS|MSG>'], [b'<IDS|MSG>', b'0', b'{', b'', b'{}', b'{}'],\n"
        "             [b'<IDS|MSG>', b'', b'[' * 20000, b'{}', b'{}', b'{}']):\n"
        "    send(junk)\n"
        "parent = kernel.get_parent()\n"
        "kernel.session.send(kernel.iopub_socket, 'error', {'status': 'idle'}, parent=parent)\n"
        "kernel.session.send(kernel.iopub_socket, 'stream', [1], parent=parent)\n"
        "kernel.session.send(kernel.iopub_socket, 'status', None, parent=parent)",
        "finished",
        "error",
        ALIVE,
    ),
    "holds half a character": ("# \ud800\n" + WRONG, "finished", "passed", ALIVE),
    "removes its sockets": (
        "import shutil\nshutil.rmtree('/conn', ignore_errors=True)\n" + WRONG,
        "finished",
        "passed",
        ALIVE,
    ),
    "imports the lessons' own code": (
        "from course_utils import chain_rule\n" + WRONG,
        "finished",
        "error",
        ALIVE,
    ),
    "patches what checks answers": (
        "import course_utils.checks as checks\n"
        "for name in list(vars(checks)):\n"
        "    if callable(getattr(checks, name)):\n"
        "        setattr(checks, name, lambda *given, **named: None)\n" + WRONG,
        "finished",
        "passed",
        ALIVE,
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_earns_nothing_and_costs_no_one_else(
    name: str, exam: Exam, sandbox: Sandbox, run_in_kernel: RunNotebook
) -> None:
    answer, ended, own, passed = ATTACKS[name]
    limits = PATIENT if ended in ("output_limit", "memory_limit") else QUICK
    outcome = run_in_kernel(exam(answer), limits=limits, sandbox=sandbox)
    statuses = _statuses(outcome)
    assert "second" not in _passed(outcome), statuses
    assert "first" in _passed(outcome), (statuses, outcome.detail)
    assert ended in (None, outcome.ended), (outcome, statuses)
    assert own in (None, statuses["second-answer"]), statuses
    assert passed in (None, _passed(outcome)), statuses
    assert outcome.seconds < limits.total_seconds + 5


RIGHT_ANSWERS = {
    "plainly": RIGHT,
    "with a warning on stderr": "import warnings\n" + RIGHT + "warnings.warn('overflow')",
    "while writing to stderr": "import sys\ndef triple(x):\n"
    "    print('hm', file=sys.stderr)\n    return 3 * x",
    "with a stray print": RIGHT + "print('done', triple(1))",
    "with a stray print in the function": "def triple(x):\n    print('x is', x)\n    return 3 * x",
    "with a stray print that ends no line": "def triple(x):\n"
    "    print('x', x, end=' ')\n    return 3 * x",
    "in another order of operations": "def triple(x):\n    return x * (1 + 1e-9) * 6 / 2",
    "with a stray display": "def triple(x):\n    display(x)\n    return 3 * x",
    "with NBVAL_SKIP above it": "# NBVAL_SKIP\n" + RIGHT,
    "after a shell magic": "%config InlineBackend.figure_format = 'png'\n" + RIGHT,
}


@pytest.fixture(scope="module")
def right_outcome(
    code_cell: Callable[..., nbformat.NotebookNode], sandbox: Sandbox, run_in_kernel: RunNotebook
) -> RunOutcome:
    """All right answers as the questions of one notebook, run once."""
    cells = []
    for number, answer in enumerate(RIGHT_ANSWERS.values()):
        cells += [
            code_cell(f"answer-{number}", answer),
            code_cell(f"hidden-{number}", CHECK % "triple", stored=TRIPLE, graded=True),
        ]
    return run_in_kernel(nbformat.v4.new_notebook(cells=cells), limits=QUICK, sandbox=sandbox)


@pytest.mark.parametrize("how", RIGHT_ANSWERS)
def test_a_right_answer_passes(how: str, right_outcome: RunOutcome) -> None:
    number = list(RIGHT_ANSWERS).index(how)
    for cell_id in (f"answer-{number}", f"hidden-{number}"):
        assert right_outcome.cells[cell_id].status == "passed", right_outcome.cells[cell_id]
    assert right_outcome.ended == "finished"
    assert right_outcome.sandboxed


def test_tags_and_kernel_of_a_notebook_have_no_say(
    exam: Exam, sandbox: Sandbox, run_in_kernel: RunNotebook
) -> None:
    notebook = exam(WRONG)
    notebook.metadata["kernelspec"] = {"name": "bash", "display_name": "B", "language": "bash"}
    for cell in notebook.cells:
        cell.metadata["tags"] = ["nbval-skip", "nbval-ignore-output", "raises-exception"]
    outcome = run_in_kernel(notebook, limits=QUICK, sandbox=sandbox)
    assert _passed(outcome) == {"first", "third"}, outcome
