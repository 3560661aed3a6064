"""nbgrader itself, on the source folder that `course release --nbgrader` writes.

Every popular answer of some exercises, and the worked and the blank hand-in of all, go through
`nbgrader generate_assignment` and `autograde`; then `course grade` grades the same files. Both must
give the same points to every question. Run by `make test-nbgrader`; NBGRADER_EXERCISES names the
exercises whose popular answers are handed in, or is `all`, which takes ten minutes and more.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path

import nbformat
import pytest

from course_utils.grading.authoring.nbgrader_source import write_source
from course_utils.grading.exercise import Exercise, checksum, grade_id, parse
from course_utils.grading.fingerprints import answer_source, read_popular
from course_utils.grading.release import (
    answer_secrets,
    hidden_secrets,
    leaks,
    notebook_lines,
    read_exercise,
)

pytestmark = pytest.mark.nbgrader

ROOT = Path(__file__).parents[2]
SOLUTIONS = ROOT / "solutions"
PROGRAMS = ROOT / ".venv-nbgrader" / "bin"
NAMES = sorted(path.stem for path in SOLUTIONS.glob("ex*.ipynb"))
ASKED = os.environ.get("NBGRADER_EXERCISES", "ex02_backprop ex03_floats ex09_initialization")
POPULAR = NAMES if ASKED == "all" else ASKED.split()
ENDLESS = "walks along the links"  # right in value; it would run into the time limit
CHEATED = "ex03_floats"  # whose checks are cheated, deleted, validated and shown
CHEAT = "get_ipython().input_transformers_post.append(lambda lines: ['pass\\n'])"

# nbgrader's own commands, many in one process, since each takes seconds to start
DRIVER = """
import contextlib, json, sys
from nbgrader.api import Gradebook
from nbgrader.apps import AutogradeApp, GenerateAssignmentApp, GenerateFeedbackApp, ValidateApp

COMMANDS = {app.name.removeprefix("nbgrader-").replace("-", "_"): app for app in (
    AutogradeApp, GenerateAssignmentApp, GenerateFeedbackApp, ValidateApp)}
command, *jobs = sys.argv[1:]
for job in jobs if command in COMMANDS else ():
    COMMANDS[command].launch_instance(job.split())
    COMMANDS[command].clear_instance()
if command == "points":
    with Gradebook("sqlite:///gradebook.db") as book:
        print(json.dumps([
            [job, submission.student_id, grade.name, grade.auto_score]
            for job in jobs
            for submission in book.assignment_submissions(job)
            for notebook in submission.notebooks
            for grade in notebook.grades
        ]))
"""


@dataclass
class HandIn:
    """answers: slug -> source; points: slug -> what each must earn, None if the graders differ."""

    answers: dict[str, str]
    points: dict[str, int] | None


def nbgrader(course: Path, *arguments: str) -> str:
    """What nbgrader prints; it finds its own programs, such as alembic, on the path."""
    path = os.pathsep.join([str(PROGRAMS), os.environ["PATH"]])
    done = subprocess.run(
        [PROGRAMS / "python", "-c", DRIVER, *arguments],
        cwd=course,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def solution_of(name: str) -> Exercise:
    return read_exercise(SOLUTIONS / f"{name}.ipynb")


@cache
def wanted(name: str) -> dict[str, HandIn]:
    """Who hands in what, and must get which points."""
    return dict(hand_ins(solution_of(name)))


def hand_ins(solution: Exercise) -> Iterator[tuple[str, HandIn]]:
    worked = {q.slug: solution.cell(q, "answer").source for q in solution.questions}
    full = {question.slug: question.points for question in solution.questions}
    yield "worked", HandIn(worked, full)
    yield "blank", HandIn({}, dict.fromkeys(full, 0))
    if solution.name == CHEATED:
        yield "deleted-checks", HandIn(worked, full)
        yield "cheat", HandIn({solution.questions[0].slug: CHEAT}, None)
    if solution.name in POPULAR:
        yield from popular_hand_ins(solution, worked, full)


def popular_hand_ins(
    solution: Exercise, worked: dict[str, str], full: dict[str, int]
) -> Iterator[tuple[str, HandIn]]:
    """Each popular answer once; right and wrong ones to different questions meet in a hand-in."""
    listed = read_popular(SOLUTIONS / f"{solution.name}.toml", solution)
    rng = random.Random(0)
    columns = []
    for question in solution.questions:
        own = [a for a in listed if a.question == question.slug and a.name != ENDLESS]
        rng.shuffle(own)
        columns.append([(answer_source(question, a.code), a.kind == "equivalent") for a in own])
    for number, row in enumerate(zip_longest(*columns)):
        cells = dict(zip(full, row, strict=True))
        answers = {slug: cell[0] if cell else worked[slug] for slug, cell in cells.items()}
        right = {slug for slug, cell in cells.items() if cell is None or cell[1]}
        points = {slug: full[slug] if slug in right else 0 for slug in full}
        yield f"popular-{number:02}", HandIn(answers, points)


def typed_in(given_out: Path, answers: dict[str, str], *, deleted: bool) -> str:
    """The notebook that nbgrader gave out with `answers`; deleted: without the checks."""
    notebook = nbformat.read(given_out, as_version=4)
    exercise = parse(notebook, given_out.stem)
    for question in exercise.questions:
        if question.slug in answers:
            exercise.cell(question, "answer").source = answers[question.slug]
    if deleted:
        graded = [cell for cell in notebook.cells if cell.metadata["nbgrader"]["grade"]]
        notebook.cells = [cell for cell in notebook.cells if cell not in graded]
    return nbformat.writes(notebook)


def two_halves() -> tuple[list[str], list[str]]:
    """The exercises, with about as many hand-ins on either side.

    nbgrader cannot grade in parallel, but two courses of it can.
    """
    halves: tuple[list[str], list[str]] = ([], [])
    for name in sorted(NAMES, key=lambda name: len(wanted(name)), reverse=True):
        min(halves, key=lambda half: sum(len(wanted(other)) for other in half)).append(name)
    return halves


def hand_in_all(course: Path, name: str) -> None:
    for learner, hand_in in wanted(name).items():
        path = course / "submitted" / learner / name / f"{name}.ipynb"
        path.parent.mkdir(parents=True)
        given_out = course / "release" / name / path.name
        deleted = learner == "deleted-checks"
        path.write_text(typed_in(given_out, hand_in.answers, deleted=deleted), encoding="utf-8")


@pytest.fixture(scope="module")
def courses(tmp_path_factory) -> dict[str, Path]:
    """exercise -> the nbgrader course in which its hand-ins have been graded."""
    if not PROGRAMS.is_dir():
        if os.environ.get("CI"):
            pytest.fail("nbgrader is not there. Run: make test-nbgrader")
        pytest.skip("nbgrader has an environment of its own. Run: make test-nbgrader")
    halves = two_halves()
    folders = [tmp_path_factory.mktemp("nbgrader") for _ in halves]

    def run(folder: Path, names: list[str]) -> None:
        write_source(ROOT, folder)
        nbgrader(folder, "generate_assignment", *names)
        for name in names:
            hand_in_all(folder, name)
        nbgrader(folder, "autograde", *names)

    with ThreadPoolExecutor(len(halves)) as threads:
        list(threads.map(run, folders, halves))
    return {name: folder for folder, half in zip(folders, halves, strict=True) for name in half}


Points = dict[str, dict[str, dict[str, float]]]  # exercise -> learner -> slug -> points


@pytest.fixture(scope="module")
def theirs(courses) -> Points:
    """The points that nbgrader gave."""
    table: Points = {name: {learner: {} for learner in wanted(name)} for name in NAMES}
    slugs = {
        question.cell_id("hidden"): question.slug
        for name in NAMES
        for question in solution_of(name).questions
    }
    for folder in set(courses.values()):
        half = [name for name in NAMES if courses[name] == folder]
        for name, learner, cell, points in json.loads(nbgrader(folder, "points", *half)):
            if cell in slugs:
                table[name][learner][slugs[cell]] = points
            else:
                assert points == 0, (learner, cell)  # a visible check
    return table


@pytest.fixture(scope="module")
def ours(courses, sandbox, tmp_path_factory) -> Points:
    """The points that `course grade` gives to the files that nbgrader has collected."""
    table: Points = {name: {} for name in NAMES}
    for folder in sorted(set(courses.values())):
        out = tmp_path_factory.mktemp("grades")
        command = [sys.executable, "-m", "course_utils.cli", "grade", folder / "submitted"]
        subprocess.run([*command, "--key", SOLUTIONS, "--out", out], check=True)
        for path in (out / "results").glob("*/*.json"):
            result = json.loads(path.read_text(encoding="utf-8"))
            table[path.stem][path.parent.name] = {
                question["slug"]: question["points"] for question in result["questions"]
            }
    return table


def test_the_popular_answers_are_those_of_exercises_that_there_are():
    assert set(POPULAR) <= set(NAMES), f"NBGRADER_EXERCISES is {ASKED!r}, it may name {NAMES}"


@pytest.mark.parametrize("name", NAMES)
def test_both_graders_give_each_question_the_same_points(theirs, ours, name):
    honest = {who: hand_in for who, hand_in in wanted(name).items() if hand_in.points is not None}
    assert len(honest) >= (15 if name in POPULAR else 2)
    for learner, hand_in in honest.items():
        assert theirs[name][learner] == hand_in.points, learner
        assert ours[name][learner] == hand_in.points, learner


def test_one_line_of_a_cheat_earns_all_of_nbgraders_points_and_none_of_ours(theirs, ours):
    full = wanted(CHEATED)["worked"].points
    assert theirs[CHEATED]["cheat"] == full
    assert sum(ours[CHEATED]["cheat"].values()) == 0


@pytest.mark.parametrize("name", NAMES)
def test_what_nbgrader_gives_out_holds_no_answer_and_no_hidden_check(courses, name):
    solution = solution_of(name)
    given_out = nbformat.read(courses[name] / "release" / name / f"{name}.ipynb", as_version=4)
    names = {question.cell_id("hidden") for question in solution.questions}
    secrets = (hidden_secrets(solution) | answer_secrets(solution)) - names
    assert not leaks(notebook_lines(given_out), secrets)
    source = nbformat.read(courses[name] / "source" / name / f"{name}.ipynb", as_version=4)
    assert len(leaks(notebook_lines(source), secrets)) > 10
    for cell in given_out.cells:  # nbgrader has stamped it, and stamps as we do
        assert cell.metadata["nbgrader"]["checksum"] == checksum(cell), grade_id(cell)


def test_validation_tells_a_blank_exercise_from_a_right_one(courses):
    course, name = courses[CHEATED], CHEATED
    files = [f"submitted/{learner}/{name}/{name}.ipynb" for learner in ("blank", "worked")]
    for file in files:
        beside = course / "release" / name / "course_utils"
        (course / file).with_name("course_utils").symlink_to(beside, target_is_directory=True)
    blank, worked = (nbgrader(course, "validate", file) for file in files)
    assert "Success" not in blank
    assert "VALIDATION FAILED" in blank.upper()
    assert "Success! Your notebook passes all the tests." in worked


def test_nbgraders_feedback_shows_the_hidden_checks_as_the_readme_says(courses):
    course = courses[CHEATED]
    nbgrader(course, "generate_feedback", f"{CHEATED} --student blank")
    page = (course / "feedback" / "blank" / CHEATED / f"{CHEATED}.html").read_text("utf-8")
    assert "BEGIN HIDDEN TESTS" in page
    assert "value: " in page
