"""A sheet of letters and their values, like a spreadsheet, on which a tree is evaluated.

A letter's value is written on the sheet, or drawn, or comes from a formula; a formula is worked
out where it is read, so that what depends on a letter changes with it. A child is the sheet with
some letters written over. What was worked out is kept with the letters that it was read from, and
serves every sheet that has not written over one of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from flint import arb, arb_mat

from formulas import numerics
from formulas import values as v
from formulas.letters import Letter, Letters, Undeclared
from formulas.tree import Node, number, renamed
from formulas.values import NoValue, Value

Index = tuple[int, ...]


class Formula:
    """A cell that is worked out: a tree, and the indices that it is written in."""

    def __init__(self, node: Node, pattern: tuple[Node, ...] = ()) -> None:
        self.node, self.pattern = node, pattern


class Book:
    """What sheets of one display share: its letters, sizes, draws and the letters' formulas."""

    def __init__(
        self,
        letters: Letters,
        sizes: dict[str, int],
        draw: Callable[[Letter, Sheet], Value],
        formulas: Callable[[Letter], Formula | None],
        special: dict[str, Callable[..., Value]],
    ) -> None:
        self.letters, self.sizes, self.draw = letters, sizes, draw
        self.formulas, self.special = formulas, special
        self.trackers: list[set[str]] = []
        self.found: dict[tuple[str, tuple[Node, ...], int | None], Letter] = {}
        self.used: set[str] = set()
        self.plans: dict[int, tuple[Node, Any]] = {}  # with the node, so that its id stays its own

    def find(self, base: str, subs: tuple[Node, ...], arguments: int | None = None) -> Letter:
        key = base, subs, arguments
        if key not in self.found:
            self.found[key] = self.letters.find(base, subs, arguments)
        return self.found[key]

    def track(self, keys: set[str]) -> None:
        if self.trackers:
            self.trackers[-1] |= keys


class Sheet:
    """Letters and their values; ``over`` is what this sheet has written over its parent's."""

    def __init__(
        self,
        book: Book,
        parent: Sheet | None = None,
        over: dict[str, Any] | None = None,
        changed: set[str] | None = None,
    ) -> None:
        self.book, self.parent = book, parent
        self.over: dict[str, Any] = over or {}
        # what depends on one of these is another value here: a letter, or an item of it
        self.changed = _touched(self.over) if changed is None else changed
        self.cache: dict[tuple[Any, Any], tuple[Value, frozenset[str]]] = {}

    def child(self, **over: Any) -> Sheet:
        return Sheet(self.book, self, over)

    def with_(self, over: dict[str, Any]) -> Sheet:
        return Sheet(self.book, self, over)

    @property
    def root(self) -> Sheet:
        sheet = self
        while sheet.parent is not None:
            sheet = sheet.parent
        return sheet

    # --- reading letters ---

    def written(self, key: str) -> Any:
        """What is written for a letter here or on a parent; None where nothing is."""
        sheet: Sheet | None = self
        while sheet is not None:
            if key in sheet.over:
                return sheet.over[key]
            sheet = sheet.parent
        return None

    def read(self, letter: Letter, index: Index) -> Value:
        """The value of a letter: all of it, or the item with this index."""
        key = letter.symbol
        self.book.used.add(key)
        if self.book.trackers:
            self.book.trackers[-1].add(f"{key}/{index[0]}" if index else key)
        spec = letter.spec
        cell = self.written(key)
        if type(cell) is arb:
            return cell
        if cell is None and "size" in spec:
            return self.book.sizes[letter.base]
        if cell is None and "special" in spec:
            work = self.book.special[spec["special"]]
            whole = self.remembered((key, ()), lambda: work(self, letter), set())
            first = int(spec.get("counts from", 1))
            return self.item(letter, whole, tuple(at - first + 1 for at in index), ())
        if cell is None and (alias := self.alias(letter)) is not None:
            return self.read_alias(letter, alias, index)
        if cell is None:
            formula = self.book.formulas(letter)
            if formula is None:
                cell = self.draw(letter)
            else:
                return self.formula(letter, formula, index)
        if isinstance(cell, Formula):
            return self.formula(letter, cell, index)
        return self.item(letter, cell, index, ())

    def draw(self, letter: Letter) -> Value:
        value = self.book.draw(letter, self.root)
        self.root.over[letter.symbol] = value
        return value

    def item(self, letter: Letter, cell: Any, index: Index, path: Index) -> Value:
        for k, at in enumerate(index):
            if isinstance(cell, Formula):
                break
            if not isinstance(cell, list):
                raise NoValue(f"{letter.symbol} has no index {at}")
            if not 1 <= at <= len(cell):
                raise NoValue(f"{letter.symbol} has no item {at}: there are {len(cell)}")
            cell = cell[at - 1]
            path = index[: k + 1]
        if isinstance(cell, Formula):
            return self.formula(letter, cell, index[len(path) :], path)
        if isinstance(cell, list):
            return [self.item(letter, one, (), (*path, k + 1)) for k, one in enumerate(cell)]
        return cell

    def formula(self, letter: Letter, formula: Formula, index: Index, path: Index = ()) -> Value:
        """A formula's value at an index, or at all of them where the index is not complete.

        ``path``: of the item whose formula it is, where the items have formulas of their own.
        """
        missing = formula.pattern[len(index) :]
        if missing:
            axis = self.range(missing[0])
            return [self.formula(letter, formula, (*index, k), path) for k in axis]
        return self.remembered(
            (letter.symbol, (*path, *index)),
            lambda: self.with_(
                {
                    self.book.find(node.text, node.args).symbol: at
                    for node, at in zip(formula.pattern, index, strict=True)
                    if node.op == "sym"
                }
            ).evaluate(formula.node),
            {self.book.find(n.text, n.args).symbol for n in formula.pattern if n.op == "sym"},
            {letter.symbol},
        )

    def remembered(
        self,
        key: tuple[Any, Any],
        work: Callable[[], Value],
        bound: set[str],
        own: set[str] | None = None,
    ) -> Value:
        """What was worked out before, unless something that it was read from is another now.

        ``own``: letters on which it depends without reading them, as its formula does on itself.
        """
        above: set[str] = set()
        sheet: Sheet | None = self
        while sheet is not None:
            hit = sheet.cache.get(key)
            if hit is not None and hit[1].isdisjoint(above):
                self.book.track(set(hit[1]))
                return hit[0]
            above |= sheet.changed
            sheet = sheet.parent
        if len(self.book.trackers) > 150:
            raise NoValue(f"{key[0]} is defined by itself")
        self.book.trackers.append(set())
        try:
            value = work()
        finally:
            read = self.book.trackers.pop()
        read -= bound
        read |= own or set()
        self.book.track(read)
        sheet = self
        while sheet.parent is not None and read.isdisjoint(sheet.changed):
            sheet = sheet.parent
        sheet.cache[key] = value, frozenset(read)
        return value

    def range(self, node: Node) -> range:
        """What an index runs over."""
        letter = self.book.find(node.text, node.args)
        axis = letter.spec.get("index")
        if axis is None:
            raise NoValue(f"{node.text} is no index")
        return range(1, self.size(str(axis)) + 1)

    def size(self, name: str) -> int:
        if name in self.book.sizes and self.written(name) is None:
            return self.book.sizes[name]
        letter = self.book.find(name, ())
        return self.integer(self.read(letter, ()))

    def alias(self, letter: Letter) -> Node | None:
        """On the line a covariance matrix is a variance."""
        alias = letter.spec.get("line")
        if alias is None or self.book.sizes.get("d") != 1:
            return None
        return numerics.parsed(str(alias), self.book.letters)

    def read_alias(self, letter: Letter, alias: Node, index: Index) -> Value:
        return self.formula(letter, Formula(alias, letter.counts), index)

    # --- writing letters ---

    def assign(self, place: Node, value: Value) -> Sheet:
        """The sheet with a value written into a place: a letter, an entry, a square, an inverse."""
        op = place.op
        if op == "pow" and place.args[1] == number("2"):
            return self.assign(place.args[0], v.sqrt(value))
        if op == "inv":
            return self.assign(place.args[0], v.inverse(value))
        if op == "T":
            return self.assign(place.args[0], v.transpose(value))
        if op == "log":
            return self.assign(place.args[0], v.scalar(value).exp())
        if op == "group":
            return self.assign(place.args[0], value)
        if op == "entry":
            whole, *subs = place.args
            index = tuple(self.at(sub) for sub in subs)
            return self.assign(whole, _replaced(self.evaluate(whole), (), index, value))
        if op == "precision":
            matrix, i, j = place.args
            moved = arb_mat(v.as_matrix(v.inverse(self.evaluate(matrix))))
            row, column = self.at(i) - 1, self.at(j) - 1
            moved[row, column] = moved[column, row] = v.scalar(value)
            return self.assign(matrix, v.inverse(v.collapsed(moved)))
        if op == "multiplier":
            return self.with_({numerics.MULTIPLIER: value})
        if op == "tuple":
            sheet = self
            for part, item in zip(place.args, self.parts_of(value, len(place.args)), strict=True):
                sheet = sheet.assign(part, item)
            return sheet
        if op != "sym":
            raise NoValue(f"nothing can be written into {place}")
        letter = self.book.find(place.text, place.args)
        if letter.is_function:
            raise NoValue(f"{letter.symbol} is a function, and no place for a value")
        if place.args and all(sub.op == "all" for sub in place.args):
            place = Node("sym", (), place.text)
        if "parts" in letter.spec:
            sheet = self
            for part, item in zip(self.parts(letter), value, strict=True):
                sheet = sheet.assign(part, item)
            return sheet
        if self.written(letter.symbol) is None and (alias := self.alias(letter)) is not None:
            if letter.counts and not place.args:
                sheet = self
                for k, item in enumerate(value):
                    target = renamed(alias, letter.counts[0], number(str(k + 1)))
                    sheet = sheet.assign(target, item)
                return sheet
            for own, given in zip(letter.counts, place.args, strict=False):
                alias = renamed(alias, own, given)
            return self.assign(alias, value)
        index, rest = self.index_of(letter, place.args)
        if not index and not rest:
            return self.with_({letter.symbol: value})
        whole = self.read(letter, ())
        over = {letter.symbol: _replaced(whole, index, rest, value)}
        changed = {letter.symbol, f"{letter.symbol}/{index[0]}"} if index else None
        return Sheet(self.book, self, over, changed)

    def parts(self, letter: Letter) -> list[Node]:
        return [numerics.parsed(str(part), self.book.letters) for part in letter.spec["parts"]]

    def parts_of(self, value: Value, count: int) -> list[Value]:
        if isinstance(value, tuple | list) and len(value) == count:
            return list(value)
        found = v.entries(value)
        if len(found) != count:
            raise NoValue(f"{count} places for {v.kind(value)}")
        return list(found)

    def index_of(self, letter: Letter, subs: tuple[Node, ...]) -> tuple[Index, Index]:
        if not subs:
            return (), ()
        pattern = letter.pattern
        own = [
            self.at(s)
            for s, p in zip(subs, pattern, strict=False)
            if p.op != "num" and s.op != "all"
        ]
        return tuple(own), tuple(self.at(s) for s in subs[len(pattern) :])

    def at(self, node: Node) -> int:
        """An index: a number, a letter that counts, or what comes to a whole number."""
        if node.op == "num":
            return int(node.text)
        value = self.evaluate(node)
        return value if type(value) is int else self.integer(value)

    def integer(self, value: Value) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        whole = v.scalar(value).unique_fmpz()
        if whole is None:
            raise NoValue("an index is no whole number")
        return int(whole)

    # --- evaluating ---

    def evaluate(self, node: Node) -> Value:
        method = OPERATIONS.get(node.op)
        if method is None:
            raise NoValue(f"{node.op} has no value")
        return method(self, node)

    def inside(self, child: Sheet, node: Node) -> Value:
        """A value on a child of this sheet; what the child has written over is not read here."""
        trackers = self.book.trackers
        if not trackers:
            return child.evaluate(node)
        trackers.append(set())
        try:
            return child.evaluate(node)
        finally:
            read = trackers.pop()
            sheet = child
            while sheet is not self and sheet.parent is not None:
                read -= sheet.changed
                sheet = sheet.parent
            trackers[-1] |= read

    def number(self, node: Node) -> arb:
        return v.scalar(self.evaluate(node))

    def on_num(self, node: Node) -> Value:
        value = NUMBERS.get(node.text)
        if value is None:
            value = NUMBERS[node.text] = v.exact(node.text)
        return value

    def on_group(self, node: Node) -> Value:
        return self.evaluate(node.args[0])

    on_named = on_group

    def on_same(self, node: Node) -> Value:
        inside, other = (self.evaluate(arg) for arg in node.args)
        if not v.agree(inside, other, self.tolerance):
            raise NoValue("a formula and what its brace says differ")
        return inside

    tolerance = arb(10) ** -25

    def on_add(self, node: Node) -> Value:
        terms = list(self.spread(node.args))
        total = self.evaluate(terms[0])
        for term in terms[1:]:
            total = v.add(total, self.evaluate(term))
        return total

    def on_neg(self, node: Node) -> Value:
        return v.negative(self.evaluate(node.args[0]))

    def on_pm(self, node: Node) -> Value:
        sign = self.written(numerics.SIGN)
        self.book.track({numerics.SIGN})
        if sign is None:
            raise NoValue("± is neither + nor - here")
        return v.times(sign, self.evaluate(node.args[0]))

    def on_multiplier(self, node: Node) -> Value:
        self.book.track({numerics.MULTIPLIER})
        return self.written(numerics.MULTIPLIER)

    def on_mul(self, node: Node) -> Value:
        product: Value | None = None
        dotted = False
        for factor in self.spread(node.args):
            if factor.op == "dot":
                dotted = True
                continue
            value = self.evaluate(factor)
            if product is None:
                product = value
            elif dotted:
                scalars = v.shape(product) == (1, 1) == v.shape(value) and not isinstance(
                    product, tuple | list
                )
                product = v.times(product, value) if scalars else v.dot(product, value)
            else:
                product = v.times(product, value)
            dotted = False
        return product

    def on_frac(self, node: Node) -> Value:
        return v.over(self.evaluate(node.args[0]), self.evaluate(node.args[1]))

    def on_pow(self, node: Node) -> Value:
        base, exponent = node.args
        if base.op == "sym" and (square := self.square_of(base)) is not None:
            half = v.over(self.evaluate(exponent), arb(2))
            return v.power(self.evaluate(square), half)
        if base.op == "sym" and base.text == "e" and not self.book.letters.has("e"):
            return self.number(exponent).exp()
        if base.op == "group" and base.args[0].op in ("matrix",):
            raise NoValue("a power of a matrix")
        return v.power(self.evaluate(base), self.evaluate(exponent))

    def square_of(self, base: Node) -> Node | None:
        """The formula of a letter's square, where the notation gives that: s² needs no root."""
        if base.args or not self.book.letters.has(base.text):
            return None
        letter = self.letter_of(base)
        if "square" not in letter.spec or self.written(letter.symbol) is not None:
            return None
        return numerics.parsed(str(letter.spec["square"]), self.book.letters)

    def on_inv(self, node: Node) -> Value:
        return v.inverse(self.evaluate(node.args[0]))

    def on_T(self, node: Node) -> Value:  # noqa: N802
        value = self.evaluate(node.args[0])
        if isinstance(value, list | tuple):
            return v.transpose(v.vector(v.entries(value)))
        return v.transpose(value)

    def on_det(self, node: Node) -> Value:
        return v.det(self.evaluate(node.args[0]))

    def on_tr(self, node: Node) -> Value:
        return v.trace(self.evaluate(node.args[0]))

    def on_log(self, node: Node) -> Value:
        return v.log(self.evaluate(node.args[0]))

    def on_exp(self, node: Node) -> Value:
        return self.number(node.args[0]).exp()

    def on_sqrt(self, node: Node) -> Value:
        return v.sqrt(self.evaluate(node.args[0]))

    def on_abs(self, node: Node) -> Value:
        return abs(self.number(node.args[0]))

    def on_norm(self, node: Node) -> Value:
        found = v.entries(self.evaluate(node.args[0]))
        return v.sqrt(sum((x * x for x in found), arb(0)))

    def on_diag(self, node: Node) -> Value:
        inside = node.args[0]
        items = inside.args if inside.op == "tuple" else inside.args[:1]
        return v.diagonal([self.evaluate(item) for item in self.spread(items)])

    def on_indicator(self, node: Node) -> Value:
        return arb(1 if self.truth(node.args[0]) else 0)

    def on_infinity(self, node: Node) -> Value:
        raise NoValue("∞ is no number")

    def on_tuple(self, node: Node) -> Value:
        return tuple(self.evaluate(item) for item in self.spread(node.args))

    def on_matrix(self, node: Node) -> Value:
        rows = [list(row.args) for row in node.args]
        if len(rows) == 3 and [cell.op for cell in rows[1]] == ["dots"] and len(rows[0]) == 1:
            column = list(self.spread((rows[0][0], rows[1][0], rows[2][0])))
            rows = [[cell] for cell in column]
        return v.block([[self.evaluate(cell) for cell in row] for row in rows])

    def on_entry(self, node: Node) -> Value:
        value = self.evaluate(node.args[0])
        index = [self.integer(self.evaluate(sub)) for sub in node.args[1:]]
        return _entry(value, index)

    def on_precision(self, node: Node) -> Value:
        """An entry of the inverse of a covariance: what the maximiser moves."""
        return v.as_matrix(v.inverse(self.evaluate(node.args[0])))[
            self.at(node.args[1]) - 1, self.at(node.args[2]) - 1
        ]

    def on_family(self, node: Node) -> Value:
        """(…)_{a≤b}: the values for all indices of which the relation is true, in order."""
        names = [arg for arg in node.args[1].args if arg.op == "sym"]
        inside = {part.text for part in node.args[0].walk() if part.op == "sym"}
        if not any(name.text in inside for name in names):  # of a matrix: its entries
            node = node.with_args(Node("entry", (node.args[0], *names)), node.args[1])
        keys = [self.book.find(name.text, name.args).symbol for name in names]
        found = []
        for at in itertools.product(*(self.range(name) for name in names)):
            sheet = self.with_(dict(zip(keys, at, strict=True)))
            if sheet.truth(node.args[1]):
                found.append(self.inside(sheet, node.args[0]))
        return tuple(found)

    def on_sym(self, node: Node) -> Value:
        plan = self.book.plans.get(id(node))
        if plan is None:
            plan = self.book.plans[id(node)] = node, self.plan(node)
        letter = plan[1]
        return self.look_up(node) if letter is None else self.read(letter, ())

    def plan(self, node: Node) -> Letter | None:
        """A letter without indices, parts or code of its own can be read at once."""
        if node.args or node.text == r"\pi":
            return None
        letter = self.book.find(node.text, ())
        own_code = "special" in letter.spec and letter.is_function
        return None if own_code or "parts" in letter.spec else letter

    def look_up(self, node: Node) -> Value:
        if node.text == r"\pi" and not node.args:
            return arb.pi()
        letter = self.letter_of(node)
        if "special" in letter.spec and letter.is_function:
            return self.book.special[letter.spec["special"]](self, letter, node, ())
        if any(sub.op == "all" for sub in node.args):
            return self.slice(letter, node)
        if "block" in letter.spec:
            return self.book.special["on a block"](self, letter, node)
        if "parts" in letter.spec:
            return tuple(self.evaluate(part) for part in self.parts(letter))
        index, rest = self.index_of(letter, node.args)
        value = self.read(letter, index)
        return _entry(value, list(rest)) if rest else value

    def letter_of(self, node: Node) -> Letter:
        plan = self.book.plans.get(-id(node))
        if plan is None:
            letter = self.book.find(node.text, node.args)
            plan = self.book.plans[-id(node)] = node, letter
        return plan[1]

    def slice(self, letter: Letter, node: Node) -> Value:
        """B_{·i}: a column; β_{i·}: a row, as a column too."""
        whole = self.read(letter, ())
        if len(node.args) == 1:
            return whole
        table = (
            [v.entries(row) for row in whole]
            if isinstance(whole, list)
            else [[whole[i, j] for j in range(whole.ncols())] for i in range(whole.nrows())]
        )
        first, second = node.args
        if first.op == "all":
            at = self.integer(self.evaluate(second))
            return v.vector(row[at - 1] for row in table)
        at = self.integer(self.evaluate(first))
        return v.vector(table[at - 1])

    def on_call(self, node: Node) -> Value:
        head, *arguments = node.args
        if head.op == "prime":
            return self.derivative_call(head, arguments)
        if head.op != "sym":
            raise NoValue("this cannot be called")
        if ("|" in node.text and not self.takes_bars(head)) or any(
            arg.op == "rel" for arg in arguments
        ):
            letter = self.book.letters.events(head.text)
            self.book.used.add(letter.symbol)
            return self.book.special[letter.spec["special"]](self, letter, node, arguments)
        arguments = list(self.spread(tuple(arguments)))
        letter = self.book.find(head.text, head.args, len(arguments))
        self.book.used.add(letter.symbol)
        if letter.spec.get("events"):
            return self.book.special[letter.spec["special"]](self, letter, node, arguments)

        def work() -> Value:
            sheet = self.called(letter, head, arguments)
            if "special" in letter.spec:
                return self.book.special[letter.spec["special"]](sheet, letter, node, arguments)
            formula = self.book.formulas(letter)
            if formula is None:
                raise NoValue(f"{letter.symbol} has no formula")
            return self.inside(sheet, formula.node)

        counts = self.counts_in(node)
        at = tuple(self.written(symbol) for symbol in counts)
        return self.remembered((id(node), at), work, set(counts))

    def counts_in(self, node: Node) -> tuple[str, ...]:
        """The indices in a call, for the same call at other indices has other values."""
        plan = self.book.plans.get(id(node))
        if plan is None:
            names = set()
            for part in node.walk():
                if part.op == "sym" and not part.args:
                    rows = self.book.letters.by_base.get(part.text, ())
                    if rows and "index" in rows[0].spec:
                        names.add(rows[0].symbol)
            plan = self.book.plans[id(node)] = node, tuple(sorted(names))
        return plan[1]

    def takes_bars(self, head: Node) -> bool:
        """KL(q ‖ p) is written with a bar, and is no probability."""
        return any(
            "|" in row.marks and not row.spec.get("events")
            for row in (self.book.letters.by_base.get(head.text, ()))
        )

    def called(self, letter: Letter, head: Node, arguments: list[Node]) -> Sheet:
        """The sheet on which a function is evaluated: its arguments are in their places."""
        places = self.signature(letter, len(arguments))
        values = [
            None if argument == place else self.evaluate(argument)
            for argument, place in zip(arguments, places, strict=True)
        ]
        sheet = self
        own, index = self.index_of(letter, head.args)[0], {}
        for name, at in zip(letter.counts, own, strict=True):
            index[self.book.find(name.text, name.args).symbol] = at
        if index:
            sheet = sheet.with_(index)
        for place, value in zip(places, values, strict=True):
            if value is not None:  # else it stands there already
                sheet = sheet.assign(place, value)
        return sheet

    def signature(self, letter: Letter, count: int) -> list[Node]:
        for places in (letter.places, *self.other_signatures(letter)):
            spread = list(self.spread(places))
            if len(spread) == count:
                return spread
        raise NoValue(f"{letter.symbol} does not take {count} arguments")

    def other_signatures(self, letter: Letter) -> Iterator[tuple[Node, ...]]:
        for text in letter.spec.get("calls", ()):
            node = numerics.parsed(str(text), self.book.letters)
            yield node.args[1:]

    # --- sums, integrals, limits, derivatives ---

    def bound(self, node: Node, upper: Node | None) -> tuple[list[dict[str, Any]], None]:
        """What the index of a sum runs over, as what is to be written on the sheet."""
        if node.op == "list":
            lists = [self.bound(item, None)[0] for item in node.args]
            merged: list[dict[str, Any]] = []
            for combination in itertools.product(*lists):
                together: dict[str, Any] = {}
                for part in combination:
                    together |= part
                merged.append(together)
            return merged, None
        if node.op == "rel" and node.text == "=":
            letter = self.book.find(node.args[0].text, node.args[0].args)
            low = self.integer(self.evaluate(node.args[1]))
            if upper is None:
                raise NoValue("the sum has no upper end")
            high = self.integer(self.evaluate(upper))
            return [{letter.symbol: k} for k in range(low, high + 1)], None
        if node.op == "rel" and node.text == "in":
            letter = self.book.find(node.args[0].text, node.args[0].args)
            return [{letter.symbol: self.integer(k)} for k in self.evaluate(node.args[1])], None
        if node.op != "sym":
            raise NoValue("the sum does not say what it runs over")
        letter = self.book.find(node.text, node.args)
        if "runs" in letter.spec:
            over = self.book.special[letter.spec["runs"]](self, letter)
            return [{letter.symbol: item} for item in over], None
        return [{letter.symbol: k} for k in self.range(node)], None

    def on_sum(self, node: Node) -> Value:
        lower, body, *upper = node.args
        if upper and upper[0].op == "infinity":
            return self.series(lower, body)
        total: Value | None = None
        over, _ = self.bound(lower, upper[0] if upper else None)
        for cells in over:
            term = self.inside(self.with_(cells), body)
            total = term if total is None else v.add(total, term)
        if total is None:
            raise NoValue("the sum has no terms")
        return total

    def series(self, lower: Node, body: Node) -> Value:
        if lower.text != "=":
            raise NoValue("a series begins with an equation")
        letter = self.book.find(lower.args[0].text, lower.args[0].args)
        k = self.integer(self.evaluate(lower.args[1]))
        total = arb(0)
        for at in range(k, k + 6000):
            term = v.scalar(self.inside(self.with_({letter.symbol: at}), body))
            total += term
            if abs(term) < v.TINY and at > k + 5:
                return total
        raise NoValue("the series does not end")

    def on_prod(self, node: Node) -> Value:
        lower, body, *upper = node.args
        product: Value = arb(1)
        over, _ = self.bound(lower, upper[0] if upper else None)
        for cells in over:
            product = v.times(product, self.inside(self.with_(cells), body))
        return product

    def on_max(self, node: Node) -> Value:
        return self.extreme(node, 1)

    def on_min(self, node: Node) -> Value:
        return self.extreme(node, -1)

    def extreme(self, node: Node, sign: int) -> Value:
        if len(node.args) == 1:
            found = v.entries(self.evaluate(node.args[0]))
        elif (
            node.args[1].op == "sym"
            and "index" in self.book.find(node.args[1].text, node.args[1].args).spec
        ):
            over, _ = self.bound(node.args[1], None)
            found = [v.scalar(self.inside(self.with_(cells), node.args[0])) for cells in over]
        else:
            return numerics.maximum(self, node.args[0], node.args[1], sign)
        best = found[0]
        for other in found[1:]:
            best = best.max(other) if sign > 0 else best.min(other)
        return best

    def on_int(self, node: Node) -> Value:
        body, variable, *ends = node.args
        letter = self.book.find(variable.text, variable.args)

        def at(x: arb) -> Value:
            return self.inside(self.with_({letter.symbol: x}), body)

        if not ends or (ends[0].op == "neg" and ends[0].args[0].op == "infinity"):
            if ends and ends[1].op != "infinity":
                raise NoValue("the integral has one end at ∞ only")
            return numerics.over_the_line(at)
        return numerics.between(at, self.number(ends[0]), self.number(ends[1]))

    def on_lim(self, node: Node) -> Value:
        body, variable, goal = node.args
        near = v.add(self.number(goal), v.TINY)
        return self.assign(variable, near).evaluate(body)

    def on_d(self, node: Node) -> Value:
        body, by = node.args
        order = int(node.text)
        return numerics.derivative(self, lambda s: s.evaluate(body), by, order)

    def on_slope(self, node: Node) -> Value:
        """∂f/∂t (x, 0): the derivative, and then its value there."""
        call, by = node.args
        head, *arguments = call.args
        letter = self.book.find(head.text, head.args, len(arguments))
        sheet = self.called(letter, head, arguments)
        bare = Node("call", (head, *self.signature(letter, len(arguments))), call.text)
        return numerics.derivative(sheet, lambda s: s.evaluate(bare), by, int(node.text))

    def on_set(self, node: Node) -> Value:
        return sorted(self.at(item) for item in self.spread(node.args))

    def on_cup(self, node: Node) -> Value:
        """The union of sets that have nothing in common."""
        found = [k for part in self.spread(node.args) for k in self.evaluate(part)]
        if len(set(found)) != len(found):
            raise NoValue("the sets have something in common")
        return sorted(found)

    def on_order(self, node: Node) -> Value:
        return arb(0)

    def on_grad(self, node: Node) -> Value:
        body, *by = node.args
        order = int(node.text)
        sheet = self
        if by:
            places = list(self.spread(by[0].args))
            work = lambda s: s.evaluate(body)  # noqa: E731
        elif body.op == "call" and body.args[0].op == "sym":
            head, *arguments = body.args
            arguments = list(self.spread(tuple(arguments)))
            letter = self.book.find(head.text, head.args, len(arguments))
            sheet = self.called(letter, head, arguments)
            places = self.signature(letter, len(arguments))
            bare = Node("call", (head, *places))
            work = lambda s: s.evaluate(bare)  # noqa: E731
        else:
            places = list(self.along(body))
            work = lambda s: s.evaluate(body)  # noqa: E731
        if order == 1:
            found = [numerics.derivative(sheet, work, place, 1) for place in places]
            return found[0] if len(found) == 1 else tuple(found)
        return numerics.hessian(sheet, work, places)

    def along(self, body: Node) -> tuple[Node, ...]:
        """What ∇ differentiates by where the formula does not say: the notation does."""
        if body.op == "sym":
            letter = self.book.find(body.text, body.args)
            if letter.places:
                return letter.places
        nabla = self.book.letters.by_base.get(r"\nabla", [])
        if not nabla:
            raise NoValue("∇ does not say by what")
        return (numerics.parsed(str(nabla[0].spec["along"]), self.book.letters),)

    def on_prime(self, node: Node) -> Value:
        return self.derivative_call(node, None)

    def derivative_call(self, head: Node, arguments: list[Node] | None) -> Value:
        """f′(x), and f′ where f's own letters stand on the sheet."""
        function, order = head.args[0], int(head.text)
        letter = self.book.find(function.text, function.args, 1)
        place = letter.places[0]
        sheet = self
        if arguments is not None:
            if len(arguments) != 1:
                raise NoValue(f"{letter.symbol} with a prime takes one argument")
            sheet = self.assign(place, self.evaluate(arguments[0]))
        call = Node("call", (function, place))
        return numerics.derivative(sheet, lambda s: s.evaluate(call), place, order)

    def on_at(self, node: Node) -> Value:
        """A derivative at a place: the place is written before one differentiates."""
        body, *conditions = node.args
        sheet = self
        for condition in conditions:
            if condition.text != "=":
                raise NoValue("a place is given by an equation")
            sheet = sheet.assign(condition.args[0], sheet.evaluate(condition.args[1]))
        return sheet.evaluate(body)

    def on_mean(self, node: Node) -> Value:
        return self.expectation(node.args[0])

    def expectation(self, body: Node) -> Value:
        rows = self.book.letters.by_base.get(r"\mathbb E", [])
        if not rows:
            raise Undeclared("𝔼 is not in the notation of this chapter")
        return self.book.special[rows[0].spec["special"]](self, body)

    def on_cov(self, node: Node) -> Value:
        body = node.args[0]
        mean = v.vector(v.entries(self.expectation(body)))
        second = self.expectation(Node("mul", (Node("column", (body,)), Node("T", (body,)))))
        return v.add(second, v.negative(v.times(mean, v.transpose(mean))))

    def on_column(self, node: Node) -> Value:
        return v.vector(v.entries(self.evaluate(node.args[0])))

    def on_chance(self, node: Node) -> Value:
        return self.book.special["chance"](self, node.args[0])

    # --- statements ---

    def on_rel(self, node: Node) -> Value:
        return self.truth(node)

    def truth(self, node: Node) -> bool:
        """Does a relation hold here? Each of its links is looked at."""
        if node.op == "two modes":
            return numerics.has_two_modes(self, node.args[0])
        if node.op == "implies":
            return not self.truth(node.args[0]) or self.truth(node.args[1])
        if node.op == "iff":
            truths = [self.truth(arg) for arg in node.args]
            return all(truth == truths[0] for truth in truths)
        if node.op != "rel":
            raise NoValue("this is no statement")
        sides = list(self.links(node))
        return all(self.link(a, name, b) for a, name, b in sides)

    def links(self, node: Node) -> Iterator[tuple[Node, str, Node]]:
        names = node.text.split()
        sides = list(self.spread(node.args))
        if any(side.op == "dots" for side in node.args):
            if len(set(names)) != 1:
                raise NoValue("the relations around the dots differ")
            names = [names[0]] * (len(sides) - 1)
        yield from zip(sides, names, sides[1:], strict=False)

    def link(self, left: Node, name: str, right: Node) -> bool:
        a, b = self.evaluate(left), self.evaluate(right)
        return self.holds(a, name, b, half_a_digit(right))

    def holds(self, a: Value, name: str, b: Value, rounding: arb | None = None) -> bool:
        if name in ("=", "=:", "~"):
            tolerance = self.tolerance
            if rounding is None:
                return v.agree(a, b, tolerance)
            p, q = v.entries(a), v.entries(b)
            return len(p) == len(q) and all(
                abs(x - y) <= rounding * (1 + tolerance) for x, y in zip(p, q, strict=True)
            )
        if name == "!=":
            return not self.holds(a, "=", b, rounding)
        x, y = v.scalar(a), v.scalar(b)
        scale = 1 + abs(x).max(abs(y))
        gap = (y - x) / scale
        near = self.tolerance
        if name in (">", ">="):
            gap = -gap
        return bool(gap > near) if name in ("<", ">") else bool(gap > -near)

    # --- dots ---

    def spread(self, items: tuple[Node, ...]) -> Iterator[Node]:
        """The items with the dots written out."""
        for item in items:
            if item.op == "dots":
                return numerics.spread(self, items)
        return iter(items)


def _touched(over: dict[str, Any]) -> set[str]:
    touched = set(over)
    for key, value in over.items():
        if isinstance(value, list):
            touched |= {f"{key}/{k}" for k in range(1, len(value) + 1)}
        elif isinstance(value, Formula):
            touched |= {f"{key}/{k}" for k in range(1, 40)}
    return touched


OPERATIONS: dict[str, Callable[[Sheet, Node], Value]] = {
    name.removeprefix("on_").replace("_", " "): method
    for name, method in vars(Sheet).items()
    if name.startswith("on_")
}
NUMBERS: dict[str, arb] = {}


def _entry(value: Value, index: list[int]) -> Value:
    if isinstance(value, list | tuple):
        if len(index) != 1 or not 1 <= index[0] <= len(value):
            raise NoValue(f"{v.kind(value)} has no entry {index}")
        return value[index[0] - 1]
    table = v.as_matrix(value)
    if len(index) == 1:
        if table.ncols() != 1:
            if not 1 <= index[0] <= table.nrows():
                raise NoValue(f"{v.kind(value)} has no row {index[0]}")
            return v.vector(table[index[0] - 1, j] for j in range(table.ncols()))
        index = [index[0], 1]
    if len(index) != 2:
        raise NoValue(f"{v.kind(value)} has no entry with {len(index)} indices")
    if not (1 <= index[0] <= table.nrows() and 1 <= index[1] <= table.ncols()):
        raise NoValue(f"{v.kind(value)} has no entry {tuple(index)}")
    return table[index[0] - 1, index[1] - 1]


def _replaced(whole: Value, index: Index, rest: Index, value: Value) -> Value:
    if index:
        if not isinstance(whole, list) or not 1 <= index[0] <= len(whole):
            raise NoValue(f"there is no item {index[0]} to write into")
        copy = list(whole)
        copy[index[0] - 1] = _replaced(whole[index[0] - 1], index[1:], rest, value)
        return copy
    if rest:
        table = v.as_matrix(whole)
        at = (rest[0], 1) if len(rest) == 1 else rest
        if not (1 <= at[0] <= table.nrows() and 1 <= at[1] <= table.ncols()):
            raise NoValue(f"{v.kind(whole)} has no entry {rest}")
        copy_ = arb_mat(table)
        copy_[at[0] - 1, at[1] - 1] = v.scalar(value)
        return v.collapsed(copy_)
    return value


def half_a_digit(node: Node) -> arb | None:
    """Half a unit of the last place, where a side is printed decimals."""
    decimals = [n.text for n in node.walk() if n.op == "num" and "." in n.text]
    plain = all(n.op in ("num", "neg", "tuple", "group") for n in node.walk())
    if not decimals or not plain:
        return None
    places = min(len(text.partition(".")[2]) for text in decimals)
    return arb(10) ** -places / 2
