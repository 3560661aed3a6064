"""The README's figure, number, lessons and commands are those of the course."""

import importlib.util
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
START, *LESSONS, CLOSING = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def headline():
    spec = importlib.util.spec_from_file_location("headline", ROOT / "docs" / "headline.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_its_numbers_are_computed(headline):
    shares = {name: headline.share_that_arrives(net) for name, net in headline.NETS.items()}
    vanished = f"{shares['sigmoid, Xavier']:.0e}"
    assert f"**{vanished}** of the last layer's gradient" in README
    assert f"sigmoid it falls to {vanished}" in README
    assert f"grows to {shares['ReLU, weights 1.5 × He']:.0e} at the first layer" in README
    assert 0.1 < shares["tanh, Xavier"] < 10
    assert f"{headline.DEPTH}-layer sigmoid net" in README


def test_its_figure_is_there_and_drawn_from_the_same_nets(headline):
    assert headline.FIGURE.read_bytes().startswith(b"\x89PNG")
    labels = [text.get_text() for text in headline.draw().texts]
    assert labels == list(headline.NETS)


def test_its_table_lists_the_lessons_and_exercises_that_exist():
    rows = re.findall(r"^\| (\d\d) .* \| `(ex\d\d_\w+)` \|$", README, re.MULTILINE)
    assert [number for number, _ in rows] == [path.stem[:2] for path in LESSONS]
    assert [name for _, name in rows] == sorted(
        p.stem for p in (ROOT / "solutions").glob("*.ipynb")
    )


def test_the_start_page_maps_every_lesson_with_its_minutes_and_their_sum():
    (page,) = (c.source for c in nbformat.read(START, as_version=4).cells if c.id == "00-map")
    row = re.compile(r"^\| \[(\d\d) .*?\]\((\w+)\.ipynb\) \|.*\| (\d+) \|(.*)\|$", re.MULTILINE)
    rows = row.findall(page)
    assert [stem for _, stem, _, _ in rows] == [path.stem for path in (*LESSONS, CLOSING)]
    for number, stem, minutes, exercise in rows:
        assert stem.startswith(number)
        title = nbformat.read(START.with_name(f"{stem}.ipynb"), as_version=4).cells[0].source
        assert f"**Minutes:** {minutes} " in title
        assert exercise.strip() in ("", f"[ex{number}](../exercises/ex{stem}.ipynb)")
    hours = sum(int(minutes) for _, _, minutes, _ in rows) / 60
    assert f"About {round(hours)} hours" in page


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_the_files_it_names_exist(text):
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    named = re.findall(r"`((?:notebooks|solutions|exercises|tests|docs)/[\w/]+\.\w+)`", text)
    assert links + named
    for name in links + [name for name in named if "NN" not in name]:
        assert (ROOT / name).exists(), name


def test_its_plain_commands_are_those_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = re.search(r"^test: setup\n((?:\t.*\n)+)", makefile, re.MULTILINE).group(1)
    for line in recipe.splitlines():
        plain = line.strip().replace("$(BIN)", ".venv/bin").replace(" $(ARGS)", "")
        assert plain in README, plain
