"""What goes wrong without anybody's fault costs no mark, and an interruption loses none."""

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from multiprocessing import forkserver
from pathlib import Path

import psutil
import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook

from tests.classroom.classes import Class
from utils.classroom import execution, grading, sandbox
from utils.classroom.course import Course
from utils.classroom.judging import FaultError, Part, Task
from utils.classroom.kernel import Kernel, LostError, StartError
from utils.classroom.marks import marks_of
from utils.classroom.sandbox import Limits
from utils.exercises.exercise import Exercise

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="grading needs Linux or macOS")
LIMITS = Limits(seconds=5)


def cell(name, source, *, solution=False, grade=False):
    mark = {"grade_id": name, "solution": solution, "grade": grade, "locked": not solution}
    return new_code_cell(source, metadata={"nbgrader": mark})


def notebook(answer="def double(x): return [2 * x[0]]", *added):
    """A small assignment: two cells that students cannot change, an answer, a test, more cells."""
    cells = [cell("seed", "SEED = 7"), cell("imports", "import math")]
    cells += [cell("answer", answer, solution=True), cell("test", "double([1])", grade=True)]
    return new_notebook(cells=cells + [new_code_cell(source) for source in added])


def tasks():
    numbers = {"one": ([torch.ones(1)],), "another": ([torch.rand(1)],)}
    return [Task("test", "double", (Part(Exercise(lambda x: [2 * x[0]], numbers)),))]


def broken_once(monkeypatch, owner, name, number, error):
    """Let the call of this number fail."""
    calls, real = [], getattr(owner, name)

    def call(*inputs, **named):
        calls.append(inputs)
        if len(calls) == number:
            raise error
        return real(*inputs, **named)

    monkeypatch.setattr(owner, name, call)
    return calls


@pytest.mark.parametrize(
    ("owner", "name", "number", "error"),
    [
        (execution, "Kernel", 1, StartError("it does not start")),
        (Kernel, "run", 2, LostError("it took longer than 5 s")),  # the first is ours
        (Kernel, "run", 3, LostError("it ended the kernel")),
        (Kernel, "run", 4, LostError("it took longer than 5 s")),
        (Kernel, "ask", 1, LostError("it ended the kernel")),
        (Kernel, "ask", 2, LostError("it took longer than 5 s")),
    ],
)
def test_a_fault_costs_no_mark(monkeypatch, owner, name, number, error):
    calls = broken_once(monkeypatch, owner, name, number, error)
    graded = grading.run(notebook(), tasks(), LIMITS)
    assert len(calls) > number
    assert (graded.wrong, graded.faults, graded.notes) == ({}, [], [])


def test_a_cell_that_students_cannot_change_never_costs_a_mark():
    """Whatever makes it fail, a person is told, and the tasks are not graded as wrong for it."""
    broken = notebook()
    broken.cells.insert(1, new_code_cell("import sys; sys.modules['math'] = None"))
    graded = grading.run(broken, tasks(), LIMITS)
    assert graded.wrong == {}
    (fault,) = graded.faults
    assert "cell imports" in fault
    assert "ModuleNotFoundError" in fault


def test_a_full_disk_is_tried_again_and_then_reported(monkeypatch, tmp_path):
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patch:
        broken_once(patch, tempfile, "mkdtemp", 1, full)
        with pytest.raises(OSError, match="No space"):
            grading.run(notebook(), tasks(), LIMITS)
    assert grading.run(notebook(), tasks(), LIMITS).wrong == {}


@pytest.mark.parametrize(
    "source",
    [
        "exit()",
        "quit()",
        "import IPython; IPython.Application.instance().kernel.do_shutdown(True)",
        "import os; os._exit(0)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "raise SystemExit",
        "import sys; sys.exit(1)",
    ],
)
def test_however_a_notebook_ends_its_answers_count(source):
    graded = grading.run(notebook("def double(x): return [2 * x[0]]", source), tasks(), LIMITS)
    assert (graded.wrong, graded.faults) == ({}, [])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("def double(x): raise NotImplementedError", "not attempted"),
        ("def double(x): return [3 * x[0]]", "the values are not"),
        ("def double(x):\n    while True: pass", "took longer than 2 s"),
        ("def double(x):\n    import os; os._exit(0)", "it ended the kernel"),
        ("def double(x):\n    x[0].add_(1); return [2 * x[0]]", "changes what it was given"),
        ("double = 3", "there is no function double"),
        ("del double", "there is no function double"),
        ("def double(x): return 'x' * 10**8", "it"),
        ("def double(x): return x[0]", "expected is a list of 1"),
    ],
)
def test_a_wrong_answer_is_told_what_is_wrong(answer, words):
    graded = grading.run(notebook(answer), tasks(), Limits(seconds=2))
    assert words in graded.wrong["test"]


@pytest.mark.parametrize(
    "behind",
    [
        "sum = 0",
        "del math",
        "for double in [1]: pass",
        "double = double([torch.ones(1)]) if 0 else 3",
        "def half(x): return x",
        "with open('/dev/null') as half: pass",
        "%reset -f",
    ],
)
def test_what_a_later_cell_takes_away_costs_no_mark(behind):
    """In the student's own notebook, the test was passed before that cell was run."""
    answer = "def half(x): return x / 2\n"
    answer += "def double(x): return [4 * half(x[0]) * math.cos(sum([]))]"
    graded = grading.run(notebook(answer, behind), tasks(), LIMITS)
    assert graded.wrong == {}
    assert "right where it stands" in graded.notes[-1]
    wrong = answer.replace("4 *", "5 *")
    assert grading.run(notebook(wrong, behind), tasks(), LIMITS).wrong.keys() == {"test"}


@pytest.mark.parametrize(
    "prepared",
    [
        "FACTOR = [0]\nFACTOR[0] = 2",
        "FACTOR = []\nFACTOR.append(2)",
        "FACTOR = [1]\nFACTOR[0] += 1",
    ],
)
def test_what_a_cell_prepares_is_there_where_it_is_looked_at(prepared):
    """A fresh process has run definitions alone, and the answer is right only behind the rest."""
    growing = {"numbers": (([torch.ones(1)],), ([torch.ones(8)],))}
    exercise = Exercise(lambda x: [2 * x[0]], {"one": ([torch.ones(1)],)}, growing)
    task = Task("test", "double", (Part(exercise),))
    answer = f"{prepared}\ndef double(x): return [FACTOR[0] * x[0]]"
    assert grading.run(notebook(answer), [task], LIMITS).wrong == {}
    loop = "torch.stack([FACTOR[0] * n for n in x[0]])"
    looping = f"import torch\n{prepared}\ndef double(x): return [{loop}]"
    assert "still loops" in grading.run(notebook(looping), [task], LIMITS).wrong["test"]


WORKERS = {
    "a thread": "pool = __import__('concurrent.futures').futures.ThreadPoolExecutor(1)\n"
    "def away(f, x): return pool.submit(f, x).result()",
    "a process": "import os, tempfile\ndef away(f, x):\n"
    "    name = tempfile.mktemp()\n    if os.fork() == 0:\n"
    "        torch.save(f(x), name); os._exit(0)\n"
    "    os.wait(); return torch.load(name)",
}


@pytest.mark.parametrize("worker", WORKERS)
def test_work_that_is_done_elsewhere_is_seen(worker):
    growing = {"numbers": (([torch.ones(1)],), ([torch.ones(200)],))}
    loop = (
        "import torch\n"
        + WORKERS[worker]
        + (
            "\ndef looping(x): return torch.stack([2 * n for n in x])\n"
            "def double(x): return [away(looping, x[0])]"
        )
    )
    exercise = Exercise(lambda x: [2 * x[0]], {"one": ([torch.ones(1)],)}, growing)
    task = Task("test", "double", (Part(exercise),))
    assert grading.run(notebook(loop), [task], LIMITS).wrong.keys() == {"test"}


def test_memory_that_is_taken_elsewhere_is_seen():
    def memory(watch):
        return "too much" if watch("memory", [torch.ones(9)]).peak > 10**6 else ""

    exercise = Exercise(lambda x: [2 * x[0]], {"one": ([torch.ones(1)],)})
    task = Task("test", "double", (Part(exercise, evidence=memory),))
    much = "def double(x):\n    torch.ones(10**6); return [2 * x[0]]"
    assert (
        grading.run(notebook(f"import torch\n{much}"), [task], LIMITS).wrong["test"] == "too much"
    )
    elsewhere = much.replace("double", "much") + "\ndef double(x): return away(much, x)"
    elsewhere = f"import torch\n{WORKERS['a thread']}\n{elsewhere}"
    assert "threads" in grading.run(notebook(elsewhere), [task], LIMITS).wrong["test"]


def test_where_nobody_can_look_nobody_loses_a_mark(monkeypatch):
    """A profiler that does not start is no loop."""
    growing = {"numbers": (([torch.ones(1)],), ([torch.ones(8)],))}
    exercise = Exercise(lambda x: [2 * x[0]], {"one": ([torch.ones(1)],)}, growing)
    task = Task("test", "double", (Part(exercise),))
    answer = "def double(x): return [2 * x[0]]"
    assert grading.run(notebook(answer), [task], LIMITS).wrong == {}
    broken = "import torch.profiler as p\ndef start(self): raise RuntimeError('no threads left')\n"
    broken += (
        "p.profile.start = start\nimport utils.classroom.observing as o\no.profile.start = start"
    )
    monkeypatch.setattr(execution, "definitions", lambda source: f"{source}\n{broken}")
    with pytest.raises(FaultError, match="no threads left"):
        grading.run(notebook(answer), [task], LIMITS)


@pytest.mark.thorough
def test_no_first_cell_is_lost():
    """Between 2 and 3 % of kernels lost the end of theirs, when one channel alone was awaited."""
    for _ in range(60):
        kernel = Kernel(LIMITS)
        try:
            assert kernel.run("7", 10)[0]["data"] == {"text/plain": "7"}
        finally:
            kernel.end()


def test_nothing_outlives_a_sandbox():
    escape = (
        "import ctypes, os, time\n"
        "for _ in range(3):\n"
        "    if os.fork() == 0:\n"
        "        os.setsid(); ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)\n"
        "        if os.fork() == 0: time.sleep(333)\n"
        "        os._exit(0)\n"
        "ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)"
    )
    kernel = Kernel(LIMITS)
    before = forked()
    kernel.run(escape, 5)
    until = time.monotonic() + 10
    while len(forked()) < len(before) + 2 and time.monotonic() < until:
        time.sleep(0.1)
    assert len(forked()) >= len(before) + 2
    kernel.end()
    until = time.monotonic() + 10
    while forked() and time.monotonic() < until:
        time.sleep(0.1)
    assert forked() == set()


HOARDING = {
    "processes": (
        "import os, time\nfor _ in range(8):\n    if os.fork() == 0:\n"
        "        held = b'x' * 10**9; time.sleep(100)\ntime.sleep(100)"
    ),
    "files in memory": (
        "import os, time\nfor _ in range(200): os.write(os.memfd_create('a'), bytes(60 * 2**20))\n"
        "time.sleep(30)"
    ),
    "files in memory, mapped and closed": (
        "import mmap, os, time\nheld = []\nfor _ in range(200):\n"
        "    file = os.memfd_create('a'); os.write(file, bytes(60 * 2**20))\n"
        "    held.append(mmap.mmap(file, 4096)); os.close(file)\ntime.sleep(30)"
    ),
    "shared memory that is let go": (
        "import mmap, time\nheld = []\nfor _ in range(20):\n"
        "    held.append(mmap.mmap(-1, 2**28))\n"
        "    for _ in range(256): held[-1].write(b'x' * 2**20)\n"
        "    held[-1].madvise(mmap.MADV_DONTNEED)\ntime.sleep(30)"
    ),
    "System V's shared memory": (
        "import ctypes, time\nlib = ctypes.CDLL(None)\nlib.shmat.restype = ctypes.c_void_p\n"
        "lib.shmdt.argtypes = [ctypes.c_void_p]\nfor _ in range(20):\n"
        "    place = lib.shmat(lib.shmget(0, ctypes.c_size_t(2**28), 0o1600), None, 0)\n"
        "    ctypes.memset(ctypes.c_void_p(place), 1, 2**28); lib.shmdt(place)\ntime.sleep(30)"
    ),
    "what was sent": (
        "import os, socket, time\nheld = []\nfor _ in range(40):\n    if os.fork() == 0: break\n"
        "try:\n    while True:\n        pair = socket.socketpair(); held.append(pair)\n"
        "        for one in pair:\n            one.setblocking(False)\n            try:\n"
        "                while True: one.send(bytes(2**15))\n"
        "            except BlockingIOError: pass\nexcept OSError: time.sleep(100)"
    ),
}


@pytest.mark.thorough
@pytest.mark.parametrize("way", HOARDING)
def test_limits_of_memory_hold_in_all(way):
    """Each process and each file is small enough; all together are too much."""
    if not sandbox.protections()["folders"]:
        pytest.skip("this system shows a submission everything")
    kernel = Kernel(LIMITS)
    try:
        with pytest.raises(LostError, match=r"more than 4 GiB of memory, or 0\.25 GiB of disk"):
            kernel.run(HOARDING[way], 120)
    finally:
        kernel.end()
    assert not kernel._sandbox.folder.exists()


FILES = {
    "in many files": "for n in range(50): open(f'{folder}/{n}', 'wb').write(bytes(2**24))",
    "in a large file": "open(f'{folder}/a', 'wb').write(bytes(2**27))",
    "in many empty files": "for n in range(50_000): open(f'{folder}/{n}', 'w').close()",
    "in files that are removed": (
        "held = []\nfor n in range(50):\n    held.append(open(f'{folder}/{n}', 'wb'))\n"
        "    held[-1].write(bytes(2**24)); held[-1].flush(); os.unlink(held[-1].name)"
    ),
    "in files that are mapped, removed and closed": (
        "held = []\nfor n in range(50):\n    with open(f'{folder}/{n}', 'wb+') as file:\n"
        "        os.posix_fallocate(file.fileno(), 0, 2**24)\n"
        "        held.append(mmap.mmap(file.fileno(), 4096)); os.unlink(file.name)"
    ),
    "in files that are under way": (
        "one, other = socket.socketpair()\nfor n in range(50):\n"
        "    with open(f'{folder}/{n}', 'wb+') as file:\n"
        "        os.posix_fallocate(file.fileno(), 0, 2**24)\n"
        "        socket.send_fds(one, [b'x'], [file.fileno()]); os.unlink(file.name)"
    ),
}


@pytest.mark.parametrize("where", ["glob.glob('/tmp/grade-*')[0]", "'/tmp'", "'/dev/shm'"])
def test_limits_of_disk_hold_however_a_file_is_hidden(where):
    if not sandbox.protections()["folders"]:
        pytest.skip("this system shows a submission everything")
    for source in FILES.values():
        kernel = Kernel(LIMITS)
        start = f"import glob, mmap, os, socket\nfolder = {where}\n"
        free = shutil.disk_usage(tempfile.gettempdir()).free
        try:
            (output,) = kernel.run(f"{start}{source}", 60)
            kept = shutil.disk_usage(tempfile.gettempdir()).free
        finally:
            kernel.end()
        assert output.ename == "OSError", source
        assert free - kept < 2**28, source


@pytest.mark.parametrize(
    "source",
    [
        "for _ in range(80): socket.send(part, zmq.SNDMORE, copy=False)",
        "for _ in range(80): socket.send_multipart([part, part], copy=False)",
    ],
)
def test_endless_messages_do_not_fill_the_graders_memory(monkeypatch, source):
    """One message of endlessly many parts, or many messages: each is small enough."""
    monkeypatch.setattr("utils.classroom.kernel.MOST_HELD", 2**28)
    start = (
        "import time, zmq\npart = bytes(2**23)\n"
        "from ipykernel.kernelapp import IPKernelApp\n"
        "thread = IPKernelApp.instance().iopub_thread\nsocket = thread.socket\n"
    )
    kernel = Kernel(LIMITS)
    try:
        with pytest.raises(LostError, match=r"it sent more than 0\.25 GiB of messages"):
            kernel.run(f"{start}def flood():\n    {source}\nthread.schedule(flood)", 60)
    finally:
        kernel.end()


def test_a_submission_may_have_workers():
    """With PyTorch's, Python's and joblib's processes, in the usual ways to start them."""
    kernel = Kernel(LIMITS)
    usual = (
        "import multiprocessing, torch\nfrom joblib import Parallel, delayed\n"
        "from torch.utils.data import DataLoader\n"
        "print(len(list(DataLoader(torch.rand(100, 2), 10, num_workers=2))))\n"
        "with multiprocessing.Pool(2) as pool: print(pool.map(abs, [-1, 2]))\n"
        "print(Parallel(2)(delayed(abs)(n) for n in (-3, 4)))"
    )
    try:
        outputs = kernel.run(usual, 60)
    finally:
        noted = kernel.end()
    assert [line for line in noted if "running" not in line] == []  # joblib keeps its own
    printed = "".join(one.text for one in outputs if one.get("name") == "stdout")
    assert printed == "10\n[1, 2]\n[3, 4]\n"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("open('/etc/' + 'shadow')", "look into /etc/shadow"),
        ("import os; os.listdir('/ro' + 'ot/.ssh')", "look into /root/.ssh"),
        ("import os; os.scandir(folder)", "look into"),
        ("open('/proc/1/environ')", "look into /proc/1/environ"),
        ("import urllib.request as r; r.urlopen('http://10.0.0.1')", "connect to ('10.0.0.1', 80)"),
        ("import subprocess; subprocess.run(['ls'])", "start ls"),
        ("import os; os.system('ls')", "start ls"),
        ("import os; os.kill(1, 9)", "end other processes"),
        ("import gc; gc.get_objects()", "called gc.get_objects"),
        ("import subprocess as s; s.Popen(['sleep', '9'])", "left 1 processes running"),
    ],
)
def test_what_is_tried_is_noted(source, words, tmp_path):
    kernel = Kernel(LIMITS, [tmp_path])
    try:
        kernel.run(f"folder = {str(tmp_path)!r}\n{source}", 20)
    finally:
        noted = kernel.end()
    assert any(words in line for line in noted), noted


def test_a_sandbox_that_nobody_ends_is_ended_with_the_grading():
    kernels = [Kernel(LIMITS), Kernel(LIMITS)]
    folders = [kernel._sandbox.folder for kernel in kernels]
    sandbox.end_all()
    assert not any(kernel._sandbox.is_alive() for kernel in kernels)
    assert not any(folder.exists() for folder in folders)
    for kernel in kernels:
        kernel.end()  # again does no harm


def test_nothing_outlives_a_grader_that_was_killed():
    program = (
        "import time; from utils.classroom.kernel import Kernel\n"
        "from utils.classroom.sandbox import Limits\n"
        "kernel = Kernel(Limits()); kernel.run('import os; os.fork()', 5)\n"
        "print('ready', flush=True); time.sleep(333)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as grader:
        assert grader.stdout.readline() == b"ready\n"
        started = psutil.Process(grader.pid).children(recursive=True)
        assert len(started) >= 3
        grader.kill()
    _, alive = psutil.wait_procs(started, timeout=15)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


def forked():
    """The processes that come from the one from which kernels are forked, and are alive."""
    found = set()
    for process in psutil.process_iter():
        try:
            mine = "forkserver" in " ".join(process.cmdline())
            mine = mine and os.getpid() != process.pid and process.ppid() != os.getpid()
            server = forkserver._forkserver._forkserver_pid
            if mine and any(parent.pid == server for parent in process.parents()):
                found.add(process.pid)
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interruption_loses_nothing(tmp_path, number):
    """At random moments: the next run ends with the same marks, and nothing is left."""
    group = Class(tmp_path / "course", "stacking")
    for student in ("Ann", "Bob"):
        group.hand_in(student, group.solved())
    group.hand_in("Cem", group.wrong_in(list(group.tests)[:2], 0))
    command = [sys.executable, "-m", "utils.classroom", "grade", str(tmp_path / "course")]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    draw, started = random.Random(int(number)), time.monotonic()
    subprocess.run(command, check=True, timeout=300, **quiet)
    whole = time.monotonic() - started
    course = Course(tmp_path / "course")
    expected = {name: marks_of(course, "stacking", name) for name in ("Ann", "Bob", "Cem")}
    for _ in range(7):
        with subprocess.Popen([*command, "--again"], **quiet) as process:
            time.sleep(draw.uniform(0.1, whole))
            started = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(number)
            try:
                process.wait(60)
            finally:
                process.kill()
        _, alive = psutil.wait_procs(started, timeout=15)
        assert [one for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []
        subprocess.run(command, check=True, timeout=300, **quiet)
        assert {name: marks_of(course, "stacking", name) for name in expected} == expected
    assert not list(Path(tempfile.gettempdir()).glob(f"grade-{process.pid}-*"))
