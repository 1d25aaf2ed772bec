"""What is imported is declared, what is declared is used, and all lists of versions agree."""

import ast
import json
import os
import subprocess
import sys
import textwrap
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from utils.authoring.store import notebooks
from utils.classroom.course import ASSIGNMENTS

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
# what opens and runs the lessons; ipywidgets comes with anywidget, in a version that VS Code shows
LESSON_TOOLS = {"jupyterlab", "ipykernel", "ipywidgets"}
TEST_TOOLS = {
    "mypy",
    "jupyter-repo2docker",
    "nbconvert",
    "nbgitpuller",
    "nbval",
    "playwright",
    "pytest-xdist",
    "ruff",
    "voila",
}
TEACHERS, AUTHORS = [ROOT / "utils" / "classroom"], [ROOT / "utils" / "authoring"]
UNIX_ONLY = ["fcntl", "grp", "pwd", "resource", "termios"]


def names(requirements):
    return {canonicalize_name(Requirement(line).name) for line in requirements}


def imported_in(sources):
    """The distributions that these programs import, by their names on the package index."""
    known, found = packages_distributions(), set()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module]
            for module in modules:
                top = module.partition(".")[0]
                if top not in sys.stdlib_module_names and top not in ("utils", "tests"):
                    # two distributions can share a module: as mpl_toolkits does
                    found.add(canonicalize_name(sorted(known.get(top, [top]))[0]))
    return found


def programs(*patterns):
    return [path.read_text("utf-8") for p in patterns for path in sorted(ROOT.glob(p))]


def cells(paths):
    for path in paths:
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                yield cell.source


def test_every_import_is_declared_and_every_dependency_imported():
    extra = PROJECT["optional-dependencies"]
    assignments = sorted((ASSIGNMENTS / "source").glob("*/*.ipynb"))
    package = sorted({path.parent for path in ROOT.glob("utils/**/*.py")} - {*TEACHERS, *AUTHORS})
    package = [str(folder.relative_to(ROOT) / "*.py") for folder in package]
    shown = {*notebooks(), *ROOT.glob("notebooks/recipes/*.ipynb")}
    lessons = imported_in([*cells(shown), *cells(assignments), *programs(*package)])
    main, formats = names(PROJECT["dependencies"]), names(extra["formats"])
    assert lessons - formats == main - LESSON_TOOLS
    assert formats <= lessons
    classroom = imported_in(programs("utils/classroom/*.py"))
    assert "nbgrader" in classroom  # which brings these:
    brought = {"ipython", "jupyter-client", "nbconvert", "nbformat", "pyzmq", "sqlalchemy"}
    assert classroom - main - names(extra["class"]) == brought
    tests = imported_in(programs("tests/**/*.py", "utils/authoring/*.py", "conftest.py"))
    declared = names(extra["test"]) - {"pytorch-in-batches"}
    missing = tests - main - declared - names(extra["class"]) - names(extra["bench"]) - formats
    missing -= brought
    assert missing == set()
    assert declared - tests == TEST_TOOLS - tests


def pinned():
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in found}


def test_the_pinned_versions_are_in_the_declared_ranges():
    versions = pinned()
    extras = PROJECT["optional-dependencies"].items()
    # the loaders that ours are raced with want other versions, and an environment of their own
    extra = [line for name, lines in extras for line in lines if name != "bench"]
    for line in [*PROJECT["dependencies"], *extra]:
        wanted = Requirement(line)
        if canonicalize_name(wanted.name) != "pytorch-in-batches":
            assert versions[canonicalize_name(wanted.name)] in wanted.specifier, line


ENVIRONMENTS = ["environment.yml", "binder/environment.yml"]


def asked_of_pip(name):
    """The lines that an environment file gives to pip."""
    environment = yaml.safe_load((ROOT / name).read_text("utf-8"))
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    return pip


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_environments_take_python_3_11_and_the_pinned_versions(name):
    environment = yaml.safe_load((ROOT / name).read_text("utf-8"))
    assert "python=3.11" in environment["dependencies"]  # a range would give repo2docker's own
    pip = asked_of_pip(name)
    (line,) = [line for line in pip if line.startswith("--requirement")]
    path = ROOT / Path(name).parent / line.removeprefix("--requirement ")
    assert path.resolve() == ROOT / "requirements.txt"
    torch = [line for line in pip if line.startswith("torch")]
    assert torch == ([f"torch=={pinned()['torch']}+cpu"] if name.startswith("binder") else [])


@pytest.mark.thorough
def test_what_the_environments_ask_for_can_be_installed_together(tmp_path):
    """Both lists at once, since each takes most of a minute."""
    pip = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
    pip += ["--retries", "0", "--timeout", "10"]
    if subprocess.run([*pip, "--no-deps", "pip"], capture_output=True, check=False).returncode:
        pytest.skip("no package index can be reached")
    lines = {line.replace("../", "") for name in ENVIRONMENTS for line in asked_of_pip(name)}
    report = tmp_path / "report.json"
    done = subprocess.run(
        [*pip, "--report", str(report), *(word for line in sorted(lines) for word in line.split())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = [entry["metadata"] for entry in json.loads(report.read_text("utf-8"))["install"]]
    versions = {canonicalize_name(one["name"]): one["version"] for one in found}
    assert versions.pop("pytorch-in-batches")
    versions.pop("setuptools", None)  # which pip's list of what is installed leaves out
    assert versions | {"torch": versions["torch"].removesuffix("+cpu")} == pinned()


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform == "win32", reason="repo2docker needs a Unix")
def test_repo2docker_accepts_the_repository():
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert "Building conda environment for python=3.11" in told
    # the environment is made after the files are there, since it reads requirements.txt
    assert told.index("COPY --chown=0:0 src/") < told.index('--file "binder/environment.yml"')
    assert "RUN ./binder/postBuild" in told
    assert 'R2D_ENTRYPOINT="${REPO_DIR}/binder/start"' in told


def test_binder_has_nothing_outside_its_folder_that_it_would_ignore():
    assert {path.name for path in (ROOT / "binder").iterdir()} == {
        "environment.yml",
        "postBuild",
        "start",
    }
    for name in ("postBuild", "start"):
        assert os.access(ROOT / "binder" / name, os.X_OK) or sys.platform == "win32"
    assert not (ROOT / "postBuild").exists()


def test_the_package_imports_where_unix_modules_are_missing():
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted(ROOT.glob("utils/**/*.py"))
        if path.name not in ("__init__.py", "__main__.py")
    ]
    program = f"""
        import importlib, os, sys
        for name in {modules}:  # first as they are, since other packages may want Unix's modules
            importlib.import_module(name)
        for name in [name for name in sys.modules if name.partition(".")[0] == "utils"]:
            del sys.modules[name]
        for name in {UNIX_ONLY}:
            sys.modules[name] = None
        for name in ("fork", "getuid", "sched_getaffinity", "setsid"):
            delattr(os, name)
        for name in {modules}:
            importlib.import_module(name)
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_package_lists_all_its_folders():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    folders = {
        ".".join(path.parent.relative_to(ROOT).parts) for path in ROOT.glob("utils/**/__init__.py")
    }
    assert set(project["tool"]["setuptools"]["packages"]) == folders


def test_no_other_folders_at_the_top():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    tops = {name.split("/")[0] for name in tracked if "/" in name}
    assert {top for top in tops if not top.startswith(".")} == {
        "binder",
        "notebooks",
        "tests",
        "utils",
    }
