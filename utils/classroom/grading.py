"""Grade every student on their own: what one of them hands in stops nobody else."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import nbformat
from nbformat import NotebookNode
from tqdm.auto import tqdm

from utils.classroom import conversion, marks, sandbox
from utils.classroom.course import ASSIGNMENTS, Course
from utils.classroom.execution import Session, error_output
from utils.classroom.hidden import chance_seed, tasks
from utils.classroom.interrupts import LONGEST, terminable, within
from utils.classroom.judging import Task, judge
from utils.classroom.kernel import LostError
from utils.classroom.names import folder_name, printable
from utils.classroom.records import FAILED, GRADED, MISSING, TO_READ, CourseError, Record
from utils.classroom.repair import grade_id, put_back
from utils.classroom.safe_outputs import safe
from utils.classroom.sandbox import Limits
from utils.classroom.signs import signs_in
from utils.classroom.submissions import digest, find
from utils.classroom.wire import UnreadableError

_LOST = "the answer was called, and "


@dataclass(frozen=True)
class Graded:
    """A notebook that was run and judged."""

    outputs: list[list[NotebookNode]]  # of each cell
    wrong: dict[str, str]  # test cell -> what is wrong, of those that fail
    notes: list[str]
    faults: list[str]  # of cells that no student can change
    attempts: list[str]  # see `utils.classroom.attempts`


def grade(
    course: Course,
    assignment: str,
    students: Sequence[str] | None = None,
    *,
    again: bool = False,
    limits: Limits | None = None,
) -> dict[str, Record]:
    """Grade what is new or has changed, or with ``again`` everything; student -> how it went.

    A submission that was graded before keeps its marks, also those that a person gave. An
    interruption ends this at once; the next call goes on with the student who was under way.
    """
    course.check(assignment)
    sandbox.remove_forgotten()
    graded = {}
    with terminable():
        try:
            for student in tqdm(students or course.students(), desc=assignment, unit="student"):
                before = course.state.record(assignment, student) or Record(MISSING)
                now = digest(course, assignment, student)
                if before.status != MISSING and before.digest == now and not again:
                    graded[student] = before
                    continue
                course.state.keep(assignment, student, replace(before, digest=""))
                record = _printable(_grade(course, assignment, student, before, limits or Limits()))
                graded[student] = replace(record, digest=now)
                course.state.keep(assignment, student, graded[student])
                for note in record.notes:
                    tqdm.write(f"{student}, {assignment}: {note}")
        finally:
            sandbox.end_all()
    return graded


def _grade(course: Course, assignment: str, student: str, before: Record, limits: Limits) -> Record:
    try:
        with within(LONGEST):
            submitted, notes = find(course, assignment, student)
            if submitted is None:
                return Record(MISSING)
            repaired, more = put_back(submitted, course.released(assignment, student))
        graded = _run_twice_at_most(course, assignment, student, repaired, limits)
        if graded.faults and graded.wrong:
            raise CourseError("; ".join(graded.faults))
        name = folder_name(student)
        target = course.root / "repaired" / name / assignment / f"{assignment}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(repaired, target)
        read = _answers_to_read(repaired)
        sources = [cell.source for cell in repaired.cells]
        done = list(zip(sources, graded.outputs, strict=True))
        conversion.autograde(course.root, assignment, name, done)
        kept = {task for task, answer in read.items() if before.read.get(task) == answer}
        marks.keep_read(course, assignment, student, kept)
    except CourseError as error:
        return Record(FAILED, [str(error)], read=before.read)
    except Exception as error:  # whatever it is, the others are graded
        return Record(
            FAILED, [f"{type(error).__name__}: {error}".partition("\n")[0]], read=before.read
        )
    unread = marks.of(course, assignment, student).to_read
    notes = [*notes, *more, *graded.notes, *graded.faults]
    signs = [*signs_in(repaired), *graded.attempts[:20]]
    return Record(TO_READ if unread else GRADED, notes, read=read, signs=signs)


def _printable(record: Record) -> Record:
    """The record, with nothing in it that could not be written or shown."""
    notes, signs = ([printable(line) for line in told] for told in (record.notes, record.signs))
    return replace(record, notes=notes, signs=signs)


def _run_twice_at_most(
    course: Course, assignment: str, student: str, notebook: NotebookNode, limits: Limits
) -> Graded:
    """Run and judge; where something fails that is nobody's fault, once more."""
    seed = chance_seed(course.secret, assignment, student, digest(course, assignment, student))
    hidden = course.root, ASSIGNMENTS
    wanted = tasks(course.root / "hidden" / assignment, course.seed_of(student), seed)
    try:
        return run(notebook, wanted, limits, hidden)
    except (RuntimeError, OSError):
        return run(notebook, wanted, limits, hidden)


def run(
    notebook: NotebookNode, wanted: Sequence[Task], limits: Limits, hidden: Sequence = ()
) -> Graded:
    """Run a notebook's cells in the sandbox, and judge its answers from outside."""
    wrong: dict[str, str] = {}
    notes: list[str] = []
    with Session(notebook, limits, hidden) as session:
        for task in wanted:
            said = _judged(task, session, notes)
            place = session.undone(task.test) if said and not said.startswith(_LOST) else ""
            if place and not _judged(task, session, [], place):
                notes.append(f"cell {task.test}: right where it stands; a later cell undoes it")
                said = ""
            if place:
                session.forget(place)
            if said:
                wrong[task.test] = printable(said)
        problems, faults = session.problems, session.faults
    outputs = [
        [error_output("Wrong", wrong[name])] if name in wrong else _shown(cell)
        for cell in notebook.cells
        for name in [grade_id(cell)]
    ]
    return Graded(outputs, wrong, [*problems, *notes], faults, list(session.attempts))


def _judged(task: Task, session: Session, notes: list[str], notebook: str = "notebook") -> str:
    """What is wrong with an answer. One that is lost gets a second try, in new processes.

    ``notebook`` is the place where the notebook has been run.
    """

    def ask(place: str, *question: str) -> dict:
        return session.ask(notebook if place == "notebook" else place, *question)

    for attempt in range(2):
        try:
            return judge(task, ask)
        except LostError as lost:
            if attempt:
                notes.append(f"cell {task.test}: {lost}")
                return f"{_LOST}{lost}"
            session.forget(notebook)
            session.forget("fresh")
        except UnreadableError as error:
            return f"{_LOST}what came back cannot be read: {error}"[:300]
    raise AssertionError


def _shown(cell: NotebookNode) -> list[NotebookNode]:
    is_test = cell.metadata.get("nbgrader", {}).get("grade")
    return [] if is_test else safe(cell.get("outputs", []))


def _answers_to_read(notebook: NotebookNode) -> dict[str, str]:
    """Task that a person reads -> a digest of what the student wrote."""
    return {
        cell.metadata.nbgrader.grade_id: hashlib.sha256(cell.source.encode()).hexdigest()[:16]
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.metadata.nbgrader.solution
    }
