"""Prompts as HTML: Markdown and maths as in the notebook, and nothing that runs or loads."""

import re
from pathlib import Path

import nbformat
import pytest

from course_utils.grading.pages.prompts import mathml, prompt_html

SOLUTIONS = sorted((Path(__file__).parents[3] / "solutions").glob("*.ipynb"))


def prompts(path):
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.get("id", "").endswith("-prompt")]


def html(body):
    return prompt_html(f"## Question 1.1 · Twice (5 points)\n{body}")


def test_the_title_is_left_out_and_the_text_is_formatted():
    page = html("\nReturn **two** times `x`:\n\n- a\n- b\n")
    assert "Twice" not in page
    for part in ("<strong>two</strong>", "<code>x</code>", "<li>a</li>"):
        assert part in page


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("Let $w_0 < 1$ be.", "<msub><mi>w</mi><mn>0</mn></msub>"),
        ("$$h = \\tanh(x).$$", '<math display="block">'),
        ("$$\nh = x\n$$", '<math display="block">'),
        ("| a | b |\n|---|---|\n| $x$ | `y` |", "<td><math><mi>x</mi></math></td>"),
    ],
)
def test_maths_is_mathml(body, part):
    page = html(body)
    assert part in page
    assert "$" not in page


def test_an_empty_cell_heads_no_column():
    page = html("| | rule |\n|---|---|\n| 1 | it broke |")
    assert "<th></th>" not in page
    assert page.count("<th>") == 1


def test_maths_that_is_not_known_is_shown_as_typed():
    assert mathml(r"\nonesuch<x>") == r"<code>\nonesuch&lt;x&gt;</code>"


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "[a](javascript:alert(1)) <img src=x onerror=alert(1)>",
        "![picture](https://example.org/x.png)",
        "[lesson](../notebooks/01.ipynb)",
        "$\\href{javascript:alert(1)}{x}$",
        "$\\text{<img src=x>}$",
        "<https://example.org>",
        "# heading\n## heading",
    ],
)
def test_nothing_runs_loads_leads_away_or_breaks_the_order_of_headings(body):
    page = html(body)
    assert not re.search(r"<(script|img|a|h\d|iframe)\b", page)
    assert not re.search(r"<[^>]*\b(href|src|on\w+)=", page)


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_every_prompt_of_the_course_is_understood_whole(path):
    for source in prompts(path):
        page = prompt_html(source)
        code_free = re.sub(r"<code>.*?</code>", "", page)
        assert not re.search(r"\$|\*\*|`", code_free), source
        assert source.count("$$") == 2 * page.count('display="block"')
        assert all("\\" not in code for code in re.findall(r"<code>.*?</code>", page)), source
