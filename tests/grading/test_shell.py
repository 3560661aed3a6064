"""The shell of forked kernels: what it leaves out of IPython's work changes nothing."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import nbformat
import pytest
from IPython.core import inputtransformer2

from course_utils.grading.running.room.shell import PlainFirst

ROOT = Path(__file__).parents[2]
# Long modules, with every kind of string, comment, continued line and operator.
MODULES = ("argparse", "difflib", "doctest", "inspect", "pdb", "statistics", "tokenize", "typing")
SPECIAL = [
    "%time 1 + 1",
    "a = %pwd\nb = 1",
    "files = !ls",
    "if True:\n    !ls",
    "print?",
    "x = 1\n??x",
    "%%capture kept\nprint(1)",
    "    indented = 1",
    ">>> pasted = 1",
    "In [1]: pasted = 1",
    "\n\nafter_empty_lines = 1",
    "await something()",
    "1 +",
    "'half a string",
    "x = 1\x00",
    "",
]


def python_sources() -> list[str]:
    """Everything in Python that is in the course's notebooks, and some modules of Python's own."""
    library = Path(sysconfig.get_paths()["stdlib"])
    modules = [(library / f"{name}.py").read_text(encoding="utf-8") for name in MODULES]
    notebooks = [*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "solutions").glob("*.ipynb")]
    cells = [cell for path in notebooks for cell in nbformat.read(path, as_version=4).cells]
    return modules + [cell.source for cell in cells if cell.cell_type == "code"]


def test_a_cell_is_transformed_as_ipython_does() -> None:
    sources = python_sources()
    assert len(sources) > 300
    for source in [*sources, *SPECIAL]:
        expected = inputtransformer2.TransformerManager().transform_cell(source)
        assert PlainFirst().transform_cell(source) == expected, source


def test_no_token_of_plain_python_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("it looks at tokens")

    monkeypatch.setattr(inputtransformer2, "make_tokens_by_line", never)
    assert PlainFirst().transform_cell("x = 5 \\\n  % 3") == "x = 5 \\\n  % 3\n"
    with pytest.raises(AssertionError, match="tokens"):
        PlainFirst().transform_cell("%time x")


def test_no_warning_is_given_twice(recwarn: pytest.WarningsRecorder) -> None:
    PlainFirst().transform_cell("pattern = '\\d'\nassert (x, 'always true')")
    assert not recwarn.list
