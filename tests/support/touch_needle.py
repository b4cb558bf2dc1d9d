"""What a hand does on the figure needle, and what is read off it."""

import re
from typing import Any

from playwright.sync_api import Locator

from touch_checks import numbers

RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def in_powers(text: str) -> float:
    """``0.0203``, ``10⁻⁶`` or ``2.4 · 10⁻⁷``."""
    *factor, last = text.replace("\u00a0", " ").split(" · ")
    if not re.match("10[⁻⁰-⁹¹²³]", last):
        return float(last)
    return float(factor[0] if factor else 1) * 10.0 ** int(last[2:].translate(RAISED))


def middle(figure: Locator) -> Locator:
    return figure.get_by_role("slider", name="Mean of component 1", exact=True)


def sigma(figure: Locator) -> Locator:
    return figure.get_by_role("slider", name="Standard deviation of component 1")


def shown(figure: Locator) -> dict[str, Any]:
    """The line of numbers below the figure."""
    line = figure.locator(".touch-l").inner_text().replace("\n", "")
    head, *parts = line.split(", ")
    level, t = numbers(head)
    named = dict(part.split(" = ") for part in parts if " = " in part)
    return {
        "l": level,
        "t": int(t),
        "healthy": numbers(parts[0])[0],
        "sigma": [in_powers(named["σ1"]), in_powers(named["σ2"])],
        "N": float(named["N1"]),
    }
