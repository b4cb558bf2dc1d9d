"""Chapter 17: information, standard errors, and where a slow run is going."""

import math
from typing import Any

from course.drawing import Rng, hundredths, one_of, shares, tenths, whole
from course.recipes import Answered, Recipe
from course.writing import equals, listed, matrix, near, num, par, total


def draw_weight(rng: Rng) -> dict[str, Any]:
    return {"beta": shares(rng, 3), "alpha": one_of(rng, [0.2, 0.25, 0.4, 0.5, 0.6, 0.75, 0.8])}


def weight_information(beta: list[float], alpha: float) -> Answered:
    complete = sum(b / alpha**2 + (1 - b) / (1 - alpha) ** 2 for b in beta)
    missing = sum(b * (1 - b) for b in beta) / (alpha * (1 - alpha)) ** 2
    answer = complete - missing
    products = total(rf"{num(b)}\cdot{num(1 - b)}" for b in beta)
    return Answered(
        rf"Of two components only the weight $\alpha$ of the first is unknown. At "
        rf"$\alpha={num(alpha)}$ three points have the shares {listed(beta)} in the first "
        r"component. How large is the observed information, $-\frac{d^2\ell}{d\alpha^2}$?",
        answer,
        r"The complete information is $\sum_i\bigl(\beta_i/\alpha^2+(1-\beta_i)/"
        rf"(1-\alpha)^2\bigr){equals(complete, 2)}$. The missing one is "
        rf"$({products})/({num(alpha)}\cdot{num(1 - alpha)})^2{equals(missing, 2)}$. The "
        rf"difference is ${near(answer, 2)}$. With known labels it would be ${complete:.2f}$.",
        complete,
    )


def draw_difference(rng: Rng) -> dict[str, Any]:
    errors = [tenths(rng, 0.3, 1.5), tenths(rng, 0.3, 1.5)]
    limit = 0.8 * errors[0] * errors[1]
    return {"errors": errors, "covariance": max(0.02, hundredths(rng, 0.2 * limit, limit))}


def difference(errors: list[float], covariance: float) -> Answered:
    squares = sum(e**2 for e in errors)
    answer, wrong = math.sqrt(squares - 2 * covariance), math.sqrt(squares)
    return Answered(
        f"The estimates of two means have the standard errors {listed(errors)}, and their "
        f"covariance is ${num(covariance)}$. What is the standard error of the difference of the "
        "two means?",
        answer,
        rf"Its variance is ${num(errors[0])}^2+{num(errors[1])}^2-2\cdot{num(covariance)}"
        rf"{equals(squares - 2 * covariance, 3)}$, and the root of this is ${near(answer, 3)}$. "
        rf"Without the covariance you would get ${wrong:.3f}$.",
        wrong,
    )


def draw_two_by_two(rng: Rng) -> dict[str, Any]:
    a, c = whole(rng, 2, 30), whole(rng, 2, 30)
    most = math.floor(0.9 * math.sqrt(a * c))
    return {"a": float(a), "c": float(c), "b": float(one_of(rng, [-1, 1]) * whole(rng, 1, most))}


def two_by_two(a: float, b: float, c: float) -> Answered:
    determinant = a * c - b * b
    answer, wrong = math.sqrt(c / determinant), math.sqrt(1 / a)
    return Answered(
        rf"A model has two parameters. The observed information at the maximum is "
        rf"${matrix([[a, b], [b, c]])}$. What is the standard error of the first parameter?",
        answer,
        rf"The first entry on the diagonal of the inverse is ${num(c)}/({num(a)}\cdot{num(c)}-"
        rf"{par(b)}^2){equals(c / determinant, 3)}$, and the root of this is ${near(answer, 3)}$. "
        rf"If the second parameter were known, it would be ${wrong:.3f}$.",
        wrong,
    )


def draw_jump(rng: Rng) -> dict[str, Any]:
    factor = one_of(rng, [0.5, 0.6, 0.7, 0.75, 0.8, 0.9])
    begin, first = tenths(rng, 1, 9), one_of(rng, [-1, 1]) * whole(rng, 1, 4)
    second = round(begin + first, 1)
    return {"places": [begin, second, round(second + factor * first, 2)]}


def jump(places: list[float]) -> Answered:
    r, v = places[1] - places[0], places[2] - 2 * places[1] + places[0]
    tau = r / v
    answer, wrong = places[0] - 2 * tau * r + tau**2 * v, places[0] - tau * r + tau**2 * v
    return Answered(
        rf"A run of EM for one parameter stands at {listed(places)}, one after the other. Where "
        "does SQUAREM jump from there?",
        answer,
        rf"$r{equals(r, 2)}$, $v{equals(v, 2)}$ and $\tau=r/v{equals(tau, 2)}$. The jump leads to "
        rf"${num(places[0])}-2\tau r+\tau^2v{equals(answer, 2)}$. With $\tau r$ in the place of "
        rf"$2\tau r$ you would not move at all.",
        wrong,
    )


RECIPES = (
    Recipe("n-17-1", "The information about a weight", 2, draw_weight, weight_information),
    Recipe("n-17-2", "The standard error of a difference", 3, draw_difference, difference),
    Recipe("n-17-3", "A standard error from an information matrix", 3, draw_two_by_two, two_by_two),
    Recipe("n-17-4", "Where a jump leads", 2, draw_jump, jump),
)
