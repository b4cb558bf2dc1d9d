"""``{question} q-06-1``: a question with choices; each opens to say why it is right or not.

``{predict} p-07-1`` is the same before a result that surprises: the reader commits first. Both work
by keyboard, without script and without a server: each choice is a ``<details>``. On paper all stay
closed. How a question is written: tools/course/questions.py.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

import markup
from course import questions

STYLE = "pages/questions.css"
LETTERS = "ABCDEF"
COMMIT = "Before you read on: what do you expect?"


class question(nodes.General, nodes.Element):  # noqa: N801 - docutils names nodes so
    """The text, and its choices."""


class choice(nodes.General, nodes.Element):  # noqa: N801
    """A choice: its text in one line, and behind it why."""


class QuestionDirective(SphinxDirective):
    """A question and its choices."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        place = f"{self.env.docname}, line {self.lineno}"
        directive = markup.Directive(self.name, self.arguments[0], "\n".join(self.content))
        try:
            asked = questions.read(directive, place)
        except ValueError as error:
            raise self.error(str(error)) from None
        node = question(ids=[asked.label], classes=[self.name])
        if self.name == "predict":
            node += nodes.paragraph("", COMMIT, classes=["predict-title"])
        node += nodes.container(
            "", *self.parse_text_to_nodes(asked.text), classes=["question-text"]
        )
        for letter, one in zip(LETTERS, asked.choices, strict=False):
            text, _ = self.parse_inline(one.text)
            says = "Yes" if one.is_right else "No"
            node += choice(
                "",
                nodes.inline("", "", *text),
                *self.parse_text_to_nodes(f"**{says}.** {one.why}"),
                letter=letter,
                right=one.is_right,
            )
        return [node]


def _visit_question(self: HTML5Translator, node: question) -> None:
    self.body.append(self.starttag(node, "div", CLASS="question"))


def _depart_question(self: HTML5Translator, node: question) -> None:
    self.body.append("</div>\n")


def _visit_choice(self: HTML5Translator, node: choice) -> None:
    summary, *why = node.children
    says = "yes" if node["right"] else "no"
    self.body.append(f'<details class="choice"><summary><b>{node["letter"]}</b> ')
    summary.walkabout(self)
    self.body.append(f'</summary>\n<div class="choice-why {says}">')
    for part in why:
        part.walkabout(self)
    self.body.append("</div></details>\n")
    raise nodes.SkipNode


def _add_style(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if doctree is not None and next(doctree.findall(question), None) is not None:
        app.add_css_file(STYLE, priority=850)  # after book.css


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_node(question, html=(_visit_question, _depart_question))
    app.add_node(choice, html=(_visit_choice, None))
    for name in questions.DIRECTIVES:
        app.add_directive(name, QuestionDirective)
    app.connect("html-page-context", _add_style)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
