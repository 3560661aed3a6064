"""What the tests of the grader share: small notebooks and a sandbox that was really started."""

from __future__ import annotations

import os
from collections.abc import Callable

import nbformat
import pytest

from course_utils.grading.sandbox import Sandbox, SandboxUnavailable, find_sandbox

CodeCell = Callable[..., nbformat.NotebookNode]


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    """The sandbox; where none can start the test is skipped, but under CI it fails."""
    try:
        return find_sandbox()
    except SandboxUnavailable as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def code_cell() -> CodeCell:
    """Build a code cell: ``code_cell("q1-hidden", "print(…)", stored="value: 1.5", graded=True)``.

    stored: what its stored output prints, None for a cell that was executed and printed nothing.
    """

    def build(
        cell_id: str, source: str, *, stored: str | None = None, graded: bool = False
    ) -> nbformat.NotebookNode:
        cell = nbformat.v4.new_code_cell(source, id=cell_id, execution_count=1)
        cell.metadata["nbgrader"] = {"grade": graded}
        if stored is not None:
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=stored)]
        return cell

    return build
