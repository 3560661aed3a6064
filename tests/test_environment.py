"""The start page's first cell: says that all is ready only if it is."""

from importlib import metadata

import pytest

from course_utils import environment


def told(capsys, **arguments):
    environment.check_environment(**arguments)
    return capsys.readouterr().out.splitlines()


def test_this_environment_is_ready_and_no_version_of_one_machine_is_told(capsys):
    lines = told(capsys)
    assert lines[-1] == "All is ready."
    assert all(line.startswith("ok  ") for line in lines[:-1])
    assert any("numpy" in line for line in lines)
    assert metadata.version("numpy") not in "\n".join(lines)


@pytest.mark.parametrize(
    ("requirement", "line"),
    [
        ("numpy>=999", f"too old  numpy >=999, found {metadata.version('numpy')}"),
        ("no-such-package>=1", "missing  no-such-package >=1"),
        ("no-such-package", "missing  no-such-package"),
    ],
)
def test_what_is_amiss_is_named_with_its_remedy(capsys, monkeypatch, requirement, line):
    monkeypatch.setattr(environment.metadata, "requires", lambda _: ["pytest>=1", requirement])
    lines = told(capsys)
    assert line in lines
    assert lines[-1] == environment.REMEDY


def test_what_one_platform_alone_needs_is_not_asked_for(capsys, monkeypatch):
    wanted = ["no-such-package; sys_platform == 'linux'", "other; extra == 'dev'"]
    monkeypatch.setattr(environment.metadata, "requires", lambda _: wanted)
    assert told(capsys)[-1] == "All is ready."


def test_an_uninstalled_course_is_named(capsys):
    assert told(capsys, distribution="no-such-course") == [
        "missing  no-such-course, the course's own package",
        environment.REMEDY,
    ]
