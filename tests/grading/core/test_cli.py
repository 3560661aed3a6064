"""The command `course` as it is typed: exit status, what is said, what is written."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from course_utils import cli, notebooks
from course_utils.cli import place

RIGHT = {
    "double": "def double(x):\n    return x + x",
    "square": "def square(x):\n    return x * x",
    "cube": "def cube(x):\n    return x**3",
}


def course(*arguments, cwd=None, **options):
    """Run the real command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "course_utils.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=120,
        **options,
    )


@pytest.fixture
def hand_ins(tmp_path, hand_in):
    """Put hand-ins where `course grade` finds them."""

    def put(**learners):
        for learner, data in learners.items():
            path = tmp_path / "hand ins" / learner / "ex01_mini.ipynb"
            path.parent.mkdir(parents=True)
            path.write_bytes(data)
        return tmp_path / "hand ins"

    return put


def rows(out):
    with (out / "gradebook.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["learner"]: row for row in csv.DictReader(file)}


def detail(out, learner):
    return json.loads((out / "results" / learner / "ex01_mini.json").read_text(encoding="utf-8"))


def outcomes(out, learner):
    return [question["outcome"] for question in detail(out, learner)["questions"]]


STASH = """
import builtins, numpy as np
def double(x):
    builtins.seen = getattr(builtins, "seen", []) + [x]
    return 2 * x
"""
TELL = """
import builtins
def square(x):
    raise ValueError(f"seen {getattr(builtins, 'seen', 'nothing')}")
"""
PATCHES = """
import numpy as np
def double(x):
    return 0 * x
np.random.default_rng = lambda seed: None
"""
NOISY = """
import sys, warnings
def square(x):
    print("half way", end="")
    warnings.warn("a warning on stderr")
    print("to stderr", file=sys.stderr)
    return x * x
"""
SKIPS = """
# NBVAL_SKIP
# NBVAL_IGNORE_OUTPUT
def double(x):
    return "NBVAL_SKIP"
"""
IMPORTS = """
def double(x):
    from course_utils.grading.values import same_line
    return 2 * x
"""
# right only if the file can be read
READS = """
def double(x):
    try:
        open({path!r}).read()
    except OSError:
        return 0.0
    return 2 * x
"""
TRANSFORMER = """
def double(x):
    return 0.0
get_ipython().input_transformers_cleanup.append(lambda lines: ["pass\\n"])
"""


def test_a_batch_of_good_bad_and_hostile_hand_ins(hand_ins, hand_in, built_key, tmp_path, sandbox):
    def foreign(content):
        content["metadata"]["kernelspec"] = {"name": "no-such-kernel", "display_name": "x"}
        content["metadata"]["language_info"] = {"name": "R"}

    exits = "import os\nos._exit(0)"
    others = tmp_path / "hand ins" / "ana" / "ex01_mini.ipynb"
    path = hand_ins(
        **{
            "ana": hand_in(RIGHT),
            "=bob": hand_in(),
            "Żółć, Łucja": hand_in(RIGHT, change=foreign),
            "broken": b'{"cells": [',
            "exits": hand_in(RIGHT | {"double": exits}),
            "patches": hand_in(RIGHT | {"double": PATCHES}),
            "transforms": hand_in(RIGHT | {"double": TRANSFORMER}),
            "tells": hand_in({"double": STASH, "square": TELL}),
            "wrong": hand_in({"double": "def double(x):\n    return 2.0 + x"}),
            "worse": b"\x80\x81",
            "noisy": hand_in(RIGHT | {"square": NOISY}),
            "skips": hand_in({"double": SKIPS}),
            "imports": hand_in({"double": IMPORTS}),
            "key": hand_in({"double": READS.format(path=str(built_key / "ex01_mini.ipynb"))}),
            "spy": hand_in({"double": READS.format(path=str(others))}),
        }
    )
    out = tmp_path / "grades"
    done = course("grade", path, "--key", built_key, "--out", out, "--jobs", 2)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no progress bar where no one watches
    assert "15 hand-ins: 12 graded, 1 kernel_died, 2 unreadable.\n" in done.stdout
    assert {name: (int(row["points"]), row["status"]) for name, row in rows(out).items()} == {
        "ana": (20, "graded"),
        "'=bob": (0, "graded"),
        "Żółć, Łucja": (20, "graded"),
        "broken": (0, "unreadable"),
        "exits": (13, "kernel_died"),
        "patches": (13, "graded"),
        "transforms": (13, "graded"),
        "tells": (7, "graded"),
        "wrong": (0, "graded"),
        "worse": (0, "unreadable"),
        "noisy": (20, "graded"),
        **dict.fromkeys(("skips", "imports", "key", "spy"), (0, "graded")),
    }
    assert outcomes(out, "exits")[1:] == ["earned", "earned"]
    assert detail(out, "wrong")["questions"][0]["advice"] == "You added double. Multiply."
    assert all(detail(out, name)["sandboxed"] for name in ("ana", "exits", "tells"))
    for told in ("results/tells/ex01_mini.json", "feedback/tells/ex01_mini.html"):
        text = (out / told).read_text(encoding="utf-8")
        assert "nothing" in text  # square was run alone: it had no hidden input to tell
        assert "2.20" not in text  # as it begins


def test_a_loop_without_end_costs_its_own_question_only(
    hand_ins, hand_in, built_key, tmp_path, sandbox
):
    loop = "def square(x):\n    while True:\n        try:\n            x += 1\n        except:\n"
    loop += "            pass"
    path, out = hand_ins(ana=hand_in(RIGHT | {"square": loop})), tmp_path / "grades"
    done = course("grade", path, "--key", built_key, "--out", out, "--timeout", 6)
    assert done.returncode == 0, done.stderr
    assert (rows(out)["ana"]["points"], rows(out)["ana"]["status"]) == ("13", "timed_out")
    assert outcomes(out, "ana") == ["earned", "timed_out", "earned"]


def test_without_a_sandbox_only_on_request_and_every_result_is_stamped(
    hand_ins, hand_in, built_key, tmp_path
):
    reads = READS.format(path=str(built_key / "ex01_mini.ipynb"))
    path = hand_ins(ana=hand_in(RIGHT), key=hand_in({"double": reads}))
    out = tmp_path / "grades"
    done = course("grade", path, "--key", built_key, "--out", out, "--unsafe-no-sandbox")
    assert done.returncode == 0, done.stderr
    assert "Without a sandbox" in done.stderr
    assert detail(out, "ana")["sandboxed"] is False
    assert detail(out, "ana")["points"] == 20
    assert detail(out, "key")["points"] == 7  # the attack that the sandbox stops does work
    assert "without a sandbox" in (out / "feedback/ana/ex01_mini.html").read_text()


def test_where_no_sandbox_starts_nothing_is_run(
    hand_ins, hand_in, built_key, tmp_path, monkeypatch, capsys
):
    from course_utils.grading.running import run

    def none():
        raise run.SandboxUnavailable("no sandbox here: do this")

    monkeypatch.setattr(run, "find_sandbox", none)
    path, out = hand_ins(ana=hand_in(RIGHT)), tmp_path / "grades"
    status = cli.main(["grade", str(path), "--key", str(built_key), "--out", str(out)])
    assert status == 1
    assert capsys.readouterr().err == "no sandbox here: do this\n"
    assert not out.exists()


def wrong(name, *arguments, words):
    return pytest.param(arguments, words, id=name)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        wrong("no command", words="required: COMMAND"),
        wrong("unknown command", "grad", words="invalid choice"),
        wrong("no key", "grade", "H", "--out", "out", words="required: --key"),
        wrong("no hand-ins", "grade", "none", "--key", "K", "--out", "out", words="no folder none"),
        wrong("no such key", "grade", "H", "--key", "none", "--out", "out", words="no folder none"),
        wrong(
            "key without solutions", "grade", "H", "--key", "H", "--out", "o", words="no solution"
        ),
        wrong("empty hand-ins", "grade", "E", "--key", "K", "--out", "o", words="holds no hand-in"),
        wrong("out in hand-ins", "grade", "H", "--key", "K", "--out", "H/o", words="lies in H"),
        wrong("out is hand-ins", "grade", "H", "--key", "K", "--out", "H", words="lies in H"),
        wrong("out in key", "grade", "H", "--key", "K", "--out", "K/x/../o", words="lies in K"),
        wrong("no jobs", "grade", "H", "--key", "K", "--out", "o", "--jobs", "0", words=">= 1"),
        wrong("no time", "grade", "H", "--key", "K", "--out", "o", "--timeout", "x", words=">= 1"),
        wrong("odd argument", "grade", "H", "--key", "K", "--out", "o", "--x", words="unknown"),
        wrong("check without file", "check", "none.ipynb", words="no notebook at none.ipynb"),
        wrong("check no notebook", "check", "H/ana/ex01_mini.ipynb", words="not a readable"),
        wrong("check no exercise", "check", "lesson.ipynb", words="not an exercise"),
        wrong("release outside", "release", words="not in a course folder"),
        wrong("lab outside", "lab", "--no-browser", words="not in a course folder"),
        wrong("build nothing", "build", "none.ipynb", words="no notebook at none.ipynb"),
    ],
)
def test_wrong_usage_is_told_in_a_line_and_ends_with_2(
    tmp_path, monkeypatch, built_key, capsys, arguments, words
):
    (tmp_path / "H" / "ana").mkdir(parents=True)
    (tmp_path / "E").mkdir()
    (tmp_path / "H" / "ana" / "ex01_mini.ipynb").write_text("{")
    shutil.copytree(built_key, tmp_path / "K")
    (tmp_path / "lesson.ipynb").write_text('{"nbformat": 4, "nbformat_minor": 5, '
                                           '"metadata": {}, "cells": []}')  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(place, "__file__", str(tmp_path / "course_utils" / "cli" / "place.py"))
    try:
        status = cli.main(arguments)
    except SystemExit as ended:
        status = ended.code
    said = capsys.readouterr()
    assert status == 2, said
    assert words in said.err
    assert said.out == ""
    assert "Traceback" not in said.err
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "o").exists()


def test_a_broken_key_is_refused_before_any_hand_in_is_run(hand_ins, hand_in, built_key, tmp_path):
    key = shutil.copytree(built_key, tmp_path / "key")
    solution = notebooks.read(key / "ex01_mini.ipynb")
    next(c for c in solution.cells if c.id == "ex01-cube-hidden").execution_count = None
    notebooks.write(solution, key / "ex01_mini.ipynb")
    done = course("grade", hand_ins(ana=hand_in(RIGHT)), "--key", key, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "cell 'ex01-cube-hidden': it was not executed" in done.stderr
    assert "Run: course build" in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_out_that_cannot_be_written_is_told_in_a_line_and_ends_with_1(
    hand_ins, hand_in, built_key, tmp_path, capsys
):
    path, out = hand_ins(ana=hand_in()), tmp_path / "out"
    out.write_text("a file, not a folder")
    status = cli.main(["grade", str(path), "--key", str(built_key), "--out", str(out)])
    said = capsys.readouterr()
    assert status == 1
    assert said.err.count("\n") == 1
    assert said.err.startswith("Cannot write or read")
    assert out.read_text() == "a file, not a folder"


def test_a_real_limit_on_file_sizes_leaves_no_half_file(hand_ins, hand_in, built_key, tmp_path):
    """The kernel of the operating system refuses the second half of a file, as on a full disk."""
    resource = pytest.importorskip("resource")
    path, out = hand_ins(ana=hand_in(), bob=hand_in()), tmp_path / "out"

    def small_files():
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2500, most))

    done = course("grade", path, "--key", built_key, "--out", out, preexec_fn=small_files)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert re.match(f"Cannot write or read {out}/feedback/(ana|bob)/ex01_mini.html: ", done.stderr)
    files = sorted(file.name for file in out.rglob("*") if file.is_file())
    assert files == ["ex01_mini.json", "intake.csv"]
    assert all(json.loads(file.read_text()) for file in out.rglob("*.json"))


@pytest.fixture
def course_copy(built_key, tmp_path):
    """A small course folder, as an author has it."""
    folder = tmp_path / "course"
    shutil.copytree(built_key, folder / "solutions")
    (folder / "course_utils").mkdir()
    (folder / "notebooks").mkdir()
    return folder


def test_release_then_check_as_a_learner_sees_it(course_copy, hand_in):
    done = course("release", cwd=course_copy / "notebooks")
    assert (done.returncode, done.stdout) == (0, "exercises/ex01_mini.ipynb\n"), done.stderr
    exercise = course_copy / "exercises" / "ex01_mini.ipynb"
    done = course("check", exercise)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "ex01_mini",
        "✗ 1.1  Twice     7 points  not answered yet",
        "✗ 1.2  Squared   7 points  not answered yet",
        "✗ 1.3  Cubed     6 points  not answered yet",
        "0 of 3 visible checks tick. Hidden checks give the points.",
    ]
    exercise.write_bytes(hand_in(RIGHT))
    done = course("check", exercise)
    assert (done.returncode, done.stdout.count("✓")) == (0, 3), done.stdout + done.stderr


def test_check_without_a_sandbox_says_so_and_goes_on(hand_in, tmp_path, monkeypatch, capsys):
    from course_utils.grading.running import run

    def none():
        raise run.SandboxUnavailable("none")

    monkeypatch.setattr(run, "find_sandbox", none)
    (tmp_path / "ex01_mini.ipynb").write_bytes(hand_in({"double": RIGHT["double"]}))
    assert cli.main(["check", str(tmp_path / "ex01_mini.ipynb")]) == 1
    said = capsys.readouterr()
    assert said.err == "No sandbox here: your answers run with your own rights.\n"
    assert "✓ 1.1" in said.out
    assert "✗ 1.2" in said.out


def test_release_refuses_what_the_lint_refuses(course_copy, capsys, monkeypatch):
    monkeypatch.chdir(course_copy)
    path = course_copy / "solutions" / "ex01_mini.ipynb"
    notebook = notebooks.read(path)
    next(c for c in notebook.cells if c.id == "ex01-cube-visible").outputs = []
    notebooks.write(notebook, path)
    assert cli.main(["release"]) == 2
    assert "ex01_mini: cell 'ex01-cube-visible': its output is ''" in capsys.readouterr().err
    assert not (course_copy / "exercises").exists()


def test_build_executes_stamps_and_fingerprints(course_copy, monkeypatch):
    """A notebook that was edited and emptied is after a build what it was before, byte for byte."""
    solutions = course_copy / "solutions"
    before = {path.name: path.read_bytes() for path in solutions.iterdir()}
    notebook = notebooks.read(solutions / "ex01_mini.ipynb")
    for cell in notebook.cells:
        cell.metadata.get("nbgrader", {}).pop("checksum", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebooks.write(notebook, solutions / "ex01_mini.ipynb")
    (solutions / "ex01_mini.fingerprints.json").unlink()
    lesson = course_copy / "notebooks" / "01_small.ipynb"
    cell = nbformat.v4.new_code_cell("print(6 * 7)", id="01-print-product")
    notebooks.write(nbformat.v4.new_notebook(cells=[cell]), lesson)
    done = course("build", cwd=course_copy, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    assert "6 wrong answers fingerprinted" in done.stdout
    assert {path.name: path.read_bytes() for path in solutions.iterdir()} == before
    assert notebooks.read(lesson).cells[0].outputs[0].text == "42\n"


def test_lab_opens_the_start_page_and_passes_arguments_on(tmp_path, monkeypatch):
    from jupyterlab.labapp import LabApp

    launched = []
    monkeypatch.setattr(LabApp, "launch_instance", lambda argv: launched.append(argv))
    (tmp_path / "course_utils").mkdir()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "00_start_here.ipynb").write_text("{}")
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.setenv("OMP_NUM_THREADS", "4")  # the learner's own choice
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "unset below, and put back after the test")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    assert cli.main(["lab", "--no-browser", "--port", "8890"]) == 0
    assert (os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"]) == ("4", "1")
    (argv,) = launched
    assert f"--ServerApp.root_dir={tmp_path}" in argv
    assert "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb" in argv
    assert argv[-3:] == ["--no-browser", "--port", "8890"]
    assert ("--allow-root" in argv) == (os.geteuid() == 0)


def test_lab_without_its_start_page_says_what_to_do(tmp_path, monkeypatch, capsys):
    (tmp_path / "course_utils").mkdir()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path)
    assert cli.main(["lab"]) == 2
    assert "has no notebooks/00_start_here.ipynb. Get a fresh copy" in capsys.readouterr().err


def test_the_installed_command_is_this_one():
    command = Path(sys.executable).with_name("course")
    done = subprocess.run([command, "--help"], capture_output=True, text=True, check=True)
    for name in ("lab", "check", "build", "release", "grade"):
        assert name in done.stdout
