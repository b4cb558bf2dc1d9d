"""A cell of a chapter: what it holds, what it printed, what it says of its picture."""

from dataclasses import dataclass

from nbformat import NotebookNode


@dataclass(frozen=True)
class Figure:
    """What a cell says of the picture that it draws."""

    name: str
    caption: str
    alt: str
    classes: str


@dataclass(frozen=True)
class Cell:
    """A cell of a chapter."""

    node: NotebookNode

    @property
    def id(self) -> str | None:
        return self.node.get("id")

    @property
    def is_code(self) -> bool:
        return bool(self.node.cell_type == "code")

    @property
    def source(self) -> str:
        return str(self.node.source)

    @property
    def metadata(self) -> NotebookNode:
        return self.node.get("metadata", NotebookNode())

    @property
    def outputs(self) -> list[NotebookNode]:
        return list(self.node.get("outputs", []))

    @property
    def execution_count(self) -> int | None:
        return self.node.get("execution_count")

    @property
    def tags(self) -> list[str]:
        return list(self.metadata.get("tags", []))

    @property
    def said(self) -> list[str]:
        """The stored outputs that are text, those to stderr as well."""
        return [text for output in self.outputs for text in _texts(output)]

    @property
    def texts(self) -> list[str]:
        """The stored outputs that are text: stdout and the texts of results."""
        results = [output for output in self.outputs if output.get("name") != "stderr"]
        return [text for output in results for text in _texts(output)]

    @property
    def figure(self) -> Figure:
        book = self.metadata.get("mystnb", {})
        figure, image = book.get("figure", {}), book.get("image", {})
        return Figure(
            str(figure.get("name", "")),
            str(figure.get("caption", "")).strip(),
            str(image.get("alt", "")).strip(),
            str(image.get("classes", "")),
        )

    @property
    def pictures(self) -> list[str]:
        """The PNGs that it stores, in base64."""
        data = [output.get("data", {}) for output in self.outputs]
        return [bundle["image/png"] for bundle in data if "image/png" in bundle]

    @property
    def has_error(self) -> bool:
        return any(output.output_type == "error" for output in self.outputs)

    def __str__(self) -> str:
        first = next(iter(self.source.strip().splitlines()), "")
        return f"cell {self.id} ({first[:50]!r})"


def _texts(output: NotebookNode) -> list[str]:
    texts = [value for mime, value in output.get("data", {}).items() if mime.startswith("text/")]
    return [output.text, *texts] if "text" in output else texts
