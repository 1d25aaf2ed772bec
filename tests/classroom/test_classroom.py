"""A class of thirty, some of them difficult, graded by real nbgrader: the right marks for all."""

import csv
import os
import re
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
from pathlib import Path

import nbformat
import psutil
import pytest
from nbconvert import HTMLExporter
from nbgrader.api import Gradebook

from tests.classroom.classes import SEED, Class, text_of
from tests.classroom.students import BREAKING, SHOWN, honest, hostile, wrong
from utils.classroom.__main__ import main
from utils.classroom.conversion import COURSE_ID, database
from utils.classroom.exporting import export
from utils.classroom.feedback import write_feedback
from utils.classroom.grading import grade
from utils.classroom.marks import marks_of
from utils.classroom.names import folder_name
from utils.classroom.records import FAILED, GRADED, MISSING, TO_READ, CourseError
from utils.classroom.repair import grade_id
from utils.classroom.sandbox import Limits, protections

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="grading needs Linux or macOS")
LIMITS = Limits(seconds=6)


NO_MARK = {
    "empty": (b"", "", "is empty"),
    "broken": (b'{"cells": [', "", "is no valid notebook"),
    "listing": (b"[1, 2]", "", "is no valid notebook"),
    "texting": (b"my answers are below", "answers.txt", "no notebook among the files: answers.txt"),
    "a+b": (b"{}", "", "is no valid notebook"),
}


@pytest.fixture(scope="module")
def listener():
    """A server of our own, and how often it was called."""
    calls = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            while True:
                try:
                    calls.append(server.accept()[0].close())
                except OSError:
                    return

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield server.getsockname()[1], calls
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def group_of(request, student):
    """Whether this run grades the student: `make test` has some, `make thorough` all."""
    return request.param[0] == "all" or not student.long


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("some", "stacking"), id="some"),
        pytest.param(("all", "stacking"), id="all-stacking", marks=pytest.mark.thorough),
        pytest.param(("all", "loading"), id="all-loading", marks=pytest.mark.thorough),
    ],
)
def group(request, tmp_path_factory, listener):
    """The class after grading, with ``expected`` and ``records``."""
    group = Class(tmp_path_factory.mktemp("class") / "a course", request.param[1])
    reads = (
        f"import pathlib, socket\ntry: socket.create_connection(('127.0.0.1', {listener[0]}), 3)\n"
        f"except OSError: pass\nfound = [p for folder in "
        f"({str(group.course.root)!r}, {str(Path.cwd() / 'notebooks' / 'assignments')!r})\n"
        "    for p in pathlib.Path(folder).glob('**/*.ipynb')]\n"
        "raise ValueError(f'found {len(found)} notebooks')"
    )
    everybody = honest(group) | hostile(group, reads) | wrong(group)
    group.expected = {name: one for name, one in everybody.items() if group_of(request, one)}
    for student, one in group.expected.items():
        group.hand_in(student, one.content, one.name)
    for student, (content, name, _) in NO_MARK.items():
        group.hand_in(student, content, name)
    (other,) = set(group.course.assignments()) - {group.assignment}
    group.other = Class(group.course.root, other)
    group.hand_in("elsewhere", group.other.released)
    group.hand_in("undecided", group.solved(), "one.ipynb")
    group.hand_in("undecided", group.solved(), "two.ipynb")
    (group.course.root / "students.txt").write_text("right\nabsent\n")
    group.folders, make = [], tempfile.mkdtemp
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "utils.classroom.sandbox.tempfile.mkdtemp",
            lambda *a, **how: group.folders.append(make(*a, **how)) or group.folders[-1],
        )
        group.records = grade(group.course, group.assignment, limits=LIMITS)
    group.pages, group.without = write_feedback(group.course, group.assignment)
    return group


def with_a_mark(group):
    return {name: one for name, one in group.expected.items() if name not in SHOWN}


def points_of(group, student):
    found = marks_of(group.course, group.assignment, student)
    assert found is not None, group.records[student]
    return {test: found.tasks[test] for test in group.tests.values()}


def test_the_class_is_a_class(group, request):
    assert len(group.records) >= 30


def test_each_student_loses_exactly_what_is_wrong(group):
    marked, expected = {}, {}
    for student, one in with_a_mark(group).items():
        judged = one.lost if student in BREAKING else tuple(group.tests)
        expected[student] = {
            task: 0 if task in one.lost else group.points[group.tests[task]] for task in judged
        }
        points = points_of(group, student)
        marked[student] = {task: points[group.tests[task]] for task in judged}
    assert marked == expected


def test_oddities_are_reported_with_their_cell(group):
    for student, one in group.expected.items():
        notes = group.records[student].notes
        assert any(one.words in note for note in notes) or not one.words, (student, notes)


def test_what_could_not_be_graded_is_no_zero(group):
    wanted = {student: words for student, (_, _, words) in NO_MARK.items()}
    wanted |= dict.fromkeys(SHOWN & group.expected.keys(), "which is not the student's")
    wanted |= {
        "elsewhere": f"is a notebook of {group.other.assignment!r}",
        "undecided": "which one counts",
    }
    for student, words in wanted.items():
        assert group.records[student].status == FAILED
        assert words in group.records[student].notes[0], student
        assert marks_of(group.course, group.assignment, student) is None
    assert group.records["absent"].status == MISSING


def test_submissions_reach_nothing_that_they_should_not(group, listener):
    kept = protections()
    if not (kept["network"] and kept["folders"] and kept["processes"]):
        pytest.skip(f"this system does not offer it: {kept}")
    assert listener[1] == []
    path = (
        group.course.root
        / "autograded"
        / "reading"
        / group.assignment
        / f"{group.assignment}.ipynb"
    )
    assert "found 0 notebooks" in path.read_text()


def test_nothing_in_a_submission_runs_on_its_page(group):
    page = (
        group.course.root / "feedback" / "scripting" / group.assignment / f"{group.assignment}.html"
    )
    text = page.read_text("utf-8")
    assert "bold</b>" in text  # what does not run is shown
    tags = re.findall(r"<(?:script|img|svg|b)\b[^>]*>(?:[^<]*alert\(1337\))?", text)
    assert not [tag for tag in tags if "1337" in tag]
    graded = (
        group.course.root
        / "autograded"
        / "scripting"
        / group.assignment
        / f"{group.assignment}.ipynb"
    )
    cells = nbformat.read(graded, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert not re.findall(r"<script|<[^>]*\bon(?:error|load)\b", str(outputs))


@pytest.mark.browser
def test_nothing_runs_in_a_browser_either(group, tmp_path):
    """Neither on the page for the student nor on the one that the Formgrader makes."""
    pytest.importorskip("playwright")
    from tests.browser import lab

    place = Path("scripting", group.assignment)
    graded = group.course.root / "autograded" / place / f"{group.assignment}.ipynb"
    shown, _ = HTMLExporter().from_filename(str(graded))
    (tmp_path / "formgrader.html").write_text(shown, encoding="utf-8")
    student = group.course.root / "feedback" / place / f"{group.assignment}.html"
    said = []
    with lab.chromium() as browser:
        for path in (student, tmp_path / "formgrader.html"):
            page = browser.new_page()
            page.route(lambda address: not address.startswith("file:"), lambda r: r.abort())
            page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
            page.goto(path.as_uri(), wait_until="domcontentloaded")
            page.evaluate(
                "document.querySelectorAll('*').forEach(e => e.dispatchEvent(new Event('error')))"
            )
            page.wait_for_timeout(500)
            assert "bold" in page.inner_text("body")
    assert said == []


def test_floods_of_output_are_cut(group):
    path = (
        group.course.root
        / "autograded"
        / "printing"
        / group.assignment
        / f"{group.assignment}.ipynb"
    )
    assert path.stat().st_size < 2**20


def test_nothing_is_left_behind(group):
    folders = [Path(folder) for folder in group.folders if "grade-" in folder]
    assert len(folders) >= len(group.expected)
    assert not any(folder.exists() for folder in folders)
    mine = psutil.Process().children(recursive=True)
    kernels = [
        p for p in mine if p.status() != psutil.STATUS_ZOMBIE and "grade-" in " ".join(p.cmdline())
    ]
    assert kernels == []


def test_grading_again_gives_the_same_marks(group):
    some = ["right", "own cells", "lying tensor", "broken", "wrong 0"]
    before = {student: marks_of(group.course, group.assignment, student) for student in some}
    again = grade(group.course, group.assignment, some, limits=LIMITS, again=True)
    assert {s: marks_of(group.course, group.assignment, s) for s in some} == before
    assert {s: r.status for s, r in again.items()} == {s: group.records[s].status for s in some}


def test_what_a_person_gave_stays(group, tmp_path, monkeypatch):
    (read,) = set(group.points) - set(group.tests.values())
    with Gradebook(database(group.course.root), COURSE_ID) as book:
        given = book.find_grade(read, *[group.assignment] * 2, "right")
        assert given.needs_manual_grade
        given.manual_score, given.needs_manual_grade = 11.0, False
        book.db.commit()
    with monkeypatch.context() as patch:  # nothing runs again
        patch.setattr("utils.classroom.grading._grade", None)
        there = [s for s, record in group.records.items() if record.status != MISSING]
        grade(group.course, group.assignment, there, limits=LIMITS)
    grade(group.course, group.assignment, ["right"], again=True, limits=LIMITS)
    export(group.course, tmp_path / "marks.csv")
    with (tmp_path / "marks.csv").open(newline="", encoding="utf-8") as file:
        rows = {
            row["student"]: row
            for row in csv.DictReader(file)
            if row["assignment"] == group.assignment
        }
    assert rows["right"]["status"] == GRADED
    assert float(rows["right"]["points"]) == group.automatic + 11
    assert (rows["looping"]["status"], rows["looping"]["points"]) == (TO_READ, "")
    assert (rows["untouched"]["status"], float(rows["untouched"]["points"])) == (GRADED, 0)
    assert (rows["broken"]["status"], rows["broken"]["points"]) == (FAILED, "")
    assert (rows["absent"]["status"], rows["absent"]["points"]) == (MISSING, "")
    assert "is no valid notebook" in rows["broken"]["notes"]


def test_students_receive_neither_hidden_tests_nor_solutions(group):
    hidden, solutions = group.secrets()
    assert len(hidden) > 50
    assert len(solutions) > 10
    for path in (group.course.root / "release").glob("**/*"):
        if path.is_file():
            text = path.read_text("utf-8")
            cells = nbformat.reads(text, as_version=4).cells
            told = "\n".join(cell.source for cell in cells)
            assert not any(line in told or line in text for line in hidden | solutions)
            assert "BEGIN" not in text
            assert not any(cell.get("attachments") or cell.get("outputs") for cell in cells)
    assert group.without == {}
    assert len(group.pages) == len(with_a_mark(group))
    students = {folder_name(student): one for student, one in group.expected.items()}
    for path in group.pages:
        text = text_of(path.read_text("utf-8"))
        content = students[path.parts[-3]].content  # who may have written the same
        own = content.decode() if isinstance(content, bytes) else str(content)
        own += "\n".join(group.answers.values())
        assert not [line for line in hidden if line in text and line not in own], path
        if "untouched" in path.parts:
            assert not [line for line in solutions if line in text]
    assert "/" in text_of(group.pages[0].read_text("utf-8"))


def test_an_assignment_without_a_seed_is_refused(group, tmp_path):
    source = tmp_path / "source" / "new"
    source.mkdir(parents=True)
    notebook = nbformat.from_dict(group.source)
    for cell in notebook.cells:
        cell.source = re.sub(r"^SEED = \d+$", "", cell.source, flags=re.MULTILINE)
    nbformat.write(notebook, source / "new.ipynb")
    with pytest.raises(CourseError, match="exactly one line such as SEED = 1, but has 0"):
        group.course.build(SEED, tmp_path)


def test_names_of_cells_are_kept(group):
    assert [grade_id(c) for c in group.released.cells] == [grade_id(c) for c in group.source.cells]
    assert os.access(group.course.root / "nbgrader_config.py", os.R_OK)


def test_where_nothing_can_be_limited_nothing_is_graded(tmp_path, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        assert main(["grade", str(tmp_path)]) == 1
    assert "grading needs Linux or macOS" in capsys.readouterr().err


def test_kernels_do_not_run_the_main_module_again(tmp_path):
    program = """
        from pathlib import Path
        with Path(__file__).with_suffix(".runs").open("a") as file:
            file.write("x")
        if __name__ == "__main__":
            from utils.classroom.kernel import Kernel
            from utils.classroom.sandbox import Limits
            Kernel(Limits(), []).end()
    """
    (tmp_path / "main.py").write_text(textwrap.dedent(program))
    subprocess.run([sys.executable, tmp_path / "main.py"], check=True, timeout=120)
    assert (tmp_path / "main.runs").read_text() == "x"
