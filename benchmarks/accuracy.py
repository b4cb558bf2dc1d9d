"""One EM step against 50 digits, on data that are hard: writes accuracy.json and accuracy.md.

    python benchmarks/accuracy.py

Data and mixture are doubles, and taken as exact. The errors of a component are counted in its own
units, so that neither another component nor an offset hides them; each is the largest over the
components and entries:

weights      |Δα| / α
means        |Δμ_a| / σ_a, less half a unit in the last place of μ_a: no double is nearer
covariances  |ΔΣ_ab| / (σ_a σ_b)
whitened     the norm of L⁻¹ ΔΣ L⁻ᵀ, where Σ = L Lᵀ: how wrong distances become
"""

import argparse
import itertools
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
from numpy.typing import NDArray

from gmmlib import Mixture, e_step, m_step
from gmmlib.engine import Blocks, Engine, Matrices, Parameters, using
from gmmlib.models import COVARIANCE_TYPES

HERE = Path(__file__).parent
DIGITS = 50
MEASURES = ("weights", "means", "covariances", "whitened")
# few cases in 64 columns, which take half a minute each in 50 digits; and where a component costs d
# operations, in eight: below four columns the engine has other loops
WIDE: dict[str, dict[str, Any]] = {
    "full": {"offsets": (0, 1e8), "scales": (1,), "conditions": (1,), "aparts": (3,), "n": 210},
    "tied": {"offsets": (0, 1e8), "scales": (1,), "conditions": (1, 1e10), "aparts": (3, 30)},
    "diag": {"offsets": (0, 1e8), "conditions": (1,), "aparts": (3, 1e6)},
    "spherical": {"offsets": (0, 1e8), "conditions": (1,), "aparts": (3, 1e6)},
}
Step = Callable[[NDArray[np.float64], Mixture, str], Mixture]


@dataclass(frozen=True, eq=False)
class Case:
    """Data, a mixture to step from, and what is hard about them.

    ``offset``, in standard deviations of the narrowest component, moves all data away from the
    origin; ``scales`` is the ratio of the widest component's to the narrowest's;
    ``condition`` is that of every covariance; ``apart`` is the distance of neighbours, in the
    standard deviations of the narrowest.
    """

    offset: float
    scales: float
    condition: float
    apart: float
    X: NDArray[np.float64]
    mixture: Mixture

    @property
    def name(self) -> str:
        """What is hard, in words."""
        parts = [
            f"{word} {value:.0e}".replace("e+0", "e").replace("e+", "e")
            for word, value in (
                ("offset", self.offset),
                ("scales", self.scales),
                ("condition", self.condition),
                ("apart", self.apart),
            )
            if value > (3 if word == "apart" else 1)
        ]
        return ", ".join(parts) or "easy"


def cases(
    offsets: tuple[float, ...] = (0, 1e4, 1e8),
    scales: tuple[float, ...] = (1, 1e6),
    conditions: tuple[float, ...] = (1, 1e10),
    aparts: tuple[float, ...] = (3, 1e6),
    n: int = 240,
    d: int = 3,
    diagonal: bool = False,
) -> Iterator[Case]:
    """The grid: every combination."""
    for offset, scale, condition, apart in itertools.product(offsets, scales, conditions, aparts):
        yield _case(offset, scale, condition, apart, n, d, diagonal)


def _case(
    offset: float, scale: float, condition: float, apart: float, n: int, d: int, diagonal: bool
) -> Case:
    rng = np.random.default_rng(7)
    K = 3
    sigma = np.geomspace(1, scale, K)
    position = np.concatenate([[0], np.cumsum(np.maximum(apart, 3 * sigma[1:]))])
    direction = np.resize([1.0, -0.5, 0.25, 0.7, -0.3], d)
    weights = np.array([0.5, 0.3, 0.2])
    means, covariances, rows = [], [], []
    for j in range(K):
        Q = np.eye(d) if diagonal else np.linalg.qr(rng.standard_normal((d, d)))[0]
        root = Q * (sigma[j] * np.geomspace(1, condition**-0.5, d))
        mu = offset + position[j] * direction
        rows.append(mu + rng.standard_normal((n // K, d)) @ root.T)
        # the step starts a little away from where the data come from
        means.append(mu + root @ rng.uniform(-0.2, 0.2, size=d))
        Sigma = 1.1 * root @ root.T
        covariances.append((Sigma + Sigma.T) / 2)
    return Case(
        offset, scale, condition, apart, np.concatenate(rows), Mixture(weights, means, covariances)
    )


# --- the step in 50 digits ------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Exact:
    """weights (K,), means (K, d), covariances (K, d, d): objects of mpmath."""

    weights: NDArray[Any]
    means: NDArray[Any]
    covariances: NDArray[Any]


def exact_step(case: Case, kind: str) -> Exact:
    """E-step and M-step in ``DIGITS`` digits."""
    with mp.workdps(DIGITS):
        X, mixture = _mp(case.X), case.mixture
        n, d = X.shape
        K = len(mixture.weights)
        diagonal = kind in ("diag", "spherical")
        joint = np.empty((n, K), dtype=object)
        for j in range(K):
            Sigma = mixture.covariances[j]
            W, log_det = _inverse_factor(np.diag(np.diag(Sigma)) if diagonal else Sigma)
            y = (X - _mp(mixture.means[j])) @ W.T
            squares = (y * y).sum(axis=1)
            constant = mp.log(mp.mpf(float(mixture.weights[j]))) + log_det
            joint[:, j] = constant - squares / 2
        joint = np.array([[mp.exp(v - max(row)) for v in row] for row in joint], dtype=object)
        beta = joint / joint.sum(axis=1)[:, np.newaxis]
        N = beta.sum(axis=0)
        weights = N / N.sum()
        means = (beta.T @ X) / N[:, np.newaxis]
        covariances = np.empty((K, d, d), dtype=object)
        for j in range(K):
            z = X - means[j]
            covariances[j] = (beta[:, j, np.newaxis] * z).T @ z / N[j]
        if kind == "tied":
            covariances[:] = (weights[:, np.newaxis, np.newaxis] * covariances).sum(axis=0)
        if diagonal:
            for j in range(K):
                variances = np.diag(covariances[j]).copy()
                if kind == "spherical":
                    variances = np.full(d, variances.sum() / d)
                covariances[j] = _mp(np.zeros((d, d)))
                covariances[j][np.diag_indices(d)] = variances
        return Exact(weights, means, covariances)


def _mp(values: NDArray[np.float64]) -> NDArray[Any]:
    flat = [mp.mpf(float(v)) for v in np.ravel(values)]
    return np.array(flat, dtype=object).reshape(np.shape(values))


def _inverse_factor(Sigma: NDArray[Any]) -> tuple[NDArray[Any], Any]:
    """W = L⁻¹ with Σ = L Lᵀ, and log det W."""
    L = mp.cholesky(mp.matrix(np.asarray(Sigma).tolist()))
    d = L.rows
    W = L**-1
    array = np.array([[W[a, b] for b in range(d)] for a in range(d)], dtype=object)
    return array, -sum(mp.log(L[a, a]) for a in range(d))


def errors(found: Mixture, exact: Exact) -> dict[str, float]:
    """The four errors that are told at the top of the file."""
    worst = dict.fromkeys(MEASURES, 0.0)
    with mp.workdps(DIGITS):
        for j in range(len(exact.weights)):
            alpha, mu, Sigma = exact.weights[j], exact.means[j], exact.covariances[j]
            d = len(mu)
            sigma = [mp.sqrt(Sigma[a, a]) for a in range(d)]
            off = found.covariances[j] - Sigma
            L = np.linalg.cholesky(Sigma.astype(float))
            white = np.linalg.solve(L, np.linalg.solve(L, off.astype(float)).T)
            values = {
                "weights": [abs(found.weights[j] - alpha) / alpha],
                "means": [
                    max(abs(found.means[j, a] - mu[a]) - np.spacing(abs(float(mu[a]))) / 2, 0)
                    / sigma[a]
                    for a in range(d)
                ],
                "covariances": [
                    abs(off[a, b]) / (sigma[a] * sigma[b]) for a in range(d) for b in range(d)
                ],
                "whitened": [np.linalg.norm(white, 2)],
            }
            for name, entries in values.items():
                worst[name] = max(worst[name], *(float(entry) for entry in entries))
    return worst


# --- who takes the step ---------------------------------------------------------------------------


def engine_step(X: NDArray[np.float64], mixture: Mixture, kind: str) -> Mixture:
    """The engine, on the road that is open."""
    blocks = Blocks.of(X)
    with Engine(blocks, kind) as steps:
        p = Parameters.of([mixture], kind, blocks.frame)
        after, _ = steps.em_step(p)
        if not np.isfinite(after.log_c).all():
            raise ValueError("a component collapsed")
        return after.mixture(0, blocks.frame)


def numpy_step(X: NDArray[np.float64], mixture: Mixture, kind: str) -> Mixture:
    """The engine without Numba."""
    with using(Matrices()):
        return engine_step(X, mixture, kind)


def careful_step(X: NDArray[np.float64], mixture: Mixture, kind: str) -> Mixture:
    """``gmmlib.em``: each component's deviations from its mean, in two passes."""
    diagonal = kind in ("diag", "spherical")
    d = X.shape[1]
    if diagonal:
        mixture = Mixture(mixture.weights, mixture.means, mixture.covariances * np.eye(d))
    after = m_step(X, e_step(X, mixture)[0], "tied" if kind == "tied" else "full")
    if not diagonal:
        return after
    variances = np.diagonal(after.covariances, axis1=1, axis2=2)
    if kind == "spherical":
        variances = np.repeat(variances.mean(axis=1, keepdims=True), d, axis=1)
    return Mixture(after.weights, after.means, variances[:, :, np.newaxis] * np.eye(d))


def sklearn_step(X: NDArray[np.float64], mixture: Mixture, kind: str) -> Mixture:
    """scikit-learn with max_iter=1 and reg_covar=0."""
    from sklearn.mixture import GaussianMixture

    K, d = mixture.means.shape
    Sigma = mixture.covariances
    precisions: Any = {
        "full": lambda: np.linalg.inv(Sigma),
        "tied": lambda: np.linalg.inv(Sigma[0]),
        "diag": lambda: 1 / np.diagonal(Sigma, axis1=1, axis2=2),
        "spherical": lambda: 1 / Sigma[:, 0, 0],
    }[kind]()
    if kind in ("full", "tied"):
        precisions = (precisions + np.swapaxes(precisions, -1, -2)) / 2
    model = GaussianMixture(
        K,
        covariance_type=kind,
        tol=0,
        reg_covar=0,
        max_iter=1,
        weights_init=mixture.weights,
        means_init=mixture.means,
        precisions_init=precisions,
        init_params="random_from_data",
        random_state=0,
    ).fit(X)
    found = model.covariances_
    covariances = {
        "full": lambda: found,
        "tied": lambda: np.repeat(found[np.newaxis], K, axis=0),
        "diag": lambda: found[:, :, np.newaxis] * np.eye(d),
        "spherical": lambda: found[:, np.newaxis, np.newaxis] * np.eye(d),
    }[kind]()
    return Mixture(
        model.weights_ / model.weights_.sum(),
        model.means_,
        (covariances + covariances.swapaxes(1, 2)) / 2,
    )


STEPS: dict[str, tuple[str, Step]] = {
    "gmmlib": ("gmmlib", engine_step),
    "gmmlib_numpy": ("gmmlib, NumPy alone", numpy_step),
    "em": ("gmmlib.em", careful_step),
    "scikit_learn": ("scikit-learn", sklearn_step),
}


def suited(case: Case, kind: str) -> Case:
    """The mixture as the covariance type can hold it."""
    Sigma = case.mixture.covariances
    d = Sigma.shape[1]
    if kind == "tied":
        Sigma = np.repeat(Sigma[-1:], len(Sigma), axis=0)
    elif kind == "diag":
        Sigma = Sigma * np.eye(d)
    elif kind == "spherical":
        Sigma = np.trace(Sigma, axis1=1, axis2=2)[:, np.newaxis, np.newaxis] / d * np.eye(d)
    mixture = Mixture(case.mixture.weights, case.mixture.means, Sigma)
    return Case(case.offset, case.scales, case.condition, case.apart, case.X, mixture)


def measured(
    grid: Iterator[Case], kind: str, steps: dict[str, tuple[str, Step]]
) -> Iterator[dict[str, Any]]:
    """For each case, the errors of everybody; where a step fails, the reason in their place."""
    for hard in grid:
        case = suited(hard, kind)
        exact = exact_step(case, kind)
        row: dict[str, Any] = {
            "case": case.name,
            "covariance_type": kind,
            "d": case.X.shape[1],
            "condition": case.condition,
        }
        for name, (_, step) in steps.items():
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    row[name] = errors(step(case.X, case.mixture, kind), exact)
            except ValueError as error:
                row[name] = {"failed": _short(str(error))}
        yield row


def _short(text: str) -> str:
    for words in ("collapsed", "linearly dependent", "ill-defined"):
        if words in text:
            return words
    return text.split(".")[0]


def main() -> None:
    """The whole grid, into accuracy.json and accuracy.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "results", help="folder of the results")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for kind in COVARIANCE_TYPES:
        diagonal = kind in ("diag", "spherical")
        for d in (3, 5) if kind == "full" else (3,):
            rows += measured(cases(d=d, diagonal=diagonal), kind, STEPS)
        wide = cases(**WIDE[kind], d=64 if kind == "full" else 8, diagonal=diagonal)
        rows += measured(wide, kind, STEPS)
    labels = {name: label for name, (label, _) in STEPS.items()}
    told = {"digits": DIGITS, "measures": MEASURES, "labels": labels, "rows": rows}
    text = json.dumps(told, indent=1, ensure_ascii=False)
    (out / "accuracy.json").write_text(text + "\n", encoding="utf-8")
    (out / "accuracy.md").write_text(_page(rows), encoding="utf-8")


def _page(rows: list[dict[str, Any]]) -> str:
    labels = [label for label, _ in STEPS.values()]
    lines = [
        "# One EM step against 50 digits",
        "",
        "Written by `make bench`: do not edit. The data and the errors are explained at the top of "
        "`accuracy.py`, and `accuracy.json` has each error by itself. `gmmlib.em` is the careful "
        "centred implementation: each component's deviations from its mean, in two passes.",
        "",
        "## The worst over all cases",
        "",
        "| error | " + " | ".join(labels) + " |",
        "|---|" + "---|" * len(labels),
    ]
    for measure, hard in [*((m, False) for m in MEASURES), ("whitened", True)]:
        cells = []
        for name in STEPS:
            chosen = [
                row[name] for row in rows if (row["condition"] > 1) == hard or _plain(measure)
            ]
            found = [errors[measure] for errors in chosen if "failed" not in errors]
            cells.append(f"{max(found):.1e}" if found else "-")
        which = "" if _plain(measure) else f", condition {'1e10' if hard else '1'}"
        lines += [f"| {measure}{which} | " + " | ".join(cells) + " |"]
    refused = [str(sum("failed" in row[name] for row in rows)) for name in STEPS]
    lines += [f"| refused, of {len(rows)} | " + " | ".join(refused) + " |", ""]
    lines += [
        "## Case by case",
        "",
        "The largest of the errors of weights, means and covariances.",
        "",
        "| covariances | d | case | " + " | ".join(labels) + " |",
        "|---|---|---|" + "---|" * len(labels),
    ]
    for row in rows:
        cells = [
            "*" + row[name]["failed"] + "*"
            if "failed" in row[name]
            else f"{max(row[name][measure] for measure in MEASURES if _plain(measure)):.1e}"
            for name in STEPS
        ]
        about = f"{row['covariance_type']} | {row['d']} | {row['case']}"
        lines += [f"| {about} | " + " | ".join(cells) + " |"]
    return "\n".join(lines).rstrip() + "\n"


def _plain(measure: str) -> bool:
    """Not magnified by the condition."""
    return measure != "whitened"


if __name__ == "__main__":
    main()
