"""Every picture of a chapter is a figure: named, captioned, described."""

import re

import pictures
from book import Book, Page
from gmmlib import checks
from rules.numbers import WORDS

MIN_ALT = 40
NAME = re.compile(f"fig-{checks.NAME}")


def figures(page: Page) -> list[str]:
    """A cell that draws one picture says what it shows; a figure that is named is there."""
    wrong = []
    for cell in page.code:
        figure = cell.figure
        if not cell.pictures:
            if figure.name or figure.caption:
                wrong.append(f"{cell} is named a figure, and stores no picture")
            continue
        if not NAME.fullmatch(figure.name):
            wrong.append(f"{cell} draws; mystnb.figure.name is {figure.name!r}, not fig-…")
        if not figure.caption:
            wrong.append(f"{cell} draws, and has no mystnb.figure.caption")
        if len(figure.alt) < MIN_ALT:
            wrong.append(
                f"{cell} draws; mystnb.image.alt has {len(figure.alt)} characters. "
                f"Describe the picture in {MIN_ALT} or more"
            )
        shown = [o for o in cell.outputs if "data" in o]
        if len(shown) != 1:  # each would become a figure of the same name
            wrong.append(f"{cell} draws, and displays {len(shown)} things, not one")
    return wrong


def filmstrips(page: Page) -> list[str]:
    """A strip of frames is told as such, and its picture divides into frames of whole pixels."""
    wrong = []
    for cell in page.code:
        if not cell.pictures:
            continue
        classes = cell.figure.classes
        if ("filmstrip" in classes.split()) != ("plots.filmstrip(" in cell.source):
            wrong.append(f"{cell}: plots.filmstrip and the class filmstrip go together")
            continue
        if "filmstrip" not in classes.split():
            continue
        match = re.fullmatch(
            r"filmstrip columns-(\d+) frames-(\d+)( touch touch-[a-z-]+)?", classes
        )
        if not match:
            wrong.append(
                f"{cell}: image.classes is {classes!r}, not of the form "
                f"'filmstrip columns-4 frames-8'"
            )
            continue
        columns, frames = int(match[1]), int(match[2])
        rows = -(-frames // columns)
        height, width, _ = pictures.pixels(cell.pictures[0]).shape
        if width % columns or height % rows:
            wrong.append(
                f"{cell}: {width} by {height} pixels do not divide into {columns} columns "
                f"and {rows} rows. Is something drawn outside a frame?"
            )
    return wrong


COUNTED = re.compile(r"\b([A-Z][a-z]+) (?:\w+ ){0,2}(?:panels|frames|plots|maps|histograms)\b")
SIDE = re.compile(r"\b(?:Left|Right|Middle)[:,]|\b[Oo]n the (?:left|right) (?:the|there)\b")
GRID = re.compile(r"\bsubplots\(\s*(\d+),\s*(\d+)")
FRAMES = re.compile(r"\bframes-(\d+)")


def panels(page: Page) -> list[str]:
    """A caption and a description speak of the panels that the code draws."""
    wrong = []
    for cell in page.code:
        figure = cell.figure
        grids = [(int(rows), int(columns)) for rows, columns in GRID.findall(cell.source)]
        drawn = {rows * columns for rows, columns in grids}
        drawn |= {int(frames) for frames in FRAMES.findall(figure.classes)} or ({1} - drawn)
        wide = max((columns for _, columns in grids), default=1)
        for text in (figure.caption, figure.alt):
            for word in COUNTED.findall(text):
                if WORDS.get(word.lower(), 0) > 1 and WORDS[word.lower()] not in drawn:
                    wrong.append(f"{cell} says {word}, and draws {' or '.join(map(str, drawn))}")
            if SIDE.match(text) and wide < (3 if "Middle" in text else 2):
                wrong.append(f"{cell} says {SIDE.match(text)[0]}, and draws {wide} side by side")
    return wrong


def figure_names(book: Book) -> list[str]:
    """A figure's name occurs once in the book."""
    places: dict[str, list[str]] = {}
    for page in book.pages:
        for figure in page.figures:
            places.setdefault(figure.name, []).append(page.name)
    return [f"{name} is used in {at}" for name, at in places.items() if len(at) > 1]


RULES = (figures, filmstrips, panels)
