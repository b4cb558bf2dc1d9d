"""Chapters 9, 10 and 11: the bound, arithmetic that does not break, sums that hold everything."""

import math
from typing import Any

import numpy as np
from scipy.special import logsumexp

from course.drawing import (
    Rng,
    apart,
    different_tenths,
    hundredths,
    one_of,
    shares,
    tenths,
    unequal_weights,
    whole,
)
from course.kinds.m_step import data_with_shares
from course.kinds.mixtures import VARIANCES
from course.recipes import Answered, Recipe
from course.writing import equals, listed, matrix, near, num, par, total, vector
from gmmlib.bound import expected_complete_data_log_likelihood, kl_divergence, lower_bound
from gmmlib.engine.statistics import natural_parameters, sufficient_statistics
from gmmlib.mixture import Mixture
from gmmlib.models import family_of

COVARIANCES = {
    "full": "Each component has a full covariance matrix of its own",
    "tied": "All components share one full covariance matrix",
    "diag": "Each component has a diagonal covariance matrix of its own",
    "spherical": "Each component has one variance of its own, the same in every direction",
}

# --- chapter 9 -----------------------------------------------------------------------------------


def draw_divergence(rng: Rng) -> dict[str, Any]:
    def distribution() -> list[float]:
        first, second = (5 * whole(rng, 1, 9) for _ in range(2))
        return [first / 100, second / 100, (100 - first - second) / 100]

    return {"q": distribution(), "p": distribution()}


def divergence(q: list[float], p: list[float]) -> Answered:
    answer, wrong = kl_divergence([q], [p]), kl_divergence([p], [q])
    terms = total(rf"{num(a)}\log\frac{{{num(a)}}}{{{num(b)}}}" for a, b in zip(q, p, strict=True))
    return Answered(
        f"Two distributions over three labels are $q={vector(q)}$ and $p={vector(p)}$. What is "
        r"$\mathrm{KL}(q\,\|\,p)$, in nats?",
        answer,
        rf"$\mathrm{{KL}}(q\,\|\,p)={terms}{equals(answer, 3)}$. The order matters: "
        rf"$\mathrm{{KL}}(p\,\|\,q)$ is ${wrong:.3f}$.",
        wrong,
    )


def draw_bound(rng: Rng) -> dict[str, Any]:
    mu = sorted(apart(rng, 0, 5))
    return {
        "alpha": unequal_weights(rng),
        "mu": mu,
        "x": tenths(rng, mu[0], mu[1]),
        "q": one_of(rng, [0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8]),
    }


def bound(alpha: list[float], mu: list[float], x: float, q: float) -> Answered:
    mixture = Mixture.univariate(alpha, mu, [1, 1])
    guess = [[q, 1 - q]]
    answer = lower_bound([x], guess, mixture)
    wrong = expected_complete_data_log_likelihood([x], guess, mixture)
    joint = mixture.log_joint([x])[0]
    return Answered(
        rf"A mixture of two Gaussians has the weights $\alpha_1={num(alpha[0])}$ and "
        rf"$\alpha_2={num(alpha[1])}$, the means $\mu_1={num(mu[0])}$ and $\mu_2={num(mu[1])}$, "
        rf"and both variances are 1. There is one point, $x={num(x)}$, and the guess at its label "
        rf"is $q=({num(q)},\ {num(1 - q)})$. How large is the lower bound $\mathcal L(q,\theta)$?",
        answer,
        rf"The logarithms $\log\alpha_jg_j(x)$ are ${near(joint[0], 3)}$ and "
        rf"${near(joint[1], 3)}$. Averaged with the guess they give $Q{equals(wrong, 3)}$. The "
        rf"entropy of the guess is $H(q){equals(answer - wrong, 3)}$, and $\mathcal "
        rf"L=Q+H{equals(answer, 3)}$. Without the entropy you would get ${wrong:.3f}$.",
        wrong,
    )


def draw_gap(rng: Rng) -> dict[str, Any]:
    return {
        "joint": [hundredths(rng, 0.02, 0.4), hundredths(rng, 0.02, 0.4)],
        "q": one_of(rng, [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9]),
    }


def gap(joint: list[float], q: float) -> Answered:
    p = [a / sum(joint) for a in joint]
    guess = [q, 1 - q]
    answer = kl_divergence([guess], [p])
    wrong = kl_divergence([p], [guess])
    return Answered(
        rf"At the only point of some data, $\alpha_1g_1(x)={num(joint[0])}$ and "
        rf"$\alpha_2g_2(x)={num(joint[1])}$. The guess at its label is $q=({num(q)},\ "
        rf"{num(1 - q)})$. By how much does the lower bound stay below the "
        "log-likelihood?",
        answer,
        rf"The gap is $\mathrm{{KL}}(q\,\|\,\beta)$. The shares are "
        rf"$\beta\approx({near(p[0], 3)},\ {near(p[1], 3)})$, and "
        rf"$\sum_jq_j\log(q_j/\beta_j){equals(answer, 3)}$. The divergence in the other "
        rf"order, from $\beta$ to $q$, would be ${wrong:.3f}$.",
        wrong,
    )


# --- chapter 10 ----------------------------------------------------------------------------------


def draw_log_sum(rng: Rng) -> dict[str, Any]:
    top = -float(whole(rng, 760, 1500))
    below = different_tenths(rng, 0.3, 2.5, 2)
    a = [top, *(round(top - gap, 1) for gap in below)]
    return {"a": [a[k] for k in rng.permutation(3)]}


def log_sum(a: list[float]) -> Answered:
    top = max(a)
    answer = float(logsumexp(a))
    terms = total(f"e^{{{num(x - top)}}}" for x in a)
    inside = math.exp(answer - top)
    return Answered(
        rf"For a point far out, the three numbers $\log\alpha_jg_j(x)$ are {listed(a)}. What is "
        r"$\log p(x)$? A calculator takes $e$ to these powers for 0.",
        answer,
        rf"Take the largest one out: $\log p(x)={num(top)}+\log({terms})$. This is "
        rf"${num(top)}+\log{near(inside, 3)}{equals(answer, 3)}$. The largest one "
        rf"alone, ${num(top)}$, leaves out what the other two add.",
        top,
    )


def draw_cholesky(rng: Rng) -> dict[str, Any]:
    l11, l21 = tenths(rng, 1, 3), one_of(rng, [-1, 1]) * tenths(rng, 0.5, 2.5)
    rest = tenths(rng, 0.5, 5)
    Sigma = [[round(l11**2, 2), round(l11 * l21, 2)], [0.0, round(l21**2 + rest, 2)]]
    Sigma[1][0] = Sigma[0][1]
    return {"Sigma": Sigma}


def cholesky(Sigma: list[list[float]]) -> Answered:
    L = np.linalg.cholesky(np.array(Sigma))
    answer, wrong = float(L[1, 1]), math.sqrt(Sigma[1][1])
    return Answered(
        rf"Let $\Sigma={matrix(Sigma)}=LL^\top$, where $L$ is lower triangular with a positive "
        "diagonal. What is $L_{22}$?",
        answer,
        rf"First $L_{{11}}=\sqrt{{{num(Sigma[0][0])}}}={num(L[0, 0])}$, then "
        rf"$L_{{21}}={num(Sigma[0][1])}/{num(L[0, 0])}={num(L[1, 0])}$. What is left of "
        rf"$\Sigma_{{22}}$ is $L_{{22}}^2={num(Sigma[1][1])}-({num(L[1, 0])})^2$, so "
        rf"$L_{{22}}{equals(answer, 3)}$. The root of $\Sigma_{{22}}$ alone is ${wrong:.3f}$.",
        wrong,
    )


def draw_parameters(rng: Rng) -> dict[str, Any]:
    return {
        "K": whole(rng, 2, 9),
        "d": whole(rng, 2, 9),
        "n": 10 * whole(rng, 20, 90),
        "covariance": one_of(rng, list(COVARIANCES)),
    }


def count(K: int, d: int, covariance: str) -> int:
    return K - 1 + K * d + family_of(covariance).n_parameters(K, d)


def parameters(K: int, d: int, n: int, covariance: str) -> Answered:
    answer = count(K, d, covariance)
    spread = family_of(covariance).n_parameters(K, d)
    wrong = answer + 1
    return Answered(
        f"A mixture of ${K}$ Gaussians in ${d}$ dimensions is fitted to ${n}$ points. "
        f"{COVARIANCES[covariance]}. How many free parameters does the model have?",
        answer,
        rf"The weights sum to 1, so they count as $K-1={K - 1}$. The means are "
        rf"$K\cdot d={K * d}$ numbers, and the covariances ${spread}$. Together that is "
        rf"${answer}$. With $K$ free weights it would be ${wrong}$. The number of points plays no "
        rf"part.",
        wrong,
    )


def draw_bic(rng: Rng) -> dict[str, Any]:
    return {
        "log_likelihood": -float(whole(rng, 3000, 19999)) / 10,
        "K": whole(rng, 2, 5),
        "d": whole(rng, 2, 4),
        "n": 10 * whole(rng, 10, 60),
    }


def bic(log_likelihood: float, K: int, d: int, n: int) -> Answered:
    nu = count(K, d, "full")
    answer = 2 * log_likelihood - nu * math.log(n)
    all_entries = K - 1 + K * d + K * d * d
    wrong = 2 * log_likelihood - all_entries * math.log(n)
    return Answered(
        rf"A mixture of ${K}$ Gaussians in ${d}$ dimensions, each with a full covariance of its "
        rf"own, is fitted to ${n}$ points. The log-likelihood is ${num(log_likelihood)}$. What is "
        r"$\mathrm{BIC}=2\ell-\nu\log n$, where $\nu$ is the number of free parameters?",
        answer,
        rf"The weights count as $K-1={K - 1}$, the means as $K\cdot d={K * d}$ and the covariances "
        rf"as ${K}\cdot\frac{{{d}\cdot{d + 1}}}2={K * d * (d + 1) // 2}$, so $\nu={nu}$. Then "
        rf"$\mathrm{{BIC}}=2\cdot({num(log_likelihood)})-{nu}\cdot"
        rf"{math.log(n):.5f}{equals(answer, 1)}$. A covariance is symmetric: with all its "
        rf"$d^2$ entries counted, $\nu$ would be ${all_entries}$ and the result ${wrong:.1f}$.",
        wrong,
    )


def draw_rest(rng: Rng) -> dict[str, Any]:
    last = whole(rng, 200, 800)
    return {"before": (last + whole(rng, 30, 200)) / 10000, "last": last / 10000}


def rest(before: float, last: float) -> Answered:
    ratio = last / before
    answer, wrong = last * ratio / (1 - ratio), last / (1 - ratio)
    return Answered(
        rf"Close to a maximum, the last two iterations gained ${num(before)}$ and then "
        rf"${num(last)}$ "
        "in the log-likelihood. If the gains go on as a geometric series, how much is still to "
        "come after these two?",
        answer,
        rf"The ratio of the gains is $r={num(last)}/{num(before)}{equals(ratio, 3)}$. The rest is "
        rf"$\frac r{{1-r}}\cdot{num(last)}{equals(answer, 3)}$. The sum "
        rf"$\frac1{{1-r}}\cdot{num(last)}$, ${wrong:.3f}$, would count the last gain once more.",
        wrong,
    )


# --- chapter 11 ----------------------------------------------------------------------------------


def draw_natural(rng: Rng) -> dict[str, Any]:
    return {"mu": tenths(rng, -6, 6), "sigma": tenths(rng, 0.4, 3)}


def natural(mu: float, sigma: float) -> Answered:
    theta = natural_parameters(Mixture.univariate([1], [mu], [sigma**2]))[0]
    answer, wrong = float(theta[1]), mu / sigma
    return Answered(
        rf"A Gaussian has the mean $\mu={num(mu)}$ and the standard deviation "
        rf"$\sigma={num(sigma)}$. Its log-density is $c+b\,x+a\,x^2$. What is the natural "
        "parameter $b$?",
        answer,
        rf"Expand $-\frac{{(x-\mu)^2}}{{2\sigma^2}}$: the term with $x$ is "
        rf"$\frac\mu{{\sigma^2}}\,x$, so $b={par(mu)}/{num(sigma**2)}{equals(answer, 3)}$. "
        rf"The "
        f"divisor is the variance. Divided by the standard deviation it would be ${wrong:.3f}$.",
        wrong,
    )


def draw_second(rng: Rng) -> dict[str, Any]:
    return {"x": different_tenths(rng, -4, 6, 4), "beta": shares(rng, 4)}


def second_sum(x: list[float], beta: list[float]) -> Answered:
    T = sufficient_statistics(np.array([x]))
    answer = float((T @ np.array(beta))[2])
    wrong = float(np.square(np.multiply(beta, x)).sum())
    steps = total(rf"{num(b)}\cdot{par(a)}^2" for a, b in zip(x, beta, strict=True))
    return Answered(
        f"Four points have these shares in component 1:{data_with_shares(x, beta)}"
        r"How large is the sum of the sufficient statistic $x^2$, that is, "
        r"$\sum_i\beta_{i1}x_i^2$?",
        answer,
        rf"The square belongs to the point, and the share stays as it is: ${steps}={num(answer)}$. "
        rf"With the shares squared as well it would be ${wrong:.2f}$.",
        wrong,
    )


def draw_constant(rng: Rng) -> dict[str, Any]:
    return {
        "alpha": one_of(rng, [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.6]),
        "mu": tenths(rng, -3, 3),
        "variance": one_of(rng, VARIANCES),
    }


def constant(alpha: float, mu: float, variance: float) -> Answered:
    mixture = Mixture.univariate([alpha, 1 - alpha], [mu, mu], [variance, variance])
    answer = float(natural_parameters(mixture)[0, 0])
    wrong = answer - math.log(alpha)
    return Answered(
        rf"A component has the weight $\alpha_j={num(alpha)}$, the mean $\mu_j={num(mu)}$ and the "
        rf"variance $\sigma_j^2={num(variance)}$. Then $\log\alpha_jg_j(x)$ has the form "
        r"$c+b\,x+a\,x^2$. What is the constant $c$?",
        answer,
        r"Put $x=0$: $c=\log\alpha_j-\frac12\log(2\pi\sigma_j^2)-\frac{\mu_j^2}{2\sigma_j^2}$. "
        rf"This is ${near(math.log(alpha), 3)}-({near(0.5 * math.log(2 * math.pi * variance), 3)})"
        rf"-{near(mu**2 / (2 * variance), 3)}{equals(answer, 3)}$. Without the weight you "
        rf"would get ${wrong:.3f}$.",
        wrong,
    )


RECIPES = (
    Recipe("n-09-1", "A divergence", 3, draw_divergence, divergence),
    Recipe("n-09-2", "The lower bound at one point", 3, draw_bound, bound),
    Recipe("n-09-3", "The gap below the log-likelihood", 3, draw_gap, gap),
    Recipe("n-10-1", "The logarithm of a sum of exponentials", 3, draw_log_sum, log_sum),
    Recipe("n-10-2", "An entry of a Cholesky factor", 3, draw_cholesky, cholesky),
    Recipe("n-10-3", "The number of parameters", 0, draw_parameters, parameters),
    Recipe("n-10-4", "BIC", 1, draw_bic, bic),
    Recipe("n-10-5", "What is still to come", 3, draw_rest, rest),
    Recipe("n-11-1", "A natural parameter", 3, draw_natural, natural),
    Recipe("n-11-2", "A sum of sufficient statistics", 2, draw_second, second_sum),
    Recipe("n-11-3", "The constant of a component", 3, draw_constant, constant),
)
