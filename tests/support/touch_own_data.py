"""What a hand does with the reader's own points in a figure, and what is read off it."""

from dataclasses import dataclass
from urllib.parse import parse_qs

from playwright.sync_api import Locator, Page

import touch_em_plane
from touch_checks import button, numbers, settle


@dataclass(frozen=True)
class Figure:
    name: str
    path: str
    own: str  # the address at which it shows the reader's own points
    plot: int  # which of its plots has them
    dimension: int

    def at(self, points: str, more: str = "") -> str:
        return f"{self.own}&own={points}{more}"


EM_PLANE = Figure("em-plane", "index.html", f"{touch_em_plane.FIGURE}?data=own", 0, 2)
BASINS = Figure("basins", "chapters/12_where_it_starts.html", "fig-start-map?data=own", 1, 1)
NEEDLE = Figure("needle", "chapters/13_likelihood_breaks.html", "fig-needle-rate?of=own", 0, 1)
FIGURES = (EM_PLANE, BASINS, NEEDLE)


def held(page: Page) -> list[list[float]]:
    """The points that the address holds."""
    settle(page)
    text = parse_qs(page.url.split("?", 1)[1]).get("own", [""])[0]
    return [[float(value) for value in row.split(",")] for row in text.split(";") if row]


def plot(figure: Locator, about: Figure) -> Locator:
    return figure.locator("svg.touch-svg").nth(about.plot)


def place(figure: Locator, about: Figure, across: float, up: float) -> tuple[float, float]:
    """In pixels of the plot, from shares of its frame; on the line beside the axis."""
    frame = plot(figure, about).locator(".touch-frame").first.get_attribute("d") or ""
    left, top, bottom, right = numbers(frame)
    low = bottom - 8 if about.dimension == 1 else bottom - up * (bottom - top)
    return left + across * (right - left), low


def click(figure: Locator, about: Figure, across: float, up: float = 0.5) -> None:
    x, y = place(figure, about, across, up)
    plot(figure, about).click(position={"x": x, "y": y})


def chosen(figure: Locator) -> Locator:
    return figure.get_by_role("slider", name="Chosen point", exact=True)


def table(figure: Locator) -> Locator:
    return figure.get_by_role("textbox", name="Table or CSV")


def paste(figure: Locator, text: str) -> None:
    details = figure.locator(".touch-own details")
    if details.get_attribute("open") is None:
        details.locator("summary").click()
    table(figure).fill(text)
    button(figure, "Use these numbers").click()


def clear(page: Page, figure: Locator) -> None:
    details = figure.locator(".touch-own details")
    details.locator("summary").click()
    button(figure, "Clear").click()
    details.locator("summary").click()


def complaint(figure: Locator) -> str:
    return figure.locator(".touch-own .touch-complaint").inner_text()
