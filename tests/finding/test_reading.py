"""Recipes as entries, and Markdown as a reader and JupyterLab see it."""

import json

import pytest

from tests.finding.samples import STACK, write_samples
from utils.finding.entries import Entry
from utils.finding.markdown import anchor_of, headings, plain, sentences
from utils.finding.messages import asked, error_class, messages_in, neutral
from utils.finding.reading import called, read_recipes


@pytest.fixture
def entries(tmp_path):
    write_samples(tmp_path)
    (tmp_path / "index.ipynb").write_text("no notebook at all")
    return {entry.slug: entry for entry in read_recipes(tmp_path)}


def test_a_recipe_becomes_an_entry_with_all_that_people_may_know_of_it(entries):
    found = entries["index-per-row"]
    assert found.title == "How do I take a different index from each row?"
    assert found.answer.startswith("Use gather with an index of the same number of dimensions. It")
    assert found.answer.endswith("each entry of the index.")  # two sentences
    assert (found.subject, found.notebook) == ("Selecting per sample", "selecting.ipynb")
    assert found.anchor == "How-do-I-take-a-different-index-from-each-row?"
    assert found.link == "selecting.ipynb#cell-id=index-per-row"
    assert found.cells[1:] == tuple(
        f"index-per-row-{part}" for part in ("answer", "trap", "trap-shown", "more")
    )
    assert found.messages == (f"RuntimeError: {STACK}",)
    assert {"torch.tensor", "torch.take_along_dim", "gather"} <= set(found.functions)
    assert "Rows of unequal length" in found.body


def test_a_symptom_is_no_part_of_the_answer(entries):
    found = entries["sizes-differ"]
    assert found.symptoms == ("the loader stops at a certain batch",)
    assert "Symptom" not in found.answer
    assert found.messages[0].startswith("RuntimeError: stack expects"), "its heading is one"


def test_recipes_come_in_the_order_of_their_notebooks(entries):
    assert [entry.notebook for entry in entries.values()] == ["odd.ipynb"] * 3 + [
        "selecting.ipynb"
    ] * 14


def test_a_folder_that_does_not_exist_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere is no folder\. Give the one"):
        read_recipes(tmp_path / "nowhere")


def test_sources_may_be_stored_as_lists_of_lines(tmp_path):
    path, _ = write_samples(tmp_path)
    before = read_recipes(tmp_path)
    stored = json.loads(path.read_text("utf-8"))
    for cell in stored["cells"]:
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)
        for output in cell.get("outputs", []):
            output["text"] = "".join(output["text"]).splitlines(keepends=True)
    path.write_text(json.dumps(stored), "utf-8")
    assert read_recipes(tmp_path) == before


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a `x[i]` and `__len__`", "a x[i] and __len__"),
        ("``a `b` c``", "a `b` c"),
        ("**bold**, *soft*, __bold__ and _soft_", "bold, soft, bold and soft"),
        ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
        ("[a link](https://a.b/c_d_e) here", "a link here"),
        (r"\*literal\* and \_this\_", "*literal* and _this_"),
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
    ],
)
def test_markdown_as_text(source, text):
    assert plain(source) == text


def test_headings_and_their_anchors():
    source = "# One `x`\ntext\n## Two *three* ##\n```\n# no heading\n```\n#none"
    assert headings(source) == ["One x", "Two three"]
    assert anchor_of("Two three?") == "Two-three?"


def test_a_sentence_ends_where_one_reads_an_end():
    text = (
        "Use `x.T` or torch.mT. It takes 2.5 s, e.g. in a loop! Why? `None`\nis left. (So it is.)"
    )
    assert sentences(text) == [
        *("Use `x.T` or torch.mT.", "It takes 2.5 s, e.g. in a loop!", "Why?"),
        *("`None` is left.", "(So it is.)"),
    ]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import torch\ntorch.gather(x, 1, i)", ["torch.gather"]),
        ("import torch.nn.functional as F\nF.pad(x)", ["torch.nn.functional.pad"]),
        ("import numpy as np\nnp.add.at(a, i, 1)", ["numpy.add.at"]),
        ("from torch import nn\nnn.Linear(1, 2)", ["torch.nn.Linear"]),
        ("from torch.utils.data import DataLoader\nDataLoader(x)", ["torch.utils.data.DataLoader"]),
        (
            "import torch.nn.utils.rnn\ntorch.nn.utils.rnn.pad_sequence(x)",
            ["torch.nn.utils.rnn.pad_sequence"],
        ),
        ("x = 3\nx.sum()\ntorch = 1", []),
        ("this is no program", []),
    ],
)
def test_functions_that_a_program_names(source, names):
    assert called(source) == names


def test_messages_in_what_a_cell_printed():
    printed = (
        "shape (2, 3)\nValueError: too many\nsomething: RuntimeError: not at the beginning\n"
        "torch._C._LinAlgError: singular\n  UserWarning: indented \nKeyError: 'a'\n"
        "ValueError: too many\nError\nAnError:none\n"
        "\x1b[31mTypeError\x1b[39m: in red\nQueueEmpty: x\n"
    )
    assert messages_in(printed) == [
        *("ValueError: too many", "_LinAlgError: singular", "UserWarning: indented"),
        *("KeyError: 'a'", "TypeError: in red", "QueueEmpty: x"),
    ]
    assert error_class("ValueError: too many") == "ValueError"
    assert error_class("How do I …: a question") == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("got [2] at entry 0 and [3, 4] at entry 1", "got [512, 7] at entry 9 and [8] at entry 4"),
        (
            "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)",
            "mat1 and mat2 shapes cannot be multiplied (64x1 and 7x1)",
        ),
        ("<X object at 0x7f01>", "X object at 0xdeadbeef"),
        ("size of tensor a (3)", "size of tensor a 12"),
        ('can\'t convert "float32"', "can't convert ‘float32’"),
        ("torch.Size([1, 2, 3])", "torch.Size([4])"),
        ("weight 1.5e-3", "weight -2"),
    ],
)
def test_messages_of_other_people_are_the_same_message(one, other):
    assert neutral(one) == neutral(other)


def test_messages_that_differ_in_words_stay_different():
    assert neutral("expected Double") != neutral("expected Float")


TRACEBACK = """Traceback (most recent call last):
  File "train.py", line 3, in <module>
    loss = step(batch)
  File "/usr/lib/python3/torch/nn/functional.py", line 9, in linear
    return F.linear(input, weight)
RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)
"""


def test_of_a_traceback_the_message_is_asked():
    said = "RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"
    assert asked(TRACEBACK) == said
    both = TRACEBACK.replace("RuntimeError", "KeyError", 1) + "\nDuring …:\n\n" + TRACEBACK
    assert asked(both).splitlines()[-1] == said
    assert asked("How do I pad?") == "How do I pad?"
    assert asked('  File "a.py", line 3, in f\n    f()\nStopIteration') == "StopIteration"


def test_an_entry_can_be_made_for_other_things():
    row = Entry("torch.cumsum", "Give the dimension.", "torch", "atlas.ipynb", "torch.cumsum")
    assert row.slug == ""
