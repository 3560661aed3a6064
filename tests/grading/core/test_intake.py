"""What instructors have, of every LMS and layout, becomes hand-ins; what does not is told."""

import io
import json
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from course_utils.grading.intake import find_hand_ins
from course_utils.grading.overlay import MAX_HAND_IN_BYTES, UnreadableError

EXERCISES = ("ex01_chain_rule", "ex02_backprop", "ex10_norms")


def notebook(*numbers, by="grade_id"):
    """The bytes of a notebook with an answer cell of each exercise of that number."""
    cells = []
    for number in numbers:
        name = f"ex{number:02}-double-answer"
        cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "x = 1", "outputs": []}
        if by == "grade_id":
            cell["metadata"] = {"nbgrader": {"grade_id": name}}
        elif by == "marker":
            cell["source"] = f"# {name} · keep this line\nx = 1"
        else:
            cell["id"] = name
        cells.append(cell)
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


def zipped(files, *, method=zipfile.ZIP_DEFLATED):
    """The bytes of a zip: path -> bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return out.getvalue()


@pytest.fixture(params=["folder", "zip"])
def given(request, tmp_path):
    """Give the same files as a folder and as a zip of it; returns its path."""

    def give(files, name="hand_ins"):
        if request.param == "zip":
            path = tmp_path / f"{name}.zip"
            path.write_bytes(zipped(files))
            return path
        for relative, data in files.items():
            path = tmp_path / name / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return tmp_path / name

    return give


def found(source, **options):
    """(learner, exercise) of what is to be graded."""
    intake = find_hand_ins(source, EXERCISES, **options)
    return [(hand_in.learner, hand_in.exercise) for hand_in in intake.hand_ins]


def unplaced(intake):
    return {one.file: one.reason for one in intake.unplaced}


# Canvas

CANVAS_TWO = ("lopezana_11_1_ex01_chain_rule.ipynb", "odeben_12_2_ex01_chain_rule.ipynb")
MOODLE_TWO = (
    "Ana López_11_assignsubmission_file/ex01_chain_rule.ipynb",
    "Ben Ode_12_assignsubmission_file/ex01_chain_rule.ipynb",
)
CANVAS = {
    "lopezana_LATE_4711_880001_ex01_chain_rule-2.ipynb": notebook(1),
    "núñezgarcíajosé_4712_880002_Untitled.ipynb": notebook(1),
    "李小龙_4713_880003_ex01_chain_rule (1).ipynb": notebook(1),
    "عليمحمد_late_4714_880004_ex01_chain_rule.ipynb": notebook(1),
    "smith2nd_4715_880005_work.zip": zipped({"work/ex01_chain_rule.ipynb": notebook(1)}),
    "anon_x7Kp2_880006_ex01_chain_rule.ipynb": notebook(1),
    "LATE_anon_Ab3dE_880007_ex01_chain_rule.ipynb": notebook(1),
    "_4716_880008_ex01_chain_rule.ipynb": notebook(1),
    "teamred_4717_880009_ex01_chain_rule.ipynb": notebook(1),
    "typistpat_4718_text.html": b"<p>my answer</p>",
}


def test_a_canvas_download_is_read_by_its_names(given):
    intake = find_hand_ins(given(CANVAS), EXERCISES)
    told = {h.learner: (h.origin.name, h.origin.ids, h.origin.late) for h in intake.hand_ins}
    assert told == {
        "lopezana_4711": ("lopezana", ("4711",), True),
        "núñezgarcíajosé_4712": ("núñezgarcíajosé", ("4712",), False),
        "李小龙_4713": ("李小龙", ("4713",), False),
        "عليمحمد_4714": ("عليمحمد", ("4714",), True),
        "smith2nd_4715": ("smith2nd", ("4715",), False),
        "anon_x7Kp2": ("", ("anon_x7Kp2",), False),
        "anon_Ab3dE": ("", ("anon_Ab3dE",), True),
        "4716": ("", ("4716",), False),
        "teamred_4717": ("teamred", ("4717",), False),
    }
    attempts = {h.learner: h.origin.attempt for h in intake.hand_ins}
    assert (attempts["lopezana_4711"], attempts["李小龙_4713"]) == (3, 2)
    assert all(hand_in.exercise == "ex01_chain_rule" for hand_in in intake.hand_ins)
    assert all(hand_in.read() == notebook(1) for hand_in in intake.hand_ins)
    assert all(hand_in.origin.handed_in is None for hand_in in intake.hand_ins)
    assert "no notebook" in unplaced(intake)["typistpat_4718_text.html"]


def test_downloads_of_several_assignments_in_a_folder_are_one_intake(given):
    files = {
        "week1.zip": zipped(
            {
                "lopezana_4711_1_ex01_chain_rule.ipynb": notebook(1),
                "odeben_4712_2_ex01_chain_rule.ipynb": notebook(1),
            }
        ),
        "week2/lopezana_4711_3_ex02_backprop.ipynb": notebook(2),
        "week2/odeben_4712_4_ex02_backprop.ipynb": notebook(2),
    }
    assert found(given(files)) == [
        (learner, exercise)
        for learner in ("lopezana_4711", "odeben_4712")
        for exercise in EXERCISES[:2]
    ]


@pytest.mark.parametrize("around", ["", "submissions/", "a/b/"])
@pytest.mark.parametrize("names", [CANVAS_TWO, MOODLE_TWO], ids=["canvas", "moodle"])
def test_a_folder_around_a_download_is_passed_over(given, around, names):
    intake = find_hand_ins(given({around + name: notebook(1) for name in names}), EXERCISES)
    assert [hand_in.origin.ids for hand_in in intake.hand_ins] == [("11",), ("12",)]


def test_a_download_of_one_hand_in_in_a_folder_is_read_by_its_names(tmp_path):
    (tmp_path / "week1.zip").write_bytes(zipped({CANVAS_TWO[0]: notebook(1)}))
    assert found(tmp_path) == [("lopezana_11", "ex01_chain_rule")]


def test_a_download_beside_folders_of_learners_is_told_not_guessed(given):
    files = {f"week1/{name}": notebook(1) for name in CANVAS_TWO}
    files |= {f"{learner}/ex01.ipynb": notebook(1) for learner in ("cy", "dee")}
    intake = find_hand_ins(given(files), EXERCISES)
    assert [hand_in.learner for hand_in in intake.hand_ins] == ["cy", "dee"]
    assert all("looks like a download" in reason for reason in unplaced(intake).values())
    assert len(intake.unplaced) == 2


# forgery: a learner names what is theirs as an LMS, or an instructor, would name another's

FORGED = [
    "odeben_12_999_ex01_chain_rule.ipynb",
    "Ben Ode_12_assignsubmission_file/ex01_chain_rule.ipynb",
    "ben/ex01_chain_rule.ipynb",
    "x/ben/ex01_chain_rule.ipynb",
    "ex01_chain_rule/ben/ex01_chain_rule.ipynb",
]
VICTIM = 'Name,ID,Login\n"Ode, Ben",12,ben\n"Pi, Dee",13,dee\n'
INTAKES = {
    "canvas": ("odeben_12_1_ex01.ipynb", "pidee_13_2_ex01.ipynb", "evil_66_3_{}"),
    "beside canvas": ("odeben_12_1_ex01.ipynb", "pidee_13_2_ex01.ipynb", "evil/{}"),
    "moodle": (
        "Ben Ode_12_assignsubmission_file/ex01.ipynb",
        "Dee Pi_13_assignsubmission_file/ex01.ipynb",
        "Evil_66_assignsubmission_file/{}",
    ),
    "folder": ("ben/ex01.ipynb", "dee/ex01.ipynb", "evil/{}"),
    "zip a learner": ("ben.zip/ex01.ipynb", "dee.zip/ex01.ipynb", "evil.zip/{}"),
    "sections": ("a/ben/ex01.ipynb", "b/dee/ex01.ipynb", "cy/ex01.ipynb", "b/evil/{}"),
}


def put_with_zips(folder, files):
    """Write files into `folder`; what lies in a first part ending in .zip goes into that zip."""
    zips: dict[str, dict[str, bytes]] = {}
    for path, data in files.items():
        first, _, rest = path.partition("/")
        if rest and first.endswith(".zip"):
            zips.setdefault(first, {})[rest] = data
        else:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
    folder.mkdir(exist_ok=True)
    for name, inside in zips.items():
        (folder / name).write_bytes(zipped(inside))
    return folder


@pytest.mark.parametrize("forged", FORGED)
@pytest.mark.parametrize("as_zip", [False, True], ids=["folder", "zip"])
@pytest.mark.parametrize("listed", [False, True], ids=["no roster", "roster"])
@pytest.mark.parametrize("paths", INTAKES.values(), ids=INTAKES)
def test_nothing_that_a_learner_names_is_taken_for_anothers(
    tmp_path, paths, listed, as_zip, forged
):
    *honest, evil = paths
    other = forged.replace("12", "13").replace("ben/", "dee/")
    hidden = {forged: b"forged", other: b"forged"}
    if as_zip or "evil_66_" in evil:  # Canvas gives no folders
        hidden = {"hw.zip": zipped(hidden)}
    files = dict.fromkeys(honest, notebook(1)) | {evil.format(n): d for n, d in hidden.items()}
    source = put_with_zips(tmp_path / "h", files)
    roster = tmp_path / "roster.csv"
    roster.write_text(VICTIM)
    intake = find_hand_ins(source, EXERCISES, roster=roster if listed else None)
    victims = {"ben", "Ben Ode", "odeben", "Ode, Ben", "dee", "Dee Pi", "pidee", "Pi, Dee"}
    for hand_in in (*intake.hand_ins, *(old.hand_in for old in intake.superseded)):
        if hand_in.read() == b"forged":
            assert hand_in.origin.name not in victims
            assert not {"12", "13"} & set(hand_in.origin.ids)


def test_of_two_files_in_canvas_the_one_with_the_greater_number_counts(given):
    files = {
        "lopezana_4711_88_ex01_chain_rule-1.ipynb": notebook(1),
        "lopezana_4711_90_ex01_chain_rule.ipynb": notebook(1, by="marker"),
    }
    intake = find_hand_ins(given(files), EXERCISES)
    assert [h.read() for h in intake.hand_ins] == [notebook(1, by="marker")]
    (old,) = intake.superseded
    assert old.hand_in.origin.file == "lopezana_4711_88_ex01_chain_rule-1.ipynb"
    assert old.by == "lopezana_4711_90_ex01_chain_rule.ipynb"
    assert old.hand_in.read() == notebook(1)


def test_a_learners_own_numbers_do_not_look_like_canvas(given):
    files = {
        "ana/hw_1_2_ex01_chain_rule.ipynb": notebook(1),
        "ben/hw_1_2_ex01_chain_rule.ipynb": notebook(1),
    }
    assert [learner for learner, _ in found(given(files))] == ["ana", "ben"]


def test_the_only_learners_own_numbers_do_not_look_like_canvas_either(given):
    files = {"ana/hw_1_2_ex01.ipynb": notebook(1), "ana/hw_1_3_ex02.ipynb": notebook(2)}
    assert {learner for learner, _ in found(given(files))} == {"ana"}


# Moodle

MOODLE = {
    "Ana López_101_assignsubmission_file/ex01_chain_rule.ipynb": notebook(1),
    "Ben Ode_102_assignsubmission_file_/sub/folder/Untitled.ipynb": notebook(1),
    "Cy Ng_103_assignsubmission_file/all.zip": zipped({"x/EX01 Chain Rule.ipynb": notebook(1)}),
    "Dee_104_assignsubmission_file_ex01_chain_rule.ipynb": notebook(1),
    "Participant_105_assignsubmission_file/ex01_chain_rule.ipynb": notebook(1),
    "Default group_assignsubmission_file/ex01_chain_rule.ipynb": notebook(1),
    "Eve_106_assignsubmission_onlinetext/onlinetext.html": b"<p>my answer</p>",
}


def test_a_moodle_download_is_read_by_its_names(given):
    intake = find_hand_ins(given(MOODLE), EXERCISES)
    assert {h.learner: (h.origin.name, h.origin.ids) for h in intake.hand_ins} == {
        "Ana López_101": ("Ana López", ("101",)),
        "Ben Ode_102": ("Ben Ode", ("102",)),
        "Cy Ng_103": ("Cy Ng", ("103",)),
        "Dee_104": ("Dee", ("104",)),
        "Participant_105": ("Participant", ("105",)),
        "Default group": ("Default group", ()),
    }
    assert all(hand_in.read() == notebook(1) for hand_in in intake.hand_ins)
    assert all(hand_in.origin.handed_in is None for hand_in in intake.hand_ins)
    assert list(unplaced(intake)) == ["Eve_106_assignsubmission_onlinetext/onlinetext.html"]


def test_a_learner_on_the_roster_is_no_download_even_if_alone(given, tmp_path):
    roster = tmp_path / "roster.csv"
    roster.write_text(VICTIM + "Evil Ed,66,evil\n")
    like_canvas = ["odeben_12_9_ex01.ipynb", "pidee_13_9_ex01.ipynb"]
    like_folders = ["ben/ex01.ipynb", "dee/ex01.ipynb"]
    for number, names in enumerate([like_canvas, like_folders]):
        source = given({f"evil/{name}": notebook(1) for name in names}, name=f"h{number}")
        assert found(source, roster=roster) == [("Evil Ed", "ex01_chain_rule")]


# folders

LAYOUTS = {
    "plain": ["ana/ex01_chain_rule.ipynb", "ben/ex01_chain_rule.ipynb"],
    "a folder around": ["all/ana/ex01_chain_rule.ipynb", "all/ben/ex01_chain_rule.ipynb"],
    "by exercise": ["ex01_chain_rule/ana/x.ipynb", "ex01_chain_rule/ben/y.ipynb"],
    "by exercise, flat": ["Ex01 chain rule/ana.ipynb", "Ex01 chain rule/ben.ipynb"],
    "nbgrader": ["ana/ex01_chain_rule/p.ipynb", "ben/ex01_chain_rule/p.ipynb"],
    "submitted": ["submitted/ana/ex01/p.ipynb", "submitted/ben/ex01/p.ipynb"],
}


@pytest.mark.parametrize("paths", LAYOUTS.values(), ids=LAYOUTS)
def test_layouts_of_folders(given, paths):
    source = given(dict.fromkeys(paths, notebook(1)))
    assert found(source) == [("ana", "ex01_chain_rule"), ("ben", "ex01_chain_rule")]


ZIPS = {
    "a zip a learner": {"ana.zip": ["ex01_chain_rule.ipynb"], "ben.zip": ["a.ipynb"]},
    "each of a folder": {"ana.zip": ["ana/a.ipynb"], "ben.zip": ["ben/a.ipynb"]},
    "in the learner's folder": {"ana/hw.zip": ["hw/a.ipynb"], "ben/x.zip": ["y/z/b.ipynb"]},
    "named for the exercise": {"ana/ex01_chain_rule.zip": ["a.ipynb"], "ben/ex01.zip": ["b.ipynb"]},
    "by exercise": {"ex01_chain_rule.zip": ["ana/a.ipynb", "ben/a.ipynb"]},
}


@pytest.mark.parametrize("zips", ZIPS.values(), ids=ZIPS)
def test_zips_of_folders(given, zips):
    files = {path: zipped(dict.fromkeys(inside, notebook(1))) for path, inside in zips.items()}
    source = given(files)
    assert found(source) == [("ana", "ex01_chain_rule"), ("ben", "ex01_chain_rule")]
    assert all(h.read() == notebook(1) for h in find_hand_ins(source, EXERCISES).hand_ins)


def test_where_two_folders_may_be_the_learners_none_is_guessed(given):
    files = {
        "section a/ana/ex01_chain_rule.ipynb": notebook(1),
        "section b/ben/ex01_chain_rule.ipynb": notebook(1),
        "cy/ex01_chain_rule.ipynb": notebook(1),
        "ex01_chain_rule.ipynb": notebook(1),
    }
    source = given(files)
    intake = find_hand_ins(source, EXERCISES)
    assert [h.learner for h in intake.hand_ins] == ["cy"]
    told = unplaced(intake)
    assert "Which of the folders section a/ana is the learner's?" in told[next(iter(files))]
    assert "No folder says whose" in told["ex01_chain_rule.ipynb"]
    roster = source.parent / "roster.csv"
    roster.write_text("Name,Login\nAna Ode,ana\nBen Ng,ben\nCy Pi,cy\n")
    assert [learner for learner, _ in found(source, roster=roster)] == [
        "Ana Ode",
        "Ben Ng",
        "Cy Pi",
    ]


def test_no_time_is_taken_from_what_a_learner_can_set(given):
    """A learner can zip any date, and a timestamp.txt as nbgrader puts beside a hand-in."""
    files = {
        "ana/ex01_chain_rule/p.ipynb": notebook(1),
        "ana/ex01_chain_rule/timestamp.txt": b"2026-02-02 15:58:23.948203 UTC",
        "ben/hw.zip": zipped({"ex01.ipynb": notebook(1), "timestamp.txt": b"2026-02-02"}),
    }
    intake = find_hand_ins(given(files), EXERCISES)
    assert [hand_in.origin.handed_in for hand_in in intake.hand_ins] == [None, None]


def test_zips_side_by_side_are_not_one_learners(given):
    one = zipped({"ex01.ipynb": notebook(1)})
    source = given({"section/ana.zip": one, "section/ben.zip": one, "cy/ex01.ipynb": notebook(1)})
    intake = find_hand_ins(source, EXERCISES)
    assert [hand_in.learner for hand_in in intake.hand_ins] == ["cy"]
    assert all("Which of the folders section/" in why for why in unplaced(intake).values())


def test_a_few_names_like_an_lmss_do_not_make_a_download(given):
    learners = ["ana", "ben", "cy", "team_1_2_a"]
    source = given({f"{learner}/ex01.ipynb": notebook(1) for learner in learners})
    assert [learner for learner, _ in found(source)] == learners


def test_what_file_managers_leave_behind_is_passed_over(given):
    files = {
        "ana/ex01_chain_rule.ipynb": notebook(1),
        "ana/.ipynb_checkpoints/ex01_chain_rule-checkpoint.ipynb": notebook(1),
        "__MACOSX/ana/._ex01_chain_rule.ipynb": b"\0\5\26\7",
        "ana/.DS_Store": b"\0",
        "ana/Thumbs.db": b"\0",
        "ana/notes.txt": b"beside a notebook, no one need be told",
        ".git/x/ex01_chain_rule.ipynb": notebook(1),
    }
    intake = find_hand_ins(given(files), EXERCISES)
    assert [h.origin.file for h in intake.hand_ins] == ["ana/ex01_chain_rule.ipynb"]
    assert (intake.superseded, intake.unplaced) == ((), ())


def test_who_hands_in_no_notebook_at_all_is_told(given):
    files = {"ana/ex01_chain_rule.ipynb": notebook(1), "ben/essay.pdf": b"%PDF", "loose.txt": b""}
    told = unplaced(find_hand_ins(given(files), EXERCISES))
    assert list(told) == ["ben/essay.pdf"]
    assert "no notebook" in told["ben/essay.pdf"]


# the exercise

SPELLINGS = """ex01_chain_rule.ipynb
EX01_Chain_Rule.IPYNB
ex01 chain rule.ipynb
ex01-chain-rule.ipynb
ex01chainrule.ipynb
ex01_chain_rule (1).ipynb
ex01_chain_rule(2).ipynb
ex01_chain_rule-2.ipynb
ex01_chain_rule_final.ipynb
ex01_chain_rule - Copy.ipynb
ex01_chain_rule - Copy (2).ipynb
Copy of ex01_chain_rule.ipynb
ex01_chain_rule-Copy1.ipynb
ex01_chain_rule_v2.ipynb
ex01_chain_rule.ipynb.txt
ex01_chain_rule.ipynb.json
ana lopez ex01_chain_rule.ipynb
ex01.ipynb
ex01 final (3).ipynb
ｅｘ０１_chain_rule.ipynb""".splitlines()


@pytest.mark.parametrize("name", SPELLINGS)
def test_the_name_of_the_file_tells_the_exercise_without_a_look_inside(given, name):
    assert found(given({f"ana/{name}": b"not read"})) == [("ana", "ex01_chain_rule")]


@pytest.mark.parametrize(
    "name", ["Untitled.ipynb", "ex1.ipynb", "ex011.ipynb", "ex01_backprop.ipynb"]
)
@pytest.mark.parametrize("by", ["grade_id", "marker", "cell id"])
def test_else_the_cells_tell_it(given, name, by):
    assert found(given({f"ana/{name}": notebook(2, by=by)})) == [("ana", "ex02_backprop")]


CHECKS = notebook(1).replace(b"-answer", b"-visible")
STRANGERS = {
    "checks alone.ipynb": (CHECKS, "Neither its name nor its cells tell"),
    "essay.ipynb": (notebook(), "Neither its name nor its cells tell"),
    "other course.ipynb": (notebook(77), "Neither its name nor its cells tell"),
    "both.ipynb": (notebook(1, 2), "answers to ex01_chain_rule and ex02_backprop"),
    "ex01_chain_rule ex02_backprop.ipynb": (notebook(), "Neither its name"),
    "broken.ipynb": (b"{", "not JSON"),
    "bytes.ipynb": (b"\xff\xfe\0", "not UTF-8 text"),
    "empty.ipynb": (b"", "not JSON"),
}


def test_a_stranger_is_told_with_the_reason_and_costs_no_one_else(given):
    files = {f"ana/{name}": data for name, (data, _) in STRANGERS.items()}
    intake = find_hand_ins(given(files | {"ben/ex01.ipynb": notebook(1)}), EXERCISES)
    assert [(h.learner, h.exercise) for h in intake.hand_ins] == [("ben", "ex01_chain_rule")]
    told = unplaced(intake)
    for name, (_, reason) in STRANGERS.items():
        assert reason in told[f"ana/{name}"]


def test_two_exercises_of_one_number_are_not_told_apart_by_it(given):
    source = given({"ana/ex01.ipynb": notebook(1), "ben/ex01_b.ipynb": notebook(1)})
    intake = find_hand_ins(source, ["ex01_a", "ex01_b"])
    assert [(h.learner, h.exercise) for h in intake.hand_ins] == [("ben", "ex01_b")]
    assert "ex01_a and ex01_b" in unplaced(intake)["ana/ex01.ipynb"]


# several hand-ins of one learner

ORDER = [  # the older, the newer: by attempt, then by the file's time, then by path
    ("ex01_chain_rule.ipynb", 9, "ex01_chain_rule (1).ipynb", 1),
    ("ex01_chain_rule-2.ipynb", 9, "ex01_chain_rule-10.ipynb", 1),
    ("ex01_chain_rule_final.ipynb", 1, "ex01_chain_rule.ipynb", 9),
    ("ex01_chain_rule - Copy.ipynb", 9, "ex01_chain_rule.ipynb", 9),
    ("ex01_chain_rule scratch.ipynb", 9, "ex01_chain_rule.ipynb", 1),
    ("other.ipynb", 9, "ex01_chain_rule.ipynb", 1),
]


@pytest.mark.parametrize(("old", "old_time", "new", "new_time"), ORDER)
@pytest.mark.parametrize("as_zip", [False, True])
def test_the_newest_counts_and_the_other_is_kept(tmp_path, old, old_time, new, new_time, as_zip):
    source = tmp_path / "h.zip" if as_zip else tmp_path / "h"
    if as_zip:
        with zipfile.ZipFile(source, "w") as archive:
            for name, day in ((new, new_time), (old, old_time)):
                info = zipfile.ZipInfo(f"ana/{name}", (2026, 1, day, 0, 0, 0))
                archive.writestr(info, notebook(1))
    else:
        for name, day in ((new, new_time), (old, old_time)):
            path = source / "ana" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(notebook(1))
            os.utime(path, (day, day))
    intake = find_hand_ins(source, EXERCISES)
    assert [h.origin.file for h in intake.hand_ins] == [f"ana/{new}"]
    assert [(s.hand_in.origin.file, s.by) for s in intake.superseded] == [
        (f"ana/{old}", f"ana/{new}")
    ]


# sources


def test_nothing_there_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"There is no folder .*none"):
        find_hand_ins(tmp_path / "none", EXERCISES)
    with pytest.raises(ValueError, match="holds no hand-in"):
        find_hand_ins(tmp_path, EXERCISES)
    (tmp_path / "essay.ipynb").write_bytes(notebook())
    with pytest.raises(ValueError, match=r"(?s)holds no hand-in.*essay.ipynb: No folder says"):
        find_hand_ins(tmp_path, EXERCISES)
    (tmp_path / "x.zip").write_bytes(b"PK no zip")
    with pytest.raises(ValueError, match="no zip, or a damaged one"):
        find_hand_ins(tmp_path / "x.zip", EXERCISES)
    with pytest.raises(
        ValueError, match=r"'blackboard' is no kind .* auto, folder, canvas, moodle"
    ):
        find_hand_ins(tmp_path, EXERCISES, kind="blackboard")


def test_a_kind_can_be_forced_and_what_does_not_fit_it_is_told(given):
    name = "ana/hw_1_2_ex01_chain_rule.ipynb"
    source = given({name: notebook(1), "ben/ex01_chain_rule.ipynb": notebook(1)})
    intake = find_hand_ins(source, EXERCISES, kind="canvas")
    assert [h.learner for h in intake.hand_ins] == ["hw_1"]
    assert "not one that Canvas gives" in unplaced(intake)["ben/ex01_chain_rule.ipynb"]
    with pytest.raises(ValueError, match="not one that Moodle gives"):
        find_hand_ins(source, EXERCISES, kind="moodle")
    canvas = given({"lopezana_4711_88_ex01_chain_rule.ipynb": notebook(1)}, name="other")
    with pytest.raises(ValueError, match="No folder says"):
        find_hand_ins(canvas, EXERCISES, kind="folder")


def test_links_and_pipes_are_not_read_and_a_giant_is_not_read_whole(tmp_path):
    key = tmp_path / "key"
    key.mkdir()
    (key / "ex01_chain_rule.ipynb").write_bytes(notebook(1))
    source = tmp_path / "h"
    for learner in ("ana", "eve", "gus", "pat"):
        (source / learner).mkdir(parents=True)
    (source / "ana" / "ex01_chain_rule.ipynb").write_bytes(notebook(1))
    (source / "eve" / "ex01_chain_rule.ipynb").symlink_to(key / "ex01_chain_rule.ipynb")
    (source / "mallory").symlink_to(key)
    os.mkfifo(source / "pat" / "ex01_chain_rule.ipynb")
    with (source / "gus" / "ex01_chain_rule.ipynb").open("wb") as file:
        file.truncate(MAX_HAND_IN_BYTES * 50)
    intake = find_hand_ins(source, EXERCISES)
    read = {}
    for hand_in in intake.hand_ins:
        try:
            read[hand_in.learner] = len(hand_in.read())
        except UnreadableError as error:
            read[hand_in.learner] = str(error).partition(".")[0]
    assert read == {
        "ana": len(notebook(1)),
        "eve": "It is a link, not a file",
        "gus": MAX_HAND_IN_BYTES + 1,
        "pat": "It is not a file",
    }
    assert "It is a link" in unplaced(intake)["mallory"]


def test_a_file_that_turns_into_a_link_after_it_was_found_is_not_read(tmp_path):
    path = tmp_path / "h" / "ana" / "ex01_chain_rule.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(notebook(1))
    (hand_in,) = find_hand_ins(tmp_path / "h", EXERCISES).hand_ins
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnreadableError, match="It is a link"):
        hand_in.read()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_costs_only_itself(given, tmp_path):
    source = given({"ana/ex01.ipynb": notebook(1), "ben/ex01.ipynb": notebook(1)})
    if source.is_dir():
        (source / "ben").chmod(0)
        assert [h.learner for h in find_hand_ins(source, EXERCISES).hand_ins] == ["ana"]


def test_deeply_nested_folders_are_no_trouble(tmp_path):
    source = tmp_path / "h"
    path = Path(*["d"] * 1200)
    (source / "ana").mkdir(parents=True)
    (source / "ana" / "ex01.ipynb").write_bytes(notebook(1))
    here = os.open(source / "ana", os.O_RDONLY)
    for part in path.parts:  # too deep for one path
        os.mkdir(part, dir_fd=here)
        below = os.open(part, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    try:
        assert found(source) == [("ana", "ex01_chain_rule")]
    finally:  # pytest's own way of tidying up is recursive
        subprocess.run(["rm", "-rf", source / "ana"], check=True)


def test_ten_thousand_in_a_zip_are_listed_without_being_read(tmp_path):
    source = tmp_path / "h.zip"
    files = {f"name{n}_{n}_{n}_ex01_chain_rule.ipynb": b"{" for n in range(10_000)}
    source.write_bytes(zipped(files, method=zipfile.ZIP_STORED))
    intake = find_hand_ins(source, EXERCISES)
    assert len(intake.hand_ins) == 10_000
    assert len({hand_in.learner for hand_in in intake.hand_ins}) == 10_000
