"""Coordinates in which the engine works: from a centre, in units of a scale."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gmmlib.mixture import Mixture
from gmmlib.validation import FloatArray

FloatRows = npt.NDArray[np.floating[Any]]  # as the user has them, in any precision


@dataclass(frozen=True, eq=False)
class Frame:
    """x is seen as (x - centre) / scale.

    Attributes
    ----------
    centre : (d,)
    scale : (d,)
        Powers of 2, so that no digit is lost.
    """

    centre: FloatArray
    scale: FloatArray

    @classmethod
    def of_data(cls, d: int) -> "Frame":
        """The units of the data themselves."""
        return cls(np.zeros(d), np.ones(d))

    @classmethod
    def around(cls, mixture: Mixture) -> "Frame":
        """From the mean of a mixture, in units near its standard deviations."""
        centre = mixture.weights @ mixture.means
        away = mixture.means - centre
        spread = mixture.weights @ (away**2 + mixture.variances_by_column)
        return cls(centre, np.exp2(np.round(0.5 * np.log2(spread))))

    @property
    def log_volume(self) -> float:
        """What a log-density gains by the change of units."""
        return float(np.log(self.scale).sum())

    def rows(self, X: FloatArray) -> FloatArray:
        """Observations or means (..., d) in these coordinates."""
        return np.asarray((X - self.centre) / self.scale)

    def rows_back(self, x: FloatArray) -> FloatArray:
        """The other way round."""
        return np.asarray(self.centre + self.scale * x)

    def covariances(self, Sigma: FloatArray, diagonal: bool = False) -> FloatArray:
        """Matrices (..., d, d), or variances (..., d), in these units."""
        return np.asarray(Sigma / self._squares(diagonal))

    def covariances_back(self, Sigma: FloatArray, diagonal: bool = False) -> FloatArray:
        """The other way round."""
        return np.asarray(Sigma * self._squares(diagonal))

    def _squares(self, diagonal: bool) -> FloatArray:
        return self.scale**2 if diagonal else np.outer(self.scale, self.scale)
