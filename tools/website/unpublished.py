"""An exercise with ``:class: unpublished`` says on its page that only teachers have a solution."""

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx_exercise.nodes import exercise_enumerable_node, exercise_node

from course.plain import UNPUBLISHED

LINKED = "course kit"  # in that sentence, to the page Teach
TEACH = "/course/teach"


def _say_so(app: Sphinx, doctree: nodes.document) -> None:
    for kind in (exercise_node, exercise_enumerable_node):
        for node in doctree.findall(kind):
            if "unpublished" in node["classes"]:
                node.children[-1].append(_sentence(app.env.docname))


def _sentence(page: str) -> nodes.paragraph:
    before, _, after = UNPUBLISHED.partition(LINKED)
    link = addnodes.pending_xref(
        "",
        nodes.inline("", LINKED),
        refdoc=page,
        refdomain="std",
        refexplicit=True,
        reftarget=TEACH,
        reftype="doc",
        refwarn=True,
    )
    said = (nodes.Text(before), link, nodes.Text(after))
    return nodes.paragraph("", "", *said, classes=["unpublished-note"])


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-read", _say_so)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
