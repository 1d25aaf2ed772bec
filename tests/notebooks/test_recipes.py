"""The recipes: their form, that each runs with the first cell alone, and where links lead."""

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel

from tests.finding.samples import notebook, recipe, selecting, write_samples
from utils.authoring.link_targets import broken_links
from utils.authoring.recipe_form import lacking
from utils.authoring.store import NOTEBOOKS
from utils.finding.reading import INDEX, read_recipes

FOLDER = NOTEBOOKS / "recipes"
RECIPES = sorted(path for path in FOLDER.glob("*.ipynb") if path.name != INDEX)
each = pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)


@each
def test_nothing_of_the_form_of_recipes_is_missing(path):
    assert lacking(path) == []


def test_every_recipe_has_a_name_and_a_question_of_its_own():
    entries = read_recipes(FOLDER)
    slugs = [entry.slug for entry in entries]
    assert sorted(set(slugs)) == sorted(slugs)
    titles = [(entry.notebook, entry.title) for entry in entries]
    assert sorted(set(titles)) == sorted(titles)


def alone(path):
    """Run each recipe of a notebook with only the first cell before it: what failed, by cell.

    All in one kernel, which forgets its names before each recipe.
    """
    code = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    first, failed = code[0].source, []
    answers = [cell.id.removesuffix("-answer") for cell in code if cell.id.endswith("-answer")]
    manager, client = start_new_kernel(cwd=str(path.parent))
    try:
        for slug in answers:
            own = [cell for cell in code if cell.id in (f"{slug}-answer", f"{slug}-trap-shown")]
            sources = [("first", f"%reset -f\n{first}"), *((cell.id, cell.source) for cell in own)]
            for name, source in sources:
                told = client.execute_interactive(
                    source, timeout=120, output_hook=lambda message: None, allow_stdin=False
                )["content"]
                if told["status"] != "ok":
                    failed.append(f"{slug}, {name}: {told['ename']}: {told['evalue']}")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return failed


@pytest.mark.thorough  # in `make test`, nbval runs them from top to bottom
@each
def test_each_recipe_runs_with_only_the_first_cell_before_it(path):
    assert alone(path) == []


def test_a_recipe_that_needs_another_one_is_found(tmp_path):
    made = notebook(
        "alone",
        recipe("makes-it", "How do I make it?", "With a name that the next one uses.", "made = 1"),
        recipe("needs-it", "How do I use it?", "With a name of the recipe before.", "print(made)"),
        recipe("own-answer", "What may a trap use?", "What its own answer defined.", "own = 1"),
    )
    made.cells[-2].source = "print(own)"
    nbformat.write(made, tmp_path / "alone.ipynb")
    assert alone(tmp_path / "alone.ipynb") == [
        "needs-it, needs-it-answer: NameError: name 'made' is not defined"
    ]


def by_id(made, name):
    (found,) = [cell for cell in made.cells if cell.id == name]
    return found


def change(name, **changes):
    """A way to break a notebook: set attributes of one cell."""

    def break_it(made):
        for key, value in changes.items():
            setattr(by_id(made, name), key, value)

    return break_it


def drop(name):
    return lambda made: made.cells.remove(by_id(made, name))


def printing(text):
    def break_it(made):
        by_id(made, "index-per-row-answer").outputs[0].text = text

    return break_it


ANSWER = "index-per-row-answer"
HEADING = "## How do I take one of each row?\n\n"
LONG = "It takes one value for each entry of the index, and the index has as many dimensions. "
BROKEN = {
    "no title": (drop("title"), "the title '# Recipes: …' in the first cell"),
    "no link to the index": (change("title", source="# Recipes: a"), "a link to the index"),
    "no first cell": (drop("first"), "a cell of code with the id 'first'"),
    "no answer": (change("index-per-row", source=HEADING), "an answer of 12 to 130 words"),
    "an endless answer": (change("index-per-row", source=HEADING + LONG * 10), "12 to 130 words"),
    "two headings": (
        change("index-per-row", source=HEADING + LONG + "\n\n### And?"),
        "one heading",
    ),
    "names in bold": (
        change("index-per-row", source=f"## What is __len__ for?\n\n{LONG}"),
        "code marks around __names__",
    ),
    "a link as heading": (
        change("index-per-row", source=f"## What is [it](https://a.b)?\n\n{LONG}"),
        "a heading without links",
    ),
    "no code": (drop(ANSWER), "the cells index-per-row-answer, -trap, -trap-shown and -more"),
    "no trap": (drop("index-per-row-trap"), "in order: index-per-row-answer"),
    "no more": (drop("index-per-row-more"), "in order: index-per-row-answer"),
    "another word": (
        change("index-per-row-trap", source="**Careful.** Rows."),
        "**What goes wrong.**",
    ),
    "no limits": (change("index-per-row-more", source="**More:** [a](https://b.c)"), "**Limits.**"),
    "no links": (change("index-per-row-more", source="**Limits.** **More:** none"), "a link after"),
    "a stray cell": (change("index-per-row-more", id="other"), "other belongs to no recipe"),
    "a bad name": (change("index-per-row", id="Index_row"), "belongs to no recipe"),
    "True alone": (printing("True\n"), "and not True alone"),
    "nothing printed": (printing(""), "and not True alone"),
    "an address": (printing("<object at 0x7f12ab34cd56>"), "an address in its output"),
    "a path": (printing("open('/tmp/abc/x.npy')"), "a path of this machine"),
    "another path": (printing("/usr/lib/python3/site-packages/a.py"), "a path of this machine"),
    "a process": (printing("DataLoader worker (pid 4711) is killed"), "the number of a process"),
    "a long first cell": (change("first", source="a = 1\n" * 66), "first: at most 65 lines"),
    "a long cell": (change(ANSWER, source="a = 1\n" * 26), "at most 25 lines: it has 26"),
    "a shell command": (change(ANSWER, source="!ls\nprint(1)"), "plain Python"),
    "a magic": (change(ANSWER, source="%time 3"), "plain Python"),
    "an assertion on a clock": (
        change(ANSWER, source="import time\nt = time.perf_counter()\nd = t - 1\nassert d < 9"),
        "no assertion on a clock",
    ),
    "a clock compared in the assertion": (
        change(ANSWER, source="import time\nassert time.monotonic() > 0"),
        "no assertion on a clock",
    ),
    "a difficult word": (
        change("index-per-row-trap", source="**What goes wrong.** Just rows."),
        "'Just'",
    ),
}


@pytest.mark.parametrize(("break_it", "words"), BROKEN.values(), ids=BROKEN)
def test_each_rule_of_the_form_says_what_is_missing(tmp_path, break_it, words):
    made = selecting()
    break_it(made)
    nbformat.write(made, tmp_path / "broken.ipynb")
    told = lacking(tmp_path / "broken.ipynb")
    assert any(words in line for line in told), told


def test_a_well_formed_notebook_lacks_nothing(tmp_path):
    for path in write_samples(tmp_path):
        assert lacking(path) == []
    made = selecting()
    by_id(made, ANSWER).source = "import time\nt = time.perf_counter()\nassert 1 < 2\nprint(t > 0)"
    made.cells.remove(by_id(made, "index-per-row-trap-shown"))
    nbformat.write(made, path)
    assert lacking(path) == [], "a clock may be read, and a trap need not be shown twice"


@pytest.mark.parametrize(
    ("target", "broken"),
    [
        ("selecting.ipynb", False),
        ("selecting.ipynb#How-do-I-take-a-different-index-from-each-row?", False),
        ("selecting.ipynb#How-do-I-take-a-different-index-from-each-row%3F", True),
        ("selecting.ipynb#cell-id=index-per-row", False),
        ("odd.ipynb#How-do-I-use-scatter_add_-for-sums-per-group?", False),
        ("odd.ipynb#x[i]-or-x[:,-i]-(per-row):-which-%22one%22-&-why?", True),
        ("#How-do-I-take-a-different-index-from-each-row?", False),
        ("https://docs.pytorch.org/docs/stable/generated/torch.gather.html#nowhere", False),
        ("missing.ipynb", True),
        ("selecting.ipynb#How-do-I-take-a-different-index", True),
        ("selecting.ipynb#cell-id=nothing", True),
        ("#nowhere", True),
        ("../selecting.ipynb", True),
    ],
)
def test_a_link_is_followed_to_its_heading(tmp_path, target, broken):
    path, _ = write_samples(tmp_path)
    made = selecting()
    made.cells[0].source += f" [there]({target}), and `torch.stack(x)[0](y)` is none."
    nbformat.write(made, path)
    (tmp_path / INDEX).write_text((FOLDER / INDEX).read_text("utf-8"), encoding="utf-8")
    assert broken_links(path) == ([f"title: {target}"] if broken else [])
