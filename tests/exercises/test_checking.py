"""How `check` goes about it: the loop as oracle, stubs, forms, errors, and what may not grow."""

import importlib
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from utils.authoring.store import NOTEBOOKS
from utils.exercises.answers import check
from utils.exercises.exercise import Exercise

LESSONS = sorted(
    path.stem.removeprefix("lesson_") for path in Path("utils/exercises").glob("lesson_??.py")
)


def exercises(lesson):
    return importlib.import_module(f"utils.exercises.lesson_{lesson}").EXERCISES


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_loop_itself_is_right_but_told_that_it_loops_where_calls_are_counted(lesson):
    for name, exercise in exercises(lesson).items():
        verdict = check(name, exercise.loop)
        expected = "still loops over" if exercise.growing else "right on"
        assert expected in verdict.message, verdict


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_mistake_of_an_exercise_is_right_on_all_its_inputs(lesson):
    for exercise in exercises(lesson).values():
        for hint, mistake in exercise.mistakes.items():
            assert any(differs(exercise, mistake, inputs) for inputs in exercise.cases.values()), (
                hint
            )


def differs(exercise, mistake, inputs):
    try:
        results = (exercise.use(answer, *inputs) for answer in (mistake, exercise.loop))
        torch.testing.assert_close(*results)
    except Exception:
        return True
    return False


def checked_cells(path):
    """Exercise -> the source of the first cell that defines an answer and checks it."""
    found = {}
    for cell in nbformat.read(path, as_version=4).cells:
        if 'check("' in cell.source and ("def " in cell.source or "class " in cell.source):
            found.setdefault(cell.source.split('check("')[-1].split('"')[0], cell.source)
    return found


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_lesson_asks_for_what_the_solution_answers(lesson):
    (path,) = NOTEBOOKS.glob(f"{lesson}_*.ipynb")
    asked, answered = checked_cells(path), checked_cells(NOTEBOOKS / "solutions" / path.name)
    assert asked.keys() == answered.keys() == exercises(lesson).keys()
    for name, stub in asked.items():
        verdict = check(name, defined_in(stub))
        assert verdict.status == "not attempted", stub
        assert check(name, defined_in(answered[name])).status == "right"


def defined_in(cell):
    """The last function that a cell defines before it checks it."""
    scope = {"np": np, "torch": torch, "Dataset": Dataset}  # what lessons import
    scope["check"] = lambda name, answer: scope.update(answer=answer)
    exec(cell, scope)
    return scope["answer"]


def test_unknown_exercises_and_answers_that_are_no_functions_are_refused():
    with pytest.raises(ValueError, match=r"lesson 01 has 01\.1, 01\.2"):
        check("01.9", torch.stack)
    with pytest.raises(ValueError, match="no lesson '77'"):
        check("77.1", torch.stack)
    with pytest.raises(TypeError, match="without brackets"):
        check("01.1", torch.zeros(3))


def test_inputs_with_nan_and_classes_that_lack_a_method(monkeypatch):
    nan = torch.tensor([1.0, torch.nan])
    mine = Exercise(loop=lambda x: x + 1, cases={"NaN": (nan,)})
    rows = Exercise(
        loop=type("Right", (Dataset,), {"__getitem__": lambda self, i: torch.zeros(())}),
        cases={"one": ()},
        use=lambda cls: cls()[0],
    )
    monkeypatch.setattr("utils.exercises.lesson_01.EXERCISES", {"01.1": mine, "01.2": rows})
    assert check("01.1", lambda x: x + 1).status == "right"
    assert "in place" in check("01.1", lambda x: x.add_(1)).message
    assert check("01.2", type("Wrong", (Dataset,), {})).status == "wrong"


def test_results_of_several_tensors_are_compared_part_by_part(monkeypatch):
    both = Exercise(
        loop=lambda x: {"sum": x.sum(), "rows": [x, 2 * x]}, cases={"three": (torch.arange(3.0),)}
    )
    monkeypatch.setattr("utils.exercises.lesson_01.EXERCISES", {"01.1": both})

    def told(answer):
        return check("01.1", answer).message

    assert told(both.loop).startswith("right")
    assert "expected is a dict of ['sum', 'rows']" in told(lambda x: x)
    assert "for 'rows' None" in told(lambda x: {"sum": x.sum(), "rows": None})
    assert "expected is a list of 2" in told(lambda x: {"sum": x.sum(), "rows": [x]})
    assert "for 'rows' at index 1 shape (2,)" in told(
        lambda x: {"sum": x.sum(), "rows": [x, x[1:]]}
    )
    assert "returns 4 where the loop returns 3" in told(
        lambda x: {"sum": x.sum() + 1, "rows": [x, 2 * x]}
    )
