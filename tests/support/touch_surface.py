"""What a hand does on the figure surface, and what is read off it."""

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page

from touch_checks import (
    button,
    click_at,
    in_pixels,
    numbers,
)

Pair = list[float] | NDArray[np.float64]


def shown(figure: Locator) -> tuple[float, int, list[float]]:
    """ℓ, the iteration and the two means."""
    value, iteration, _, first, _, second = numbers(figure.locator(".touch-l").inner_text())
    return value, int(iteration), [first, second]


def start(figure: Locator) -> Locator:
    return figure.get_by_role("slider", name="Start of the walk: the two means")


def started(figure: Locator) -> list[float]:
    _, first, _, second = numbers(start(figure).get_attribute("aria-valuetext") or "")
    return [first, second]


def plane(figure: Locator) -> Locator:
    return figure.locator("svg.touch-svg").first


def place(figure: Locator, means: Pair) -> tuple[float, float]:
    """On the plane, in its pixels."""
    return in_pixels(plane(figure), means)


def click(figure: Locator, means: Pair) -> None:
    click_at(plane(figure), means)


def tap_the_plane(page: Page, figure: Locator) -> None:
    """With a finger."""
    x, y = place(figure, [6, 2.5])
    plane(figure).tap(position={"x": x, "y": y})
    np.testing.assert_allclose(started(figure), [6, 2.5], atol=0.06)
    button(figure, "One iteration").tap()
    assert shown(figure)[1] == 1
