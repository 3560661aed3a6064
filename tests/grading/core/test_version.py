"""The grader's version: changes with all that decides a grade, stands with all that does not."""

import ast
import re
import shutil

import pytest

import course_utils
from course_utils.grading import version

# they write files and give a name: they may be used by what decides, and decide nothing
NEUTRAL = {"files", "version"}
PACKAGE = version.PACKAGE


@pytest.fixture
def edited(tmp_path, monkeypatch):
    """The version of a copy of the package in which one file was edited (or, with "", none)."""

    def of(name, text="\n# edited\n"):
        package = tmp_path / name.replace("/", "-") / "course_utils"
        shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("data", "__py*"))
        if name:
            with (package / name).open("a", encoding="utf-8", newline="") as file:
                file.write(text)
        monkeypatch.setattr(version, "PACKAGE", package)
        version.grader_version.cache_clear()
        return version.grader_version()

    yield of
    version.grader_version.cache_clear()
    version.pages_version.cache_clear()


@pytest.mark.parametrize(
    "name", ["grading/grade.py", "grading/overlay.py", "grading/running/kernel.py", "checks.py"]
)
def test_an_edit_of_what_decides_a_grade_is_another_version(edited, name):
    assert edited(name) != edited("")


@pytest.mark.parametrize(
    "name", ["grading/pages/feedback.py", "grading/tables/gradebook.py", "plots/axes.py"]
)
def test_an_edit_of_anything_else_is_not(edited, name):
    assert edited(name) == edited("")


def test_a_new_module_of_the_grader_counts_until_it_is_known_to_stand_apart(edited):
    assert edited("grading/brand_new.py") != edited("")


@pytest.mark.parametrize(
    ("name", "changes"),
    [("pages/templates/feedback.html", True), ("pages/feedback.py", True), ("grade.py", False)],
)
def test_pages_have_a_version_of_their_own(edited, name, changes):
    edited("")
    before = version.pages_version()
    version.pages_version.cache_clear()
    edited(f"grading/{name}")
    assert (version.pages_version() != before) == changes


def test_another_numpy_is_another_version(edited, monkeypatch):
    before = edited("")
    monkeypatch.setattr(version.metadata, "version", lambda name: "999")
    version.grader_version.cache_clear()
    assert version.grader_version() != before


def test_line_ends_are_no_other_version(edited):
    before = edited("")
    grade = version.PACKAGE / "grading" / "grade.py"
    grade.write_bytes(grade.read_bytes().replace(b"\n", b"\r\n"))
    version.grader_version.cache_clear()
    assert version.grader_version() == before


def test_the_version_begins_with_that_of_the_package():
    name = version.grader_version()
    assert re.fullmatch(re.escape(course_utils.__version__) + r"\+[0-9a-f]{16}", name)


def test_nothing_that_decides_a_grade_uses_what_stands_apart():
    apart = version.APART - NEUTRAL
    for path in version.deciding_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                parts = [*node.module.split("."), *(alias.name for alias in node.names)]
                used = apart & set(parts[2:] if parts[1:2] == ["grading"] else ())
                assert not used, f"{path.name} imports {used}: take them out of version.APART"


def test_what_is_said_to_stand_apart_is_there():
    there = {path.stem for path in (version.PACKAGE / "grading").iterdir()}
    assert there >= version.APART
