"""Sphinx's settings for the slides (tools/course/slides.py); nothing is asked of another host."""

extensions = ["myst_parser", "sphinx_revealjs", "website.typeset"]
project = "Gaussian Mixtures, Executed"
html_title = project
myst_enable_extensions = ["dollarmath"]
myst_dmath_double_inline = True
suppress_warnings = ["myst.header"]
pygments_style = "default"
html_copy_source = False
html_show_sourcelink = False
html_permalinks = False

revealjs_static_path = ["_static"]
revealjs_style_theme = "deck.css"
revealjs_css_files = ["pygments.css", "mathematics.css"]
revealjs_script_files = ["deck.js"]  # before Reveal is begun
revealjs_script_plugins = [{"src": "revealjs/plugin/notes/notes.js", "name": "RevealNotes"}]
revealjs_script_conf = {
    "width": 1280,
    "height": 720,
    "margin": 0.02,
    "center": False,
    "controls": False,  # the keyboard, a clicker or a swipe
    "hash": True,
    "slideNumber": "c/t",
    "transition": "none",
    "viewDistance": 1000,  # all are laid out, so that deck.js can fit them
    "mobileViewDistance": 1000,
    "pdfSeparateFragments": False,
}
