"""Questions with choices: told at once, readable without a kernel, never with a wrong answer."""

import re

import nbformat
import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import default_collate

from tests.browser.lab import chromium, new_page
from utils import count_calls, quiz
from utils.authoring.store import NOTEBOOKS
from utils.exercises.questions import multiple_choice
from utils.exercises.quizzes import QUIZZES

OPTIONS = {"(12, 6)": "That is `torch.cat`.", "(3, 4, 6)": "", "(4, 6, 3)": ""}


def asked(answer="(3, 4, 6)", options=OPTIONS):
    return multiple_choice(
        "Which shape has `stack`?", options, answer, "It makes a new dimension & more."
    )


def test_the_plain_text_has_the_options_and_not_the_answer():
    assert repr(asked()) == (
        "Your turn: Which shape has `stack`?\n  a) (12, 6)\n  b) (3, 4, 6)\n  c) (4, 6, 3)"
    )


def test_options_may_be_numbers_truths_and_shapes():
    assert multiple_choice("1 + 1?", [1, 2, 3], 2, "").right == 1
    assert multiple_choice("Is it?", [True, False], False, "").right == 1
    assert multiple_choice("How often?", ["once", "twice"], "twice", "").right == 1
    assert asked((3, 4, 6), [(12, 6), (3, 4, 6), (4, 6, 3)]).right == 1


@pytest.mark.parametrize(
    ("options", "answer"),
    [(["a", "b"], "c"), (["a", "b"], 0), (["a", "a", "b"], "b"), (["a"], "a"), ([1, "1"], 1)],
)
def test_a_question_without_one_right_option_is_refused(options, answer):
    with pytest.raises(ValueError, match="options"):
        multiple_choice("Which?", options, answer, "")


def test_what_is_shown_is_text_and_not_markup():
    shown = multiple_choice("Is <b> `a < b`?", ["<i>", "b & c"], "<i>", "<script>")._repr_html_()
    assert "<code>a &lt; b</code>" in shown
    assert "&lt;i&gt;" in shown
    assert "<script>" not in shown


SAMPLES = [torch.rand(3) for _ in range(3)]
SEQUENCES = [torch.ones(n) for n in (26, 89, 29, 25)]


def brightest():
    """The first of three ways after which the brightest pixel of each image is 1."""
    images = torch.rand(64, 8, 8) + 1
    for way in quiz("02.broadcast").options:
        divisor = eval(way, {"images": images})
        try:
            result = images / divisor
        except RuntimeError:
            continue
        if torch.equal(result.amax(dim=(1, 2)), torch.ones(64)):
            return way
    return None


# what PyTorch and NumPy say themselves
COMPUTED = {
    "01.cat": lambda: f"{(*torch.stack(SAMPLES).shape,)} and {(*torch.cat(SAMPLES).shape,)}",
    "01.calls": lambda: count_calls(lambda x: torch.stack(x).sum(dim=1), SAMPLES * 100).total(),
    "02.broadcast": lambda: brightest(),
    "04.collate": lambda: default_collate([0.5, 0.5]).dtype,
    "05.shape": lambda: (*pad_sequence(SEQUENCES, batch_first=True).shape,),
    "05.owner": lambda: torch.arange(3).repeat_interleave(torch.tensor([1, 0, 3])).tolist(),
    "07.last": lambda: len(np.zeros(1000)[960:1024]),
}


@pytest.mark.parametrize("name", COMPUTED)
def test_answers_are_what_is_computed(name):
    shown = quiz(name)
    assert shown.options[shown.right] == str(COMPUTED[name]())


def test_each_lesson_asks_the_questions_that_are_there():
    asked = [
        re.fullmatch(r'quiz\("(.+)"\)', cell.source)[1]
        for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code" and cell.source.startswith("quiz(")
    ]
    assert sorted(asked) == sorted(QUIZZES)
    assert all(len(quiz(name).options) >= 2 for name in asked)


def test_a_name_that_is_unknown_gets_close_ones():
    with pytest.raises(ValueError, match=r"there is no question '01.dimm'. Near it: 01.dim"):
        quiz("01.dimm")


@pytest.mark.browser
def test_the_keyboard_opens_an_option_and_only_then_it_is_told():
    with chromium() as browser:
        page = new_page(browser)
        page.set_content(asked()._repr_html_())
        assert page.get_by_text("Right.").is_hidden()
        for said in ("✗ Not this one. That is torch.cat.", "✓ Right. It makes a new dimension & "):
            assert page.get_by_text(said).is_hidden()
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            assert page.get_by_text(said).is_visible()
        assert page.get_by_text("Not this one.").nth(1).is_hidden()
        assert not page.problems
