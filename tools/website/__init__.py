"""The Sphinx extension of this website, a room for each thing that it does.

``setup`` loads the rooms in the order of a page's making: its text, its weight on the reader, what
stands around it, the site. Where two handlers of an event have the same priority, the room that is
named first has its turn first.

Four more rooms are opened by hand: ``serve`` shows the site on this machine, and ``figure_data``,
``subset_fonts`` and ``social_card`` make files of the folder assets anew.
"""

from sphinx.application import Sphinx

ROOMS = (
    # the text
    "ledger_page",
    "notation_page",
    "ledger_worlds",
    "check_lines",
    "check_yourself",
    "unpublished",
    "hover_texts",
    "symbols",
    "wide_tables",
    "touch_figures",
    "chapter_figure",
    "chapter_needs",
    "figure_links",
    "kit_downloads",
    "code_switch",
    "typeset",
    # the page around it
    "project_buttons",
    "notebook_download",
    "page_fonts",
    "page_head",
    "theme",
    "valid_html",
    "picture_sizes",
    "page_weight",
    # the site
    "run_here",
    "search_index",
    "site_map",
    "not_found",
)


def setup(app: Sphinx) -> dict[str, bool]:
    for room in ROOMS:
        app.setup_extension(f"{__name__}.{room}")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
