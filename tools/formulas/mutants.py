"""Displays changed in small ways, to see that wrong ones are refused.

An operator looks at one node of the tree and says what could stand there instead. Those in
``OPERATORS`` were written while the last displays were made to run; those in ``HELD_BACK`` were
not looked at until all was done, and measure what the others may have been fitted to.
"""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import FrameType

from formulas.letters import Letters
from formulas.run import Displays, Outcome
from formulas.tree import Display, Node, Statement, number

Changes = Iterable[tuple[str, Node]]
Operator = Callable[[Node, "Place"], Changes]
SECONDS = 20  # a mutant that takes longer is given up


@dataclass(frozen=True)
class Place:
    """Where a node stands: in which kind of statement, under which node, and with which letters."""

    kind: str
    parent: Node | None
    letters: Letters
    symbols: tuple[Node, ...]  # of the whole display


@dataclass(frozen=True)
class Mutant:
    """A display with one change."""

    label: str
    operator: str
    what: str
    display: Display

    @property
    def name(self) -> str:
        return f"{self.label}: {self.operator}: {self.what}"


# --- the operators --------------------------------------------------------------------------------


def sign(node: Node, place: Place) -> Changes:
    if node.op == "neg":
        yield "- dropped", node.args[0]
    if node.op == "add":
        for k, term in enumerate(node.args):
            if term.op not in ("neg", "dots"):
                yield f"- before {short(term)}", _with(node, k, Node("neg", (term,)))
    if node.op in ("frac", "exp") and place.kind == "claim":
        yield f"- before {short(node)}", Node("neg", (node,))


def factor(node: Node, place: Place) -> Changes:
    if node.op == "num" and place.parent is not None and place.parent.op != "pow":
        if "." in node.text:
            last = str((int(node.text[-1]) + 5) % 10)
            if last != "0":
                yield f"{node.text} with another last digit", number(node.text[:-1] + last)
        elif place.parent.op not in ("sym", "entry"):
            yield f"{node.text} one more", number(str(int(node.text) + 1))
    if node.op == "mul" and "dot" not in [f.op for f in node.args]:
        yield f"twice {short(node)}", Node("mul", (number("2"), *node.args))


def index(node: Node, place: Place) -> Changes:
    if place.parent is None or place.parent.op not in ("sym", "entry") or node is place.parent:
        return
    if node.op == "num" and node in place.parent.args and "ell" not in place.parent.text:
        yield f"index {node.text} one more", number(str(int(node.text) + 1))
    if node.op == "sym" and not node.args and node in place.parent.args:
        for other in ("i", "j", "k", "l"):
            if other != node.text and place.letters.has(other):
                yield f"index {node.text} to {other}", replace(node, text=other)


def power(node: Node, place: Place) -> Changes:
    if node.op == "pow":
        base, exponent = node.args
        if base.text == "e" and base.op == "sym":
            return
        yield f"power of {short(base)} dropped", base
        if exponent.op == "num":
            more = number(str(int(exponent.text) + 1)) if "." not in exponent.text else exponent
            yield f"power of {short(base)} one more", node.with_args(base, more)


def root(node: Node, place: Place) -> Changes:
    if node.op == "sqrt":
        yield f"root of {short(node.args[0])} dropped", node.args[0]
    if node.op == "sym" and place.parent is not None and place.parent.op in ("frac", "mul"):
        yield f"root of {short(node)}", Node("sqrt", (node,))


def transpose(node: Node, place: Place) -> Changes:
    if node.op == "T":
        yield f"transpose of {short(node.args[0])} dropped", node.args[0]
    if node.op == "inv":
        yield f"inverse of {short(node.args[0])} dropped", node.args[0]
    if node.op == "sym" and place.parent is not None and place.parent.op in ("mul", "tr"):
        letter = _letter(node, place.letters)
        is_symmetric = letter is not None and letter.spec.get("draw") in ("spd", "symmetric")
        is_whole = letter is not None and not node.args[len(letter.pattern) :]
        if is_whole and letter.rank == 2 and not is_symmetric:
            yield f"{short(node)} transposed", Node("T", (node,))


def swapped(node: Node, place: Place) -> Changes:
    """Another letter of the display in its place."""
    if node.op != "sym" or place.parent is None or place.parent.op in ("sym", "rel"):
        return
    if place.parent.op == "call" and place.parent.args[0] is node:
        return
    for other in place.symbols:
        if other.text != node.text and len(other.args) == len(node.args):
            yield f"{short(node)} to {short(other)}", other


def dropped(node: Node, place: Place) -> Changes:
    if node.op in ("add", "mul") and "dots" not in [a.op for a in node.args]:
        if "dot" in [a.op for a in node.args]:
            return
        for k, item in enumerate(node.args):
            rest = node.args[:k] + node.args[k + 1 :]
            yield f"{short(item)} dropped", rest[0] if len(rest) == 1 else replace(node, args=rest)


def relation(node: Node, place: Place) -> Changes:
    if node.op == "rel" and place.kind == "claim":
        names = node.text.split()
        turned = {"=": "!=", "<=": ">=", ">=": "<=", "<": ">", ">": "<", "!=": "=", "=:": "!="}
        for k, name in enumerate(names):
            if name in turned:
                other = [*names[:k], turned[name], *names[k + 1 :]]
                yield f"{name} to {turned[name]}", replace(node, text=" ".join(other))


def bounds(node: Node, place: Place) -> Changes:
    if node.op in ("sum", "prod"):
        lower, body, *upper = node.args
        if lower.op == "rel" and lower.text == "=":
            start = Node("add", (lower.args[1], number("1")))
            later = lower.with_args(lower.args[0], start)
            yield "starts one later", node.with_args(later, body, *upper)
        if upper and upper[0].op != "infinity":
            less = Node("add", (upper[0], Node("neg", (number("1"),))))
            yield "ends one earlier", node.with_args(lower, body, less)
    if node.op == "int" and len(node.args) == 4 and node.args[2].op != "neg":
        body, variable, low, high = node.args
        yield "ends exchanged", node.with_args(body, variable, high, low)


def condition(node: Node, place: Place) -> Changes:
    if place.kind in ("condition", "if") and node.op == "rel":
        names = node.text.split()
        turned = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
        for k, name in enumerate(names):
            if name in turned:
                other = [*names[:k], turned[name], *names[k + 1 :]]
                yield f"condition {name} turned", replace(node, text=" ".join(other))


def bar(node: Node, place: Place) -> Changes:
    """p(A | B) to p(B | A)."""
    if node.op == "call" and "|" in node.text and len(node.args) == 3:
        head, event, given = node.args
        yield "bar turned", node.with_args(head, given, event)


def upside_down(node: Node, place: Place) -> Changes:
    if node.op == "frac":
        yield f"{short(node)} upside down", node.with_args(*reversed(node.args))


OPERATORS: dict[str, Operator] = {
    f.__name__: f
    for f in (
        sign, factor, index, power, root, transpose, swapped, dropped, relation, bounds,
        condition, bar, upside_down,
    )
}  # fmt: skip


# --- held back ------------------------------------------------------------------------------------


def order_of_factors(node: Node, place: Place) -> Changes:
    if node.op == "mul" and len(node.args) > 1 and "dot" not in [a.op for a in node.args]:
        for k in range(len(node.args) - 1):
            a, b = node.args[k : k + 2]
            if _is_matrix(a, place.letters) and _is_matrix(b, place.letters) and a != b:
                args = (*node.args[:k], b, a, *node.args[k + 2 :])
                yield f"{short(a)} and {short(b)} exchanged", replace(node, args=args)


def hat(node: Node, place: Place) -> Changes:
    if node.op == "sym" and node.text.startswith((r"\hat", r"\bar")):
        bare = node.text.replace(r"\hat", "").replace(r"\bar", "").strip()
        if place.letters.has(bare):
            yield f"hat of {short(node)} dropped", replace(node, text=bare)
    if node.op == "sym" and node.text.endswith(("'", "^+")):
        bare = node.text.removesuffix("'").removesuffix("^+")
        if place.letters.has(bare):
            yield f"mark of {short(node)} dropped", replace(node, text=bare)


def other_function(node: Node, place: Place) -> Changes:
    others = {"det": "tr", "tr": "det", "max": "min", "min": "max", "log": "exp", "exp": "log"}
    if node.op in others:
        yield f"{node.op} to {others[node.op]}", replace(node, op=others[node.op])
    if node.op == "call" and node.args[0].text in (r"\cosh", r"\sinh", r"\tanh"):
        other = {r"\cosh": r"\sinh", r"\sinh": r"\cosh", r"\tanh": r"\sinh"}[node.args[0].text]
        head = replace(node.args[0], text=other)
        yield f"{node.args[0].text} to {other}", node.with_args(head, *node.args[1:])


def reach(node: Node, place: Place) -> Changes:
    """The logarithm or the sum ends one factor earlier: log ab to b log a."""
    if node.op in ("log", "det") and node.args[0].op == "mul":
        *kept, last = node.args[0].args
        inner = kept[0] if len(kept) == 1 else Node("mul", tuple(kept))
        shorter = replace(node, args=(inner,))
        yield f"{node.op} ends before {short(last)}", Node("mul", (shorter, last))
    if node.op == "mul" and any(a.op == "group" and a.args[0].op == "add" for a in node.args):
        k = next(k for k, a in enumerate(node.args) if a.op == "group" and a.args[0].op == "add")
        first, *others = node.args[k].args[0].args
        args = (*node.args[:k], first, *node.args[k + 1 :])
        yield "parenthesis dropped", Node("add", (replace(node, args=args), *others))


def half(node: Node, place: Place) -> Changes:
    if node.op == "frac" and node.args[0].op == "num" and node.args[1].op == "num":
        yield f"{short(node)} to one", number("1")
    if node.op == "infinity":
        yield "∞ to 3", number("3")


def one_argument(node: Node, place: Place) -> Changes:
    """Two arguments of a call exchanged."""
    if node.op == "call" and len(node.args) > 2 and "|" not in node.text:
        for k in range(1, len(node.args) - 1):
            args = list(node.args)
            args[k], args[k + 1] = args[k + 1], args[k]
            if args[k] != args[k + 1]:
                yield f"arguments {k} and {k + 1} exchanged", replace(node, args=tuple(args))


HELD_BACK: dict[str, Operator] = {
    f.__name__: f for f in (order_of_factors, hat, other_function, reach, half, one_argument)
}


# --- making and running them ----------------------------------------------------------------------


def mutants_of(displays: Displays, label: str, operators: dict[str, Operator]) -> list[Mutant]:
    """All changes of a display by these operators, each once."""
    one = displays.shown[label]
    letters = displays.letters(one)
    display = displays.display(one, letters)
    symbols = tuple({n: None for n in display.walk() if n.op == "sym"})
    found: dict[Display, Mutant] = {}
    for k, statement in enumerate(display.statements):
        for name, operator in operators.items():
            place = Place(statement.kind, None, letters, symbols)
            for what, changed in _changes(statement.node, place, operator):
                statements = list(display.statements)
                statements[k] = Statement(statement.kind, changed)
                other = replace(display, statements=tuple(statements))
                if other != display:
                    found.setdefault(other, Mutant(label, name, what, other))
        if statement.kind in ("condition", "if") and "condition" in operators:
            rest = display.statements[:k] + display.statements[k + 1 :]
            other = replace(display, statements=rest)
            found.setdefault(other, Mutant(label, "condition", f"{k + 1} dropped", other))
    return list(_told_apart(found.values()))


def _told_apart(found: Iterable[Mutant]) -> Iterator[Mutant]:
    """The second change of one name is called so: a reason explains one mutant."""
    seen = Counter[str]()
    for mutant in found:
        seen[mutant.name] += 1
        again = f" ({seen[mutant.name]})" if seen[mutant.name] > 1 else ""
        yield replace(mutant, what=mutant.what + again)


def _changes(node: Node, place: Place, operator: Operator) -> Iterator[tuple[str, Node]]:
    yield from operator(node, place)
    below = replace(place, parent=node)
    for k, arg in enumerate(node.args):
        for what, changed in _changes(arg, below, operator):
            yield what, _with(node, k, changed)


def is_refused(displays: Displays, mutant: Mutant, users: dict[str, list[str]]) -> str:
    """Why a mutant is refused, or nothing where it survives.

    ``users``: for each display the displays that were worked out with it, itself first.
    """
    displays.replaced[mutant.label] = mutant.display
    try:
        for label in users[mutant.label]:
            outcome = _in_time(displays, label)
            if not outcome.holds:
                return f"{label} {outcome.error}"
        return ""
    finally:
        del displays.replaced[mutant.label]


def _in_time(displays: Displays, label: str) -> Outcome:
    def give_up(number_: int, frame: FrameType | None) -> None:
        raise ArithmeticError("it does not come to an end")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(SECONDS)
    try:
        return displays.run(label)
    except ArithmeticError as error:
        return Outcome(displays.shown[label], error=str(error))
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def users_of(stands_on: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """For each display itself, and the displays that were worked out with it."""
    users = {label: [label] for label in stands_on}
    for label, others in stands_on.items():
        for other in others:
            if other in users:
                users[other].append(label)
    return users


def sample(found: list[Mutant], count: int, seed: int) -> list[Mutant]:
    rng = random.Random(seed)
    return found if len(found) <= count else rng.sample(found, count)


# --- nodes ----------------------------------------------------------------------------------------


def short(node: Node) -> str:
    """A node in a few characters, for a report."""
    if node.op == "num":
        return node.text
    if node.op == "sym":
        subs = "".join(short(a) for a in node.args)
        return node.text.replace("\\", "") + (f"_{subs}" if subs else "")
    inside = ",".join(short(a) for a in node.args[:3])
    return f"{node.op}({inside})"[:40]


def _with(node: Node, k: int, new: Node) -> Node:
    return replace(node, args=(*node.args[:k], new, *node.args[k + 1 :]))


def _letter(node: Node, letters: Letters):  # type: ignore[no-untyped-def]
    try:
        return letters.find(node.text, node.args)
    except ValueError:
        return None


def _is_matrix(node: Node, letters: Letters) -> bool:
    if node.op in ("T", "inv", "group"):
        return _is_matrix(node.args[0], letters) or node.op in ("T", "inv")
    if node.op != "sym":
        return False
    letter = _letter(node, letters)
    return letter is not None and letter.rank > 0
