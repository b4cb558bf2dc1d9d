"""All figures that can be touched: their size, their loading; and each check is shown a fault."""

import gzip
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

import site_checks
from site_checks import Watch
from touch_checks import control_problems, never_falls, number, numbers, settle, still_problems
from touch_fixtures import stopped

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "assets" / "figures"
SHARED = ["kit/em", "data/data-sets", "kit/touch"]
OWN = "kit/own-data"  # the reader's own points
MOST = 30_000
MOST_WITH_OWN = 36_000
MORE = {"one-iteration": 42_000}  # three pictures, own points, and a landscape


def compressed(*paths: Path) -> int:
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths)


def kit_of(*names: str) -> list[str]:
    """What the scripts of these figures stand on."""
    sources = "".join((FIGURES / f"{name}.js").read_text() for name in names)
    asked_for = {"landscape.": "kit/landscape", "ownData.": OWN}
    return [*SHARED, *(script for word, script in asked_for.items() if word in sources)]


def test_what_a_page_loads_is_small(tmp_path: Path) -> None:
    shared = [FIGURES / f"{name}.js" for name in SHARED]
    figures = sorted(FIGURES.glob("*.js"))
    assert {"em-plane.js", "worked-example.js"} <= {path.name for path in figures}
    for figure in figures:
        kit = kit_of(figure.stem)
        size = compressed(*(FIGURES / f"{name}.js" for name in kit), figure)
        most = MORE.get(figure.stem, MOST_WITH_OWN if OWN in kit else MOST)
        assert size < most, f"{size} bytes of script with {figure.name}, compressed"
    noise = tmp_path / "noise.js"
    noise.write_bytes(random.Random(1).randbytes(MOST))
    assert compressed(*shared, noise) > MOST


def scripts_of(html: str) -> list[str]:
    return re.findall(r'<script[^>]* src="[^"]*_static/figures/([a-z/-]*)\.js', html)


def figures_of(html: str) -> list[str]:
    return re.findall(r'<img[^>]* class="[^"]*\btouch touch-([a-z-]+)', html)


def test_a_page_loads_what_its_figures_need(site: Path) -> None:
    with_figures = set()
    for path in sorted(site.rglob("*.html")):
        html = path.read_text(encoding="utf-8")
        names = figures_of(html)
        wanted = [*kit_of(*names), *names] if names else []
        assert scripts_of(html) == wanted, path.name
        with_figures |= set(names)
    unused = with_figures ^ {path.stem for path in FIGURES.glob("*.js")}
    assert not unused, f"a script that no page uses: {unused}"


# --- the kit itself, on a tiny page -------------------------------------------------------------

PAGE = """<!DOCTYPE html>
<html lang="en" data-theme="light"><head><meta charset="utf-8"><title>A page</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="touch.css">
<script defer src="em.js"></script><script defer src="touch.js"></script>
<script type="module">{script}</script></head>
<body><article><figure id="fig-one">
<img class="touch touch-one" alt="A still." width="300" height="100" src="dot.svg">
{note}</figure></article></body></html>
"""
NOTE = '<p class="touch-note">With JavaScript it moves.</p>'
ONE = """
touch.figure("one", (f) => {
  let [x, y, ticks] = [2, 5, 0];
  const plot = f.plot({ label: "A point", x: [0, 10], y: [0, 10], handles: true });
  plot.draw = () => { plot.axes(); plot.dot("c1", [x, y]); };
  const go = ([u, v]) => { [x, y] = [u, v]; f.update(); };
  const both = { move: go, at: () => [x, y], words: () => `x ${touch.fixed(x)}` };
  plot.handle({ ...both, label: "Both ways" });
  plot.handle({ ...both, label: "Upright", axis: "y" });
  const row = f.row();
  const slider = f.slider(row, "Place", { min: 0, max: 10, step: 0.5 }, (v) => go([v, y]));
  f.checkbox(row, "Switch", (on) => f.say(on ? "On." : "Off."));
  f.player(row, () => { f.say(`Tick ${++ticks}.`); return ticks < 3 ? 100 : 0; });
  f.button(row, "Break", () => { throw new Error("broken"); });
  f.link(row);
  f.words();
  f.say("Ready.");
  const read = (given) => { x = Number(given.x) || 2; slider.show(x); };
  f.address(() => ({ x: x === 2 ? "" : x }), read);
  FAULT
});
"""


class Tiny:
    def __init__(self, folder: Path, address: str, page: Page) -> None:
        self.folder, self.page = folder, page
        self.watch = Watch(page, address)
        self.opened = 0

    def open(self, fault: str = "", note: str = NOTE, state: str = "") -> None:
        # an address of its own, and the script in the page itself: the browser's cache has the
        # others, and takes a file that was written in the same second as the same
        self.opened += 1
        script = ONE.replace("FAULT", fault)
        (self.folder / self.name).write_text(PAGE.format(note=note, script=script))
        self.watch.problems.clear()
        self.page.goto(f"{self.watch.address}{self.name}{state}")

    @property
    def name(self) -> str:
        return f"page-{self.opened}.html"

    def still_problems(self, plain: Page) -> list[str]:
        plain.goto(f"{self.watch.address}{self.name}")
        return still_problems(plain, self.page, "one")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    folder = tmp_path_factory.mktemp("touch")
    for name in ("em.js", "touch.js", "touch.css"):
        shutil.copy(FIGURES / "kit" / name, folder)
    (folder / "dot.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    with site_checks.serve(folder) as address:
        yield folder, address


@pytest.fixture(scope="module")
def tiny(served: tuple[Path, str], browser: Browser) -> Iterator[Tiny]:
    context = site_checks.new_context(browser)
    yield Tiny(*served, stopped(context))
    context.close()


def test_a_sound_figure_has_no_problems(tiny: Tiny, plain: Page) -> None:
    tiny.open()
    figure = tiny.page.locator(".touch-figure-one")
    assert control_problems(figure) == []
    assert tiny.still_problems(plain) == []
    assert tiny.watch.problems == []


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("f.root.append(touch.el('button'));", "no name: <button>"),
        ("f.root.append(touch.el('input', {type: 'text'}));", "no name: <input>"),
        (
            "f.button(row, 'x', () => {}, {style: 'min-height: 0; height: 9px'});",
            "too small for a finger: x",
        ),
        ("f.say(`It is ${0 / 0}.`);", "not a number: "),
        ("plot.draw = () => plot.dot('c1', [x, 0 / 0]);", 'not a number: <circle cy="NaN">'),
        ("f.said.removeAttribute('aria-live');", "no polite words"),
        ("f.root.append(touch.el('b', {tabindex: 0, role: 'slider'}, 'Big'));", "no value: Big"),
        ("f.root.replaceChildren();", "no control"),
    ],
)
def test_a_fault_of_a_control_is_found(tiny: Tiny, fault: str, problem: str) -> None:
    tiny.open(fault)
    found = control_problems(tiny.page.locator(".touch-figure-one"))
    assert any(problem in line for line in found), found


@pytest.mark.parametrize(
    ("fault", "note", "problem"),
    [
        ("", "", "without script: no sentence"),
        ("f.image.remove();", NOTE, "on paper: no picture"),
        (
            "f.image.nextSibling.style = 'display: block !important';",
            NOTE,
            "on paper: the controls",
        ),
        ("throw new Error('broken');", NOTE, "on paper: 0 figures are mounted"),
    ],
)
def test_a_fault_of_a_still_is_found(
    tiny: Tiny, plain: Page, fault: str, note: str, problem: str
) -> None:
    tiny.open(fault, note)
    found = tiny.still_problems(plain)
    assert any(problem in line for line in found), found


def test_half_a_figure_leaves_the_picture(tiny: Tiny) -> None:
    tiny.open("throw new Error('broken');")
    assert tiny.page.locator("img.touch-one").is_visible()
    assert tiny.page.locator(".touch-note").is_visible()
    assert tiny.page.locator(".touch-figure").count() == 0
    assert tiny.watch.problems == ["script error: broken"]


def test_a_handle_keeps_to_its_axis_and_its_frame(tiny: Tiny) -> None:
    tiny.open()
    page = tiny.page
    upright = page.get_by_role("slider", name="Upright")
    assert upright.get_attribute("aria-orientation") == "vertical"
    upright.focus()
    for key in ("ArrowUp", "ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    assert upright.get_attribute("aria-valuenow") == "6.2"
    for _ in range(6):
        page.keyboard.press("Shift+ArrowUp")
    assert upright.get_attribute("aria-valuenow") == "10"
    free = page.get_by_role("slider", name="Both ways")
    assert free.get_attribute("aria-valuenow") == "2"
    assert free.get_attribute("aria-valuetext") == "x 2.00"
    free.focus()
    page.keyboard.press("ArrowLeft")
    assert free.get_attribute("aria-valuenow") == "1.9"
    page.keyboard.press("Control+ArrowLeft")  # the browser's own
    assert free.get_attribute("aria-valuenow") == "1.9"


def test_controls_and_words(tiny: Tiny) -> None:
    tiny.open(state="#fig-one?x=7.5")
    page = tiny.page
    words = page.locator(".touch-words")
    assert words.inner_text() == "Ready."
    slider = page.get_by_role("slider", name="Place")
    assert slider.input_value() == "7.5"
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("output").inner_text() == "8.00"
    assert slider.get_attribute("aria-valuetext") == "8.00"
    settle(page)
    assert page.url.endswith("#fig-one?x=8")
    page.get_by_role("checkbox", name="Switch").check()
    assert words.inner_text() == "On."
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(3000)
    assert words.inner_text() == "Tick 3."
    assert words.get_attribute("aria-live") == "polite"
    assert tiny.watch.problems == []


@pytest.mark.parametrize(
    ("leave", "back"),
    [
        ("document.querySelector('h1 a').click()", "#fig-one?x=8"),  # noted before
        ("location.hash = 'top'", "#fig-one?x=7.5"),
    ],
)
def test_an_anchor_followed_at_once_is_not_overwritten(tiny: Tiny, leave: str, back: str) -> None:
    tiny.open(state="#fig-one?x=7.5")
    page = tiny.page
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<h1><a href=#top>Top</a></h1>')")
    page.get_by_role("slider", name="Place").focus()
    page.keyboard.press("ArrowRight")
    page.evaluate(leave)
    settle(page)
    assert page.evaluate("location.hash") == "#top"
    page.get_by_role("slider", name="Place").focus()
    page.keyboard.press("ArrowRight")  # and later changes are noted as ever
    settle(page)
    assert page.evaluate("location.hash") == "#fig-one?x=8.5"
    page.go_back()
    page.wait_for_function("back => location.hash === back", arg=back)


def test_numbers_as_the_page_shows_them(tiny: Tiny) -> None:
    tiny.open()
    shown = tiny.page.evaluate(
        """() => [touch.fixed(-1.005, 1), touch.fixed(-0.001), touch.digits(0.000123456, 3),
            touch.digits(-1.5e-9, 2), touch.digits(123456, 3), touch.digits(0),
            ...touch.ticks(-1, 1, 4).map((tick) => tick.text),
            ...touch.ticks(0, 0.3, 3).map((tick) => tick.text)]"""
    )
    assert shown == [
        *("−1.0", "0.00", "0.000123", "−1.5e−9", "123456", "0"),
        *("−1.0", "−0.5", "0.0", "0.5", "1.0"),
        *("0.0", "0.1", "0.2", "0.3"),
    ]
    axis = """([low, high]) => {
        const ticks = touch.ticks(low, high);
        return [ticks.note, ticks.map((tick) => tick.text)];
    }"""
    for ends, note, texts in (
        ([0, 5], "", ["0", "1", "2", "3", "4", "5"]),
        ([0, 5e9], " · 10⁹", ["0", "1", "2", "3", "4", "5"]),
        ([-1e-9, 4e-9], " · 10⁻⁹", ["−1", "0", "1", "2", "3", "4"]),
        ([1e9 - 1, 1e9 + 4], " + 1000000000", ["−1", "0", "1", "2", "3", "4"]),
        (
            [-2e6 - 0.01, -2e6 + 0.04],
            " − 2000000",
            ["−0.01", "0.00", "0.01", "0.02", "0.03", "0.04"],
        ),
        (
            [-1190, -1120],
            "",
            ["−1190", "−1180", "−1170", "−1160", "−1150", "−1140", "−1130", "−1120"],
        ),
    ):
        assert tiny.page.evaluate(axis, ends) == [note, texts]
    assert number("ℓ = −1.5e−9 at 3") == -1.5e-9
    assert numbers("(−0.5, 2) and 3e5") == [-0.5, 2, 3e5]


def test_a_fall_is_found() -> None:
    assert never_falls([1, 1, 2.5]) == []
    assert never_falls([1, 3, 2.5, 4]) == ["step 2: from 3 to 2.5"]
    assert never_falls([1, 0.9999], slack=1e-3) == []
