"""Names of people are compared and made into folders, whatever a keyboard can type."""

import os
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from course_utils.grading.hand_ins import HandIn, shown
from course_utils.grading.intake.names import (
    MOST_BYTES,
    MOST_CHARACTERS,
    RESERVED,
    folder_name,
    folder_names,
    orders,
    squashed,
    unaccented,
)

ANYTHING = st.text(st.characters(), max_size=400)  # lone surrogates as well
WORDS = st.lists(st.text(st.characters(categories=["L"]), min_size=1, max_size=8), min_size=1)


@given(ANYTHING)
@example("")
@example("..")
@example("a/b\\c\0d")
@example("\u202egnp.ana\u202c")
@example("con.txt")
@example("COM¹")
@example("nul .a")
@example("x" * 59 + ". tail")
@example("é" * 300)
@example("x" * 100)
@example("李" * 55)
@example("ana. . .")
@example(os.fsdecode(b"caf\xe9"))
def test_a_folder_name_is_fit_for_every_file_system(name):
    folder = folder_name(name)
    assert folder
    assert folder.encode()  # no lone surrogate
    assert folder.isprintable()  # no control, no mark of direction, no line break
    assert not set(folder) & set('<>:"/\\|?*')
    assert folder == folder.strip(". ")
    assert folder.partition(".")[0].rstrip().casefold() not in RESERVED
    assert len(folder) <= MOST_CHARACTERS + 9
    assert len(folder.encode()) <= MOST_BYTES + 9
    assert unicodedata.is_normalized("NFC", folder)
    HandIn(folder, folder, None)


@pytest.mark.parametrize(
    "name", ["Ana López", "O'Brien, Ana", "李小龙", "عليمحمد", "=1+1", "ana_4711"]
)
def test_an_ordinary_name_stays_as_it_is(name):
    assert folder_name(name) == name
    assert folder_names({"a": name, "b": "other"})["a"] == name


@given(st.lists(ANYTHING, unique=True, max_size=12))
@example(["Ana", "ana", "ANA", "Ana.", "\u200fAna", "Á", "A\u0301", "á", "ß", "SS", "a:b", "a?b"])
def test_no_two_folders_are_alike_on_any_file_system(names):
    folders = folder_names({name: name for name in names})
    seen = {unicodedata.normalize("NFC", folder.casefold()) for folder in folders.values()}
    assert len(seen) == len(names)


def test_the_folders_of_others_do_not_depend_on_who_is_alike():
    alone = folder_names({"a": "Ana", "z": "Zoe"})
    assert folder_names({"a": "Ana", "b": "ana", "z": "Zoe"})["z"] == alone["z"]


@given(st.binary(max_size=40).map(os.fsdecode))
@example(os.fsdecode(b"caf\xe9"))
def test_a_readable_name_can_be_written(name):
    assert shown(name).encode().decode() == shown(name)


@given(ANYTHING)
def test_squashing_again_changes_nothing(name):
    assert squashed(squashed(name)) == squashed(name)
    assert unaccented(unaccented(squashed(name))) == unaccented(squashed(name))


@pytest.mark.parametrize(
    "other",
    [
        "NÚÑEZ ana",
        "Nu\u0301n\u0303ez Ana",
        "Núñez,Ana",
        " núñez-ana ",
        "\u202bNúñez Ana\u202c",
        "núñezana",
    ],
)
def test_what_is_the_same_name(other):
    assert squashed(other) == squashed("Núñez, Ana")


@pytest.mark.parametrize("other", ["Nunez, Ana", "Núñez, An", "Nuñez, Ana"])
def test_what_is_another_name(other):
    assert squashed(other) != squashed("Núñez, Ana")


def test_accents_go_only_when_asked():
    assert unaccented(squashed("Nguyễn Ước")) == "nguyenuoc"


@given(WORDS, st.integers(0, 20))
def test_given_and_family_names_trade_places(words, turn):
    turned = words[turn % len(words) :] + words[: turn % len(words)]
    assert squashed("".join(turned)) in set(orders(" ".join(words)))
    family, *rest = words
    if rest:
        assert squashed(" ".join([*rest, family])) in set(orders(f"{family}, {' '.join(rest)}"))
