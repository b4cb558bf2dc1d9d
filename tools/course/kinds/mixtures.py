"""Chapters 1, 3 and 5: densities of mixtures, whose a point is, the log-likelihood."""

import math
from typing import Any

import numpy as np

from course.drawing import (
    Rng,
    apart,
    different_tenths,
    hundredths,
    one_of,
    shares,
    tenths,
    unequal_weights,
    weights,
    whole,
)
from course.recipes import Answered, Recipe
from course.writing import equals, listed, near, num, par, table, times, total
from gmmlib.em import e_step
from gmmlib.gaussian import log_gaussian
from gmmlib.mixture import Mixture

VARIANCES = [0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0]


def density(x: float, mean: float, variance: float) -> float:
    return float(np.exp(log_gaussian([x], [mean], [variance])[0, 0]))


def bell(x: float, mean: float, variance: float) -> str:
    """The density with its numbers put in."""
    return (
        rf"\frac1{{\sqrt{{2\pi\cdot{num(variance)}}}}}"
        rf"\exp\Bigl(-\frac{{({num(x)}-{par(mean)})^2}}{{2\cdot{num(variance)}}}\Bigr)"
    )


def two_components(
    alpha: list[float], mu: list[float], variance: list[float], spread: str = "variances"
) -> str:
    """The parameters of a mixture, in words; ``spread`` says whether the last are variances."""
    symbols = r"\sigma_1^2", r"\sigma_2^2"
    values = variance
    if spread == "standard deviations":
        symbols = r"\sigma_1", r"\sigma_2"
    return (
        rf"the weights $\alpha_1={num(alpha[0])}$ and $\alpha_2={num(alpha[1])}$, the means "
        rf"$\mu_1={num(mu[0])}$ and $\mu_2={num(mu[1])}$, and the {spread} "
        rf"${symbols[0]}={num(values[0])}$ and ${symbols[1]}={num(values[1])}$"
    )


# --- chapter 1 -----------------------------------------------------------------------------------


def draw_mean(rng: Rng) -> dict[str, Any]:
    return {"alpha": weights(rng, 3), "mu": different_tenths(rng, -3, 9, 3)}


def mean(alpha: list[float], mu: list[float]) -> Answered:
    answer = float(np.dot(alpha, mu))
    wrong = sum(mu) / 3
    return Answered(
        f"A mixture has three components with the weights {listed(alpha)}. Their means are "
        f"{listed(mu)}, in the same order. What is the mean of the mixture?",
        answer,
        rf"Each mean counts with its weight: "
        rf"$\sum_j\alpha_j\mu_j={times(alpha, mu)}={num(answer)}$. "
        f"The plain average of the three means, ${wrong:.2f}$, would be right only if the "
        "weights were equal.",
        wrong,
    )


def draw_variance(rng: Rng) -> dict[str, Any]:
    return {
        "alpha": unequal_weights(rng),
        "mu": apart(rng, -2, 6),
        "sigma": different_tenths(rng, 0.5, 2.5, 2),
    }


def variance(alpha: list[float], mu: list[float], sigma: list[float]) -> Answered:
    squares = [s**2 for s in sigma]
    centre = float(np.dot(alpha, mu))
    within = float(np.dot(alpha, squares))
    between = alpha[0] * alpha[1] * (mu[0] - mu[1]) ** 2
    return Answered(
        f"A mixture of two Gaussians has "
        f"{two_components(alpha, mu, sigma, 'standard deviations')}. "
        "What is the variance of the mixture?",
        within + between,
        rf"The mean of the mixture is $\bar\mu={times(alpha, mu)}={num(centre)}$. The part within "
        rf"the components is $\sum_j\alpha_j\sigma_j^2={times(alpha, squares)}={num(within)}$. The "
        rf"part between them is $\sum_j\alpha_j(\mu_j-\bar\mu)^2{equals(between, 2)}$. "
        rf"Together they give ${near(within + between, 2)}$. Whoever stops after the first part "
        rf"gets ${within:.2f}$ and has left out that the two means lie apart.",
        within,
    )


def draw_density(rng: Rng) -> dict[str, Any]:
    mu = apart(rng, 0, 6)
    return {
        "alpha": unequal_weights(rng),
        "mu": mu,
        "variance": [one_of(rng, VARIANCES), one_of(rng, VARIANCES)],
        "x": tenths(rng, min(mu) - 1, max(mu) + 1),
    }


def mixture_density(
    alpha: list[float], mu: list[float], variance: list[float], x: float
) -> Answered:
    answer = float(np.exp(Mixture.univariate(alpha, mu, variance).log_density([x])[0]))
    g = [density(x, m, v) for m, v in zip(mu, variance, strict=True)]
    wrong = sum(g)
    return Answered(
        f"A mixture of two Gaussians has {two_components(alpha, mu, variance)}. How large is its "
        f"density at $x={num(x)}$?",
        answer,
        rf"The two densities are $g_1={bell(x, mu[0], variance[0])}{equals(g[0], 3)}$ and "
        rf"$g_2={bell(x, mu[1], variance[1])}{equals(g[1], 3)}$. The mixture weighs them: "
        rf"${num(alpha[0])}\cdot{near(g[0], 3)}+{num(alpha[1])}\cdot{near(g[1], 3)}"
        rf"{equals(answer, 3)}$. The sum without the weights, ${wrong:.3f}$, belongs to no "
        rf"density: it would integrate to 2.",
        wrong,
    )


# --- chapter 3 -----------------------------------------------------------------------------------


def draw_share_from_densities(rng: Rng) -> dict[str, Any]:
    return {
        "alpha": weights(rng, 3),
        "g": [hundredths(rng, 0.02, 0.6) for _ in range(3)],
    }


def share_from_densities(alpha: list[float], g: list[float]) -> Answered:
    parts = [a * b for a, b in zip(alpha, g, strict=True)]
    answer = parts[0] / sum(parts)
    wrong = g[0] / sum(g)
    return Answered(
        f"A mixture has three components with the weights {listed(alpha)}. At the point $x_i$ "
        f"their densities are {listed(g)}. How large is the share of $x_i$ in component 1?",
        answer,
        rf"Multiply each density by its weight: $\alpha_1g_1={num(parts[0])}$, and "
        rf"$p(x_i)={times(alpha, g)}={num(sum(parts))}$. So "
        rf"$\beta_{{i1}}={num(parts[0])}/{num(sum(parts))}{equals(answer, 3)}$. "
        f"Without the weights you would get ${wrong:.3f}$.",
        wrong,
    )


def draw_share(rng: Rng) -> dict[str, Any]:
    mu = sorted(apart(rng, 0, 5))
    return {
        "mu": mu,
        "sigma": different_tenths(rng, 0.5, 2.5, 2),
        "x": tenths(rng, mu[0], mu[1]),
    }


def share(mu: list[float], sigma: list[float], x: float) -> Answered:
    squares = [s**2 for s in sigma]
    beta, _ = e_step([x], Mixture.univariate([0.5, 0.5], mu, squares))
    answer = float(beta[0, 0])
    powers = [math.exp(-((x - m) ** 2) / (2 * v)) for m, v in zip(mu, squares, strict=True)]
    parts = [p / s for p, s in zip(powers, sigma, strict=True)]
    wrong = powers[0] / sum(powers)
    return Answered(
        rf"Two Gaussians have equal weights, the means $\mu_1={num(mu[0])}$ and "
        rf"$\mu_2={num(mu[1])}$, and the standard deviations $\sigma_1={num(sigma[0])}$ and "
        rf"$\sigma_2={num(sigma[1])}$. How large is the share of the point $x={num(x)}$ in "
        rf"component 1?",
        answer,
        rf"The weights and $\sqrt{{2\pi}}$ cancel, but $1/\sigma_j$ does not. So compare "
        rf"$\frac1{{\sigma_j}}\exp\bigl(-\frac{{(x-\mu_j)^2}}{{2\sigma_j^2}}\bigr)$. For $j=1$ "
        rf"it is ${near(parts[0], 3)}$ and for $j=2$ it is ${near(parts[1], 3)}$, and the share is "
        rf"${near(parts[0], 3)}/{near(sum(parts), 3)}{equals(answer, 3)}$. If you leave out "
        rf"$1/\sigma_j$ as well, you get ${wrong:.3f}$.",
        wrong,
    )


def draw_boundary(rng: Rng) -> dict[str, Any]:
    return {
        "alpha": unequal_weights(rng),
        "mu": sorted(apart(rng, -2, 7)),
        "variance": one_of(rng, VARIANCES),
    }


def boundary(alpha: list[float], mu: list[float], variance: float) -> Answered:
    middle = (mu[0] + mu[1]) / 2
    log_ratio = math.log(alpha[0] / alpha[1])
    answer = middle + variance * log_ratio / (mu[1] - mu[0])
    return Answered(
        rf"Two Gaussians have the weights $\alpha_1={num(alpha[0])}$ and "
        rf"$\alpha_2={num(alpha[1])}$ and the means $\mu_1={num(mu[0])}$ and $\mu_2={num(mu[1])}$. "
        rf"Both have the variance $\sigma^2={num(variance)}$. At which point $x$ are the two "
        rf"shares equal?",
        answer,
        r"There $\alpha_1g_1(x)=\alpha_2g_2(x)$. Take logarithms: the squares of $x$ cancel, and "
        r"$x=\frac{\mu_1+\mu_2}2+\frac{\sigma^2}{\mu_2-\mu_1}\log\frac{\alpha_1}{\alpha_2}"
        rf"={num(middle)}+\frac{{{num(variance)}}}{{{num(mu[1] - mu[0])}}}\cdot"
        rf"({near(log_ratio, 3)}){equals(answer, 3)}$. The midpoint, ${num(middle)}$, would "
        rf"be right for equal weights. The lighter component has less ground.",
        middle,
    )


def draw_log_odds(rng: Rng) -> dict[str, Any]:
    return draw_boundary(rng) | {"x": tenths(rng, -3, 8)}


def log_odds(alpha: list[float], mu: list[float], variance: float, x: float) -> Answered:
    mixture = Mixture.univariate(alpha, mu, [variance, variance])
    log_joint = mixture.log_joint([x])[0]
    answer = float(log_joint[0] - log_joint[1])
    log_ratio = math.log(alpha[0] / alpha[1])
    squares = [(x - m) ** 2 for m in mu]
    wrong = answer - log_ratio
    return Answered(
        rf"Two Gaussians have the weights $\alpha_1={num(alpha[0])}$ and "
        rf"$\alpha_2={num(alpha[1])}$, the means $\mu_1={num(mu[0])}$ and $\mu_2={num(mu[1])}$, "
        rf"and both the variance $\sigma^2={num(variance)}$. Compute the natural logarithm of "
        rf"$\beta_1/\beta_2$ at the point $x={num(x)}$.",
        answer,
        r"With equal variances the constants cancel, and "
        r"$\log\frac{\beta_1}{\beta_2}=\log\frac{\alpha_1}{\alpha_2}"
        r"+\frac{(x-\mu_2)^2-(x-\mu_1)^2}{2\sigma^2}$. This is "
        rf"${near(log_ratio, 3)}+\frac{{{num(squares[1])}-{num(squares[0])}}}"
        rf"{{{num(2 * variance)}}}{equals(answer, 3)}$. Without the weights you would get "
        f"${wrong:.3f}$.",
        wrong,
    )


# --- chapter 5 -----------------------------------------------------------------------------------


def draw_log_likelihood(rng: Rng) -> dict[str, Any]:
    mu = sorted(apart(rng, 0, 5))
    return {
        "alpha": unequal_weights(rng),
        "mu": mu,
        "variance": one_of(rng, VARIANCES),
        "x": different_tenths(rng, mu[0] - 1, mu[1] + 1, 2),
    }


def log_likelihood(
    alpha: list[float], mu: list[float], variance: float, x: list[float]
) -> Answered:
    mixture = Mixture.univariate(alpha, mu, [variance, variance])
    answer = mixture.log_likelihood(x)
    p = np.exp(mixture.log_density(x))
    log_g = log_gaussian(x, mu, [variance, variance])
    wrong = float((log_g @ np.array(alpha)).sum())
    return Answered(
        rf"A mixture of two Gaussians has the weights $\alpha_1={num(alpha[0])}$ and "
        rf"$\alpha_2={num(alpha[1])}$, the means $\mu_1={num(mu[0])}$ and $\mu_2={num(mu[1])}$, "
        rf"and both variances are ${num(variance)}$. The data are the two points {listed(x)}. What "
        rf"is the log-likelihood?",
        answer,
        rf"First the densities of the mixture: $p({num(x[0])}){equals(p[0], 3)}$ and "
        rf"$p({num(x[1])}){equals(p[1], 3)}$. Then the sum of their logarithms: "
        rf"${near(math.log(p[0]), 3)}+({near(math.log(p[1]), 3)}){equals(answer, 3)}$. If the "
        rf"logarithm is moved inside, $\sum_j\alpha_j\log g_j$, you get ${wrong:.3f}$, which is "
        "too low: the logarithm of a sum does not split.",
        wrong,
    )


def draw_slope(rng: Rng) -> dict[str, Any]:
    return {
        "x": different_tenths(rng, -2, 6, 4),
        "beta": shares(rng, 4),
        "mu": tenths(rng, 0, 4),
        "sigma": one_of(rng, [0.5, 0.8, 1.2, 1.5, 2.0, 2.5]),
    }


def slope(x: list[float], beta: list[float], mu: float, sigma: float) -> Answered:
    pulls = [b * (a - mu) for a, b in zip(x, beta, strict=True)]
    force = math.fsum(pulls)
    answer = force / sigma**2
    wrong = force / sigma
    rows = {"x_i": x, r"\beta_{i1}": beta}
    steps = total(rf"{num(b)}\cdot{par(round(a - mu, 1))}" for a, b in zip(x, beta, strict=True))
    return Answered(
        rf"Component 1 of a mixture has the mean $\mu_1={num(mu)}$ and the standard deviation "
        rf"$\sigma_1={num(sigma)}$. At these parameters its shares of four points are"
        f"{table(rows)}"
        r"How large is $\partial\ell/\partial\mu_1$, the slope of the log-likelihood in $\mu_1$?",
        answer,
        r"Each point pulls with its share: $\partial\ell/\partial\mu_1"
        r"=\frac1{\sigma_1^2}\sum_i\beta_{i1}(x_i-\mu_1)$. The sum is "
        rf"${steps}={num(force)}$, and divided by the variance $\sigma_1^2={num(sigma**2)}$ it "
        rf"gives ${near(answer, 2)}$. Divided by $\sigma_1$ it would "
        f"be ${wrong:.2f}$.",
        wrong,
    )


def draw_force(rng: Rng) -> dict[str, Any]:
    mu = sorted(apart(rng, 0, 4))
    return {
        "alpha": unequal_weights(rng),
        "mu": mu,
        "variance": one_of(rng, VARIANCES),
        "x": whole(rng, -10, 60) / 10,
    }


def force(alpha: list[float], mu: list[float], variance: float, x: float) -> Answered:
    beta, _ = e_step([x], Mixture.univariate(alpha, mu, [variance, variance]))
    share_1 = float(beta[0, 0])
    wrong = (x - mu[0]) / variance
    answer = share_1 * wrong
    return Answered(
        rf"A mixture of two Gaussians has the weights $\alpha_1={num(alpha[0])}$ and "
        rf"$\alpha_2={num(alpha[1])}$, the means $\mu_1={num(mu[0])}$ and $\mu_2={num(mu[1])}$, "
        rf"and both variances are ${num(variance)}$. What does the point $x={num(x)}$ add to "
        r"$\partial\ell/\partial\mu_1$?",
        answer,
        rf"For a single Gaussian the point would add $(x-\mu_1)/\sigma_1^2{equals(wrong, 3)}$. "
        rf"Here it counts with its share in component 1, $\beta_1{equals(share_1, 3)}$, so it adds "
        rf"${near(answer, 3)}$. Without the share you would get ${wrong:.3f}$.",
        wrong,
    )


RECIPES = (
    Recipe("n-01-1", "The mean of a mixture", 2, draw_mean, mean),
    Recipe("n-01-2", "The variance of a mixture", 2, draw_variance, variance),
    Recipe("n-01-3", "The density of a mixture", 3, draw_density, mixture_density),
    Recipe("n-03-1", "A share, from densities", 3, draw_share_from_densities, share_from_densities),
    Recipe("n-03-2", "A share, from parameters", 3, draw_share, share),
    Recipe("n-03-3", "The boundary between two Gaussians", 3, draw_boundary, boundary),
    Recipe("n-03-4", "Log-odds", 3, draw_log_odds, log_odds),
    Recipe("n-05-1", "The log-likelihood of a mixture", 3, draw_log_likelihood, log_likelihood),
    Recipe("n-05-2", "The slope in a mean", 2, draw_slope, slope),
    Recipe("n-05-3", "The pull of one point", 3, draw_force, force),
)
