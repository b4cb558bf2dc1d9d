"""How sure the estimates are: scores, information, standard errors, profiles, the bootstrap.

New since ``bound``: what the labels would tell if they were known, and how much of it is missing.
P is the number of free parameters: see ``coordinates`` for their names and their order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from scipy.optimize import brentq
from scipy.special import logsumexp, softmax
from scipy.stats import chi2, norm

from gmmlib.coordinates import Coordinates, coordinates, duplication
from gmmlib.em import e_step
from gmmlib.engine import Blocks, Engine, Parameters
from gmmlib.errors import ConvergenceWarning, warn
from gmmlib.fitting import converge
from gmmlib.label_matching import match_mixtures
from gmmlib.mixture import Mixture
from gmmlib.validation import FloatArray, as_data, as_floats

METHODS = ("observed", "empirical", "robust")
_FAR = 0.01  # of a standard error: so far from the maximum, no warning is needed
_STEP = 1e-4  # of a standard error: for differences
_NOTHING = 1e-9  # of the data's variance: a component that narrow has collapsed


@dataclass(frozen=True, eq=False)
class Information:
    """What :func:`information` returns: I_observed = I_complete - I_missing.

    Attributes
    ----------
    names : tuple of str
        The free parameters, P of them.
    complete : (P, P)
        The information that the data would hold if the labels were known, averaged over them.
    missing : (P, P)
        The variance of the complete score over the labels.

    Book: eq-louis.
    """

    names: tuple[str, ...]
    complete: FloatArray
    missing: FloatArray

    @property
    def observed(self) -> FloatArray:
        """-∇²ℓ, (P, P)."""
        return self.complete - self.missing

    @property
    def rates(self) -> FloatArray:
        """The eigenvalues of I_complete⁻¹ I_missing, the largest first, (P,).

        At a maximum these are the factors by which EM shrinks the distance, each in its own
        direction. Raises ``ValueError`` if the complete information is not positive definite.

        Book: eq-weight-rate.
        """
        try:
            found = scipy.linalg.eigh(self.missing, self.complete, eigvals_only=True)
        except np.linalg.LinAlgError:
            raise ValueError(
                "the complete information is not positive definite, which it is wherever EM comes "
                "to rest. Fit with a smaller tol, and ask at the end of the fit."
            ) from None
        return np.asarray(found[::-1])


@dataclass(frozen=True, eq=False)
class Estimate:
    """One number with its standard error.

    Attributes
    ----------
    value, standard_error : float
        In the same units.
    """

    value: float
    standard_error: float

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The normal interval, value ± z standard errors. Raises ``ValueError`` for a bad level."""
        reach = _normal_quantile(level) * self.standard_error
        return self.value - reach, self.value + reach


@dataclass(frozen=True, eq=False, repr=False)
class Estimates:
    """What :func:`standard_errors` returns: the free parameters and their covariance.

    Attributes
    ----------
    names : tuple of str
    values : (P,)
        In the units of the data: means as they are, variances and covariances squared.
    covariance : (P, P)
        Of the estimates.
    mixture : Mixture
        The fit that they belong to.
    covariance_type : str
    """

    names: tuple[str, ...]
    values: FloatArray
    covariance: FloatArray
    mixture: Mixture
    covariance_type: str

    @property
    def standard_errors(self) -> FloatArray:
        """The square roots of the diagonal of ``covariance``, (P,)."""
        return np.sqrt(np.diag(self.covariance))

    def interval(self, level: float = 0.95) -> FloatArray:
        """The normal intervals, (P, 2). Raises ``ValueError`` unless 0 < level < 1."""
        reach = _normal_quantile(level) * self.standard_errors
        return np.column_stack((self.values - reach, self.values + reach))

    def of(self, function: Callable[[Mixture], float]) -> Estimate:
        """Any smooth function of the mixture, with its standard error, by the delta method.

        The gradient is taken by central differences, a ten-thousandth of a standard error wide.

        Parameters
        ----------
        function : Mixture -> number
            Such as ``lambda m: m.means[1, 0] - m.means[0, 0]``.

        Raises
        ------
        ValueError
            If the function does not give one finite number.

        Book: eq-difference-variance.
        """
        steps = _STEP * self.standard_errors
        chart = coordinates(self.mixture, self.covariance_type)
        centre = _number(function(self.mixture))
        slope = np.empty(len(steps))
        for k, step in enumerate(steps):
            ends = []
            for sign in (1, -1):
                moved = self.values.copy()
                moved[k] += sign * step
                ends.append(_number(function(chart.at(moved))))
            slope[k] = (ends[0] - ends[1]) / (2 * step)
        return Estimate(centre, float(np.sqrt(slope @ self.covariance @ slope)))

    def __repr__(self) -> str:
        rows = [("", "estimate", "standard error")]
        for name, value, error in zip(self.names, self.values, self.standard_errors, strict=True):
            rows.append((name, f"{value:.5g}", f"{error:.3g}"))
        widths = [max(len(row[c]) for row in rows) for c in range(3)]
        lines = (
            f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}" for row in rows
        )
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """What :func:`bootstrap` returns.

    Attributes
    ----------
    names : tuple of str
    values : (R, P)
        The free parameters of the R replicates that have a fit, labels matched.
    mixtures : tuple of Mixture
        The same as mixtures.
    collapsed : int
        Replicates in which a component collapsed; they have no row in ``values``. A component
        that is narrow, but came to rest, is not counted here and does have a row.
    unfinished : int
        Replicates in which EM had not come to rest; they do have a row.
    relabelled : int
        Replicates whose labels had to be exchanged.
    """

    names: tuple[str, ...]
    values: FloatArray
    mixtures: tuple[Mixture, ...]
    collapsed: int
    unfinished: int
    relabelled: int

    @property
    def standard_errors(self) -> FloatArray:
        """The standard deviations of the columns of ``values``, (P,)."""
        return np.asarray(self.values.std(axis=0, ddof=1))

    def interval(self, level: float = 0.95) -> FloatArray:
        """The percentile intervals, (P, 2). Raises ``ValueError`` unless 0 < level < 1."""
        _normal_quantile(level)
        ends = np.quantile(self.values, [(1 - level) / 2, (1 + level) / 2], axis=0)
        return np.asarray(ends.T)

    def of(self, function: Callable[[Mixture], float]) -> FloatArray:
        """A function of the mixture in every replicate, (R,)."""
        return np.array([_number(function(mixture)) for mixture in self.mixtures])


def free_parameters(
    mixture: Mixture, covariance_type: str = "full"
) -> tuple[tuple[str, ...], FloatArray]:
    """The names and the values of the free parameters, P of each.

    Parameters
    ----------
    mixture : Mixture
    covariance_type : str
        Scikit-learn's four types, mclust's fourteen, 'E' or 'V'.

    Raises
    ------
    TypeError, ValueError
        For what is not a mixture, another type, or covariances that are not of this type.

    Book: eq-louis.

    >>> names, values = free_parameters(Mixture.univariate([0.3, 0.7], [5, 2], [1, 4]))
    >>> names
    ('weights[0]', 'means[0]', 'means[1]', 'variances[0]', 'variances[1]')
    >>> values
    array([0.3, 5. , 2. , 1. , 4. ])
    """
    chart = coordinates(mixture, covariance_type)
    return chart.names, chart.values


def scores(X: Any, mixture: Mixture, covariance_type: str = "full") -> FloatArray:
    """∇ log p(x_i) in the free parameters, (n, P): the sum over i is ∇ℓ.

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
    mixture : Mixture
        Anywhere, at a maximum or not; no weight may be 0.
    covariance_type : str
        Scikit-learn's four types, mclust's fourteen, 'E' or 'V'.

    Raises
    ------
    TypeError, ValueError
        For bad data, covariances that are not of this type, or a weight of 0.

    Book: eq-score-average.

    >>> mixture = Mixture.univariate(weights=[0.5, 0.5], means=[1, 2], variances=[2, 2])
    >>> scores([0.9, 2.4], mixture).round(3)
    array([[ 0.298, -0.029, -0.234, -0.143, -0.042],
           [-0.443,  0.273,  0.122, -0.002, -0.14 ]])
    """
    X, beta, chart = _shares(X, mixture, covariance_type)
    pieces = _complete_scores(X, mixture)  # (n, K, B)
    stacked = (beta[:, :, np.newaxis] * pieces).reshape(len(X), -1)
    return np.asarray(stacked @ chart.jacobian())


def information(X: Any, mixture: Mixture, covariance_type: str = "full") -> Information:
    """The observed information -∇²ℓ by Louis's formula, in two parts: complete and missing.

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
    mixture : Mixture
        Anywhere, at a maximum or not; no weight may be 0.
    covariance_type : str
        Scikit-learn's four types, mclust's fourteen, 'E' or 'V'.

    Raises
    ------
    TypeError, ValueError
        As :func:`scores`.

    Book: eq-louis.

    >>> mixture = Mixture.univariate(weights=[0.5, 0.5], means=[1, 2], variances=[2, 2])
    >>> found = information([0.9, 2.4], mixture)
    >>> found.complete[1, 1].round(3), found.missing[1, 1].round(3)
    (np.float64(0.482), np.float64(0.117))
    """
    X, beta, chart = _shares(X, mixture, covariance_type)
    n, K, d = len(X), *mixture.means.shape
    pieces = _complete_scores(X, mixture)
    B = pieces.shape[2]
    complete, missing = np.zeros((2, K * B, K * B))
    expected = (beta[:, :, np.newaxis] * pieces).reshape(n, K * B)
    missing -= expected.T @ expected  # E[s] E[s]ᵀ, summed over the points
    grown = duplication(d)
    for j in range(K):
        block = slice(j * B, (j + 1) * B)
        missing[block, block] += (beta[:, j] * pieces[:, j].T) @ pieces[:, j]  # E[s sᵀ]
        P = np.linalg.inv(mixture.covariances[j])
        U = (X - mixture.means[j]) @ P
        N, first = beta[:, j].sum(), beta[:, j] @ U
        second = (beta[:, j] * U.T) @ U
        curved = np.zeros((B, B))
        curved[0, 0] = N / mixture.weights[j] ** 2
        curved[1 : d + 1, 1 : d + 1] = N * P
        across = np.kron(P, first[np.newaxis]) @ grown  # P E_k Σ_i β_ij u_i
        curved[1 : d + 1, d + 1 :] = across
        curved[d + 1 :, 1 : d + 1] = across.T
        both = np.kron(P, second - 0.5 * N * P)
        curved[d + 1 :, d + 1 :] = grown.T @ (both + both.T) @ grown / 2
        complete[block, block] = curved
    free = chart.jacobian()
    bent = chart.curvature(expected.sum(axis=0))  # where the entries are not linear
    return Information(chart.names, free.T @ complete @ free - bent, free.T @ missing @ free)


def standard_errors(
    X: Any, mixture: Mixture, covariance_type: str = "full", method: str = "observed"
) -> Estimates:
    """The covariance of the estimates, from the information at the maximum.

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
        The data that were fitted.
    mixture : Mixture
        The fit: a maximum of ℓ.
    covariance_type : str
        As in the fit: scikit-learn's four types, mclust's fourteen, 'E' or 'V'.
    method : 'observed', 'empirical' or 'robust'
        The inverse of the observed information I; that of J, the sum of the products of the
        scores; or the sandwich I⁻¹ J I⁻¹, which does not take the model for true.

    Warns
    -----
    ConvergenceWarning
        If the maximum is more than a hundredth of a standard error away.

    Raises
    ------
    TypeError, ValueError
        As :func:`scores`; also where the information is not positive definite, so that the
        mixture is no maximum, or some direction is not determined.

    Book: eq-louis, eq-inverse-of-two.

    >>> from gmmlib import datasets, fit
    >>> waits = datasets.old_faithful()[:, 1]
    >>> start = Mixture.univariate([0.4, 0.6], [55, 80], [35, 35])
    >>> standard_errors(waits, fit(waits, start, tol=1e-12).mixture)
                  estimate  standard error
    weights[0]     0.36089          0.0312
    means[0]        54.615             0.7
    means[1]        80.091           0.505
    variances[0]    34.471            6.31
    variances[1]     34.43            4.71
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}. Choose one of {', '.join(map(repr, METHODS))}.")
    _, values = free_parameters(mixture, covariance_type)
    found = information(X, mixture, covariance_type)
    inverse = _inverse(found.observed)
    by_point = scores(X, mixture, covariance_type)
    score = by_point.sum(axis=0)
    away = float(np.sqrt(score @ inverse @ score))
    if away > _FAR:
        warn(
            f"the maximum of the log-likelihood is about {away:.2g} standard errors away. Fit with "
            f"a smaller tol, such as 1e-12, and ask again.",
            ConvergenceWarning,
        )
    products = by_point.T @ by_point
    if method == "empirical":
        covariance = _inverse(products)
    elif method == "robust":
        covariance = inverse @ products @ inverse
    else:
        covariance = inverse
    return Estimates(found.names, values, covariance, mixture, covariance_type)


def profile(
    X: Any,
    mixture: Mixture,
    name: str,
    values: Any,
    covariance_type: str = "full",
    *,
    tol: float = 1e-9,
    max_iter: int = 20_000,
) -> FloatArray:
    """The highest ℓ with one parameter held, for each value that it is held at, on the line.

    All values run at once, each from ``mixture`` with the parameter replaced, by EM in which the
    M-step leaves that parameter alone.

    Parameters
    ----------
    X : (n,) or (n, 1)
    mixture : Mixture
        The fit, d = 1.
    name : str
        One of the names of :func:`free_parameters`.
    values : (G,), or a number
    covariance_type : 'full' or 'tied'
    tol : float
        Stop when no parameter moves by more than this, in its standard deviation.
    max_iter : int

    Returns
    -------
    (G,)
        ℓ, in nats. It is the maximum that EM reaches from the fit.

    Raises
    ------
    TypeError, ValueError
        For bad data, d > 1, another name, values out of range, a component that collapses, or
        ``max_iter`` steps that were not enough.

    Book: eq-profile-square.
    """
    X = as_data(X, n_features=1)[:, 0]
    kind, j = _place_on_the_line(mixture, name, covariance_type)
    held = np.atleast_1d(as_floats(values, "values"))
    alpha, mu, v = (
        np.tile(part, (len(held), 1))
        for part in (mixture.weights, mixture.means[:, 0], mixture.variances)
    )
    if kind == "weights" and not ((held > 0) & (held < 1)).all():
        raise ValueError(f"a weight is held at {held.tolist()}. Hold it between 0 and 1.")
    if kind.startswith("variance") and not (held > 0).all():
        raise ValueError(f"a variance is held at {held.tolist()}. Hold it above 0.")

    def hold() -> None:
        if kind == "weights":
            others = np.arange(alpha.shape[1]) != j
            alpha[:, others] *= ((1 - held) / alpha[:, others].sum(axis=1))[:, np.newaxis]
            alpha[:, j] = held
        elif kind == "means":
            mu[:, j] = held
        elif kind == "variances":
            v[:, j] = held
        else:
            v[:] = held[:, np.newaxis]

    hold()
    for _ in range(max_iter):
        before = alpha.copy(), mu.copy(), v.copy()
        log_joint = np.log(alpha[:, np.newaxis] / np.sqrt(2 * np.pi * v[:, np.newaxis])) - (
            X[:, np.newaxis] - mu[:, np.newaxis]
        ) ** 2 / (2 * v[:, np.newaxis])  # (G, n, K)
        beta = softmax(log_joint, axis=2)
        N = beta.sum(axis=1)
        alpha = N / len(X)
        mu = np.einsum("gnk,n->gk", beta, X) / N
        if kind == "means":
            mu[:, j] = held
        v = (beta * (X[:, np.newaxis] - mu[:, np.newaxis]) ** 2).sum(axis=1) / N
        if covariance_type == "tied":
            v[:] = (alpha * v).sum(axis=1, keepdims=True)
        hold()
        if (v < _NOTHING * X.var()).any():
            raise ValueError(
                f"with {name} held at {held[(v < _NOTHING * X.var()).any(axis=1)][0]:g} a "
                f"component collapses, and the profile is not bounded. Hold it nearer to the fit."
            )
        moved = np.maximum(
            np.abs(mu - before[1]) / np.sqrt(v),
            np.maximum(np.abs(v / before[2] - 1), np.abs(alpha - before[0])),
        )
        if moved.max() <= tol:
            return np.asarray(logsumexp(log_joint, axis=2).sum(axis=1))
    raise ValueError(
        f"{max_iter} steps were not enough with {name} held at {held[moved.max(axis=1).argmax()]:g}"
        f". Raise max_iter, or hold it nearer to the fit."
    )


def profile_interval(
    X: Any, mixture: Mixture, name: str, covariance_type: str = "full", level: float = 0.95
) -> tuple[float, float]:
    """Where the profile of one parameter is at most ½ χ²₁ below its top, on the line.

    Parameters
    ----------
    X : (n,) or (n, 1)
    mixture : Mixture
        The fit, d = 1.
    name : str
        One of the names of :func:`free_parameters`.
    covariance_type : 'full' or 'tied'
    level : float
        Between 0 and 1; 0.95 allows a fall of 1.92.

    Raises
    ------
    TypeError, ValueError
        As :func:`profile` and :func:`standard_errors`; also if the profile does not fall so far
        within 20 standard errors.

    Book: eq-profile-square.
    """
    _normal_quantile(level)
    _place_on_the_line(mixture, name, covariance_type)
    found = standard_errors(X, mixture, covariance_type)
    k = found.names.index(name)
    centre, error = float(found.values[k]), float(found.standard_errors[k])
    floor = mixture.log_likelihood(X) - float(chi2.ppf(level, 1)) / 2
    low, high = {"weights": (0.0, 1.0), "means": (-np.inf, np.inf)}.get(
        name.split("[")[0], (0.0, np.inf)
    )

    def above(value: float) -> float:
        return float(profile(X, mixture, name, value, covariance_type)[0]) - floor

    ends = []
    for sign, limit in ((-1, low), (1, high)):
        inside, outside = centre, centre
        while above(outside) >= 0:
            inside = outside
            step = outside + sign * error
            outside = step if (limit - step) * sign > 0 else (outside + limit) / 2
            if abs(outside - centre) > 20 * error or abs(outside - inside) < 1e-3 * error:
                raise ValueError(
                    f"the profile of {name} has not fallen far enough at {outside:.6g}. Its "
                    f"interval has no end on this side; ask for a lower level."
                )
        ends.append(float(brentq(above, inside, outside, xtol=1e-4 * error)))
    return ends[0], ends[1]


def bootstrap(
    X: Any,
    mixture: Mixture,
    n_replicates: int = 200,
    *,
    method: str = "nonparametric",
    covariance_type: str = "full",
    random_state: int | np.random.Generator | None = None,
    tol: float = 1e-6,
    max_iter: int = 2000,
) -> Bootstrap:
    """Fit again to data that are drawn anew, each time from ``mixture`` as the start.

    The components of each replicate are matched with those of ``mixture`` by
    :func:`gmmlib.label_matching.match_mixtures`.

    Parameters
    ----------
    X : (n, d), or (n,) when d = 1
    mixture : Mixture
        The fit.
    n_replicates : int
        At least 2.
    method : 'nonparametric' or 'parametric'
        n rows of X with replacement, or n points from ``mixture``.
    covariance_type : str
        As in the fit: scikit-learn's four types, mclust's fourteen, 'E' or 'V'.
    random_state : int, Generator or None
        The same int gives the same replicates.
    tol : float
        Stop when the fixed point of EM is estimated to be this near, in the units of the
        components (see :func:`gmmlib.fitting.distance`).
    max_iter : int

    Raises
    ------
    TypeError, ValueError
        For bad data or options, or if fewer than two replicates have a fit.

    Book: alg-bootstrap.
    """
    chart = coordinates(mixture, covariance_type)
    X = as_data(X, n_features=mixture.n_features)
    if method not in ("nonparametric", "parametric"):
        raise ValueError(f"method is {method!r}. Choose 'nonparametric' or 'parametric'.")
    whole = isinstance(n_replicates, (int, np.integer)) and not isinstance(n_replicates, bool)
    if not whole or n_replicates < 2:
        raise ValueError(f"n_replicates is {n_replicates!r}. Pass a whole number from 2 up.")
    rng = np.random.default_rng(random_state)
    mixtures: list[Mixture] = []
    collapsed = unfinished = relabelled = 0
    for _ in range(n_replicates):
        if method == "parametric":
            drawn, _ = mixture.sample(len(X), rng)
        else:
            drawn = X[rng.integers(len(X), size=len(X))]
        found = _refit(drawn, mixture, covariance_type, tol, max_iter)
        if found is None:
            collapsed += 1
            continue
        fitted, at_rest = found
        order = match_mixtures(fitted, mixture).tolist()
        relabelled += order != sorted(order)
        unfinished += not at_rest
        mixtures.append(fitted.reordered(order))
    if len(mixtures) < 2:
        raise ValueError(
            f"{collapsed} of {n_replicates} replicates collapsed. Use method='parametric', or a "
            f"covariance_type with fewer parameters."
        )
    values = np.array([chart.of(m) for m in mixtures])
    return Bootstrap(chart.names, values, tuple(mixtures), collapsed, unfinished, relabelled)


def _refit(
    X: FloatArray, start: Mixture, covariance_type: str, tol: float, max_iter: int
) -> tuple[Mixture, bool] | None:
    data = Blocks.of(X)
    try:
        engine = Engine(data, covariance_type, n_threads=1)
    except ValueError:  # the rows drawn do not spread in every direction
        return None
    with engine:
        begin = Parameters.of([start], covariance_type, data.frame)
        run = converge(engine, begin, tol, max_iter)
    if run.collapsed is not None:
        return None
    return run.parameters.mixture(0, data.frame), run.converged


def _shares(
    X: Any, mixture: Mixture, covariance_type: str
) -> tuple[FloatArray, FloatArray, Coordinates]:
    chart = coordinates(mixture, covariance_type)
    X = as_data(X, n_features=mixture.n_features)
    if (mixture.weights <= 0).any():
        j = int(np.argmin(mixture.weights))
        raise ValueError(
            f"component {j} (counting from 0) has the weight 0, at the border of what is allowed, "
            f"where no information exists. Leave the component out."
        )
    return X, e_step(X, mixture)[0], chart


def _complete_scores(X: FloatArray, mixture: Mixture) -> FloatArray:
    """∇ log α_j g_j(x_i) in α_j, μ_j and the lower triangle of Σ_j, as (n, K, B)."""
    n, d = X.shape
    K, B = mixture.n_components, 1 + d + d * (d + 1) // 2
    pieces = np.empty((n, K, B))
    grown = duplication(d)
    for j in range(K):
        P = np.linalg.inv(mixture.covariances[j])
        U = (X - mixture.means[j]) @ P
        squares = np.einsum("nr,nc->nrc", U, U) - P
        pieces[:, j, 0] = 1 / mixture.weights[j]
        pieces[:, j, 1 : d + 1] = U
        pieces[:, j, d + 1 :] = 0.5 * squares.reshape(n, d * d) @ grown
    return pieces


def _place_on_the_line(mixture: Mixture, name: str, covariance_type: str) -> tuple[str, int]:
    if covariance_type not in ("full", "tied"):
        raise ValueError(f"covariance_type is {covariance_type!r}. Choose 'full' or 'tied'.")
    names = coordinates(mixture, covariance_type).names
    if mixture.n_features != 1:
        raise ValueError(
            f"the mixture has {mixture.n_features} dimensions, and profiles are for the line. Use "
            f"bootstrap, or fit one column."
        )
    if name not in names:
        raise ValueError(f"name is {name!r}. Choose one of {', '.join(names)}.")
    kind, _, index = name.rstrip("]").partition("[")
    return kind, int(index or 0)


def _inverse(information: FloatArray) -> FloatArray:
    diagonal = np.diag(information)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1))
    try:
        L = scipy.linalg.cho_factor(information / np.outer(scale, scale), lower=True)
        if (np.diag(L[0]) ** 2 < 1e-12).any():
            raise np.linalg.LinAlgError
    except (np.linalg.LinAlgError, ValueError):
        raise ValueError(
            "the information is not positive definite: the mixture is not at a maximum of the "
            "log-likelihood, or some direction is not determined by the data. Fit with a smaller "
            "tol, or ask for fewer components."
        ) from None
    found = scipy.linalg.cho_solve(L, np.eye(len(scale))) / np.outer(scale, scale)
    return np.asarray((found + found.T) / 2)


def _normal_quantile(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"level is {level!r}. Pass a number between 0 and 1, such as 0.95.")
    return float(norm.ppf((1 + level) / 2))


def _number(value: Any) -> float:
    array = np.asarray(value, dtype=float)
    if array.size != 1 or not np.isfinite(array).all():
        raise ValueError(
            f"the function gave {value!r}. Return one finite number, such as m.means[1, 0]."
        )
    return float(array.reshape(()))
