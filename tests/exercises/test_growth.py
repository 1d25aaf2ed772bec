"""A loop is told that it loops, wherever it hides; a batch is not."""

import dataclasses
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from tests.exercises.jit import scripted, traced
from utils.exercises.checking import examine
from utils.exercises.exercise import Exercise, grown

POOL = ThreadPoolExecutor(2)
list(POOL.map(abs, range(4)))


def norms_loop(rows):
    return torch.stack([row.square().sum().sqrt() for row in rows])


def rows(count, length=6):
    return (torch.rand(count, length, generator=torch.Generator().manual_seed(count)),)


NORMS = Exercise(
    loop=norms_loop,
    cases={"five rows": rows(5)},
    growing={"rows": grown(rows)},
)


@scripted
def compiled(rows: torch.Tensor):
    result = torch.empty(rows.shape[0])
    for index in range(rows.shape[0]):
        result[index] = rows[index].norm()
    return result


def in_halves(rows):
    """Two tasks, each a loop: the thread that is asked does the same for few and many."""
    parts = POOL.map(lambda part: torch.stack([row.norm() for row in part]), rows.tensor_split(2))
    return torch.cat(list(parts))


def fixed(turns):
    def answer(rows):
        result = torch.zeros(len(rows))
        for turn in range(turns):
            if turn < len(rows):
                result[turn] = rows[turn].norm()
        return result

    return answer


def fixed_without_a_look(rows):
    result = torch.zeros(len(rows))
    for turn in range(1000):
        result[turn % len(rows)] = rows[turn % len(rows)].norm()
    return result


def in_numpy(rows):
    return torch.from_numpy(np.stack([np.linalg.norm(row) for row in rows.numpy()]))


def in_lists(rows):
    return torch.tensor([sum(x * x for x in row) ** 0.5 for row in rows.tolist()])


def by_apply(rows):
    result = rows.square().sum(dim=1)
    return result.apply_(lambda value: value**0.5)


LOOPS = {
    "calls": (
        lambda rows: torch.stack([row.norm() for row in rows]),
        "56 of those added go to",
    ),
    "map": (lambda rows: torch.stack(list(map(torch.norm, rows))), "still loops over the rows"),
    "pieces": (lambda rows: torch.cat([p.norm(dim=1) for p in rows.split(8)]), "still loops"),
    "vmap in chunks": (torch.vmap(torch.norm, chunk_size=1), "still loops over the rows"),
    "threads": (lambda rows: torch.stack(list(POOL.map(torch.norm, rows))), "still loops"),
    "halves": (in_halves, "in compiled code or in threads"),
    "compiled": (compiled, "in compiled code or in threads"),
    "NumPy": (in_numpy, "Tensor.numpy leaves PyTorch"),
    "NumPy at once": (
        lambda rows: torch.from_numpy(np.linalg.norm(rows, axis=1)),
        "leaves PyTorch",
    ),
    "dlpack": (lambda rows: torch.tensor(np.linalg.norm(np.from_dlpack(rows), axis=1)), "leaves"),
    "lists": (in_lists, "Python still loops over the rows (in <"),
    "apply_": (by_apply, "Tensor.apply_ calls Python for each number"),
    "200 turns": (fixed(200), "still loops over the rows"),
    "1,000 turns": (fixed_without_a_look, "a loop of fixed length is a loop, too"),
    "all pairs": (lambda rows: (rows @ rows.T).diagonal().sqrt(), "times as much memory"),
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_is_found(name):
    answer, words = LOOPS[name]
    assert words in examine(NORMS, answer, "1").message


BATCHES = {
    "norm": lambda rows: rows.norm(dim=1),
    "vmap": torch.vmap(torch.norm),
    "large chunks": torch.vmap(torch.norm, chunk_size=1024),
    "compiled": traced(lambda rows: rows.square().sum(dim=1).sqrt(), rows(4)),
    "columns": lambda rows: sum(column.square() for column in rows.unbind(1)).sqrt(),
    "a number": lambda rows: (rows / rows.max().item()).norm(dim=1) * rows.max().item(),
    "a thread": lambda rows: POOL.submit(rows.norm, dim=1).result(),
    "cdist": lambda rows: torch.cdist(rows, torch.zeros(1, rows.shape[1]))[:, 0],
}


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_is_no_loop(name):
    assert examine(NORMS, BATCHES[name], "1").message.startswith("right on")


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore")
def test_a_batch_that_is_compiled_at_first_is_no_loop():
    norm = torch.compile(lambda rows: rows.square().sum(dim=1).sqrt(), backend="eager")
    assert examine(NORMS, norm, "1").message.startswith("right on")


def test_a_loop_is_told_before_it_meets_an_empty_batch():
    strict = Exercise(
        loop=lambda rows: rows.norm(dim=1),
        cases={"five rows": rows(5), "an empty batch": rows(0)},
        growing=NORMS.growing,
    )
    assert "still loops over the rows" in examine(strict, norms_loop, "1").message
    scaled = examine(strict, lambda rows: (rows / rows.max()).norm(dim=1) * rows.max(), "1")
    assert scaled.message.startswith("with an empty batch it stops")


def test_a_loop_that_is_too_short_is_wrong_where_there_are_many():
    def first_hundred(rows):
        result = torch.zeros(len(rows))
        result[:100] = rows[:100].norm(dim=1)
        return result

    message = examine(NORMS, first_hundred, "1").message
    assert message.startswith("with many rows the form is right and the values are not")


@pytest.mark.parametrize("error", [ValueError("only a few"), MemoryError(), RecursionError("deep")])
def test_an_error_with_many_samples_is_told_and_does_not_escape(error):
    def fails(rows):
        if len(rows) > 60:
            raise error
        return rows.norm(dim=1)

    message = examine(NORMS, fails, "1").message
    assert message.startswith(f"with many rows it stops with {type(error).__name__}")


@pytest.mark.parametrize("time", range(10))
def test_an_error_that_comes_only_once_does_not_escape(time):
    times = iter(range(100))

    def fails_once(rows):
        if next(times) == time:
            raise ValueError("not now")
        return rows.norm(dim=1)

    verdict = examine(NORMS, fails_once, "1")
    assert verdict.status == "right" or "stops with ValueError: not now" in verdict.message


def lengths_loop(words):
    return torch.stack([torch.tensor(len(word)) for word in words])


def test_python_may_go_through_a_list_as_long_as_it_calls_nothing_for_each():
    lengths = Exercise(
        loop=lengths_loop,
        cases={"two words": (["a", "bcd"],)},
        growing={"words": grown(lambda n: (["word"] * n,))},
    )
    in_python = examine(lengths, lambda words: torch.tensor([len(word) for word in words]), "1")
    assert in_python.status == "right"
    assert "still loops over the words" in examine(lengths, lengths_loop, "1").message


def test_python_may_go_through_what_an_exercise_says():
    def in_python(rows):
        return torch.tensor([row[0] for row in rows.tolist()])

    firsts = Exercise(
        loop=lambda rows: torch.stack([row[0] for row in rows]),
        cases=NORMS.cases,
        growing=NORMS.growing,
    )
    assert "Python still loops over the rows" in examine(firsts, in_python, "1").message
    may = dataclasses.replace(firsts, may_iterate=("rows",))
    assert examine(may, in_python, "1").status == "right"
    assert "still loops over the rows" in examine(may, firsts.loop, "1").message


def test_numpy_may_do_the_work_where_an_exercise_says_so():
    free = dataclasses.replace(NORMS, may_leave=True)
    at_once = LOOPS["NumPy at once"][0]
    assert examine(free, at_once, "1").status == "right"
    assert "Python still loops over the rows" in examine(free, in_numpy, "1").message


def test_what_others_compute_meanwhile_is_not_held_against_an_answer():
    go, done = threading.Lock(), threading.Lock()
    go.acquire()
    done.acquire()

    def other():
        go.acquire()
        for _ in range(500):
            torch.ones(1) + 1
        done.release()

    thread = threading.Thread(target=other)
    thread.start()
    armed = [True]

    def answer(rows):
        if len(rows) == 64 and sys.gettrace() and armed:
            armed.clear()
            go.release()
            done.acquire()
        return rows.norm(dim=1)

    verdict = examine(NORMS, answer, "1")
    thread.join()
    assert not armed
    assert verdict.status == "right"
