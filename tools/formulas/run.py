"""Run displays: read each, draw worlds, hold both sides of every relation against each other."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flint import arb

from formulas import numerics, worlds
from formulas import values as v
from formulas.latex import NotRead
from formulas.letters import FILE, Letter, Letters, Undeclared, chapter_of, read_rows
from formulas.parser import read_display, read_formula
from formulas.sheet import Book, Formula, Sheet, half_a_digit
from formulas.tree import Display, Node, renamed
from formulas.values import NoValue, Value

WORLDS = 5
TRIES = 60
CASES = 24  # of the free indices of a claim, at most
SIZE_NAMES = ("n", "K", "d", "T", "R")


class NoWorlds(ValueError):
    """The notation gives no sizes."""


@dataclass(frozen=True)
class Shown:
    """A display of the book: its label, its chapter and its LaTeX."""

    label: str
    chapter: str
    latex: str


@dataclass
class Sides:
    """One link of a relation in one world, with the numbers on both sides."""

    left: str
    name: str
    right: str
    values: tuple[Value, Value]


@dataclass
class Outcome:
    """What came of a display."""

    shown: Shown
    sizes: list[dict[str, int]] = field(default_factory=list)
    sides: list[list[Sides]] = field(default_factory=list)
    error: str = ""
    used: set[str] = field(default_factory=set)
    definitions: set[str] = field(default_factory=set)

    @property
    def holds(self) -> bool:
        return not self.error


class Displays:
    """The displays of a book with its notation, ready to run."""

    def __init__(
        self,
        shown: Iterable[Shown],
        notation: dict[str, Any],
        given: dict[str, list[str]] | None = None,
    ) -> None:
        self.given = given or {}
        self.shown = {one.label: one for one in shown}
        self.rows = notation["letters"]
        self.worlds = notation.get("worlds", {})
        self.replaced: dict[str, Display] = {}  # by a mutant
        self._letters: dict[str, Letters] = {}
        self._read: dict[tuple[str, str], Display] = {}
        self._roots: dict[tuple[str, int, tuple[tuple[str, int], ...]], Sheet] = {}

    def letters(self, one: Shown) -> Letters:
        if one.label not in self._letters:
            self._letters[one.label] = Letters(self.rows, one.chapter, one.label)
        return self._letters[one.label]

    def run(self, label: str, count: int = WORLDS) -> Outcome:
        """Run one display, in as many worlds."""
        one = self.shown[label]
        outcome = Outcome(one)
        try:
            runner = _Runner(self, one, count, outcome)
            runner.run()
        except (NotRead, Undeclared) as error:
            outcome.error = f"is not read: {error}"
        except NoValue as error:
            outcome.error = f"has no value: {error}"
        except NoWorlds as error:
            outcome.error = f"is not run: {FILE}: {error}"
        except RecursionError:
            outcome.error = "has no value: a letter is defined by itself"
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            outcome.error = f"has no value: {type(error).__name__}: {error}"
        return outcome

    def first_world(self, label: str) -> Sheet | None:
        """The first world in which the conditions of a display hold, to read its letters in.

        Raises as the reading and the values do, ``NoValue`` apart.
        """
        one = self.shown[label]
        return next(_Runner(self, one, 1, Outcome(one)).worlds(), None)

    def display(self, one: Shown, letters: Letters) -> Display:
        if one.label in self.replaced:
            return self.replaced[one.label]
        key = one.latex, letters.label
        if key not in self._read:
            self._read[key] = read_display(one.latex, letters)
        return self._read[key]


class _Runner:
    """One display in its worlds."""

    def __init__(
        self,
        displays: Displays,
        one: Shown,
        count: int,
        outcome: Outcome,
    ) -> None:
        self.displays, self.one, self.count, self.outcome = displays, one, count, outcome
        self.letters = displays.letters(one)
        self.display = displays.display(one, self.letters)
        self.options = displays.worlds.get(one.label, {})
        self.claims: list[tuple[Node, list[Node], Node | None]] = []
        self.conditions: list[Node] = []
        self.fixed: dict[str, int] = {}
        self.refused = ""
        self.written: list[tuple[Node, Node]] = []  # place, formula
        self.has_sign = any(part.op == "pm" for part in self.display.walk())
        self.sort()

    # --- what the statements are ---

    def sort(self) -> None:
        for statement in self.display.statements:
            self.declared(statement.node)
            if statement.kind == "claim":
                for claim in self.stood_for(statement.node):
                    self.claims.append((claim, [], None))
                self.define(statement.node)
            elif statement.kind == "if":
                claim, conditions, equality = self.claims[-1]
                self.claims[-1] = claim, [*conditions, statement.node], equality
            elif statement.kind == "equality":
                claim, conditions, _ = self.claims[-1]
                self.claims[-1] = claim, conditions, statement.node
            else:
                self.condition(statement.node)
        for text in self.options.get("require", ()):
            self.conditions.append(numerics.parsed(text, self.letters))
        for text in self.displays.given.get(self.one.label, ()):
            self.given(text)

    def given(self, text: str) -> None:
        """What is declared beside the display: relations, or a definition that holds in it."""
        if text in self.displays.shown:
            self.outcome.definitions.add(text)
            other = self.displays.display(self.displays.shown[text], self.letters)
            for claim in other.claims:
                self.condition(claim)
            return
        self.condition(read_formula(text, self.letters))

    def stood_for(self, node: Node) -> list[Node]:
        """θ_j stands for any parameter of a component: the claim once for each of them."""
        for part in node.walk():
            if part.op == "sym" and not _is_constant(part, self.letters):
                letter = self.letters.find(part.text, part.args)
                if "stands" in letter.spec:
                    others = [
                        numerics.parsed(str(text), self.letters) for text in letter.spec["stands"]
                    ]
                    return [renamed(node, part, other) for other in others]
        return [node]

    def declared(self, node: Node) -> None:
        for part in node.walk():
            if part.op == "sym" and not _is_constant(part, self.letters):
                self.letters.find(part.text, part.args)

    def define(self, node: Node) -> None:
        """A statement defines its left side where the notation says so."""
        found = definition_in(node, self.letters, self.one.label)
        if found is None or self.options.get("checked"):
            return
        letter = _head_letter(found[0], self.letters)
        if letter is not None and "draw" in letter.spec:
            self.condition(node)  # a definition of values, such as those of a start
        else:
            self.written.append(found)

    def condition(self, node: Node) -> None:
        if _is_equation(node):
            *places, value = node.args
            if any(not self.can_be_written(place) for place in places):
                self.conditions.append(node)
                return
            for place in places:
                if place.op == "sym" and self.letters.is_size(place.text):
                    if value.op != "num":
                        raise NoValue("a size is no number")
                    self.fixed[place.text] = int(value.text)
                elif (whole := _symmetric(place, value)) is not None:
                    self.written.append((whole, Node("symmetrised", (whole,))))
                else:
                    self.written.append((place, value))
            return
        self.conditions.append(node)

    def can_be_written(self, place: Node) -> bool:
        """May a condition give it a value? Else it is looked at whether it holds."""
        bare = _bare(place)
        if bare.op == "sym":
            return "of" not in self.letters.find(bare.text, bare.args).spec
        return bare.op == "tuple"

    # --- worlds ---

    def run(self) -> None:
        if "unused" in self.options:
            return
        if not self.claims:
            raise NoValue("there is nothing to run")
        truths: list[set[bool]] = [set() for _ in self.claims]
        wanted = self.options.get("count", self.count)
        for sheet in itertools.islice(self.worlds(), wanted):
            self.outcome.sizes.append(sheet.book.sizes)
            self.outcome.sides.append([])
            for (claim, conditions, equality), seen in zip(self.claims, truths, strict=True):
                if not self.look(sheet, claim, conditions, equality, seen):
                    return
            self.outcome.used |= sheet.book.used
        if len(self.outcome.sizes) < wanted:
            why = f" ({self.refused})" if self.refused else ""
            self.outcome.error = f"meets its conditions in too few worlds{why}"
            return
        for (claim, _, _), seen in zip(self.claims, truths, strict=True):
            if claim.op == "implies" and True not in seen:
                self.outcome.error = "what it starts from is true in no world"
            if claim.op == "iff" and seen != {True, False}:
                always = "true" if seen == {True} else "false"
                self.outcome.error = f"both sides of ⟺ are {always} in all worlds"

    def worlds(self) -> Iterator[Sheet]:
        """Those that meet the conditions; ``refused`` tells why the last one that did not."""
        for attempt in range(TRIES):
            try:
                sheet = self.world(attempt)
                self.in_domain(sheet)
                missed = [c for c in self.conditions if not self.meets(sheet, c)]
                if any(_is_equation(c) for c in missed) and "every second" not in self.options:
                    # an equality of random numbers that sometimes holds holds by accident
                    raise ValueError("what is given for it is not true of its letters")
                if missed:
                    continue
            except v.NotOfOneShape:
                raise
            except NoValue as error:
                self.refused = str(error)
                continue
            yield sheet

    def in_domain(self, sheet: Sheet) -> None:
        """Weights that a condition gives are still weights."""
        for place, _ in self.written:
            bare = _bare(place)
            if bare.op != "sym":
                continue
            letter = self.letters.find(bare.text, bare.args)
            if letter.spec.get("draw") == "simplex" and letter.axes == ("K",):
                shares = v.entries(sheet.read(letter, ()))
                if not v.agree(sum(shares, arb(0)), arb(1), sheet.tolerance):
                    raise NoValue(f"{letter.symbol} do not sum to 1")
                if not all(share > 0 for share in shares):
                    raise NoValue(f"{letter.symbol} are not positive")

    def meets(self, sheet: Sheet, condition: Node) -> bool:
        return all(sheet.with_(c).truth(condition) for c in self.cases(sheet, condition))

    def world(self, attempt: int) -> Sheet:
        seed = f"{self.one.label}/{attempt}"
        rng = random.Random(f"{seed}/sizes")
        if "default" not in self.displays.worlds:
            raise NoWorlds("[worlds] has no sizes; add a line such as default = {n = [4, 5]}")
        choices = dict(self.displays.worlds["default"])
        chapter = self.displays.worlds.get(f"chapter {self.one.chapter}", {})
        choices |= {k: s for k, s in chapter.items() if k in SIZE_NAMES}
        choices |= {k: s for k, s in self.options.items() if k in SIZE_NAMES}
        sizes = worlds.sizes_of(rng, choices, self.fixed)
        book = Book(
            self.letters,
            sizes,
            lambda letter, sheet: worlds.draw(letter, sheet, seed),
            self.formula_of,
            {**worlds.SPECIAL, "seed": lambda sheet: seed},
        )
        sheet: Sheet = Sheet(book)
        attempt_is_odd = attempt % 2 == 1
        for name, value in self.options.get("every second", {}).items():
            if attempt_is_odd:
                place = numerics.parsed(str(name), self.letters)
                sheet = _written_over(sheet, place, numerics.parsed(str(value), self.letters))
        for place, value in self.written:
            sheet = _written_over(sheet, place, value)
        return sheet

    def formula_of(self, letter: Letter) -> Formula | None:
        """A letter's own formula: in the notation, or in the display that defines it."""
        if letter.value is not None:
            return Formula(letter.value, letter.counts)
        label = letter.spec.get("defined")
        if label is None:
            return None
        self.outcome.definitions.add(label)
        if label == self.one.label:
            display = self.display
        else:
            if label not in self.displays.shown:
                raise Undeclared(f"{letter.symbol} is defined by {label}, which is nowhere")
            display = self.displays.display(self.displays.shown[label], self.letters)
        for claim in display.claims:
            found = definition_in(claim, self.letters, label)
            if found is None:
                continue
            place, value = _solved(*found)
            head = place.args[0] if place.op == "call" else place
            if head.text == letter.base and _same_name(head, letter):
                pattern = tuple(sub for sub in head.args if sub.op != "num")
                self.is_complete(label, letter, place, value, pattern)
                return Formula(value, pattern)
        raise Undeclared(f"{label} does not say what {letter.symbol} is")

    def is_complete(
        self, label: str, letter: Letter, place: Node, value: Node, pattern: tuple[Node, ...]
    ) -> None:
        """A definition has the arguments that the notation says, and leaves no index open."""
        if place.op == "call" and place.args[1:] != letter.written:
            raise Undeclared(f"{label} defines {letter.symbol} with other arguments")
        known = {sub.text for sub in pattern}
        known |= {part.text for node in letter.written for part in node.walk()}
        for index in free_indices(value, self.letters):
            if index.base not in known:
                raise Undeclared(f"{label} does not say which {index.base}")

    # --- one claim in one world ---

    def look(
        self,
        sheet: Sheet,
        claim: Node,
        conditions: list[Node],
        equality: Node | None,
        seen: set[bool],
    ) -> bool:
        for condition in conditions:
            if condition.op == "rel" and condition.text == "=":
                place, value = condition.args
                whole = _symmetric(place, value)
                if whole is not None:
                    place, value = whole, Node("symmetrised", (whole,))
                sheet = _written_over(sheet, place, value)
            elif not sheet.truth(condition):
                return True
        for cells in self.cases(sheet, claim):
            here = sheet.with_(cells)
            for sign in (1, -1) if self.has_sign else (1,):
                signed = here.with_({numerics.SIGN: arb(sign)}) if self.has_sign else here
                if not self.holds(signed, claim, equality, seen):
                    return False
        return True

    def holds(self, sheet: Sheet, claim: Node, equality: Node | None, seen: set[bool]) -> bool:
        if claim.op == "iff":
            truths = [sheet.truth(arg) for arg in claim.args]
            seen.add(truths[0])
            for (left, right), (a, b) in zip(
                itertools.pairwise(claim.args), itertools.pairwise(truths), strict=True
            ):
                texts = [self.one.latex[slice(*node.span)] for node in (left, right)]
                self.outcome.sides[-1].append(Sides(texts[0], "iff", texts[1], (a, b)))
            if any(truth != truths[0] for truth in truths):
                said = ", ".join("true" if truth else "false" for truth in truths)
                return self.fails(sheet, f"its sides are {said}")
            return True
        if claim.op == "implies":
            seen.add(sheet.truth(claim.args[0]))
            return sheet.truth(claim) or self.fails(sheet, "the first is true, the second not")
        if claim.op != "rel":
            return self.fails(sheet, "is no relation")
        for left, name, right in sheet.links(claim):
            a, b = sheet.evaluate(left), sheet.evaluate(right)
            if len(self.outcome.sides[-1]) < 12:
                texts = [self.one.latex[slice(*node.span)] for node in (left, right)]
                self.outcome.sides[-1].append(Sides(texts[0], name, texts[1], (a, b)))
            if any(part.op == "order" for part in right.walk()):
                if name != "=" or not _is_of_order(sheet, left, right):
                    return self.fails(sheet, "the rest is not of that order")
            elif not sheet.holds(a, name, b, half_a_digit(right)):
                return self.fails(sheet, f"{_short(a)} {name} {_short(b)} is false")
            if equality is not None and name in (">=", "<="):
                place, value = equality.args
                if v.agree(a, b, sheet.tolerance):
                    return self.fails(sheet, "an equality elsewhere")
                there = sheet.assign(place, sheet.evaluate(value))
                if not v.agree(there.evaluate(left), there.evaluate(right), sheet.tolerance):
                    return self.fails(sheet, "no equality where it is said to be one")
        return True

    def fails(self, sheet: Sheet, why: str) -> bool:
        sizes = ", ".join(f"{k} = {s}" for k, s in sheet.book.sizes.items() if k != "T")
        self.outcome.error = f"does not hold for {sizes}: {why}"
        return False

    def cases(self, sheet: Sheet, claim: Node) -> Iterator[dict[str, int]]:
        """The values of the indices that the claim leaves free."""
        names = free_indices(claim, self.letters)
        extra = [letter for letter in names if sheet.written(letter.symbol) is None]
        ranges = []
        for letter in extra:
            axis = sheet.size(str(letter.spec["index"]))
            ranges.append(range(1, axis + 1))
        found = list(itertools.product(*ranges))
        if len(found) > CASES:
            found = random.Random(self.one.label).sample(found, CASES)
        for values in found:
            yield {letter.symbol: k for letter, k in zip(extra, values, strict=True)}


def _is_of_order(sheet: Sheet, left: Node, right: Node) -> bool:
    """Is the gap between the sides of the order said, as its letter goes to 0?"""
    order = next(part for part in right.walk() if part.op == "order")
    letter = next(part for part in order.walk() if part.op == "sym")
    ratios = []
    for power in (6, 9):
        near = sheet.assign(letter, arb(10) ** -power)
        gap = v.add(near.evaluate(left), v.negative(near.evaluate(right)))
        ratios.append(v.size(gap) / abs(near.number(order.args[0])))
    return bool(ratios[0] < 1000 and ratios[1] < 1000)


def _short(value: Value) -> str:
    if isinstance(value, bool):
        return str(value)
    shown = [f"{float(entry.mid()):.6g}" for entry in v.entries(value)[:4]]
    return shown[0] if len(shown) == 1 else f"({', '.join(shown)}, …)"


def _is_constant(node: Node, letters: Letters) -> bool:
    return node.text in (r"\pi", "e") and not node.args and not letters.has(node.text)


def _is_equation(node: Node) -> bool:
    return node.op == "rel" and set(node.text.split()) == {"="}


def _symmetric(place: Node, value: Node) -> Node | None:
    """A = Aᵀ says that A is symmetric."""
    if value.op == "T" and value.args[0] == place:
        return place
    return None


def definition_in(claim: Node, letters: Letters, label: str) -> tuple[Node, Node] | None:
    """(left side, formula) of a statement that defines a letter, as the notation says."""
    if claim.op != "rel":
        return None
    names = claim.text.split()
    if "=:" in names:
        at = names.index("=:")
        letter = _head_letter(claim.args[at + 1], letters)
        if letter is None or letter.spec.get("defined") != label:
            return None
        return claim.args[at + 1], claim.args[at]
    if names[0] != "=":
        return None
    place = claim.args[0]
    letter = _head_letter(place, letters)
    if letter is None or not (letter.spec.get("defined") == label or label.startswith("def-")):
        return None
    return place, claim.args[len(list(itertools.takewhile(lambda n: n == "=", names)))]


def _head_letter(place: Node, letters: Letters) -> Letter | None:
    node = _bare(place)
    if node.op == "tuple":
        node = node.args[0]
    try:
        if node.op == "call" and node.args[0].op == "sym":
            return letters.find(node.args[0].text, node.args[0].args, len(node.args) - 1)
        if node.op == "sym":
            return letters.find(node.text, node.args)
        if node.op == "mul" and node.args[-1].op == "sym":
            return letters.find(node.args[-1].text, node.args[-1].args)
    except Undeclared:
        return None
    return None


def _bare(place: Node) -> Node:
    while place.op in ("pow", "inv", "T", "log", "group"):
        place = place.args[0]
    return place


def _same_name(head: Node, letter: Letter) -> bool:
    if len(head.args) != len(letter.pattern):
        return False
    return all(
        own.op != "num" or own == given
        for own, given in zip(letter.pattern, head.args, strict=True)
    )


def _solved(place: Node, value: Node) -> tuple[Node, Node]:
    """The letter of a place, and its formula: Σ⁻¹ = M is Σ = M⁻¹."""
    while place.op in ("pow", "inv", "T", "log", "group"):
        inner = place.args[0]
        if place.op == "pow" and place.args[1].text != "2":
            raise NoValue("a condition gives a power, and only squares are solved")
        value = {
            "pow": lambda x: Node("sqrt", (x,)),
            "inv": lambda x: Node("inv", (x,)),
            "T": lambda x: Node("T", (x,)),
            "log": lambda x: Node("exp", (x,)),
            "group": lambda x: x,
        }[place.op](value)
        place = inner
    if place.op == "mul" and len(place.args) == 2:
        return place.args[1], Node("mul", (Node("inv", (place.args[0],)), value))
    return place, value


def _written_over(sheet: Sheet, place: Node, value: Node) -> Sheet:
    """The sheet on which a place has a formula."""
    if place.op == "tuple":
        for k, part in enumerate(place.args):
            item = Node("entry", (value, Node("num", (), str(k + 1))))
            sheet = _written_over(sheet, part, item)
        return sheet
    if value.op == "symmetrised":
        half = Node("frac", (Node("add", (place, Node("T", (place,)))), Node("num", (), "2")))
        return sheet.assign(place, sheet.evaluate(half))
    place, value = _solved(place, value)
    letters = sheet.book.letters
    if place.op == "call":
        return sheet  # a function: its formula is found where it is called
    if place.op != "sym":
        raise NoValue("a condition has no letter on its left side")
    letter = sheet.book.find(place.text, place.args)
    if value.op == "tuple" and letter.rank == 1:
        value = Node("column", (value,))
    alias = sheet.alias(letter)
    if alias is not None and sheet.written(letter.symbol) is None:
        target = alias
        for own, given in zip(letter.counts, place.args, strict=False):
            target = renamed(target, own, given)
        return _written_over(sheet, target, value)
    subs = [s for s, p in zip(place.args, letter.pattern, strict=False) if p.op != "num"]
    known = {sub.text for sub in subs}
    for own, sub in zip(letter.counts, subs, strict=False):
        if sub.op == "sym" and _axis(sub, letters) != _axis(own, letters):
            raise NoValue(f"{sub.text} does not count what {letter.symbol} is counted by")
    for open_index in free_indices(value, letters):
        if open_index.base not in known and sheet.written(open_index.symbol) is None:
            raise NoValue(f"a condition leaves {open_index.base} open")
    if not letter.counts and not place.args[len(letter.pattern) :]:
        return sheet.with_({letter.symbol: Formula(value)})
    if all(sub.op == "sym" for sub in subs) and len(subs) == len(letter.counts):
        return sheet.with_({letter.symbol: Formula(value, tuple(subs))})
    index, rest = sheet.index_of(letter, place.args)
    if rest:
        return sheet.assign(place, sheet.evaluate(value))
    whole = sheet.written(letter.symbol)
    if whole is None:
        sheet.read(letter, ())
        whole = sheet.written(letter.symbol)
    if not isinstance(whole, list):
        raise NoValue(f"{letter.symbol} is worked out; a condition cannot write into it")
    return sheet.with_({letter.symbol: _put(whole, index, Formula(value))})


def _axis(index: Node, letters: Letters) -> str | None:
    rows = letters.by_base.get(index.text, [])
    return str(rows[0].spec["index"]) if rows and "index" in rows[0].spec else None


def _put(cells: list[Any], index: tuple[int, ...], value: Any) -> list[Any]:
    copy = list(cells)
    if not 1 <= index[0] <= len(copy):
        raise NoValue(f"there is no item {index[0]}")
    rest = index[1:]
    copy[index[0] - 1] = _put(cells[index[0] - 1], rest, value) if rest else value
    return copy


def free_indices(node: Node, letters: Letters) -> list[Letter]:
    """The indices in a claim that no sum binds."""
    found: dict[str, Letter] = {}

    def visit(part: Node, bound: frozenset[str]) -> None:
        if part.op in ("sum", "prod", "max", "min") and len(part.args) > 1:
            names = frozenset(_binds(part.args[0] if part.op in ("sum", "prod") else part.args[1]))
            for arg in part.args:
                visit(arg, bound | names)
            return
        if part.op == "family":
            names = frozenset(n.text for n in part.args[1].args if n.op == "sym")
            for arg in part.args:
                visit(arg, bound | names)
            return
        if part.op == "sym" and not part.args and part.text not in bound:
            rows = letters.by_base.get(part.text, [])
            if rows and "index" in rows[0].spec and not rows[0].pattern:
                found[part.text] = rows[0]
        for arg in part.args:
            visit(arg, bound)

    visit(node, frozenset())
    return list(found.values())


def _binds(lower: Node) -> Iterator[str]:
    if lower.op == "list":
        for item in lower.args:
            yield from _binds(item)
    elif lower.op == "rel" and lower.args[0].op == "sym":
        yield lower.args[0].text
    elif lower.op == "sym":
        yield lower.text


def displays_of(pages: Iterable[Any], root: Path) -> Displays:
    """The labelled displays of a book's chapters."""
    shown = [
        Shown(label, chapter_of(page.name), latex)
        for page in pages
        for label, latex in page.equations
        if label
    ]
    given = {
        label: _items(text)
        for page in pages
        for source in page.texts
        for label, text in GIVEN.findall(source)
    }
    return Displays(shown, read_rows(root), given)


GIVEN = re.compile(r"<!-- ((?:eq|def)-[a-z0-9-]+): (.*?) -->", re.DOTALL)


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(", ")]
