"""Chapter 12: how many starts, which name for which cluster, and other units."""

import math
from itertools import permutations
from typing import Any

from course.drawing import Rng, hundredths, one_of, tenths, whole
from course.recipes import Answered, Recipe
from course.writing import near, num, table, total
from gmmlib.label_matching import match_responsibilities


def draw_starts(rng: Rng) -> dict[str, Any]:
    return {"p": whole(rng, 20, 200) / 1000, "q": one_of(rng, [0.1, 0.05, 0.02, 0.01])}


def starts(p: float, q: float) -> Answered:
    exact = math.log(q) / math.log(1 - p)
    answer, wrong = math.ceil(exact), math.ceil((1 - q) / p)
    return Answered(
        f"One start of EM reaches the best summit with probability ${num(p)}$. How many "
        f"independent starts are needed, so that all of them miss it with a probability of at "
        f"most ${num(q)}$?",
        answer,
        rf"$R$ starts miss it with probability $(1-{num(p)})^R$. So $R$ is at least "
        rf"$\frac{{\log {num(q)}}}{{\log {num(1 - p)}}}\approx {near(exact, 0)}$, and the next "
        rf"whole number is ${answer}$. Chances do not add up: "
        rf"$\frac{{1-{num(q)}}}{{{num(p)}}}$, that is ${wrong}$ starts, is not enough.",
        wrong,
    )


def draw_naming(rng: Rng) -> dict[str, Any]:
    """Two clusters in which the same name is the most frequent one, and a third."""
    order = [int(k) for k in rng.permutation(3)]
    rows = [[whole(rng, 0, 9) for _ in range(3)] for _ in range(3)]
    rows[0][order[0]] = whole(rng, 30, 45)
    rows[1][order[0]] = whole(rng, 20, 29)
    rows[1][order[1]] = whole(rng, 10, 19)
    rows[2][order[2]] = whole(rng, 20, 45)
    return {"counts": [rows[int(k)] for k in rng.permutation(3)]}


def naming(counts: list[list[int]]) -> Answered:
    orders = permutations(range(3))
    best = max(orders, key=lambda order: sum(counts[k][order[k]] for k in range(3)))
    chosen = [counts[k][best[k]] for k in range(3)]
    largest = [max(row) for row in counts]
    rows = {rf"\text{{cluster {k + 1}}}": counts[k] for k in range(3)}
    return Answered(
        "Three clusters are compared with three names. How many points are right with the best "
        "naming, where no two clusters have the same name? The columns are the names:"
        + table(rows)
        + "Give the number of points.",
        sum(chosen),
        f"The best choice of one cell in each row and each column is "
        f"${total(num(c) for c in chosen)}={sum(chosen)}$. The largest cells of the rows, "
        f"${total(num(c) for c in largest)}={sum(largest)}$, give two clusters the same name.",
        sum(largest),
    )


def draw_units(rng: Rng) -> dict[str, Any]:
    return {
        "n": whole(rng, 50, 300),
        "level": -tenths(rng, 200, 900),
        "factor": one_of(rng, [12, 24, 60, 100, 1000]),
    }


def units(n: int, level: float, factor: int) -> Answered:
    shift = n * math.log(factor)
    answer, wrong = level - shift, level + shift
    return Answered(
        f"A mixture with full covariances is fitted to $n={n}$ points, and its log-likelihood is "
        f"$\\ell={num(level)}$. Now one column is measured in a smaller unit: all its values are "
        f"multiplied by ${factor}$, and the mixture moves with the data. What is $\\ell$ now?",
        answer,
        rf"Each density is divided by ${factor}$, so $\ell={num(level)}-{n}\log {factor}\approx "
        rf"{near(answer, 2)}$. The numbers are spread over a longer range, so the density is "
        rf"lower, and ${near(wrong, 2)}$ has the wrong sign.",
        wrong,
    )


def draw_shares(rng: Rng) -> dict[str, Any]:
    return {key: [hundredths(rng, 0.05, 0.95) for _ in range(2)] for key in ("beta", "gamma")}


def squares(beta: list[float], gamma: list[float]) -> Answered:
    table_of = [[[a, 1 - a] for a in values] for values in (beta, gamma)]
    order = match_responsibilities(*table_of)
    kept = [a if order[0] == 0 else 1 - a for a in beta]
    other = [1 - a for a in kept]
    answer, wrong = (
        2 * sum((a - b) ** 2 for a, b in zip(ours, gamma, strict=True)) for ours in (kept, other)
    )
    steps = total(rf"({num(a)}-{num(b)})^2" for a, b in zip(kept, gamma, strict=True))
    return Answered(
        f"Two fits with two components give the first component the shares ${num(beta[0])}$ and "
        f"${num(beta[1])}$ of two points in the one fit, and ${num(gamma[0])}$ and "
        f"${num(gamma[1])}$ in the other. Match the names, so that the sum of the squared "
        f"differences of all four shares is smallest. What is this sum?",
        answer,
        rf"With the better order it is $2\,\bigl({steps}\bigr)={near(answer, 3)}$, because in each "
        rf"row both differences have the same size. With the other order it is ${near(wrong, 3)}$.",
        wrong,
    )


RECIPES = (
    Recipe("n-12-1", "How many starts", 0, draw_starts, starts),
    Recipe("n-12-2", "The best naming", 0, draw_naming, naming),
    Recipe("n-12-3", "The log-likelihood in other units", 2, draw_units, units),
    Recipe("n-12-4", "Shares, with the names matched", 3, draw_shares, squares),
)
