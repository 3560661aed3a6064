"""The student edition: what is in it, what must not be, and that it is always the same."""

import json
import shutil

import nbformat
import pytest

from course_utils import notebooks
from course_utils.grading.authoring import edition as editions
from course_utils.grading.authoring.edition import given_away, write_edition
from course_utils.grading.exercise import (
    SOLUTION_BEGIN,
    ExerciseError,
    checksum,
    nbgrader_metadata,
    parse,
)
from course_utils.grading.release import release, release_folder

KEPT = ["README.md", "LICENSE", "Makefile", "pyproject.toml", "requirements.lock"]


def test_hidden_checks_answers_and_outputs_are_gone(mini):
    student = release(mini).notebook
    text = nbformat.writes(student)
    for word in ("-hidden", "_hidden", "author worked", "SOLUTION", "value:", "✓ 1.1\\n"):
        assert word not in text, word
    assert [c.execution_count for c in student.cells if c.cell_type == "code"] == [None] * 7
    assert list(notebooks.faults(student, executed=False)) == []


def test_each_question_keeps_its_prompt_stub_and_visible_check(mini):
    student = release(mini)
    assert [q.number for q in student.questions] == ["1.1", "1.2", "1.3"]
    for question in mini.questions:
        for role in ("prompt", "visible"):
            assert student.cell(question, role).source == mini.cell(question, role).source
        source = student.cell(question, "answer").source
        assert source.startswith(f"{question.marker}\ndef {question.slug}(x):\n")
        assert source.endswith(f'    raise NotImplementedError("Question {question.number}: '
                               f'{question.title}")')  # fmt: skip
    for cell in student.notebook.cells:
        if meta := nbgrader_metadata(cell):
            assert meta["checksum"] == checksum(cell)


def test_the_release_leaves_the_solution_alone_and_is_byte_for_byte_the_same(mini):
    before = nbformat.writes(mini.notebook)
    first, second = nbformat.writes(release(mini).notebook), nbformat.writes(release(mini).notebook)
    assert first == second
    assert nbformat.writes(mini.notebook) == before


def test_the_exercises_folder_mirrors_the_solutions(built_key, tmp_path):
    (tmp_path / "ex99_old.ipynb").write_text("{}")
    (written,) = release_folder(built_key, tmp_path)
    assert written == tmp_path / "ex01_mini.ipynb"
    assert [path.name for path in tmp_path.iterdir()] == ["ex01_mini.ipynb"]
    first = written.read_bytes()
    release_folder(built_key, tmp_path)
    assert written.read_bytes() == first


def test_nothing_is_written_when_one_solution_is_refused(mini, built_key, tmp_path):
    solutions = shutil.copytree(built_key, tmp_path / "solutions")
    mini.cells_by_id()["ex01-cube-hidden"].outputs = []
    notebooks.write(mini.notebook, solutions / "ex02_broken.ipynb")
    with pytest.raises(ExerciseError, match="ex02_broken: cell 'ex01-cube-hidden'"):
        release_folder(solutions, tmp_path / "exercises")
    assert not (tmp_path / "exercises").exists()


@pytest.fixture
def course(built_key, tmp_path):
    """A small course folder with all that the real one has, and what must stay at home."""
    folder = tmp_path / "course"
    shutil.copytree(built_key, folder / "solutions")
    for name in [*KEPT, "environment.yml", "CHANGELOG.md"]:
        (folder / name).write_text(f"{name}\n")
    for name in (
        "course_utils/grading/__pycache__",
        "tests",
        "benchmarks",
        ".git",
        "notebooks",
        "docs",
    ):
        (folder / name).mkdir(parents=True)
        (folder / name / "file.txt").write_text("text\n")
    (folder / "course_utils" / "checks.py").write_text("CHECKS = 1\n")
    return folder


def test_the_edition_holds_what_a_learner_needs_and_nothing_else(course, tmp_path):
    written = [str(path) for path in write_edition(course, tmp_path / "student")]
    expected = [*KEPT, "environment.yml", "course_utils/checks.py", "exercises/ex01_mini.ipynb"]
    assert written == sorted([*expected, "docs/file.txt", "notebooks/file.txt"])


def test_this_courses_own_edition_gives_nothing_away(tmp_path, pytestconfig):
    written = {str(path) for path in write_edition(pytestconfig.rootpath, tmp_path / "student")}
    assert {"exercises/ex01_chain_rule.ipynb", "docs/headline.png", "Makefile"} <= written
    assert not any("solution" in path or "fingerprints.json" in path for path in written)


def test_a_folder_that_is_not_empty_is_refused_and_left_alone(course, tmp_path):
    (tmp_path / "student").mkdir()
    (tmp_path / "student" / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="is not an empty folder"):
        write_edition(course, tmp_path / "student")
    assert [path.name for path in (tmp_path / "student").iterdir()] == ["mine.txt"]


def test_a_course_folder_that_lacks_a_file_is_refused(course, tmp_path):
    (course / "environment.yml").unlink()
    with pytest.raises(ValueError, match=r"lacks environment\.yml"):
        write_edition(course, tmp_path / "student")
    assert not (tmp_path / "student").exists()


def first_value(course):
    notebook = json.loads((course / "solutions/ex01_mini.ipynb").read_text())
    return next(c["outputs"][0]["text"][0] for c in notebook["cells"] if "-hidden" in c["id"])


LEAKS = {
    "a hidden value": lambda course: first_value(course),
    "the name of a hidden check": lambda course: "see ex01-cube-hidden for more",
    "a line of a hidden check": lambda course: "for number in rng.uniform(1.2, 2.8, size=4):",
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
@pytest.mark.parametrize("file", ["notebooks/file.txt", "course_utils/checks.py", "README.md"])
def test_an_edition_that_would_give_a_hidden_check_away_is_not_left_behind(
    course, tmp_path, leak, file
):
    (course / file).write_text(f"first\n    {leak(course).strip()}\nlast\n")
    with pytest.raises(ValueError, match=f"(?s)give answers away.*{file}"):
        write_edition(course, tmp_path / "student")
    assert not (tmp_path / "student").exists()


def test_a_solution_that_slips_into_the_edition_is_found(course, tmp_path, monkeypatch):
    """The search does not rest on the release: here the release fails to remove anything."""

    def careless(solutions, exercises):
        shutil.copytree(solutions, exercises)

    monkeypatch.setattr(editions, "release_folder", careless)
    with pytest.raises(ValueError, match=SOLUTION_BEGIN) as caught:
        write_edition(course, tmp_path / "student")
    for words in (
        "ex01-double-hidden",
        "return 2 * x  # as the author worked it",
        "belongs to the instructor",
    ):
        assert words in str(caught.value)


def test_a_worked_line_counts_in_exercises_only(course, tmp_path):
    answer = "def square(x):\n    return (x**2 + 0.0)  # the way we do it"
    solution = course / "solutions/ex01_mini.ipynb"
    exercise = parse(notebooks.read(solution), "ex01_mini")
    cell = exercise.cells_by_id()["ex01-square-answer"]
    cell.source = cell.source.replace(
        "return x**2  # as the author worked it", answer.split("\n")[1].strip()
    )
    notebooks.write(exercise.notebook, solution)
    (tmp_path / "student/exercises").mkdir(parents=True)
    (tmp_path / "student/notebooks").mkdir()
    (tmp_path / "student/notebooks/lesson.py").write_text(answer)
    assert list(given_away(course / "solutions", tmp_path / "student")) == []
    (tmp_path / "student/exercises/hints.txt").write_text(answer)
    assert len(list(given_away(course / "solutions", tmp_path / "student"))) == 1
