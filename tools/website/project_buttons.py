"""What leads to the project's address, where one is configured: buttons, and links in the text."""

from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxRole

COLAB_BRANCH = "colab"  # the notebooks that tools/colab.py makes; .github/workflows/pages.yml
FROM_GITHUB = ("colab_url", "codespaces_url")


class ProjectLink(SphinxRole):
    """{project-link}`words`: a link where the project's address is configured, else the words."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        address = self.config.html_theme_options.get("repository_url")
        words = nodes.Text(self.text)
        return [nodes.reference("", "", words, refuri=address) if address else words], []


def _set_buttons(app: Sphinx, config: Config) -> None:
    options = config.html_theme_options
    address = options.get("repository_url")
    if address:
        options.update(use_repository_button=True, use_issues_button=True)
        if urlsplit(address).hostname != "github.com" and "launch_buttons" in options:
            options["launch_buttons"] = {
                name: value
                for name, value in options["launch_buttons"].items()
                if name not in FROM_GITHUB
            }
    else:
        for name in ("repository_url", "repository_branch", "path_to_docs", "launch_buttons"):
            options.pop(name, None)


def _set_launch(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Colab opens the notebook that installs gmmlib first; a container is for the whole project."""
    options = app.config.html_theme_options
    launch = options.get("launch_buttons", {})
    project = urlsplit(options.get("repository_url", "")).path.strip("/")
    for group in context.get("header_buttons", []):
        if group.get("label") != "launch-buttons":
            continue
        for button in group["buttons"]:
            if button["text"] == "Colab":
                notebook = f"{page.rpartition('/')[2]}.ipynb"
                colab = launch["colab_url"].rstrip("/")
                button["url"] = f"{colab}/github/{project}/blob/{COLAB_BRANCH}/{notebook}"
        if launch.get("codespaces_url"):
            group["buttons"].append(
                {
                    "type": "link",
                    "text": "Dev container",
                    "tooltip": "Open the whole project in a container, with an editor",
                    "icon": "fas fa-code",
                    "url": f"{launch['codespaces_url'].rstrip('/')}/{project}",
                }
            )


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_role("project-link", ProjectLink())
    app.connect("config-inited", _set_buttons, priority=100)
    app.connect("html-page-context", _set_launch, priority=502)  # after the theme's own
    return {"parallel_read_safe": True, "parallel_write_safe": True}
