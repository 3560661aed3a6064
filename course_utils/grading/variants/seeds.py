"""The seeds of a hidden check: the whole numbers that it makes its generators from.

They are found in the syntax tree: a seed in a string or a comment is none.
"""

import ast
from collections.abc import Callable

from course_utils.grading.syntax import syntax_tree

GENERATOR = "default_rng"


def seeds(source: str) -> list[int]:
    """Each literal seed in `source`, in the order of the text; SyntaxError if it does not parse."""
    return [seed for seed, _ in _literals(source)]


def reseeded(source: str, draw: Callable[[int], int]) -> str:
    """`source` with each literal seed replaced by ``draw(seed)``, and not another letter changed.

    Equal seeds become equal ones: a check may make the same generator twice on purpose.
    """
    lines = source.encode().split(b"\n")  # the tree counts columns in bytes
    for seed, node in reversed(_literals(source)):
        line, drawn = lines[node.lineno - 1], str(draw(seed)).encode()
        lines[node.lineno - 1] = line[: node.col_offset] + drawn + line[node.end_col_offset :]
    return b"\n".join(lines).decode()


def _literals(source: str) -> list[tuple[int, ast.Constant]]:
    """The literal seeds and their nodes, by their place in the text."""
    calls = [node for node in ast.walk(syntax_tree(source)) if isinstance(node, ast.Call)]
    given = [node for call in calls if _name(call.func) == GENERATOR for node in _seed(call)]
    literals = [node for node in given if isinstance(node, ast.Constant)]
    found = [(node.value, node) for node in literals if type(node.value) is int]
    return sorted(found, key=lambda pair: (pair[1].lineno, pair[1].col_offset))


def _name(function: ast.expr) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


def _seed(call: ast.Call) -> list[ast.expr]:
    return [*call.args[:1], *(word.value for word in call.keywords if word.arg == "seed")]
