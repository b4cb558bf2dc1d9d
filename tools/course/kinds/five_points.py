"""Chapter 7: five numbers, two components, one round of EM; another example for every seed."""

import math
from typing import Any

import numpy as np

from course.drawing import Rng, apart, different_tenths, one_of, unequal_weights, whole
from course.kinds.m_step import data_with_shares, in_two
from course.kinds.mixtures import bell, density
from course.recipes import Answered, Recipe
from course.writing import equals, listed, near, num, table, times
from gmmlib.em import e_step, m_step
from gmmlib.mixture import Mixture

VARIANCES = [0.5, 0.6, 0.8, 1.2, 1.5, 2.0, 2.5, 3.0]


def draw_start(rng: Rng) -> dict[str, Any]:
    """Five points, and a start with one variance for both components."""
    return {
        "x": different_tenths(rng, 0.3, 3, 5),
        "mu": sorted(apart(rng, 0.5, 3, 0.8)),
        "variance": one_of(rng, VARIANCES),
    }


def draw_density(rng: Rng) -> dict[str, Any]:
    return draw_start(rng) | {"i": whole(rng, 1, 5), "j": whole(rng, 1, 2)}


def start(mu: list[float], variance: float) -> str:
    return (
        rf"$\mu_1={num(mu[0])}$, $\mu_2={num(mu[1])}$ and $\sigma_1^2=\sigma_2^2={num(variance)}$"
    )


def one_density(x: list[float], mu: list[float], variance: float, i: int, j: int) -> Answered:
    point, centre = x[i - 1], mu[j - 1]
    answer = density(point, centre, variance)
    wrong = answer * math.sqrt(variance)
    return Answered(
        f"EM starts on the five points {listed(x)} with {start(mu, variance)}. How large is the "
        f"density $g_{j}(x_{i})$?",
        answer,
        rf"Here $x_{i}={num(point)}$, and $g_{j}(x_{i})={bell(point, centre, variance)}"
        rf"{equals(answer, 3)}$. In front of the exponential stands $1/\sqrt{{2\pi\sigma^2}}$. "
        rf"With $1/\sqrt{{2\pi}}$ alone you would get ${wrong:.3f}$: that is the first slip of "
        "chapter 7.",
        wrong,
    )


def draw_share(rng: Rng) -> dict[str, Any]:
    return draw_start(rng) | {"alpha": unequal_weights(rng), "i": whole(rng, 1, 5)}


def one_share(
    x: list[float], mu: list[float], variance: float, alpha: list[float], i: int
) -> Answered:
    point = x[i - 1]
    beta, _ = e_step(x, Mixture.univariate(alpha, mu, [variance, variance]))
    answer = float(beta[i - 1, 0])
    g = [density(point, m, variance) for m in mu]
    parts = [a * b for a, b in zip(alpha, g, strict=True)]
    wrong = g[0] / sum(g)
    return Answered(
        f"EM starts on the five points {listed(x)} with {start(mu, variance)}, and with the "
        f"weights "
        rf"$\alpha_1={num(alpha[0])}$ and $\alpha_2={num(alpha[1])}$. How large is the share "
        rf"$\beta_{{{i}1}}$ of the point $x_{i}={num(point)}$ in component 1?",
        answer,
        rf"The densities are $g_1{equals(g[0], 3)}$ and $g_2{equals(g[1], 3)}$. Times "
        rf"the weights they are ${near(parts[0], 3)}$ and ${near(parts[1], 3)}$, and the share is "
        rf"${near(parts[0], 3)}/{near(sum(parts), 3)}{equals(answer, 3)}$. With equal weights "
        f"it would be ${wrong:.3f}$.",
        wrong,
    )


def draw_shares(rng: Rng) -> dict[str, Any]:
    """The shares that an E-step finds from such a start, to two decimals."""
    drawn = draw_start(rng)
    mixture = Mixture.univariate([0.5, 0.5], drawn["mu"], [drawn["variance"]] * 2)
    beta, _ = e_step(drawn["x"], mixture)
    rounded = [min(max(round(float(b), 2), 0.01), 0.99) for b in beta[:, 0]]
    return {"x": drawn["x"], "beta": rounded, "j": whole(rng, 1, 2)}


def in_component(beta: list[float], j: int) -> list[float]:
    return beta if j == 1 else [round(1 - b, 2) for b in beta]


def after_e_step(x: list[float], beta: list[float]) -> str:
    return (
        "Five points have these shares in component 1 of 2, after the E-step:"
        f"{data_with_shares(x, beta)}"
    )


def one_mean(x: list[float], beta: list[float], j: int) -> Answered:
    answer = float(m_step(x, in_two(beta)).means[j - 1, 0])
    own = in_component(beta, j)
    first = float(np.dot(own, x))
    wrong = first / 5
    return Answered(
        rf"{after_e_step(x, beta)}What is the new mean $\mu_{j}$?",
        answer,
        rf"The shares in component {j} are {listed(own)}, with the sum $N_{j}={num(sum(own))}$. "
        rf"The weighted sum is ${times(own, x)}={num(first)}$, and divided by $N_{j}$ it gives "
        rf"$\hat\mu_{j}{equals(answer, 3)}$. Divided by 5 it would be ${wrong:.3f}$.",
        wrong,
    )


def one_variance(x: list[float], beta: list[float], j: int) -> Answered:
    fitted = m_step(x, in_two(beta))
    answer, centre = float(fitted.variances[j - 1]), float(fitted.means[j - 1, 0])
    own = in_component(beta, j)
    wrong = math.sqrt(answer)
    return Answered(
        rf"{after_e_step(x, beta)}What is the new variance $\sigma_{j}^2$?",
        answer,
        rf"The shares in component {j} are {listed(own)}, with the sum $N_{j}={num(sum(own))}$. "
        rf"The new mean is $\hat\mu_{j}{equals(centre, 3)}$. The squared distances from it, each "
        rf"with its share, sum to ${near(sum(own) * answer, 3)}$. Divided by $N_{j}$ they give "
        rf"$\hat\sigma_{j}^2{equals(answer, 3)}$. The root of this, ${wrong:.3f}$, is the new "
        "standard deviation. To take one for the other is the second slip of chapter 7.",
        wrong,
    )


def draw_densities(rng: Rng) -> dict[str, Any]:
    """The densities at the five points, to three decimals."""
    drawn = draw_start(rng)
    g = [[round(density(a, m, drawn["variance"]), 3) for a in drawn["x"]] for m in drawn["mu"]]
    return {"g": g, "alpha": unequal_weights(rng)}


def joint(g: list[list[float]], alpha: list[float]) -> list[list[float]]:
    return [[alpha[0] * a, alpha[1] * b] for a, b in zip(*g, strict=True)]


def with_densities(g: list[list[float]], alpha: list[float]) -> str:
    rows = {"g_1(x_i)": g[0], "g_2(x_i)": g[1]}
    return (
        rf"The weights are $\alpha_1={num(alpha[0])}$ and $\alpha_2={num(alpha[1])}$, and at five "
        f"points the densities are{table(rows)}"
    )


def one_weight(g: list[list[float]], alpha: list[float]) -> Answered:
    beta = [a / (a + b) for a, b in joint(g, alpha)]
    answer = math.fsum(beta) / 5
    wrong = math.fsum(a / (a + b) for a, b in zip(*g, strict=True)) / 5
    return Answered(
        rf"{with_densities(g, alpha)}What is the new weight $\alpha_1$, after one E-step and one "
        "M-step?",
        answer,
        r"First the shares, $\beta_{i1}=\alpha_1g_1/(\alpha_1g_1+\alpha_2g_2)$. They are "
        rf"{listed(round(b, 4) for b in beta)}. Their average is the new weight, "
        rf"$\hat\alpha_1=N_1/5{equals(answer, 3)}$. If the old weights are left out of the "
        f"shares, the result is ${wrong:.3f}$.",
        wrong,
    )


def log_likelihood(g: list[list[float]], alpha: list[float]) -> Answered:
    p = [a + b for a, b in joint(g, alpha)]
    answer = math.fsum(map(math.log, p))
    wrong = math.log(math.fsum(p))
    return Answered(
        f"{with_densities(g, alpha)}What is the log-likelihood of these five points?",
        answer,
        rf"The densities of the mixture, $p(x_i)=\alpha_1g_1(x_i)+\alpha_2g_2(x_i)$, are "
        rf"{listed(round(a, 5) for a in p)}. The log-likelihood is the sum of their "
        rf"logarithms, {listed(round(math.log(a), 4) for a in p)}, and that is "
        rf"${near(answer, 2)}$. The "
        f"logarithm of their sum would be ${wrong:.2f}$, but the likelihood is a product of "
        f"densities.",
        wrong,
    )


RECIPES = (
    Recipe("n-07-1", "Five points: a density", 3, draw_density, one_density),
    Recipe("n-07-2", "Five points: a share", 3, draw_share, one_share),
    Recipe("n-07-3", "Five points: a new mean", 3, draw_shares, one_mean),
    Recipe("n-07-4", "Five points: a new variance", 3, draw_shares, one_variance),
    Recipe("n-07-5", "Five points: a new weight", 3, draw_densities, one_weight),
    Recipe("n-07-6", "Five points: the log-likelihood", 2, draw_densities, log_likelihood),
)
