"""What the tests of the grader share: small notebooks and a sandbox that was really started."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Literal

import nbformat
import pytest

from course_utils.grading.running.run import RunOutcome, ask, run_notebook, setting_of_many
from course_utils.grading.running.sandbox import Limits, Sandbox, SandboxUnavailable, find_sandbox
from course_utils.grading.running.worker_process import WorkerProcess

CodeCell = Callable[..., nbformat.NotebookNode]
RunNotebook = Callable[..., RunOutcome]


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


@pytest.fixture(scope="module", params=["cold", "forked"])
def run_in_kernel(request: pytest.FixtureRequest) -> Iterator[RunNotebook]:
    """Run a notebook in a kernel of its own, or in one forked by a worker that has others, too.

    Called as ``run_notebook`` is. With no second try: a kernel that fails is seen to.
    """
    if request.param == "cold":
        yield run_notebook
        return
    workers: dict[tuple[Sandbox, Limits], WorkerProcess] = {}

    def run(
        notebook: nbformat.NotebookNode,
        *,
        limits: Limits | None = None,
        sandbox: Sandbox | Literal["find"] | None = "find",
    ) -> RunOutcome:
        if sandbox is None:  # where every kernel is a cold one
            return run_notebook(notebook, limits=limits, sandbox=None)
        rooms = find_sandbox() if sandbox == "find" else sandbox
        key = rooms, limits or Limits()
        if key not in workers or not workers[key].in_step:
            workers[key] = WorkerProcess(rooms, setting_of_many(*key))
        return ask(workers[key], notebook, limits=key[1], sandboxed=True)

    yield run
    for worker in workers.values():
        worker.end()
