"""The reader's own points, in each figure that takes them.

By mouse, finger and keyboard, as a table, from a file, with undo, in the address. What is computed
of them is in each figure's own file.
"""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator

from site_checks import Watch
from touch_checks import (
    button,
    control_problems,
    load_figure,
    open_figure,
    press,
    reach,
    settle,
    situation,
    swipe,
    words,
)
from touch_own_data import (
    BASINS,
    EM_PLANE,
    FIGURES,
    NEEDLE,
    Figure,
    chosen,
    click,
    complaint,
    held,
    paste,
    place,
    plot,
)

FOUR = {2: "1,2;3,4;5,9;2,7.5", 1: "1;3;5;7.5"}
EVERY = pytest.mark.parametrize("about", FIGURES, ids=lambda about: about.name)


def opened(watch: Watch, about: Figure, points: str = "", more: str = "") -> Locator:
    state = about.at(points, more) if points else about.own
    return open_figure(watch, about.path, about.name, state)


# --- by hand ------------------------------------------------------------------------------------


@EVERY
def test_from_nothing_by_the_mouse(watch: Watch, about: Figure) -> None:
    page, figure = watch.page, opened(watch, about)
    assert re.search("no (points|numbers) yet", words(figure))
    assert not control_problems(figure)
    click(figure, about, 0.3)
    assert held(page) == []  # not before one asks for it
    press(figure, "Edit the points")
    wanted: list[list[float]] = []
    for across, up in ((0.2, 0.3), (0.7, 0.8), (0.45, 0.5)):
        before = held(page)
        click(figure, about, across, up)
        wanted = held(page)
        assert len(wanted) == len(before) + 1
        assert wanted[: len(before)] == before
        if not before:  # on these axes from 0 to 10, before they follow the points
            np.testing.assert_allclose(
                wanted[-1], [10 * across, 10 * up][: about.dimension], atol=0.1
            )
    assert not control_problems(figure)
    press(figure, "Undo", "Undo")
    assert held(page) == wanted[:1]
    assert words(figure).startswith("Undone")
    press(figure, "Redo", "Redo")
    assert held(page) == wanted
    press(figure, "Redo")
    assert "nothing to do again" in words(figure)
    click(figure, about, 0.9, 0.1)
    press(figure, "Undo", "Undo", "Undo", "Undo")
    assert held(page) == []
    press(figure, "Undo")
    assert "nothing to undo" in words(figure)


@EVERY
def test_a_point_is_chosen_dragged_and_deleted(watch: Watch, about: Figure) -> None:
    page, figure = watch.page, opened(watch, about, FOUR[about.dimension], "&edit=0")
    before = held(page) or opened_points(about)
    figure.scroll_into_view_if_needed()
    box = plot(figure, about).bounding_box()
    assert box
    # the point is met beside its middle, and keeps its digits while it is only chosen
    x, y = pixels(figure, about, before[1])
    page.mouse.move(box["x"] + x + 3, box["y"] + y - 3)
    page.mouse.down()
    page.mouse.up()
    assert "Point 2 of 4" in words(figure)
    assert held(page) == before
    assert chosen(figure).evaluate("node => node === document.activeElement")
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.down()
    for k in range(1, 6):
        page.mouse.move(box["x"] + x + 8 * k, box["y"] + y - 6 * k)
    page.mouse.up()
    after = held(page)
    assert after[1][0] > before[1][0]
    if about.dimension == 2:
        assert after[1][1] > before[1][1]
    assert [after[0], *after[2:]] == [before[0], *before[2:]]
    press(figure, "Undo")
    assert held(page) == before  # all of the way is one step
    chosen(figure).focus()
    page.keyboard.press("Delete")
    assert held(page) == [before[0], *before[2:]]
    press(figure, "Undo")
    assert held(page) == before
    # and it can be typed
    figure.get_by_role("textbox", name=re.compile("^x of point 2")).fill("3,25")
    page.keyboard.press("Enter")
    assert held(page)[1][0] == 3.25
    figure.get_by_role("textbox", name=re.compile("^x of point 2")).fill("much")
    page.keyboard.press("Tab")
    assert "“much” is not a number" in words(figure)
    assert held(page)[1][0] == 3.25


def opened_points(about: Figure) -> list[list[float]]:
    """What is in FOUR: the address holds nothing before something has changed."""
    return [[float(v) for v in row.split(",")] for row in FOUR[about.dimension].split(";")]


def pixels(figure: Locator, about: Figure, point: list[float]) -> tuple[float, float]:
    """Where a point is drawn: a circle in the plane, a mark on the line."""
    i = opened_points(about).index(point)
    if about.dimension == 2:
        node = plot(figure, about).locator(".touch-points circle").nth(i)
        return float(node.get_attribute("cx") or 0), float(node.get_attribute("cy") or 0)
    d = plot(figure, about).locator(".touch-rug").nth(i).get_attribute("d") or ""
    x, y = (float(v) for v in re.findall(r"[\d.]+", d)[:2])
    return x, y


@EVERY
def test_by_keyboard_alone(watch: Watch, about: Figure) -> None:
    page, figure = watch.page, opened(watch, about)
    reach(page, button(figure, "Add a point"))
    page.keyboard.press("Enter")
    assert chosen(figure).evaluate("node => node === document.activeElement")
    assert held(page)[0] == [5, 5][: about.dimension]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    (moved,) = held(page)
    assert moved[0] > 5
    page.keyboard.press("Control+z")  # the way of one point is one step
    assert held(page) == [[5, 5][: about.dimension]]
    page.keyboard.press("Control+y")
    assert held(page) == [moved]
    reach(page, button(figure, "Add a point"))
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+ArrowLeft")
    two = held(page)
    assert two[0] == moved
    assert two[1][0] < moved[0]
    assert (chosen(figure).get_attribute("aria-valuetext") or "").startswith("point 2 of 2")
    page.keyboard.press("PageDown")  # round to the first
    assert (chosen(figure).get_attribute("aria-valuetext") or "").startswith("point 1 of 2")
    page.keyboard.press("End")
    page.keyboard.press("Delete")
    assert held(page) == [moved]
    page.keyboard.press("Control+z")
    assert held(page) == two
    page.keyboard.press("Control+Shift+Z")
    assert held(page) == [moved]
    page.keyboard.press("Delete")
    assert held(page) == []
    assert button(figure, "Add a point").evaluate("node => node === document.activeElement")
    for name in ("Edit the points", "Undo", "Redo"):
        reach(page, button(figure, name))
    reach(page, figure.locator(".touch-own summary"))
    page.keyboard.press("Enter")
    assert figure.get_by_role("textbox", name="Table or CSV").is_visible()


@EVERY
def test_under_a_finger(phone: Watch, about: Figure) -> None:
    figure = opened(phone, about, FOUR[about.dimension], "&edit=0")
    page = phone.page
    before = opened_points(about)
    plot(figure, about).scroll_into_view_if_needed()
    x, y = place(figure, about, 0.97, 0.05)
    plot(figure, about).tap(position={"x": x, "y": y})
    figure.get_by_text("Point 5 is at").wait_for()
    assert len(held(page)) == 5
    press(figure, "Undo")
    assert held(page) == before
    # a finger is broad: it takes the point beside it, and the page stays
    x, y = pixels(figure, about, before[2])
    plot(figure, about).tap(position={"x": x + 8, "y": y - 8})
    figure.locator(".touch-words").get_by_text("Point 3 of 4").wait_for()
    chosen(figure).scroll_into_view_if_needed()
    scrolled = page.evaluate("scrollY")
    swipe(page, chosen(figure), (-20, 10), (-50, 20))
    after = held(page)
    assert after[2][0] < before[2][0]
    assert [*after[:2], after[3]] == [*before[:2], before[3]]
    assert page.evaluate("scrollY") == scrolled
    # one that is not chosen yet is taken along at once
    kind = ".touch-points circle" if about.dimension == 2 else ".touch-rug"
    other = plot(figure, about).locator(kind).first
    other.scroll_into_view_if_needed()
    scrolled = page.evaluate("scrollY")
    swipe(page, other, (10, -15), (30, -70))
    assert "Point 1" in words(figure)
    assert held(page)[0][0] > before[0][0]
    assert page.evaluate("scrollY") == scrolled
    press(figure, "Delete")  # a tap so soon would only end the fling of the swipe
    figure.get_by_text("is deleted").wait_for()
    assert len(held(page)) == 3


# --- a table ------------------------------------------------------------------------------------


@EVERY
def test_a_table_is_pasted(watch: Watch, about: Figure) -> None:
    page, figure = watch.page, opened(watch, about)
    rows = [[1.5, 20.0], [2.25, 31.0], [3.0, 25.5], [7.5, 20.25]]
    cells = [row[: about.dimension] for row in rows]
    names = ["long wait", "b"][: about.dimension]
    text = "\n".join(["\t".join(names), *("\t".join(map(str, row)) for row in cells)])
    paste(figure, text)
    assert held(page) == cells
    assert words(figure).startswith("4 points read.")
    assert complaint(figure) == ""
    for name in names:
        assert plot(figure, about).get_by_text(name, exact=True).is_visible()
    assert "names=long%20wait" in page.url
    press(figure, "Undo")
    assert held(page) == []


@pytest.mark.parametrize(
    ("about", "text", "said"),
    [
        (EM_PLANE, "", "There is nothing to read yet"),
        (EM_PLANE, "1,2\n3,4\n5,abc", "Line 3: “abc” is not a number."),
        (EM_PLANE, "1\n2\n3", "Two columns of numbers are wanted, and this table has 1 column."),
        (EM_PLANE, "1,2\n3", "Line 2 has 1 column, and line 1 has 2."),
        (EM_PLANE, "1 2\n" * 2001, "These are 2001 points. This figure takes at most 2000"),
        (NEEDLE, "1\n2\nx", "Line 3: “x” is not a number."),
        (NEEDLE, "1\n" * 201, "These are 201 points. This figure takes at most 200"),
        (BASINS, "1 2 x 4", "Line 1: “x” is not a number."),
        (BASINS, "1\n" * 101, "These are 101 points. This figure takes at most 100"),
    ],
)
def test_what_cannot_be_read_is_said(watch: Watch, about: Figure, text: str, said: str) -> None:
    figure = opened(watch, about, FOUR[about.dimension])
    before = situation(figure)
    paste(figure, text)
    assert complaint(figure).startswith(said)
    figure.locator(".touch-own details").evaluate("one => { one.open = false; }")
    assert situation(figure) == before  # the points that were there are still there
    figure.locator(".touch-own summary").click()
    figure.get_by_role("textbox", name="Table or CSV").fill("1 2")
    assert complaint(figure) == ""


def test_which_columns(watch: Watch) -> None:
    figure = opened(watch, EM_PLANE)
    paste(figure, "who,a,b,c\nX,1,2,3\nY,4,5,7\nZ,7,8,8\n")
    assert "This table has 3 columns of numbers" in complaint(figure)
    assert held(watch.page) == []
    across = figure.get_by_role("combobox", name="Column for x")
    assert across.locator("option").all_inner_texts() == ["a", "b", "c"]
    across.select_option("c")
    figure.get_by_role("combobox", name="Column for y").select_option("a")
    press(figure, "Use these numbers")
    assert held(watch.page) == [[3, 1], [7, 4], [8, 7]]
    assert "1 column of words left aside" in words(figure)
    figure = opened(watch, NEEDLE)
    paste(figure, "1 2\n4 5")
    column = figure.get_by_role("combobox", name="Column")
    assert column.locator("option").all_inner_texts() == ["all numbers", "column 1", "column 2"]
    press(figure, "Use these numbers")
    assert held(watch.page) == [[1], [2], [4], [5]]


def test_a_file_is_opened_and_one_is_saved(watch: Watch, tmp_path: Path) -> None:
    page, figure = watch.page, opened(watch, EM_PLANE)
    figure.locator(".touch-own summary").click()
    table = b"\xef\xbb\xbfa;b\r\n0,1;1000000000,5\r\n-2;3\r\n0,3333333333333333;4\r\n"
    chooser = figure.locator("input[type=file]")
    chooser.set_input_files({"name": "mine.csv", "mimeType": "text/csv", "buffer": table})
    figure.get_by_text("3 points read").wait_for()
    points = [[0.1, 1000000000.5], [-2, 3], [0.3333333333333333, 4]]
    assert held(page) == points
    with page.expect_download() as waiting:
        press(figure, "Download the table (CSV)")
    saved = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(saved)
    assert saved.name == "points.csv"
    assert saved.read_text() == "a,b\n0.1,1000000000.5\n-2,3\n0.3333333333333333,4\n"
    huge = {"name": "huge.csv", "mimeType": "text/csv", "buffer": b"1,2\n" * 1_500_000}
    chooser.set_input_files(huge)
    figure.get_by_text("huge.csv has 6.0 MB").wait_for()
    assert held(page) == points


# --- the address --------------------------------------------------------------------------------


def test_what_is_too_long_for_an_address(watch: Watch) -> None:
    page, figure = watch.page, opened(watch, EM_PLANE)
    too_long = figure.get_by_text("too many for a link")
    rng = np.random.default_rng(0)
    few = "\n".join(f"{x:.4f},{y:.4f}" for x, y in rng.normal(size=(90, 2)))
    paste(figure, few)
    assert len(held(page)) == 90
    assert not too_long.is_visible()
    many = "\n".join(f"{x:.6f},{y:.6f}" for x, y in rng.normal(size=(150, 2)))
    paste(figure, many)
    settle(page)
    assert "own=many" in page.url
    assert len(page.url) < 400
    assert too_long.is_visible()
    assert figure.locator(".touch-points circle").count() == 150
    page.emulate_media(color_scheme="dark")
    assert figure.locator(".touch-points circle").count() == 150
    figure = load_figure(watch, EM_PLANE.path, EM_PLANE.name, f"{EM_PLANE.own}&own=many")
    assert "The points of this link are not in it" in words(figure)
    assert figure.locator(".touch-points circle").count() == 272


@EVERY
@pytest.mark.parametrize(
    "points",
    [
        *("1,2", "1,2;1,2;1,2", "1,1;2,2;3,3", "1,2;1,5;1,9", "0,0;0,1"),
        *("1e9,1;1000000001,2;1000000003,5;1000000002,7", "1e9,2e9;3e9,1e9;5e9,9e9;2e9,2e9"),
        *("1e-9,2e-9;3e-9,1e-9;5e-9,9e-9;2e-9,2e-9", "1e50,1;2,1e-90;5,5;-3,8"),
        *("0,0;1,0;0,1;1e6,1e6", "-1,5;-1,5;2,7;3,1;-4,0.001"),
    ],
)
def test_unusual_points_behave(watch: Watch, about: Figure, points: str) -> None:
    if about.dimension == 1:
        points = ";".join(row.split(",")[0] for row in points.split(";"))
    figure = opened(watch, about, points)
    for name in ("One iteration", "One iteration", "Play", "Edit the points", "Reset"):
        assert not control_problems(figure)
        press(figure, name)
        watch.page.clock.run_for(700)
    assert not control_problems(figure)
    assert words(figure)
    ticks = plot(figure, about).locator(".touch-axes .touch-tick.middle").all_text_contents()
    assert len(ticks) == len(set(ticks)) >= 2
    assert max(len(tick) for tick in ticks) <= 7


@EVERY
def test_the_points_shown_become_ones_own_and_undo_gives_them_back(
    watch: Watch, about: Figure
) -> None:
    figure = open_figure(watch, about.path, about.name)
    before = situation(figure)
    press(figure, "Take these points as your own")
    assert figure.get_by_role("combobox", name="Data").input_value() == "own"
    assert "yours now" in words(figure)
    taken = situation(figure)
    press(figure, "Undo")
    assert situation(figure) == before
    watch.page.keyboard.press("Control+Shift+Z")
    assert situation(figure) == taken
