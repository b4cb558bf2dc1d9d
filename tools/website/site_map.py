"""The addresses of the pages, and a map of them, where that of the site is configured.

It is html.baseurl in _config.yml. The map is for those who search the web.
"""

import html
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def site_address(app: Sphinx) -> str:
    return str(app.config.html_baseurl).rstrip("/")


def page_address(app: Sphinx, page: str) -> str:
    """The whole address of a page; the first page is the folder. Empty where none is configured."""
    base = site_address(app)
    name = "" if page == app.config.root_doc else app.builder.get_target_uri(page)
    return f"{base}/{name}" if base else ""


def _write(app: Sphinx, exception: Exception | None) -> None:
    base = site_address(app)
    if exception or not isinstance(app.builder, StandaloneHTMLBuilder) or not base:
        return
    out = Path(app.outdir)
    addresses = sorted(page_address(app, page) for page in app.env.all_docs)
    entries = "".join(f"<url><loc>{html.escape(a)}</loc></url>\n" for a in addresses)
    (out / "sitemap.xml").write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<urlset xmlns="{NAMESPACE}">\n{entries}</urlset>\n',
        encoding="utf-8",
    )
    (out / "robots.txt").write_text(
        f"User-agent: *\nAllow: /\nSitemap: {base}/sitemap.xml\n", encoding="utf-8"
    )


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
