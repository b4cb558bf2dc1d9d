"""The map of starts of chapter 12, in a real browser."""

import random
import re

import numpy as np
import pytest
from playwright.sync_api import Locator

from gmmlib import CollapseError, Mixture, datasets, e_step, fit, m_step
from site_checks import Watch
from touch_basins import shown, start, summits
from touch_checks import button, control_problems, drag, numbers, open_figure, press, reach, words

NAME = "basins"
PAGE = "chapters/12_where_it_starts.html"
FIGURE = "fig-start-map"
X = (datasets.galaxies() / 1000).round(3)


def started(means: list[float], width: float = 1) -> Mixture:
    return Mixture.univariate([0.5, 0.5], means, [width**2 * X.var()] * 2)


def ended(means: list[float], width: float) -> float | None:
    """The height where EM ends, or nothing where a component becomes a needle."""
    try:
        run = fit(X, started(means, width), tol=1e-12, max_iter=20_000)
    except CollapseError:
        return None
    if run.mixture.variances.min() < 1e-6 * X.var():
        return None
    return run.log_likelihood


# --- what it computes ---------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 0.5, 0.25, 0.1])
def test_each_start_ends_where_gmmlib_ends(watch: Watch, width: float) -> None:
    figure = open_figure(watch, PAGE, NAME)
    rng = np.random.default_rng(int(100 * width))
    for means in rng.uniform(9.5, 34.5, size=(8, 2)).round(2).tolist():
        state = f"{FIGURE}?m={means[0]},{means[1]}&w={width}"
        open_figure(watch, PAGE, NAME, state)
        height = ended(means, width)
        said = words(figure)
        if height is None:
            assert "a needle, and no summit" in said
        else:
            found = re.search(r"to summit (\w)", said)
            assert found, said
            assert summits(figure)[found[1]][0] == pytest.approx(height, abs=0.006)


@pytest.mark.parametrize("width", [1, 0.25])
def test_the_map_has_the_colour_of_the_summit(watch: Watch, width: float) -> None:
    """A pixel of the map at some starts beside a border, against the run from there."""
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?w={width}")
    href = figure.locator("image").get_attribute("href")
    cells = figure.page.evaluate(
        """async (href) => {
            const image = new Image();
            image.src = href;
            await image.decode();
            const canvas = new OffscreenCanvas(image.width, image.height);
            const paper = canvas.getContext("2d");
            paper.drawImage(image, 0, 0);
            return [...paper.getImageData(0, 0, image.width, image.height).data];
        }""",
        href,
    )
    picture = np.array(cells).reshape(60, 60, 4)[::-1].transpose(1, 0, 2)  # [first mean, second]
    np.testing.assert_array_equal(picture, picture.transpose(1, 0, 2))  # its own mirror image
    colours = picture[:, :, :3]
    borders = (colours[1:, :-1] != colours[:-1, :-1]).any(axis=2)
    borders |= (colours[:-1, 1:] != colours[:-1, :-1]).any(axis=2)
    starts = [(a, b) for a, b in np.argwhere(borders).tolist() if abs(a - b) > 1]
    kinds: dict[tuple[int, ...], set[float | None]] = {}
    for k in np.random.default_rng(0).permutation(len(starts))[:60].tolist():
        a, b = starts[k]
        means = [9 + 26 * (place + 0.5) / 60 for place in (a, b)]
        height = ended(means, width)
        found = kinds.setdefault(tuple(colours[a, b].tolist()), set())
        found.add(None if height is None else round(height, 2))
    assert sorted(len(heights) for heights in kinds.values()) == [1, 1, 1], kinds
    counted = sum(row[-1] for row in summits(figure).values())
    assert counted == pytest.approx(100, abs=0.5)


def test_the_summits_are_those_of_the_chapter(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME)
    found = summits(figure)
    assert [row[0] for row in found.values()] == [-220.06, -220.24, -236.88]
    assert found["A"][3:5] == [9.7, 21.9]
    assert found["B"][3:5] == [19.3, 21.4]
    assert found["B"][-1] == pytest.approx(100 * 3500 / 3660, abs=2)  # another grid


def test_the_way_is_that_of_em(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?m=12,30&w=0.5")
    now = started([12, 30], 0.5)
    for t in range(4):
        seen = shown(figure)
        assert seen["t"] == t
        assert seen["l"] == pytest.approx(now.log_likelihood(X), abs=5.1e-3)
        np.testing.assert_allclose(seen["means"], now.means[:, 0], atol=5.1e-3)
        np.testing.assert_allclose(seen["sd"], np.sqrt(now.variances), atol=5.1e-3)
        press(figure, "One iteration")
        now = m_step(X, e_step(X, now)[0])


# --- what one does ------------------------------------------------------------------------------


def _at(figure: Locator) -> list[float]:
    return numbers(start(figure).get_attribute("aria-valuetext") or "")


def test_the_start_is_moved_and_mirrored(watch: Watch) -> None:
    page, figure = watch.page, open_figure(watch, PAGE, NAME)
    drag(page, start(figure), -60, -40)
    first, second = _at(figure)
    assert 9 < first < 19
    assert 27 < second < 34
    assert f"({first:.1f}, {second:.1f})" in words(figure)
    press(figure, "Swap the names")
    assert _at(figure) == [second, first]
    assert "reflected in the diagonal" in words(figure)
    box = figure.locator("svg").first.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 4)
    assert _at(figure) != [second, first]
    press(figure, "Reset")
    assert _at(figure) == [19.4, 26.1]


# --- the reader's own numbers -------------------------------------------------------------------

OWN = np.array([2.5, 3.1, 3.3, 4.0, 7.2, 7.9, 8.4, 8.8, 9.1, 12.5, 12.7, 12.9])


@pytest.mark.parametrize("scale", [1.0, 1e9, 1e-9])
def test_own_numbers_end_where_gmmlib_ends(watch: Watch, scale: float) -> None:
    x = OWN * scale
    points = ";".join(f"{v:.10g}" for v in x)
    for first, second in ((3, 8), (8, 12), (3, 12.6), (12, 2.5), (5, 6)):
        m = f"{first * scale:.10g},{second * scale:.10g}"
        state = f"{FIGURE}?data=own&own={points}&m={m}&w=0.5".replace("+", "")
        figure = open_figure(watch, PAGE, NAME, state)
        said = words(figure)
        means = [first * scale, second * scale]
        start = Mixture.univariate([0.5, 0.5], means, [0.25 * x.var()] * 2)
        try:
            run = fit(x, start, tol=1e-12, max_iter=20_000)
        except CollapseError:
            assert "a needle, and no summit" in said
            continue
        found = re.search(r"to summit (\w)", said)
        assert found, said
        row = summits(figure)[found[1]]
        assert row[0] == pytest.approx(run.log_likelihood, abs=0.006)
        np.testing.assert_allclose(sorted(row[3:5]), np.sort(run.mixture.means[:, 0]), rtol=0.03)
    counted = sum(values[-1] for values in summits(figure).values())
    assert counted == pytest.approx(100, abs=0.5)


CHANCE = random.Random(1)
ONE_BELL = [round(CHANCE.gauss(0, 1), 3) for _ in range(100)]  # EM is slow at −135.15
THREE = [-10, -9.5, -9, -1, 0, 1, 9, 9.5, 10]  # a saddle at −30.38, its own mirror image


@pytest.mark.parametrize("data", [ONE_BELL, THREE])
def test_where_em_is_slow_there_is_no_summit(watch: Watch, data: list[float]) -> None:
    x = np.array(data)
    points = ";".join(map(str, x.tolist()))
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?data=own&own={points}")
    rows = [row for row in summits(figure).values() if len(row) > 1]  # but for the collapses
    assert len(rows) >= 2
    for height, first, second, *means_and_deviations, _ in rows:
        means, deviations = means_and_deviations[:2], means_and_deviations[2:]
        aside = [means[0] + 0.02, means[1]]
        there = Mixture.univariate([first, second], aside, np.square(deviations))
        run = fit(x, there, tol=1e-13, max_iter=50_000)
        assert run.log_likelihood == pytest.approx(height, abs=0.006)


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ("", "There are no numbers yet."),
        ("3;3;3", "All numbers are the same."),
    ],
)
def test_numbers_without_a_map(watch: Watch, points: str, said: str) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?data=own&own={points}&t=3&m=1,2&w=0.5")
    for name in ("", "One iteration", "Play", "Swap the names", "Reset"):
        if name:
            press(figure, name)
        assert words(figure).startswith(said)
        assert not control_problems(figure)


def test_two_numbers_only_collapse(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?data=own&own=1;2&m=1,2&w=0.25")
    assert "a needle, and no summit" in words(figure)
    assert not control_problems(figure)
    press(figure, "One iteration", "One iteration", "One iteration")
    figure.get_by_role("radio", name="1", exact=True).check(force=True)
    assert not control_problems(figure)


def test_on_the_diagonal_it_stays(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?m=20,20")
    assert "cannot tell the two components apart" in words(figure)


def test_by_keyboard_alone(watch: Watch) -> None:
    page, figure = watch.page, open_figure(watch, PAGE, NAME)
    widest = figure.get_by_role("radio", name="1", exact=True)
    reach(page, widest)
    page.keyboard.press("ArrowRight")
    assert "0.5 times the standard deviation of the data" in words(figure)
    reach(page, start(figure))
    page.keyboard.press("Shift+ArrowLeft")
    assert _at(figure)[0] == pytest.approx(16.8, abs=0.05)
    reach(page, button(figure, "One iteration"))
    page.keyboard.press("Enter")
    assert words(figure).startswith("Iteration 1:")
