"""The assignments themselves: complete, solvable in every year, and not fooled."""

import builtins
import contextlib
import gc
import io
import re
import warnings
from collections import Counter
from itertools import pairwise

import nbformat
import pytest
import torch
from nbgrader.preprocessors import ClearSolutions

from tests.classroom.classes import briefly, wrong_answers
from utils.classroom import wire
from utils.classroom.answering import reply_from
from utils.classroom.course import ASSIGNMENTS
from utils.classroom.hidden import tasks
from utils.classroom.judging import MOST_CALLS, judge

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
    """The cells of an assignment, run in one process, and what they leave: ``scope``."""

    def __init__(self, cells, scope=None):
        self.cells = cells
        self.scope = scope or {"__name__": "__main__", "__builtins__": builtins}

    def errors(self, names=None):
        """Cell -> its error, of the cells with these names."""
        errors, scope = {}, self.scope
        for name in names or self.cells:
            told = io.StringIO()
            try:
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(told):
                    exec(compile(self.cells[name], name, "exec"), scope)
            except Exception as error:
                errors[name] = f"{type(error).__name__}: {error}"
            assert not told.getvalue(), "nbgrader takes what is on stderr for a failure"
        return errors


def judged(path, year, scope, chance=11, only=None):
    """Test cell -> what the judge says is wrong, of the answers in ``scope``."""

    def ask(place, answer, way, inputs, observe):
        return wire.read(wire.write(reply_from(scope, answer, way, inputs, observe)))

    wanted = tasks(ASSIGNMENTS / "hidden" / path.stem, year, chance)
    said = {task.test: judge(task, ask) for task in wanted if only in (None, task.test)}
    return {test: words for test, words in said.items() if words}


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
    run = Run(code_cells(path, seed))
    assert run.errors() == {}
    assert judged(path, seed, run.scope) == {}


@each
@pytest.mark.thorough
def test_the_solutions_pass_whatever_is_drawn(path):
    run = Run(code_cells(path, 3))
    assert run.errors() == {}
    for chance in range(20):
        assert judged(path, 3, run.scope, chance) == {}


@each
def test_untouched_each_test_fails_and_nothing_else(path):
    stubs = Run(code_cells(path, 1, ClearSolutions))
    tests = set(decisive_tests(path).values())
    assert set(stubs.errors()) == tests
    said = judged(path, 1, stubs.scope)
    assert set(said) == tests
    assert all("not attempted" in words for words in said.values())


@each
def test_years_differ(path):
    """A year's shown constants and data are not those of the next."""
    shown = []
    for seed in (1, 2):
        cells = code_cells(path, seed, ClearSolutions)
        names = [name for name in cells if name not in decisive_tests(path).values()]
        run = Run(cells)
        run.errors(names)
        shown.append(run.scope)
    constants = {name for name in shown[0] if name.isupper()} - {"SEED"}
    assert any(repr(shown[0][name]) != repr(shown[1][name]) for name in constants)


@each
@pytest.mark.parametrize("seed", [1, pytest.param(2026, marks=pytest.mark.thorough)])
def test_wrong_answers_fail_their_own_test(path, seed):
    wrong, tests, cells = wrong_answers(path.stem), decisive_tests(path), code_cells(path, seed)
    assert wrong.keys() == tests.keys()
    setup = [name for name in cells if name not in tests and name not in tests.values()]
    prepared = Run(cells)
    assert not prepared.errors(setup)
    for task, sources in wrong.items():
        assert len(sources) >= 8
        for source in sources:
            run = Run(cells | {task: source}, dict(prepared.scope))
            assert not run.errors([task]), source
            assert judged(path, seed, run.scope, only=tests[task]), source


@each
def test_a_wrong_answer_costs_its_own_task_alone(path):
    tests = decisive_tests(path)
    for task, sources in wrong_answers(path.stem).items():
        run = Run(code_cells(path) | {task: sources[0]})
        assert set(run.errors()) <= {tests[task]}
        assert set(judged(path, 1, run.scope)) == {tests[task]}


def sizes(inputs):
    """All lengths, sizes of tensors and whole numbers among the inputs."""
    for one in inputs:
        if isinstance(one, list | tuple):
            yield len(one)
            yield from sizes(one)
        elif isinstance(one, int):
            yield one
        else:
            yield from getattr(one, "shape", ())


@each
def test_there_is_more_of_what_grows_than_a_loop_of_fixed_length_may_call(path):
    for task in tasks(ASSIGNMENTS / "hidden" / path.stem, 1, 1):
        for part in task.parts:
            for what, (few, many) in part.exercise.growing.items():
                more = Counter(sizes(many)) - Counter(sizes(few))
                assert max(more) > MOST_CALLS, f"{task.answer}: {what}"


LEAVING = [
    "np.asarray(a)",
    "np.from_dlpack(a)",
    "next(map(Tensor.numpy, [a]))",
    "operator.methodcaller('numpy')(a)",
    "getattr(a, 'num' + 'py')()",
    "functools.partial(Tensor.numpy, a)()",
]


@pytest.mark.parametrize("way", LEAVING)
def test_data_leave_by_no_back_door(way):
    (path,) = [path for path in PATHS if path.stem == "stacking"]
    source = "import functools, operator\nimport numpy as np\n" + code_cells(path)["answer-3"]
    found = source.replace("squares = (a.", f"squares = (torch.from_numpy({way}).to(a.dtype).")
    scope = {"torch": torch, "Tensor": torch.Tensor}
    exec(source, scope)
    assert judged(path, 1, scope, only="test-3") == {}
    exec(found, scope)
    assert "leaves PyTorch" in judged(path, 1, scope, only="test-3")["test-3"]


@each
def test_each_task_has_hidden_tests_and_no_source_holds_them(path):
    named = {task.test for task in tasks(ASSIGNMENTS / "hidden" / path.stem, 1, 1)}
    assert named == set(decisive_tests(path).values())
    assert "HIDDEN TESTS" not in path.read_text("utf-8")
