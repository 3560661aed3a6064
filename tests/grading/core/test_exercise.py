"""An exercise notebook: its questions, its stubs, nbgrader's checksums."""

import copy

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_utils.grading.exercise import (
    SOLUTION_BEGIN,
    SOLUTION_END,
    ExerciseError,
    Question,
    checksum,
    parse,
    same_code,
    stub_source,
)

QUESTION = Question("ex01-a-b", "a-b", "1.1", 'The "half"', 5)


def test_the_questions_are_found_in_order(mini):
    found = [(q.slug, q.number, q.title, q.points) for q in mini.questions]
    assert found == [
        ("double", "1.1", "Twice", 7),
        ("square", "1.2", "Squared", 7),
        ("cube", "1.3", "Cubed", 6),
    ]
    assert (mini.title, mini.points) == ("Exercise 01 · Mini", 20)


def test_the_stub_stands_at_the_indentation_of_the_region():
    source = (
        f"def f(x):\n    if x:\n        {SOLUTION_BEGIN}\n        y = 1\n        {SOLUTION_END}"
    )
    expected = (
        'def f(x):\n    if x:\n        raise NotImplementedError("Question 1.1: The \\"half\\"")'
    )
    assert stub_source(source, QUESTION) == expected
    with pytest.raises(NotImplementedError, match=r'Question 1\.1: The "half"'):
        exec(stub_source(f"{SOLUTION_BEGIN}\nworked = 1\n{SOLUTION_END}", QUESTION))


def test_blanks_do_not_make_an_answer():
    assert same_code("def f():\n    pass\n\n", "\ndef f():  \n\n    pass")
    assert not same_code("def f():\n    pass", "def f():\n  pass")


@pytest.mark.parametrize("role", ["prompt", "answer", "visible", "hidden"])
def test_a_question_without_one_of_its_cells_is_refused(mini, role):
    notebook = copy.deepcopy(mini.notebook)
    notebook.cells = [cell for cell in notebook.cells if cell.id != f"ex01-square-{role}"]
    with pytest.raises(ExerciseError, match=f"cell 'ex01-square-{role}': stands 0 times"):
        parse(notebook, "ex01_mini")


def test_a_title_that_cannot_be_read_is_refused(mini):
    mini.cells_by_id()["ex01-cube-prompt"].source = "## Question 1.3: Cubed (6 points)"
    with pytest.raises(ExerciseError, match=r"Write it as '## Question 1.1 · Title \(5 points\)'"):
        parse(mini.notebook, "ex01_mini")


def test_a_notebook_without_questions_is_refused():
    with pytest.raises(ExerciseError, match="there is no question"):
        parse(new_notebook(cells=[new_markdown_cell("hello")]), "ex01_mini")


@pytest.mark.parametrize(
    ("cell", "flags", "nbgraders"),
    [
        (
            new_code_cell("print(1)  # ✓"),
            {"grade": True, "solution": False, "locked": True, "points": 5},
            "19178c8a12030cced08fce4d8e24514c",
        ),
        (
            new_code_cell("def f(): pass"),
            {"grade": False, "solution": True, "locked": False},
            "df8cb6cbab213711077fa0fdcae593ef",
        ),
        (
            new_markdown_cell("## Q"),
            {"grade": False, "solution": False, "locked": True},
            "8ce6801761d77aea39ea2a8d9c0ca1ec",
        ),
    ],
)
def test_checksums_are_those_of_nbgrader(cell, flags, nbgraders):
    """The expected sums were computed by nbgrader 0.9.6 itself."""
    cell.metadata["nbgrader"] = {"grade_id": "ex01-a-cell", **flags}
    assert checksum(cell) == nbgraders
