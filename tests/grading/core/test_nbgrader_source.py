"""The source folder for nbgrader, without nbgrader: what is in it, and what its checks decide."""

import contextlib
import copy
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from course_utils import cli, notebooks
from course_utils.grading import release
from course_utils.grading.authoring.nbgrader_source import (
    HIDDEN_BEGIN,
    HIDDEN_END,
    graded_source,
    nbgrader_notebook,
    write_source,
)
from course_utils.grading.exercise import (
    SOLUTION_BEGIN,
    SOLUTION_END,
    ExerciseError,
    checksum,
    grade_id,
    nbgrader_metadata,
    parse,
)
from course_utils.grading.fingerprints import answer_source, read_popular, rounds

ROOT = Path(__file__).parents[3]
SOLUTIONS = ROOT / "solutions"
NAMES = sorted(path.stem for path in SOLUTIONS.glob("ex*.ipynb"))
RUN_THROUGH = ["ex02_backprop", "ex04_vanishing", "ex09_initialization"]

# Runs each notebook of a list as a plain kernel does; a cell that raises, or warns, has failed.
PLAIN_KERNEL = """
import contextlib, io, json, sys

def ends_well(source, space):
    warned = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(warned):
        try:
            exec(source, space)
        except Exception:
            return False
    return not warned.getvalue()

outcomes = []
for cells in json.load(sys.stdin):
    space = {"__name__": "__main__"}
    outcomes.append({name: ends_well(source, space) for name, source in cells})
print(json.dumps(outcomes))
"""


def solution(name):
    return release.read_exercise(SOLUTIONS / f"{name}.ipynb")


def stripped(source):
    """The source without its hidden test regions, as nbgrader gives it out."""
    kept, inside = [], False
    for line in source.split("\n"):
        inside = inside or line.strip() == HIDDEN_BEGIN
        if not inside:
            kept.append(line)
        inside = inside and line.strip() != HIDDEN_END
    assert not inside, "nbgrader refuses a region without an end"
    return "\n".join(kept)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nbgrader") / "course"
    write_source(ROOT, folder)
    return folder


def source_notebook(course, name):
    return nbformat.read(course / "source" / name / f"{name}.ipynb", as_version=4)


def run_in_plain_kernels(course, name, hand_ins):
    """For each hand-in (slug -> source), which of the source notebook's code cells end well.

    The folder of the notebook is the working folder, and holds what its checks import.
    """
    filled = []
    for answers in hand_ins:
        exercise = parse(source_notebook(course, name), name)
        for question in exercise.questions:
            source = answers.get(question.slug, exercise.blank(question))
            exercise.cell(question, "answer").source = source
        code = [cell for cell in exercise.notebook.cells if cell.cell_type == "code"]
        filled.append([(grade_id(cell), cell.source) for cell in code])
    done = subprocess.run(
        [sys.executable, "-c", PLAIN_KERNEL],
        input=json.dumps(filled),
        cwd=course / "source" / name,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", RUN_THROUGH)
def test_right_answers_pass_and_popular_wrong_ones_fail(course, name):
    exercise = solution(name)
    slugs = {question.slug: question for question in exercise.questions}
    rows = list(rounds(exercise, read_popular(SOLUTIONS / f"{name}.toml", exercise)))
    popular = [{a.question: answer_source(slugs[a.question], a.code) for a in row} for row in rows]
    worked = {slug: exercise.cell(q, "answer").source for slug, q in slugs.items()}
    right, blank, *others = run_in_plain_kernels(course, name, [worked, {}, *popular])
    assert all(right.values())
    assert not any(blank[q.cell_id(role)] for q in slugs.values() for role in ("visible", "hidden"))
    for row, ended in zip(rows, others, strict=True):
        earned = {slug for slug, question in slugs.items() if ended[question.cell_id("hidden")]}
        assert earned == {answer.question for answer in row if answer.kind == "equivalent"}, row
    assert len(rows) > 10


@pytest.mark.parametrize("name", NAMES)
def test_what_is_given_out_holds_no_answer_and_no_hidden_check(course, name):
    exercise = solution(name)
    notebook = source_notebook(course, name)
    secret = release.hidden_secrets(exercise) | release.answer_secrets(exercise)
    secret -= {question.cell_id("hidden") for question in exercise.questions}
    assert release.leaks(release.notebook_lines(notebook), secret)
    for question in parse(notebook, name).questions:
        cell = parse(notebook, name).cell(question, "answer")
        cell.source = exercise.blank(question)
    for cell in notebook.cells:
        cell.source = stripped(cell.source)
    assert not release.leaks(release.notebook_lines(notebook), secret)


@pytest.mark.parametrize("name", NAMES)
def test_all_but_the_checks_is_as_in_the_solution(course, name):
    exercise, made = solution(name), parse(source_notebook(course, name), name)
    assert list(notebooks.faults(made.notebook, executed=False)) == []
    assert made.questions == exercise.questions
    hidden = {question.cell_id("hidden") for question in exercise.questions}
    for old, new in zip(exercise.notebook.cells, made.notebook.cells, strict=True):
        assert grade_id(new) == grade_id(old)
        if grade_id(new) not in hidden and not grade_id(new).endswith("-intro"):
            assert new.source == old.source
    intro = made.notebook.cells[0].source
    assert "course check" not in intro
    assert "**Validate**" in intro


@pytest.mark.parametrize("name", NAMES)
def test_its_metadata_is_nbgraders(course, name):
    made = parse(source_notebook(course, name), name)
    points = 0
    for cell in made.notebook.cells:
        meta = nbgrader_metadata(cell)
        assert (meta["schema_version"], meta["task"]) == (3, False)
        assert meta["checksum"] == checksum(cell)
        points += meta.get("points", 0)
    assert points == made.points == 20
    for question in made.questions:
        answer = made.cell(question, "answer")
        assert nbgrader_metadata(answer)["solution"]
        assert not nbgrader_metadata(answer)["locked"]
        assert answer.source.count(SOLUTION_BEGIN) == answer.source.count(SOLUTION_END) == 1
        for role, worth in (("visible", 0), ("hidden", question.points)):
            meta = nbgrader_metadata(made.cell(question, role))
            assert (meta["grade"], meta["locked"], meta["points"]) == (True, True, worth)


def test_the_checksum_is_the_one_that_nbgrader_computes():
    # nbgrader 0.9.6: compute_checksum of this very cell
    cell = nbformat.v4.new_code_cell("assert f(2) == 4", id="q1-hidden")
    cell.metadata["nbgrader"] = {"grade": True, "grade_id": "q1-hidden", "points": 3}
    assert checksum(cell) == "5412c481a7604a6fd88517150384d95e"


def test_a_warning_or_a_learners_print_costs_nothing_but_a_wrong_value_does(mini):
    exercise = parse(nbgrader_notebook(mini), mini.name)
    (double, *_) = exercise.questions
    check = exercise.cell(double, "hidden").source

    def earns(code):
        space = {"__name__": "__main__"}
        exec(f"import sys\n{code}", space)
        with contextlib.redirect_stderr(io.StringIO()) as warned:
            try:
                exec(check, space)
            except Exception:
                return False
        return not warned.getvalue()  # nbgrader gives no points to a cell that warns

    assert earns("def double(x):\n    print('here', end='')\n    return 2 * x")
    assert earns("def double(x):\n    print('overflow', file=sys.stderr)\n    return 2 * x")
    assert earns("def double(x):\n    return 2 * x * (1 + 1e-7)")
    assert not earns("def double(x):\n    return 2 * x * (1 + 1e-4)")
    assert not earns("def double(x):\n    print('value: 1.0')\n    return 2 * x")
    assert not earns("pass")


def test_the_solution_is_left_alone(mini):
    before = copy.deepcopy(mini.notebook)
    nbgrader_notebook(mini)
    assert mini.notebook == before


def test_what_the_lint_refuses_is_not_written(mini, built_key, tmp_path):
    mini.cells_by_id()["ex01-cube-hidden"].outputs = []
    with pytest.raises(ExerciseError, match="ex01-cube-hidden"):
        nbgrader_notebook(mini)
    course = tmp_path / "course"
    shutil.copytree(built_key, course / "solutions")
    notebooks.write(mini.notebook, course / "solutions" / "ex02_broken.ipynb")
    with pytest.raises(ExerciseError, match="ex02_broken"):
        write_source(course, tmp_path / "nbgrader")
    assert not (tmp_path / "nbgrader").exists()


def test_a_hidden_check_that_cannot_be_indented_is_refused(mini):
    cell = mini.cells_by_id()["ex01-cube-hidden"]
    cell.source = f'{cell.source}\nNOTE = """two\nlines"""'
    with pytest.raises(ExerciseError, match="a string in it goes over several lines"):
        graded_source(mini, mini.questions[2])


def test_what_an_instructor_has_written_stays_and_the_exercises_are_made_anew(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(ROOT / "notebooks")
    target = tmp_path / "nbgrader"
    assert cli.main(["release", "--nbgrader", str(target)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(NAMES) + 1
    mine = [target / "nbgrader_config.py", target / "README.md", target / "gradebook.db"]
    notebook = target / "source" / NAMES[0] / f"{NAMES[0]}.ipynb"
    first = notebook.read_bytes()
    for path in [*mine, notebook]:
        path.write_text("mine")
    assert cli.main(["release", "--nbgrader", str(target)]) == 0
    assert [path.read_text() for path in mine] == ["mine"] * 3
    assert notebook.read_bytes() == first


def test_beside_a_notebook_lies_what_its_checks_import_and_nothing_else_of_the_course(course):
    for name in NAMES:
        folder = course / "source" / name
        files = (path for path in folder.rglob("*.*") if path.suffix != ".pyc")
        found = sorted(str(path.relative_to(folder)) for path in files)
        assert found == [
            "course_utils/__init__.py",
            "course_utils/checks.py",
            "course_utils/grading/__init__.py",
            "course_utils/grading/values.py",
            f"{name}.ipynb",
        ]


def test_to_and_nbgrader_exclude_each_other(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["release", "--to", str(tmp_path / "a"), "--nbgrader", str(tmp_path / "b")])
    assert stopped.value.code == 2
    assert "not allowed with" in capsys.readouterr().err
