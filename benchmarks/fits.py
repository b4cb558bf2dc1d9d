"""Whole fits: to the same log-likelihood, from many starts, and with everybody's own defaults."""

import time
from contextlib import ExitStack
from typing import Any

import numpy as np
import sklearn.datasets
import sklearn.mixture
from threadpoolctl import threadpool_limits

from gmmlib import GaussianMixture, Mixture, datasets
from gmmlib.engine import Blocks, Engine, Parameters
from gmmlib.fitting import converge
from gmmlib.initialization import k_means_plus_plus
from peers import PAUSE, Mclust, Missing, OursAsFitted, OursExtrapolated, Peer, in_turns, reached
from problems import problem

GAP = 1e-6  # of log-likelihood for each observation


def whole_fits(
    found: list[Peer], sizes: list[tuple[int, int, int]], budget: float
) -> list[dict[str, Any]]:
    """Seconds from the same start to within ``GAP`` n of the best ℓ that anybody finds from there.

    Plain EM, which all peers do, takes as many iterations as it needs (counted beforehand); ours
    takes as many steps. Each is told that number, so nobody's rule for stopping matters.
    """
    rows = [_whole_fit(found, "Old Faithful", datasets.old_faithful(), 2, budget)]
    for n, d, K in sizes:
        X = problem(n, d, K, seed=1).X
        rows.append(_whole_fit(found, "a mixture", X, K, budget))
    return rows


def _whole_fit(found: list[Peer], name: str, X: Any, K: int, budget: float) -> dict[str, Any]:
    n, d = X.shape
    gap = GAP * n
    for seed in range(20):  # plain and extrapolated EM must climb the same hill
        start = k_means_plus_plus(X, K, seed)
        plain, ours = _climb(X, start, False), _climb(X, start, True)
        best = max(plain[-1][1], ours[-1][1])
        if min(plain[-1][1], ours[-1][1]) >= best - gap / 10:
            break
    iterations = next(k for k, value in plain if value >= best - gap)
    # the last step of a run is one of plain EM: one more, and it is past that place
    steps = next(k for k, value in ours if value >= best - gap) + 1
    seconds: dict[str, float] = {}
    short: dict[str, float | None] = {}
    with ExitStack() as stack:
        tasks = {}
        for peer in found:
            if peer.own_start or peer.name == "gmmlib_numpy":
                continue
            runner = OursExtrapolated() if peer.name == "gmmlib" else peer
            task = tasks[peer.name] = stack.enter_context(runner.task(X, start))
            if peer.name == "gmmlib":
                task.run = _always(task.run, steps)
        least, _ = in_turns(tasks, (max(iterations, 1),), budget, (1, 5))
        for key, task in tasks.items():
            if key not in least:
                continue
            seconds[key] = min(least[key].values())
            value = reached(task, X)
            short[key] = None if value is None else best - value
    return {
        "data": name,
        "n": n,
        "d": d,
        "K": K,
        "best": best,
        "gap": gap,
        "plain_iterations": iterations,
        "passes": steps + 1,
        "start_seed": seed,
        "seconds": seconds,
        "short": short,
    }


def _always(run: Any, steps: int) -> Any:
    return lambda _: run(steps)


def _climb(X: Any, start: Mixture, accelerate: bool) -> list[tuple[int, float]]:
    """The steps so far and ℓ, until nothing changes any more."""
    seen: list[tuple[int, float]] = []
    blocks = Blocks.of(X)
    p = Parameters.of([start], "full", blocks.frame)
    with Engine(blocks, "full") as steps:
        converge(
            steps, p, 1e-7, 5000, accelerate, report=lambda k, value, _: seen.append((k, value))
        )
    return seen


def restarts(size: tuple[int, int, int], starts: list[int], rounds: int) -> dict[str, Any]:
    """Seconds of a fit with 1, 10 and 100 starts, and of one pass with as many mixtures at once."""
    n, d, K = size
    p = problem(n, d, K, seed=2)
    models: dict[str, Any] = {"gmmlib": GaussianMixture, "scikit_learn": _Theirs}
    seconds = {name: [np.inf] * len(starts) for name in models}
    log_likelihood = {name: [-np.inf] * len(starts) for name in models}
    for r, many in enumerate(starts):
        for turn in range(rounds):
            for name, model in models.items():
                if turn and seconds[name][r] > 2:
                    continue
                time.sleep(PAUSE)
                begin = time.perf_counter()
                fitted = model(K, n_init=many, random_state=turn).fit(p.X)
                seconds[name][r] = min(seconds[name][r], time.perf_counter() - begin)
                if turn == 0:
                    log_likelihood[name][r] = float(fitted.score(p.X)) * n
    one_pass = []
    blocks = Blocks.of(p.X)
    for many in starts:
        mixtures = [k_means_plus_plus(p.X, K, seed) for seed in range(many)]
        q = Parameters.of(mixtures, "full", blocks.frame)
        with Engine(blocks, "full") as steps:
            steps.em_step(q)
            times = []
            for _ in range(max(rounds, 3)):
                begin = time.perf_counter()
                steps.em_step(q)
                times.append(time.perf_counter() - begin)
        one_pass.append(min(times))
    return {
        "starts": starts,
        "n": n,
        "d": d,
        "K": K,
        "seconds": seconds,
        "log_likelihood": log_likelihood,
        "engine_pass": one_pass,
    }


_Theirs = sklearn.mixture.GaussianMixture


def small_fits(found: list[Peer], kinds: tuple[str, ...], rounds: int) -> dict[str, Any]:
    """Default fits of small data, and fits of Old Faithful from one start, set-up included."""
    data = {
        "Old Faithful": datasets.old_faithful(),
        "iris": sklearn.datasets.load_iris().data,
        "twenty numbers (ESL)": datasets.esl_mixture()[:, np.newaxis],
    }
    if rounds == 1:
        data = {"twenty numbers (ESL)": data["twenty numbers (ESL)"]}
    fits = [
        _small_fit(name, X, kind, K, rounds)
        for name, X in data.items()
        for kind in kinds
        for K in (1, 2, 3, 4, 5)
    ]
    return {"default": fits, "given_start": _given_start(found, rounds)}


def _small_fit(name: str, X: Any, kind: str, K: int, rounds: int) -> dict[str, Any]:
    ways = {"gmmlib": (GaussianMixture, 1), "scikit_learn": (_Theirs, None)}
    ways["scikit_learn_1"] = (_Theirs, 1)
    seconds = dict.fromkeys(ways, np.inf)
    reached: dict[str, list[float]] = {key: [] for key in ways}
    for seed in range(-1, rounds):  # the first warms up
        for key, (model, blas_threads) in ways.items():
            with threadpool_limits(blas_threads, "blas"):
                begin = time.perf_counter()
                try:
                    fitted = model(K, covariance_type=kind, random_state=max(seed, 0)).fit(X)
                except ValueError:  # scikit-learn's, where a component collapses
                    continue
                took = time.perf_counter() - begin
            if seed >= 0:
                seconds[key] = min(seconds[key], took)
                reached[key].append(float(fitted.score(X)) * len(X))
    return {
        "data": name,
        "n": X.shape[0],
        "d": X.shape[1],
        "covariance_type": kind,
        "K": K,
        "seconds": seconds,
        "log_likelihood": {key: float(np.median(values)) for key, values in reached.items()},
    }


def _given_start(found: list[Peer], rounds: int) -> dict[str, float]:
    """The least seconds of ten iterations on Old Faithful, three components, and set-up."""
    X = datasets.old_faithful()
    start = k_means_plus_plus(X, 3, 0)
    with ExitStack() as stack:
        runners = {
            peer.name: OursAsFitted() if peer.name == "gmmlib" else peer
            for peer in found
            if peer.name in ("gmmlib", "scikit_learn_1", "armadillo", "gmmx")
        }
        if "gmmlib" in runners:
            runners["engine"] = OursExtrapolated()
        tasks = {name: stack.enter_context(peer.task(X, start)) for name, peer in runners.items()}
        least, _ = in_turns(tasks, (10,), 0.5 * rounds, (rounds, rounds))
    return {name: values[10] for name, values in least.items()}


def real_fits(seeds: int, mclust: Mclust | None) -> list[dict[str, Any]]:
    """Everybody's defaults on data of the book: median seconds, and ℓ over the seeds."""
    faithful, esl = datasets.old_faithful(), datasets.esl_mixture()[:, np.newaxis]
    blobs, _ = datasets.three_blobs()
    cases = [
        ("Old Faithful", faithful, 2, "full"),
        ("Old Faithful", faithful, 3, "full"),
        ("Old Faithful", faithful, 3, "tied"),
        ("Old Faithful", faithful, 4, "full"),
        ("twenty numbers (ESL)", esl, 2, "full"),
        ("three blobs", blobs, 3, "full"),
    ]
    rows = []
    for name, X, K, kind in cases:
        models: dict[str, Any] = {"gmmlib": GaussianMixture, "scikit_learn": _Theirs}
        seconds: dict[str, list[float]] = {key: [] for key in models}
        reached: dict[str, list[float]] = {key: [] for key in models}
        for seed in range(-1, seeds):  # the first warms up
            for key, model in models.items():
                time.sleep(PAUSE)
                begin = time.perf_counter()
                fitted = model(K, covariance_type=kind, random_state=max(seed, 0)).fit(X)
                took = time.perf_counter() - begin
                if seed >= 0:
                    seconds[key].append(took)
                    reached[key].append(float(fitted.score(X)) * len(X))
        row: dict[str, Any] = {
            "data": name,
            "n": X.shape[0],
            "d": X.shape[1],
            "K": K,
            "covariance_type": kind,
            "seeds": seeds,
            "seconds": {key: float(np.median(times)) for key, times in seconds.items()},
            "lowest": {key: min(values) for key, values in reached.items()},
            "highest": {key: max(values) for key, values in reached.items()},
        }
        if mclust is not None:
            try:
                took, value, _ = mclust.fits(X, K, kind, 3)
            except Missing:
                pass
            else:
                row["seconds"][mclust.name] = took
                row["lowest"][mclust.name] = row["highest"][mclust.name] = value
        rows.append(row)
    return rows
