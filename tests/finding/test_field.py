"""The search field without a browser, and the tables that stand below it."""

import json
import re

import pytest

from tests.finding.samples import STACK, write_samples
from utils.finding.field import search_field
from utils.finding.listing import choice_table, question_table, symptom_table
from utils.finding.ranking import Finder
from utils.finding.reading import read_recipes


@pytest.fixture
def entries(tmp_path):
    write_samples(tmp_path)
    return read_recipes(tmp_path)


def test_what_is_typed_is_answered(entries):
    field = search_field(Finder(entries))
    field.text = "different index"
    assert field.answer["text"] == "different index"
    first = field.answer["hits"][0]
    assert first["link"] == "selecting.ipynb#cell-id=index-per-row"
    assert first["part"] == "question"
    json.dumps(field.answer)
    field.text = STACK.replace("[2]", "[7]")
    assert field.answer["hits"][0]["part"].startswith("message: RuntimeError: stack expects")
    field.text = ""
    assert field.answer["hits"] == []


def test_without_a_kernel_a_sentence_stands_there(entries):
    data, _ = search_field(Finder(entries))._repr_mimebundle_()
    assert data["text/plain"] == "a search field over 17 entries"
    assert data["text/html"].startswith("<p>A search field stands here")
    assert "application/vnd.jupyter.widget-view+json" in data


def rows(listing):
    """The cells of all rows of tables, without tags."""
    found = re.findall(r"<tr>(.*?)</tr>", listing.html, flags=re.S)
    return [
        [re.sub("<[^>]+>", "|", c).strip("|") for c in re.findall("<t[hd].*?</t[hd]>", row)]
        for row in found
    ]


def test_all_questions_are_listed_by_subject(entries):
    listing = question_table(entries)
    assert repr(listing) == "17 questions in 2 subjects"
    assert re.findall("<strong>(.*?)</strong>", listing.html) == [
        "Odd headings",
        "Selecting per sample",
    ]
    assert [
        "How do I take a different index from each row?",
        "Use gather with an index of the same number of dimensions.",
    ] in rows(listing)
    assert 'href="selecting.ipynb#cell-id=index-per-row"' in listing.html
    assert "50 % more: is a/b#c &lt;fine&gt;" in listing.html
    heads = re.findall("<th(?!ead)[^>]*>", listing.html)
    assert all("scope=" in head for head in heads), "a screen reader says which head a cell has"


def test_messages_are_listed_once_with_all_their_recipes(entries):
    listing = symptom_table(entries)
    assert repr(listing) == "1 messages and 1 other symptoms"
    assert re.findall("<strong>(.*?)</strong>", listing.html) == ["RuntimeError", "No message"]
    assert (
        listing.html.count("stack expects each tensor to be equal size") == 3
    )  # and a title, twice
    (message,) = [row for row in rows(listing) if row[0].startswith("stack expects")]
    assert message[1].startswith("RuntimeError: stack expects"), "whose title it is comes first"
    assert message[1].count("How do I") >= 14
    assert ["the loader stops at a certain batch", message[1].split("|")[0]] in rows(listing)


def test_what_to_use_is_listed_with_links(entries):
    listing = choice_table(
        entries, ("your data", "use"), [("rows", "gather", "index-per-row", "sizes-differ")]
    )
    assert rows(listing)[0] == ["your data", "use", "recipe"]
    assert rows(listing)[1][:2] == ["rows", "gather"]
    assert listing.html.count("<a href=") == 2
    with pytest.raises(KeyError, match="no recipe is called nothing"):
        choice_table(entries, ("your data", "use"), [("rows", "gather", "nothing")])
