"""Chapters 2 and 4: one Gaussian and its estimates; known labels."""

import math
from typing import Any

from course.drawing import Rng, apart, different_tenths, one_of, tenths, whole
from course.recipes import Answered, Recipe
from course.writing import equals, listed, matrix, near, num, par, table, total
from gmmlib.bound import complete_data_log_likelihood
from gmmlib.em import m_step
from gmmlib.gaussian import log_gaussian
from gmmlib.mixture import Mixture


def as_one(x: list[float]) -> Mixture:
    """The maximum-likelihood Gaussian of some numbers."""
    return m_step(x, [[1.0]] * len(x))


def mean_of(x: list[float]) -> float:
    return float(as_one(x).means[0, 0])


def variance_of(x: list[float]) -> float:
    return float(as_one(x).variances[0])


# --- chapter 2 -----------------------------------------------------------------------------------


def draw_variance(rng: Rng) -> dict[str, Any]:
    return {"x": different_tenths(rng, -2, 8, 5)}


def variance(x: list[float]) -> Answered:
    centre, answer = mean_of(x), variance_of(x)
    wrong = answer * 5 / 4
    return Answered(
        f"You fit one Gaussian to the five numbers {listed(x)}, by maximum likelihood. What is the "
        r"estimate of its variance $\sigma^2$?",
        answer,
        rf"The mean is $\bar x={num(centre)}$. The squared distances from it are "
        rf"{listed((a - centre) ** 2 for a in x)}, with the sum ${num(5 * answer)}$. Maximum "
        rf"likelihood divides it by $n=5$, which gives ${num(answer)}$. Divided by $n-1$ it would "
        rf"be the unbiased estimate, "
        f"${wrong:.2f}$. And the root of the variance is the estimate of the standard deviation.",
        wrong,
    )


def draw_unbiased(rng: Rng) -> dict[str, Any]:
    n = whole(rng, 5, 16)
    x = [whole(rng, 0, 9) for _ in range(n)]
    return {"n": n, "sum_x": sum(x), "sum_xx": sum(a * a for a in x)}


def unbiased(n: int, sum_x: int, sum_xx: int) -> Answered:
    scatter = sum_xx - sum_x**2 / n
    answer, wrong = scatter / (n - 1), scatter / n
    return Answered(
        f"Of ${n}$ independent numbers you know only two sums: "
        rf"$\sum_ix_i={sum_x}$ and $\sum_ix_i^2={sum_xx}$. What is the unbiased estimate of the "
        "variance?",
        answer,
        rf"The squared distances from $\bar x$ have the sum "
        rf"$\sum_ix_i^2-\frac1n\bigl(\sum_ix_i\bigr)^2={sum_xx}-\frac{{{sum_x}^2}}{{{n}}}"
        rf"{equals(scatter, 2)}$. For an unbiased estimate divide by $n-1={n - 1}$: "
        rf"${near(answer, 2)}$. Divided by $n$ it is the maximum-likelihood estimate, "
        f"${wrong:.2f}$, which is too small on average.",
        wrong,
    )


def draw_log_likelihood(rng: Rng) -> dict[str, Any]:
    return {
        "x": different_tenths(rng, 0, 6, 4),
        "mu": tenths(rng, 1, 5),
        "sigma": one_of(rng, [0.8, 1.2, 1.5, 2.0, 2.5]),
    }


def log_likelihood(x: list[float], mu: float, sigma: float) -> Answered:
    v = sigma**2
    answer = float(log_gaussian(x, [mu], [v]).sum())
    scatter = sum((a - mu) ** 2 for a in x)
    constant = -0.5 * math.log(2 * math.pi * v)
    wrong = constant - scatter / (2 * v)
    return Answered(
        f"The data are {listed(x)}. What is the log-likelihood of one Gaussian with the mean "
        rf"$\mu={num(mu)}$ and the standard deviation $\sigma={num(sigma)}$?",
        answer,
        r"Each point adds $-\frac12\log(2\pi\sigma^2)-\frac{(x_i-\mu)^2}{2\sigma^2}$, with "
        rf"$\sigma^2={num(v)}$. The first part is ${near(constant, 3)}$ for each of the four "
        rf"points. The squared distances sum to ${num(scatter)}$, and divided by "
        rf"$2\sigma^2={num(2 * v)}$ that is ${near(scatter / (2 * v), 3)}$. Together "
        rf"$4\cdot({near(constant, 3)})-{near(scatter / (2 * v), 3)}{equals(answer, 3)}$. "
        f"Whoever counts the first part only once gets ${wrong:.3f}$.",
        wrong,
    )


def draw_correlation(rng: Rng) -> dict[str, Any]:
    first, second = tenths(rng, 1.2, 6), tenths(rng, 1.2, 6)
    most = 0.9 * math.sqrt(first * second)
    return {
        "first": first,
        "second": second,
        "both": one_of(rng, [-1, 1]) * tenths(rng, 0.3, math.floor(10 * most) / 10),
    }


def correlation(first: float, second: float, both: float) -> Answered:
    answer, wrong = both / math.sqrt(first * second), both / (first * second)
    return Answered(
        rf"Two quantities have the covariance matrix "
        rf"$\Sigma={matrix([[first, both], [both, second]])}$. What is their correlation?",
        answer,
        r"The correlation is $\rho=\Sigma_{12}/\sqrt{\Sigma_{11}\Sigma_{22}}"
        rf"={num(both)}/\sqrt{{{num(first * second)}}}{equals(answer, 3)}$. The diagonal "
        rf"holds "
        "variances, so one divides by their roots. Divided by the variances themselves it would be "
        f"${wrong:.3f}$.",
        wrong,
    )


def draw_determinant(rng: Rng) -> dict[str, Any]:
    return {
        "sigma": [tenths(rng, 0.8, 5), tenths(rng, 0.8, 5)],
        "rho": one_of(rng, [-1, 1]) * tenths(rng, 0.2, 0.8),
    }


def determinant(sigma: list[float], rho: float) -> Answered:
    product = sigma[0] * sigma[1]
    both = rho * product
    answer = (product - both) * (product + both)
    wrong = product**2 * (1 - rho)
    return Answered(
        rf"Two quantities have the standard deviations $\sigma_1={num(sigma[0])}$ and "
        rf"$\sigma_2={num(sigma[1])}$, and the correlation $\rho={num(rho)}$. What is the "
        "determinant of their covariance matrix?",
        answer,
        rf"The variances are ${num(sigma[0] ** 2)}$ and ${num(sigma[1] ** 2)}$, and the covariance "
        rf"is $\rho\sigma_1\sigma_2={num(both)}$. So the determinant is "
        rf"${num(sigma[0] ** 2)}\cdot{num(sigma[1] ** 2)}-({num(both)})^2{equals(answer, 2)}$. "
        rf"In short it is $\sigma_1^2\sigma_2^2(1-\rho^2)$. Whoever forgets the square of $\rho$ "
        f"gets ${wrong:.2f}$.",
        wrong,
    )


# --- chapter 4 -----------------------------------------------------------------------------------


def labelled(rng: Rng, n: int) -> dict[str, Any]:
    """n numbers in two classes, each with two or more of them."""
    first = whole(rng, 2, n - 3)
    z = [int(k) for k in rng.permutation([1] * first + [2] * (n - first))]
    low, high = sorted(apart(rng, 0, 9, 2.5))
    centre = {1: low, 2: high}
    x = [round(centre[k] + tenths(rng, -1.2, 1.2), 1) for k in z]
    return {"x": x, "z": z}


def indicators(z: list[int]) -> list[list[float]]:
    return [[float(k == 1), float(k == 2)] for k in z]


def members(x: list[float], z: list[int], j: int) -> list[float]:
    return [a for a, k in zip(x, z, strict=True) if k == j]


def data_with_labels(x: list[float], z: list[int]) -> str:
    return table({"x_i": x, "z_i": [float(k) for k in z]})


def has_spread(x: list[float], z: list[int]) -> bool:
    return all(len(set(members(x, z, j))) > 1 for j in (1, 2))


def draw_labelled(rng: Rng) -> dict[str, Any]:
    while True:
        drawn = labelled(rng, 7)
        if has_spread(**drawn):
            return drawn


def class_mean(x: list[float], z: list[int]) -> Answered:
    answer = float(m_step(x, indicators(z)).means[1, 0])
    inside = members(x, z, 2)
    wrong = sum(inside) / len(x)
    return Answered(
        f"Seven numbers come with labels:{data_with_labels(x, z)}What is the maximum-likelihood "
        r"estimate of the mean $\mu_2$ of component 2?",
        answer,
        rf"Component 2 has $n_2={len(inside)}$ points, and their sum is "
        rf"${total(par(a) for a in inside)}={num(sum(inside))}$. So "
        rf"$\hat\mu_2={num(sum(inside))}/{len(inside)}{equals(answer, 2)}$. Divided by $n=7$ "
        rf"it would be ${wrong:.2f}$, as if the other points lay at 0.",
        wrong,
    )


def pooled_variance(x: list[float], z: list[int]) -> Answered:
    fitted = m_step(x, indicators(z), covariance_type="tied")
    answer = float(fitted.variances[0])
    wrong = variance_of(x)
    scatter = []
    for j in (1, 2):
        inside = members(x, z, j)
        scatter.append(len(inside) * variance_of(inside))
    means = fitted.means[:, 0]
    return Answered(
        f"Seven numbers come with labels:{data_with_labels(x, z)}The two components share one "
        r"variance $\sigma^2$. What is its maximum-likelihood estimate?",
        answer,
        rf"The class means are $\hat\mu_1{equals(means[0], 2)}$ and "
        rf"$\hat\mu_2{equals(means[1], 2)}$. Around their own means the classes have the sums "
        rf"of squares ${near(scatter[0], 2)}$ and ${near(scatter[1], 2)}$. Together, divided by "
        rf"$n=7$, they give ${near(answer, 2)}$. Around the mean of all the points the variance "
        rf"would be ${wrong:.2f}$: that also counts how far the classes lie apart.",
        wrong,
    )


def draw_complete(rng: Rng) -> dict[str, Any]:
    return {
        "alpha": [a / 10 for a in rng.permutation([2, 8] if rng.random() < 0.5 else [3, 7])],
        "mu": apart(rng, 0, 6, 2),
        "variance": one_of(rng, [0.5, 1.0, 2.0, 2.5, 4.0]),
        "x": different_tenths(rng, 0, 6, 2),
        "z": one_of(rng, [[1, 2], [2, 1], [1, 1], [2, 2]]),
    }


def complete(
    alpha: list[float], mu: list[float], variance: float, x: list[float], z: list[int]
) -> Answered:
    mixture = Mixture.univariate(alpha, mu, [variance, variance])
    answer = complete_data_log_likelihood(x, [k - 1 for k in z], mixture)
    log_weights = sum(math.log(alpha[k - 1]) for k in z)
    log_g = [
        float(log_gaussian([a], [mu[k - 1]], [variance])[0, 0]) for a, k in zip(x, z, strict=True)
    ]
    wrong = sum(log_g)
    return Answered(
        rf"A mixture has the weights $\alpha_1={num(alpha[0])}$ and $\alpha_2={num(alpha[1])}$, "
        rf"the means $\mu_1={num(mu[0])}$ and $\mu_2={num(mu[1])}$, and both variances are "
        rf"${num(variance)}$. Two points are given with their labels: $x_1={num(x[0])}$ with "
        rf"$z_1={z[0]}$, and $x_2={num(x[1])}$ with $z_2={z[1]}$. What is the complete-data "
        "log-likelihood?",
        answer,
        rf"Each point adds $\log\alpha_{{z_i}}+\log g_{{z_i}}(x_i)$, for its own component only. "
        rf"The logarithms of the weights sum to ${near(log_weights, 3)}$. The logarithms of the "
        rf"densities are ${near(log_g[0], 3)}$ and ${near(log_g[1], 3)}$. Together they give "
        rf"${near(answer, 3)}$. Without the weights you would get ${wrong:.3f}$.",
        wrong,
    )


def draw_weight(rng: Rng) -> dict[str, Any]:
    n = [20 * whole(rng, 1, 5), 20 * whole(rng, 6, 25)]
    return {"n": n, "share": [5 * whole(rng, 2, 18) / 100 for _ in n]}


def weight(n: list[int], share: list[float]) -> Answered:
    answer = (n[0] * share[0] + n[1] * share[1]) / (n[0] + n[1])
    wrong = (share[0] + share[1]) / 2
    return Answered(
        rf"Two samples are labelled. The first has ${n[0]}$ points, and a share of "
        rf"${num(share[0])}$ of them is in class 1. The second has ${n[1]}$ points, and a share of "
        rf"${num(share[1])}$ of "
        r"them is in class 1. Both samples are put together. What is the estimate of the weight "
        r"$\alpha_1$?",
        answer,
        rf"Count: class 1 has ${n[0]}\cdot{num(share[0])}+{n[1]}\cdot{num(share[1])}"
        rf"={num(n[0] * share[0] + n[1] * share[1])}$ of the ${n[0] + n[1]}$ points, so "
        rf"$\hat\alpha_1{equals(answer, 3)}$. The average of the two shares, ${wrong:.3f}$, "
        "would give every point of the smaller sample too much to say.",
        wrong,
    )


RECIPES = (
    Recipe("n-02-1", "The variance by maximum likelihood", 2, draw_variance, variance),
    Recipe("n-02-2", "The unbiased variance", 2, draw_unbiased, unbiased),
    Recipe("n-02-3", "The log-likelihood of a Gaussian", 3, draw_log_likelihood, log_likelihood),
    Recipe("n-02-4", "A correlation", 3, draw_correlation, correlation),
    Recipe("n-02-5", "The determinant of a covariance", 2, draw_determinant, determinant),
    Recipe("n-04-1", "The mean of a class", 2, draw_labelled, class_mean),
    Recipe("n-04-2", "One variance for both classes", 2, draw_labelled, pooled_variance),
    Recipe("n-04-3", "The complete-data log-likelihood", 3, draw_complete, complete),
    Recipe("n-04-4", "The weight of a class", 3, draw_weight, weight),
)
