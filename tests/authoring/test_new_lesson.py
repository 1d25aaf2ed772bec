"""A lesson that has only begun is complete in form, and is told what it lacks."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from utils.authoring.form import HEADINGS, NEEDED, SETUP, core_of, missing
from utils.authoring.new_lesson import start

ROOT = Path(__file__).parents[2]


@pytest.fixture
def repository(tmp_path):
    for folder in ("notebooks/solutions", "utils/exercises", "tests/exercises/wrong_answers"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(ROOT / "README.md", tmp_path)
    return tmp_path


def test_what_is_written_is_named_where_others_look_for_it(repository):
    path = start(repository, "77_new")
    found = nbformat.read(path, as_version=4)
    nbformat.validate(found)
    assert next(c.source for c in found.cells if c.cell_type == "code") == SETUP
    rows = [line for line in (repository / "README.md").read_text().splitlines() if "77" in line]
    assert rows == ["| [77 · …](notebooks/77_new.ipynb) | … |"]
    for name in ("utils/exercises/lesson_77.py", "tests/exercises/wrong_answers/lesson_77.py"):
        scope = {}
        exec(compile((repository / name).read_text(), name, "exec"), scope)
        assert list(scope.get("EXERCISES", scope.get("WRONG"))) == ["77.1"]


def test_the_stub_is_not_attempted_and_the_solution_is_right(repository, monkeypatch):
    start(repository, "77_new")
    scope = {}
    exec((repository / "utils/exercises/lesson_77.py").read_text(), scope)
    monkeypatch.setattr("utils.exercises.lesson_01.EXERCISES", {"01.1": scope["EXERCISES"]["77.1"]})
    said = {}
    for folder in ("notebooks", "notebooks/solutions"):
        notebook = nbformat.read(repository / folder / "77_new.ipynb", as_version=4)
        source = next(cell.source for cell in notebook.cells if cell.id == "ex-1")
        said[folder] = run(source.replace("77.1", "01.1"))
    assert said["notebooks"].status == "not attempted"
    assert said["notebooks/solutions"].status == "right"


def run(source):
    from utils import check

    scope = {"check": lambda *given: scope.update(verdict=check(*given))}
    exec(source, scope)
    return scope["verdict"]


def test_a_new_lesson_is_told_one_by_one_what_it_lacks(repository):
    path = start(repository, "77_new")
    told = missing(path)
    assert not any("heading" in line for line in told)
    assert any("questions on the way" in line for line in told)
    assert any("pictures" in line for line in told)
    assert sum("a text in place of …" in line for line in told) >= len(HEADINGS)


@pytest.mark.parametrize("heading", NEEDED)
def test_a_heading_that_is_missing_is_named(repository, heading):
    path = start(repository, "77_new")
    change(path, lambda cell: cell.source.replace(f"## {heading}\n", "### Other\n"))
    assert any(f"'## {heading}'" in line for line in missing(path))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("**Minutes:** core 25", "**Minutes:** 25", "the line '**Minutes:**"),
        ("core 25", "core 45", "it says 45"),
        ("## Explore\n", "## Play\n", "'## Play' is none of the headings"),
        ("## Measure\n", "## Why\n", "the order of the headings"),
        (SETUP, "import utils", "the first code cell"),
        ("import torch\n", "import torch\n" * 6, "imports of at most five lines"),
        ("## Why\n", "## Why\n\n" + "word " * 2000, "it has 2,0"),
        ("import torch\n", "x = 1\n" * 200, "lines of code: it has 20"),
    ],
)
def test_each_rule_is_told(repository, old, new, words):
    path = start(repository, "77_new")
    change(path, lambda cell: cell.source.replace(old, new))
    assert any(words in line for line in missing(path)), missing(path)


def test_files_that_are_missing_are_named(repository):
    path = start(repository, "77_new")
    (repository / "utils/exercises/lesson_77.py").unlink()
    (repository / "notebooks/solutions/77_new.ipynb").unlink()
    (repository / "README.md").write_text("")
    told = missing(path)
    assert "notebooks/solutions/77_new.ipynb" in told
    assert "utils/exercises/lesson_77.py" in told
    assert "a row in the README's table of lessons" in told


def change(path, edit):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = edit(cell)
    nbformat.write(notebook, path)


def test_the_core_ends_where_the_exercises_begin(repository):
    core = core_of(nbformat.read(start(repository, "77_new"), as_version=4))
    assert core[-1].source.startswith("## What goes wrong")


def test_nothing_is_overwritten_and_names_have_a_form(repository):
    start(repository, "77_new")
    with pytest.raises(FileExistsError, match="exists already"):
        start(repository, "77_new")
    for name in ("new", "7_new", "77-new", "../77_new"):
        with pytest.raises(ValueError, match="08_batch_size"):
            start(repository, name)


def test_the_command_says_what_is_wrong_with_a_name():
    command = [sys.executable, "-m", "utils.authoring.new_lesson", "new"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "08_batch_size" in done.stderr
    assert "Traceback" not in done.stderr
