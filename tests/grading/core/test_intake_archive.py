"""A zip from a stranger: nothing is written, inflated without a bound, or reached by a link."""

import contextlib
import io
import stat
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.grading.intake import archive, files, find_hand_ins
from course_utils.grading.intake.archive import LEARNERS, Limits, check_size, members
from course_utils.grading.intake.exercises import Exercises
from course_utils.grading.overlay import MAX_HAND_IN_BYTES, UnreadableError

EXERCISES = ("ex01_chain_rule",)
DAY = (2026, 1, 31, 12, 0, 0)
NAME = "ex01_chain_rule.ipynb"


def zipped(*entries):
    """A zip of (name or ZipInfo, bytes)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for entry, data in entries:
            info = zipfile.ZipInfo(entry, DAY) if isinstance(entry, str) else entry
            made.writestr(info, data, zipfile.ZIP_DEFLATED)
    return bytearray(out.getvalue())


def patched(data, name, *, local=None, central=None):
    """The zip with a field of a member's headers overwritten: (offset, struct format, value)."""
    name = name.encode()
    for signature, length, change in ((b"PK\3\4", 30, local), (b"PK\1\2", 46, central)):
        at = data.find(signature)
        while data[at + length : at + length + len(name)] != name:
            at = data.find(signature, at + 1)
        if change:
            offset, form, value = change
            struct.pack_into(form, data, at + offset, value)
    return data


def encrypted(name=NAME):
    return patched(zipped((name, b"x")), name, local=(6, "<H", 1), central=(8, "<H", 1))


def understated(name=NAME, *, real=5_000_000, told=100):
    """A member that says that it inflates to less than it does."""
    data = zipped((name, b"\0" * real))
    return patched(data, name, local=(22, "<I", told), central=(24, "<I", told))


def overstated(name=NAME):
    return patched(zipped((name, b"x")), name, central=(24, "<I", MAX_HAND_IN_BYTES + 1))


def unknown_method(method, name=NAME):
    data = zipped((name, b"x"))
    return patched(data, name, local=(8, "<H", method), central=(10, "<H", method))


def broken_sum(name=NAME):
    return patched(zipped((name, b"x")), name, central=(16, "<I", 7))


def link(name=NAME, to="/etc/passwd"):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zipped((info, to.encode()))


def read_all(data):
    """What each member of a zip gives, or why it is refused: name -> length or reason."""
    told = {}
    for member in members(io.BytesIO(bytes(data)), LEARNERS):
        try:
            told["/".join(member.parts)] = len(member.read())
        except UnreadableError as error:
            told["/".join(member.parts)] = str(error)
    return told


REFUSED = {
    "password": (encrypted(), "Its zip has a password"),
    "link": (link(), "it is a link"),
    "a pipe": (link().replace(b"\xff\xa1", b"\xff\x11"), "it is a link"),
    "understated size": (understated(), "damaged in its zip (BadZipFile)"),
    "overstated size": (overstated(), "more than 10000000"),
    "too large": (zipped((NAME, b"\0" * (MAX_HAND_IN_BYTES + 1))), "more than 10000000"),
    "bzip2": (unknown_method(12), "method 12; only 0 and 8"),
    "lzma": (unknown_method(14), "method 14; only 0 and 8"),
    "deflate64": (unknown_method(9), "method 9; only 0 and 8"),
    "check sum": (broken_sum(), "damaged in its zip (BadZipFile)"),
}


@pytest.mark.parametrize(("data", "words"), REFUSED.values(), ids=REFUSED)
def test_a_bad_member_is_refused_in_words_and_costs_only_itself(data, words, tmp_path):
    (reason,) = read_all(data).values()
    assert words in reason
    source = tmp_path / "h.zip"
    with zipfile.ZipFile(source, "w") as made:
        made.writestr("ana.zip", bytes(data))
        made.writestr(f"ben/{NAME}", b"fine")
    ana, ben = find_hand_ins(source, EXERCISES).hand_ins
    assert ben.read() == b"fine"
    with pytest.raises(UnreadableError) as error:
        ana.read()
    assert words in str(error.value)


LEADING_OUT = ["../x", "a/../../x", "..\\x", "/../x", "a/.."]
HARMLESS = {"/etc/x": "etc/x", "./a//b": "a/b", "C:\\a\\b": "C:/a/b", "a\\b": "a/b"}


@pytest.mark.parametrize("path", LEADING_OUT)
def test_a_path_that_leads_out_of_the_zip_is_refused(path):
    (reason,) = read_all(zipped((path, b"x"))).values()
    assert "leads out of its zip" in reason


@pytest.mark.parametrize(("path", "parts"), HARMLESS.items())
def test_other_odd_paths_are_only_names(path, parts):
    assert read_all(zipped((path, b"x"))) == {parts: 1}


def test_nothing_is_ever_written(tmp_path):
    source = tmp_path / "a" / "b" / "h.zip"
    source.parent.mkdir(parents=True)
    absolute = (tmp_path / "elsewhere" / NAME).as_posix()  # where it would be noticed
    outward = {f"../../{NAME}": b"1", absolute: b"1", f"ana/{NAME}": b"1"}
    source.write_bytes(zipped(*outward.items()))
    before = sorted(tmp_path.rglob("*"))
    for hand_in in find_hand_ins(source, EXERCISES).hand_ins:
        if ".." not in hand_in.origin.file:
            hand_in.read()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_zip_that_declares_too_much_is_refused_before_a_member_is_read():
    entries = [(f"{n}", b"\0" * MAX_HAND_IN_BYTES) for n in range(3)]
    with pytest.raises(UnreadableError, match="inflates to 30000000 bytes, more than 29999999"):
        members(io.BytesIO(bytes(zipped(*entries))), Limits(10, 29_999_999, 10**9))


def test_a_zip_of_too_many_members_is_refused_before_they_are_listed(monkeypatch):
    data = io.BytesIO(bytes(zipped(*[(f"{n}", b"") for n in range(12)])))
    monkeypatch.setattr(archive, "ZipFile", None)
    with pytest.raises(UnreadableError, match="has 12 members, more than 11"):
        check_size(data, Limits(11, 1, 10**6))
    with pytest.raises(UnreadableError, match="bytes, more than 99"):
        check_size(data, Limits(99, 1, 99))
    check_size(data, Limits(12, 1, 10**6))


LIMITS = {
    "members": (Limits(1, 10**9, 10**9), "has 2 members"),
    "inflated": (Limits(9, 1, 10**9), "inflates to 2 bytes"),
    "size": (Limits(9, 10**9, 9), "bytes, more than 9"),
}


@pytest.mark.parametrize(("limits", "words"), LIMITS.values(), ids=LIMITS)
def test_a_learners_zip_is_held_to_its_limits_in_a_folder_and_in_a_zip(
    tmp_path, monkeypatch, limits, words
):
    monkeypatch.setattr(files, "LEARNERS", limits)
    inner = bytes(zipped((NAME, b"1"), ("b", b"2")))
    (tmp_path / "h" / "ana").mkdir(parents=True)
    (tmp_path / "h" / "ben").mkdir()
    (tmp_path / "h" / "ana" / "hw.zip").write_bytes(inner)
    (tmp_path / "h" / "ben" / NAME).write_bytes(b"1")
    (tmp_path / "h.zip").write_bytes(zipped(("ana/hw.zip", inner), (f"ben/{NAME}", b"1")))
    for source in (tmp_path / "h", tmp_path / "h.zip"):
        intake = find_hand_ins(source, EXERCISES)
        assert [hand_in.learner for hand_in in intake.hand_ins] == ["ben"]
        assert words in intake.unplaced[0].reason


def test_the_zip_that_was_downloaded_is_held_to_its_limits(tmp_path, monkeypatch):
    source = tmp_path / "h.zip"
    source.write_bytes(zipped((f"ana/{NAME}", b"1"), (f"ben/{NAME}", b"1")))
    monkeypatch.setattr(files, "RECEIVED", Limits(1, 10**9, 10**9))
    with pytest.raises(ValueError, match=r"h\.zip: The zip has 2 members"):
        find_hand_ins(source, EXERCISES)


def test_of_one_learner_no_more_than_a_few_are_looked_into(tmp_path, monkeypatch):
    """Ten thousand members that each inflate to ten megabytes are a day's work."""
    read, answered = [], Exercises.answered
    monkeypatch.setattr(Exercises, "answered", lambda *a: read.append(1) or answered(*a))
    source = tmp_path / "h.zip"
    strange = [(f"ana/{n}.ipynb", b"{") for n in range(300)]
    source.write_bytes(zipped(*strange, (f"ana/{NAME}", b"1"), (f"ben/{NAME}", b"1")))
    intake = find_hand_ins(source, EXERCISES)
    assert [hand_in.learner for hand_in in intake.hand_ins] == ["ana", "ben"]
    assert len(read) == 20
    assert sum("more than 20 notebooks" in odd.reason for odd in intake.unplaced) == 280


def test_a_zip_in_a_zip_in_a_zip_is_not_opened(tmp_path):
    inner = bytes(zipped((NAME, b"1")))
    middle = bytes(zipped(("deep.zip", inner), (NAME, b"2")))
    source = tmp_path / "h.zip"
    source.write_bytes(zipped(("ana/hw.zip", middle)))
    intake = find_hand_ins(source, EXERCISES)
    assert [hand_in.read() for hand_in in intake.hand_ins] == [b"2"]
    assert "a zip in a zip in a zip" in intake.unplaced[0].reason


def test_a_zip_that_holds_itself_ends(tmp_path):
    """The like of Russ Cox's r.zip: whatever it holds is not opened a third time."""
    data = bytes(zipped(("r.zip", bytes(zipped(("r.zip", b"PK"))))))
    (tmp_path / "ana").mkdir()
    (tmp_path / "ana" / "r.zip").write_bytes(data)
    (tmp_path / "ana" / NAME).write_bytes(b"1")
    assert len(find_hand_ins(tmp_path, EXERCISES).hand_ins) == 1


@pytest.mark.parametrize("damage", [b"", b"PK", b"not a zip at all"])
def test_a_learners_broken_zip_costs_only_itself(tmp_path, damage):
    for learner, data in (("ana", damage), ("ben", bytes(zipped((NAME, b"1"))))):
        (tmp_path / learner).mkdir()
        (tmp_path / learner / "hw.zip").write_bytes(data)
    intake = find_hand_ins(tmp_path, EXERCISES)
    assert [hand_in.learner for hand_in in intake.hand_ins] == ["ben"]
    (odd,) = intake.unplaced
    assert odd.file == "ana/hw.zip"
    assert "It is no zip, or a damaged one" in odd.reason


def test_a_broken_zip_named_for_an_exercise_is_that_learners_hand_in(tmp_path):
    (tmp_path / "ana").mkdir()
    (tmp_path / "ana" / "ex01_chain_rule.zip").write_bytes(b"PK")
    (hand_in,) = find_hand_ins(tmp_path, EXERCISES).hand_ins
    with pytest.raises(UnreadableError, match="damaged"):
        hand_in.read()


def test_names_in_utf8_that_do_not_say_so_are_read_as_such():
    told = patched(zipped(("n\u00fa\u00f1ez", b"x")), "n\u00fa\u00f1ez", central=(8, "<H", 0))
    assert list(read_all(told)) == ["núñez"]
    cp437 = patched(zipped(("nXXez", b"x")), "nXXez").replace(b"nXXez", b"n\xa3\xa4ez")
    assert list(read_all(cp437)) == ["núñez"]


def test_an_impossible_date_is_no_date():
    data = patched(zipped((NAME, b"x")), NAME, central=(12, "<I", 0))
    (member,) = members(io.BytesIO(bytes(data)), LEARNERS)
    assert member.changed == 0.0


def test_a_member_without_a_name_is_passed_over():
    nameless = zipped(("Q", b"1"), (NAME, b"22")).replace(b"Q", b"\0")
    assert read_all(nameless) == {NAME: 2}


def test_two_members_of_one_name_are_two(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped((f"ana/{NAME}", b"1"), (f"ana/{NAME}", b"22"))
    source = tmp_path / "h.zip"
    source.write_bytes(data)
    intake = find_hand_ins(source, EXERCISES)
    assert len(intake.superseded) == 1
    sizes = [len(h.read()) for h in (*intake.hand_ins, intake.superseded[0].hand_in)]
    assert sorted(sizes) == [1, 2]


SOUND = bytes(zipped((f"ana/{NAME}", b"{" * 300), ("ben/hw.zip", bytes(zipped((NAME, b"1" * 90))))))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), max_size=12))
def test_whatever_is_damaged_in_a_zip_is_told_and_never_raised(tmp_path_factory, changes):
    data = bytearray(SOUND)
    for place, value in changes:
        data[place] = value
    source = tmp_path_factory.mktemp("z") / "h.zip"
    source.write_bytes(data)
    try:
        intake = find_hand_ins(source, EXERCISES)
    except ValueError:
        return  # told for the whole zip
    for hand_in in intake.hand_ins:
        with contextlib.suppress(UnreadableError):
            assert len(hand_in.read()) <= MAX_HAND_IN_BYTES


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_at_all_make_the_reader_of_zips_raise(data):
    with contextlib.suppress(UnreadableError):
        check_size(io.BytesIO(data), LEARNERS)
        read_all(data)
