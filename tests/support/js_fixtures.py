"""Write tests/site/js/fixtures.json: inputs, and what gmmlib makes of them.

The mathematics of the figures in the browser, assets/figures/kit/em.js, must agree. Run it after a
change of either: ``PYTHONPATH=tools python tests/support/js_fixtures.py``.
tests/site/test_js.py finds what is stale.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np

from gmmlib import Mixture, bound, e_step, fit, initialization, m_step
from gmmlib.em import CollapseError, Fit
from gmmlib.gaussian import log_gaussian
from website.figure_data import FloatArray, data_sets

FIXTURES = Path(__file__).parents[1] / "site" / "js" / "fixtures.json"


def _mixture(mixture: Mixture) -> dict[str, Any]:
    """In the form that em.js has: numbers on the line, pairs and 2 x 2 in the plane."""
    if mixture.n_features == 1:
        means, covariances = mixture.means[:, 0], mixture.variances
    else:
        means, covariances = mixture.means, mixture.covariances
    return {
        "weights": mixture.weights.tolist(),
        "means": means.tolist(),
        "covariances": covariances.tolist(),
    }


def _steps() -> list[dict[str, Any]]:
    """Both steps, the bound and its parts, on the line and in the plane."""
    sets = data_sets()
    cases = {
        "the note": (sets["worked"], Mixture.univariate([0.5, 0.5], [1, 2], [2, 2])),
        "twenty numbers": (sets["esl"], Mixture.univariate([0.3, 0.7], [4, 1], [0.8, 1.9])),
        "waiting times": (
            sets["faithful"][:, 1],
            Mixture.univariate([0.2, 0.5, 0.3], [50, 60, 85], [30, 90, 25]),
        ),
        "a bad start": (
            sets["faithful"],
            Mixture([0.5, 0.5], [[2, 90], [5, 50]], [np.diag([1, 150])] * 2),
        ),
        "correlated": (
            sets["blobs"],
            Mixture(
                [0.2, 0.3, 0.5],
                [[0, 1], [3, 3], [-3, 2]],
                [[[2, 1.2], [1.2, 1]], [[1, -0.9], [-0.9, 1.1]], [[0.5, 0], [0, 4]]],
            ),
        ),
        "six on a cross": (sets["hard"], initialization.random_points(sets["hard"], 6, 1)),
    }
    found = []
    for name, (X, mixture) in cases.items():
        beta, log_likelihood = e_step(X, mixture)
        other = e_step(X, m_step(X, beta**2 / (beta**2).sum(axis=1, keepdims=True)))[0]
        found.append(
            {
                "name": name,
                "X": X.tolist(),
                "mixture": _mixture(mixture),
                "logGaussian": log_gaussian(X, mixture.means, mixture.covariances).tolist(),
                "responsibilities": beta.tolist(),
                "logLikelihood": log_likelihood,
                "next": _mixture(m_step(X, beta)),
                "tied": _mixture(m_step(X, beta, "tied")),
                "entropy": bound.entropy(beta),
                "q": other.tolist(),
                "expectedCompleteData": bound.expected_complete_data_log_likelihood(
                    X, other, mixture
                ),
                "lowerBound": bound.lower_bound(X, other, mixture),
                "divergence": bound.kl_divergence(other, beta),
            }
        )
    return found


def _extremes() -> list[dict[str, Any]]:
    """Log-sum-exp where a plain exponential would be 0, and where floats end."""
    line = Mixture.univariate([0.5, 0.5], [0, 3], [1, 1])
    uneven = Mixture.univariate([1e-300, 1 - 1e-300], [0, 3], [1e-8, 1e8])
    plane = Mixture([0.4, 0.6], [[0, 0], [3, 1]], [np.eye(2), [[1e-6, 0], [0, 1e6]]])
    points = [0.0, 2.0, 50.0, -1000.0, 1e6, 1e100, -1e150]
    cases: list[tuple[str, Mixture, list[Any]]] = [
        ("far points on the line", line, points),
        ("weights and variances of very different size", uneven, points),
        ("far points in the plane", plane, [[x, -x / 3] for x in points[:-1]]),
    ]
    return [
        {
            "name": name,
            "mixture": _mixture(mixture),
            "X": X,
            "logDensity": mixture.log_density(np.array(X)).tolist(),
            "responsibilities": e_step(np.array(X), mixture)[0].tolist(),
        }
        for name, mixture, X in cases
    ]


def _fits() -> list[dict[str, Any]]:
    sets = data_sets()
    starts = {
        "faithful": Mixture([0.5, 0.5], [[2, 90], [5, 50]], [np.diag([1, 150])] * 2),
        "blobs": initialization.random_points(sets["blobs"], 3, 2),
        "worked": Mixture.univariate([0.5, 0.5], [1, 2], [2, 2]),
    }
    found = []
    for name, start in starts.items():
        result = fit(sets[name], start)
        found.append(
            {
                "data": name,
                "start": _mixture(start),
                "mixture": _mixture(result.mixture),
                "logLikelihoods": result.log_likelihoods.tolist(),
            }
        )
    return found


def _collapses() -> list[dict[str, Any]]:
    """Where gmmlib raises CollapseError, em.js must say so in the same iteration."""
    hard = data_sets()["hard"]
    everything = m_step(hard, np.ones((len(hard), 1))).covariances[0]
    lone = Mixture(
        [0.5, 0.5], [[0, 0], [5.9, 0]], [everything, [[0.3, 0], [0, 0.3]]]
    )  # two points only: a line
    starts: list[tuple[str, FloatArray, Mixture]] = [
        ("flat in the plane", hard, lone),
        (
            "flat on the line",
            np.array([0.0, 0.0, 5.0, 6.0, 7.0]),
            Mixture.univariate([0.4, 0.6], [0.01, 6.0], [0.01, 1.0]),
        ),
        (
            "empty",
            np.array([0.0, 1.0, 2.0, 3.0]),
            Mixture.univariate([0.5, 0.5], [1.0, 1e4], [1.0, 1.0]),
        ),
    ]
    found = []
    for name, X, start in starts:
        try:
            fit(X, start)
        except CollapseError as error:
            so_far = cast(Fit, error.fit)
            found.append(
                {
                    "name": name,
                    "X": X.tolist(),
                    "start": _mixture(start),
                    "component": error.component,
                    "logLikelihoods": so_far.log_likelihoods.tolist(),
                }
            )
        else:
            raise AssertionError(f"{name} does not collapse")
    return found


def _unfit() -> list[dict[str, Any]]:
    """Points on which K components cannot begin: gmmlib refuses the same."""
    spread: list[Any] = [[0, 1], [2, 2], [5, 3], [1, 7]]
    cases: list[tuple[str, list[Any], int]] = [
        ("four points", spread, 4),
        ("five of four", spread, 5),
        ("equal points count once", [*spread, *spread], 5),
        ("on one line", [[0, 0], [1, 2], [2, 4], [3, 6]], 1),
        ("in one place", [[1, 2]] * 3, 1),
        ("one point", [[1, 2]], 1),
        ("large", [[1e9 * x, 1e9 * y] for x, y in spread], 4),
        ("small", [[1e-9 * x, 1e-9 * y] for x, y in spread], 4),
        ("two numbers", [1.0, 2.0, 2.0], 2),
        ("three of two numbers", [1.0, 2.0, 2.0], 3),
        ("one number", [2.0, 2.0], 1),
    ]
    found = []
    for name, X, K in cases:
        rows = np.array(X, float).reshape(len(X), -1)
        try:
            m_step(rows, np.ones((len(X), 1)))
            initialization.random_points(rows, K, 0)
        except ValueError:
            refused = True
        else:
            refused = False
        found.append({"name": name, "X": X, "K": K, "refused": refused})
    return found


def _surface() -> dict[str, Any]:
    x, grid = data_sets()["esl"], np.linspace(-1, 7, 9)
    values = [
        [Mixture.univariate([0.5, 0.5], [a, b], [0.8, 0.8]).log_likelihood(x) for a in grid]
        for b in grid + 0.1
    ]
    return {
        "weights": [0.5, 0.5],
        "covariances": [0.8, 0.8],
        "first": grid.tolist(),
        "second": (grid + 0.1).tolist(),
        "values": values,
    }


def _bounds_of_means() -> list[dict[str, Any]]:
    """The bound as a function of the means alone, after an E-step at ``laid``."""
    sets = data_sets()
    waits = sets["faithful"][:, 1]
    cases: list[tuple[str, FloatArray, list[float], list[float], list[float]]] = [
        ("waiting times", waits, [0.36, 0.64], [5.9**2] * 2, [60, 65]),
        ("names exchanged", waits, [0.36, 0.64], [5.9**2] * 2, [77.7, 64.1]),
        ("twenty points", sets["esl"], [0.5, 0.5], [0.81, 0.81], [2, 3.5]),
        ("two variances", sets["esl"], [0.2, 0.8], [0.4, 2.5], [5, 1]),
        ("equal means", sets["worked"], [0.3, 0.7], [0.16, 0.16], [1, 1]),
        ("a mean beyond the points", sets["worked"], [0.5, 0.5], [0.16, 0.16], [4, 1]),
    ]
    found = []
    for name, X, weights, variances, laid in cases:
        beta = e_step(X, Mixture.univariate(weights, laid, variances))[0]
        goal = m_step(X, beta).means.ravel()
        middle, spread = X.mean(), X.std()
        others = [[middle + a * spread, middle + b * spread] for a in (-2, 0.4) for b in (0, 1.5)]
        places = [laid, goal.tolist(), *others]
        at = [Mixture.univariate(weights, means, variances) for means in places]
        found.append(
            {
                "name": name,
                "X": X.tolist(),
                "weights": weights,
                "covariances": variances,
                "laid": laid,
                "goal": goal.tolist(),
                "places": places,
                "bounds": [bound.lower_bound(X, beta, mixture) for mixture in at],
                "logLikelihoods": [mixture.log_likelihood(X) for mixture in at],
            }
        )
    return found


def mulberry32(seed: int) -> Callable[[], float]:
    """The generator of em.js, a second time: numbers from 0 to 1."""
    state = seed & 0xFFFFFFFF

    def uniform() -> float:
        nonlocal state
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        t = ((state ^ (state >> 15)) * (state | 1)) & 0xFFFFFFFF
        t = ((t + ((t ^ (t >> 7)) * (t | 61) & 0xFFFFFFFF)) & 0xFFFFFFFF) ^ t
        return ((t ^ (t >> 14)) & 0xFFFFFFFF) / 2**32

    return uniform


def _chance() -> dict[str, Any]:
    uniform = mulberry32(5)
    uniforms = [uniform() for _ in range(6)]
    uniform = mulberry32(7)
    weights, means, covariances = (
        [0.3, 0.7],
        [[0, 0], [4, 1]],
        [[[1, 0.5], [0.5, 2]], [[2, 0], [0, 1]]],
    )
    X, labels = [], []
    for _ in range(20):
        j = int(uniform() >= weights[0])
        noise = []
        for _ in range(2):
            radius = math.sqrt(-2 * math.log(1 - uniform()))
            noise.append(radius * math.cos(2 * math.pi * uniform()))
        labels.append(j)
        X.append((np.array(means[j]) + np.linalg.cholesky(covariances[j]) @ noise).tolist())
    mixture = {"weights": weights, "means": means, "covariances": covariances}
    return {"seed": 7, "mixture": mixture, "X": X, "labels": labels, "uniforms": uniforms}


def fixtures() -> dict[str, Any]:
    return {
        "steps": _steps(),
        "extremes": _extremes(),
        "fits": _fits(),
        "collapses": _collapses(),
        "unfit": _unfit(),
        "surface": _surface(),
        "boundsOfMeans": _bounds_of_means(),
        "chance": _chance(),
    }


def fixtures_text() -> str:
    return (
        json.dumps(fixtures(), indent=None, separators=(",", ":")).replace('{"name"', '\n{"name"')
        + "\n"
    )


if __name__ == "__main__":
    FIXTURES.write_text(fixtures_text(), encoding="utf-8")
