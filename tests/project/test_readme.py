"""What the README says is so: its code prints what it shows, its commands and files exist."""

import ast
import contextlib
import inspect
import io
import json
import re
from pathlib import Path

import pytest
import yaml

import gmmlib
from book import Book, read_book
from course.numerical import KINDS
from course.questions import bank
from rules.numbers import WORDS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def printed(code: str, names: dict[str, object]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, str(names["__name__"]), "exec"), names)
    return out.getvalue()


@pytest.mark.parametrize("page", ["README.md", "chapters/engine.md"])
def test_every_example_prints_what_is_shown(page: str) -> None:
    """One after the other: a later one may use what an earlier one has made."""
    text = (ROOT / page).read_text(encoding="utf-8")
    examples = EXAMPLE.findall(text)
    assert len(examples) == text.count("```python") >= 1
    names: dict[str, object] = {"__name__": page}
    for code, shown in examples:
        assert printed(code, names) == shown


def test_the_kit_has_as_many_questions_as_it_says() -> None:
    (choices, kinds) = re.findall(r"(\d+) questions\nwith choices and (\d+) kinds", README)[0]
    assert (int(choices), int(kinds)) == (len(bank(read_book())), len(KINDS))


def test_the_library_is_shown_in_five_lines() -> None:
    (code, _), *_ = EXAMPLE.findall(README)
    assert len([line for line in code.splitlines() if line]) <= 5


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_linked_files_exist(page: str) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", (ROOT / page).read_text(encoding="utf-8"))
    missing = [t for t in targets if not t.startswith("https://") and not (ROOT / t).exists()]
    assert not missing


def test_contributing_names_files_that_exist() -> None:
    named = re.findall(r"\b(?:tests|chapters)/\w+\.\w+", CONTRIBUTING)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_picture_is_small() -> None:
    assert (ROOT / "assets/screenshot.png").stat().st_size < 200_000


def modules_named_for_chapters() -> dict[str, set[str]]:
    rows = re.findall(r"^\| \[.*?\]\(chapters/(\w+)\.ipynb\) \| (.*) \|$", README, re.MULTILINE)
    return {name: set(re.findall(r"`(\w+)`", modules)) for name, modules in rows}


def modules_used_everywhere() -> set[str]:
    (sentence,) = re.findall(r"^Every chapter uses (.*?)\.", README, re.MULTILINE)
    return set(re.findall(r"`(\w+)`", sentence))


def test_the_map_has_every_chapter() -> None:
    assert set(modules_named_for_chapters()) == {page.name for page in read_book().chapters}


def test_the_map_has_every_module() -> None:
    """Apart from the ones that no reader is led to."""
    named = modules_used_everywhere().union(*modules_named_for_chapters().values())
    files = {path.stem for path in (ROOT / "gmmlib").glob("*.py")}
    packages = {path.parent.name for path in (ROOT / "gmmlib").glob("*/__init__.py")}
    behind = {
        "__init__",
        "errors",
        "exercises",
        "guards",
        "models",
        "spread",
        "stopping",
        "validation",
    }
    assert named == (files | packages) - behind


def test_chapters_use_the_modules_of_their_row() -> None:
    for chapter, named in modules_named_for_chapters().items():
        source = (ROOT / f"chapters/{chapter}.ipynb").read_text(encoding="utf-8")
        assert named | modules_used_everywhere() <= modules_used(source), chapter


def test_the_map_has_the_chapters_titles() -> None:
    rows = re.findall(r"^\| \[(.*?)\]\((chapters/.*?)\)", README, re.MULTILINE)
    titles = {page.path.as_posix(): page.title for page in read_book().chapters}
    assert {path: title for title, path in rows} == titles


def counted() -> list[tuple[str, str, int]]:
    """(page, the sentence with its number, the number that is counted)."""
    book = read_book()
    classes = {name for page in book.chapters for f in page.figures for name in f.classes.split()}
    stored = json.loads((ROOT / "benchmarks/results/results.json").read_text(encoding="utf-8"))
    peers = {name.removesuffix("_1") for name in stored["peers"] if not name.startswith("gmmlib")}
    runs = inspect.signature(gmmlib.GaussianMixture).parameters["n_init"].default
    numbered = [page for page in book.chapters if page.name[0].isdigit()]
    practice = len(numbered) - 1 - names(book).index("two_products")
    touched = sum(name.startswith("touch-") for name in classes)
    return [
        ("README.md", r"(\w+) figures can be touched", touched),
        ("README.md", r"the time against (\w+) other programs", len(peers)),
        ("README.md", r"\*\*Defaults\*\*: (\w+) short runs of one kind", runs),
        ("README.md", r"of one kind of start and (\w+) of each of two others", runs // 2),
        (
            "index.md",
            r"(\w+) chapters of about half an hour each",
            names(book).index("two_products"),
        ),
        ("index.md", r"An (\w+)th makes it fast", 1 + names(book).index("two_products")),
        ("index.md", r"(\w+) more are for practice", practice),
        ("index.md", r"Chapter (\d+), the worked example", 1 + names(book).index("worked_example")),
    ]


def names(book: Book) -> list[str]:
    return [page.name.partition("_")[2] for page in book.chapters]


def wrong_counts(texts: dict[str, str], table: list[tuple[str, str, int]]) -> list[str]:
    wrong = []
    for page, sentence, count in table:
        said = [w.lower() for w in re.findall(sentence, texts[page].replace("\n", " "))]
        if [int(w) if w.isdigit() else WORDS.get(w) for w in said] != [count]:
            wrong.append(f"{page}: {sentence} says {said}, and there are {count}")
    return wrong


def test_what_the_first_pages_count_is_so() -> None:
    texts = {page: (ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "index.md")}
    table = counted()
    assert wrong_counts(texts, table) == []
    for row in table:  # another number is found, and a sentence that is gone
        assert len(wrong_counts(texts, [(*row[:2], row[2] + 1)])) == 1
        assert len(wrong_counts(dict.fromkeys(texts, ""), [row])) == 1


def modules_used(source: str) -> set[str]:
    """The modules behind each ``from gmmlib… import …`` in the text of a notebook."""
    found = set()
    for line in re.findall(r"from gmmlib[\w.]* import [\w, ]+", source):
        (statement,) = ast.parse(line).body
        assert isinstance(statement, ast.ImportFrom)
        assert statement.module
        found |= set(statement.module.split(".")[1:])
        for name in statement.names:
            origin = getattr(getattr(gmmlib, name.name, None), "__module__", None)
            found.add(origin.split(".")[1] if origin else name.name)
    return found


def test_the_citation_is_that_of_the_reference_managers() -> None:
    cff = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    quote = re.sub(r"\s*\n> ", " ", README)
    author, year = cff["authors"][0]["name"], cff["date-released"][:4]
    said = f"{author} ({year}). *{cff['title']}.* Version {cff['version']}."
    assert said in quote
    assert said in (ROOT / "index.md").read_text(encoding="utf-8")
