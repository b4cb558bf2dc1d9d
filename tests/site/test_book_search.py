"""The search finds places: sections, equations, figures, terms; and offers the nearest words."""

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Page

import ledger
import site_checks
from site_checks import NARROW, Watch, axe_problems, open_page, overflow_problems
from website.search_index import plain_math

ROOT = Path(__file__).parents[2]
GROUPS = yaml.safe_load((ROOT / "chapters" / "search_words.yml").read_text(encoding="utf-8"))


def read_index(site: Path) -> dict[str, Any]:
    text = (site / "search-index.js").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text.removeprefix("window.BOOK_SEARCH = ").rstrip(";\n"))
    return found


def index_problems(index: dict[str, Any], site: Path, labels: list[str]) -> list[str]:
    """Every place is there, every equation of the ledger has one, and no code or LaTeX is in it."""
    found = []
    pages: dict[str, str] = {}
    for page, anchor, kind, title, text, also, _number, label in index["entries"]:
        name = index["pages"][page][0]
        if name not in pages:
            pages[name] = (site / name).read_text(encoding="utf-8")
        if anchor and f'id="{anchor}"' not in pages[name]:
            found.append(f"{name} has no {anchor}")
        if not title:
            found.append(f"a {kind} of {name} has no title")
        for words in (title, text, also):
            if re.search(r"\\[a-zA-Z]|\$|\bdef \w+\(|import numpy|\bprint\(f?\"", words):
                found.append(f"code or LaTeX in {title}: {words[:60]}")
        if kind == "equation" and label not in labels:
            found.append(f"{label} is not in the ledger")
    known = {entry[7] for entry in index["entries"] if entry[2] == "equation"}
    found += [f"{label} is not in the index" for label in labels if label not in known]
    return found


def test_the_index(site: Path) -> None:
    index = read_index(site)
    labels = [equation.label for equation in ledger.read_ledger().equations]
    assert index_problems(index, site, labels) == []
    kinds = {entry[2] for entry in index["entries"]}
    every = {"page", "section", "exercise", "equation", "figure", "term", "reference"}
    assert kinds == every
    compressed = gzip.compress((site / "search-index.js").read_bytes())
    assert len(compressed) < 250_000  # it is loaded by the first search, and a host sends it packed


FAULTS = {
    "an anchor that is not there": ([0, "nowhere", "section", "A", "", "", "", ""], "has no now"),
    "raw LaTeX": ([0, "", "section", "A", r"\frac12", "", "", ""], "LaTeX"),
    "code": ([0, "", "section", "A", "import numpy as np", "", "", ""], "code"),
    "an unknown equation": ([0, "", "equation", "A", "", "", "1", "eq-x"], "not in the ledger"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_index_is_found(site: Path, fault: str) -> None:
    entry, words = FAULTS[fault]
    index = read_index(site)
    labels = [e[7] for e in index["entries"] if e[2] == "equation"]
    index["entries"].append(entry)
    problems = index_problems(index, site, labels)
    assert len(problems) == 1
    assert words in problems[0]
    assert "is not in the index" in index_problems(read_index(site), site, [*labels, "eq-y"])[0]


@pytest.mark.parametrize(
    ("latex", "words"),
    [(r"\beta_{ij}", "β_ij"), ("K", "K"), (r"\mathcal L(q,\theta)", "L(q,θ)"), (r"\frac12", "…")],
)
def test_short_formulas_are_words(latex: str, words: str) -> None:
    assert plain_math(latex) == words


def results(page: Page, address: str, query: str) -> list[tuple[str, str]]:
    """Title and address of each place, in the order of the page."""
    page.goto(f"{address}search.html?q={query}")
    page.wait_for_function("document.getElementById('search-status').textContent !== ''")
    return page.locator("#search-results li > a").evaluate_all(
        """all => all.map((a) => [a.querySelector(".search-title").textContent,
            a.getAttribute("href")])"""
    )


# What is looked for, and a place that is among the first three.
CASES = {
    "responsibility": "glossary.html#term-responsibility",
    "responsibilities": "glossary.html#term-responsibility",
    "respons": "glossary.html#term-responsibility",
    "lower bound": "glossary.html#term-lower-bound",
    "ELBO": "glossary.html#term-lower-bound",
    "kmeans": "glossary.html#term-k-means",
    "K-MEANS": "glossary.html#term-k-means",
    "cholesky factor": "glossary.html#term-Cholesky-factor",
    "eq-relabelling": "#equation-eq-relabelling",
    "label switching": "05_why_not_just_maximise.html#",
    "initialization": "10_whole_algorithm.html#where-to-start",
    "initialisation": "10_whole_algorithm.html#where-to-start",
    "Dempster": "bibliography.html#",
}


def test_what_is_looked_for_is_among_the_first(address: str, page: Page) -> None:
    wrong = []
    for query, place in CASES.items():
        found = results(page, address, query)
        if not any(place in href for _, href in found[:3]):
            wrong.append(f"{query}: {found[:3]}")
    assert not wrong, "\n".join(wrong)


def test_a_number_leads_to_its_equation(site: Path, address: str, page: Page) -> None:
    for number, label in [(e[6], e[7]) for e in read_index(site)["entries"] if e[2] == "equation"][
        ::60
    ]:
        for query in (number, f"({number})", f"equation {number}"):
            found = results(page, address, query)
            assert found[0][0] == f"Equation ({number})", query
        page.locator("#search-results li > a").first.click()
        page.wait_for_url(f"**#equation-{label}")
        printed = page.locator(f'[id="equation-{label}"] .eqno').first.inner_text()
        assert printed.startswith(f"({number})")


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("responsibilty", "responsibility"),
        ("lable switching", "label switching"),
        ("likelyhood", "likelihood"),
        ("mixtrue", "mixture"),
        ("covarianse matrix", "covariance matrix"),
    ],
)
def test_a_slip_of_the_pen_is_answered(address: str, page: Page, query: str, meant: str) -> None:
    assert results(page, address, query) == []
    status = page.get_by_role("status")
    assert "nearest words" in status.inner_text()
    offered = status.locator("a").all_inner_texts()
    assert meant in offered[:2], offered
    again = results(page, address, query)
    assert (again, status.locator("a").all_inner_texts()) == ([], offered)
    status.get_by_role("link", name=meant, exact=True).click()
    page.locator("#search-results li > a").first.wait_for(timeout=5000)


def test_nothing_is_near(address: str, page: Page) -> None:
    results(page, address, "xylophone")
    assert page.get_by_role("status").locator("a").count() == 0


COUNT = """
const { build, search } = require(process.argv[1]);
const { index, queries } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const book = build(index);
console.log(JSON.stringify(queries.filter((query) => !search(book, query).found.length)));
"""


def test_every_group_of_words_finds_something(site: Path) -> None:
    """Each word of a group finds a place, and the first of them is worth its line."""
    queries = [*(words for group in GROUPS for words in group), "xylophone"]
    done = subprocess.run(
        ["node", "-e", COUNT, str(ROOT / "assets" / "pages" / "search.js")],
        input=json.dumps({"index": read_index(site), "queries": queries}),
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout) == ["xylophone"]


def test_by_keyboard_on_a_phone_in_the_dark(address: str, page: Page) -> None:
    watch = Watch(page, address)
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="dark")
    open_page(watch, "search.html")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("likelihood")
    page.keyboard.press("Enter")
    page.locator("#search-results li a").first.wait_for(timeout=5000)
    assert overflow_problems(page) + axe_problems(page) == []
    more = page.locator("#search-more")
    more.focus()
    page.keyboard.press("Enter")
    focused = page.evaluate("document.activeElement.closest('li') !== null")
    assert focused
    assert page.locator("#search-results mark").count() > 0
    assert not watch.problems


def test_as_files_and_below_a_path(site: Path, page: Page) -> None:
    for address in (f"{site.resolve().as_uri()}/",):
        assert results(page, address, "responsibility")
        assert page.locator("#search-results li p").first.is_visible()
        assert "nearest" not in page.get_by_role("status").inner_text()
    with site_checks.serve(site, "/some/where/") as address:
        assert results(page, address, "responsibility")


def test_a_search_without_its_index_is_found(site: Path, tmp_path: Path, page: Page) -> None:
    copy = tmp_path / "html"
    shutil.copytree(site, copy, ignore=shutil.ignore_patterns("_images", "_sources", "mathjax"))
    (copy / "search-index.js").write_text(
        "window.BOOK_SEARCH = {pages: [], entries: [], words: []}"
    )
    with site_checks.serve(copy) as address:
        assert results(page, address, "responsibility") == []
