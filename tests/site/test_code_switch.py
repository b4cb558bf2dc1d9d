"""One switch for the code of all pages: shown, outlined, hidden. What it prints and draws stays."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from site_checks import NARROW, Watch, axe_problems, open_page
from touch_checks import reach
from website.code_switch import outlined

CHAPTER, OTHER = "chapters/07_worked_example.html", "chapters/09_why_it_climbs.html"
INPUT = (
    '<div class="cell_input docutils container">\n<div class="highlight-ipython3 notranslate">'
    '<div class="highlight"><pre>{}</pre></div>\n</div>\n</div>'
)


def test_the_first_line_and_the_rest() -> None:
    two = outlined(INPUT.format("<span></span><i>a</i>\n<b>b</b>\nc\n"))
    words = 'data-words="… 2 more lines"'
    rest = f'<i>a</i><span class="code-rest" {words}>\n<b>b</b>\nc\n</span></pre>'
    assert rest in two
    one = INPUT.format("<span></span>a\n")
    assert outlined(one) == one
    assert '"… 1 more line"' in outlined(INPUT.format("a\nb\n"))
    output = INPUT.replace("cell_input", "cell_output").format("a\nb\n")
    assert outlined(output) == output


def choose(page: Page, state: str) -> None:
    page.locator(".code-switch button").focus()
    page.keyboard.press("Enter")
    page.locator(f'.code-switch input[value="{state}"]').check()
    page.keyboard.press("Escape")


COUNT = """() => {
    const seen = (node) => node.checkVisibility({ visibilityProperty: true });
    const count = (what) => [...document.querySelectorAll(what)].filter(seen).length;
    return {
        code: count(".cell:not(.tag_hide-input) > .cell_input pre"),
        whole: count(".cell:not(.tag_hide-input) > .cell_input .code-rest"),
        more: count(".code-more"),
        solution: count(".solution .cell:not(.tag_hide-input) > .cell_input pre"),
        checks: count(".ledger-line"),
        outputs: count(".cell_output"),
        pictures: count(".cell_output :is(img, svg.touch-svg, .filmstrip-screen)"),
    };
}"""


def state_problems(page: Page, state: str) -> list[str]:
    """Against what there is when no state is set, which is everything."""
    shown = page.evaluate(COUNT)
    page.evaluate("delete document.documentElement.dataset.code")
    full = page.evaluate(COUNT)
    page.evaluate("(state) => { document.documentElement.dataset.code = state; }", state)
    assert full["code"] >= full["whole"] > 10
    wanted = dict(full)
    if state == "outlined":
        wanted |= {"whole": 0, "more": full["whole"]}
    if state == "hidden":  # a solution is code: its first lines stay
        wanted |= {
            "whole": 0,
            "code": full["solution"],
            "more": min(shown["more"], full["solution"]),
        }
    return [
        f"{key}: {shown[key]}, not {wanted[key]}" for key in wanted if shown[key] != wanted[key]
    ]


@pytest.mark.parametrize("state", ["shown", "outlined", "hidden"])
def test_outputs_stay_and_the_choice_is_kept(address: str, page: Page, state: str) -> None:
    watch = Watch(page, address)
    open_page(watch, CHAPTER)
    choose(page, state)
    assert state_problems(page, state) == []
    # before any script of the page's own is there
    page.route("**/code.js*", lambda route: route.abort())
    page.goto(address + OTHER)
    assert page.evaluate("document.documentElement.dataset.code") == state
    assert page.locator(".cell:not(.tag_hide-input) > .cell_input").first.is_visible() == (
        state != "hidden"
    )
    page.unroute("**/code.js*")
    open_page(watch, OTHER)
    assert page.locator(".code-switch input:checked").get_attribute("value") == state
    assert state_problems(page, state) == []
    page.emulate_media(media="print")
    assert page.locator(".ledger-line").first.is_visible()
    assert page.locator(".code-more:visible").count() == 0
    whole = page.locator(".cell:not(.tag_hide-input) > .cell_input .code-rest:visible").count()
    assert (whole == 0) == (state != "shown")


FAULTS = {
    "code that stays": (".cell > .cell_input { display: block !important }", "code"),
    "an output that goes": (
        "html[data-code=hidden] .cell_output { display: none !important }",
        "outputs",
    ),
    "a check that goes": ("html[data-code=hidden] .ledger-line { display: none }", "checks"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(address: str, page: Page, fault: str) -> None:
    page.add_init_script("localStorage.setItem('code', 'hidden')")
    open_page(Watch(page, address), CHAPTER)
    rule, word = FAULTS[fault]
    page.add_style_tag(content=rule)
    assert any(problem.startswith(word) for problem in state_problems(page, "hidden"))


def test_by_keyboard_and_by_name(address: str, page: Page) -> None:
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    open_page(Watch(page, address), CHAPTER)
    reach(page, page.get_by_role("button", name="Code: shown or hidden"))
    page.keyboard.press("Enter")
    group = page.get_by_role("group", name="The code of the chapters")
    reach(page, group.get_by_role("radio", name="Shown"))
    page.keyboard.press("ArrowDown")
    assert group.get_by_role("radio", name="Outlined").is_checked()
    assert axe_problems(page) == []
    page.keyboard.press("ArrowDown")
    assert page.evaluate("[localStorage.code, document.documentElement.dataset.code]") == [
        "hidden",
        "hidden",
    ]
    page.keyboard.press("Escape")
    assert not group.is_visible()


def test_one_cell_is_unfolded(address: str, page: Page) -> None:
    open_page(Watch(page, address), CHAPTER)
    choose(page, "outlined")
    button = page.locator(".code-more").first
    rest = page.locator(".code-rest").first
    assert button.get_attribute("aria-expanded") == "false"
    button.click()
    assert rest.is_visible()
    assert button.get_attribute("aria-expanded") == "true"
    button.click()
    assert not rest.is_visible()


def test_a_link_into_hidden_code_shows_it(address: str, page: Page) -> None:
    page.add_init_script("localStorage.setItem('code', 'hidden')")
    open_page(Watch(page, address), CHAPTER)
    page.evaluate(
        """() => {
            const cells = document.querySelectorAll(".cell > .cell_input .code-rest");
            cells[2].insertAdjacentHTML("beforeend", '<i id="inside">here</i>');
            const link = '<p><a id="to" href="#inside">a link</a></p>';
            document.querySelector("article").insertAdjacentHTML("afterbegin", link);
        }"""
    )
    assert not page.locator("#inside").is_visible()
    page.locator("#to").click()
    page.locator("#inside").wait_for(state="visible", timeout=2000)
    choose(page, "outlined")
    assert not page.locator("#inside").is_visible()
    page.locator("#to").click()  # the address is the same as before
    page.locator("#inside").wait_for(state="visible", timeout=2000)


def test_the_paragraph_in_view_stays(address: str, page: Page) -> None:
    open_page(Watch(page, address), OTHER)
    heading = page.locator("article h2").nth(4)
    heading.evaluate("node => window.scrollTo(0, node.offsetTop)")
    before = heading.evaluate("node => node.getBoundingClientRect().top")
    page.locator('.code-switch input[value="hidden"]').evaluate("radio => radio.click()")
    after = heading.evaluate("node => node.getBoundingClientRect().top")
    assert abs(after - before) < 60


def test_without_script_all_is_shown(address: str, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + CHAPTER)
    assert page.locator(".code-rest").first.is_visible()
    assert not page.locator(".code-switch").is_visible()
    context.close()


def test_pages_without_code_load_nothing_of_it(site: Path) -> None:
    assert "code.js" in (site / CHAPTER).read_text(encoding="utf-8")
    for name in ("index.html", "chapters/glossary.html", "chapters/ledger.html", "search.html"):
        text = (site / name).read_text(encoding="utf-8")
        assert not any(word in text for word in ("code.js", "code.css", "code-switch", '"code"'))
