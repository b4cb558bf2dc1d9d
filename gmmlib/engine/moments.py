"""The waist of the engine: what a pass over the data leaves, and all that the M-step needs.

Moments add. Blocks, threads, files and machines are only ways to come by the terms of one sum.
"""

from dataclasses import dataclass

import numpy as np

from gmmlib.validation import FloatArray


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over some observations, weighted by the responsibilities, for R mixtures.

    ``a + b`` is for the observations of both. Raises ``ValueError`` if they are not about the same
    points.

    Attributes
    ----------
    N : (R, K)
        Σ_i β_ij.
    S1 : (R, K, d)
        Σ_i β_ij (x_i - a_j).
    S2 : (R, K, d, d), or (R, K, d) for a diagonal family
        Σ_i β_ij (x_i - a_j)(x_i - a_j)ᵀ; for a family with one covariance Σ_j of that,
        (R, 1, d, d).
    about : (R, K, d)
        The points a_j.
    log_likelihood : (R,)
        ℓ of the parameters that the responsibilities are from.
    lost : (R,)
        What rounding has taken from ``log_likelihood`` while it was added up (Neumaier 1974).

    Book: def-moments, eq-additivity.
    """

    N: FloatArray
    S1: FloatArray
    S2: FloatArray
    about: FloatArray
    log_likelihood: FloatArray
    lost: FloatArray | float = 0.0

    def __iadd__(self, other: "Moments") -> "Moments":
        """``a += b`` makes no new S2, which has d² numbers for each component."""
        return self._sum(other, self.N, self.S1, self.S2)

    def __add__(self, other: "Moments") -> "Moments":
        return self._sum(other, None, None, None)

    def _sum(self, other: "Moments", *out: FloatArray | None) -> "Moments":
        if self.about is not other.about and not np.array_equal(self.about, other.about):
            raise ValueError(
                "the moments are about different points. Take both with the same `about`."
            )
        a, b = self.log_likelihood, other.log_likelihood
        with np.errstate(invalid="ignore"):
            total = a + b
            lost = np.where(np.abs(a) >= np.abs(b), (a - total) + b, (b - total) + a)
            lost = lost + self.lost + other.lost
        pairs = ((self.N, other.N), (self.S1, other.S1), (self.S2, other.S2))
        N, S1, S2 = (np.add(*pair, out=room) for pair, room in zip(pairs, out, strict=True))
        return Moments(N, S1, S2, self.about, total, lost)
