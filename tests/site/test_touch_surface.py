"""The likelihood surface of chapter 5, in a real browser."""

import re

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Locator, expect

from gmmlib import Mixture, e_step, m_step
from site_checks import Watch
from touch_checks import (
    button,
    contours,
    drag,
    never_falls,
    number,
    numbers,
    open_figure,
    reach,
    words,
)
from touch_surface import Pair, click, place, plane, shown, start, started
from website import figure_data

NAME = "surface"
PAGE = "chapters/05_why_not_just_maximise.html"
FIGURE = "fig-surface"
DATA = figure_data.data_sets()
TWENTY = DATA["esl"]
WAITING = DATA["faithful"][:, 1]
PEAK = [4.6408, 1.0689]  # as chapter 5 prints it
FAR = f"{FIGURE}?v=3.2&m=-0.9,6.8"  # a long walk, 30 iterations


def mixture(means: Pair, variance: float = 0.8) -> Mixture:
    return Mixture.univariate([0.5, 0.5], means, [variance, variance])


def walk(X: NDArray[np.float64], start: Pair, variance: float, steps: int) -> list[Pair]:
    """The means, with weights and variances held."""
    path = [start]
    for _ in range(steps):
        beta = e_step(X, mixture(path[-1], variance))[0]
        path.append(m_step(X, beta).means.ravel())
    return path


def top(X: NDArray[np.float64], begin: Pair, variance: float) -> Pair:
    """Where the walk ends."""
    before, now = walk(X, begin, variance, 1)
    while np.abs(np.subtract(now, before)).max() > 1e-7:
        before, now = walk(X, now, variance, 1)
    return now


# --- what it computes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "X", "variance"),
    [("", TWENTY, 0.8), ("?v=3.2", TWENTY, 3.2), ("?data=waiting", WAITING, 34.5)],
)
def test_the_contours_are_at_their_heights(
    watch: Watch, state: str, X: NDArray[np.float64], variance: float
) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}{state}")
    levels = contours(plane(figure))
    assert len(levels) == 12
    for level, line in levels:
        spots = line[::9]
        assert len(spots) > 3
        off = [mixture(list(pair), variance).log_likelihood(X) - level for pair in spots]
        # a pixel's tenth, and a straight line through a cell
        assert np.abs(off).max() < 0.012 * (levels[0][0] - min(v for v, _ in levels))


@pytest.mark.parametrize(
    ("state", "X", "variance", "digits"),
    [
        ("", TWENTY, 0.8, 2),
        ("?v=3.9", TWENTY, 3.9, 2),
        ("?data=waiting", WAITING, 34.5, 1),
        ("?data=waiting&v=179.5", WAITING, 179.5, 1),
    ],
)
def test_both_peaks_and_the_saddle_in_words(
    watch: Watch, state: str, X: NDArray[np.float64], variance: float, digits: int
) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}{state}")
    peaks, saddle = figure.locator(".touch-legend li").all_inner_texts()
    peak = top(X, [X.mean() + X.std(), X.mean() - X.std()], variance)
    *means, height = numbers(peaks)
    tolerance = 0.51 * 10**-digits
    np.testing.assert_allclose(means, [*peak, *peak[::-1]], atol=tolerance)
    assert height == pytest.approx(mixture(peak, variance).log_likelihood(X), abs=6e-5)
    assert "mirror image" in peaks
    *means, height = numbers(saddle)
    np.testing.assert_allclose(means, [X.mean()] * 2, atol=tolerance)
    at_saddle = mixture([X.mean()] * 2, variance).log_likelihood(X)
    assert height == pytest.approx(at_saddle, abs=6e-5)
    assert "apart, and it goes up; move them together, and it goes down" in saddle
    # and they are marked where they are
    marks = plane(figure).locator(".touch-peak, .touch-saddle")
    at = [numbers(mark.get_attribute("transform") or "") for mark in marks.all()]
    wanted = [place(figure, pair) for pair in ([X.mean()] * 2, peak, peak[::-1])]
    np.testing.assert_allclose(at, wanted, atol=0.6)
    assert plane(figure).get_by_text("peak").count() == 2
    assert plane(figure).get_by_text("saddle").is_visible()


def test_above_the_variance_of_the_data_one_peak_is_left(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?v=4")
    assert TWENTY.var() == pytest.approx(3.97, abs=0.005)
    (peak,) = figure.locator(".touch-legend li").all_inner_texts()
    assert "One peak, (2.67, 2.67)" in peak
    assert "3.97" in peak
    assert plane(figure).locator(".touch-peak").count() == 1
    assert plane(figure).get_by_text("saddle").count() == 0
    assert "to the peak." in words(figure)
    slider = figure.get_by_role("slider", name="variance")
    slider.fill("3.9")
    assert "They meet when v reaches the data's own variance, 3.97" in words(figure)
    assert plane(figure).locator(".touch-peak").count() == 2


@pytest.mark.parametrize(
    ("state", "X", "variance", "begin"),
    [
        (f"{FIGURE}?m=-0.5,0.3", TWENTY, 0.8, [-0.5, 0.3]),
        (FAR, TWENTY, 3.2, [-0.9, 6.8]),
        (f"{FIGURE}?data=waiting&m=90,47.5&v=99.5", WAITING, 99.5, [90, 47.5]),
    ],
)
def test_it_never_falls_and_its_numbers_are_the_library_s(
    watch: Watch, state: str, X: NDArray[np.float64], variance: float, begin: Pair
) -> None:
    figure = open_figure(watch, PAGE, NAME, state)
    path = walk(X, begin, variance, 20)
    seen = []
    for step in range(21):
        value, iteration, means = shown(figure)
        seen.append(value)
        np.testing.assert_allclose(means, path[iteration], atol=6e-5)
        expected = mixture(path[iteration], variance).log_likelihood(X)
        assert value == pytest.approx(expected, abs=6e-5)
        if iteration < step:  # it has arrived
            assert "this is a peak" in words(figure)
        button(figure, "One iteration").click()
    assert len(seen) == 21
    assert not never_falls(seen, slack=1e-4)
    if state == FAR:
        assert shown(figure)[1] == 21
        assert "the means are" in words(figure)


def test_the_mixture_beside_it_is_the_one_of_the_walk(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?m=0,5&t=1")
    bells = figure.locator("svg.touch-svg").nth(1)
    (a, b) = scales_of_x(bells)
    spots = np.array(
        re.findall(
            r"[ML]([\d.]+) ([\d.]+)", bells.locator(".touch-whole").get_attribute("d") or ""
        ),
        dtype=float,
    )
    means = walk(TWENTY, [0, 5], 0.8, 1)[1]
    density = np.exp(mixture(means).log_density(a + b * spots[:, 0]))
    floor = numbers(bells.locator(".touch-frame").first.get_attribute("d") or "")[2]
    height = floor - spots[:, 1]
    np.testing.assert_allclose(height / height.max(), density / density.max(), atol=0.005)
    assert bells.locator(".touch-rug").count() == len(TWENTY)


def scales_of_x(svg: Locator) -> tuple[float, float]:
    ticks = svg.locator(".touch-axes .touch-tick.middle")
    at: list[list[str]] = ticks.evaluate_all(
        "all => all.map((t) => [t.textContent, t.getAttribute('x')])"
    )
    (low, p), *_, (high, q) = [(number(text), float(x)) for text, x in at]
    slope = (high - low) / (q - p)
    return low - slope * p, slope


# --- what one does ------------------------------------------------------------------------------


def test_a_click_anywhere_starts_a_walk(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME)
    for begin, end in (
        ([6.0, 2.5], "the peak below the diagonal"),
        ([2.0, 6.5], "the peak above the diagonal"),
        ([-0.5, 0.0], "the peak above the diagonal"),
    ):
        click(figure, begin)
        np.testing.assert_allclose(started(figure), begin, atol=0.03)
        assert words(figure).startswith(f"Start at ({started(figure)[0]:.2f}".replace("-", "−"))
        steps = int(numbers(words(figure).split("EM takes")[1])[0])
        assert end in words(figure)
        # the whole path is there before the first step
        dots = plane(figure).locator(".touch-dot.touch-ahead")
        assert dots.count() == steps
        last = dots.last.evaluate("c => [c.cx.baseVal.value, c.cy.baseVal.value]")
        peak = PEAK if "below" in end else PEAK[::-1]
        np.testing.assert_allclose(last, place(figure, peak), atol=0.6)
        for _ in range(steps):
            button(figure, "One iteration").click()
        assert f"It has arrived at {end}" in words(figure)
        np.testing.assert_allclose(shown(figure)[2], peak, atol=2e-4)
        button(figure, "One iteration").click()
        assert "Nothing changes any more: this is a peak" in words(figure)
        assert shown(figure)[1] == steps


def test_a_click_beside_the_frame_does_nothing(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME)
    before = started(figure)
    plane(figure).click(position={"x": 4, "y": 4})
    assert started(figure) == before


def test_on_the_diagonal_em_goes_to_the_saddle_and_stays(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?m=0.5,0.5")
    assert "stays there" in words(figure)
    button(figure, "One iteration").click()
    value, iteration, means = shown(figure)
    assert iteration == 1
    np.testing.assert_allclose(means, [TWENTY.mean()] * 2, atol=6e-5)
    assert value == pytest.approx(mixture([TWENTY.mean()] * 2).log_likelihood(TWENTY), abs=6e-5)
    assert "arrived at the saddle" in words(figure)
    button(figure, "One iteration").click()
    assert "stands still on the saddle" in words(figure)


def test_swapped_names_walk_the_mirror_image(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?m=5,3.5")
    button(figure, "Swap the names").click()
    assert started(figure) == [3.5, 5]
    assert "mirror image" in words(figure)
    button(figure, "One iteration").click()
    np.testing.assert_allclose(shown(figure)[2], walk(TWENTY, [3.5, 5], 0.8, 1)[1], atol=6e-5)
    button(figure, "Reset").click()
    assert started(figure) == [0.6, 0.59]


def test_the_start_is_dragged_and_the_path_follows(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?m=1,2")
    path = plane(figure).locator(".touch-curve.touch-ahead")
    before = path.get_attribute("d")
    drag(watch.page, start(figure), 100, 10)
    assert started(figure)[0] > 2.5
    assert path.get_attribute("d") != before
    assert "the peak below the diagonal" in words(figure)


def test_by_keyboard_alone(watch: Watch) -> None:
    page = watch.page
    figure = open_figure(watch, PAGE, NAME)
    sets = figure.get_by_role("combobox", name="Data")
    reach(page, sets)
    page.keyboard.press("ArrowDown")
    assert sets.input_value() == "waiting"
    assert "Start at (47.0, 46.9)" in words(figure)
    page.keyboard.press("Tab")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert "49.5" in figure.locator(".touch-value").inner_text()
    assert "The peaks are at" in words(figure)
    reach(page, start(figure))
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowUp")
    np.testing.assert_allclose(started(figure), [52.2, 47.4], atol=0.06)
    assert "Start at (52.2, 47.4)" in words(figure)
    seen = [shown(figure)[0]]
    reach(page, button(figure, "One iteration"))
    for _ in range(20):
        page.keyboard.press("Enter")
        seen.append(shown(figure)[0])
    assert not never_falls(seen, slack=1e-4)
    path = walk(WAITING, [52.2, 47.4], 49.5, shown(figure)[1])
    np.testing.assert_allclose(shown(figure)[2], path[-1], atol=6e-5)
    for name in ("Play", "Swap the names", "Reset", "Copy link"):
        reach(page, button(figure, name))


# --- the address --------------------------------------------------------------------------------


# --- where it is seen ---------------------------------------------------------------------------


def test_the_theme_may_change_while_it_is_open(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME)
    shade = figure.locator(".touch-shade")
    light = shade.get_attribute("href") or ""
    watch.page.emulate_media(color_scheme="dark")
    expect(shade).not_to_have_attribute("href", light)
