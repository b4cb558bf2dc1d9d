"""The theme as this book has it: its templates, from the folder templates, and its colours."""

from pathlib import Path
from typing import Any

import pydata_sphinx_theme
import sphinx_book_theme
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.config import Config

TEMPLATES = Path(__file__).parent / "templates"
TOGGLE = '<summary><span class="toctree-toggle"'
BELOW = "Pages below this one"
DIGEST = f"{pydata_sphinx_theme.__version__}-{sphinx_book_theme.__version__}"


def _add_templates(app: Sphinx, config: Config) -> None:
    config.templates_path = [*config.templates_path, str(TEMPLATES)]


def _add_digest(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    context["theme_digest"] = DIGEST


def mended(text: str) -> str:
    """A page without what the theme leaves undone."""
    # its mode "auto" has no colours until a script has chosen them
    text = text.replace('data-theme="auto"', 'data-theme="light"', 1)
    # what unfolds the pages below another has no name for those who listen
    return text.replace(TOGGLE, TOGGLE.replace("<summary", f'<summary aria-label="{BELOW}"'))


def _mend(app: Sphinx, exception: Exception | None) -> None:
    if exception or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    for path in Path(app.outdir).rglob("*.html"):
        path.write_text(mended(path.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("config-inited", _add_templates)
    app.connect("html-page-context", _add_digest)
    app.connect("build-finished", _mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
