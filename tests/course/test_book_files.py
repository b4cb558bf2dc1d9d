"""The book as PDF and EPUB, from a small site: links lead within, nothing of the screen is left."""

import re
import zipfile
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree as ET

import pytest

from book import ROOT, Book, Page
from course import epub, leaves, printed

ONE = """<html><head><link rel="stylesheet" href="../_static/a.css"/></head><body>
<article class="bd-article"><section id="one"><h1>1 One<a class="headerlink" href="#one">#</a></h1>
<p><a href="#eq">here</a> <a href="02_two.html#there?x=1">there</a> <a href="02_two.html">two</a>
<a href="ledger.html#eq">ledger</a> <a href="https://a.invalid/">far</a></p>
<div class="math" id="eq"><mjx-container display="true"><mjx-math>x</mjx-math><mjx-assistive-mml>
<math xmlns="http://www.w3.org/1998/Math/MathML"><mi data-mjx-a="b">x</mi></math>
</mjx-assistive-mml></mjx-container></div>
<img alt="A dot." loading="lazy" src="../_images/dot.svg"/><script>1</script>
<section id="ways"><h2>Ways</h2><a class="sd-btn" href="#one">Go</a></section></section></article>
</body></html>"""
TWO = """<html><head><link rel="stylesheet" href="../_static/a.css"/></head><body>
<article class="bd-article"><section id="two"><h1>2 Two</h1><p id="there">x</p></section></article>
</body></html>"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    files = {
        "chapters/01_one.html": ONE,
        "chapters/02_two.html": TWO,
        "_static/a.css": "p { color: black }",
        "_images/dot.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>',
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf8")
    return tmp_path


@pytest.fixture
def book() -> Book:
    names = {"01_one": "# 1 One", "02_two": "# 2 Two", "ledger": "# The ledger"}
    pages = [Page(PurePosixPath(f"chapters/{name}.md"), text) for name, text in names.items()]
    return Book(ROOT, tuple(pages))


def test_a_still_leads_to_the_figure_where_the_site_has_an_address(book: Book, site: Path) -> None:
    note = '<p class="touch-note">A still picture.</p>'
    address = "https://a.invalid/chapters/01_one.html"
    page = ONE.replace("</article>", f"{note}</article>")
    (site / "chapters/01_one.html").write_text(page, encoding="utf8")
    article = leaves.leaves(book, site)[0].article
    assert str(article.select_one(".touch-note")) == note
    with_address = page.replace("<head>", f'<head><link rel="canonical" href="{address}"/>')
    (site / "chapters/01_one.html").write_text(with_address, encoding="utf8")
    (link,) = leaves.leaves(book, site)[0].article.select(".touch-note > a")
    assert (link["href"], link.get_text()) == (address, "A still picture.")


def test_links_lead_within_the_book(book: Book, site: Path) -> None:
    found = leaves.leaves(book, site)
    assert [leaf.slug for leaf in found] == ["01-one", "02-two"]
    links = {a.get_text(): a.get("href") for a in found[0].article.find_all("a")}
    assert links == {
        "here": "#01-one--eq",
        "there": "#02-two--there",
        "two": "#02-two",
        "ledger": None,
        "far": "https://a.invalid/",
    }
    targets = {href[1:] for href in links.values() if href and href.startswith("#")}
    assert targets <= leaves.anchors(found)
    assert not found[0].article.select("script, .headerlink, [loading]")
    assert "Ways" not in found[0].article.get_text()


def test_a_site_that_is_not_built(book: Book, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="build the site first: make book"):
        leaves.leaves(book, tmp_path)


def test_an_epub_is_what_its_standard_says(book: Book, site: Path, tmp_path: Path) -> None:
    out = tmp_path / "book.epub"
    epub.epub(book, leaves.leaves(book, site), site, out)
    archive = zipfile.ZipFile(out)
    first = archive.infolist()[0]
    assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
    names = set(archive.namelist())
    package = ET.fromstring(archive.read("book/package.opf"))
    items = {e.attrib["id"]: e.attrib for e in package.iter() if e.tag.endswith("}item")}
    assert {f"book/{item['href']}" for item in items.values()} <= names
    assert items["page-01-one"]["properties"] == "mathml"
    refs = [e.attrib["idref"] for e in package.iter() if e.tag.endswith("}itemref")]
    assert refs == ["page-01-one", "page-02-two"]
    for name in names:
        if name.endswith(".xhtml"):
            ET.fromstring(archive.read(name))
    page = archive.read("book/01-one.xhtml").decode()
    assert 'href="02-two.xhtml#02-two--there"' in page
    assert re.search(r'<math display="block"[^>]*>\s*<mi>x</mi>', page.replace("\n", ""))
    assert "mjx" not in page
    assert 'src="picture-1.svg"' in page


def test_the_same_book_is_the_same_file(book: Book, site: Path, tmp_path: Path) -> None:
    files = [tmp_path / "a.epub", tmp_path / "b.epub"]
    for file in files:
        epub.epub(book, leaves.leaves(book, site), site, file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_pdf_has_every_page(book: Book, site: Path, tmp_path: Path) -> None:
    out = tmp_path / "book.pdf"
    printed.pdf(leaves.leaves(book, site), site, out)
    content = out.read_bytes()
    assert content.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) == 4  # title, contents, two chapters
    assert str(ROOT).encode() not in content
