"""Whose point is it? The figure of chapter 3, in a real browser."""

import numpy as np
import pytest
from scipy.optimize import brentq

import site_checks
from gmmlib import Mixture, e_step
from site_checks import Watch
from touch_checks import (
    drag,
    numbers,
    open_figure,
    put,
    reach,
    slider,
    words,
)
from touch_posterior import WAITS, check, point, table

NAME = "posterior"
PAGE = "chapters/03_hidden_labels.html"
FIGURE = "fig-shares"
EXAMPLES: dict[str, tuple[Mixture, float, int]] = {  # with the point, and how many boundaries
    "waits": (WAITS, 67, 1),
    "equal": (Mixture.univariate([0.5, 0.5], [0, 3], [1, 1]), 1, 1),
    "wide": (Mixture.univariate([0.5, 0.5], [0, 3], [1, 4]), -10, 2),
    "inside": (Mixture.univariate([0.5, 0.5], [0, 0], [1, 4]), 1, 2),
    "never": (Mixture.univariate([0.3, 0.7], [0, 0], [1, 4]), 0, 0),
}
COUNTS = ("No boundary", "One boundary", "Two boundaries")


def searched(mixture: Mixture, low: float, high: float) -> list[float]:
    """Where both are equally probable, by a root finder on the E-step."""

    def lead(x: float) -> float:
        return float(np.subtract(*mixture.log_joint([x])[0]))

    grid = np.linspace(low, high, 4001) + 1e-3  # no boundary lies on it
    signs = np.sign(np.subtract(*mixture.log_joint(grid).T))
    changes = np.flatnonzero(signs[:-1] != signs[1:])
    return [brentq(lead, grid[i], grid[i + 1]) for i in changes]


# --- what it computes ---------------------------------------------------------------------------


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_numbers_are_gmmlibs(watch: Watch, example: str) -> None:
    mixture, x, count = EXAMPLES[example]
    figure = open_figure(watch, PAGE, NAME)
    figure.get_by_role("combobox", name="Example").select_option(example)
    check(figure, mixture, x)
    said = words(figure)
    assert said.startswith(COUNTS[count])
    found = searched(mixture, -60, 140)
    assert len(found) == count
    np.testing.assert_allclose(numbers(said)[:count], found, atol=5.1e-3)
    assert figure.locator("svg").nth(1).locator(".touch-dot").count() == count


def test_it_begins_where_the_chapter_begins(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME)
    assert table(figure)[0] == [0.36, 0.00728, 0.00262, 0.422]
    assert table(figure)[1] == [0.64, 0.00562, 0.00359, 0.578]
    assert words(figure) == (
        "One boundary, at 66.57. To its left a point is more probably component 1’s, to its right "
        "component 2’s. The point at 67.0 is component 2’s with probability 0.578, although the "
        "mean of component 1 is nearer."
    )


def test_the_curves_are_the_layers_and_the_shares(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?of=wide")
    mixture = EXAMPLES["wide"][0]
    for which, power in ((0, 0), (1, 1)):
        plot = figure.locator("svg").nth(which)
        left, width, height = plot.locator("clipPath rect").evaluate(
            "b => [b.x, b.width, b.height].map((v) => v.baseVal.value)"
        )
        ticks = plot.locator(".touch-tick.end").evaluate_all(
            "all => all.map((t) => [Number(t.textContent), Number(t.getAttribute('y')) - 4])"
        )
        (a, pa), *_, (b, pb) = ticks
        curves = plot.locator(".touch-curve").evaluate_all(
            "all => all.slice(0, 2).map((c) => c.getAttribute('d'))"
        )
        for path, of in zip(curves, ("first", "whole"), strict=True):
            xy = np.array(numbers(path)).reshape(-1, 2)
            x = -11 + 22 * (xy[:, 0] - left) / width
            y = a + (xy[:, 1] - pa) / (pb - pa) * (b - a)
            layers = np.exp(mixture.log_joint(x))
            if power:
                layers = e_step(x, mixture)[0]
            wanted = layers[:, 0] if of == "first" else layers.sum(axis=1)
            np.testing.assert_allclose(y, wanted, atol=(b - a) / height * 1.5)


def test_none_one_or_two_boundaries_in_words(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?of=equal")
    assert words(figure).startswith("One boundary, at 1.50. To its left")
    put(slider(figure, "μ1"), 6)  # the first is now on the right
    assert "at 4.50. To its left a point is more probably component 2’s" in words(figure)
    put(slider(figure, "μ1"), 0)
    put(slider(figure, "σ2"), 1.1)  # as in the second frame of the chapter
    assert words(figure).startswith("Two boundaries, at −30.03 (outside the picture) and 1.46.")
    assert "more probably component 1’s; far out" in words(figure)
    put(slider(figure, "σ2"), 0.5)
    assert "more probably component 2’s; far out" in words(figure)
    put(slider(figure, "σ2"), 1)
    put(slider(figure, "μ2"), 0)  # the two are one
    assert words(figure).startswith("No boundary: the two bells are one")
    assert "shared half and half" in words(figure)
    put(slider(figure, "α2"), 0.6)
    assert "component 2 is the more probable one" in words(figure)
    put(slider(figure, "σ2"), 2)
    assert words(figure).startswith("Two boundaries")
    put(slider(figure, "α1"), 0.33)  # exercise 3: not above one third
    assert words(figure).startswith("No boundary. Wherever the point lies, component 2")
    put(slider(figure, "α1"), 0.34)
    assert words(figure).startswith("Two boundaries")
    # two that only touch are none: α₁σ₂ = α₂σ₁
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?of=inside&a=0.4&s=1,1.5")
    assert words(figure).startswith("No boundary")


def test_the_numbers_follow_the_sliders(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME)
    rng = np.random.default_rng(3)
    for _ in range(6):
        a = float(rng.integers(5, 95)) / 100
        means = (rng.integers(420, 930, 2) / 10).tolist()
        deviations = (rng.integers(30, 150, 2) / 10).tolist()
        put(slider(figure, "α1"), a)
        for j in (0, 1):
            put(slider(figure, f"μ{j + 1}"), means[j])
            put(slider(figure, f"σ{j + 1}"), deviations[j])
        mixture = Mixture.univariate([a, 1 - a], means, np.square(deviations))
        check(figure, mixture, 67)
        found = searched(mixture, -2000, 2000)
        assert words(figure).startswith(COUNTS[len(found)])
        np.testing.assert_allclose(numbers(words(figure))[: len(found)], found, atol=5.1e-3)


# --- what one does ------------------------------------------------------------------------------


def test_the_point_is_moved_with_the_mouse(watch: Watch) -> None:
    page = watch.page
    figure = open_figure(watch, PAGE, NAME)
    drag(page, point(figure), -60, 25)  # up and down it does not go
    x, first, *_ = numbers(point(figure).get_attribute("aria-valuetext") or "")
    assert 59 < x < 63
    assert first == pytest.approx(e_step([x], WAITS)[0][0, 0], abs=5.1e-4)
    check(figure, WAITS, x)
    # a click puts it there
    box = figure.locator("svg").nth(1).bounding_box()
    assert box
    page.mouse.click(box["x"] + 54 + (box["width"] - 64) * 42 / 60, box["y"] + 40)
    assert numbers(point(figure).get_attribute("aria-valuetext") or "")[0] == pytest.approx(
        80, abs=0.2
    )


def test_by_keyboard_alone(watch: Watch) -> None:
    page = watch.page
    figure = open_figure(watch, PAGE, NAME)
    examples = figure.get_by_role("combobox", name="Example")
    reach(page, examples)
    page.keyboard.press("ArrowDown")
    assert examples.input_value() == "equal"
    reach(page, figure.get_by_role("button", name="Copy link"))
    reach(page, point(figure))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    at = numbers(point(figure).get_attribute("aria-valuetext") or "")[0]
    assert at == pytest.approx(1 + 11 * 0.22, abs=0.02)
    assert f"The point at {at:.2f} is component 2" in words(figure)
    width = slider(figure, "σ2, standard deviation of component 2")
    reach(page, width)
    page.keyboard.press("ArrowRight")
    assert words(figure).startswith("Two boundaries, at −30.03")
    assert width.get_attribute("aria-valuetext") == "1.10"
    reach(page, figure.get_by_role("button", name="Reset"))
    page.keyboard.press("Enter")
    assert words(figure).startswith("One boundary, at 1.50")
    assert figure.locator('.touch-words[aria-live="polite"]').count() == 1


# --- the address --------------------------------------------------------------------------------


# --- where it is seen ---------------------------------------------------------------------------


def test_on_a_phone_the_point_is_seen_with_its_shares(watch: Watch) -> None:
    watch.page.set_viewport_size(site_checks.NARROW)  # type: ignore[arg-type]
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?of=wide")
    top = figure.locator("svg").first.bounding_box()
    last = slider(figure, "σ2").bounding_box()
    assert top
    assert last
    assert last["y"] + last["height"] - top["y"] < site_checks.NARROW["height"] - 60
