"""What a hand does on the figure one-iteration, and what is read off it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page

from touch_checks import button, click_at, drag, in_pixels, number, numbers

Pair = list[float] | NDArray[np.float64]


@dataclass(frozen=True)
class Shown:
    """The line of numbers below the pictures."""

    level: float
    bound: float
    gap: float
    step: float
    t: int


def shown(figure: Locator) -> Shown:
    level, bound, gap, step, t = numbers(figure.locator(".touch-l").inner_text())
    return Shown(level, bound, gap, step, int(t))


def theta(figure: Locator) -> Locator:
    return figure.get_by_role("slider", name="θ, the two means", exact=True)


def means(figure: Locator) -> list[float]:
    _, first, _, second = numbers(theta(figure).get_attribute("aria-valuetext") or "")
    return [first, second]


def data(figure: Locator) -> Locator:
    return figure.locator(".touch-data svg")


def plane(figure: Locator) -> Locator:
    return figure.locator(".touch-map svg")


def cut(figure: Locator) -> Locator:
    return figure.locator(".touch-cut svg")


def looked(figure: Locator) -> str:
    return figure.locator(".touch-looked").inner_text()


def place(figure: Locator, pair: Pair) -> tuple[float, float]:
    """On the landscape, in its pixels."""
    return in_pixels(plane(figure), pair)


def click(figure: Locator, pair: Pair) -> None:
    click_at(plane(figure), pair)


def tap_the_plane(page: Page, figure: Locator) -> None:
    """With a finger."""
    x, y = place(figure, [50, 85])
    plane(figure).tap(position={"x": x, "y": y})
    np.testing.assert_allclose(means(figure), [50, 85], atol=0.5)
    button(figure, "One iteration").tap()
    assert shown(figure).t == 1


def drag_to(page: Page, figure: Locator, pair: Pair) -> None:
    (x, y), (u, v) = place(figure, means(figure)), place(figure, pair)
    drag(page, theta(figure), u - x, v - y)


def rows(figure: Locator) -> list[list[float]]:
    cells = "rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent).join(' '))"
    return [numbers(text) for text in figure.locator("tbody tr").evaluate_all(cells)]


def along_x(svg: Locator) -> tuple[float, float]:
    """From pixels to data on x alone: a + b * pixel."""
    at: list[list[str]] = svg.locator(".touch-axes .touch-tick.middle").evaluate_all(
        "all => all.map((t) => [t.textContent, t.getAttribute('x')])"
    )
    (low, p), *_, (high, q) = [(number(text), float(x)) for text, x in at]
    slope = (high - low) / (q - p)
    return low - slope * p, slope
