"""What a fitted mixture says about few rows and about many: predict and score_samples."""

import time
from typing import Any

import numpy as np
from sklearn.mixture import GaussianMixture as Theirs
from threadpoolctl import threadpool_limits

from gmmlib import GaussianMixture
from peers import PAUSE
from problems import problem

CALLS = ("predict", "score_samples")


def densities(sizes: Any) -> list[dict[str, Any]]:
    """The least seconds of a call, all in turns; see ``bench`` for the keys."""
    rows = []
    for d, K, covariance_type in sizes.densities:
        p = problem(max(sizes.density_rows), d, K, covariance_type)
        ours = GaussianMixture.from_mixture(p.truth, covariance_type)
        theirs = _as_theirs(ours)
        for n in sizes.density_rows:
            for call in CALLS:
                seconds = _in_turns(ours, theirs, p.X[:n], call, sizes.density_rounds)
                about = {"n": n, "d": d, "K": K, "covariance_type": covariance_type}
                rows.append(about | {"call": call, "seconds": seconds})
    return rows


def _as_theirs(ours: GaussianMixture) -> Theirs:
    theirs = Theirs(ours.n_components, covariance_type=ours.covariance_type)
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
        setattr(theirs, name, getattr(ours, name))
    theirs.n_features_in_ = ours.n_features_in_
    return theirs


def _in_turns(ours: Any, theirs: Any, X: Any, call: str, rounds: int) -> dict[str, float]:
    models = {"gmmlib": (ours, None), "scikit_learn": (theirs, None), "scikit_learn_1": (theirs, 1)}
    seconds = dict.fromkeys(models, np.inf)
    for turn in range(rounds):
        for name, (model, threads) in models.items():
            if turn > 2 and seconds[name] > 0.2:
                continue
            if len(X) > 1000:
                time.sleep(PAUSE)
            with threadpool_limits(threads, "blas"):
                begin = time.perf_counter()
                getattr(model, call)(X)
                seconds[name] = min(seconds[name], time.perf_counter() - begin)
    return {name: float(value) for name, value in seconds.items()}
