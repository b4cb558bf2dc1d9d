"""What a hand does on the figure shapes, and what is read off it."""

import re

from playwright.sync_api import Locator

from touch_checks import number


def axis(figure: Locator, j: int) -> Locator:
    name = f"Long axis of component {j + 1}"
    return figure.get_by_role("slider", name=name, exact=True)


def table(figure: Locator) -> list[list[float]]:
    """Each component: volume, ratio, degrees, as it is and in the family; no angle: nan."""
    rows = []
    for row in figure.locator("tbody tr").all():
        texts = row.locator("td").all_inner_texts()
        rows.append([float("nan") if text == "any" else number(text) for text in texts])
    return rows


def misfit(words: str) -> float:
    """By how much it is above that of VVV, in the words."""
    found = re.search(r"The misfit is ([\d.]+) above", words)
    return float(found[1]) if found else 0.0
