"""The faces that the site carries: every letter has one, and pages hold without them."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import matplotlib
import pytest
from fontTools.ttLib import TTFont
from playwright.sync_api import Browser, Page, Route

import site_checks
from site_checks import NARROW, WIDE, Watch, open_page

ROOT = Path(__file__).parents[2]
# Matplotlib brings the widest faces that a reader's machine is likely to have instead of ours.
DEJAVU = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
INSTEAD = {
    "serif.woff2": "DejaVuSerif.ttf",
    "serif-italic.woff2": "DejaVuSerif-Italic.ttf",
    "sans.woff2": "DejaVuSans.ttf",
    "mono.woff2": "DejaVuSansMono.ttf",
}
FACES_OF = {
    "code": ["mono.woff2"],
    "text": ["serif.woff2", "sans.woff2"],  # which of the two is the style sheets' affair
    "figure": ["serif.woff2", "sans.woff2"],
}
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Letters(HTMLParser):
    """The letters of a page, by where they stand: in code, or in the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, set[str]]] = []
        self.found: set[tuple[str, str]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append((tag, set((dict(attrs).get("class") or "").split())))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tags = {tag for tag, _ in self.open}
        classes = set().union(*(classes for _, classes in self.open))
        if tags & {"script", "style"} or "math" in classes:
            return  # formulas have faces of their own
        where = "code" if tags & {"pre", "code"} else "text"
        self.found |= {(letter, where) for letter in data if letter.isprintable()}


def letters_of(site: Path) -> set[tuple[str, str]]:
    found = set()
    for path in site.rglob("*.html"):
        reader = Letters()
        reader.feed(path.read_text(encoding="utf-8"))
        found |= reader.found
    for path in [*(ROOT / "assets/pages").rglob("*.js"), *(ROOT / "assets/figures").rglob("*.js")]:
        found |= {(letter, "figure") for letter in path.read_text(encoding="utf-8")}
    return {(letter, where) for letter, where in found if letter.isprintable()}


def covered(name: str) -> set[str]:
    with TTFont(ROOT / "assets" / "fonts" / name) as font:
        return {chr(code) for code in font.getBestCmap()}


def without_a_face(letters: set[tuple[str, str]]) -> list[str]:
    """The letters that a reader would see in a face of the machine."""
    symbols = covered("symbols.woff2")
    has = {name: covered(name) | symbols for name in INSTEAD}
    return [
        f"{letter!r} ({where}) is not in {name}"
        for letter, where in sorted(letters)
        for name in FACES_OF[where]
        if letter not in has[name]
    ]


def test_every_letter_has_a_face(site: Path) -> None:
    letters = letters_of(site)
    assert {("é", "text"), ("✓", "code"), ("▶", "figure")} <= letters
    assert without_a_face(letters) == []


def test_a_letter_without_a_face_is_found() -> None:
    (found,) = without_a_face({("混", "code"), ("b", "code"), ("σ", "text")})
    assert found == "'混' (code) is not in mono.woff2"


def preloaded(site: Path, name: str) -> list[str]:
    text = (site / name).read_text(encoding="utf-8")
    return re.findall(r'_static/fonts/([\w-]+\.woff2)"', text)


@pytest.mark.parametrize("name", ["index.html", "chapters/07_worked_example.html", "search.html"])
def test_what_a_page_asks_for_early_it_uses(
    site: Path, address: str, page: Page, name: str
) -> None:
    """And the other way round: no face of the first screen comes late."""
    open_page(Watch(page, address), name)
    loaded = page.evaluate(
        """async () => {
            await document.fonts.ready;
            return performance.getEntriesByType("resource").map((entry) => entry.name)
                .filter((name) => /\\/fonts\\/[\\w-]+\\.woff2$/.test(name));
        }"""
    )
    used = {url.rsplit("/", 1)[1] for url in loaded} - {"symbols.woff2"}
    assert used == set(preloaded(site, name))


# --- without them -------------------------------------------------------------------------------


@pytest.fixture
def wide_faced(browser: Browser) -> Iterator[Page]:
    """A page on which DejaVu answers for our faces."""

    def answer(route: Route) -> None:
        name = route.request.url.rsplit("/", 1)[1]
        if name in INSTEAD:
            route.fulfill(path=DEJAVU / INSTEAD[name], content_type="font/ttf")
        else:
            route.continue_()

    context = browser.new_context(viewport=WIDE)  # type: ignore[arg-type]
    context.route("**/_static/fonts/*.woff2", answer)
    yield context.new_page()
    context.close()


def wide_problems(page: Page) -> list[str]:
    page.evaluate("document.fonts.ready")
    problems = []
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        site_checks.unfold(page)
        problems += site_checks.overflow_problems(page)
    return problems + site_checks.print_problems(page)


PAGES = ["index.html"] + [
    f"chapters/{path.stem}.html"
    for path in sorted((ROOT / "chapters").iterdir())
    if path.suffix in (".md", ".ipynb")
]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_holds_in_the_widest_common_faces(address: str, wide_faced: Page, name: str) -> None:
    open_page(Watch(wide_faced, address), name)
    assert wide_problems(wide_faced) == []


def test_what_does_not_hold_is_found(address: str, wide_faced: Page) -> None:
    """A line that fits in our face and not in DejaVu, which must therefore be in use."""
    open_page(Watch(wide_faced, address), "index.html")
    wide_faced.evaluate(
        """() => {
            const line = document.createElement("p");
            line.textContent = "a mixture of three Gaussians on a narrow phone";
            line.style.cssText = "white-space: nowrap; font-size: 17px";
            document.querySelector("article").prepend(line);
        }"""
    )
    assert any("390" in problem for problem in wide_problems(wide_faced))
