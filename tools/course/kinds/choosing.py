"""Chapter 15: the prices of a component, and a p-value by simulation."""

import math
from typing import Any

import numpy as np

from course.drawing import Rng, one_of, tenths, whole
from course.recipes import Answered, Recipe
from course.writing import equals, near, num
from gmmlib.models import family_of


def draw_gap(rng: Rng) -> dict[str, Any]:
    return {
        "gain": tenths(rng, 2, 30),
        "K": whole(rng, 1, 4),
        "d": whole(rng, 1, 4),
        "n": 10 * whole(rng, 8, 90),
    }


def added(K: int, d: int) -> int:
    """Free parameters that one more full component adds to K."""
    family = family_of("full")
    return 1 + d + family.n_parameters(K + 1, d) - family.n_parameters(K, d)


def gap(gain: float, K: int, d: int, n: int) -> Answered:
    more = added(K, d)
    answer = more * math.log(n) - 2 * gain
    wrong = more * math.log(n) - gain
    return Answered(
        rf"In ${d}$ dimension{'' if d == 1 else 's'}, with a full covariance for each component "
        rf"and ${n}$ points, going from ${K}$ to ${K + 1}$ components raises the log-likelihood by "
        rf"${num(gain)}$. By how much does BIC change, with the sign of scikit-learn, "
        r"$\nu\log n-2\ell$?",
        answer,
        rf"One more component has a weight, ${d}$ for its mean and "
        rf"${d * (d + 1) // 2}$ for its covariance, together ${more}$ parameters. BIC changes by "
        rf"${more}\cdot{math.log(n):.5f}-2\cdot{num(gain)}{equals(answer, 2)}$. Without the factor "
        rf"2 it would be ${wrong:.2f}$.",
        wrong,
    )


def draw_labels(rng: Rng) -> dict[str, Any]:
    return {"shares": [one_of(rng, [k / 20 for k in range(2, 19)]) for _ in range(4)]}


def labels(shares: list[float]) -> Answered:
    larger = [max(p, 1 - p) for p in shares]
    answer = -2 * math.fsum(math.log(p) for p in larger)
    beta = np.array([[p, 1 - p] for p in shares])
    wrong = float(-2 * (beta * np.log(beta)).sum())
    listed = r",\ ".join(num(p) for p in shares)
    chosen = r",\ ".join(num(p) for p in larger)
    return Answered(
        rf"Four points have the shares ${listed}$ in the first of two components. By how much is "
        r"ICL above BIC, with the likeliest labels and the sign for which smaller is better?",
        answer,
        rf"The larger shares are ${chosen}$. ICL is above BIC by "
        rf"minus twice the sum of their logarithms, which is ${near(answer, 3)}$. With the "
        rf"entropy, the other version of ICL, it would be ${wrong:.3f}$.",
        wrong,
    )


def draw_p_value(rng: Rng) -> dict[str, Any]:
    B = 10 * whole(rng, 4, 40) - 1
    return {"B": B, "reach": whole(rng, 1, B // 3)}


def p_value(B: int, reach: int) -> Answered:
    answer, wrong = (1 + reach) / (1 + B), reach / B
    return Answered(
        rf"From the fit with one component ${B}$ data sets were drawn. In ${reach}$ of them the "
        r"likelihood ratio of one against two components reaches that of the data. What is the "
        "p-value of the bootstrap test?",
        answer,
        rf"The data themselves count as one more set: "
        rf"$\frac{{1+{reach}}}{{1+{B}}}{equals(answer, 4)}$. Without them it would be "
        rf"${wrong:.4f}$, and it could be 0.",
        wrong,
    )


RECIPES = (
    Recipe("n-15-1", "What one more component does to BIC", 2, draw_gap, gap),
    Recipe("n-15-2", "What unsure labels cost", 3, draw_labels, labels),
    Recipe("n-15-3", "A p-value by simulation", 4, draw_p_value, p_value),
)
