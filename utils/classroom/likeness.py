"""Pairs of submissions that are suspiciously alike: a hint for a person, and no more.

What is compared are the answers' programs, without names, comments and layout: whoever renames
variables has not changed them. What was handed out does not count.
"""

from __future__ import annotations

import ast
import io
import keyword
import tokenize
from collections.abc import Iterable
from itertools import combinations

from nbformat import NotebookNode

from utils.classroom.course import Course
from utils.classroom.interrupts import LONGEST, within
from utils.classroom.programs import tree_of
from utils.classroom.repair import grade_id, put_back
from utils.classroom.submissions import find

PIECE = 12  # tokens: shorter agreement is chance
LEAST = 60  # pieces: shorter programs have few ways to differ
LARGEST = 100_000  # characters of a cell that are compared


def alike(course: Course, assignment: str, share: float = 0.8) -> list[tuple[float, str, str]]:
    """The pairs that share at least this much of the smaller program, the most alike first."""
    released = course.released(assignment)
    given = _pieces(cell.source for cell in released.cells if cell.cell_type == "code")
    programs = {}
    for student in course.students():
        try:
            with within(LONGEST):
                submitted, _ = find(course, assignment, student)
                if submitted is not None:
                    programs[student] = _pieces(_answers(put_back(submitted, released)[0])) - given
        except Exception:  # it could not be graded either, and that is reported
            continue
    pairs = []
    for one, other in combinations(sorted(programs), 2):
        smaller = min(len(programs[one]), len(programs[other]))
        if smaller >= LEAST:
            common = len(programs[one] & programs[other]) / smaller
            if common >= share:
                pairs.append((common, one, other))
    return sorted(pairs, reverse=True)


def _answers(notebook: NotebookNode) -> Iterable[str]:
    for cell in notebook.cells:
        locked = cell.metadata.get("nbgrader", {}).get("locked")
        if cell.cell_type == "code" and not locked and (grade_id(cell) or cell.source.strip()):
            yield cell.source


def _pieces(sources: Iterable[str]) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for source in sources:
        words = _words(source)
        found |= {tuple(words[at : at + PIECE]) for at in range(len(words) - PIECE + 1)}
    return found


def _words(source: str) -> list[str]:
    """The tokens of a program, in which all names that it makes itself are the same."""
    found = tree_of(source[:LARGEST])
    if found is None:
        return source[:LARGEST].split()
    tokens = list(tokenize.generate_tokens(io.StringIO(ast.unparse(found)).readline))
    tree = list(ast.walk(found))
    own = {one.id for one in tree if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    own |= {one.arg for one in tree if isinstance(one, ast.arg)}
    words = []
    for token in tokens:
        if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
            words.append("name" if token.string in own else token.string)
        elif token.type == tokenize.STRING:
            words.append("text")
        elif token.type in (tokenize.OP, tokenize.NUMBER, tokenize.NAME):
            words.append(token.string)
    return words
