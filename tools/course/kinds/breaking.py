"""Chapter 13: how steep a hole is, and the M-steps that keep out of it."""

import math
from typing import Any

import numpy as np

from course.drawing import Rng, hundredths, one_of, tenths, whole
from course.recipes import Answered, Recipe
from course.writing import equals, listed, near, num
from gmmlib import priors

FLATS = (
    "onto one point",
    "onto the line through two points",
    "onto the plane through three points",
)


def draw_rise(rng: Rng) -> dict[str, Any]:
    d = whole(rng, 2, 9)
    return {"d": d, "r": whole(rng, 0, min(d - 1, 2)), "factor": whole(rng, 2, 90)}


def rise(d: int, r: int, factor: int) -> Answered:
    m = r + 1
    answer = m * (d - r) * math.log(factor)
    wrong = (d - r) * math.log(factor) if r else math.log(factor)
    said = "only one of the points" if r else "only one direction"
    return Answered(
        f"In {d} dimensions a component of a mixture shrinks {FLATS[r]}, where no other point "
        "lies. Its standard deviation across is already tiny, and is now divided by "
        f"{factor}. Everything else is held. By how much does the log-likelihood rise?",
        answer,
        rf"Each of the $m={m}$ points gains in $d-r={d}-{r}={d - r}$ directions, and each time "
        rf"$\log{factor}$. Together this is ${m}\cdot{d - r}\cdot\log{factor}{equals(answer, 2)}$. "
        f"Counting {said} would give ${wrong:.2f}$.",
        wrong,
    )


def draw_map(rng: Rng) -> dict[str, Any]:
    return {
        "x": [float(k) for k in rng.choice(np.arange(0, 20), size=3, replace=False)],
        "psi": tenths(rng, 0.5, 9),
        "nu": float(whole(rng, 2, 6)),
    }


def map_variance(x: list[float], psi: float, nu: float) -> Answered:
    prior = priors.Prior(mean=0.0, shrinkage=0.0, scale=psi, dof=nu)
    answer = float(priors.m_step(x, np.ones((3, 1)), prior).variances[0])
    squares = answer * (3 + nu + 3) - psi
    wrong = (squares + psi) / 3
    return Answered(
        rf"On the line a component holds the points {listed(x)}, entirely and no others. The prior "
        rf"has $\psi={num(psi)}$, $\nu={num(nu)}$ and $\kappa=0$. What variance does the M-step "
        "give?",
        answer,
        rf"The sum of squares around the average is ${near(squares, 3)}$. The prior adds "
        rf"${num(psi)}$ to it, and $\nu+3={num(nu + 3)}$ to the count 3. So the variance is "
        rf"${near(squares + psi, 3)}/{num(nu + 6)}{equals(answer, 3)}$. Divided by 3 it would "
        rf"be ${wrong:.3f}$.",
        wrong,
    )


def draw_bound(rng: Rng) -> dict[str, Any]:
    return {
        "N": [float(whole(rng, 2, 8)), float(whole(rng, 9, 40))],
        "v": [hundredths(rng, 0.01, 0.09), tenths(rng, 2, 9)],
        "c": one_of(rng, [0.2, 0.25, 0.4, 0.5]),
    }


def bounded(N: list[float], v: list[float], c: float) -> Answered:
    n = sum(N)
    answer = (N[0] * v[0] / c**2 + N[1] * v[1]) / n
    wrong = v[1]
    return Answered(
        rf"On the line an M-step for two components gives $N_1={num(N[0])}$, "
        rf"$\hat\sigma_1^2={num(v[0])}$ and $N_2={num(N[1])}$, $\hat\sigma_2^2={num(v[1])}$. The "
        rf"standard deviations must satisfy $\sigma_1\ge c\,\sigma_2$ with $c={num(c)}$. What is "
        r"the best $\sigma_2^2$ under this bound?",
        answer,
        rf"The bound bites, so $\sigma_1=c\,\sigma_2$. The first variance, blown up, is "
        rf"$\hat\sigma_1^2/c^2{equals(v[0] / c**2, 3)}$. The average of the two, weighted with "
        rf"$N_j$, is ${near(answer, 3)}$. Whoever only lifts the smaller one leaves the larger "
        rf"one at ${wrong:.3f}$.",
        wrong,
    )


RECIPES = (
    Recipe("n-13-1", "How steep the hole is", 2, draw_rise, rise),
    Recipe("n-13-2", "A variance with a prior", 3, draw_map, map_variance),
    Recipe("n-13-3", "A bound on the ratio", 3, draw_bound, bounded),
)
