"""Judge answers by their data: what they return, and what was seen while they computed.

The judge never runs a submission's code. It sends inputs to the process that does, gets back
plain data, and compares with its own loop. Inputs are drawn when the cells have been run, from
a number that no student can know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from utils.classroom import wire
from utils.classroom.kernel import LostError
from utils.exercises.checking import examine
from utils.exercises.exercise import Exercise
from utils.measuring.agreement import check_agreement

MOST_CALLS = 150  # of PyTorch, of an answer for a whole batch; there are more of what grows
MOST_LINES = 300  # of Python, where lines may not grow


@dataclass(frozen=True)
class Seen:
    """What was observed of one call; see `utils.classroom.observing`."""

    calls: Counter[str]  # of PyTorch's operations, in all threads
    left: Counter[str]  # of functions by which data leave PyTorch
    lines: int = 0  # of Python, outside of what is installed
    peak: int = 0  # bytes of memory
    rows: int = 0  # of a file
    elsewhere: int = 0  # what other processes, or threads whose memory counts, have done


@dataclass(frozen=True)
class Part:
    """One side of a task: inputs, and the loop to compare with."""

    exercise: Exercise
    way: str = "call"  # one of `utils.classroom.answering.WAYS`
    pure: bool = True  # whether data may not leave PyTorch
    lines: bool = True  # whether lines of Python may not grow, either
    evidence: Callable[[Callable[..., Seen]], str] = lambda watch: ""
    # more to look at: given a function (what, *inputs) -> `Seen`; "" if all is well
    before: str = ""  # said before what is wrong


@dataclass(frozen=True)
class Task:
    """The hidden tests of one test cell."""

    test: str  # the cell's name
    answer: str  # the name of the function or class that is asked for
    parts: tuple[Part, ...]


Ask = Callable[[str, str, str, str, str], dict]
# place, answer, way, inputs, what to observe -> reply; place is "notebook" or "fresh"


def judge(task: Task, ask: Ask) -> str:
    """The first thing that is wrong with an answer, or "".

    Raises `LostError` where the process of the submission was lost, and `FaultError` where it could
    not be looked at.
    """
    for part in task.parts:
        wrong = _values(task, part, ask)
        try:
            wrong = wrong or _growth(task, part, ask) or part.evidence(_watching(task, part, ask))
        except _WrongError as error:
            wrong = str(error)
        if wrong:
            return part.before + wrong
    return ""


class FaultError(RuntimeError):
    """What looks at an answer does not work; try again, and let a person see."""


class _WrongError(Exception):
    """What is wrong with an answer."""


def _values(task: Task, part: Part, ask: Ask) -> str:
    lost: list[LostError] = []

    def answer(*inputs: object) -> object:
        if lost:
            raise lost[0]
        try:
            return _result(ask("notebook", task.answer, part.way, wire.write(inputs), ""))
        except LostError as error:
            lost.append(error)
            raise

    verdict = examine(replace(part.exercise, growing={}), answer, task.test)
    if lost:
        raise lost[0]
    if verdict.status == "not attempted":
        return "not attempted: there is still raise NotImplementedError"
    return "" if verdict.status == "right" else verdict.message


def _result(reply: dict) -> object:
    if "error" not in reply:
        return reply["result"]
    if reply.get("stub"):
        raise NotImplementedError
    name = str(reply["error"])[:80]
    raise type(name, (Exception,), {})(str(reply.get("message", ""))[:300])


def _growth(task: Task, part: Part, ask: Ask) -> str:
    for what, (few, many) in part.exercise.growing.items():
        watch = _watching(task, part, ask)
        watch("calls", *few)  # what is set up on first use is not counted
        seen = [watch("calls", *inputs) for inputs in (few, many)]
        totals = [one.calls.total() for one in seen]
        more = seen[1].calls - seen[0].calls
        if totals[1] > totals[0]:
            name, extra = more.most_common(1)[0]
            return (
                f"the result is right, but it still loops over the {what}: more of them take more "
                f"PyTorch calls ({totals[0]}, then {totals[1]}), and {extra} of those added go to "
                f"{name}."
            )
        if totals[1] > MOST_CALLS:
            return f"the result is right, but it takes {totals[1]} PyTorch calls; it is a loop."
        if part.lines and seen[1].lines > MOST_LINES:
            return f"the result is right, but it runs {seen[1].lines} lines; it is a loop."
        if part.pure and seen[1].left:
            (name, _) = seen[1].left.most_common(1)[0]
            return f"the result is right, but {name} leaves PyTorch; stay with tensors."
        if part.lines and seen[1].lines > seen[0].lines:
            return (
                f"the result is right, but it loops over the {what} in Python: more of them take "
                f"more lines ({seen[0].lines}, then {seen[1].lines})."
            )
    return ""


def _watching(task: Task, part: Part, ask: Ask) -> Callable[..., Seen]:
    """A function (what, *inputs) that looks at one call in a fresh process.

    The result is compared there, too: an answer that only computes where nobody looks is none.
    Where it is not right in the fresh process, it is looked at in the notebook's own: its cells
    may prepare what it needs.
    """
    exercise = part.exercise

    def once(place: str, what: str, inputs: tuple[object, ...]) -> Seen:
        told: list[object] = []

        def answer(*given: object) -> object:
            reply = ask(place, task.answer, part.way, wire.write(given), what)
            if reply.get("fault"):
                raise FaultError(str(reply.get("message"))[:300])
            if "error" in reply:
                raise _WrongError(
                    f"it is right, but stops where it is looked at, with {reply['error']}: "
                    f"{reply.get('message', '')}"[:400]
                )
            told.append(reply.get("seen"))
            return reply["result"]

        expected = exercise.use(exercise.loop, *inputs)
        try:
            check_agreement(expected, exercise.use(answer, *inputs))
        except (LostError, FaultError, _WrongError, wire.UnreadableError):
            raise
        except Exception:  # whatever came, it is no such result
            raise _WrongError("it returns something else where it is looked at") from None
        seen = _seen(told[-1])
        if seen.elsewhere:
            raise _WrongError(
                "it is right, but other processes or threads do the work; do it in your function"
            )
        return seen

    def watch(what: str, *inputs: object) -> Seen:
        try:
            return once("fresh", what, inputs)
        except _WrongError:  # what a cell does beside its definitions is missing there
            return once("notebook", what, inputs)

    return watch


def _seen(told: object) -> Seen:
    """What a process told about itself, as far as it has the right form."""
    numbers = {
        name: number
        for name, number in (told.items() if isinstance(told, dict) else ())
        if isinstance(name, str) and type(number) is int
    }
    counts = {
        kind: Counter(
            {
                name.partition(" ")[2]: number
                for name, number in numbers.items()
                if name.startswith(f"{kind} ")
            }
        )
        for kind in ("call", "left")
    }
    rest = {name: numbers.get(name, 0) for name in ("lines", "peak", "rows", "elsewhere")}
    return Seen(counts["call"], counts["left"], **rest)
