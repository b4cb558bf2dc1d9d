"""Fourteen answers to three covariances: the figure of chapter 14, in a real browser."""

import numpy as np
import pytest
from numpy.typing import NDArray

from gmmlib import families
from gmmlib.models import MCLUST_TYPES, family_of
from site_checks import Watch
from touch_checks import button, drag, numbers, open_figure, press, put, reach, slider, words
from touch_shapes import axis, misfit, table

NAME = "shapes"
PAGE = "chapters/14_shapes.html"
FIGURE = "fig-fourteen"
WEIGHTS = np.array([0.4, 0.3, 0.3])
CHAPTER = [[1.732, 0.707, 15], [1.342, 0.387, 35], [0.837, 0.447, -20]]  # long, short, degrees
OTHER = [[2.1, 0.3, 80], [0.9, 0.85, -60], [1.4, 0.2, 10]]


def covariances(of: list[list[float]]) -> NDArray[np.float64]:
    found = []
    for long, short, degrees in of:
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        V = np.array([[c, -s], [s, c]])
        found.append(V @ np.diag([long**2, short**2]) @ V.T)
    return np.array(found)


def away(S: NDArray[np.float64], Sigma: NDArray[np.float64]) -> float:
    traces = np.trace(np.linalg.solve(Sigma, S), axis1=1, axis2=2)
    return float(WEIGHTS @ (np.log(np.linalg.det(Sigma)) + traces))


def check(rows: list[list[float]], Sigma: NDArray[np.float64], at: int) -> None:
    """Three columns of the table, from the one at ``at``, against covariances."""
    for row, M in zip(rows, Sigma, strict=True):
        lengths, V = np.linalg.eigh(M)
        volume, ratio, angle = row[at : at + 3]
        assert volume == pytest.approx(np.sqrt(np.linalg.det(M)), abs=6e-3)
        assert ratio == pytest.approx(np.sqrt(lengths[1] / lengths[0]), rel=6e-3)
        if lengths[1] > 1.01 * lengths[0]:
            off = np.radians(angle) - np.arctan2(V[1, 1], V[0, 1])
            assert abs(np.sin(off)) < 0.01
        elif lengths[1] < (1 + 1e-9) * lengths[0]:
            assert np.isnan(angle)


# --- what it computes ---------------------------------------------------------------------------


@pytest.mark.parametrize("of", [CHAPTER, OTHER], ids=["chapter", "other"])
@pytest.mark.parametrize("name", MCLUST_TYPES)
def test_each_family_is_gmmlibs(watch: Watch, name: str, of: list[list[float]]) -> None:
    state = f"?of={name}"
    if of is OTHER:
        state += "&s=" + ";".join(",".join(map(str, one)) for one in of)
    figure = open_figure(watch, PAGE, NAME, FIGURE + state)
    S = covariances(of)
    Sigma = families.m_step_covariances(name, WEIGHTS, S)
    rows = table(figure)
    check(rows, S, 0)
    check(rows, Sigma, 3)
    said = words(figure)
    assert said.startswith(f"{name}: ")
    assert f" {family_of(name).n_parameters(3, 2)} number" in said
    assert misfit(said) == pytest.approx(away(S, Sigma) - away(S, S), abs=6e-4)


def test_the_ellipses_are_the_covariances(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME, f"{FIGURE}?of=EEV")
    Sigma = families.m_step_covariances("EEV", WEIGHTS, covariances(CHAPTER))
    drawn = figure.locator(".touch-best").evaluate_all(
        "all => all.map((e) => [e.getAttribute('rx'), e.getAttribute('ry')].map(Number))"
    )
    widths = np.array(drawn)
    lengths = np.sqrt(np.linalg.eigvalsh(Sigma))[:, ::-1]
    # the two axes of the plot are nearly to one scale
    np.testing.assert_allclose(widths / widths[0, 0], lengths / lengths[0, 0], rtol=0.03)


# --- what one does ------------------------------------------------------------------------------


def test_the_letters_go_together(watch: Watch) -> None:
    figure = open_figure(watch, PAGE, NAME)

    def choose(group: str, letter: str) -> None:
        box = figure.get_by_role("radiogroup", name=group)
        box.get_by_role("radio", name=letter, exact=True).check(force=True)
        figure.page.clock.run_for(500)

    choose("Shape", "I")
    assert words(figure).startswith("VII: volumes of their own, balls.")
    choose("Orientation", "E")  # a ball has no axes, so there is a shape again
    assert words(figure).startswith("VEE: volumes of their own, one shape, common axes.")
    choose("Volume", "E")
    choose("Shape", "V")
    choose("Orientation", "V")
    assert words(figure).startswith("EVV: equal volumes")
    choose("Volume", "V")
    assert "no family has a smaller misfit" in words(figure)


def test_an_axis_is_turned_and_made_longer(watch: Watch) -> None:
    page, figure = watch.page, open_figure(watch, PAGE, NAME)
    before = table(figure)
    drag(page, axis(figure, 0), -40, -60)
    after = table(figure)
    assert after[0][2] > before[0][2] + 20
    assert after[1][:3] == before[1][:3]
    deviation, degrees = numbers(axis(figure, 0).get_attribute("aria-valuetext") or "")
    assert degrees == pytest.approx(after[0][2], abs=1)
    put(slider(figure, "along its short axis"), 2.5)  # a short one that is longer takes it along
    assert table(figure)[0][1] == 1
    assert deviation < 2.5
    press(figure, "Reset")
    assert table(figure) == before


def test_what_belongs_to_a_family_costs_nothing(watch: Watch) -> None:
    state = f"{FIGURE}?of=EEV&s=1.5,0.5,10;1.5,0.5,70;1.5,0.5,-40"
    figure = open_figure(watch, PAGE, NAME, state)
    assert "It costs nothing here" in words(figure)


def test_by_keyboard_alone(watch: Watch) -> None:
    page, figure = watch.page, open_figure(watch, PAGE, NAME)
    varies = figure.get_by_role("radiogroup", name="Volume").get_by_role("radio", name="V")
    reach(page, varies)
    page.keyboard.press("ArrowLeft")
    page.clock.run_for(500)
    assert words(figure).startswith("EEV: ")
    reach(page, axis(figure, 2))
    page.keyboard.press("Shift+ArrowUp")
    assert table(figure)[2][2] > 0
    reach(page, slider(figure, "along its short axis"))
    page.keyboard.press("ArrowLeft")
    reach(page, button(figure, "Reset"))
    page.keyboard.press("Enter")
    assert words(figure).startswith("VEV: ")
