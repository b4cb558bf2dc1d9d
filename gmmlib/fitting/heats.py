"""Many short runs, of which the better ones go on; and what a run must not end in."""

import numpy as np
import numpy.typing as npt

from gmmlib.engine import Engine, Parameters

FEW = 10  # observations for each of its d + 1 points; with fewer a narrow component is chance
NARROW = 1e-4  # a share of the pooled variance; with few observations it is a spike on some of them

_HEATS = ((5, 1 / 3), (10, 1 / 3), (10, 0.0))  # EM steps, and the share of the runs that goes on


def race(engine: Engine, p: Parameters) -> Parameters:
    """Short runs of all starts in one pass; the better ones go on; the best come back first.

    Those that were overtaken come after them, as they were then: the best may all end in a spike.
    Runs that collapse drop out. Nothing may come back.

    Book: sec-many-starts.
    """
    log_likelihood = np.empty(0)
    overtaken: list[Parameters] = []
    for steps, share in _HEATS:
        for _ in range(steps):
            p, log_likelihood = engine.em_step(p)
            sound = np.flatnonzero(np.isfinite(p.log_c).all(axis=1))
            if len(sound) < len(log_likelihood):
                p, log_likelihood = p.runs(sound), log_likelihood[sound]
            if not len(sound):
                return Parameters.joined([*overtaken[::-1], p])
        keep = max(3, int(np.ceil(share * len(log_likelihood))))
        best = np.argsort(-log_likelihood, kind="stable")
        overtaken.append(p.runs(best[keep:]))
        p, log_likelihood = p.runs(best[:keep]), log_likelihood[best[:keep]]
    p = Parameters.joined([p, *overtaken[::-1]])
    spikes = is_spike(engine, p).any(axis=1)
    return p.runs(np.argsort(spikes, kind="stable"))


def is_spike(engine: Engine, p: Parameters) -> npt.NDArray[np.bool_]:
    """Which components are spikes, (R, K): narrow, and on a few observations only.

    The likelihood has no upper bound, and near each of its singularities it may have a high local
    maximum whose narrow component holds a few points that happen to lie nearly on a line. Such a
    component has less than ``NARROW`` times the pooled variance in some direction, and holds fewer
    than ``FEW`` (d + 1) observations. A narrow component with more observations is taken as real.

    Book: sec-many-starts.
    """
    if engine.family.shared:
        return np.zeros(p.weights.shape, dtype=bool)
    if p.diagonal:
        pooled = np.einsum("rk,rka->ra", p.weights, p.covariances)
        ratio = 1 / (p.W**2 * pooled[:, np.newaxis]).max(axis=2)
    else:
        pooled = np.einsum("rk,rkab->rab", p.weights, p.covariances)
        whitened = p.W @ np.linalg.cholesky(pooled)[:, np.newaxis]
        ratio = 1 / np.linalg.norm(whitened, 2, axis=(2, 3)) ** 2
    few = p.weights * engine.blocks.total_weight < FEW * (engine.blocks.n_features + 1)
    return np.asarray(few & (ratio < NARROW))
