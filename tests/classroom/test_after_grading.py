"""Deadlines, exports, likeness and signs: what is made of submissions and marks."""

import csv
import math
from copy import deepcopy
from datetime import datetime

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from utils.classroom import exporting, likeness
from utils.classroom.course import Course
from utils.classroom.exporting import export_for
from utils.classroom.policy import Policy, handed_in, read_policy
from utils.classroom.records import CourseError
from utils.classroom.signs import signs_in

NOON = datetime(2027, 5, 3, 12)


@pytest.fixture
def course(tmp_path):
    """A course with two assignments, as far as these functions look at it."""
    for name in ("loading", "stacking"):
        folder = tmp_path / "release" / name
        folder.mkdir(parents=True)
        (folder / f"{name}.ipynb").write_text("{}")
    return Course(tmp_path)


@pytest.mark.parametrize(
    ("handed", "days"),
    [
        (datetime(2027, 5, 3, 11, 59), 0),
        (datetime(2027, 5, 3, 12, 30), 0),  # within the grace
        (datetime(2027, 5, 3, 12, 31), 1),
        (datetime(2027, 5, 4, 12), 1),
        (datetime(2027, 5, 4, 12, 1), 2),
    ],
)
def test_days_late_are_days_begun(handed, days):
    rules = Policy(NOON, grace_minutes=30, extensions={"Ann": datetime(2027, 5, 9)})
    assert rules.days_late("Bob", handed) == days
    assert rules.days_late("Ann", handed) == 0
    assert Policy().days_late("Bob", handed) == 0


@pytest.mark.parametrize(("days", "points"), [(0, 80), (1, 72), (3, 56), (4, 0), (50, 0)])
def test_late_points(days, points):
    assert Policy(NOON, penalty_per_day=10, days_at_most=3).points(80, days) == pytest.approx(
        points
    )
    assert Policy(NOON, penalty_per_day=30).points(80, 50) == 0
    assert Policy(NOON).points(80, days) == 80


def test_settings_are_read(course):
    assert read_policy(course, "stacking") == Policy()
    (course.root / "settings.toml").write_text(
        "\ufeff[stacking]\ndeadline = 2027-05-03T12:00:00\npenalty_per_day = 10\n"
        '[stacking.extensions]\n"Zoe\u0308" = 2027-05-09T12:00:00\n',
        encoding="utf-8",
    )
    rules = read_policy(course, "stacking")
    assert (rules.deadline, rules.penalty_per_day, rules.days_at_most) == (NOON, 10, math.inf)
    assert rules.extensions == {"Zoë": datetime(2027, 5, 9, 12)}
    assert read_policy(course, "loading") == Policy()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[stakking]\n", "speaks of stakking; the assignments are loading, stacking"),
        ("[stacking]\npenalty = 3\n", "has penalty; known are"),
        ('[stacking]\ndeadline = "tomorrow"\n', "without quotes, such as"),
        ("[stacking\n", "cannot be read"),
    ],
)
def test_mistakes_in_settings_are_told(course, text, words):
    (course.root / "settings.toml").write_text(text)
    with pytest.raises(CourseError, match=words):
        read_policy(course, "stacking")


def test_the_time_of_a_submission(course):
    assert handed_in(course, "stacking", "Ann") is None
    course.state.update(**{"handed in": {"stacking": {"Ann": "2027-05-03T12:00:00"}}})
    assert handed_in(course, "stacking", "Ann") == NOON


@pytest.fixture
def graded(course, monkeypatch):
    """Marks of three students, as `rows` would tell them."""
    told = [("Zoë", "graded", 72.5), ("Bob", "could not be graded", ""), ("Cem", "missing", "")]
    names = ["student", "status", "points after lateness"]
    rows = [{"assignment": "stacking", **dict(zip(names, one, strict=True))} for one in told]
    monkeypatch.setattr(exporting, "table_rows", lambda course: rows)
    course.state.update(people={"Zoë": {"id": "12"}, "Bob": {"id": "13"}})
    return course


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_marks_for_moodle(graded, tmp_path):
    assert export_for(graded, "moodle", tmp_path / "moodle.csv") == 2
    bob, zoe = read(tmp_path / "moodle.csv")
    assert zoe == {"Identifier": "Participant 12", "Full name": "Zoë", "stacking": "72.5"}
    assert bob["stacking"] == ""  # which is no zero


def test_marks_for_canvas(graded, tmp_path):
    export_for(graded, "canvas", tmp_path / "canvas.csv")
    _, zoe = read(tmp_path / "canvas.csv")
    assert (zoe["Student"], zoe["ID"], zoe["stacking"]) == ("Zoë", "12", "72.5")
    graded.state.update(people={})
    with pytest.raises(CourseError, match="number is not known for"):
        export_for(graded, "canvas", tmp_path / "canvas.csv")


def test_no_spreadsheet_takes_a_name_for_a_formula(graded, tmp_path, monkeypatch):
    rows = [{"student": "=1+1", "assignment": "stacking", "status": "graded",
             "points after lateness": -1.0}]  # fmt: skip
    monkeypatch.setattr(exporting, "table_rows", lambda course: rows)
    export_for(graded, "moodle", tmp_path / "moodle.csv")
    (row,) = read(tmp_path / "moodle.csv")
    assert (row["Full name"], row["stacking"]) == ("'=1+1", "-1.0")


PROGRAM = """
def tiles(photo, side):
    rows, columns = photo.shape[0] // side, photo.shape[1] // side
    whole = photo[: rows * side, : columns * side]
    grid = whole.reshape(rows, side, columns, side, -1).permute(0, 2, 4, 1, 3)
    result = grid.reshape(rows * columns, -1, side, side) / 255
    mean, deviation = result.mean(dim=(0, 2, 3)), result.std(dim=(0, 2, 3))
    return (result - mean.view(-1, 1, 1)) / deviation.view(-1, 1, 1)
"""
OTHER = """
def tiles(photo, side):
    channels_first = photo.movedim(2, 0).float().div(255)
    windows = channels_first.unfold(1, side, side).unfold(2, side, side)
    batch = windows.flatten(1, 2).transpose(0, 1).contiguous()
    middle = torch.stack([batch[:, c].mean() for c in range(batch.shape[1])])
    spread = torch.stack([batch[:, c].std() for c in range(batch.shape[1])])
    normal = torch.nn.functional.batch_norm(batch, middle, spread.square(), eps=0.0)
    return normal
"""


def test_alike_programs_are_found(course, monkeypatch):
    renamed = PROGRAM.replace("whole", "w").replace("grid", "g").replace("side", "s")
    texts = {"Ann": PROGRAM, "Bob": f"# my own work\n{renamed}", "Cem": OTHER}
    notebooks = {name: new_notebook(cells=[new_code_cell(text)]) for name, text in texts.items()}
    monkeypatch.setattr(Course, "released", lambda *_: new_notebook())
    monkeypatch.setattr(Course, "students", lambda _: list(texts))
    monkeypatch.setattr(likeness, "find", lambda c, a, student: (notebooks[student], []))
    ((share, one, other),) = likeness.alike(course, "stacking")
    assert (one, other) == ("Ann", "Bob")
    assert share > 0.95
    monkeypatch.setattr(
        Course, "released", lambda *_: deepcopy(new_notebook(cells=[new_code_cell(PROGRAM)]))
    )
    assert likeness.alike(course, "stacking") == []  # what was handed out does not count


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import socket", "opens a connection"),
        ("torch.testing.assert_close = print", "replaces functions"),
        ("def __import__(*a): pass", "replaces functions"),
        ("sys.modules['utils'] = None", "replaces modules"),
        ("sys._getframe()", "reaches into"),
        ("sys.settrace(None)", "turns traces"),
        ("open('/etc/shadow')", "looks for files"),
        ("for s in In: print(s)", "reads earlier cells"),
        ("os.kill(1, 9)", "ends or signals"),
        ("import ctypes", "parent-death"),
        ("import utils.classroom.answering", "imitates"),
        ("subprocess.run('ls')", "starts processes"),
    ],
)
def test_signs_are_told_in_words(source, words):
    (said,) = signs_in(new_notebook(cells=[new_code_cell(f"x = 1\n{source}")]))
    assert words in said


def test_honest_cells_show_no_sign():
    assert signs_in(new_notebook(cells=[new_code_cell(PROGRAM), new_code_cell(OTHER)])) == []
