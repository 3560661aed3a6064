"""The files that set the course up agree with each other, and name nobody's machine."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from rattler import MatchSpec

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# conda-forge's name -> PyPI's, where they differ
PYPI_NAME = {"matplotlib-base": "matplotlib", "jupyter_client": "jupyter-client"}
LOCKS = ["requirements.lock", "tests/browser/requirements.lock"]


def bounds(requirement: Requirement):
    return requirement.name, str(requirement.specifier), str(requirement.marker or "")


def conda_dependencies():
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]


def environment_bounds(dependencies):
    """name, bounds and marker of each package that environment.yml installs."""
    by_pip = [line for entry in dependencies if isinstance(entry, dict) for line in entry["pip"]]
    by_conda = [entry for entry in dependencies if isinstance(entry, str)]
    requirements = [Requirement(line) for line in by_pip if not line.startswith("--editable")]
    for line in by_conda:
        name = re.match(r"[\w-]+", line).group()
        requirements.append(Requirement(PYPI_NAME.get(name, name) + line.removeprefix(name)))
    return {bounds(r) for r in requirements if r.name not in ("python", "pip")}


def test_environment_yml_installs_what_pyproject_says():
    assert environment_bounds(conda_dependencies()) == {
        bounds(Requirement(line)) for line in PROJECT["dependencies"]
    }


def test_environment_yml_asks_for_the_same_python():
    assert f"python{PROJECT['requires-python']}" in conda_dependencies()


def test_a_changed_bound_is_noticed():
    dependencies = [
        line.replace("numpy>=2.0", "numpy>=1.0") if isinstance(line, str) else line
        for line in conda_dependencies()
    ]
    assert environment_bounds(dependencies) != environment_bounds(conda_dependencies())


@pytest.mark.parametrize("spec", [line for line in conda_dependencies() if isinstance(line, str)])
def test_conda_reads_each_line(spec):
    assert MatchSpec(spec).name is not None


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_package_with_hashes_and_names_no_host(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    packages = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert len(packages) > 50
    for package in packages:
        assert re.match(r"[a-z0-9._-]+==\S+", package), package[:80]
        assert "--hash=sha256:" in package, package[:80]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_every_dependency_within_its_bounds(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    pinned = re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", text, re.MULTILINE)
    for line in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]:
        requirement = Requirement(line)
        versions = [version for name, version in pinned if name == requirement.name.lower()]
        assert versions, f"{requirement.name} is missing: run make lock"
        assert all(version in requirement.specifier for version in versions), line


def tracked_files():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    run = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [Path(name) for name in run.stdout.split("\0") if name]


def test_nothing_generated_or_forbidden_is_tracked():
    forbidden = {"utils.py", "helpers.py"}
    for path in tracked_files():
        assert path.name not in forbidden, path
        assert not path.name.startswith("Untitled"), path
        assert not {".ipynb_checkpoints", "__pycache__", ".venv"} & set(path.parts), path
        assert path.suffix not in {".pyc", ".pdf"}, path


def test_the_version_is_the_same_everywhere():
    import course_utils

    version = PROJECT["version"]
    assert course_utils.__version__ == version
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == version
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
