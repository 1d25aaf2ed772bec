"""The assignments themselves: complete, solvable in every year, and not fooled."""

import builtins
import contextlib
import gc
import io
import re
import warnings
from itertools import pairwise

import nbformat
import pytest
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions

from tests.classroom.classes import briefly, wrong_answers
from utils.classroom.course import ASSIGNMENTS

PATHS = sorted((ASSIGNMENTS / "source").glob("*/*.ipynb"))
SEEDS = [1, 2026]
# files and folders that an assignment leaves to the garbage collector
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
each = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


@pytest.fixture(autouse=True)
def _nothing_for_the_next_test():
    """Collect what the cells left, so that no later test meets the warnings about it."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def code_cells(path, seed=1, *preprocessors):
    """Name of each code cell -> its source, in that year."""
    notebook = nbformat.read(path, as_version=4)
    for preprocessor in preprocessors:
        notebook, _ = preprocessor().preprocess(notebook, {})
    cells = {c.metadata.nbgrader.grade_id: c for c in notebook.cells if c.cell_type == "code"}
    return {
        name: briefly(re.sub(r"^SEED = 1$", f"SEED = {seed}", cell.source, flags=re.MULTILINE))
        for name, cell in cells.items()
    }


class Run:
    """The cells of an assignment, run in one process."""

    def __init__(self, cells):
        self.cells = cells

    def errors(self, names=None, scope=None):
        """Cell -> its error, of the cells with these names."""
        scope = {"__name__": "__main__", "__builtins__": builtins} if scope is None else scope
        errors = {}
        for name in names or self.cells:
            told = io.StringIO()
            try:
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(told):
                    exec(compile(self.cells[name], name, "exec"), scope)
            except Exception as error:
                errors[name] = f"{type(error).__name__}: {error}"
            assert not told.getvalue(), "nbgrader takes what is on stderr for a failure"
        return errors


def decisive_tests(path):
    """Answer cell -> the test cell behind it, for the automatically graded tasks."""
    cells = nbformat.read(path, as_version=4).cells
    marked = [
        c.metadata.nbgrader
        for c in cells
        if c.metadata.nbgrader.solution or c.metadata.nbgrader.grade
    ]
    return {
        answer.grade_id: test.grade_id
        for answer, test in pairwise(marked)
        if answer.solution and not answer.grade
    }


@each
def test_points_add_up_and_one_task_is_read(path):
    cells = nbformat.read(path, as_version=4).cells
    marks = [cell.metadata.nbgrader for cell in cells]
    assert sum(mark.get("points", 0) for mark in marks) == 100
    assert sum(mark.grade and mark.solution for mark in marks) == 1
    assert 5 <= sum(mark.grade for mark in marks) <= 7
    names = [mark.grade_id for mark in marks]
    assert len(set(names)) == len(names)
    assert not any(cell.get("outputs") for cell in cells)
    assert all(mark.locked != mark.solution for mark in marks)


@each
@pytest.mark.parametrize("seed", SEEDS)
def test_the_solutions_pass_in_every_year(path, seed):
    assert Run(code_cells(path, seed)).errors() == {}


@each
def test_untouched_each_test_fails_and_nothing_else(path):
    stubs = Run(code_cells(path, 1, ClearSolutions))
    assert set(stubs.errors()) == set(decisive_tests(path).values())
    given_out = Run(code_cells(path, 1, ClearSolutions, ClearHiddenTests))
    assert set(given_out.errors()) == set(decisive_tests(path).values())


@each
def test_years_differ(path):
    """A year's shown constants and data are not those of the next."""
    shown = []
    for seed in (1, 2):
        scope = {"__name__": "__main__"}
        cells = code_cells(path, seed, ClearSolutions)
        names = [name for name in cells if name not in decisive_tests(path).values()]
        Run(cells).errors(names, scope)
        shown.append(scope)
    constants = {name for name in shown[0] if name.isupper()} - {"SEED"}
    assert any(repr(shown[0][name]) != repr(shown[1][name]) for name in constants)


@each
@pytest.mark.parametrize("seed", SEEDS)
def test_wrong_answers_fail_their_own_test(path, seed):
    wrong, tests, cells = wrong_answers(path.stem), decisive_tests(path), code_cells(path, seed)
    assert wrong.keys() == tests.keys()
    setup = [name for name in cells if name not in tests and name not in tests.values()]
    prepared = {"__name__": "__main__"}
    assert not Run(cells).errors(setup, prepared)
    for task, sources in wrong.items():
        assert len(sources) >= 8
        for source in sources:
            run = Run(cells | {task: source})
            errors = run.errors([task, tests[task]], dict(prepared))
            assert set(errors) == {tests[task]}, source


@each
def test_a_wrong_answer_costs_its_own_task_alone(path):
    tests = decisive_tests(path)
    for task, sources in wrong_answers(path.stem).items():
        errors = Run(code_cells(path) | {task: sources[0]}).errors()
        assert set(errors) == {tests[task]}
