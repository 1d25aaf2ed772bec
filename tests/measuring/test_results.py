"""What a comparison and a sweep say, in words, tables and files."""

import csv
import dataclasses

import numpy as np
import pytest
import torch

from utils.devices import describe
from utils.display.tables import html_table, text_table, write_csv
from utils.measuring.agreement import Agreement
from utils.measuring.disturbance import Sample
from utils.measuring.pairs import LEAST_PAIRS, Pair, slack_and_marks, undoubted
from utils.measuring.results import Comparison, Measurement
from utils.measuring.sweeps import Sweep
from utils.timing import compare, measure, sweep

ROWS = torch.rand(8, 4)
SIDE = Measurement("f", (1.0,) * 20, 1, 4, 4, None, describe("cpu"))


def loop(rows):
    return [row.sum() for row in rows]


def batch(rows):
    return rows.sum(dim=1)


def comparison(*ratios, **changes):
    """A comparison with these ratios, each often enough for an interval."""
    given = Comparison(SIDE, SIDE, ratios * 8, Agreement(0.0, 0), None, None)
    return dataclasses.replace(given, **changes)


@pytest.mark.parametrize(
    ("ratios", "outcome", "conclusive"),
    [
        ((2.0, 2.1), "faster", True),
        ((1.2,), "faster", True),
        ((1.02, 1.08), "faster", True),
        ((0.5, 0.6), "slower", True),
        ((1.0,), "same", False),
        ((1.03,), "same", False),
        ((0.96,), "same", False),
        ((0.97, 1.04), "same", False),
        ((0.8, 1.3), "unclear", False),
        ((0.94, 1.01), "unclear", False),
    ],
)
def test_the_outcome_is_of_four(ratios, outcome, conclusive):
    found = comparison(*ratios)
    assert (found.outcome, found.conclusive) == (outcome, conclusive)
    other = comparison(*(1 / ratio for ratio in ratios)).outcome
    mirrored = {"faster": "slower", "slower": "faster"}
    assert other == mirrored.get(outcome, outcome)
    starts = {"same": "the same within 5 % (95 % interval", "unclear": "not conclusive: "}
    starts |= {"faster": "the loop takes", "slower": "the batch takes"}
    assert found.verdict.startswith(starts[outcome])


def test_too_few_pairs_are_unclear():
    few = dataclasses.replace(comparison(3.0), ratios=(3.0,) * (LEAST_PAIRS - 1))
    assert (few.outcome, few.interval) == ("unclear", None)
    assert "from 5 pairs only" in few.verdict


def test_doubt_widens_the_interval_and_is_told():
    sure = comparison(1.4)
    assert sure.outcome == "faster"
    doubted = comparison(1.4, slack=(0.6, 1.6), marks=("this machine was busy: 40 % …",))
    assert doubted.interval == (pytest.approx(0.84), pytest.approx(2.24))
    assert (doubted.outcome, doubted.conclusive) == ("unclear", False)
    for told in (doubted.verdict, repr(doubted), doubted._repr_html_(), str(doubted.record())):
        assert "this machine was busy: 40 %" in told
    assert comparison(9.0, slack=(0.6, 1.6)).outcome == "faster"


@pytest.mark.parametrize("names", [("batch_size=1", "batch_size=64"), ["vmap", "by hand"]])
def test_names_are_in_all_that_is_said(names):
    found = compare(loop, batch, ROWS, budget=0.2, names=names)
    assert found.names == tuple(names)
    assert (found.record()["looped_name"], found.record()["batched_name"]) == tuple(names)
    swept = sweep(loop, batch, lambda n: torch.rand(n, 3), [4], budget=0.1, names=names)
    assert swept.names == tuple(names)
    for told in (repr(found), found._repr_html_(), repr(swept), swept._repr_html_()):
        assert all(name in told for name in names)
        assert "the loop" not in told
        assert "the batch" not in told


@pytest.mark.parametrize(
    ("names", "error"),
    [
        ("ab", TypeError),
        (3, TypeError),
        (("a", 3), TypeError),
        (("a",), ValueError),
        (("a", "b", "c"), ValueError),
        (("a", "a"), ValueError),
        (("a", " "), ValueError),
    ],
)
def test_names_that_are_none_are_refused(names, error):
    with pytest.raises(error, match=r"^names are two texts"):
        compare(loop, batch, ROWS, names=names)


def test_the_number_of_calls_is_that_of_the_samples():
    for repeats, samples in ((1, 1), (1, 23), (50, 1), (50, 7)):
        side = dataclasses.replace(SIDE, times=(1.0,) * samples, repeats=repeats)
        assert side.runs == repeats * samples
        only = f"from {side.runs} run{'s' * (side.runs > 1)} only"
        assert (only in side.marks) == (side.runs <= 2)


@pytest.mark.parametrize("inputs", [torch.rand(1, 3), torch.rand(2000, 3)])
def test_calls_that_are_told_were_made(inputs):
    made = {"loop": 0, "batch": 0}

    def counted(name, function):
        def call(rows):
            made[name] += 1
            return function(rows)

        return call

    found = compare(counted("loop", loop), counted("batch", batch), inputs, budget=0.05)
    for side, name in ((found.looped, "loop"), (found.batched, "batch")):
        assert side.runs == side.repeats * len(side.times)
        warm = len(side.times) * (side.repeats > 1)  # one before each sample of several
        assert 0 < side.runs + warm <= made[name]
        assert made[name] <= side.runs + warm + 40  # first calls, and those that shorten


def samples(doubt, ratio=2.0, count=12):
    """Pairs of which each looped sample may have lost a share of its time."""
    return [
        Pair(Sample(ratio, doubt * ratio, alone=False), Sample(1.0), loop_first=n % 2 == 0)
        for n in range(count)
    ]


def test_pairs_in_doubt_are_left_out_whichever_side_lost():
    clean = samples(0.0, count=LEAST_PAIRS)
    for doubted in (samples(0.3), [Pair(p.batched, p.looped, True) for p in samples(0.3)]):
        assert undoubted([*doubted, *clean]) == clean
        assert undoubted([*doubted, *clean[1:]]) == [*doubted, *clean[1:]]


def test_time_that_may_be_lost_moves_the_end_that_it_would():
    (down, up), marks = slack_and_marks(samples(0.3))
    assert (down, up) == (pytest.approx(0.7), 1)
    assert marks == ("this machine was busy: up to 30 % of the time went elsewhere",)
    assert slack_and_marks(samples(0.0)) == ((1, 1), ())


def test_time_that_was_taken_off_asks_for_more_certainty():
    quiet = [Pair(Sample(r), Sample(1.0), loop_first=True) for r in [1.0, 1.6, 1.3, 2.0] * 5]
    lost = [Pair(Sample(2 * p.ratio, p.ratio), Sample(1.0), loop_first=True) for p in quiet]
    assert [p.ratio for p in lost] == [p.ratio for p in quiet]
    (down, up), marks = slack_and_marks(lost)
    assert down < slack_and_marks(quiet)[0][0]
    assert up > slack_and_marks(quiet)[0][1]
    assert marks == ()


def test_few_pairs_on_a_busy_machine_decide_only_what_is_clear():
    def outcome(*ratios):
        pairs = [Pair(Sample(2 * r, r), Sample(1.0), loop_first=n % 2 == 0) for n, r in ratios]
        slack, marks = slack_and_marks(pairs)
        return comparison(slack=slack, marks=marks, ratios=tuple(p.ratio for p in pairs)).outcome

    assert outcome(*enumerate([1.05, 1.1, 1.2, 1.15, 1.3, 1.4])) == "unclear"
    assert outcome(*enumerate([8.0, 9.0, 10.0, 11.0, 9.5, 12.0])) == "faster"


@pytest.mark.parametrize(
    ("ratio", "told"),
    [
        (lambda n: 2.0 if n < 15 else 4.0, "something changed meanwhile"),
        (lambda n: 4.0 if n % 2 else 2.0, "it matters which side comes first"),
        (lambda n: 2.0 + n % 3 / 100, None),
        (lambda n: 2.0 + n / 1000, None),
    ],
)
def test_parts_that_disagree_widen_the_interval_and_are_told(ratio, told):
    pairs = [Pair(Sample(ratio(n)), Sample(1.0), loop_first=n % 2 == 0) for n in range(30)]
    slack, marks = slack_and_marks(pairs)
    found = comparison(ratios=tuple(p.ratio for p in pairs), slack=slack, marks=marks)
    if told is None:
        assert marks == ()
    else:
        assert told in marks[0]
        assert "differ by 2.00×" in marks[0]
        assert found.interval == (pytest.approx(2.0), pytest.approx(4.0))


ABOVE, BELOW, NOISY = comparison(2.0), comparison(0.5), comparison(0.8, 1.6)
NOISY_BELOW, SAME = comparison(0.6, 1.2), comparison(1.0)


@pytest.mark.parametrize(
    ("comparisons", "crossover"),
    [
        ([BELOW, ABOVE, ABOVE, ABOVE, ABOVE], 2),
        ([BELOW, ABOVE, NOISY, ABOVE, ABOVE], 2),  # one point that tells nothing
        ([BELOW, ABOVE, NOISY_BELOW, ABOVE, ABOVE], 2),
        ([BELOW, ABOVE, ABOVE, ABOVE, NOISY], 2),
        ([BELOW, ABOVE, ABOVE, ABOVE, NOISY_BELOW], None),
        ([BELOW, ABOVE, NOISY, NOISY, ABOVE], 16),  # two tell that it is not sure
        ([BELOW, ABOVE, BELOW, ABOVE, ABOVE], 8),  # one that tells the contrary
        ([BELOW, ABOVE, SAME, ABOVE, ABOVE], 8),
        ([NOISY, ABOVE, ABOVE, ABOVE, ABOVE], 2),
        ([BELOW, BELOW, BELOW, BELOW, BELOW], None),
        ([ABOVE, ABOVE, ABOVE, ABOVE, ABOVE], 1),
        ([ABOVE, ABOVE, ABOVE, ABOVE, BELOW], None),
        ([], None),
    ],
)
def test_one_noisy_point_does_not_move_the_crossover(comparisons, crossover):
    assert Sweep(comparisons, [1, 2, 4, 8, 16][: len(comparisons)]).crossover == crossover


@pytest.mark.parametrize("error", [MemoryError, RuntimeError, ZeroDivisionError])
@pytest.mark.parametrize("where", ["inputs", "loop", "batch"])
def test_a_sweep_keeps_what_it_has_when_a_size_fails(error, where):
    def failing(here, function):
        def call(value):
            if where == here and (value if here == "inputs" else len(value)) == 8:
                raise error("too much <b>\nof it")
            return function(value)

        return call

    make = failing("inputs", lambda size: torch.rand(size, 3))
    done = sweep(failing("loop", loop), failing("batch", batch), make, [2, 4, 8, 16], budget=0.01)
    assert done.sizes == [2, 4]
    assert len(done) == 2
    assert done.failed_size == 8
    assert isinstance(done.error, error)
    assert f"stopped at size 8: {error.__name__}: too much <b>" in repr(done)
    assert "too much &lt;b&gt;" in done._repr_html_()


def test_a_mismatch_at_a_later_size_is_kept_too():
    done = sweep(
        batch, lambda rows: batch(rows) + (len(rows) > 4), lambda n: torch.rand(n, 3), [4, 8]
    )
    assert (done.sizes, done.failed_size) == ([4], 8)
    assert "ResultMismatchError" in repr(done)


def test_a_whole_sweep_has_no_error():
    done = sweep(loop, batch, lambda n: torch.rand(n, 3), [2, 4], budget=0.01)
    assert (done.failed_size, done.error) == (None, None)


def test_cold_inputs_are_copies_in_turn():
    seen = set()

    def total(rows):
        seen.add(rows.data_ptr())
        return rows.sum()

    rows = torch.rand(2**20)
    cold = compare(total, torch.sum, rows, budget=0.1, cold=True)
    assert len(seen) > 2
    for told in (repr(cold), cold._repr_html_()):
        assert "copies of its inputs in turn" in told
    seen.clear()
    warm = compare(total, torch.sum, rows, budget=0.1)
    assert seen == {rows.data_ptr()}
    assert "copies" not in repr(warm)


@pytest.mark.parametrize(
    "inputs",
    [
        (torch.rand(6, 2).requires_grad_(),),
        (list(torch.rand(6, 2)),),
        (np.random.default_rng(0).random((6, 2)),),
        ({"x": torch.rand(6, 2)}, 3),
        (torch.nn.Linear(2, 2), torch.rand(6, 2)),
        (torch.rand(2, 6).T,),
    ],
)
def test_copies_are_like_the_inputs(inputs):
    kinds = set()

    def look(*given):
        kinds.add(str([(type(x), getattr(x, "requires_grad", None)) for x in given]))
        strides = [x.stride() for x in given if isinstance(x, torch.Tensor)]
        kinds.add(str(strides))
        return 1

    compare(look, look, *inputs, budget=0.01, cold=True)
    assert len(kinds) == 2


def test_without_values_nothing_can_be_cold():
    with pytest.raises(ValueError, match="cold=True needs tensors or arrays among the inputs"):
        compare(lambda n: n + 1, lambda n: n + 1, 3, cold=True)


def test_memory_caps_the_copies(monkeypatch):
    monkeypatch.setattr("utils.measuring.caches.free_bytes", lambda device: 10**6)
    told = repr(compare(batch, batch, torch.rand(10**4, 4), budget=0.01, cold=True))
    assert "2 copies" in told
    assert "may hold" in told


def test_tables_escape_and_keep_what_is_long():
    long = "x" * 300
    made = html_table(["a", "a", "note"], [["<b>", long, ""]], "<title>", "a & b")
    assert "&lt;b&gt;" in made
    assert "&lt;title&gt;" in made
    assert "a &amp; b" in made
    assert long in made
    assert "note" not in made
    many = [[str(n), "1"] for n in range(500)]
    assert html_table(["n", "one"], many, "", "").count("<tr") == 501
    text = text_table(["n", "one"], many).splitlines()
    assert len(text) == 501
    assert text[-1].split() == ["499", "1"]
    assert text_table(["n", "one"], []) == "n  one"
    assert "<th></th>" not in measure(batch, ROWS, budget=0.001)._repr_html_()


def test_files_can_be_read_back(tmp_path):
    rows = [{"a": 1, "b": 'comma, "quote"\nline', "c": None}, {"a": 2.5, "b": "é", "c": 3}]
    with open(write_csv(tmp_path / "t.csv", rows), encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == [
            {"a": "1.0", "b": 'comma, "quote"\nline', "c": ""},
            {"a": "2.5", "b": "é", "c": "3.0"},
        ]
