"""Each rule of the lint, with an exercise that breaks it and no other."""

import pytest
from nbformat.v4 import new_code_cell, new_output

from course_utils.grading.exercise import SOLUTION_BEGIN, ExerciseError, parse, stamp
from course_utils.grading.lint import problems
from course_utils.grading.release import release


def test_a_built_exercise_has_no_problem(mini):
    assert problems(mini) == []


def replaced(role, old, new):
    def change(cells):
        cell = cells[f"ex01-square-{role}"]
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return change


def printing(role, text):
    def change(cells):
        cells[f"ex01-square-{role}"].outputs = [new_output("stream", name="stdout", text=text)]

    return change


def flagged(role, **flags):
    return lambda cells: cells[f"ex01-square-{role}"].metadata["nbgrader"].update(flags)


def given(role, **fields):
    return lambda cells: cells[f"ex01-square-{role}"].update(fields)


IN_HIDDEN = "    import numpy as np\n"
BREAKS = [
    # what is wrong, the cell that is named, words of the message, how to break it
    ("no output", "hidden", "0 different numbers", given("hidden", outputs=[])),
    ("two numbers", "hidden", "2 different", printing("hidden", "value: 1.5\nvalue: 2.5\n")),
    ("one number thrice", "hidden", "1 different", printing("hidden", "value: 1.5\n" * 3)),
    ("no value lines", "hidden", "0 different", printing("hidden", "1.5\n2.5\n3.5\n")),
    ("a verdict", "hidden", "prints True", printing("hidden", "value: 1.5 2.5 3.5 True\n")),
    ("signs only", "hidden", "blind guess", printing("hidden", "value: 1\nvalue: 0\nvalue: -1\n")),
    ("never executed", "hidden", "not executed", given("hidden", execution_count=None)),
    ("shared NumPy", "hidden", "borrows np", replaced("hidden", IN_HIDDEN, "")),
    (
        "import outside of the function",
        "hidden",
        "borrows np",
        lambda cells: (
            replaced("hidden", IN_HIDDEN, "")(cells)
            or replaced("hidden", "def _hidden", "import numpy as np\n\ndef _hidden")(cells)
        ),
    ),
    ("setup's constant", "hidden", "borrows SCALE", replaced("hidden", "(float(", "(SCALE * (")),
    ("another answer", "hidden", "borrows double", replaced("hidden", "float(", "double(")),
    ("global generator", "hidden", "np.random.uniform", replaced("hidden", "rng.u", "np.random.u")),
    ("no seed", "hidden", "default_rng()", replaced("hidden", "default_rng(7)", "default_rng()")),
    ("seed None", "hidden", "default_rng(None)", replaced("hidden", "(7)", "(None)")),
    (
        "the random module",
        "hidden",
        "uses random",
        replaced("hidden", IN_HIDDEN, IN_HIDDEN + "    import random\n"),
    ),
    (
        "a reference solution",
        "hidden",
        "defines square",
        replaced("hidden", IN_HIDDEN, IN_HIDDEN + "    def square(x):\n        return x**2\n\n"),
    ),
    ("points", "hidden", "worth 8 points", flagged("hidden", points=8)),
    ("points as text", "hidden", "worth 7 points", flagged("hidden", points="7")),
    ("hidden not graded", "hidden", "flags", flagged("hidden", grade=False)),
    ("answer locked", "answer", "flags", flagged("answer", locked=True)),
    ("check not locked", "visible", "not locked", flagged("visible", locked=False)),
    ("prompt not locked", "prompt", "not locked", flagged("prompt", locked=False)),
    ("no region", "answer", "solution marks", replaced("answer", SOLUTION_BEGIN, "#")),
    (
        "region in a check",
        "visible",
        "solution marks",
        replaced("visible", "passed(", f"{SOLUTION_BEGIN}\npassed("),
    ),
    ("no marker", "answer", "its first line", replaced("answer", "keep this line", "")),
    ("answer does not parse", "answer", "its source does not parse", replaced("answer", "):", ")")),
    (
        "stub does not parse",
        "answer",
        "its stub does not parse",
        # without the region, "else:" is left with nothing but the stub at the wrong depth
        replaced("answer", SOLUTION_BEGIN, f"if x:\n    {SOLUTION_BEGIN}\n    pass"),
    ),
    ("no tick", "visible", "not '✓ 1.2'", printing("visible", "fine\n")),
    ("another's tick", "visible", "not '✓ 1.2'", printing("visible", "✓ 1.1\n")),
    ("more than a tick", "visible", "not '✓ 1.2'", printing("visible", "look\n✓ 1.2\n")),
    (
        "value in a check",
        "visible",
        "prints 'value:'",
        replaced("visible", "p", "#value:\np"),
    ),
    ("id is not grade_id", "answer", "its id is", given("visible", id="ex01-square-look")),
    (
        "edited after the build",
        "prompt",
        "edited after",
        replaced("prompt", "Return", "Give"),
    ),
]


@pytest.mark.parametrize(
    ("role", "words", "change"), [b[1:] for b in BREAKS], ids=[b[0] for b in BREAKS]
)
def test_a_broken_exercise_is_refused(mini, role, words, change):
    change(mini.cells_by_id())
    if words != "edited after":
        stamp(mini.notebook)
    found = [problem for problem in problems(mini) if words in str(problem)]
    assert found, [str(problem) for problem in problems(mini)]
    if words != "its id is":
        assert found[0].cell_id == f"ex01-square-{role}"
    with pytest.raises(ExerciseError):
        release(mini)


def test_points_that_do_not_add_up_to_20_are_refused(mini):
    cells = mini.cells_by_id()
    cells["ex01-cube-prompt"].source = "## Question 1.3 · Cubed (5 points)"
    cells["ex01-cube-hidden"].metadata["nbgrader"]["points"] = 5
    changed = parse(stamp(mini.notebook), "ex01_mini")
    assert ["add up to 19, not 20" in str(problem) for problem in problems(changed)] == [True]


def test_cells_out_of_order_are_refused(mini):
    cells = mini.notebook.cells
    index = next(i for i, cell in enumerate(cells) if cell.id == "ex01-square-visible")
    cells[index], cells[index + 1] = cells[index + 1], cells[index]
    assert any("Order its cells" in str(problem) for problem in problems(mini))


def test_two_questions_of_one_number_are_refused(mini):
    prompt = mini.cells_by_id()["ex01-cube-prompt"]
    prompt.source = prompt.source.replace("1.3", "1.2")
    changed = parse(stamp(mini.notebook), "ex01_mini")
    assert any("question 1.2 stands twice" in str(problem) for problem in problems(changed))


def test_a_code_cell_without_a_name_and_an_id_that_stands_twice_are_refused(mini):
    mini.notebook.cells.append(new_code_cell("1 + 1", id="ex01-setup", execution_count=11))
    words = " ".join(map(str, problems(mini)))
    assert "its id stands twice" in words
    assert "without nbgrader metadata" in words
