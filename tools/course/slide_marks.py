"""The marks in a chapter that say what its slides show.

The tags ``slide`` and ``no-slide`` of a cell of code; in Markdown a comment on a line of its own,
at the start of a section or just before an equation::

    <!-- slide: words for the slide -->
"""

import re

from book import Page
from course.slide_parts import LEAD, MOST_LINES, count

SHOW, LEAVE_OUT = "slide", "no-slide"
COMMENT = re.compile(r"<!--\s*(?P<mark>[\w-]*slide[\w-]*)\b(?P<colon>\s*:)?(?P<words>.*?)-->", re.S)


def words_of(comment: str, place: str) -> str | None:
    """The words that a comment gives to a slide; None, if it is about something else.

    Raises ``ValueError`` with the place and the remedy, if it is not written as it should be.
    """
    match = COMMENT.search(comment)
    if match is None:
        return None
    words = " ".join(match["words"].split())
    if match["mark"] != SHOW or not match["colon"]:
        raise ValueError(
            f"{place}: {comment.strip()!r} is no mark; write <!-- slide: words for the slide -->"
        )
    if not words:
        raise ValueError(
            f"{place}: a slide comment without words; write them, <!-- slide: like this -->, or "
            f"take it away"
        )
    if count(words) > LEAD:
        raise ValueError(
            f"{place}: a slide comment of {count(words)} words; leave at most {LEAD}: {words}"
        )
    return words


def require(page: Page) -> None:
    """Raise ``ValueError`` with the place and the remedy, if a mark is wrong."""
    for number, cell in enumerate(page.cells):
        place = f"{page.path}, cell {number}"
        tags = [tag for tag in cell.tags if "slide" in tag]
        for tag in tags:
            if tag not in (SHOW, LEAVE_OUT):
                raise ValueError(f"{place}: there is no tag {tag!r}; use {SHOW!r} or {LEAVE_OUT!r}")
        if len(tags) > 1:
            raise ValueError(f"{place}: tagged {' and '.join(tags)}; take one away")
        if tags and not cell.is_code:
            raise ValueError(
                f"{place}: the tag {tags[0]!r} is for cells of code; what is shown of Markdown is "
                f"said by a comment, <!-- slide: words for the slide -->"
            )
        if cell.is_code:
            continue
        for match in re.finditer(r"<!--.*?-->", cell.source, re.S):
            words_of(match[0], place)


def too_long(place: str) -> ValueError:
    return ValueError(
        f"{place}: tagged {SHOW!r}, but it has no figure, more than {MOST_LINES} lines of code, "
        f"and prints too much; shorten it, or take the tag away"
    )
