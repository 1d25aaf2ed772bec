"""A small folder of recipes, well formed, to read, search and break."""

from __future__ import annotations

from itertools import chain

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from utils.authoring.store import KERNEL

LINK = "[torch](https://docs.pytorch.org/docs/stable/torch.html)"
GATHER = """values = torch.tensor([[1, 2, 3], [4, 5, 6]])
index = torch.tensor([2, 0])
looped = torch.stack([row[i] for row, i in zip(values, index)])
batched = values.gather(1, index[:, None]).squeeze(1)
assert torch.equal(looped, batched)
print(batched)"""
SHOWN = """try:
    torch.stack([torch.zeros(2), torch.zeros(3)])
except RuntimeError as error:
    print(f"{type(error).__name__}: {error}")"""
STACK = "stack expects each tensor to be equal size, but got [2] at entry 0 and [3] at entry 1"


def code(name, source, printed):
    output = new_output("stream", name="stdout", text=f"{printed}\n")
    return new_code_cell(source, id=name, outputs=[output], execution_count=1)


def recipe(slug, heading, answer, source=GATHER, printed="tensor([3, 4])"):
    """The cells of a recipe."""
    return [
        new_markdown_cell(f"## {heading}\n\n{answer}", id=slug),
        code(f"{slug}-answer", source, printed),
        new_markdown_cell("**What goes wrong.** Rows of unequal length.", id=f"{slug}-trap"),
        code(f"{slug}-trap-shown", SHOWN, f"RuntimeError: {STACK}"),
        new_markdown_cell(f"**Limits.** None that matter.\n\n**More:** {LINK}", id=f"{slug}-more"),
    ]


def notebook(title, *recipes):
    told = f"# Recipes: {title}\n\nSamples. All questions: [index](index.ipynb)."
    first = code("first", "import torch", "")
    first.outputs = []
    cells = [new_markdown_cell(told, id="title"), first]
    return new_notebook(cells=[*cells, *chain(*recipes)], metadata=KERNEL)


def selecting():
    filler = [
        recipe(
            f"row-{k}",
            f"How do I double the values of row {k}?",
            "Multiply it by two, which makes a new tensor of the same shape and keeps the old.",
        )
        for k in range(12)
    ]
    wanted = recipe(
        "index-per-row",
        "How do I take a different index from each row?",
        "Use `gather` with an index of the same number of dimensions. It takes one value for each "
        "entry of the index. `torch.take_along_dim` broadcasts.",
    )
    told = recipe(
        "sizes-differ",
        f"RuntimeError: {STACK.replace('[2]', '[2, 4]')}",
        "The samples of the batch have different lengths, and `stack` joins only equal ones.\n\n"
        "**Symptom:** the loader stops at a certain batch. It says which.",
    )
    return notebook("selecting per sample", *filler, wanted, told)


def odd():
    """Headings with all signs that an address has to write otherwise."""
    titles = [
        '`x[i]` or x[:, i] (per row): which "one" & why?',
        "50 % more: is a/b#c &lt;fine&gt; — or ‘not’?",
        "How do I use `scatter_add_` for *sums* per group?",
    ]
    answer = (
        "Each of these has a heading that an address cannot hold as it is, so it is escaped there."
    )
    recipes = [recipe(f"odd-{k}", title, answer) for k, title in enumerate(titles)]
    return notebook("odd headings", *recipes)


def write_samples(folder):
    """Write the notebooks, and return their paths."""
    made = {"selecting.ipynb": selecting(), "odd.ipynb": odd()}
    for name, content in made.items():
        nbformat.write(content, folder / name)
    return [folder / name for name in made]
