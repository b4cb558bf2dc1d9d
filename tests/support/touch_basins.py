"""What a hand does on the figure basins, and what is read off it."""

from typing import Any

from playwright.sync_api import Locator

from touch_checks import numbers


def start(figure: Locator) -> Locator:
    return figure.get_by_role("slider", name="Start: the two means", exact=True)


def shown(figure: Locator) -> dict[str, Any]:
    """The line of numbers below the figure."""
    line = figure.locator(".touch-l").inner_text().replace("\n", "")
    head, *parts = line.split(", ")
    level, t, last = numbers(head)
    values = [numbers(part)[-1] for part in parts]
    return {"l": level, "t": int(t), "last": int(last), "means": values[:2], "sd": values[2:]}


def summits(figure: Locator) -> dict[str, list[float]]:
    """Each row: the height, two weights, two means, two deviations, the share in percent."""
    found = {}
    for row in figure.locator("tbody tr").all():
        cells = " ".join(row.locator("td").all_inner_texts())
        found[row.locator("th").inner_text().strip()] = numbers(cells)
    return found
