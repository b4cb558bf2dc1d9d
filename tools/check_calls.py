"""The checks of a chapter: each call of gmmlib.checks in its code, paired with what it printed.

The label of a call is written out, so that it can be read without being run; what the call printed
is the line of the ledger in the stored output.
"""

import ast
import html
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cells import Cell
from gmmlib.checks import KIND_OF, KINDS, LINE, MARK

LOOKALIKE = re.compile(f"[{MARK}✔✅☑🗸]")


@dataclass(frozen=True)
class Check:
    """One line of the ledger, and the call that printed it."""

    label: str
    kind: str  # symbolic, numerical, printed
    how: str
    cell: int  # the how-manieth code cell of the chapter, from 1
    source: str
    scope: str = ""  # for what it stands

    @property
    def in_words(self) -> str:
        if not self.scope:
            return f"{KINDS[self.kind]}: {self.how}"
        # all values of the symbols in that case, and no more than that
        how = self.how.removesuffix(", for all values")
        return f"{KINDS[self.kind]}: {how}, {self.scope}"


def paired(cells: Iterable[Cell]) -> tuple[list[Check], list[str]]:
    """The checks of a chapter's code cells, and what is wrong with them."""
    checks: list[Check] = []
    errors: list[str] = []
    for number, (cell, finder) in enumerate(_read(cells), start=1):
        found = [f"code cell {number}: {error}" for error in finder.errors]
        calls: dict[tuple[str, str], list[Call]] = defaultdict(list)
        for call in finder.calls:
            calls[call.label, call.kind].append(call)
        lines: dict[tuple[str, str], list[re.Match[str]]] = defaultdict(list)
        for line in marked_lines(cell.said):
            match = LINE.fullmatch(line)
            if match is None:
                found.append(f"code cell {number}: {line!r} is not a line of the ledger")
            else:
                lines[match["label"], match["kind"]].append(match)
        for key in dict.fromkeys([*calls, *lines]):
            label, kind = key
            made, printed = calls.get(key, []), lines.get(key, [])
            repeats = any(call.repeats for call in made)
            if len(printed) < len(made):
                found.append(
                    f"code cell {number}: {len(made)} {kind} check(s) of {label} in the code, "
                    f"{len(printed)} in the stored output; run the chapter again"
                )
            elif len(printed) > len(made) and not repeats:
                found.append(
                    f"code cell {number}: {len(printed)} line(s) in the stored output for a {kind} "
                    f"check of {label}, {len(made)} such check(s) in the code"
                )
            else:
                for k, line in enumerate(printed):
                    source = made[min(k, len(made) - 1)].source
                    scope = line["scope"] or ""
                    checks.append(Check(label, kind, line["how"], number, source, scope))
        errors += found
    return checks, errors


def calls(cells: Iterable[Cell]) -> "Iterator[tuple[Cell, list[Call]]]":
    """Each code cell that is Python, with the calls of gmmlib.checks in it."""
    for cell, finder in _read(cells):
        yield cell, finder.calls


def bound_names(cells: Iterable[Cell]) -> "Names":
    """What a chapter calls gmmlib, gmmlib.checks and its functions."""
    names = Names()
    for cell in cells:
        _Calls(cell.source, names)
    return names


def marked_lines(texts: Iterable[str]) -> Iterator[str]:
    """The lines of outputs that a reader may take for lines of the ledger."""
    for text in texts:
        for line in html.unescape(text).splitlines():
            if LOOKALIKE.search(line):
                yield line


def _read(cells: Iterable[Cell]) -> "Iterator[tuple[Cell, _Calls]]":
    names = Names()
    for cell in cells:
        yield cell, _Calls(cell.source, names)


# --- the calls in the code ------------------------------------------------------------------------

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
LOOPS = (ast.For, ast.While, *COMPREHENSIONS, *FUNCTIONS)


def without_magics(source: str) -> str:
    """The code with IPython's own lines passed over."""
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)


@dataclass(frozen=True)
class Call:
    """A call of a check in the code of a cell."""

    label: str
    name: str  # of the function
    source: str
    node: ast.Call
    inside: tuple[ast.AST, ...]  # what it stands in, from the module to its own statement

    @property
    def kind(self) -> str:
        return KIND_OF[self.name]

    @property
    def repeats(self) -> bool:
        """Prints any number of lines."""
        return any(isinstance(node, LOOPS) for node in self.inside)

    def argument(self, position: int, *names: str) -> ast.expr | None:
        """What is passed at a position, or by one of the names."""
        named = {keyword.arg: keyword.value for keyword in self.node.keywords}
        found = next((named[name] for name in names if name in named), None)
        return self.node.args[position] if len(self.node.args) > position else found


@dataclass
class Names:
    """What the chapter's code calls gmmlib, gmmlib.checks and its functions, so far."""

    packages: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    functions: dict[str, str] = field(default_factory=dict)


class _Calls(ast.NodeVisitor):
    """Finds the calls of gmmlib.checks in a cell."""

    def __init__(self, source: str, names: Names) -> None:
        self.calls: list[Call] = []
        self.errors: list[str] = []
        self.names = names
        self.inside: list[ast.AST] = []
        self.source = without_magics(source)
        try:
            self.visit(ast.parse(self.source))
        except SyntaxError as error:
            self.errors.append(f"is not Python: {error}")

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name == "gmmlib.checks" and alias.asname:
                self.names.modules.add(alias.asname)
            elif alias.name.split(".")[0] == "gmmlib":
                self.names.packages.add(alias.asname or "gmmlib")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if node.module == "gmmlib" and alias.name == "checks":
                self.names.modules.add(alias.asname or "checks")
            elif node.module == "gmmlib.checks" and alias.name in KIND_OF:
                self.names.functions[alias.asname or alias.name] = alias.name
            elif node.module == "gmmlib.checks" and alias.name == "*":
                self.names.functions |= {name: name for name in KIND_OF}

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and LOOKALIKE.search(html.unescape(node.value)):
            self.errors.append(f"writes {MARK} itself; only a check may")

    def generic_visit(self, node: ast.AST) -> None:
        self.inside.append(node)
        super().generic_visit(node)
        self.inside.pop()

    def visit_Call(self, node: ast.Call) -> None:
        name = self._checker(node.func)
        if name is not None:
            first = node.args[0] if node.args else None
            for keyword in node.keywords:
                first = keyword.value if keyword.arg == "label" else first
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                source = ast.get_source_segment(self.source, node) or ""
                source = " ".join(source.split())
                self.calls.append(Call(first.value, name, source, node, tuple(self.inside)))
            else:
                shown = ast.unparse(first) if first else "nothing"
                self.errors.append(f"checks.{name} has {shown} as its label; write it out")
        self.generic_visit(node)

    def _checker(self, function: ast.expr) -> str | None:
        """The name in gmmlib.checks of what is called, if it is one of the checks."""
        if isinstance(function, ast.Name):
            return self.names.functions.get(function.id)
        if not isinstance(function, ast.Attribute) or function.attr not in KIND_OF:
            return None
        owner = function.value
        if isinstance(owner, ast.Name):
            return function.attr if owner.id in self.names.modules else None
        is_package = isinstance(owner, ast.Attribute) and owner.attr == "checks"
        if is_package and isinstance(owner.value, ast.Name):
            return function.attr if owner.value.id in self.names.packages else None
        return None
