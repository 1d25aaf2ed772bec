"""The search: what people type, in their words, with their numbers and their slips."""

import time

import pytest

from tests.finding.samples import STACK, write_samples
from tests.finding.test_reading import TRACEBACK
from utils.finding.entries import Entry
from utils.finding.messages import neutral
from utils.finding.ranking import Finder
from utils.finding.reading import RECIPES, read_recipes
from utils.finding.vocabulary import joined_words, split_names, stem


def entry(slug, title, answer="", **more):
    return Entry(title, answer, "samples", "a.ipynb", slug, (slug,), **more)


ENTRIES = [
    entry(
        "per-row",
        "How do I take a different index from each row?",
        functions=("torch.gather", "torch.take_along_dim"),
    ),
    entry("windows", "How do I take sliding windows of each sample?", functions=("torch.unfold",)),
    entry(
        "shapes",
        "Why can my matrices not be multiplied?",
        messages=("RuntimeError: mat1 and mat2 shapes cannot be multiplied (1x2 and 3x4)",),
    ),
    entry(
        "stack",
        "How do I stack samples of unequal length?",
        messages=(f"RuntimeError: {STACK}", "ValueError: not enough values"),
    ),
    entry("loader", "How do I use a DataLoader with an IterableDataset?"),
    entry("oom", "How do I go on after out of memory?", symptoms=("the process is killed",)),
    entry("weights", "How do I balance classes with WeightedRandomSampler?"),
    entry("batch-norm", "What do I do with BatchNorm if my batches are small?"),
]
FINDER = Finder(ENTRIES)


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("different index from each row", "per-row"),
        ("each row a different index", "per-row"),
        ("indices of rows", "per-row"),
        ("INDEX ROW", "per-row"),
        ("diferent indx from each row", "per-row"),
        ("take_along_dim", "per-row"),
        ("torch.take_along_dim(x, i, 1)", "per-row"),
        ("along_dim", "per-row"),
        ("gath", "per-row"),
        ("gahter", "per-row"),
        ("slide window", "windows"),
        ("x.unfold", "windows"),
        ("mat1 and mat2 shapes cannot be multiplied (64x784 and 1x10)", "shapes"),
        ("RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x784 and 1x10)", "shapes"),
        (TRACEBACK, "shapes"),
        ("matrix multiplication", "shapes"),
        ("stack expects each tensor to be equal size, but got [9, 9, 9] at entry 0", "stack"),
        ("samples with varying lengths", "stack"),
        ("data loader for iterable", "loader"),
        ("iterabledataset", "loader"),
        ("OOM", "oom"),
        ("process killed", "oom"),
        ("weighted random sampler", "weights"),
        ("imbalanced", "weights"),
        ("batch norm", "batch-norm"),
        ("bn with small batch", "batch-norm"),
    ],
)
def test_the_best_hit(text, slug):
    assert FINDER.search(text)[0].slug == slug


@pytest.mark.parametrize("text", ["", "   ", "?!", "of the", "zzzzqqqq", "\x00", "12 345"])
def test_what_says_nothing_finds_nothing(text):
    found = FINDER.search(text)
    assert len(found) == 0
    assert "nothing found" in repr(found)
    assert "nothing found" in found._repr_html_()


def test_a_word_is_found_while_it_is_typed():
    whole = "sliding"
    places = [[e.slug for e in FINDER.search(whole[:k])].index("windows") for k in range(2, 8)]
    assert places[-1] == 0
    assert sorted(places, reverse=True) == places, "each letter more brings it up"


def test_a_word_that_is_complete_does_not_stand_for_longer_ones():
    finder = Finder([entry("a", "row"), entry("b", "rowdy boats")])
    assert [e.slug for e in finder.search("row")] == ["a", "b"]
    assert [e.slug for e in finder.search("row ")] == ["a"]


def test_a_hit_says_by_what_it_was_found():
    assert (
        FINDER.search("mat1 and mat2 shapes cannot be multiplied (8x8)").hits[0].part == "message"
    )
    assert FINDER.search("torch.gather").hits[0].part == "function"
    assert FINDER.search("different index").hits[0].part == "question"
    assert FINDER.search("process killed").hits[0].part == "symptom"


def test_the_number_of_hits_is_limited_and_the_order_stays():
    many = Finder([entry(f"row-{k}", f"row number {k}") for k in range(50)])
    assert [e.slug for e in many.search("row")] == [f"row-{k}" for k in range(10)]
    assert len(many.search("row", limit=3)) == 3


def test_hits_read_well(tmp_path):
    write_samples(tmp_path)
    hits = Finder(read_recipes(tmp_path)).search("different index <from> each row")
    assert repr(hits).startswith(
        " 1. How do I take a different index from each row?\n    Use gather"
    )
    page = hits._repr_html_()
    assert 'href="selecting.ipynb#cell-id=index-per-row"' in page
    assert page.count('scope="row"') == len(hits)
    odd = Finder(read_recipes(tmp_path)).search("sums per group")._repr_html_()
    assert "<em>" not in odd


def test_text_of_an_entry_is_escaped_in_html():
    hits = Finder([entry("a", "is <b> bold?", "<script>")]).search("bold")
    assert "<script>" not in hits._repr_html_()
    assert "&lt;b&gt;" in hits._repr_html_()


def test_no_entries_find_nothing():
    assert len(Finder([]).search("anything at all")) == 0


def test_an_answer_comes_within_the_time_between_two_keys():
    made = [
        entry(
            f"e{k}",
            f"How do I {k}th thing with name_{k % 97} in a batch?",
            "Words. " * 20,
            messages=(f"RuntimeError: {STACK} of kind {k}",),
            body=f"text {k} " * 80,
        )
        for k in range(300)
    ]
    finder, text = Finder(made), f"RuntimeError: {STACK}, and how do I batch name_3 things?"
    spent = []
    for end in range(1, len(text)):
        start = time.process_time()
        finder.search(text[:end])
        spent.append(time.process_time() - start)
    assert sorted(spent)[len(spent) // 2] < 0.2  # 5 ms here; never a matter of a busy machine


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("batches", "batch"),
        ("indices", "indices"),
        ("sizes", "size"),
        ("padded", "padding"),
        ("stopping", "stop"),
        ("entries", "entry"),
        ("losses", "loss"),
        ("workers", "worker"),
        ("sampling", "sampled"),
        ("windows", "window"),
        ("copies", "copied"),
        ("axes", "axis"),
    ],
)
def test_forms_of_a_word_are_one(one, other):
    assert stem(one) == stem(other)


def test_names_are_found_in_pieces():
    assert split_names("torch.take_along_dim") == [
        ["torch"],
        ["take_along_dim", "take", "along", "dim"],
    ]
    assert split_names("IterableDataset LSTMCell conv2d") == [
        ["iterabledataset", "iterable", "dataset"],
        ["lstmcell", "lstm", "cell"],
        ["conv2d", "conv2", "d"],
    ]
    assert joined_words("my data loader") == ["mydata", "dataloader"]


def test_the_recipes_own_questions_and_messages_lead_to_them():
    """To the recipe itself, or to one with the same message; of 100, one may be fourth."""
    entries = read_recipes(RECIPES)
    finder = Finder(entries)
    found = [wanted in list(finder.search(wanted.title, limit=3)) for wanted in entries]
    for message in (message for entry in entries for message in entry.messages):
        near = [one for other in finder.search(message, limit=3) for one in other.messages]
        found.append(neutral(message) in map(neutral, near))
    assert sum(found) >= 0.99 * len(found) > 0
