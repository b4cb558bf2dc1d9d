"""Derivatives, integrals, maxima and dots, worked out on a sheet."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from flint import arb, arb_mat

from formulas import values as v
from formulas.parser import read_formula
from formulas.tree import Node, number
from formulas.values import STEP, NoValue, Value

if TYPE_CHECKING:
    from formulas.letters import Letters
    from formulas.sheet import Sheet

SIGN = "±"
_PARSED: dict[tuple[str, int], Node] = {}


def parsed(text: str, letters: Letters) -> Node:
    key = text, id(letters)
    if key not in _PARSED:
        _PARSED[key] = read_formula(text, letters)
    return _PARSED[key]


def replaced(node: Node, values: dict[str, int]) -> Node:
    """The tree with numbers for letters."""
    if node.op == "sym" and not node.args and node.text in values:
        return number(str(values[node.text]))
    return node.with_args(*(replaced(arg, values) for arg in node.args))


Work = Callable[["Sheet"], Value]

# --- derivatives ----------------------------------------------------------------------------------


def derivative(sheet: Sheet, work: Work, by: Node, order: int) -> Value:
    """By a place: a number gives a number, a vector a vector, a matrix a matrix."""
    current = sheet.evaluate(by)
    if isinstance(current, arb | int) and not isinstance(current, bool):
        return _slope(sheet, work, by, v.scalar(current), order)
    if order != 1:
        raise NoValue("a second derivative by something that is no number")
    if isinstance(current, arb_mat):
        rows = [
            [_slope_of_entry(sheet, work, by, current, i, j) for j in range(current.ncols())]
            for i in range(current.nrows())
        ]
        return v.matrix(rows)
    found = [derivative(sheet, work, place, 1) for place in _items(sheet, by, current)]
    return tuple(found)


def _items(sheet: Sheet, by: Node, current: Value) -> list[Node]:
    """The places that a list of parameters consists of."""
    if by.op == "tuple":
        return list(by.args)
    if by.op == "pow":
        base = by.args[0]
        items = _items(sheet, base, current)
        return [Node("pow", (item, by.args[1])) for item in items]
    letter = sheet.book.find(by.text, by.args)
    if "parts" in letter.spec:
        return sheet.parts(letter)
    if not isinstance(current, list):
        raise NoValue(f"one cannot differentiate by {letter.symbol}")
    given = tuple(arg for arg in by.args if arg.op != "all")
    return [Node("sym", (*given, number(str(k + 1))), by.text) for k in range(len(current))]


def _slope(sheet: Sheet, work: Work, by: Node, at: arb, order: int) -> Value:
    def inner(s: Sheet) -> Value:
        return work(s) if order == 1 else _slope(s, work, by, v.scalar(s.evaluate(by)), order - 1)

    up = inner(sheet.assign(by, at + STEP))
    down = inner(sheet.assign(by, at - STEP))
    return v.times(v.add(up, v.negative(down)), 1 / (2 * STEP))


def _slope_of_entry(sheet: Sheet, work: Work, by: Node, current: arb_mat, i: int, j: int) -> arb:
    found = []
    for sign in (1, -1):
        moved = arb_mat(current)
        moved[i, j] = current[i, j] + sign * STEP
        found.append(v.scalar(work(sheet.assign(by, moved))))
    return (found[0] - found[1]) / (2 * STEP)


def scalars(sheet: Sheet, places: list[Node], precisions: bool = False) -> list[Node]:
    """The places one by one, each a number.

    ``precisions``: a covariance is moved by the entries of its inverse, and stays symmetric.
    """
    found: list[Node] = []
    for place in places:
        current = sheet.evaluate(place)
        if precisions and place.text.endswith(r"\Sigma"):
            size = v.as_matrix(current).nrows()
            found += [
                Node("precision", (place, number(str(i)), number(str(j))))
                for i in range(1, size + 1)
                for j in range(1, i + 1)
            ]
        elif isinstance(current, arb_mat):
            found += [
                Node("entry", (place, number(str(i + 1)), number(str(j + 1))))
                for i in range(current.nrows())
                for j in range(current.ncols())
            ]
        elif isinstance(current, list | tuple):
            found += scalars(sheet, _items(sheet, place, current))
        else:
            found.append(place)
    return found


def hessian(sheet: Sheet, work: Work, places: list[Node]) -> Value:
    ones = scalars(sheet, places)
    size = len(ones)
    table = [[arb(0)] * size for _ in range(size)]
    for a, b in itertools.combinations_with_replacement(range(size), 2):
        inner = lambda s, p=ones[b]: derivative(s, work, p, 1)  # noqa: E731
        table[a][b] = table[b][a] = v.scalar(derivative(sheet, inner, ones[a], 1))
    return v.matrix(table)


# --- integrals ------------------------------------------------------------------------------------

WIDTH, GAP = 22, arb(1) / 4  # of the trapezoid rule on the line: bells of width 0.5 to 1.6


def over_the_line(at: Callable[[arb], Value]) -> Value:
    """∫ over the whole line, of what dies away as a bell does: the trapezoid rule."""
    count = int(WIDTH / float(GAP.mid()))
    total = at(arb(0))
    for k in range(1, count + 1):
        total = v.add(total, v.add(at(GAP * k), at(-GAP * k)))
    largest = v.size(total)
    for end in (WIDTH, -WIDTH):
        if not v.size(at(arb(end))) < arb(10) ** -30 * (1 + largest):
            raise NoValue("the integral does not converge, or not within the line looked at")
    return v.times(total, GAP)


@cache
def _legendre(count: int) -> list[tuple[arb, arb]]:
    return [arb.legendre_p_root(count, k, weight=True) for k in range(count)]


def between(at: Callable[[arb], Value], low: arb, high: arb, panels: int = 2) -> Value:
    """∫ over a piece of the line: Gauss and Legendre's rule."""
    total: Value | None = None
    step = (high - low) / panels
    for p in range(panels):
        middle, half = low + step * (2 * p + 1) / 2, step / 2
        for root, weight in _legendre(48):
            term = v.times(weight * half, at(middle + half * root))
            total = term if total is None else v.add(total, term)
    return total


@cache
def hermite() -> list[tuple[arb, arb]]:
    """Nodes and weights for the mean over a standard Gaussian, exact up to the fifth power."""
    root = arb(3).sqrt()
    return [(-root, arb(1) / 6), (arb(0), arb(2) / 3), (root, arb(1) / 6)]


# --- maxima ---------------------------------------------------------------------------------------


def stationary(
    sheet: Sheet, work: Work, places: list[Node], *, climbs: bool, steps: int = 60
) -> list[tuple[Node, Value]]:
    """Where the derivatives by the places vanish: Newton's method, from where the sheet stands.

    A start at which they vanish already is only confirmed.

    ``climbs``: look for a maximum, and accept no step that does not rise. Squares are moved by
    their logarithm, so that they stay positive.
    """
    ones = scalars(sheet, places, precisions=True)
    point = [v.scalar(sheet.evaluate(one)) for one in ones]
    positive = [one.op == "pow" for one in ones]

    def at(x: list[arb]) -> Sheet:
        moved = sheet
        for one, p, t in zip(ones, positive, x, strict=True):
            moved = moved.assign(one, t.exp() if p else t)
        return moved

    def height(x: list[arb]) -> arb:
        return v.scalar(work(at(x)))

    x = [t.log() if p else t for t, p in zip(point, positive, strict=True)]
    for _ in range(steps):
        if _is_level(height, x):
            break
        gradient, bend = _bend(height, x)
        try:
            move = arb_mat([[t] for t in gradient])
            move = arb_mat(bend).solve(move)
        except ZeroDivisionError:
            raise NoValue("the maximiser met a flat place") from None
        step = [-move[k, 0].mid() for k in range(len(x))]
        slope = sum((g * s for g, s in zip(gradient, step, strict=True)), arb(0))
        if climbs and not slope >= 0:
            step = [g.mid() / (1 + abs(g.mid())) for g in gradient]
        length = max(float(abs(s).mid()) for s in step)
        x = _moved(height, x, step, climbs and length > 1e-8)
        if length < 1e-16:  # the next error is its square
            break
    else:
        raise NoValue("the maximiser did not settle")
    if climbs:
        _require_top(height, x)
    final = at(x)
    return [(place, final.evaluate(place)) for place in places]


def _is_level(height: Callable[[list[arb]], arb], x: list[arb]) -> bool:
    """Is every derivative 0 here? Where the start was good, this is all that is asked."""
    for k in range(len(x)):
        up, down = list(x), list(x)
        up[k], down[k] = x[k] + STEP, x[k] - STEP
        if not abs(height(up) - height(down)) / (2 * STEP) < arb(10) ** -32:
            return False
    return True


def _require_top(height: Callable[[list[arb]], arb], x: list[arb]) -> None:
    """A step aside leads down, whichever way; else it is no maximum, or nothing moves it."""
    top = height(x)
    for k in range(len(x)):
        for aside in (arb(1) / 1000, arb(-1) / 1000):
            moved = list(x)
            moved[k] = x[k] + aside
            if not height(moved) < top:
                raise NoValue("the place that was found is no maximum")


def _moved(
    height: Callable[[list[arb]], arb], x: list[arb], step: list[arb], must_rise: bool
) -> list[arb]:
    if not must_rise:
        return [(a + b).mid() for a, b in zip(x, step, strict=True)]
    now, share = height(x), arb(1)
    for _ in range(60):
        moved = [(a + share * b).mid() for a, b in zip(x, step, strict=True)]
        try:
            if height(moved) > now:
                return moved
        except NoValue:
            pass
        share /= 2
    raise NoValue("the maximiser found no way up")


def _bend(height: Callable[[list[arb]], arb], x: list[arb]) -> tuple[list[arb], list[list[arb]]]:
    """Gradient and Hessian by central differences."""
    size = len(x)

    def moved(*steps: tuple[int, arb]) -> arb:
        y = list(x)
        for k, s in steps:
            y[k] = y[k] + s
        return height(y)

    centre = height(x)
    ups = [moved((k, STEP)) for k in range(size)]
    downs = [moved((k, -STEP)) for k in range(size)]
    gradient = [(u - d) / (2 * STEP) for u, d in zip(ups, downs, strict=True)]
    bend = [[arb(0)] * size for _ in range(size)]
    for k in range(size):
        bend[k][k] = (ups[k] - 2 * centre + downs[k]) / STEP**2
    for a, b in itertools.combinations(range(size), 2):
        both = moved((a, STEP), (b, STEP)) - moved((a, STEP), (b, -STEP))
        both += moved((a, -STEP), (b, -STEP)) - moved((a, -STEP), (b, STEP))
        bend[a][b] = bend[b][a] = both / (4 * STEP**2)
    return [g.mid() for g in gradient], [[t.mid() for t in row] for row in bend]


def maximum(sheet: Sheet, body: Node, over: Node, sign: int) -> Value:
    """max over places, or over what fulfils an equation: the value there."""
    if sign < 0 and over.op != "rel":
        raise NoValue("a minimum is looked for under an equation only")
    if over.op == "rel" and over.text == "=":
        solution = constrained(sheet, body, over, sign=sign)
    else:
        places = list(over.args) if over.op == "list" else [over]
        solution = stationary(sheet, lambda s: s.evaluate(body), places, climbs=True)
    for place, value in solution:
        sheet = sheet.assign(place, value)
    return sheet.evaluate(body)


def constrained(
    sheet: Sheet,
    body: Node,
    equation: Node,
    places: list[Node] | None = None,
    sign: int = 0,
) -> list[tuple[Node, Value]]:
    """A level place under one equation, by Lagrange's function with a multiplier of its own.

    ``sign``: 1 where it has to be a maximum, -1 where a minimum.
    """
    places = places or _movable(sheet, equation.args[0])
    work = lambda s: v.add(  # noqa: E731
        s.evaluate(body),
        v.times(
            s.written(MULTIPLIER),
            v.add(s.evaluate(equation.args[0]), v.negative(s.evaluate(equation.args[1]))),
        ),
    )
    start = sheet.with_({MULTIPLIER: arb(-1)})
    multiplier = Node("multiplier")
    solution = stationary(start, work, [*places, multiplier], climbs=False)
    if sign:
        top = start
        for place, value in solution:
            top = top.assign(place, value)
        _require_bend(top, work, equation.args[0], scalars(top, places), sign)
    return solution[:-1]


def _require_bend(sheet: Sheet, work: Work, held: Node, ones: list[Node], sign: int) -> None:
    """Along the constraint Lagrange's function bends down at a maximum, up at a minimum."""
    if len(ones) < 2:
        return
    slopes = [v.scalar(derivative(sheet, lambda s: s.evaluate(held), p, 1)) for p in ones]
    way = [arb(k % 3 + 1) - 2 * (k % 2) for k in range(len(ones))]
    along = sum((s * w for s, w in zip(slopes, way, strict=True)), arb(0))
    length = sum((s * s for s in slopes), arb(0))
    way = [w - s * along / length for s, w in zip(slopes, way, strict=True)]

    def height(share: arb) -> arb:
        moved = sheet
        for one, w in zip(ones, way, strict=True):
            moved = moved.assign(one, v.scalar(sheet.evaluate(one)) + share * w)
        return v.scalar(work(moved))

    bend = height(STEP) + height(-STEP) - 2 * height(arb(0))
    if bend * sign > 0:
        raise NoValue("it is the other kind of extreme that stands there")


MULTIPLIER = "the multiplier"


def _movable(sheet: Sheet, node: Node) -> list[Node]:
    """The letters in a constraint that are drawn, as whole lists."""
    found: list[Node] = []
    for part in node.walk():
        if part.op != "sym":
            continue
        letter = sheet.book.find(part.text, part.args)
        if "draw" in letter.spec:
            whole = Node("sym", (), part.text)
            if whole not in found:
                found.append(whole)
    return found


# --- modes ----------------------------------------------------------------------------------------


def has_two_modes(sheet: Sheet, function: Node) -> bool:
    """Count the peaks of a density on the line, by the signs of its slope on a fine grid."""
    letter = sheet.book.find(function.text, function.args, 1)
    place = letter.places[0]
    call = Node("call", (function, place))
    signs = []
    for k in range(-600, 601):
        x = arb(k) / 60 + arb(1) / 977
        slope = derivative(sheet.assign(place, x), lambda s: s.evaluate(call), place, 1)
        signs.append(v.scalar(slope) > 0)
    peaks = sum(1 for a, b in itertools.pairwise(signs) if a and not b)
    return peaks == 2


# --- dots -----------------------------------------------------------------------------------------


def spread(sheet: Sheet, items: tuple[Node, ...]) -> Iterator[Node]:
    """Write the dots out. The items before and after them are of one form with other numbers."""
    at = next((k for k, item in enumerate(items) if item.op == "dots"), None)
    if at is None:
        yield from items
        return
    before, after = items[:at], items[at + 1 :]
    if not before or not after:
        raise NoValue("dots need a first and a last item")
    if _is_pairs(before[-2:]):
        yield from before[:-2]
        yield from _pairs(sheet, before[-2:], after)
        yield from spread(sheet, after[1:])
        return
    period = _period(before, after)
    group, last = before[-period:], after[:period]
    earlier = before[-2 * period : -period]
    slots = [_differences(a, b) for a, b in zip(group, last, strict=True)]
    if not any(slots):
        raise NoValue("the dots lead from an item to the same item")
    start, end = _ends(sheet, group, last, slots)
    counted = 1
    if len(earlier) == period and _same_form(earlier, last):
        first, _ = _ends(sheet, earlier, last, slots)
        if first != start - 1:
            raise NoValue("the items before the dots do not count up")
        start, counted = first, 2
    if len(before) > counted * period and _same_form(before[-3 * period : -2 * period], last):
        raise NoValue("more than two items of one form stand before the dots")
    yield from before[: len(before) - counted * period]
    for k in range(start, end + 1):
        for item, found in zip(group, slots, strict=True):
            yield _with(item, found, number(str(k)))
    yield from spread(sheet, after[period:])


def _period(before: tuple[Node, ...], after: tuple[Node, ...]) -> int:
    """How many items belong together: α₁, μ₁, σ₁², …, α_K, μ_K, σ_K² has three."""
    for period in range(1, min(len(before), len(after)) + 1):
        if _same_form(before[-period:], after[:period]):
            return period
    raise NoValue("the items around the dots are not of one form")


def _same_form(items: tuple[Node, ...], others: tuple[Node, ...]) -> bool:
    if len(items) != len(others):
        return False
    try:
        for a, b in zip(items, others, strict=True):
            _differences(a, b)
    except NoValue:
        return False
    return True


def _differences(a: Node, b: Node, path: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    """Where two trees differ: paths to the numbers that count."""
    if a == b:
        return []
    if a.op == b.op and a.text == b.text and len(a.args) == len(b.args) and a.args:
        return [
            p
            for k, (x, y) in enumerate(zip(a.args, b.args, strict=True))
            for p in _differences(x, y, (*path, k))
        ]
    counts = bool(path) or (b.op == "sym" and not b.args)  # 1, …, n counts; 1, …, x_d does not
    if a.op != "num" or not counts:
        raise NoValue("the items around the dots are not of one form")
    return [path]


def _sub(node: Node, path: tuple[int, ...]) -> Node:
    for k in path:
        node = node.args[k]
    return node


def _with(node: Node, paths: list[tuple[int, ...]], new: Node) -> Node:
    for path in paths:
        node = _put(node, path, new)
    return node


def _put(node: Node, path: tuple[int, ...], new: Node) -> Node:
    if not path:
        return new
    args = list(node.args)
    args[path[0]] = _put(args[path[0]], path[1:], new)
    return node.with_args(*args)


def _ends(
    sheet: Sheet,
    first: tuple[Node, ...],
    last: tuple[Node, ...],
    slots: list[list[tuple[int, ...]]],
) -> tuple[int, int]:
    starts, ends = set(), set()
    for a, b, found in zip(first, last, slots, strict=True):
        starts |= {sheet.integer(sheet.evaluate(_sub(a, path))) for path in found}
        ends |= {sheet.integer(sheet.evaluate(_sub(b, path))) for path in found}
    if len(starts) != 1 or len(ends) != 1:
        raise NoValue("the items around the dots count differently")
    return starts.pop(), ends.pop()


def _is_pairs(before: tuple[Node, ...]) -> bool:
    return (
        len(before) == 2
        and _numbers(before[0]) == ["1", "1"]
        and _numbers(before[1])
        == [
            "1",
            "2",
        ]
    )


def _numbers(node: Node) -> list[str]:
    return [n.text for n in node.walk() if n.op == "num"]


def _pairs(sheet: Sheet, before: tuple[Node, ...], after: tuple[Node, ...]) -> Iterator[Node]:
    """x₁x₁, x₁x₂, …, x_d x_d: all pairs a ≤ b, in the order of a dictionary."""
    paths = _differences(before[0], after[0])
    end = sheet.integer(sheet.evaluate(_sub(after[0], paths[0])))
    if sheet.integer(sheet.evaluate(_sub(after[0], paths[1]))) != end:
        raise NoValue("the last pair has two different numbers")

    def pair(a: int, b: int) -> Node:
        return _put(_put(before[0], paths[0], number(str(a))), paths[1], number(str(b)))

    if pair(1, 2) != before[1]:
        raise NoValue("the items before the dots are not of one form")
    for a, b in itertools.combinations_with_replacement(range(1, end + 1), 2):
        yield pair(a, b)
