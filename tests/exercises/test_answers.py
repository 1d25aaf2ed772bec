"""Right answers pass, and every wrong one is refused with a hint that names its mistake."""

import importlib
from pathlib import Path

import pytest

from utils.exercises.answers import check

LESSONS = sorted(
    path.stem.removeprefix("lesson_") for path in Path("utils/exercises").glob("lesson_??.py")
)


def answers(kind, lesson):
    module = importlib.import_module(f"tests.exercises.{kind}_answers.lesson_{lesson}")
    return getattr(module, kind.upper())


def numbered(kind):
    return [
        pytest.param(name, answer, id=f"{name}-{index}")
        for lesson in LESSONS
        for name, listed in answers(kind, lesson).items()
        for index, answer in enumerate(listed)
    ]


@pytest.mark.parametrize(("name", "answer"), numbered("right"))
def test_a_right_answer_passes(name, answer):
    assert check(name, answer).message.startswith("right on")


@pytest.mark.parametrize(("name", "answer"), numbered("wrong"))
def test_a_wrong_answer_is_refused_and_its_mistake_named(name, answer):
    wrong, words = answer
    verdict = check(name, wrong)
    assert verdict.status == "wrong"
    assert words in verdict.message


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_exercise_has_several_right_and_wrong_answers(lesson):
    exercises = importlib.import_module(f"utils.exercises.lesson_{lesson}").EXERCISES
    for kind, least in {"right": 2, "wrong": 6}.items():
        assert answers(kind, lesson).keys() == exercises.keys()
        assert all(len(listed) >= least for listed in answers(kind, lesson).values())
