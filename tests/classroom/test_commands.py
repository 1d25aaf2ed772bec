"""A course with a variant for each student, from the commands alone, as a teacher types them."""

import csv
import os
import re
import sys
from datetime import datetime

import nbformat
import pytest

from tests.classroom.classes import Class
from utils.classroom.__main__ import main
from utils.classroom.repair import grade_id

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="grading needs Linux or macOS")
LATE = datetime(2027, 5, 4, 12).timestamp()


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Built, collected and graded: Ann hands in her variant, Bob Ann's, Cem the same, late."""
    root = tmp_path_factory.mktemp("variants")
    course, downloads = root / "course", root / "downloads"
    group = Class(course, "stacking")
    (course / "students.txt").write_text("Ann Lee\nBob Ray\nCem Öz\n", encoding="utf-8")
    (course / "settings.toml").write_text(
        "[stacking]\ndeadline = 2027-05-03T12:00:00\npenalty_per_day = 10\n"
    )
    assert main(["build", str(course), "--seed", "7", "--seed-per-student"]) == 0
    for number, (student, variant) in enumerate(
        {"Ann Lee": "Ann Lee", "Bob Ray": "Ann Lee", "Cem Öz": "Cem Öz"}.items(), 10
    ):
        path = course / "variants" / variant / "stacking.ipynb"
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.metadata.nbgrader.solution:
                cell.source = group.answers[grade_id(cell)]
        sent = downloads / f"{student}_{number}_assignsubmission_file_" / "stacking.ipynb"
        sent.parent.mkdir(parents=True)
        nbformat.write(notebook, sent)
        late = datetime(2027, 5, 1).timestamp() if student != "Cem Öz" else LATE
        os.utime(sent, (late, late))
    assert main(["collect", str(course), "stacking", str(downloads)]) == 0
    assert main(["grade", str(course), "stacking", "--seconds", "6"]) == 0
    group.root = course
    return group


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_each_student_has_another_seed(course):
    texts = [
        (course.root / "variants" / student / "stacking.ipynb").read_text("utf-8")
        for student in ("Ann Lee", "Bob Ray", "Cem Öz")
    ]
    seeds = [re.findall(r"\bSEED = (\d+)", text)[0] for text in texts]
    assert len(set(seeds)) == 3


def test_the_same_program_gets_the_same_mark_in_every_variant(course):
    """Also Bob's, who took another's variant: his own is put in its place."""
    assert main(["export", str(course.root)]) == 0
    rows = [row for row in rows_of(course.root / "marks.csv") if row["assignment"] == "stacking"]
    automatic = {row["student"]: float(row["automatic points"]) for row in rows}
    assert automatic == dict.fromkeys(["Ann Lee", "Bob Ray", "Cem Öz"], course.automatic)


def test_platforms_get_their_own_columns(course, tmp_path):
    target = tmp_path / "canvas.csv"
    assert main(["export", str(course.root), str(target), "--for", "canvas"]) == 0
    rows = {row["Student"]: row for row in rows_of(target)}
    assert rows["Ann Lee"]["ID"] == "10"
    assert rows["Ann Lee"]["stacking"] == ""  # a person has still to read: not final
    assert main(["export", str(course.root), "--for", "moodle"]) == 0
    assert {row["Identifier"] for row in rows_of(course.root / "moodle.csv")} >= {"Participant 11"}


def test_hints_name_who_is_alike(course, capsys):
    assert main(["report", str(course.root), "stacking"]) == 0
    said = capsys.readouterr().out
    assert "Ann Lee and Bob Ray, stacking: 100% of the program is the same" in said


def test_feedback_is_packed(course, capsys):
    assert main(["feedback", str(course.root), "stacking", "--pack"]) == 0
    assert "3 pages in" in capsys.readouterr().out
    assert (course.root / "feedback-stacking.zip").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["grade", "{new}"], "holds no course yet: build it first"),
        (["collect", "{course}", "stackin", "{course}"], "is none of loading, stacking"),
        (["grade", "{course}", "stakking"], "is none of loading, stacking"),
        (["build", "{course}", "--seed", "8"], "Take another folder"),
        (["build", "{new}", "--seed-per-student"], "students.txt"),
    ],
)
def test_mistakes_are_told(course, tmp_path, capsys, arguments, words):
    places = {"course": course.root, "new": tmp_path / "new"}
    assert main([one.format(**places) for one in arguments]) == 1
    assert words in capsys.readouterr().err
