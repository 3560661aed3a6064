"""What a question asks, as HTML: Markdown by mistune, maths as MathML by math-core.

The prompts are the author's, but nothing of them may run or load either: raw HTML is escaped,
and a link or a picture, which leads nowhere outside the course's folder, is left as its text.
"""

from functools import cache, lru_cache
from html import escape
from typing import Any

import mistune
from markupsafe import Markup
from math_core import LatexError, LatexToMathML


@lru_cache(maxsize=512)
def prompt_html(source: str) -> Markup:
    """The prompt `source` as HTML, without its first line, which is the question's title."""
    page = str(_markdown()(source.partition("\n")[2]))
    return Markup(page.replace("<th></th>", "<td></td>"))  # an empty cell heads no column


def mathml(tex: str, *, block: bool = False) -> str:
    """`tex` as MathML, or, where math-core does not know a command, as it was typed."""
    try:
        return _converter().convert_with_local_state(tex, displaystyle=block)
    except LatexError:
        return f"<code>{escape(tex)}</code>"


class _Renderer(mistune.HTMLRenderer):
    """HTML that neither links nor loads."""

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return text

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return text

    def heading(self, text: str, level: int, **attributes: Any) -> str:
        return f"<p><strong>{text}</strong></p>\n"  # the page's own headings stay in order


@cache
def _markdown() -> mistune.Markdown:
    markdown = mistune.create_markdown(renderer=_Renderer(escape=True), plugins=["table", "math"])
    assert markdown.renderer is not None
    for name, block in (("inline_math", False), ("block_math", True)):
        markdown.renderer.register(name, lambda _, tex, block=block: mathml(tex, block=block))
    return markdown


@cache
def _converter() -> LatexToMathML:
    return LatexToMathML()
