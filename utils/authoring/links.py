"""Links that open the lessons elsewhere: ``python -m utils.authoring.links`` or ``make links``.

They are made from this repository's own remote, so that a fork gets its own. For each lesson, and
each assignment whose student version is in the repository: on Binder, in JupyterLab; on a
JupyterHub, by nbgitpuller; and Binder's badge, in Markdown.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

BINDER = "https://mybinder.org"
# SSH through the port of HTTPS has host names of its own
BEHIND = {"ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com"}
UNREACHABLE = (
    "{!r} is no address that others can reach{}. Give one such as https://github.com/OWNER/NAME, "
    "with --remote or as the remote 'origin'."
)


@dataclass(frozen=True)
class Repository:
    """Where a repository is: its host, such as github.com, and its path there."""

    host: str  # with a port, where HTTP has an unusual one
    path: str
    scheme: str = "https"

    @classmethod
    def from_remote(cls, remote: str) -> Repository:
        """The repository of a git remote; raises `ValueError` for one that nobody else can reach.

        Understands ``https://host/owner/name.git``, ``git@host:owner/name.git`` and
        ``ssh://git@host:22/owner/name``, also where ``host`` is an alias in your configuration of
        SSH. A user name or a token in the address is left out, and so is a port of SSH; a port of
        HTTP stays, and plain HTTP stays plain.
        """
        remote = remote.strip()
        scheme, found, rest = remote.partition("://")
        if not found:
            address, colon, path = remote.partition(":")
            by_ssh = bool(colon) and "/" not in address
            scheme, rest = ("ssh", f"{address}/{path}") if by_ssh else ("https", remote)
        parts = urlsplit(f"//{rest}")
        host, path = parts.hostname or "", parts.path.strip("/").removesuffix(".git")
        if scheme in ("ssh", "git+ssh"):
            host, scheme = _ssh_host(host), "https"
        elif scheme in ("http", "https"):
            usual = {"http": 80, "https": 443}[scheme]
            host += f":{parts.port}" if parts.port not in (None, usual) else ""
        else:
            raise ValueError(UNREACHABLE.format(remote, f": {scheme}:// opens in no browser"))
        if "." not in host.strip(".") or not path:
            raise ValueError(UNREACHABLE.format(remote, ""))
        return cls(host, path, scheme)

    @property
    def url(self) -> str:
        """Where to clone it from."""
        return f"{self.scheme}://{self.host}/{quote(self.path)}.git"

    def binder(self, ref: str, file: str, binder: str = BINDER) -> str:
        """The link that opens ``file`` in JupyterLab on Binder, as of a branch, tag or commit."""
        if self.host == "github.com":
            place = f"gh/{quote(self.path)}"
        elif self.host == "gitlab.com":
            place = f"gl/{quote(self.path, safe='')}"
        else:
            place = f"git/{quote(self.url, safe='')}"
        lab = urlencode({"urlpath": f"lab/tree/{quote(file)}"}, quote_via=quote, safe="")
        return f"{binder}/v2/{place}/{quote(ref, safe='')}?{lab}"

    def nbgitpuller(self, hub: str, ref: str, file: str) -> str:
        """The link that copies the repository to a JupyterHub and opens ``file`` there.

        ``ref`` is a branch or a tag: nbgitpuller takes no commit.
        """
        name = self.path.rsplit("/", 1)[-1]
        query = {"repo": self.url, "branch": ref, "targetPath": name}
        query["urlpath"] = f"lab/tree/{quote(f'{name}/{file}')}"
        asked = urlencode(query, quote_via=quote, safe="")
        return f"{hub.rstrip('/')}/hub/user-redirect/git-pull?{asked}"


def _ssh_host(name: str) -> str:
    """The host that SSH calls ``name``: an alias of the user's configuration is looked up."""
    if "." not in name and name and shutil.which("ssh"):
        told = subprocess.run(["ssh", "-G", name], capture_output=True, text=True, check=False)
        found = re.search(r"^hostname (\S+)$", told.stdout, flags=re.MULTILINE)
        name = found[1] if found else name
    return BEHIND.get(name.lower(), name.lower())


def badge(link: str, binder: str = BINDER) -> str:
    """Binder's badge with a link, in Markdown."""
    return f"[![Open on Binder]({binder}/badge_logo.svg)]({link})"


def worth_a_link(root: Path) -> list[str]:
    """The notebooks that are worth a link: the lessons, and the assignments as students get them.

    The sources of the assignments hold the answers, so they get none. A student version does once
    it is committed, in whatever folder the course was built.
    """
    lessons = sorted(path.relative_to(root).as_posix() for path in root.glob("notebooks/*.ipynb"))
    released = _git(root, "ls-files", "-z", "release/*/*.ipynb", "*/release/*/*.ipynb")
    return lessons + sorted(filter(None, released.split("\0")))


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def main(arguments: list[str] | None = None) -> int:
    """Print the links; returns 1, after a message, where the remote is not known."""
    root = Path(__file__).parents[2]
    parser = argparse.ArgumentParser(prog="python -m utils.authoring.links", description=__doc__)
    parser.add_argument("files", nargs="*", help="notebooks, instead of all that are worth a link")
    parser.add_argument("--remote", help="instead of this repository's 'origin'")
    parser.add_argument("--ref", help="a branch, tag or commit, instead of the current branch")
    parser.add_argument("--binder", default=BINDER, help="another BinderHub than mybinder.org")
    parser.add_argument("--hub", default="https://HUB", help="the address of a JupyterHub")
    options = parser.parse_args(arguments)
    remote = options.remote or _git(root, "remote", "get-url", "origin")
    ref = options.ref or _git(root, "branch", "--show-current") or _git(root, "rev-parse", "HEAD")
    try:
        repository = Repository.from_remote(remote)
    except ValueError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    for file in options.files or worth_a_link(root):
        link = repository.binder(ref, file, options.binder)
        print(f"{file}\n  Binder:      {link}\n  Markdown:    {badge(link, options.binder)}")
        if _is_commit(root, ref):
            print(f"  nbgitpuller: none, since it takes a branch or a tag, and {ref} is a commit")
        else:
            print(f"  nbgitpuller: {repository.nbgitpuller(options.hub, ref, file)}")
    return 0


def _is_commit(root: Path, ref: str) -> bool:
    """Whether ``ref`` is the name of a commit, and of no branch and no tag."""
    names = _git(root, "for-each-ref", "--format=%(refname:lstrip=2)").splitlines()
    known = ref in names or any(name.endswith(f"/{ref}") for name in names)
    return not known and bool(re.fullmatch(r"[0-9a-f]{7,40}", ref))


if __name__ == "__main__":
    sys.exit(main())
