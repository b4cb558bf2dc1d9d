"""Random situations: sizes, data, parameters; and the few letters that need code of their own."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

from flint import arb, arb_mat

from formulas import numerics
from formulas import values as v
from formulas.letters import ENTRIES, Letter
from formulas.sheet import Sheet
from formulas.tree import Node
from formulas.values import NoValue, Value


def sizes_of(rng: random.Random, wanted: dict[str, Any], fixed: dict[str, int]) -> dict[str, int]:
    """n, K and d, all different; ``wanted`` gives the choices, ``fixed`` what a display fixes."""
    for _ in range(1000):
        sizes = {
            name: fixed[name] if name in fixed else rng.choice(choices)
            for name, choices in wanted.items()
        }
        free = [sizes[name] for name in ("n", "K", "d") if name in sizes]
        if len(set(free)) == len(free) or any(name in fixed for name in ("n", "K", "d")):
            return sizes
    raise NoValue("no sizes are different")


# --- draws ----------------------------------------------------------------------------------------


def uniform(rng: random.Random, low: float, high: float) -> arb:
    share = arb(rng.getrandbits(140)) / arb(2) ** 140
    return (v.exact(_text(low)) + share * v.exact(_text(high - low))).mid()


def _text(number: float) -> str:
    return f"{number:.6f}" if number >= 0 else f"-{-number:.6f}"


def draw(letter: Letter, sheet: Sheet, seed: str) -> Value:
    """A letter's value in a world: the same for the same seed."""
    kind = str(letter.spec.get("draw", ""))
    if not kind:
        raise NoValue(f"{letter.symbol} has no value here")
    rng = random.Random(f"{seed}/{letter.symbol}")
    if kind == "each":  # labels, each of them as often as the others
        labels = [k % sheet.size("K") + 1 for k in range(sheet.size("n"))]
        rng.shuffle(labels)
        return labels
    counts = [sheet.size(axis) for axis in letter.axes if axis not in ENTRIES]
    entries = [sheet.size(axis) for axis in letter.axes if axis in ENTRIES]
    return _filled(rng, kind, counts, entries, sheet)


def _filled(
    rng: random.Random, kind: str, counts: list[int], entries: list[int], sheet: Sheet
) -> Value:
    name, _, options = kind.partition(" ")
    if name == "simplex" and len(counts) == 1:
        return _shares(rng, counts[0])
    if counts:
        return [_filled(rng, kind, counts[1:], entries, sheet) for _ in range(counts[0])]
    if name == "label":
        count = int(options) if options.isdigit() else sheet.size(options or "K")
        return rng.randint(1, count)
    if name in DRAWS and not entries:
        return DRAWS[name](rng, *map(float, options.split()))
    if name in MATRICES and len(entries) == 2:
        return v.matrix(MATRICES[name](rng, *entries))
    if name == "unit" and len(entries) == 1:
        raw = [uniform(rng, -1, 1) for _ in range(entries[0])]
        length = sum((x * x for x in raw), arb(0)).sqrt()
        return v.vector((x / length).mid() for x in raw)
    if len(entries) == 1:
        return v.vector(DRAWS[name](rng, *map(float, options.split())) for _ in range(entries[0]))
    raise NoValue(f"nothing is known of the draw {kind!r}")


def _shares(rng: random.Random, count: int) -> list[arb]:
    raw = [uniform(rng, 0.2, 1.2) for _ in range(count)]
    total = sum(raw, arb(0))
    shares = [(x / total).mid() for x in raw[:-1]]
    return [*shares, 1 - sum(shares, arb(0))]


DRAWS: dict[str, Callable[..., arb]] = {
    "real": lambda rng, low=-2, high=2: uniform(rng, low, high),
    "positive": lambda rng, low=0.6, high=1.5: uniform(rng, low, high),
    "probability": lambda rng: uniform(rng, 0.05, 0.95),
}


def _lower(rng: random.Random, rows: int, columns: int) -> list[list[arb]]:
    return [
        [
            uniform(rng, 0.7, 1.4) if i == j else uniform(rng, -0.6, 0.6) if j < i else arb(0)
            for j in range(columns)
        ]
        for i in range(rows)
    ]


def _full(rng: random.Random, rows: int, columns: int) -> list[list[arb]]:
    return [[uniform(rng, -1.5, 1.5) for _ in range(columns)] for _ in range(rows)]


def _definite(rng: random.Random, rows: int, columns: int) -> list[list[arb]]:
    lower = arb_mat(_lower(rng, rows, columns))
    product = lower * lower.transpose()
    table = [[product[i, j].mid() for j in range(columns)] for i in range(rows)]
    return [[table[max(i, j)][min(i, j)] for j in range(columns)] for i in range(rows)]


def _symmetric(rng: random.Random, rows: int, columns: int) -> list[list[arb]]:
    table = _full(rng, rows, columns)
    lift = uniform(rng, -1.5, 2.5)  # some are definite, most are not
    return [
        [table[max(i, j)][min(i, j)] + (lift if i == j else 0) for j in range(columns)]
        for i in range(rows)
    ]


MATRICES = {"matrix": _full, "lower": _lower, "spd": _definite, "symmetric": _symmetric}


# --- probabilities of events ----------------------------------------------------------------------


def mixture_probability(sheet: Sheet, letter: Letter, node: Node, arguments: list[Node]) -> Value:
    """p(… | …) of points and labels, from p(x, z=j) = α_j g_j(x) alone."""
    marks = node.text
    if "|" in marks:
        at = marks.index("|") + 1
        event, given = arguments[:at], arguments[at:]
    else:
        event, given = arguments, []
    if ";" in marks:
        at = marks.index(";") + 1
        event, given = arguments[:at], []
    event = list(sheet.spread(tuple(event)))
    given = list(sheet.spread(tuple(given)))
    both = _events(sheet, [*event, *given])
    if not given:
        return _chance(sheet, letter, both)
    return v.over(_chance(sheet, letter, both), _chance(sheet, letter, _events(sheet, given)))


Point = dict[str, Any]


def _events(sheet: Sheet, items: list[Node]) -> dict[int, Point]:
    """For each observation (0: the one without an index) what is known of its point and label."""
    found: dict[int, Point] = {}
    for item in items:
        if item.op == "rel" and item.text == "< <=":
            found.setdefault(0, {})["between"] = (item.args[0], item.args[2])
            continue
        head = item.args[0] if item.op == "rel" else item
        if item.op == "rel" and (item.text != "=" or head.text != "z"):
            raise NoValue("a label has a value; nothing else does")
        if head.op != "sym" or head.text not in ("x", "z"):
            raise NoValue("an event is a point or a label")
        index = sheet.integer(sheet.evaluate(head.args[0])) if head.args else 0
        point = found.setdefault(index, {})
        if head.text == "x":
            point["x"] = sheet.evaluate(head)
        elif item.op == "rel":
            point["label"] = sheet.integer(sheet.evaluate(item.args[1]))
        else:
            point["label"] = sheet.integer(sheet.evaluate(head))
    return found


def _chance(sheet: Sheet, letter: Letter, points: dict[int, Point]) -> Value:
    product: Value = arb(1)
    for point in points.values():
        labels = [point["label"]] if "label" in point else range(1, sheet.size("K") + 1)
        total = arb(0)
        for j in labels:
            total += v.scalar(_joint(sheet, letter, point, j))
        product = v.times(product, total)
    return product


def _joint(sheet: Sheet, letter: Letter, point: Point, j: int) -> Value:
    """p(x, z=j), by its definition in the book."""
    definition = sheet.book.formulas(sheet.book.letters.events("p"))
    if definition is None:
        raise NoValue("p has no definition here")
    named = {sheet.book.find("j", ()).symbol: j}
    x = sheet.book.find("x", ())

    def at(value: Value) -> Value:
        return sheet.with_({x.symbol: value, **named}).evaluate(definition.node)

    if "x" in point:
        return at(point["x"])
    if "between" in point:
        low, high = (sheet.number(end) for end in point["between"])
        return numerics.between(at, low, high, 1)
    if sheet.book.sizes.get("d") == 1:
        return numerics.over_the_line(at)
    return sheet.evaluate(numerics.parsed(rf"\alpha_{{{j}}}", sheet.book.letters))


def table_probability(sheet: Sheet, letter: Letter, node: Node, arguments: list[Node]) -> Value:
    """p of values of a few quantities with finitely many values each, from a table of all."""
    at = node.text.index("|") + 1 if "|" in node.text else len(arguments)
    table = _table(sheet, str(letter.spec.get("table", "any")))
    event = {_variable(a): sheet.integer(sheet.evaluate(a)) for a in arguments[:at]}
    given = {_variable(a): sheet.integer(sheet.evaluate(a)) for a in arguments[at:]}
    above = _total(table, event | given)
    return above if not given else v.over(above, _total(table, given))


def _variable(node: Node) -> int:
    if node.op == "sym" and node.text == "z":
        return 3
    if node.op != "sym" or len(node.args) != 1:
        raise NoValue("p of something that is no quantity")
    return int(node.args[0].text)


def _table(sheet: Sheet, kind: str) -> dict[tuple[int, ...], arb]:
    """A probability for each triple of values; products, where they are independent."""
    rng = random.Random(f"{sheet.book.special['seed'](sheet)}/table")
    cells = list(itertools.product(range(1, 4), repeat=3))
    if kind == "any":
        return dict(zip(cells, _shares(rng, len(cells)), strict=True))
    given = [[_shares(rng, 3) for _ in range(3)] for _ in range(2)]
    third = _shares(rng, 3)
    table = {}
    for a, b, c in cells:
        at = c - 1 if kind == "given" else 0
        table[a, b, c] = given[0][at][a - 1] * given[1][at][b - 1] * third[c - 1]
    return table


def _total(table: dict[tuple[int, ...], arb], known: dict[int, int]) -> arb:
    total = arb(0)
    for cell, share in table.items():
        if all(cell[k - 1] == value for k, value in known.items()):
            total += share
    return total


# --- expectations ---------------------------------------------------------------------------------


def mean_over_samples(sheet: Sheet, body: Node) -> Value:
    """𝔼 over x₁, …, x_n, each Gaussian with μ and σ²; exact for polynomials of degree 5."""
    n = sheet.size("n")
    mu = sheet.number(numerics.parsed(r"\mu", sheet.book.letters))
    sigma = sheet.number(numerics.parsed(r"\sigma", sheet.book.letters))
    key = sheet.book.find("x", (Node("sym", (), "i"),)).symbol
    total: Value | None = None
    for nodes in itertools.product(numerics.hermite(), repeat=n):
        weight = arb(1)
        for _, w in nodes:
            weight *= w
        sample = [mu + sigma * t for t, _ in nodes]
        term = v.times(weight, sheet.with_({key: sample}).evaluate(body))
        total = term if total is None else v.add(total, term)
    return total


def mean_by_density(sheet: Sheet, body: Node) -> Value:
    """𝔼 over x with the density p(x; η)."""
    density = numerics.parsed(r"p(x;\eta)", sheet.book.letters)
    key = sheet.book.find("x", ()).symbol

    def at(x: arb) -> Value:
        s = sheet.with_({key: x})
        inside = s.evaluate(body)
        inside = v.vector(inside) if isinstance(inside, tuple) else inside
        return v.times(s.evaluate(density), inside)

    return numerics.over_the_line(at)


def mean_by_mixture(sheet: Sheet, body: Node) -> Value:
    """𝔼 over x and z with the density p(x, z=j; Θ)."""
    density = numerics.parsed(r"p(x,z=k;\Theta)", sheet.book.letters)
    x, z = sheet.book.find("x", ()).symbol, sheet.book.find("z", ()).symbol
    k = sheet.book.find("k", ()).symbol
    total: Value | None = None
    for label in range(1, sheet.size("K") + 1):

        def at(t: arb, label: int = label) -> Value:
            s = sheet.with_({x: t, z: label, k: label})
            return v.times(s.evaluate(density), v.vector(v.entries(s.evaluate(body))))

        term = numerics.over_the_line(at)
        total = term if total is None else v.add(total, term)
    return total


def chance(sheet: Sheet, event: Node) -> Value:
    """Pr of an event of x ~ N(μ, Σ) in the plane: along rays from μ, to where it ends.

    x = μ + L u with LLᵀ = Σ, and u in polar coordinates. The event holds at μ and ends once on
    each ray.
    """
    event = event.args[0] if event.op == "group" else event
    letters = sheet.book.letters
    mu = sheet.evaluate(numerics.parsed(r"\mu", letters))
    lower = cholesky(sheet.evaluate(numerics.parsed(r"\Sigma", letters)))
    x = sheet.book.find("x", ()).symbol
    total, rays = arb(0), 8
    for ray in range(rays):
        angle = (arb(2 * ray) / rays + arb(1) / 10) * arb.pi()
        direction = v.times(lower, v.vector([angle.cos(), angle.sin()]))

        def inside(t: arb, direction: Value = direction) -> bool:
            return sheet.with_({x: v.add(mu, v.times(t, direction))}).truth(event)

        low, high = arb(0), arb(30)
        if not inside(arb(1) / 10**9) or inside(high):
            raise NoValue("the event does not end on a ray")
        for _ in range(110):
            middle = ((low + high) / 2).mid()
            low, high = (middle, high) if inside(middle) else (low, middle)
        total += numerics.between(lambda t: t * (-t * t / 2).exp(), arb(0), low)
    return total / rays


# --- matrices -------------------------------------------------------------------------------------


def cholesky(a: Value) -> Value:
    table = v.as_matrix(a)
    size = table.nrows()
    low = arb_mat(size, size)
    for j in range(size):
        for i in range(j, size):
            rest = table[i, j]
            for k in range(j):
                rest -= low[i, k] * low[j, k]
            low[i, j] = v.sqrt(rest) if i == j else rest / low[j, j]
    return v.collapsed(low)


def eigen(a: Value) -> list[tuple[arb, Value]]:
    """Eigenvalues and eigenvectors of a symmetric matrix, the largest first: Jacobi's rotations."""
    table = arb_mat(v.as_matrix(a)).mid()
    size = table.nrows()
    turn = arb_mat(size, size)
    for k in range(size):
        turn[k, k] = arb(1)
    for _ in range(30):
        if all(abs(table[p, q]) < arb(10) ** -110 for p in range(size) for q in range(p)):
            break
        for p, q in itertools.combinations(range(size), 2):
            if abs(table[p, q]) < arb(10) ** -118:
                continue
            tau = (table[q, q] - table[p, p]) / (2 * table[p, q])
            t = 1 / (abs(tau) + (1 + tau * tau).sqrt())
            t = t if tau > 0 else -t
            c = 1 / (1 + t * t).sqrt()
            rotation = arb_mat(size, size)
            for k in range(size):
                rotation[k, k] = arb(1)
            rotation[p, p] = rotation[q, q] = c
            rotation[p, q], rotation[q, p] = t * c, -t * c
            table = (rotation.transpose() * table * rotation).mid()
            turn = (turn * rotation).mid()
    pairs = [(table[k, k], v.vector(turn[i, k] for i in range(size))) for k in range(size)]
    return sorted(pairs, key=lambda pair: -float(pair[0].mid()))


def _of(sheet: Sheet, letter: Letter) -> Value:
    return sheet.evaluate(numerics.parsed(str(letter.spec["of"]), sheet.book.letters))


def eigenvalues(sheet: Sheet, letter: Letter) -> Value:
    return [value for value, _ in eigen(_of(sheet, letter))]


def eigenvectors(sheet: Sheet, letter: Letter) -> Value:
    return [vector for _, vector in eigen(_of(sheet, letter))]


def eigenvector_matrix(sheet: Sheet, letter: Letter) -> Value:
    columns = [v.as_matrix(vector) for _, vector in eigen(_of(sheet, letter))]
    return v.matrix([[c[i, 0] for c in columns] for i in range(len(columns))])


def eigenvalue_matrix(sheet: Sheet, letter: Letter) -> Value:
    return v.diagonal([value for value, _ in eigen(_of(sheet, letter))])


def cholesky_factor(sheet: Sheet, letter: Letter) -> Value:
    return cholesky(_of(sheet, letter))


def cofactors(sheet: Sheet, letter: Letter) -> Value:
    table = v.as_matrix(_of(sheet, letter))
    size = table.nrows()
    return [
        [
            (-1) ** (k + j)
            * v.det(
                v.matrix(
                    [[table[a, b] for b in range(size) if b != j] for a in range(size) if a != k]
                )
                if size > 1
                else arb(1)
            )
            for j in range(size)
        ]
        for k in range(size)
    ]


def corners(sheet: Sheet, letter: Letter) -> Value:
    """The blocks in the upper left corner, with 1, 2, … rows."""
    table = v.as_matrix(_of(sheet, letter))
    return [
        v.matrix([[table[a, b] for b in range(k)] for a in range(k)])
        for k in range(1, table.nrows() + 1)
    ]


def identity(sheet: Sheet, letter: Letter) -> Value:
    return v.diagonal([arb(1)] * sheet.size("d"))


def leading_block(sheet: Sheet, letter: Letter) -> Value:
    table = v.as_matrix(_of(sheet, letter))
    size = table.nrows() - 1
    return v.matrix([[table[a, b] for b in range(size)] for a in range(size)])


def last_row(sheet: Sheet, letter: Letter) -> Value:
    """The last row without its last entry, as a column."""
    table = v.as_matrix(_of(sheet, letter))
    size = table.nrows() - 1
    return v.vector(table[size, b] for b in range(size))


# --- maxima ---------------------------------------------------------------------------------------


def solution(sheet: Sheet, letter: Letter) -> Value:
    """Where ``maximises`` is largest, or ``stationary`` has no slope, over the places ``over``."""
    spec = letter.spec
    letters = sheet.book.letters
    places = [numerics.parsed(str(p), letters) for p in spec["over"]]
    text = str(spec.get("maximises") or spec.get("stationary"))
    body = numerics.parsed(text, letters)

    def work() -> Value:
        start = _begun(sheet, letter, places)
        if "subject" in spec:
            equation = numerics.parsed(str(spec["subject"]), letters)
            found = numerics.constrained(start, body, equation, places)
        else:
            climbs = "maximises" in spec
            found = numerics.stationary(start, lambda s: s.evaluate(body), places, climbs=climbs)
        return [value for _, value in found]

    values = sheet.remembered((f"the solution of {text}", ()), work, set())
    symbols = spec["symbol"] if isinstance(spec["symbol"], list) else [spec["symbol"]]
    value = values[symbols.index(letter.symbol)]
    return v.sqrt(value) if places[symbols.index(letter.symbol)].op == "pow" else value


def _begun(sheet: Sheet, letter: Letter, places: list[Node]) -> Sheet:
    """The sheet from which a solution is looked for: nothing of the display is in the places."""
    spec, letters = letter.spec, sheet.book.letters
    for place in places:
        head = place.args[0] if place.op == "pow" else place
        moved = sheet.book.find(head.text, head.args)
        if "draw" in moved.spec:
            drawn = sheet.book.draw(moved, sheet.root)
            sheet = sheet.with_({moved.symbol: drawn})
    for name, value in spec.get("start", {}).items():
        place = numerics.parsed(str(name), letters)
        formula = numerics.parsed(str(value), letters)
        for here in _at_each(sheet, place):
            target = numerics.replaced(place, here)
            at = sheet.with_({sheet.book.find(n, ()).symbol: k for n, k in here.items()})
            sheet = sheet.assign(target, at.evaluate(formula))
    return sheet


def _at_each(sheet: Sheet, place: Node) -> Iterator[dict[str, int]]:
    """The values of the indices of a place that are not given yet."""
    names = []
    for part in place.walk():
        if part.op == "sym" and not part.args:
            rows = sheet.book.letters.by_base.get(part.text, ())
            if rows and "index" in rows[0].spec and sheet.written(rows[0].symbol) is None:
                names.append(part)
    for values in itertools.product(*(sheet.range(name) for name in names)):
        yield {name.text: k for name, k in zip(names, values, strict=True)}


def separate_solutions(sheet: Sheet, letter: Letter) -> Value:
    """For each component j the place that maximises, with the others where they stand."""
    spec, letters = letter.spec, sheet.book.letters
    body = numerics.parsed(str(spec["maximises"]), letters)
    j = sheet.book.find("j", ()).symbol
    symbols = spec["symbol"] if isinstance(spec["symbol"], list) else [spec["symbol"]]

    def work() -> Value:
        found = []
        places = [numerics.parsed(str(p), letters) for p in spec["over"]]
        for k in range(1, sheet.size("K") + 1):
            s = _begun(sheet.with_({j: k}), letter, places)
            solved = numerics.stationary(s, lambda t: t.evaluate(body), places, climbs=True)
            found.append([value for _, value in solved])
        return found

    table = sheet.remembered((f"the solutions of {spec['maximises']}", ()), work, {j})
    at = symbols.index(letter.symbol)
    is_square = numerics.parsed(str(spec["over"][at]), letters).op == "pow"
    return [v.sqrt(row[at]) if is_square else row[at] for row in table]


def root(sheet: Sheet, letter: Letter) -> Value:
    """A zero of ``root`` in the letter ``over``, by bisection between two ends."""
    spec, letters = letter.spec, sheet.book.letters
    body = numerics.parsed(str(spec["root"]), letters)
    place = numerics.parsed(str(spec["over"]), letters)
    low, high = (sheet.number(numerics.parsed(str(e), letters)) for e in spec["between"])

    def sign(t: arb) -> bool:
        return bool(sheet.assign(place, t).number(body) > 0)

    at_low = sign(low)
    if sign(high) == at_low:
        raise NoValue("no zero between the two ends")
    for _ in range(380):
        middle = ((low + high) / 2).mid()
        if sign(middle) == at_low:
            low = middle
        else:
            high = middle
    return low


# --- EM, by code of its own -----------------------------------------------------------------------


def _density(x: Value, mean: Value, covariance: Value) -> arb:
    gap = v.as_matrix(v.add(x, v.negative(mean)))
    spread = v.as_matrix(covariance)
    quadratic = (gap.transpose() * spread.solve(gap))[0, 0]
    return (-quadratic / 2).exp() / ((2 * arb.pi()) ** spread.nrows() * spread.det()).sqrt()


Parameters = tuple[list[arb], list[Value], list[Value]]


def em_step(data: list[Value], theta: Parameters) -> Parameters:
    """One iteration of EM, written without a look at the displays."""
    weights, means, covariances = theta
    table = []
    for x in data:
        row = [a * _density(x, m, c) for a, m, c in zip(weights, means, covariances, strict=True)]
        total = sum(row, arb(0))
        table.append([r / total for r in row])
    found: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
    for j in range(len(weights)):
        shares = [row[j] for row in table]
        count = sum(shares, arb(0))
        mean = _weighted(data, shares, count)
        outer = [
            v.times(v.add(x, v.negative(mean)), v.transpose(v.add(x, v.negative(mean))))
            for x in data
        ]
        found[0].append((count / len(data)).mid())
        found[1].append(_middle(mean))
        found[2].append(_middle(_weighted(outer, shares, count)))
    return found


def _weighted(items: list[Value], shares: list[arb], count: arb) -> Value:
    total: Value | None = None
    for item, share in zip(items, shares, strict=True):
        term = v.times(share, item)
        total = term if total is None else v.add(total, term)
    return v.over(total, count)


def _middle(value: Value) -> Value:
    return value.mid()


def _parameters(sheet: Sheet, mark: str) -> Parameters:
    letters = sheet.book.letters
    found = sheet.evaluate(numerics.parsed(rf"\theta{mark}", letters))
    return tuple(found)  # type: ignore[return-value]


def after_a_step(sheet: Sheet, letter: Letter) -> Value:
    """α⁺, μ⁺ or Σ⁺: one iteration of EM from θ′."""

    def work() -> Value:
        return em_step(_data(sheet), _parameters(sheet, "'"))

    found = sheet.remembered(("the step from θ'", ()), work, set())
    return found[int(letter.spec["part"])]


def _data(sheet: Sheet) -> list[Value]:
    letter = sheet.book.find("x", (Node("sym", (), "i"),))
    return sheet.read(letter, ())


def run_of_em(sheet: Sheet, letter: Letter) -> Value:
    """θ⁽⁰⁾, θ⁽¹⁾, …, each an iteration of EM from the one before."""
    data = _data(sheet)
    theta = _parameters(sheet, "")
    found = [theta]
    for _ in range(sheet.size("T")):
        found.append(em_step(data, found[-1]))
    return found


def posterior(sheet: Sheet, letter: Letter, node: Node | None = None, arguments: Any = ()) -> Value:
    """β(θ): p(z_i=j | x_i) for all points and components, with θ in its place."""
    formula = numerics.parsed(r"p(z_i=j\mid x_i)", sheet.book.letters)
    i, j = sheet.book.find("i", ()).symbol, sheet.book.find("j", ()).symbol
    return [
        [sheet.with_({i: a, j: b}).evaluate(formula) for b in range(1, sheet.size("K") + 1)]
        for a in range(1, sheet.size("n") + 1)
    ]


def means_at_rest(sheet: Sheet, letter: Letter) -> Value:
    """The means where ℓ is level: many steps of EM, then Newton's method."""
    mean = sheet.book.find(r"\mu", (Node("sym", (), "j"),))
    start = sheet.with_({mean.symbol: sheet.book.draw(mean, sheet.root)})
    weights, means, covariances = _parameters(start, "")
    data = _data(start)
    for _ in range(100):
        means = em_step(data, (weights, means, covariances))[1]
    place = numerics.parsed(r"\mu_\cdot", sheet.book.letters)
    body = numerics.parsed(r"\ell(\theta)", sheet.book.letters)
    start = start.assign(place, means)
    found = numerics.stationary(start, lambda s: s.evaluate(body), [place], climbs=False)
    return found[0][1]


def permutation(sheet: Sheet, letter: Letter, node: Node, arguments: list[Node]) -> Value:
    count = sheet.size("K")
    order = list(range(1, count + 1))
    rng = random.Random(f"{sheet.book.special['seed'](sheet)}/permutation")
    while order == list(range(1, count + 1)):
        rng.shuffle(order)
    return arb(order[sheet.at(arguments[0]) - 1])


def derangements(sheet: Sheet, letter: Letter) -> Value:
    """The share of the orders of K in which nothing is in its place, by looking at all of them."""
    places = range(sheet.size("K"))
    orders = list(itertools.permutations(places))
    moved = sum(all(order[k] != k for k in places) for order in orders)
    return arb(moved) / len(orders)


def coefficients(sheet: Sheet, letter: Letter) -> Value:
    """Of x and x² in log N(x; μ, σ²), by differences at 0."""
    body = numerics.parsed(r"\log\mathcal N(x;\mu,\sigma^2)", sheet.book.letters)
    x = numerics.parsed("x", sheet.book.letters)
    here = sheet.assign(x, arb(0))
    order = 1 if letter.base == "b" else 2
    slope = numerics.derivative(here, lambda s: s.evaluate(body), x, order)
    return v.over(slope, arb(order))


# --- data, and fits of other programs -------------------------------------------------------------


def family_probability(sheet: Sheet, letter: Letter, node: Node, arguments: list[Node]) -> Value:
    """p(x, z=j; Θ), by its definition, at any point and label."""
    definition = sheet.book.formulas(letter)
    if definition is None or len(arguments) != 3 or arguments[1].op != "rel":
        raise NoValue("p(x, z=j; Θ) takes a point, a label and Θ")
    x, j = sheet.book.find("x", ()).symbol, sheet.book.find("j", ()).symbol
    label = sheet.at(arguments[1].args[1])
    here = sheet.with_({x: sheet.evaluate(arguments[0]), j: label})
    return here.evaluate(definition.node)


def _statistics(sheet: Sheet) -> list[arb_mat]:
    """T(x_i) for each point, as the book defines it."""
    formula = numerics.parsed("T(x_i)", sheet.book.letters)
    i = sheet.book.find("i", ()).symbol
    return [
        v.as_matrix(v.vector(v.entries(sheet.with_({i: k}).evaluate(formula))))
        for k in range(1, sheet.size("n") + 1)
    ]


def matrix_of_statistics(sheet: Sheet, letter: Letter) -> Value:
    columns = _statistics(sheet)
    return v.matrix([[c[row, 0] for c in columns] for row in range(columns[0].nrows())])


def matrix_of_parameters(sheet: Sheet, letter: Letter) -> Value:
    theta = sheet.evaluate(numerics.parsed(r"\Theta_\cdot", sheet.book.letters))
    return v.matrix([v.entries(row) for row in theta])


def _shares_of(sheet: Sheet) -> list[list[arb]]:
    return [
        v.entries(row)
        for row in sheet.evaluate(numerics.parsed(r"\beta_\cdot", sheet.book.letters))
    ]


def matrix_of_shares(sheet: Sheet, letter: Letter) -> Value:
    shares = _shares_of(sheet)
    return v.matrix([[row[j] for row in shares] for j in range(len(shares[0]))])


def matrix_of_sums(sheet: Sheet, letter: Letter) -> Value:
    """The row of component j is the sum of β_ij T(x_i)."""
    shares, columns = _shares_of(sheet), _statistics(sheet)
    rows = []
    for j in range(len(shares[0])):
        total = arb_mat(columns[0].nrows(), 1)
        for row, column in zip(shares, columns, strict=True):
            total = total + column * row[j]
        rows.append(v.entries(total))
    return v.matrix(rows)


def rows_of_sums(sheet: Sheet, letter: Letter) -> Value:
    table = v.as_matrix(matrix_of_sums(sheet, letter))
    return [v.vector(table[j, k] for k in range(table.ncols())) for j in range(table.nrows())]


def length_of_statistics(sheet: Sheet, letter: Letter) -> Value:
    return len(v.entries(sheet.evaluate(numerics.parsed("T(x)", sheet.book.letters))))


def _natural(theta: Parameters, shift: arb) -> list[Value]:
    """On the line: the three numbers of each component."""
    found = []
    for a, m, c in zip(*theta, strict=True):
        constant = a.log() - (2 * arb.pi() * c).log() / 2 - m * m / (2 * c) + shift
        found.append(v.vector([constant, m / c, -1 / (2 * c)]))
    return found


def natural_shifted(sheet: Sheet, letter: Letter) -> Value:
    """Natural parameters whose total is not 1, so that A is not 0."""
    rng = random.Random(f"{sheet.book.special['seed'](sheet)}/shift")
    return _natural(_parameters(sheet, ""), uniform(rng, 0.2, 0.9))


def natural_after_a_step(sheet: Sheet, letter: Letter) -> Value:
    """The natural parameters of the M-step for the shares β."""
    data, shares = _data(sheet), _shares_of(sheet)
    theta: tuple[list[arb], list[arb], list[arb]] = ([], [], [])
    for j in range(len(shares[0])):
        count = sum((row[j] for row in shares), arb(0))
        mean = sum((row[j] * x for row, x in zip(shares, data, strict=True)), arb(0)) / count
        square = sum(
            (row[j] * (x - mean) ** 2 for row, x in zip(shares, data, strict=True)), arb(0)
        )
        theta[0].append(count / len(data))
        theta[1].append(mean)
        theta[2].append(square / count)
    return _natural(theta, arb(0))


def blocks(sheet: Sheet, letter: Letter) -> list[list[int]]:
    """The points in R blocks, each in one."""
    rng = random.Random(f"{sheet.book.special['seed'](sheet)}/blocks")
    points = list(range(1, sheet.size("n") + 1))
    rng.shuffle(points)
    count = sheet.size("R")
    return [sorted(points[k::count]) for k in range(count)]


def on_a_block(sheet: Sheet, letter: Letter, node: Node) -> Value:
    """A sum over the points of one block: as if there were no others."""
    block = sheet.evaluate(node.args[0])
    if not isinstance(block, list):
        raise NoValue("this is no block")
    data = _data(sheet)
    x = sheet.book.find("x", (Node("sym", (), "i"),)).symbol
    n = sheet.book.find("n", ()).symbol
    here = sheet.with_({x: [data[k - 1] for k in block], n: len(block)})
    return here.evaluate(numerics.parsed(str(letter.spec["block"]), sheet.book.letters))


def divergence(sheet: Sheet, letter: Letter, node: Node, arguments: list[Node]) -> Value:
    """KL of two Gaussians: the mean of log g - log g′ over the first; both are quadratics."""
    first, second = arguments
    j = first.args[0]
    letters = sheet.book.letters
    k = sheet.at(j)
    mean = sheet.evaluate(numerics.parsed(rf"\mu_{{{k}}}", letters))
    lower = v.as_matrix(cholesky(sheet.evaluate(numerics.parsed(rf"\Sigma_{{{k}}}", letters))))
    x = sheet.book.find("x", ())
    total = arb(0)
    for nodes in itertools.product(numerics.hermite(), repeat=lower.nrows()):
        weight = arb(1)
        for _, w in nodes:
            weight *= w
        step = v.collapsed(lower * arb_mat([[t] for t, _ in nodes]))
        here = sheet.with_({x.symbol: v.add(mean, step)})
        place = numerics.parsed("x", letters)
        logs = [v.log(here.evaluate(Node("call", (density, place)))) for density in (first, second)]
        total += weight * (logs[0] - logs[1])
    return total


def leap_shares(sheet: Sheet, letter: Letter) -> Value:
    """γ₀ and γ₁ with the sum 1 for which the mixed step is as short as can be."""
    letters = sheet.book.letters
    places = [sheet.number(numerics.parsed(rf"\theta_{k}", letters)) for k in range(3)]
    first, second = places[1] - places[0], places[2] - places[1]
    share = -first / (second - first)
    return [1 - share, share]


def run_with_leaps(sheet: Sheet, letter: Letter) -> Value:
    """EM that tries twice the step, and keeps it only where ℓ is not lower."""
    data, theta = _data(sheet), _parameters(sheet, "")
    found = [theta]
    for _ in range(sheet.size("T")):
        plain = em_step(data, theta)
        bold = tuple(
            [v.add(b, v.add(b, v.negative(a))) for a, b in zip(old, new, strict=True)]
            for old, new in zip(theta, plain, strict=True)
        )
        theta = bold if _height(data, bold) >= _height(data, plain) else plain
        found.append(theta)
    return found


def _height(data: list[Value], theta: Parameters) -> float:
    weights, _, covariances = theta
    try:
        for covariance in covariances:
            cholesky(covariance)
    except (NoValue, ZeroDivisionError):
        return float("-inf")
    if not all(w > 0 for w in weights):
        return float("-inf")
    total = arb(0)
    for x in data:
        total += sum((w * _density(x, m, c) for w, m, c in zip(*theta, strict=True)), arb(0)).log()
    return float(total.mid())


def free_parameters(sheet: Sheet, letter: Letter) -> Value:
    """Counted one by one: weights that are free, means, entries of one symmetric matrix."""
    K, d = sheet.size("K"), sheet.size("d")
    weights = len(range(K)) - 1
    means = len([(j, a) for j in range(K) for a in range(d)])
    entries = len([(a, b) for a in range(d) for b in range(d) if a <= b])
    return weights + means + entries


def step_length(sheet: Sheet, letter: Letter, node: Node, arguments: Any = ()) -> Value:
    """D(θ, θ′), entry by entry."""
    old, new = _parameters(sheet, ""), _parameters(sheet, "'")
    total = arb(0)
    for k in range(len(old[0])):
        total += ((new[0][k] - old[0][k]) / old[0][k]) ** 2
        precision = v.as_matrix(v.inverse(old[2][k]))
        moved = v.as_matrix(v.add(new[1][k], v.negative(old[1][k])))
        turned = v.as_matrix(v.add(new[2][k], v.negative(old[2][k])))
        size = precision.nrows()
        for a in range(size):
            for b in range(size):
                total += moved[a, 0] * precision[a, b] * moved[b, 0]
                first = sum((precision[a, c] * turned[c, b] for c in range(size)), arb(0))
                second = sum((precision[b, c] * turned[c, a] for c in range(size)), arb(0))
                total += first * second / 2
    return total.sqrt()


def correlation(sheet: Sheet, letter: Letter) -> Value:
    """Of x₁ and x₂: the mean product of the two, each in its own standard deviations."""
    lower = v.as_matrix(cholesky(_of(sheet, letter)))
    lengths = [sum((lower[k, c] ** 2 for c in range(2)), arb(0)).sqrt() for k in range(2)]
    return sum((lower[0, c] / lengths[0] * lower[1, c] / lengths[1] for c in range(2)), arb(0))


def uncertainties(sheet: Sheet, letter: Letter) -> Value:
    weights, means, covariances = _parameters(sheet, "")
    found = []
    for x in _data(sheet):
        row = [w * _density(x, m, c) for w, m, c in zip(weights, means, covariances, strict=True)]
        found.append(1 - max(row, key=lambda r: float(r.mid())) / sum(row, arb(0)))
    return found


def place_of_the_leap(sheet: Sheet, letter: Letter) -> Value:
    letters = sheet.book.letters
    shares = sheet.evaluate(numerics.parsed(r"\hat\gamma_\cdot", letters))
    places = sheet.evaluate(numerics.parsed(r"\theta_\cdot", letters))
    steps = sheet.evaluate(numerics.parsed(r"r_\cdot", letters))
    ends = [v.add(a, b) for a, b in zip(places, steps, strict=True)]
    return _weighted(ends, shares, arb(1))


def start_of_em(sheet: Sheet, letter: Letter) -> Value:
    data, count = _data(sheet), sheet.size("K")
    if r"\alpha" in letter.base:
        return [arb(1) / count] * count
    chosen = sheet.evaluate(numerics.parsed(r"i_\cdot", sheet.book.letters))
    if r"\mu" in letter.base:
        return [data[k - 1] for k in chosen]
    n = arb(len(data))
    mean = _weighted(data, [arb(1)] * len(data), n)
    gaps = [v.add(x, v.negative(mean)) for x in data]
    outer = [v.times(g, v.transpose(g)) for g in gaps]
    return [_weighted(outer, [arb(1)] * len(data), n)] * count


def eigenvalue_by_sign(sheet: Sheet, letter: Letter) -> Value:
    values = [value for value, _ in eigen(_of(sheet, letter))]
    sheet.book.track({numerics.SIGN})
    return values[0] if sheet.written(numerics.SIGN) > 0 else values[1]


def shape_parts(sheet: Sheet, letter: Letter) -> Value:
    """λ_j, V_j, A_j: volume, orientation and shape of each covariance."""
    found = []
    for k in range(1, sheet.size("K") + 1):
        sigma = sheet.evaluate(numerics.parsed(rf"\Sigma_{{{k}}}", sheet.book.letters))
        size = v.as_matrix(sigma).nrows()
        volume = v.det(sigma).root(size)
        pairs = eigen(sigma)
        turn = v.matrix([[v.as_matrix(p[1])[i, 0] for p in pairs] for i in range(size)])
        shape = v.diagonal([p[0] / volume for p in pairs])
        found.append({"\\lambda": volume, "V": turn, "A": shape}[letter.base])
    return found


def data_of(name: str) -> Callable[[Sheet, Letter], Value]:
    def read(sheet: Sheet, letter: Letter) -> Value:
        return [v.exact(repr(float(x))) for x in _table_of(name)]

    return read


def _table_of(name: str) -> Any:
    from gmmlib import datasets

    if name == "waits":
        return datasets.old_faithful()[:, 1]
    return getattr(datasets, name)()


def end_of_em(sheet: Sheet, letter: Letter) -> Value:
    """Where scikit-learn's EM comes to rest, on the data that stand in the world."""
    is_shared = bool(letter.spec.get("shared"))
    weights, means, covariances = _sklearn(sheet, "tied" if is_shared else "full")
    if r"\alpha" in letter.base:
        return [arb(float(weight)) for weight in weights]
    if r"\mu" in letter.base:
        return [arb(float(mean)) for mean in means.ravel()]
    deviations = [arb(float(variance)).sqrt() for variance in covariances.ravel()]
    return deviations[0] if is_shared else deviations


def _sklearn(sheet: Sheet, covariance_type: str) -> tuple[Any, Any, Any]:
    import numpy as np
    from sklearn.mixture import GaussianMixture

    x = np.array([float(value.mid()) for value in _data(sheet)])
    starts = {5: [1.0, 2.0], 20: [4.0, 1.0], 272: [55.0, 80.0]}
    spread = {5: 2.0, 20: 1.0, 272: 36.0}[len(x)]
    precision = [[1 / spread]] if covariance_type == "tied" else [[[1 / spread]]] * 2
    model = GaussianMixture(
        2,
        covariance_type=covariance_type,
        tol=1e-14,
        reg_covar=0,
        max_iter=20000,
        weights_init=[0.5, 0.5],
        means_init=[[m] for m in starts[len(x)]],
        precisions_init=precision,
    )
    model.fit(x[:, np.newaxis])
    return model.weights_, model.means_, model.covariances_


def best_eee(sheet: Sheet, letter: Letter) -> Value:
    """The best of many runs of scikit-learn on Old Faithful: three components, one covariance."""
    from sklearn.mixture import GaussianMixture

    from gmmlib import datasets

    data = datasets.old_faithful()
    model = GaussianMixture(
        3, covariance_type="tied", n_init=8, tol=1e-7, max_iter=3000, random_state=1, reg_covar=0
    )
    return arb(float(model.fit(data).score(data) * len(data)))


def step_from_here(sheet: Sheet, letter: Letter) -> Value:
    """α̂, μ̂ or σ̂ after one iteration of EM from θ."""

    def work() -> Value:
        return em_step(_data(sheet), _parameters(sheet, ""))

    weights, means, covariances = sheet.remembered(("the step from θ", ()), work, set())
    if r"\alpha" in letter.base:
        return weights
    return means if r"\mu" in letter.base else [c.sqrt() for c in covariances]


def all_labelings(sheet: Sheet, letter: Letter) -> Iterator[list[int]]:
    counts = range(1, sheet.size("K") + 1)
    return (list(z) for z in itertools.product(counts, repeat=sheet.size("n")))


SPECIAL: dict[str, Callable[..., Any]] = {
    "step length": step_length,
    "correlation": correlation,
    "uncertainties": uncertainties,
    "place of the leap": place_of_the_leap,
    "start of EM": start_of_em,
    "means at rest": means_at_rest,
    "family probability": family_probability,
    "matrix of T": matrix_of_statistics,
    "matrix of Theta": matrix_of_parameters,
    "matrix of beta": matrix_of_shares,
    "matrix of sums": matrix_of_sums,
    "rows of sums": rows_of_sums,
    "length of T": length_of_statistics,
    "natural, shifted": natural_shifted,
    "natural, after a step": natural_after_a_step,
    "blocks": blocks,
    "all blocks": blocks,
    "on a block": on_a_block,
    "divergence": divergence,
    "leap shares": leap_shares,
    "run with leaps": run_with_leaps,
    "free parameters": free_parameters,
    "eigenvalue by sign": eigenvalue_by_sign,
    "volume, orientation, shape": shape_parts,
    "posterior": posterior,
    "permutation": permutation,
    "derangements": derangements,
    "coefficients of log N": coefficients,
    "data of the note": data_of("worked_example"),
    "data of ESL": data_of("esl_mixture"),
    "data of the waits": data_of("waits"),
    "end of EM": end_of_em,
    "best EEE": best_eee,
    "step from here": step_from_here,
    "mixture probability": mixture_probability,
    "table probability": table_probability,
    "mean over samples": mean_over_samples,
    "mean by density": mean_by_density,
    "mean by mixture": mean_by_mixture,
    "chance": chance,
    "eigenvalues": eigenvalues,
    "eigenvectors": eigenvectors,
    "eigenvector matrix": eigenvector_matrix,
    "eigenvalue matrix": eigenvalue_matrix,
    "cholesky factor": cholesky_factor,
    "cofactors": cofactors,
    "corners": corners,
    "identity": identity,
    "leading block": leading_block,
    "last row": last_row,
    "solution": solution,
    "separate solutions": separate_solutions,
    "root": root,
    "after a step": after_a_step,
    "run of EM": run_of_em,
    "all labelings": all_labelings,
}
