"""The course as a learner and an instructor use it, from the first click to the grade."""

import csv
import re
from pathlib import Path

import lab
import pytest

from course_utils import cli, notebooks

pytestmark = pytest.mark.browser

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LESSONS = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
# where a run is picked, or nothing moves
WITHOUT_SLIDER = {"00_start_here", "06_diagnosis", "14_where_next"}


def test_the_address_that_course_lab_prints_opens_the_start_page(page, server):
    page.goto(f"{server.url}/?token={server.token}")
    heading = page.locator(f"{lab.VISIBLE} .jp-RenderedMarkdown h1").first
    heading.wait_for(timeout=60_000)
    assert heading.inner_text().startswith("00 · Start here")
    assert page.url.partition("?")[0].endswith("/lab/tree/notebooks/00_start_here.ipynb")


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_runs_whole_without_an_error(page, server, lesson):
    lab.open_notebook(page, server, f"notebooks/{lesson}.ipynb")
    lab.run_all(page)
    assert lab.errors(page) == []


@pytest.mark.parametrize("lesson", [name for name in LESSONS if name not in WITHOUT_SLIDER])
def test_dragging_a_slider_changes_the_picture(page, server, lesson):
    lab.open_notebook(page, server, f"notebooks/{lesson}.ipynb")
    lab.run_all(page)
    before = lab.picture_hash(page)
    assert lab.picture_hash(page) == before, "the picture changes by itself"
    after = set()
    for place in (0.2, 0.7):  # the slider may stand at one of them
        lab.drag_slider(page, place)
        page.wait_for_timeout(500)
        after.add(lab.picture_hash(page))
    assert after - {before}


def test_picking_another_run_changes_the_picture(page, server):
    lab.open_notebook(page, server, "notebooks/06_diagnosis.ipynb")
    lab.run_all(page)
    before = lab.picture_hash(page)
    page.locator(f"{lab.VISIBLE} .course-explorer .widget-toggle-button", has_text="C").click()
    page.wait_for_timeout(500)
    assert lab.picture_hash(page) != before


def worked_answers(root):
    """The marker line and the worked source of each answer cell of exercise 01."""
    solution = notebooks.read(root / "solutions" / "ex01_chain_rule.ipynb")
    for cell in solution.cells:
        if cell.id.endswith("-answer"):
            yield (
                cell.source.splitlines()[0],
                re.sub(r"^ *### (BEGIN|END) SOLUTION\n", "", cell.source, flags=re.M),
            )


def test_answers_typed_in_the_browser_earn_full_marks(
    page, server, student_edition, tmp_path, pytestconfig
):
    exercise = student_edition / "exercises" / "ex01_chain_rule.ipynb"
    untouched = exercise.read_bytes()
    answers = list(worked_answers(pytestconfig.rootpath))

    lab.open_notebook(page, server, "exercises/ex01_chain_rule.ipynb")
    for marker, source in answers:
        lab.type_into(page, marker, source)
    lab.run_all(page)
    assert lab.errors(page) == []
    ticks = [text.strip() for text in lab.outputs(page) if text.startswith("✓")]
    assert ticks == [f"✓ 1.{n}" for n in range(1, len(answers) + 1)]
    lab.save(page)

    hand_ins = tmp_path / "hand_ins"
    for learner, content in {"ada": exercise.read_bytes(), "bob": untouched}.items():
        (hand_ins / learner).mkdir(parents=True)
        (hand_ins / learner / exercise.name).write_bytes(content)
    key, grades = pytestconfig.rootpath / "solutions", tmp_path / "grades"
    assert cli.main(["grade", str(hand_ins), "--key", str(key), "--out", str(grades)]) == 0
    with (grades / "gradebook.csv").open(encoding="utf-8-sig", newline="") as file:
        points = {row["learner"]: float(row["points"]) for row in csv.DictReader(file)}
    assert points == {"ada": 20, "bob": 0}
