"""The parts of :mod:`heats` and :mod:`moves` on small data, compiled by Numba.

Nothing here is needed: those two do the same for data of any size and for all families, and hold
the constants, which are handed over. Mixtures as in :mod:`gmmlib.engine.runs`. Where a function
counts passes, -1 says that ℓ overflowed.
"""

import math

import numpy as np

from gmmlib.engine.kernel import _compiled
from gmmlib.engine.runs import (
    DIAGONAL,
    SPHERICAL,
    TIED,
    _copy_mixture,
    _factored,
    _like,
    _room,
    _step,
    missed,
    shares,
)


@_compiled(error_model="numpy")
def _one(mixtures, r):
    weights, mu, cov, W, log_c = mixtures
    return weights[r], mu[r], cov[r], W[r], log_c[r]


@_compiled(error_model="numpy")
def _room_for(kind, M, K, d):
    """M mixtures of K components that are not made yet."""
    C = 1 if kind == TIED else K
    a = 1 if kind >= DIAGONAL else d
    return (
        np.empty((M, K)),
        np.empty((M, K, d)),
        np.empty((M, C, a, d)),
        np.zeros((M, C, a, d)),
        np.empty((M, K)),
    )


@_compiled(error_model="numpy")
def _copy_matrix(old, new, factor):
    for a in range(old.shape[0]):
        for c in range(old.shape[1]):
            new[a, c] = factor * old[a, c]


@_compiled(error_model="numpy")
def _pooled(weights, cov):
    _, rows, d = cov.shape
    pooled = np.zeros((rows, d))
    for j in range(len(cov)):
        for a in range(rows):
            for c in range(d):
                pooled[a, c] += weights[j] * cov[j, a, c]
    return pooled


@_compiled(error_model="numpy")
def is_spike(kind, p, total, rule):
    """Whether one of the components is a spike; ``rule`` is (FEW, NARROW, WIDE).

    Book: def-spike-share.
    """
    few, narrow, wide = rule
    weights, mu, cov, W, _ = p
    K, d = mu.shape
    if kind == TIED:
        return False
    most = 2 * few if kind >= DIAGONAL else (d + 2) * few
    least = np.inf
    for j in range(K):
        least = min(least, weights[j])
    if total * least >= most:
        return False
    pooled = _pooled(weights, cov)
    product = np.empty((d, d))
    for j in range(K):
        count = total * weights[j]
        if count >= most:
            continue
        if kind >= DIAGONAL:
            steepest = 0.0
            for c in range(d):
                steepest = max(steepest, W[j, 0, c] * W[j, 0, c] * pooled[0, c])
            if narrow * steepest > 1:
                return True
            continue
        trace = 0.0
        for a in range(d):
            for b in range(a + 1):
                value = 0.0
                for c in range(a + 1):
                    for e in range(b + 1):
                        value += W[j, a, c] * pooled[c, e] * W[j, b, e]
                product[a, b] = value
                product[b, a] = value
            trace += product[a, a]
        if narrow * trace <= 1:  # no direction is as narrow as that
            continue
        least = max(weights[j], 2.3e-308)
        points = 1
        smallest = np.inf
        for value in np.linalg.eigvalsh(product):
            share = 1 / max(value, least)
            smallest = min(smallest, share)
            points += share > wide
        if count < few * (points + 1) and smallest < narrow:
            return True
    return False


@_compiled(error_model="numpy")
def _begin_anew(kind, p, gone, x, chances, uniform):
    """Other components in the place of those in ``gone``: an observation each."""
    weights, mu, cov, W, log_c = p
    K, d = mu.shape
    left = 0.0
    for j in range(K):
        left += 0.0 if gone[j] else weights[j]
    if kind != TIED:
        shares_ = np.zeros(K)
        for j in range(K):
            if not gone[j]:
                shares_[j] = weights[j] / left
            else:
                for a in range(cov.shape[1]):
                    for c in range(d):
                        cov[j, a, c] = 0.0  # it may be NaN
        pooled = _pooled(shares_, cov)
        for j in range(K):
            if gone[j]:
                _copy_matrix(pooled, cov[j], 1.0)
    total = 0.0
    for j in range(K):
        weights[j] = 1 / K if gone[j] else weights[j] / left
        total += weights[j]
    n_drawn = 0
    for j in range(K):
        weights[j] /= total
        if gone[j]:
            i = np.searchsorted(chances, uniform[n_drawn] * chances[-1], side="right")
            i = min(i, len(chances) - 1)
            n_drawn += 1
            for c in range(d):
                mu[j, c] = x[c, i]
    _factored(kind, weights, cov, W, log_c, np.empty(len(cov)))


@_compiled(error_model="numpy")
def _run(problem, kind, p, steps, still, gone, new, room):
    """At most so many EM steps: ℓ before the last, how many, and whether a component collapsed."""
    found = np.nan
    taken = 0
    collapsed = False
    while taken < steps and not collapsed:
        last = found
        found, collapsed = _step(problem, kind, p, new, room)
        taken += 1
        if collapsed:
            for j in range(len(gone)):
                gone[j] = not math.isfinite(new[4][j])
        else:
            _copy_mixture(new, p)
            if abs(found - last) <= still * abs(found):
                break
    return found, taken, collapsed


@_compiled(error_model="numpy")
def _by_height(index, found):
    """``index`` in the order of ``found``, the highest first; in its own order where they tie."""
    order = index.copy()
    for i in range(1, len(order)):
        own = order[i]
        k = i
        while k > 0 and found[order[k - 1]] < found[own]:
            order[k] = order[k - 1]
            k -= 1
        order[k] = own
    return order


@_compiled(error_model="numpy")
def race(problem, kind, mixtures, heats, still, lives, least, chances, uniform, rule):
    """:func:`gmmlib.fitting.heats.race` of R mixtures, in place.

    Parameters
    ----------
    heats : (h, 2)
        EM steps, and the share of the runs that goes on.
    still, lives, least
        As in ``heats``.
    chances : (n,)
        The weights added up, to draw observations by ``uniform`` (m,).

    Returns
    -------
    order : (m,)
        Of the runs that are left, the best first; those overtaken last, and spikes behind them.
    found : (R,)
        ℓ before the last step of each.
    n_passes : int
    """
    R, K = mixtures[0].shape
    x, w = problem[0], problem[1]
    room = _room(kind, K, mixtures[1].shape[2], x.shape[1])
    first = _one(mixtures, 0)
    new = _like(first)
    gone = np.zeros(K, np.bool_)
    found = np.full(R, -np.inf)
    left = np.full(R, lives)
    going = np.arange(R)
    order = np.empty(R, np.int64)
    end = len(order)  # where those that were overtaken begin
    n_passes = 0
    drawn = 0
    for h in range(len(heats)):
        n_sound = 0
        for r in going:
            p = _one(mixtures, r)
            steps = int(heats[h, 0])
            sound = True
            while steps > 0 and sound:
                value, taken, collapsed = _run(problem, kind, p, steps, still, gone, new, room)
                n_passes += taken
                if not math.isfinite(value):
                    return order[:0], found, -1
                found[r] = value
                steps -= taken
                if not collapsed:
                    break
                sound = heats[h, 1] > 0 and left[r] > 0 and not gone.all()
                if sound:
                    left[r] -= 1
                    drawn = 0 if drawn + K > len(uniform) else drawn
                    _begin_anew(kind, p, gone, x, chances, uniform[drawn:])
                    drawn += K
            if sound:
                going[n_sound] = r
                n_sound += 1
        best = _by_height(going[:n_sound], found)
        keep = min(n_sound, max(least, math.ceil(heats[h, 1] * n_sound)))
        going = best[:keep]
        for i in range(n_sound - 1, keep - 1, -1):
            end -= 1
            order[end] = best[i]
    for i in range(len(going) - 1, -1, -1):
        end -= 1
        order[end] = going[i]
    total = float(x.shape[1]) if w.size == 0 else 0.0
    for i in range(len(w)):
        total += w[i]
    return _spikes_last(kind, mixtures, order[end:], total, rule), found, n_passes


@_compiled(error_model="numpy")
def _spikes_last(kind, mixtures, order, total, rule):
    last = np.empty(len(order), np.int64)
    n_sound = n_spikes = 0
    for r in order:
        if is_spike(kind, _one(mixtures, r), total, rule):
            last[n_spikes] = r
            n_spikes += 1
        else:
            order[n_sound] = r
            n_sound += 1
    for i in range(n_spikes):
        order[n_sound + i] = last[i]
    return order


@_compiled(error_model="numpy")
def _squares(z, centre, squares):
    """Squared distances of the rows of z."""
    for i in range(len(z)):
        squares[i] = 0.0
        for c in range(len(centre)):
            squares[i] += (z[i, c] - centre[c]) ** 2


@_compiled(error_model="numpy")
def nearest(z, at, size):
    """The nearest rows of z (n, d) to some of them (s, size), and the squared distances (s,)."""
    n = len(z)
    found, radius = np.empty((len(at), size), np.int64), np.empty(len(at))
    least = np.empty(size)  # the squared distances of the nearest so far, in order
    squares = np.empty(n)
    for s in range(len(at)):
        own = found[s]
        filled = 0
        _squares(z, z[at[s]], squares)
        for i in range(n):
            square = squares[i]
            if filled == size and square >= least[size - 1]:
                continue
            k = filled if filled < size else size - 1
            while k > 0 and least[k - 1] > square:
                least[k], own[k] = least[k - 1], own[k - 1]
                k -= 1
            least[k], own[k] = square, i
            filled = min(filled + 1, size)
        radius[s] = least[size - 1]
    return found, radius


@_compiled(error_model="numpy")
def _densest(at, nearest, log_density, expected, count):
    """The places where the data are densest beside what is expected (n,), none near another."""
    taken = np.zeros(len(expected), np.bool_)
    chosen = np.empty(count, np.int64)
    n_chosen = 0
    excess = np.empty(len(at))
    for s in range(len(at)):
        excess[s] = log_density[s] - expected[at[s]]
    for s in _by_height(np.arange(len(at)), excess):
        if n_chosen == count:
            break
        near_another = False
        for i in nearest[s]:
            near_another = near_another or taken[i]
        if not near_another:
            chosen[n_chosen] = s
            n_chosen += 1
            for i in nearest[s]:
                taken[i] = True
    return chosen[:n_chosen]


@_compiled(error_model="numpy")
def _extended(p, made, m):
    """Mixture m of ``made`` begins as p with one component more, of weight 0."""
    weights, mu, cov, _, _ = p
    K, d = mu.shape
    for j in range(K):
        made[0][m, j] = weights[j]
        for c in range(d):
            made[1][m, j, c] = mu[j, c]
    made[0][m, K] = 0.0
    for j in range(len(cov)):
        _copy_matrix(cov[j], made[2][m, j], 1.0)


@_compiled(error_model="numpy")
def _projected(kind, scale, made):
    """What each mixture needs besides weights, means and covariances, and the family of these."""
    weights, _, cov, W, log_c = made
    log_det = np.empty(cov.shape[1])
    d = cov.shape[3]
    for m in range(len(weights)):
        if kind == SPHERICAL:
            for j in range(cov.shape[1]):
                mean = 0.0
                for c in range(d):
                    mean += cov[m, j, 0, c] * scale[c] * scale[c]
                for c in range(d):
                    cov[m, j, 0, c] = mean / d / (scale[c] * scale[c])
        _factored(kind, weights[m], cov[m], W[m], log_c[m], log_det)


@_compiled(error_model="numpy")
def _halves(kind, x, beta, count, mu, cov, half, step, inner):
    """How far from its mean the halves of a component lie, and the covariance of each."""
    d = len(mu)
    for c in range(d):
        step[c] = 0.0
    if kind >= DIAGONAL:
        best = 0
        least = np.inf
        for c in range(d):
            kurtosis = 0.0
            for i in range(x.shape[1]):
                kurtosis += beta[i] / count * ((x[c, i] - mu[c]) ** 2 / cov[0, c]) ** 2
            if kurtosis < least:
                least = kurtosis
                best = c
        step[best] = half * math.sqrt(cov[0, best])
        _copy_matrix(cov, inner, 1.0)
        inner[0, best] -= step[best] ** 2
        return
    if d == 1:
        step[0] = half * math.sqrt(cov[0, 0])
    else:
        values, vectors = np.linalg.eigh(cov)
        for a in range(d):
            step[a] = half * math.sqrt(values[d - 1]) * vectors[a, d - 1]
    for a in range(d):
        for c in range(d):
            inner[a, c] = cov[a, c] - step[a] * step[c]


@_compiled(error_model="numpy")
def grown(problem, kind, p, near, pooled, most, rule):
    """At most so many mixtures of one component more, from a single one.

    ``near`` is (at, nearest, share, log_density) of the places; ``rule`` (splits, places, half,
    least).
    """
    x, w, scale = problem[:3]
    at, nearest, share, log_density = near
    n_splits, n_places, half, least = rule
    weights, mu, cov, _, _ = p
    K, d = mu.shape
    n = x.shape[1]
    if w.size == 0:
        w = np.ones(n)
    beta, squares, expected = np.empty((K, n)), np.empty((K, n)), np.empty(n)
    shares(problem, kind, p, beta, squares, expected)
    counts, misfit = np.zeros(K), np.empty(K)
    for j in range(K):
        mean = spread = 0.0
        for i in range(n):
            counts[j] += beta[j, i]
            mean += beta[j, i] * squares[j, i]
        mean /= counts[j]
        for i in range(n):
            spread += beta[j, i] * (squares[j, i] - mean) ** 2
        misfit[j] = counts[j] * abs(math.log(spread / counts[j] / (2 * d)))
    chosen = _densest(at, nearest, log_density, expected, int(n_places))[: most // 3]
    each = 1 if kind == TIED else 2
    split = _by_height(np.arange(K), misfit)
    split = split[: max(1, min(int(n_splits), (most - len(chosen)) // each))]
    made = _room_for(kind, each * len(split) + len(chosen), K + 1, d)
    step, inner = np.empty(d), np.empty(cov.shape[1:])
    for i, j in enumerate(split):
        own = min(j, len(cov) - 1)
        if i == 0 or kind != TIED:
            _halves(kind, x, beta[j], counts[j], mu[j], cov[own], half, step, inner)
        for way in range(each):  # in two; or a narrow one inside a wide one
            m = way * len(split) + i
            _extended(p, made, m)
            made[0][m, j] = made[0][m, K] = weights[j] / 2
            for c in range(d):
                away = step[c] if way == 0 else 0.0
                made[1][m, j, c] = mu[j, c] - away
                made[1][m, K, c] = mu[j, c] + away
            if kind != TIED:
                halved = inner if way == 0 else cov[own]
                _copy_matrix(halved, made[2][m, j], 1.0 if way == 0 else 1.3)
                _copy_matrix(halved, made[2][m, K], 1.0 if way == 0 else 0.1)
    m = each * len(split)
    for s in chosen:
        _extended(p, made, m)
        added = min(share[s], 0.5)
        for j in range(K):
            made[0][m, j] *= 1 - added
        made[0][m, K] = added
        total = 0.0
        for i in nearest[s]:
            total += w[i]
        for c in range(d):
            made[1][m, K, c] = 0.0
            for i in nearest[s]:
                made[1][m, K, c] += w[i] / total * x[c, i]
        if kind != TIED:
            own_mean, own_cov = made[1][m, K], made[2][m, K]
            _nearest_covariance(kind, x, w, nearest[s], total, own_mean, pooled, least, own_cov)
        m += 1
    _projected(kind, scale, made)
    return made


@_compiled(error_model="numpy")
def _nearest_covariance(kind, x, w, near, total, mean, pooled, least, cov):
    """The covariance of a few observations, halfway to no correlation."""
    d = len(mean)
    for a in range(len(cov)):
        for c in range(d):
            cov[a, c] = 0.0
    for c in range(d):
        for i in near:
            if kind >= DIAGONAL:
                cov[0, c] += w[i] / total * (x[c, i] - mean[c]) ** 2
                continue
            for e in range(d):
                factor = w[i] / total if c == e else w[i] / total / 2
                cov[c, e] += factor * (x[c, i] - mean[c]) * (x[e, i] - mean[e])
        if kind >= DIAGONAL:
            cov[0, c] += least * pooled[0, c]
        else:
            cov[c, c] += least * pooled[c, c]


@_compiled(error_model="numpy")
def without_one(problem, kind, mixtures, most):
    """The mixtures without one of the components that are missed least, but the new one."""
    scale = problem[2]
    weights, mu, cov, _, _ = mixtures
    R, K, d = mu.shape
    kept = np.empty((R, K))
    missed(problem, kind, mixtures, kept)
    each = min(K - 1, max(1, most // R))
    made = _room_for(kind, R * each, K - 1, d)
    m = 0
    for r in range(R):
        for dropped in _by_height(np.arange(K - 1), kept[r])[:each]:
            for j in range(K - 1):
                old = j + (j >= dropped)
                made[0][m, j] = weights[r, old] / (1 - weights[r, dropped])
                for c in range(d):
                    made[1][m, j, c] = mu[r, old, c]
            for j in range(made[2].shape[1]):
                _copy_matrix(cov[r, j + (j >= dropped and kind != TIED)], made[2][m, j], 1.0)
            m += 1
    _projected(kind, scale, made)
    return made


@_compiled(error_model="numpy")
def after(problem, kind, mixtures, heats, least, total, rule):
    """The better ones after some EM steps, the best first, without spikes; and the passes."""
    M, K = mixtures[0].shape
    room = _room(kind, K, mixtures[1].shape[2], problem[0].shape[1])
    new = _like(_one(mixtures, 0))
    gone = np.zeros(K, np.bool_)
    found = np.full(M, -np.inf)
    going = np.arange(M)
    n_passes = 0
    for h in range(len(heats)):
        n_sound = 0
        for r in going:
            found[r], taken, collapsed = _run(
                problem, kind, _one(mixtures, r), int(heats[h, 0]), -1.0, gone, new, room
            )
            n_passes += taken
            if not math.isfinite(found[r]):
                return going[:0], -1
            if not collapsed:
                going[n_sound] = r
                n_sound += 1
        going = _by_height(going[:n_sound], found)[: max(least, int(heats[h, 1] * n_sound))]
    n_sound = 0
    for r in going:
        if not is_spike(kind, _one(mixtures, r), total, rule):
            going[n_sound] = r
            n_sound += 1
    return going[:n_sound], n_passes
