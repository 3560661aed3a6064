"""Python's parser, for threads that grade side by side."""

import ast
import threading
import warnings

_one_at_a_time = threading.Lock()


def syntax_tree(source: str) -> ast.Module:
    """The syntax tree of `source`; no warning is given of what stands in it.

    In one thread at a time. Python 3.11 counts how deep a tree is over all threads together, and
    where two make one at once, ``ast.parse`` can fail with SystemError (python/cpython#106905).
    Raises SyntaxError, ValueError, RecursionError or MemoryError, as it does.
    """
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)
