"""Whole runs of EM on small data, compiled by Numba.

Where a pass takes microseconds, the interpreter between the passes would take most of the time.
Nothing here is needed: ``passes`` and ``fitting.fixed_point`` do the same step by step, for data of
any size and for all families.

One mixture is weights (K,), means (K, d), covariances and W (C, a, d), and log_c (K,). C is K, or 1
where all components share one covariance; a is d, or 1 where only variances are kept.
"""

import math

import numpy as np

from gmmlib.engine.constants import NOTHING, REMEMBERED, RIDGE, ROUNDING
from gmmlib.engine.kernel import (
    SMALL,
    _aligned,
    _compiled,
    _copy,
    _log_joint_diagonal,
    _log_joint_small,
    _moments_diagonal,
    _moments_small,
    _normalise,
    factor,
)

FULL, TIED, DIAGONAL, SPHERICAL = range(4)
ENDED, CONVERGED, COLLAPSED, OVERFLOWED = range(4)

_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


@_compiled(error_model="numpy")
def _room(kind, K, d, n):
    """Arrays for a pass, so that none is made in it."""
    size = min(SMALL, n)
    C = 1 if kind == TIED else K
    return (
        _aligned(K, size),  # 0: log joints, responsibilities
        _aligned(3, size),  # 1: the largest, the sum, and whitened
        _aligned(d, size),  # 2: a block
        np.empty(K),  # 3: N
        np.empty((K, d)),  # 4: S1
        np.empty((C, 1 if kind >= DIAGONAL else d, d)),  # 5: S2
        np.empty((K, d)),  # 6: means, less what they are measured from
        np.empty(C),  # 7: log-determinants
    )


@_compiled(error_model="numpy")
def _log_joints(kind, log_c, mu, W, m, room):
    """log α_j + log g_j(x_i) of the first m observations of the room's block."""
    L, lines, block = room[0], room[1], room[2]
    K, d = mu.shape
    if kind >= DIAGONAL:
        _log_joint_diagonal(block, log_c, mu, W.reshape(K, d), L, K, d, m)
    else:
        _log_joint_small(block, log_c, mu, W, L, K, d, m, lines[2])


@_compiled(error_model="numpy")
def _clear(N, S1, S2):
    for j in range(len(N)):
        N[j] = 0.0
        for c in range(S1.shape[1]):
            S1[j, c] = 0.0
    for j in range(len(S2)):
        for a in range(S2.shape[1]):
            for c in range(S2.shape[2]):
                S2[j, a, c] = 0.0


@_compiled(error_model="numpy")
def _sums(x, w, kind, log_c, mu, W, about, room):
    """One pass: N, S1 and S2 of the room; returns ℓ."""
    L, lines, block, N, S1, S2 = room[0], room[1], room[2], room[3], room[4], room[5]
    K, d = mu.shape
    n = x.shape[1]
    _clear(N, S1, S2)
    log_likelihood = 0.0
    size = L.shape[1]
    for start in range(0, n, size):
        m = min(size, n - start)
        _copy(x, start, m, block)
        w_block = w[start : start + m] if w.size else w
        _log_joints(kind, log_c, mu, W, m, room)
        log_likelihood += _normalise(L, w_block, K, m, lines[0], lines[1])
        if kind >= DIAGONAL:
            _moments_diagonal(block, L, about, N, S1, S2.reshape(K, d), K, d, m)
        else:
            _moments_small(block, L, about, N, S1, S2, K, d, m, lines[2])
    return log_likelihood


@_compiled(error_model="numpy")
def _factored(kind, weights, cov, W, log_c, log_det):
    """W and log_c; NaN where a covariance has no factor."""
    K = len(weights)
    C, _, d = cov.shape
    if kind >= DIAGONAL:
        for j in range(K):
            log_det[j] = 0.0
            for c in range(d):
                u = 1 / math.sqrt(cov[j, 0, c]) if cov[j, 0, c] > 0 else np.nan
                u = u if u < np.inf else np.nan
                W[j, 0, c] = u
                log_det[j] += math.log(u)
    else:
        factor(cov, W, log_det)
    for j in range(K):
        log_weight = math.log(weights[j]) if weights[j] > 0 else -np.inf
        log_c[j] = log_weight + log_det[min(j, C - 1)] - d * _HALF_LOG_TAU


@_compiled(error_model="numpy")
def _maximised(kind, scale, added, about, weights, mu, cov, W, log_c, room):
    """The M-step, from the sums of the room."""
    N, S1, S2, away, log_det = room[3], room[4], room[5], room[6], room[7]
    K, d = mu.shape
    total = 0.0
    for j in range(K):
        total += N[j]
    for j in range(K):
        weights[j] = N[j] / total
        for c in range(d):
            away[j, c] = S1[j, c] / N[j]
            mu[j, c] = about[j, c] + away[j, c]
    if kind == FULL:
        for j in range(K):
            for a in range(d):
                for c in range(a + 1):
                    value = S2[j, a, c] / N[j] - away[j, a] * away[j, c]
                    cov[j, a, c] = value
                    cov[j, c, a] = value
    elif kind == TIED:
        for a in range(d):
            for c in range(a + 1):
                between = 0.0
                for j in range(K):
                    between += N[j] * away[j, a] * away[j, c]
                value = (S2[0, a, c] - between) / total
                cov[0, a, c] = value
                cov[0, c, a] = value
    else:
        for j in range(K):
            for c in range(d):
                cov[j, 0, c] = S2[j, 0, c] / N[j] - away[j, c] * away[j, c]
    for j in range(len(cov)):
        for c in range(d):
            cov[j, c if kind < DIAGONAL else 0, c] += added[c]
        if kind == SPHERICAL:
            mean = 0.0
            for c in range(d):
                mean += cov[j, 0, c] * scale[c] * scale[c]
            for c in range(d):
                cov[j, 0, c] = mean / d / (scale[c] * scale[c])
    _factored(kind, weights, cov, W, log_c, log_det)


@_compiled(error_model="numpy")
def _precision(W, j, c):
    """The c-th number on the diagonal of a component's precision."""
    own = W[min(j, len(W) - 1)]
    found = 0.0
    for r in range(own.shape[0]):
        found += own[r, c] * own[r, c]
    return found


@_compiled(error_model="numpy")
def _cancels(W, away, most):
    """Whether a squared distance is so small beside its terms that digits are lost."""
    K, d = away.shape
    for j in range(K):
        for c in range(d):
            if not _precision(W, j, c) * away[j, c] * away[j, c] <= most:
                return True
    return False


@_compiled(error_model="numpy")
def _mark_collapsed(kind, rounding, limits, weights, cov, W, log_c):
    """log_c becomes NaN where a component has no observations or no spread left; returns any."""
    K, d = len(weights), len(rounding)
    any_of_them = False
    for j in range(K):
        i = min(j, len(cov) - 1)
        finest = 0.0
        steepest = 0.0
        for c in range(d):
            finest += _precision(W, j, c) * rounding[c] * rounding[c]
            if kind < DIAGONAL:
                steepest = max(steepest, W[i, c, c] * W[i, c, c] * cov[i, c, c])
        sound = finest < 1 and steepest < limits[0] and weights[j] > limits[1]
        if not (sound and math.isfinite(log_c[j])):
            log_c[j] = np.nan
            any_of_them = True
    return any_of_them


@_compiled(error_model="numpy")
def _step(problem, kind, p, new, room):
    """The mixture after one EM step, into ``new``: ℓ before it, and whether a component collapsed.

    ``problem`` is (x, w, scale, added, rounding, limits): the observations (d, n), their weights,
    three times (d,), and the steepest pivot, the least weight, and how much may cancel.
    """
    x, w, scale, added, rounding, limits = problem
    _, mu, _, W, log_c = p
    weights_, mu_, cov_, W_, log_c_ = new
    K, d = mu.shape
    log_likelihood = 0.0
    about = mu
    for again in range(2):
        log_likelihood = _sums(x, w, kind, log_c, mu, W, about, room)
        _maximised(kind, scale, added, about, weights_, mu_, cov_, W_, log_c_, room)
        if again or not _cancels(W_, room[6], limits[2]):
            break
        about = np.empty((K, d))
        for j in range(K):
            for c in range(d):
                about[j, c] = mu_[j, c] if math.isfinite(mu_[j, c]) else mu[j, c]
    return log_likelihood, _mark_collapsed(kind, rounding, limits, weights_, cov_, W_, log_c_)


@_compiled(error_model="numpy")
def _like(p):
    K, d = p[1].shape
    return np.empty(K), np.empty((K, d)), np.empty(p[2].shape), np.zeros(p[2].shape), np.empty(K)


# Loops: a slice that is assigned to brings its errors' texts along, and they take long to compile.
@_compiled(error_model="numpy")
def _copy_mixture(old, new):
    K, d = old[1].shape
    for j in range(K):
        new[0][j] = old[0][j]
        new[4][j] = old[4][j]
        for c in range(d):
            new[1][j, c] = old[1][j, c]
    for j in range(len(old[2])):
        for a in range(old[2].shape[1]):
            for c in range(d):
                new[2][j, a, c] = old[2][j, a, c]
                new[3][j, a, c] = old[3][j, a, c]


@_compiled(error_model="numpy")
def _flat(p, out):
    """One mixture's numbers in a row."""
    K, d = p[1].shape
    at = K
    for j in range(K):
        out[j] = p[0][j]
        for c in range(d):
            out[at] = p[1][j, c]
            at += 1
    for j in range(len(p[2])):
        for a in range(p[2].shape[1]):
            for c in range(d):
                out[at] = p[2][j, a, c]
                at += 1


@_compiled(error_model="numpy")
def _in_units_of(p, kind, change, out):
    """A change of a mixture, its numbers in a row, in units of each component of p."""
    weights, mu, _, W, _ = p
    K, d = mu.shape
    C = len(W)
    second = K + K * d
    share = math.sqrt(0.5 * K / C)  # one that all share counts for each
    for j in range(K):
        own = W[min(j, C - 1)]
        at = K + j * d
        out[j] = change[j] / weights[j]
        for a in range(d):
            if kind >= DIAGONAL:
                out[at + a] = own[0, a] * change[at + a]
            else:
                total = 0.0
                for c in range(a + 1):
                    total += own[a, c] * change[at + c]
                out[at + a] = total
    for j in range(C):
        own = W[j]
        if kind >= DIAGONAL:
            at = second + j * d
            for a in range(d):
                out[at + a] = share * own[0, a] * own[0, a] * change[at + a]
            continue
        at = second + j * d * d
        for a in range(d):
            for b in range(d):
                total = 0.0
                for c in range(a + 1):
                    part = 0.0
                    for e in range(b + 1):
                        part += own[b, e] * change[at + c * d + e]
                    total += own[a, c] * part
                out[at + a * d + b] = share * total


@_compiled(error_model="numpy")
def _length(vector):
    total = 0.0
    for value in vector:
        total += value * value
    return math.sqrt(total) if total < np.inf else np.inf


@_compiled(error_model="numpy")
def _distance(p, kind, here, there, change, scaled):
    """:func:`gmmlib.fitting.distance` of two mixtures, their numbers in a row."""
    for i in range(len(here)):
        change[i] = there[i] - here[i]
    _in_units_of(p, kind, change, scaled)
    return _length(scaled)


@_compiled(error_model="numpy")
def _solved(A, b):
    """The solution of A x = b, in b; False where there is none. A is spoilt."""
    m = len(b)
    for k in range(m):
        pivot = k
        for i in range(k + 1, m):
            if abs(A[i, k]) > abs(A[pivot, k]):
                pivot = i
        if not abs(A[pivot, k]) > 0:
            return False
        if pivot != k:
            for c in range(k, m):
                A[k, c], A[pivot, c] = A[pivot, c], A[k, c]
            b[k], b[pivot] = b[pivot], b[k]
        for i in range(k + 1, m):
            factor_ = A[i, k] / A[k, k]
            for c in range(k + 1, m):
                A[i, c] -= factor_ * A[k, c]
            b[i] -= factor_ * b[k]
    for k in range(m - 1, -1, -1):
        for c in range(k + 1, m):
            b[k] -= A[k, c] * b[c]
        b[k] /= A[k, k]
    return True


@_compiled(error_model="numpy")
def _jumped(kind, led_to, moved, count, flat, jump, log_det):
    """Where the step would be 0 if it changed linearly, into ``jump``; False if that is no mixture.

    ``led_to`` and ``moved`` are the last ``count`` places that EM led to, and the steps there.
    """
    m = count - 1
    length = led_to.shape[1]
    A = np.empty((m, m))
    b = np.empty(m)
    for i in range(m):
        for k in range(i + 1):
            total = 0.0
            for c in range(length):
                total += (moved[i + 1, c] - moved[i, c]) * (moved[k + 1, c] - moved[k, c])
            A[i, k] = total
            A[k, i] = total
        A[i, i] *= 1 + RIDGE
        b[i] = 0.0
        for c in range(length):
            b[i] += (moved[i + 1, c] - moved[i, c]) * moved[count - 1, c]
    if not _solved(A, b):
        return False
    for c in range(length):
        flat[c] = led_to[count - 1, c]
    for i in range(m):
        for c in range(length):
            flat[c] -= b[i] * (led_to[i + 1, c] - led_to[i, c])
    weights, mu, cov, W, log_c = jump
    K, d = mu.shape
    total = 0.0
    for j in range(K):
        if not flat[j] > 0:
            return False
        total += flat[j]
    for value in flat:
        if not math.isfinite(value):
            return False
    at = K
    for j in range(K):
        weights[j] = flat[j] / total
        for c in range(d):
            mu[j, c] = flat[at]
            at += 1
    for j in range(len(cov)):
        for a in range(cov.shape[1]):
            for c in range(d):
                cov[j, a, c] = flat[at]
                at += 1
    _factored(kind, weights, cov, W, log_c, log_det)
    return True


@_compiled(error_model="numpy")
def _longer(values):
    longer = np.empty(2 * len(values))
    for i in range(len(values)):
        longer[i] = values[i]
    return longer


@_compiled(error_model="numpy")
def converge(problem, kind, p, tol, max_iter, accelerate):
    """:func:`gmmlib.fitting.converge` of one mixture, in place.

    Returns
    -------
    how : int
        ``ENDED`` after ``max_iter`` steps, ``CONVERGED``, ``COLLAPSED`` or ``OVERFLOWED``.
    steps, passes : int
    remaining : float
        The estimated distance to the fixed point.
    history : (m, 3)
        Of each mixture that was kept: the steps before it, ℓ, and the estimated distance there.
    after : mixture
        What the next step would have given, where a component collapses in it.
    """
    _, _, _, _, rounding, limits = problem
    K, d = p[1].shape
    length = K + K * d + p[2].size
    room = _room(kind, K, d, problem[0].shape[1])
    unit, plain, there = _like(p), _like(p), _like(p)
    _copy_mixture(p, unit)
    led_to, moved = np.empty((REMEMBERED, length)), np.empty((REMEMBERED, length))
    at, to = np.empty(length), np.empty(length)
    change, scaled = np.empty(length), np.empty(length)
    taken, found, left = np.empty(64), np.empty(64), np.empty(64)
    kept = remembered = n_steps = passes = 0
    jumped = False  # whether p is where a jump led, and ``plain`` where EM would have
    remaining = np.inf
    while True:
        log_likelihood, collapsed = _step(problem, kind, p, there, room)
        passes += 1
        if not math.isfinite(log_likelihood):
            how = OVERFLOWED
            break
        fell = kept > 0 and log_likelihood < found[kept - 1] - ROUNDING * abs(log_likelihood)
        if jumped and (fell or collapsed):  # the jump was no good
            _copy_mixture(plain, p)
            _copy_mixture(plain, unit)
            remembered = 0
            jumped = False
            n_steps += 1
            continue
        if kept == len(found):
            taken, found, left = _longer(taken), _longer(found), _longer(left)
        taken[kept], found[kept], left[kept] = n_steps, log_likelihood, remaining
        kept += 1
        if collapsed:
            how = ENDED if n_steps >= max_iter else COLLAPSED
            n_steps += n_steps < max_iter
            break
        if remembered == REMEMBERED:
            for i in range(REMEMBERED - 1):
                for c in range(length):
                    led_to[i, c] = led_to[i + 1, c]
                    moved[i, c] = moved[i + 1, c]
            remembered -= 1
        _flat(p, at)
        _flat(there, to)
        for i in range(length):
            led_to[remembered, i] = to[i]
            change[i] = to[i] - at[i]
        _in_units_of(unit, kind, change, moved[remembered])
        remembered += 1
        remaining = _length(moved[remembered - 1])
        if remaining < 1e3 * tol or n_steps >= max_iter:
            _in_units_of(p, kind, change, scaled)
            remaining = _length(scaled)
        jumped = False
        if remembered > 1:
            jumped = _jumped(kind, led_to, moved, remembered, to, plain, room[7])
            if jumped:
                jumped = not _mark_collapsed(
                    kind, rounding, limits, plain[0], plain[2], plain[3], plain[4]
                )
        converged = remaining <= NOTHING * tol
        if jumped and tol >= remaining > NOTHING * tol:  # small, but is it near?
            _flat(plain, to)
            remaining = max(remaining, _distance(p, kind, at, to, change, scaled))
            converged = remaining <= tol and remembered > 2
        if n_steps >= max_iter or converged:
            how = CONVERGED if converged else ENDED
            n_steps += converged and n_steps < max_iter
            break
        n_steps += 1
        jumped = jumped and accelerate and n_steps < max_iter
        if jumped:
            _copy_mixture(plain, p)
            _copy_mixture(there, plain)
        else:
            _copy_mixture(there, p)
    history = np.empty((kept, 3))
    for i in range(kept):
        history[i, 0] = taken[i]
        history[i, 1] = found[i]
        history[i, 2] = left[i]
    return how, n_steps, passes, remaining, history, there


@_compiled(error_model="numpy")
def shares(problem, kind, p, beta, squares, log_density):
    """The E-step of one mixture: β times w (K, n), squared distances (K, n), log p(x) (n,)."""
    x, w = problem[0], problem[1]
    _, mu, _, W, log_c = p
    K, d = mu.shape
    n = x.shape[1]
    room = _room(kind, K, d, n)
    L, block = room[0], room[2]
    top, total = room[1][0], room[1][1]
    size = L.shape[1]
    for start in range(0, n, size):
        m = min(size, n - start)
        _copy(x, start, m, block)
        _log_joints(kind, log_c, mu, W, m, room)
        for j in range(K):
            for i in range(m):
                squares[j, start + i] = 2 * (log_c[j] - L[j, i])
        w_block = w[start : start + m] if w.size else w
        _normalise(L, w_block, K, m, top, total)  # total is w / Σ exp(log joint - top) after it
        for i in range(m):
            own = w[start + i] if w.size else 1.0
            log_density[start + i] = top[i] + math.log(own / total[i])
        for j in range(K):
            for i in range(m):
                beta[j, start + i] = L[j, i]


@_compiled(error_model="numpy")
def missed(problem, kind, mixtures, kept):
    """Of R mixtures, by how much ℓ changes without each component, (R, K).

    The others keep their shares of what is left. Book: eq-without-one.
    """
    x, w = problem[0], problem[1]
    weights, mu, _, W, log_c = mixtures
    R, K, d = mu.shape
    n = x.shape[1]
    room = _room(kind, K, d, n)
    L, block = room[0], room[2]
    top, total = room[1][0], room[1][1]
    size = L.shape[1]
    for r in range(R):
        everyone = 0.0
        for j in range(K):
            kept[r, j] = 0.0
        for start in range(0, n, size):
            m = min(size, n - start)
            _copy(x, start, m, block)
            _log_joints(kind, log_c[r], mu[r], W[r], m, room)
            _normalise(L, w[:0], K, m, top, total)
            for j in range(K):
                for i in range(m):
                    own = w[start + i] if w.size else 1.0
                    if L[j, i] > 1e-17:
                        kept[r, j] += own * math.log1p(-min(L[j, i], 1 - 1e-9))
            for i in range(m):
                everyone += w[start + i] if w.size else 1.0
        for j in range(K):
            kept[r, j] -= everyone * math.log1p(-weights[r, j])
