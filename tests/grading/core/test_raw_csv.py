"""CSV that stays as it was but for the cells that are replaced."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from course_utils.grading.tables.raw_csv import DELIMITERS, parse

texts = st.text(st.sampled_from('ab,;\t"\r\n \ufeffä='), max_size=30)
delimiters = st.sampled_from(DELIMITERS)


def read_by_the_standard_library(text, delimiter):
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False))


def parsed(text, delimiter):
    """The parsed text, or None for one that ends inside of quotes."""
    try:
        return parse(text.encode(), delimiter)
    except ValueError:
        return None


@given(texts, delimiters)
@example('"a"b,"c""d",,\r\n\r"', ",")
def test_a_file_comes_back_byte_for_byte(text, delimiter):
    sheet = parsed(text, delimiter)
    assert sheet is None or bytes(sheet) == text.encode()


@given(texts, delimiters)
def test_cells_are_those_of_the_standard_library(text, delimiter):
    sheet = parsed(text, delimiter)
    text = text.removeprefix("\ufeff")
    if sheet is None:
        assert '"' in text
        return
    found = [sheet.values(row) if cells != [""] else [] for row, cells in enumerate(sheet.rows)]
    wanted = read_by_the_standard_library(text, delimiter)
    assert found == [[cell.strip() for cell in row] for row in wanted]


@given(st.lists(st.lists(texts, min_size=2, max_size=4), min_size=1, max_size=4), texts)
def test_one_cell_is_replaced_and_nothing_else(rows, new):
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    sheet = parse(text.getvalue().encode("utf-8-sig"), ",")
    before = [list(cells) for cells in sheet.rows]
    sheet.put(0, 1, new)
    again = parse(bytes(sheet), ",")
    assert again.value(0, 1) == new.strip()
    before[0][1] = again.rows[0][1]
    assert again.rows == before


def test_a_quoted_cell_stays_quoted_and_a_short_row_grows():
    sheet = parse(b'"1",2\r\n3\n', ",")
    sheet.put(0, 0, "17")
    sheet.put(0, 1, "17,5")
    sheet.put(1, 2, "9")
    assert bytes(sheet) == b'"17","17,5"\r\n3,,9\n'
    assert sheet.value(1, 5) == ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_encoding_and_its_mark_are_kept(encoding):
    data = "Núñez;1\r\n".encode(encoding)
    sheet = parse(data, ";")
    assert sheet.value(0, 0) == "Núñez"
    assert bytes(sheet) == data


def test_big_endian_is_read_by_its_mark():
    data = b"\xfe\xff" + "Núñez;1".encode("utf-16-be")
    assert parse(data, ";").value(0, 0) == "Núñez"
    assert bytes(parse(data, ";")) == data


@pytest.mark.parametrize("data", [b"\x81\xff", b"\xff\xfea"], ids=["code page", "half a letter"])
def test_another_encoding_is_refused(data):
    with pytest.raises(ValueError, match=r"UTF-8|utf-16"):
        parse(data, ",")


def test_an_open_quote_is_refused_with_its_row():
    with pytest.raises(ValueError, match=r'A " is opened in row 2 and never closed'):
        parse(b'a,b\nc,"d\ne', ",")
