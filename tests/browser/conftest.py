"""A JupyterLab on a fresh student edition, and a Chromium page to use it with."""

from pathlib import Path

import pytest
from lab import CHROMIUM, CHROMIUM_ARGS, running_lab

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "artifacts"


@pytest.fixture(scope="session")
def student_edition(tmp_path_factory):
    """What a learner is given, in a folder of its own."""
    from course_utils import cli

    folder = tmp_path_factory.mktemp("student") / "course"
    assert cli.main(["release", "--to", str(folder)]) == 0
    return folder


@pytest.fixture(scope="session")
def server(student_edition, tmp_path_factory):
    with running_lab(student_edition, tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGS))
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, request):
    """A page of its own for each test; its last sight is kept under artifacts/."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.on("dialog", lambda dialog: dialog.accept())
    yield page
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{request.node.name}.png")
    page.close()
