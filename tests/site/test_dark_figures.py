"""In the dark a stored picture is no white box: it stands on the page, and its colours differ."""

import colorsys
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Locator, Page

import site_checks
from gmmlib.plots import COLORS, INK
from site_checks import pages_of

# what the figures that can be touched have in the dark (assets/figures/kit/touch.css)
LIVE = ("#3f9bd8", "#e8803a", "#2bbd93", "#d993b9", "#efb335", "#7cc8f2")
TEXT, LINE, HUES = 4.5, 3.0, 20
PICTURE = ".bd-article img:not(.only-dark, .only-light)"


LEVELS = np.arange(256) / 255
LINEAR = np.where(LEVELS <= 0.04045, LEVELS / 12.92, ((LEVELS + 0.055) / 1.055) ** 2.4)


def luminance(rgb: np.ndarray) -> np.ndarray:
    """Of colours as a screen has them: in steps of 1/255."""
    linear = LINEAR[np.rint(255 * rgb).astype(np.uint8)]
    return np.asarray(linear @ [0.2126, 0.7152, 0.0722])


def contrast(colour: np.ndarray, ground: np.ndarray) -> np.ndarray:
    a, b = luminance(colour), luminance(ground)
    return np.asarray((np.maximum(a, b) + 0.05) / (np.minimum(a, b) + 0.05))


def hue(rgb: np.ndarray) -> float:
    return 360 * colorsys.rgb_to_hsv(*(float(v) for v in rgb))[0]


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) / 255


def flat(picture: np.ndarray, colour: str) -> tuple[int, int] | None:
    """The middle of five by five pixels that all have this colour."""
    near = [np.abs(picture[:, :, i] - value) < 0.004 for i, value in enumerate(to_rgb(colour))]
    same = near[0] & near[1] & near[2]
    rows = same[:-4] & same[1:-3] & same[2:-2] & same[3:-1] & same[4:]
    both = rows[:, :-4] & rows[:, 1:-3] & rows[:, 2:-2] & rows[:, 3:-1] & rows[:, 4:]
    if not both.any():
        return None
    y, x = np.unravel_index(int(both.argmax()), both.shape)
    return int(y) + 2, int(x) + 2


def picture_problems(shown: np.ndarray, stored: np.ndarray, ground: np.ndarray) -> list[str]:
    """What the screen has of the picture, against its PNG."""
    found = []
    corners = shown[[2, 2, -3, -3], [2, -3, 2, -3]]
    away = np.abs(corners - ground).max(axis=1)
    if away.min() > 1.5 / 255:  # a map of colours may fill the others
        where = np.round(255 * corners[away.argmin()]), np.round(255 * ground)
        found.append(f"its corner is {where[0]}, not {where[1]}")
    best = float(contrast(shown, ground).max())
    if best < TEXT:
        found.append(f"nothing in it has more contrast than {best:.2f}")
    for colour, live in zip((INK, *COLORS), (None, *LIVE), strict=True):
        at = flat(stored, colour)
        if at is None:
            continue
        y, x = (int((p + 0.5) * shown.shape[i] / stored.shape[i]) for i, p in enumerate(at))
        here = shown[y, x]
        value, least = float(contrast(here, ground)), LINE if live else TEXT
        if value < least:
            found.append(f"{colour} has a contrast of {value:.2f}")
        if live:
            apart = abs(hue(here) - hue(np.array(to_rgb(live))))
            if min(apart, 360 - apart) > HUES:
                found.append(f"{colour} has the hue {hue(here):.0f}, not that of {live}")
    return found


def ground_of(page: Page) -> np.ndarray:
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g)")
    return np.array([float(v) for v in colour[:3]]) / 255


def seen(picture: Locator) -> np.ndarray:
    return pixels(picture.screenshot(animations="disabled"))


def page_problems(page: Page, address: str, site: Path, name: str) -> list[str]:
    """Every picture of a page, in the dark; a filmstrip as one frame and as the strip."""
    page.goto(address + name)
    page.evaluate(
        """() => {
            for (const image of document.images) image.loading = "eager";
            // thousands of elements that each screenshot would draw anew
            const text = ".math, pre, .bd-article :is(p, li, dl, h2, h3)";
            for (const node of document.querySelectorAll(text))
                if (!node.querySelector("img")) node.remove();
        }"""
    )
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    ground = ground_of(page)
    found = []
    for screen in page.locator(".filmstrip-screen").all():
        shown = seen(screen)
        found += [f"a frame: {p}" for p in picture_problems(shown, np.ones((9, 9, 3)), ground)]
        screen.locator("..").get_by_role("button", name="Show all").click()
    for picture in page.locator(PICTURE).all():
        source = str(picture.get_attribute("src")).split("/")[-1]
        stored = pixels((site / "_images" / source).read_bytes())
        alt = str(picture.get_attribute("alt"))[:40]
        found += [f"{alt}: {p}" for p in picture_problems(seen(picture), stored, ground)]
    return [f"{name}: {problem}" for problem in found]


@pytest.fixture
def dark(browser: Browser) -> Iterator[Page]:
    context = site_checks.new_context(
        browser,
        viewport=site_checks.WIDE,
        color_scheme="dark",
    )
    page = context.new_page()
    # no formula is looked at, and the pictures in the place of which a live figure stands are
    for unused in ("**/mathjax/**", "**/figures/**/*.js*"):
        page.route(unused, lambda route: route.abort())
    yield page
    context.close()


def with_pictures(site: Path) -> list[str]:
    return [
        name for name in pages_of(site) if "_images/" in (site / name).read_text(encoding="utf-8")
    ]


def test_stored_pictures_in_the_dark(site: Path, address: str, dark: Page) -> None:
    names = with_pictures(site)
    assert len(names) >= 12
    problems = [p for name in names for p in page_problems(dark, address, site, name)]
    assert not problems, "\n".join(problems)


FAULTS = {
    "a white box": ("filter: none; mix-blend-mode: normal", "its corner is"),
    "a black box": ("mix-blend-mode: normal", "its corner is"),
    "faint": ("opacity: 0.25", "has a contrast of"),
    "other colours": ("filter: invert(1)", "has the hue"),
}


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_the_palette_and_planted_faults(
    site: Path, address: str, dark: Page, fault: str | None
) -> None:
    """All colours of the components, put in the place of a picture, and what can go wrong."""
    drawn = Image.new("RGB", (700, 300), "white")
    pen = ImageDraw.Draw(drawn)
    for k, colour in enumerate((INK, *COLORS)):
        pen.rectangle((30 + 90 * k, 30, 100 + 90 * k, 270), fill=colour)
    data = io.BytesIO()
    drawn.save(data, "PNG")
    dark.route("**/_images/*.png", lambda route: route.fulfill(body=data.getvalue()))
    dark.goto(f"{address}chapters/01_why_mixtures.html")
    if fault:
        rule = FAULTS[fault][0].replace(";", " !important;")
        dark.add_style_tag(content=f"html body main .bd-article img {{ {rule} !important }}")
    picture = dark.locator(f"{PICTURE}:visible").first
    problems = picture_problems(seen(picture), pixels(data.getvalue()), ground_of(dark))
    if fault:
        assert any(FAULTS[fault][1] in problem for problem in problems), problems
    else:
        assert problems == []


@pytest.mark.parametrize(
    ("media", "scheme"), [("print", "dark"), ("screen", "light"), ("forced", "dark")]
)
def test_elsewhere_pictures_are_as_stored(
    address: str, browser: Browser, media: str, scheme: str
) -> None:
    """On paper, in the light, and where the reader has chosen all colours."""
    page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
    page.emulate_media(
        media="print" if media == "print" else "screen",
        forced_colors="active" if media == "forced" else "none",
    )
    page.goto(f"{address}chapters/01_why_mixtures.html")
    for picture in page.locator(PICTURE).all():
        look = picture.evaluate(
            "(i) => [getComputedStyle(i).filter, getComputedStyle(i).mixBlendMode]"
        )
        assert look == ["none", "normal"]
    page.close()
