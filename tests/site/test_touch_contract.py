"""What every figure that can be touched keeps to; the table says what each is tried with.

A link leads to exactly this situation, a wrong one does no harm; it moves under a finger and the
page does not; it plays to its end and can be stopped; it glides only where motion is welcome; it
looks right light and dark, wide and narrow; without script and on paper there is a picture; and
all of it works from a folder. By keyboard alone is in each figure's own file.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

import site_checks
import touch_basins as basins
import touch_build_mixture as build
import touch_em_plane as em_plane
import touch_needle as needle
import touch_one_iteration as one
import touch_own_data as own_data
import touch_posterior as posterior
import touch_surface as surface
import touch_worked_example as worked
from site_checks import Watch
from touch_checks import (
    button,
    control_problems,
    drag,
    follow,
    load_figure,
    look_problems,
    open_figure,
    press,
    put,
    settle,
    situation,
    slider,
    still_problems,
    swipe,
    words,
)

Act = Callable[[Page, Locator], object]


@dataclass(frozen=True)
class Play:
    milliseconds: int  # play so long,
    steps: tuple[int, int]  # and this many iterations are taken: from, to
    end: str  # what it says when it stops by itself,
    last: tuple[int, int]  # and after how many iterations


@dataclass(frozen=True)
class Case:
    name: str
    path: str
    figure: str  # how its addresses begin
    changes: tuple[Act, ...]  # each leads to another situation
    looks: tuple[str, ...]  # states in which it is looked at
    wrong: tuple[str, ...]  # links that ask for what there is not
    after: Act  # what still works after a wrong link
    grip: str = ""  # a handle,
    way: tuple[tuple[float, float], ...] = ()  # how a finger moves it,
    tapped: tuple[str, str] = ("", "")  # then a button, and what it says
    touched: Act = lambda page, figure: None  # what else a finger does
    play: Play | None = None
    glides: tuple[str, str] = ("", "")  # what moves from place to place, and its attribute
    also: tuple[str, ...] = ()  # other pages that have it


def choose(value: str) -> Act:
    return lambda page, f: f.get_by_role("radio", name=value, exact=True).check(force=True)


def select(value: str) -> Act:
    return lambda page, f: f.get_by_role("combobox").select_option(value)


def presses(*names: str) -> Act:
    return lambda page, f: press(f, *names)


def adds_points(about: own_data.Figure) -> Act:
    """Its own points, clicked into the plot one after another."""

    def act(page: Page, figure: Locator) -> None:
        press(figure, "Edit the points")
        for across, up in ((0.2, 0.3), (0.75, 0.8), (0.45, 0.55), (0.3, 0.85)):
            own_data.click(figure, about, across, up)

    return act


def chooses_the_first(page: Page, figure: Locator) -> None:
    own_data.chosen(figure).focus()
    page.keyboard.press("Home")


def own_points_by_hand(about: own_data.Figure) -> tuple[Act, ...]:
    return (
        presses("Take these points as your own"),
        own_data.clear,
        adds_points(about),
        chooses_the_first,
        lambda page, f: page.keyboard.press("Shift+ArrowLeft"),
        presses("Edit the points"),
        presses("Undo"),
    )


def slide(name: str, value: float) -> Act:
    return lambda page, f: put(slider(f, name), value)


def handle(figure: Locator, name: str) -> Locator:
    return figure.get_by_role("slider", name=name, exact=True)


def drags(name: str, dx: float, dy: float) -> Act:
    return lambda page, f: drag(page, handle(f, name), dx, dy)


def types(name: str, text: str) -> Act:
    return lambda page, f: worked.type_in(f, name, text)


def steps(figure: Locator) -> int:
    found = re.search(r"(?:iteration|epoch)\s(\d+)", figure.locator(".touch-l").inner_text())
    assert found
    return int(found[1])


def first_step(page: Page, figure: Locator) -> None:
    button(figure, "One iteration").click()
    assert steps(figure) == 1


def reset_and_step(page: Page, figure: Locator) -> None:
    press(figure, "Reset")
    first_step(page, figure)


def two_modes(page: Page, figure: Locator) -> None:
    assert round(sum(build.shown(figure)["weights"]), 6) == 1
    choose("2")(page, figure)
    put(slider(figure, "Gap of the means"), 4)
    assert words(figure).startswith("Two modes")


def equal_bells(page: Page, figure: Locator) -> None:
    press(figure, "Reset")
    figure.get_by_role("combobox").select_option("equal")
    assert words(figure).startswith("One boundary, at 1.50")


def it_breaks(page: Page, figure: Locator) -> None:
    press(figure, "Reset", "One iteration")
    assert needle.shown(figure)["t"] == 1
    assert "It broke." in words(figure)


def the_note(page: Page, figure: Locator) -> None:
    press(figure, "The note’s numbers", "E-step")
    assert worked.shown(figure, "b11") == "0.574"


def at_the_summit(page: Page, figure: Locator) -> None:
    press(figure, "Reset")
    assert "to summit B" in words(figure)
    assert basins.shown(figure)["t"] == 0


def in_group(figure: Locator, group: str, name: str) -> None:
    box = figure.get_by_role("radiogroup", name=group)
    box.get_by_role("radio", name=name, exact=True).check(force=True)
    figure.page.clock.run_for(500)  # the ellipses have arrived


def one_shape(page: Page, figure: Locator) -> None:
    press(figure, "Reset")
    assert words(figure).startswith("VEV: volumes of their own, one shape")


CASES = (
    Case(
        "basins",
        "chapters/12_where_it_starts.html",
        "fig-start-map",
        changes=(
            presses("One iteration"),
            drags("Start: the two means", -50, -40),
            choose("0.25"),
            presses("Swap the names"),
            presses(*["One iteration"] * 3),
            choose("0.1"),
            *own_points_by_hand(own_data.BASINS),
        ),
        looks=(
            "?t=4",
            "?m=10,22&w=0.25&t=3",
            "?data=own",
            "?data=own&own=1;2;2.5;6;7;7.5;8;12;13&edit=3&w=0.5&t=2",
        ),
        wrong=(
            "?m=99,-99&w=7&t=-5",
            "?m=NaN,1&w=constructor&t=1e9",
            "?m=20,20&w=0.1",
            "?m=1&w=&t=x",
            "?data=own&own=1;x&m=3,4",
            "?data=constructor&own=1;2",
            "?m=,",
            "?%E0%A4%A",
            "",
        ),
        after=at_the_summit,
        grip="Start: the two means",
        way=((-10, 20), (-40, 50)),
        tapped=("One iteration", "Iteration 1"),
        play=Play(1500, (2, 4), "arrived at summit B", (33, 33)),
    ),
    Case(
        "bound",
        "chapters/09_why_it_climbs.html",
        "fig-bounds-staircase",
        changes=(
            presses("E-step"),
            presses("M-step"),
            drags("The parameter", -70, 0),
            presses("E-step", "M-step"),
            lambda page, f: f.get_by_role("checkbox", name="close-up").check(),
            choose("variance"),
            presses(*["One iteration"] * 6),
            drags("The parameter", 50, 0),
        ),
        looks=("?h=6", "?p=variance&h=4&close=1"),
        wrong=(
            "?p=nothing&at=1e9&h=-5",
            "?p=constructor&q=NaN&h=x",
            "?p=weight&at=5&q=-5&h=3",
            "?at=&q=&close=yes",
            "?%E0%A4%A",
            "",
        ),
        after=reset_and_step,
        grip="The parameter",
        way=((-20, 0), (-60, 0)),
        tapped=("E-step", "the bound touches"),
        play=Play(2500, (1, 1), "Converged: .* μ1 = 54.6[12]", (1, 30)),
        glides=(".touch-dot >> nth=-1", "cx"),
    ),
    Case(
        "build-mixture",
        "chapters/01_why_mixtures.html",
        "fig-two-humps",
        changes=(
            slide("Gap of the means", 3.35),
            slide("α2", 0.13),
            presses("New sample"),
            choose("3"),
            slide("σ3", 0.7),
            drags("Mean of component 1", -40, 0),
            slide("α1", 0.71),
            lambda page, f: f.get_by_text("Show the labels").click(),
            choose("1000"),
        ),
        looks=("?", "?k=3&labels=1&n=1000"),
        wrong=(
            "?k=99&n=-5&seed=x",
            "?k=constructor&a=1,2,3",
            "?a=NaN,1&m=1&s=0,0",
            "?a=0,0&m=1e9,-1e9&s=-1,1e9",
            "?k=3&a=,,&m=,,&s=,,",
            "?k=1&a=0.3&m=&s=x",
            "?%E0%A4%A",
        ),
        after=two_modes,
        grip="Mean of component 2",
        way=((20, -30), (60, -60)),
        tapped=("New sample", "A new sample"),
    ),
    Case(
        "em-plane",
        "index.html",
        em_plane.FIGURE,
        changes=(
            presses("E-step"),
            presses("M-step", "One iteration"),
            drags("Mean of component 2", 40, -90),
            presses(*["One iteration"] * 3),
            select("blobs"),
            presses("New start", "One iteration", "E-step"),
            choose("5"),
            drags("Mean of component 2", 40, -90),
            presses(*["One iteration"] * 7),
            presses("a lower top"),
            presses("a collapse"),
            select("own"),
            adds_points(own_data.EM_PLANE),
            presses("One iteration", "E-step"),
            chooses_the_first,
            lambda page, f: page.keyboard.press("Shift+ArrowRight"),
            presses("One far point"),
            presses("Edit the points"),
            presses("Undo"),
        ),
        looks=(
            "",
            "?data=blobs&k=6&start=3&t=5&e=1",
            em_plane.COLLAPSE,
            "?data=own",
            "?data=own&own=1,2;1e6,2e6;5e5,9e5;2,7e5&names=a long name,b&edit=2&t=2&e=1",
        ),
        wrong=(
            "?data=nothing&k=99&t=-5",
            "?k=two&m=1,2;3&t=x&e=maybe",
            "?m=NaN,1;2,3&w=1,1&c=1,2,3;4,5,6",
            "?m=2,90;5,50&w=0.5,0.5&c=1,9,1;1,0,1",
            "?%E0%A4%A",
            "?data=constructor&k=3",
            "?data=own&own=many&k=3&t=2",
            "?data=own&own=1,2;3&m=1,2",
            "?data=own&own=1,2;3,5;7,1;2,2&names=%3Cb%3E,,&edit=99&w=1,1&t=0",
            "",
        ),
        after=first_step,
        grip="Mean of component 2",
        way=((-20, -30), (-60, -70)),
        tapped=("E-step", "shared out"),
        play=Play(3000, (1, 5), "Converged", (67, 67)),
        glides=("ellipse >> nth=0", "cx"),
        also=(em_plane.CHAPTER,),
    ),
    Case(
        "needle",
        "chapters/13_likelihood_breaks.html",
        "fig-needle-rate",
        changes=(
            presses("One iteration"),
            drags("Mean of component 1", 60, 0),
            lambda page, f: drag(page, needle.sigma(f), 130, 0),
            choose("bound"),
            slide("strength", -2.5),
            presses(*["One iteration"] * 3),
            select("rounded"),
            choose("prior"),
            *own_points_by_hand(own_data.NEEDLE),
        ),
        looks=(
            "",
            "?of=rounded&s=-8",
            "?r=ridge&e=-6&t=5",
            "?of=own",
            "?of=own&own=1e5;2e5;2.5e5;6e5;7e5&names=income&edit=3&t=1",
        ),
        wrong=(
            "?of=nothing&m=99&s=99&t=-5",
            "?of=constructor&r=constructor&e=1",
            "?r=ridge&e=1e9&t=1e9",
            "?r=none&e=-3&s=NaN&m=x",
            "?m=&s=&r=&e=&t=x",
            "?of=own&own=many&t=3",
            "?%E0%A4%A",
            "",
        ),
        after=it_breaks,
        grip="Mean of component 1",
        way=((20, -30), (60, -60)),
        tapped=("One iteration", "Iteration 1"),
        play=Play(600, (1, 1), "It broke.", (1, 1)),
    ),
    Case(
        "one-iteration",
        "chapters/09_why_it_climbs.html",
        "fig-one-iteration",
        changes=(
            presses("E-step"),
            presses("M-step"),
            drags("θ, the two means", 40, -60),
            presses("M-step", "E-step"),
            drags("The point looked at", 60, 0),
            slide("σ, standard deviation of both components", 8.2),
            drags("A place on the line", -40, 0),
            select("twenty"),
            presses("nearly equal ones", *["One iteration"] * 3),
            slide("α1, weight of component 1", 0.2),
            presses("exchanged names", "E-step"),
        ),
        looks=("?h=2", "?data=twenty&m=2,5&h=3&at=1", "?data=own&own=1;2;2.5;6;7.5&h=2&x=1"),
        wrong=(
            "?data=nothing&m=99,-999&h=-5",
            "?data=constructor&m=NaN,1&q=1&h=1e9",
            "?a=0&s=0&h=x&x=-1&at=NaN",
            "?a=1e9&s=1e9&q=,&x=constructor",
            "?m=60,65&h=m3&x=1e9&at=1e9",
            "?data=own&own=1;1;x&h=2",
            "?%E0%A4%A",
            "",
        ),
        after=lambda page, f: (select("waits")(page, f), reset_and_step(page, f)),
        grip="θ, the two means",
        way=((-20, -10), (-50, -20)),
        tapped=("E-step", "The gap is closed"),
        touched=one.tap_the_plane,
        play=Play(3000, (1, 2), "come to rest", (5, 20)),
        glides=(".touch-cut .touch-dot >> nth=-1", "cx"),
    ),
    Case(
        "posterior",
        "chapters/03_hidden_labels.html",
        "fig-shares",
        changes=(
            drags("The point", 40, 0),
            slide("α2", 0.13),
            slide("σ1", 7.3),
            select("inside"),
            slide("μ2", -1.7),
            drags("The point", -70, 0),
        ),
        looks=("?", "?of=wide"),
        wrong=(
            "?of=nothing&a=x&x=NaN",
            "?of=constructor&m=1,2",
            "?a=0&m=,&s=0,0&x=1e9",
            "?a=-1&m=1e9,-1e9&s=-1,1e9",
            "?of=wide&s=2&m=5",
            "?%E0%A4%A",
        ),
        after=equal_bells,
        grip="The point",
        way=((20, -30), (60, -60)),
        touched=posterior.says_all_about_the_point,
    ),
    Case(
        "shapes",
        "chapters/14_shapes.html",
        "fig-fourteen",
        changes=(
            drags("Long axis of component 1", -40, -60),
            lambda page, f: in_group(f, "Volume", "E"),
            lambda page, f: in_group(f, "Component", "3"),
            slide("along its short axis", 0.8),
            lambda page, f: in_group(f, "Shape", "I"),
            drags("Long axis of component 3", 30, 40),
        ),
        looks=("?", "?of=VVE&c=1"),
        wrong=(
            "?of=XYZ&s=1,2,3&c=9",
            "?of=EIE&c=constructor",
            "?of=EII&s=NaN,1,1;;1,2",
            "?s=-1,-1,-999;1e9,1e9,1e9;0,0,0",
            "?s=;;&of=",
            "?%E0%A4%A",
        ),
        after=one_shape,
        grip="Long axis of component 2",
        way=((10, -20), (20, -50)),
        touched=lambda page, figure: None,
    ),
    Case(
        "surface",
        "chapters/05_why_not_just_maximise.html",
        "fig-surface",
        changes=(
            presses("One iteration"),
            lambda page, f: surface.click(f, [5.5, 5]),
            lambda page, f: button(f, "One iteration").click(click_count=3),
            lambda page, f: slider(f, "variance").fill("2.3"),
            select("waiting"),
            drags("Start of the walk: the two means", 90, -100),
            lambda page, f: button(f, "One iteration").click(click_count=2),
        ),
        looks=("?t=4", "?data=waiting&v=199.5&m=90,50&t=2"),
        wrong=(
            "?data=nothing&v=-3&m=99,-99&t=-5",
            "?data=constructor&v=NaN&m=1&t=1e9",
            "?m=NaN,Infinity&v=1e99",
            "?m=,&v=",
            "?%E0%A4%A",
            "",
        ),
        after=reset_and_step,
        touched=surface.tap_the_plane,
        play=Play(1000, (1, 4), "arrived at the peak", (5, 60)),
        glides=(".touch-walker", "cx"),
    ),
    Case(
        "worked-example",
        "chapters/07_worked_example.html",
        "fig-worked-sheet",
        changes=(
            presses("E-step"),
            types("x3", "-1.5"),
            presses("M-step"),
            lambda page, f: worked.cell(f, "M2").click(),
            types("a1", "0.3"),
            types("m2", "2.25"),
            choose("σ"),
            types("v1", "1.3"),
            presses("One epoch", "E-step"),
            choose("normalised"),
            lambda page, f: worked.cell(f, "g24").click(),
        ),
        looks=("", "?s=2&at=V1&sd=1"),
        wrong=(
            "?x=1,2,3&s=-4",
            "?x=a,b,c,d,e&v=0,0&m=NaN,1&a=2",
            "?x=1,,2,3,4&at=constructor&s=2",
            "?at=V1",
            "?s=1e9&v=1,-1",
            "?s=x&g=7&sd=maybe&at=b99",
            "?%E0%A4%A",
        ),
        after=the_note,
        touched=worked.tap_the_sheet,
        play=Play(2000, (1, 1), "converged", (25, 25)),
    ),
)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


def test_these_are_all_figures() -> None:
    scripts = (site_checks.ROOT / "assets" / "figures").glob("*.js")
    assert {one.name for one in CASES} == {path.stem for path in scripts}


def test_a_link_leads_to_exactly_this_situation(watch: Watch, case: Case) -> None:
    page = watch.page
    figure = load_figure(watch, case.path, case.name)
    settle(page)
    assert "#" not in page.url  # looking alone changes nothing
    follow(figure, "")
    left = {}
    for change in case.changes:
        change(page, figure)
        page.mouse.move(0, 0)
        settle(page)
        left[page.url.split("#")[1]] = situation(figure)
    assert len(left) == len(case.changes)
    for state, there in left.items():
        figure = load_figure(watch, case.path, case.name, state)
        assert situation(figure) == there, state
        box = figure.bounding_box()
        assert box
        assert box["y"] < site_checks.WIDE["height"]  # it is in sight


def test_a_wrong_link_does_no_harm(watch: Watch, case: Case) -> None:
    problems = []
    for state in case.wrong:
        figure = load_figure(watch, case.path, case.name, case.figure + state)
        problems += [f"{state}: {problem}" for problem in control_problems(figure)]
        case.after(watch.page, figure)
    assert not problems, "\n".join(problems)


def test_under_a_finger(phone: Watch, case: Case) -> None:
    figure = open_figure(phone, case.path, case.name)
    start = situation(figure)
    if case.grip:
        moved_by_a_finger(phone, figure, case)
    if case.tapped[0]:
        button(figure, case.tapped[0]).tap()
        assert case.tapped[1] in words(figure)
    case.touched(phone.page, figure)
    assert situation(figure) != start


def moved_by_a_finger(phone: Watch, figure: Locator, case: Case) -> None:
    grip = handle(figure, case.grip)
    grip.scroll_into_view_if_needed()
    before, value = grip.bounding_box(), grip.get_attribute("aria-valuetext")
    scrolled = phone.page.evaluate("scrollY")
    swipe(phone.page, grip, *case.way)
    after = grip.bounding_box()
    assert before
    assert after
    assert after["x"] - before["x"] == pytest.approx(case.way[-1][0], abs=6)
    assert grip.get_attribute("aria-valuetext") != value
    assert phone.page.evaluate("scrollY") == scrolled  # the page stays


def test_play_and_pause(watch: Watch, case: Case) -> None:
    page, figure = watch.page, open_figure(watch, case.path, case.name)
    play = case.play
    if not play:
        assert button(figure, "Play").count() == 0
        return
    page.emulate_media(reduced_motion="no-preference")
    polite = figure.locator(".touch-words")
    page.clock.run_for(5000)
    assert steps(figure) == 0  # nothing moves by itself
    press(figure, "Play")
    page.clock.run_for(play.milliseconds)
    assert play.steps[0] <= steps(figure) <= play.steps[1]
    assert polite.get_attribute("aria-live") == "off"  # what flashes by is not read out
    press(figure, "Pause")
    at = steps(figure)
    page.clock.run_for(5000)
    assert steps(figure) == at
    assert polite.get_attribute("aria-live") == "polite"
    press(figure, "Play")
    page.clock.run_for(60_000)
    assert play.last[0] <= steps(figure) <= play.last[1]
    assert re.search(play.end, words(figure)), words(figure)
    assert button(figure, "Play").is_visible()
    assert polite.get_attribute("aria-live") == "polite"


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_it_glides_only_where_motion_is_welcome(watch: Watch, case: Case, motion: str) -> None:
    page, figure = watch.page, open_figure(watch, case.path, case.name)
    what, attribute = case.glides
    page.emulate_media(reduced_motion=motion)  # type: ignore[arg-type]
    if not what:
        before = situation(figure)
        page.clock.run_for(2000)
        assert situation(figure) == before
        return
    press(figure, "One iteration")
    places = set()
    for _ in range(40):
        page.clock.run_for(20)
        places.add(figure.locator(what).get_attribute(attribute))
    assert (len(places) == 1) == (motion == "reduce")


def test_light_and_dark_wide_and_narrow(watch: Watch, case: Case) -> None:
    problems = []
    looks = [(case.path, state) for state in case.looks]
    for path, state in [*looks, *((path, case.looks[-1]) for path in case.also)]:
        found = look_problems(watch, path, case.name, state and case.figure + state)
        problems += [f"{path}{state}: {problem}" for problem in found]
    assert not problems, "\n".join(problems)


def test_without_script_and_on_paper(watch: Watch, plain: Page, case: Case) -> None:
    for path in (case.path, *case.also):
        open_figure(watch, path, case.name)
        plain.goto(watch.address + path)
        assert still_problems(plain, watch.page, case.name) == []


def test_from_the_file_system(lean: Path, page: Page, case: Case) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.clock.install()  # it goes on by itself here
    watch = Watch(page, f"{lean.as_uri()}/")
    figure = load_figure(watch, case.path, case.name)
    follow(figure, "")
    case.changes[0](page, figure)
    page.mouse.move(0, 0)
    settle(page)
    state, now = page.url.split("#")[1], situation(figure)
    assert situation(load_figure(watch, case.path, case.name, state)) == now
    assert not watch.problems
