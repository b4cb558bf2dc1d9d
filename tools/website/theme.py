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
DIGEST = f"{pydata_sphinx_theme.__version__}-{sphinx_book_theme.__version__}"


def _add_templates(app: Sphinx, config: Config) -> None:
    config.templates_path = [*config.templates_path, str(TEMPLATES)]


def _add_digest(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    context["theme_digest"] = DIGEST


def _be_light_without_script(app: Sphinx, exception: Exception | None) -> None:
    """The theme's mode "auto" has no colours until a script has chosen them."""
    if exception or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        text = text.replace('data-theme="auto"', 'data-theme="light"', 1)
        path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("config-inited", _add_templates)
    app.connect("html-page-context", _add_digest)
    app.connect("build-finished", _be_light_without_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
