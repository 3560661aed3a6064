"""A CSV file in which cells are replaced while all else stays as it is, byte for byte.

The csv module of the standard library reads a cell's value but forgets how it was written:
quotes, line ends and the byte-order mark would change in a file that only gets a few scores.
"""

import codecs
import re
from dataclasses import dataclass
from functools import cache

DELIMITERS = (",", ";", "\t")
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


@dataclass
class RawCsv:
    """The cells of a CSV file as they are written, with their quotes, and the end of each line."""

    rows: list[list[str]]
    line_ends: list[str]
    delimiter: str
    mark: bytes
    encoding: str

    def value(self, row: int, column: int) -> str:
        """The text of a cell, without blanks around it; empty where the row is shorter."""
        cells = self.rows[row]
        return _value(cells[column]).strip() if column < len(cells) else ""

    def values(self, row: int) -> list[str]:
        """The text of each cell of a row."""
        return [self.value(row, column) for column in range(len(self.rows[row]))]

    def put(self, row: int, column: int, text: str) -> None:
        """Replace a cell, and quote it where the cell before was quoted or `text` needs it."""
        cells = self.rows[row]
        cells.extend([""] * (column + 1 - len(cells)))
        needs = any(char in text for char in (self.delimiter, '"', "\r", "\n"))
        quoted = needs or cells[column].startswith('"')
        cells[column] = '"' + text.replace('"', '""') + '"' if quoted else text

    def __bytes__(self) -> bytes:
        """The file."""
        lines = (
            self.delimiter.join(cells) + end
            for cells, end in zip(self.rows, self.line_ends, strict=True)
        )
        return self.mark + "".join(lines).encode(self.encoding)


def parse(data: bytes, delimiter: str) -> RawCsv:
    """The cells of the file `data`.

    It is read as UTF-8, or UTF-16 with a byte-order mark, else as Windows-1252.
    Raises ValueError for another encoding, or a quote that is never closed.
    """
    mark, encoding, text = _decoded(data)
    rows: list[list[str]] = []
    line_ends: list[str] = []
    position, row_is_open = 0, False
    while position < len(text) or row_is_open:
        match = _cell_pattern(delimiter).match(text, position)
        if match is None:
            raise ValueError(
                f'A " is opened in row {len(line_ends) + 1} and never closed. Export it again.'
            )
        if not row_is_open:
            rows.append([])
        rows[-1].append(match["cell"])
        row_is_open = match["end"] == delimiter
        if not row_is_open:
            line_ends.append(match["end"])
        position = match.end()
    return RawCsv(rows, line_ends, delimiter, mark, encoding)


def _decoded(data: bytes) -> tuple[bytes, str, str]:
    """The byte-order mark, the encoding, and the text."""
    for mark, encoding in MARKS.items():
        if data.startswith(mark):
            return mark, encoding, data[len(mark) :].decode(encoding)
    for encoding in ("utf-8", "cp1252"):
        try:
            return b"", encoding, data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError(
        "The file is neither UTF-8 nor UTF-16 nor Windows-1252. Save it as CSV in UTF-8."
    )


@cache
def _cell_pattern(delimiter: str) -> re.Pattern[str]:
    bare = rf"[^{delimiter}\r\n]*"
    # possessive (*+): no second try at a long cell whose quote is never closed
    quoted = rf'"(?:[^"]|"")*+"{bare}'
    return re.compile(rf'(?P<cell>{quoted}|(?!"){bare})(?P<end>{delimiter}|\r\n|\r|\n|\Z)')


def _value(raw: str) -> str:
    """What a raw cell says. What stands behind a closing quote belongs to it, as in csv.reader."""
    if not raw.startswith('"'):
        return raw
    match = re.match(r'"((?:[^"]|"")*+)"', raw)
    assert match is not None, raw  # the pattern of a cell lets no other in
    return match[1].replace('""', '"') + raw[match.end() :]
