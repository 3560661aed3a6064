"""The exercises as the source folder of an nbgrader course.

nbgrader (0.9) decides in the kernel that runs the learner's code, so the stored values go into the
checks: a check runs what the hidden check runs, reads what it prints, and compares it by
``grading.values``, as ``course grade`` does from outside. All of that stands in a hidden test
region, which ``nbgrader generate_assignment`` takes out.

Beside each notebook lies a package ``course_utils`` that holds no more than the sandbox of
``course grade`` shows. A kernel finds it before a course that is installed, so an answer cannot
call the library's own implementation here either.
"""

import ast
import copy
import re
import textwrap
from pathlib import Path

from nbformat import NotebookNode

from course_utils import notebooks
from course_utils.grading.exercise import Exercise, ExerciseError, Problem, Question, stamp
from course_utils.grading.files import write_atomically
from course_utils.grading.lint import printed, problems
from course_utils.grading.release import read_all, solution_paths
from course_utils.grading.running.sandbox import Limits
from course_utils.grading.syntax import syntax_tree
from course_utils.grading.values import answer_lines

HIDDEN_BEGIN = "### BEGIN HIDDEN TESTS"
HIDDEN_END = "### END HIDDEN TESTS"
BESIDE = tuple(
    Path("course_utils") / name
    for name in ("__init__.py", "checks.py", "grading/__init__.py", "grading/values.py")
)
# how an exercise ends its first cell: a terminal is no place where nbgrader's learners work
TERMINAL = re.compile(r"In a terminal in the course's folder, .*?Hand in this one file\.")
VALIDATE = "Press **Validate** to run all checks in a fresh kernel. Then submit with nbgrader."

# stderr is kept out, since nbgrader gives no points where a warning was printed. The values come
# last, so that no name holds them while the learner's code runs.
GRADED = """\
# Question {number}: its points are earned here, on other inputs than the public ones.
{begin}
import contextlib as _contextlib
import io as _io

from course_utils.grading.values import answer_lines as _answer_lines
from course_utils.grading.values import same_lines as _same_lines

_printed = _io.StringIO()
with _contextlib.redirect_stdout(_printed), _contextlib.redirect_stderr(_io.StringIO()):
{hidden}
assert _same_lines(
    [
{wanted}
    ],
    _answer_lines(_printed.getvalue()),
), "on other inputs the values are not right"
{end}"""

CONFIG = f"""\
c = get_config()
c.CourseDirectory.course_id = "gradients"
# the line that the exercises tell the learner to replace
c.ClearSolutions.code_stub = {{"python": 'raise NotImplementedError("Write your code here.")'}}
# a check that the learner has deleted still counts
c.OverwriteCells.add_missing_cells = True
# seconds that a cell may take, as in `course grade`
c.Execute.timeout = {Limits().cell_seconds:.0f}
"""

README = """\
# The exercises for nbgrader

`course release --nbgrader` wrote `source/` from the course's `solutions/`; write it anew after each
change there, and never edit it by hand. It holds the answers and the hidden checks: give out what
nbgrader puts into `release/`, and nothing else.

```
nbgrader generate_assignment ex01_chain_rule    # source/ -> release/
nbgrader autograde ex01_chain_rule              # submitted/ -> points
```

Tested with nbgrader 0.9.6. The kernel needs NumPy, no more: the `course_utils/` beside each
notebook has what the checks import, and it hides an installed course from the answers, on purpose.
The visible checks are worth 0 points, so that **Validate** reports them. The exercises link to
`../notebooks/`: put that folder of the student edition (`course release --to`) beside them.

## What nbgrader cannot guarantee

The points of an honest hand-in are those of `course grade`. Of any other, nbgrader guarantees
nothing, because it decides in the kernel that runs the learner's code:

- That code can read the values that a check wants, or turn each check into nothing. One
  `input_transformers_post` that blanks every cell earns full points.
- It runs with your rights: it sees your files, the gradebook, the other hand-ins and the network.
- All answers share one kernel. One that overwrites a name, or ends Python, costs the others their
  points, and cells that the learner has added run, too.
- `nbgrader generate_feedback` shows the hidden checks and their values to the learner.

So let nbgrader collect, and let the course's own grader decide. In the course's folder:

```
course grade NBGRADER/submitted --key solutions --out GRADES
```
"""


def write_source(course: Path, target: Path) -> list[Path]:
    """Write every exercise of the folder `course` into the nbgrader course at `target`.

    source/<exercise>/ is written anew; nbgrader_config.py and README.md only where there is none.
    Returns the paths of the notebooks. Raises ValueError, and writes nothing, if a solution may
    not be given out.
    """
    exercises = read_all(solution_paths(course / "solutions"))
    made = {exercise.name: nbgrader_notebook(exercise) for exercise in exercises}
    written = []
    for name, notebook in made.items():
        folder = target / "source" / name
        for path in BESIDE:
            write_atomically(folder / path, (course / path).read_bytes())
        notebooks.write(notebook, folder / f"{name}.ipynb")
        written.append(folder / f"{name}.ipynb")
    for path, text in ((target / "nbgrader_config.py", CONFIG), (target / "README.md", README)):
        if not path.exists():
            write_atomically(path, text)
    return written


def nbgrader_notebook(exercise: Exercise) -> NotebookNode:
    """The solution `exercise` as nbgrader's source: no outputs, and checks that decide themselves.

    Raises ExerciseError with every problem that the lint finds.
    """
    if found := problems(exercise):
        raise ExerciseError(exercise.name, found)
    source = Exercise(exercise.name, copy.deepcopy(exercise.notebook), exercise.questions)
    for question in source.questions:
        hidden = source.cell(question, "hidden")
        hidden.source = graded_source(exercise, question)
        # nbgrader's validation looks at cells with points alone, be they 0
        source.cell(question, "visible").metadata["nbgrader"].update({"grade": True, "points": 0})
    for cell in source.notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        else:
            cell.source = TERMINAL.sub(VALIDATE, cell.source)
    return stamp(notebooks.normalise(source.notebook))


def graded_source(exercise: Exercise, question: Question) -> str:
    """The hidden check of `question` with the values that it must print.

    Raises ExerciseError if it cannot be indented, since a string in it goes over several lines.
    """
    cell = exercise.cell(question, "hidden")
    hidden = textwrap.indent(cell.source, "    ")
    if _statements(f"with a, b:\n{hidden}", inner=True) != _statements(cell.source):
        fact = "a string in it goes over several lines, which nbgrader's form would indent"
        problem = Problem(question.cell_id("hidden"), fact, 'Write it in one line, with "\\n".')
        raise ExerciseError(exercise.name, [problem])
    return GRADED.format(
        number=question.number,
        begin=HIDDEN_BEGIN,
        hidden=hidden,
        wanted="\n".join(f"        {line!r}," for line in answer_lines(printed(cell))),
        end=HIDDEN_END,
    )


def _statements(source: str, *, inner: bool = False) -> list[str]:
    """What each statement of `source` says; inner: those that stand in its first one."""
    tree = syntax_tree(source)
    body = tree.body[0].body if inner else tree.body  # type: ignore[attr-defined]
    return [ast.dump(statement) for statement in body]
