"""The roster: read in every form it comes in; who is who on it, and never a guess."""

import codecs
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from course_utils.grading.intake import find_hand_ins
from course_utils.grading.intake.roster import read_roster
from course_utils.grading.intake.times import moment

EXERCISES = ("ex01_chain_rule", "ex02_backprop")

CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,ex01 (4757),Final Score
,,,,,Manual Posting,
    Points Possible,,,,,20.00,(read only)
"López, Ana",4711,S1,alopez,A,,
"Núñez García, José",4712,S2,jnunez,A,,
"Student, Test",4799,,0a1b2c,A,,
"""
MOODLE = """Identifier,Full name,ID number,Email address,Status,Grade,"Last modified (submission)"
Participant 101,Ana López,S1,ana@uni.edu,Submitted,,"Wednesday, 23 September 2026, 9:00 PM"
Participant 102,José Núñez García,S2,jose@uni.edu,No submission,,-
"""
PARTICIPANTS = """First name,Last name,Email address,Groups
Ana,López,ana@uni.edu,A
José,Núñez García,jose@uni.edu,A
"""
TYPED = """login; name
alopez; Ana López
jnunez; Núñez García, José
"""


@pytest.fixture
def roster(tmp_path):
    """Write a roster; returns its path."""

    def write(text, encoding="utf-8"):
        path = tmp_path / "roster.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


@pytest.fixture
def hand_ins(tmp_path):
    """Hand-ins at these paths; returns the folder."""

    def put(*paths):
        for path in paths:
            file = tmp_path / "h" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"{}")
        return tmp_path / "h"

    return put


def people(path):
    return [(person.name, person.lms_id, person.ids) for person in read_roster(path).people]


def placed(source, path, **options):
    """learner -> ids of what is to be graded, and the files that the roster does not know."""
    intake = find_hand_ins(source, EXERCISES, roster=path, **options)
    known = {hand_in.learner: hand_in.origin.ids for hand_in in intake.hand_ins}
    return known, {one.file.partition("/")[0]: one.reason for one in intake.off_roster}


# the forms of a roster


def test_canvas_gradebook_export(roster):
    assert people(roster(CANVAS)) == [
        ("López, Ana", "4711", ("4711", "S1", "alopez")),
        ("Núñez García, José", "4712", ("4712", "S2", "jnunez")),
    ]


def test_moodle_grading_worksheet(roster):
    ana, jose = read_roster(roster(MOODLE)).people
    assert (ana.lms_id, ana.ids) == ("101", ("Participant 101", "S1", "ana@uni.edu"))
    assert ana.handed_in.replace(tzinfo=None) == datetime(2026, 9, 23, 21)
    assert ana.handed_in.tzinfo is not None
    assert jose.handed_in is None


def test_first_and_last_names_in_columns(roster):
    assert people(roster(PARTICIPANTS)) == [
        ("Ana López", "", ("ana@uni.edu",)),
        ("José Núñez García", "", ("jose@uni.edu",)),
    ]


FORMS = {
    "utf-8": CANVAS.encode(),
    "utf-8 with its mark": codecs.BOM_UTF8 + CANVAS.encode(),
    "utf-16, little": codecs.BOM_UTF16_LE + CANVAS.encode("utf-16-le"),
    "utf-16, big": codecs.BOM_UTF16_BE + CANVAS.encode("utf-16-be"),
    "windows lines": CANVAS.replace("\n", "\r\n").encode(),
    "excel's sep": b"sep=,\r\n" + CANVAS.encode(),
    "twice": (CANVAS + CANVAS.partition("\n")[2]).encode(),
    "blank lines": ("\n\n" + CANVAS.replace("\n", "\n\n")).encode(),
}


@pytest.mark.parametrize("data", FORMS.values(), ids=FORMS)
def test_encodings_and_line_ends(roster, data):
    assert people(roster(data)) == [
        ("López, Ana", "4711", ("4711", "S1", "alopez")),
        ("Núñez García, José", "4712", ("4712", "S2", "jnunez")),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(roster, delimiter):
    text = delimiter.join(["E-Mail", "NAME", "first-name"]) + "\n"
    text += delimiter.join(["a@u", '"López, Ana; x"', "y"])
    assert people(roster(text)) == [("López, Ana; x", "", ("a@u",))]


BAD = {
    "latin 1": (CANVAS.encode("latin-1"), "is not UTF-8-SIG. Save it anew as 'CSV UTF-8'"),
    "no known column": (b"Grade,Comment\n1,x\n", "its first line is 'Grade, Comment'"),
    "times alone": (b"Submitted at\n2026-01-01\n", "names no learners"),
    "empty": (b"", "names no learners: its first line is 'nothing'"),
    "a time": (b"Name,Submitted at\nAna,tomorrow\n", "'tomorrow' is no time"),
    "utf-16 without its mark": ("Name\nAna\n".encode("utf-16-le"), "UTF-16 without its mark"),
    "half utf-16": (codecs.BOM_UTF16_LE + b"\0", "is not UTF-16"),
}


@pytest.mark.parametrize(("data", "words"), BAD.values(), ids=BAD)
def test_a_roster_that_cannot_be_read_is_told(roster, data, words):
    with pytest.raises(ValueError, match=r"roster\.csv") as error:
        read_roster(roster(data))
    assert words in str(error.value)


def test_a_roster_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ValueError, match="No such file"):
        read_roster(tmp_path / "roster.csv")


# who is who

NAMES = {
    "canvas": ("lopezana_4711_1_ex01.ipynb", "x_4799_2_ex01.ipynb"),
    "canvas with accents": ("lópezana_4711_1_ex01.ipynb",),
    "folder, in order": ("Ana López/ex01.ipynb",),
    "folder, family first": ("López, Ana/ex01.ipynb",),
    "folder, no accent": ("ana lopez/ex01.ipynb",),
    "folder, decomposed": ("Ana Lo\u0301pez/ex01.ipynb",),
    "folder, right to left": ("\u202bAna López\u202c/ex01.ipynb",),
    "login": ("ALopez/ex01.ipynb",),
    "sis": ("s1/ex01.ipynb",),
    "another's moodle number": ("Ana López_77_assignsubmission_file/ex01.ipynb",),
}


@pytest.mark.parametrize("paths", NAMES.values(), ids=NAMES)
def test_a_learner_is_found_by_number_id_or_name(roster, hand_ins, paths):
    known, _ = placed(hand_ins(*paths), roster(CANVAS))
    assert known["López, Ana"][:3] == ("4711", "S1", "alopez")


@pytest.mark.parametrize("text", [MOODLE, PARTICIPANTS, TYPED], ids=["moodle", "list", "typed"])
@pytest.mark.parametrize(
    "folder", ["José Núñez García_102_assignsubmission_file", "Núñez García José"]
)
def test_a_long_name_is_found_in_each_roster(roster, hand_ins, text, folder):
    known, unknown = placed(hand_ins(f"{folder}/ex01.ipynb"), roster(text))
    assert len(known) == 1
    assert unknown == {}


def test_the_number_goes_before_the_name_where_two_have_it(roster, hand_ins):
    path = roster("Student,ID\nAna Kim,1\nAna Kim,2\n")
    source = hand_ins("kimana_2_7_ex01.ipynb", "kimana_1_8_ex01.ipynb")
    assert placed(source, path)[0] == {"Ana Kim 1": ("1",), "Ana Kim 2": ("2",)}


AMBIGUOUS = {
    "two of the name": (
        "Name,Login\nAna Kim,a1\nAna Kim,a2\n",
        "Ana Kim",
        "Ana Kim a1 and Ana Kim a2",
    ),
    "in another order": (
        "Name\nHenry James\nJames Henry\n",
        "Henry James",
        "may be Henry James and",
    ),
    "without accents": ("Name\nJosé Paz\nJosè Paz\n", "Jose Paz", "may be José Paz and Josè Paz"),
    "one id twice": ("Name,Login,Email\nAna,x,a@u\nBen,b,x\n", "x", "x may be Ana x and Ben b"),
    "nobody": ("Name\nAna Kim\n", "Zoe Ng", "nobody of the name Zoe Ng"),
    "a part of a name": ("Name\nAna Kim\n", "Ana", "nobody of the name Ana"),
}


@pytest.mark.parametrize(("text", "folder", "words"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_who_may_be_two_or_none_is_told_and_graded_under_their_own_name(
    roster, hand_ins, text, folder, words
):
    source = hand_ins(f"{folder}/ex01.ipynb")
    intake = find_hand_ins(source, EXERCISES, roster=roster(text))
    assert [h.origin.ids for h in intake.hand_ins] == [()]
    (odd,) = intake.off_roster
    assert words in odd.reason
    assert len(intake.missing) == text.count("\n") - 1  # nobody on the roster handed in


def test_a_number_and_a_name_that_disagree_are_nobodys(roster, hand_ins):
    """A number of another Moodle assignment, or a roster with a column of other numbers."""
    known, unknown = placed(hand_ins("Zoe Ng_101_assignsubmission_file/ex01.ipynb"), roster(MOODLE))
    assert list(known) == ["Zoe Ng_101"]
    assert "has Ana López for the number 101, not Zoe Ng" in next(iter(unknown.values()))


def test_moodle_without_names_is_matched_by_number(roster, hand_ins):
    source = hand_ins("Participant_101_assignsubmission_file/ex01.ipynb")
    assert list(placed(source, roster(MOODLE))[0]) == ["Ana López"]
    blind = roster("Identifier,Status\nParticipant 101,\n")
    assert list(placed(source, blind)[0]) == ["Participant 101"]
    named = hand_ins("Zoe Ng_102_assignsubmission_file/ex01.ipynb")
    both = roster("Identifier,Status\nParticipant 101,\nParticipant 102,\n")
    assert list(placed(named, both)[0]) == ["Participant 101", "Participant 102"]


def test_only_moodles_numbers_are_taken_out_of_a_text(roster):
    assert people(roster("Name,ID\nAna,S12\n")) == [("Ana", "S12", ("S12",))]
    assert people(roster("Name,Identifier\nAna,Teilnehmer/in12\n"))[0][1] == "12"


def test_two_numbers_of_one_name_are_not_merged(roster, hand_ins):
    """The roster lacks the second Ana; the one must not supersede the other."""
    source = hand_ins(
        "Ana Kim_1_assignsubmission_file/ex01.ipynb", "Ana Kim_2_assignsubmission_file/ex01.ipynb"
    )
    intake = find_hand_ins(source, EXERCISES, roster=roster("Name\nAna Kim\n"))
    assert [h.learner for h in intake.hand_ins] == ["Ana Kim_1", "Ana Kim_2"]
    assert intake.superseded == ()
    assert all("numbers 1 and 2" in odd.reason for odd in intake.off_roster)


def test_one_learner_has_another_number_in_each_moodle_assignment(roster, hand_ins):
    source = hand_ins(
        "Ana Kim_1_assignsubmission_file/ex01.ipynb", "Ana Kim_9_assignsubmission_file/ex02.ipynb"
    )
    intake = find_hand_ins(source, EXERCISES, roster=roster("Name\nAna Kim\n"))
    assert [(h.learner, h.exercise) for h in intake.hand_ins] == [
        ("Ana Kim", "ex01_chain_rule"),
        ("Ana Kim", "ex02_backprop"),
    ]


def test_who_spells_the_name_with_its_accents_has_it(roster, hand_ins):
    source = hand_ins("José Paz/ex01.ipynb", "Jose Paz/ex01.ipynb")
    intake = find_hand_ins(source, EXERCISES, roster=roster("Name,Login\nJosé Paz,jp\n"))
    assert {h.origin.file: h.origin.ids for h in intake.hand_ins} == {
        "José Paz/ex01.ipynb": ("jp",),
        "Jose Paz/ex01.ipynb": (),
    }
    assert [odd.file for odd in intake.off_roster] == ["Jose Paz/ex01.ipynb"]


def test_two_that_lack_the_accents_are_both_nobodys(roster, hand_ins):
    source = hand_ins("Josè Paz/ex01.ipynb", "Jose Paz/ex01.ipynb")
    known, unknown = placed(source, roster("Name,Login\nJosé Paz,jp\n"))
    assert len(known) == len(unknown) == 2


# the missing


def test_the_missing_are_those_of_the_roster_without_what_others_handed_in(roster, hand_ins):
    source = hand_ins("alopez/ex01.ipynb", "jnunez/ex01.ipynb", "jnunez/ex02.ipynb")
    (gap,) = find_hand_ins(source, EXERCISES, roster=roster(TYPED)).missing
    assert (gap.learner, gap.exercise) == ("Ana López", "ex02_backprop")
    assert gap.origin.ids == ("alopez",)
    assert find_hand_ins(source, EXERCISES).missing == ()


def test_an_exercise_that_nobody_handed_in_is_missing_for_nobody(roster, hand_ins):
    source = hand_ins("alopez/ex01.ipynb", "jnunez/ex01.ipynb")
    assert find_hand_ins(source, EXERCISES, roster=roster(TYPED)).missing == ()


def test_a_learners_folder_is_the_same_whoever_else_hands_in(roster, hand_ins):
    path = roster("Name,Login\nAna Kim,a1\nAna Kim,a2\n")
    first = find_hand_ins(hand_ins("a1/ex01.ipynb"), EXERCISES, roster=path).hand_ins[0].learner
    both = find_hand_ins(hand_ins("a2/ex01.ipynb"), EXERCISES, roster=path)
    assert first in {hand_in.learner for hand_in in both.hand_ins}


# when


def test_the_rosters_time_is_that_of_the_one_exercise(roster, hand_ins):
    path = roster("Name,Submitted at\nAna,2026-01-31T23:59+01:00\n")
    (ana,) = find_hand_ins(hand_ins("Ana/ex01.ipynb"), EXERCISES, roster=path).hand_ins
    assert ana.origin.handed_in == datetime(
        2026, 1, 31, 23, 59, tzinfo=timezone(timedelta(hours=1))
    )
    intake = find_hand_ins(hand_ins("Ana/ex02.ipynb"), EXERCISES, roster=path)
    assert [h.origin.handed_in for h in intake.hand_ins] == [None, None]
    assert "times are not used" in intake.notes[0]


TIMES = {
    "2026-01-31T23:59Z": datetime(2026, 1, 31, 23, 59, tzinfo=UTC),
    "2026-01-31 23:59:00+00:00": datetime(2026, 1, 31, 23, 59, tzinfo=UTC),
    "2026-01-31T23:59": datetime(2026, 1, 31, 23, 59).astimezone(),
    "Saturday, 31 January 2026, 11:59 PM": datetime(2026, 1, 31, 23, 59).astimezone(),
    "Saturday, January 31, 2026, 11:59 PM": datetime(2026, 1, 31, 23, 59).astimezone(),
}


@pytest.mark.parametrize(("text", "when"), TIMES.items(), ids=TIMES)
def test_times(text, when):
    assert moment(text) == when
    assert moment(text).tzinfo is not None


@pytest.mark.parametrize(
    "text",
    ["", "31/01/2026 23:59", "2026-02-02 15:58:23 UTC", "1"],
)
def test_what_is_no_time(text):
    with pytest.raises(ValueError, match="no time that is known"):
        moment(text)


def test_the_source_is_only_read(roster, hand_ins):
    source = hand_ins("alopez/ex01.ipynb")
    before = sorted((path, path.stat().st_mtime_ns) for path in Path(source).rglob("*"))
    find_hand_ins(source, EXERCISES, roster=roster(TYPED))
    assert sorted((path, path.stat().st_mtime_ns) for path in Path(source).rglob("*")) == before
