"""What nbval 0.11 does by itself, and what our adapter does instead: one test for each quirk.

The first half of each test looks at plain ``pytest --nbval``. It fails when nbval changes its
ways, and then the adapter wants a second look.
"""

from __future__ import annotations

import base64
import importlib.metadata
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from course_utils.grading.running.run import Limits, RunOutcome, run_notebook
from course_utils.grading.running.worker import PYTEST_OPTIONS
from course_utils.grading.running.workers import Workers

CELL_SECONDS = 1
PIXEL = base64.b64encode(b"a picture").decode()
OTHER_PIXEL = base64.b64encode(b"another one").decode()
CodeCell = Callable[..., nbformat.NotebookNode]


@dataclass(frozen=True)
class Case:
    """How plain nbval reported a cell."""

    name: str
    outcome: str  # "passed", "failed" or "xfailed"
    seconds: float


@pytest.fixture(scope="module")
def notebooks(code_cell: CodeCell) -> dict[str, nbformat.NotebookNode]:
    """The notebooks that show the quirks, by name."""
    hide = "get_ipython().set_custom_exc((Exception,), lambda *given, **named: None)"
    void = "get_ipython().input_transformers_post.append(lambda lines: ['pass\\n'])"
    mute = "get_ipython()._showtraceback = lambda *given, **named: None"
    picture = (
        "import base64\nfrom IPython.display import Image, display\n"
        f"display(Image(base64.b64decode('{PIXEL}'), format='png'), metadata={{}})"
    )
    warns = "import sys\nprint('careful', file=sys.stderr)\nprint('value: 1.5')"
    unrun = code_cell("unrun", "print('value: 1.5')", graded=True)
    unrun.execution_count = None
    drawn = code_cell("picture", picture)
    drawn.outputs = [
        nbformat.v4.new_output(
            "display_data",
            {"image/png": OTHER_PIXEL, "text/plain": "<IPython.core.display.Image object>"},
        )
    ]
    cells = {
        "dead": [code_cell("c0", "import os\nos._exit(1)"), code_cell("c1", "print(1)")],
        "hidden": [code_cell("c0", hide), code_cell("c1", "assert False", graded=True)],
        "void": [code_cell("c0", void), code_cell("c1", "assert False", graded=True)],
        "muted": [code_cell("c0", mute), code_cell("c1", "assert False", graded=True)],
        "slow": [
            code_cell("c0", "import time\ntime.sleep(60)"),
            code_cell("c1", "print('value: 2.5')", stored="value: 1.5\n", graded=True),
            code_cell("c2", "print('value: 1.5')", stored="value: 1.5\n", graded=True),
        ],
        "habits": [
            code_cell("skipped", "# NBVAL_SKIP\n1 / 0"),
            code_cell("warns", warns, stored="value: 1.5\n"),
            code_cell("close", "print('value: 1.500001')", stored="value: 1.5\n"),
            unrun,
            drawn,
            code_cell("flood", "# NBVAL_IGNORE_OUTPUT\nprint('x' * 3_000_000)"),
        ],
    }
    return {name: nbformat.v4.new_notebook(cells=own) for name, own in cells.items()}


@pytest.fixture(scope="module")
def plain(
    notebooks: dict[str, nbformat.NotebookNode], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Case]]:
    """What ``pytest --nbval`` says of them, in one session, with a conftest.py beside them."""
    folder = tmp_path_factory.mktemp("plain")
    for name, notebook in notebooks.items():
        nbformat.write(notebook, folder / f"{name}.ipynb")
    (folder / "conftest.py").write_text("open('conftest-was-here', 'w').close()")
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--nbval", f"--nbval-cell-timeout={CELL_SECONDS}"),
            *("-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", ".", "."),
            "--junitxml=report.xml",
        ],
        cwd=folder,
        capture_output=True,
        timeout=120,
    )
    assert (folder / "conftest-was-here").exists()
    return _cases(folder / "report.xml")


def _cases(report: Path) -> dict[str, list[Case]]:
    cases: dict[str, list[Case]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        marks = {child.tag for child in case}
        outcome = "failed" if "failure" in marks else "xfailed" if "skipped" in marks else "passed"
        name = case.get("classname", "").split(".")[0]
        found = Case(case.get("name", ""), outcome, float(case.get("time", "0")))
        cases.setdefault(name, []).append(found)
    return cases


@pytest.fixture(scope="module", params=["a worker of its own", "a worker that lives on"])
def ours(
    notebooks: dict[str, nbformat.NotebookNode], request: pytest.FixtureRequest
) -> Iterator[Callable[[str], RunOutcome]]:
    """Run one of them as a hand-in is run."""
    limits = Limits(cell_seconds=CELL_SECONDS)
    if request.param == "a worker of its own":
        # Without a sandbox: nbval is the matter here.
        yield lambda name: run_notebook(notebooks[name], limits=limits, sandbox=None)
    else:
        workers = Workers(1, request.getfixturevalue("sandbox"), limits)
        yield lambda name: workers.run(notebooks[name])
        workers.close()


def _outcomes(cases: list[Case]) -> list[str]:
    return [case.outcome for case in cases]


def _statuses(outcome: RunOutcome) -> list[str]:
    return [cell.status for cell in outcome.cells.values()]


Plain = dict[str, list[Case]]
Ours = Callable[[str], RunOutcome]


def test_the_version_is_the_one_these_tests_are_about() -> None:
    assert importlib.metadata.version("nbval").startswith("0.11.")


def test_a_kernels_death_is_not_noticed(plain: Plain, ours: Ours) -> None:
    assert plain["dead"][0].seconds >= CELL_SECONDS + 4.5
    outcome = ours("dead")
    assert outcome.ended == "kernel_died"
    assert outcome.cells["c0"].seconds < 1
    assert _statuses(outcome) == ["error", "not_run"]


@pytest.mark.parametrize("name", ["hidden", "void", "muted"])
def test_an_error_that_is_not_shown_passes(name: str, plain: Plain, ours: Ours) -> None:
    assert _outcomes(plain[name]) == ["passed", "passed"]
    assert _statuses(ours(name))[1] != "passed"


def test_after_a_timeout_cells_run_and_are_marked_as_failing(plain: Plain, ours: Ours) -> None:
    assert _outcomes(plain["slow"]) == ["failed", "xfailed", "passed"]
    outcome = ours("slow")
    assert _statuses(outcome) == ["timed_out", "failed", "passed"]
    assert outcome.ended == "timed_out"


@pytest.fixture(scope="module")
def habits(plain: Plain, ours: Ours) -> tuple[dict[str, str], RunOutcome]:
    """Both verdicts on the cells of the notebook ``habits``."""
    outcome = ours("habits")
    return dict(zip(outcome.cells, _outcomes(plain["habits"]), strict=True)), outcome


Habits = tuple[dict[str, str], RunOutcome]


def test_output_has_no_cap(habits: Habits) -> None:
    plainly, outcome = habits
    assert plainly["flood"] == "passed"
    assert outcome.ended == "output_limit"


def test_warnings_are_compared(habits: Habits) -> None:
    plainly, outcome = habits
    assert plainly["warns"] == "failed"
    assert outcome.cells["warns"].status == "passed"


def test_strings_are_compared_exactly(habits: Habits) -> None:
    plainly, outcome = habits
    assert plainly["close"] == "failed"
    assert outcome.cells["close"].status == "passed"


def test_a_reference_that_was_not_run_is_not_compared(habits: Habits) -> None:
    plainly, outcome = habits
    assert plainly["unrun"] == "passed"
    assert outcome.cells["unrun"].status == "failed"
    assert "no stored values" in outcome.cells["unrun"].error


def test_a_comment_skips_a_cell(habits: Habits) -> None:
    plainly, outcome = habits
    assert plainly["skipped"] == "xfailed"  # the report has one word for both
    assert outcome.cells["skipped"].error.startswith("ZeroDivisionError")


def test_pictures_are_not_compared(habits: Habits) -> None:
    assert PIXEL != OTHER_PIXEL
    plainly, outcome = habits
    assert plainly["picture"] == "passed"
    assert outcome.cells["picture"].status == "passed"


def test_items_are_named_by_numbers_from_zero(plain: Plain, habits: Habits) -> None:
    assert [case.name for case in plain["slow"]] == ["Cell 0", "Cell 1", "Cell 2"]
    assert list(habits[1].cells)[:2] == ["skipped", "warns"]


def test_repeated_ids_are_replaced(code_cell: CodeCell) -> None:
    notebook = nbformat.v4.new_notebook(cells=[code_cell("c0", "1"), code_cell("c1", "2")])
    notebook.cells[1]["id"] = "c0"
    with pytest.warns(nbformat.warnings.DuplicateCellId):
        nbformat.validate(notebook)
    assert len({cell["id"] for cell in notebook.cells}) == 2


def test_nothing_beside_a_notebook_and_no_variable_configures_the_run(
    code_cell: CodeCell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = nbformat.v4.new_notebook(cells=[code_cell("c0", "print(1)")])
    # That plain pytest does run a conftest.py is asserted in the fixture ``plain``.
    (tmp_path / "conftest.py").write_text("open('conftest-was-here', 'w').close()")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option")
    (tmp_path / "course_utils").mkdir()
    (tmp_path / "course_utils" / "__init__.py").write_text("raise SystemExit('patched')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    outcome = run_notebook(notebook, sandbox=None)
    assert _statuses(outcome) == ["passed"], outcome.detail
    assert not (tmp_path / "conftest-was-here").exists()


def test_no_option_that_breaks_or_tears_apart_is_used() -> None:
    assert not {"--nbdime", "-n", "--dist"} & set(PYTEST_OPTIONS)
    assert {"--noconftest", "no:cacheprovider"} <= set(PYTEST_OPTIONS)
