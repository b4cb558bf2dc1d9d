"""A check is made where the reader sees it, must run, and by gmmlib.checks as it is.

What a check says is held against its outputs when the chapter is executed (tools/said.py); here is
what the code of a chapter may not do around it.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache

import check_calls
from book import Page
from check_calls import Call, Names
from gmmlib.checks import KIND_OF
from rules.numbers import in_prose
from rules.sides import Values, root

SHOWN = {
    "hide-input",
    "exact-digits",
    "slide",
    "no-slide",
}  # tags that leave a check's line on the page
COUPLED = {"figure", "image"}  # keys of mystnb that the book uses; others can drop an output


def scopes(page: Page) -> list[str]:
    """Every check says for what it stands."""
    return [
        f"code cell {check.cell}: the check of {check.label} has no scope. Say for what it stands, "
        f'such as scope="for K = 3"'
        for check in page.checks
        if not check.scope
    ]


# --- where ------------------------------------------------------------------------------------


def check_places(page: Page) -> list[str]:
    """A check is a statement at the top of its cell, or in a loop: it must run, and may fail."""
    wrong = []
    for cell, calls in check_calls.calls(page.code):
        for call in calls:
            around = [n for n in call.inside[1:] if not isinstance(n, ast.For | ast.Expr)]
            if around or not isinstance(call.inside[-1], ast.Expr):
                kind = type((around or call.inside)[0]).__name__
                wrong.append(
                    f"{cell}: the check of {call.label} stands inside of {kind}, where it may not "
                    f"run or not fail. Make it a statement of its own, or one in a for-loop"
                )
            twins = [c for c in calls if (c.label, c.kind) == (call.label, call.kind)]
            if len(twins) > 1 and not all(map(_surely_runs, _loops(call))):
                wrong.append(  # its missing lines would not be missed
                    f"{cell}: a loop checks {call.label}, and so does another call in this cell. "
                    f"Loop over a tuple that is written out, or give one of them its own cell"
                )
    return wrong


def _loops(call: Call) -> list[ast.For]:
    return [node for node in call.inside if isinstance(node, ast.For)]


def _surely_runs(loop: ast.For) -> bool:
    """Is it over something written out, and does nothing leave it?"""
    leaves = any(isinstance(node, ast.Break | ast.Continue) for node in ast.walk(loop))
    return isinstance(loop.iter, ast.Tuple | ast.List) and bool(loop.iter.elts) and not leaves


def check_cells(page: Page) -> list[str]:
    """The line of a check is seen, and its cell run: no tag takes one away."""
    wrong = []
    for cell, calls in check_calls.calls(page.code):
        unseen = set(cell.tags) - SHOWN
        if calls and unseen:
            wrong.append(f"{cell} makes a check, and is tagged {', '.join(sorted(unseen))}")
        strange = set(cell.metadata.get("mystnb", {})) - COUPLED
        if strange:
            wrong.append(f"{cell} has mystnb.{', '.join(sorted(strange))} in its metadata")
    return wrong


# --- by what ----------------------------------------------------------------------------------

OF_CHECKS = {*KIND_OF, "CheckFailed", "CheckTooWeak"}
BACK_DOORS = {
    *("exec", "eval", "compile", "setattr", "delattr", "globals", "locals", "vars"),
    *("__import__", "__builtins__", "get_ipython"),
}
DUNDERS = {"__init__", "__name__", "__qualname__", "__version__", "__doc__", "__file__"}
DUNDERS |= {"__enter__", "__exit__", "__iter__", "__len__", "__call__"}
TOOLS = {"importlib", "builtins", "ctypes", "gc", "mock", "unittest", "pytest", "runpy", "code"}
ROOTS = {"sys.modules", "sys._getframe", "sys.settrace", "sys.setprofile"}
ROOTS |= {f"inspect.{name}" for name in ("getmodule", "currentframe", "stack", "getmembers")}
SETTINGS = {"rcParams", "environ"}  # of a module, and meant to be set
MAGICS = {"%matplotlib inline"}


def untouched(page: Page) -> list[str]:
    """No code changes gmmlib.checks, another module, or what their names stand for."""
    names = check_calls.bound_names(page.code)
    found = {*names.modules, *names.functions}
    imported = {
        (alias.asname or alias.name).split(".")[0]
        for cell in page.code
        for node in _nodes(cell.source)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    imported |= _aliases(page, imported)
    wrong = []
    for cell in page.code:
        said = [said for node in _nodes(cell.source) for said in _touches(node, names, imported)]
        said += _handed_about(cell.source, names)
        said += [f"binds {name} anew" for name in _bound(cell.source) if name in found]
        lines = (line.strip() for line in cell.source.splitlines())
        said += [f"has {x!r}" for x in lines if x.startswith(("%", "!")) and x not in MAGICS]
        wrong += [f"{cell} {what}: a chapter leaves checks and modules alone" for what in said]
    return wrong


@cache
def _nodes(source: str) -> list[ast.AST]:
    try:
        return list(ast.walk(ast.parse(check_calls.without_magics(source))))
    except SyntaxError:  # is told by the ledger
        return []


def _touches(node: ast.AST, names: Names, imported: set[str]) -> Iterator[str]:
    match node:
        case ast.Name(id=name) if name in BACK_DOORS:
            yield f"uses {name}"
        case ast.Import(names=aliases):
            yield from (f"imports {a.name}" for a in aliases if TOOLS & {*a.name.split(".")})
        case ast.ImportFrom(module=module, names=aliases):
            every = [f"{module or ''}.{alias.name}" for alias in aliases]
            yield from (f"imports {name}" for name in every if TOOLS & {*name.split(".")})
            yield from (f"imports {name}" for name in every if name in ROOTS)
            if module == "gmmlib.checks":
                yield from (f"imports {a.name}" for a in aliases if a.name not in {*OF_CHECKS, "*"})
        case ast.Attribute(value=owner, attr=attr):
            shown = ast.unparse(node)
            is_checks = shown.removesuffix(f".{attr}") in {*names.modules, *_paths(names)}
            if is_checks and attr not in OF_CHECKS:
                yield f"reaches into {shown}"
            elif shown in ROOTS or (attr.startswith("__") and attr not in DUNDERS):
                yield f"uses {shown}"
            if isinstance(node.ctx, ast.Store | ast.Del) and root(owner) in {*imported, None}:
                yield f"sets {shown}"
        case ast.Subscript(value=owner, ctx=ast.Store() | ast.Del()):
            is_setting = isinstance(owner, ast.Attribute) and owner.attr in SETTINGS
            if root(owner) in imported and not is_setting:
                yield f"sets {ast.unparse(node)}"


def _aliases(page: Page, imported: set[str]) -> set[str]:
    """Other names that a chapter gives to what it imported, or to parts of that."""
    found: set[str] = set()
    for cell in page.code:
        for node in _nodes(cell.source):
            if isinstance(node, ast.Assign) and root(node.value) in imported | found:
                found |= {t.id for t in node.targets if isinstance(t, ast.Name)}
    return found


def _handed_about(source: str, names: Names) -> list[str]:
    """Where gmmlib or gmmlib.checks stands by itself, to be given to something else."""
    nodes = _nodes(source)
    owned = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    modules = {*names.modules, *names.packages, *_paths(names)}
    return [
        f"hands {ast.unparse(node)} about"
        for node in nodes
        if isinstance(node, ast.Name | ast.Attribute)
        and isinstance(node.ctx, ast.Load)
        and id(node) not in owned
        and ast.unparse(node) in modules
    ]


def _paths(names: Names) -> list[str]:
    return [f"{package}.checks" for package in names.packages]


def _bound(source: str) -> Iterator[str]:
    """Names that a cell binds in another way than by importing gmmlib."""
    for node in _nodes(source):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Import(names=aliases):
                yield from (a.asname or a.name for a in aliases if a.name != "gmmlib.checks")
            case ast.ImportFrom(module=module, names=aliases) if not (module or "").startswith(
                "gmmlib"
            ):
                yield from (alias.asname or alias.name for alias in aliases)


# --- of what ----------------------------------------------------------------------------------

SIDES = {
    "symbolic": ("left", "right"),
    "numerical": ("value", "expected"),
    "printed": ("values", "as_printed"),
    "stationary": ("objective", "solution"),
    "gradient": ("function", "point", "expected"),
    "never_decreases": ("values",),
}
CLIMBS = {"sorted", "'sort'", "'accumulate'", "'cumsum'", "'cummax'"}  # whatever it is given


def two_sides(page: Page) -> list[str]:
    """The sides of a check are not one expression, written twice or handed on under names."""
    values, wrong = Values(), []
    for cell, calls in check_calls.calls(page.code):
        statements = {id(call.inside[-1]): call for call in calls}
        tree = calls[0].inside[0] if calls else next(iter(_nodes(cell.source)), None)
        for statement in values.run(getattr(tree, "body", [])):
            call = statements.get(id(statement))
            sides = _sides(call) if call else ()
            if call and _is_whole(call, sides) and _are_one(values, call.name, sides):
                shown = " against ".join(map(ast.unparse, sides))
                wrong.append(
                    f"{cell}: the check of {call.label} holds {shown}, which cannot fail: it comes "
                    f"from one expression. Derive one side in another way"
                )
    return wrong


def _sides(call: Call) -> list[ast.expr]:
    names = SIDES.get(call.name, ())
    sides = [call.argument(position, name) for position, name in enumerate(names, start=1)]
    return [side for side in sides if side is not None]


def _is_whole(call: Call, sides: list[ast.expr]) -> bool:
    return 0 < len(sides) == len(SIDES[call.name])


def _are_one(values: Values, name: str, sides: list[ast.expr]) -> bool:
    left, right = sides[0], sides[-1]
    match name:
        case "printed":
            made_of_text = any(values.holds(left, item) for item in _items(right))
            return made_of_text or any(values.holds(right, item) for item in _items(left))
        case "never_decreases":
            return bool(CLIMBS & values.parts.get(values.of(left), frozenset()))
        case "gradient":
            return values.holds(left, right)
        case "stationary":
            solved = right.values if isinstance(right, ast.Dict) else []
            return any(values.holds(left, value) for value in _items(ast.List(solved)))
    return values.of(left) == values.of(right)


def _items(node: ast.expr) -> list[ast.expr]:
    """The parts of a list, or the node itself; numbers by themselves come from nowhere."""
    items = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    bare = [item.value if isinstance(item, ast.Starred) else item for item in items]
    return [x for x in bare if not (isinstance(x, ast.Constant) and not isinstance(x.value, str))]


def displayed_decimals(page: Page) -> list[str]:
    """The decimals in a checked equation are those that its check holds, and the other way."""
    assigned, wrong = _assigned_strings(page), []
    own: dict[str, list[tuple[str, Call]]] = {}
    for cell, calls in check_calls.calls(page.code):
        for call in calls:
            own.setdefault(call.label, []).append((cell.source, call))
    for label, latex in page.equations:
        shown = {number.value for number in in_prose(f"${latex}$")}
        if not shown or label not in own:
            continue
        texts = [
            text
            for _, call in own[label]
            if call.name == "printed"
            for text in _strings(call.argument(2, "as_printed"), assigned)
        ]
        held = {Decimal(text) for text in texts if DECIMAL.fullmatch(text)}
        beside = {number for source, _ in own[label] for number in _numbers(source)}
        wrong += [
            f"{label} displays {number}, which its check does not hold: list it in as_printed"
            for number in sorted(shown - held - beside)
        ]
        wrong += [
            f"{label} is checked against {number}, which it does not display"
            for number in sorted(held - shown)
        ]
    return wrong


DECIMAL = re.compile(r"-?\d+\.\d+")


def _assigned_strings(page: Page) -> dict[str, ast.expr]:
    """Names that the chapter binds once, with their values."""
    found: dict[str, list[ast.expr]] = {}
    for cell in page.code:
        for node in _nodes(cell.source):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                found.setdefault(node.targets[0].id, []).append(node.value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def _strings(node: ast.expr | None, assigned: Mapping[str, ast.expr]) -> list[str]:
    """The strings that a list is written with; none where they are computed."""
    match node:
        case ast.Constant(value=str(text)):
            return text.split()
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [text for item in items for text in _strings(item, assigned)]
        case ast.Starred(value=inner):
            return _strings(inner, assigned)
        case ast.Call(func=ast.Attribute(value=inner, attr="split"), args=[]):
            return _strings(inner, assigned)
        case ast.Name(id=name) if name in assigned:
            return _strings(assigned[name], {n: v for n, v in assigned.items() if n != name})
    return []


def _numbers(source: str) -> set[Decimal]:
    """The decimals in a cell's code, with both signs."""
    constants = [node.value for node in _nodes(source) if isinstance(node, ast.Constant)]
    found = {Decimal(repr(value)) for value in constants if isinstance(value, float)}
    return found | {-value for value in found}


RULES: tuple[Callable[[Page], list[str]], ...] = (
    check_cells,
    untouched,
    two_sides,
    displayed_decimals,
    scopes,
    check_places,
)
