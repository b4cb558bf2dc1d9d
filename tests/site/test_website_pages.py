"""What stands around the text of a page, on a book of two pages in several configurations."""

import html
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

import site_checks
import website
from rules.html import html_problems
from website.chapter_needs import read_needs

ROOT = Path(__file__).parents[2]
BASE = "https://reader.invalid/book"
BOX = """# 1 One

```{admonition} In this chapter
:class: tip
**Given:** a thing.
```

Text & more.
"""
BUTTONS = {"notebook_interface": "jupyterlab", "binderhub_url": "https://service.invalid"}
EXTENSIONS = ["myst_nb", "sphinx_external_toc", "sphinx_copybutton", "sphinx_togglebutton"]


def notebook(text: str) -> str:
    cell = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": text}
    code = {
        "cell_type": "code",
        "id": "b",
        "metadata": {"tags": ["hide-input"]},
        "execution_count": 1,
        "source": "print(1)",
        "outputs": [{"output_type": "stream", "name": "stdout", "text": ["1\n"]}],
    }
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {"cells": [cell, code], "metadata": {"kernelspec": kernel}, "nbformat": 4}
    return json.dumps(content | {"nbformat_minor": 5})


class Project:
    def __init__(self, root: Path) -> None:
        self.root, self.options = root, dict[str, Any]()
        (root / "chapters").mkdir()
        toc = "format: jb-book\nroot: index\nchapters: [{file: chapters/01_one}]\n"
        (root / "_toc.yml").write_text(toc)
        (root / "index.md").write_text(
            "# The book\n\nWhat it is about.\n\n(run-the-chapters)=\n## Run\n"
        )
        (root / "chapters" / "01_one.ipynb").write_text(notebook(BOX))
        (root / "chapters" / "needs.yml").write_text(
            "01_one: >-\n  the {doc}`first page </index>`.\n"
        )

    def build(self) -> str:
        """Build, and return the warnings."""
        warnings = io.StringIO()
        out = self.root / "_build"
        options = {
            "extensions": [*EXTENSIONS, "website"],
            "exclude_patterns": ["_build"],
            "html_theme": "sphinx_book_theme",
            "html_title": "A Book",
            "html_static_path": [str(ROOT / "assets")],
            "html_css_files": ["pages/icons.css", "pages/book.css"],
            "html_js_files": [["pages/book.js", {"defer": "defer"}], ["pages/filmstrip.js", {}]],
            "html_context": {"default_mode": "auto"},
            "nb_execution_mode": "off",
            **self.options,
        }
        with docutils_namespace():
            folders = [str(self.root), None, str(out / "html"), str(out / "trees")]
            app = Sphinx(*folders, "html", options, status=None, warning=warnings)
            app.build()
        return re.sub(r"\x1b\[[0-9;]*m", "", warnings.getvalue())

    @property
    def out(self) -> Path:
        return self.root / "_build" / "html"

    def html(self, name: str) -> str:
        return (self.out / name).read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_every_room_is_opened() -> None:
    """And none twice, or one that is not there."""
    folder = Path(website.__file__).parent
    modules = {path.stem: path for path in folder.glob("[a-z]*.py")}
    modules |= {path.parent.name: path for path in folder.glob("*/__init__.py")}
    texts = {name: path.read_text(encoding="utf-8") for name, path in modules.items()}
    assert sorted(website.ROOMS) == sorted(n for n in texts if "\ndef setup(" in texts[n])


def test_without_any_address(project: Project) -> None:
    options = {"repository_url": "", "launch_buttons": BUTTONS}
    project.options["html_theme_options"] = options
    assert project.build() == ""
    index, one = project.html("index.html"), project.html("chapters/01_one.html")
    for text in (index, one, project.html("404.html"), project.html("search.html")):
        assert html_problems(text) == []
        assert "https://" not in text.replace("https://www.sphinx-doc.org", "")
        assert "canonical" not in text
    assert site_checks.link_problems(project.out) == []
    assert not (project.out / "sitemap.xml").exists()
    assert not (project.out / "robots.txt").exists()
    assert "<title>A Book</title>" in index
    assert "<title>1 One · A Book</title>" in one
    assert '<meta name="description" content="What it is about.">' in index
    assert '<meta name="description" content="Text &amp; more.">' in one
    assert '<meta property="og:image" content="../_static/social-card.png">' in one
    assert '<a href="../notebooks/without-solutions/01_one.ipynb" download>' in one
    assert 'data-theme="light"' in one


QUESTION = """```{question} q-01-1
How many?

- [ ] One.
  There is $x$.
- [x] Two.
  Both.
- [ ] Three.
  No.
```
"""


def test_a_question_says_why_behind_each_choice(project: Project) -> None:
    (project.root / "chapters" / "01_one.ipynb").write_text(notebook(BOX + QUESTION))
    assert project.build() == ""
    one = project.html("chapters/01_one.html")
    choices = re.findall(r'<details class="choice"><summary><b>(.)</b>.*?<strong>(\w+)', one, re.S)
    assert choices == [("A", "No"), ("B", "Yes"), ("C", "No")]
    assert "pages/questions.css" in one
    assert "pages/questions.css" not in project.html("index.html")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (QUESTION.replace("[x]", "[ ]"), "q-01-1 has 0 right choices"),
        ("```{solution-start} ex-1\n```\n", "a solution of 'ex-1', which is no exercise"),
        ("```{exercise} One\n```\n", "the exercise 'One' has no :label:; give it one"),
    ],
)
def test_wrong_marks_are_warnings(project: Project, text: str, problem: str) -> None:
    (project.root / "chapters" / "01_one.ipynb").write_text(notebook(BOX + text))
    assert problem in project.build()


def test_a_teachers_page_leads_to_the_figures_of_its_chapter(project: Project) -> None:
    guide = project.root / "course" / "instructor" / "01.md"
    guide.parent.mkdir(parents=True)
    guide.write_text("# Teaching\n\n[67 minutes](#fig-shares?of=waits&x=67).\n")
    toc = "format: jb-book\nroot: index\nchapters:\n"
    files = ("chapters/01_one", "course/instructor/01")
    (project.root / "_toc.yml").write_text(toc + "".join(f"  - file: {f}\n" for f in files))
    project.build()
    link = 'href="../../chapters/01_one.html#fig-shares?of=waits&amp;x=67">67 minutes</a>'
    assert link in project.html("course/instructor/01.html")


def test_an_unpublished_exercise_says_so(project: Project) -> None:
    exercise = "```{exercise} One\n:label: ex-1\n:class: unpublished\n\nHow many?\n```\n\n"
    hint = "```{hint}\n:class: dropdown\n\nCount.\n```\n"
    (project.root / "chapters" / "01_one.ipynb").write_text(notebook(BOX + exercise + hint))
    (project.root / "course" / "solutions").mkdir(parents=True)
    solution = "```{solution-start} ex-1\n```\n\nSeven.\n\n```{solution-end}\n```"
    (project.root / "course" / "solutions" / "01.ipynb").write_text(notebook(solution))
    (project.root / "course" / "teach.md").write_text("# Teach\n")
    toc = "format: jb-book\nroot: index\nchapters:\n"
    project.options["extensions"] = [*EXTENSIONS, "sphinx_exercise", "website"]
    project.options["exclude_patterns"] = ["_build", "course/solutions"]
    files = ("chapters/01_one", "course/teach")
    (project.root / "_toc.yml").write_text(toc + "".join(f"  - file: {f}\n" for f in files))
    assert project.build() == ""
    one = project.html("chapters/01_one.html")
    assert re.search(r'Teachers find it in the <a [^>]*href="../course/teach.html"', one)
    assert not [path for path in project.out.rglob("*.*") if b"Seven" in path.read_bytes()]


def test_with_the_address_of_the_site(project: Project) -> None:
    project.options["html_baseurl"] = f"{BASE}/"
    assert project.build() == ""
    index, one = project.html("index.html"), project.html("chapters/01_one.html")
    assert f'<link rel="canonical" href="{BASE}/" />' in index
    assert f'<link rel="canonical" href="{BASE}/chapters/01_one.html" />' in one
    assert f'<meta property="og:url" content="{BASE}/chapters/01_one.html">' in one
    assert f'<meta property="og:image" content="{BASE}/_static/social-card.png">' in one
    missing = project.html("404.html")
    assert f'<base href="{BASE}/">' in missing
    assert "og:url" not in missing
    assert "canonical" not in missing
    found = re.findall("<loc>(.*?)</loc>", (project.out / "sitemap.xml").read_text())
    assert found == [f"{BASE}/", f"{BASE}/chapters/01_one.html"]
    assert f"Sitemap: {BASE}/sitemap.xml\n" in (project.out / "robots.txt").read_text()


def test_with_the_address_of_the_project(project: Project) -> None:
    repository = {"repository_url": "https://github.com/a/b", "repository_branch": "main"}
    options = repository | {"launch_buttons": BUTTONS}
    project.options["html_theme_options"] = options
    assert project.build() == ""
    index, one = project.html("index.html"), project.html("chapters/01_one.html")
    launch = "https://service.invalid/v2/gh/a/b/main?urlpath=lab/tree/chapters/01_one.ipynb"
    assert launch in html.unescape(one), re.findall("https://service[^ ]*", one)
    assert "service.invalid" not in index
    assert 'href="https://github.com/a/b"' in one
    assert html_problems(one) == []
    # each button's icon is one of ours
    drawn = (ROOT / "assets" / "pages" / "icons.css").read_text()
    icons = set(re.findall(r'class="(?:fa-solid|fa[srb]) (fa-[a-z-]+)', one))
    assert {"fa-rocket", "fa-github"} <= icons
    assert [icon for icon in icons if f".{icon} " not in drawn and f".{icon}," not in drawn] == []


@pytest.mark.parametrize(("host", "shown"), [("github.com", True), ("gitlab.com", False)])
def test_colab_and_the_container_are_for_a_project_at_github(
    project: Project, host: str, shown: bool
) -> None:
    services = {"colab_url": "https://colab.invalid/", "codespaces_url": "https://spaces.invalid"}
    project.options["html_theme_options"] = {
        "repository_url": f"https://{host}/a/b",
        "launch_buttons": BUTTONS | services,
    }
    assert project.build() == ""
    one = html.unescape(project.html("chapters/01_one.html"))
    assert "https://service.invalid/v2/" in one
    assert ("https://colab.invalid/github/a/b/blob/colab/01_one.ipynb" in one) == shown
    assert ("https://spaces.invalid/a/b" in one) == shown
    assert ("colab.invalid" in one) == ("spaces.invalid" in one) == shown
    assert html_problems(project.html("chapters/01_one.html")) == []
    assert ".fa-code" in (ROOT / "assets" / "pages" / "icons.css").read_text()


def test_the_settings_of_this_book_show_launch_buttons_with_an_address() -> None:
    """One line is to be filled in, and no other."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert {"url", "branch"} <= set(config["repository"])
    for service in ("binderhub_url", "colab_url", "codespaces_url"):
        assert config["launch_buttons"][service].startswith("https://")


def test_a_page_loads_only_what_it_uses(project: Project) -> None:
    project.build()
    index, one = project.html("index.html"), project.html("chapters/01_one.html")
    for name in ("mystnb.", "togglebutton.js", "copybutton.js"):
        assert name in one, name
        assert name not in index, name
    for text in (index, one):
        assert "fontawesome" not in text
        assert "search-index.js" not in text
        assert "filmstrip.js" not in text
        assert text.count('name="viewport"') == 1
    assert "search-index.js" in project.html("search.html")
    static = project.out / "_static"
    foreign = [path for path in static.rglob("*.woff2") if path.parent != static / "fonts"]
    assert not list(static.rglob("*fontawesome*")) + foreign
    style = (static / "styles" / "pydata-sphinx-theme.css").read_text(encoding="utf-8")
    assert "fa-rocket" not in style
    assert "@font-face" not in style
    assert ".bd-sidebar-primary" in style
    assert style.count("{") == style.count("}")


def test_what_to_know_first(project: Project) -> None:
    project.build()
    one = project.html("chapters/01_one.html")
    box = one[one.index("In this chapter") : one.index("<p>Text &amp; more.")]
    assert "<strong>Given:</strong>" in box
    assert (
        '<strong>You need first:</strong> the <a class="reference internal" href="../index' in box
    )

    needs = project.root / "chapters" / "needs.yml"
    needs.write_text("01_one: another thing.\n")
    assert project.build() == ""  # the page is made anew
    assert "another thing." in project.html("chapters/01_one.html")

    (project.root / "chapters" / "01_one.ipynb").write_text(notebook("# 1 One\n\nText.\n"))
    assert "chapters/01_one has a line in chapters/needs.yml, but no box" in project.build()


def test_what_unfolds_code_is_named_by_its_words(project: Project) -> None:
    project.build()
    summary = re.search("<summary.*?</summary>", project.html("chapters/01_one.html"), re.S)
    assert summary
    assert "aria-label" not in summary[0]
    assert "<p" not in summary[0]
    assert "Show code cell source" in summary[0]


def test_every_chapter_says_what_to_know_first() -> None:
    """And leads to no later chapter for it."""
    needs = read_needs(ROOT)
    chapters = sorted(path.stem for path in (ROOT / "chapters").glob("*.ipynb"))
    assert sorted(needs) == chapters
    for name, text in needs.items():
        named = re.findall(r"\{doc\}`(?:[^`<]*<)?([^`>]+)", text)
        assert all(other < name for other in named), name
        assert text.strip().endswith("."), name
