"""The page of the notation, made from its table: on a book of two chapters."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from website.notation_rows import Row, rows_of

TOML = r"""
letters = [
  {symbol = '\mu_j', means = 'a {term}`mean`, $\mu$', code = 'means, rows', shape = '(K, d)'},
  {symbol = ['i', 'j'], means = 'counts', index = 'K'},
  {symbol = 'K', means = 'how many', size = true, code = 'len(means)'},
  {symbol = 'm', means = 'a middle', where = [1, 2], defined = 'def-m'},
  {symbol = 'M', means = 'a middle', where = [2], axes = ['K', 'd']},
  {symbol = 's', means = 'a sum', where = ['def-m', 'eq-a'], value = 'i+j'},
  {symbol = 's', means = 'a sum', where = [1], value = 'i+j'},
  {symbol = 's', means = 'gone', where = ['eq-nowhere']},
]
"""
CHAPTERS = {
    "01_one": "# 1 One\n\n$$\nm=i\n$$ (def-m)\n",
    "02_two": "# 2 Two\n\n$$\ns=m\n$$ (eq-a)\n\n$$\nx\\heartsuit\n$$ (eq-b)\n",
}
NOTATION = """# Notation

```{notation}
```

## Letters of one chapter

```{notation} chapters
```

```{glossary}
mean
  A mean.
```
"""
PATHS = {"chapters/01_one": "1", "chapters/02_two": "2"}
LABELS = {"def-m": "1", "eq-a": "2", "eq-b": "2"}


def notebook(text: str) -> str:
    cell = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": text}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4}
    return json.dumps(content | {"nbformat_minor": 5})


def build(root: Path, toml: str | None = TOML) -> str:
    """The site of the two chapters; its warnings."""
    (root / "chapters").mkdir(parents=True)
    files = "".join(f", {{file: {path}}}" for path in PATHS)
    toc = f"format: jb-book\nroot: index\nchapters: [{{file: chapters/notation}}{files}]\n"
    (root / "_toc.yml").write_text(toc)
    (root / "index.md").write_text("# The book\n")
    (root / "chapters/notation.md").write_text(NOTATION if toml else "# Notation\n")
    if toml:
        (root / "chapters/notation.toml").write_text(toml)
    for name, text in CHAPTERS.items():
        (root / f"chapters/{name}.ipynb").write_text(notebook(text))
    options: dict[str, Any] = {
        "extensions": [
            "myst_nb",
            "sphinx_external_toc",
            *(f"website.{room}" for room in ("notation_page", "symbols", "typeset")),
        ],
        "html_theme": "sphinx_book_theme",
        "nb_execution_mode": "off",
        "myst_enable_extensions": ["dollarmath"],
        "html_static_path": [],
    }
    warnings = io.StringIO()
    folders = [str(root), None, str(root / "out"), str(root / "trees")]
    with docutils_namespace():
        app = Sphinx(*folders, "html", options, status=None, warning=warnings)
        app.build()
    return re.sub(r"\x1b\[[0-9;]*m", "", warnings.getvalue())


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("book")
    assert build(root) == ""
    return root / "out/chapters"


def rows_in(page: Path) -> dict[str, str]:
    """anchor -> the words of the row."""
    found = re.findall(
        r'<tr[^>]* id="([^"]+)">(.*?)</tr>', page.read_text(encoding="utf-8"), re.DOTALL
    )
    text = {anchor: re.sub(r"<mjx-math.*?</mjx-math>|<[^>]+>", " ", row) for anchor, row in found}
    return {anchor: " ".join(row.split()) for anchor, row in text.items()}


def test_the_table_is_made(book: Path) -> None:
    rows = rows_in(book / "notation.html")
    assert rows["letter-mu-j"].endswith("means , rows (K, d) a mean , μ")
    assert rows["letter-K"] == "K len(means) how many"
    assert "letter-i" in rows
    page = (book / "notation.html").read_text(encoding="utf-8")
    assert 'href="#term-mean"' in page
    assert page.count("<p>shape</p>") == 2  # the whole book's, and chapter 2's


def test_each_chapter_has_its_letters(book: Path) -> None:
    rows = rows_in(book / "notation.html")
    ours = {anchor for anchor in rows if re.match(r"letter-\d", anchor)}
    assert ours == {"letter-1-m", "letter-1-s", "letter-2-m", "letter-2-M", "letter-2-s"}
    assert rows["letter-1-m"] == "m a middle (1)"
    assert rows["letter-1-s"] == "s a sum: s = i + j"
    assert "gone" not in " ".join(rows.values())
    page = (book / "notation.html").read_text(encoding="utf-8")
    first, second = (page.index(f'id="letters-of-{name}"') for name in ("one", "two"))
    assert first < page.index("letter-1-m") < second < page.index("letter-2-m")


def test_the_chapters_lead_there(book: Path) -> None:
    rows = rows_in(book / "notation.html")
    for name, label in (("01_one", "def-m"), ("02_two", "eq-a")):
        page = (book / f"{name}.html").read_text(encoding="utf-8")
        wanted = set(re.findall(r'href="notation\.html#([^"]+)"', page))
        assert wanted
        assert wanted <= set(rows)
        assert f'"{label}":[' in page
        assert "eq-b" not in page.partition('id="symbol-values"')[2].partition("</script>")[0]
    assert "letter-2-s" in wanted
    assert 'href="01_one.html#equation-def-m">defined in (1)</a>' in page


def test_a_book_without_a_notation_has_no_symbols(tmp_path: Path) -> None:
    assert build(tmp_path, toml=None) == ""
    page = (tmp_path / "out/chapters/01_one.html").read_text(encoding="utf-8")
    assert "<mjx-container" in page
    assert "symbol" not in page.partition("<article")[2].partition("</article")[0]


def test_an_equation_that_is_nowhere_is_a_warning(tmp_path: Path) -> None:
    warnings = build(tmp_path, TOML.replace("defined = 'def-m'", "defined = 'def-n'"))
    assert "def-n" in warnings


@pytest.mark.parametrize(
    ("symbols", "anchors"),
    [
        (["x", "X", "x^+", "x'"], ["letter-x", "letter-X", "letter-x-plus", "letter-x-prime"]),
        ([r"\hat\ell_{\text{one}}", "x", "x"], ["letter-hat-ell-one", "letter-x", "letter-x-2"]),
    ],
)
def test_every_row_has_an_anchor_of_its_own(symbols: list[str], anchors: list[str]) -> None:
    rows = [{"symbol": symbol, "means": str(k)} for k, symbol in enumerate(symbols)]
    assert [row.anchor for row in rows_of(rows, LABELS)] == anchors


def test_what_says_the_same_is_one_row() -> None:
    letters = [
        {"symbol": "s", "means": "a sum", "where": ["def-m"]},
        {"symbol": "s", "means": "a sum", "where": [1, "eq-a"]},
        {"symbol": "s", "means": "another", "where": [1]},
    ]
    rows = rows_of(letters, LABELS)
    found = [(row.chapter, row.means, row.numbers) for row in rows]
    assert found == [("1", "a sum", [0, 1]), ("2", "a sum", [1]), ("1", "another", [2])]


@pytest.mark.parametrize(
    ("spec", "shape", "formula"),
    [
        ({"shape": "a number", "axes": ["K", "d"]}, "a number", ""),
        ({"axes": ["K", "d"], "value": "a+b"}, "(K, d)", "s=a+b"),
        ({"axes": ["K"]}, "(K,)", ""),
        ({"value": "1"}, "", ""),
    ],
)
def test_shape_and_formula(spec: dict[str, Any], shape: str, formula: str) -> None:
    row = Row(["s"], {"means": "is $1$", **spec}, "")
    assert (row.shape, row.formula) == (shape, formula)
