"""How a task with numbers is made: draw them, ask, and draw again if they do not suit."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from course.tasks import Asked, Kind

TRIES = 200
FEWEST_UNITS = 10  # of the last decimal asked for, that an answer should have
APART = 3  # units between the answer and the tempting wrong one, at least; 1 between whole ones
LARGEST = 1e5


@dataclass(frozen=True)
class Answered(Asked):
    """A task with its most tempting wrong result, which ``why`` mentions."""

    wrong: float


@dataclass(frozen=True)
class Recipe:
    """A kind of task in two steps, so that each can be tried alone."""

    label: str
    title: str
    decimals: int
    draw: Callable[[np.random.Generator], dict[str, Any]]
    ask: Callable[..., Answered]

    def numbers(self, rng: np.random.Generator) -> dict[str, Any]:
        """What is drawn; the answer is neither tiny nor close to the wrong one.

        Raises ``ValueError`` if hardly any numbers would do.
        """
        for _ in range(TRIES):
            numbers = self.draw(rng)
            if self.suits(self.ask(**numbers)):
                return numbers
        raise ValueError(
            f"{self.label}: none of {TRIES} draws suits. Draw from numbers whose answer has more "
            f"than {FEWEST_UNITS} units of its last decimal and differs from the wrong one"
        )

    def suits(self, asked: Answered) -> bool:
        unit = 10.0**-self.decimals
        return (
            math.isfinite(asked.answer)
            and FEWEST_UNITS * unit <= abs(asked.answer) <= LARGEST
            and abs(asked.answer - asked.wrong) >= (APART if self.decimals else 1) * unit
        )

    def make(self, rng: np.random.Generator) -> Answered:
        return self.ask(**self.numbers(rng))

    @property
    def kind(self) -> Kind:
        return Kind(self.label, self.title, self.decimals, self.make)
