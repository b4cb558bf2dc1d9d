"""A page loads the scripts and styles that it uses, and the site holds no others.

The theme's icon font and script (1.6 MB) are left out; assets/pages/icons.css has the icons.
"""

import re
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

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
    "symbols.": r'id="symbol-values"',
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
    "searchtools.js",  # search_index has another search
    "language_data.js",
]
ICON_RULE = re.compile(r'\.fa-[\w-]+:before(,\.fa-[\w-]+:before)*\{content:"[^"]*"\}')
ICON_FONT = re.compile(r"@font-face\{[^}]*Font ?Awesome[^}]*\}")


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


def _remove_unused(app: Sphinx, exception: Exception | None) -> None:
    if exception or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    static = Path(app.outdir) / "_static"
    for pattern in UNUSED:
        for path in static.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    style = static / "styles" / "pydata-sphinx-theme.css"
    if style.is_file():
        text = style.read_text(encoding="utf-8")
        style.write_text(ICON_FONT.sub("", ICON_RULE.sub("", text)), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", _leave_out, priority=950)  # after all have added theirs
    app.connect("build-finished", _remove_unused)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
