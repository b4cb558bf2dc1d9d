"""The slides: a deck and a handout for each chapter, which need no network.

``slide_cut`` cuts the chapters, ``slide_pages`` writes the decks in Markdown, Sphinx makes pages of
them, and Chromium prints them.
"""

import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from book import Book
from browser import open_browser
from course import slide_cut, slide_pages
from course.plain import Numbers
from course.slide_parts import Picture, Slide

DECK = Path(__file__).parent / "deck"
TOOLS = DECK.parent.parent
FONTS = "mathjax/output/chtml/fonts/woff-v2"  # of the formulas
LICENSE = "_static/revealjs/LICENSE"
NAMED = re.compile(r"""(?:src|href)="([^":#?]+)|url\(["']?([^"':)?#]+)""")  # a file
FOOTER = (
    '<p style="font:7pt sans-serif;color:#586069;width:100%;text-align:center">'
    '<span class="title"></span>, <span class="pageNumber"></span></p>'
)
PRINTED = {
    "format": "A4",
    "print_background": True,
    "display_header_footer": True,
    "header_template": "<p></p>",
    "footer_template": FOOTER,
    "margin": {"top": "12mm", "bottom": "16mm", "left": "14mm", "right": "14mm"},
}
README = """\
# Slides

`NN.html` is the deck of a chapter; open it in a browser, no network is needed. Space goes on,
Escape shows all slides, S opens the speaker's notes in a window of their own, F fills the screen.
`NN-handout.pdf` has the slides with their notes on paper; so has `NN.html?handout`, for your own
printer. A folder that is copied elsewhere takes `_static` and `figures` with it.
"""


def export(book: Book, out: Path) -> int:
    """Make ``out/NN.html`` and ``out/NN-handout.pdf`` of every chapter; return how many slides."""
    quoted = slide_cut.Quoted(Numbers(book))
    decks = {page.number: slide_cut.deck(page, quoted) for page in book.chapters}
    build(decks, out, book.root)
    print_handouts(out, decks)
    (out / "README.md").write_text(README, encoding="utf8")
    return sum(map(len, decks.values()))


def build(decks: dict[str, list[Slide]], out: Path, root: Path) -> None:
    """Make the pages, with everything that they need beside them.

    Raises ``ValueError`` with what Sphinx says, if it finds a fault.
    """
    with tempfile.TemporaryDirectory() as name:
        source, made = Path(name) / "source", Path(name) / "made"
        _write(decks, source, root)
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "revealjs"]
        done = subprocess.run(
            [*command, "-d", f"{name}/doctrees", str(source), str(made)],
            env={**os.environ, "PYTHONPATH": str(TOOLS)},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise ValueError(f"the slides cannot be made:\n{done.stderr.replace(name, '')}")
        out.mkdir(parents=True, exist_ok=True)
        for deck, slides in decks.items():
            shutil.copy(made / f"{deck}.html", out)
            _pictures(slides, out / "figures" / deck)
        _copy_used(made, out)


def _write(decks: dict[str, list[Slide]], source: Path, root: Path) -> None:
    static = source / "_static"
    shutil.copytree(root / "assets" / "fonts", static / "fonts")
    shutil.copytree(root / "assets" / FONTS, static / FONTS)
    for name in ("deck.css", "deck.js"):
        shutil.copy(DECK / name, static)
    shutil.copy(DECK / "conf.py", source)
    links = "\n".join(f"- [{slides[0].title}]({deck}.md)" for deck, slides in decks.items())
    (source / "index.md").write_text(f"# Slides\n\n{links}\n", encoding="utf8")
    for deck, slides in decks.items():
        text = slide_pages.written(slides, f"figures/{deck}")
        (source / f"{deck}.md").write_text(text, encoding="utf8")


def _pictures(slides: Iterable[Slide], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for slide in slides:
        for part in slide.parts:
            if isinstance(part, Picture):
                (folder / f"{part.name}.png").write_bytes(base64.b64decode(part.png))


def _copy_used(made: Path, out: Path) -> None:
    """Copy what the pages name, and what their styles name, and nothing else."""
    waiting = list(out.glob("*.html"))
    copied: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path.suffix not in (".html", ".css"):
            continue
        for found in NAMED.findall(path.read_text(encoding="utf8")):
            name = (path.parent / (found[0] or found[1])).relative_to(out)
            if name not in copied and (made / name).is_file() and name.suffix != ".html":
                copied.add(name)
                (out / name).parent.mkdir(parents=True, exist_ok=True)
                waiting.append(Path(shutil.copy(made / name, out / name)))
    shutil.copy(made / LICENSE, out / LICENSE)


def print_handouts(out: Path, decks: Iterable[str]) -> None:
    """Print each deck with its notes. Raises ``FileNotFoundError`` if there is no browser."""
    with open_browser() as browser:
        page = browser.new_page()
        for deck in decks:
            page.goto(f"{(out / f'{deck}.html').resolve().as_uri()}?handout")
            page.wait_for_selector("html[data-ready]")
            page.pdf(path=out / f"{deck}-handout.pdf", **PRINTED)
