"""Links for Binder and JupyterHubs: for every kind of remote, and quoted."""

import shutil
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
        "ssh://git@ssh.github.com:443/an-owner/the.lessons.git",
        "git@ssh.github.com:an-owner/the.lessons.git",
        "git+ssh://git@github.com/an-owner/the.lessons",
        "https://github.com:443/an-owner/the.lessons.git",
        "GitHub.com/an-owner/the.lessons",
    ],
)
def test_remotes_of_every_form_are_understood(remote):
    repository = Repository.from_remote(remote)
    assert repository == Repository("github.com", "an-owner/the.lessons")
    assert "token" not in repository.url


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("https://git.example.org:8443/a/b", "https://git.example.org:8443/a/b.git"),
        ("http://git.example.org/a/b.git", "http://git.example.org/a/b.git"),
        ("http://git.example.org:8080/a/b.git", "http://git.example.org:8080/a/b.git"),
        ("http://git.example.org:80/a/b", "http://git.example.org/a/b.git"),
        ("ssh://git@git.example.org:2222/a/b", "https://git.example.org/a/b.git"),
        ("ssh://git@altssh.gitlab.com:443/a/c/b.git", "https://gitlab.com/a/c/b.git"),
    ],
)
def test_ports_of_http_are_kept_and_those_of_ssh_dropped(remote, url):
    assert Repository.from_remote(remote).url == url


@pytest.mark.skipif(shutil.which("ssh") is None, reason="needs ssh, which knows its aliases")
def test_an_alias_of_the_configuration_of_ssh_is_looked_up(monkeypatch):
    known = subprocess.run(["ssh", "-G", "work"], capture_output=True, text=True, check=True).stdout
    real = subprocess.run
    told = known.replace("hostname work", "hostname git.example.org")

    def run(command, **options):
        if command[:2] == ["ssh", "-G"]:
            return subprocess.CompletedProcess(command, 0, stdout=told, stderr="")
        return real(command, **options)

    monkeypatch.setattr(subprocess, "run", run)
    for remote in ("work:a/b.git", "git@work:a/b", "ssh://work/a/b.git"):
        assert Repository.from_remote(remote).url == "https://git.example.org/a/b.git"


UNREACHABLE = ["", "/srv/lessons", "../lessons", "file:///srv/lessons", "x", "git://example.org/a"]
UNREACHABLE += ["https://localhost:8888/a/b", "https://example.org", "ftp://example.org/a/b"]


@pytest.mark.parametrize("remote", UNREACHABLE)
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
        "targetPath": ["b"],
        "urlpath": ["lab/tree/b/notebooks/1%202.ipynb"],
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


def test_a_commit_gets_no_link_that_takes_a_branch(tmp_path, capsys):
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=NOTEBOOKS, capture_output=True, text=True, check=True
    ).stdout.strip()
    for ref, pulled in ((commit, False), (commit[:9], False), ("v1.0", True), ("abcdefa-x", True)):
        assert main(["--remote", "https://github.com/a/b", "--ref", ref, "one.ipynb"]) == 0
        told = capsys.readouterr().out
        assert f"/{ref}?urlpath=" in told
        assert ("git-pull?" in told) is pulled
        assert ("is a commit" in told) is not pulled


def test_a_remote_that_is_not_known_is_said(capsys):
    assert main(["--remote", "/somewhere"]) == 1
    assert "--remote" in capsys.readouterr().err
