"""What the tests of the figures that can be touched share (tests/test_touch_*.py).

A figure is tried on a *lean* page: its own page as built, its figures alone in the article. The
page is loaded once, and open_figure then takes the figure from state to state as a link on the same
page does; load_figure loads it anew. The page's clock stands still and is moved on by ``run_for``,
so that what plays and glides does the same on a busy machine.

``number`` reads a number as the page shows it; ``drag``, ``swipe`` and ``reach`` are the mouse, a
finger and the keyboard; the functions in ``*_problems`` list what is wrong, as in site_checks.
"""

import itertools
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

from playwright.sync_api import Locator, Page

from site_checks import (
    NARROW,
    WIDE,
    Watch,
    axe_problems,
    contrast_problems,
    overflow_problems,
    settled,
)

NUMBER = re.compile(r"[-−]?\d+(?:\.\d+)?(?:e[-−+]?\d+)?")
CORNER = re.compile(r"[ML]([\d.]+) ([\d.]+)")
NOTED_MS = 350  # by then the address holds the state: WRITE_MS in assets/figures/kit/touch.js


# --- the lean page ------------------------------------------------------------------------------


Tags = list[tuple[str, str]]


class _Finder(HTMLParser):
    """Where the pictures of figures are in a page, and what each is in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.lines = list(itertools.accumulate((len(x) for x in html.splitlines(True)), initial=0))
        self.open: Tags = []  # the tags that are open in the article
        self.found: list[tuple[str, Tags]] = []  # each figure, and what it is in
        self.inside: Tags = []
        self.touched = False
        self.first = self.article = self.end = 0
        self.feed(html)

    @property
    def place(self) -> int:
        line, column = self.getpos()
        return self.lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        text = self.get_starttag_text() or ""
        if tag == "article":
            self.article = self.place + len(text)
        elif self.article and not self.end:
            if tag == "figure":
                self.first, self.inside, self.touched = self.place, list(self.open), False
            if tag not in ("img", "br", "hr", "input", "source", "wbr", "col"):
                self.open.append((tag, text))
            if re.search(r"\btouch touch-[a-z-]+", dict(attrs).get("class") or ""):
                self.touched = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self.end = self.place
        elif self.article and not self.end:
            while self.open and self.open.pop()[0] != tag:
                pass
            if tag == "figure" and self.touched:
                last = self.place + len("</figure>")
                self.found.append((self.html[self.first : last], self.inside))
                self.touched = False


def lean_page(html: str) -> str:
    """The page with its figures alone in its article, and room above and below to scroll."""
    page = _Finder(html)
    figures = []
    for figure, inside in page.found:
        before = "".join(text for _, text in inside)
        if figures:  # both may stand in one section, and a name occurs once
            before = re.sub(r' id="[^"]*"', "", before)
        figures.append(before + figure + "".join(f"</{tag}>" for tag, _ in reversed(inside)))
    # the texts that their links show are not there
    shown = re.sub(r' aria-describedby="tip-[^"]*"', "", "".join(figures))
    room = '<div style="height: 1200px"></div>'
    article = f"<h1>A figure</h1>{room}{shown}{room}"
    lean = html[: page.article] + article + html[page.end :]
    # the sections that the list of contents leads to are not there either
    lean = re.sub(
        r'(<nav[^>]* class="page-toc"[^>]*>).*?</nav>', r"\1</nav>", lean, flags=re.DOTALL
    )
    return re.sub(r'<script[^>]* src="[^"]*mathjax[^"]*"[^>]*></script>', "", lean)


def lean_site(site: Path, folder: Path) -> Path:
    """A lean page for each page of the site that has a figure; all else is shared with the site."""
    for path in sorted(site.rglob("*.html")):
        html = path.read_text(encoding="utf-8")
        if "touch touch-" in html:
            copy = folder / path.relative_to(site)
            copy.parent.mkdir(exist_ok=True)
            copy.write_text(lean_page(html), encoding="utf-8")
    for name in ("_static", "_images"):
        (folder / name).symlink_to((site / name).resolve())
    return folder


# --- a figure in a state ------------------------------------------------------------------------

# As a link on the same page does it; what no link holds is put back by hand. Without a state the
# address has none either, as after loading.
FOLLOW = """(root, state) => {
    const id = root.closest('[id^="fig-"]').id;
    root.querySelectorAll("details").forEach((one) => { one.open = false; });
    document.body.tabIndex = -1;
    document.body.focus();  // Tab begins at the top
    document.body.removeAttribute("tabindex");
    scrollTo(0, 0);
    history.replaceState(null, "", `#${state.includes("?") ? state : id + "?"}`);
    dispatchEvent(new HashChangeEvent("hashchange"));
    history.replaceState(null, "", location.pathname + (state && `#${state}`));
}"""


def load_figure(watch: Watch, path: str, name: str, state: str = "") -> Locator:
    """The figure on its page, loaded anew with an address such as ``fig-a?k=3``."""
    # leave first: an address that differs in its state only would not load the page anew
    watch.page.goto("about:blank")
    watch.page.goto(watch.address + path + (f"#{state}" if state else ""), wait_until="load")
    figure = watch.page.locator(f".touch-figure-{name}")
    figure.wait_for(state="visible")
    settled(watch.page)
    return figure


def open_figure(watch: Watch, path: str, name: str, state: str = "") -> Locator:
    """The figure in this state, or at its beginning; its page is loaded where it is not open."""
    page = watch.page
    figure = page.locator(f".touch-figure-{name}")
    if page.url.split("#")[0] == watch.address + path and figure.count() == 1:
        page.mouse.move(0, 0)
        settle(page)  # what waits to be written is written
    else:
        load_figure(watch, path, name)
    follow(figure, state)
    return figure


def follow(figure: Locator, state: str) -> None:
    figure.evaluate(FOLLOW, state)
    settled(figure.page)


def settle(page: Page) -> None:
    """Until the address holds the state."""
    page.clock.run_for(NOTED_MS)


def words(figure: Locator) -> str:
    return figure.locator(".touch-words").inner_text()


def button(figure: Locator, name: str) -> Locator:
    return figure.get_by_role("button", name=name, exact=True)


def press(figure: Locator, *names: str) -> None:
    for name in names:
        button(figure, name).click()


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


def situation(figure: Locator) -> list[str]:
    """All that is on the screen but for the words: elements one by one, then what is chosen."""
    found: list[str] = figure.evaluate(
        """figure => {
            const copy = figure.cloneNode(true);
            const unseen = ".touch-words, .touch-complaint, .touch-url, [hidden]";
            copy.querySelectorAll(unseen).forEach((node) => node.remove());
            // where the focus was is no part of it
            const shown = ({ name, value }) => name !== "tabindex" && (name !== "class" || value);
            const drawn = [...copy.querySelectorAll("*")].map((node) => [
                node.localName,
                ...[...node.attributes].filter(shown).map((a) => `${a.name}=${a.value}`).sort(),
                ...[...node.childNodes].filter((part) => part.nodeType === 3).map((t) => t.data),
            ].join(" ").replace(/touch-clip-\\d+/g, "touch-clip"));
            const chosen = [...figure.querySelectorAll("input, select")]
                .filter((one) => !one.closest("[hidden]"))
                .map((one) => `${one.type} ${one.value.replace("-", "−")} ${Boolean(one.checked)}`);
            return [...drawn, ...chosen];
        }"""
    )
    return found


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


def reach(page: Page, target: Locator, most: int = 150) -> None:
    """Move the focus to the target with the Tab key alone, and see that it shows."""
    for _ in range(most):
        if target.evaluate("node => node === document.activeElement"):
            break
        page.keyboard.press("Tab")
    else:
        raise AssertionError(f"{most} times Tab do not lead to {target}")
    assert target.evaluate("node => node.matches(':focus-visible')")


def swipe(page: Page, handle: Locator, *way: tuple[float, float]) -> None:
    """With a finger, in pixels from where the handle is; the page has a touch screen."""
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    finger = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": x + dx, "y": y + dy} for dx, dy in points]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})  # type: ignore[arg-type]

    touch("touchStart", (0, 0))
    for to in way:
        touch("touchMove", to)
    touch("touchEnd")
    finger.detach()


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
    figure = open_figure(watch, path, name, state)
    watch.page.clock.resume()  # axe waits for its own timers
    figure.evaluate("f => f.querySelectorAll('details').forEach((d) => { d.open = true; })")
    for scheme in ("light", "dark"):
        watch.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for size in (WIDE, NARROW):
            watch.page.set_viewport_size(size)  # type: ignore[arg-type]
            settled(watch.page)
            where = f"{scheme} at {size['width']}"
            wrong = overflow_problems(watch.page) + contrast_problems(watch.page)
            wrong += control_problems(figure)
            if (scheme, size) in (("light", WIDE), ("dark", NARROW)):  # each theme, each width
                wrong += axe_problems(watch.page, f".touch-figure-{name}")
            drawn = figure.locator("svg").first.bounding_box()
            if not drawn or drawn["width"] < 250 or drawn["height"] < 100:
                wrong.append(f"the plot is {drawn}")
            found += [f"{where}: {problem}" for problem in wrong]
    watch.page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    watch.page.emulate_media(color_scheme="light")
    watch.page.clock.pause_at(watch.page.evaluate("Date.now() / 1000") + 1)
    return found


def still_problems(plain: Page, scripted: Page, name: str) -> list[str]:
    """On a page without script, and on one with script when it is printed, there is the picture
    with its sentence."""
    found = []
    scripted.emulate_media(media="print")
    for page, where in ((plain, "without script"), (scripted, "on paper")):
        picture = page.locator(f"img.touch-{name}")
        note = page.locator(f"img.touch-{name} ~ .touch-note")
        mounted = page.locator(f".touch-figure-{name}")
        if mounted.count() != (page is scripted):
            found.append(f"{where}: {mounted.count()} figures are mounted")
        if page is scripted and mounted.is_visible():
            found.append(f"{where}: the controls are seen")
        if not picture.is_visible() or not picture.get_attribute("alt"):
            found.append(f"{where}: no picture")
        if not note.is_visible() or "JavaScript" not in note.inner_text():
            found.append(f"{where}: no sentence")
    scripted.emulate_media(media="screen")
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


def in_pixels(svg: Locator, pair: Sequence[float]) -> tuple[float, float]:
    """Where a place of the plot is, in its pixels."""
    (a, b), (c, d) = scales(svg)
    return (pair[0] - a) / b, (pair[1] - c) / d


def click_at(svg: Locator, pair: Sequence[float]) -> None:
    x, y = in_pixels(svg, pair)
    svg.click(position={"x": x, "y": y})


def contours(svg: Locator) -> list[tuple[float, list[tuple[float, float]]]]:
    """Each level of a map, and the places on its line."""
    (a, b), (c, d) = scales(svg)
    drawn = svg.locator(".touch-level").evaluate_all(
        "all => all.map((path) => [Number(path.dataset.level), path.getAttribute('d')])"
    )
    return [
        (level, [(a + b * float(x), c + d * float(y)) for x, y in CORNER.findall(path)])
        for level, path in drawn
    ]
