"""Chapter 8 and the appendix: the plane, its matrices, a constraint."""

import math
from typing import Any

import numpy as np

from course.drawing import Rng, different_tenths, one_of, shares, tenths, whole
from course.recipes import Answered, Recipe
from course.writing import equals, matrix, near, num, par, table, vector
from gmmlib.em import m_step
from gmmlib.gaussian import log_gaussian


def draw_covariance(rng: Rng) -> list[list[float]]:
    """Positive definite, with a correlation that is neither small nor close to 1."""
    while True:
        a, c = tenths(rng, 1, 5), tenths(rng, 1, 5)
        b = one_of(rng, [-1, 1]) * tenths(rng, 0.2, 4)
        if 0.15 <= abs(b) / math.sqrt(a * c) <= 0.85:
            return [[a, b], [b, c]]


def draw_point(rng: Rng) -> dict[str, Any]:
    x = [tenths(rng, -3, 5), tenths(rng, -3, 5)]
    mu = [float(whole(rng, -2, 3)), float(whole(rng, -2, 3))]
    return {"x": x, "mu": mu, "Sigma": draw_covariance(rng)}


def determinant(S: list[list[float]]) -> float:
    return S[0][0] * S[1][1] - S[0][1] ** 2


def squared_distance(x: list[float], mu: list[float], Sigma: list[list[float]]) -> float:
    y = np.subtract(x, mu)
    return float(y @ np.linalg.solve(np.array(Sigma), y))


def distance_steps(x: list[float], mu: list[float], Sigma: list[list[float]]) -> str:
    y = [a - b for a, b in zip(x, mu, strict=True)]
    det = determinant(Sigma)
    adjugate = [[Sigma[1][1], -Sigma[0][1]], [-Sigma[0][1], Sigma[0][0]]]
    return (
        rf"With $y=x-\mu={vector(y)}$ and $\det\Sigma={num(det)}$, the inverse is "
        rf"$\Sigma^{{-1}}=\frac1{{{num(det)}}}{matrix(adjugate)}$, and the squared distance is "
        rf"$y^\top\Sigma^{{-1}}y{equals(squared_distance(x, mu, Sigma), 3)}$."
    )


def mahalanobis(x: list[float], mu: list[float], Sigma: list[list[float]]) -> Answered:
    square = squared_distance(x, mu, Sigma)
    answer = math.sqrt(square)
    return Answered(
        rf"A Gaussian in the plane has the mean $\mu={vector(mu)}$ and the covariance "
        rf"$\Sigma={matrix(Sigma)}$. What is the Mahalanobis distance of the point $x={vector(x)}$ "
        "from the mean?",
        answer,
        rf"{distance_steps(x, mu, Sigma)} Its root is the distance, ${near(answer, 3)}$. Whoever "
        f"forgets the root gives the *squared* distance, ${square:.3f}$.",
        square,
    )


def log_density(x: list[float], mu: list[float], Sigma: list[list[float]]) -> Answered:
    answer = float(log_gaussian([x], [mu], [Sigma])[0, 0])
    log_det = math.log(determinant(Sigma))
    wrong = answer - 0.5 * log_det
    return Answered(
        rf"A Gaussian in the plane has the mean $\mu={vector(mu)}$ and the covariance "
        rf"$\Sigma={matrix(Sigma)}$. What is the natural logarithm of its density at "
        rf"$x={vector(x)}$?",
        answer,
        rf"{distance_steps(x, mu, Sigma)} In the plane the logarithm of the density is "
        rf"$-\log(2\pi)-\frac12\log\det\Sigma-\frac12\,y^\top\Sigma^{{-1}}y$. With the numbers "
        rf"this is $-{math.log(2 * math.pi):.6f}-\frac12\cdot({near(log_det, 3)})"
        rf"-\frac12\cdot{near(squared_distance(x, mu, Sigma), 3)}{equals(answer, 3)}$. "
        rf"Without the $\frac12$ in front of $\log\det\Sigma$ you would get ${wrong:.3f}$.",
        wrong,
    )


def draw_entry(rng: Rng) -> dict[str, Any]:
    while True:
        first, second = ([float(whole(rng, 0, 8)) for _ in range(4)] for _ in range(2))
        centred = np.array([first, second]) - np.mean([first, second], axis=1, keepdims=True)
        if abs(np.linalg.det(centred @ centred.T)) > 1:
            return {"first": first, "second": second, "beta": shares(rng, 4)}


def entry(first: list[float], second: list[float], beta: list[float]) -> Answered:
    X = np.column_stack([first, second])
    fitted = m_step(X, [[b, 1 - b] for b in beta])
    answer = float(fitted.covariances[0, 0, 1])
    count, centre = sum(beta), fitted.means[0]
    wrong = answer * count / 4
    rows = {"x_{i1}": first, "x_{i2}": second, r"\beta_{i1}": beta}
    return Answered(
        f"Four points in the plane have these shares in component 1:{table(rows)}"
        r"What is the entry in the first row and second column of the new covariance "
        r"$\hat\Sigma_1$?",
        answer,
        rf"The shares sum to $N_1={num(count)}$, and the new mean is $({near(centre[0], 3)},\ "
        rf"{near(centre[1], 3)})$. The products of the two distances from it, each with its share, "
        rf"sum to ${near(answer * count, 3)}$, and divided by $N_1$ they give ${near(answer, 3)}$. "
        rf"Divided by $n=4$ it would be ${wrong:.3f}$.",
        wrong,
    )


def draw_along(rng: Rng) -> dict[str, Any]:
    u = one_of(rng, [[0.6, 0.8], [0.8, 0.6], [0.6, -0.8], [0.8, -0.6]])
    return {"Sigma": draw_covariance(rng), "u": u}


def along(Sigma: list[list[float]], u: list[float]) -> Answered:
    answer = float(np.array(u) @ np.array(Sigma) @ np.array(u))
    wrong = u[0] ** 2 * Sigma[0][0] + u[1] ** 2 * Sigma[1][1]
    cross = 2 * u[0] * u[1] * Sigma[0][1]
    return Answered(
        rf"A Gaussian in the plane has the covariance $\Sigma={matrix(Sigma)}$. What is its "
        rf"variance along the direction $u={vector(u)}$, which has length 1?",
        answer,
        rf"It is $u^\top\Sigma u=u_1^2\Sigma_{{11}}+2u_1u_2\Sigma_{{12}}+u_2^2\Sigma_{{22}}$, "
        rf"that is, ${num(u[0] ** 2 * Sigma[0][0])}+{par(cross)}+{num(u[1] ** 2 * Sigma[1][1])}"
        rf"={num(answer)}$. Without the covariance in the middle you would get ${wrong:.3f}$.",
        wrong,
    )


# --- the appendix --------------------------------------------------------------------------------


def draw_symmetric(rng: Rng) -> dict[str, Any]:
    return {
        "a": float(whole(rng, 1, 9)),
        "b": one_of(rng, [-1, 1]) * tenths(rng, 0.5, 5),
        "c": float(whole(rng, 1, 9)),
    }


def eigenvalue(a: float, b: float, c: float) -> Answered:
    answer = float(np.linalg.eigvalsh([[a, b], [b, c]])[1])
    wrong = max(a, c)
    root = math.sqrt(((a - c) / 2) ** 2 + b * b)
    return Answered(
        rf"What is the larger eigenvalue of $A={matrix([[a, b], [b, c]])}$?",
        answer,
        r"The eigenvalues solve $(a-\lambda)(c-\lambda)=b^2$, so they are "
        r"$\frac{a+c}2\pm\sqrt{\bigl(\frac{a-c}2\bigr)^2+b^2}"
        rf"\approx{num((a + c) / 2)}\pm{near(root, 3)}$. The larger one is ${near(answer, 3)}$. It "
        rf"is more than the larger number on the diagonal, ${num(wrong)}$, since $b$ is not 0.",
        wrong,
    )


def draw_constrained(rng: Rng) -> dict[str, Any]:
    a, b = different_tenths(rng, 0.5, 6, 2)
    return {"a": a, "b": b, "total": float(whole(rng, 2, 20))}


def constrained(a: float, b: float, total: float) -> Answered:
    answer = total * b / (a + b)
    wrong = total * a / (a + b)
    slope = 2 * a * answer
    return Answered(
        rf"Make ${num(a)}\,x^2+{num(b)}\,y^2$ as small as possible under the constraint "
        rf"$x+y={num(total)}$. What is $x$?",
        answer,
        rf"With a multiplier the slopes must agree: ${num(2 * a)}\,x=\lambda={num(2 * b)}\,y$. "
        rf"Together with the constraint this gives $x=\frac{{{num(b)}}}{{{num(a + b)}}}\cdot"
        rf"{num(total)}{equals(answer, 3)}$, and $\lambda{equals(slope, 3)}$. The dearer "
        f"variable gets less. The other way round, in proportion to the factors, $x$ would be "
        f"${wrong:.3f}$.",
        wrong,
    )


def draw_rate(rng: Rng) -> dict[str, Any]:
    return {"Sigma": draw_covariance(rng), "rate": [tenths(rng, 0.2, 4), tenths(rng, 0.2, 4)]}


def rate_of_log_det(Sigma: list[list[float]], rate: list[float]) -> Answered:
    det = determinant(Sigma)
    change = Sigma[1][1] * rate[0] + Sigma[0][0] * rate[1]
    answer = float(np.trace(np.linalg.solve(np.array(Sigma), np.diag(rate))))
    wrong = rate[0] / Sigma[0][0] + rate[1] / Sigma[1][1]
    return Answered(
        rf"The two variances of $\Sigma={matrix(Sigma)}$ begin to grow, the first at the rate "
        rf"${num(rate[0])}$ and the second at the rate ${num(rate[1])}$. The covariance stays. At "
        r"which rate does $\log\det\Sigma$ grow at first?",
        answer,
        r"The rate is $\operatorname{tr}(\Sigma^{-1}\dot\Sigma)$. The diagonal of $\Sigma^{-1}$ is "
        rf"${num(Sigma[1][1])}/{num(det)}$ and ${num(Sigma[0][0])}/{num(det)}$, so it is "
        rf"${num(change)}/{num(det)}{equals(answer, 3)}$. With the inverse of each variance "
        rf"in place of the inverse matrix you would get ${wrong:.3f}$.",
        wrong,
    )


RECIPES = (
    Recipe("n-08-1", "A Mahalanobis distance", 3, draw_point, mahalanobis),
    Recipe("n-08-2", "A log-density in the plane", 3, draw_point, log_density),
    Recipe("n-08-3", "An entry of a new covariance", 3, draw_entry, entry),
    Recipe("n-08-4", "The variance along a direction", 3, draw_along, along),
    Recipe("n-a-1", "An eigenvalue", 3, draw_symmetric, eigenvalue),
    Recipe("n-a-2", "A minimum under a constraint", 3, draw_constrained, constrained),
    Recipe("n-a-3", "The rate of a log-determinant", 3, draw_rate, rate_of_log_det),
)
