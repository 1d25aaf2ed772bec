"""Links that open the lessons elsewhere: ``python -m utils.authoring.links`` or ``make links``.

They are made from this repository's own remote, so that a fork gets its own. For each lesson, and
each assignment whose student version is in the repository: on Binder, in JupyterLab; on a
JupyterHub, by nbgitpuller; and Binder's badge, in Markdown.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

BINDER = "https://mybinder.org"
_REMOTE = re.compile(
    r"(?:https?://|ssh://)?(?:[^@/]+@)?([^:/]+)(?::\d+(?=/))?[:/](.+?)(?:\.git)?/?$"
)


@dataclass(frozen=True)
class Repository:
    """Where a repository is: its host, such as github.com, and its path there."""

    host: str
    path: str

    @classmethod
    def from_remote(cls, remote: str) -> Repository:
        """The repository of a git remote; raises `ValueError` for one that nobody else can reach.

        Understands ``https://host/owner/name.git``, ``git@host:owner/name.git`` and
        ``ssh://git@host:22/owner/name``. A user name or a token in the address is left out.
        """
        found = _REMOTE.fullmatch(remote.strip())
        if remote.startswith(("/", ".", "file:")) or not found or "." not in found[1]:
            raise ValueError(
                f"{remote!r} is no address that others can reach. Give one such as "
                "https://github.com/OWNER/NAME, with --remote or as the remote 'origin'."
            )
        return cls(found[1].lower(), found[2])

    @property
    def url(self) -> str:
        """Where to clone it from."""
        return f"https://{self.host}/{quote(self.path)}.git"

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
        """The link that copies the repository to a JupyterHub and opens ``file`` there."""
        name = self.path.rsplit("/", 1)[-1]
        query = {"repo": self.url, "branch": ref, "urlpath": f"lab/tree/{name}/{file}"}
        asked = urlencode(query, quote_via=quote, safe="")
        return f"{hub.rstrip('/')}/hub/user-redirect/git-pull?{asked}"


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
        print(f"  nbgitpuller: {repository.nbgitpuller(options.hub, ref, file)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
