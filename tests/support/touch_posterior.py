"""What a hand does on the figure posterior, and what is read off it."""

import numpy as np
import pytest
from playwright.sync_api import Locator, Page

from gmmlib import Mixture, e_step, log_gaussian
from touch_checks import (
    number,
    numbers,
    words,
)

WAITS = Mixture.univariate([0.36, 0.64], [54.6, 80.1], [34.4, 34.4])


def point(figure: Locator) -> Locator:
    return figure.get_by_role("slider", name="The point", exact=True)


def table(figure: Locator) -> list[list[float]]:
    """The rows, powers of ten written out."""
    rows: list[list[str]] = figure.locator("tbody tr").evaluate_all(
        """all => all.map((row) => [...row.querySelectorAll("td")].map((cell) =>
            cell.innerHTML.replace(/ · 10<sup>(.*)<\\/sup>/, "e$1")))"""
    )
    return [[number(cell) for cell in row if cell] for row in rows]


def check(figure: Locator, mixture: Mixture, x: float) -> None:
    """All that is said about the point."""
    g = np.exp(log_gaussian([x], mixture.means, mixture.covariances))[0]
    beta = e_step([x], mixture)[0][0]
    first, second, total = table(figure)
    for j, row in enumerate((first, second)):
        wanted = [mixture.weights[j], g[j], mixture.weights[j] * g[j], beta[j]]
        np.testing.assert_allclose(row[:3], wanted[:3], rtol=6e-3)
        assert row[3] == pytest.approx(wanted[3], abs=5.1e-4)
    assert total == pytest.approx([1, mixture.weights @ g, 1], rel=6e-3)
    owner = int(beta.argmax())
    said = words(figure).split("The point at ")[1]
    assert number(said) == pytest.approx(x, abs=1e-9)
    assert f"is component {owner + 1}’s with probability" in said
    assert ("more than 0.999" in said) == (beta[owner] > 0.9995)
    if beta[owner] < 0.9995:
        assert f"probability {beta[owner]:.3f}" in said
    near, far = np.abs(x - mixture.means.ravel())[[owner, 1 - owner]]
    assert ("although the mean" in said) == (far < near)


def says_all_about_the_point(page: Page, figure: Locator) -> None:
    """Where a finger has moved it."""
    at = numbers(point(figure).get_attribute("aria-valuetext") or "")[0]
    assert at > 75
    check(figure, WAITS, at)
