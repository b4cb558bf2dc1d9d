"""Short and friendly numbers, drawn at random: a student has only a calculator."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np

T = TypeVar("T")
Rng = np.random.Generator


def whole(rng: Rng, low: int, high: int) -> int:
    """From ``low`` to ``high``, both included."""
    return int(rng.integers(low, high + 1))


def tenths(rng: Rng, low: float, high: float) -> float:
    """With one decimal, from ``low`` to ``high``."""
    return whole(rng, round(10 * low), round(10 * high)) / 10


def hundredths(rng: Rng, low: float, high: float) -> float:
    """With two decimals, from ``low`` to ``high``."""
    return whole(rng, round(100 * low), round(100 * high)) / 100


def one_of(rng: Rng, values: Sequence[T]) -> T:
    return values[int(rng.integers(len(values)))]


def different_tenths(rng: Rng, low: float, high: float, n: int) -> list[float]:
    """n different numbers with one decimal, in the order in which they came."""
    candidates = np.arange(round(10 * low), round(10 * high) + 1)
    return [int(k) / 10 for k in rng.choice(candidates, size=n, replace=False)]


def unequal_weights(rng: Rng) -> list[float]:
    """Two weights, not both one half: to forget them is then a mistake that shows."""
    first = one_of(rng, [15, 20, 25, 30, 35, 40, 60, 65, 70, 75, 80, 85])
    return [first / 100, (100 - first) / 100]


def weights(rng: Rng, n: int) -> list[float]:
    """n weights with one decimal, none of them 0."""
    cuts = sorted(int(k) for k in rng.choice(np.arange(1, 10), size=n - 1, replace=False))
    ends = [0, *cuts, 10]
    return [(b - a) / 10 for a, b in pairwise(ends)]


def shares(rng: Rng, n: int) -> list[float]:
    """The shares of n points in one component, with two decimals."""
    return [hundredths(rng, 0.05, 0.95) for _ in range(n)]


def apart(rng: Rng, low: float, high: float, gap: float = 1.0) -> list[float]:
    """Two numbers with one decimal that differ by ``gap`` at least."""
    while True:
        pair = different_tenths(rng, low, high, 2)
        if abs(pair[0] - pair[1]) >= gap:
            return pair
