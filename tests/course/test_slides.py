"""Slides are cut from the chapters: little text on each, short code, and no other host."""

import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

import markup
from book import Book, Page, read_book
from course import slide_cut, slide_marks, slide_pages, slide_parts, slides
from course.plain import Numbers, plain
from course.slide_parts import Code, Equation, Picture, Slide, Statement, Text

BOOK = read_book()
QUOTED = slide_cut.Quoted(Numbers(BOOK))
DECKS = {page.name: slide_cut.deck(page, QUOTED) for page in BOOK.chapters}

OPENING = """\
# 1 One

```{admonition} In this chapter
**Given:** numbers.

**You will find:** their mean. *About 5 minutes.*
```
"""
SUMMARY = (
    "## Summary\n\n- It is *a* mean. It is more.\n- There is one.\n\n**Further reading.** None."
)
EQUATION = "$$\nm=\\frac1n\\sum_ix_i\n$$ (def-mean)"


def chapter(*cells: str | dict[str, Any]) -> Page:
    """A chapter that opens and ends as every one; a cell of code is its fields."""
    code = {"cell_type": "code", "execution_count": 1, "outputs": [], "metadata": {}}
    found = [
        {"cell_type": "markdown", "source": cell, "metadata": {}, "id": f"c{k}"}
        if isinstance(cell, str)
        else code | {"id": f"c{k}"} | cell
        for k, cell in enumerate([OPENING, *cells, SUMMARY])
    ]
    notebook = {"cells": found, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return Page(PurePosixPath("chapters/01_one.ipynb"), json.dumps(notebook))


def cut(*cells: str | dict[str, Any]) -> list[Slide]:
    """The slides of such a chapter, without those that each has."""
    page = chapter(*cells)
    made = slide_cut.deck(page, slide_cut.Quoted(Numbers(Book(BOOK.root, (page,)))))
    assert (made[0].title, made[-1].title) == ("1 One", "Summary")
    return made[1:-1]


def printing(source: str, text: str = "", *tags: str) -> dict[str, Any]:
    outputs = [{"output_type": "stream", "name": "stdout", "text": text}] if text else []
    return {"source": source, "outputs": outputs, "metadata": {"tags": list(tags)}}


def test_a_section_becomes_a_slide_and_its_prose_becomes_notes() -> None:
    (slide,) = cut(f"## The mean\n\nHere is one. It is well known.\n\n{EQUATION}\n\nThat is all.")
    text, equation = slide.parts
    assert text == Text("Here is one.")
    assert isinstance(equation, Equation)
    assert (equation.label, equation.number) == ("def-mean", "(1)")
    assert slide.notes == ["Here is one. It is well known.", "That is all."]


def test_a_deck_opens_with_its_aim_and_its_time() -> None:
    first = DECKS["11_two_products"][0]
    assert first.title == "11 The same algorithm, as two matrix products"
    texts = [part.text for part in first.parts if isinstance(part, Text)]
    assert texts[0].startswith("**You will find:** that all components")
    assert texts[-1] == "*About 45 minutes.*"


def test_a_figure_keeps_its_caption_for_the_speaker() -> None:
    names = {"figure": {"name": "fig-one", "caption": "A hill."}, "image": {"alt": "a hill"}}
    output = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "AAAA"}}
    cell = {"source": "x", "outputs": [output], "metadata": {"mystnb": names}}
    (slide,) = cut("## See it\n\nLook at the hill.", cell)
    assert slide.parts == [Text("Look at the hill."), Picture("fig-one", "a hill", "AAAA")]
    assert slide.notes == ["Look at the hill.", "*Figure 1. A hill.*"]


def test_long_code_is_what_it_prints() -> None:
    long = "\n".join(f"x{k} = {k}" for k in range(slide_parts.MOST_LINES)) + "\nprint(x0)"
    (shown,) = cut("## In code\n\nHere is some code.", printing(long, "0\n"))
    assert shown.parts[-1] == Code("", "0")
    (left_out,) = cut("## In code\n\nHere is some code.", printing(long))
    assert left_out.parts == [Text("Here is some code.")]


def test_marks_choose() -> None:
    first, second, third = (printing(f"print({k})", str(k)) for k in range(3))
    third["metadata"]["tags"] = ["slide"]
    first["metadata"]["tags"] = ["no-slide"]
    lead = "<!-- slide: Chosen $x$ words. -->"
    (slide, *more) = cut(f"## Two\n\n{lead}\nNot these words.", first, second, third)
    assert [part for one in (slide, *more) for part in one.parts] == [
        Text("Chosen $x$ words."),
        Code("print(1)", "1"),
        Code("print(2)", "2"),
    ]
    (one,) = cut(f"## Three\n\nFirst a sentence. Two.\n\n<!-- slide: So it is: -->\n{EQUATION}")
    assert [part.text for part in one.parts if isinstance(part, Text)] == [
        "First a sentence.",
        "So it is:",
    ]


def test_a_long_theorem_goes_on_and_is_never_cut() -> None:
    sentence = "Let this be one of quite a few words, all of which are needed for it."
    body = " ".join([sentence] * 4)
    theorem = f"```{{prf:theorem}} Long\n:label: thm-long\n\n{body}\n```"
    pieces = [part for slide in cut(f"## So\n\n{theorem}") for part in slide.parts]
    statements = [part for part in pieces if isinstance(part, Statement)]
    assert " ".join(part.text for part in statements) == body
    assert [part.continues for part in statements] == [False, True]
    assert {part.heading for part in statements} == {"Theorem 1. Long"}


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        (["<!-- slide: -->"], "cell 1: a slide comment without words; write them"),
        (["<!-- slides: Some words. -->"], "cell 1: '<!-- slides: Some words. -->' is no mark"),
        (["<!-- slide some words -->"], "is no mark; write <!-- slide: words for the slide -->"),
        ([f"<!-- slide: {'word ' * 41}-->"], "cell 1: a slide comment of 41 words; leave at most"),
        ([printing("1", "", "slides")], "cell 1: there is no tag 'slides'; use 'slide' or"),
        ([printing("1", "", "slide", "no-slide")], "tagged slide and no-slide; take one away"),
        (["## A\n\nOne.\n\n<!-- slide: Two. -->\nThree."], "'Two.' stands before 'Three.'; put it"),
        (["## A\n\nOne.\n\n<!-- slide: Two. -->"], "'Two.' stands before the end of a cell"),
        (["## A", printing("1\n" * 15, "", "slide")], "tagged 'slide', but it has no figure"),
    ],
)
def test_wrong_marks(cells: list[Any], problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        cut(*cells)


def test_a_comment_is_for_the_slides_alone() -> None:
    text = (
        f"## The mean\n\n<!-- slide: Words. -->\nHere it is.\n\n<!-- slide: More. -->\n{EQUATION}"
    )
    page = chapter(text)
    shown = plain(text, Numbers(Book(BOOK.root, (page,))))
    assert "slide" not in shown
    assert "## The mean\n\nHere it is." in shown
    assert [kind for kind, _ in markup.blocks(text)].count("html_block") == 2
    assert markup.displayed_equations(text) == [("def-mean", "m=\\frac1n\\sum_ix_i")]


# --- the chapters ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DECKS)
def test_a_deck_can_be_read_from_the_back_row(name: str) -> None:
    deck = DECKS[name]
    assert len(deck) >= slide_parts.FEWEST
    assert [slide.title for slide in deck[1:] if slide.words > _most(slide)] == []
    assert deck[0].words <= slide_cut.MOST_OPENING
    assert [slide.title for slide in deck if slide.code_lines > slide_parts.MOST_LINES] == []
    assert [slide.title for slide in deck if not slide.parts] == []


def _most(slide: Slide) -> int:
    if not any(isinstance(part, Statement) for part in slide.parts):
        return slide_parts.MOST_WORDS
    leads = isinstance(slide.parts[0], Text)
    return slide_parts.MOST_STATEMENT + leads * slide_cut.LEAD_ABOVE


@pytest.mark.parametrize("name", DECKS)
def test_a_section_has_few_slides(name: str) -> None:
    sections: list[int] = []
    for slide in DECKS[name]:
        if slide.level < 3:
            sections.append(0)
        goes_on = any(isinstance(part, Statement) and part.continues for part in slide.parts)
        sections[-1] += not goes_on
    assert max(sections) <= slide_cut.MOST_SLIDES[2]


def test_the_marks_of_the_chapters_are_followed() -> None:
    for name in ("06_m_step", "07_worked_example"):
        page = next(page for page in BOOK.chapters if page.name == name)
        chosen = [
            words
            for text in page.texts
            for comment in re.findall(r"<!--.*?-->", text, re.DOTALL)
            if (words := slide_marks.words_of(comment, name))
        ]
        shown = [p.text for slide in DECKS[name] for p in slide.parts if isinstance(p, Text)]
        assert chosen
        assert [words for words in chosen if words not in shown] == []


# What a page asks for by itself; a link that a reader may follow is none of it.
ASKED = re.compile(
    r"""url\(\s*["']?(?:https?:)?//|@import\s+["'](?:https?:)?//"""
    r"""|<(?:script|link|img|iframe|source)\b[^>]*(?:src|href)=["']?(?:https?:)?//"""
    r"""|\.(?:src|href)\s*=\s*["'](?:https?:)?//|(?:fetch|import)\(\s*["'](?:https?:)?//"""
)


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://x.org/a.js">',
        '<link rel="stylesheet" href="//x.org/a.css">',
        "a { background: url(http://x.org/a.png) }",
        '@import "https://x.org/a.css";',
        'tag.src = "https://x.org/a.js"',
    ],
)
def test_what_asks_another_host_is_seen(text: str) -> None:
    assert ASKED.search(text)


def test_a_deck_lies_in_its_folder_with_all_that_it_needs(tmp_path: Path) -> None:
    slides.build({"07": DECKS["07_worked_example"]}, tmp_path, BOOK.root)
    files = [path for path in tmp_path.rglob("*") if path.suffix in (".html", ".css", ".js")]
    asking = {p.name for p in files if ASKED.search(p.read_text(encoding="utf8"))}
    assert asking == set()
    page = (tmp_path / "07.html").read_text(encoding="utf8")
    assert page.count('<div class="fitted">') == len(DECKS["07_worked_example"])
    assert page.count("<mjx-container") > 100
    assert not re.search(r"\\\(|\\\[", page)
    named = [src for src in re.findall(r'(?:src|href)="([^"#?]+)', page) if ":" not in src]
    assert [name for name in named if not (tmp_path / name).is_file()] == []
    assert {"deck.css", "deck.js", "mathematics.css", "notes.js"} <= {path.name for path in files}


def test_sphinx_says_what_is_wrong(tmp_path: Path) -> None:
    wrong = Slide("One", [Text("$\\frac$")], level=1)
    with pytest.raises(ValueError, match="the slides cannot be made:"):
        slides.build({"01": [wrong]}, tmp_path, BOOK.root)


def test_a_deck_in_markdown() -> None:
    slide = Slide("One", [Text("A $x$."), Code("a = 1", "2 < 3", ("(4)",))], ["Say $y$."], level=1)
    text = slide_pages.written([slide], "figures/01")
    assert "# One\n\n" in text
    assert "A $x$\u2060." in text  # no line begins with the full stop
    assert "2 &lt; 3" in text
    assert '<aside class="notes">\n\nSay $y$\u2060.\n\n</aside>' in text
