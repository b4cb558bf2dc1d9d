"""The loops of ``clusters``, compiled by Numba where it is installed; never needed."""

import numpy as np

from gmmlib.engine.kernel import _compiled


@_compiled(error_model="numpy")
def drawn_clusters(z, w, spread_out, uniform, nearest):
    """The clusters (R, n) around K centres drawn for each start.

    ``uniform`` (K, trials, R) are numbers from 0 to 1: where each centre is looked for.
    """
    n, d = z.shape
    K, trials, R = uniform.shape
    norms = np.empty(n)
    for i in range(n):
        norms[i] = 0.0
        for c in range(d):
            norms[i] += z[i, c] * z[i, c]
    squares, new, best, chance = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    taken = np.empty(n, np.bool_)
    for r in range(R):
        for i in range(n):
            squares[i] = np.inf
            taken[i] = False
            nearest[r, i] = 0
        for k in range(K):
            total = _cumulated(w, squares, taken, spread_out and k > 0, chance)
            if total == 0:  # all that are left coincide with others, but for rounding
                total = _cumulated(w, squares, taken, False, chance)
            least = np.inf
            centre = 0
            for trial in range(trials if k > 0 else 1):
                target = uniform[k, trial, r] * total
                chosen = min(np.searchsorted(chance, target, side="right"), n - 1)
                cost = 0.0
                for i in range(n):
                    product = 0.0
                    for c in range(d):
                        product += z[chosen, c] * z[i, c]
                    new[i] = max(norms[i] + norms[chosen] - 2 * product, 0.0)
                new[chosen] = 0.0
                for i in range(n):
                    cost += min(new[i], squares[i]) * w[i]
                if cost < least:
                    least = cost
                    centre = chosen
                    for i in range(n):
                        best[i] = new[i]
            taken[centre] = True
            for i in range(n):
                if best[i] < squares[i]:
                    nearest[r, i] = k
                    squares[i] = best[i]
            nearest[r, centre] = k  # each keeps itself, so no cluster is empty


@_compiled(error_model="numpy")
def _cumulated(w, squares, taken, by_distance, chance):
    total = 0.0
    for i in range(len(w)):
        if by_distance:
            total += w[i] * squares[i]
        elif not taken[i]:
            total += w[i]
        chance[i] = total
    return total


@_compiled(error_model="numpy")
def centred(z, w, rounds, K, nearest):
    """The clusters (R, n) after some rounds of k-means, which end rather than leave one empty."""
    n, d = z.shape
    counts, centres, halves = np.empty(K), np.empty((K, d)), np.empty(K)
    sizes = np.empty(K, np.int64)
    moved = np.empty(n, nearest.dtype)
    for r in range(len(nearest)):
        for _ in range(rounds):
            for j in range(K):
                counts[j] = 0.0
                sizes[j] = 0
                for c in range(d):
                    centres[j, c] = 0.0
            for i in range(n):
                j = nearest[r, i]
                counts[j] += w[i]
                for c in range(d):
                    centres[j, c] += w[i] * z[i, c]
            for j in range(K):
                halves[j] = 0.0
                for c in range(d):
                    centres[j, c] /= counts[j]
                    halves[j] += 0.5 * centres[j, c] * centres[j, c]
            same = True
            for i in range(n):
                least = np.inf
                for j in range(K):
                    value = halves[j]
                    for c in range(d):
                        value -= z[i, c] * centres[j, c]
                    if value < least:
                        least = value
                        moved[i] = j
                sizes[moved[i]] += 1
                same = same and moved[i] == nearest[r, i]
            smallest = n
            for j in range(K):
                smallest = min(smallest, sizes[j])
            if same or smallest == 0:
                break
            for i in range(n):
                nearest[r, i] = moved[i]


@_compiled(error_model="numpy")
def cluster_sums(x, w, nearest, counts, sizes, means, scatters):
    """Of each cluster: weight and size (R, K), mean (R, K, d), Σ w (x - mean)(x - mean)ᵀ.

    The last is (R, K, d, d), or (R, K, 1, d) for the sums of squares; of (R, K, 0, d) nothing.
    """
    n, d = x.shape
    R, K = counts.shape
    away = np.empty(d)
    for r in range(R):
        for j in range(K):
            counts[r, j] = 0.0
            sizes[r, j] = 0
            for c in range(d):
                means[r, j, c] = 0.0
            for a in range(scatters.shape[2]):
                for c in range(d):
                    scatters[r, j, a, c] = 0.0
        for i in range(n):
            j = nearest[r, i]
            counts[r, j] += w[i]
            sizes[r, j] += 1
            for c in range(d):
                means[r, j, c] += w[i] * x[i, c]
        for j in range(K):
            for c in range(d):
                means[r, j, c] /= counts[r, j]
        if scatters.shape[2] == 0:
            continue
        for i in range(n):
            j = nearest[r, i]
            for c in range(d):
                away[c] = x[i, c] - means[r, j, c]
            if scatters.shape[2] == 1:
                for c in range(d):
                    scatters[r, j, 0, c] += w[i] * away[c] * away[c]
                continue
            for a in range(d):
                for c in range(a + 1):
                    scatters[r, j, a, c] += w[i] * away[a] * away[c]
        if scatters.shape[2] > 1:
            for j in range(K):
                for a in range(d):
                    for c in range(a):
                        scatters[r, j, c, a] = scatters[r, j, a, c]
