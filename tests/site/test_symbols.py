"""The symbols of the displays: what they show to pointer, keyboard and touch, and what it costs."""

import gzip
import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import site_checks
from formulas.latex import NotRead
from formulas.letters import Letters
from formulas.parser import read_display
from formulas.run import Displays, Shown
from site_checks import NARROW, WIDE, Watch, axe_problems, contrast_problems, open_page
from website.symbol_marks import bare_arguments, marked
from website.symbol_values import short, values_of
from website.symbols import Notation, Symbols, in_html, marked_display
from website.typeset import Formula, typeset

ROOT = Path(__file__).parents[2]
CHAPTER = "chapters/02_one_gaussian.html"
DISPLAY = "eq-sufficient"
HOME = "def-log-likelihood-one"  # where ℓ is defined
MOST = 40_000  # bytes, compressed


def display(page: Page, label: str = DISPLAY) -> Locator:
    return page.locator(f'[id="equation-{label}"] mjx-container')


def symbol(page: Page, sign: str, label: str = DISPLAY) -> Locator:
    """The first symbol of a display that is drawn with the glyph of a character."""
    code = f"mjx-c{ord(sign):X}"
    found = display(page, label).locator(f"[data-s]:has(> mjx-c[class*='{code}'])").first
    found.scroll_into_view_if_needed()
    return found


def bubble(page: Page) -> Locator:
    return page.locator(".symbol-tip.shown")


ELL, SIGMA, I_ITALIC, S_ITALIC = "ℓ", "\U0001d70e", "\U0001d456", "\U0001d446"


# --- the marks ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def notation() -> Notation:
    return Notation(ROOT)


def marks(notation: Notation) -> Iterator[tuple[str, str]]:
    """(LaTeX, with marks) of each display that is read."""
    for one in notation.displays.shown.values():
        found = marked_display(notation.displays, one, Symbols())
        if found:
            yield one.latex.strip(), found


def in_page(latex: str) -> Formula:
    """As Sphinx puts it into the page."""
    return Formula(rf"\begin{{split}}{latex}\end{{split}}" if r"\\" in latex else latex, True)


def test_no_mark_moves_anything(notation: Notation) -> None:
    found = list(marks(notation))
    assert len(found) > 200
    done = typeset([in_page(latex) for pair in found for latex in pair])
    assert not done.errors
    for plain, with_marks in found:
        drawn = done.html[in_page(with_marks)]
        assert drawn.count(" data-s=") == with_marks.count(r"\letter{"), plain
        assert re.sub(r' data-s="\d+"', "", drawn) == done.html[in_page(plain)], plain
        assert "data-s" not in drawn.partition("<mjx-assistive-mml")[2]


def test_a_mark_that_would_move_something_is_left_out() -> None:
    good, bad = (Formula(latex, True) for latex in (r"a^\letter{1}{b}c", r"a^\letter{1}{bc}"))
    done = typeset([good, bad])
    assert 'data-s="1"' in done.html[good]
    assert "data-s" not in done.html[bad]
    assert done.html[bad] == typeset([Formula("a^bc", True)]).html[Formula("a^bc", True)]


WORLDS = {"default": {"n": [4, 5], "K": [2, 3], "d": [1]}}
ROWS = [
    {
        "symbol": [r"\mu_j", r"\hat\mu_j"],
        "means": "a mean",
        "row": 0,
        "axes": ["K"],
        "draw": "real",
    },
    {"symbol": ["i", "j"], "means": "an index", "index": "K", "row": 1},
    {"symbol": "K", "means": "a number", "size": True, "row": 2},
]


@pytest.mark.parametrize(
    ("latex", "wanted"),
    [
        (r"\mu_j^2=1", r"\letter{0}{\mu}_\letter{1}{j}^2=1"),
        (r"\hat{\mu}_{1}=2", r"\letter{0}{\hat{\mu}}_{1}=2"),
        (r"\frac1K=\frac{1}K", r"\frac1{\letter{0}{K}}=\frac{1}{\letter{0}{K}}"),
        (r"\sqrt K+z=1", r"\sqrt {\letter{0}{K}}+z=1"),  # z is no letter of these
    ],
)
def test_where_the_marks_stand(latex: str, wanted: str) -> None:
    letters, symbols = Letters(ROWS, "1", "eq-a"), Symbols()
    assert marked(read_display(latex, letters), letters, symbols.number) == wanted


def test_arguments_without_braces_are_found() -> None:
    assert bare_arguments(r"\frac12\frac{a}b\sqrt c\alpha d") == {5, 6, 15, 22}


def test_a_display_that_is_not_read_stays_as_it_is() -> None:
    shown = [Shown("eq-a", "1", r"\mu_1\heartsuit 2"), Shown("eq-b", "1", r"\mu_1=2")]
    displays = Displays(shown, {"letters": ROWS})
    with pytest.raises(NotRead):
        displays.display(shown[0], displays.letters(shown[0]))
    assert marked_display(displays, shown[0], Symbols()) is None
    assert values_of(displays, shown[0]) == ("", {})
    assert marked_display(displays, shown[1], Symbols())


def test_values_are_short() -> None:
    shown = [Shown("eq-a", "1", r"\mu_j=\mu_j")]
    sizes, found = values_of(Displays(shown, {"letters": ROWS, "worlds": WORLDS}), shown[0])
    assert re.fullmatch(r"K = \d", sizes)
    (text,) = found.values()
    assert re.fullmatch(r"\((−?\d(\.\d+)?(, )?){2,4}\)", text)
    assert short([1, 2, 3, 4, 5]) == "(1, 2, 3, …)"
    assert (short(True), short(None), short(())) == ("", "", "")


def test_words_with_formulas_and_roles() -> None:
    text = in_html(r"the {term}`weights <weight>` of a {term}`mean`, $a<b$")
    assert text.startswith("the weights of a mean, <span")
    assert r"\(a&lt;b\)" in text


# --- in the page --------------------------------------------------------------------------------


def test_a_symbol_that_is_pointed_at_shows_what_it_means(address: str, page: Page) -> None:
    page.clock.install()
    watch = Watch(page, address)
    open_page(watch, CHAPTER)
    assert bubble(page).count() == 0
    symbol(page, SIGMA).hover()
    expect(bubble(page)).to_contain_text("a standard deviation")
    expect(bubble(page)).to_contain_text(re.compile(r"for instance \d"))
    # the pointer may move onto it, and Escape puts it away
    bubble(page).hover()
    page.clock.run_for(5000)
    expect(bubble(page)).to_contain_text("a standard deviation")
    page.keyboard.press("Escape")
    expect(bubble(page)).to_have_count(0)
    symbol(page, SIGMA).hover()
    page.locator("h1").hover()
    expect(bubble(page)).to_have_count(0)
    assert watch.problems == []


def test_an_index_lights_up_wherever_it_stands(address: str, page: Page) -> None:
    open_page(Watch(page, address), CHAPTER)
    index = symbol(page, I_ITALIC)
    index.hover()
    expect(bubble(page)).to_contain_text("counts observations, from 1 to")
    key = index.get_attribute("data-s")
    everywhere = display(page).locator(f'[data-s="{key}"]')
    assert everywhere.count() == 4
    assert display(page).locator(".symbol-lit").count() == 4
    assert page.locator(".symbol-lit").count() == 4  # and in no other display
    assert page.locator(f'[data-s="{key}"]').count() > 4
    assert display(page).locator(f'.symbol-lit:not([data-s="{key}"])').count() == 0
    background = "(node) => getComputedStyle(node).backgroundColor"
    assert index.evaluate(background) != symbol(page, SIGMA).evaluate(background)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('.querySelectorAll(`[data-s="${symbol.dataset.s}"]`)', '.querySelectorAll(".nothing")'),
        ("isBelow ? bottom : top - tall", "at.top"),
        ("now + 1, ArrowDown", "now, ArrowDown"),
        ("if (touched) show(symbol);", "if (false) show(symbol);"),
    ],
    ids=["no light", "over the symbol", "no arrows", "no first tap"],
)
def test_what_is_planted_is_seen(
    site: Path, address: str, browser: Browser, right: str, wrong: str
) -> None:
    """Each of the checks here fails on a script in which that line is wrong."""
    script = (site / "_static/pages/symbols.js").read_text(encoding="utf-8")
    assert script.count(right) == 1
    context = site_checks.new_context(browser, viewport=NARROW, has_touch=True)
    page = context.new_page()
    page.route("**/symbols.js*", lambda route: route.fulfill(body=script.replace(right, wrong)))
    open_page(Watch(page, address), CHAPTER)
    display(page).locator(".symbol-list").focus()
    page.keyboard.press("ArrowRight")
    both = [page.locator(".symbol-now").element_handle(), bubble(page).element_handle()]
    works = {
        "light": page.locator(".symbol-lit").count() > 0,
        "place": page.evaluate(PLACED, both),
        "arrows": display(page).locator("[aria-posinset='2']").count() == 1,
    }
    page.keyboard.press("Escape")
    symbol(page, ELL).tap()
    page.wait_for_function("location.hash || document.querySelector('.symbol-tip.shown')")
    works["tap"] = "#" not in page.url
    assert list(works.values()).count(False) == 1
    context.close()


def test_a_click_leads_to_the_definition(address: str, page: Page) -> None:
    open_page(Watch(page, address), CHAPTER)
    symbol(page, ELL).click()
    page.wait_for_url(f"**#equation-{HOME}")
    # what is defined here, or in no display, leads to its row in the notation
    for label, sign in ((HOME, ELL), (DISPLAY, SIGMA)):
        open_page(Watch(page, address), CHAPTER)
        symbol(page, sign, label).hover()
        expect(bubble(page)).to_contain_text("in the notation")
        assert ("defined here" in bubble(page).inner_text()) == (label == HOME)
        symbol(page, sign, label).click()
        page.wait_for_url("**/notation.html#letter-*")
        assert page.locator("tr:target").count() == 1


def test_the_keyboard_leads_through_the_symbols(address: str, page: Page) -> None:
    open_page(Watch(page, address), CHAPTER)
    stops = '[tabindex="0"], a, button'
    assert display(page).locator(stops).count() == 1
    page.set_viewport_size(NARROW)
    page.locator("article pre[tabindex='0']").first.wait_for()  # what scrolls has been made a stop
    assert display(page).get_attribute("tabindex") is None
    page.set_viewport_size(site_checks.WIDE)
    stop = display(page).locator(".symbol-list")
    before = page.evaluate("scrollX")
    stop.focus()
    said = stop.locator("[role=option]")
    expect(said).to_contain_text("the log-likelihood of one Gaussian")
    count = display(page).locator("[data-s]").count()
    assert said.get_attribute("aria-setsize") == str(count)
    first = stop.get_attribute("aria-activedescendant")
    page.keyboard.press("ArrowRight")
    expect(said).to_contain_text("a mean")
    assert stop.get_attribute("aria-activedescendant") not in (first, None)
    expect(bubble(page)).to_contain_text("a mean")
    assert display(page).locator("[data-s]").nth(1).get_attribute("class").endswith("symbol-now")
    outline = display(page).evaluate("(node) => getComputedStyle(node).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("End")
    assert said.get_attribute("aria-posinset") == str(count)
    page.keyboard.press("ArrowRight")
    assert said.get_attribute("aria-posinset") == str(count)
    page.keyboard.press("Escape")
    expect(bubble(page)).to_have_count(0)
    assert stop.evaluate("(node) => node === document.activeElement")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**#equation-{HOME}")
    assert page.evaluate("scrollX") == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_can_read_the_bubble(address: str, browser: Browser, scheme: str) -> None:
    context = site_checks.new_context(browser, viewport=WIDE, color_scheme=scheme)
    page = context.new_page()
    open_page(Watch(page, address), CHAPTER)
    display(page).locator(".symbol-list").focus()
    expect(bubble(page)).to_have_count(1)
    assert contrast_problems(page) == []
    assert axe_problems(page, ".bd-article") == []
    context.close()


def test_forced_colours_show_what_is_lit(address: str, browser: Browser) -> None:
    context = site_checks.new_context(browser, viewport=WIDE, forced_colors="active")
    page = context.new_page()
    open_page(Watch(page, address), CHAPTER)
    symbol(page, I_ITALIC).hover()
    expect(bubble(page)).to_have_count(1)
    background = "(node) => getComputedStyle(node).backgroundColor"
    colours = {
        display(page).locator(which).first.evaluate(background)
        for which in (".symbol-lit", "[data-s]:not(.symbol-lit)")
    }
    assert len(colours) == 2
    context.close()


def test_a_tap_shows_and_a_second_goes(address: str, browser: Browser) -> None:
    context = site_checks.new_context(browser, viewport=NARROW, has_touch=True, is_mobile=True)
    page = context.new_page()
    open_page(Watch(page, address), CHAPTER)
    ell = symbol(page, ELL)
    ell.tap()
    expect(bubble(page)).to_contain_text("the log-likelihood")
    assert "#" not in page.url
    page.locator("h1").tap()
    expect(bubble(page)).to_have_count(0)
    ell.tap()
    expect(bubble(page)).to_have_count(1)
    ell.tap()
    page.wait_for_url(f"**#equation-{HOME}")
    context.close()


PLACED = """([now, tip]) => {
    const a = now.getBoundingClientRect(), b = tip.getBoundingClientRect();
    return b.left >= 0 && b.top >= 0 && b.right <= document.documentElement.clientWidth
        && b.bottom <= innerHeight
        && !(a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom);
}"""


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_bubble_is_in_view_and_beside_its_symbol(
    address: str, page: Page, size: dict[str, int]
) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    open_page(Watch(page, address), CHAPTER)
    for label in (DISPLAY, "eq-bivariate-hessian"):
        display(page, label).locator(".symbol-list").focus()
        for _ in range(display(page, label).locator("[data-s]").count()):
            both = [page.locator(".symbol-now").element_handle(), bubble(page).element_handle()]
            assert page.evaluate(PLACED, both)
            seen = page.locator(".symbol-now").evaluate(
                "(node) => { const a = node.getBoundingClientRect(), "
                "b = node.closest('mjx-container').getBoundingClientRect(); "
                "return a.left >= b.left - 1 && a.right <= b.right + 1; }"
            )
            assert seen
            page.keyboard.press("ArrowRight")
    page.add_style_tag(
        content=".symbol-tip { left: 0 !important; top: 0 !important; height: 100% }"
    )
    page.add_style_tag(content=".symbol-tip { max-height: none !important; width: 100% }")
    page.add_style_tag(content=".symbol-tip { max-width: none !important }")
    both = [page.locator(".symbol-now").element_handle(), bubble(page).element_handle()]
    assert not page.evaluate(PLACED, both)  # what covers all is found


def test_without_script_the_page_is_as_ever(address: str, browser: Browser) -> None:
    context = site_checks.new_context(browser, java_script_enabled=False)
    page = context.new_page()
    page.goto(address + CHAPTER)
    assert display(page).locator("mjx-assistive-mml math").count() == 1
    symbol(page, SIGMA).hover()
    assert page.locator(".symbol-tip, .symbol-list, .symbol-lit").count() == 0
    assert "counts observations" not in page.locator("body").inner_text()
    context.close()


# --- what it costs ------------------------------------------------------------------------------


def compressed(text: str) -> int:
    return len(gzip.compress(text.encode(), 9))


def cost(site: Path, name: str) -> int:
    """The bytes that the symbols add to a page, compressed."""
    page = (site / name).read_text(encoding="utf-8")
    without = re.sub(r'<template id="symbols">.*?</template>', "", page, flags=re.DOTALL)
    without = re.sub(
        r'<script type="application/json" id="symbol-values">.*?</script>', "", without
    )
    without = re.sub(r' data-s="\d+"', "", without)
    files = (site / "_static/pages" / f"symbols.{kind}" for kind in ("js", "css"))
    return (
        compressed(page)
        - compressed(without)
        + sum(compressed(file.read_text(encoding="utf-8")) for file in files)
    )


def test_the_symbols_are_light(site: Path, tmp_path: Path) -> None:
    names = [path.relative_to(site).as_posix() for path in site.glob("chapters/*.html")]
    assert all(cost(site, name) < MOST for name in names)
    assert cost(site, CHAPTER) > 1000


def test_every_chapter_has_symbols_and_only_they_load_them(site: Path) -> None:
    for path in [*site.glob("chapters/*.html"), site / "index.html"]:
        text = path.read_text(encoding="utf-8")
        is_chapter = bool(re.match(r"\d\d_|A_", path.name))
        assert ("pages/symbols.js" in text) == is_chapter, path.name
        assert ("pages/symbols.css" in text) == is_chapter, path.name
        assert text.count(' data-s="') >= 50 * is_chapter, path.name


def test_every_row_that_a_symbol_leads_to_is_there(site: Path) -> None:
    rows = set(re.findall(r'<tr[^>]* id="(letter-[^"]*)"', _read(site / "chapters/notation.html")))
    wanted: set[str] = set()
    for path in site.glob("chapters/*.html"):
        wanted |= set(re.findall(r'href="notation\.html#(letter-[^"]*)"', _read(path)))
    assert len(wanted) > 100
    assert wanted <= rows


def _read(path: Path) -> str:
    return html.unescape(path.read_text(encoding="utf-8"))
