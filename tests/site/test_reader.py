"""What a reader met on the site, and would meet again: each by what was wrong before."""

import gzip
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import ledger
import site_checks
from site_checks import NARROW, WIDE, Watch, axe_problems, open_page, overflow_problems
from touch_checks import open_figure

FIGURES = {  # name: page, what its opening shows, and the anchor of the figure
    "posterior": ("chapters/03_hidden_labels.html", "Two boundaries", "fig-shares"),
    "worked-example": ("chapters/07_worked_example.html", "0.574", "fig-worked-sheet"),
    "bound": ("chapters/09_why_it_climbs.html", "KL 223", "fig-bounds-staircase"),
}
BOUND = "chapters/09_why_it_climbs.html"
PLANE = "chapters/10_whole_algorithm.html"


def test_back_leads_to_where_one_was(address: str, page: Page) -> None:
    figure = open_figure(Watch(page, address), BOUND, "bound")
    figure.get_by_role("button", name="E-step").click()
    page.wait_for_function("history.state && history.state.touch")
    page.evaluate("window.scrollTo({top: document.body.scrollHeight - 3000, behavior: 'instant'})")
    page.wait_for_function("scrollY > 3000")
    page.evaluate(
        """() => {
            const link = [...document.querySelectorAll('article a.reference.internal[href^="#"]')]
                .find((a) => a.getBoundingClientRect().top > 0);
            window.before = scrollY;
            link.click();
        }"""
    )
    page.wait_for_function("!location.hash.includes('?') && scrollY !== window.before")
    page.go_back()
    page.wait_for_function("location.hash.includes('?')")
    page.wait_for_function("Math.abs(scrollY - window.before) < 5", timeout=5000)
    # and yet a link to a state leads to the figure
    page.evaluate("location.hash = 'fig-bounds-staircase?h=3'")
    page.wait_for_function(
        "Math.abs(document.querySelector('.touch-figure-bound').getBoundingClientRect().top) < 900"
    )


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_opens_with_something_to_see(address: str, page: Page, name: str) -> None:
    path, shown, anchor = FIGURES[name]
    page.goto(address + path)
    figure = page.locator(f".touch-figure-{name}")
    figure.wait_for(state="visible")
    page.wait_for_function(
        "([name, shown]) => document.querySelector(`.touch-figure-${name}`)"
        ".innerText.includes(shown)",
        arg=[name, shown],
    )
    # the beginning has an address of its own
    page.evaluate("(id) => { location.hash = `${id}?`; }", anchor)
    page.wait_for_function(
        "([name, shown]) => !document.querySelector(`.touch-figure-${name}`)"
        ".innerText.includes(shown)",
        arg=[name, shown],
    )


@pytest.mark.parametrize(
    ("path", "name", "state"),
    [
        (PLANE, "em-plane", "fig-faithful-em?t=200"),
        (BOUND, "bound", "fig-bounds-staircase?h=390"),
        (FIGURES["worked-example"][0], "worked-example", "fig-worked-sheet?s=200"),
    ],
)
def test_when_all_is_done_no_step_is_next(
    address: str, page: Page, path: str, name: str, state: str
) -> None:
    figure = open_figure(Watch(page, address), path, name, state)
    assert re.search("Converged|has converged", figure.inner_text())
    assert figure.locator(".touch-next").count() == 0
    figure.get_by_role("button", name=re.compile("Reset|Start again")).click()
    assert figure.locator(".touch-next").count() == 1


def test_means_that_lie_on_one_another_can_be_taken(address: str, page: Page) -> None:
    figure = open_figure(Watch(page, address), PLANE, "em-plane")
    figure.get_by_role("button", name="a collapse").click()
    boxes = [figure.get_by_role("slider", name=f"component {j}").bounding_box() for j in (1, 2)]
    assert boxes[0]
    assert boxes[1]
    assert abs(boxes[0]["x"] - boxes[1]["x"]) + abs(boxes[0]["y"] - boxes[1]["y"]) > 20


def test_forced_colours_tell_what_is_chosen(address: str, browser: Browser) -> None:
    page = browser.new_page(forced_colors="active")
    figure = open_figure(Watch(page, address), PLANE, "em-plane")
    colours = """(node) => { const s = getComputedStyle(node); return s.backgroundColor; }"""
    chosen = figure.locator(".touch-choice input:checked + span").evaluate(colours)
    other = figure.locator(".touch-choice input:not(:checked) + span").first.evaluate(colours)
    following = figure.locator("button.touch-next").evaluate(colours)
    button = figure.locator("button:not(.touch-next)").first.evaluate(colours)
    assert chosen != other
    assert following != button
    page.close()


def test_the_numbers_of_a_close_up_keep_clear_of_its_title(address: str, page: Page) -> None:
    figure = open_figure(Watch(page, address), BOUND, "bound", "fig-bounds-staircase?h=9&close=1")
    left = figure.locator(".touch-axis[transform]").bounding_box()
    assert left
    ticks = [tick.bounding_box() for tick in figure.locator(".touch-tick.end").all()]
    assert all(tick and tick["x"] >= left["x"] + left["width"] for tick in ticks)


# WCAG 1.4.12
SPACING = """* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
    word-spacing: 0.16em !important } p { margin-bottom: 2em !important }"""


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_text_may_be_spaced_out(address: str, page: Page, size: dict[str, int]) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    open_page(Watch(page, address), FIGURES["worked-example"][0])
    page.add_style_tag(content=SPACING)
    assert overflow_problems(page) == []


def test_copy_buttons_are_one_stop_and_reached_by_arrows(address: str, page: Page) -> None:
    open_page(Watch(page, address), BOUND)
    stops = page.locator('button.copybtn[tabindex="0"]')
    page.wait_for_function("document.querySelector('button.copybtn[tabindex=\"0\"]')")
    assert stops.count() == 1
    assert page.locator(".cell_output button.copybtn").count() == 0
    stops.first.focus()
    first = page.evaluate("document.activeElement.ariaLabel")
    page.keyboard.press("ArrowDown")
    assert first != page.evaluate("document.activeElement.ariaLabel")
    assert page.evaluate("document.activeElement.matches('button.copybtn')")
    assert stops.count() == 1


def test_the_first_page_says_what_to_do(address: str, page: Page) -> None:
    open_page(Watch(page, address), "index.html")
    start = page.get_by_role("link", name="Start reading")
    box = start.bounding_box()
    assert box
    assert box["y"] + box["height"] < WIDE["height"]
    text = page.locator("article").inner_text()
    assert "You need" in text
    assert "half an hour" in text
    page.locator(".prev-next-area .right-next").click()
    page.wait_for_url("**/01_why_mixtures.html")


def test_the_ledger_is_filtered(address: str, page: Page) -> None:
    watch = Watch(page, address)
    open_page(watch, "chapters/ledger.html")
    entries = page.locator(".ledger-entry:visible")
    all_of_them = entries.count()
    page.get_by_label("Chapter").select_option(label="9 Why it climbs")
    some = entries.count()
    assert 0 < some < all_of_them
    page.get_by_label("With the words").fill("symbolically")
    assert 0 < entries.count() < some
    page.get_by_label("Kind").select_option("ledger-definition")
    page.get_by_label("With the words").fill("xylophone")
    assert entries.count() == 0
    assert "No equation fits" in page.locator(".ledger-filter [role=status]").inner_text()
    assert axe_problems(page, ".ledger-filter") == []
    # a link to what is hidden shows all again
    page.evaluate("location.hash = 'ledger-why-mixtures'")
    page.wait_for_function(
        "(n) => [...document.querySelectorAll('.ledger-entry')]"
        ".filter((e) => !e.hidden).length === n",
        arg=all_of_them,
    )
    assert not watch.problems


def test_the_ledger_shows_another_world(address: str, page: Page) -> None:
    watch = Watch(page, address)
    open_page(watch, "chapters/ledger.html")
    loaded = page.locator("script[src*=ledger-worlds]")
    entry = page.locator("#entry-eq-normal-square")
    entry.locator("summary", has_text="The numbers on both sides").focus()
    page.keyboard.press("Enter")
    head, numbers = entry.get_by_role("status"), entry.locator("dd")
    assert head.inner_text().startswith("World 1 of 5: n = ")
    assert loaded.count() == 0
    seen = [numbers.all_inner_texts()]
    page.keyboard.press("Tab")
    for k in (2, 3, 4, 5, 1):
        page.keyboard.press("Enter")
        expect(head).to_contain_text(f"World {k} of 5: n = ")
        left, right = numbers.all_inner_texts()
        assert left == right
        seen.append([left, right])
    assert len({left for left, _ in seen}) == 5
    assert seen[0] == seen[-1]
    assert loaded.count() == 1
    assert axe_problems(page, "#entry-eq-normal-square") == []
    assert not watch.problems


def test_a_map_shows_who_stands_on_whom(address: str, page: Page) -> None:
    open_page(Watch(page, address), "chapters/ledger.html")
    drawing = page.get_by_role("img", name="A map of the book")
    labels = page.locator(".ledger-definition .ledger-head code").all_inner_texts()
    texts = drawing.locator("text").all_text_contents()
    assert [f"def-{text}" for text in texts if f"def-{text}" in labels] == labels
    # the drawing has as many bars as the lists below have links
    bars = drawing.locator(".map-claims").evaluate_all(
        "(paths) => paths.flatMap((p) => p.getAttribute('d').match(/M/g)).length"
    )
    links = page.locator(".ledger-definition details a").count()
    assert bars == links > 100
    page.locator(".ledger-definition summary", has_text="Executed by").first.click()
    link = page.locator(".ledger-definition details a").first
    label = link.inner_text()
    link.click()
    entry = page.locator(f"#entry-{label}")
    assert entry.get_by_text("Stands on:").is_visible()
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    assert overflow_problems(page) == []


def test_without_script_the_first_world_stands_in_the_ledger(
    address: str, browser: Browser
) -> None:
    context = site_checks.new_context(browser, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}chapters/ledger.html")
    entry = page.locator("#entry-eq-normal-square")
    assert not entry.locator("dd").first.is_visible()
    entry.locator("summary").last.click()
    assert entry.locator("dd").first.is_visible()
    assert entry.locator("button").count() == 0
    context.close()


def test_the_numbers_do_not_weigh_on_the_ledger(site: Path) -> None:
    text = (site / "chapters/ledger.html").read_bytes()
    # most of it are the formulas and their checks; 2 kB are the contents of the site
    assert len(gzip.compress(text, 9)) < 500 * len(ledger.read_ledger().equations)


def test_a_check_names_the_number_that_is_printed(address: str, page: Page) -> None:
    open_page(Watch(page, address), FIGURES["worked-example"][0])
    line = page.locator(".ledger-line").first
    label = line.locator("a").inner_text()
    number = page.locator(f'[id="equation-{label}"] .eqno').inner_text()
    assert f"{label} {re.sub('[^()0-9]', '', number)} ·" in line.inner_text()


PHONE_TABLES = [
    *("chapters/notation", "chapters/sources", "chapters/from_scikit_learn", "chapters/engine"),
    *("course/instructor/07", "course/plans"),
]


@pytest.mark.parametrize("name", PHONE_TABLES)
def test_the_meanings_are_on_a_phone_screen(address: str, page: Page, name: str) -> None:
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    open_page(Watch(page, address), f"{name}.html")
    table = page.locator("table.stacked").first
    assert table.evaluate("(t) => t.scrollWidth <= t.clientWidth + 1")
    cell = table.locator("tbody td").last
    head = cell.evaluate("(c) => getComputedStyle(c, '::before').content")
    assert head.strip('"')
    assert overflow_problems(page) == []


def test_on_paper_no_solution_stands_below_its_exercise(address: str, page: Page) -> None:
    open_page(Watch(page, address), FIGURES["worked-example"][0])
    page.emulate_media(media="print")
    tops = page.evaluate(
        """() => ["exercise", "solution"].map((kind) =>
            [...document.querySelectorAll(`div.admonition.${kind}`)]
                .map((node) => node.getBoundingClientRect().top))"""
    )
    exercises, solutions = tops
    unpublished = page.locator("div.admonition.exercise.unpublished").count()
    assert len(exercises) == len(solutions) + unpublished
    assert len(solutions) > unpublished == 2
    assert max(exercises) < min(solutions)


def test_on_paper_a_question_has_its_choices_and_no_answer(address: str, page: Page) -> None:
    open_page(Watch(page, address), FIGURES["worked-example"][0])
    page.emulate_media(media="print")
    questions = page.locator(".question")
    assert questions.count() > 3
    for question in questions.all():
        assert question.locator(".choice > summary:visible").count() > 2
        assert question.locator(".choice-why:visible").count() == 0


def test_a_choice_says_why(address: str, page: Page) -> None:
    open_page(Watch(page, address), FIGURES["worked-example"][0])
    choice = page.locator(".choice").first
    choice.locator("summary").press("Enter")
    assert re.match("(Yes|No)[.] [A-Z]", choice.locator(".choice-why").inner_text())


def test_the_site_has_a_page_for_each(site: Path) -> None:
    assert "ledger.js" in (site / "chapters/ledger.html").read_text(encoding="utf-8")
    assert "ledger.js" not in (site / "index.html").read_text(encoding="utf-8")


LABELS_OVER_THE_NEXT = """() => [...document.querySelectorAll("table.stacked td")]
    .filter((cell) => cell.checkVisibility() &&
        parseFloat(getComputedStyle(cell, "::before").height) > cell.clientHeight + 1)
    .map((cell) => cell.dataset.head)"""


@pytest.mark.parametrize("name", ["chapters/notation.html", "chapters/sources.html"])
def test_a_long_label_of_a_card_covers_no_other(address: str, page: Page, name: str) -> None:
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    open_page(Watch(page, address), name)
    assert page.locator("table.stacked td").count() > 20
    assert page.evaluate(LABELS_OVER_THE_NEXT) == []
    page.add_style_tag(
        content=".bd-article .table.stacked td { position: relative } "
        ".bd-article .table.stacked td::before { position: absolute; width: 4rem }"
    )
    assert page.evaluate(LABELS_OVER_THE_NEXT)  # as it was
