"""Scores in the LMS's own file: each in its learner's row, and all else as it was."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from course_utils import cli
from course_utils.grading.grade import GRADERS_FAULT, QuestionResult, Result
from course_utils.grading.hand_ins import Origin
from course_utils.grading.results import result_json

RESULT = Result(
    learner="ana",
    exercise="ex01_mini",
    title="Exercise 01 · Mini",
    status="graded",
    reason="",
    points=17,
    max_points=20,
    questions=(QuestionResult("1.1", "double", "Twice", 17, 20, "earned", values=("9.5",)),),
    sandboxed=True,
    hand_in_sha256="",
    key_sha256="",
    grader="",
    seconds=1.4,
)

# the columns, rows and odd cells of Canvas' exporter
CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Exercise 01 · Mini (901),Essay (902),Current Score
,,,,,Manual Posting,,
    Points Possible,,,,,20.00,10.00,(read only)
"Núñez, Ana",1017,S-17,ana@x.org,"Mon, 9:00",,8.00,80
"O'Neill, Bob",1018,S-18,bob@x.org,"Mon, 9:00",12.00,"7,5",71
"أحمد, سارة",1019,S-19,sara@x.org,Tue,EX,N/A,
"Lee, Kim",1020,S-20,kim1@x.org,Tue,,,
"Lee, Kim",1021,S-21,kim2@x.org,Tue,,,
"Student, Test",1099,,0123456789abcdef0123456789abcdef01234567,Tue,,,
"""
WORKSHEET = """\
Identifier,"Full name","Email address",Status,Grade,"Maximum Grade","Grade can be changed",\
"Last modified (submission)","Last modified (grade)"
"Participant 41","Ana Núñez",ana@x.org,"Submitted for grading",,20.00,Yes,\
"Sunday, 1 March 2026, 10:59 PM",-
"Participant 42","Bob O'Neill",bob@x.org,"No submission",-,20.00,Yes,"a day in March",-
"""
MOODLE = """\
"First name";"Last name";"ID number";"Email address";"Assignment: Exercise 01 · Mini (Real)";\
"Assignment: Exercise 01 · Mini (Percentage)";"Last downloaded from this course"
Ana;Núñez;S-17;ana@x.org;-;-;1772400000
Bob;O'Neill;S-18;bob@x.org;"12,50";"62,50 %";1772400000
"""


@pytest.fixture
def grades(tmp_path):
    """Store results, given as changes of one: `grades({"learner": "bob", "points": 3})`."""

    def store(*changes):
        for change in changes:
            ids = change.pop("ids", ())
            origin = Origin(ids=ids, **{n: change.pop(n) for n in ("name", "late") if n in change})
            result = replace(RESULT, origin=origin, **change)
            path = tmp_path / "grades" / "results" / result.learner / f"{result.exercise}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(result_json(result), encoding="utf-8")
        return tmp_path / "grades"

    return store


@pytest.fixture
def export(tmp_path, capsys):
    """Export into a file of an LMS's; its exit status, what it said, and the bytes it wrote."""

    def run(grades, text, *options):
        lms, out = tmp_path / "lms.csv", tmp_path / "out.csv"
        lms.write_bytes(text if isinstance(text, bytes) else text.encode())
        out.unlink(missing_ok=True)
        status = cli.main(["export", str(grades), "--into", str(lms), "--out", str(out), *options])
        told = capsys.readouterr()
        return status, told.out + told.err, out.read_bytes() if out.exists() else None

    return run


def test_canvas_gets_each_score_and_keeps_every_other_byte(grades, export):
    data = CANVAS.replace("\n", "\r\n").encode("utf-8-sig")
    folder = grades({"learner": "nunezana", "name": "núñezana", "ids": ("1017",)})
    status, told, out = export(folder, data)
    assert (status, out) == (0, data.replace(b'9:00",,8.00', b'9:00",17,8.00'))
    assert "ex01_mini into 'Exercise 01 · Mini (901)': 1 scores" in told
    assert "In the file, without a result (4):" in told
    assert "O'Neill, Bob (1018)" in told
    assert "Test" not in told


def test_the_worksheet_of_moodle_by_the_same_code(grades, export):
    folder = grades({"learner": "Ana Núñez", "name": "Ana Núñez", "ids": ("41",), "points": 9})
    status, _, out = export(folder, WORKSHEET)
    assert status == 0
    assert out.decode() == WORKSHEET.replace('grading",,20', 'grading",9,20')


def test_a_worksheet_without_names_is_matched_by_participant(grades, export):
    """As Moodle exports it where marking is blind."""
    text = WORKSHEET.replace('"Ana Núñez",ana@x.org', ",").replace('"Bob O\'Neill",bob@x.org', ",")
    folder = grades({"learner": "x", "name": "Ana Núñez", "ids": ("41",)})
    assert export(folder, text)[2].decode() == text.replace('grading",,20', 'grading",17,20')


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_the_gradebook_of_moodle_with_its_decimal_commas(grades, export, encoding):
    folder = grades({"learner": "ana", "name": "Núñez, Ana"}, {"learner": "bob@x.org"})
    policy = folder.parent / "late.toml"
    policy.write_text("[penalty]\npoints_per_day = 1\nlate_mark = 0.5\n")
    grades({"learner": "ana", "name": "Núñez, Ana", "late": True})
    status, told, out = export(folder, MOODLE.encode(encoding), "--late-policy", str(policy))
    expected = MOODLE.replace("ana@x.org;-;", "ana@x.org;16,5;").replace('"12,50"', '"17"')
    assert (status, out.decode(encoding)) == (0, expected)
    assert "Changed (1):\n  bob@x.org: 12,50 before, 17 now" in told


def test_a_comma_in_a_score_is_quoted_between_commas(grades, export):
    text = CANVAS.replace("20.00,10.00", '"20,00","10,00"').replace("12.00", '"12,00"')
    policy = "[penalty]\npoints_per_day = 1\nlate_mark = 0.5\n"
    folder = grades({"learner": "S-17", "late": True})
    (folder.parent / "late.toml").write_text(policy)
    options = ["--late-policy", str(folder.parent / "late.toml")]
    _, _, out = export(folder, text, *options)
    assert '9:00","16,5",8.00' in out.decode()
    _, _, out = export(folder, CANVAS.replace("EX,", '"ill, excused",'), *options)
    assert '9:00",16.5,8.00' in out.decode()


@pytest.mark.parametrize(
    "owner",
    [
        {"learner": "x", "ids": ("1017",)},
        {"learner": "x", "ids": ("nobody", "S-17")},
        {"learner": "ANA@x.org"},
        {"learner": "x", "name": "A. Nunez", "ids": ("1017",)},
        {"learner": "x", "name": "Ana Núñez"},
        {"learner": "x", "name": "Nu\u0301n\u0303ez, Ana"},
        {"learner": "x", "name": "Ana Nunez"},
        {"learner": "Núñez Ana"},
    ],
    ids=lambda owner: "-".join(map(str, owner.values())),
)
def test_a_learner_is_found_by_any_id_else_by_name(grades, export, owner):
    status, _, out = export(grades(owner), CANVAS)
    assert (status, out.decode()) == (0, CANVAS.replace('9:00",,8.00', '9:00",17,8.00'))


UNPLACED = {
    "nobody": ({"learner": "zoe", "ids": ("9",)}, "zoe: nobody in the file has one of its ids"),
    "two of a name": ({"learner": "x", "name": "Kim Lee"}, "Lee, Kim 1020 and Lee, Kim 1021"),
    "ids of two": (
        {"learner": "x", "ids": ("1017", "S-18")},
        "its ids are those of Núñez, Ana (1017) and O'Neill, Bob (1018)",
    ),
    "an id of another name": (
        {"learner": "x", "name": "Zoe Ng", "ids": ("1017",)},
        "x (Zoe Ng): its id is that of Núñez, Ana (1017), by name another.",
    ),
    "excused": ({"learner": "x", "ids": ("1019",)}, "x: the file says 'EX' there, which stays."),
    "the test student": ({"learner": "Test Student"}, "Test Student: nobody in the file"),
    "not graded": (
        {"learner": "x", "ids": ("1017",), "status": GRADERS_FAULT[0], "points": 0},
        "x: not graded (sandbox_failed). Run `course grade` again.",
    ),
}


@pytest.mark.parametrize("name", UNPLACED)
def test_nobody_is_guessed_and_whoever_is_in_doubt_is_told(grades, export, name):
    owner, reason = UNPLACED[name]
    status, told, out = export(grades(dict(owner)), CANVAS)
    assert status == 1
    assert "Not placed (1):" in told
    assert reason in told
    assert out.decode() == CANVAS


def test_two_results_of_one_learner_are_both_left_out(grades, export):
    folder = grades({"learner": "ana", "ids": ("1017",)}, {"learner": "S-17"}, {"learner": "S-18"})
    status, told, out = export(folder, CANVAS)
    assert status == 1
    assert "Not placed (2):" in told
    assert "ana: the same learner of the file as S-17, ana. Keep one of them." in told
    assert out.decode() == CANVAS.replace("12.00", "17")


def test_nothing_handed_in_leaves_what_is_there(grades, export):
    folder = grades({"learner": "S-17"}, {"learner": "S-18", "status": "missing", "points": 0})
    status, told, out = export(folder, CANVAS)
    assert (status, out.decode()) == (0, CANVAS.replace('9:00",,8.00', '9:00",17,8.00'))
    assert "O'Neill, Bob (1018)" in told


def test_an_equal_score_stays_as_it_was_written(grades, export):
    status, told, out = export(grades({"learner": "S-18", "points": 12}), CANVAS)
    assert (status, out.decode()) == (0, CANVAS)
    assert "1 scores" in told
    assert "Changed" not in told


def test_an_unreadable_hand_in_gets_0_and_a_second_look(grades, export):
    change = {"learner": "S-17", "status": "unreadable", "reason": "It is no JSON.", "points": 0}
    status, told, out = export(grades(change), CANVAS)
    assert (status, out.decode()) == (0, CANVAS.replace('9:00",,8.00', '9:00",0,8.00'))
    assert "Worth a look (1):\n  S-17: 0 points, unreadable. It is no JSON." in told


def test_another_maximum_is_scaled_only_when_asked(grades, export):
    text = CANVAS.replace("20.00", "30.00")
    status, told, out = export(grades({"learner": "S-17"}), text)
    assert (status, out) == (2, None)
    assert "ex01_mini has 20 points, the column 'Exercise 01 · Mini (901)' 30.00" in told
    status, _, out = export(grades({"learner": "S-17"}), text, "--scale")
    assert (status, out.decode()) == (0, text.replace('9:00",,8.00', '9:00",25.5,8.00'))
    thirds = CANVAS.replace("20.00", "7.77")
    _, _, out = export(grades({"learner": "S-17"}), thirds, "--scale")
    assert '9:00",6.6,8.00' in out.decode()  # 6.6045
    moodle = WORKSHEET.replace("20.00", "10.00")
    _, _, out = export(grades({"learner": "S-17"}, {"learner": "ana@x.org"}), moodle, "--scale")
    assert 'grading",8.5,10.00' in out.decode()


@pytest.mark.parametrize("maximum", ["", "0.00", "none"])
def test_a_maximum_that_is_not_told_changes_nothing(grades, export, maximum):
    text = CANVAS.replace("20.00", maximum)
    status, _, out = export(grades({"learner": "S-17"}), text, "--scale")
    assert (status, out.decode()) == (0, text.replace('9:00",,8.00', '9:00",17,8.00'))


def test_each_exercise_into_its_own_column(grades, export):
    folder = grades(
        {"learner": "S-17"},
        {"learner": "S-17", "exercise": "essay", "title": "", "points": 9, "max_points": 10},
        {"learner": "S-17", "exercise": "ex09", "title": "Nine"},
    )
    status, told, out = export(folder, CANVAS, "--all")
    assert (status, out.decode()) == (1, CANVAS.replace('9:00",,8.00', '9:00",17,9'))
    assert "No column is called 'ex09' or 'Nine': 'Section', 'Exercise 01 · Mini (901)'" in told
    _, _, out = export(folder, CANVAS, "--exercise", "essay")
    assert out.decode() == CANVAS.replace("8.00", "9")
    status, told, out = export(folder, CANVAS)
    assert (status, out) == (2, None)
    assert "results of several exercises: essay, ex01_mini, ex09. Name one with --exercise" in told
    assert "results of no ex02: essay" in export(folder, CANVAS, "--exercise", "ex02")[1]


def test_two_exercises_never_share_a_column(grades, export):
    folder = grades({"learner": "S-17"}, {"learner": "S-17", "exercise": "ex02", "title": "Two"})
    status, told, out = export(folder, WORKSHEET, "--all")
    assert (status, out) == (2, None)
    assert "ex01_mini and ex02 would both go into 'Grade'. Name one with --exercise." in told


def test_a_column_can_be_named(grades, export):
    folder = grades({"learner": "S-17", "max_points": 20, "points": 20})
    for name in ("Essay (902)", "Essay", "essay"):
        _, _, out = export(folder, CANVAS, "--column", name, "--scale")
        assert out.decode() == CANVAS.replace("8.00", "10")
    exact = CANVAS.replace("Exercise 01 · Mini (901)", "Essay")
    assert '9:00",20,8.00' in export(folder, exact, "--column", "Essay")[2].decode()
    twice = CANVAS.replace("Essay (902)", "exercise 01 mini")
    assert "Several columns are called" in export(folder, twice)[1]
    _, _, out = export(folder, twice, "--column", "Exercise 01 · Mini (901)")
    assert '9:00",20,8.00' in out.decode()


COLUMNS = {
    "ID": "The column 'ID' holds no scores",
    "SIS Login ID": "The column 'SIS Login ID' holds no scores",
    "Current Score": "Canvas computes 'Current Score' itself",
    "Quiz": "No column is called 'Quiz'",
    "Maximum Grade": "No column is called 'Maximum Grade'",
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_that_takes_no_scores_is_refused(grades, export, name):
    status, told, out = export(grades({"learner": "S-17"}), CANVAS, "--column", name)
    assert (status, out) == (2, None)
    assert COLUMNS[name] in told
    status, _, out = export(grades({"learner": "S-17"}), WORKSHEET, "--column", name)
    assert (status, out) == (2, None)


def test_a_file_that_names_no_learners_is_refused(grades, export):
    status, told, out = export(grades({"learner": "S-17"}), "Team,Score\nred,1\n")
    assert (status, out) == (2, None)
    assert "its first line names no learners, but 'Team, Score'. Export" in told
    for data in (b"", b'Student,ID\n"x', b"\x81\xff\x8d"):
        assert export(grades({"learner": "S-17"}), data)[0] == 2


def test_the_file_of_the_lms_is_never_written(grades, tmp_path, capsys):
    lms, link = tmp_path / "lms.csv", tmp_path / "link.csv"
    lms.write_text(CANVAS, encoding="utf-8")
    link.hardlink_to(lms)
    folder = str(grades({"learner": "S-17"}))
    for out in ([], ["--out", str(lms)], ["--out", str(tmp_path / "." / "lms.csv")]):
        assert cli.main(["export", folder, "--into", str(lms), *out]) == 2
    assert cli.main(["export", folder, "--into", str(lms), "--out", str(link)]) == 2
    assert lms.read_text(encoding="utf-8") == CANVAS
    assert "is the LMS's own file. Name another." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--gradebook", "--scale"], "--scale goes with --into"),
        (["--gradebook", "--out", "x", "--all"], "--out, --all goes with --into"),
        (["--into", "x", "--out", "y", "--all", "--column", "z"], "--column names one column"),
    ],
)
def test_options_that_do_not_go_together_are_refused(grades, capsys, options, told):
    assert cli.main(["export", str(grades({"learner": "ana"})), *options]) == 2
    assert told in capsys.readouterr().err


def test_grades_without_results_are_refused(tmp_path, capsys):
    assert cli.main(["export", str(tmp_path), "--gradebook"]) == 2
    assert "holds no results. Run `course grade`" in capsys.readouterr().err


def test_a_result_that_cannot_be_read_is_told_and_the_others_are_placed(grades, export):
    folder = grades({"learner": "S-17"}, {"learner": "S-18"})
    (folder / "results" / "S-18" / "ex01_mini.json").write_text("{")
    status, told, out = export(folder, CANVAS)
    assert (status, out.decode()) == (1, CANVAS.replace('9:00",,8.00', '9:00",17,8.00'))
    assert "S-18" in told.partition("Not placed (1):")[2]


def test_names_do_not_steer_the_terminal(grades, export):
    _, told, _ = export(grades({"learner": "x", "name": "\x1b[2JZoe\u202e"}), CANVAS)
    assert r"x (\x1b[2JZoe\u202e): nobody" in told


def test_the_gradebook_follows_another_policy_without_grading(grades, tmp_path, capsys):
    folder = grades({"learner": "ana", "late": True})
    before = {path: path.read_bytes() for path in folder.rglob("*.json")}
    policy = tmp_path / "late.toml"
    policy.write_text("[penalty]\npercent_per_day=1\nlate_mark=50\n[learner.anna]\nwaived=true\n")
    assert cli.main(["export", str(folder), "--gradebook", "--late-policy", str(policy)]) == 0
    assert "names the learner anna, of which there is no result" in capsys.readouterr().out
    assert ",late,10,7,marked late\n" in (folder / "gradebook.csv").read_text(encoding="utf-8")
    wide = (folder / "gradebook_wide.csv").read_text(encoding="utf-8").splitlines()
    assert wide[1] == "ana,,,7,7,20"
    assert {path: path.read_bytes() for path in before} == before


def test_gradescope_reads_points_and_what_a_learner_may_know(grades, tmp_path, capsys):
    failed = QuestionResult(
        "1.2",
        "square",
        "Squared",
        0,
        3,
        "not_earned",
        misconception="adds",
        advice="Multiply.",
        message="On other inputs the values are not right.",
        answer="def square(x): return x + x",
        values=("3.141e+00",),
        error="ValueError: 2.718",
    )
    folder = grades(
        {"learner": "ana", "late": True, "questions": (RESULT.questions[0], failed)},
        {"learner": "bob", "status": GRADERS_FAULT[1], "points": 0},
        {"learner": "cy", "status": "missing", "points": 0},
    )
    policy, out = tmp_path / "late.toml", tmp_path / "gradescope"
    policy.write_text("[penalty]\npoints_per_day = 1\nlate_mark = 0.5\n")
    options = ["--gradescope", str(out), "--late-policy", str(policy)]
    assert cli.main(["export", str(folder), *options]) == 1
    assert "bob/ex01_mini: not graded (grader_failed)." in capsys.readouterr().out
    assert [path.relative_to(out).as_posix() for path in out.rglob("*.json")] == [
        "ana/ex01_mini/results.json"
    ]
    text = (out / "ana/ex01_mini/results.json").read_text(encoding="utf-8")
    assert not any(secret in text for secret in ("3.141", "2.718", "9.5", "x + x"))
    assert json.loads(text) == {
        "score": 16.5,
        "execution_time": 1,
        "output": "Exercise 01 · Mini\n17 points, less 0.5: marked late.",
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            {
                "number": "1.1",
                "name": "Twice",
                "score": 17,
                "max_score": 20,
                "status": "passed",
                "output": "",
                "output_format": "text",
                "visibility": "visible",
            },
            {
                "number": "1.2",
                "name": "Squared",
                "score": 0,
                "max_score": 3,
                "status": "failed",
                "output": "On other inputs the values are not right.\nMultiply.",
                "output_format": "text",
                "visibility": "visible",
            },
        ],
    }


def test_a_learner_of_another_name_than_the_folder_leads_nowhere(grades, tmp_path, capsys):
    folder = grades({"learner": "ana"})
    stored = folder / "results" / "ana" / "ex01_mini.json"
    content = json.loads(stored.read_text(encoding="utf-8")) | {"learner": "../../evil"}
    stored.write_text(json.dumps(content), encoding="utf-8")
    grades({"learner": "bob"})
    assert cli.main(["export", str(folder), "--gradescope", str(tmp_path / "a" / "b")]) == 1
    assert "ex01_mini.json is a copy of ../../evil/ex01_mini" in capsys.readouterr().out
    assert list(tmp_path.rglob("results.json")) == [tmp_path / "a/b/bob/ex01_mini/results.json"]


def test_a_time_decides_by_the_deadline(grades, tmp_path):
    folder = grades({"learner": "ana"})
    stored = folder / "results" / "ana" / "ex01_mini.json"
    content = json.loads(stored.read_text(encoding="utf-8"))
    content["origin"]["handed_in"] = datetime(2026, 3, 2, tzinfo=UTC).isoformat()
    stored.write_text(json.dumps(content), encoding="utf-8")
    policy = tmp_path / "late.toml"
    policy.write_text(
        "[exercise.ex01_mini]\ndeadline = 2026-03-01T23:59:00Z\npoints_per_hour = 2\n"
    )
    assert cli.main(["export", str(folder), "--gradebook", "--late-policy", str(policy)]) == 0
    assert ",late,2,15,1 started hour late\n" in (folder / "gradebook.csv").read_text("utf-8")


def test_a_batch_takes_the_policy_and_refuses_a_wrong_one_before_it_grades(
    tmp_path, hand_in, built_key, capsys
):
    ana = tmp_path / "hand_ins" / "ana" / "ex01_mini.ipynb"
    ana.parent.mkdir(parents=True)
    ana.write_bytes(hand_in())
    policy, out = tmp_path / "late.toml", tmp_path / "out"
    policy.write_text("[penalty]\ngrase = '1 day'\n")
    command = ["grade", str(tmp_path / "hand_ins"), "--key", str(built_key), "--out", str(out)]
    assert cli.main([*command, "--late-policy", str(policy), "--unsafe-no-sandbox"]) == 2
    assert "late.toml: line 2: Nothing in [penalty] is called 'grase'" in capsys.readouterr().err
    assert not out.exists()
