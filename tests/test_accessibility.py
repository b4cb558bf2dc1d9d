"""Every page against axe-core, at WCAG 2.2 AA, and the live page against the rules of HTML.

In a file of its own, because the files are shared out among the processes that run the tests.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Page

import ledger
from html_rules import html_problems
from site_checks import NARROW, Watch, accessibility_problems, axe_problems, open_page, serve
from test_site import CHAPTER, pages_of

PAGES = ["index.html", "search.html", "404.html"] + [
    path.relative_to(ledger.ROOT).with_suffix(".html").as_posix()
    for path in ledger.page_paths()
    if path.stem != "index"
]


def test_these_are_all_pages(site: Path) -> None:
    assert sorted(PAGES) == pages_of(site)


@pytest.mark.parametrize("name", PAGES)
def test_every_page(address: str, page: Page, name: str) -> None:
    problems = accessibility_problems(Watch(page, address), name)
    # MathJax writes an attribute that its scripts no longer need
    live = page.content().replace(' charset="UTF-8"', "")
    problems += [f"{name}, live: {problem}" for problem in html_problems(live)]
    assert not problems, "\n".join(problems)


def test_what_opens(address: str, page: Page) -> None:
    """The search, the sidebars of a phone, a menu."""
    watch = Watch(page, address)
    open_page(watch, CHAPTER)
    page.locator(".dropdown-download-buttons > button").click()
    page.locator(".dropdown-menu a", has_text=".ipynb").wait_for(state="visible")
    assert axe_problems(page) == []
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog input").wait_for(state="visible")
    assert axe_problems(page) == []

    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    for side in ("primary", "secondary"):
        open_page(watch, CHAPTER)
        page.locator(f".{side}-toggle").first.click()
        page.locator(f"#pst-{side}-sidebar-modal a").first.wait_for(state="visible")
        page.wait_for_timeout(500)
        assert axe_problems(page) == []
    assert not watch.problems


FAULTS = {
    "no alt text": ('<img src="data:,">', "axe image-alt"),
    "faint text": ('<p style="color: #8a8a8a">faint</p>', "light, 1280: axe color-contrast"),
    "faint text in the dark": (
        '<p style="color: light-dark(#222, #555)">faint</p>',
        "dark, 390: axe color-contrast",
    ),
    "a button without a name": ("<button><svg></svg></button>", "axe button-name"),
    "a field without a label": ('<input type="text">', "axe label"),
    "a link that only colour shows": (
        '<p>A sentence with <a href="#top" style="color: #2a5; text-decoration: none">one</a>.</p>',
        "axe link-in-text-block",
    ),
    "a role that is none": ('<div role="knob">x</div>', "axe aria-roles"),
    "what scrolls without keyboard": (
        '<pre style="width: 300px; overflow: auto">' + "wide " * 200 + "</pre>",
        "axe scrollable-region-focusable",
    ),
    "targets too small and close": (
        '<div><button style="all: unset; width: 9px; height: 9px">a</button>'
        '<button style="all: unset; width: 9px; height: 9px">b</button></div>',
        "axe target-size",
    ),
    "faint on a phone": (
        "<style>@media (max-width: 500px) { #top { color: #ccc } }</style>",
        "light, 390: axe color-contrast",
    ),
}
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>A page</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<style>:root {{ color-scheme: light dark }}
  body {{ background: white; color: #222 }}
  @media (prefers-color-scheme: dark) {{ body {{ background: #111; color: #ddd }} }}</style></head>
<body><main><h1 id="top">A page</h1>{fault}</main></body></html>
"""


def test_a_sound_page_has_no_problems(tmp_path: Path, page: Page) -> None:
    (tmp_path / "page.html").write_text(PAGE.format(fault=""))
    with serve(tmp_path) as address:
        assert accessibility_problems(Watch(page, address), "page.html") == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(tmp_path: Path, page: Page, name: str) -> None:
    fault, problem = FAULTS[name]
    (tmp_path / "page.html").write_text(PAGE.format(fault=fault))
    with serve(tmp_path) as address:
        found = accessibility_problems(Watch(page, address), "page.html")
    assert any(problem in line for line in found), found
