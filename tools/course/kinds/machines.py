"""Chapter 18: sums of two machines, and how many machines are too many."""

import math
from typing import Any

from course.drawing import Rng, apart, different_tenths, one_of, whole
from course.recipes import Answered, Recipe
from course.writing import equals, near, num, vector


def draw_merged(rng: Rng) -> dict[str, Any]:
    counts = [float(whole(rng, 2, 9)), float(whole(rng, 2, 9))]
    means = apart(rng, 1, 7, 1.5)
    spreads = different_tenths(rng, 0.5, 2.5, 2)
    return {
        "N": counts,
        "first": [round(n * m, 1) for n, m in zip(counts, means, strict=True)],
        "second": [
            round(n * (v + m * m), 2) for n, m, v in zip(counts, means, spreads, strict=True)
        ],
    }


def merged(N: list[float], first: list[float], second: list[float]) -> Answered:
    centre = sum(first) / sum(N)
    answer = sum(second) / sum(N) - centre**2
    own = [s / n - (f / n) ** 2 for n, f, s in zip(N, first, second, strict=True)]
    wrong = (N[0] * own[0] + N[1] * own[1]) / sum(N)
    return Answered(
        "Two machines hold different points. For one component the first machine has the sums "
        rf"$(N,S_1,S_2)={vector([N[0], first[0], second[0]])}$, and the second one has "
        rf"${vector([N[1], first[1], second[1]])}$. What is the new variance of the component, "
        rf"from all the points?",
        answer,
        rf"Add the sums: $N={num(sum(N))}$, $S_1={num(sum(first))}$ and $S_2={num(sum(second))}$. "
        rf"The mean is ${near(centre, 2)}$, and the variance is "
        rf"$S_2/N-(S_1/N)^2{equals(answer, 2)}$. The weighted average of the two machines' own "
        rf"variances, ${wrong:.2f}$, leaves out how far their means lie apart.",
        wrong,
    )


def draw_cluster(rng: Rng) -> dict[str, Any]:
    return {
        "seconds": float(whole(rng, 20, 900)),
        "latency": one_of(rng, [0.1, 0.2, 0.5]),
        "table": one_of(rng, [0.01, 0.02, 0.05]),
    }


def best_number(seconds: float, latency: float, table: float) -> Answered:
    answer, wrong = math.sqrt(seconds / table), seconds / table
    return Answered(
        rf"One worker needs ${num(seconds)}$ seconds for all the rows of a pass. $W$ workers share "
        rf"them evenly, and a coordinator takes their tables one after another, in ${num(table)}$ "
        rf"seconds each. Besides, every pass has a latency of ${num(latency)}$ seconds. With how "
        r"many workers would a pass be fastest? (Give the number with one decimal, as if parts of "
        "workers could be had.)",
        answer,
        rf"The time is $\frac{{{num(seconds)}}}W+{num(latency)}+{num(table)}\,W$. Its derivative, "
        rf"$-\frac{{{num(seconds)}}}{{W^2}}+{num(table)}$, is 0 at "
        rf"$W=\sqrt{{{num(seconds)}/{num(table)}}}{equals(answer, 1)}$. The latency does not "
        rf"matter. Without the root you would get ${wrong:.1f}$.",
        wrong,
    )


def draw_bounded(rng: Rng) -> dict[str, Any]:
    return {"share": one_of(rng, [0.01, 0.02, 0.04, 0.05, 0.1]), "workers": whole(rng, 8, 400)}


def speed_up(share: float, workers: int) -> Answered:
    answer, wrong = 1 / (share + (1 - share) / workers), share + (1 - share) * workers
    return Answered(
        rf"On one machine the share ${num(share)}$ of the time of a pass cannot be shared among "
        rf"workers; the rest can, and adding up costs nothing. How many times as fast is the pass "
        rf"with ${workers}$ workers, for the same data?",
        answer,
        rf"By Amdahl's law it is $1/({num(share)}+{num(1 - share)}/{workers}){equals(answer, 2)}$. "
        rf"The other law, ${wrong:.2f}$, is for ${workers}$ times the data.",
        wrong,
    )


RECIPES = (
    Recipe("n-18-1", "Two machines, one variance", 2, draw_merged, merged),
    Recipe("n-18-2", "The best number of workers", 1, draw_cluster, best_number),
    Recipe("n-18-3", "A bounded speed-up", 2, draw_bounded, speed_up),
)
