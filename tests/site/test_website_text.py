"""The text of the website, on a book of two pages: what it shows, renews, and complains about."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

import markup

TEXT = """# One

A {term}`thing` by {cite:p}`key`.

$$
a = b
$$ (eq-a)

See {eq}`eq-a`.
"""
CHAPTER = {
    "cells": [
        {
            "cell_type": "markdown",
            "id": "a",
            "metadata": {},
            "source": TEXT,
        },
        {
            "cell_type": "code",
            "id": "b",
            "metadata": {},
            "execution_count": 1,
            "source": "from gmmlib import checks\n\nchecks.numerical('eq-a', 4.0, 4.0)",
            "outputs": [
                {
                    "output_type": "stream",
                    "name": "stdout",
                    "text": ["✓ eq-a · numerical · 1 value agrees to 1e-12\n"],
                }
            ],
        },
    ],
    "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}
INDEX = """# The book

There are {ledger-count}`claims` claims & {ledger-count}`checks` checks,
{ledger-count}`executed` executed.

```{ledger}
```

```{glossary}
thing
  A definition with $x^2$ that names a {term}`thing`.
```

```{bibliography}
```
"""
BIB = "@book{key, author = {Ann Author}, title = {The title}, publisher = {P}, year = {2001}}\n"
NOTATION = """letters = [
  {symbol = 'a', means = 'any number', draw = 'real'},
  {symbol = 'b', means = 'the same', value = 'a', where = ['eq-a']},
]
[worlds]
default = {n = [4], K = [2], d = [1], T = [2], R = [2]}
"""
ROOMS = [
    "ledger_page",
    "ledger_worlds",
    "check_lines",
    "hover_texts",
    "touch_figures",
    "project_buttons",
]
EXTENSIONS = ["myst_nb", "sphinx_external_toc", "sphinxcontrib.bibtex"]
EXTENSIONS += [f"website.{room}" for room in ROOMS]


class Project:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.options: dict[str, Any] = {}
        (root / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters: [{file: one}]\n")
        (root / "references.bib").write_text(BIB)
        (root / "index.md").write_text(INDEX)
        (root / "chapters").mkdir()
        (root / "chapters/notation.toml").write_text(NOTATION)
        self.write(CHAPTER)

    def write(self, chapter: dict[str, Any]) -> None:
        (self.root / "one.ipynb").write_text(json.dumps(chapter))

    def build(self) -> str:
        """Build, and return the warnings."""
        warnings = io.StringIO()
        folders = [
            str(self.root),
            None,
            str(self.root / "_build/html"),
            str(self.root / "_build/trees"),
        ]
        options = {
            "extensions": EXTENSIONS,
            "exclude_patterns": ["_build"],
            "html_theme": "sphinx_book_theme",
            "nb_execution_mode": "off",
            "myst_enable_extensions": ["dollarmath"],
            "bibtex_bibfiles": ["references.bib"],
            "mathjax_path": "mathjax.js",
            **self.options,
        }
        with docutils_namespace():
            app = Sphinx(*folders, "html", options, status=None, warning=warnings)
            app.build()
        return re.sub(r"\x1b\[[0-9;]*m", "", warnings.getvalue())

    def html(self, name: str) -> str:
        return (self.root / "_build/html" / name).read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_what_the_pages_show(project: Project) -> None:
    assert project.build() == ""
    index, one = project.html("index.html"), project.html("one.html")
    assert "There are 1 claims &amp; 1 checks,\n1 executed." in index
    assert '<a class="reference internal" href="one.html#equation-eq-a">(1)</a>' in index
    assert r"\[a = b\]" in index
    assert "<p>numerically: 1 value agrees to 1e-12</p>" in index
    line = '✓ <a href="#equation-eq-a">eq-a</a> (1) · numerical · 1 value agrees to 1e-12</span>'
    assert f'<span class="ledger-line">{line}' in one


def test_hover_texts(project: Project) -> None:
    project.build()
    one = project.html("one.html")
    tips = re.findall(
        r'<div class="book-tip" role="tooltip" id="tip-\d">(.*?)</div></div>', one, re.S
    )
    links = re.findall(
        r'<a class="reference internal" href="([^"]*)" aria-describedby="(.*?)"', one
    )
    assert [link[0].split("#")[0] for link in links] == ["index.html", "index.html", ""]
    assert [link[1] for link in links] == ["tip-1", "tip-2", "tip-3"]
    shown = one[one.index('<div class="book-tips">') :]
    assert re.search(r"A definition with .*x\^2.* that names a .*thing", shown)
    assert "The title" in shown
    assert len(re.findall(r"\\\[\s*a = b\s*\\\]", shown)) == 1
    assert tips
    assert not any("<a " in tip or " id=" in tip for tip in tips)
    assert one.count("mathjax.js") == 1
    # an entry must not come twice in the bibliography itself
    assert project.html("index.html").count("The title") == 1


def test_an_error_of_the_ledger_is_a_warning(project: Project) -> None:
    stripped = json.loads(json.dumps(CHAPTER))
    stripped["cells"][1]["outputs"] = []
    project.write(stripped)
    warnings = project.build()
    assert "WARNING: the ledger: one: code cell 1: 1 numerical check(s) of eq-a" in warnings
    assert "WARNING: the ledger: one: eq-a is a claim, and no check" in warnings


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (TEXT.replace("a = b", "a = 2b"), "eq-a does not hold for n = "),
        (TEXT.replace("a = b", "a = q"), "eq-a is not read: q is not in the notation"),
        (TEXT + "\n$$\na = a\n$$ (def-a)\n", "def-a is run by no claim"),
    ],
)
def test_what_does_not_run_is_a_warning(project: Project, text: str, warning: str) -> None:
    chapter = json.loads(json.dumps(CHAPTER))
    chapter["cells"][0]["source"] = text
    project.write(chapter)
    assert f"WARNING: the ledger: {warning}" in project.build()


def test_what_ran_stands_on_the_page(project: Project) -> None:
    project.build()
    index = project.html("index.html")
    assert re.search(r"<p>run from its display: held in 5 worlds: n, K, d = \d,\xa0\d", index)
    assert re.search(r"Declared beside it: <span[^>]*>\\\(b\\\)</span>: the same", index)
    number = re.search(r"World 1 of 5: n = .*?<dd>([−0-9.]+)</dd>", index)
    assert number
    worlds = project.html("ledger-worlds.js")
    assert worlds.startswith('window.BOOK_WORLDS = {"eq-a":[["n = ')
    assert number[1] in worlds
    assert worlds.count("n = ") == 5


def test_a_changed_chapter_renews_the_ledger(project: Project) -> None:
    project.build()
    changed = json.loads(json.dumps(CHAPTER).replace("1 value agrees", "2 values agree"))
    project.write(changed)
    assert project.build() == ""
    assert "<p>numerically: 2 values agree to 1e-12</p>" in project.html("index.html")


def test_an_equation_that_only_one_road_sees_is_a_warning(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = markup.displayed_equations
    monkeypatch.setattr(markup, "displayed_equations", lambda text: [])
    warnings = project.build()
    assert "the ledger: equation eq-a is not in the ledger" in warnings
    project.write(CHAPTER)  # or there is nothing to do
    extra = [("def-extra", "x")]
    monkeypatch.setattr(
        markup,
        "displayed_equations",
        lambda text: read(text) + (extra if text.startswith("# The book") else []),
    )
    assert "the ledger: equation def-extra is in the ledger, not on a page" in project.build()


def test_an_unknown_count_is_a_warning(project: Project) -> None:
    (project.root / "index.md").write_text(INDEX.replace("`claims`", "`truths`"))
    assert "ledger-count has no 'truths'; it has equations, definitions" in project.build()


def test_buttons_appear_with_the_address_only(project: Project) -> None:
    service = {"binderhub_url": "https://service.invalid", "notebook_interface": "jupyterlab"}
    project.options["html_theme_options"] = {"repository_url": "", "launch_buttons": service}
    project.build()
    assert "service.invalid" not in project.html("one.html")
    assert "repository-button" not in project.html("one.html")

    options = {"repository_url": "https://github.com/a/b", "launch_buttons": service}
    project.options["html_theme_options"] = options
    project.build()
    assert "service.invalid" in project.html("one.html")
    assert "https://github.com/a/b" in project.html("one.html")


TOUCH = """

```{image} dot.svg
:alt: A dot.
:class: touch touch-one-thing
```
"""


def test_a_page_loads_the_scripts_of_its_figures_only(project: Project) -> None:
    (project.root / "dot.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (project.root / "assets" / "figures").mkdir(parents=True)
    (project.root / "assets" / "figures" / "one-thing.js").touch()
    (project.root / "index.md").write_text(INDEX + TOUCH)
    assert project.build() == ""
    index, one = project.html("index.html"), project.html("one.html")
    scripts = re.findall(r'<script src="_static/(figures/[a-z/-]*)\.js', index)
    shared = ["figures/kit/em", "figures/data/data-sets", "figures/kit/touch"]
    assert scripts == [*shared, "figures/one-thing"]
    assert "_static/figures/kit/touch.css" in index
    assert re.search(r'<img [^>]*touch-one-thing[^>]*>\s*<p class="touch-note">A still', index)
    assert not re.search("touch|figures/", one)


def test_a_figure_for_own_points_loads_the_kit_for_them(project: Project) -> None:
    (project.root / "dot.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (project.root / "assets" / "figures").mkdir(parents=True)
    (project.root / "assets" / "figures" / "one-thing.js").write_text("ownData.panel();")
    (project.root / "index.md").write_text(INDEX + TOUCH)
    assert project.build() == ""
    scripts = re.findall(r'<script src="_static/figures/([a-z/-]*)\.js', project.html("index.html"))
    assert scripts[-3:] == ["kit/touch", "kit/own-data", "one-thing"]


def test_a_figure_without_its_script_is_a_warning(project: Project) -> None:
    (project.root / "dot.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (project.root / "index.md").write_text(INDEX + TOUCH)
    missing = "there is no assets/figures/one-thing.js for the class touch-one-thing"
    assert missing in project.build()
    assert "touch.js" not in project.html("index.html")
