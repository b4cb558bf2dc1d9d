"""The engine behind scikit-learn's interface."""

import contextlib
import copy
import numbers
import reprlib
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp, softmax
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from tqdm import tqdm

from gmmlib import search
from gmmlib.blocks import Blocks, in_blocks
from gmmlib.em import CollapseError, ConvergenceWarning
from gmmlib.engine import (
    COVARIANCE_TYPES,
    CovarianceType,
    Engine,
    Parameters,
    load,
    log_joints,
    no_spread,
)
from gmmlib.mixture import Mixture
from gmmlib.validation import (
    FloatArray,
    as_floats,
    as_n_components,
    as_weights,
    counted,
    is_positive_definite,
)

InitParams = Literal["k-means++", "kmeans", "random", "random_from_data"]
_INIT_PARAMS = ("k-means++", "kmeans", "random", "random_from_data")
_RIDGE = 1e-6
_RACED_ON = 2**13  # observations on which the starts run before the best goes on to all of them


class GaussianMixture(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """A Gaussian mixture fitted by EM, with scikit-learn's interface.

    It takes the place of ``sklearn.mixture.GaussianMixture``, and differs on purpose in this:

    - ``n_init`` is 20, and the starts are short runs on at most 8192 of the observations; the best
      is carried to convergence on all of them. A start whose component shrinks to a spike on a few
      points is left (:func:`gmmlib.search.is_spike`).
    - ``tol`` is the estimated distance to the fixed point, not the last gain of the likelihood,
      which may be small long before the end. The steps are extrapolated, and ℓ never falls by
      more than rounding (with ``reg_covar`` above 0, EM itself gives no such promise).
    - ``reg_covar`` adds nothing by default: the parameters are those of maximum likelihood. Only
      where the data do not spread in every direction (a constant column, no more rows than
      columns) is a millionth of each variance added, with a warning.
    - ``weights_``, ``means_`` and ``covariances_`` are those that ``lower_bound_`` belongs to.
    - Components come by decreasing weight, unless ``means_init`` gives them an order.
    - ``fit`` takes ``sample_weight``, and X may be a function that yields blocks.

    Parameters
    ----------
    n_components : int
        K.
    covariance_type : 'full', 'tied', 'diag' or 'spherical'
        One covariance for each component; one that all share; only variances; one variance each.
    tol : float
        Stop when the fixed point is estimated to be this near, in units of each component's own
        weight, standard deviation and covariance (:func:`gmmlib.search.distance`). 0 goes on
        until nothing changes, or ``max_iter`` is reached.
    reg_covar : float or None
        Added to every variance, in the units of the data squared. None adds nothing, or what is
        needed, see above; with 0 there is an error where something is needed.
    max_iter : int
        Passes over the data of the last run.
    n_init : int
        How many starts. With ``means_init`` there is one.
    init_params : 'k-means++', 'kmeans', 'random' or 'random_from_data'
        Centres drawn far from one another; k-means from such centres; responsibilities at random;
        observations at random as centres.
    weights_init : (K,) or None
    means_init : (K, d) or None
    precisions_init : (K, d, d), (d, d), (K, d) or (K,), by ``covariance_type``; or None
        In place of what the starts would have.
    random_state : int, RandomState or None
        The same int gives the same result.
    warm_start : bool
        Start from the last fit, if there is one.
    verbose : int
        Above 0, show a progress bar with ℓ and the distance.

    Attributes
    ----------
    weights_ : (K,)
    means_ : (K, d)
    covariances_, precisions_, precisions_cholesky_ : shapes as ``precisions_init``
    converged_ : bool
    n_iter_ : int
        Passes over the data of the last run.
    lower_bound_ : float
        ℓ per observation.
    lower_bounds_ : list of float
        Of every mixture that the last run kept.
    log_likelihoods_ : array of float
        The same, as sums over the observations.
    mixture_ : Mixture
        The fitted mixture as a record.
    n_features_in_, feature_names_in_ : as everywhere in scikit-learn

    Book: alg-engine, sec-many-starts.

    >>> X = np.array([[0.9], [0.7], [1.2], [2.4], [1.8]])
    >>> model = GaussianMixture(2, covariance_type="tied", random_state=0).fit(X)
    >>> model.predict(X)
    array([0, 0, 0, 1, 1])
    """

    def __init__(
        self,
        n_components: int = 1,
        *,
        covariance_type: CovarianceType = "full",
        tol: float = 1e-7,
        reg_covar: float | None = None,
        max_iter: int = 1000,
        n_init: int = 20,
        init_params: InitParams = "k-means++",
        weights_init: Any = None,
        means_init: Any = None,
        precisions_init: Any = None,
        random_state: Any = None,
        warm_start: bool = False,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose

    # --- fitting ----------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Estimate the mixture. If that fails, the estimator is as it was before.

        Parameters
        ----------
        X : (n, d), or a function
            Float64 or float32 in any order, also a memmap, is read where it lies. A function is
            called for each pass and returns the blocks of rows (m, d) one after another, or pairs
            of rows and their weights (m,).
        y : ignored
        sample_weight : (n,) or None
            How often each observation counts: 2 is as if it stood there twice, 0 leaves it out.

        Raises
        ------
        CollapseError
            If every start ends with a component that has no spread.
        TypeError, ValueError
            For bad data, or options out of range.

        Warns
        -----
        ConvergenceWarning
            If ``max_iter`` passes were not enough, or only spikes were found.

        Book: alg-engine.
        """
        self._check_options()
        found = self._validated(X)
        blocks = Blocks.of(found.pop("rows"), sample_weight)
        as_n_components(self.n_components, blocks.n_rows)
        if blocks.n_rows == 1:
            raise ValueError("X has 1 sample: one observation has no spread. Bring more data.")
        if not blocks.has_distinct_rows(self.n_components):
            raise ValueError(
                f"n_components is {self.n_components}, but X has fewer different rows (of weight "
                f"above 0). Ask for fewer components: two equal means never part under EM."
            )
        found["n_features_in_"] = blocks.n_features
        given = self._given(blocks.n_features)
        added = self._regularisation(blocks)
        with Engine(blocks, self.covariance_type, added) as engine:
            run = self._best_run(engine, given, added)
        found_here = run.parameters
        if given.get("means") is None and not (self.warm_start and hasattr(self, "mixture_")):
            by_weight = np.argsort(-found_here.weights[0], kind="stable")
            found_here = found_here.runs(([[0]], by_weight))
        mixture = found_here.mixture(0, blocks.centre, blocks.scale)
        self._keep(mixture, run, blocks.total_weight, found)
        return self

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> npt.NDArray[np.intp]:
        """:meth:`fit`, then :meth:`predict` of the same X."""
        return self.fit(X, y, sample_weight).predict(X)

    def _regularisation(self, blocks: Blocks) -> FloatArray:
        """What to add to each column's variance, (d,)."""
        if self.reg_covar is not None:
            return np.full(blocks.n_features, float(self.reg_covar))
        lacking = no_spread(blocks, blocks.covariance, self.covariance_type)
        if lacking is None:
            return np.zeros(blocks.n_features)
        variances = np.diag(blocks.covariance) * blocks.scale**2
        constant = np.sqrt(variances) <= 2 * blocks.rounding * blocks.scale
        warnings.warn(
            f"{lacking} Now a millionth of each column's variance is added (of 1, where it is 0), "
            f"and the likelihood means little. With reg_covar=0 this is an error.",
            UserWarning,
            stacklevel=3,
        )
        return np.where(constant, _RIDGE, _RIDGE * variances)

    def _best_run(
        self, engine: Engine, given: dict[str, FloatArray | None], added: FloatArray
    ) -> search.Run:
        blocks = engine.blocks
        if self.warm_start and hasattr(self, "mixture_"):
            if self.mixture_.means.shape != (self.n_components, blocks.n_features):
                raise ValueError(
                    f"warm_start: the last fit has means of shape {self.mixture_.means.shape}, "
                    f"but {(self.n_components, blocks.n_features)} are asked for now. "
                    f"Set warm_start=False, or fit a new estimator."
                )
            candidates: Iterable[Mixture] = [self.mixture_]
        else:
            candidates = self._candidates(engine, given, added)
        tried: list[search.Run] = []
        for mixture in candidates:
            start = Parameters.of([mixture], self.covariance_type, blocks.centre, blocks.scale)
            run = self._converged(engine, engine.projected(start))
            tried.append(run)
            if run.collapsed is None and not search.is_spike(engine, run.parameters).any():
                break
        else:
            ended = [run for run in tried if run.collapsed is None]
            if not ended:
                component, reason = engine.why_collapsed(_last(run))
                raise CollapseError(component, reason, run.n_iter)
            run = max(ended, key=lambda run: run.log_likelihoods[-1])
            if len(tried) > 1:
                warnings.warn(
                    "every start ended with a component that is a spike on a few observations. "
                    "Ask for fewer components, choose covariance_type='tied', or set reg_covar.",
                    ConvergenceWarning,
                    stacklevel=3,
                )
        if not run.converged and self.tol > 0:
            warnings.warn(
                f"did not converge in {counted(run.n_iter, 'pass', 'passes')}: the fixed point is "
                f"still about {run.distance:.1e} away, and tol is {self.tol:g}. Raise max_iter, "
                f"or go on with warm_start=True.",
                ConvergenceWarning,
                stacklevel=3,
            )
        return run

    def _converged(self, engine: Engine, start: Parameters) -> search.Run:
        if not self.verbose:
            return search.converge(engine, start, self.tol, self.max_iter)
        with tqdm(total=self.max_iter, unit="pass", desc="EM") as bar:

            def report(passes: int, log_likelihood: float, distance: float) -> None:
                bar.update(passes - bar.n)
                bar.set_postfix_str(f"ℓ {log_likelihood:.6f}, distance {distance:.1e}")

            engine.progress = lambda rows: bar.set_description(
                f"EM, {100 * rows / engine.blocks.n_rows:.0f} % of this pass"
            )
            run = search.converge(engine, start, self.tol, self.max_iter, report=report)
            bar.set_description("EM")
            bar.total = run.n_iter
            bar.refresh()
        return run

    def _candidates(
        self, engine: Engine, given: dict[str, FloatArray | None], added: FloatArray
    ) -> Iterable[Mixture]:
        """Mixtures to converge from, the most promising first."""
        blocks = engine.blocks
        rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        rows, w = blocks.picked(_RACED_ON)
        some = Blocks.of(rows, w)
        x = (rows - some.centre) / some.scale
        total = some.covariance + np.diag(added / some.scale**2)
        if engine.diagonal:
            total = np.diag(total).copy()
        fixed = given["means"] is not None
        n_starts = 1 if fixed or self.n_components == 1 else self.n_init
        if self.init_params == "random" and not fixed:
            starts = _from_responsibilities(x, w, total, self.n_components, n_starts, rng)
        else:
            labels = None
            if self.init_params == "kmeans" and not fixed:
                from sklearn.cluster import KMeans  # takes most of a second to load

                unit = np.sqrt(total if engine.diagonal else np.diag(total))

                def labels(_: int) -> npt.NDArray[np.intp]:
                    means = KMeans(
                        self.n_components, n_init=1, random_state=int(rng.integers(2**31))
                    )
                    found: npt.NDArray[np.intp] = means.fit(x / unit, sample_weight=w).labels_
                    return found

            spread_out = self.init_params != "random_from_data"
            starts = search.starting_points(
                x, w, total, self.n_components, n_starts, rng, labels, spread_out
            )
        starts = self._with_given(starts, given, some, total)
        if n_starts == 1:
            return [starts.mixture(0, some.centre, some.scale)]
        with Engine(some, self.covariance_type, added, engine.n_threads) as small:
            starts = small.projected(starts)
            best = search.race(small, starts)
            if not len(best.weights):
                after = small.em_step(starts)[0]
                run = int(np.argmax(small.collapsed(after).any(axis=1)))
                if not small.collapsed(after).any():
                    raise CollapseError(0, "its covariance fell to nothing from every start")
                raise CollapseError(*small.why_collapsed(after, run))
            count = len(best.weights)
            return (best.mixture(r, some.centre, some.scale) for r in range(count))

    def _given(self, d: int) -> dict[str, FloatArray | None]:
        """weights_init, means_init and the covariances of precisions_init, checked."""
        K = self.n_components
        given: dict[str, FloatArray | None] = dict.fromkeys(("weights", "means", "covariances"))
        if self.weights_init is not None:
            alpha = as_weights(self.weights_init)
            _require_shape("weights_init", alpha, (K,))
            given["weights"] = alpha
        if self.means_init is not None:
            mu = as_floats(self.means_init, "means_init")
            _require_shape("means_init", mu, (K, d))
            given["means"] = mu
        if self.precisions_init is not None:
            Lambda = as_floats(self.precisions_init, "precisions_init")
            shape = {"full": (K, d, d), "tied": (d, d), "diag": (K, d), "spherical": (K,)}
            _require_shape("precisions_init", Lambda, shape[self.covariance_type])
            given["covariances"] = _inverted(Lambda, self.covariance_type, K, d)
        return given

    def _with_given(
        self,
        p: Parameters,
        given: dict[str, FloatArray | None],
        blocks: Blocks,
        total: FloatArray,
    ) -> Parameters:
        if all(value is None for value in given.values()):
            return p
        weights, means, covariances = p.weights.copy(), p.means.copy(), p.covariances.copy()
        with np.errstate(over="ignore"):
            if given["means"] is not None:
                means[:] = (given["means"] - blocks.centre) / blocks.scale
                weights[:] = 1 / self.n_components
                covariances[:] = total
            if given["weights"] is not None:
                weights[:] = given["weights"]
            if given["covariances"] is not None:
                Sigma = given["covariances"] / np.outer(blocks.scale, blocks.scale)
                covariances[:] = np.diagonal(Sigma, axis1=1, axis2=2) if p.diagonal else Sigma
        for name, found in (("means_init", means), ("precisions_init", covariances)):
            if not np.isfinite(found).all():
                raise ValueError(
                    f"{name} is out of the range of floats beside data of standard deviation "
                    f"{reprlib.repr(blocks.scale)}. Pass it in the units of X."
                )
        return Parameters.factored(weights, means, covariances)

    def _keep(
        self, mixture: Mixture, run: search.Run, total_weight: float, found: dict[str, Any]
    ) -> None:
        Sigma = mixture.covariances
        L = np.linalg.cholesky(Sigma)
        W = np.linalg.solve(L, np.broadcast_to(np.eye(Sigma.shape[1]), Sigma.shape))
        factor = np.triu(W.swapaxes(1, 2))
        precision = factor @ factor.swapaxes(1, 2)
        if self.covariance_type == "tied":
            Sigma, factor, precision = Sigma[0], factor[0], precision[0]
        elif self.covariance_type != "full":
            Sigma, factor, precision = (
                np.diagonal(a, axis1=1, axis2=2).copy() for a in (Sigma, factor, precision)
            )
            if self.covariance_type == "spherical":
                Sigma, factor, precision = (a[:, 0].copy() for a in (Sigma, factor, precision))
        if "feature_names_in_" not in found and hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        for name, value in found.items():
            setattr(self, name, value)
        self.mixture_ = mixture
        self.weights_ = mixture.weights.copy()
        self.means_ = mixture.means.copy()
        self.covariances_ = Sigma.copy()
        self.precisions_cholesky_ = factor
        self.precisions_ = precision
        self.converged_ = run.converged
        self.n_iter_ = run.n_iter
        self.log_likelihoods_ = np.array(run.log_likelihoods)
        self.lower_bounds_ = (self.log_likelihoods_ / total_weight).tolist()
        self.lower_bound_ = self.lower_bounds_[-1]

    # --- what a fitted mixture says about data ----------------------------------------------------

    def predict(self, X: Any) -> npt.NDArray[np.intp]:
        """The component with the largest responsibility for each observation, (n,)."""
        return np.asarray(self._for_each(X, lambda L: L.argmax(axis=0), np.intp))

    def predict_proba(self, X: Any) -> FloatArray:
        """The responsibilities, (n, K).

        Book: eq-responsibilities.
        """
        return np.asarray(self._for_each(X, lambda L: softmax(L, axis=0).T, np.float64))

    def score_samples(self, X: Any) -> FloatArray:
        """log p(x_i), (n,), in natural logarithms.

        Book: eq-log-sum-exp.
        """
        return np.asarray(self._for_each(X, lambda L: logsumexp(L, axis=0), np.float64))

    def score(self, X: Any, y: Any = None) -> float:
        """The mean of log p(x_i), by weight where a function yields weights."""
        log_likelihood, weight = self._log_likelihood(X)
        return log_likelihood / weight

    def bic(self, X: Any) -> float:
        """The Bayesian information criterion, -2 ℓ + (number of parameters) log n."""
        log_likelihood, weight = self._log_likelihood(X)
        return float(-2 * log_likelihood + self._n_parameters() * np.log(weight))

    def aic(self, X: Any) -> float:
        """Akaike's information criterion, -2 ℓ + 2 (number of parameters)."""
        return -2 * self._log_likelihood(X)[0] + 2 * self._n_parameters()

    def sample(self, n_samples: int = 1) -> tuple[FloatArray, npt.NDArray[np.intp]]:
        """Points and the components they are from, as :meth:`gmmlib.mixture.Mixture.sample`."""
        check_is_fitted(self)
        seed = int(check_random_state(self.random_state).randint(2**31))
        return self.mixture_.sample(n_samples, seed)

    def _n_parameters(self) -> int:
        K, d = self.means_.shape
        per_type = {"full": K * d * (d + 1) // 2, "tied": d * (d + 1) // 2, "diag": K * d}
        return int(K - 1 + K * d + per_type.get(self.covariance_type, K))

    def _joints(self, rows: Any) -> Iterator[tuple[FloatArray, FloatArray | None]]:
        """log α_j + log g_j(x_i) block by block, (K, m), and the weights of the rows."""
        mixture = self.mixture_
        centre = mixture.weights @ mixture.means
        away = mixture.means - centre
        spread = mixture.weights @ (away**2 + np.diagonal(mixture.covariances, axis1=1, axis2=2))
        scale = np.exp2(np.round(0.5 * np.log2(spread)))
        p = Parameters.of([mixture], self.covariance_type, centre, scale)
        volume = np.log(scale).sum()
        first = 0
        for block, w in in_blocks(rows):
            if block.shape[1] != len(centre):  # only where a function yields them
                raise ValueError(
                    f"X yields {counted(block.shape[1], 'column', 'columns')}, but the mixture has "
                    f"{counted(len(centre), 'dimension', 'dimensions')}. Yield the columns of fit."
                )
            with np.errstate(over="ignore", invalid="ignore"):
                L = log_joints(load(block, centre, scale), p) - volume
            bad = ~np.isfinite(L.max(axis=0))
            if bad.any():
                i = int(np.argmax(bad))
                what = "NaN or infinite" if not np.isfinite(block[i]).all() else "too far away"
                raise ValueError(
                    f"observation {first + i} is {what} for a density: {reprlib.repr(block[i])}. "
                    f"Leave it out, or check its units."
                )
            yield L, w
            first += len(block)

    def _for_each(self, X: Any, function: Any, dtype: Any) -> Any:
        check_is_fitted(self)
        if callable(X) and not hasattr(X, "__array__"):
            raise TypeError(
                "a function that yields blocks is for fit, score, aic and bic. "
                "Call this for one block at a time."
            )
        rows = self._validated(X, reset=False)["rows"]
        return np.concatenate([function(L) for L, _ in self._joints(rows)]).astype(dtype)

    def _log_likelihood(self, X: Any) -> tuple[float, float]:
        check_is_fitted(self)
        total, weight = 0.0, 0.0
        for L, w in self._joints(self._validated(X, reset=False)["rows"]):
            log_density = logsumexp(L, axis=0)
            total += float(log_density.sum() if w is None else w @ log_density)
            weight += L.shape[1] if w is None else float(w.sum())
        if not weight > 0:
            raise ValueError("the function given as X yielded no rows of weight above 0.")
        return total, weight

    # --- what the user handed in ------------------------------------------------------------------

    def _validated(self, X: Any, reset: bool = True) -> dict[str, Any]:
        """The rows, and what scikit-learn keeps of a data frame's columns."""
        if callable(X) and not hasattr(X, "__array__"):
            return {"rows": X}
        probe = copy.copy(self) if reset else self  # a fit that fails must not change it
        X = _plain(X)
        mapped = isinstance(X, np.memmap) and X.ndim == 2 and X.dtype in (np.float64, np.float32)
        if mapped and X.size:  # not read twice, and not held in memory
            validate_data(probe, X, reset=reset, skip_check_array=True)
            return {"rows": X}
        with np.errstate(over="ignore"):  # a long double may become infinite, which is reported
            rows = validate_data(
                probe, X, reset=reset, dtype=[np.float64, np.float32], ensure_all_finite=False
            )
        found = {"rows": rows}
        if reset and hasattr(probe, "feature_names_in_"):
            found["feature_names_in_"] = probe.feature_names_in_
        return found

    def _check_options(self) -> None:
        for name, low in (("n_components", 1), ("max_iter", 1), ("n_init", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < low:
                raise ValueError(f"{name} is {value!r}. Pass a whole number from {low} up.")
        for name in ("tol", "reg_covar"):
            value = getattr(self, name)
            if name == "reg_covar" and value is None:
                continue
            real = isinstance(value, numbers.Real) and not isinstance(value, bool)
            if not real or not 0 <= value < np.inf:
                raise ValueError(f"{name} is {value!r}. Pass a number from 0 up.")
        for name, choices in (
            ("covariance_type", COVARIANCE_TYPES),
            ("init_params", _INIT_PARAMS),
        ):
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}. "
                    f"Choose one of {', '.join(map(repr, choices))}."
                )


def _plain(X: Any) -> Any:
    """X as it is; what scikit-learn would take for numbers, or report less well, raises here."""
    if isinstance(X, (list, tuple)):
        try:
            X = np.asarray(X)
        except ValueError:  # ragged
            return as_floats(X, "X")
    dtype = getattr(X, "dtype", None)
    text_or_time = isinstance(dtype, np.dtype) and dtype.kind in "SUmMV"
    if text_or_time or isinstance(X, (np.ma.MaskedArray, Iterator)):
        return as_floats(X, "X")
    if isinstance(X, np.ndarray) and X.dtype.kind == "O":
        with contextlib.suppress(TypeError):  # scikit-learn's own words for what is no number
            as_floats(X, "X")
    return X


def _last(run: search.Run) -> Parameters:
    assert run.collapsed is not None
    return run.collapsed


def _from_responsibilities(
    x: FloatArray, w: FloatArray, total: FloatArray, K: int, n_starts: int, rng: Any
) -> Parameters:
    """Means by random responsibilities, all near the centre, with the covariance of all."""
    counts, means = np.empty((n_starts, K)), np.empty((n_starts, K, x.shape[1]))
    for r in range(n_starts):
        beta = rng.dirichlet(np.ones(K), size=len(x)) * w[:, np.newaxis]
        counts[r] = beta.sum(axis=0)
        means[r] = beta.T @ x / counts[r][:, np.newaxis]
    covariances = np.broadcast_to(total, (n_starts, K, *total.shape)).copy()
    return Parameters.factored(counts / counts.sum(axis=1, keepdims=True), means, covariances)


def _require_shape(name: str, array: FloatArray, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, but {shape} is needed.")


def _inverted(Lambda: FloatArray, covariance_type: str, K: int, d: int) -> FloatArray:
    """The covariances (K, d, d) of precisions, which must be positive definite."""
    if covariance_type == "full":
        matrices = Lambda
    elif covariance_type == "tied":
        matrices = np.repeat(Lambda[np.newaxis], K, axis=0)
    else:
        diagonals = Lambda if covariance_type == "diag" else np.repeat(Lambda[:, None], d, axis=1)
        matrices = diagonals[:, :, np.newaxis] * np.eye(d)
    for j, matrix in enumerate(matrices):
        scale = np.sqrt(np.abs(np.diag(matrix)))
        if (np.abs(matrix - matrix.T) > 1e-10 * np.outer(scale, scale)).any():
            raise ValueError(
                f"precisions_init: the precision of component {j} (counting from 0) is not "
                f"symmetric. Pass (P + P.T) / 2 if that is rounding."
            )
        if not is_positive_definite(matrix):
            smallest = float(np.linalg.eigvalsh(matrix)[0])
            raise ValueError(
                f"precisions_init: the precision of component {j} (counting from 0) is not "
                f"positive definite: its smallest eigenvalue is {smallest:g}. "
                f"Pass the inverse of a covariance."
            )
    unit = np.sqrt(np.diagonal(matrices, axis1=1, axis2=2))
    outer = unit[:, :, np.newaxis] * unit[:, np.newaxis]
    Sigma = np.linalg.inv(matrices / outer) / outer
    return np.asarray((Sigma + Sigma.swapaxes(1, 2)) / 2)
