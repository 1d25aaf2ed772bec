"""Students, honest and not: what each hands in, and which tasks a fair teacher takes off."""

from __future__ import annotations

import re
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from tests.classroom.classes import Class, wrong_answers


@dataclass(frozen=True)
class Student:
    """One submission and what becomes of it."""

    content: NotebookNode | bytes
    lost: tuple[str, ...] = ()  # answers that get no points
    words: str = ""  # of a note
    name: str = ""  # of the file, if not the assignment's
    long: bool = False  # whether only `make thorough` has it


def functions(group: Class) -> list[str]:
    """The tasks that ask for a function, not for a class."""
    return [task for task, text in group.answers.items() if re.match("def ", text)]


def signature(group: Class, task: str) -> str:
    """The first line of the function that a task asks for."""
    return re.findall(r"^(?:def|class) .*:$", group.answers[task], flags=re.MULTILINE)[0]


def answer(group: Class, task: str, body: str, before: str = "") -> NotebookNode:
    """The right answers, but for one whose function has another body."""
    indented = "\n".join(f"    {line}" for line in body.splitlines())
    return group.solved(**{task: f"{before}{signature(group, task)}\n{indented}\n"})


def honest(group: Class) -> dict[str, Student]:
    """Work that is there, in every form in which it comes back."""
    tasks = list(group.tests)
    one, two, three = functions(group)[:3]
    deleted = group.solved()
    for name in (group.tests[two], three):
        deleted.cells.remove(group.cell(deleted, name))
    doubled = group.solved()
    twice = nbformat.from_dict(group.cell(doubled, two))
    doubled.cells.insert(doubled.cells.index(group.cell(doubled, two)) + 1, twice)
    doubled.cells.append(nbformat.from_dict(group.cell(doubled, group.tests[one])))
    reordered = group.solved()
    reordered.cells.reverse()
    edited = answer(group, one, "return None")
    for test in group.tests.values():
        group.cell(edited, test).source = "pass"
    helped = group.solved()
    group.cell(helped, one).source += "\nHELP = 1"
    own_cells = group.solved()
    for task in tasks:
        cell = group.cell(own_cells, task)
        own_cells.cells[own_cells.cells.index(cell)] = new_code_cell(cell.source)
    nameless = group.solved()
    for cell in nameless.cells:
        cell.metadata = NotebookNode()
    windows_lines = group.solved()
    for cell in windows_lines.cells:
        cell.source = cell.source.replace("\n", "\r\n")
    object_answer = group.solved(
        **{
            one: group.answers[one]
            + "\nclass Callable:\n    def __init__(self, f): self.f = f\n"
            + "    def __call__(self, *given): return self.f(*given)\n"
            + f"{_function(group, one)} = Callable({_function(group, one)})"
        }
    )
    (read,) = set(group.points) - set(group.tests.values())
    beside = group.solved(**{read: group.cell(group.released, read).source})
    at = beside.cells.index(group.cell(beside, read))
    beside.cells.insert(at + 1, new_markdown_cell("A pays, since its interval is above 1."))
    pasted = group.solved(**{read: "See ![it](attachment:a.png) and ![](attachment:gone.png)"})
    group.cell(pasted, read).attachments = {"a.png": {"image/png": PNG}}
    with_mark = b"\xef\xbb\xbf" + nbformat.writes(group.solved()).encode()
    script = "<script>alert(1337)</script><img src=x onerror=alert(1337)><b>bold</b>"
    scripting = group.behind(
        group.solved(**{read: f"My answer {script}"}),
        one,
        f"from IPython.display import HTML, Javascript, SVG, display\ndisplay(HTML({script!r}))\n"
        "display(Javascript('alert(1337)'))\n"
        'display(SVG(\'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1337)"/>\'))',
    )
    restarting = "import IPython\nIPython.Application.instance().kernel.do_shutdown(True)"
    printing = "for _ in range(200): print('x' * 100_000)"
    return {
        "right": Student(group.solved()),
        "untouched": Student(group.released, tuple(tasks)),
        "with help": Student(group.behind(helped, one, "assert HELP == 1"), long=True),
        "deleting": Student(deleted, (three,), f"cell {three} was deleted"),
        "doubling": Student(doubled, (), f"cell {two} is there twice", long=True),
        "reordering": Student(reordered, (), "cells were reordered", long=True),
        "editing": Student(edited, (one,), f"cell {group.tests[one]} was edited"),
        "renaming": Student(group.solved(), (), "was taken, since", "my homework (1).ipynb"),
        "own cells": Student(own_cells),
        "nameless": Student(nameless, (), "the names of the cells were lost"),
        "O'Neil, Zoë": Student(with_mark),
        "李雷": Student(windows_lines),
        "callable": Student(object_answer, long=True),
        "beside": Student(beside, (), f"the answer to {read} was taken from"),
        "pasting": Student(pasted),
        "quitting": Student(group.behind(group.solved(), tasks[-1], "exit()")),
        "restarting": Student(group.behind(group.solved(), tasks[-1], restarting), long=True),
        "printing": Student(group.behind(group.solved(), one, printing)),
        "scripting": Student(scripting),
        "in windows": Student(group.behind(group.solved(), one, "import tkinter\ntkinter.Tk()")),
    }


def hostile(group: Class, reads: str) -> dict[str, Student]:
    """Who hangs, takes, breaks out or cheats; ``reads`` is a body that looks around."""
    one, two, three = functions(group)[:3]
    loop = "while True:\n    try:\n        while True: pass\n    except: pass"
    bomb = "import os, time\nwhile True:\n    if os.fork() == 0: time.sleep(100)"
    found: dict[str, Student] = {
        "looping": Student(answer(group, one, loop), (one,), f"{group.tests[one]}: it took longer"),
        "exiting": Student(answer(group, two, "import os; os._exit(0)"), (two,), "it ended"),
        "leaving": Student(answer(group, two, "raise SystemExit"), (two,), long=True),
        "greedy": Student(
            answer(group, one, "return torch.empty(10 * 2**30, dtype=torch.uint8)"), (one,)
        ),
        "bombing": Student(answer(group, three, bomb), (three,), long=True),
        "reading": Student(answer(group, one, reads), (one,)),
        "shouting": Student(
            group.behind(group.solved(), one, "raise ValueError('x' * 10**7)"), long=True
        ),
        "hanging": Student(
            group.behind(group.solved(), one, "import time; time.sleep(1000)"),
            (),
            "took longer",
            long=True,
        ),
        "looking": Student(
            group.behind(group.solved(), list(group.tests)[-1], "for s in In: print(s)"), long=True
        ),
    }
    for name, (before, body) in (CHEATS | LOOPS[group.assignment]).items():
        found[name] = Student(answer(group, one, body, before), (one,), long=name not in SHORT)
    return found


def wrong(group: Class) -> dict[str, Student]:
    """Students each of whom has some wrong answers."""
    tasks, found = list(group.tests), {}
    answers = wrong_answers(group.assignment)
    for number in range(WRONG):
        some = tasks[number % 2 :: 2]
        chosen = {task: answers[task][number // 2 % len(answers[task])] for task in some}
        found[f"wrong {number}"] = Student(group.solved(**chosen), tuple(some), long=number > 1)
    return found


def _function(group: Class, task: str) -> str:
    return re.findall(r"(?:def|class) (\w+)", signature(group, task))[0]


COLLATED = (
    "return {'name': [s['name'] for s in samples], 'lines': lines,\n"
    "        'length': torch.tensor([len(s['lines']) for s in samples]),\n"
    "        'weight': torch.tensor([torch.nan if s['weight'] is None else s['weight']\n"
    "                                for s in samples], dtype=torch.float32)}"
)
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
WRONG = 18  # students with wrong answers
# break what their own process answers with: nothing for the task, and perhaps nothing more from it
BREAKING = {"fake module", "own import", "frames", "forged reply", "claimed shape"}
SHOWN = {"event hook"}  # breaks what is not the student's: no mark, a person has to look
SHORT = {"checking", "lying tensor", "forged message", "fake module"}
# what is run in the answer cell, and the body of the answer: each tries to pass with nothing
CHEATS = {
    "patching": ("import torch\ntorch.testing.assert_close = lambda *a, **k: None\n", "return 3"),
    "checking": (
        "import utils.exercises.checking as c\n"
        "c.examine = lambda *a, **k: c.Verdict('', 'right', '')\n",
        "return 3",
    ),
    "fake module": (
        "import sys, types\nfor n in list(sys.modules):\n"
        "    if n.startswith('utils'): sys.modules[n] = types.ModuleType(n)\n",
        "return 3",
    ),
    "lying tensor": (
        "class T(torch.Tensor):\n"
        "    @classmethod\n"
        "    def __torch_function__(cls, f, types, args=(), kwargs=None):\n"
        "        return True\n",
        "return torch.zeros(2).as_subclass(T)",
    ),
    "lying object": (
        "class Any:\n    __class__ = torch.Tensor\n"
        "    def __eq__(self, other): return True\n"
        "    def __getattr__(self, name): return self\n    def __call__(self, *a): return self\n",
        "return Any()",
    ),
    "exception hook": (
        "import sys\nsys.excepthook = lambda *a: None\n"
        "get_ipython().set_custom_exc((BaseException,), lambda *a, **k: None)\n",
        "raise ValueError",
    ),
    "no asserts": (
        "import ast\nclass Strip(ast.NodeTransformer):\n"
        "    def visit_Assert(self, node): return ast.Pass()\n"
        "get_ipython().ast_transformers.append(Strip())\n",
        "return 3",
    ),
    "event hook": (
        "def reset(*a):\n    global torch\n    import sys\n    torch = sys\n"
        "get_ipython().events.register('pre_run_cell', reset)\n",
        "return 3",
    ),
    "builtins": (
        "import builtins\nbuiltins.isinstance = lambda *a: True\nbuiltins.all = lambda *a: True\n"
        "builtins.len = lambda *a: 0\n",
        "return 3",
    ),
    "own import": ("def __import__(*a, **k): raise SystemExit\n", "return 3"),
    "frames": (
        "",
        "import sys\nf = sys._getframe()\nwhile f:\n"
        "    f.f_globals.update(wire=None, assert_close=None)\n    f = f.f_back\nreturn 3",
    ),
    "collector": (
        "",
        "import gc\nfor o in gc.get_objects():\n"
        "    if type(o) is dict and 'result' in o: return o['result']\nreturn 3",
    ),
    "forged message": (
        "from IPython.display import publish_display_data\n",
        "publish_display_data({'application/x-answer': '{\"result\": null}'})\n"
        "import os\nos._exit(0)",
    ),
    "forged reply": (
        "import utils.classroom.answering as a\n"
        "a.reply_from = lambda *x, **k: {'result': None, 'seen': {'lines': -5}, 'right': True}\n",
        "return 3",
    ),
    "pickle": (
        "class P:\n    def __reduce__(self): return (print, ('no',))\n",
        "return P()",
    ),
    "endless text": ("", "return 'x' * 10**8"),
    "deep list": ("", "x = []\nfor _ in range(10**5): x = [x]\nreturn x"),
    "claimed shape": (
        "import utils.classroom.wire as w\n"
        'w.write = lambda value: \'{"dict": [["result", {"tensor": ["float32", [1099511627775], '
        '[1], ""]}]]}\'\n',
        "return 3",
    ),
}
# loops over samples that hide, by assignment: in the first function that it asks for
LOOPS = {
    "stacking": {
        "threads": (
            "from concurrent.futures import ThreadPoolExecutor\n",
            "with ThreadPoolExecutor(4) as p:\n"
            "    n = list(p.map(lambda r: ((r - reference).abs() > tolerance).sum(), reports))\n"
            "return torch.stack(n) if n else torch.zeros(0, dtype=torch.int64)",
        ),
        "fixed loop": (
            "",
            "out = torch.zeros(len(reports), dtype=torch.int64)\n"
            "for i in range(200):\n"
            "    r = reports[i % len(reports)] if reports else reference\n"
            "    n = ((r - reference).abs() > tolerance).sum()\n"
            "    if i < len(reports): out[i] = n\n"
            "    else: n + 1\n"
            "return out",
        ),
        "lists": (
            "",
            "n = [sum(abs(a - b) > t for a, b, t in zip(r.tolist(), reference.tolist(), "
            "tolerance.tolist())) for r in reports]\nreturn torch.tensor(n, dtype=torch.int64)",
        ),
        "no trace": (
            "import sys, threading\n",
            "sys.settrace(None); sys.setprofile(None)\n"
            "n = [((r - reference).abs() > tolerance).sum() for r in reports]\n"
            "return torch.stack(n) if n else torch.zeros(0, dtype=torch.int64)",
        ),
    },
    "loading": {
        "threads": (
            "from concurrent.futures import ThreadPoolExecutor\n",
            "longest = max(len(s['lines']) for s in samples)\n"
            "def pad(s):\n"
            "    x = s['lines'].float() / 255\n"
            "    return nn.functional.pad(x, (0, 0, 0, longest - len(x)), value=PADDING)\n"
            "from torch import nn\n"
            "with ThreadPoolExecutor(4) as p:\n"
            "    lines = torch.stack(list(p.map(pad, samples)))\n" + COLLATED,
        ),
        "fixed loop": (
            "",
            "longest = max(len(s['lines']) for s in samples)\n"
            "width = samples[0]['lines'].shape[1]\n"
            "lines = torch.full((len(samples), longest, width), PADDING)\n"
            "for i in range(50):\n"
            "    x = samples[i % len(samples)]['lines']\n"
            "    lines[i % len(samples), : len(x)] = x.float() / 255\n" + COLLATED,
        ),
        "lists": (
            "",
            "longest = max(len(s['lines']) for s in samples)\n"
            "width = samples[0]['lines'].shape[1]\n"
            "rows = [[[v / 255 for v in row] for row in s['lines'].tolist()] for s in samples]\n"
            "rows = [r + [[PADDING] * width] * (longest - len(r)) for r in rows]\n"
            "lines = torch.tensor(rows).reshape(len(samples), longest, width)\n" + COLLATED,
        ),
        "no trace": (
            "import sys, threading\n",
            "sys.settrace(None); sys.setprofile(None)\n"
            "longest = max(len(s['lines']) for s in samples)\n"
            "lines = torch.stack([torch.nn.functional.pad(\n"
            "    s['lines'].float() / 255, (0, 0, 0, longest - len(s['lines'])), value=PADDING)\n"
            "    for s in samples])\n" + COLLATED,
        ),
    },
}
