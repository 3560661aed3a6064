"""A tiny exercise of three questions, two ways to run it, and folders of hand-ins of it."""

import contextlib
import io
import json
import re
import time
import traceback
from concurrent.futures import Executor, Future
from functools import partial

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_utils import notebooks
from course_utils.grading import exercise as exercises
from course_utils.grading.authoring.build import build_solution
from course_utils.grading.batches.batch import grade_folder
from course_utils.grading.batches.resume import Terms, plan
from course_utils.grading.intake import find_hand_ins
from course_utils.grading.key import read_keys
from course_utils.grading.release import release
from course_utils.grading.running.run import CellOutcome, RunOutcome, run_notebook
from course_utils.grading.values import answer_lines, same_lines

QUESTIONS = [
    # slug, title, points, worked body, call with public input, its value, hidden calls
    ("double", "Twice", 7, "return 2 * x", "double(1.5)", "3.0"),
    ("square", "Squared", 7, "return x**2", "square(1.5)", "2.25"),
    ("cube", "Cubed", 6, "return x**3", "cube(1.5)", "3.375"),
]
POPULAR = """
[[answer]]
question = "{slug}"
kind = "wrong"
name = "a constant"
code = '''
def {slug}(x):
    return 1.0
'''

[[answer]]
question = "{slug}"
kind = "wrong"
name = "adds instead"
message = "You added {slug}. Multiply."
code = '''
def {slug}(x):
    return x + {added}
'''

[[answer]]
question = "{slug}"
kind = "equivalent"
name = "by a sum of logs"
code = '''
import math
def {slug}(x):
    return {other}
'''
"""
OTHER = {
    "double": "x + x",
    "square": "math.exp(2 * math.log(x))",
    "cube": "math.exp(3 * math.log(x))",
}


def nbgrader(name, **flags):
    known = {"grade": False, "solution": False, "locked": True, "grade_id": name}
    return {"nbgrader": known | flags}


def question_cells(slug, title, points, body, call, value, number):
    prefix = f"ex01-{slug}"
    hidden = "\n".join(
        [
            "def _hidden():",
            "    import numpy as np",
            "",
            "    rng = np.random.default_rng(7)",
            "    for number in rng.uniform(1.2, 2.8, size=4):",
            f"        print(f'value: {{{slug}(float(number)):.6e}}')",
            "",
            "",
            "_hidden()",
        ]
    )
    answer = "\n".join(
        [
            f"# {prefix}-answer · keep this line",
            f"def {slug}(x):",
            f'    """The {slug} of x."""',
            f"    {exercises.SOLUTION_BEGIN}",
            f"    {body}  # as the author worked it",
            f"    {exercises.SOLUTION_END}",
        ]
    )
    visible = "\n".join(
        [
            "from course_utils.checks import check, passed",
            f"check({call}, {value}, name='{call}')",
            f"passed('{number}')",
        ]
    )
    heading = f"## Question {number} · {title} ({points} points)\nReturn the {slug} of x."
    return [
        new_markdown_cell(heading, id=f"{prefix}-prompt", metadata=nbgrader(f"{prefix}-prompt")),
        new_code_cell(
            answer,
            id=f"{prefix}-answer",
            metadata=nbgrader(f"{prefix}-answer", solution=True, locked=False),
        ),
        new_code_cell(
            visible, id=f"{prefix}-visible", metadata=nbgrader(f"{prefix}-visible", grade=False)
        ),
        new_code_cell(
            hidden,
            id=f"{prefix}-hidden",
            metadata=nbgrader(f"{prefix}-hidden", grade=True, points=points),
        ),
    ]


def unbuilt_notebook():
    """The mini exercise as an author writes it: without outputs."""
    setup = "import math\n\nSCALE = math.pi"
    cells = [
        new_markdown_cell("# Exercise 01 · Mini", id="ex01-intro"),
        new_code_cell(setup, id="ex01-setup", metadata=nbgrader("ex01-setup")),
    ]
    for index, row in enumerate(QUESTIONS, start=1):
        cells += question_cells(*row, number=f"1.{index}")
    cells.append(new_markdown_cell("You can now multiply.", id="ex01-outro"))
    return notebooks.normalise(new_notebook(cells=cells))


def run_here(notebook):
    """Run the cells in this very process: quick, and enough to test what grading decides."""
    space, cells = {"__name__": "notebook"}, {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        out, error, started = io.StringIO(), "", time.perf_counter()
        with contextlib.redirect_stdout(out):
            try:
                exec(cell.source, space)
            except Exception as raised:
                error = traceback.format_exception_only(raised)[-1].strip()
        wanted = "".join(o.text for o in cell.outputs if o.get("name") == "stdout")
        same = same_lines(answer_lines(wanted), answer_lines(out.getvalue()))
        status = "error" if error else "passed" if same else "failed"
        seconds = time.perf_counter() - started
        cells[cell.id] = CellOutcome(cell.id, status, out.getvalue(), error, seconds)
    return RunOutcome("finished", cells, 0.1, sandboxed=False)


def run_slowly(notebook):
    """Run the cells here, but not at once: so that there is time to stop it."""
    time.sleep(0.3)
    return run_here(notebook)


def built_notebook():
    """The mini exercise with outputs, counts and checksums."""
    notebook = unbuilt_notebook()
    ran, count = run_here(notebook), 0
    for cell in notebook.cells:
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            text = ran.cells[cell.id].stdout
            cell.outputs = [new_output("stream", name="stdout", text=text)] if text else []
    return exercises.stamp(notebook)


def popular_toml():
    return "".join(
        POPULAR.format(slug=slug, other=OTHER[slug], added=added)
        for added, (slug, *_) in enumerate(QUESTIONS, start=2)
    )


@pytest.fixture
def mini():
    """The parsed mini exercise, fresh for each test."""
    return exercises.parse(built_notebook(), "ex01_mini")


@pytest.fixture(scope="session")
def built_key(tmp_path_factory):
    """A folder of solutions, built as `course build` builds it (read it only)."""
    folder = tmp_path_factory.mktemp("course") / "solutions"
    folder.mkdir()
    notebooks.write(unbuilt_notebook(), folder / "ex01_mini.ipynb")
    (folder / "ex01_mini.toml").write_text(popular_toml(), encoding="utf-8")
    build_solution(folder / "ex01_mini.ipynb", run=run_here)
    return folder


@pytest.fixture
def run_in_process():
    return run_here


@pytest.fixture
def sandboxed(sandbox):
    """Run a notebook as the grader does."""
    return partial(run_notebook, sandbox=sandbox)


@pytest.fixture
def hand_in():
    """Make the bytes of a hand-in: the student edition with some answers, changed at will."""

    def make(answers=None, *, change=None):
        edition = release(exercises.parse(built_notebook(), "ex01_mini"))
        for slug, source in (answers or {}).items():
            question = next(q for q in edition.questions if q.slug == slug)
            edition.cell(question, "answer").source = f"{question.marker}\n{source}"
        content = json.loads(nbformat.writes(edition.notebook))
        if change:
            change(content)
        return json.dumps(content).encode()

    return make


@pytest.fixture(scope="session")
def keys(built_key):
    """The key of the mini exercise, as it is read."""
    return read_keys(built_key)


@pytest.fixture
def folder(tmp_path):
    """Put hand-ins into a folder: learner -> bytes of ex01_mini.ipynb."""

    def put(**learners):
        for learner, data in learners.items():
            path = tmp_path / "hand_ins" / learner / "ex01_mini.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return tmp_path / "hand_ins"

    return put


class AtOnce(Executor):
    """An executor that runs a job when it is given: any executor will do."""

    def submit(self, fn, /, *args, **kwargs):
        """The future of a job that is done."""
        future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture
def at_once():
    """The class of executors that need no thread."""
    return AtOnce


@pytest.fixture
def grade_here(keys, run_in_process):
    """Grade a folder in this process; what was done with each hand-in, and why."""
    known = keys

    def grade(path, out, *, keys=known, run=run_in_process, executor=None, ahead=4, **terms):
        agreed = Terms(**{"sandboxed": False} | terms)
        tasks = list(plan(find_hand_ins(path, keys).hand_ins, keys, out, agreed))
        executor = executor or AtOnce()
        grade_folder(tasks, keys, out, run=run, executor=executor, ahead=ahead, terms=agreed)
        return {f"{t.hand_in.learner}/{t.hand_in.exercise}": (t.action, t.why) for t in tasks}

    return grade


MEASURED = re.compile(
    r'"seconds": [\d.e-]+|<td class="right">[\d.]+ s</td>|<p>Median [\d.]+ s. Slowest:.*?</p>',
    re.DOTALL,
)


@pytest.fixture
def without_seconds():
    """Read every file of a folder of grades; the times that were measured are left out."""

    def read(out):
        files = (path for path in out.rglob("*") if path.is_file())
        return {str(path.relative_to(out)): MEASURED.sub("", path.read_text()) for path in files}

    return read
