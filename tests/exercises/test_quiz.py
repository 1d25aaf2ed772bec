"""Questions with choices: told at once, readable without a kernel, never with a wrong answer."""

import pytest
import torch

from tests.browser.lab import chromium, new_page
from utils import quiz

OPTIONS = {"(12, 6)": "That is `torch.cat`.", "(3, 4, 6)": "", "(4, 6, 3)": ""}


def shape():
    return tuple(torch.stack([torch.zeros(4, 6)] * 3).shape)


def asked(answer=shape, options=OPTIONS):
    return quiz("Which shape has `stack`?", options, answer, "It makes a new dimension & more.")


def test_the_plain_text_has_the_options_and_not_the_answer():
    assert repr(asked()) == (
        "Your turn: Which shape has `stack`?\n  a) (12, 6)\n  b) (3, 4, 6)\n  c) (4, 6, 3)"
    )


@pytest.mark.parametrize("answer", ["(3, 4, 6)", (3, 4, 6), torch.Size([3, 4, 6]), shape])
@pytest.mark.parametrize("options", [OPTIONS, [(12, 6), (3, 4, 6), (4, 6, 3)]])
def test_an_answer_is_an_option_or_computes_one(answer, options):
    if isinstance(answer, torch.Size) and options is OPTIONS:
        answer = tuple(answer)
    assert asked(answer, options).right == 1


def test_options_may_be_numbers_and_truths():
    assert quiz("1 + 1?", [1, 2, 3], lambda: 1 + 1, "").right == 1
    assert quiz("Is it?", [True, False], False, "").right == 1
    assert quiz("How often?", ["once", "twice"], "twice", "").right == 1


@pytest.mark.parametrize(
    ("options", "answer"),
    [(["a", "b"], "c"), (["a", "b"], 0), (["a", "a", "b"], "b"), (["a"], "a"), ([1, "1"], 1)],
)
def test_a_question_without_one_right_option_is_refused(options, answer):
    with pytest.raises(ValueError, match="options"):
        quiz("Which?", options, answer, "")


def test_what_is_shown_is_text_and_not_markup():
    shown = quiz("Is <b> `a < b`?", ["<i>", "b & c"], "<i>", "<script>")._repr_html_()
    assert "<code>a &lt; b</code>" in shown
    assert "&lt;i&gt;" in shown
    assert "<script>" not in shown


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
