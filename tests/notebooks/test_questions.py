"""Questions that people asked, and the cells that answer them: each is there, ran and printed."""

import json
from functools import cache
from pathlib import Path

import nbformat
import pytest

from utils.authoring.store import NOTEBOOKS

QUESTIONS = json.loads((Path(__file__).parents[1] / "questions.json").read_text("utf-8"))


@cache
def cells(notebook):
    found = nbformat.read(NOTEBOOKS / notebook, as_version=4).cells
    return {cell.id: cell for cell in found}


def missing_of(question, cells_of=cells):
    """What is missing of the answers to a question, one line each."""
    told = [] if question["answers"] else ["no answer"]
    for answer in question["answers"]:
        told += [] if answer["cells"] else [f"{answer['notebook']}: no cell"]
        for name in answer["cells"]:
            cell = cells_of(answer["notebook"]).get(name)
            if cell is None or cell.cell_type != "code":
                told.append(f"{answer['notebook']}: no cell of code is called {name}")
            elif cell.execution_count is None or not cell.outputs:
                told.append(f"{answer['notebook']}: {name} did not run, or shows nothing")
    return told


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["id"])
def test_a_question_is_answered_by_cells_that_ran_and_print(question):
    assert missing_of(question) == []


def test_every_question_stands_once():
    ids = [question["id"] for question in QUESTIONS]
    assert sorted(set(ids)) == sorted(ids)
    asked = [question["question"] for question in QUESTIONS]
    assert sorted(set(asked)) == sorted(asked)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([], "no answer"),
        ([{"notebook": "a.ipynb", "cells": []}], "a.ipynb: no cell"),
        ([{"notebook": "a.ipynb", "cells": ["nowhere"]}], "no cell of code is called nowhere"),
        ([{"notebook": "a.ipynb", "cells": ["text"]}], "no cell of code is called text"),
        ([{"notebook": "a.ipynb", "cells": ["idle"]}], "idle did not run, or shows nothing"),
        ([{"notebook": "a.ipynb", "cells": ["silent"]}], "silent did not run, or shows nothing"),
    ],
)
def test_what_answers_nothing_is_found(answers, told):
    shown = nbformat.v4.new_output("stream", text="3")
    known = [
        nbformat.v4.new_markdown_cell("## Why?", id="text"),
        nbformat.v4.new_code_cell("3", id="idle", outputs=[shown]),
        nbformat.v4.new_code_cell("a = 3", id="silent", execution_count=1),
    ]
    found = missing_of({"answers": answers}, lambda name: {cell.id: cell for cell in known})
    assert len(found) == 1
    assert found[0].endswith(told)
