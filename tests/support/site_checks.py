"""What a page of the site must hold in a browser, and over links, as functions that list problems.

tests/site/test_pages.py applies them to the built site, and shows each of them a fault.
"""

import contextlib
import functools
import http.server
import posixpath
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import axe_playwright_python
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Request,
    Response,
    TimeoutError,
    expect,
)

from rules.html import html_problems, without_glyphs

ROOT = Path(__file__).parents[2]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


PATIENCE = 120_000  # milliseconds that a busy machine may take for one thing
expect.set_options(timeout=PATIENCE)


def new_context(browser: Browser, **options: Any) -> BrowserContext:
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE)
    return context


class _Handler(http.server.SimpleHTTPRequestHandler):
    prefix = "/"

    def translate_path(self, path: str) -> str:
        if not path.startswith(self.prefix):
            return str(Path(self.directory) / "outside-of-the-prefix")
        return super().translate_path(path[len(self.prefix) - 1 :])

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """As the usual hosts do: 404.html in answer to a wrong address in any folder."""
        page = Path(self.directory) / "404.html"
        if code != 404 or not page.is_file():
            return super().send_error(code, message, explain)
        self.send_response(404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.read_bytes())

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that is left ends its requests: that is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def serve(folder: Path, prefix: str = "/", **more: Any) -> Iterator[str]:
    """The address of a static server over the folder, on a free port of this machine.

    What is given beside stands in for methods of its handler.
    """
    handler = type("Handler", (_Handler,), {"prefix": prefix, **more})
    server = _Server(("127.0.0.1", 0), functools.partial(handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{prefix}"
    finally:
        server.shutdown()
        server.server_close()


# --- in the browser -----------------------------------------------------------------------------


@dataclass
class Watch:
    """Collects what goes wrong on a page while it loads and is used."""

    page: Page
    address: str
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", self._request)
        self.page.on("response", self._response)
        self.page.on("requestfailed", self._failed)
        self.page.on("console", lambda m: self._say(m.type == "error", f"console error: {m.text}"))
        self.page.on("pageerror", lambda error: self._say(True, f"script error: {error}"))

    def _say(self, wrong: bool, problem: str) -> None:
        if wrong:
            self.problems.append(problem)

    def _here(self, url: str) -> bool:
        if self.address.startswith("file:"):
            return url.startswith(self.address)
        return urlsplit(url).netloc == urlsplit(self.address).netloc

    def _request(self, request: Request) -> None:
        inside = self._here(request.url) or request.url.startswith(("data:", "blob:"))
        self._say(not inside, f"request to another host: {request.url}")

    def _response(self, response: Response) -> None:
        self._say(response.status >= 400, f"status {response.status}: {response.url}")

    def _failed(self, request: Request) -> None:
        # what is still on its way when the page is left is cancelled: nobody waits for it
        left = request.failure == "net::ERR_ABORTED"
        self._say(self._here(request.url) and not left, f"request failed: {request.url}")


def open_page(watch: Watch, path: str) -> None:
    watch.page.goto(watch.address + path, wait_until="load")


def formulas_set(watch: Watch) -> None:
    """Until the formulas are set, where the page itself sets them."""
    trouble = watch.page.evaluate(
        """async () => {
            if (!window.MathJax || !MathJax.startup) return "";
            try { await MathJax.startup.promise; return ""; } catch (e) { return String(e); }
        }"""
    )
    if trouble:
        watch.problems.append(f"MathJax: {trouble}")


def resize(page: Page, size: dict[str, int]) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.wait_for_function("width => innerWidth === width", arg=size["width"])


def unfold(page: Page) -> None:
    """Open what is behind a click: code, solutions."""
    page.evaluate(
        """() => {
            for (const box of document.querySelectorAll("details")) box.open = true;
            for (const box of document.querySelectorAll(".toggle-hidden"))
                box.classList.remove("toggle-hidden");
        }"""
    )


def math_problems(page: Page) -> list[str]:
    """As many formulas typeset as there are, and none with an error."""
    found: list[str] = page.evaluate(
        r"""() => {
            const problems = [];
            const nodes = document.querySelectorAll(".math");
            const set = document.querySelectorAll("mjx-container");
            if (nodes.length !== set.length)
                problems.push(`${set.length} formulas are typeset, of ${nodes.length}`);
            for (const node of nodes) {
                const inside = node.querySelectorAll("mjx-container").length;
                const text = node.textContent.slice(0, 80);
                if (inside !== 1) problems.push(`not one formula but ${inside}: ${text}`);
            }
            const wrong = 'mjx-merror, [data-mjx-error], [mathcolor="red"]';
            for (const node of document.querySelectorAll(wrong))
                problems.push("formula with an error: " +
                    (node.getAttribute("data-mjx-error") || node.textContent).slice(0, 80));
            const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            while (walker.nextNode()) {
                const text = walker.currentNode;
                const skipped = "script, style, pre, code, textarea, .math";
                if (text.parentElement.closest(skipped)) continue;
                if (/\\[(\[a-zA-Z]|\$\$/.test(text.data))
                    problems.push("formula left as text: " + text.data.trim().slice(0, 80));
            }
            return problems;
        }"""
    )
    return found


def image_problems(page: Page) -> list[str]:
    """Every picture is there and says in words what it shows."""
    found: list[str] = page.evaluate(
        r"""() => {
            const problems = [];
            for (const image of document.images) {
                const name = image.getAttribute("src").split("/").pop();
                const alt = image.getAttribute("alt");
                // beside the book's name the logo is an ornament
                if (alt === "" && image.closest(".navbar-brand")) continue;
                if (alt === null || alt.trim() === "") problems.push(`no alt text: ${name}`);
                else if (/\.(png|svg|jpe?g|gif|webp)$/i.test(alt) || name.startsWith(alt))
                    problems.push(`a file name as alt text: ${alt}`);
            }
            return problems;
        }"""
    )
    return found


def overflow_problems(page: Page) -> list[str]:
    """Nothing sticks out of the page sideways, or is cut off there."""
    found: list[str] = page.evaluate(
        """() => {
            const problems = [];
            const root = document.documentElement;
            if (root.scrollWidth > root.clientWidth)
                problems.push(`the page is ${root.scrollWidth} wide in ${root.clientWidth}`);
            const scrolls = (node) => {
                for (let up = node; up && up !== document.body; up = up.parentElement)
                    if (["auto", "scroll"].includes(getComputedStyle(up).overflowX)) return true;
                return false;
            };
            const article = document.querySelector("article") || document.body;
            for (const node of article.querySelectorAll("*")) {
                if (node.closest("mjx-math, mjx-assistive-mml, .book-tips, svg")) continue;
                const box = node.getBoundingClientRect();
                if (box.width && box.right > root.clientWidth + 1 && !scrolls(node))
                    problems.push(`<${node.localName} class="${node.className}"> ` +
                        `ends at ${Math.round(box.right)} of ${root.clientWidth}`);
            }
            return problems.slice(0, 20);
        }"""
    )
    return [f"overflow at {page.viewport_size['width']}: {problem}" for problem in found]  # type: ignore[index]


def contrast_problems(page: Page, least: float = 4.5) -> list[str]:
    """The text of the page stands out from what is behind it, as WCAG AA asks."""
    found: list[str] = page.evaluate(
        """(least) => {
            const canvas = document.createElement("canvas");
            const pen = canvas.getContext("2d", { willReadFrequently: true });
            const known = new Map();
            const rgba = (colour) => {
                if (!known.has(colour)) {
                    pen.clearRect(0, 0, 1, 1);
                    pen.fillStyle = colour;
                    pen.fillRect(0, 0, 1, 1);
                    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
                    known.set(colour, [r, g, b, a / 255]);
                }
                return known.get(colour);
            };
            const over = (top, below) => {
                const a = top[3];
                return [0, 1, 2].map((i) => a * top[i] + (1 - a) * below[i]).concat(1);
            };
            const behind = (node) => {
                const layers = [];
                for (let up = node; up; up = up.parentElement) {
                    const colour = rgba(getComputedStyle(up).backgroundColor);
                    layers.push(colour);
                    if (colour[3] === 1) break;
                }
                const white = [255, 255, 255, 1];
                return layers.reverse().reduce((below, top) => over(top, below), white);
            };
            const light = (c) => {
                const [r, g, b] = c.map((v) => v / 255)
                    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const opacities = new Map([[null, 1]]);
            const opacity = (node) => {
                if (!opacities.has(node))
                    opacities.set(node,
                        getComputedStyle(node).opacity * opacity(node.parentElement));
                return opacities.get(node);
            };
            const problems = new Set();
            const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            while (walker.nextNode()) {
                const node = walker.currentNode.parentElement;
                const text = walker.currentNode.data.trim();
                const skipped = ".headerlink, mjx-assistive-mml, script, noscript, style";
                const seen = { visibilityProperty: true, opacityProperty: true };
                if (!text || node.closest(skipped) || !node.checkVisibility(seen)) continue;
                const below = behind(node);
                const [r, g, b, a] = rgba(getComputedStyle(node).color);
                const colour = over([r, g, b, a * opacity(node)], below);
                const [low, high] = [light(colour), light(below)].sort((p, q) => p - q);
                const ratio = (high + 0.05) / (low + 0.05);
                if (ratio < least)
                    problems.add(`contrast ${ratio.toFixed(2)}: "${text.slice(0, 30)}" in ` +
                        `<${node.localName} class="${node.className}">`);
            }
            return [...problems].slice(0, 20);
        }""",
        least,
    )
    return found


def icon_problems(page: Page) -> list[str]:
    """Every icon of a button is drawn, and none waits for a font that is not there."""
    found: list[str] = page.evaluate(
        """() => {
            const problems = [];
            const seen = { visibilityProperty: true };
            for (const node of document.querySelectorAll('[class*="fa-"]')) {
                if (!/(^| )(fa-solid|fa[srb]) /.test(node.className) || !node.checkVisibility(seen))
                    continue;
                const style = getComputedStyle(node);
                const { width, height } = node.getBoundingClientRect();
                if (!style.maskImage.startsWith("url(") || Math.min(width, height) < 6)
                    problems.push(`no icon: ${node.className}`);
            }
            for (const node of document.querySelectorAll("body *"))
                for (const part of ["::before", "::after"]) {
                    const { content, fontFamily } = getComputedStyle(node, part);
                    if (content !== "none" && /awesome/i.test(fontFamily))
                        problems.push(`a letter of an icon font: ${node.className}${part}`);
                }
            return [...new Set(problems)];
        }"""
    )
    return found


PAPER = {"width": 658, "height": 987}  # A4 between margins of 18 mm, in CSS pixels


def print_problems(page: Page) -> list[str]:
    """On paper the text stands alone, and nothing runs out of it, for nothing can be scrolled."""
    page.emulate_media(media="print")
    resize(page, PAPER)
    page.wait_for_function("matchMedia('print').matches")
    found: list[str] = page.evaluate(
        """() => {
            const problems = [];
            const seen = (node) => node.checkVisibility({ visibilityProperty: true });
            const titles = [...document.querySelectorAll("h1")].filter(seen);
            if (titles.length !== 1) problems.push(`${titles.length} titles are printed`);
            const article = document.querySelector("article") || document.body;
            const right = article.getBoundingClientRect().right;
            const parts = "pre, mjx-container[display] mjx-math, table, img, p, svg.touch-plot";
            for (const node of article.querySelectorAll(parts)) {
                if (!seen(node)) continue;
                const box = node.getBoundingClientRect();
                const wide = node.scrollWidth - node.clientWidth;
                const past = Math.max(box.right - right, node.localName === "pre" ? wide : 0);
                if (past > 2)
                    problems.push(`printed, ${Math.round(past)} too wide: ` +
                        `<${node.localName}> ${node.textContent.slice(0, 60)}`);
            }
            const controls = "button, input, select, nav, .bd-header-article, .bd-sidebar-primary";
            for (const node of document.querySelectorAll(controls))
                if (seen(node)) problems.push(`printed: <${node.localName} ${node.className}>`);
            return problems;
        }"""
    )
    page.emulate_media(media="screen")
    return found


AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def axe_problems(page: Page, within: str = "html", *, contrast: bool = True) -> list[str]:
    """What axe-core finds against WCAG 2.2 on the levels A and AA, in a part of the page.

    Its rule of contrast takes two thirds of the time; where it has been applied in one look, it can
    be left out in the others, in which contrast_problems sees the same text.

    Two kinds of elements stand aside meanwhile, for they are most of a chapter and nearly all of
    the time: the glyphs of a formula, which are hidden from those who listen and hold no text (the
    MathML beside them is looked at, and the formula keeps its size), and the coloured words of a
    piece of code, which is here in one colour (contrast_problems looks at each word).
    """
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(AXE)
    found: list[str] = page.evaluate(
        """async ([tags, within, contrast]) => {
            const only = { type: "tag", values: tags };
            const aside = [];
            const formulas = [...document.querySelectorAll("mjx-math")]
                .map((node) => [node, getComputedStyle(node).width, getComputedStyle(node).height]);
            for (const [node, width, height] of formulas) {
                aside.push([node, node.getAttribute("style"), [...node.childNodes]]);
                Object.assign(node.style, { display: "inline-block", width, height });
                node.replaceChildren();
            }
            const word = (node) => node.localName === "span" && !node.children.length &&
                node.checkVisibility();
            const parts = ".highlight pre, .highlight pre :has(> *)";
            for (const box of document.querySelectorAll(parts)) {
                const inside = [...box.childNodes];
                aside.push([box, box.getAttribute("style"), inside]);
                box.replaceChildren(...inside.map((node) => word(node) ? node.textContent : node));
            }
            const context = { include: [[within]], exclude: [["mjx-math"]] };
            const { violations, passes } =
                await axe.run(context, { runOnly: only, resultTypes: ["violations"],
                    rules: { "color-contrast": { enabled: contrast } } });
            for (const [node, style, inside] of aside) {
                node.replaceChildren(...inside);
                if (style === null) node.removeAttribute("style");
                else node.setAttribute("style", style);
            }
            if (!passes.length) return ["axe has looked at nothing"];
            return violations.flatMap(({ id, nodes }) => nodes.slice(0, 8).map((node) => {
                const check = node.any[0] || node.all[0] || node.none[0];
                return `axe ${id}: ${node.html.slice(0, 120)}: ${check ? check.message : ""}`;
            }));
        }""",
        [WCAG, within, contrast],
    )
    return found


def brightness(page: Page) -> float:
    """Of the page's background: 0 is black, 1 is white."""
    value: float = page.evaluate(
        """() => {
            const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g);
            return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
        }"""
    )
    return value


UNSETTLED = """() => {
    const { dataset } = document.documentElement;
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const plots = [...document.querySelectorAll(".touch-plot:has(> svg)")]
        .map((box) => [box.clientWidth, Number(box.firstElementChild.getAttribute("width"))]);
    const fading = document.getAnimations().filter((one) => one.playState === "running" &&
        one.effect.getComputedTiming().endTime !== Infinity);
    return [
        ...dataset.mode === "auto" && dataset.theme !== system ? [`${dataset.theme} theme`] : [],
        ...plots.filter(([place, plot]) => place && place !== plot)
            .map(([place, plot]) => `a plot ${plot} wide in ${place}`),
        ...fading.map((one) => `${one.transitionProperty || one.animationName} of ` +
            one.effect.target.outerHTML.slice(0, 80)),
    ];
}"""


def settled(page: Page, soon: int = 15_000) -> None:
    """Until the page has the system's theme, its plots have their places' widths, and no colour
    fades over any more."""
    done = f"() => !({UNSETTLED})().length"
    try:
        try:
            page.wait_for_function(done, timeout=soon)
        except TimeoutError:  # a busy browser may stop drawing a page that lies behind another
            page.bring_to_front()
            page.wait_for_function(done, polling=100)
    except TimeoutError as error:
        raise AssertionError(f"not settled: {page.evaluate(UNSETTLED)}") from error


def darken(page: Page) -> None:
    """Dark mode, until the page has it: the theme follows the system, and colours may fade over."""
    page.emulate_media(color_scheme="dark")
    settled(page)


def page_problems(watch: Watch, path: str) -> list[str]:
    """The page loads without a fault, and all that is in it is there and readable."""
    page = watch.page
    page.emulate_media(color_scheme="light", media="screen")
    resize(page, WIDE)
    open_page(watch, path)
    formulas_set(watch)
    unfold(page)
    settled(page)
    found = math_problems(page) + image_problems(page) + icon_problems(page)
    found += overflow_problems(page) + contrast_problems(page)
    return _told(watch, path, found)


def visit_problems(watch: Watch, path: str, *, printed: bool = True) -> list[str]:
    """Everything above in one load: light and dark, wide and narrow, and on paper.

    Each theme and each width is shown to axe once, unfolded: its rules see structure, names and
    sizes, which change with the width, and how a link stands out, which changes with the theme.
    The contrast of text it sees in the light; contrast_problems looks at all four.
    """
    page = watch.page
    page.clock.install()
    problems = page_problems(watch, path)
    # MathJax writes an attribute that its scripts no longer need
    live = page.content().replace(' charset="UTF-8"', "")
    found = [f"live: {problem}" for problem in html_problems(without_glyphs(live))]
    light = brightness(page)
    for theme, size, axe in (
        ("light", WIDE, True),
        ("light", NARROW, False),
        ("dark", NARROW, True),
        ("dark", WIDE, False),
    ):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        resize(page, size)
        page.evaluate("() => dispatchEvent(new Event('resize'))")
        page.clock.run_for(500)  # the page sees anew to what can be scrolled
        settled(page)
        wrong = overflow_problems(page) + contrast_problems(page)
        wrong += axe_problems(page, contrast=theme == "light") if axe else []
        found += [f"{theme}, {size['width']}: {problem}" for problem in wrong]
    if not brightness(page) < 0.2 < 0.8 < light:
        found.append(f"background: brightness {light:.2f}, in the dark {brightness(page):.2f}")
    if printed:
        found += print_problems(page)
    return problems + _told(watch, path, found)


def _told(watch: Watch, path: str, found: list[str]) -> list[str]:
    problems = [f"{path}: {problem}" for problem in [*watch.problems, *found]]
    watch.problems.clear()
    return problems


def transferred(page: Page, url: str) -> dict[str, int]:
    """The bytes that each request of the page brings, headers included, until it is quiet."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    names: dict[str, str] = {}
    sizes: dict[str, int] = {}
    session.on(
        "Network.requestWillBeSent", lambda e: names.update({e["requestId"]: e["request"]["url"]})
    )
    session.on(
        "Network.loadingFinished", lambda e: sizes.update({e["requestId"]: e["encodedDataLength"]})
    )
    page.goto(url, wait_until="networkidle")
    session.detach()
    return {names[key]: round(size) for key, size in sizes.items() if key in names}


# --- the files of the site ---------------------------------------------------------------------

CHAPTER = "chapters/07_worked_example.html"  # a page with everything that a chapter has


def pages_of(site: Path) -> list[str]:
    """The addresses of its pages."""
    found = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    return [name for name in found if not name.startswith("_")]


# --- links, without a browser -------------------------------------------------------------------


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name == "id" or (name == "name" and tag == "a"):
                self.ids.append(value)
            elif name in ("href", "src"):
                self.links.append(value)


def _anchor(fragment: str) -> str:
    """Its name: behind a question mark stands the state of a figure."""
    return unquote(fragment).partition("?")[0]


def link_problems(folder: Path) -> list[str]:
    """Every link within the site leads to a file, and to an anchor that is there."""
    pages: dict[str, _Anchors] = {}
    for path in sorted(folder.rglob("*.html")):
        if "_static" not in path.parts:
            pages[path.relative_to(folder).as_posix()] = parsed = _Anchors()
            parsed.feed(path.read_text(encoding="utf-8"))
    problems = []
    for name, page in pages.items():
        for link in dict.fromkeys(page.links):
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            there = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(url.path)))
            target = there if url.path else name
            if link.startswith("/"):
                problems.append(f"{name}: {link} works only at the root of a server")
            elif not (folder / target).exists():
                problems.append(f"{name}: {link} leads to no file")
            elif (
                url.fragment and target in pages and _anchor(url.fragment) not in pages[target].ids
            ):
                problems.append(f"{name}: {link} leads to no anchor")
    return problems
