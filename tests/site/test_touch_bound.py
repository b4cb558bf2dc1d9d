"""The bound of chapter 9, in a real browser."""

import re

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Locator

from gmmlib import Mixture, e_step, fit, m_step
from gmmlib.bound import kl_divergence, lower_bound
from site_checks import Watch
from touch_checks import (
    button,
    drag,
    never_falls,
    numbers,
    open_figure,
    press,
    reach,
    scales,
    words,
)
from website import figure_data

NAME = "bound"
PAGE = "chapters/09_why_it_climbs.html"
FIGURE = "fig-bounds-staircase"
X = figure_data.data_sets()["faithful"][:, 1]
FITTED = fit(X, Mixture.univariate([0.5, 0.5], [60, 65], [150, 150]), tol=None, max_iter=36).mixture
KINDS = {"mean": (83.0, 2), "variance": (260.0, 1), "weight": (0.95, 3)}


def at(kind: str, value: float) -> Mixture:
    """The fitted mixture with one parameter of its first component replaced."""
    weights, means, variances = FITTED.weights, FITTED.means.ravel(), FITTED.variances
    if kind == "mean":
        return Mixture.univariate(weights, [value, means[1]], variances)
    if kind == "variance":
        return Mixture.univariate(weights, means, [value, variances[1]])
    return Mixture.univariate([value, 1 - value], means, variances)


def top(kind: str, value: float) -> float:
    """Where EM goes from there, all other parameters held."""
    beta = e_step(X, at(kind, value))[0]
    if kind == "mean":
        return float(m_step(X, beta).means[0, 0])
    if kind == "weight":
        return float(m_step(X, beta).weights[0])
    return float(np.average((X - FITTED.means[0, 0]) ** 2, weights=beta[:, 0]))


def path(kind: str, start: float, steps: int) -> list[float]:
    values = [start]
    for _ in range(steps):
        values.append(top(kind, values[-1]))
    return values


def ell(kind: str, value: float) -> float:
    return at(kind, value).log_likelihood(X)


def bound(kind: str, laid: float, value: float) -> float:
    return lower_bound(X, e_step(X, at(kind, laid))[0], at(kind, value))


def shown(figure: Locator) -> list[float]:
    """ℓ, then the bound and the divergence where there is a bound, and the iteration."""
    return numbers(figure.locator(".touch-l").inner_text())


def handle(figure: Locator) -> Locator:
    return figure.get_by_role("slider", name="The parameter")


def here(figure: Locator) -> float:
    return numbers(handle(figure).get_attribute("aria-valuetext") or "")[0]


def drawn(figure: Locator, name: str) -> NDArray[np.float64]:
    """The points of a curve, in data."""
    d = figure.locator(f"path.{name}").get_attribute("d") or ""
    spots = np.array(re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", d), dtype=float)
    (a, b), (c, d_) = scales(figure.locator("svg.touch-svg"))
    return spots * [b, d_] + [a, c]


def rows(figure: Locator) -> list[list[float]]:
    cells = "rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent).join(' '))"
    return [numbers(text) for text in figure.locator("tbody tr").evaluate_all(cells)]


# --- what it computes ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_both_curves_are_the_library_s(watch: Watch, kind: str) -> None:
    start = KINDS[kind][0]
    for state, laid in (("h=1", start), ("h=3&close=1", top(kind, start))):
        figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?p={kind}&{state}")
        curve, lower = drawn(figure, "touch-ell"), drawn(figure, "touch-bound")
        tall = np.ptp(curve[:, 1])
        for value, height in curve[::20]:
            assert height == pytest.approx(ell(kind, value), abs=2e-3 * tall)
        inside = lower[lower[:, 1] > curve[:, 1].min() - tall]
        assert len(inside) > 40
        for value, height in inside[::10]:
            assert height == pytest.approx(bound(kind, laid, value), abs=2e-3 * tall)
        assert (lower[:, 1] <= curve[:, 1] + 1e-3 * tall).all()
        touch = np.argmin(curve[:, 1] - lower[:, 1])
        assert curve[touch, 0] == pytest.approx(laid, abs=0.06 * np.ptp(curve[:, 0]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_numbers_after_each_half_step(watch: Watch, kind: str) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?p={kind}")
    start, digits = KINDS[kind]
    values = path(kind, start, 3)
    assert here(figure) == start
    assert shown(figure) == [pytest.approx(ell(kind, start), abs=6e-5), 0]
    for t in range(3):
        press(figure, "E-step")
        value, low, gap, _, iteration = shown_with_bound(figure)
        assert iteration == t
        assert value == low == pytest.approx(ell(kind, values[t]), abs=6e-5)
        assert gap == 0
        assert "The gap is closed" in words(figure)
        press(figure, "M-step")
        value, low, gap, total, iteration = shown_with_bound(figure)
        assert iteration == t + 1
        assert here(figure) == pytest.approx(values[t + 1], abs=0.51 * 10**-digits)
        q, p = (e_step(X, at(kind, v))[0] for v in (values[t], values[t + 1]))
        assert value == pytest.approx(ell(kind, values[t + 1]), abs=6e-5)
        assert low == pytest.approx(lower_bound(X, q, at(kind, values[t + 1])), abs=6e-5)
        assert gap == pytest.approx(kl_divergence(q, p), abs=6e-5)
        assert total == pytest.approx(value, abs=1.6e-4)
        assert "M-step: to the top of the bound" in words(figure)
    figure.locator("summary").click()
    first, *table = rows(figure)
    assert first == [0, start, pytest.approx(ell(kind, start), abs=6e-5)]
    for t, (number, value, height, gain, gap) in enumerate(table, start=1):
        assert number == t
        assert value == pytest.approx(values[t], abs=0.51 * 10 ** -(digits + 2))
        assert height == pytest.approx(ell(kind, values[t]), abs=6e-5)
        before = ell(kind, values[t - 1])
        expected = bound(kind, values[t - 1], values[t]) - before
        assert gain == pytest.approx(expected, abs=6e-6)
        assert gain + gap == pytest.approx(height - before, abs=1e-4)


def shown_with_bound(figure: Locator) -> tuple[float, float, float, float, float]:
    value, low, gap, iteration = shown(figure)
    return value, low, gap, low + gap, iteration


def test_it_goes_the_way_of_the_chapter(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME)
    printed = [83.0, 79.645, 69.384, 59.377, 55.447, 54.733, 54.631, 54.617, 54.615]
    press(figure, *["One iteration"] * 8)
    figure.locator("summary").click()
    np.testing.assert_allclose([row[1] for row in rows(figure)], printed, atol=6e-4)
    # the colours of the bounds are those of the still picture: the k-th has colour k + 3
    press(figure, "Reset", "E-step")
    assert "c3" in (figure.locator("path.touch-bound").get_attribute("class") or "")
    press(figure, "M-step", "E-step")
    assert "c4" in (figure.locator("path.touch-bound").get_attribute("class") or "")
    assert figure.locator("path.touch-past").count() == 1


@pytest.mark.parametrize("kind", KINDS)
def test_it_never_falls_and_converges(watch: Watch, kind: str) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?p={kind}")
    seen = [shown(figure)[0]]
    for t in range(1, 21):
        press(figure, "One iteration")
        value, _, gap, iteration = shown(figure)
        seen.append(value)
        assert iteration == t
        assert gap >= 0
    assert not never_falls(seen, slack=1e-4)
    best = {
        "mean": FITTED.means[0, 0],
        "variance": FITTED.variances[0],
        "weight": FITTED.weights[0],
    }
    assert "Converged" in words(figure)
    # the top along one parameter is the fit itself, but for what 36 iterations left over
    assert here(figure) == pytest.approx(best[kind], abs=2 * 10 ** -KINDS[kind][1])
    assert seen[-1] == pytest.approx(FITTED.log_likelihood(X), abs=1e-3)


def test_the_gap_is_drawn_as_long_as_it_is(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?h=4")
    laid, now = path("mean", 83, 2)[1:]
    gap = ell("mean", now) - bound("mean", laid, now)
    _, (_, slope) = scales(figure.locator("svg.touch-svg"))
    x, y, low = numbers(figure.locator(".touch-gap").get_attribute("d") or "")
    assert low - y == pytest.approx(-gap / slope, rel=2e-3)
    assert figure.get_by_text(f"KL {gap:.0f}", exact=True).is_visible()
    ring = figure.locator(".touch-ring").evaluate("c => [c.cx.baseVal.value, c.cy.baseVal.value]")
    np.testing.assert_allclose(ring, [x, low], atol=0.1)
    press(figure, "E-step")
    _, y, low = numbers(figure.locator(".touch-gap").get_attribute("d") or "")
    assert low == pytest.approx(y, abs=0.01)


# --- what one does ------------------------------------------------------------------------------


def test_the_steps_in_words(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME)
    polite = figure.locator('.touch-words[aria-live="polite"]')
    assert "Press E-step" in polite.inner_text()
    press(figure, "M-step")
    assert "no bound yet" in polite.inner_text()
    assert shown(figure)[-1] == 0
    press(figure, "E-step")
    assert "touches ℓ at μ1 = 83.00" in polite.inner_text()
    press(figure, "E-step")
    assert "touches here already" in polite.inner_text()
    press(figure, "M-step")
    assert "μ1 = 79.6" in polite.inner_text()
    assert "ℓ rose by both together" in polite.inner_text()
    press(figure, "M-step")
    assert "this is the top of the bound" in polite.inner_text()
    assert shown(figure)[-1] == 1
    press(figure, "Reset")
    assert here(figure) == 83
    assert figure.locator("path.touch-bound").count() == 0


def test_the_parameter_is_dragged_and_the_bound_stays(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?at=60")
    press(figure, "E-step")
    curve = figure.locator("path.touch-bound")
    before = curve.get_attribute("d")
    drag(watch.page, handle(figure), 130, 40)
    assert here(figure) > 65
    assert curve.get_attribute("d") == before
    value, low, gap, _ = shown(figure)
    assert value == pytest.approx(ell("mean", here(figure)), abs=6e-5)
    assert low == pytest.approx(bound("mean", 60, here(figure)), abs=6e-5)
    assert gap == pytest.approx(value - low, abs=2e-4)
    assert gap > 1
    assert "the bound laid at 60.00 is" in words(figure)
    press(figure, "M-step")  # from here ℓ could fall
    assert "ℓ could fall" in words(figure)
    assert shown(figure)[-1] == 0
    press(figure, "E-step")
    assert curve.get_attribute("d") != before
    press(figure, "M-step")
    assert shown(figure)[-1] == 1


def test_by_keyboard_alone(watch: Watch) -> None:
    page = watch.page
    figure = open_figure(watch, PAGE, NAME)
    reach(page, figure.get_by_role("radio", name="mean"))
    page.keyboard.press("ArrowRight")
    assert figure.get_by_role("radio", name="variance").is_checked()
    assert here(figure) == 260
    page.keyboard.press("ArrowRight")
    assert here(figure) == 0.95
    close = figure.get_by_role("checkbox", name="close-up")
    reach(page, close)
    page.keyboard.press("Space")
    assert close.is_checked()
    page.keyboard.press("Space")
    reach(page, handle(figure))
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowRight")
    assert here(figure) == pytest.approx(0.95 - 9 * 0.0096, abs=0.003)
    assert "Press E-step" in words(figure)
    seen = [shown(figure)[0]]
    reach(page, button(figure, "E-step"))
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert shown(figure)[-1] == 1
    reach(page, button(figure, "One iteration"))
    for _ in range(20):
        page.keyboard.press("Enter")
        seen.append(shown(figure)[0])
    assert shown(figure)[-1] == 21
    assert not never_falls(seen, slack=1e-4)
    for name in ("Play", "Reset", "Copy link"):
        reach(page, button(figure, name))
    reach(page, figure.locator("summary"))
    page.keyboard.press("Enter")
    assert figure.locator("table").is_visible()
    assert figure.locator("tbody tr").count() == 22


def test_the_close_up_holds_the_bound_and_the_curve(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?h=8")
    assert figure.get_by_text("KL 4.00", exact=True).count() == 0  # too small to be read
    figure.get_by_role("checkbox", name="close-up").check()
    assert figure.get_by_text("KL 4.00", exact=True).is_visible()
    laid, now = path("mean", 83, 4)[3:]
    (a, b), _ = scales(figure.locator("svg.touch-svg"))
    box = figure.locator("svg.touch-svg").bounding_box()
    assert box
    for value in (laid, now):
        assert 0.1 < (value - a) / b / box["width"] < 0.95


# --- the address --------------------------------------------------------------------------------


# --- where it is seen ---------------------------------------------------------------------------
