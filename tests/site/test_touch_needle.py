"""Break it: the needle of chapter 13, in a real browser."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gmmlib import CollapseError, Mixture, e_step, fit, m_step, priors
from site_checks import Watch
from touch_checks import (
    button,
    control_problems,
    drag,
    number,
    numbers,
    open_figure,
    press,
    put,
    reach,
    words,
)
from touch_needle import in_powers, middle, shown, sigma
from website import figure_data

NAME = "needle"
PAGE = "chapters/13_likelihood_breaks.html"
FIGURE = "fig-needle-rate"
ESL = figure_data.data_sets()["esl"]
ROUNDED = np.floor(ESL + 0.5)
Step = Callable[[NDArray[np.float64], NDArray[np.float64], float], Mixture]


def started(x: NDArray[np.float64], mean: float, deviation: float) -> Mixture:
    return Mixture.univariate([0.5, 0.5], [mean, x.mean()], [deviation**2, x.var()])


def ridge(x: NDArray[np.float64], beta: NDArray[np.float64], epsilon: float) -> Mixture:
    free = moments(x, beta)
    return Mixture.univariate(free[0] / len(x), free[1], free[2] + epsilon)


def bound(x: NDArray[np.float64], beta: NDArray[np.float64], c: float) -> Mixture:
    N, means, v = moments(x, beta)
    narrow, wide = np.argsort(v)
    if v[narrow] < c**2 * v[wide]:
        v[wide] = (N[narrow] * v[narrow] / c**2 + N[wide] * v[wide]) / len(x)
        v[narrow] = c**2 * v[wide]
    return Mixture.univariate(N / len(x), means, v)


def prior(x: NDArray[np.float64], beta: NDArray[np.float64], factor: float) -> Mixture:
    usual = priors.Prior.default(x, n_components=2)
    scaled = priors.Prior(usual.mean, usual.shrinkage, factor * usual.scale, usual.dof)
    return priors.m_step(x, beta, scaled)


def moments(x: NDArray[np.float64], beta: NDArray[np.float64]) -> Any:
    N = beta.sum(axis=0)
    means = x @ beta / N
    return N, means, np.array([beta[:, j] @ (x - means[j]) ** 2 for j in (0, 1)]) / N


# --- what it computes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "x", "mean", "deviation"),
    [
        ("", ESL, -0.39, 0.1),
        ("?s=-6", ESL, -0.39, 1e-6),
        ("?m=2.1&s=-2", ESL, 2.1, 0.01),
        ("?of=rounded&s=0.5", ROUNDED, 1, 10**0.5),
    ],
)
def test_it_starts_as_the_chapter_does(
    watch: Watch, state: str, x: NDArray[np.float64], mean: float, deviation: float
) -> None:
    figure = open_figure(watch, PAGE, NAME, state and FIGURE + state)
    mixture = started(x, mean, deviation)
    healthy = fit(x, Mixture.univariate([0.5, 0.5], [1, 5], [1, 1]))
    seen = shown(figure)
    assert seen["l"] == pytest.approx(mixture.log_likelihood(x), abs=5.1e-3)
    assert seen["healthy"] == pytest.approx(healthy.log_likelihood, abs=5.1e-3)
    np.testing.assert_allclose(seen["sigma"], np.sqrt(mixture.variances), rtol=6e-3)
    assert seen["N"] == 10


def test_the_rate_and_where_it_passes_the_healthy_fit(watch: Watch) -> None:
    for state, x, mean, count in (("", ESL, -0.39, 1), ("?of=rounded&s=-4", ROUNDED, 1, 2)):
        figure = open_figure(watch, PAGE, NAME, state and FIGURE + state)
        said = words(figure)
        assert f"every factor of ten adds {count * np.log(10):.2f} to" in said
        assert said.startswith("Component 1 at") == (count > 0)
        assert ("On 2 equal points" in said) == (count == 2)
        width = said.split("passes the healthy fit at ")[1].rstrip(".")
        healthy = fit(x, Mixture.univariate([0.5, 0.5], [1, 5], [1, 1])).log_likelihood
        reached = started(x, mean, in_powers(width)).log_likelihood(x)
        assert reached == pytest.approx(healthy, abs=0.05 * count)
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?m=2.1&s=-2")
    assert "The nearest point is 0.30 away" in words(figure)


@pytest.mark.parametrize(
    ("remedy", "step", "exponent"),
    [
        ("ridge", ridge, -6),
        ("ridge", ridge, -2),
        ("ridge", ridge, 0),
        ("bound", bound, -3),
        ("bound", bound, -1),
        ("bound", bound, 0),
        ("prior", prior, -3),
        ("prior", prior, 0),
        ("prior", prior, 1),
    ],
)
def test_with_a_remedy_it_goes_where_gmmlib_goes(
    watch: Watch, remedy: str, step: Step, exponent: int
) -> None:
    """The rows of the chapter's table, from the narrow start."""
    now, path = started(ESL, -0.39, 0.1), []
    for _ in range(150):
        now = step(ESL, e_step(ESL, now)[0], 10.0**exponent)
        path.append(now)
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?r={remedy}&e={exponent}")
    for t in (1, 2, 5):
        open_figure(watch, PAGE, NAME, f"{FIGURE}?r={remedy}&e={exponent}&t={t}")
        if shown(figure)["t"] == t:
            _same(figure, path[t - 1])
    open_figure(watch, PAGE, NAME, f"{FIGURE}?r={remedy}&e={exponent}&t=150")
    _same(figure, now)
    on_it = ESL.size * now.weights[0] < 3.5
    assert ("on the needle" in words(figure)) == on_it
    better = now.log_likelihood(ESL) > -38.913 + 0.005
    assert ("a result that only looks good" in words(figure)) == (on_it and better)


def _same(figure: Any, mixture: Mixture) -> None:
    seen = shown(figure)
    assert seen["l"] == pytest.approx(mixture.log_likelihood(ESL), abs=6e-3)
    np.testing.assert_allclose(seen["sigma"], np.sqrt(mixture.variances), rtol=0.02)
    assert seen["N"] == pytest.approx(20 * mixture.weights[0], abs=0.051)


def test_without_one_it_breaks_where_gmmlib_breaks(watch: Watch) -> None:
    start = started(ESL, -0.39, 0.1)
    with pytest.raises(CollapseError) as broken:
        fit(ESL, start)
    figure = open_figure(watch, PAGE, NAME)
    press(figure, "One iteration")
    _same(figure, m_step(ESL, e_step(ESL, start)[0]))
    assert "It broke." in words(figure)
    assert shown(figure)["t"] + 1 == broken.value.step
    press(figure, "One iteration")
    assert "There is no next mixture" in words(figure)
    assert shown(figure)["t"] == 1
    press(figure, "Back to the start")
    assert shown(figure)["t"] == 0


def test_the_curve_is_the_likelihood_along_the_width(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?s=-3")
    plot = figure.locator("svg").nth(1)
    ticks = plot.locator(".touch-tick.end").evaluate_all(
        "all => all.map((t) => [t.textContent, Number(t.getAttribute('y')) - 4])"
    )
    (a, pa), *_, (b, pb) = [(number(text), pixel) for text, pixel in ticks]
    powers = plot.locator(".touch-axes .touch-tick.middle").evaluate_all(
        "all => all.map((t) => [t.textContent, Number(t.getAttribute('x'))])"
    )
    (first, left), *_, (last, right) = [(in_powers(text), x) for text, x in powers]
    way = plot.locator(".touch-curve.plain").get_attribute("d")
    xy = np.array(numbers(way or "")).reshape(-1, 2)[::20]
    low, high = np.log10(first), np.log10(last)
    widths = 10 ** (low + (xy[:, 0] - left) / (right - left) * (high - low))
    wanted = [started(ESL, -0.39, width).log_likelihood(ESL) for width in widths]
    np.testing.assert_allclose(a + (xy[:, 1] - pa) / (pb - pa) * (b - a), wanted, atol=0.1)


# --- what one does ------------------------------------------------------------------------------


def test_the_width_and_the_mean_are_moved(watch: Watch) -> None:
    page, figure = watch.page, open_figure(watch, PAGE, NAME)
    drag(page, sigma(figure), 120, 30)
    width = in_powers(sigma(figure).get_attribute("aria-valuetext") or "")
    assert 1e-4 < width < 1e-2
    seen = shown(figure)
    expected = started(ESL, -0.39, width).log_likelihood(ESL)
    assert seen["l"] == pytest.approx(expected, abs=0.06)  # the width is shown with two digits
    drag(page, middle(figure), 150, 0)
    at = number(middle(figure).get_attribute("aria-valuetext") or "")
    assert 1 < at < 3
    assert f"Component 1 at {at:.2f}" in words(figure)
    on_point = bool(np.abs(ESL - at).min() < 1e-9)
    assert ("It sits on a point" in words(figure)) == on_point


# --- the reader's own numbers -------------------------------------------------------------------

OWN = np.array([2.5, 3.1, 3.3, 4.0, 7.2, 7.9, 8.4, 8.8, 9.1])


@pytest.mark.parametrize("scale", [1.0, 1e9, 1e-9])
def test_own_numbers_are_computed_as_gmmlib_does(watch: Watch, scale: float) -> None:
    x = OWN * scale
    points = ";".join(f"{v:.10g}" for v in x)
    exponent = round(float(np.log10(x.std() / 2)))
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?of=own&own={points}")
    mixture = started(x, x[0], 10.0 ** (exponent - 1))
    seen = shown(figure)
    assert seen["l"] == pytest.approx(mixture.log_likelihood(x), abs=5.1e-3)
    np.testing.assert_allclose(seen["sigma"], np.sqrt(mixture.variances), rtol=0.05)
    sd = x.std()
    pair = Mixture.univariate(
        [0.5, 0.5], [x.mean() - 0.8 * sd, x.mean() + 0.8 * sd], [x.var() / 4] * 2
    )
    assert seen["healthy"] == pytest.approx(fit(x, pair).log_likelihood, abs=5.1e-3)
    assert f"every factor of ten adds {np.log(10):.2f} to" in words(figure)
    width = in_powers(words(figure).split("passes the healthy fit at ")[1].rstrip("."))
    reached = started(x, x[0], width).log_likelihood(x)
    assert reached == pytest.approx(seen["healthy"], abs=0.06)
    for remedy, step, strength in (("ridge", ridge, -2), ("bound", bound, -1), ("prior", prior, 0)):
        state = f"{FIGURE}?of=own&own={points}&r={remedy}&e={strength}&t=3"
        open_figure(watch, PAGE, NAME, state)
        now = mixture
        for _ in range(3):
            size = 10.0**strength * (10.0 ** (2 * exponent) if remedy == "ridge" else 1)
            now = step(x, e_step(x, now)[0], size)
        assert shown(figure)["l"] == pytest.approx(now.log_likelihood(x), abs=6e-3)


def test_the_needle_stays_on_its_point(watch: Watch) -> None:
    points = ";".join(map(str, OWN))
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?of=own&own={points}&edit=1")
    chosen = figure.get_by_role("slider", name="Chosen point", exact=True)
    chosen.focus()
    watch.page.keyboard.press("Shift+ArrowLeft")
    at = number(middle(figure).get_attribute("aria-valuetext") or "")
    assert at < 2.5
    assert "on a point" in (middle(figure).get_attribute("aria-valuetext") or "")


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ("", "There are no numbers yet."),
        ("3", "All numbers are the same."),
        ("3;3;3", "All numbers are the same."),
    ],
)
def test_numbers_that_cannot_break(watch: Watch, points: str, said: str) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?of=own&own={points}&r=ridge&t=3&m=5")
    for name in ("", "One iteration", "Play", "Back to the start", "Reset"):
        if name:
            press(figure, name)
        assert words(figure).startswith(said)
        assert not control_problems(figure)


def test_by_keyboard_alone(watch: Watch) -> None:
    page, figure = watch.page, open_figure(watch, PAGE, NAME)
    reach(page, middle(figure))
    page.keyboard.press("ArrowRight")
    assert "The nearest point is" in words(figure)
    page.keyboard.press("ArrowLeft")
    assert "It sits on a point" in words(figure)  # one that is near enough takes it
    reach(page, sigma(figure))
    page.keyboard.press("Shift+ArrowRight")
    assert sigma(figure).get_attribute("aria-valuetext") == "0.0100"
    ridges = figure.get_by_role("radio", name="none", exact=True)
    reach(page, ridges)
    page.keyboard.press("ArrowRight")
    assert words(figure).startswith("A ridge: ε = 0.0100 is added to each variance")
    strength = figure.get_by_role("slider", name="strength")
    reach(page, strength)
    page.keyboard.press("ArrowLeft")
    assert re.search(r"ε = 0\.00316 is added", words(figure))
    reach(page, button(figure, "One iteration"))
    page.keyboard.press("Enter")
    assert shown(figure)["t"] == 1
    reach(page, button(figure, "Reset"))
    page.keyboard.press("Enter")
    assert shown(figure)["l"] == pytest.approx(-51.83)


def test_the_strength_is_asked_for_with_a_remedy_only(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME)
    strength = figure.get_by_role("slider", name="strength")
    assert not strength.is_visible()
    figure.get_by_role("radio", name="prior").check(force=True)
    assert strength.is_visible()
    put(strength, 1)
    assert "A prior: 10.0 times the usual scale" in words(figure)
