"""The book as one PDF: the built pages, bound together and printed by Chromium."""

import mimetypes
from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup
from playwright.sync_api import Route

from browser import open_browser
from course.leaves import Leaf

ORIGIN = "http://book.invalid"  # nothing is asked of it: every file comes from the site's folder
FOOT = (
    '<div style="font: 8pt serif; width: 100%; text-align: center; color: #444">'
    '<span class="pageNumber"></span></div>'
)
STYLE = """
article.bd-article { break-before: page; }
.book-title { padding-top: 30%; text-align: center; }
.book-title h1 { font-size: 2.4rem; }
.book-contents { break-before: page; }
.book-contents ul { list-style: none; padding: 0; }
.book-contents li { margin: 0.4rem 0; }
.bd-article figure img { max-height: 20cm; }
"""


def pdf(found: Sequence[Leaf], site: Path, out: Path) -> None:
    """Print the leaves of the built site to ``out``, with an outline and numbers of pages."""
    page_html = bound(found, site)

    def answer(route: Route) -> None:
        path = unquote(urlsplit(route.request.url).path).lstrip("/")
        if not path:
            route.fulfill(body=page_html, content_type="text/html; charset=utf-8")
        elif (site / path).is_file():
            kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
            route.fulfill(body=(site / path).read_bytes(), content_type=kind)
        else:
            route.abort()

    with open_browser() as browser:
        page = browser.new_page(color_scheme="light")
        page.route("**/*", answer)
        page.goto(ORIGIN)
        page.evaluate("document.fonts.ready.then(() => 0)")
        page.pdf(
            path=str(out),
            format="A4",
            margin={"top": "18mm", "bottom": "20mm", "left": "20mm", "right": "20mm"},
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOT,
            print_background=True,
            outline=True,
            tagged=True,
        )


def bound(found: Sequence[Leaf], site: Path) -> str:
    """One page of HTML, with the styles of the site."""
    first = BeautifulSoup(
        (site / f"{found[0].file}.html").read_text(encoding="utf8"), "html.parser"
    )
    styles = {
        str(link["href"]): str(link)
        for leaf in found
        for link in _links(site / f"{leaf.file}.html", leaf.file.count("/"))
    }
    title = escape(first.find("h1").get_text().rstrip("#"))  # type: ignore[union-attr]
    rows = "".join(f'<li><a href="#{x.slug}">{escape(x.title)}</a></li>' for x in found[1:])
    return (
        '<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        f"<title>{title}</title>{''.join(styles.values())}<style>{STYLE}</style></head>"
        '<body><main class="bd-main"><div class="bd-content"><div class="bd-article-container">'
        f'<div class="book-title"><h1>{title}</h1></div>'
        f'<div class="book-contents bd-article"><h2>Contents</h2><ul>{rows}</ul></div>'
        f"{''.join(str(leaf.article) for leaf in found)}</div></div></main></body></html>"
    )


def _links(path: Path, depth: int) -> list:  # type: ignore[type-arg]
    soup = BeautifulSoup(path.read_text(encoding="utf8"), "html.parser")
    links = soup.select('head link[rel~="stylesheet"]')
    for link in links:
        link["href"] = str(link["href"]).removeprefix("../" * depth)
    return links
