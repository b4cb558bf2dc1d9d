"""The built pages as leaves of one book: what is read, with links that lead within it."""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

from book import Book

# What works on a screen only, or says where one is on the site.
LEFT_OUT = (
    "script, template, button, input, nav, .headerlink, .chapter-run, .book-tips, .book-tip,"
    ".filmstrip-controls, .sd-card, .sd-btn, .ledger-world, details.hide, style"
)
ATTRIBUTES = (
    "aria-describedby",
    "aria-labelledby",
    "aria-controls",
    "onclick",
    "loading",
    "srcset",
)
LEFT_PAGES = re.compile(r"course/|chapters/ledger$")  # of the site alone


@dataclass(frozen=True)
class Leaf:
    """A page of the book: its file as in _toc.yml, its title, its content."""

    file: str
    title: str
    article: Tag

    @property
    def slug(self) -> str:
        return self.file.rpartition("/")[2].lower().replace("_", "-")


def leaves(book: Book, site: Path) -> list[Leaf]:
    """The pages in the order of the book. Links and ids are made for one document.

    Raises ``FileNotFoundError`` where the site is not built.
    """
    files = [page.file for page in book.pages if not LEFT_PAGES.match(page.file)]
    titles = {page.file: page.title for page in book.pages}
    found = [Leaf(file, titles[file], _article(site / f"{file}.html")) for file in files]
    slugs = {leaf.file: leaf.slug for leaf in found}
    for leaf in found:
        _bind(leaf, slugs)
    return found


def _article(path: Path) -> Tag:
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path.name}; build the site first: make book")
    soup = BeautifulSoup(path.read_text(encoding="utf8"), "html.parser")
    article = soup.find("article")
    if not isinstance(article, Tag):
        raise ValueError(f"{path.name} has no article")
    for element in article.select(LEFT_OUT):
        element.decompose()
    address = soup.find("link", rel="canonical")  # there is one if the site's own is configured
    for note in article.select("p.touch-note") if isinstance(address, Tag) else ():
        link = soup.new_tag("a", href=str(address["href"]))
        link.extend([child.extract() for child in list(note.contents)])
        note.append(link)
    for section in article.select("section"):
        if not section.decomposed and not section.select_one("p, figure, table, dl, ul, ol, div"):
            section.decompose()  # a heading alone: it held what is left out
    return article


def _bind(leaf: Leaf, slugs: dict[str, str]) -> None:
    folder = posixpath.dirname(leaf.file)
    leaf.article["id"] = leaf.slug
    for element in leaf.article.find_all(True):
        for name in ATTRIBUTES:
            element.attrs.pop(name, None)
        if element.get("id"):
            element["id"] = f"{leaf.slug}--{element['id']}"
        if element.get("src"):
            element["src"] = _at_root(str(element["src"]), folder)
        if element.name == "a" and element.get("href"):
            leads = lead(str(element["href"]), leaf, slugs)
            if leads:
                element["href"] = leads
            else:
                del element["href"]


def _at_root(address: str, folder: str) -> str:
    if urlsplit(address).scheme:
        return address
    return posixpath.normpath(posixpath.join(folder, address))


def lead(address: str, leaf: Leaf, slugs: dict[str, str]) -> str:
    """Where a link of the site leads within the book; nothing, where it leads to another page."""
    url = urlsplit(address)
    if url.scheme:
        return address
    file = posixpath.normpath(posixpath.join(posixpath.dirname(leaf.file), unquote(url.path)))
    file = file.removesuffix(".html") if url.path else leaf.file
    if file not in slugs:
        return ""
    anchor = unquote(url.fragment).partition("?")[0]
    return f"#{slugs[file]}--{anchor}" if anchor else f"#{slugs[file]}"


def anchors(found: Iterable[Leaf]) -> set[str]:
    """All ids, to see whether links lead somewhere."""
    return {str(e["id"]) for leaf in found for e in leaf.article.parent.find_all(id=True)}
