"""From which expression a value comes: a chapter's names followed back, and nothing is run.

Two expressions come from one where they are the same after each name is replaced by what was
assigned to it, and what only hands a value on (``list``, ``.copy()``, ``+ 0``) is taken away.
"""

import ast
from collections.abc import Iterable, Iterator

HANDS_ON = {
    *("list", "tuple", "float", "array", "asarray", "asanyarray", "ascontiguousarray", "copy"),
    *("deepcopy", "tolist", "sympify", "S", "Matrix", "ImmutableMatrix", "expand", "simplify"),
    *("factor", "together", "cancel", "nsimplify", "expand_log"),
}
LIBRARIES = {"np", "numpy", "sp", "sympy", "copy"}
NEUTRAL = {
    (ast.Add, "right"): 0,
    (ast.Add, "left"): 0,
    (ast.Sub, "right"): 0,
    (ast.Mult, "right"): 1,
    (ast.Mult, "left"): 1,
    (ast.Div, "right"): 1,
    (ast.Pow, "right"): 1,
}


class Values:
    """What the names of a chapter stand for, statement by statement."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        self.parts: dict[str, frozenset[str]] = {}

    def of(self, node: ast.AST) -> str:
        """Where a value comes from: the same word for the same origin."""
        node = bare(node)
        if isinstance(node, ast.Name):
            return self.known.get(node.id, node.id)
        texts, parts = [type(node).__name__], set[str]()
        for name, value in ast.iter_fields(node):
            if name == "ctx":
                continue
            for item in value if isinstance(value, list) else [value]:
                origin = self.of(item) if isinstance(item, ast.AST) else repr(item)
                parts |= {origin, *self.parts.get(origin, ())}
                texts.append(f"{name} {origin}")
        origin = self.ids.setdefault(", ".join(texts), f"#{len(self.ids)}")
        self.parts[origin] = frozenset(parts)
        return origin

    def holds(self, whole: ast.AST, part: ast.AST) -> bool:
        """Does the value of ``part`` go into that of ``whole``?"""
        origin, wanted = self.of(whole), self.of(part)
        return wanted == origin or wanted in self.parts.get(origin, ())

    def run(self, statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
        """Each statement in order, when what stands before it is known."""
        for statement in statements:
            yield statement
            match statement:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        self._assign(target, value)
                case ast.For(target=target, body=body):
                    self._forget(statement)
                    yield from self.run(body)
                    self._forget(statement)
                case ast.With(body=body):
                    self._forget(*statement.items)
                    yield from self.run(body)
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner))):
                    if root(owner) not in LIBRARIES:  # a method may change its owner
                        self._renew(root(owner))
                case _:
                    self._forget(statement)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        match target, value:
            case ast.Name(id=name), _:
                self.known[name] = self.of(value)
            case ast.Tuple(elts=targets), ast.Tuple(elts=values) if len(targets) == len(values):
                origins = [self.of(item) for item in values]
                for item, origin in zip(targets, origins, strict=True):
                    if isinstance(item, ast.Name):
                        self.known[item.id] = origin
                    else:
                        self._forget(item)
            case _:
                self._forget(target)

    def _forget(self, *nodes: ast.AST) -> None:
        """What the nodes bind or change stands for something new."""
        for node in nodes:
            for part in ast.walk(node):
                if isinstance(part, ast.FunctionDef | ast.ClassDef):
                    self._renew(part.name)
                elif isinstance(getattr(part, "ctx", None), ast.Store | ast.Del):
                    self._renew(root(part))

    def _renew(self, name: str | None) -> None:
        if name is not None:
            self.known[name] = f"{name} of {len(self.ids)}"
            self.ids[self.known[name]] = self.known[name]


def bare(node: ast.AST) -> ast.AST:
    """The node without what only hands its value on."""
    while (inner := _handed_on(node)) is not None:
        node = inner
    return node


def _handed_on(node: ast.AST) -> ast.AST | None:
    match node:
        case ast.Call(func=ast.Name(id=name), args=[inner]) if name in HANDS_ON:
            return inner
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name), args=[inner, *_]):
            return inner if owner in LIBRARIES and name in HANDS_ON else None
        case ast.Call(func=ast.Attribute(value=inner, attr=name), args=[]):
            return inner if name in HANDS_ON else None
        case ast.List(elts=[ast.Starred(value=inner)]) | ast.Tuple(elts=[ast.Starred(value=inner)]):
            return inner
        case ast.Subscript(value=inner, slice=ast.Slice(lower=None, upper=None, step=None)):
            return inner
        case ast.UnaryOp(op=ast.UAdd(), operand=inner):
            return inner
        case ast.BinOp(left=left, op=op, right=right):
            for name, side, inner in (("right", right, left), ("left", left, right)):
                neutral = NEUTRAL.get((type(op), name))
                if isinstance(side, ast.Constant) and side.value == neutral is not None:
                    return inner
    return None


def root(node: ast.AST) -> str | None:
    """The name at the beginning of a.b[0].c."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
