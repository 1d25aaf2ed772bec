"""Put a student's answers back into the assignment as it was handed out."""

from __future__ import annotations

import ast
import re
from copy import deepcopy

from nbformat import NotebookNode

from utils.classroom.programs import tree_of

_ATTACHED = re.compile(r"\(attachment:([^)\s]+)")


def grade_id(cell: NotebookNode) -> str | None:
    """The name that nbgrader knows the cell by."""
    name = cell.metadata.get("nbgrader", {}).get("grade_id")
    return name if isinstance(name, str) else None


def belongs(submitted: NotebookNode, released: NotebookNode) -> bool:
    """Whether a notebook is one of this assignment, by its cells' names or by what is in them."""
    names = {grade_id(cell) for cell in submitted.cells} - {None}
    if not names:
        return bool(_find_names(list(submitted.cells), released))
    shared = names & {grade_id(cell) for cell in released.cells}
    return 2 * len(shared) > len(names)  # two assignments can share some names


def put_back(submitted: NotebookNode, released: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """The released notebook with the submitted answers in it, and a line for each oddity.

    Texts and tests are the released ones, in their order, whatever was done to them. Answers are
    the submitted ones, also where they stand in cells of the student's own, or where the names
    of the cells were lost on the way. Cells that a student has added stay behind the cell that
    they follow; so does a second copy of an answer cell, which therefore has the last word, as it
    has in the student's own notebook.
    """
    known = {name: cell for cell in released.cells if (name := grade_id(cell))}
    cells = [_cleaned(cell) for cell in submitted.cells]
    found = _find_names(cells, released)
    notes: list[str] = []
    if found and not {grade_id(cell) for cell in cells} & known.keys():
        notes.append("the names of the cells were lost; they were found by what is in the cells")
    answers: dict[str, NotebookNode] = {}
    added: dict[str | None, list[NotebookNode]] = {}
    order: list[str] = []
    last = None
    for place, cell in enumerate(cells):
        name = found.get(place)
        if name is None:
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
    notes += _move_answers(answers, added, known)

    for number, cell in enumerate(cell for cells in added.values() for cell in cells):
        cell.id = f"added-{number}"  # a copied cell can have the id of its original
    repaired = deepcopy(released)
    repaired.cells = list(added.get(None, []))
    for cell in released.cells:
        name, cell = grade_id(cell), deepcopy(cell)
        if name in answers:
            cell.source = answers[name].source
            if cell.cell_type != "code" and "attachments" in answers[name]:
                cell.attachments = answers[name].attachments
        repaired.cells += [cell, *added.get(name, [])] if name else [cell]
    return repaired, notes


def _find_names(cells: list[NotebookNode], released: NotebookNode) -> dict[int, str]:
    """Place of a cell -> the name of the released cell that it is or was."""
    known = {name: cell for cell in released.cells if (name := grade_id(cell))}
    found = {place: name for place, cell in enumerate(cells) if (name := grade_id(cell)) in known}
    missing = known.keys() - set(found.values())
    by_source = {known[name].source.strip(): name for name in missing}
    by_definition = {
        defined: name
        for name in missing
        if known[name].metadata.nbgrader.solution
        for defined in _defined(known[name])
    }
    for place, cell in enumerate(cells):
        if place in found:
            continue
        name = by_source.pop(cell.source.strip(), None)
        if name:
            found[place] = name
    for place, cell in reversed(list(enumerate(cells))):  # of several, the last one counts
        names = {by_definition.get(defined) for defined in _defined(cell)} - {None}
        names -= set(found.values())
        if place not in found and len(names) == 1:
            found[place] = str(names.pop())
    return dict(sorted(found.items()))


def _move_answers(
    answers: dict[str, NotebookNode],
    added: dict[str | None, list[NotebookNode]],
    known: dict[str, NotebookNode],
) -> list[str]:
    """Take what stands beside an answer cell that is gone or was left as it was."""
    notes = []
    order = [None, *known]
    for name, cell in known.items():
        if not cell.metadata.nbgrader.solution or not _is_untouched(answers.get(name), cell):
            continue
        if cell.cell_type == "code":
            wanted = _defined(cell)
            beside = [one for cells in added.values() for one in cells if wanted & _defined(one)]
        else:
            places = [order[order.index(name) - 1], name]
            beside = [
                one
                for place in places
                for one in added.get(place, [])
                if one.cell_type != "code" and one.source.strip()
            ]
        if beside:
            taken = beside[-1] if cell.cell_type == "code" else _joined(beside)
            answers[name] = taken
            notes.append(f"the answer to {name} was taken from a cell beside it")
    return notes


def _joined(cells: list[NotebookNode]) -> NotebookNode:
    whole = deepcopy(cells[0])
    whole.source = "\n\n".join(cell.source for cell in cells)
    for cell in cells[1:]:
        if "attachments" in cell:
            whole.attachments = {**whole.get("attachments", {}), **cell.attachments}
    return whole


def _is_untouched(answer: NotebookNode | None, released: NotebookNode) -> bool:
    return answer is None or answer.source.strip() in ("", released.source.strip())


def _defined(cell: NotebookNode) -> set[str]:
    """The functions, classes and names that a code cell defines."""
    if cell.cell_type != "code":
        return set()
    tree = tree_of(cell.source)
    if tree is None:
        return set(re.findall(r"^(?:def|class) (\w+)", cell.source, flags=re.MULTILINE))
    body = tree.body
    names = {one.name for one in body if isinstance(one, ast.FunctionDef | ast.ClassDef)}
    for one in body:
        if isinstance(one, ast.Assign):
            names |= {target.id for target in one.targets if isinstance(target, ast.Name)}
    return names


def _cleaned(cell: NotebookNode) -> NotebookNode:
    """The cell with plain ends of lines, and without pictures that are not there."""
    cell = deepcopy(cell)
    cell.source = cell.source.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")
    attached = cell.get("attachments", {})
    if not isinstance(attached, dict):
        attached = {}
    if "attachments" in cell and (cell.cell_type == "code" or not attached):
        del cell["attachments"]
    if cell.cell_type == "markdown":
        cell.source = _ATTACHED.sub(
            lambda found: found[0] if found[1] in attached else f"(missing-picture:{found[1]}",
            cell.source,
        )
    return cell


def _plain(cell: NotebookNode) -> NotebookNode:
    """A student's own cell, which nbgrader has nothing to do with."""
    cell = deepcopy(cell)
    cell.metadata = NotebookNode()
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
    return cell
