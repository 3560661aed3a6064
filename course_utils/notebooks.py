"""Execute, normalise and inspect the course's notebooks.

    python -m course_utils.notebooks build notebooks/01_chain_rule.ipynb
    python -m course_utils.notebooks inspect notebooks/*.ipynb

``build`` executes a notebook whole and in order, in its own folder, and writes it
back in the one form that the repository keeps: nbformat 4.5, one kernel name, no
metadata that nobody reads, nothing in an output that differs between two runs.
``inspect`` says what is not in that form, one line a fault.
"""

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

NOTEBOOK_METADATA: dict[str, Any] = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# two threads vary by a third on the small nets of this course, and can take many times as long
ONE_BLAS_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
KEPT_CELL_METADATA = ("nbgrader", "tags")
# A widget view names a model of one kernel session: dead the moment it is stored.
DEAD_MIME_TYPE = "application/vnd.jupyter.widget-view+json"
READABLE_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
NOT_REPEATABLE = {
    "a memory address": re.compile(r"\bat 0x[0-9a-f]{6,}|<[\w.]+ object at "),
    "a path of one machine": re.compile(r"(?:^|[\s'\"(])/(?:home|root|tmp|Users|work|var)/\w"),
    "a timing": re.compile(r"\b\d+(?:\.\d+)? ?(?:ms|µs) ±|\bWall time:|\bCPU times:"),
}
MAX_NOTEBOOK_BYTES = 500_000


def read(path: Path) -> NotebookNode:
    """The notebook at `path`, upgraded to nbformat 4.

    Raises ValueError (fact, value, remedy) if there is no readable notebook there.
    """
    if not path.is_file():
        raise ValueError(f"There is no notebook at {path}. Check the path; list them with ls.")
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises a different class for each kind of damage
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(
            f"{path} is not a readable notebook: {reason[:120]}. Restore it from git or a copy."
        ) from error


def write(notebook: NotebookNode, path: Path) -> None:
    """Write `notebook` to `path` whole or not at all, always in the same bytes."""
    text = nbformat.writes(notebook, version=4).rstrip("\n") + "\n"
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    scratch = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        scratch.chmod(0o644)  # mkstemp makes files that only their owner can read
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def execute(notebook: NotebookNode, *, folder: Path, timeout: float = 120) -> NotebookNode:
    """Execute `notebook` in place, whole and in order, with `folder` as working folder.

    timeout: seconds that one cell may take.
    Raises nbclient's CellExecutionError, which quotes the cell and its traceback.
    """
    from nbclient import NotebookClient  # half of all import time, and only needed here

    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        # to take the interpreter down in order costs up to half a second of each kernel
        shutdown_kernel="immediate",
        # ipykernel would warn of its unencrypted sockets, which stay on this machine
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=os.environ | ONE_BLAS_THREAD)
    return notebook


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Bring `notebook` into the repository's form, in place, without touching a source."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(NOTEBOOK_METADATA)
    for cell in notebook.cells:
        cell.source = cell.source.rstrip()
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in KEPT_CELL_METADATA if cell.metadata.get(key)}
        )
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.outputs = _normalised_outputs(cell.outputs)
    return notebook


def _normalised_outputs(outputs: Sequence[NotebookNode]) -> list[NotebookNode]:
    """The outputs with one stream a run of prints, and only the metadata that is read."""
    kept: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream":
            last = kept[-1] if kept else None
            if last and last.output_type == "stream" and last.name == output.name:
                last.text += output.text
                continue
        elif "data" in output:
            output.data.pop(DEAD_MIME_TYPE, None)
            output.metadata = nbformat.from_dict(_kept_metadata(output.metadata))
        kept.append(output)
    return kept


def _kept_metadata(metadata: NotebookNode) -> dict[str, dict[str, Any]]:
    """Alternative texts, and the size on screen of a picture drawn for a dense one."""
    return {
        mime: {key: m[key] for key in ("alt", "width", "height") if key in m}
        for mime, m in metadata.items()
        if "alt" in m
    }


def faults(notebook: NotebookNode, *, executed: bool = True) -> Iterator[str]:
    """Yield what keeps `notebook` out of the repository, one line a fault.

    executed: whether it must hold the outputs of one whole run (lessons, solutions)
    or none at all (exercises).
    """
    if (notebook.nbformat, notebook.nbformat_minor) != (4, 5):
        yield f"nbformat is {notebook.nbformat}.{notebook.nbformat_minor}, not 4.5"
    if notebook.metadata != NOTEBOOK_METADATA:
        yield f"metadata is not the course's own: {sorted(notebook.metadata)}"
    ids = [cell.get("id", "") for cell in notebook.cells]
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        yield f"cell id {name!r} stands {ids.count(name)} times"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in code]
    if counts != ([*range(1, len(code) + 1)] if executed else [None] * len(code)):
        yield (
            f"execution counts are {counts}: not one whole run"
            if executed
            else (f"execution counts are {counts}: an exercise is given out without any")
        )
    for cell in notebook.cells:
        for fault in _cell_faults(cell, executed=executed):
            yield f"cell {cell.get('id', '?')!r}: {fault}"
    if len(nbformat.writes(notebook).encode()) > MAX_NOTEBOOK_BYTES:
        yield f"larger than {MAX_NOTEBOOK_BYTES} bytes"


def _cell_faults(cell: NotebookNode, *, executed: bool) -> Iterator[str]:
    if not READABLE_ID.fullmatch(cell.get("id", "")):
        yield "its id does not read like '01-partial-products-figure'"
    if extra := sorted(set(cell.metadata) - set(KEPT_CELL_METADATA)):
        yield f"metadata that nobody reads: {extra}"
    if not cell.source.strip():
        yield "it is empty"
    if cell.cell_type != "code":
        return
    if re.search(r"^\s*(?:%run\b|!|%?pip\b)|^from \S+ import \*", cell.source, re.MULTILINE):
        yield "it runs a shell, pip, %run or a star import"
    if cell.source.rstrip().endswith(";"):
        yield "it ends in a semicolon, which nbval does not honour"
    if not executed and cell.outputs:
        yield "it holds outputs"
    for output in cell.outputs:
        yield from _output_faults(output)


def _output_faults(output: NotebookNode) -> Iterator[str]:
    if output.output_type == "error":
        yield f"it ends in an error: {output.ename}"
    if output.get("name") == "stderr":
        yield f"it writes to stderr: {output.text[:60]!r}"
    data = output.get("data", {})
    if DEAD_MIME_TYPE in data:
        yield "it stores a widget view, which is dead without its kernel"
    if "image/png" in data and not output.metadata.get("image/png", {}).get("alt"):
        yield "its picture has no alt text"
    text = output.get("text", "") + data.get("text/plain", "") + data.get("text/html", "")
    for what, pattern in NOT_REPEATABLE.items():
        if found := pattern.search(text):
            yield f"its output holds {what}: {found.group()!r}"


def build(path: Path) -> NotebookNode:
    """Execute and normalise the notebook at `path`, write it back, and return it.

    Raises ValueError with every fault that is left, after writing, so that the
    author can look at the outputs that are at fault.
    """
    notebook = read(path)
    normalise(execute(notebook, folder=path.parent))
    write(notebook, path)
    if found := list(faults(notebook)):
        raise ValueError(f"{path} is not clean:\n  " + "\n  ".join(found))
    return notebook


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m course_utils.notebooks", description=__doc__)
    parser.add_argument("action", choices=["build", "inspect"])
    parser.add_argument("notebooks", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    clean = True
    for path in options.notebooks:
        try:
            if options.action == "build":
                build(path)
            for fault in faults(read(path), executed=path.parent.name != "exercises"):
                clean = False
                print(f"{path}: {fault}")
        except ValueError as error:
            clean = False
            print(error, file=sys.stderr)
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
