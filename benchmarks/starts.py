"""Which summit is reached: data sets of unlike shapes, many seeds, everybody's ways to start.

``python benchmarks/starts.py`` writes ``results/starts.md`` and ``starts.json``. Columns of the
page: how many of the seeds come within ``GAP`` n of the best log-likelihood that anybody found from
any seed, how far behind it the worst seed is for each observation, and the median seconds. A fit
that ends in a spike (:func:`gmmlib.fitting.is_spike`) is counted apart and never the best.

The data sets were named before anything was tuned on them (of the normal cloud fewer points and
components were taken later: twenty fits by scikit-learn took more than ten minutes).
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sklearn.datasets
import sklearn.mixture
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from gmmlib import GaussianMixture, Mixture, datasets
from gmmlib.engine import Blocks, Engine, Parameters
from gmmlib.errors import CollapseError
from gmmlib.fitting import is_spike
from gmmlib.fitting.policy import INIT_PARAMS
from peers import Mclust, Missing

GAP = 1e-6  # of log-likelihood for each observation
FLOOR = 1e-5  # of each column's variance
LARGE = 5000  # observations: hierarchical clustering takes their square
RESULTS = Path(__file__).parent / "results"
Array = NDArray[np.float64]


class Case(NamedTuple):
    """Data, and the model that is asked for."""

    name: str
    data: Callable[[], Array]
    n_components: int
    covariance_type: str = "full"


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng([2026, seed])


def _tight(d: int) -> Array:
    """A hundred of a thousand points with standard deviation 0.01, inside a cloud of 1."""
    rng = _rng(d)
    X = rng.standard_normal((1000, d))
    X[:100] = 0.5 / np.sqrt(d) + 0.01 * rng.standard_normal((100, d))
    return X


def _scales() -> Array:
    """Five round clusters of 400, standard deviations from 1 to 0.01, the small in the large."""
    rng = _rng(1)
    parts = []
    for j, sigma in enumerate((1.0, 0.3, 0.1, 0.03, 0.01)):
        parts.append(rng.normal(0, 0.8, 2) * (j > 0) + sigma * rng.standard_normal((400, 2)))
    return np.concatenate(parts)


def _sensors() -> Array:
    """Ten sensors read in turn, 8,192 rows of each."""
    rng = _rng(2)
    level = rng.normal(0, 10, (10, 2))
    return (level[np.newaxis] + rng.standard_normal((8192, 10, 2))).reshape(-1, 2)


def _far() -> Array:
    """Six clusters, thirty standard deviations apart."""
    rng = _rng(3)
    centres = 30 * np.array([[0, 0], [1, 0], [0, 1], [4, 4], [5, 4], [4, 5]])
    return np.asarray(centres[rng.integers(6, size=1200)] + rng.standard_normal((1200, 2)))


def _crossing() -> Array:
    """Two long ellipses that cross, and two more beside them."""
    rng = _rng(4)
    z = rng.standard_normal((1200, 2)) * [3.0, 0.3]
    turn = np.deg2rad([45, -45, 0, 90])[np.arange(1200) % 4]
    c, s = np.cos(turn), np.sin(turn)
    centres = np.array([[0, 0], [0, 0], [2, 2.5], [-4, 0]])[np.arange(1200) % 4]
    return np.asarray(np.stack([c * z[:, 0] - s * z[:, 1], s * z[:, 0] + c * z[:, 1]], 1) + centres)


def _ring() -> Array:
    """A noisy circle: no cluster anywhere."""
    rng = _rng(5)
    angle = rng.uniform(0, 2 * np.pi, 1500)
    X = np.stack([np.cos(angle), np.sin(angle)], 1)
    return np.asarray(X + 0.08 * rng.standard_normal((1500, 2)))


def _counts() -> Array:
    """Small whole numbers, many of them equal."""
    rng = _rng(6)
    rate = np.array([[1.0, 3.0], [4.0, 1.0]])[rng.integers(2, size=600)]
    return rng.poisson(rate).astype(float)


def _zeros() -> Array:
    """Two columns of amounts that are often exactly 0, and one that is not."""
    rng = _rng(7)
    X = rng.lognormal(0, 0.7, (900, 3))
    X[:, :2] *= rng.random((900, 2)) < 0.6
    return X


def _normal(n: int) -> Array:
    return _rng(8).standard_normal((n, 2))


def _digits() -> Array:
    return np.asarray(PCA(16, svd_solver="full").fit_transform(sklearn.datasets.load_digits().data))


CASES = (
    Case("Old Faithful", datasets.old_faithful, 3),
    Case("Old Faithful", datasets.old_faithful, 5),
    Case("iris", lambda: sklearn.datasets.load_iris().data, 3),
    Case("wine", lambda: sklearn.datasets.load_wine().data, 3, "diag"),
    Case("breast cancer", lambda: sklearn.datasets.load_breast_cancer().data, 8, "diag"),
    Case("diabetes", lambda: datasets.diabetes()[0], 3),
    Case("acidity", lambda: datasets.acidity()[:, np.newaxis], 3),
    Case("galaxies", lambda: datasets.galaxies()[:, np.newaxis], 4),
    Case("digits, 16 principal components", _digits, 10),
    Case("a tight cluster, d = 2", lambda: _tight(2), 2),
    Case("a tight cluster, d = 24", lambda: _tight(24), 2, "diag"),
    Case("five scales", _scales, 5),
    Case("ten sensors in turn", _sensors, 10),
    Case("six clusters far apart", _far, 6),
    Case("six clusters far apart", _far, 6, "tied"),
    Case("ellipses that cross", _crossing, 4),
    Case("a ring", _ring, 8),
    Case("Student's t, 2 degrees of freedom", lambda: _rng(9).standard_t(2, (1000, 2)), 3),
    Case("small counts", _counts, 2),
    Case("columns with zeros", _zeros, 3),
    Case("a normal cloud", lambda: _normal(4000), 20, "spherical"),
)


class Theirs(NamedTuple):
    """scikit-learn, with a rule for stopping that lets it come near the summit."""

    n_init: int

    def __call__(self, X: Array, case: Case, seed: int) -> Mixture:
        model = sklearn.mixture.GaussianMixture(
            case.n_components,
            covariance_type=case.covariance_type,
            n_init=self.n_init,
            tol=1e-7,
            max_iter=1000,
            random_state=seed,
        ).fit(X)
        return GaussianMixture.from_fitted(model).mixture_


class Ours(NamedTuple):
    """gmmlib by default, or with one way to start."""

    options: dict[str, Any]

    def __call__(self, X: Array, case: Case, seed: int) -> Mixture:
        model = GaussianMixture(
            case.n_components,
            covariance_type=case.covariance_type,
            random_state=seed,
            **self.options,
        )
        return model.fit(X).mixture_


class ByMclust(NamedTuple):
    """mclust, which starts from its own hierarchical clustering: the same from every seed."""

    peer: Mclust

    def __call__(self, X: Array, case: Case, seed: int) -> Mixture:
        return self.peer.fits(X, case.n_components, case.covariance_type, 1)[2]


WAYS: dict[str, Any] = {
    "gmmlib": Ours({}),
    **{name: Ours({"init_params": name}) for name in INIT_PARAMS if name != "search"},
    "scikit-learn, 1": Theirs(1),
    "scikit-learn, 20": Theirs(20),
    "mclust": ByMclust(Mclust()),
}


def fit(way: Any, X: Array, case: Case, seed: int) -> tuple[float, float | None, bool]:
    """Seconds, ℓ (None where there is no fit), and whether it is one of a singularity."""
    begin = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mixture = way(X, case, seed)
    except (CollapseError, Missing, ValueError):
        return time.perf_counter() - begin, None, False
    took = time.perf_counter() - begin
    return took, mixture.log_likelihood(X), is_singular(mixture, X, case.covariance_type)


def is_singular(mixture: Mixture, X: Array, covariance_type: str) -> bool:
    """Whether a component is a spike by gmmlib's rule, or no wider than a ridge.

    scikit-learn adds 1e-6 to each variance by default, so what would have no spread has that.
    """
    unit = X.std(axis=0)
    scaled = mixture.covariances / np.outer(unit, unit)
    if np.linalg.eigvalsh(scaled).min() < FLOOR:
        return True
    blocks = Blocks.of(X)
    with Engine(blocks, covariance_type, 1e-300) as engine:
        p = Parameters.of([mixture], covariance_type, blocks.frame)
        return bool(is_spike(engine, p).any())


def measured(case: Case, seeds: int, ways: dict[str, Any], budget: float) -> dict[str, Any]:
    """All ways in turn, seed by seed; one that has taken longer than ``budget`` has fewer seeds."""
    X = case.data()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    reached: dict[str, list[float | None]] = {name: [] for name in ways}
    singular = dict.fromkeys(ways, 0)
    for seed in range(seeds):
        for name, way in ways.items():
            if sum(seconds[name]) > budget or (name == "mclust" and (seed or len(X) > LARGE)):
                continue
            took, value, is_bad = fit(way, X, case, seed)
            seconds[name].append(took)
            reached[name].append(None if is_bad else value)
            singular[name] += is_bad
    return {
        "data": case.name,
        "n": X.shape[0],
        "d": X.shape[1],
        "K": case.n_components,
        "covariance_type": case.covariance_type,
        "seconds": seconds,
        "reached": reached,
        "singular": singular,
    }


def page(found: dict[str, Any]) -> str:
    """The table in Markdown."""
    rows = found["cases"]
    names = list(rows[0]["seconds"])
    lines = [
        "# Which summit is reached",
        "",
        *(f"{line}" for line in PREFACE),
        "",
        "| data | n × d, K | " + " | ".join(names) + " | beside the others |",
        "|---|---|" + "---|" * (len(names) + 1),
    ]
    for row in rows:
        sound = (v for values in row["reached"].values() for v in values if v is not None)
        best = max(sound, default=np.nan)
        cells = [*(_cell(row, name, best) for name in names), _beside(row)]
        about = f"{row['n']:,} × {row['d']}, {row['K']} {row['covariance_type']}"
        lines.append(f"| {row['data']} | {about} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(row: dict[str, Any], name: str, best: float) -> str:
    values, n = row["reached"][name], row["n"]
    if not values:
        return ""
    behind = [(best - v) / n for v in values if v is not None]
    hits = sum(b <= GAP for b in behind)
    text = f"{hits}/{len(values)}"
    if behind and max(behind) > GAP:
        text += f", −{max(behind):.0e}"
    if row["singular"][name]:
        text += f", {row['singular'][name]} singular"
    none = len(values) - len(behind) - row["singular"][name]
    if none:
        text += f", {none} none"
    return f"{text}; {np.median(row['seconds'][name]):.2g} s"


def _beside(row: dict[str, Any]) -> str:
    """gmmlib's worst seed beside the best of the others, and its time beside the slowest's."""
    reached = {k: [v for v in values if v is not None] for k, values in row["reached"].items()}
    seconds = {k: float(np.median(values)) for k, values in row["seconds"].items() if values}
    others = [name for name in seconds if name != "gmmlib"]
    if not others or not reached["gmmlib"]:
        return ""
    best = max((v for name in others for v in reached[name]), default=np.nan)
    ahead = (min(reached["gmmlib"]) - best) / row["n"]
    text = "as high" if abs(ahead) <= GAP else f"{'+' if ahead > 0 else '−'}{abs(ahead):.0e}"
    share = seconds["gmmlib"] / max(seconds[name] for name in others)
    return f"{text}; {share:.0%} of the time"


PREFACE = (
    "Each cell: from how many seeds a fit comes within a millionth of an observation's "
    "log-likelihood of the best that anybody found from any seed; how far behind it the worst "
    "seed is, for each observation; the median seconds. A fit whose narrowest component is a "
    "spike on a few observations, or no wider than a ridge, is singular: its likelihood means "
    "little, and it is never the best. The last column has gmmlib's worst seed beside the best "
    "that the others reach from any seed, for each observation, and gmmlib's median time as a "
    "share of the slowest one's. Written by `benchmarks/starts.py`.",
)


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--budget", type=float, default=60.0, help="seconds of one way on one case")
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    parser.add_argument("--ways", default="", help="some of the ways, by comma; two may be one way")
    parser.add_argument("--page", action="store_true", help="write the page from starts.json")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    if asked.page:
        stored = json.loads((asked.out / "starts.json").read_text())
        (asked.out / "starts.md").write_text(page(stored))
        return
    ways = {k: w for k, w in WAYS.items() if not asked.ways or k in asked.ways.split(",")}
    cases = [case for case in CASES if asked.only in case.name]
    found: dict[str, Any] = {"cases": []}
    for case in cases:
        with threadpool_limits(1):  # small products on several threads are many times slower
            found["cases"].append(measured(case, asked.seeds, ways, asked.budget))
        print(page({"cases": found["cases"][-1:]}).splitlines()[-1], flush=True)
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "starts.json").write_text(json.dumps(found) + "\n")
    (asked.out / "starts.md").write_text(page(found))


if __name__ == "__main__":
    main()
