"""LaTeX into a tree: a Pratt parser that knows the notation.

What LaTeX leaves open, the book settles so. ``f(`` is a call where ``f`` is a function of the
notation, and a product otherwise. The argument of a logarithm is the product behind it, or the
parenthesis that follows at once; ∑, ∏, ∫, lim and max reach to the next sum or relation; det, tr,
∇ and 𝔼 take one factor. Statements stand apart by a gap or a comma. Conditions stand in
parentheses of their own or behind a word: for, at, where, if.
"""

from collections.abc import Callable
from typing import Protocol

from formulas.latex import NotRead, Token, tokens
from formulas.tree import Display, Node, Statement, number

RELATIONS = {
    "=": "=", "<": "<", ">": ">", r"\le": "<=", r"\ge": ">=", r"\ne": "!=", r"\in": "in",
    r"\approx": "~", "=:": "=:",
}  # fmt: skip
FUNCTIONS = {  # prefix functions that read a product, and those that read one factor
    r"\log": "log", r"\exp": "exp",
}  # fmt: skip
ONE_FACTOR = {
    r"\det": "det", "tr": "tr", "diag": "diag", "Cov": "cov", r"\mathbb E": "mean",
    r"\Pr": "chance", r"\sqrt": "sqrt", r"\max": "max", r"\min": "min",
}  # fmt: skip
OPEN = {"(": ")", "[": "]", r"\{": r"\}"}
CONDITIONS = ("for", "for all", "for every", "for each", "at", "where", "with", "when")
JOINERS = ("and", "then", "but", "so", "in one piece")
EQUALITY = ("with equality only at", "only for", "only at")
# fmt: off
GREEK = (
    "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "kappa",
    "lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "phi", "varphi", "chi", "psi", "omega",
    "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega", "ell",
)
# fmt: on
ACCENTS = (r"\hat", r"\bar", r"\dot", r"\tilde")


class Notation(Protocol):
    """What the parser has to know about the letters."""

    def has(self, base: str) -> bool:
        """Is there such a letter, with whatever indices?"""

    def is_function(self, base: str, indices: tuple[Node, ...] = ()) -> bool: ...

    def is_size(self, base: str) -> bool: ...


class AnyLetter:
    """For the table itself: every letter may be, and each ``f(`` is a call."""

    def has(self, base: str) -> bool:
        return "'" in base or "^" in base or (base.startswith(r"\Delta") and len(base) > 6)

    def is_function(self, base: str, indices: tuple[Node, ...] = ()) -> bool:
        return True

    def is_size(self, base: str) -> bool:
        return False


def read_display(latex: str, notation: Notation) -> Display:
    """The statements of a display.

    Raises
    ------
    NotRead
        If it is not in the book's notation; the message says where.
    """
    return _Parser(latex, notation).display()


def read_formula(latex: str, notation: Notation | None = None) -> Node:
    """One formula, or a list of them with commas (then a "list" node)."""
    parser = _Parser(latex, notation or AnyLetter())
    items = [parser.relation()]
    while parser.takes(","):
        items.append(parser.relation())
    parser.must_end()
    return items[0] if len(items) == 1 else Node("list", tuple(items))


class _Parser:
    def __init__(self, latex: str, notation: Notation) -> None:
        self.latex = latex
        self.notation = notation
        self.tokens = _without_alignment(tokens(latex))
        self.at = 0
        self.integrals = 0
        self.bars = 0

    # --- tokens ---

    @property
    def next(self) -> Token:
        if self.at < len(self.tokens):
            return self.tokens[self.at]
        return Token("end of display", "", len(self.latex), len(self.latex))

    def ahead(self, k: int) -> Token:
        at = self.at + k
        return self.tokens[at] if at < len(self.tokens) else Token("end of display", "", 0, 0)

    def take(self) -> Token:
        token = self.next
        self.at += 1
        return token

    def takes(self, text: str) -> bool:
        if self.next.text == text and self.next.kind != "text":
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> Token:
        if self.next.text != text:
            self.fail(f"{text} is missing")
        return self.take()

    def fail(self, why: str) -> None:
        token = self.next
        rest = self.latex[token.start : token.start + 30]
        raise NotRead(f"{why} at {rest!r}" if rest else f"{why} at the end")

    def must_end(self) -> None:
        if self.at < len(self.tokens):
            self.fail("cannot read on")

    def node(self, op: str, *args: Node, text: str = "", start: int = 0) -> Node:
        end = self.tokens[self.at - 1].end if self.at else 0
        return Node(op, args, text, (start, end))

    # --- statements ---

    def display(self) -> Display:
        found: list[Statement] = []
        kind = "claim"
        while self.at < len(self.tokens):
            token = self.next
            if token.kind in ("gap", "line") or token.text in (",", ";"):
                self.take()
            elif token.kind == "text" and (word := _word(token.text)) is not None:
                self.take()
                if word in CONDITIONS:
                    kind = "condition"
                elif word in EQUALITY:
                    kind = "equality"
                elif word == "if":
                    kind = "if"
                elif word not in JOINERS:
                    self.at -= 1
                    self.fail(f"{word!r} is no word of the displays")
            elif (inside := self.condition_in_parentheses()) is not None:
                found += [Statement("condition", node) for node in inside]
            else:
                found.append(Statement(kind, self.equivalence()))
                if kind in ("equality", "if"):
                    kind = "claim"
                token = self.next
                ends = token.kind in ("gap", "line", "text", "end of display")
                if not ends and token.text not in (",", ";"):
                    self.fail("cannot read on")
        if not any(s.kind == "claim" for s in found):
            self.fail("there is no statement")
        return Display(self.latex, tuple(found))

    def condition_in_parentheses(self) -> list[Node] | None:
        """``(K = 2)`` as a statement of its own: the relations in it, else None."""
        if self.next.text != "(":
            return None
        depth, k = 0, self.at
        for k in range(self.at, len(self.tokens)):
            depth += {"(": 1, ")": -1}.get(self.tokens[k].text, 0)
            if depth == 0:
                break
        inner = self.tokens[self.at + 1 : k]
        after = self.tokens[k + 1] if k + 1 < len(self.tokens) else None
        ends = after is None or after.kind in ("gap", "line") or after.text in (",", ";")
        depth, relates = 0, False
        for token in inner:
            depth += {"(": 1, ")": -1, "{": 1, "}": -1}.get(token.text, 0)
            relates = relates or (depth == 0 and token.text in RELATIONS)
        if not (ends and relates and depth == 0):
            return None
        self.take()
        found = [self.relation()]
        while self.takes(",") or self.next.kind == "gap":
            if self.next.kind == "gap":
                self.take()
                continue
            found.append(self.relation())
        self.expect(")")
        return found

    def equivalence(self) -> Node:
        start = self.next.start
        sides = [self.relation()]
        while self.next.kind == "gap" and self.ahead(1).text in (r"\iff", r"\Longrightarrow"):
            self.take()
        if self.takes(r"\Longrightarrow"):
            while self.next.kind == "gap":
                self.take()
            return self.node("implies", sides[0], self.relation(), start=start)
        while self.takes(r"\iff"):
            sides.append(self.relation())
        return sides[0] if len(sides) == 1 else self.node("iff", *sides, start=start)

    def relation(self) -> Node:
        start = self.next.start
        sides, names = [self.sum()], []
        while True:
            name = self.next.text
            if name == "=" and self.ahead(1).text == ":":
                self.take()
                name = "=:"
            if name == r"\text" or name not in RELATIONS or self.next.kind == "text":
                break
            self.take()
            names.append(RELATIONS[name])
            sides.append(self.sum())
        if self.next.kind == "text" and _word(self.next.text) == "has two modes":
            self.take()
            return self.node("two modes", *sides, start=start)
        if not names:
            return sides[0]
        return self.node("rel", *sides, text=" ".join(names), start=start)

    # --- sums and products ---

    def sum(self) -> Node:
        start = self.next.start
        terms = [self.signed(first=True)]
        while self.next.text in ("+", "-", r"\pm"):
            terms.append(self.signed(first=False))
        if self.next.text == r"\cup":
            while self.takes(r"\cup"):
                terms.append(self.signed(first=True))
            return self.node("cup", *terms, start=start)
        return terms[0] if len(terms) == 1 else self.node("add", *terms, start=start)

    def signed(self, first: bool) -> Node:
        start = self.next.start
        sign = self.next.text
        if sign in ("+", "-", r"\pm"):
            self.take()
        elif not first:
            self.fail("+ or - is missing")
        else:
            sign = "+"
        if self.next.text == r"\dots":
            return self.node("dots", start=self.take().start)
        term = self.product()
        while self.next.text == "|" and self.next.is_bar and self.ahead(1).text == "_":
            term = self.at_a_place(term, start)
        if sign == "-":
            return self.node("neg", term, start=start)
        return self.node("pm", term, start=start) if sign == r"\pm" else term

    def product(self) -> Node:
        start = self.next.start
        factors = [self.factor()]
        while True:
            if self.takes(r"\cdot"):
                factors.append(self.node("dot"))
                factors.append(self.factor())
            elif self.takes("/"):
                below = self.factor()
                above = _product(factors)
                factors = [self.node("frac", above, below, start=start)]
            elif self.starts_factor():
                factors.append(self.factor())
            else:
                break
        return _product(factors) if len(factors) == 1 else self.node("mul", *factors, start=start)

    def starts_factor(self) -> bool:
        token = self.next
        if token.kind in ("gap", "line", "text", "end of display", "end"):
            return False
        if token.kind in ("number", "word", "face", "begin"):
            return True
        if token.kind == "letter":
            return not self.is_differential()
        if token.text in ("|", r"\|"):
            return self.bars == 0 and not token.is_bar
        return token.text in OPEN or token.text == "{" or (
            token.kind == "command"
            and (
                token.text[1:] in GREEK
                or token.text in FUNCTIONS
                or token.text in ONE_FACTOR
                or token.text in ACCENTS
                or token.text
                in (
                    r"\infty", r"\frac", r"\sum", r"\prod", r"\int", r"\lim", r"\nabla",
                    r"\partial",
                    r"\cosh", r"\sinh", r"\tanh", r"\underbrace", r"\overbrace", r"\dots",
                )
            )
        )  # fmt: skip

    def is_differential(self) -> bool:
        token, after = self.next, self.ahead(1)
        return (
            token.text == "d"
            and self.integrals > 0
            and (after.kind == "letter" or after.text[1:] in GREEK)
        )

    # --- factors ---

    def factor(self) -> Node:
        start = self.next.start
        node = self.atom()
        while True:
            if self.next.text == "^":
                node = self.power(node, start)
            elif self.next.text == "'":
                node = self.primes(node, start)
            elif self.next.text == "_" and node.op in ("group", "inv", "T"):
                self.take()
                node = self.subscript_of(node, start)
            elif self.next.text == "(" and self.is_call(node):
                node = self.call(node, start)
            else:
                return node

    def at_a_place(self, node: Node, start: int) -> Node:
        """The bar behind a derivative, with the place at which it is taken."""
        self.take()
        self.take()
        self.expect("{")
        conditions = [self.relation()]
        while self.takes(","):
            conditions.append(self.relation())
        self.expect("}")
        return self.node("at", node, *conditions, start=start)

    def is_call(self, node: Node) -> bool:
        if node.op == "prime" or (node.op in ("d", "grad") and node.text.startswith("bare")):
            return True
        if node.op == "sym":
            return self.notation.is_function(node.text, node.args) and not self.next.spaced
        return False

    def power(self, node: Node, start: int) -> Node:
        self.expect("^")
        if self.takes(r"\top"):
            return self.node("T", node, start=start)
        if self.next.text == "{" and self.ahead(1).text == "-":
            if self.ahead(2).text == "1" and self.ahead(3).text == "}":
                self.at += 4
                return self.node("inv", node, start=start)
            if self.ahead(2).text == r"\top" and self.ahead(3).text == "}":
                self.at += 4
                return self.node("T", self.node("inv", node, start=start), start=start)
        return self.node("pow", node, self.script(), start=start)

    def primes(self, node: Node, start: int) -> Node:
        order = 0
        while self.takes("'"):
            order += 1
        return self.node("prime", node, text=str(order), start=start)

    def subscript_of(self, node: Node, start: int) -> Node:
        """Entries of a matrix, or ``(…)_{a≤b}``: all of them, in that order."""
        self.expect("{")
        mark = self.at
        self.sum()
        is_relation = self.next.text in RELATIONS
        self.at = mark
        if is_relation:
            over = self.relation()
            self.expect("}")
            return self.node("family", node, over, start=start)
        subs = self.indices("}")
        return self.node("entry", node, *subs, start=start)

    def script(self) -> Node:
        """What stands behind ^: a group in braces, or one token."""
        if self.takes("{"):
            inside = self.sum()
            self.expect("}")
            return inside
        return self.one_token()

    def one_token(self) -> Node:
        token = self.next
        if token.kind == "number" and len(token.text) > 1:
            self.split_number()
        return self.atom(bare=True)

    def split_number(self) -> None:
        """``\\frac12`` has the arguments 1 and 2."""
        token = self.next
        first = Token("number", token.text[0], token.start, token.start + 1, token.spaced)
        rest = Token("number", token.text[1:], token.start + 1, token.end)
        self.tokens[self.at : self.at + 1] = [first, rest]

    def argument(self) -> Node:
        """An argument of a command: a group in braces, or one token with its scripts."""
        if self.takes("{"):
            inside = self.relation()
            self.expect("}")
            return inside
        return self.one_token()

    def atom(self, bare: bool = False) -> Node:
        token = self.next
        start = token.start
        if token.kind == "number":
            self.take()
            return self.node("num", text=token.text, start=start)
        if token.text == r"\dots":
            self.take()
            return self.node("dots", start=start)
        if token.kind == "text":
            self.fail("a word stands where a formula should")
        if token.text in (r"\underbrace", r"\overbrace"):
            return self.braced()
        if token.text == "{":
            self.take()
            inside = self.relation()
            self.expect("}")
            return inside
        if token.text in OPEN:
            return self.group()
        if token.text in ("|", r"\|"):
            return self.between_bars()
        if token.text == r"\frac":
            return self.fraction()
        if token.text in (r"\sum", r"\prod"):
            return self.big_sum()
        if token.text == r"\int":
            return self.integral()
        if token.text == r"\lim":
            return self.limit()
        if token.text == r"\nabla":
            return self.nabla()
        if token.text == r"\partial":
            return self.slashed_derivative()
        if token.text == r"\infty":
            self.take()
            return self.node("infinity", start=start)
        if token.kind == "begin":
            return self.matrix()
        if token.text == r"\mathbf 1":
            self.take()
            self.expect(r"\{")
            inside = self.relation()
            self.expect(r"\}")
            return self.node("indicator", inside, start=start)
        if token.text in FUNCTIONS:
            return self.prefix(FUNCTIONS[token.text], self.product)
        if token.text == "O" and self.ahead(1).text == "(" and not self.notation.has("O"):
            self.take()
            return self.node("order", self.factor(), start=start)
        if token.text in ONE_FACTOR and not (token.text == r"\mathbb E" and bare):
            if token.text in (r"\max", r"\min"):
                return self.extremum()
            return self.prefix(ONE_FACTOR[token.text], self.factor)
        if token.text in (r"\cosh", r"\sinh", r"\tanh"):
            return self.hyperbolic()
        return self.symbol()

    def prefix(self, name: str, argument: Callable[[], Node]) -> Node:
        start = self.take().start
        exponent = None
        if name == "sqrt":
            return self.node("sqrt", self.argument(), start=start)
        if self.next.text == "^":
            self.take()
            exponent = self.script()
        if self.next.text in ("(", "[", r"\{") and name in ("log", "exp"):
            inside = self.factor()
        else:
            inside = argument()
        node = self.node(name, inside, start=start)
        return node if exponent is None else self.node("pow", node, exponent, start=start)

    def hyperbolic(self) -> Node:
        """cosh and its like are letters of the notation: their definition is displayed."""
        token = self.take()
        exponent = None
        if self.next.text == "^":
            self.take()
            exponent = self.script()
        argument = self.factor()
        if argument.op == "group":
            argument = argument.args[0]
        head = Node("sym", (), token.text, (token.start, token.end))
        node = self.node("call", head, argument, start=token.start)
        return node if exponent is None else self.node("pow", node, exponent, start=token.start)

    def braced(self) -> Node:
        """A brace with a word or a formula at it: the word is a name, the formula is equal."""
        start = self.take().start
        self.expect("{")
        inside = self.relation()
        self.expect("}")
        if self.next.text in ("_", "^"):
            self.take()
            self.expect("{")
            if self.next.kind == "text":
                word = self.take().text
                self.expect("}")
                return self.node("named", inside, text=word, start=start)
            other = self.relation()
            self.expect("}")
            return self.node("same", inside, other, start=start)
        return inside

    def group(self) -> Node:
        opening = self.take()
        close = OPEN[opening.text]
        bars, self.bars = self.bars, 0
        integrals, self.integrals = self.integrals, 0
        items = [self.relation()]
        marks = ""
        while self.next.text in (",", ";") or self.next.kind == "gap":
            mark = self.take()
            if mark.kind == "gap":
                continue
            marks += mark.text
            if self.next.text == r"\dots":
                items.append(self.node("dots", start=self.take().start))
            else:
                items.append(self.relation())
        self.expect(close)
        self.bars, self.integrals = bars, integrals
        if opening.text == r"\{":
            return self.node("set", *items, start=opening.start)
        if len(items) > 1:
            return self.node("tuple", *items, start=opening.start)
        return self.node("group", items[0], start=opening.start)

    def between_bars(self) -> Node:
        opening = self.take()
        self.bars += 1
        inside = self.sum()
        self.bars -= 1
        self.expect(opening.text)
        return self.node("abs" if opening.text == "|" else "norm", inside, start=opening.start)

    def fraction(self) -> Node:
        start = self.take().start
        derivative = self.derivative_fraction(start)
        if derivative is not None:
            return derivative
        above = self.argument()
        if self.next.kind == "number" and len(self.next.text) > 1:
            self.split_number()
        below = self.argument()
        return self.node("frac", above, below, start=start)

    def derivative_fraction(self, start: int) -> Node | None:
        """``\\frac{\\partial f}{\\partial x}``, ``\\frac{d^2}{dt^2}``, and the like."""
        mark = self.at
        braced = self.takes("{")
        sign = self.next.text
        if sign not in (r"\partial", "d"):
            self.at = mark
            return None
        self.take()
        order = 1
        if self.takes("^"):
            order = int(self.take().text)
        body = None
        if braced and self.next.text != "}":
            body = self.relation_or_none()
            if body is None:
                self.at = mark
                return None
        if braced and not self.takes("}"):
            self.at = mark
            return None
        if not (self.takes("{") and self.takes(sign)):
            self.at = mark
            return None
        by = self.place()
        if order > 1 and by.op == "pow" and by.args[1].text == str(order):
            by = by.args[0]
        self.expect("}")
        if body is None:
            body = self.product()
            return self.node("d", body, by, text=str(order), start=start)
        if self.next.text == "(" and body.op == "sym":
            called = self.call(body, body.span[0])
            return self.node("slope", called, by, text=str(order), start=start)
        return self.node("d", body, by, text=str(order), start=start)

    def relation_or_none(self) -> Node | None:
        try:
            return self.relation()
        except NotRead:
            return None

    def place(self) -> Node:
        """What one differentiates by: a letter, with its indices and its square."""
        return self.factor()

    def slashed_derivative(self) -> Node:
        start = self.take().start
        body = self.factor()
        self.expect("/")
        self.expect(r"\partial")
        return self.node("d", body, self.factor(), text="1", start=start)

    def limits(self) -> tuple[Node | None, Node | None]:
        lower = upper = None
        while self.next.text in ("_", "^"):
            if self.take().text == "_":
                if self.takes("{"):
                    items = [self.relation()]
                    while self.takes(","):
                        items.append(self.relation())
                    self.expect("}")
                    lower = items[0] if len(items) == 1 else Node("list", tuple(items))
                else:
                    lower = self.one_token()
            else:
                upper = self.script_signed()
        return lower, upper

    def script_signed(self) -> Node:
        if self.takes("{"):
            inside = self.sum()
            self.expect("}")
            return inside
        return self.one_token()

    def big_sum(self) -> Node:
        token = self.take()
        lower, upper = self.limits()
        if lower is None:
            self.fail("the sum says nothing of its index")
        body = self.product()
        args = [lower, body] if upper is None else [lower, body, upper]
        return self.node(token.text[1:], *args, start=token.start)

    def integral(self) -> Node:
        start = self.take().start
        lower, upper = self.limits()
        self.integrals += 1
        body = Node("num", (), "1") if self.is_differential() else self.sum_in_integral()
        self.integrals -= 1
        if self.next.text != "d":
            self.fail("the integral has no d")
        self.take()
        variable = self.symbol()
        args = [body, variable, *([lower, upper] if lower is not None else [])]
        return self.node("int", *args, start=start)

    def sum_in_integral(self) -> Node:
        return self.product()

    def limit(self) -> Node:
        start = self.take().start
        self.expect("_")
        self.expect("{")
        variable = self.factor()
        self.expect(r"\to")
        goal = self.sum()
        self.expect("}")
        return self.node("lim", self.product(), variable, goal, start=start)

    def extremum(self) -> Node:
        token = self.take()
        lower, _ = self.limits()
        if lower is None:
            inside = self.factor()
            return self.node(token.text[1:], inside, start=token.start)
        return self.node(token.text[1:], self.product(), lower, start=token.start)

    def nabla(self) -> Node:
        start = self.take().start
        order, by = 1, None
        while self.next.text in ("_", "^"):
            if self.take().text == "^":
                order = int(self.one_token().text)
            elif self.takes("{"):
                items = [self.list_item()]
                while self.takes(","):
                    items.append(self.list_item())
                self.expect("}")
                by = Node("list", tuple(items))
            else:
                by = Node("list", (self.symbol(),))
        body = self.factor()
        args = (body,) if by is None else (body, by)
        return self.node("grad", *args, text=str(order), start=start)

    def list_item(self) -> Node:
        if self.next.text == r"\dots":
            return self.node("dots", start=self.take().start)
        return self.factor()

    def matrix(self) -> Node:
        opening = self.take()
        if opening.text != "pmatrix":
            self.fail(f"{opening.text} is none of the book's environments")
        bars, self.bars = self.bars, 0
        rows: list[list[Node]] = [[]]
        while self.next.kind != "end":
            if self.next.text == r"\dots":
                rows[-1].append(self.node("dots", start=self.take().start))
            else:
                rows[-1].append(self.sum())
            if self.next.text == "&":
                self.take()
            elif self.next.kind == "line":
                self.take()
                rows.append([])
            elif self.next.kind != "end":
                self.fail("the matrix does not go on")
        self.take()
        self.bars = bars
        rows = [row for row in rows if row]
        cells = tuple(self.node("row", *row, start=opening.start) for row in rows)
        return self.node("matrix", *cells, start=opening.start)

    def call(self, head: Node, start: int) -> Node:
        self.expect("(")
        bars, self.bars = self.bars, 1
        integrals, self.integrals = self.integrals, 0
        items, marks = [self.call_item()], ""
        while True:
            mark = self.next
            if mark.text in (",", ";", r"\mid", r"\|"):
                self.take()
                marks += {r"\mid": "|", r"\|": "|"}.get(mark.text, mark.text)
                items.append(self.call_item())
            elif mark.kind == "gap":
                self.take()
            else:
                break
        self.expect(")")
        self.bars, self.integrals = bars, integrals
        return self.node("call", head, *items, text=marks, start=start)

    def call_item(self) -> Node:
        if self.next.text == r"\dots":
            return self.node("dots", start=self.take().start)
        return self.relation()

    # --- letters ---

    def symbol(self) -> Node:
        """A letter with its accent, indices and marks; powers are left where they are."""
        token = self.next
        start = token.start
        accent = ""
        if token.text in ACCENTS:
            self.take()
            accent = token.text
            braces = self.takes("{")
            token = self.take()
            if braces:
                self.expect("}")
        elif (
            token.text == r"\Delta"
            and self.ahead(1).text
            and self.notation.has(r"\Delta" + self.ahead(1).text)
        ):
            self.take()
            accent = r"\Delta"
            token = self.take()
        elif token.kind == "text":
            self.take()
            return self.node("sym", text=token.text, start=start)
        else:
            self.take()
        is_letter = token.kind in ("letter", "word") or token.text[1:] in GREEK or (
            token.text in (r"\cosh", r"\sinh", r"\tanh")
        )  # fmt: skip
        if not is_letter:
            self.at -= 1
            self.fail("this is no letter")
        gap = " " if accent and token.kind != "command" else ""
        base = f"{accent}{gap}{token.text}"
        subs: list[Node] = []
        while True:
            text = self.next.text
            if text == "_" and self.ahead(1).text == "{" and self.ahead(2).kind == "text":
                self.at += 2
                base += f"_{self.take().text}"
                self.expect("}")
            elif text == "_" and self.ahead(1).text == "{" and self.ahead(2).text == "(":
                self.at += 3
                base += "_()"
                subs.append(self.sum())
                self.expect(")")
                self.expect("}")
            elif text == "_":
                self.take()
                if self.takes(r"\cdot"):
                    subs.append(self.node("all"))
                else:
                    subs += self.indices("}") if self.takes("{") else [self.one_token()]
            elif text == "'" and self.notation.has(f"{base}'"):
                self.take()
                base += "'"
            elif text == "^" and (mark := self.mark_after(base)) is not None:
                base, sub = mark
                subs += sub
            else:
                break
        return self.node("sym", *subs, text=base, start=start)

    def mark_after(self, base: str) -> tuple[str, list[Node]] | None:
        """``θ^+``, ``x^*``, ``θ^{(t)}``, ``Θ^{new}``: a mark, and no power."""
        one, two, three = self.ahead(1), self.ahead(2), self.ahead(3)
        if one.text in ("+", "*"):
            self.at += 2
            return f"{base}^{one.text}", []
        if one.text == "{" and two.text in ("+", "*") and three.text == "}":
            self.at += 4
            return f"{base}^{two.text}", []
        if one.text == "{" and two.kind == "text":
            self.at += 4
            return f"{base}^{two.text}", []
        if one.text == "{" and two.text == "(" and self.notation.has(f"{base}^()"):
            self.at += 3
            sub = self.sum()
            self.expect(")")
            self.expect("}")
            return f"{base}^()", [sub]
        return None

    def indices(self, close: str) -> list[Node]:
        """The indices in a subscript: each digit and each letter is one."""
        found: list[Node] = []
        while not self.takes(close):
            token = self.next
            if token.kind == "number" and len(token.text) > 1:
                self.split_number()
            elif token.text == ",":
                self.take()
            elif token.text in (r"\cdot", r"\dots"):
                self.take()
                found.append(self.node("all"))
            elif token.kind == "number":
                self.take()
                found.append(number(token.text))
            elif token.text in ("+", "-") and found:
                self.take()
                step = number(self.take().text)
                step = step if token.text == "+" else Node("neg", (step,))
                found[-1] = Node("add", (found[-1], step))
            else:
                item = self.symbol()
                if self.next.text == "(" and self.notation.is_function(item.text):
                    item = self.call(item, item.span[0])
                found.append(item)
        return found


def _product(factors: list[Node]) -> Node:
    return factors[0] if len(factors) == 1 else Node("mul", tuple(factors))


def _word(text: str) -> str | None:
    word = " ".join(text.split())
    return word or None


def _without_alignment(found: list[Token]) -> list[Token]:
    """Without the environments that only align, and their &; a line that goes on is no line."""
    kept: list[Token] = []
    depth = 0
    for k, token in enumerate(found):
        if token.kind in ("begin", "end") and token.text in ("aligned", "gathered"):
            continue
        if token.kind == "begin":
            depth += 1
        elif token.kind == "end":
            depth -= 1
        elif depth == 0 and token.text == "&":
            continue
        elif depth == 0 and token.kind == "line":
            after = [t for t in found[k + 1 :] if t.text != "&"]
            if after and (after[0].text in ("+", "-", "=") or after[0].text in RELATIONS):
                continue
        kept.append(token)
    return kept
