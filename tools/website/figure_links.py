"""Links to exact situations of a figure, on the page for a chapter's teacher.

``[text](#fig-shares?of=waits&x=67)`` on the page of chapter 3 leads to that chapter. Its part
behind the # is read by the figure, and no heading that Sphinx could know.
"""

import html
import re
from pathlib import PurePosixPath

from sphinx.application import Sphinx

GUIDES = "course/instructor/"
LINK = re.compile(r"\[([^\]]+)\]\((#fig-[^)\s]+)\)")


def _lead_to_chapter(app: Sphinx, docname: str, source: list[str]) -> None:
    if not docname.startswith(GUIDES):
        return
    number = PurePosixPath(docname).name
    found = sorted(app.env.found_docs)
    chapter = next(name for name in found if name.startswith(f"chapters/{number}_"))

    def link(match: re.Match[str]) -> str:
        return f'<a href="../../{chapter}.html{html.escape(match[2])}">{match[1]}</a>'

    source[0] = LINK.sub(link, source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", _lead_to_chapter)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
