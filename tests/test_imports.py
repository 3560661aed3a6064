"""The one direction in which imports run, and what `import course_utils` costs."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils import explorers

PACKAGE = Path(__file__).parents[1] / "course_utils"

BASE = {"arrays", "norms"}
FOUNDATIONS = BASE | {"activations", "initializers", "losses", "chain_rule", "floats"}
LESSON_CODE = FOUNDATIONS | {
    "cliff",
    "network",
    "layers",
    "training",
    "recurrent",
    "theory",
    "shattering",
    "datasets",
    "diagnosis",
    "claims",
    "remedies",
    "deep_tanh",
    "plots",
    "figures",
    "explorers",
}
# module or folder -> the siblings that it may import
MAY_IMPORT: dict[str, set[str]] = {
    "arrays": set(),
    "norms": {"arrays"},
    "activations": BASE,
    "initializers": BASE,
    "losses": BASE,
    "chain_rule": BASE,
    "floats": BASE,
    "cliff": BASE,
    "theory": BASE | {"activations"},
    "shattering": BASE,
    "datasets": BASE,
    "plots": set(),
    "figures": set(),
    "checks": set(),
    "notebooks": set(),
    "lab_websocket": set(),
    "environment": set(),
    "network": FOUNDATIONS,
    "layers": FOUNDATIONS | {"network"},
    "training": FOUNDATIONS | {"network"},
    "recurrent": FOUNDATIONS | {"network", "training"},
    "diagnosis": FOUNDATIONS | {"network", "training", "datasets"},
    "deep_tanh": FOUNDATIONS | {"network", "training", "datasets"},
    "remedies": FOUNDATIONS | {"network", "layers", "training", "datasets"},
    "claims": FOUNDATIONS | {"network", "layers", "training", "diagnosis", "theory", "datasets"},
    "explorers": LESSON_CODE,
    "grading": {"notebooks"},
    "cli": {"grading", "notebooks"},
    "__init__": set(),
}
DRAWING = {"matplotlib", "ipywidgets", "IPython", "PIL"}
MAY_DRAW = {"plots", "figures", "explorers"}


def modules():
    """(top-level name, path) of every module: the parts of a folder count as the folder."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield parts[0], path


def imported(tree, path):
    """The dotted names that a module imports, relative ones made absolute."""
    package = ["course_utils", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join(filter(None, [*base, node.module or ""]))
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def siblings(source, path):
    """The parts of course_utils, other than its own, that a module imports."""
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    parts = [name.split(".") for name in imported(ast.parse(source), path)]
    known = {name for name, _ in modules()}
    return {p[1] for p in parts if p[0] == "course_utils" and len(p) > 1 and p[1] in known} - {own}


def test_every_module_has_its_place_in_the_order():
    assert {name for name, _ in modules()} <= set(MAY_IMPORT)


@pytest.mark.parametrize(
    ("name", "path"), list(modules()), ids=lambda value: getattr(value, "stem", value)
)
def test_imports_run_one_way(name, path):
    source = path.read_text(encoding="utf-8")
    wrong = siblings(source, path) - MAY_IMPORT[name]
    assert not wrong, f"{name} may not import {sorted(wrong)}: see MAY_IMPORT"
    roots = {module.split(".")[0] for module in imported(ast.parse(source), path)}
    assert name in MAY_DRAW or not roots & DRAWING - {"IPython"}, f"{name} may not draw"


def test_a_module_that_imports_upwards_is_caught():
    path = PACKAGE / "activations.py"
    for source in (
        "from course_utils.training import train",
        "from course_utils import network",
        "from . import network",
        "from .network import MLP",
        "def late():\n    import course_utils.explorers",
    ):
        assert siblings(source, path) - MAY_IMPORT["activations"], source


def test_the_order_holds_no_cycle():
    order = {name: set(below) - {name} for name, below in MAY_IMPORT.items()}
    while order:
        free = {name for name, below in order.items() if not below & set(order)}
        assert free, f"a cycle among {sorted(order)}"
        order = {name: below for name, below in order.items() if name not in free}


def loaded_after(statement):
    """The modules that a fresh interpreter holds after `statement`."""
    code = f"{statement}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout))


def test_importing_the_package_costs_no_more_than_numpy():
    extra = loaded_after("import course_utils") - loaded_after("import numpy")
    assert {name for name in extra if not name.startswith("course_utils")} == set()


@pytest.mark.parametrize("name", sorted((LESSON_CODE | {"checks"}) - MAY_DRAW))
def test_the_numerical_modules_never_load_matplotlib_or_widgets(name):
    if not any(name == known for known, _ in modules()):
        pytest.fail(f"course_utils.{name} is missing")
    loaded = {module.split(".")[0] for module in loaded_after(f"import course_utils.{name}")}
    assert not loaded & DRAWING


def test_a_lesson_imports_its_own_explorer_and_no_other():
    loaded = loaded_after("from course_utils.explorers import chain_explorer, predict")
    ours = {name.split(".")[2] for name in loaded if name.startswith("course_utils.explorers.")}
    assert ours == {"base", "chain_rule", "prediction"}


def test_each_explorer_is_found_by_its_name_and_nothing_else_is():
    assert all(callable(getattr(explorers, name)) for name in explorers.__all__)
    with pytest.raises(AttributeError, match="'chains'"):
        _ = explorers.chains
