"""Free memory under limits of control groups: nested, in containers, in both versions."""

import pytest

from utils.cgroups import group_bytes
from utils.devices import free_bytes

MIB = 2**20


@pytest.fixture
def system(tmp_path):
    """Make a process in a group, and groups with a limit, usage and droppable bytes in MiB."""

    def make(line, root, groups, version=2):
        top, process = tmp_path / "sys fs cgroup", tmp_path / "proc"
        process.mkdir()
        (process / "cgroup").write_text(f"{line}\n")
        kind = "cgroup2 cgroup2 rw" if version == 2 else "cgroup cgroup rw,memory"
        mount = str(top).replace(" ", "\\040")
        (process / "mountinfo").write_text(
            f"22 1 0:20 / /proc rw - proc proc rw\n30 22 0:27 {root} {mount} rw shared:4 - {kind}\n"
        )
        files = {
            2: ("memory.max", "memory.current", "inactive_file"),
            1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        }[version]
        top.mkdir()
        for path, limit, used, droppable in groups:
            folder = top / path
            folder.mkdir(parents=True, exist_ok=True)
            (folder / files[0]).write_text(f"{limit * MIB if type(limit) is int else limit}\n")
            (folder / files[1]).write_text(f"{used * MIB}\n")
            (folder / "memory.stat").write_text(f"anon 1\n{files[2]} {droppable * MIB}\n")
        return process

    return make


USER = "user.slice/jupyter.service"
JOB = "system.slice/slurmstepd.scope/job_7/step_0"
CASES = [
    # a systemd spawner: the limit is below the top, which has no files of its own
    ("0::/user.slice/jupyter.service", "/", [(USER, 512, 131, 0)], 2, 381),
    # Slurm: the limit is that of the job, above the step that the process is in
    ("0::/" + JOB, "/", [(JOB, "max", 10, 0), (JOB[:-7], 1024, 24, 0)], 2, 1000),
    # the smallest of several counts, wherever it is
    ("0::/a/b", "/", [("a", 100, 60, 0), ("a/b", 500, 60, 0), ("", 300, 100, 0)], 2, 40),
    # a container that sees its own group as the top one
    ("0::/", "/", [("", 1024, 200, 0)], 2, 824),
    # a container without a name space of its own: only a part of the tree is mounted
    ("0::/docker/abc", "/docker/abc", [("", 256, 56, 0)], 2, 200),
    # a group outside what is mounted
    ("0::/../../elsewhere", "/", [("", 256, 56, 0)], 2, 200),
    # files that were read can be dropped
    ("0::/a", "/", [("a", 100, 90, 70)], 2, 80),
    # more used than allowed, as right after a limit was lowered
    ("0::/a", "/", [("a", 100, 120, 0)], 2, 0),
    # version 1, nested, and its way to say that there is no limit
    ("4:cpu,memory:/slurm/job", "/", [("slurm/job", 64, 4, 0), ("slurm", 640, 4, 0)], 1, 60),
    ("4:memory:/a", "/", [("a", "9223372036854771712", 4, 0)], 1, None),
    # no limit at all
    ("0::/a", "/", [("a", "max", 4, 0)], 2, None),
]


@pytest.mark.parametrize(("line", "root", "groups", "version", "left"), CASES)
def test_the_tightest_group_counts(system, line, root, groups, version, left):
    found = group_bytes(system(line, root, groups, version))
    assert found == (None if left is None else left * MIB)


def test_a_soft_limit_counts_as_one(system, tmp_path):
    process = system("0::/a", "/", [("a", 100, 10, 0)])
    (tmp_path / "sys fs cgroup" / "a" / "memory.high").write_text(f"{50 * MIB}\n")
    assert group_bytes(process) == 40 * MIB


def test_where_nothing_is_known_there_is_no_limit(tmp_path):
    assert group_bytes(tmp_path) is None
    process = tmp_path / "proc"
    process.mkdir()
    (process / "cgroup").write_text("nonsense::\n0::/a\n")
    (process / "mountinfo").write_text("\nshort line\n")
    assert group_bytes(process) is None


def test_free_bytes_listens_to_the_groups(monkeypatch):
    monkeypatch.setattr("utils.devices.group_bytes", lambda: 381 * MIB)
    assert free_bytes("cpu") <= 381 * MIB
    monkeypatch.setattr("utils.devices.group_bytes", lambda: None)
    assert free_bytes("cpu") > 0
