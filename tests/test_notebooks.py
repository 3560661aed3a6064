"""The normaliser's laws, and the guard over every notebook that the repository keeps."""

import itertools
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_utils import notebooks

ROOT = Path(__file__).parents[1]
KEPT = sorted(
    p for folder in ("notebooks", "exercises", "solutions") for p in ROOT.glob(f"{folder}/*.ipynb")
)
LESSONS = [path for path in KEPT if path.parent.name == "notebooks"]


def clean_notebook(*outputs, source="print(1)"):
    cell = new_code_cell(source, id="01-first-cell", execution_count=1, outputs=list(outputs))
    return notebooks.normalise(new_notebook(cells=[cell]))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_every_kept_notebook_is_clean(path):
    executed = path.parent.name != "exercises"
    assert list(notebooks.faults(notebooks.read(path), executed=executed)) == []


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_every_kept_notebook_is_normalised_already(path):
    kept = notebooks.read(path)
    assert notebooks.normalise(notebooks.read(path)) == kept
    assert nbformat.writes(kept).rstrip("\n") + "\n" == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "following"), list(itertools.pairwise(LESSONS)), ids=lambda path: path.stem
)
def test_each_lesson_ends_with_a_link_to_the_next(path, following):
    last = [cell for cell in notebooks.read(path).cells if cell.cell_type == "markdown"][-1]
    assert f"]({following.name})" in last.source


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_no_printed_line_is_longer_than_the_page_is_wide(path):
    """JupyterLab would break it within a word."""
    printed = [
        output.text
        for cell in notebooks.read(path).cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream"
    ]
    assert [line for text in printed for line in text.splitlines() if len(line) > 100] == []


def test_a_clean_notebook_has_no_faults():
    assert list(notebooks.faults(clean_notebook(new_output("stream", text="1\n")))) == []


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda nb: nb.metadata.update(widgets={}), "metadata is not"),
        (lambda nb: nb.metadata.kernelspec.update(name="ir"), "metadata is not"),
        (lambda nb: nb.update(nbformat_minor=4), "nbformat is 4.4"),
        (lambda nb: nb.cells.append(nb.cells[0]), "stands 2 times"),
        (lambda nb: nb.cells[0].update(execution_count=7), "execution counts are [7]"),
        (lambda nb: nb.cells[0].update(execution_count=None), "execution counts are [None]"),
        (lambda nb: nb.cells[0].update(id="2f0a9c11"), "does not read like"),
        (lambda nb: nb.cells[0].metadata.update(collapsed=True), "nobody reads: ['collapsed']"),
        (lambda nb: nb.cells[0].update(source="plot()\nfig;"), "semicolon"),
        (lambda nb: nb.cells[0].update(source="!pip install x"), "runs a shell"),
        (lambda nb: nb.cells[0].update(source="from numpy import *"), "runs a shell"),
        (lambda nb: nb.cells[0].update(source="  "), "is empty"),
        (lambda nb: nb.cells[0].update(source="#" * 600_000), "larger than"),
    ],
)
def test_each_fault_is_named(spoil, fault):
    notebook = clean_notebook()
    spoil(notebook)
    assert any(fault in line for line in notebooks.faults(notebook))


@pytest.mark.parametrize(
    ("output", "fault"),
    [
        (
            new_output("error", ename="ZeroDivisionError", evalue="", traceback=[]),
            "ends in an error",
        ),
        (new_output("stream", name="stderr", text="a warning"), "writes to stderr"),
        (new_output("stream", text="<Axes object at 0x7f3a10ffee>"), "a memory address"),
        (new_output("stream", text="read /home/ada/notebooks/x"), "a path of one machine"),
        (new_output("stream", text="1.2 ms ± 3 µs per loop"), "a timing"),
        (new_output("display_data", data={"image/png": "iVBORw0="}), "no alt text"),
    ],
)
def test_each_fault_of_an_output_is_named(output, fault):
    notebook = clean_notebook(output)
    assert any(fault in line for line in notebooks.faults(notebook))


def test_a_stored_widget_view_is_a_fault_and_normalising_removes_it():
    notebook = clean_notebook()
    data = {notebooks.DEAD_MIME_TYPE: {"model_id": "1f"}, "text/plain": "Explorer: run this cell."}
    notebook.cells[0].outputs = [new_output("display_data", data=data)]
    assert any("widget view" in line for line in notebooks.faults(notebook))
    assert list(notebooks.faults(notebooks.normalise(notebook))) == []
    assert notebook.cells[0].outputs[0].data == {"text/plain": "Explorer: run this cell."}


def test_an_exercise_holds_no_outputs_and_no_counts():
    faults = list(
        notebooks.faults(clean_notebook(new_output("stream", text="1\n")), executed=False)
    )
    assert any("holds outputs" in line for line in faults)
    assert any("given out without any" in line for line in faults)


def test_normalising_joins_prints_and_keeps_alt_text_and_sources():
    image = new_output("display_data", data={"image/png": "iVBORw0="})
    image.metadata = {
        "image/png": {"alt": "A falling line.", "width": 640, "made_by": "a library"},
        "needs_background": "light",
    }
    prints = [new_output("stream", text="a\n"), new_output("stream", text="b\n")]
    notebook = clean_notebook(*prints, image)
    stream, picture = notebook.cells[0].outputs
    assert stream.text == "a\nb\n"
    assert picture.metadata == {"image/png": {"alt": "A falling line.", "width": 640}}
    assert notebook.cells[0].source == "print(1)"
    assert notebooks.normalise(notebook) == notebook


def test_building_executes_in_the_notebooks_own_folder_and_writes_it_back(tmp_path):
    (tmp_path / "neighbour.txt").write_text("found me", encoding="utf-8")
    cells = [
        new_markdown_cell("# A title", id="00-title-text"),
        new_code_cell("print(open('neighbour.txt').read())", id="00-read-neighbour"),
    ]
    path = tmp_path / "00_small.ipynb"
    notebooks.write(new_notebook(cells=cells), path)
    notebooks.build(path)
    assert notebooks.read(path).cells[1].outputs[0].text == "found me\n"
    assert notebooks.main(["inspect", str(path)]) == 0


def test_building_reports_what_is_left_at_fault(tmp_path):
    path = tmp_path / "00_small.ipynb"
    cell = new_code_cell("print(object())", id="00-print-address")
    notebooks.write(new_notebook(cells=[cell]), path)
    with pytest.raises(ValueError, match="a memory address"):
        notebooks.build(path)


@pytest.mark.parametrize("text", ["", "{", '{"cells": 3}', "[]"])
def test_a_damaged_notebook_gets_one_line(tmp_path, text):
    path = tmp_path / "00_broken.ipynb"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"is not a readable notebook: .* Restore it") as caught:
        notebooks.read(path)
    assert "\n" not in str(caught.value)


def test_a_missing_notebook_gets_one_line(tmp_path, capsys):
    assert notebooks.main(["inspect", str(tmp_path / "nowhere.ipynb")]) == 1
    assert "There is no notebook at" in capsys.readouterr().err


def test_a_failed_write_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path = tmp_path / "00_small.ipynb"
    notebooks.write(clean_notebook(), path)
    before = path.read_bytes()

    def full_disk(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        notebooks.write(clean_notebook(source="print(2)"), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
