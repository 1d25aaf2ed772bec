"""The folder of a course: what is in it, and how it is built.

source/ASSIGNMENT/ASSIGNMENT.ipynb              with the answers, never given out
hidden/ASSIGNMENT/….py                          the tests that decide, never given out
release/ASSIGNMENT/ASSIGNMENT.ipynb             what students get
submitted/STUDENT/ASSIGNMENT/….ipynb            what came back, never changed
repaired/, autograded/, feedback/, gradebook.db nbgrader's, made from these
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
from pathlib import Path

import nbformat

from utils.classroom import conversion
from utils.classroom.names import composed
from utils.classroom.records import CourseError, State

ASSIGNMENTS = Path(__file__).parents[2] / "notebooks" / "assignments"
_SEED = re.compile(r"^SEED = \d+$", flags=re.MULTILINE)


class Course:
    """A course in the folder ``root``."""

    def __init__(self, root: Path | str):
        self.root = Path(root).resolve()
        self.state = State(self.root / "course.json")

    def assignments(self) -> list[str]:
        """The names of the assignments that were built."""
        found = sorted(path.parent.name for path in self.root.glob("release/*/*.ipynb"))
        if not found:
            raise CourseError(f"{self.root} holds no course yet: build it first.")
        return found

    def check(self, assignment: str) -> str:
        """The assignment, if there is one of this name."""
        if assignment not in self.assignments():
            raise CourseError(f"{assignment!r} is none of {', '.join(self.assignments())}.")
        return assignment

    def released(self, assignment: str, student: str = "") -> nbformat.NotebookNode:
        """The notebook that students got, or that this one got."""
        path = self.root / "release" / assignment / f"{assignment}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        if student:
            _put_seed(notebook, self.seed_of(student))
        return notebook

    def seed_of(self, student: str) -> int:
        """The seed of one student: the course's, unless each has one of their own."""
        if not self.state["a seed for each"]:
            return self.year
        digest = hashlib.sha256(f"{self.year} {composed(student)}".encode()).digest()
        return 1 + int.from_bytes(digest[:4], "big") % 999_999

    def students(self) -> list[str]:
        """Who is on the list (``students.txt``, if there is one), or has submitted anything."""
        roster = self.root / "students.txt"
        listed = roster.read_text("utf-8-sig").splitlines() if roster.exists() else []
        folders = [path.name for path in self.root.glob("submitted/*") if path.is_dir()]
        return sorted({composed(name) for name in (*listed, *folders)} - {""})

    def submitted(self, assignment: str, student: str) -> Path:
        """The folder of what a student handed in."""
        folder = self.root / "submitted"
        names = [path.name for path in folder.glob("*")] if folder.exists() else []
        name = next((name for name in names if composed(name) == student), student)
        return folder / name / assignment

    @property
    def year(self) -> int:
        """The seed that the course was built with."""
        seed = self.state["seed"]
        if not isinstance(seed, int):
            raise CourseError(f"{self.root} holds no course yet: build it first.")
        return seed

    @property
    def secret(self) -> str:
        """What hidden inputs are drawn from; no student can know it."""
        return str(self.state["secret"])

    def build(
        self, seed: int, assignments: Path = ASSIGNMENTS, *, for_each: bool = False
    ) -> list[Path]:
        """Make the student versions, with this seed; returns their paths.

        With ``for_each``, everybody in ``students.txt`` gets a variant: another seed, which
        follows from the course's and the name. Building again with the same seed takes over what
        has changed in the assignments. Another seed is refused once there are submissions, which
        it would make wrong.
        """
        before = self.state["seed"]
        if before not in (None, seed) and any(self.root.glob("submitted/*/*")):
            raise CourseError(
                f"The course was built with seed {before} and has submissions; with seed "
                f"{seed} they would be wrong. Take another folder for another year."
            )
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "nbgrader_config.py").write_text(conversion.CONFIG, encoding="utf-8")
        secret = self.state["secret"] or secrets.token_hex(16)
        self.state.update(seed=seed, secret=secret, **{"a seed for each": for_each})
        sources = sorted(assignments.glob("source/*/*.ipynb"))
        built = [self._build(path, seed) for path in sources]
        if not for_each:
            return built
        if not self.students():
            raise CourseError(f"Write the students' names into {self.root / 'students.txt'} first.")
        return [self._variant(path.stem, name) for path in built for name in self.students()]

    def _variant(self, assignment: str, student: str) -> Path:
        path = self.root / "variants" / student.replace("/", "-") / f"{assignment}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(self.released(assignment, student), path)
        return path

    def _build(self, path: Path, seed: int) -> Path:
        name = path.stem
        notebook = nbformat.read(path, as_version=4)
        seeded = _put_seed(notebook, seed)
        if seeded != 1:
            raise CourseError(f"{path} needs exactly one line such as SEED = 1, but has {seeded}.")
        target = self.root / "source" / name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, target)
        hidden = self.root / "hidden" / name
        if hidden.exists():
            shutil.rmtree(hidden)
        given = path.parents[2] / "hidden" / name
        shutil.copytree(given, hidden, ignore=shutil.ignore_patterns("__pycache__"))
        conversion.generate_assignment(self.root, name)
        return self.root / "release" / name / path.name


def _put_seed(notebook: nbformat.NotebookNode, seed: int) -> int:
    """Write the seed where it stands; returns in how many places."""
    places = 0
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source, count = _SEED.subn(f"SEED = {seed}", cell.source)
            places += count
    return places
