"""The free parameters of a mixture, for each family of covariances: names, values, derivatives.

P is their number. A mixture's *entries*, one component after another, are α_j, μ_j and the lower
triangle of Σ_j, B of them each; ``jacobian`` and ``curvature`` say how they grow with the free
parameters. For scikit-learn's four types the entries are linear in them::

    weights[0] … weights[K-2]   the last weight is 1 minus the others
    means[j, c]                 means[j] when d = 1
    covariances[j, r, c]        r ≥ c, for 'full'; variances[j] when d = 1
    covariance[r, c]            r ≥ c, for 'tied'; variance when d = 1
    variances[j, c]             for 'diag'
    variances[j]                for 'spherical'

For the ten others, with Σ_j = λ_j V_j A_j V_jᵀ, they are not::

    log_volume, log_volumes[j]           log λ_j, where the first letter is E, or V
    log_shape[c], log_shapes[j, c]       log of entry c of A_j, but for the last, which is minus
                                         their sum; where the second letter is E, or V
    angle[p, q], angles[j, p, q]         by how much the axes are turned away from those of the
                                         mixture, in radians, in the plane of axes p and q; where
                                         the third letter is E, or V

The entries of A_j are in the order of the columns where the third letter is I. Else they fall;
with common axes, those of the component with the largest weight do. Names count components,
columns and axes from 0.
"""

import itertools
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy.linalg import expm, logm
from scipy.optimize import linear_sum_assignment

from gmmlib.guards import require_member, require_mixture
from gmmlib.mixture import Mixture
from gmmlib.models import COVARIANCE_TYPES, family_of
from gmmlib.validation import FloatArray


class Coordinates(ABC):
    """The free parameters of the mixtures of one family near one of them.

    Attributes
    ----------
    mixture : Mixture
    names : tuple of str
        P of them.
    values : (P,)
        Of ``mixture``.
    """

    mixture: Mixture
    names: tuple[str, ...]
    values: FloatArray

    @abstractmethod
    def jacobian(self) -> FloatArray:
        """How the entries grow with the free parameters, (K B, P)."""

    @abstractmethod
    def curvature(self, weights: FloatArray) -> FloatArray:
        """Σ_k w_k ∇² of entry k, with ``weights`` (K B,): (P, P)."""

    @abstractmethod
    def at(self, values: FloatArray) -> Mixture:
        """The mixture with these free parameters (P,)."""

    @abstractmethod
    def of(self, mixture: Mixture) -> FloatArray:
        """The free parameters of another mixture of the family, (P,)."""


def coordinates(mixture: Mixture, covariance_type: str) -> Coordinates:
    """The free parameters near a mixture.

    Raises
    ------
    TypeError, ValueError
        For what is not a mixture, an unknown type, or covariances that are not of this type.
    """
    require_mixture(mixture)
    d = mixture.n_features
    family = family_of(covariance_type)
    if family.one_column and d != 1:
        raise ValueError(
            f"covariance_type is {covariance_type!r}, which is for one column, and the mixture "
            f"has {d} dimensions. Choose 'EII' or 'VII', or a family with a shape."
        )
    require_member(mixture, family)
    kind = {"E": "tied", "V": "full"}.get(family.name, family.name)
    if kind in COVARIANCE_TYPES:
        return _Linear(mixture, kind)
    return _Decomposed(mixture, family.letters)


def lower(d: int) -> list[tuple[int, int]]:
    """The rows and columns of a lower triangle, in order."""
    return [(r, c) for r in range(d) for c in range(r + 1)]


def duplication(d: int) -> FloatArray:
    """(d², d(d+1)/2): how a symmetric matrix grows with each entry of its lower triangle."""
    pairs = lower(d)
    grown = np.zeros((d, d, len(pairs)))
    for k, (r, c) in enumerate(pairs):
        grown[r, c, k] = grown[c, r, k] = 1
    return grown.reshape(d * d, len(pairs))


def _weights_and_means(K: int, d: int) -> list[str]:
    names = [f"weights[{j}]" for j in range(K - 1)]
    if d == 1:
        return names + [f"means[{j}]" for j in range(K)]
    return names + [f"means[{j}, {c}]" for j in range(K) for c in range(d)]


def _start(K: int, B: int, d: int, P: int) -> FloatArray:
    """The part of the Jacobian that belongs to weights and means, as (K, B, P)."""
    grown = np.zeros((K, B, P))
    for j in range(K - 1):
        grown[j, 0, j] = 1
        grown[K - 1, 0, j] = -1
    for j, c in itertools.product(range(K), range(d)):
        grown[j, 1 + c, K - 1 + j * d + c] = 1
    return grown


class _Linear(Coordinates):
    """The four types whose entries are linear in the free parameters."""

    def __init__(self, mixture: Mixture, kind: str) -> None:
        self.mixture, self.kind = mixture, kind
        K, d = mixture.means.shape
        pairs = lower(d)
        names = _weights_and_means(K, d)
        if kind == "tied":
            names += ["variance"] if d == 1 else [f"covariance[{r}, {c}]" for r, c in pairs]
        elif d == 1 or kind == "spherical":
            names += [f"variances[{j}]" for j in range(K)]
        elif kind == "diag":
            names += [f"variances[{j}, {c}]" for j in range(K) for c in range(d)]
        else:
            names += [f"covariances[{j}, {r}, {c}]" for j in range(K) for r, c in pairs]
        self.names = tuple(names)
        self.values = self.of(mixture)

    def jacobian(self) -> FloatArray:
        K, d = self.mixture.means.shape
        pairs = lower(d)
        B, P = 1 + d + len(pairs), len(self.names)
        grown = _start(K, B, d, P)
        after = K - 1 + K * d
        for j, (k, (r, c)) in itertools.product(range(K), enumerate(pairs)):
            if self.kind == "full":
                grown[j, 1 + d + k, after + j * len(pairs) + k] = 1
            elif self.kind == "tied":
                grown[j, 1 + d + k, after + k] = 1
            elif r == c:
                place = j * d + r if self.kind == "diag" else j
                grown[j, 1 + d + k, after + place] = 1
        return grown.reshape(K * B, P)

    def curvature(self, weights: FloatArray) -> FloatArray:
        return np.zeros((len(self.names), len(self.names)))

    def at(self, values: FloatArray) -> Mixture:
        K, d = self.mixture.means.shape
        stacked = (self.jacobian() @ values).reshape(K, -1)
        weights = np.append(values[: K - 1], 1 - values[: K - 1].sum())
        Sigma = (stacked[:, d + 1 :] @ duplication(d).T).reshape(K, d, d)
        return Mixture(weights, stacked[:, 1 : d + 1], Sigma)

    def of(self, mixture: Mixture) -> FloatArray:
        d = mixture.means.shape[1]
        Sigma = mixture.covariances
        if self.kind == "full":
            rows, columns = np.tril_indices(d)
            spread = Sigma[:, rows, columns].ravel()
        elif self.kind == "tied":
            spread = Sigma[0][np.tril_indices(d)]
        elif self.kind == "diag":
            spread = mixture.variances_by_column.ravel()
        else:
            spread = mixture.variances_by_column[:, 0]
        return np.concatenate((mixture.weights[:-1], mixture.means.ravel(), spread))


@dataclass(frozen=True)
class _Part:
    """One free parameter of the covariances: what it does to each component.

    Along the axes of component j the logarithms of the lengths grow with ``lengths`` (K, d), and
    the axes turn by ``turns`` (K, d, d), which are antisymmetric.
    """

    name: str
    lengths: FloatArray
    turns: FloatArray


class _Decomposed(Coordinates):
    """The families whose volumes, shapes and axes are equal or vary, near one mixture.

    Along the axes V_j of ``mixture``, Σ_j = V_j R exp(diag t) Rᵀ V_jᵀ with R = exp(T). The
    logarithms t and the antisymmetric T are linear in the free parameters, and T = 0 here. With D
    for exp(diag t), the derivatives are D diag(w) and TD - DT; the second ones follow by the
    same rules, the product of two turns as the mean of both orders.
    """

    def __init__(self, mixture: Mixture, letters: str) -> None:
        self.mixture, self.letters = mixture, letters
        K, d = mixture.means.shape
        self._axes, self._logs = _axes_and_logs(mixture, letters)
        self._parts = list(_parts(letters, K, d))
        names = _weights_and_means(K, d)
        self.names = (*names, *(part.name for part in self._parts))
        self.values = self._numbers(mixture, self._logs, np.zeros((K, d, d)))

    def _numbers(self, mixture: Mixture, logs: FloatArray, turns: FloatArray) -> FloatArray:
        """The free parameters, from the logarithms of the lengths and the turns."""
        volumes = logs.mean(axis=1)
        shapes = logs - volumes[:, np.newaxis]
        found = []
        for part in self._parts:
            j = int(np.flatnonzero(np.abs(part.lengths).sum(1) + np.abs(part.turns).sum((1, 2)))[0])
            kind = part.name.partition("[")[0]
            if kind.startswith("log_vol"):
                found.append(volumes[j])
            elif kind.startswith("log_shape"):
                found.append(shapes[j, int(part.lengths[j].argmax())])
            else:
                p, q = np.argwhere(part.turns[j] < 0)[0]
                found.append(turns[j, q, p])
        return np.concatenate((mixture.weights[:-1], mixture.means.ravel(), found))

    def _first(self, part: _Part, j: int, D: FloatArray) -> FloatArray:
        T = part.turns[j]
        return np.asarray(np.diag(part.lengths[j]) @ D + T @ D - D @ T)

    def _second(self, one: _Part, two: _Part, j: int, D: FloatArray) -> FloatArray:
        S, T = one.turns[j], two.turns[j]
        U, W = np.diag(one.lengths[j]), np.diag(two.lengths[j])

        def bracket(A: FloatArray, M: FloatArray) -> FloatArray:
            return np.asarray(A @ M - M @ A)

        twice = bracket(S, bracket(T, D)) + bracket(T, bracket(S, D))
        return U @ W @ D + bracket(S, W @ D) + bracket(T, U @ D) + twice / 2

    def _entries(self, j: int, inner: FloatArray) -> FloatArray:
        """The lower triangle of V_j M V_jᵀ."""
        V = self._axes[j]
        return np.asarray((V @ inner @ V.T)[np.tril_indices(len(V))])

    def jacobian(self) -> FloatArray:
        K, d = self.mixture.means.shape
        B, P = 1 + d + d * (d + 1) // 2, len(self.names)
        grown = _start(K, B, d, P)
        after = P - len(self._parts)
        for j in range(K):
            D = np.diag(np.exp(self._logs[j]))
            for k, part in enumerate(self._parts):
                grown[j, 1 + d :, after + k] = self._entries(j, self._first(part, j, D))
        return grown.reshape(K * B, P)

    def curvature(self, weights: FloatArray) -> FloatArray:
        K, d = self.mixture.means.shape
        by_component = weights.reshape(K, -1)[:, 1 + d :]
        P = len(self.names)
        after = P - len(self._parts)
        found = np.zeros((P, P))
        for j in range(K):
            D = np.diag(np.exp(self._logs[j]))
            for a, b in itertools.combinations_with_replacement(range(len(self._parts)), 2):
                second = self._second(self._parts[a], self._parts[b], j, D)
                found[after + a, after + b] += by_component[j] @ self._entries(j, second)
        return found + np.triu(found, 1).T

    def at(self, values: FloatArray) -> Mixture:
        K, d = self.mixture.means.shape
        weights = np.append(values[: K - 1], 1 - values[: K - 1].sum())
        means = values[K - 1 : K - 1 + K * d].reshape(K, d)
        spread = values[K - 1 + K * d :]
        logs = sum(v * part.lengths for v, part in zip(spread, self._parts, strict=True))
        turns = sum(v * part.turns for v, part in zip(spread, self._parts, strict=True))
        Sigma = []
        for j in range(K):
            turned = self._axes[j] @ expm(np.asarray(turns)[j])
            found = (turned * np.exp(np.asarray(logs)[j])) @ turned.T
            Sigma.append((found + found.T) / 2)
        return Mixture(weights, means, Sigma)

    def of(self, mixture: Mixture) -> FloatArray:
        K, d = mixture.means.shape
        axes, logs = _axes_and_logs(mixture, self.letters)
        turns = np.zeros((K, d, d))
        if self.letters[2] == "I":
            return self._numbers(mixture, logs, turns)
        for j in range(K):
            between = self._axes[j].T @ axes[j]
            if self.letters[1] == "V":  # each axis is the one that is nearest to it
                _, order = linear_sum_assignment(-np.abs(between))
                between, logs[j] = between[:, order], logs[j][order]
            between = between * np.where(np.diag(between) < 0, -1, 1)
            if np.linalg.det(between) < 0:  # the least certain axis is turned round
                between[:, int(np.diag(between).argmin())] *= -1
            turns[j] = np.real(logm(between))
        return self._numbers(mixture, logs, turns)


def _axes_and_logs(mixture: Mixture, letters: str) -> tuple[FloatArray, FloatArray]:
    """The axes V_j (K, d, d) and the logarithms of the lengths along them (K, d)."""
    K, d = mixture.means.shape
    Sigma = mixture.covariances
    if letters[2] == "I":
        axes = np.broadcast_to(np.eye(d), (K, d, d)).copy()
    elif letters[2] == "E":
        j = int(mixture.weights.argmax())
        # a mean over the components, so that two equal lengths in one of them do no harm
        unit = Sigma / np.linalg.det(Sigma)[:, np.newaxis, np.newaxis] ** (1 / d)
        common = np.linalg.eigh(np.tensordot(mixture.weights, unit, axes=1))[1]
        order = np.argsort(-np.einsum("rk,rc,ck->k", common, Sigma[j], common))
        axes = np.broadcast_to(common[:, order], (K, d, d)).copy()
    else:
        axes = np.linalg.eigh(Sigma)[1][:, :, ::-1].copy()
    return axes, np.log(np.einsum("jrk,jrc,jck->jk", axes, Sigma, axes))


def _parts(letters: str, K: int, d: int) -> list[_Part]:
    """The free parameters of the covariances of a family."""
    volume, shape, axes = letters[0], letters[1], letters[2]
    no_lengths, no_turns = np.zeros((K, d)), np.zeros((K, d, d))

    def filled(zeros: FloatArray, j: int | None, what: FloatArray) -> FloatArray:
        found = zeros.copy()
        found[slice(None) if j is None else j] = what
        return found

    def each(letter: str) -> list[int | None]:
        return [None] if letter == "E" else list(range(K))

    def named(name: str, j: int | None, *index: int) -> str:
        places = ([] if j is None else [j]) + list(index)
        plural = name + ("" if j is None else "s")
        return plural + (f"[{', '.join(map(str, places))}]" if places else "")

    parts = []
    for j in each(volume):
        parts.append(_Part(named("log_volume", j), filled(no_lengths, j, np.ones(d)), no_turns))
    for j, c in itertools.product(each(shape), range(d - 1 if shape != "I" else 0)):
        grown = np.zeros(d)
        grown[c], grown[-1] = 1, -1
        parts.append(_Part(named("log_shape", j, c), filled(no_lengths, j, grown), no_turns))
    pairs = itertools.combinations(range(d), 2) if axes != "I" else ()
    for j, (p, q) in itertools.product(each(axes), list(pairs)):
        turn = np.zeros((d, d))
        turn[p, q], turn[q, p] = -1, 1
        parts.append(_Part(named("angle", j, p, q), no_lengths, filled(no_turns, j, turn)))
    return parts
