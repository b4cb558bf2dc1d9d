"""The inner loops where a component costs d operations for an observation, and not d².

So it is with variances alone, and with one covariance for all: there an observation is whitened
once, for all components. As ``kernel``, of which this is a part, these loops need Numba.

Two components go through a tile of four features at once: what is loaded is used twice. Distances
and moments are taken from the origin of the frame where nothing cancels, and from the component's
own mean where it would.
"""

import numpy as np

from gmmlib.engine.kernel import (
    _ALGEBRA,
    NEAR,
    NEGLIGIBLE,
    TILED,
    _aligned,
    _compiled,
    _copy,
    _normalise,
    _offsets,
    _part,
    _whitened_square,
    _with_wide_vectors,
)

SIZE = 1024  # observations at once
NUMBERS = 2**16  # in a block of them: half a MiB, and so no more than the second cache has
LEAST = 128  # observations, however many numbers they have
WIDE = 64  # features from which nearly all responsibilities are 0 or 1 as a rule
FEW = 0.25  # of the observations: if a component has a share in fewer, they are picked out


@_compiled(error_model="numpy")
def _size(n, d):
    return _part(n, max(LEAST, min(SIZE, NUMBERS // d)))


@_compiled(error_model="numpy")
def _padded(rows, columns):
    """Rows (K, d) with zeros up to so many columns."""
    K, d = rows.shape
    wide = np.zeros((K, columns))
    wide[:, :d] = rows
    return wide


@_compiled(error_model="numpy")
def _means_over_sd(mu, W, nu, near):
    """μ/σ of each component, where x/σ - μ/σ loses nothing against (x - μ)/σ."""
    K, d = mu.shape
    for j in range(K):
        largest = 0.0
        for r in range(d):
            nu[j, r] = W[j, r] * mu[j, r]
            largest = max(largest, abs(nu[j, r]))
        near[j] = largest < NEAR


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _squared_distances(x, W, nu, j, k, p, q, m):
    """Σ_r (W_jr x_r - ν_jr)² into p, and for k into q: two at once, in tiles of four features."""
    _with_wide_vectors()
    for i in range(m):
        p[i] = 0.0
        q[i] = 0.0
    for r in range(0, x.shape[0], 4):
        x0, x1, x2, x3 = x[r], x[r + 1], x[r + 2], x[r + 3]
        a0, a1, a2, a3 = W[j, r], W[j, r + 1], W[j, r + 2], W[j, r + 3]
        b0, b1, b2, b3 = W[k, r], W[k, r + 1], W[k, r + 2], W[k, r + 3]
        s0, s1, s2, s3 = nu[j, r], nu[j, r + 1], nu[j, r + 2], nu[j, r + 3]
        t0, t1, t2, t3 = nu[k, r], nu[k, r + 1], nu[k, r + 2], nu[k, r + 3]
        for i in range(m):
            v0, v1, v2, v3 = x0[i], x1[i], x2[i], x3[i]
            e0, e1, e2, e3 = a0 * v0 - s0, a1 * v1 - s1, a2 * v2 - s2, a3 * v3 - s3
            f0, f1, f2, f3 = b0 * v0 - t0, b1 * v1 - t1, b2 * v2 - t2, b3 * v3 - t3
            p[i] += e0 * e0 + e1 * e1 + e2 * e2 + e3 * e3
            q[i] += f0 * f0 + f1 * f1 + f2 * f2 + f3 * f3


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _to_log_joints(log_c, squares, L, m):
    _with_wide_vectors()
    for i in range(m):
        L[i] = log_c - 0.5 * squares[i]


@_compiled(error_model="numpy")
def _near_log_joints(x, log_c, W, nu, near, L, K, m, y):
    """log α_j + log g_j(x_i) of the components that are near, two at once."""
    waiting = -1
    for k in range(K):
        if near[k] and waiting < 0:
            waiting = k
        elif near[k]:
            _squared_distances(x, W, nu, waiting, k, y[0], y[1], m)
            _to_log_joints(log_c[waiting], y[0], L[waiting], m)
            _to_log_joints(log_c[k], y[1], L[k], m)
            waiting = -1
    if waiting >= 0:  # one is left over
        _squared_distances(x, W, nu, waiting, waiting, y[0], y[1], m)
        _to_log_joints(log_c[waiting], y[0], L[waiting], m)


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _log_joints(x, log_c, mu, W, nu, near, L, K, d, m, y):
    """log α_j + log g_j(x_i), the components with variances alone."""
    _with_wide_vectors()
    _near_log_joints(x, log_c, W, nu, near, L, K, m, y)
    for j in range(K):
        if not near[j]:
            q = y[0]
            for i in range(m):
                q[i] = 0.0
            for r in range(d):
                t, w, own = mu[j, r], W[j, r], x[r]
                for i in range(m):
                    v = w * (own[i] - t)
                    q[i] += v * v
            _to_log_joints(log_c[j], q, L[j], m)


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _whitened(W, x, z, m):
    """z = W x with W lower triangular, in tiles of four rows and columns."""
    _with_wide_vectors()
    for c in range(0, x.shape[0], 4):
        z0, z1, z2, z3 = z[c], z[c + 1], z[c + 2], z[c + 3]
        for i in range(m):
            z0[i] = 0.0
            z1[i] = 0.0
            z2[i] = 0.0
            z3[i] = 0.0
        for r in range(0, c + 4, 4):
            x0, x1, x2, x3 = x[r], x[r + 1], x[r + 2], x[r + 3]
            w00, w01, w02, w03 = W[c, r], W[c, r + 1], W[c, r + 2], W[c, r + 3]
            w10, w11, w12, w13 = W[c + 1, r], W[c + 1, r + 1], W[c + 1, r + 2], W[c + 1, r + 3]
            w20, w21, w22, w23 = W[c + 2, r], W[c + 2, r + 1], W[c + 2, r + 2], W[c + 2, r + 3]
            w30, w31, w32, w33 = W[c + 3, r], W[c + 3, r + 1], W[c + 3, r + 2], W[c + 3, r + 3]
            for i in range(m):
                v0, v1, v2, v3 = x0[i], x1[i], x2[i], x3[i]
                z0[i] += w00 * v0 + w01 * v1 + w02 * v2 + w03 * v3
                z1[i] += w10 * v0 + w11 * v1 + w12 * v2 + w13 * v3
                z2[i] += w20 * v0 + w21 * v1 + w22 * v2 + w23 * v3
                z3[i] += w30 * v0 + w31 * v1 + w32 * v2 + w33 * v3


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _log_joints_tied(x, log_c, mu, W, ones, nu, near, L, K, d, m, z, y):
    """log α_j + log g_j(x_i), the components with one covariance (WᵀW)⁻¹."""
    _with_wide_vectors()
    for j in range(K):
        if not near[j]:
            for r in range(d):
                t, own, to = mu[j, r], x[r], z[r]
                for i in range(m):
                    to[i] = own[i] - t
            _whitened_square(W, z, nu[j], L[j], W.shape[0], m, y)
            _to_log_joints(log_c[j], L[j], L[j], m)
    _whitened(W, x, z, m)
    _near_log_joints(z, log_c, ones, nu, near, L, K, m, y)


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _add_firsts(x, p, q, S, T, m):
    """S += Σ_i p_i x_i and T += Σ_i q_i x_i, in tiles of four features."""
    _with_wide_vectors()
    for r in range(0, x.shape[0], 4):
        x0, x1, x2, x3 = x[r], x[r + 1], x[r + 2], x[r + 3]
        s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
        t0, t1, t2, t3 = 0.0, 0.0, 0.0, 0.0
        for i in range(m):
            v0, v1, v2, v3 = x0[i], x1[i], x2[i], x3[i]
            a, b = p[i], q[i]
            s0 += a * v0
            s1 += a * v1
            s2 += a * v2
            s3 += a * v3
            t0 += b * v0
            t1 += b * v1
            t2 += b * v2
            t3 += b * v3
        S[r] += s0
        S[r + 1] += s1
        S[r + 2] += s2
        S[r + 3] += s3
        T[r] += t0
        T[r + 1] += t1
        T[r + 2] += t2
        T[r + 3] += t3


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _add_seconds(x, p, q, S, T, m):
    """S += Σ_i p_i x_i² and T += Σ_i q_i x_i²."""
    _with_wide_vectors()
    for r in range(0, x.shape[0], 4):
        x0, x1, x2, x3 = x[r], x[r + 1], x[r + 2], x[r + 3]
        s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
        t0, t1, t2, t3 = 0.0, 0.0, 0.0, 0.0
        for i in range(m):
            v0, v1, v2, v3 = x0[i], x1[i], x2[i], x3[i]
            a, b = p[i], q[i]
            v0, v1, v2, v3 = v0 * v0, v1 * v1, v2 * v2, v3 * v3
            s0 += a * v0
            s1 += a * v1
            s2 += a * v2
            s3 += a * v3
            t0 += b * v0
            t1 += b * v1
            t2 += b * v2
            t3 += b * v3
        S[r] += s0
        S[r + 1] += s1
        S[r + 2] += s2
        S[r + 3] += s3
        T[r] += t0
        T[r + 1] += t1
        T[r + 2] += t2
        T[r + 3] += t3


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _add_own(x, b, about, S1, S2, d, m):
    """S1 and S2 of one component, about its own point."""
    _with_wide_vectors()
    for r in range(d):
        t, own = about[r], x[r]
        first = 0.0
        second = 0.0
        for i in range(m):
            v = own[i] - t
            u = b[i] * v
            first += u
            second += u * v
        S1[r] += first
        S2[r] += second


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _add_picked(x, b, about, S1, S2, d, index, count):
    """The same, of some of the observations."""
    _with_wide_vectors()
    for r in range(d):
        t, own = about[r], x[r]
        first = 0.0
        second = 0.0
        for k in range(count):
            i = index[k]
            v = own[i] - t
            u = b[i] * v
            first += u
            second += u * v
        S1[r] += first
        S2[r] += second


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _add_moments(x, beta, about, centred, N, S1, S2, K, d, m, index, chosen, spare):
    _with_wide_vectors()
    for j in range(K):
        b = beta[j]
        count = 0.0
        largest = 0.0
        for i in range(m):
            count += b[i]
            largest = max(largest, b[i])
        N[j] += count
        active = m
        if d >= WIDE:
            least = NEGLIGIBLE * largest
            active = 0
            for i in range(m):
                index[active] = i
                active += b[i] > least
        few = active < FEW * m
        chosen[j] = not (few or centred[j])
        if few:
            _add_picked(x, b, about[j], S1[j], S2[j], d, index, active)
        elif centred[j]:
            _add_own(x, b, about[j], S1[j], S2[j], d, m)
    waiting = -1
    for k in range(K + 1):
        if k == K and waiting >= 0:  # one is left over
            _add_firsts(x, beta[waiting], beta[waiting], S1[waiting], spare, m)
            _add_seconds(x, beta[waiting], beta[waiting], S2[waiting], spare, m)
        elif k < K and chosen[k] and waiting < 0:
            waiting = k
        elif k < K and chosen[k]:
            _add_firsts(x, beta[waiting], beta[k], S1[waiting], S1[k], m)
            _add_seconds(x, beta[waiting], beta[k], S2[waiting], S2[k], m)
            waiting = -1


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def accumulate_diagonal(x, w, log_c, mu, W, about, centred, N, S1, S2, log_likelihood):
    """Both steps on x (d, n) for R mixtures with variances alone: adds to N, S1, S2, ℓ.

    N is (R, K), mu and W = 1/σ (R, K, d), S1 and S2 (R, K, dp), padded to whole tiles, and
    log_likelihood (R,). The moments are from ``about`` (R, K, d), which is 0 for each component
    that is not ``centred`` (R, K).
    """
    _with_wide_vectors()
    R, K, d = mu.shape
    n = x.shape[1]
    size = _size(n, d)
    dp = d + -d % TILED
    L = _aligned(K, size)
    top = _aligned(1, size)[0]
    total = _aligned(1, size)[0]
    block = _aligned(dp, size)
    y = _aligned(2, size)
    index = np.empty(size + 1, np.int64)
    chosen = np.zeros(K, np.bool_)
    spare = np.empty(dp)
    near = np.zeros((R, K), np.bool_)
    nu = np.zeros((R, K, dp))
    wide = np.zeros((R, K, dp))
    for r in range(R):
        wide[r] = _padded(W[r], dp)
        _means_over_sd(mu[r], W[r], nu[r], near[r])
    for start in range(0, n, size):
        m = min(size, n - start)
        _copy(x, start, m, block)
        w_block = w[start : start + m] if w.size else w
        for r in range(R):
            _log_joints(block, log_c[r], mu[r], wide[r], nu[r], near[r], L, K, d, m, y)
            log_likelihood[r] += _normalise(L, w_block, K, m, top, total)
            _add_moments(
                block, L, about[r], centred[r], N[r], S1[r], S2[r], K, d, m, index, chosen, spare
            )


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def accumulate_tied(x, w, log_c, mu, W, N, S1, log_likelihood):
    """Both steps on x (d, n) for R mixtures of components with one covariance, but for S2.

    As the responsibilities sum to 1, the sum of S2 over the components is that of the data, about
    one point. N is (R, K), S1 (R, K, dp) about the origin, W (R, dp, dp), padded to whole tiles.
    """
    _with_wide_vectors()
    R, K, d = mu.shape
    n = x.shape[1]
    dp = W.shape[1]
    size = _size(n, d)
    L = _aligned(K, size)
    top = _aligned(1, size)[0]
    total = _aligned(1, size)[0]
    block = _aligned(dp, size)
    z = _aligned(dp, size)
    y = _aligned(4, size)
    nu = np.zeros((R, K, dp))
    near = np.zeros((R, K), np.bool_)
    ones = np.ones((K, dp))
    spare = np.empty(dp)
    for r in range(R):
        _offsets(W[r : r + 1], mu[r], nu[r], near[r])
    for start in range(0, n, size):
        m = min(size, n - start)
        _copy(x, start, m, block)
        w_block = w[start : start + m] if w.size else w
        for r in range(R):
            _log_joints_tied(block, log_c[r], mu[r], W[r], ones, nu[r], near[r], L, K, d, m, z, y)
            log_likelihood[r] += _normalise(L, w_block, K, m, top, total)
            for j in range(K):
                count = 0.0
                for i in range(m):
                    count += L[j, i]
                N[r, j] += count
            for j in range(0, K - 1, 2):
                _add_firsts(block, L[j], L[j + 1], S1[r, j], S1[r, j + 1], m)
            if K % 2:
                _add_firsts(block, L[K - 1], L[K - 1], S1[r, K - 1], spare, m)


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def log_joint_diagonal(x, log_c, mu, W, out):
    """log α_j + log g_j(x_i) of one mixture for x (d, n), into (K, n); W is (K, d)."""
    _with_wide_vectors()
    K, d = mu.shape
    n = x.shape[1]
    size = _size(n, d)
    dp = d + -d % TILED
    block = _aligned(dp, size)
    y = _aligned(2, size)
    L = _aligned(K, size)
    nu = np.zeros((K, dp))
    near = np.zeros(K, np.bool_)
    wide = _padded(W, dp)
    _means_over_sd(mu, W, nu, near)
    for start in range(0, n, size):
        m = min(size, n - start)
        _copy(x, start, m, block)
        _log_joints(block, log_c, mu, wide, nu, near, L, K, d, m, y)
        out[:, start : start + m] = L[:, :m]


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def log_joint_tied(x, log_c, mu, W, out):
    """The same for components with one covariance; W is (dp, dp), padded to whole tiles."""
    _with_wide_vectors()
    K, d = mu.shape
    n = x.shape[1]
    dp = W.shape[0]
    size = _size(n, d)
    block = _aligned(dp, size)
    z = _aligned(dp, size)
    y = _aligned(4, size)
    L = _aligned(K, size)
    nu = np.zeros((K, dp))
    near = np.zeros(K, np.bool_)
    ones = np.ones((K, dp))
    _offsets(W.reshape(1, dp, dp), mu, nu, near)
    for start in range(0, n, size):
        m = min(size, n - start)
        _copy(x, start, m, block)
        _log_joints_tied(block, log_c, mu, W, ones, nu, near, L, K, d, m, z, y)
        out[:, start : start + m] = L[:, :m]
