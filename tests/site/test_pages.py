"""Every page of the built site, each in one visit; and each check is shown a fault.

The faults stand together on few pages: what a check says names its own.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

import book
import site_checks
from site_checks import (
    CHAPTER,
    NARROW,
    Watch,
    axe_problems,
    open_page,
    pages_of,
    resize,
    settled,
    visit_problems,
)

PAGES = ["index.html", "search.html", "404.html"] + [
    path.relative_to(book.ROOT).with_suffix(".html").as_posix()
    for path in book.page_paths()
    if path.stem != "index"
]


@pytest.fixture(scope="module")
def visitor(browser: Browser) -> Iterator[Page]:
    context = site_checks.new_context(browser)
    yield context.new_page()
    context.close()


def test_these_are_all_pages(site: Path) -> None:
    assert sorted(PAGES) == pages_of(site)


@pytest.mark.parametrize("name", PAGES)
def test_every_page(address: str, visitor: Page, name: str) -> None:
    printed = name not in ("404.html", "search.html")
    problems = visit_problems(Watch(visitor, address), name, printed=printed)
    assert not problems, "\n".join(problems)


def test_what_opens(address: str, page: Page) -> None:
    """The search, the sidebars of a phone, a menu."""
    watch = Watch(page, address)
    open_page(watch, CHAPTER)
    page.locator(".dropdown-download-buttons > button").click()
    page.locator(".dropdown-menu a", has_text=".ipynb").wait_for(state="visible")
    settled(page)
    assert axe_problems(page) == []

    open_page(watch, "index.html")
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog input").wait_for(state="visible")
    settled(page)
    assert axe_problems(page) == []

    resize(page, NARROW)
    for side in ("primary", "secondary"):
        open_page(watch, "index.html")
        page.locator(f".{side}-toggle").first.click()
        page.locator(f"#pst-{side}-sidebar-modal a").first.wait_for(state="visible")
        settled(page)
        assert axe_problems(page) == []
    assert not watch.problems


# --- each check is shown a fault ----------------------------------------------------------------

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width">
<style>
  :root {{ color-scheme: light dark }}
  body {{ background: white; color: #222 }}
  a {{ color: inherit }}
  .wide {{ overflow-x: auto }}
  @media (prefers-color-scheme: dark) {{ body {{ background: #111; color: #ddd }} }}
</style>
<script defer src="mathjax/tex-mml-chtml.js"></script></head>
<body><main><article><h1 id="top">A page</h1>
<p id="here">A formula, <span class="math">\\(x^2\\)</span>, and <a href="#here">a link</a>.</p>
<div class="math wide">\\[\\sum_{{i=1}}^n x_i\\]</div>
<img src="dot.svg" alt="A blue dot.">
{fault}
</article></main></body></html>
"""
DOT = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="4" fill="#00f"/></svg>'
)

# the fault, and what is said about it
FAULTS = {
    "no alt text": ('<img src="dot.svg">', "no alt text: dot.svg"),
    "empty alt text": ('<img src="dot.svg?empty" alt="">', "no alt text: dot.svg?empty"),
    "file name as alt text": ('<img src="dot.svg" alt="dot.svg">', "as alt text: dot.svg"),
    "hash as alt text": ('<img src="c0ffee.svg" alt="c0ff">', "a file name as alt text: c0ff"),
    "outside request": (
        '<img src="http://elsewhere.invalid/a.png" alt="Elsewhere.">',
        "request to another host: http://elsewhere.invalid/a.png",
    ),
    "unknown macro": (
        '<span class="math">\\(\\nosuchmacro\\)</span>',
        "formula with an error: \\nosuchmacro",
    ),
    "broken formula": (
        '<span class="math">\\(\\frac{1}\\)</span>',
        "formula with an error: Missing argument for \\frac",
    ),
    "formula as text": ("<p>\\alpha is a letter</p>", "formula left as text: \\alpha is"),
    "console error": ("<script>console.error('oh')</script>", "console error: oh"),
    "script error": ("<script>nothing.here()</script>", "script error: nothing is not defined"),
    "missing picture": ('<img src="gone.png" alt="Gone.">', "status 404"),
    "overflow": (
        '<div style="width: 500px" class="a">wide</div>',
        'light, 390: overflow at 390: <div class="a"> ends at 508 of 390',
    ),
    "the page is scrolled": (
        '<div style="width: 600px">wide</div>',
        "dark, 390: overflow at 390: the page is ",
    ),
    "cut off": (
        '<div style="overflow: hidden"><div style="width: 500px" class="b">wide</div></div>',
        'overflow at 390: <div class="b"> ends at 508 of 390',
    ),
    "an icon that is not drawn": ('<i class="fas fa-unheard-of">x</i>', "no icon: fas fa-unheard"),
    "faint text": ('<p style="color: #999" class="c">faint</p>', 'contrast 2.85: "faint" in <p'),
    "faint in the dark": (
        '<p style="color: light-dark(#222, #555)">dim</p>',
        'dark, 1280: contrast 2.53: "dim" in <p',
    ),
    "half transparent": (
        '<div style="opacity: 0.8"><p style="opacity: 0.5" class="d">pale</p></div>',
        'light, 390: contrast 2.42: "pale" in <p class="d">',
    ),
    "faint on a phone": (
        '<style>@media (max-width: 500px) { .phone { color: #ccc } }</style><p class="phone">x</p>',
        'light, 390: contrast 1.61: "x" in <p class="phone">',
    ),
    # on paper
    "a line of code that is cut off": ("<pre>" + "word " * 60 + "</pre>", "too wide: <pre>"),
    "a wide table": ("<table><tr><td>" + "x" * 200 + "</td></tr></table>", "too wide: <table>"),
    "a wide formula": (
        '<div class="math wide">\\[' + "x+" * 80 + "1\\]</div>",
        "too wide: <mjx-math>",
    ),
    "a second title": ("<h1>Again</h1>", "2 titles are printed"),
    "a button": ("<button>Go</button>", "printed: <button"),
    # what axe finds
    "no alt text, to axe": ('<img src="dot.svg?axe">', 'axe image-alt: <img src="dot.svg?axe">'),
    "faint text, to axe": (
        '<p style="color: #8a8a8a">faint</p>',
        'light, 1280: axe color-contrast: <p style="color: #8a8a8a">',
    ),
    "a link that only colour shows in the dark": (
        '<p style="color: light-dark(#222, #ccc)">A sentence with <a href="#top" class="dark-link" '
        'style="color: light-dark(#999, #cdc); text-decoration: none">one</a>.</p>',
        'dark, 390: axe link-in-text-block: <a href="#top" class="dark-link"',
    ),
    "a button without a name": ("<button><svg></svg></button>", "axe button-name"),
    "a field without a label": ('<input type="text">', "axe label"),
    "a link that only colour shows": (
        '<p>A sentence with <a href="#top" style="color: #173; text-decoration: none">one</a>.</p>',
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
        "dark, 390: axe target-size",
    ),
    "an id twice": ('<p id="here">x</p>', "live: the id 'here' is there 2 times"),
    # the last one: what follows it is beside the article too
    "faint text beside the article": (
        '</article><footer style="color: #999">by</footer><article>',
        'contrast 2.85: "by" in <footer',
    ),
}
# These would hide others, so each has a page for itself.
ALONE = {
    "formula without delimiters": (
        '<span class="math">x^2</span>',
        "2 formulas are typeset, of 3",
    ),
    "formula outside of math": ("<p>$$ y $$ \\begin{x}</p>", "formulas are typeset"),
    "no dark mode": ("<style>body { background: white !important }</style>", "background: "),
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, visitor: Page) -> Iterator[Watch]:
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(site_checks.ROOT / "assets" / "mathjax", folder / "mathjax")
    for name in ("dot.svg", "c0ffee.svg"):
        (folder / name).write_text(DOT)
    together = "\n".join(fault for fault, _ in FAULTS.values())
    pages = {"sound": "", "faults": together} | {name: ALONE[name][0] for name in ALONE}
    for name, fault in pages.items():
        (folder / f"{name.replace(' ', '-')}.html").write_text(PAGE.format(fault=fault))
    with site_checks.serve(folder) as address:
        yield Watch(visitor, address)


@pytest.fixture(scope="module")
def found(tiny: Watch) -> list[str]:
    """What is said about the page with all faults."""
    return visit_problems(tiny, "faults.html")


def test_a_sound_page_has_no_problems(tiny: Watch) -> None:
    assert visit_problems(tiny, "sound.html") == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(found: list[str], name: str) -> None:
    problem = FAULTS[name][1]
    assert any(problem in line for line in found), "\n".join(found)


@pytest.mark.parametrize("name", ALONE)
def test_a_fault_that_would_hide_others_is_found(tiny: Watch, name: str) -> None:
    problem = ALONE[name][1]
    lines = visit_problems(tiny, f"{name.replace(' ', '-')}.html")
    assert any(problem in line for line in lines), "\n".join(lines)


def test_what_is_cancelled_by_leaving_is_no_fault(tiny: Watch) -> None:
    page = tiny.page
    page.route("**/slow.svg", lambda route: None)  # is never answered
    page.route("**/refused.svg", lambda route: route.abort("connectionrefused"))
    open_page(tiny, "sound.html")
    for name, event in (("slow", "request"), ("refused", "requestfailed")):
        with page.expect_event(event, lambda request, name=name: name in request.url):
            page.evaluate("name => { new Image().src = `${name}.svg`; }", name)
    open_page(tiny, "faults.html")
    page.unroute_all(behavior="ignoreErrors")
    failed = [line for line in tiny.problems if "request failed" in line]
    assert failed == [f"request failed: {tiny.address}refused.svg"]
    tiny.problems.clear()


def test_what_does_not_settle_is_named(page: Page) -> None:
    page.set_content("<style>@keyframes grow { to { width: 9px } }</style><p>x</p>")
    settled(page)
    page.locator("p").evaluate("p => { p.style.animation = 'grow 9999s'; }")
    page.set_default_timeout(300)
    with pytest.raises(AssertionError, match=r"not settled: .*grow of <p"):
        settled(page, soon=300)
