"""Links for Binder and JupyterHubs: for every kind of remote, and quoted."""

import subprocess
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from utils.authoring.links import Repository, badge, main, worth_a_link
from utils.authoring.store import NOTEBOOKS


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/an-owner/the.lessons",
        "https://github.com/an-owner/the.lessons.git",
        "https://github.com/an-owner/the.lessons/",
        "https://user:token@github.com/an-owner/the.lessons.git",
        "git@github.com:an-owner/the.lessons.git",
        "ssh://git@github.com/an-owner/the.lessons.git",
        "ssh://git@github.com:22/an-owner/the.lessons.git",
        "GitHub.com/an-owner/the.lessons",
    ],
)
def test_remotes_of_every_form_are_understood(remote):
    repository = Repository.from_remote(remote)
    assert repository == Repository("github.com", "an-owner/the.lessons")
    assert "token" not in repository.url


@pytest.mark.parametrize("remote", ["", "/srv/lessons", "../lessons", "file:///srv/lessons", "x"])
def test_remotes_that_others_cannot_reach_are_refused(remote):
    with pytest.raises(ValueError, match="no address that others can reach"):
        Repository.from_remote(remote)


@pytest.mark.parametrize(
    ("remote", "place"),
    [
        ("https://github.com/a/b", "gh/a/b"),
        ("https://gitlab.com/group/sub/b", "gl/group%2Fsub%2Fb"),
        ("https://git.example.org/a/b", "git/https%3A%2F%2Fgit.example.org%2Fa%2Fb.git"),
    ],
)
def test_binder_knows_the_host(remote, place):
    link = Repository.from_remote(remote).binder("main", "notebooks/01_stack.ipynb")
    assert link.startswith(f"https://mybinder.org/v2/{place}/main?urlpath=")
    assert parse_qs(urlsplit(link).query) == {"urlpath": ["lab/tree/notebooks/01_stack.ipynb"]}


def test_what_is_special_in_an_address_is_quoted():
    repository = Repository.from_remote("https://github.com/a/b")
    link = repository.binder("feature/ü & more", "notebooks/für uns #1.ipynb")
    assert not set(' #&"ü') & set(link)
    path = urlsplit(link).path.split("/")
    assert unquote(path[-1]) == "feature/ü & more"
    (inner,) = parse_qs(urlsplit(link).query)["urlpath"]
    assert unquote(inner) == "lab/tree/notebooks/für uns #1.ipynb"
    pull = repository.nbgitpuller("https://hub.example.org/", "feature/x", "notebooks/1 2.ipynb")
    assert parse_qs(urlsplit(pull).query) == {
        "repo": ["https://github.com/a/b.git"],
        "branch": ["feature/x"],
        "urlpath": ["lab/tree/b/notebooks/1 2.ipynb"],
    }


def test_each_lesson_gets_its_links(capsys):
    assert main(["--remote", "https://gitlab.com/a/b", "--ref", "v1", "--hub", "https://h"]) == 0
    told = capsys.readouterr().out
    files = worth_a_link(NOTEBOOKS.parent)
    assert len(files) == len(list(NOTEBOOKS.glob("*.ipynb")))
    for file in files:
        link = Repository("gitlab.com", "a/b").binder("v1", file)
        assert link in told
        assert badge(link) in told
    assert told.count("https://h/hub/user-redirect/git-pull?") == len(files)


def test_assignments_get_links_to_what_students_may_see(tmp_path, capsys):
    for name in ("notebooks/01.ipynb", "notebooks/assignments/source/a/a.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    for folder in ("release", "Kurs 1/release", ".course/release"):
        (tmp_path / folder / "ä").mkdir(parents=True)
        (tmp_path / folder / "ä" / "ä.ipynb").write_text("{}")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "release", "Kurs 1", "notebooks"], cwd=tmp_path, check=True)
    found = ["notebooks/01.ipynb", "Kurs 1/release/ä/ä.ipynb", "release/ä/ä.ipynb"]
    assert worth_a_link(tmp_path) == found
    assert main(["--remote", "https://github.com/a/b", "--ref", "x", found[1]]) == 0
    told = capsys.readouterr().out
    assert Repository("github.com", "a/b").binder("x", found[1]) in told
    assert "lab%2Ftree%2Fnotebooks" not in told


def test_a_remote_that_is_not_known_is_said(capsys):
    assert main(["--remote", "/somewhere"]) == 1
    assert "--remote" in capsys.readouterr().err
