"""What the tests of the figures that can be touched share (tests/test_touch_*.py).

open_figure loads a page and returns the figure; ``number`` reads a number as the page shows it;
``drag`` and ``reach`` are the pointer and the keyboard; the functions in ``*_problems`` list what
is wrong, as in site_checks.
"""

import itertools
import re

from playwright.sync_api import Browser, Locator, Page

from site_checks import (
    NARROW,
    WIDE,
    Watch,
    axe_problems,
    contrast_problems,
    open_page,
    overflow_problems,
)

NUMBER = re.compile(r"[-−]?\d+(?:\.\d+)?(?:e[-−+]?\d+)?")


# What these show at first is not where Reset leads.
OPEN_WITH_MORE = {
    "bound": "fig-bounds-staircase",
    "posterior": "fig-shares",
    "worked-example": "fig-worked-sheet",
}


def open_figure(watch: Watch, path: str, name: str, state: str = "") -> Locator:
    """The figure on its page, with the state of an address such as ``fig-a?k=3``.

    Without a state at its beginning, where all is to be done; some pages open with more.
    """
    # leave first: an address that differs in its state only would not load the page anew
    watch.page.goto("about:blank")
    open_page(watch, f"{path}#{state}" if state else path)
    figure = watch.page.locator(f".touch-figure-{name}")
    if not state and name in OPEN_WITH_MORE:
        figure.wait_for(state="visible", timeout=5000)
        watch.page.evaluate(
            """(id) => new Promise((done) => {
                addEventListener("hashchange", done, { once: true }); // after the figure's own
                location.hash = `${id}?`;
            })""",
            OPEN_WITH_MORE[name],
        )
    figure.wait_for(state="visible", timeout=5000)
    return figure


def number(text: str) -> float:
    """The first number in a text, whose minus is a true one."""
    match = NUMBER.search(text)
    assert match, f"no number in {text!r}"
    return float(match[0].replace("−", "-"))


def numbers(text: str) -> list[float]:
    return [float(found.replace("−", "-")) for found in NUMBER.findall(text)]


def drag(page: Page, handle: Locator, dx: float, dy: float) -> None:
    """By the pointer, in pixels."""
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 6):
        page.mouse.move(x + dx * step / 5, y + dy * step / 5)
    page.mouse.up()


def reach(page: Page, target: Locator, most: int = 60) -> None:
    """Move the focus to the target with the Tab key alone, and see that it shows."""
    for _ in range(most):
        if target.evaluate("node => node === document.activeElement"):
            break
        page.keyboard.press("Tab")
    else:
        raise AssertionError(f"{most} times Tab do not lead to {target}")
    assert target.evaluate("node => node.matches(':focus-visible')")


def settle(page: Page) -> None:
    """Until the address holds the state."""
    page.wait_for_timeout(450)


def control_problems(figure: Locator) -> list[str]:
    """Every control has a name, is big enough for a finger, and the words are polite."""
    found: list[str] = figure.evaluate(
        """figure => {
            const problems = [];
            const shown = [...figure.querySelectorAll("button, input, select, summary, [tabindex]")]
                .filter((node) => node.checkVisibility({ visibilityProperty: true }));
            for (const node of shown) {
                const label = node.getAttribute("aria-label") || node.textContent.trim() ||
                    [...(node.labels || [])].map((l) => l.textContent.trim()).join(" ");
                if (!label) problems.push(`no name: <${node.localName}>`);
                const box = (node.type === "radio" || node.type === "checkbox" ?
                    node.parentElement : node).getBoundingClientRect();
                if (Math.min(box.width, box.height) < 24)
                    problems.push(`too small for a finger: ${label}, ` +
                        `${Math.round(box.width)} by ${Math.round(box.height)}`);
                if (node.getAttribute("role") === "slider" &&
                    !(node.hasAttribute("aria-valuenow") && node.getAttribute("aria-valuetext")))
                    problems.push(`no value: ${label}`);
            }
            if (!shown.length) problems.push("no control");
            if (!figure.querySelector('[aria-live="polite"]')) problems.push("no polite words");
            if (/NaN|undefined|Infinity|null/.test(figure.textContent))
                problems.push("not a number: " + figure.innerText.slice(0, 400));
            for (const node of figure.querySelectorAll("svg *"))
                for (const { name, value } of node.attributes)
                    if (/NaN|undefined|Infinity/.test(value))
                        problems.push(`not a number: <${node.localName} ${name}="${value}">`);
            return problems;
        }"""
    )
    return found


def look_problems(watch: Watch, path: str, name: str, state: str = "") -> list[str]:
    """Wide and narrow, light and dark: nothing sticks out, text is readable, axe is content."""
    found = []
    for scheme in ("light", "dark"):
        watch.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        figure = open_figure(watch, path, name, state)
        figure.evaluate("f => f.querySelectorAll('details').forEach((d) => { d.open = true; })")
        for size in (WIDE, NARROW):
            watch.page.set_viewport_size(size)  # type: ignore[arg-type]
            watch.page.wait_for_timeout(200)
            where = f"{scheme} at {size['width']}"
            wrong = overflow_problems(watch.page) + contrast_problems(watch.page)
            wrong += control_problems(figure)
            wrong += axe_problems(watch.page, f".touch-figure-{name}")
            drawn = figure.locator("svg").first.bounding_box()
            if not drawn or drawn["width"] < 250 or drawn["height"] < 100:
                wrong.append(f"the plot is {drawn}")
            found += [f"{where}: {problem}" for problem in wrong]
    found += watch.problems
    watch.problems.clear()
    return found


def still_problems(browser: Browser, address: str, path: str, name: str) -> list[str]:
    """Without script, and on paper, there is the picture with its sentence."""
    found = []
    for script in (False, True):
        context = browser.new_context(java_script_enabled=script)
        page = context.new_page()
        page.goto(address + path)
        page.emulate_media(media="screen" if not script else "print")
        picture = page.locator(f"img.touch-{name}")
        note = page.locator(f"img.touch-{name} ~ .touch-note")
        mounted = page.locator(f".touch-figure-{name}")
        where = "on paper" if script else "without script"
        if mounted.count() != script:
            found.append(f"{where}: {mounted.count()} figures are mounted")
        if script and mounted.is_visible():
            found.append(f"{where}: the controls are seen")
        if not picture.is_visible() or not picture.get_attribute("alt"):
            found.append(f"{where}: no picture")
        if not note.is_visible() or "JavaScript" not in note.inner_text():
            found.append(f"{where}: no sentence")
        context.close()
    return found


def never_falls(values: list[float], slack: float = 0.0) -> list[str]:
    """``slack`` is the rounding of what the page shows."""
    return [
        f"step {i}: from {a} to {b}"
        for i, (a, b) in enumerate(itertools.pairwise(values), start=1)
        if b < a - slack
    ]


def scales(svg: Locator) -> list[tuple[float, float]]:
    """For x and for y, from pixels to data: ``value = a + b * pixel``, read off the axes."""
    ticks = svg.evaluate(
        """svg => [["middle", "x"], ["end", "y"]].map(([anchor, way]) =>
            [...svg.querySelectorAll(`.touch-axes .touch-tick.${anchor}`)]
                .map((t) => [t.textContent, t.getAttribute(way) - (way === "y" ? 4 : 0)]))"""
    )
    found = []
    for axis in ticks:
        (low, p), *_, (high, q) = [(number(text), pixel) for text, pixel in axis]
        slope = (high - low) / (q - p)
        found.append((low - slope * p, slope))
    return found
