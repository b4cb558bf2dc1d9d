"""Chapter 6: from shares to parameters."""

from typing import Any

import numpy as np

from course.drawing import Rng, different_tenths, one_of, shares, tenths, weights
from course.recipes import Answered, Recipe
from course.writing import equals, near, num, table, times, total
from gmmlib.em import m_step


def in_two(beta: list[float]) -> list[list[float]]:
    """The shares in both components, from those in the first."""
    return [[b, 1 - b] for b in beta]


def draw_points(rng: Rng) -> dict[str, Any]:
    return {"x": different_tenths(rng, 0, 9, 4), "beta": shares(rng, 4)}


def data_with_shares(x: list[float], beta: list[float]) -> str:
    return table({"x_i": x, r"\beta_{i1}": beta})


def new_mean(x: list[float], beta: list[float]) -> Answered:
    answer = float(m_step(x, in_two(beta)).means[0, 0])
    count, first = sum(beta), float(np.dot(beta, x))
    wrong = first / len(x)
    return Answered(
        f"An E-step has found these shares of four points in component "
        f"1:{data_with_shares(x, beta)}"
        r"What is the new mean $\mu_1$ after the M-step?",
        answer,
        rf"The shares sum to $N_1={num(count)}$, and $\sum_i\beta_{{i1}}x_i={times(beta, x)}"
        rf"={num(first)}$. So $\hat\mu_1={num(first)}/{num(count)}{equals(answer, 2)}$. The "
        f"divisor is $N_1$: divided by $n=4$ the mean would be ${wrong:.2f}$, drawn towards 0.",
        wrong,
    )


def draw_variance(rng: Rng) -> dict[str, Any]:
    return draw_points(rng) | {"old": tenths(rng, 1, 8)}


def new_variance(x: list[float], beta: list[float], old: float) -> Answered:
    fitted = m_step(x, in_two(beta))
    answer, centre = float(fitted.variances[0]), float(fitted.means[0, 0])
    wrong = answer + (centre - old) ** 2
    return Answered(
        rf"The old mean of component 1 was $\mu_1={num(old)}$. An E-step has found these shares of "
        f"four points in component 1:{data_with_shares(x, beta)}"
        r"What is the new variance $\sigma_1^2$ after the M-step?",
        answer,
        rf"With $N_1={num(sum(beta))}$ the new mean is $\hat\mu_1{equals(centre, 2)}$. The "
        rf"squared distances from it, each with its share, sum to ${near(sum(beta) * answer, 2)}$, "
        rf"and divided by $N_1$ they give ${near(answer, 2)}$. Around the *old* mean it would be "
        rf"${wrong:.2f}$, too large by the square of the move, $(\hat\mu_1-\mu_1)^2$.",
        wrong,
    )


def draw_weight(rng: Rng) -> dict[str, Any]:
    while True:
        rows = [weights(rng, 3) for _ in range(5)]
        # the largest share of each point is clear, so that rounding it is a mistake with one result
        if all(sorted(row)[-1] > sorted(row)[-2] for row in rows):
            return {"beta": rows, "j": one_of(rng, [1, 2, 3])}


def new_weight(beta: list[list[float]], j: int) -> Answered:
    column = [row[j - 1] for row in beta]
    answer = float(np.mean(column))
    wrong = sum(row[j - 1] == max(row) for row in beta) / len(beta)
    rows = {rf"\beta_{{i{k}}}": [row[k - 1] for row in beta] for k in (1, 2, 3)}
    return Answered(
        f"Five points have these shares in three components:{table(rows)}"
        rf"What is the new weight $\alpha_{j}$ after the M-step?",
        answer,
        rf"The shares in component {j} sum to $N_{j}={total(num(b) for b in column)}"
        rf"={num(sum(column))}$, so $\hat\alpha_{j}={num(sum(column))}/5={num(answer)}$. Whoever "
        "first gives each point to the component with its largest share gets "
        f"${num(wrong)}$ instead.",
        wrong,
    )


def draw_sums(rng: Rng) -> dict[str, Any]:
    while True:
        x, beta = different_tenths(rng, 1, 9, 6), shares(rng, 6)
        count = round(sum(beta), 2)
        first = round(float(np.dot(beta, x)), 2)
        second = round(float(np.dot(beta, np.square(x))), 1)
        if second / count - (first / count) ** 2 > 0.5:
            return {"count": count, "first": first, "second": second}


def variance_from_sums(count: float, first: float, second: float) -> Answered:
    centre = first / count
    answer = second / count - centre**2
    wrong = second / count - centre
    return Answered(
        "Of all the data, an M-step needs only three sums for component 1. They are "
        rf"$\sum_i\beta_{{i1}}={num(count)}$, $\sum_i\beta_{{i1}}x_i={num(first)}$ and "
        rf"$\sum_i\beta_{{i1}}x_i^2={num(second)}$. What is the new variance $\sigma_1^2$?",
        answer,
        rf"The new mean is ${num(first)}/{num(count)}{equals(centre, 2)}$, and the mean of "
        rf"the squares is ${num(second)}/{num(count)}{equals(second / count, 2)}$. The variance "
        rf"is the mean of the squares minus the *square* of the mean, ${near(answer, 2)}$. If you "
        f"subtract the mean itself, you get ${wrong:.2f}$.",
        wrong,
    )


RECIPES = (
    Recipe("n-06-1", "A new mean", 2, draw_points, new_mean),
    Recipe("n-06-2", "A new variance", 2, draw_variance, new_variance),
    Recipe("n-06-3", "A new weight", 2, draw_weight, new_weight),
    Recipe("n-06-4", "A variance from three sums", 2, draw_sums, variance_from_sums),
)
