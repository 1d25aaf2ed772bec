"""Every lesson within the means of a small machine, such as one of Binder's.

One CPU, 1 GiB of data, no network, no GPU and no home to write to; twice in one kernel, then after
all the others, in another order, and without what only Unix has. What each lesson needed is
printed in a table at the end of the test run.
"""

import ast
import json
import os
import random
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import nbformat
import pytest
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpecManager

from tests.test_packaging import UNIX_ONLY
from utils.authoring.store import NOTEBOOKS

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limits"),
]
LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))
GIB = 2**30
BECOME_SMALL = """
import ctypes, os, resource, sys
cpu, data, file = sys.argv[1:]
cpus = sorted(os.sched_getaffinity(0))
os.sched_setaffinity(0, {cpus[int(cpu) % len(cpus)]})
resource.setrlimit(resource.RLIMIT_DATA, (int(data), int(data)))
NEW_NETWORK, NEW_USER = 0x40000000, 0x10000000
unshare = ctypes.CDLL(None).unshare
failed = unshare(NEW_NETWORK) and unshare(NEW_NETWORK | NEW_USER)
os.environ["NETWORK"] = "there" if failed else ""
os.execv(sys.executable, [sys.executable, "-m", "ipykernel_launcher", "-f", file])
"""
# where a system does not let us leave the network, what goes there is refused
REFUSE_SOCKETS = """
def _():
    import os, socket
    connect = socket.socket.connect
    def refuse(self, address):
        if self.family != socket.AF_UNIX:
            raise OSError("unreachable, as on a machine without a network")
        return connect(self, address)
    if os.environ.pop("NETWORK"):
        socket.socket.connect = refuse
_()
"""
# what the lessons do stays the same; only their measurements are given less time
MEASURE_LESS = """
def _():
    import time, utils.timing
    utils.timing.deadline_in = lambda budget: time.perf_counter() + budget / 20
_()
"""
ELSEWHERE = f"""
def _():
    import os, sys
    import h5py, IPython, ipywidgets, matplotlib.pyplot, multiprocessing.util, pandas, PIL.Image
    import psutil, sklearn.datasets, torch.utils.data, torch.utils.benchmark, torch._dynamo, zarr
    for name in {UNIX_ONLY}:
        sys.modules[name] = None
    for name in ("fork", "getuid", "sched_getaffinity", "setsid"):
        delattr(os, name)
    # asks of what is sent to a process all that spawn asks, and does not import PyTorch each time
    multiprocessing.set_start_method("forkserver", force=True)
    multiprocessing.set_forkserver_preload(["torch.utils.data"])
    for module in (multiprocessing, torch.multiprocessing):
        module.get_all_start_methods = lambda: ["spawn"]
    sys.platform = "elsewhere"
_()
"""
STATE = """
def _():
    import resource, threading
    import psutil
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    with open("/proc/self/status") as file:
        peak = [int(line.split()[1]) // 1024 for line in file if line.startswith("VmHWM")]
    return {
        "threads": sorted(
            thread.name
            for thread in threading.enumerate()  # besides the one that pyzmq keeps for its memory
            if type(thread).__name__ != "GarbageCollectorThread"
        ),
        "processes": [  # besides the one that Python keeps for shared memory until it ends
            process.name()
            for process in psutil.Process().children(recursive=True)
            if "resource_tracker" not in " ".join(process.cmdline())
        ],
        "cpu": sum(one.ru_utime + one.ru_stime for one in used),
        "peak": peak[0],
        "peak of a worker": used[1].ru_maxrss // 1024,
    }
_()
"""


@pytest.fixture
def scratch():
    """A folder with a short path, since sockets in it cannot have long ones."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


class SmallMachine:
    """A kernel with little; what it keeps is in the folder ``scratch``."""

    def __init__(self, scratch, data=GIB):
        self.folder = scratch / "Übung 1"  # as it may be called
        number = "".join(c for c in os.environ.get("PYTEST_XDIST_WORKER", "0") if c.isdigit())
        spec = {
            "argv": [sys.executable, "-c", BECOME_SMALL, number, str(data), "{connection_file}"],
            "display_name": "small",
            "language": "python",
        }
        (scratch / "kernels" / "small").mkdir(parents=True)
        (scratch / "kernels" / "small" / "kernel.json").write_text(json.dumps(spec))
        self.folder.mkdir()
        self.manager = KernelManager(
            kernel_name="small",
            transport="ipc",  # files, which reach a process without a network
            connection_file=str(scratch / "k.json"),
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(scratch / "kernels")]),
        )
        env = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        env |= {"HOME": "/proc", "IPYTHONDIR": str(scratch / "ipython")}
        env |= {"TMPDIR": str(self.folder), "CUDA_VISIBLE_DEVICES": ""}
        self.manager.start_kernel(env=env, cwd=str(self.folder))
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        self.value(REFUSE_SOCKETS)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.client.stop_channels()
        self.manager.shutdown_kernel()

    def value(self, source):
        """What the last expression is, as Python data."""
        told = []
        reply = self.client.execute_interactive(source, timeout=60, output_hook=told.append)
        assert reply["content"]["status"] == "ok", reply["content"]
        texts = [m["content"]["data"]["text/plain"] for m in told if "data" in m["content"]]
        return ast.literal_eval(texts[-1]) if texts else None

    def run(self, path):
        """Run all cells of a notebook, and return the seconds that this took."""
        start = time.perf_counter()
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                reply = self.client.execute_interactive(
                    cell.source, timeout=120, output_hook=lambda message: None, allow_stdin=False
                )["content"]
                if reply["status"] != "ok":
                    raise AssertionError(
                        f"{path.name}, cell {cell.id}: {reply['ename']}: {reply['evalue']}"
                    )
        return time.perf_counter() - start

    def files(self):
        """What is in its folder for work and temporary files, besides what libraries keep."""
        names = [path.name for path in self.folder.iterdir()]
        return [name for name in names if not name.startswith(("torchinductor_", "matplotlib-"))]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_needs_little_and_leaves_nothing(path, scratch, record_property):
    with SmallMachine(scratch) as machine:
        before = machine.value(STATE)
        seconds = machine.run(path)
        after = machine.value(STATE)
        record_property(
            "needed",
            f"{path.stem:28}{seconds:>8.0f} s{after['cpu']:>8.0f} s{after['peak']:>8} MiB"
            f"{after['peak of a worker']:>8} MiB",
        )
        assert after["cpu"] < 60
        machine.value(MEASURE_LESS)
        machine.run(path)
        again = machine.value(STATE)
        new = set(again["threads"]) - set(before["threads"])
        assert {name for name in new if not name.startswith(("asyncio_", "zarr_"))} == set()
        assert again["processes"] == []
    until = time.monotonic() + 10
    while machine.files() and time.monotonic() < until:  # PyTorch's own helper ends by itself
        time.sleep(0.1)
    assert machine.files() == []


def test_lessons_run_after_all_the_others_and_without_what_only_unix_has(scratch):
    order = random.Random(8).sample(LESSONS, len(LESSONS))
    with SmallMachine(scratch, data=2 * GIB) as machine:  # it keeps what all of them leave
        machine.value(MEASURE_LESS)
        for path in order:
            machine.run(path)
        machine.value(ELSEWHERE)
        for path in reversed(order):
            machine.run(path)


def test_the_machine_is_small_indeed(scratch):
    program = """
        import os, socket, torch
        found = {"cpus": len(os.sched_getaffinity(0)), "threads": torch.get_num_threads()}
        for name, attempt in {
            "data": lambda: torch.zeros(2**30, dtype=torch.uint8),
            "network": lambda: socket.create_connection(("127.0.0.1", 9), timeout=2),
            "home": lambda: open(os.path.expanduser("~/file"), "w"),
        }.items():
            try:
                attempt()
            except (RuntimeError, OSError) as error:
                found[name] = type(error).__name__ + str(error)
        found
    """
    with SmallMachine(scratch) as machine:
        found = machine.value(textwrap.dedent(program))
    assert (found["cpus"], found["threads"]) == (1, 1)
    assert "allocate" in found["data"]
    assert "unreachable" in found["network"]
    assert "home" in found
