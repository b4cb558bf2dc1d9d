"""Chapter 16: steps uphill, what merging takes from the entropy, and how far components overlap."""

from typing import Any

import numpy as np
from scipy.special import entr

from course.drawing import Rng, apart, one_of, shares
from course.recipes import Answered, Recipe
from course.writing import equals, near, num, par, table, total
from gmmlib.merge import merge_responsibilities

PRECISIONS = (0.25, 0.5, 1, 2, 4)  # of components on the line: one over the variance


def draw_step(rng: Rng) -> dict[str, Any]:
    precision = [one_of(rng, PRECISIONS), one_of(rng, PRECISIONS)]
    while precision[0] == precision[1]:
        precision[1] = one_of(rng, PRECISIONS)
    return {
        "beta": one_of(rng, [0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]),
        "mu": apart(rng, 0, 9, 3),
        "variance": [1 / value for value in precision],
    }


def step(beta: float, mu: list[float], variance: list[float]) -> Answered:
    pulls = [beta / variance[0], (1 - beta) / variance[1]]
    answer = (pulls[0] * mu[0] + pulls[1] * mu[1]) / sum(pulls)
    wrong = beta * mu[0] + (1 - beta) * mu[1]
    return Answered(
        rf"A mixture on the line has two components, with the means $\mu_1={num(mu[0])}$ and "
        rf"$\mu_2={num(mu[1])}$ and the variances $\sigma_1^2={num(variance[0])}$ and "
        rf"$\sigma_2^2={num(variance[1])}$. At some place $x$ the first one has the share "
        rf"$\beta_1(x)={num(beta)}$. Where does the step uphill, $M(x)$, lead?",
        answer,
        rf"The shares over the variances are ${near(pulls[0], 3)}$ and ${near(pulls[1], 3)}$. "
        rf"The average of the means with these as weights is $M(x)={near(pulls[0], 3)}\cdot"
        rf"{par(mu[0])}+{near(pulls[1], 3)}\cdot{par(mu[1])}$, divided by "
        rf"${near(sum(pulls), 3)}$, so $M(x){equals(answer, 3)}$. With the shares alone as weights "
        rf"it would be ${wrong:.3f}$, which is right for equal variances only.",
        wrong,
    )


def draw_three(rng: Rng) -> dict[str, Any]:
    rows = []
    for _ in range(2):
        first, second = shares(rng, 2)
        while first + second > 0.9:
            first, second = shares(rng, 2)
        rows.append([first, second, round(1 - first - second, 2)])
    return {"beta": rows}


def with_table(beta: list[list[float]]) -> str:
    return table({rf"\beta_{{i{j + 1}}}": [row[j] for row in beta] for j in range(len(beta[0]))})


def gain(beta: list[list[float]]) -> Answered:
    pair = np.array([[first, second] for first, second, _ in beta])
    parts = (entr(pair).sum(axis=1) - entr(pair.sum(axis=1))).tolist()
    whole = merge_responsibilities([[a, b, c] for a, b, c in beta]).entropies[0]
    left = float(entr(np.array([[a + b, c] for a, b, c in beta])).sum())
    answer = float(whole - left)
    wrong = float(entr(pair).sum())
    return Answered(
        f"Two points have these shares in three components:{with_table(beta)}"
        "By how much does the entropy fall if the components 1 and 2 are merged, in nats?",
        answer,
        r"With $\varphi(t)=-t\log t$ each point gives $\varphi(\beta_{i1})+\varphi(\beta_{i2})-"
        rf"\varphi(\beta_{{i1}}+\beta_{{i2}})$. These are ${near(parts[0], 3)}$ and "
        rf"${near(parts[1], 3)}$, and $G_{{12}}{equals(answer, 3)}$. Without the last term, the "
        rf"entropy that the merged column keeps, it would be ${wrong:.3f}$.",
        wrong,
    )


def draw_overlap(rng: Rng) -> dict[str, Any]:
    beta = shares(rng, 4)
    while abs(sum(beta) - 2) < 0.3:
        beta = shares(rng, 4)
    return {"beta": beta}


def overlap(beta: list[float]) -> Answered:
    both = float(sum(b * (1 - b) for b in beta))
    answer, wrong = both / sum(beta), both / (len(beta) - sum(beta))
    terms = total(rf"{num(b)}\cdot{num(1 - b)}" for b in beta)
    return Answered(
        "Four points have these shares in component 1; the rest of each belongs to component 2:"
        + table({r"\beta_{i1}": beta})
        + "Of the points whose label, drawn from the shares, is 1, which share gets the label 2 in "
        "a second draw?",
        answer,
        rf"$\sum_i\beta_{{i1}}\beta_{{i2}}={terms}={near(both, 3)}$ and $N_1={num(sum(beta))}$. "
        rf"So $C_{{12}}{equals(answer, 3)}$. Divided by $N_2$ it is ${wrong:.3f}$, which is "
        rf"$C_{{21}}$.",
        wrong,
    )


RECIPES = (
    Recipe("n-16-1", "A step uphill", 3, draw_step, step),
    Recipe("n-16-2", "What merging takes from the entropy", 3, draw_three, gain),
    Recipe("n-16-3", "How far two components overlap", 3, draw_overlap, overlap),
)
