"""The book as an EPUB 3: each page an XHTML document, its mathematics as MathML."""

import copy
import mimetypes
import uuid
import zipfile
from collections.abc import Sequence
from html import escape
from pathlib import Path

import yaml
from bs4 import Tag

from book import Book
from course.leaves import Leaf

STYLE = Path(__file__).with_name("epub.css")
MIMETYPE = b"application/epub+zip"
DATE = (2000, 1, 1, 0, 0, 0)  # in the archive: the same book gives the same bytes
CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/>
</rootfiles></container>
"""
PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en"
xml:lang="en"><head><title>{title}</title><link rel="stylesheet" type="text/css" href="style.css"/>
</head><body>{body}</body></html>
"""
PACKAGE = """<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{uuid}</dc:identifier>
<dc:title>{title}</dc:title><dc:language>en</dc:language><dc:creator>{creator}</dc:creator>
<dc:rights>CC BY 4.0; code: MIT</dc:rights>
<meta property="dcterms:modified">{date}T00:00:00Z</meta>
<meta property="schema:accessMode">textual</meta><meta property="schema:accessMode">visual</meta>
<meta property="schema:accessModeSufficient">textual</meta>
<meta property="schema:accessibilityFeature">MathML</meta>
<meta property="schema:accessibilityFeature">alternativeText</meta>
<meta property="schema:accessibilityHazard">none</meta>
</metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="style" href="style.css" media-type="text/css"/>
{items}
</manifest>
<spine>{spine}</spine>
</package>
"""
KEPT = {  # attribute -> the elements that may have it, all if there is none
    "id": (),
    "class": (),
    "href": ("a",),
    "src": ("img",),
    "alt": ("img",),
    "title": (),
    "start": ("ol",),
    "colspan": ("td", "th"),
    "rowspan": ("td", "th"),
    "open": ("details",),
    "lang": (),
}


def epub(book: Book, found: Sequence[Leaf], site: Path, out: Path) -> None:
    """Write the leaves of the built site to ``out``."""
    about = yaml.safe_load((book.root / "CITATION.cff").read_text(encoding="utf8"))
    pictures: dict[str, str] = {}  # file on the site -> file in the book
    pages = {leaf: _page(leaf, pictures) for leaf in found}
    rows = "".join(
        f'<li><a href="{leaf.slug}.xhtml">{escape(leaf.title)}</a></li>' for leaf in found
    )
    nav = f'<nav epub:type="toc"><h1>Contents</h1><ol>{rows}</ol></nav>'
    items = [
        f'<item id="page-{leaf.slug}" href="{leaf.slug}.xhtml" media-type="application/xhtml+xml"'
        + (' properties="mathml"' if "<math" in page else "")
        + "/>"
        for leaf, page in pages.items()
    ]
    items += [
        f'<item id="{Path(name).stem}" href="{name}" media-type="{_kind(name)}"/>'
        for name in pictures.values()
    ]
    package = PACKAGE.format(
        uuid=uuid.uuid5(uuid.NAMESPACE_URL, about["title"]),
        title=escape(about["title"]),
        creator=escape(_creator(about)),
        date=about["date-released"],
        items="\n".join(items),
        spine="".join(f'<itemref idref="page-{leaf.slug}"/>' for leaf in found),
    )
    with zipfile.ZipFile(out, "w") as archive:

        def add(name: str, content: bytes, how: int = zipfile.ZIP_DEFLATED) -> None:
            archive.writestr(zipfile.ZipInfo(name, DATE), content, how)

        add("mimetype", MIMETYPE, zipfile.ZIP_STORED)
        add("META-INF/container.xml", CONTAINER.encode())
        add("book/package.opf", package.encode())
        add("book/nav.xhtml", PAGE.format(title="Contents", body=nav).encode())
        add("book/style.css", STYLE.read_bytes())
        for leaf, page in pages.items():
            add(f"book/{leaf.slug}.xhtml", page.encode())
        for source, name in pictures.items():
            add(f"book/{name}", (site / source).read_bytes())


def _creator(about: dict) -> str:  # type: ignore[type-arg]
    first = about["authors"][0]
    return str(first.get("name") or f"{first.get('given-names')} {first.get('family-names')}")


def _kind(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _page(leaf: Leaf, pictures: dict[str, str]) -> str:
    article = copy.copy(leaf.article)
    for box in article.select("mjx-container"):
        math = box.find("math")
        assert isinstance(math, Tag)
        if box.get("display") == "true":
            math["display"] = "block"
        for element in (math, *math.find_all(True)):
            for name in [n for n in element.attrs if n.startswith("data-") or n == "class"]:
                del element[name]
        box.replace_with(math)
    mathematics = {id(part) for math in article.find_all("math") for part in math.find_all(True)}
    for element in (article, *article.find_all(True)):
        if element.name == "math" or id(element) in mathematics:
            continue
        for name in list(element.attrs):
            owners = KEPT.get(name)
            if owners is None or (owners and element.name not in owners):
                del element[name]
        if element.name == "img":
            source = str(element["src"])
            pictures.setdefault(source, f"picture-{len(pictures) + 1}{Path(source).suffix}")
            element["src"] = pictures[source]
            element.attrs.setdefault("alt", "")
        if element.name == "a" and str(element.get("href", "")).startswith("#"):
            anchor = str(element["href"])
            element["href"] = f"{anchor[1:].partition('--')[0]}.xhtml{anchor}"
    return PAGE.format(title=escape(leaf.title), body=article.decode(formatter="minimal"))
