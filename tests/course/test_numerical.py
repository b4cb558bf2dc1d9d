"""Questions with numbers: every seed gives a sound one, and a second road gives the same answer."""

import math
import re
import statistics
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

from book import read_book
from course.in_html import formulas
from course.numerical import KINDS, RECIPES, VARIANTS, variants
from course.recipes import FEWEST_UNITS, Answered, Recipe
from course.tasks import Kind, Task
from latex_arithmetic import differences, value

SEEDS = range(1, VARIANTS + 1)
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.label)
each_recipe = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.label)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_there_are_two_or_more_for_each_chapter_and_six_for_the_worked_example() -> None:
    chapters = [recipe.label.split("-")[1] for recipe in RECIPES]
    counts = {chapter: chapters.count(chapter) for chapter in chapters}
    assert set(counts) == {page.name.partition("_")[0].lower() for page in read_book().chapters}
    assert min(counts.values()) >= 2
    assert counts["07"] == 6
    assert len({kind.label for kind in KINDS}) == len(KINDS) >= 28


@each_kind
def test_thirty_seeds_give_thirty_sound_tasks(kind: Kind) -> None:
    tasks = variants(kind)
    assert len({task.text for task in tasks}) == len(tasks)
    for task in tasks:
        unit = 10.0**-task.decimals
        assert math.isfinite(task.answer)
        assert abs(task.answer) >= FEWEST_UNITS * unit
        low, high = task.accepted
        assert low <= Decimal(task.shown) <= high
        assert low <= Decimal(task.answer) <= high
        assert high - low <= Decimal(1.1 * unit)
        assert task == kind.with_seed(task.seed)


@each_recipe
def test_the_usual_wrong_result_is_not_accepted(recipe: Recipe) -> None:
    for seed in SEEDS:
        asked = recipe.make(rng(seed))
        low, high = Task(recipe.label, seed, "", asked.answer, "", recipe.decimals).accepted
        assert not low <= Decimal(f"{asked.wrong:.{recipe.decimals}f}") <= high


def written(x: float, decimals: int) -> set[str]:
    """The ways in which a number may stand in a text."""
    return {f"{x:.{d}f}".rstrip("0").rstrip(".") for d in range(decimals, decimals + 4)}


@each_recipe
def test_the_explanation_shows_the_answer_and_the_usual_wrong_result(recipe: Recipe) -> None:
    for seed in SEEDS:
        asked = recipe.make(rng(seed))
        numbers = {
            part.rstrip("0").rstrip(".") if "." in part else part for part in _numbers(asked.why)
        }
        for result in (asked.answer, asked.wrong):
            assert numbers & {text.lstrip("-") for text in written(result, recipe.decimals)}, result


def _numbers(text: str) -> list[str]:
    kept = "".join(c if c.isdigit() or c == "." else " " for c in text)
    return [part.strip(".") for part in kept.split()]


@each_recipe
def test_the_text_is_markdown_that_any_system_shows(recipe: Recipe) -> None:
    task = recipe.kind.with_seed(7)
    for text in (task.text, task.why):
        assert text.replace("$$", "").count("$") % 2 == 0
        assert "{eq}" not in text
        assert "](" not in text
        assert not re.search(r"\b(nan|inf)\b", text)
    assert task.text.rstrip().endswith((".", "?"))


@each_recipe
def test_the_steps_of_the_explanation_add_up(recipe: Recipe) -> None:
    for seed in SEEDS:
        for latex, _ in formulas([recipe.make(rng(seed)).why]):
            assert not list(differences(latex)), latex


@pytest.mark.parametrize(
    ("latex", "number"),
    [
        (r"0.2\cdot(-3)+\frac12", -0.1),
        (r"\frac1{\sqrt{2\pi\cdot2}}\exp\Bigl(-\frac{(0.9-1)^2}{2\cdot2}\Bigr)", 0.281391),
        (r"0.5\log\frac{0.5}{0.25}", 0.346574),
        (r"-4+\log(e^{-0.7}+e^{0})", -3.596814),
        (r"2\cdot\frac{2\cdot3}2", 6.0),
        (r"\mu_1", None),
        (r"(0.6,\ 0.8)", None),
    ],
)
def test_arithmetic_in_latex_is_done(latex: str, number: float | None) -> None:
    assert value(latex) == (number if number is None else pytest.approx(number, abs=1e-6))


def test_a_wrong_step_is_seen() -> None:
    assert not list(differences(r"a=2\cdot3=6\approx6.00001"))
    assert list(differences(r"a=2\cdot3=6.1"))
    assert list(differences(r"\frac13\approx0.334"))


def test_hardly_any_numbers_that_suit_are_refused_aloud() -> None:
    tiny = Recipe("n-01-9", "", 2, lambda _: {}, lambda: Answered("", 1e-9, "", 0.0))
    with pytest.raises(ValueError, match="n-01-9: none of"):
        tiny.make(rng(0))


# --- the second road -----------------------------------------------------------------------------
# From what was drawn, without gmmlib: fractions, the statistics module, SciPy's distributions,
# differences, and searches.

N = stats.norm


def exact(x: float) -> Fraction:
    return Fraction(str(x))


def weighted(values: list[float], by: list[float]) -> Fraction:
    total = sum(exact(b) for b in by)
    return sum((exact(a) * exact(b) for a, b in zip(values, by, strict=True)), Fraction()) / total


def weighted_variance(values: list[float], by: list[float]) -> Fraction:
    centre = weighted(values, by)
    squares = sum(
        (exact(b) * (exact(a) - centre) ** 2 for a, b in zip(values, by, strict=True)), Fraction()
    )
    return squares / sum(exact(b) for b in by)


def densities(x: float, mu: list[float], sigma: list[float]) -> list[float]:
    return [float(N.pdf(x, m, s)) for m, s in zip(mu, sigma, strict=True)]


def p(x: float, alpha: list[float], mu: list[float], sigma: list[float]) -> float:
    return sum(a * g for a, g in zip(alpha, densities(x, mu, sigma), strict=True))


def roots(variance: float) -> list[float]:
    return [math.sqrt(variance)] * 2


def other(beta: list[float], j: int) -> list[float]:
    return beta if j == 1 else [float(1 - exact(b)) for b in beta]


def mixture_variance(alpha: list[float], mu: list[float], sigma: list[float]) -> float:
    squares = [float(exact(m) ** 2 + exact(s) ** 2) for m, s in zip(mu, sigma, strict=True)]
    return float(weighted(squares, alpha) - weighted(mu, alpha) ** 2)


def boundary(alpha: list[float], mu: list[float], variance: float) -> float:
    def difference(x: float) -> float:
        one, two = (N.logpdf(x, m, math.sqrt(variance)) for m in mu)
        return float(math.log(alpha[0]) + one - math.log(alpha[1]) - two)

    return optimize.brentq(difference, -200, 200, xtol=1e-13)


def slope(x: list[float], beta: list[float], mu: float, sigma: float) -> float:
    def q(m: float) -> float:
        return sum(b * float(N.logpdf(a, m, sigma)) for a, b in zip(x, beta, strict=True))

    step = 1e-4
    return (q(mu + step) - q(mu - step)) / (2 * step)


def force(alpha: list[float], mu: list[float], variance: float, x: float) -> float:
    def ell(m: float) -> float:
        return math.log(p(x, alpha, [m, mu[1]], roots(variance)))

    step = 1e-4
    return (ell(mu[0] + step) - ell(mu[0] - step)) / (2 * step)


def pooled(x: list[float], z: list[int]) -> float:
    groups = [[exact(a) for a, k in zip(x, z, strict=True) if k == j] for j in (1, 2)]
    return float(sum(len(g) * statistics.pvariance(g) for g in groups) / len(x))


def unbiased(n: int, sum_x: int, sum_xx: int) -> float:
    return float((sum_xx - Fraction(sum_x * sum_x, n)) / (n - 1))


def covariance_entry(first: list[float], second: list[float], beta: list[float]) -> float:
    product = [float(exact(a) * exact(b)) for a, b in zip(first, second, strict=True)]
    return float(weighted(product, beta) - weighted(first, beta) * weighted(second, beta))


def new_weight(g: list[list[float]], alpha: list[float]) -> float:
    one, two = exact(alpha[0]), exact(alpha[1])
    shares = [one * exact(a) / (one * exact(a) + two * exact(b)) for a, b in zip(*g, strict=True)]
    return float(sum(shares) / 5)


def five_log_likelihood(g: list[list[float]], alpha: list[float]) -> float:
    product = Fraction(1)
    for a, b in zip(*g, strict=True):
        product *= exact(alpha[0]) * exact(a) + exact(alpha[1]) * exact(b)
    return math.log(product)


def mahalanobis(x: list[float], mu: list[float], Sigma: list[list[float]]) -> float:
    # the point in the ellipse's own axes
    lengths, axes = np.linalg.eigh(np.array(Sigma))
    return float(np.linalg.norm(axes.T @ np.subtract(x, mu) / np.sqrt(lengths)))


def log_sum(a: list[float]) -> float:
    with_decimals = [Decimal(str(x)).exp() for x in a]  # decimals have exponents of any size
    return float(sum(with_decimals).ln())


def parameters(K: int, d: int, n: int, covariance: str) -> int:
    symmetric = sum(1 for a in range(d) for b in range(a, d))
    spread = {"full": K * symmetric, "tied": symmetric, "diag": K * d, "spherical": K}[covariance]
    return sum([1] * (K - 1)) + K * d + spread


def directions(name: str, K: int, d: int, n: int) -> int:
    # one by one: a weight, a mean, a volume, the lengths of a shape, a pair of axes
    pairs = [(a, b) for a in range(d) for b in range(a)]
    sets = [[1], range(1, d), pairs]
    times = [K if letter == "V" else 1 if letter == "E" else 0 for letter in name]
    own = sum(time * len(list(parts)) for time, parts in zip(times, sets, strict=True))
    return len(range(1, K)) + sum(d for _ in range(K)) + own


def volume_by_search(alpha: list[float], first: list[int], second: list[int]) -> float:
    def misfit(log_volume: float) -> float:
        volume = math.exp(log_volume)
        traces = [2 * math.sqrt(a * b) / volume for a, b in (first, second)]
        return 2 * log_volume + float(np.dot(alpha, traces))

    found = optimize.minimize_scalar(misfit, bracket=(0, 2), tol=1e-12)
    return math.exp(2 * found.x)


def ball_by_points(alpha: list[float], first: list[int], second: list[int]) -> float:
    # the mean square of a coordinate, over points at one standard deviation along the axes
    both = [statistics.mean(diagonal) for diagonal in (first, second)]
    return float(sum(Fraction(str(a)) * Fraction(b) for a, b in zip(alpha, both, strict=True)))


def bound(alpha: list[float], mu: list[float], x: float, q: float) -> float:
    # what lies below the log-likelihood, and by how much
    parts = [a * g for a, g in zip(alpha, densities(x, mu, [1, 1]), strict=True)]
    beta = [part / sum(parts) for part in parts]
    return math.log(sum(parts)) - float(stats.entropy([q, 1 - q], beta))


def rest(before: float, last: float) -> float:
    gain, gone = last, 0.0
    for _ in range(3000):
        gain *= last / before
        gone += gain
    return gone


def constant(alpha: float, mu: float, variance: float) -> float:
    return math.log(alpha) + float(N.logpdf(0, mu, math.sqrt(variance)))


def natural(mu: float, sigma: float) -> float:
    up, down = (float(N.logpdf(x, mu, sigma)) for x in (1, -1))
    return (up - down) / 2


def constrained(a: float, b: float, total: float) -> float:
    found = optimize.minimize_scalar(lambda x: a * x * x + b * (total - x) ** 2)
    return float(found.x)


def error_of_difference(errors: list[float], covariance: float) -> float:
    V = np.array([[errors[0] ** 2, covariance], [covariance, errors[1] ** 2]])
    away = np.linalg.cholesky(V).T @ [-1, 1]
    return float(np.hypot(*away))


def end_of_run(places: list[float]) -> float:
    step, factor = places[2] - places[1], (places[2] - places[1]) / (places[1] - places[0])
    place = places[2]
    for _ in range(3000):
        step *= factor
        place += step
    return place


def eigenvalue(a: float, b: float, c: float) -> float:
    angle = 0.5 * math.atan2(2 * b, a - c)
    u, v = math.cos(angle), math.sin(angle)
    return a * u * u + 2 * b * u * v + c * v * v


def rate(Sigma: list[list[float]], rate: list[float]) -> float:
    def log_det(t: float) -> float:
        moved = np.array(Sigma) + t * np.diag(rate)
        return float(np.linalg.slogdet(moved)[1])

    step = 1e-4
    return (log_det(step) - log_det(-step)) / (2 * step)


def merged(N: list[float], first: list[float], second: list[float]) -> float:
    count = sum(exact(n) for n in N)
    mean = sum(exact(a) for a in first) / count
    return float(sum(exact(a) for a in second) / count - mean * mean)


def fewest_seconds(seconds: float, latency: float, table: float) -> float:
    found = optimize.minimize_scalar(
        lambda log_W: seconds / math.exp(log_W) + latency + table * math.exp(log_W),
        bounds=(0, 15),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return math.exp(found.x)


def rise(d: int, r: int, factor: int) -> float:
    def log_density(eps: float) -> float:  # of r + 1 points in the flat
        variances = [1.0] * r + [eps**2] * (d - r)
        normal = stats.multivariate_normal(np.zeros(d), np.diag(variances))
        return float((r + 1) * normal.logpdf(np.zeros(d)))

    return log_density(1e-2 / factor) - log_density(1e-2)


def with_prior(x: list[float], psi: float, nu: float) -> float:
    centre = statistics.fmean(x)

    def loss(v: float) -> float:
        likely = sum(float(N.logpdf(a, centre, math.sqrt(v))) for a in x)
        prior = float(stats.invgamma(nu / 2, scale=psi / 2).logpdf(v))
        return -likely - prior + 0.5 * math.log(v)  # the mean's density, for any small kappa

    return float(
        optimize.minimize_scalar(
            loss, bounds=(1e-3, 500), method="bounded", options={"xatol": 1e-9}
        ).x
    )


def bounded(N: list[float], v: list[float], c: float) -> float:
    def loss(large: float) -> float:
        both = zip(N, v, (c * c * large, large), strict=True)
        return sum(n * (math.log(s) + free / s) for n, free, s in both)

    return float(
        optimize.minimize_scalar(
            loss, bounds=(1e-2, 100), method="bounded", options={"xatol": 1e-10}
        ).x
    )


def fewest_starts(p: float, q: float) -> float:
    starts, missed = 0, Fraction(1)
    while missed > exact(q):
        starts, missed = starts + 1, missed * (1 - exact(p))
    return float(starts)


def nearest(beta: list[float], gamma: list[float]) -> float:
    def squares(ours: list[Fraction]) -> Fraction:
        return sum(
            ((a - exact(g)) ** 2 + (1 - a - (1 - exact(g))) ** 2)
            for a, g in zip(ours, gamma, strict=True)
        )

    return float(min(squares([exact(b) for b in beta]), squares([1 - exact(b) for b in beta])))


def uphill(beta: float, mu: list[float], variance: list[float]) -> float:
    """The top of the bound, by a search."""
    found = optimize.minimize_scalar(
        lambda y: (
            beta * (y - mu[0]) ** 2 / variance[0] + (1 - beta) * (y - mu[1]) ** 2 / variance[1]
        )
    )
    return float(found.x)


def second_draw(beta: list[float]) -> float:
    """By all pairs of draws, in exact arithmetic."""
    first = sum(exact(b) for b in beta)
    return float(sum(exact(b) * (1 - exact(b)) for b in beta) / first)


ROADS: dict[str, Callable[..., float]] = {
    "n-01-1": lambda alpha, mu: float(weighted(mu, alpha)),
    "n-01-2": mixture_variance,
    "n-01-3": lambda alpha, mu, variance, x: p(x, alpha, mu, [math.sqrt(v) for v in variance]),
    "n-02-1": lambda x: float(statistics.pvariance([exact(a) for a in x])),
    "n-02-2": unbiased,
    "n-02-3": lambda x, mu, sigma: math.log(math.prod(N.pdf(a, mu, sigma) for a in x)),
    "n-02-4": lambda first, second, both: both / math.sqrt(first) / math.sqrt(second),
    "n-02-5": lambda sigma, rho: (sigma[0] * sigma[1]) ** 2 * (1 - rho**2),
    "n-03-1": lambda alpha, g: float(
        exact(alpha[0]) * exact(g[0]) / (weighted(g, alpha) * sum(map(exact, alpha)))
    ),
    "n-03-2": lambda mu, sigma, x: densities(x, mu, sigma)[0] / sum(densities(x, mu, sigma)),
    "n-03-3": boundary,
    "n-03-4": lambda alpha, mu, variance, x: math.log(
        alpha[0]
        * densities(x, mu, roots(variance))[0]
        / (alpha[1] * densities(x, mu, roots(variance))[1])
    ),
    "n-04-1": lambda x, z: statistics.fmean(a for a, k in zip(x, z, strict=True) if k == 2),
    "n-04-2": pooled,
    "n-04-3": lambda alpha, mu, variance, x, z: math.log(
        math.prod(
            alpha[k - 1] * N.pdf(a, mu[k - 1], math.sqrt(variance))
            for a, k in zip(x, z, strict=True)
        )
    ),
    "n-04-4": lambda n, share: float(weighted(share, n)),
    "n-05-1": lambda alpha, mu, variance, x: math.log(
        math.prod(p(a, alpha, mu, roots(variance)) for a in x)
    ),
    "n-05-2": slope,
    "n-05-3": force,
    "n-06-1": lambda x, beta: float(weighted(x, beta)),
    "n-06-2": lambda x, beta, old: float(weighted_variance(x, beta)),
    "n-06-3": lambda beta, j: float(sum(exact(row[j - 1]) for row in beta) / 5),
    "n-06-4": lambda count, first, second: float(
        exact(second) / exact(count) - (exact(first) / exact(count)) ** 2
    ),
    "n-07-1": lambda x, mu, variance, i, j: float(N.pdf(x[i - 1], mu[j - 1], math.sqrt(variance))),
    "n-07-2": lambda x, mu, variance, alpha, i: (
        alpha[0]
        * densities(x[i - 1], mu, roots(variance))[0]
        / p(x[i - 1], alpha, mu, roots(variance))
    ),
    "n-07-3": lambda x, beta, j: float(weighted(x, other(beta, j))),
    "n-07-4": lambda x, beta, j: float(weighted_variance(x, other(beta, j))),
    "n-07-5": new_weight,
    "n-07-6": five_log_likelihood,
    "n-08-1": mahalanobis,
    "n-08-2": lambda x, mu, Sigma: float(stats.multivariate_normal.logpdf(x, mu, Sigma)),
    "n-08-3": covariance_entry,
    "n-08-4": lambda Sigma, u: sum(u[k] * Sigma[k][m] * u[m] for k in (0, 1) for m in (0, 1)),
    "n-09-1": lambda q, p: float(stats.entropy(q, p)),
    "n-09-2": bound,
    "n-09-3": lambda joint, q: (
        math.log(sum(joint))
        - sum(a * math.log(b / a) for a, b in zip([q, 1 - q], joint, strict=True))
    ),
    "n-10-1": log_sum,
    "n-10-2": lambda Sigma: math.sqrt((Sigma[0][0] * Sigma[1][1] - Sigma[0][1] ** 2) / Sigma[0][0]),
    "n-10-3": parameters,
    "n-10-4": lambda log_likelihood, K, d, n: (
        2 * log_likelihood - math.log(n) * parameters(K, d, n, "full")
    ),
    "n-10-5": rest,
    "n-11-1": natural,
    "n-11-2": lambda x, beta: float(
        sum(exact(b) * exact(a) ** 2 for a, b in zip(x, beta, strict=True))
    ),
    "n-11-3": constant,
    "n-13-1": rise,
    "n-13-2": with_prior,
    "n-13-3": bounded,
    "n-12-1": fewest_starts,
    "n-12-2": lambda counts: float(
        max(sum(row[k] for row, k in zip(counts, o, strict=True)) for o in permutations(range(3)))
    ),
    "n-12-3": lambda n, level, factor: float(
        level + n * (N.logpdf(factor * 0.7, factor * 0.2, factor) - N.logpdf(0.7, 0.2, 1))
    ),
    "n-12-4": nearest,
    "n-16-1": uphill,
    "n-16-2": lambda beta: float(
        sum(
            (row[0] + row[1])
            * stats.entropy([row[0] / (row[0] + row[1]), row[1] / (row[0] + row[1])])
            for row in beta
        )
    ),
    "n-16-3": second_draw,
    "n-17-1": lambda beta, alpha: sum((b / alpha - (1 - b) / (1 - alpha)) ** 2 for b in beta),
    "n-17-2": error_of_difference,
    "n-17-3": lambda a, b, c: float(np.linalg.inv([[a, b], [b, c]])[0, 0] ** 0.5),
    "n-17-4": end_of_run,
    "n-18-1": merged,
    "n-18-2": fewest_seconds,
    "n-18-3": lambda share, workers: float(1 / (exact(share) + (1 - exact(share)) / workers)),
    "n-15-1": lambda gain, K, d, n: (
        math.log(n) * (parameters(K + 1, d, n, "full") - parameters(K, d, n, "full")) - 2 * gain
    ),
    "n-15-2": lambda shares: 2 * sum(math.log(1 / max(p, 1 - p)) for p in shares),
    "n-15-3": lambda B, reach: float(np.mean([1] * (reach + 1) + [0] * (B - reach))),
    "n-14-1": directions,
    "n-14-2": volume_by_search,
    "n-14-3": ball_by_points,
    "n-a-1": eigenvalue,
    "n-a-2": constrained,
    "n-a-3": rate,
}


def test_every_kind_has_a_second_road() -> None:
    assert set(ROADS) == {recipe.label for recipe in RECIPES}


@each_recipe
def test_the_second_road_gives_the_same_answer(recipe: Recipe) -> None:
    road: Callable[..., Any] = ROADS[recipe.label]
    for seed in SEEDS:
        numbers = recipe.numbers(rng(seed))
        answer = recipe.ask(**numbers).answer
        # far finer than what is asked for; searches and differences reach no more
        assert road(**numbers) == pytest.approx(answer, rel=1e-6, abs=1e-7), numbers


@each_recipe
def test_the_second_road_tells_the_usual_wrong_result_apart(recipe: Recipe) -> None:
    numbers = recipe.numbers(rng(1))
    assert ROADS[recipe.label](**numbers) != pytest.approx(recipe.ask(**numbers).wrong, rel=1e-6)
