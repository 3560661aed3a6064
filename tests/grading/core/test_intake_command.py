"""`course grade` on what an LMS gives: from the zip and the roster to the gradebook."""

import csv
import zipfile

import pytest

from course_utils import cli
from course_utils.cli import grade as command
from course_utils.grading.intake import Intake, Unplaced
from course_utils.grading.tables.account import account_csv

RIGHT = {"double": "def double(x):\n    return x + x"}
ROSTER = 'Student,ID,SIS Login ID\n"López, Ana",11,alopez\n"Ode, Ben",12,bode\n"Ng, Cy",13,cng\n'


@pytest.fixture
def grade(tmp_path, built_key, hand_in, run_in_process, monkeypatch, capsys):
    """Grade a Canvas zip with a roster; what was said, and a table of the grades by its name."""
    monkeypatch.setattr(command, "_runner", lambda *how: run_in_process)
    with zipfile.ZipFile(tmp_path / "submissions.zip", "w") as archive:
        archive.writestr("lopezana_LATE_11_501_ex01_mini.ipynb", hand_in())
        archive.writestr("lopezana_LATE_11_502_ex01_mini-1.ipynb", hand_in(RIGHT))
        archive.writestr("odeben_12_503_Untitled.ipynb", hand_in(RIGHT))
        archive.writestr("zoe_77_504_ex01_mini.ipynb", hand_in())
        archive.writestr("zoe_77_505_=1+1.ipynb", b"{")
    (tmp_path / "roster.csv").write_text(ROSTER, encoding="utf-8")

    def run(*options):
        paths = [tmp_path / "submissions.zip", "--key", built_key, "--out", tmp_path / "out"]
        roster = ["--roster", tmp_path / "roster.csv"]
        arguments = ["grade", *paths, *roster, "--jobs", 1, *options]  # one thread has one stdout
        assert cli.main([*map(str, arguments)]) == 0
        return capsys.readouterr().out

    return run


def table(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_canvas_zip_with_a_roster_is_graded_and_nothing_is_lost(grade, tmp_path):
    said = grade()
    assert "  missing: 1  Ng, Cy/ex01_mini" in said
    assert "  superseded: 1  lopezana_LATE_11_501_ex01_mini.ipynb by" in said
    assert "  not graded: 1  zoe_77_505_=1+1.ipynb: It is not a notebook" in said
    assert "  not on the roster: 1  zoe_77_504_ex01_mini.ipynb: The roster has nobody" in said
    grades = {row["learner"]: (row["points"], row["status"]) for row in table_of(tmp_path)}
    assert grades == {
        "López, Ana": ("7", "graded"),
        "Ode, Ben": ("7", "graded"),
        "Ng, Cy": ("0", "missing"),
        "zoe_77": ("0", "graded"),
    }


def table_of(tmp_path, name="gradebook"):
    return table(tmp_path / "out" / f"{name}.csv")


def test_the_account_has_a_row_for_each_file(grade, tmp_path):
    grade()
    rows = [
        (row["fate"], row["learner"], row["file"], row["attempt"], row["late"])
        for row in table_of(tmp_path, "intake")
    ]
    assert rows == [
        ("to grade", "López, Ana", "lopezana_LATE_11_502_ex01_mini-1.ipynb", "2", "late"),
        ("to grade", "Ode, Ben", "odeben_12_503_Untitled.ipynb", "1", ""),
        ("to grade", "zoe_77", "zoe_77_504_ex01_mini.ipynb", "1", ""),
        ("superseded", "López, Ana", "lopezana_LATE_11_501_ex01_mini.ipynb", "1", "late"),
        ("missing", "Ng, Cy", "", "", ""),
        ("unplaced", "", "zoe_77_505_=1+1.ipynb", "", ""),
    ]
    reasons = [row["reason"] for row in table_of(tmp_path, "intake")]
    assert reasons[3] == "lopezana_LATE_11_502_ex01_mini-1.ipynb counts."
    assert reasons[2].startswith("The roster has nobody of the name zoe_77.")


def test_no_cell_of_the_account_is_a_formula():
    odd = Unplaced("=1+1.ipynb", "@SUM(A1)")
    row = account_csv(Intake((), unplaced=(odd,))).splitlines()[1]
    assert row == "unplaced,,,'=1+1.ipynb,,,,'@SUM(A1)"


def test_a_dry_run_tells_all_of_it_when_asked_and_writes_nothing(grade, tmp_path):
    assert 'superseded,"López, Ana"' not in grade("--dry-run")
    said = grade("--dry-run", "--verbose")
    assert 'superseded,"López, Ana",ex01_mini,' in said
    assert not (tmp_path / "out").exists()


def test_who_hands_in_after_all_is_no_longer_missing(grade, tmp_path, hand_in):
    grade()
    with zipfile.ZipFile(tmp_path / "submissions.zip", "a") as archive:
        archive.writestr("ngcy_LATE_13_600_ex01_mini.ipynb", hand_in(RIGHT))
    assert "missing" not in grade()
    grades = {row["learner"]: row["status"] for row in table_of(tmp_path)}
    assert grades["Ng, Cy"] == "graded"


def test_a_kind_that_there_is_not_is_wrong_usage(grade):
    with pytest.raises(SystemExit):
        grade("--from", "blackboard")
