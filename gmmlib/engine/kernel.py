"""The inner loops of the engine, compiled by Numba where it is installed.

Nothing here is needed: ``matrices`` has the same two steps in NumPy. These loops take each block of
observations through both steps while it is in the cache. They measure from each component's mean,
so nothing cancels, and cost as many multiplications as the two matrix products.

A block is (d, m): one row per feature, so the innermost loop runs over observations and the
compiler turns it into vector instructions. Tiles of 4 × 4 keep sixteen sums in registers.
"""

import math

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from gmmlib.engine.constants import LOWEST


def _compiled(**options):
    """``njit`` without the interpreter's lock, kept on disk where there is a place for it."""

    def decorate(function):
        try:
            return njit(nogil=True, cache=True, **options)(function)
        except RuntimeError:  # no folder can be written: compiled anew in each process
            return njit(nogil=True, **options)(function)

    return decorate


BLOCK = 392  # observations at once: a block of them and what is made of it stay in the cache
SMALL = 1024  # observations, below TILED features, where a block is short
TILED = 4
NEAR = 8.0  # standard deviations; as far from the origin, a distance loses three bits
NEGLIGIBLE = 1e-40  # a responsibility below this changes no sum of doubles

_ALGEBRA = {"contract", "reassoc", "nsz"}  # sums may be reordered; NaN and infinity keep meaning


@intrinsic
def _bits(_context, _value):  # pragma: no cover
    def build(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), build


@intrinsic
def _from_bits(_context, _value):  # pragma: no cover
    def build(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), build


@intrinsic
def _with_wide_vectors(_context):  # pragma: no cover
    """Lets the loops of the function that calls it have vectors as wide as the processor has.

    LLVM keeps to half of what AVX-512 has, for the sake of the first processors with it. With all
    of it, both steps take a third less time on an Emerald Rapids; without AVX-512 nothing changes.
    """

    def build(context, builder, signature, arguments):
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), build


_LOG2_E = 1 / math.log(2)
_LN2_HIGH = float.fromhex("0x1.62e42fefa0000p-1")  # its last bits are 0: k * _LN2_HIGH is exact
_LN2_LOW = float.fromhex("0x1.cf79abc9e3b3ap-40")
_ROUND = 1.5 * 2.0**52  # adding it leaves a double no room for a fraction
_C = [1 / math.factorial(k) for k in range(14)]
_C2, _C3, _C4, _C5, _C6, _C7, _C8, _C9, _C10, _C11, _C12, _C13 = _C[2:]


@njit(fastmath={"contract"})  # no "reassoc": (x + _ROUND) - _ROUND must not become x
def _exp(x):
    """e^x for x ≤ 0 without a call, so that a loop of it becomes vector instructions.

    x = k log 2 + r with |r| ≤ log(2)/2; Taylor's series of e^r to r¹³ leaves less than 1e-17.
    """
    t = max(x, -708.0) * _LOG2_E + _ROUND
    k = t - _ROUND
    r = (max(x, -708.0) - k * _LN2_HIGH) - k * _LN2_LOW
    p = _C13 * r + _C12
    p = p * r + _C11
    p = p * r + _C10
    p = p * r + _C9
    p = p * r + _C8
    p = p * r + _C7
    p = p * r + _C6
    p = p * r + _C5
    p = p * r + _C4
    p = p * r + _C3
    p = p * r + _C2
    p = p * r + 1.0
    p = p * r + 1.0
    return p * _from_bits((_bits(t) + 1023) << 52)


_HALF_ROOT = 0x3FE6A09E667F3BCD  # the bits of √½
_L1, _L2, _L3, _L4, _L5, _L6, _L7 = (  # of Sun's log: its error is below a unit in the last place
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)


@njit(fastmath={"contract"})
def _log(x):
    """log x for x ≥ 1 without a call, as :func:`_exp`; NaN for what is not finite.

    x = 2^k (1 + f) with 1 + f from √½ to √2; log(1 + f) = f - f²/2 + s (f²/2 + R(s²)) with
    s = f/(2 + f), and R is nearly log((1 + s)/(1 - s)) - 2s in s² (fdlibm, Sun Microsystems 1993).
    """
    k = np.int64(np.uint64(_bits(x) - _HALF_ROOT) >> np.uint64(52))
    f = _from_bits(_bits(x) - (k << 52)) - 1.0
    s = f / (2.0 + f)
    z = s * s
    p = _L7 * z + _L6
    p = p * z + _L5
    p = p * z + _L4
    p = p * z + _L3
    p = p * z + _L2
    p = p * z + _L1
    half = 0.5 * f * f
    number = _from_bits(k + 0x4338000000000000) - _ROUND  # k as a double
    f -= half - (s * (half + p * z) + number * _LN2_LOW)
    return number * _LN2_HIGH + f + 0.0 * x


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def load(rows, centre, scale, block):
    """Rows (m, d) of any float type and order to (d, m), from ``centre``, in units of ``scale``."""
    _with_wide_vectors()
    m, d = rows.shape
    for first in range(0, m, 64):  # so few that a line of each stays in the cache
        last = min(first + 64, m)
        for r in range(d):
            c = centre[r]
            s = scale[r]
            for i in range(first, last):
                block[r, i] = (rows[i, r] - c) * s


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _whitened_square(W, z, offset, q, dp, m, y):
    """q = Σ_c (W z - offset)_c² with W lower triangular, in tiles of four rows and columns."""
    _with_wide_vectors()
    y0, y1, y2, y3 = y[0], y[1], y[2], y[3]
    for i in range(m):
        q[i] = 0.0
    for c in range(0, dp, 4):
        t0, t1, t2, t3 = offset[c], offset[c + 1], offset[c + 2], offset[c + 3]
        for i in range(m):
            y0[i] = -t0
            y1[i] = -t1
            y2[i] = -t2
            y3[i] = -t3
        for r in range(0, c + 4, 4):
            z0, z1, z2, z3 = z[r], z[r + 1], z[r + 2], z[r + 3]
            w00, w01, w02, w03 = W[c, r], W[c, r + 1], W[c, r + 2], W[c, r + 3]
            w10, w11, w12, w13 = W[c + 1, r], W[c + 1, r + 1], W[c + 1, r + 2], W[c + 1, r + 3]
            w20, w21, w22, w23 = W[c + 2, r], W[c + 2, r + 1], W[c + 2, r + 2], W[c + 2, r + 3]
            w30, w31, w32, w33 = W[c + 3, r], W[c + 3, r + 1], W[c + 3, r + 2], W[c + 3, r + 3]
            for i in range(m):
                v0, v1, v2, v3 = z0[i], z1[i], z2[i], z3[i]
                y0[i] += w00 * v0 + w01 * v1 + w02 * v2 + w03 * v3
                y1[i] += w10 * v0 + w11 * v1 + w12 * v2 + w13 * v3
                y2[i] += w20 * v0 + w21 * v1 + w22 * v2 + w23 * v3
                y3[i] += w30 * v0 + w31 * v1 + w32 * v2 + w33 * v3
        for i in range(m):
            q[i] += y0[i] * y0[i] + y1[i] * y1[i] + y2[i] * y2[i] + y3[i] * y3[i]


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _add_products(bz, z, S2, dp, m):
    """S2 += (β z) zᵀ, its lower triangle, in tiles of four by four."""
    _with_wide_vectors()
    for a in range(0, dp, 4):
        a0, a1, a2, a3 = bz[a], bz[a + 1], bz[a + 2], bz[a + 3]
        for b in range(0, a + 4, 4):
            b0, b1, b2, b3 = z[b], z[b + 1], z[b + 2], z[b + 3]
            s00, s01, s02, s03 = 0.0, 0.0, 0.0, 0.0
            s10, s11, s12, s13 = 0.0, 0.0, 0.0, 0.0
            s20, s21, s22, s23 = 0.0, 0.0, 0.0, 0.0
            s30, s31, s32, s33 = 0.0, 0.0, 0.0, 0.0
            for i in range(m):
                u0, u1, u2, u3 = a0[i], a1[i], a2[i], a3[i]
                v0, v1, v2, v3 = b0[i], b1[i], b2[i], b3[i]
                s00 += u0 * v0
                s01 += u0 * v1
                s02 += u0 * v2
                s03 += u0 * v3
                s10 += u1 * v0
                s11 += u1 * v1
                s12 += u1 * v2
                s13 += u1 * v3
                s20 += u2 * v0
                s21 += u2 * v1
                s22 += u2 * v2
                s23 += u2 * v3
                s30 += u3 * v0
                s31 += u3 * v1
                s32 += u3 * v2
                s33 += u3 * v3
            S2[a, b] += s00
            S2[a, b + 1] += s01
            S2[a, b + 2] += s02
            S2[a, b + 3] += s03
            S2[a + 1, b] += s10
            S2[a + 1, b + 1] += s11
            S2[a + 1, b + 2] += s12
            S2[a + 1, b + 3] += s13
            S2[a + 2, b] += s20
            S2[a + 2, b + 1] += s21
            S2[a + 2, b + 2] += s22
            S2[a + 2, b + 3] += s23
            S2[a + 3, b] += s30
            S2[a + 3, b + 1] += s31
            S2[a + 3, b + 2] += s32
            S2[a + 3, b + 3] += s33


@_compiled(fastmath={"contract"}, error_model="numpy")
def _exponentials(L, K, m, top, total):
    _with_wide_vectors()
    for j in range(K):
        for i in range(m):
            below = L[j, i] - top[i]
            e = _exp(below) if below > LOWEST else 0.0
            L[j, i] = e
            total[i] += e


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _normalise(L, w, K, m, top, total):
    """Log joints L (K, m) become responsibilities times w in place; returns Σ w log p(x)."""
    _with_wide_vectors()
    for i in range(m):
        top[i] = L[0, i]
        total[i] = 0.0
    for j in range(1, K):
        for i in range(m):
            top[i] = max(top[i], L[j, i])
    _exponentials(L, K, m, top, total)
    log_likelihood = 0.0
    if w.size == 0:
        for i in range(m):
            log_likelihood += top[i] + _log(total[i])
            total[i] = 1.0 / total[i]
    else:
        for i in range(m):
            log_likelihood += w[i] * (top[i] + _log(total[i]))
            total[i] = w[i] / total[i]
    for j in range(K):
        for i in range(m):
            L[j, i] *= total[i]
    return log_likelihood


@_compiled(error_model="numpy")
def _offsets(W, mu, offset, near):
    """W μ of each component, where W x - W μ loses nothing against W (x - μ); 0 where it does."""
    _with_wide_vectors()
    K, d = mu.shape
    for j in range(K):
        own = W[min(j, len(W) - 1)]
        largest = 0.0
        for c in range(d):
            total = 0.0
            for r in range(c + 1):
                total += own[c, r] * mu[j, r]
                largest = max(largest, abs(own[c, r] * mu[j, r]))
            offset[j, c] = total
        near[j] = largest < NEAR
        if not near[j]:
            offset[j] = 0.0


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _log_joint_small(x, log_c, mu, W, L, K, d, m, y):
    _with_wide_vectors()
    for j in range(K):
        own = W[min(j, len(W) - 1)]
        q = L[j]
        for i in range(m):
            q[i] = 0.0
        for c in range(d):
            t, w = mu[j, c], own[c, c]
            for i in range(m):
                y[i] = w * (x[c, i] - t)
            for r in range(c):
                t, w = mu[j, r], own[c, r]
                for i in range(m):
                    y[i] += w * (x[r, i] - t)
            for i in range(m):
                q[i] += y[i] * y[i]
        for i in range(m):
            q[i] = log_c[j] - 0.5 * q[i]


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _log_joint_tiled(x, log_c, mu, W, L, K, d, m, z, offset, near, y):
    _with_wide_vectors()
    for j in range(K):
        own = W[min(j, len(W) - 1)]
        q = L[j]
        if near[j]:
            _whitened_square(own, x, offset[j], q, W.shape[1], m, y)
        else:
            for r in range(d):
                t = mu[j, r]
                for i in range(m):
                    z[r, i] = x[r, i] - t
            _whitened_square(own, z, offset[j], q, W.shape[1], m, y)
        for i in range(m):
            q[i] = log_c[j] - 0.5 * q[i]


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _log_joint_diagonal(x, log_c, mu, W, L, K, d, m):
    _with_wide_vectors()
    for j in range(K):
        q = L[j]
        for i in range(m):
            q[i] = 0.0
        for r in range(d):
            t, w = mu[j, r], W[j, r]
            for i in range(m):
                v = w * (x[r, i] - t)
                q[i] += v * v
        for i in range(m):
            q[i] = log_c[j] - 0.5 * q[i]


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _moments_small(x, beta, about, N, S1, S2, K, d, m, y):
    _with_wide_vectors()
    for j in range(K):
        own = S2[min(j, len(S2) - 1)]
        b = beta[j]
        count = 0.0
        for i in range(m):
            count += b[i]
        N[j] += count
        for r in range(d):
            t = about[j, r]
            first = 0.0
            for i in range(m):
                v = b[i] * (x[r, i] - t)
                y[i] = v
                first += v
            S1[j, r] += first
            for c in range(r + 1):
                t = about[j, c]
                second = 0.0
                for i in range(m):
                    second += y[i] * (x[c, i] - t)
                own[r, c] += second


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _moments_tiled(x, beta, about, N, S1, S2, K, d, m, z, bz, index):
    _with_wide_vectors()
    dp = S2.shape[1]
    for j in range(K):
        own = S2[min(j, len(S2) - 1)]
        b = beta[j]
        count = 0.0
        for i in range(m):
            count += b[i]
        N[j] += count
        active = 0
        for i in range(m):
            active += 1 if b[i] > NEGLIGIBLE else 0
        if active < 0.6 * m:
            active = 0
            for i in range(m):
                index[active] = i
                active += b[i] > NEGLIGIBLE
            for r in range(d):
                t = about[j, r]
                first = 0.0
                for k in range(active):
                    i = index[k]
                    v = x[r, i] - t
                    z[r, k] = v
                    bz[r, k] = b[i] * v
                    first += b[i] * v
                S1[j, r] += first
            _add_products(bz, z, own, dp, active)
        else:
            for r in range(d):
                t = about[j, r]
                first = 0.0
                for i in range(m):
                    v = x[r, i] - t
                    z[r, i] = v
                    bz[r, i] = b[i] * v
                    first += b[i] * v
                S1[j, r] += first
            _add_products(bz, z, own, dp, m)


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _moments_diagonal(x, beta, about, N, S1, S2, K, d, m):
    _with_wide_vectors()
    for j in range(K):
        b = beta[j]
        count = 0.0
        for i in range(m):
            count += b[i]
        N[j] += count
        for r in range(d):
            t = about[j, r]
            first = 0.0
            second = 0.0
            for i in range(m):
                v = x[r, i] - t
                u = b[i] * v
                first += u
                second += u * v
            S1[j, r] += first
            S2[j, r] += second


@_compiled(error_model="numpy")
def _aligned(rows, columns):
    """Zeros that begin where a cache line does: a vector across two lines is loaded twice."""
    flat = np.zeros(rows * columns + 8)
    first = (-(flat.ctypes.data // 8)) % 8
    return flat[first : first + rows * columns].reshape(rows, columns)


@_compiled(error_model="numpy")
def _part(n, most):
    """Observations in each of about equal parts of n, about ``most`` at most.

    They are an odd number of cache lines, so that the rows of a block do not share cache sets.
    """
    parts = (n + most - 1) // most
    lines = (n + 8 * parts - 1) // (8 * parts)
    return 8 * (lines + 1 - lines % 2)


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def _copy(x, start, m, block):
    _with_wide_vectors()
    for r in range(x.shape[0]):
        for i in range(m):
            block[r, i] = x[r, start + i]


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def accumulate(x, w, log_c, mu, W, about, N, S1, S2, log_likelihood):
    """Both steps on x (d, n) for R mixtures: adds to N, S1, S2, log_likelihood.

    N is (R, K), S1 (R, K, d), log_likelihood (R,). W is L⁻¹ with Σ = L Lᵀ, padded with zeros to
    (R, K, dp, dp), dp a multiple of TILED where d ≥ TILED; or (R, 1, dp, dp), where all components
    have the same. S2 is (R, K, dp, dp), or (R, 1, dp, dp) for the sum over the components. The
    moments are from ``about``.
    """
    _with_wide_vectors()
    R, K, d = mu.shape
    n = x.shape[1]
    size = _part(n, BLOCK if d >= TILED else SMALL)
    dp = W.shape[2]
    L = _aligned(K, size)
    top = _aligned(1, size)[0]
    total = _aligned(1, size)[0]
    y = _aligned(4, size)
    block = _aligned(dp, size)  # contiguous, which the compiler has to know
    z = _aligned(dp, size)
    bz = _aligned(dp, size)
    index = np.empty(size + 1, np.int64)
    offset = np.zeros((R, K, dp))
    near = np.zeros((R, K), np.bool_)
    if d >= TILED:
        for r in range(R):
            _offsets(W[r], mu[r], offset[r], near[r])
    for start in range(0, n, size):
        m = min(size, n - start)
        _copy(x, start, m, block)
        w_block = w[start : start + m] if w.size else w
        for r in range(R):
            if d >= TILED:
                _log_joint_tiled(block, log_c[r], mu[r], W[r], L, K, d, m, z, offset[r], near[r], y)
            else:
                _log_joint_small(block, log_c[r], mu[r], W[r], L, K, d, m, y[0])
            log_likelihood[r] += _normalise(L, w_block, K, m, top, total)
            if d >= TILED:
                _moments_tiled(block, L, about[r], N[r], S1[r], S2[r], K, d, m, z, bz, index)
            else:
                _moments_small(block, L, about[r], N[r], S1[r], S2[r], K, d, m, y[0])
    for r in range(R):
        for j in range(S2.shape[1]):
            for a in range(d):
                for c in range(a):
                    S2[r, j, c, a] = S2[r, j, a, c]


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def accumulate_diagonal(x, w, log_c, mu, W, about, N, S1, S2, log_likelihood):
    """:func:`accumulate` for W and S2 of shape (R, K, d); from TILED features on see ``flat``."""
    _with_wide_vectors()
    R, K, d = mu.shape
    n = x.shape[1]
    size = _part(n, SMALL)
    L = _aligned(K, size)
    top = _aligned(1, size)[0]
    total = _aligned(1, size)[0]
    block = _aligned(d, size)
    for start in range(0, n, size):
        m = min(size, n - start)
        _copy(x, start, m, block)
        w_block = w[start : start + m] if w.size else w
        for r in range(R):
            _log_joint_diagonal(block, log_c[r], mu[r], W[r], L, K, d, m)
            log_likelihood[r] += _normalise(L, w_block, K, m, top, total)
            _moments_diagonal(block, L, about[r], N[r], S1[r], S2[r], K, d, m)


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def log_joint(x, log_c, mu, W, out):
    """log α_j + log g_j(x_i) of one mixture for x (d, n), into (K, n)."""
    _with_wide_vectors()
    K, d = mu.shape
    n = x.shape[1]
    size = _part(n, BLOCK if d >= TILED else SMALL)
    block = _aligned(W.shape[2], size)
    z = _aligned(W.shape[2], size)
    offset = np.zeros((K, W.shape[2]))
    near = np.zeros(K, np.bool_)
    if d >= TILED:
        _offsets(W, mu, offset, near)
    y = _aligned(4, size)
    L = _aligned(K, size)
    for start in range(0, n, size):
        m = min(size, n - start)
        _copy(x, start, m, block)
        if d >= TILED:
            _log_joint_tiled(block, log_c, mu, W, L, K, d, m, z, offset, near, y)
        else:
            _log_joint_small(block, log_c, mu, W, L, K, d, m, y[0])
        out[:, start : start + m] = L[:, :m]


@_compiled(fastmath=_ALGEBRA, error_model="numpy")
def log_joint_diagonal(x, log_c, mu, W, out):
    """:func:`log_joint` for W of shape (K, d)."""
    _with_wide_vectors()
    _log_joint_diagonal(x, log_c, mu, W, out, mu.shape[0], mu.shape[1], x.shape[1])


@_compiled(error_model="numpy")
def factor(Sigma, W, log_det):
    """W = L⁻¹ (padded) and log det W of each Σ = L Lᵀ; where Σ has no such factor, NaN."""
    _with_wide_vectors()
    d = Sigma.shape[1]
    L = np.zeros((d, d))
    for j in range(Sigma.shape[0]):
        logarithm = 0.0
        for c in range(d):
            for r in range(c, d):
                s = Sigma[j, r, c]
                for k in range(c):
                    s -= L[r, k] * L[c, k]
                if r == c:
                    L[c, c] = math.sqrt(s) if s > 0 else np.nan
                    logarithm -= math.log(L[c, c])
                else:
                    L[r, c] = s / L[c, c]
        for c in range(d):
            W[j, c, c] = 1 / L[c, c]
            for r in range(c + 1, d):
                s = 0.0
                for k in range(c, r):
                    s -= L[r, k] * W[j, k, c]
                W[j, r, c] = s / L[r, r]
        log_det[j] = logarithm
