"""The parser, where several threads grade."""

import gc
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from course_utils.grading.syntax import syntax_tree

SOURCE = "\n".join(f"x{number} = f(a, b, [c, {{d: e}}])" for number in range(60))


@pytest.fixture
def hindered():
    """Let every thread lose its turn again and again while it makes a tree."""

    def pause(*_):
        time.sleep(1e-4)

    before = gc.get_threshold()
    gc.set_threshold(20)
    gc.callbacks.append(pause)
    yield
    gc.callbacks.remove(pause)
    gc.set_threshold(*before)


@pytest.mark.usefixtures("hindered")
def test_threads_may_parse_at_once():
    """With ast.parse itself one of them fails, in Python 3.11."""
    with ThreadPoolExecutor(4) as threads:
        trees = list(threads.map(syntax_tree, [SOURCE] * 20))
    assert {len(tree.body) for tree in trees} == {60}


def test_no_warning_is_given():
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        syntax_tree("pattern = '\\d'")
    assert given == []


@pytest.mark.parametrize("source", ["1 +", "x\0"])
def test_what_is_no_python_raises(source):
    with pytest.raises((SyntaxError, ValueError)):  # a NUL: which of the two is Python's choice
        syntax_tree(source)
