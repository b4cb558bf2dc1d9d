"""What a hand does on the figure build-mixture, and what is read off it."""

from playwright.sync_api import Locator

from touch_checks import (
    numbers,
)


def shown(figure: Locator) -> dict[str, list[float]]:
    """The parameters beside their sliders."""
    rows = figure.locator(".touch-parameters > div:visible").all()
    values = [numbers(" ".join(row.locator("output").all_inner_texts())) for row in rows]
    kinds = ("weights", "means", "deviations")
    return {kind: [row[i] for row in values] for i, kind in enumerate(kinds)}
