"""Sums of which every digit is the same, whoever adds which terms, and in whatever order.

Floating-point addition is not associative. So the terms of a sum are numbered, and are added in one
tree: two neighbours, then two neighbouring pairs, and so on. Whoever has some of the terms adds
what of the tree they can, and hands on the rest; nothing else has to be agreed upon. Rounding also
grows with the height of the tree only, log₂ n, where it grows with n in a chain of additions
(Higham 1993).
"""

from collections.abc import Iterator
from typing import Any, Generic, Protocol, Self, TypeVar


class Addable(Protocol):
    """What has a sum."""

    def __add__(self, other: Self, /) -> Self:
        """Of both."""


T = TypeVar("T", bound=Addable)


class PairwiseSum(Generic[T]):
    """Some of the terms of a numbered sum, added as far as they are neighbours in the tree.

    A term may be None, which adds nothing.

    >>> evens, odds = PairwiseSum(), PairwiseSum()
    >>> for i in range(7):
    ...     (odds if i % 2 else evens).add(i, 0.1 * i)
    >>> one = PairwiseSum()
    >>> for part in (odds, evens):
    ...     one.join(part)
    >>> len(one), one.total() == ((0.0 + 0.1) + (0.2 + 0.3 - 0.0)) + ((0.4 + 0.5) + 0.6)
    (7, True)
    """

    def __init__(self) -> None:
        self._nodes: dict[tuple[int, int], T | None] = {}

    def __len__(self) -> int:
        """How many terms have been added."""
        return sum(2**level for level, _ in self._nodes)

    @property
    def n_nodes(self) -> int:
        """How many sums are waiting for their neighbours: so many terms have to be handed on."""
        return len(self._nodes)

    def add(self, number: int, term: T | None) -> None:
        """Take the term with this number, counting from 0."""
        self._take(0, number, term)

    def join(self, other: "PairwiseSum[T]") -> None:
        """Take all that another one has."""
        for (level, place), term in other._nodes.items():
            self._take(level, place, term)

    def total(self) -> T | None:
        """The sum of what is there; None if that is nothing."""
        total: T | None = None
        for _, term in sorted(self._nodes.items(), key=lambda node: node[0][0]):
            total = _both(term, total)
        return total

    def _take(self, level: int, place: int, term: T | None) -> None:
        while (level, place ^ 1) in self._nodes:
            other = self._nodes.pop((level, place ^ 1))
            term = _both(other, term) if place % 2 else _both(term, other)
            level, place = level + 1, place // 2
        self._nodes[level, place] = term


def added(terms: Iterator[T | None]) -> T | None:
    """The sum of terms that come one after another."""
    found = PairwiseSum[T]()
    for number, term in enumerate(terms):
        found.add(number, term)
    return found.total()


def _both(a: Any, b: Any) -> Any:
    if a is None or b is None:
        return a if b is None else b
    return a + b
