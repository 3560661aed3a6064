"""What an exercise must satisfy before it is given out or graded with.

nbval passes a cell silently where the reference holds nothing to compare, and a check that
meets the learner's names can be fed by them; each rule here closes one such hole. A rule is
a function from an exercise to its problems; `problems` runs them all.
"""

import ast
import builtins
import math
import re
import symtable
from collections.abc import Callable, Iterator

from nbformat import NotebookNode

from course_utils.grading.exercise import (
    ROLES,
    SOLUTION_BEGIN,
    SOLUTION_END,
    Exercise,
    Problem,
    checksum,
    grade_id,
    nbgrader_metadata,
)
from course_utils.grading.syntax import syntax_tree
from course_utils.grading.values import VALUE, value_lines

POINTS = 20
LEAST_NUMBERS = 3
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE)
FLAGS = {  # role -> what nbgrader calls it: (grade, solution, locked)
    "prompt": (False, False, True),
    "answer": (False, True, False),
    "visible": (False, False, True),
    "hidden": (True, False, True),
}


def problems(exercise: Exercise) -> list[Problem]:
    """Every problem of a built solution notebook; an empty list if it may be used."""
    return [problem for rule in RULES for problem in rule(exercise)]


def printed(cell: NotebookNode) -> str:
    """What the cell's stored outputs printed on stdout."""
    return "".join(out.text for out in cell.get("outputs", []) if out.get("name") == "stdout")


def _names_are_unique(exercise: Exercise) -> Iterator[Problem]:
    ids = [cell.get("id", "") for cell in exercise.notebook.cells]
    for cell in exercise.notebook.cells:
        if ids.count(cell.get("id", "")) > 1:
            yield Problem(cell.get("id", "?"), "its id stands twice", "Give each cell its own id.")
        if grade_id(cell) and cell.get("id") != grade_id(cell):
            fact = f"its id is {cell.get('id')!r}, its grade_id {grade_id(cell)!r}"
            yield Problem(cell.get("id", "?"), fact, "Make them the same.")
        if cell.cell_type == "code" and not grade_id(cell):
            yield Problem(
                cell.get("id", "?"),
                "it is a code cell without nbgrader metadata",
                "Give it a grade_id equal to its id, and lock it.",
            )


def _questions_are_in_order(exercise: Exercise) -> Iterator[Problem]:
    order = [grade_id(cell) for cell in exercise.notebook.cells]
    seen: set[str] = set()
    for question in exercise.questions:
        start = order.index(question.cell_id("prompt"))
        wanted = [question.cell_id(role) for role in ROLES]
        code = [name for name in order[start:] if name][: len(wanted)]
        if code != wanted:
            fact = f"it is followed by {', '.join(code[1:])}"
            yield Problem(wanted[0], fact, f"Order its cells: {', '.join(ROLES)}.")
        if question.number in seen:
            fact = f"question {question.number} stands twice"
            yield Problem(wanted[0], fact, "Number the questions 1.1, 1.2, ….")
        seen.add(question.number)


def _flags_fit_the_roles(exercise: Exercise) -> Iterator[Problem]:
    for question in exercise.questions:
        for role, flags in FLAGS.items():
            meta = nbgrader_metadata(exercise.cell(question, role))
            found = tuple(bool(meta.get(flag)) for flag in ("grade", "solution", "locked"))
            if found != flags:
                fact = f"its nbgrader flags (grade, solution, locked) are {found}"
                yield Problem(question.cell_id(role), fact, f"Set them to {flags}.")
    answers = {question.cell_id("answer") for question in exercise.questions}
    for cell in exercise.notebook.cells:
        name = grade_id(cell)
        if name and name not in answers and not nbgrader_metadata(cell).get("locked"):
            yield Problem(name, "it is not locked", "Set locked to true: only answers are open.")


def _points_agree(exercise: Exercise) -> Iterator[Problem]:
    for question in exercise.questions:
        points = nbgrader_metadata(exercise.cell(question, "hidden")).get("points")
        if points != question.points:
            fact = f"it is worth {points} points, but the title says {question.points}"
            yield Problem(question.cell_id("hidden"), fact, "Make both the same whole number.")
    if exercise.points != POINTS:
        fact = f"the points of {exercise.name} add up to {exercise.points}, not {POINTS}"
        yield Problem(exercise.questions[0].cell_id("prompt"), fact, "Share out the points anew.")


def _answers_have_one_region(exercise: Exercise) -> Iterator[Problem]:
    answers = {question.cell_id("answer") for question in exercise.questions}
    for cell in exercise.notebook.cells:
        stripped = [line.strip() for line in cell.source.split("\n")]
        marks = [line for line in stripped if line in (SOLUTION_BEGIN, SOLUTION_END)]
        wanted = [SOLUTION_BEGIN, SOLUTION_END] if grade_id(cell) in answers else []
        if marks != wanted:
            fact = f"it has the solution marks {marks}"
            yield Problem(cell.get("id", "?"), fact, f"It must have exactly {wanted}.")
    for question in exercise.questions:
        source = exercise.cell(question, "answer").source
        if source.partition("\n")[0] != question.marker:
            fact = f"its first line is {source.partition(chr(10))[0]!r}"
            yield Problem(question.cell_id("answer"), fact, f"Write {question.marker!r}.")


def _sources_parse(exercise: Exercise) -> Iterator[Problem]:
    sources = {n: c.source for n, c in exercise.cells_by_id().items() if c.cell_type == "code"}
    stubs = {q.cell_id("answer"): exercise.blank(q) for q in exercise.questions}
    for texts, what in ((sources, "its source"), (stubs, "its stub")):
        for name, source in texts.items():
            try:
                syntax_tree(source)
            except SyntaxError as error:
                fact = f"{what} does not parse: {error.msg}"
                yield Problem(name, fact, "Plain Python only, outside and inside the region.")


def _notebook_is_built(exercise: Exercise) -> Iterator[Problem]:
    for cell in exercise.notebook.cells:
        name, remedy = cell.get("id", "?"), "Run: course build"
        if cell.cell_type == "code" and cell.get("execution_count") is None:
            yield Problem(name, "it was not executed, so nothing would be compared", remedy)
        if grade_id(cell) and nbgrader_metadata(cell).get("checksum") != checksum(cell):
            yield Problem(name, "it was edited after the last build", remedy)


def _hidden_prints_values(exercise: Exercise) -> Iterator[Problem]:
    for question in exercise.questions:
        cell = exercise.cell(question, "hidden")
        lines = value_lines(printed(cell))
        text = "\n".join(line[len(VALUE) :] for line in lines)
        numbers = [float(number) for number in NUMBER.findall(text)]
        if len(set(numbers)) < LEAST_NUMBERS:
            fact = f"it prints {len(set(numbers))} different numbers in its 'value:' lines"
            remedy = f"Print at least {LEAST_NUMBERS} that are hard to guess, e.g. value: 1.234e-05"
            yield Problem(question.cell_id("hidden"), fact, remedy)
        elif all(math.isclose(number, round(number)) and abs(number) <= 1 for number in numbers):
            fact = "all its values are -1, 0 or 1, which a blind guess hits"
            yield Problem(question.cell_id("hidden"), fact, "Print the quantities themselves.")
        if found := re.search(r"\b(?:True|False|None)\b", text):
            fact = f"it prints {found.group()}, a verdict that a guess hits half the time"
            yield Problem(question.cell_id("hidden"), fact, "Print the numbers behind it.")


def _hidden_stands_alone(exercise: Exercise) -> Iterator[Problem]:
    for question in exercise.questions:
        cell_id = question.cell_id("hidden")
        hidden = _parsed(exercise.cell(question, "hidden").source)
        answer = _parsed(exercise.cell(question, "answer").source)
        if hidden is None or answer is None:
            continue  # _sources_parse has said so
        for name in sorted(_defined(hidden) & _defined(answer)):
            fact = f"it defines {name} as the answer does: a reference solution in the kernel"
            yield Problem(cell_id, fact, "Print values only; the stored output is the reference.")
        allowed = _top_level(_parsed(exercise.blank(question)) or answer) | set(dir(builtins))
        for name in sorted(_borrowed(exercise.cell(question, "hidden").source) - allowed):
            fact = f"it borrows {name}, which a learner's cell could have replaced"
            yield Problem(cell_id, fact, f"Import or define {name} inside _hidden().")


def _hidden_draws_from_its_own_generator(exercise: Exercise) -> Iterator[Problem]:
    remedy = "Draw from np.random.default_rng(SEED), made inside the check."
    for question in exercise.questions:
        tree = _parsed(exercise.cell(question, "hidden").source)
        for node in ast.walk(tree) if tree else ():
            found = _shared_randomness(node)
            if found:
                fact = f"it uses {found}, so its inputs are not the same on every run"
                yield Problem(question.cell_id("hidden"), fact, remedy)


def _shared_randomness(node: ast.AST) -> str:
    """The source of `node` if it draws from a generator that is not seeded on the spot."""
    if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith(".random"):
        return "" if node.attr in ("default_rng", "Generator") else ast.unparse(node)
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [alias.name for alias in node.names] + [getattr(node, "module", "")]
        return "random" if "random" in names else ""
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("default_rng"):
        seed = node.args[0] if node.args else None
        seeded = isinstance(seed, ast.Constant) and seed.value is not None
        return "" if seeded else ast.unparse(node)
    return ""


def _visible_ticks(exercise: Exercise) -> Iterator[Problem]:
    for question in exercise.questions:
        cell = exercise.cell(question, "visible")
        if len(cell.get("outputs", [])) != 1 or printed(cell) != f"{question.tick}\n":
            fact = f"its output is {printed(cell)!r}, not '{question.tick}'"
            remedy = f'End it with passed("{question.number}") and print nothing else.'
            yield Problem(question.cell_id("visible"), fact, remedy)
        if VALUE.strip() in cell.source or value_lines(printed(cell)):
            yield Problem(
                question.cell_id("visible"),
                f"it prints '{VALUE.strip()}'",
                "Only hidden checks print values; compare here with check(...).",
            )


def _parsed(source: str) -> ast.Module | None:
    try:
        return syntax_tree(source)
    except SyntaxError:
        return None


def _defined(tree: ast.Module) -> set[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def _top_level(tree: ast.Module) -> set[str]:
    """Names of the functions and classes that a cell offers to later cells."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name for node in tree.body if isinstance(node, kinds)}


def _borrowed(source: str) -> set[str]:
    """Global names that a cell reads without having made them itself."""
    top = symtable.symtable(source, "hidden", "exec")
    own = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned()}
    own |= {symbol.get_name() for symbol in top.get_symbols() if symbol.is_imported()}
    # a top-level import is a global that the next cell can replace: inside the check only
    imported = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_imported()}
    return (set(_globals_read(top)) - own) | imported


def _globals_read(table: symtable.SymbolTable) -> Iterator[str]:
    for symbol in table.get_symbols():
        is_global = symbol.is_global() or table.get_type() == "module"
        if is_global and symbol.is_referenced():
            yield symbol.get_name()
    for child in table.get_children():
        yield from _globals_read(child)


RULES: tuple[Callable[[Exercise], Iterator[Problem]], ...] = (
    _names_are_unique,
    _questions_are_in_order,
    _flags_fit_the_roles,
    _points_agree,
    _answers_have_one_region,
    _sources_parse,
    _notebook_is_built,
    _hidden_prints_values,
    _hidden_stands_alone,
    _hidden_draws_from_its_own_generator,
    _visible_ticks,
)
