"""What a hand does on the figure worked-example, and what is read off it."""

from playwright.sync_api import Locator, Page

import site_checks
from touch_checks import (
    words,
)


def cell(figure: Locator, name: str) -> Locator:
    return figure.locator(f'[data-id="{name}"]')


def field(figure: Locator, name: str) -> Locator:
    return cell(figure, name).locator("input")


def shown(figure: Locator, name: str) -> str:
    """The number alone, without what the note prints."""
    button = cell(figure, name).locator("button")
    return str(button.evaluate("b => b.hidden ? '' : b.firstChild.textContent"))


def origin(figure: Locator) -> str:
    return str(figure.locator(".touch-origin").text_content())


def type_in(figure: Locator, name: str, text: str) -> None:
    field(figure, name).fill(text)
    field(figure, name).press("Enter")


def tap_the_sheet(page: Page, figure: Locator) -> None:
    """With a finger."""
    figure.get_by_role("button", name="One epoch").tap()
    cell(figure, "b12").tap()
    assert origin(figure).startswith("β21 = ")
    # the formula is in sight, wherever the table is
    formula = figure.locator(".touch-formula").bounding_box()
    assert formula
    assert 0 < formula["y"] < site_checks.NARROW["height"] - formula["height"]
    field(figure, "x2").tap()
    field(figure, "x2").fill("0.5")
    field(figure, "x2").blur()
    assert "x2 is 0.5 now" in words(figure)
    # and so is a complaint
    field(figure, "x1").fill("much")
    field(figure, "x1").blur()
    message = figure.locator(".touch-complaint").bounding_box()
    assert message
    assert 0 < message["y"] < site_checks.NARROW["height"] - message["height"]
