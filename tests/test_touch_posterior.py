"""Whose point is it? The figure of chapter 3, in a real browser."""

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page
from scipy.optimize import brentq

import site_checks
from gmmlib import Mixture, e_step, log_gaussian
from site_checks import Watch
from touch_checks import (
    control_problems,
    drag,
    look_problems,
    number,
    numbers,
    open_figure,
    reach,
    settle,
    still_problems,
)

NAME = "posterior"
PAGE = "chapters/03_hidden_labels.html"
FIGURE = "fig-shares"
WAITS = Mixture.univariate([0.36, 0.64], [54.6, 80.1], [34.4, 34.4])
EXAMPLES: dict[str, tuple[Mixture, float, int]] = {  # with the point, and how many boundaries
    "waits": (WAITS, 67, 1),
    "equal": (Mixture.univariate([0.5, 0.5], [0, 3], [1, 1]), 1, 1),
    "wide": (Mixture.univariate([0.5, 0.5], [0, 3], [1, 4]), -10, 2),
    "inside": (Mixture.univariate([0.5, 0.5], [0, 0], [1, 4]), 1, 2),
    "never": (Mixture.univariate([0.3, 0.7], [0, 0], [1, 4]), 0, 0),
}
COUNTS = ("No boundary", "One boundary", "Two boundaries")


@pytest.fixture
def watch(page: Page, address: str) -> Iterator[Watch]:
    page.emulate_media(reduced_motion="reduce")
    watch = Watch(page, address)
    yield watch
    assert not watch.problems


def words(figure: Locator) -> str:
    return figure.locator(".touch-words").inner_text()


def point(figure: Locator) -> Locator:
    return figure.get_by_role("slider", name="The point", exact=True)


def slider(figure: Locator, name: str) -> Locator:
    return figure.get_by_role("slider", name=name)


def put(control: Locator, value: float) -> None:
    """As a hand would on a slider: to this value, and let go."""
    control.evaluate(
        """(control, value) => {
            control.value = value;
            control.dispatchEvent(new Event("input", { bubbles: true }));
            control.dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        value,
    )


def table(figure: Locator) -> list[list[float]]:
    """The rows, powers of ten written out."""
    rows: list[list[str]] = figure.locator("tbody tr").evaluate_all(
        """all => all.map((row) => [...row.querySelectorAll("td")].map((cell) =>
            cell.innerHTML.replace(/ · 10<sup>(.*)<\\/sup>/, "e$1")))"""
    )
    return [[number(cell) for cell in row if cell] for row in rows]


def searched(mixture: Mixture, low: float, high: float) -> list[float]:
    """Where both are equally probable, by a root finder on the E-step."""

    def lead(x: float) -> float:
        return float(np.subtract(*mixture.log_joint([x])[0]))

    grid = np.linspace(low, high, 4001) + 1e-3  # no boundary lies on it
    signs = np.sign([lead(x) for x in grid])
    changes = np.flatnonzero(signs[:-1] != signs[1:])
    return [brentq(lead, grid[i], grid[i + 1]) for i in changes]


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


def test_the_point_is_moved_with_a_finger(address: str, browser: Browser) -> None:
    context = browser.new_context(viewport=site_checks.NARROW, has_touch=True)  # type: ignore[arg-type]
    watch = Watch(context.new_page(), address)
    figure = open_figure(watch, PAGE, NAME)
    handle = point(figure)
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    scrolled = watch.page.evaluate("scrollY")
    finger = context.new_cdp_session(watch.page)
    for kind, points in (
        ("touchStart", [{"x": x, "y": y}]),
        ("touchMove", [{"x": x + 20, "y": y - 30}]),
        ("touchMove", [{"x": x + 60, "y": y - 60}]),
        ("touchEnd", []),
    ):
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    watch.page.wait_for_timeout(100)
    at = numbers(handle.get_attribute("aria-valuetext") or "")[0]
    assert at > 75
    check(figure, WAITS, at)
    assert watch.page.evaluate("scrollY") == scrolled  # the page stays
    assert not watch.problems
    context.close()


def test_by_keyboard_alone(watch: Watch) -> None:
    page = watch.page
    figure = open_figure(watch, PAGE, NAME)
    examples = figure.get_by_role("combobox", name="Example")
    reach(page, examples, 300)
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


def situation(figure: Locator) -> list[str]:
    drawing = "all => all.map((node) => node.innerHTML.replace(/touch-clip-\\d+/g, ''))"
    return [
        *figure.locator("svg").evaluate_all(drawing),
        *figure.locator("tbody, output").all_text_contents(),
        words(figure),
        figure.get_by_role("combobox").input_value(),
    ]


def test_a_link_leads_to_exactly_this_situation(watch: Watch) -> None:
    page = watch.page
    figure = open_figure(watch, PAGE, NAME)
    settle(page)
    assert page.url.endswith("?")  # looking alone changes nothing
    for change in (
        lambda: drag(page, point(figure), 40, 0),
        lambda: put(slider(figure, "α2"), 0.13),
        lambda: put(slider(figure, "σ1"), 7.3),
        lambda: figure.get_by_role("combobox").select_option("inside"),
        lambda: put(slider(figure, "μ2"), -1.7),
        lambda: drag(page, point(figure), -70, 0),
    ):
        change()
        settle(page)
        state = page.url.split("#")[1]
        other = page.context.new_page()
        other.emulate_media(reduced_motion="reduce")
        there = open_figure(Watch(other, watch.address), PAGE, NAME, state)
        assert situation(there) == situation(figure), state
        assert there.locator("svg").first.is_visible()
        other.close()


@pytest.mark.parametrize(
    "state",
    [
        "?of=nothing&a=x&x=NaN",
        "?of=constructor&m=1,2",
        "?a=0&m=,&s=0,0&x=1e9",
        "?a=-1&m=1e9,-1e9&s=-1,1e9",
        "?of=wide&s=2&m=5",
        "?%E0%A4%A",
    ],
)
def test_a_wrong_link_does_no_harm(watch: Watch, state: str) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}{state}")
    assert not control_problems(figure)
    figure.get_by_role("button", name="Reset").click()
    figure.get_by_role("combobox").select_option("equal")
    assert words(figure).startswith("One boundary, at 1.50")


# --- where it is seen ---------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["?", "?of=wide"])
def test_light_and_dark_wide_and_narrow(watch: Watch, state: str) -> None:
    problems = look_problems(watch, PAGE, NAME, f"{FIGURE}{state}")
    assert not problems, "\n".join(problems)


def test_on_a_phone_the_point_is_seen_with_its_shares(watch: Watch) -> None:
    watch.page.set_viewport_size(site_checks.NARROW)  # type: ignore[arg-type]
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?of=wide")
    top = figure.locator("svg").first.bounding_box()
    last = slider(figure, "σ2").bounding_box()
    assert top
    assert last
    assert last["y"] + last["height"] - top["y"] < site_checks.NARROW["height"] - 60


def test_without_script_and_on_paper(browser: Browser, address: str) -> None:
    problems = still_problems(browser, address, PAGE, NAME)
    assert not problems, "\n".join(problems)
