"""Every notebook as it is stored: complete, in order, light, and the same in form."""

import json
import re

import nbformat
import pytest

from utils.authoring.form import missing
from utils.authoring.link_targets import broken_links
from utils.authoring.recipe_form import FIRST_LINES, LINES
from utils.authoring.store import NOTEBOOKS, WIDGET, normalise, notebooks

PATHS = notebooks()
LESSONS = [path for path in PATHS if path.parent == NOTEBOOKS]
each = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.parent.name + "/" + path.name)
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.name)


def code_cells(path):
    cells = nbformat.read(path, as_version=4).cells
    return [cell for cell in cells if cell.cell_type == "code"]


@each
def test_outputs_are_stored_from_one_run_from_top_to_bottom(path):
    cells = code_cells(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    shown = sum(bool(cell.outputs) for cell in cells)
    assert shown > len(cells) / 2, f"{shown} of {len(cells)} cells have an output"


@each
def test_no_cell_stores_an_error(path):
    for cell in code_cells(path):
        kinds = {output.output_type for output in cell.outputs}
        assert "error" not in kinds, cell.source
        assert "raises-exception" not in cell.metadata.get("tags", []), "catch it, print it"
        assert not any(output.get("name") == "stderr" for output in cell.outputs), cell.outputs


@each
def test_a_cell_that_ends_in_a_value_stores_it(path):
    for cell in code_cells(path):
        last = cell.source.rstrip().splitlines()[-1]
        if re.fullmatch(r"[a-z_]+|check\(.*\)", last):
            assert any(o.output_type == "execute_result" for o in cell.outputs), cell.source


@each
def test_stored_form_is_the_normal_one(path):
    stored = nbformat.read(path, as_version=4)
    nbformat.validate(stored)
    normal = nbformat.from_dict(json.loads(json.dumps(stored)))
    normalise(normal)
    assert normal == stored, "run `make notebooks`"
    assert path.stat().st_size <= 2**20
    assert "widgets" not in stored.metadata
    ids = [cell.id for cell in stored.cells]
    assert len(set(ids)) == len(ids)
    assert not any(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f-]+)?", name) for name in ids), "name it"


@each
def test_pictures_have_alternative_text(path):
    for cell in code_cells(path):
        for output in cell.outputs:
            data = output.get("data", {})
            assert WIDGET not in data, "a reader on the web sees nothing of it"
            assert "image/png" not in data, "its words reach nobody: make it with plots.picture"
            for picture in re.findall("<img[^>]*>", "".join(data.get("text/html", ""))):
                words = re.search('alt="([^"]*)"', picture)
                assert words, picture[:200]
                assert len(words[1]) > 20


@each
def test_cells_are_short_and_only_what_varies_is_exempt(path):
    cells = code_cells(path)
    for cell in cells:
        most = LINES if path.parent.name == "recipes" else 20
        most = FIRST_LINES if cell.id == "first" else most
        lines = [line for line in cell.source.splitlines() if line.strip()]
        assert len(lines) <= most, cell.source
    ignored = [c for c in cells if "nbval-ignore-output" in c.metadata.get("tags", [])]
    assert len(ignored) < len(cells) / 2
    for cell in ignored:
        data = [output.get("data", {"text/plain": output.get("text")}) for output in cell.outputs]
        text = "".join(part["text/plain"] for part in data)
        pictured = any("<img" in part.get("text/html", "") for part in data)
        varies = r"\d (s|ms|us|µs|ns)\b|\d×|CUDA|accelerator"  # times, and what a machine has
        assert pictured or re.search(varies, text), f"what varies?\n{text}"


@each_lesson
def test_nothing_of_the_form_of_a_lesson_is_missing(path):
    assert missing(path) == []


@each_lesson
def test_prose_does_not_call_things_easy_or_carry_measured_numbers(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"\b(simply|just|obviously|easy|easily)\b", cell.source, re.I)
            assert not re.search(r"\d\s*(ms|µs|ns)\b|\d\s*×( as| faster)", cell.source), cell.source


@each_lesson
def test_no_notebook_installs_or_touches_the_path(path):
    for cell in code_cells(path):
        assert "sys.path" not in cell.source
        assert not re.search(r"^\s*[%!]", cell.source, flags=re.MULTILINE)


@each
def test_links_lead_to_files_and_headings_that_exist(path):
    assert broken_links(path) == []
