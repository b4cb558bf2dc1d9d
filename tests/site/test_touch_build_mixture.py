"""Build a mixture: the figure of chapter 1, in a real browser."""

import numpy as np
import pytest
from playwright.sync_api import Locator

import js_fixtures
import site_checks
from gmmlib import Mixture
from site_checks import Watch
from touch_build_mixture import shown
from touch_checks import (
    drag,
    numbers,
    open_figure,
    put,
    reach,
    slider,
    words,
)

NAME = "build-mixture"
PAGE = "chapters/01_why_mixtures.html"
FIGURE = "fig-two-humps"
COUNTS = ("One mode", "Two modes", "Three modes")
STATES: dict[str, tuple[str, list[float], list[float], list[float]]] = {
    "the start": ("", [0.5, 0.5], [-0.75, 0.75], [1, 1]),
    "one bell": ("?k=1&m=1.5&s=0.5", [1], [1.5], [0.5]),
    "chapter 1's three": ("?k=3", [0.5, 0.3, 0.2], [-2, 1, 4], [1, 0.5, 2]),
    "unequal": ("?a=0.9,0.1&m=-1,3&s=1,0.4", [0.9, 0.1], [-1, 3], [1, 0.4]),
    "one place, two widths": ("?a=0.7,0.3&m=1,1&s=0.5,2", [0.7, 0.3], [1, 1], [0.5, 2]),
    "three as two": (
        "?k=3&a=0.2,0.4,0.4&m=3,-2,2.2&s=1,1,0.8", [0.2, 0.4, 0.4], [3, -2, 2.2], [1, 1, 0.8]
    ),
}  # fmt: skip


def sums(figure: Locator) -> list[str]:
    return figure.locator(".touch-sums div").all_inner_texts()


def bell(figure: Locator, j: int) -> Locator:
    """What moves its mean in the plot."""
    return figure.get_by_role("slider", name=f"Mean of component {j}", exact=True)


def mixture(weights: list[float], means: list[float], deviations: list[float]) -> Mixture:
    return Mixture.univariate(weights, means, np.square(deviations))


def modes(mixture: Mixture, step: float = 1e-3) -> np.ndarray:
    grid = np.arange(-9, 9, step)
    p = mixture.log_density(grid)
    return grid[1:-1][(p[1:-1] > p[:-2]) & (p[1:-1] >= p[2:])]


def border(weights: list[float], deviations: list[float], shape: list[float], wanted: int) -> float:
    """By bisection, as exercise 4 of the chapter does it; shape has the means for a gap of 1."""
    low, high = 0.0, 9.0
    for _ in range(14):
        middle = (low + high) / 2
        scaled = (np.array(shape) - 0.5) * middle
        found = len(modes(mixture(weights, scaled.tolist(), deviations)))
        low, high = (low, middle) if found >= wanted else (middle, high)
    return high


def draws(
    weights: list[float], means: list[float], deviations: list[float], n: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """The sample of em.js, a second time."""
    uniform = js_fixtures.mulberry32(seed)
    X, labels = [], []
    for _ in range(n):
        j = int(np.searchsorted(np.cumsum(weights)[:-1], uniform(), side="right"))
        radius = np.sqrt(-2 * np.log(1 - uniform()))
        X.append(means[j] + deviations[j] * radius * np.cos(2 * np.pi * uniform()))
        labels.append(j)
    return np.array(X), np.array(labels)


# --- what it computes ---------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_the_numbers_are_gmmlibs(watch: Watch, state: str) -> None:
    address, weights, means, deviations = STATES[state]
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}{address or '?'}")
    assert shown(figure) == {"weights": weights, "means": means, "deviations": deviations}
    truth = mixture(weights, means, deviations)
    peaks = modes(truth)
    said = words(figure)
    assert said.startswith(COUNTS[len(peaks) - 1])
    np.testing.assert_allclose(numbers(said)[: len(peaks)], peaks, atol=6e-3)
    first, second = sums(figure)
    mean = truth.weights @ truth.means.ravel()
    within = truth.weights @ truth.variances
    between = truth.weights @ (truth.means.ravel() - mean) ** 2
    wanted = [mean, within, between, within + between] if len(weights) > 1 else [mean, within]
    np.testing.assert_allclose(numbers(first), wanted, atol=5.1e-3)
    X, _ = draws(weights, means, deviations, 200, 1)
    np.testing.assert_allclose(numbers(second), [X.mean(), X.var()], atol=5.1e-3)


def test_the_curves_and_the_modes_are_where_they_belong(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?k=3&n=0")
    _, weights, means, deviations = STATES["chapter 1's three"]
    truth = mixture(weights, means, deviations)
    plot = figure.locator("svg").first
    ticks = plot.evaluate(
        """svg => Object.fromEntries([..."xy"].map((way) => [way,
            [...svg.querySelectorAll(`.touch-tick.${way === "x" ? "middle" : "end"}`)]
                .map((t) => [Number(t.textContent.replace("−", "-")),
                    Number(t.getAttribute(way)) - (way === "y" ? 4 : 0)])]))"""
    )
    (a, pa), *_, (b, pb) = ticks["x"]
    (c, pc), *_, (d, pd) = ticks["y"]

    def data(path: str) -> np.ndarray:
        xy = np.array(numbers(path)).reshape(-1, 2)
        x = a + (xy[:, 0] - pa) / (pb - pa) * (b - a)
        return np.column_stack([x, c + (xy[:, 1] - pc) / (pd - pc) * (d - c)])

    curves = plot.locator(".touch-curve").evaluate_all("all => all.map((c) => c.getAttribute('d'))")
    layers = np.exp(truth.log_joint(data(curves[0])[:, 0]))
    for path, wanted in zip(curves, [*layers.T, layers.sum(axis=1)], strict=True):
        np.testing.assert_allclose(data(path)[:, 1], wanted, atol=2e-3)
    tips = plot.locator(".touch-mode").evaluate_all(
        "all => all.map((m) => m.getAttribute('d').split('l')[0])"
    )
    np.testing.assert_allclose([data(tip)[0, 0] for tip in tips], modes(truth), atol=0.03)


@pytest.mark.parametrize("weight", [0.5, 0.6, 0.75, 0.9])
def test_it_says_when_the_second_mode_appears(watch: Watch, weight: float) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?a={weight},{1 - weight:.2f}")
    wanted = border([weight, 1 - weight], [1, 1], [0, 1], 2)  # 2.00, 2.44, 2.84, 3.31
    assert words(figure).startswith("One mode")
    assert f"appears beyond {wanted:.2f}" in words(figure)
    below, above = np.floor(20 * wanted - 0.1) / 20, np.ceil(20 * wanted + 0.1) / 20
    gap = slider(figure, "Gap of the means")
    put(gap, below)
    assert words(figure).startswith("One mode")
    put(gap, above)
    assert words(figure).startswith("Two modes")
    assert f"gap of the means is {above:.2f}" in words(figure)
    assert f"appeared at {wanted:.2f}" in words(figure)
    assert figure.locator(".touch-mode").count() == 2
    put(gap, below)
    assert words(figure).startswith("One mode")


def test_with_three_bells_it_says_when_each_mode_appears(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?k=3")
    _, weights, _, deviations = STATES["chapter 1's three"]
    second, third = (border(weights, deviations, [0, 0.5, 1], n) for n in (2, 3))
    assert f"second mode appeared at {second:.2f}, the third at {third:.2f}." in words(figure)
    gap = slider(figure, "Gap of the means")
    put(gap, 3.5)
    assert words(figure).startswith("Two modes")
    assert f"appeared at {second:.2f}; the third appears beyond {third:.2f}." in words(figure)
    put(gap, 0)
    assert words(figure).startswith("One mode, at 1.00")
    assert f"appears beyond {second:.2f}." in words(figure)
    put(gap, 6)
    assert shown(figure)["means"] == [-2, 1, 4]  # there and back


def test_weights_sum_to_one(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?k=3")
    rng = np.random.default_rng(2)
    for _ in range(40):
        j, value = int(rng.integers(3)), float(rng.integers(1, 99)) / 100
        put(slider(figure, f"α{j + 1}"), value)
        weights = shown(figure)["weights"]
        assert weights[j] == value
        assert min(weights) >= 0.01
        assert round(sum(weights), 6) == 1
    # what rounding leaves is given to the others
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?k=3&a=0.5,0.25,0.25")
    put(slider(figure, "α1"), 0.97)
    assert shown(figure)["weights"] == [0.97, 0.01, 0.02]
    # a way and its way back: the others keep their ratio
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?k=3")
    put(slider(figure, "α1"), 0.98)
    assert shown(figure)["weights"] == [0.98, 0.01, 0.01]
    put(slider(figure, "α1"), 0.5)
    assert shown(figure)["weights"] == [0.5, 0.3, 0.2]


def test_the_sample(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?k=3&labels=1")
    parameters = STATES["chapter 1's three"][1:]
    X, labels = draws(*parameters, 200, 1)
    dots = figure.locator(".touch-points circle")
    assert dots.count() == 200
    places = np.array(
        dots.evaluate_all("all => all.map((c) => [c.cx.baseVal.value, c.cy.baseVal.value])")
    )
    assert np.corrcoef(places[:, 0], X)[0, 1] > 0.999999
    rows = [places[labels == j, 1] for j in range(3)]  # not by colour alone
    assert rows[0].max() < rows[1].min() < rows[1].max() < rows[2].min()
    fills = np.array(dots.evaluate_all("all => all.map((c) => c.style.fill)"))
    assert len(set(zip(fills, labels, strict=True))) == 3
    figure.get_by_text("Show the labels").click()
    assert "as in real data" in words(figure)
    assert set(dots.evaluate_all("all => all.map((c) => c.style.fill)")) == {""}
    bars = figure.locator(".touch-bar")
    heights = np.array(bars.evaluate_all("all => all.map((b) => b.height.baseVal.value)"))
    wanted = np.histogram(X, np.arange(-8, 8.1, 0.5))[0]
    np.testing.assert_allclose(
        heights[heights > 0] / heights.sum(), wanted[wanted > 0] / wanted.sum(), atol=1e-6
    )
    before = sums(figure)[1]
    figure.get_by_role("button", name="New sample").click()
    assert sums(figure)[1] != before
    X, _ = draws(*parameters, 200, 2)
    assert f"A new sample of 200. Sample: mean {X.mean():.2f}" in words(figure).replace("−", "-")
    figure.get_by_role("radio", name="1000").check(force=True)
    assert dots.count() == 1000
    figure.get_by_role("radio", name="none").check(force=True)
    assert dots.count() == 0
    assert sums(figure)[1] == ""


# --- what one does ------------------------------------------------------------------------------


def test_a_slider_and_a_mean_are_dragged_with_the_mouse(watch: Watch) -> None:
    page = watch.page
    figure = open_figure(watch, PAGE, NAME)
    gap = slider(figure, "Gap of the means")
    gap.scroll_into_view_if_needed()
    box = gap.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8 + 1.5 / 12 * (box["width"] - 16), y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.3 * box["width"], y, steps=4)
    # what passes by under the hand is not read out
    assert figure.locator(".touch-words").get_attribute("aria-live") == "off"
    page.mouse.up()
    assert figure.locator(".touch-words").get_attribute("aria-live") == "polite"
    low, high = shown(figure)["means"]
    assert 3 < high - low < 4.2
    assert high + low == pytest.approx(0, abs=0.051)
    assert words(figure).startswith("Two modes")
    drag(page, bell(figure, 2), 60, 0)
    assert figure.locator(".touch-words").get_attribute("aria-live") == "polite"
    after = shown(figure)["means"]
    assert after[0] == low
    assert after[1] > high + 1
    assert f"gap of the means is {after[1] - low:.2f}" in words(figure)


def test_by_keyboard_alone(watch: Watch) -> None:
    page = watch.page
    figure = open_figure(watch, PAGE, NAME)
    reach(page, figure.get_by_role("radio", name="2").first)
    page.keyboard.press("ArrowRight")
    assert len(shown(figure)["means"]) == 3
    page.keyboard.press("ArrowLeft")
    assert len(shown(figure)["means"]) == 2
    handle = bell(figure, 2)
    reach(page, handle)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert shown(figure)["means"] == [-0.75, 1.2]
    assert handle.get_attribute("aria-valuetext") == "1.20"
    gap = slider(figure, "Gap of the means")
    reach(page, gap)
    page.keyboard.press("ArrowRight")
    assert words(figure).startswith("One mode")
    page.keyboard.press("ArrowRight")
    assert words(figure).startswith("Two modes")
    assert gap.get_attribute("aria-valuetext") == "2.05"
    weight = slider(figure, "α1, weight of component 1")
    reach(page, weight)
    page.keyboard.press("Home")
    assert shown(figure)["weights"] == [0.01, 0.99]
    width = slider(figure, "σ2, standard deviation of component 2")
    reach(page, width)
    page.keyboard.press("ArrowRight")
    assert shown(figure)["deviations"] == [1, 1.05]
    for name in ("New sample", "Reset"):
        reach(page, figure.get_by_role("button", name=name))
    page.keyboard.press("Enter")
    assert shown(figure)["means"] == [-0.75, 0.75]


# --- the address --------------------------------------------------------------------------------


# --- where it is seen ---------------------------------------------------------------------------


def test_on_a_phone_the_bells_are_seen_with_their_sliders(watch: Watch) -> None:
    watch.page.set_viewport_size(site_checks.NARROW)  # type: ignore[arg-type]
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?k=3")
    top = figure.locator("svg").first.bounding_box()
    last = slider(figure, "σ3").bounding_box()
    assert top
    assert last
    assert last["y"] + last["height"] - top["y"] < site_checks.NARROW["height"] - 60
