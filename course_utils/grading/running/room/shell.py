"""IPython's shell, which looks at each cell once.

IPython transforms a cell token by token, in Python, and ipykernel has it done a second time: more
work than most cells are.
"""

# IPython's own methods are not typed
# mypy: allow-untyped-calls

from __future__ import annotations

import ast
import functools
import warnings
from collections.abc import Callable
from typing import Any

from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.inputtransformer2 import TransformerManager


class PlainFirst(TransformerManager):
    """A TransformerManager that looks for IPython's own syntax only where Python's parser fails.

    What the parser accepts can hold none: each of IPython's forms (``%magic``, ``!command``,
    ``name?``) is an error in Python.
    """

    def do_token_transforms(self, lines: list[str]) -> list[str]:
        """Return ``lines``, with IPython's syntax, if any, turned into Python."""
        if _is_python("".join(lines)):
            return lines
        transformed: list[str] = super().do_token_transforms(lines)
        return transformed


def _is_python(source: str) -> bool:
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are given when the cell is compiled
        try:
            compile(source, "", "exec", flags, dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


class Shell(ZMQInteractiveShell):
    """ipykernel's shell; it is told of each cell before the cell is run."""

    def __init__(self, **traits: Any) -> None:
        """traits: those of ZMQInteractiveShell."""
        super().__init__(**traits)
        self.input_transformer_manager = PlainFirst()
        self._cell = ""
        self._found: dict[str, Any] = {}

    def next_cell(self, source: str) -> None:
        """Forget what was found of the last cell: of the same source it may no longer be so."""
        self._cell, self._found = source, {}

    def transform_cell(self, raw_cell: str) -> str:
        """Return the cell as Python."""
        return str(self._once("python", raw_cell, super().transform_cell))

    def should_run_async(self, raw_cell: str, **transformed: Any) -> bool:
        """Tell whether the cell awaits something."""
        look = functools.partial(super().should_run_async, **transformed)
        return bool(self._once("awaits", raw_cell, look))

    def _once(self, what: str, raw_cell: str, look: Callable[[str], Any]) -> Any:
        """Return what ``look`` finds, which for the cell itself is kept."""
        if raw_cell != self._cell:  # what the cell runs by itself
            return look(raw_cell)
        if what not in self._found:
            self._found[what] = look(raw_cell)
        return self._found[what]
