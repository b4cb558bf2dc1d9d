"""What a reader does on a page that can run."""

import re

from playwright.sync_api import Locator, Page, expect

from run_here_site import PAGE
from site_checks import Watch, open_page


def run_button(page: Page) -> Locator:
    return page.get_by_role("button", name="Run this page")


def start(watch: Watch, path: str = PAGE) -> Page:
    """Open a page, and agree."""
    page = watch.page
    open_page(watch, path)
    run_button(page).click()
    page.get_by_role("button", name="Start", exact=True).click()
    return ready(page)


def load_again(page: Page) -> None:
    """The page was run before, and all that it needs is kept."""
    page.reload()
    run_button(page).click()
    expect(page.get_by_role("dialog")).to_contain_text("All that it needs is here already")
    page.get_by_role("button", name="Start", exact=True).click()


def ready(page: Page) -> Page:
    expect(page.locator(".run-bar .run-words").first).to_contain_text(
        re.compile(r"Ready\. Python 3\.")
    )
    return page


def words(page: Page) -> Locator:
    return page.locator(".run-bar .run-words")


def bar(page: Page, name: str) -> Locator:
    return page.locator(".run-bar").get_by_role("button", name=name)


def cell(page: Page, number: int) -> Locator:
    return page.locator("article div.cell").nth(number - 1)


def state(page: Page, number: int) -> Locator:
    return cell(page, number).locator(".run-state")


def run_cell(page: Page, number: int, wanted: str = "done") -> None:
    page.get_by_role("button", name=f"Run cell {number}", exact=True).click()
    expect(state(page, number)).to_contain_text(wanted)


def editor(page: Page, number: int) -> Locator:
    return page.get_by_role("textbox", name=f"Code of cell {number}", exact=True)


def write(page: Page, number: int, code: str) -> None:
    box = editor(page, number)
    box.scroll_into_view_if_needed()
    box.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(code)


def go(page: Page) -> None:
    """What the stand-in's wait() waits for."""
    page.evaluate("new BroadcastChannel('run-here-test').postMessage('go')")
