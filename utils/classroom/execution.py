"""Run the cells of a submission, once, so that each cell costs only itself.

A cell that ends its kernel, or takes too long, is left out, after a second try: the cells before
it are run again in a new kernel, and then those behind it. What fails in a cell that students
cannot change is nobody's mark: it is tried again, and then reported.
"""

from __future__ import annotations

import ast
import builtins
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_output

from utils.classroom.kernel import Kernel, LostError, StartError
from utils.classroom.programs import tree_of
from utils.classroom.sandbox import Limits

MOST_STARTS = 12
SETTLING = 0.4  # seconds in which a kernel that was told to end does so
_DEFINING = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Try)


class Session:
    """A notebook that is run; ask its ``kernel`` for what it holds.

    Use it in a ``with`` statement. Afterwards, ``problems`` has a line for each oddity,
    ``faults`` one for each cell that students cannot change and that did not work, and
    ``attempts`` one for each thing tried that no task asks for.
    """

    def __init__(self, notebook: NotebookNode, limits: Limits, hidden: Sequence[Path] = ()):
        self.cells: list[NotebookNode] = []
        self._place_of: dict[str, int] = {}  # test -> how many of the cells stand before it
        for cell in notebook.cells:
            if _is_test(cell):
                self._place_of[name_of(cell)] = len(self.cells)
            elif cell.cell_type == "code":
                self.cells.append(cell)
        self.problems: list[str] = []
        self.faults: list[str] = []
        self.attempts: dict[str, None] = {}
        self._limits, self._hidden = limits, hidden
        self._until = time.monotonic() + limits.total_seconds
        self._left_out: set[int] = set()
        self._kernels: dict[str, Kernel] = {}

    def __enter__(self) -> Session:
        self._run_all()
        return self

    def __exit__(self, *error: object) -> None:
        for place in list(self._kernels):
            self.forget(place)

    def undone(self, test: str) -> str:
        """A place to `ask` in which no cell behind a test has run yet.

        "" where that makes no difference: where no cell of the student's behind it deletes or
        replaces a name. ``sum = 0`` and ``del torch`` in later cells are no reason to lose a
        task, whose test was passed where it stands.
        """
        end = self._place_of.get(test, len(self.cells))
        behind = [cell.source for cell in self.cells[end:] if not _is_locked(cell)]
        before = {name for cell in self.cells[:end] for name in _names_set(cell.source, True)}
        replaced = {name for source in behind for name in _names_set(source)}
        taken = replaced & (before | set(dir(builtins)))
        return f"{end} cells" if taken or any(tree_of(one) is None for one in behind) else ""

    def forget(self, place: str) -> None:
        """End a kernel; the next question starts another one."""
        if place in self._kernels:
            self._end(self._kernels.pop(place))

    def _end(self, kernel: Kernel) -> None:
        self.attempts.update(dict.fromkeys(kernel.end()))

    def ask(self, place: str, answer: str, way: str, inputs: str, observe: str) -> dict:
        """Ask an answer in the notebook's process, or in a fresh one with its definitions."""
        if time.monotonic() > self._until:
            raise LostError(f"all cells and tests took longer than {self._limits.total_seconds} s")
        try:
            if place not in self._kernels:
                if place == "fresh":
                    self._kernels[place] = self._fresh()
                else:
                    cells = place.removesuffix(" cells")
                    self._kernels[place] = self._again(int(cells) if cells.isdecimal() else None)
            seconds = self._limits.seconds * (2 if observe else 1)  # a trace takes its time
            return self._kernels[place].ask(answer, way, inputs, observe, seconds)
        except LostError:
            self.forget(place)
            raise

    def _run_all(self) -> None:
        kernel = self._start()
        self._kernels["notebook"] = kernel
        strikes: Counter[int] = Counter()
        for number, cell in enumerate(self.cells):
            try:
                self._run(kernel, cell)
            except LostError as lost:
                strikes[number] += str(lost).startswith("it took")
                break
        else:
            faults = [number for number in range(len(self.cells)) if self._is_fault(number)]
            if not faults:
                return
        self.forget("notebook")
        self._carefully(strikes)
        for number in range(len(self.cells)):
            if self._is_fault(number):
                error = next(o for o in self.cells[number].outputs if o.output_type == "error")
                self.faults.append(
                    f"cell {name_of(self.cells[number])}, which is not the student's, stopped with "
                    f"{error.ename}: {error.evalue}".partition("\n")[0][:300]
                )

    def _carefully(self, strikes: Counter[int]) -> None:
        """Run all cells again; who is lost twice is left out."""
        for _ in range(MOST_STARTS):
            kernel = self._start()
            for number, cell in enumerate(self.cells):
                if number in self._left_out:
                    continue
                try:
                    self._run(kernel, cell)
                    _settle(kernel, cell)
                except LostError as lost:
                    strikes[number] += 1
                    if strikes[number] > 1:
                        self._leave_out(number, lost)
                    break
            else:
                self._kernels["notebook"] = kernel
                return
            self._end(kernel)
        self.problems.append("the kernel ended too often; not all cells were run")

    def _leave_out(self, number: int, lost: LostError) -> None:
        self._left_out.add(number)
        cell = self.cells[number]
        self.problems.append(f"cell {name_of(cell)}: {lost}")
        cell.outputs = [error_output("Stopped", str(lost))]

    def _is_fault(self, number: int) -> bool:
        cell = self.cells[number]
        return _is_locked(cell) and any(o.output_type == "error" for o in cell.get("outputs", []))

    def _run(self, kernel: Kernel, cell: NotebookNode) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise LostError(f"it took longer than {self._limits.total_seconds} s with all others")
        cell.outputs = kernel.run(cell.source, min(self._limits.seconds, left))

    def _start(self) -> Kernel:
        for attempt in range(3):
            try:
                return Kernel(self._limits, self._hidden)
            except StartError:
                if attempt == 2:
                    raise
        raise AssertionError

    def _again(self, most: int | None) -> Kernel:
        """A new kernel that has run the notebook, or so many cells, but for what was left out."""
        kernel = self._start()
        try:
            for number, cell in enumerate(self.cells[:most]):
                if number not in self._left_out:
                    kernel.run(cell.source, self._limits.seconds)
        except BaseException:
            self._end(kernel)
            raise
        return kernel

    def _fresh(self) -> Kernel:
        """A new kernel that has run nothing but the notebook's definitions."""
        kernel = self._start()
        try:
            for number, cell in enumerate(self.cells):
                if number not in self._left_out:
                    source = cell.source if _is_locked(cell) else definitions(cell.source)
                    kernel.run(source, self._limits.seconds)
        except BaseException:
            self._end(kernel)
            raise
        return kernel


def definitions(source: str) -> str:
    """The imports, functions, classes and named values of a cell, without what it does else."""
    tree = tree_of(source)
    if tree is None:
        return source  # a magic command, perhaps
    tree.body = [one for one in tree.body if isinstance(one, _DEFINING) or _names_a_value(one)]
    return ast.unparse(tree)


def _names_set(source: str, imported: bool = False) -> set[str]:
    """The names that a cell, outside of its functions and classes, gives a value or deletes.

    Those that it imports only if asked for: cells often import once more what is there.
    """
    tree = tree_of(source)
    waiting: list[ast.AST] = [tree] if tree else []
    found: set[str] = set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(one.name)
        elif isinstance(one, ast.alias) and imported:
            found.add((one.asname or one.name).partition(".")[0])
        elif isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load):
            found.add(one.id)
        elif not isinstance(one, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp):
            waiting += ast.iter_child_nodes(one)
    return found


def _names_a_value(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.AnnAssign):
        return isinstance(statement.target, ast.Name)
    return isinstance(statement, ast.Assign) and all(
        isinstance(target, ast.Name | ast.Tuple | ast.List)
        and all(not isinstance(part, ast.Attribute | ast.Subscript) for part in ast.walk(target))
        for target in statement.targets
    )


def _settle(kernel: Kernel, cell: NotebookNode) -> None:
    """Wait until a cell that has ended the kernel shows it."""
    if not _is_locked(cell):
        time.sleep(SETTLING)
        kernel.run("pass", 10)


def _is_test(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))


def _is_locked(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("locked"))


def error_output(name: str, message: str) -> NotebookNode:
    """An error as a cell's output, in one line."""
    return new_output("error", ename=name, evalue=message, traceback=[f"{name}: {message}"])


def name_of(cell: NotebookNode) -> str:
    """What a cell is called in notes."""
    return cell.metadata.get("nbgrader", {}).get("grade_id") or cell.get("id", "without a name")
