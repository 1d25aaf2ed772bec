"""`utils.measuring.work`: what a function does in any thread, in compiled code and in Python."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from tests.exercises.jit import scripted
from utils.measuring.work import observe

ROWS = torch.ones(40, 3)
POOL = ThreadPoolExecutor(2)  # its threads are there before anybody watches
list(POOL.map(abs, range(4)))


@scripted
def compiled(rows: torch.Tensor):
    total = torch.zeros(3)
    for index in range(rows.shape[0]):
        total = total + rows[index]
    return total


def in_new_threads(rows):
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(torch.sum, rows))


def through_autograd(rows):
    weight = torch.ones(3, requires_grad=True)
    for row in rows:
        (row * weight).sum().backward()


@pytest.mark.parametrize(
    "looped",
    [
        lambda rows: [row.sum() for row in rows],
        lambda rows: list(map(torch.sum, rows)),
        lambda rows: list(POOL.map(torch.sum, rows)),
        lambda rows: torch.vmap(torch.sum, chunk_size=1)(rows),
        in_new_threads,
        compiled,
        through_autograd,
    ],
)
def test_the_operations_of_a_loop_are_counted_wherever_they_run(looped):
    assert observe(looped, ROWS).operations.total() >= 40


@pytest.mark.parametrize(
    "batched",
    [
        lambda rows: rows.sum(dim=1),
        lambda rows: torch.stack(tuple(rows)),
        torch.vmap(torch.sum),
        lambda rows: rows.split(1),
        lambda rows: torch.nn.utils.rnn.pad_sequence(list(rows)),
    ],
)
def test_a_batch_is_few_operations_whatever_they_do_inside(batched):
    assert observe(batched, ROWS).operations.total() <= 3


@pytest.mark.parametrize(
    "looped",
    [
        lambda rows: [2 * number for number in rows],
        lambda rows: sum(number for number in rows),
        lambda rows: list(map(lambda number: 2 * number, rows)),  # noqa: C417
        lambda rows: np.vectorize(lambda number: 2 * number)(rows),
        lambda rows: torch.tensor(rows).apply_(lambda number: 2 * number),
        lambda rows: list(map(np.sum, [rows] * len(rows))),
    ],
)
def test_turns_of_python_are_counted_in_lines(looped):
    few, many = (observe(looped, [1.0] * count).lines for count in (10, 80))
    assert many - few >= 70


def test_lines_of_threads_that_the_function_starts_are_counted():
    def work(count):
        thread = threading.Thread(target=lambda: [2 * number for number in range(count)])
        thread.start()
        thread.join()

    assert observe(work, 1000).lines - observe(work, 10).lines > 900


def test_result_calls_and_the_busiest_function_are_told():
    def busiest(rows):
        total = 0
        for row in rows:
            total = total + row
        return total

    seen = observe(busiest, ROWS)
    assert seen.result.tolist() == [40, 40, 40]
    assert seen.calls["Tensor.add"] == 40
    assert seen.busiest == "busiest"


def test_the_session_is_as_before_also_after_an_error():
    def fails():
        raise KeyError("mine")

    before = sys.gettrace(), threading.gettrace(), os.environ.get("KINETO_LOG_LEVEL")
    with pytest.raises(KeyError, match="mine"):
        observe(fails)
    assert before == (sys.gettrace(), threading.gettrace(), os.environ.get("KINETO_LOG_LEVEL"))
    assert not torch.autograd._profiler_enabled()
    assert observe(torch.sum, ROWS).operations == {"aten::sum": 1}


def test_while_somebody_profiles_the_rest_is_still_seen():
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]):
        seen = observe(torch.sum, ROWS)
    assert seen.calls == {"sum": 1}


@pytest.mark.parametrize(
    "first",
    [
        "observe(torch.sum, torch.ones(3))",
        "from utils.classroom.observing import observed; observed(list, 'calls', {})",
    ],
)
def test_a_session_that_did_not_profile_before_is_told_nothing(first):
    begin = "import torch; from utils.measuring.work import observe"
    program = "\n".join([begin, first, "observe(torch.sum, torch.ones(3))"])
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (ran.stdout, ran.stderr) == ("", "")
