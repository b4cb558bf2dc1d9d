"""The Sphinx extension for what stands around the text of a page.

- Weight: a page loads the scripts and styles that it uses. The theme's icon font and script
  (1.6 MB) are left out; assets/icons.css has the icons.
- Chapters: what to know first (chapters/needs.yml), and the notebook to download.
- For others: a title, a description and a card for each page, a page for wrong addresses, and,
  where the site's address is configured (html.baseurl), a map of the site.
"""

import html
import json
import re
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

import pydata_sphinx_theme
import sphinx_book_theme
import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
TEMPLATES = Path(__file__).parent / "templates"
NEEDS = "chapters/needs.yml"
CARD = "social-card.png"
WORDS_IN_DESCRIPTION = 30

# A file, or a piece of a script written into the page -> what the text has where it is needed.
NEEDED_FOR = {
    "mystnb.": r'class="cell|class="output',
    "exercise.css": r'class="exercise|class="solution',
    "proof.css": r'class="proof',
    "sphinx-design.min.css": r'class="sd-',
    "design-tabs.js": r'class="sd-tab',
    "togglebutton": r'\btoggle\b|class="[^"]*\bdropdown\b|<details',
    "toggleHint": r'\btoggle\b|class="[^"]*\bdropdown\b|<details',
    "toggleOpenOnPrint": r'\btoggle\b|class="[^"]*\bdropdown\b|<details',
    "clipboard.min.js": r'class="highlight',
    "copybutton": r'class="highlight',
    "filmstrip.": r'class="filmstrip',
    "ledger.": r'class="ledger-entry',
}
# The theme's files that no page asks for.
UNUSED = [
    "scripts/fontawesome.js*",
    "scripts/*.map",
    "styles/*.map",
    "vendor",
    "locales",
    "sbt-*",
    "webpack-*",
    "screenshot.png",
    "searchtools.js",  # tools/search_index.py has another search
    "language_data.js",
]
TABLE = re.compile(
    r'<div class="(pst-scrollable-table-container)">(<table.*?</table>\s*)</div>', re.DOTALL
)
PICTURE = re.compile(r'<img\b[^>]*?\bsrc="(?P<source>[^":]+\.png)"[^>]*>')
ICON_RULE = re.compile(r'\.fa-[\w-]+:before(,\.fa-[\w-]+:before)*\{content:"[^"]*"\}')
ICON_FONT = re.compile(r"@font-face\{[^}]*Font ?Awesome[^}]*\}")

# The page is sent in answer to an address in any folder. Which folder the site lies in is seen from
# the names of its own folders.
FIND_BASE = """<script>
    (() => {
      const path = location.pathname;
      const inside = path.search(/\\/(chapters|_static|_images|_sources)(\\/|$)/);
      const base = document.createElement("base");
      base.href = inside < 0 ? path.slice(0, path.lastIndexOf("/") + 1) : path.slice(0, inside + 1);
      document.currentScript.after(base);
    })();
    </script>"""


# --- what to know first --------------------------------------------------------------------------


def read_needs(root: Path) -> dict[str, str]:
    path = root / NEEDS
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _add_needs(app: Sphinx, docname: str, source: list[str]) -> None:
    """One more line in the box that opens a chapter."""
    if not docname.startswith("chapters/"):
        return
    app.env.note_dependency(NEEDS)
    name, needs = PurePosixPath(docname).name, read_needs(Path(app.srcdir))
    if name not in needs:
        return
    notebook = json.loads(source[0])
    first = notebook["cells"][0]
    text = "".join(first["source"])
    line = f"\n**You need first:** {' '.join(needs[name].split())}\n"
    with_line = re.sub(
        r"(```\{admonition\} In this chapter\n.*?\n)```",
        lambda m: f"{m[1]}{line}```",
        text,
        count=1,
        flags=re.DOTALL,
    )
    if with_line == text:
        LOGGER.warning("%s has a line in %s, but no box to put it in", docname, NEEDS)
    first["source"] = with_line
    source[0] = json.dumps(notebook)


# --- the page ------------------------------------------------------------------------------------


def _prepare_page(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """What tools/templates/layout.html asks for, and the tags in the head."""
    name, site = html.unescape(re.sub("<.*?>", "", context.get("title", ""))), app.config.html_title
    context["page_title"] = site if page == app.config.root_doc else f"{name} · {site}"
    context["theme_digest"] = f"{pydata_sphinx_theme.__version__}-{sphinx_book_theme.__version__}"
    source = context.get("sourcename") or ""
    if source.endswith(".ipynb"):
        kilobytes = round(Path(app.env.doc2path(page)).stat().st_size / 1000)
        address = context["pathto"](f"_sources/{source}", 1)
        context["notebook"] = {"address": address, "size": f"{kilobytes} kB"}

    description = _description(doctree) or f"{name}: {site}"
    tags = [_meta("name", "description", description)]
    tags += list(_card(app, page, context, name or site, description))
    if page == "404":
        base = app.config.html_baseurl.rstrip("/")
        tags.insert(0, f'<base href="{html.escape(base)}/">' if base else FIND_BASE)
        tags.append(_meta("name", "robots", "noindex"))
    context["pageurl"] = _address(app, page) if page != "404" else None
    # the layout has the viewport
    others = re.sub(r'\n?<meta name="viewport"[^>]*>', "", context.get("metatags", ""))
    context["metatags"] = others + "".join(f"\n    {tag}" for tag in tags)
    context["body"] = _mended(context.get("body", ""))


def _mended(body: str) -> str:
    """What the extensions write that the standards do not allow."""
    # what unfolds code: no paragraphs in <summary>, and its name is what one reads there
    body = re.sub(
        r'<summary aria-label="Toggle hidden content">(.*?)</summary>',
        lambda m: "<summary>" + re.sub(r"(</?)p\b", r"\1span", m[1]) + "</summary>",
        body,
        flags=re.DOTALL,
    )
    # a table is shown when it is whole: while rows come in, its columns move
    body = TABLE.sub(r'<div class="\1 until-whole">\2</div><span hidden></span>', body)
    # roles of references: deprecated, and a list of what are no items
    body = body.replace(' role="doc-biblioentry"', "")
    return body.replace('<div role="list" class="citation-list">', '<div class="citation-list">')


def _meta(key: str, name: str, content: str) -> str:
    return f'<meta {key}="{name}" content="{html.escape(content)}">'


def _description(doctree: nodes.document | None) -> str:
    """The beginning of the first paragraph without a formula."""
    for paragraph in doctree.findall(nodes.paragraph) if doctree is not None else []:
        if isinstance(paragraph.parent, nodes.section) and not paragraph.next_node(nodes.math):
            words = paragraph.astext().split()
            return " ".join(words[:WORDS_IN_DESCRIPTION]) + (
                " …" if len(words) > WORDS_IN_DESCRIPTION else ""
            )
    return ""


def _card(
    app: Sphinx, page: str, context: dict[str, Any], title: str, description: str
) -> Iterator[str]:
    """What other sites show where somebody links to the page. They want whole addresses."""
    base = app.config.html_baseurl.rstrip("/")
    picture = context["pathto"](f"_static/{CARD}", 1)
    yield _meta("property", "og:type", "website" if page == app.config.root_doc else "article")
    yield _meta("property", "og:site_name", app.config.html_title)
    yield _meta("property", "og:title", title)
    yield _meta("property", "og:description", description)
    yield _meta("property", "og:image", f"{base}/_static/{CARD}" if base else picture)
    yield _meta("property", "og:image:alt", "Two bell curves that overlap, and their sum.")
    if base and page != "404":
        yield _meta("property", "og:url", _address(app, page))
    yield _meta("name", "twitter:card", "summary_large_image")


def _address(app: Sphinx, page: str) -> str:
    """The page's address, where that of the site is configured. The first page is the folder."""
    base = app.config.html_baseurl.rstrip("/")
    name = "" if page == app.config.root_doc else app.builder.get_target_uri(page)
    return f"{base}/{name}" if base else ""


def _leave_out(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """The scripts and styles that this page has no use for."""
    body = context.get("body", "")
    unused = [name for name, sign in NEEDED_FOR.items() if not re.search(sign, body)]

    def is_used(file: Any) -> bool:
        name = str(getattr(file, "filename", None) or "")
        text = getattr(file, "attributes", {}).get("body") or ""
        return not any(Path(name).name.startswith(u) or f" {u}" in text for u in unused)

    for files in ("css_files", "script_files"):
        context[files] = [file for file in context.get(files, []) if is_used(file)]


def _pages_of_our_own(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    included = app.env.toctree_includes.get(app.config.root_doc, [])
    pages = [(name, app.env.titles[name].astext()) for name in included]
    icon = Path(app.srcdir) / (app.config.html_favicon or "")
    drawing = icon.read_text(encoding="utf-8") if icon.suffix == ".svg" else ""
    context = {"title": "There is no such page", "pages": pages}
    context["icon"] = f"data:image/svg+xml,{quote(drawing)}"
    yield "404", context, "not_found.html"


def _with_size(match: re.Match[str], folder: Path) -> str:
    """The size of a picture, so that what follows it does not move when it is there."""
    path = folder / match["source"]
    if " width=" in match[0] or not path.is_file():
        return match[0]
    width, height = struct.unpack(">II", path.read_bytes()[16:24])  # where a PNG file has them
    return f'<img width="{width}" height="{height}"{match[0].removeprefix("<img")}'


# --- the site ------------------------------------------------------------------------------------


def _finish(app: Sphinx, exception: Exception | None) -> None:
    if exception or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    out = Path(app.outdir)
    for pattern in UNUSED:
        for path in (out / "_static").glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    style = out / "_static" / "styles" / "pydata-sphinx-theme.css"
    if style.is_file():
        text = style.read_text(encoding="utf-8")
        style.write_text(ICON_FONT.sub("", ICON_RULE.sub("", text)), encoding="utf-8")
    for path in out.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        # without script, "auto" has no colours
        text = text.replace('data-theme="auto"', 'data-theme="light"', 1)
        text = PICTURE.sub(lambda match, path=path: _with_size(match, path.parent), text)
        path.write_text(text, encoding="utf-8")
    base = app.config.html_baseurl.rstrip("/")
    if base:
        addresses = sorted(_address(app, page) for page in app.env.all_docs)
        entries = "".join(f"<url><loc>{html.escape(a)}</loc></url>\n" for a in addresses)
        namespace = "http://www.sitemaps.org/schemas/sitemap/0.9"
        (out / "sitemap.xml").write_text(
            '<?xml version="1.0" encoding="utf-8"?>\n'
            f'<urlset xmlns="{namespace}">\n{entries}</urlset>\n',
            encoding="utf-8",
        )
        (out / "robots.txt").write_text(
            f"User-agent: *\nAllow: /\nSitemap: {base}/sitemap.xml\n", encoding="utf-8"
        )


def _add_templates(app: Sphinx, config: Any) -> None:
    config.templates_path = [*config.templates_path, str(TEMPLATES)]


def setup(app: Sphinx) -> dict[str, Any]:
    app.setup_extension("search_index")
    app.connect("config-inited", _add_templates)
    app.connect("source-read", _add_needs)
    app.connect("html-collect-pages", _pages_of_our_own)
    app.connect("html-page-context", _prepare_page, priority=800)
    app.connect("html-page-context", _leave_out, priority=950)  # after all have added theirs
    app.connect("build-finished", _finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
