"""Carry a learner's answers, and nothing else, into a fresh copy of a trusted notebook.

A hand-in is read as plain JSON, and only the source text of its answer cells is taken:
no output, kernel name, point, check cell or other metadata of it is ever used.
"""

import copy
import json
from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode

from course_utils.grading.exercise import Exercise, Question, grade_id, same_code
from course_utils.grading.syntax import syntax_tree

MAX_HAND_IN_BYTES = 10_000_000
# a syntax tree takes a hundred times the memory of its text, and this is not in the sandbox
MAX_PARSED_CHARACTERS = 100_000
CLAIMS = ("grade_id", "marker", "cell id")  # from the strongest to the weakest


class UnreadableError(ValueError):
    """A hand-in that cannot be graded at all; the message tells the learner why."""


def read_answers(data: bytes, exercise: Exercise) -> dict[str, str]:
    """The answers in a handed-in notebook: slug -> source, for edited answers only.

    An answer cell is found by its grade_id, else by its marker comment, else by its cell
    id. Where several cells claim one question (pasted, or split in two), untouched stubs are
    put aside and the rest is joined in order, as Run All would see it.
    Raises UnreadableError if `data` is not a version 4 notebook with answer cells of `exercise`.
    """
    claims: dict[str, list[tuple[int, str]]] = {}
    for cell in read_cells(data):
        for question in exercise.questions:
            strength = _claim(cell, question)
            if strength is not None:
                claims.setdefault(question.slug, []).append((strength, _source(cell)))
    if not claims:
        raise UnreadableError(
            f"It holds no answer cell of {exercise.name}. Hand in the notebook of that exercise."
        )
    answers: dict[str, str] = {}
    for question in exercise.questions:
        blank = exercise.blank(question)
        edited = [c for c in claims.get(question.slug, []) if not is_blank(c[1], blank, question)]
        if edited:
            best = min(strength for strength, _ in edited)
            answers[question.slug] = _joined([text for rank, text in edited if rank == best])
    return answers


def is_blank(source: str, blank: str, question: Question) -> bool:
    """Whether `source` is empty or the untouched stub, with or without its marker line."""
    bare = source.replace(question.marker, "")
    return not bare.strip() or same_code(bare, blank.replace(question.marker, ""))


def overlay(exercise: Exercise, answers: Mapping[str, str]) -> NotebookNode:
    """A fresh copy of `exercise` with `answers` (slug -> source) in it, all others blank.

    The checks of a blank one are left out: they would but raise, which takes its time.
    """
    fresh = Exercise(exercise.name, copy.deepcopy(exercise.notebook), exercise.questions)
    for question in fresh.questions:
        cell = fresh.cell(question, "answer")
        cell.source = answers.get(question.slug, exercise.blank(question))
        cell.outputs = []
    blank = [question for question in fresh.questions if question.slug not in answers]
    idle = {question.cell_id(role) for question in blank for role in ("visible", "hidden")}
    fresh.notebook.cells = [cell for cell in fresh.notebook.cells if grade_id(cell) not in idle]
    return fresh.notebook


def read_cells(data: bytes) -> list[dict[str, Any]]:
    """The cells of a version 4 notebook that are JSON objects; junk among them is passed over.

    Raises UnreadableError if `data` is no version 4 notebook.
    """
    if len(data) > MAX_HAND_IN_BYTES:
        raise UnreadableError(
            f"It has {len(data)} bytes, more than {MAX_HAND_IN_BYTES}. Clear the outputs and save."
        )
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        kind = "UTF-8 text" if isinstance(error, UnicodeDecodeError) else "JSON"
        raise UnreadableError(
            f"It is not a notebook: not {kind}. Save it in JupyterLab and hand in that file."
        ) from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("nbformat"), int):
        raise UnreadableError("It is not a notebook: it has no nbformat. Hand in the .ipynb file.")
    if notebook["nbformat"] != 4:
        raise UnreadableError(
            f"Its notebook format is {notebook['nbformat']}, not 4. Open and save it in JupyterLab."
        )
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise UnreadableError("It is not a notebook: it has no list of cells. Hand in the .ipynb.")
    return [cell for cell in cells if isinstance(cell, dict)]


def _source(cell: Mapping[str, Any]) -> str:
    """The cell's source as text that can be written as UTF-8, whatever is in the file."""
    source = cell.get("source")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    return source.encode("utf-8", "replace").decode() if isinstance(source, str) else ""


def _claim(cell: Mapping[str, Any], question: Question) -> int | None:
    """How strongly (index into CLAIMS) a cell claims to answer `question`, if at all.

    A cell that names another question's answer in a stronger way claims that one only.
    """
    for strength, name in enumerate(claimed_names(cell)):
        if name == question.cell_id("answer"):
            return strength
        if isinstance(name, str) and name.endswith("-answer"):
            return None
    return None


def claimed_names(cell: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a cell says that it is, in the order of CLAIMS; each can be anything at all."""
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return (
        nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None,
        _marked(_source(cell)),
        cell.get("id"),
    )


def _marked(source: str) -> str | None:
    """The answer cell named by a marker comment in the first lines of code, if any."""
    first = source.lstrip().partition("\n")[0]
    name, keep, _ = first.removeprefix("# ").partition(" · keep this line")
    return name if keep and first.startswith("# ") else None


def _joined(sources: list[str]) -> str:
    """The sources in order; where they do not parse together, the last that parses alone."""
    if len(sources) == 1:
        return sources[0]
    for candidate in ["\n".join(sources), *reversed(sources)]:
        if _parses(candidate):
            return candidate
    return sources[-1]


def _parses(source: str) -> bool:
    if len(source) > MAX_PARSED_CHARACTERS:
        return False
    try:
        syntax_tree(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
