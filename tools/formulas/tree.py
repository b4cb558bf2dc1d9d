"""The tree that a display is read into."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Node:
    """An operation, its operands, and what the operation needs besides: a name, a text.

    ``span`` is where it stands in the LaTeX; two nodes that differ in nothing else are equal.
    """

    op: str
    args: "tuple[Node, ...]" = ()
    text: str = ""
    span: tuple[int, int] = field(default=(0, 0), compare=False)

    def walk(self) -> "Iterator[Node]":
        yield self
        for arg in self.args:
            yield from arg.walk()

    def with_args(self, *args: "Node") -> "Node":
        return replace(self, args=args)

    def __str__(self) -> str:
        inside = ", ".join(str(arg) for arg in self.args)
        return f"{self.op}{f'[{self.text}]' if self.text else ''}({inside})"


def renamed(node: Node, old: Node, new: Node) -> Node:
    """The tree with one part in the place of another."""
    if node == old:
        return new
    return node.with_args(*(renamed(arg, old, new) for arg in node.args))


def number(text: str) -> Node:
    return Node("num", (), text)


@dataclass(frozen=True)
class Statement:
    """What stands between two gaps of a display.

    kind: "claim", "condition" (of the whole display), "if" (of the claim before it) or
    "equality" (where alone the relation before it is an equality).
    """

    kind: str
    node: Node


@dataclass(frozen=True)
class Display:
    """A display, read."""

    latex: str
    statements: tuple[Statement, ...]

    @property
    def claims(self) -> tuple[Node, ...]:
        return tuple(s.node for s in self.statements if s.kind == "claim")

    def walk(self) -> Iterator[Node]:
        for statement in self.statements:
            yield from statement.node.walk()
