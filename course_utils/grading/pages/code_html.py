"""A learner's text as HTML: every character escaped, and none that hides or reorders others.

Control characters of bidirectional text can make code read other than it runs (Boucher &
Anderson 2023, "Trojan Source: Invisible Vulnerabilities", CVE-2021-42574), and what cannot be
seen can make two names look alike. Such characters are shown by their code point.
"""

import builtins
import io
import keyword
import re
import tokenize
import unicodedata
from collections.abc import Iterator

from markupsafe import Markup, escape

MAX_CHARACTERS = 10_000
UNUSUAL = re.compile(r"[^\t\n\x20-\x7e]")
# controls, formats (bidi, zero width, byte order mark), halves of surrogate pairs, line ends
HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
JOINERS = "\u200c\u200d"  # Persian and Indic names are spelled with them
KINDS = {tokenize.COMMENT: "c", tokenize.STRING: "s", tokenize.NUMBER: "n"}
BUILT_IN = frozenset(dir(builtins))


def visible(text: object, *, plain: str = JOINERS) -> Markup:
    """`text` escaped, with each character that cannot be seen as its code point.

    plain: characters that are let through although they cannot be seen.
    """
    return Markup(_visible(str(text), plain))


def _visible(text: str, plain: str = "") -> str:
    def shown(match: re.Match[str]) -> str:
        character = match[0]
        if character in plain or unicodedata.category(character) not in HIDDEN:
            return character
        name = unicodedata.name(character, "control character").lower()
        return f'<span class="hidden" title="{name}">U+{ord(character):04X}</span>'

    return UNUSUAL.sub(shown, str(escape(text)))


def code_html(source: str) -> Markup:
    """Python `source` with its comments, strings, numbers, keywords and built-ins marked.

    Classes c, s, n, k and b. Source that Python cannot read comes back unmarked. Beyond
    `MAX_CHARACTERS` it is cut, and says so. The standard library's tokenizer takes a quarter of
    the time of Pygments, which would be the dearest part of a page.
    """
    source = source.replace("\r\n", "\n")
    shown = source[:MAX_CHARACTERS]
    try:
        code = "".join(_marked(shown))
    except (tokenize.TokenError, SyntaxError, ValueError):
        code = _visible(shown)
    cut = len(source) - len(shown)
    return Markup(f"{code}\n… and {cut:,} characters more" if cut else code)


def _marked(source: str) -> Iterator[str]:
    """`source` piece by piece: what stands between two marked tokens goes through as it is."""
    starts = [0]
    for line in source.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    done = 0
    for token in tokenize.generate_tokens(io.StringIO(source, newline="\n").readline):
        if kind := _kind(token):
            start, end = (starts[row - 1] + column for row, column in (token.start, token.end))
            yield _visible(source[done:start])
            yield f'<span class="{kind}">{_visible(source[start:end])}</span>'
            done = end
    yield _visible(source[done:])


def _kind(token: tokenize.TokenInfo) -> str:
    """The class of a token, or ''."""
    if token.type != tokenize.NAME:
        return KINDS.get(token.type, "")
    if keyword.iskeyword(token.string):
        return "k"
    return "b" if token.string in BUILT_IN else ""
