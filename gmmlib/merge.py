"""From components to clusters: merge the two whose union makes the labels least uncertain.

New since ``bound``: the columns of the responsibilities are added up, pair by pair, and the
entropy that is left tells which pair to take. The mixture itself stays as it is.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import entr

from gmmlib.em import e_step
from gmmlib.mixture import Mixture
from gmmlib.validation import FloatArray, as_responsibilities

Group = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Merging:
    """The components of a mixture, merged two groups at a time until one group is left.

    Attributes
    ----------
    levels : tuple of K tuples of groups
        ``levels[0]`` has K groups of one component each, and the last has one group of all. A group
        is a tuple of component numbers, from 0. At each level the groups are in the order of their
        first components.
    merges : tuple of K - 1 pairs of groups
        What is merged between a level and the next.
    entropies : (K,)
        H of the groups' responsibilities at each level, in nats. They never rise.
    merged : (K - 1,)
        How many observations lie in the new group, by their largest responsibility.
    component_responsibilities : (n, K)
        β_ij of the components.
    """

    levels: tuple[tuple[Group, ...], ...]
    merges: tuple[tuple[Group, Group], ...]
    entropies: FloatArray
    merged: npt.NDArray[np.intp]
    component_responsibilities: FloatArray

    def groups(self, n_clusters: int) -> tuple[Group, ...]:
        """The groups of components that are the ``n_clusters`` clusters.

        Raises ``TypeError`` or ``ValueError`` unless ``n_clusters`` is a whole number in 1..K.
        """
        K = len(self.levels)
        if isinstance(n_clusters, bool) or not isinstance(n_clusters, (int, np.integer)):
            raise TypeError(
                f"n_clusters must be a whole number, not {n_clusters!r}. Pass an int such as 2."
            )
        if not 1 <= n_clusters <= K:
            raise ValueError(
                f"n_clusters is {n_clusters}, but {K} components make 1 to {K} clusters. "
                f"Ask for one of these."
            )
        return self.levels[K - n_clusters]

    def responsibilities(self, n_clusters: int) -> FloatArray:
        """Whose each observation is, (n, n_clusters): the sums over the groups.

        Raises as :meth:`groups`.

        Book: def-merge-gain.
        """
        return _summed(self.component_responsibilities, self.groups(n_clusters))

    def labels(self, n_clusters: int) -> npt.NDArray[np.intp]:
        """The group with the largest sum for each observation, (n,). Raises as :meth:`groups`."""
        labels: npt.NDArray[np.intp] = self.responsibilities(n_clusters).argmax(axis=1)
        return labels

    def elbow(self, against: Literal["clusters", "observations"] = "observations") -> int:
        """The number of clusters at which two straight lines meet best in the entropies.

        Two lines are fitted by least squares, one to the levels up to a corner and one to those
        from it on, and the corner with the smallest sum of squares is taken. It is a habit of the
        eye made into a rule. It is no test.

        Parameters
        ----------
        against : 'observations' or 'clusters'
            What the entropies are drawn against: the number of observations merged so far, or the
            number of clusters.

        Raises
        ------
        ValueError
            For fewer than three components, or another word.
        """
        K = len(self.levels)
        if against not in ("clusters", "observations"):
            raise ValueError(
                f"against is {against!r}. Choose 'observations', what has been merged so far, or "
                f"'clusters', their number."
            )
        if K < 3:
            raise ValueError(
                f"the number of components is {K}, and two lines with a corner need at least 3 "
                f"levels. Choose the level yourself."
            )
        done = np.arange(K) if against == "clusters" else np.r_[0, np.cumsum(self.merged)]
        x, y = done.astype(float), self.entropies
        misfits = [_misfit(x[: c + 1], y[: c + 1]) + _misfit(x[c:], y[c:]) for c in range(1, K - 1)]
        return K - 1 - int(np.argmin(misfits))


def merge(mixture: Mixture, X: Any) -> Merging:
    """Merge the components of a mixture, by the entropy of their responsibilities for X.

    Each time the two groups are merged whose union lowers the entropy most (Baudry, Raftery,
    Celeux, Lo and Gottardo, 2010). The mixture, its density and its log-likelihood stay as they
    are, so neither says how far to go.

    Parameters
    ----------
    mixture : Mixture
    X : (n, d), or (n,) when d = 1

    Returns
    -------
    Merging

    Raises
    ------
    TypeError, ValueError
        As :func:`gmmlib.em.e_step`.

    Book: def-merge-gain, eq-merge-entropy.

    >>> mixture = Mixture.univariate([0.3, 0.3, 0.4], [0, 1, 9], [1, 1, 1])
    >>> merging = merge(mixture, [-1.0, 0.0, 0.5, 2.0, 8.0, 9.0])
    >>> merging.merges[0], merging.labels(2)
    (((0,), (1,)), array([0, 0, 0, 0, 1, 1]))
    """
    return merge_responsibilities(e_step(X, mixture)[0])


def merge_responsibilities(responsibilities: Any) -> Merging:
    """The same from responsibilities (n, K) alone, wherever they come from.

    Raises ``TypeError`` or ``ValueError`` unless they are (n, K) probabilities.

    Book: def-merge-gain.
    """
    beta = as_responsibilities(responsibilities)
    groups: list[Group] = [(j,) for j in range(beta.shape[1])]
    levels, merges, merged = [tuple(groups)], [], []
    entropies = [float(entr(beta).sum())]
    while len(groups) > 1:
        shares = _summed(beta, groups)
        gains = {
            (a, b): float(
                (entr(shares[:, a]) + entr(shares[:, b]) - entr(shares[:, a] + shares[:, b])).sum()
            )  # def-merge-gain
            for a in range(len(groups))
            for b in range(a + 1, len(groups))
        }
        a, b = max(gains, key=gains.__getitem__)
        merges.append((groups[a], groups[b]))
        groups[a] = tuple(sorted(groups[a] + groups[b]))
        del groups[b]
        levels.append(tuple(groups))
        shares = _summed(beta, groups)
        merged.append(int((shares.argmax(axis=1) == a).sum()))
        entropies.append(float(entr(np.minimum(shares, 1)).sum()))
    beta.flags.writeable = False
    return Merging(
        tuple(levels), tuple(merges), np.array(entropies), np.array(merged, dtype=np.intp), beta
    )


def _summed(beta: FloatArray, groups: "list[Group] | tuple[Group, ...]") -> FloatArray:
    return np.stack([beta[:, list(group)].sum(axis=1) for group in groups], axis=1)


def _misfit(x: FloatArray, y: FloatArray) -> float:
    """The sum of squares that the best straight line leaves."""
    across = x - x.mean()
    spread = float(across @ across)
    slope = float(across @ y) / spread if spread > 0 else 0.0
    rest = y - y.mean() - slope * across
    return float(rest @ rest)
