"""A line that a check printed leads to its equation."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from gmmlib.checks import KINDS, LABEL, MARK
from website.equation_number import equation_number

CHECK_LINE = re.compile(
    rf"(?<=\n|>){MARK} (?P<label>{LABEL.pattern}) · (?:{'|'.join(KINDS)}) · [^\n<]*(?=\n)"
)


def _link_lines(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if doctree is None:
        return

    def linked(match: re.Match[str]) -> str:
        line, label = match[0], match["label"]
        number = equation_number(app.env, label)
        link = f'<a href="#equation-{label}">{label}</a>' + (f" ({number})" if number else "")
        return f'<span class="ledger-line">{line.replace(label, link, 1)}</span>'

    context["body"] = CHECK_LINE.sub(linked, context["body"])


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", _link_lines)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
