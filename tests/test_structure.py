"""The house: imports run one way, names mean one thing, and what needs no notebook loads none."""

import ast
import subprocess
import sys
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

import utils

ROOT = Path(__file__).parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ROOT.glob("utils/**/*.py"))
}


def dynamic_imports(source):
    """What a program imports by ``import_module("…")``; of an f-string the beginning."""
    for node in ast.walk(ast.parse(source)):
        called = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module")
        if called and isinstance(node.args[0], ast.Constant):
            yield node.args[0].value
        elif called and isinstance(node.args[0], ast.JoinedStr):
            yield node.args[0].values[0].value


def imports():
    """Module -> the modules of the package that it imports, also those by ``import_module``."""
    graph = grimp.build_graph("utils", cache_dir=None)
    found = {name: set(graph.find_modules_directly_imported_by(name)) for name in MODULES}
    for name, path in MODULES.items():
        for begin in dynamic_imports(path.read_text("utf-8")):
            found[name] |= {other for other in MODULES if other.startswith(begin)} - {name}
    return found


def test_no_circle():
    try:
        order = list(TopologicalSorter(imports()).static_order())
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))
    assert set(order) == set(MODULES)


def test_a_circle_would_be_found():
    assert list(dynamic_imports('import_module(f"utils.lesson_{n}")')) == ["utils.lesson_"]
    assert list(dynamic_imports('importlib.import_module("utils.data")')) == ["utils.data"]
    with pytest.raises(CycleError):
        list(TopologicalSorter({"a": {"b"}, "b": {"a"}}).static_order())


def test_the_graph_is_the_real_one():
    found = imports()
    assert "utils.measuring.stopwatch" in found["utils.timing"]
    assert "utils.exercises.lesson_01" in found["utils.exercises.answers"]


def test_the_package_itself_uses_no_name_of_the_front_door():
    front = {name for name, others in imports().items() if "utils" in others}
    assert front == set()


def names_defined(path):
    """The public functions and classes that stand in a module."""
    for node in ast.parse(path.read_text("utf-8")).body:
        kind = ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef
        if isinstance(node, kind) and not node.name.startswith("_") and node.name != "main":
            yield node.name


def test_no_two_things_share_a_name():
    defined = Counter(name for path in MODULES.values() for name in names_defined(path))
    assert [name for name, count in defined.items() if count > 1] == []
    modules = Counter(name.rpartition(".")[2] for name in MODULES)
    shared = {name for name in modules if name in defined}
    assert shared == set()
    assert [name for name, count in modules.items() if count > 1 and name != "__main__"] == []


@pytest.mark.parametrize("name", utils.__all__)
def test_each_name_of_the_front_door_opens(name):
    found = getattr(utils, name)
    assert found.__doc__
    assert name in dir(utils)


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        utils.nothing  # noqa: B018


@pytest.mark.parametrize(
    "name", ["utils", "utils.timing", "utils.loading", "utils.measuring.memory"]
)
def test_what_needs_no_notebook_loads_none(name):
    heavy = ["IPython", "ipywidgets", "matplotlib", "pandas", "sklearn", "nbformat"]
    program = f"import sys, {name}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr
