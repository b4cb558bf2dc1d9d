"""Questions whose answer is a number, and whose numbers vary by a seed.

A function of a random generator makes such a question; ``tools/course/numerical.py`` has them all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import numpy as np


@dataclass(frozen=True)
class Asked:
    """What a maker of tasks gives: the texts are Markdown with math between dollars."""

    text: str
    answer: float  # in full
    why: str  # how one comes to the answer, with these numbers


@dataclass(frozen=True)
class Task:
    """A question with the numbers of one seed."""

    label: str
    seed: int
    text: str
    answer: float
    why: str
    decimals: int  # that are asked for
    title: str = ""

    @property
    def chapter(self) -> str:
        """``06``, or ``A``."""
        return self.label.split("-")[1].upper()

    @property
    def shown(self) -> str:
        """The answer as it is asked for."""
        return f"{self.answer:.{self.decimals}f}"

    @property
    def accepted(self) -> tuple[Decimal, Decimal]:
        """The least and the largest number that is the answer, rounded as asked for.

        Half a unit of the last decimal to either side; the bounds themselves are rounded outwards,
        three decimals further on, so that an answer given in full is never refused.
        """
        half = Decimal(5).scaleb(-self.decimals - 1)
        unit = Decimal(1).scaleb(-self.decimals - 3)
        answer = Decimal(self.answer)
        low = (answer - half).quantize(unit, ROUND_FLOOR)
        return low, (answer + half).quantize(unit, ROUND_CEILING)


Make = Callable[[np.random.Generator], Asked]


@dataclass(frozen=True)
class Kind:
    """A task before it has numbers."""

    label: str
    title: str
    decimals: int
    make: Make

    def with_seed(self, seed: int) -> Task:
        """The task with the numbers of a seed; each kind draws its own."""
        rng = np.random.default_rng([seed, *self.label.encode()])
        asked = self.make(rng)
        decimals = "1 decimal" if self.decimals == 1 else f"{self.decimals} decimals"
        rounding = f"Round to {decimals}, at the end only."
        text = f"{asked.text} {rounding}" if self.decimals else asked.text
        answer = float(asked.answer)
        return Task(self.label, seed, text, answer, asked.why, self.decimals, self.title)
