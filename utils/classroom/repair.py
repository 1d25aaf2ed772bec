"""Put a student's answers back into the assignment as it was handed out."""

from __future__ import annotations

from copy import deepcopy

from nbformat import NotebookNode


def grade_id(cell: NotebookNode) -> str | None:
    """The name that nbgrader knows the cell by."""
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def repair(submitted: NotebookNode, released: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """The released notebook with the submitted answers in it, and a line for each oddity.

    Texts and tests are the released ones, in their order, whatever was done to them. Answers are
    the submitted ones. Cells that a student has added stay behind the cell that they follow; so
    does a second copy of an answer cell, which therefore has the last word, as it has in the
    student's own notebook.
    """
    known = {grade_id(cell): cell for cell in released.cells if grade_id(cell)}
    answers: dict[str, NotebookNode] = {}
    added: dict[str | None, list[NotebookNode]] = {}
    notes, order, last = [], [], None
    for cell in submitted.cells:
        name = grade_id(cell)
        if name not in known:
            added.setdefault(last, []).append(_plain(cell))
            continue
        editable = known[name].metadata.nbgrader.solution
        if name in order:
            notes.append(f"cell {name} is there twice")
            if editable:
                added.setdefault(name, []).append(_plain(cell))
            continue
        order.append(name)
        last = name
        if editable:
            answers[name] = cell
        elif cell.source.strip() != known[name].source.strip():
            notes.append(f"cell {name} was edited; the original one counts")
    if order != [name for name in known if name in order]:
        notes.append("cells were reordered; the original order counts")
    notes += [f"cell {name} was deleted" for name in known if name not in order]

    for number, cell in enumerate(cell for cells in added.values() for cell in cells):
        cell.id = f"added-{number}"  # a copied cell can have the id of its original
    repaired = deepcopy(released)
    repaired.cells = list(added.get(None, []))
    for cell in released.cells:
        name, cell = grade_id(cell), deepcopy(cell)
        if name in answers:
            cell.source = answers[name].source
        repaired.cells += [cell, *added.get(name, [])] if name else [cell]
    return repaired, notes


def _plain(cell: NotebookNode) -> NotebookNode:
    """A student's own cell, which nbgrader has nothing to do with."""
    cell = deepcopy(cell)
    cell.metadata = NotebookNode()
    return cell
