"""Chapter 14: volumes, shapes, orientations."""

import math
from typing import Any

import numpy as np

from course.drawing import Rng, one_of, unequal_weights, whole
from course.recipes import Answered, Recipe
from course.writing import equals, num
from gmmlib.families import m_step_covariances, n_parameters, names

SQUARES = [1, 4, 9, 16, 25]


def draw_count(rng: Rng) -> dict[str, Any]:
    return {
        "name": one_of(rng, [name for name in names() if name not in ("EEE", "VVV", "VVI", "VII")]),
        "K": whole(rng, 2, 6),
        "d": whole(rng, 3, 8),
        "n": 10 * whole(rng, 20, 90),
    }


def count(name: str, K: int, d: int, n: int) -> Answered:
    answer = n_parameters(name, K, d)
    sizes = (1, d - 1, d * (d - 1) // 2)
    parts = [
        {"E": 1, "V": K, "I": 0}[letter] * size for letter, size in zip(name, sizes, strict=True)
    ]
    wrong = answer + 1
    return Answered(
        f"A mixture of ${K}$ Gaussians in ${d}$ dimensions, of the family {name}, is fitted to "
        f"${n}$ points. How many free parameters does it have, weights and means included?",
        answer,
        rf"The weights count as $K-1={K - 1}$ and the means as $Kd={K * d}$. The volumes count as "
        rf"${parts[0]}$, the shapes as ${parts[1]}$ and the orientations as ${parts[2]}$. Together "
        rf"that is ${answer}$. With $K$ free weights it would be ${wrong}$. The number of points "
        "plays no part.",
        wrong,
    )


def draw_diagonals(rng: Rng) -> dict[str, Any]:
    while True:
        first = [one_of(rng, SQUARES), one_of(rng, SQUARES)]
        second = [one_of(rng, SQUARES), one_of(rng, SQUARES)]
        if math.prod(first) != math.prod(second) and sum(first) != sum(second):
            return {"alpha": unequal_weights(rng), "first": first, "second": second}


def _text(alpha: list[float], first: list[int], second: list[int]) -> str:
    return (
        rf"Two components have the new weights $\alpha_1={num(alpha[0])}$ and "
        rf"$\alpha_2={num(alpha[1])}$, and by themselves the covariances "
        rf"$S_1=\operatorname{{diag}}({first[0]},{first[1]})$ and "
        rf"$S_2=\operatorname{{diag}}({second[0]},{second[1]})$. "
    )


def one_volume(alpha: list[float], first: list[int], second: list[int]) -> Answered:
    S = [np.diag(np.array(diagonal, float)) for diagonal in (first, second)]
    answer = float(np.linalg.det(m_step_covariances("EVV", alpha, S)[0]))
    volumes = [math.isqrt(math.prod(diagonal)) for diagonal in (first, second)]
    mean = alpha[0] * volumes[0] + alpha[1] * volumes[1]
    wrong = alpha[0] * volumes[0] ** 2 + alpha[1] * volumes[1] ** 2
    return Answered(
        _text(alpha, first, second)
        + "The family is EVV. Which determinant do both covariances have after the M-step?",
        answer,
        rf"The volumes are the square roots of the determinants, ${volumes[0]}$ and "
        rf"${volumes[1]}$. Their mean is $\hat\lambda={num(alpha[0])}\cdot{volumes[0]}+"
        rf"{num(alpha[1])}\cdot{volumes[1]}={num(round(mean, 6))}$, and the determinant is "
        rf"$\hat\lambda^2{equals(answer, 2)}$. The mean of the two determinants would be "
        rf"${wrong:.2f}$.",
        wrong,
    )


def one_ball(alpha: list[float], first: list[int], second: list[int]) -> Answered:
    S = [np.diag(np.array(diagonal, float)) for diagonal in (first, second)]
    answer = float(m_step_covariances("EII", alpha, S)[0, 0, 0])
    wrong = (sum(first) + sum(second)) / 4
    return Answered(
        _text(alpha, first, second)
        + "The family is EII. Which variance do both components have after the M-step?",
        answer,
        rf"Half the traces are ${num(sum(first) / 2)}$ and ${num(sum(second) / 2)}$, and their "
        rf"mean by weight is ${num(alpha[0])}\cdot{num(sum(first) / 2)}+{num(alpha[1])}\cdot"
        rf"{num(sum(second) / 2)}{equals(answer, 2)}$. Without the weights it would be "
        rf"${wrong:.2f}$.",
        wrong,
    )


RECIPES = (
    Recipe("n-14-1", "The parameters of a family", 0, draw_count, count),
    Recipe("n-14-2", "One volume for all", 2, draw_diagonals, one_volume),
    Recipe("n-14-3", "One ball for all", 2, draw_diagonals, one_ball),
)
