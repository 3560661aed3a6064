"""A learner's text on a page: escaped, nothing hidden, nothing lost."""

import html
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from course_utils.grading.pages.code_html import MAX_CHARACTERS, code_html, visible

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=80)
PIECES = ["def f(x):", "return", " x ", "'a<b'", '"""', "# é", "1e-5", "f'{x}'", "print", "    "]
CHARACTERS = "\n\t()\\&\u202e\r\x0c\u2028\x00\ud800λ"
PYTHON = st.lists(st.sampled_from([*PIECES, *CHARACTERS]), max_size=30).map("".join)


def undone(markup):
    """The text that `markup` shows, with hidden characters put back from their code points."""
    shown = re.sub(
        r'<span class="hidden" title="[^"]*">U\+([0-9A-F]{4,6})</span>',
        lambda match: f"&hidden{match[1]};",
        str(markup),
    )
    text = html.unescape(re.sub("<[^>]*>", "", shown))
    return re.sub(r"&hidden([0-9A-F]+);", lambda match: chr(int(match[1], 16)), text)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("202E", "right-to-left override"),
        ("2066", "left-to-right isolate"),
        ("200B", "zero width space"),
        ("FEFF", "zero width no-break space"),
        ("00AD", "soft hyphen"),
        ("2028", "line separator"),
        ("0007", "control character"),
        ("D800", "control character"),
    ],
)
def test_a_character_that_cannot_be_seen_is_shown_by_its_code_point(code, name):
    character = chr(int(code, 16))
    for markup in (visible(f"a{character}b"), code_html(f"a = 1  # {character}")):
        assert f'<span class="hidden" title="{name}">U+{code}</span>' in markup
        assert character not in markup


def test_names_keep_their_joiners_and_code_does_not():
    name = "نیم\u200cفاصله"
    assert visible(name) == name
    assert "U+200C" in code_html(f"# {name}")


def test_letters_of_any_script_stay_as_they_are():
    for text in ("Łucja Żółć", "李小龙", "سارة", "👩🏽", "tab\tand\nline"):
        assert visible(text) == text


def test_python_is_marked_by_kind():
    code = code_html("def f(x):  # why\n    return 'a' + str(1e-5)")
    for kind, text in (("k", "def"), ("c", "# why"), ("s", "&#39;a&#39;"), ("b", "str")):
        assert f'<span class="{kind}">{text}</span>' in code
    assert '<span class="n">1e-5</span>' in code


@given(st.one_of(ANY_TEXT, PYTHON))
@example("x = '''a\nb'''\n  y")
@example("\\\n\n#")
@example("a\r\nb\rc")
def test_no_character_is_lost_or_runs(source):
    markup = code_html(source)
    assert undone(markup) == source.replace("\r\n", "\n")
    assert set(re.findall(r"<[^>]*>", re.sub(r'title="[\w -]*"', "", str(markup)))) <= {
        *(f'<span class="{kind}">' for kind in "cksnb"),
        '<span class="hidden" >',
        "</span>",
    }
    left = {unicodedata.category(c) for c in str(markup)} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert left <= ({"Cc"} if set(source) & set("\n\t") else set())


def test_code_that_goes_on_and_on_is_cut_and_says_so():
    markup = code_html("x" * (MAX_CHARACTERS + 1234))
    assert markup.endswith("x\n… and 1,234 characters more")
    assert len(markup) < MAX_CHARACTERS + 50
    assert "more" not in code_html("x" * MAX_CHARACTERS)
