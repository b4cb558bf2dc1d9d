"""The ledger: which equations the book displays, and the checks that hold them.

Everything is read from the stored pages; nothing is run. An equation is a displayed formula with a
label: ``def-…`` is a definition, ``eq-…`` a claim. A check is a call of a function of gmmlib.checks
with such a label, together with the line that it printed into the stored output. ``read_book``
returns both, and what is wrong with them. ``python tools/ledger.py`` prints the ledger.
"""

import ast
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

ROOT = Path(__file__).resolve().parent.parent
DEFINITION = re.compile(r"def-[a-z0-9]+(-[a-z0-9]+)*")
CLAIM = re.compile(r"eq-[a-z0-9]+(-[a-z0-9]+)*")
MARK = "✓"

KIND_OF = {  # function of gmmlib.checks -> the kind that its line states
    "symbolic": "symbolic",
    "stationary": "symbolic",
    "negative_definite": "symbolic",
    "numerical": "numerical",
    "gradient": "numerical",
    "never_decreases": "numerical",
    "printed": "printed",
}
IN_WORDS = {
    "symbolic": "symbolically",
    "numerical": "numerically",
    "printed": "against the printed numbers",
}
NOT_PARSED = {"code", "code-block", "code-cell", "literalinclude", "mermaid", "raw"}


@dataclass(frozen=True)
class Chapter:
    """A page of the book, in the order of _toc.yml."""

    file: str  # as in _toc.yml: no suffix
    title: str
    order: int
    has_code: bool


@dataclass(frozen=True)
class Check:
    """One line of the ledger, and the call that printed it."""

    label: str
    kind: str  # symbolic, numerical, printed
    how: str
    cell: int  # the how-manieth code cell of the chapter, from 1
    source: str

    @property
    def in_words(self) -> str:
        return f"{IN_WORDS[self.kind]}: {self.how}"


@dataclass(frozen=True)
class Equation:
    """A displayed equation with a label, and its checks."""

    label: str
    kind: str  # definition, claim
    latex: str
    chapter: Chapter
    checks: tuple[Check, ...] = ()


@dataclass
class Book:
    """The equations in reading order, and what is wrong with them (nothing, if all is well)."""

    equations: list[Equation] = field(default_factory=list)
    chapters: list[Chapter] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        kinds = Counter(equation.kind for equation in self.equations)
        return {
            "equations": len(self.equations),
            "definitions": kinds["definition"],
            "claims": kinds["claim"],
            "checks": sum(len(equation.checks) for equation in self.equations),
        }


def read_book(root: Path = ROOT) -> Book:
    """Read every page that _toc.yml names."""
    book = Book()
    where: dict[str, str] = {}
    for order, path in enumerate(page_paths(root)):
        name = path.relative_to(root).with_suffix("").as_posix()
        texts, cells = _read_page(path)
        chapter = Chapter(name, _title(texts) or name, order, path.suffix == ".ipynb")
        book.chapters.append(chapter)
        shown = [e for text in texts for e in displayed_equations(text)]
        checks, errors = _checks_of(cells)
        labels = {label for label, _ in shown}
        for label, latex in shown:
            if r"\label" in latex or r"\tag" in latex:
                errors.append(f"{label or 'an equation'} is numbered by \\label or \\tag")
            if not label:
                continue
            if label in where:
                errors.append(f"{label} is displayed twice, first in {where[label]}")
                continue
            where[label] = name
            own = tuple(check for check in checks if check.label == label)
            if DEFINITION.fullmatch(label):
                book.equations.append(Equation(label, "definition", latex, chapter, own))
            elif CLAIM.fullmatch(label):
                book.equations.append(Equation(label, "claim", latex, chapter, own))
                if not chapter.has_code:
                    errors.append(f"{label} is a claim, and this page has no code to check it")
                elif not own:
                    errors.append(f"{label} is a claim, and no check in this chapter names it")
            else:
                errors.append(f"label {label}: neither def-… (a definition) nor eq-… (a claim)")
        for label in dict.fromkeys(check.label for check in checks):
            if label not in labels:
                errors.append(f"{label} is checked, but no equation of this chapter has that label")
        book.errors += [f"{name}: {error}" for error in errors]
    return book


def page_paths(root: Path = ROOT) -> list[Path]:
    """The files of the pages, in the order of _toc.yml."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf8"))
    paths = []
    for name in _toc_files(toc):
        candidates = [root / f"{name}{suffix}" for suffix in (".ipynb", ".md")]
        found = [path for path in candidates if path.is_file()]
        if len(found) != 1:
            raise FileNotFoundError(
                f"_toc.yml names {name}: {len(found)} of {name}.ipynb and {name}.md exist, "
                "and it should be one"
            )
        paths += found
    return paths


def _toc_files(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _toc_files(item)
    elif isinstance(node, dict):
        for key in ("root", "file"):
            if key in node:
                yield node[key].removesuffix(".md").removesuffix(".ipynb")
        for key in ("parts", "chapters", "sections", "subtrees", "entries"):
            yield from _toc_files(node.get(key, []))


# --- the text -----------------------------------------------------------------------------------


@cache
def _parser() -> MarkdownIt:
    md = MarkdownIt("commonmark").enable("table").use(colon_fence_plugin)
    return md.use(dollarmath_plugin, allow_labels=True, double_inline=True)


def displayed_equations(text: str) -> list[tuple[str, str]]:
    """(label, LaTeX) of every displayed equation; the label is empty where there is none."""
    return list(_displayed(text))


@cache
def _displayed(text: str) -> tuple[tuple[str, str], ...]:
    return tuple(_equations(_parser().parse(text)))


def _equations(tokens: Iterable[Token]) -> Iterator[tuple[str, str]]:
    for token in tokens:
        if token.type in ("math_block", "math_block_label"):
            label = token.info if token.type == "math_block_label" else ""
            yield label, token.content.strip()
        elif token.type in ("fence", "colon_fence"):
            match = re.match(r"\{([^}]+)\}", token.info.strip())
            if match and match[1] == "math":
                yield _math_directive(token.content)
            elif match and match[1] not in NOT_PARSED:
                yield from displayed_equations(token.content)


def _math_directive(content: str) -> tuple[str, str]:
    label, lines = "", content.strip().splitlines()
    while lines and (option := re.match(r":(\w+):\s*(\S*)", lines[0])):
        label = option[2] if option[1] == "label" else label
        lines.pop(0)
    return label, "\n".join(lines).strip()


def _title(texts: Iterable[str]) -> str:
    for text in texts:
        tokens = _parser().parse(text)
        for token, inner in pairwise(tokens):
            if token.type == "heading_open" and token.tag == "h1":
                return inner.content
    return ""


# --- the code -----------------------------------------------------------------------------------


def _read_page(path: Path) -> tuple[list[str], list[dict[str, Any]]]:
    """The texts of a page, and its code cells."""
    content = path.read_text(encoding="utf8")
    if path.suffix == ".md":
        return [content], []
    cells = json.loads(content)["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    return texts, [cell for cell in cells if cell["cell_type"] == "code"]


def _checks_of(cells: list[dict[str, Any]]) -> tuple[list[Check], list[str]]:
    """The checks of a chapter: each call in the code paired with its line in the output."""
    # not above: a pytest plugin imports this module before the coverage of gmmlib begins
    from gmmlib.checks import LINE

    checks: list[Check] = []
    errors: list[str] = []
    names = _Names()
    for number, cell in enumerate(cells, start=1):
        finder = _Calls("".join(cell["source"]), names)
        found = [f"code cell {number}: {error}" for error in finder.errors]
        calls: dict[tuple[str, str], list[_Call]] = defaultdict(list)
        for call in finder.calls:
            calls[call.label, call.kind].append(call)
        lines: dict[tuple[str, str], list[str]] = defaultdict(list)
        for line in _marked_lines(cell):
            match = LINE.fullmatch(line)
            if match is None or match["kind"] not in IN_WORDS:
                found.append(f"code cell {number}: {line!r} is not a line of the ledger")
            else:
                lines[match["label"], match["kind"]].append(match["how"])
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
                for k, how in enumerate(printed):
                    source = made[min(k, len(made) - 1)].source
                    checks.append(Check(label, kind, how, number, source))
        errors += found
    return checks, errors


def _marked_lines(cell: dict[str, Any]) -> Iterator[str]:
    """The lines of a cell's textual outputs that begin as a line of the ledger does."""
    texts = []
    for output in cell.get("outputs", []):
        texts.append(output.get("text", []))
        texts += [v for k, v in output.get("data", {}).items() if k.startswith("text/")]
    for text in texts:
        for line in "".join(text).splitlines():
            if line.lstrip().startswith(MARK):
                yield line


@dataclass(frozen=True)
class _Call:
    label: str
    kind: str
    source: str
    repeats: bool  # in a loop: prints any number of lines


@dataclass
class _Names:
    """What the chapter's code calls gmmlib, gmmlib.checks and its functions, so far."""

    packages: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    functions: dict[str, str] = field(default_factory=dict)


class _Calls(ast.NodeVisitor):
    """Finds the calls of gmmlib.checks in a cell."""

    def __init__(self, source: str, names: _Names) -> None:
        self.calls: list[_Call] = []
        self.errors: list[str] = []
        self.names = names
        self.loops = 0
        self.source = re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)
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
        if isinstance(node.value, str) and MARK in node.value:
            self.errors.append(f"writes {MARK} itself; only a check may")

    def _loop(self, node: ast.AST) -> None:
        self.loops += 1
        self.generic_visit(node)
        self.loops -= 1

    visit_For = visit_While = visit_ListComp = visit_SetComp = _loop  # noqa: N815
    visit_DictComp = visit_GeneratorExp = visit_FunctionDef = visit_Lambda = _loop  # noqa: N815

    def visit_Call(self, node: ast.Call) -> None:
        name = self._checker(node.func)
        if name is not None:
            first = node.args[0] if node.args else None
            for keyword in node.keywords:
                first = keyword.value if keyword.arg == "label" else first
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                source = ast.get_source_segment(self.source, node) or ""
                source = " ".join(source.split())
                self.calls.append(_Call(first.value, KIND_OF[name], source, self.loops > 0))
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


def main() -> int:
    book = read_book()
    for equation in book.equations:
        print(f"{equation.chapter.file}  {equation.label}  ({equation.kind})")
        for check in equation.checks:
            print(f"    {check.in_words}")
    print(", ".join(f"{count} {name}" for name, count in book.counts.items()))
    for error in book.errors:
        print(f"error: {error}", file=sys.stderr)
    return 1 if book.errors else 0


if __name__ == "__main__":
    sys.exit(main())
