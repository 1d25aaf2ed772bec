"""What platforms and people deliver: each file is taken, or left out with a reason."""

import io
import os
import unicodedata
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from utils.classroom.__main__ import main
from utils.classroom.collecting import collect
from utils.classroom.course import Course
from utils.classroom.names import composed, folder_name
from utils.classroom.policy import handed_in
from utils.classroom.records import CourseError

NOTEBOOK = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


@pytest.fixture
def course(tmp_path):
    """A course with one assignment, as far as collecting looks at it."""
    release = tmp_path / "course" / "release" / "stacking"
    release.mkdir(parents=True)
    (release / "stacking.ipynb").write_bytes(NOTEBOOK)
    return Course(tmp_path / "course")


def delivered(tmp_path, *names):
    """A folder that holds these notebooks."""
    folder = tmp_path / "down loads"
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(NOTEBOOK)
    return folder


def taken(lines):
    return {line.student: line.file for line in lines if line.taken}


def left_out(lines):
    return {line.file: line.why for line in lines if not line.taken}


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("Zoë.ipynb", "Zoë"),
        ("Zoë/homework.ipynb", "Zoë"),
        ("Zoë/deep/er/homework.ipynb", "Zoë"),
        ("Zoë.IPYNB", "Zoë"),
        ("Zoë.ipynb.txt", "Zoë"),
        ("O'Neil, Ann [b].ipynb", "O'Neil, Ann [b]"),
        ("李雷.ipynb", "李雷"),
        (unicodedata.normalize("NFD", "Zoë.ipynb"), "Zoë"),
        ("\ufeffZoë.ipynb", "Zoë"),
        ("Zoë Müller_123_assignsubmission_file_/hw.ipynb", "Zoë Müller"),
        ("Zoë Müller_123_assignsubmission_file_hw.ipynb", "Zoë Müller"),
        ("mullerzoe_123_456_hw-1.ipynb", "mullerzoe"),
        ("mullerzoe_LATE_123_456_hw.ipynb", "mullerzoe"),
    ],
)
def test_names_of_platforms_and_people(course, tmp_path, name, student):
    lines = collect(course, "stacking", delivered(tmp_path, name))
    assert set(taken(lines)) == {student}
    (path,) = course.submitted("stacking", student).glob("**/*.*")  # where grading looks
    assert path.read_bytes() == NOTEBOOK
    assert course.students() == [student]


def test_what_nobody_has_made_is_no_student(course, tmp_path):
    folder = delivered(
        tmp_path,
        "Ann/stacking.ipynb",
        "Ann/.ipynb_checkpoints/stacking-checkpoint.ipynb",
        "__MACOSX/Ann/._stacking.ipynb",
        "._Bob.ipynb",
        ".ipynb_checkpoints/Bob-checkpoint.ipynb",
        "Thumbs.db",
    )
    lines = collect(course, "stacking", folder)
    assert set(taken(lines)) == {"Ann"}
    assert len(left_out(lines)) == 5
    assert all("added by a system" in why for why in left_out(lines).values())
    assert course.students() == ["Ann"]


@pytest.mark.parametrize("wrapper", ["", "all of them/"])
def test_a_zip_of_everything(course, tmp_path, wrapper):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{wrapper}Ann.ipynb", NOTEBOOK)
        file.writestr(f"{wrapper}Bob/work.ipynb", NOTEBOOK)
        file.writestr(f"{wrapper}Cem.ipynb", NOTEBOOK)
        file.writestr(f"__MACOSX/{wrapper}._Ann.ipynb", b"")
    lines = collect(course, "stacking", path)
    assert set(taken(lines)) == {"Ann", "Bob", "Cem"}


def test_a_zip_for_each_student(course, tmp_path):
    folder = delivered(tmp_path, "Ann.ipynb")
    for place in ("Bob.zip", "Cem_7_assignsubmission_file_/work.zip"):
        (folder / place).parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(folder / place, "w") as file:
            file.writestr("stacking/stacking.ipynb", NOTEBOOK)
    assert set(taken(collect(course, "stacking", folder))) == {"Ann", "Bob", "Cem"}


def test_archives_are_not_trusted(course, tmp_path):
    folder = delivered(tmp_path, "Ann.ipynb")
    with zipfile.ZipFile(folder / "Bob.zip", "w") as file:
        file.writestr("../../../escaped.ipynb", NOTEBOOK)
        link = zipfile.ZipInfo("link.ipynb")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
        file.writestr("bomb.ipynb", b" " * (2**26 + 1), zipfile.ZIP_DEFLATED)
    (folder / "Cem.zip").write_bytes(b"no zip")
    lines = collect(course, "stacking", folder)
    assert set(taken(lines)) == {"Ann", "Bob"}
    assert not list(tmp_path.glob("**/../escaped.ipynb")) or not Path("/escaped.ipynb").exists()
    why = " ".join(left_out(lines).values())
    assert all(word in why for word in ("a link", "too large", "cannot be unpacked"))


def test_links_pipes_and_loops_are_left_out(course, tmp_path):
    folder = delivered(tmp_path, "Ann.ipynb", "Bob/work.ipynb")
    (folder / "Cem.ipynb").symlink_to(folder / "Ann.ipynb")
    (folder / "Bob" / "loop").symlink_to(folder)
    (folder / "Dan.ipynb").symlink_to(tmp_path / "nowhere")
    os.mkfifo(folder / "Eva.ipynb")
    lines = collect(course, "stacking", folder)
    assert set(taken(lines)) == {"Ann", "Bob"}
    assert set(left_out(lines)) == {"Cem.ipynb", "Bob/loop", "Dan.ipynb", "Eva.ipynb"}


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_stops_nobody(course, tmp_path):
    folder = delivered(tmp_path, "Ann.ipynb", "Zoë.ipynb")
    (folder / "Ann.ipynb").chmod(0)
    assert set(taken(collect(course, "stacking", folder))) == {"Zoë"}


def test_the_last_submission_counts(course, tmp_path):
    (course.root / "students.txt").write_text("Ann\n")
    folder = delivered(tmp_path, "Ann.ipynb", "Ann-1.ipynb", "Ann-2.ipynb")
    lines = collect(course, "stacking", folder)
    assert taken(lines) == {"Ann": "Ann-2.ipynb"}
    assert all("number 2 counts" in why for why in left_out(lines).values())


def test_a_lone_file_that_is_no_notebook_is_no_student(course, tmp_path):
    folder = delivered(tmp_path, "Ann.ipynb", "grades.csv", "Bob/answers.docx")
    lines = collect(course, "stacking", folder)
    assert set(taken(lines)) == {"Ann", "Bob"}
    assert left_out(lines) == {"grades.csv": "no notebook"}


def test_a_new_submission_replaces_the_old_one_whole(course, tmp_path):
    folder = delivered(tmp_path, "Ann/one.ipynb", "Ann/extra.csv")
    collect(course, "stacking", folder)
    (folder / "Ann" / "one.ipynb").rename(folder / "Ann" / "two.ipynb")
    (folder / "Ann" / "extra.csv").unlink()
    collect(course, "stacking", folder)
    names = [path.name for path in course.submitted("stacking", "Ann").iterdir()]
    assert names == ["two.ipynb"]


def test_errors_say_what_there_is(course, tmp_path):
    with pytest.raises(CourseError, match="'stakking' is none of stacking"):
        collect(course, "stakking", tmp_path)
    with pytest.raises(CourseError, match="no folder or zip"):
        collect(course, "stacking", tmp_path / "nowhere")


def test_names_for_nbgrader_are_safe_and_differ():
    names = [
        "Ann",
        "a+b",
        "李雷",
        "韩梅梅",
        "O'Neil",
        "ONeil",
        "Zoë",
        "Zoe",
        "a/b",
        "..",
        "a,b",
        "[a]",
    ]
    folders = [folder_name(name) for name in names]
    assert len(set(folders)) == len(names)
    assert all(folder.isascii() and not set("/+'[],*?") & set(folder) for folder in folders)
    assert folder_name("Ann") == "Ann"
    assert folder_name(composed("Zoë")) == folder_name(unicodedata.normalize("NFD", "Zoë"))


def packed(files, date=(2027, 5, 3, 12, 0, 0)):
    """The bytes of a zip."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, date)
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, content)
    return whole.getvalue()


def damaged(how):
    """A zip that is none: each of them fails in another way."""
    whole = bytearray(packed({"stacking.ipynb": NOTEBOOK * 50}))
    middle = slice(50, len(whole) - 110)
    if how == "cut off":
        return bytes(whole[: len(whole) // 2])
    if how == "its directory":
        whole[-22:-2] = b"\xff" * 20
    elif how == "its method":
        whole[8] = whole[whole.index(b"PK\x01\x02") + 10] = 97
    elif how == "its password":
        whole[6] |= 1
        whole[whole.index(b"PK\x01\x02") + 8] |= 1
    else:
        whole[middle] = {"ones": b"\xff", "zeros": b"\0"}[how] * len(whole[middle])
    return bytes(whole)


@pytest.mark.parametrize(
    "how", ["cut off", "its directory", "its method", "its password", "ones", "zeros"]
)
@pytest.mark.parametrize("outside", [False, True])
def test_a_damaged_archive_stops_nobody(course, tmp_path, how, outside):
    folder = delivered(tmp_path, "Ann.ipynb")
    (folder / "Bob.zip").write_bytes(damaged(how))
    if outside:
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        folder = tmp_path / "all.zip"
        folder.write_bytes(packed(files | {"Cem.ipynb": NOTEBOOK}))
    lines = collect(course, "stacking", folder)
    assert set(taken(lines)) == {"Ann", "Cem"} if outside else {"Ann"}
    assert "cannot be unpacked" in " ".join(left_out(lines).values())


@pytest.mark.parametrize("name", ["x" * 300, "Ann.ipynb/below", "a/" * 3000 + "b"])
def test_a_file_that_cannot_be_unpacked_stops_none_behind_it(course, tmp_path, name):
    files = {"Ann.ipynb": NOTEBOOK, f"{name}.ipynb": NOTEBOOK, "Zoë.ipynb": NOTEBOOK}
    (tmp_path / "all.zip").write_bytes(packed(files))
    assert set(taken(collect(course, "stacking", tmp_path / "all.zip"))) == {"Ann", "Zoë"}


@pytest.mark.parametrize("form", ["wide", "deep", "many files", "deep and wide"])
def test_archives_in_archives_have_one_limit(course, tmp_path, form):
    """Each of them is small enough; and nobody loses the room that another one has used."""
    zeros = {f"{n}": bytes(60 * 2**20) for n in range(2)}
    content = packed({f"{n}.zip": packed(zeros) for n in range(4)})
    if form == "deep":
        content = packed({"a.ipynb": NOTEBOOK})
        for _ in range(40):
            content = packed({"in.zip": content})
    elif form == "many files":
        content = packed({f"{n}.ipynb": b"" for n in range(9000)})
    elif form == "deep and wide":
        content = packed(zeros)
        for _ in range(2):
            content = packed({f"{n}.zip": content for n in range(12)})
    folder = delivered(tmp_path, "Ann.ipynb")
    (folder / "Bob.zip").write_bytes(content)
    (folder / "Cem.zip").write_bytes(packed({"stacking.ipynb": NOTEBOOK}))
    lines = collect(course, "stacking", folder)
    assert {"Ann", "Cem"} <= set(taken(lines))
    words = "an archive in more than 2 others" if form == "deep" else "in all"
    assert words in " ".join(left_out(lines).values())
    submitted = course.submitted("stacking", "Bob")
    assert sum(path.stat().st_size for path in submitted.glob("**/*")) <= 2**28
    assert len(lines) < 5000


@pytest.mark.parametrize("within", ["Ann.zip", "Ann/work.zip", "Ann_1_assignsubmission_file_w.zip"])
def test_the_time_in_an_own_archive_is_not_when_it_came(course, tmp_path, within):
    """Whoever makes an archive decides what time it says: for late work, one before the end."""
    came = datetime(2027, 5, 9, 12).timestamp()
    folder = tmp_path / "folder"
    path = folder / within
    path.parent.mkdir(parents=True)
    path.write_bytes(packed({"again.zip": packed({"stacking.ipynb": NOTEBOOK})}))
    os.utime(path, (came, came))
    collect(course, "stacking", folder)
    assert handed_in(course, "stacking", "Ann") == datetime(2027, 5, 9, 12)
    files = {within: path.read_bytes()}
    (tmp_path / "all.zip").write_bytes(packed(files, (2027, 5, 11, 12, 0, 0)))
    collect(course, "stacking", tmp_path / "all.zip")
    assert handed_in(course, "stacking", "Ann") == datetime(2027, 5, 11, 12)


@pytest.mark.parametrize("name", [" .ipynb", "\ufeff.ipynb", " ..ipynb", " ../work.ipynb"])
def test_a_name_that_is_no_students_is_left_out(course, tmp_path, name):
    folder = delivered(tmp_path, "Ann.ipynb", name)
    lines = collect(course, "stacking", folder)
    assert set(taken(lines)) == {"Ann"}
    assert "no student's" in " ".join(left_out(lines).values())
    assert [path.name for path in (course.root / "submitted").iterdir()] == ["Ann"]
    assert not (course.root / "stacking").exists()


@pytest.mark.parametrize("name", [b"\xff", b"Zo\xeb", b"\xed\xa0\x80"])
def test_a_name_in_another_encoding_is_a_name(course, tmp_path, name, capsys):
    folder = delivered(tmp_path, "Ann.ipynb")
    for student in (name, name + b"2"):
        path = os.fsencode(folder) + b"/" + student
        os.mkdir(path)
        Path(os.fsdecode(path + b"/work" + name + b".ipynb")).write_bytes(NOTEBOOK)
    assert main(["collect", str(course.root), "stacking", str(folder)]) == 0
    assert "3 submissions" in capsys.readouterr().out
    assert len({folder_name(student) for student in course.students()}) == 3
    for student in course.students():
        assert student.encode()
        assert course.submitted("stacking", student).is_dir()


@pytest.mark.parametrize(
    ("folder", "student"),
    [("Eve_7_assignsubmission_file_", "Eve"), ("Eve", "Eve")],
)
def test_who_hands_in_alone_hands_in_for_nobody_else(course, tmp_path, folder, student):
    (course.root / "students.txt").write_text("Ann\nBob\nEve\n")
    names = [f"{folder}/{other}/stacking.ipynb" for other in ("Ann", "Bob")]
    lines = collect(course, "stacking", delivered(tmp_path, *names))
    assert {line.student for line in lines} == {student}


@pytest.mark.parametrize("form", ["{}.ipynb", "export/{}.ipynb", "{}/a/b/stacking.ipynb"])
def test_a_large_class_is_not_one_student(course, tmp_path, monkeypatch, form):
    """What the platform packs has room for everybody."""
    monkeypatch.setattr("utils.classroom.unpacking.MOST_UNPACKED", 2**18)
    names = [f"Ann{chr(ord('a') + n)}" for n in range(20)]
    files = {form.format(name): NOTEBOOK for name in names}
    (tmp_path / "all.zip").write_bytes(packed(files))
    assert set(taken(collect(course, "stacking", tmp_path / "all.zip"))) == set(names)
