"""A page loads the scripts of the figures on it that can be touched, and no others.

Such a figure is a picture with the classes ``touch touch-NAME``; assets/figures/NAME.js takes its
place, over the kit in assets/figures/kit and the data in assets/figures/data. A script that speaks
of ``ownData`` gets kit/own-data.js too, the reader's own points, and so with ``landscape``.
"""

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
TOUCH = re.compile(r'<img\b[^>]*\bclass="[^"]*\btouch touch-([a-z-]+)[^>]*>')
STYLE = "figures/kit/touch.css"
SHARED = ("figures/kit/em.js", "figures/data/data-sets.js", "figures/kit/touch.js")
ASKED_FOR = {  # by a script that speaks of it
    "landscape.": "figures/kit/landscape.js",
    "ownData.": "figures/kit/own-data.js",
}
# The picture is not loaded where the figure takes its place, but without script and on paper.
TOUCH_NOTE = """
<p class="touch-note">A still picture. On the website, with JavaScript, you can take this figure
into your own hands.</p><script>window.touch?.here()</script>"""


def _add_touch(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    names = list(dict.fromkeys(TOUCH.findall(context.get("body", ""))))
    if doctree is None or not names:
        return
    sources = ""
    for name in names:
        script = f"assets/figures/{name}.js"
        path = Path(app.srcdir) / script
        if not path.is_file():
            where = f"there is no {script} for the class touch-{name}"
            LOGGER.warning("a figure to touch: %s", where, location=page, type="touch")
            return
        sources += path.read_text(encoding="utf-8")
    app.add_css_file(STYLE, priority=850)  # after book.css
    asked_for = [script for word, script in ASKED_FOR.items() if word in sources]
    for script in (*SHARED, *asked_for, *(f"figures/{name}.js" for name in names)):
        app.add_js_file(script)  # not deferred: the figure is there when it is first drawn
    context["body"] = TOUCH.sub(
        lambda match: match[0].replace("<img ", '<img loading="lazy" ', 1) + TOUCH_NOTE,
        context["body"],
    )


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", _add_touch)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
