"""What leads to the project's address, where one is configured: buttons, and links in the text."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxRole


class ProjectLink(SphinxRole):
    """{project-link}`words`: a link where the project's address is configured, else the words."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        address = self.config.html_theme_options.get("repository_url")
        words = nodes.Text(self.text)
        return [nodes.reference("", "", words, refuri=address) if address else words], []


def _set_buttons(app: Sphinx, config: Config) -> None:
    options = config.html_theme_options
    if options.get("repository_url"):
        options.update(use_repository_button=True, use_issues_button=True)
    else:
        for name in ("repository_url", "repository_branch", "path_to_docs", "launch_buttons"):
            options.pop(name, None)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_role("project-link", ProjectLink())
    app.connect("config-inited", _set_buttons, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
