"""One iteration seen three ways, in chapter 9, in a real browser."""

import re

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Locator

import touch_one_iteration as one
from gmmlib import Mixture, e_step, m_step
from gmmlib.bound import kl_divergence, lower_bound
from gmmlib.plots import COLORS
from site_checks import Watch
from touch_checks import (
    button,
    contours,
    drag,
    never_falls,
    numbers,
    open_figure,
    press,
    put,
    reach,
    scales,
    slider,
    words,
)
from touch_one_iteration import Pair, click, cut, data, drag_to, looked, means, plane, shown
from website import figure_data

NAME = "one-iteration"
PAGE = "chapters/09_why_it_climbs.html"
FIGURE = "fig-one-iteration"
DATA = figure_data.data_sets()
WAITS = DATA["faithful"][:, 1]
Array = NDArray[np.float64]
SETS: dict[str, tuple[Array, float, float, list[float]]] = {
    "waits": (WAITS, 0.36, 5.9, [60, 65]),
    "twenty": (DATA["esl"], 0.5, 0.9, [2, 3.5]),
    "five": (DATA["worked"], 0.5, 0.4, [1, 1.4]),
}
MINE = np.array([1.0, 2.0, 2.5, 6.0, 7.5, 7.5])
OWN = "data=own&own=1;2;2.5;6;7.5;7.5"


def mixture(pair: Pair, weight: float = 0.36, sigma: float = 5.9) -> Mixture:
    return Mixture.univariate([weight, 1 - weight], pair, [sigma**2, sigma**2])


def shares(X: Array, pair: Pair, weight: float = 0.36, sigma: float = 5.9) -> Array:
    return e_step(X, mixture(pair, weight, sigma))[0]


def goal(X: Array, q: Array) -> Array:
    return m_step(X, q).means.ravel()


def spots(svg: Locator, name: str) -> Array:
    """The points of a curve, in pixels."""
    d = svg.locator(f"path.{name}").first.get_attribute("d") or ""
    return np.array(re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", d), dtype=float)


def drawn(svg: Locator, name: str) -> Array:
    (a, b), (c, d) = scales(svg)
    return spots(svg, name) * [b, d] + [a, c]


def middle(svg: Locator, name: str) -> list[float]:
    at: list[float] = svg.locator(name).first.evaluate(
        "node => [node.cx.baseVal.value, node.cy.baseVal.value]"
    )
    return at


# --- what it computes ---------------------------------------------------------------------------


@pytest.mark.parametrize("key", SETS)
def test_the_numbers_after_each_half_step(watch: Watch, key: str) -> None:
    X, weight, sigma, start = SETS[key]
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?data={key}")
    now, q = np.array(start), np.full((len(X), 2), 0.5)
    assert means(figure) == start
    for t in range(4):
        here = mixture(now, weight, sigma)
        seen = shown(figure)
        assert seen.t == t
        assert seen.level == pytest.approx(here.log_likelihood(X), abs=6e-5)
        assert seen.bound == pytest.approx(lower_bound(X, q, here), abs=6e-5)
        assert seen.gap == pytest.approx(kl_divergence(q, e_step(X, here)[0]), abs=6e-5)
        press(figure, "E-step")
        q = e_step(X, here)[0]
        seen = shown(figure)
        assert (seen.gap, seen.bound) == (0, seen.level)
        assert seen.step == pytest.approx(np.linalg.norm(goal(X, q) - now), rel=6e-3)
        assert "The gap is closed" in words(figure)
        press(figure, "M-step")
        now = goal(X, q)
    figure.locator("summary", has_text="in numbers").click()
    first, *table = one.rows(figure)
    assert first[:3] == [0, *start]
    before, now = first[3], np.array(start)
    for t, (number, a, b, level, gain, gap) in enumerate(table, start=1):
        q = shares(X, now, weight, sigma)
        now = goal(X, q)
        assert number == t
        np.testing.assert_allclose([a, b], now, atol=2e-3)
        assert gap == pytest.approx(kl_divergence(q, shares(X, now, weight, sigma)), abs=6e-5)
        assert gain + gap == pytest.approx(level - before, abs=2e-4)
        before = level


@pytest.mark.parametrize("state", ["h=1", "h=4", "q=80,55", "data=twenty&s=1.3&a=0.2&h=3", OWN])
def test_both_curves_are_the_library_s_along_the_line(watch: Watch, state: str) -> None:
    X, weight, sigma = {
        "data=twenty&s=1.3&a=0.2&h=3": (DATA["esl"], 0.2, 1.3),
        OWN: (MINE, 0.5, 1.3),
    }.get(state, (WAITS, 0.36, 5.9))
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?{state}")
    # the line as it is drawn on the landscape gives the direction, the ring its top
    ends = drawn(plane(figure), "touch-line")
    curve, lower = drawn(cut(figure), "touch-ell"), drawn(cut(figure), "touch-bound")
    tall = np.ptp(curve[:, 1])
    (low, high), way = curve[[0, -1], 0], ends[1] - ends[0]
    top = np.array([[a, c] for a, c in [ring_place(figure)]])[0]
    for s, height in curve[::12]:
        pair = ends[0] + way * (s - low) / (high - low)
        expected = mixture(pair, weight, sigma).log_likelihood(X)
        assert height == pytest.approx(expected, abs=0.02 * tall)
    assert (lower[:, 1] <= curve[:, 1] + 2e-3 * tall).all()
    best = lower[lower[:, 1].argmax()]
    pair = ends[0] + way * (best[0] - low) / (high - low)
    np.testing.assert_allclose(pair, top, atol=0.03 * np.abs(way).max())


def ring_place(figure: Locator) -> tuple[float, float]:
    (a, b), (c, d) = scales(plane(figure))
    x, y = middle(plane(figure), ".touch-ring")
    return a + b * x, c + d * y


@pytest.mark.parametrize(
    ("state", "laid"), [("h=1", [60, 65]), ("h=3", None), ("q=80,55", [80, 55])]
)
def test_the_m_step_leads_into_the_middle_of_the_sure_ellipse(
    watch: Watch, state: str, laid: Pair | None
) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?{state}")
    now = np.array([60.0, 65.0])
    if laid is None:
        now = goal(WAITS, shares(WAITS, now))
        laid = now
    q = shares(WAITS, laid)
    top = goal(WAITS, q)
    x, y = one.place(figure, top)
    np.testing.assert_allclose(middle(plane(figure), ".touch-ring"), [x, y], atol=0.6)
    ellipse = plane(figure).locator("ellipse.touch-sure")
    names = ("rx", "ry", "cx", "cy", "transform")
    rx, ry, cx, cy, turn = [ellipse.get_attribute(name) or "" for name in names]
    np.testing.assert_allclose([float(cx), float(cy)], [x, y], atol=0.6)
    along, across = float(rx), float(ry)
    if abs(numbers(turn)[0]) > 45:  # its longer axis stands upright
        along, across = across, along
    (_, b), (_, d) = scales(plane(figure))
    level = mixture(now).log_likelihood(WAITS)
    for way in ([along * b, 0], [0, across * d]):
        edge = mixture(top + way)
        assert lower_bound(WAITS, q, edge) == pytest.approx(level, rel=2e-3)
        assert edge.log_likelihood(WAITS) >= level - 0.5


@pytest.mark.parametrize("key", SETS)
def test_the_landscape_has_its_heights_its_summits_and_its_saddle(watch: Watch, key: str) -> None:
    X, weight, sigma, _ = SETS[key]
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?data={key}")
    (a, b), (c, d) = scales(plane(figure))
    levels = contours(plane(figure))
    lowest = min(level for level, _ in levels)
    top = max(level for level, _ in levels)
    for level, line in levels:
        heights = [mixture(pair, weight, sigma).log_likelihood(X) for pair in line[::15]]
        assert np.abs(np.array(heights) - level).max(initial=0) < 0.03 * (top - lowest)
    marks = plane(figure).locator(".touch-peak")
    assert marks.count() == 2
    for mark in marks.all():
        x, y = numbers(mark.get_attribute("transform") or "")
        summit = np.array([a + b * x, c + d * y])
        for _ in range(5):
            summit = goal(X, shares(X, summit, weight, sigma))
        np.testing.assert_allclose(one.place(figure, summit), [x, y], atol=0.6)
        height = mixture(summit, weight, sigma).log_likelihood(X)
        for way in np.array([[1, 0], [0, 1], [-1, 0], [0, -1]]) * 0.1 * sigma:
            assert mixture(summit + way, weight, sigma).log_likelihood(X) < height
    saddle = numbers(plane(figure).locator(".touch-saddle").get_attribute("transform") or "")
    np.testing.assert_allclose(saddle, one.place(figure, [X.mean()] * 2), atol=0.6)


def test_above_the_spread_of_the_data_one_summit_is_left(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?s=14")
    assert WAITS.std() < 14
    assert plane(figure).locator(".touch-peak").count() == 1
    assert plane(figure).locator(".touch-saddle").count() == 0


def test_the_points_have_the_colours_of_the_guess(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?data=five")

    def colours() -> Array:
        found = data(figure).locator(".touch-points circle")
        fills = found.evaluate_all("all => all.map((c) => c.style.fill)")
        return np.array([numbers(fill) for fill in fills])

    palette = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in COLORS[:2]])
    X, weight, sigma, start = SETS["five"]
    np.testing.assert_allclose(colours(), np.full((5, 2), 0.5) @ palette, atol=1)
    press(figure, "E-step")
    q = shares(X, start, weight, sigma)
    np.testing.assert_allclose(colours(), q @ palette, atol=1)
    press(figure, "M-step")  # it moves θ, and the guess stays
    np.testing.assert_allclose(colours(), q @ palette, atol=1)


def test_the_curves_over_the_data_are_the_mixture_of_theta(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?h=2")
    pair = goal(WAITS, shares(WAITS, [60, 65]))
    a, b = one.along_x(data(figure))
    whole = spots(data(figure), "touch-whole")
    base = data(figure).locator("path.touch-curve.faint").first
    floor = numbers(base.get_attribute("d") or "")[1]
    height = floor - whole[:, 1]
    density = np.exp(mixture(pair).log_density(a + b * whole[:, 0]))
    np.testing.assert_allclose(height / height.max(), density / density.max(), atol=0.005)


def test_the_gap_is_drawn_as_long_as_it_is(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?h=2")
    seen = shown(figure)
    _, (_, slope) = scales(cut(figure))
    _, y, low = numbers(cut(figure).locator(".touch-gap").get_attribute("d") or "")
    assert low - y == pytest.approx(-seen.gap / slope, rel=5e-3)
    assert cut(figure).get_by_text(f"KL {seen.gap:.0f}").is_visible()
    press(figure, "E-step")
    _, y, low = numbers(cut(figure).locator(".touch-gap").get_attribute("d") or "")
    assert low == pytest.approx(y, abs=0.01)


# --- what one does ------------------------------------------------------------------------------


def test_it_never_falls_and_comes_to_rest_on_a_summit(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, FIGURE + "?")
    seen = [shown(figure).level]
    for _ in range(14):
        press(figure, "One iteration")
        seen.append(shown(figure).level)
        assert shown(figure).gap >= 0
    assert not never_falls(seen, slack=1e-4)
    assert "EM has come to rest." in words(figure)
    np.testing.assert_allclose(means(figure), [54.6, 80.1], atol=0.06)


def test_without_an_e_step_it_may_fall(watch: Watch) -> None:
    """The bound rises all the same: what is missing is that it touches."""
    figure = open_figure(watch, PAGE, NAME, FIGURE + "?")
    click(figure, [54.6, 80.1])
    before = shown(figure)
    assert before.gap > 100
    press(figure, "M-step")
    after = shown(figure)
    assert after.level < before.level - 300
    assert after.bound > before.bound
    assert "ℓ fell by" in words(figure)
    assert "The E-step should have come first" in words(figure)
    np.testing.assert_allclose(means(figure), [WAITS.mean()] * 2, atol=0.06)
    press(figure, "M-step")
    assert "this is the top of the bound" in words(figure)
    press(figure, "E-step", "E-step")
    assert "touches here already" in words(figure)


def test_equal_means_lead_to_the_saddle_and_no_farther(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, FIGURE + "?")
    press(figure, "equal means", "One iteration", "E-step")
    seen = shown(figure)
    assert seen.step == pytest.approx(0, abs=1e-6)
    assert seen.level == pytest.approx(mixture([WAITS.mean()] * 2).log_likelihood(WAITS), abs=6e-5)
    curve, lower = drawn(cut(figure), "touch-ell"), drawn(cut(figure), "touch-bound")
    there = len(curve) // 2  # here ℓ has a valley, and the bound its top
    assert curve[there, 1] == curve[:, 1].min()
    assert lower[there, 1] == lower[:, 1].max()
    press(figure, "One iteration")
    assert "come to rest, on the saddle" in words(figure)
    press(figure, "nearly equal ones", *["One iteration"] * 30)
    assert shown(figure).level > -1100
    press(figure, "exchanged names", *["One iteration"] * 14)
    assert shown(figure).level == pytest.approx(-1074.85, abs=1.5)


def test_theta_is_dragged_and_everything_follows(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?m=60,65&h=1")
    before = {name: spots(data(figure), "touch-whole") for name in ("whole",)}
    guess = middle(plane(figure), ".touch-ring")
    drag_to(watch.page, figure, [50, 72])
    np.testing.assert_allclose(means(figure), [50, 72], atol=0.5)
    assert middle(plane(figure), ".touch-ring") == guess  # the guess stays
    assert not np.array_equal(before["whole"], spots(data(figure), "touch-whole"))
    q, here = shares(WAITS, [60, 65]), mixture(means(figure))
    seen = shown(figure)
    assert seen.t == 0
    assert seen.bound == pytest.approx(lower_bound(WAITS, q, here), abs=6)
    assert seen.gap > 1
    assert "the guess is still that of (60.0, 65.0)" in words(figure)


def test_back_takes_back_one_thing_at_a_time(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, FIGURE + "?")
    states = [(means(figure), shown(figure))]
    for act in (
        lambda: press(figure, "E-step"),
        lambda: press(figure, "M-step"),
        lambda: drag(watch.page, one.theta(figure), 30, -30),
        lambda: put(slider(figure, "σ"), 8),
        lambda: press(figure, "One iteration"),
        lambda: figure.get_by_role("combobox", name="Data").select_option("twenty"),
        lambda: press(figure, "Reset"),
    ):
        act()
        states.append((means(figure), shown(figure)))
    for state in states[-2::-1]:
        press(figure, "Back")
        assert (means(figure), shown(figure)) == state
    press(figure, "Back")
    assert "nothing to go back to" in words(figure)


def test_what_is_looked_at_shows_in_all_three(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?h=2")
    assert looked(figure).startswith("Point at a number")
    marks = [svg.locator(".touch-seen, .touch-other") for svg in map_of(figure)]
    assert [mark.count() for mark in marks] == [0, 0, 0]
    # a place on the line
    box = cut(figure).bounding_box()
    assert box
    watch.page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.4 * box["height"])
    assert [mark.count() for mark in marks] == [1, 1, 3]
    first, second, level, low, gap = numbers(looked(figure))
    (left, right), ends = (
        drawn(cut(figure), "touch-ell")[[0, -1], 0],
        drawn(plane(figure), "touch-line"),
    )
    (a, b), _ = scales(cut(figure))
    share = (a + b * 0.5 * box["width"] - left) / (right - left)
    there = ends[0] + share * (ends[1] - ends[0])
    np.testing.assert_allclose([first, second], there, atol=0.3)
    ring = middle(plane(figure), ".touch-other")
    np.testing.assert_allclose(ring, one.place(figure, there), atol=1)
    assert level == pytest.approx(mixture([first, second]).log_likelihood(WAITS), abs=4)
    assert gap == pytest.approx(level - low, abs=0.011)
    # a point: a place for each of the two means, its shares, its term
    x, y = data_place(figure, 51)
    watch.page.mouse.move(x, y)
    assert [mark.count() for mark in marks] == [1, 2, 0]
    pair = goal(WAITS, shares(WAITS, [60, 65]))
    guess, now = (shares(np.array([51.0]), p)[0, 0] for p in ([60, 65], pair))
    term = mixture(pair).log_density(np.array([51.0]))[0]
    assert "x = 51" in looked(figure)
    assert f"{guess:.3f} of it in the guess, {now:.3f} at θ" in looked(figure)
    assert f"Its term of ℓ is {term:.3f}".replace("-", "−") in looked(figure)
    watch.page.mouse.move(0, 0)
    assert [mark.count() for mark in marks] == [0, 0, 0]


def map_of(figure: Locator) -> tuple[Locator, Locator, Locator]:
    return data(figure), plane(figure), cut(figure)


def data_place(figure: Locator, x: float) -> tuple[float, float]:
    a, b = one.along_x(data(figure))
    box = data(figure).bounding_box()
    assert box
    return box["x"] + (x - a) / b, box["y"] + 0.3 * box["height"]


def test_by_keyboard_alone(watch: Watch) -> None:
    page = watch.page
    figure = open_figure(watch, PAGE, NAME, FIGURE + "?")
    sets = figure.get_by_role("combobox", name="Data")
    reach(page, sets)
    page.keyboard.press("ArrowDown")
    assert sets.input_value() == "twenty"
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert slider(figure, "α1").input_value() == "0.51"
    point = figure.get_by_role("slider", name="The point looked at")
    reach(page, point)
    page.keyboard.press("ArrowRight")
    here = numbers(looked(figure))[0]
    page.keyboard.press("ArrowRight")
    assert numbers(looked(figure))[0] > here
    assert looked(figure) == point.get_attribute("aria-valuetext")
    page.keyboard.press("Escape")
    assert looked(figure).startswith("Point at a number")
    reach(page, one.theta(figure))
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowUp")
    np.testing.assert_allclose(means(figure), [1.1, 3.59], atol=0.006)
    line = figure.get_by_role("slider", name="A place on the line")
    reach(page, line)
    page.keyboard.press("ArrowLeft")
    assert looked(figure).startswith("With the means (")
    reach(page, button(figure, "E-step"))
    page.keyboard.press("Enter")
    assert shown(figure).gap == 0
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert shown(figure).t == 1
    for name in ("One iteration", "Play", "Back", "Reset", "equal means", "Copy link"):
        reach(page, button(figure, name))
    reach(page, figure.locator("summary", has_text="in numbers"))
    page.keyboard.press("Enter")
    assert figure.locator("tbody tr").count() == 2


# --- one's own numbers --------------------------------------------------------------------------


def test_own_numbers_are_taken(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?{OWN}&m=2,6&h=1")
    here = mixture([2, 6], 0.5, 1.3)
    seen = shown(figure)
    assert seen.level == pytest.approx(here.log_likelihood(MINE), abs=6e-5)
    assert seen.step == pytest.approx(
        np.linalg.norm(goal(MINE, shares(MINE, [2, 6], 0.5, 1.3)) - [2, 6]), rel=6e-3
    )
    figure.get_by_text("Paste a table").click()
    figure.get_by_label("Table or CSV").fill("wait\n3\n4\n9\n")
    press(figure, "Use these numbers")
    assert data(figure).locator(".touch-points circle").count() == 3
    assert data(figure).get_by_text("wait").is_visible()
    press(figure, "E-step", "M-step")
    assert shown(figure).t == 1
    press(figure, "Undo")
    assert data(figure).locator(".touch-points circle").count() == 6


@pytest.mark.parametrize("own", ["", "3", "5;5;5"])
def test_too_few_numbers_are_told_and_not_fitted(watch: Watch, own: str) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?data=own&own={own}")
    assert "Two different numbers are needed" in words(figure)
    for name in ("E-step", "M-step", "One iteration", "Play", "equal means"):
        press(figure, name)
        assert "Two different numbers are needed" in words(figure)
    assert not plane(figure).is_visible()
    figure.get_by_role("combobox", name="Data").select_option("five")
    assert plane(figure).is_visible()
    press(figure, "One iteration")
    assert shown(figure).t == 1


@pytest.mark.parametrize("factor", [1e9, 1e-9])
def test_the_unit_does_not_matter(watch: Watch, factor: float) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?{OWN}")
    press(figure, "One iteration", "One iteration")
    usual = shown(figure)
    scaled = ";".join(f"{x * factor:.12g}" for x in MINE)
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?data=own&own={scaled}")
    press(figure, "One iteration", "One iteration")
    seen = shown(figure)
    shift = len(MINE) * np.log(factor)
    assert seen.level + shift == pytest.approx(usual.level, abs=2e-3)
    assert seen.gap == pytest.approx(usual.gap, abs=2e-3)
