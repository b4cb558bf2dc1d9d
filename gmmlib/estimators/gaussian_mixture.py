"""scikit-learn's face of the engine: what the user hands in and gets back, no mathematics."""

import contextlib
import copy
import numbers
import reprlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn import get_config
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.exceptions import ConvergenceWarning as PeersConvergenceWarning
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from gmmlib import errors
from gmmlib.distributed import is_collection
from gmmlib.engine import Blocks, Observations, Threads, current, one_blas_thread
from gmmlib.engine.blocks import as_sample_weight, block_size, in_blocks
from gmmlib.engine.frame import FloatRows
from gmmlib.engine.threads import with_one_blas_thread
from gmmlib.errors import warn
from gmmlib.estimators.attributes import (
    NAMES,
    Known,
    attributes_of,
    changed,
    mixture_of,
    prepared,
)
from gmmlib.fitting import Given, best_fit
from gmmlib.fitting.policy import INIT_PARAMS, Fitted, InitParams
from gmmlib.guards import require_member
from gmmlib.mixture import Mixture
from gmmlib.models import FAMILIES, CovarianceType, Family, family_of
from gmmlib.validation import (
    FloatArray,
    as_floats,
    as_n_components,
    as_weights,
    counted,
    is_positive_definite,
)


class ConvergenceWarning(errors.ConvergenceWarning, PeersConvergenceWarning):  # type: ignore[misc]
    """gmmlib's, and scikit-learn's too: a filter for either one finds it."""


class GaussianMixture(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """A Gaussian mixture fitted by EM, with scikit-learn's interface.

    It takes the place of ``sklearn.mixture.GaussianMixture``, and differs on purpose in this:

    - ``n_init`` is 20, and the starts are short runs of three kinds on some of the observations;
      from the best of them components are moved to where they help more (``init_params``), and
      what is found is carried to convergence on all observations. With ``n_init=1`` there is one
      start and no move. A start whose component shrinks to a spike on a few points is left
      (:func:`gmmlib.fitting.is_spike`).
    - ``tol`` is the estimated distance to the fixed point, not the last gain of the likelihood,
      which may be small long before the end. The steps are extrapolated, and ℓ never falls by
      more than rounding (with ``reg_covar`` above 0, EM itself gives no such promise).
    - ``reg_covar`` adds nothing by default: the parameters are those of maximum likelihood. Only
      where the data do not spread in every direction (a constant column, no more rows than
      columns), or where every start ends with a component that has no spread, is a millionth of
      each variance added, with a warning.
    - ``weights_``, ``means_`` and ``covariances_`` are those that ``lower_bound_`` belongs to.
    - Components come by decreasing weight, unless ``means_init`` gives them an order.
    - ``fit`` takes ``sample_weight``, and X may be a function that yields blocks, or a Dask array
      or data frame, whose chunks stay where they are.

    Parameters
    ----------
    n_components : int
        K.
    covariance_type : 'full', 'tied', 'diag', 'spherical', or one of mclust's names
        One covariance for each component; one that all share; only variances; one variance each.
        Or three letters, such as 'VEV', for volume, shape and orientation: equal in all components
        (E), varying (V), or of the identity (I); on the line 'E' and 'V'. 'VVV', 'EEE', 'VVI' and
        'VII' are the four.
    tol : float
        Stop when the fixed point is estimated to be this near, in units of each component's own
        weight, standard deviation and covariance (:func:`gmmlib.fitting.distance`). 0 goes on
        until nothing changes, or ``max_iter`` is reached.
    reg_covar : float or None
        Added to every variance, in the units of the data squared. None adds nothing, or what is
        needed, see above; with 0 there is an error where something is needed.
    max_iter : int
        Steps of the last run. 0 gives the first start as it is.
    n_init : int
        How many starts; in a search, how many of the first kind, with half as many of each other.
        Fewer, but at least two, where so many mixtures would have millions of numbers. With
        ``means_init`` there is one.
    init_params : 'search', 'k-means++', 'kmeans', 'random' or 'random_from_data'
        How the starts are made. 'search' takes three kinds: centres drawn far from one another
        with one covariance, k-means and observations at random with the covariance of each
        cluster; and from the best of them it moves components from where they are needed least to
        where they help most, as long as that leads higher. The others are one kind each, without
        such moves: centres drawn far from one another; k-means from such centres; responsibilities
        at random; observations at random as centres.
    init_size : int or None
        How many of the observations the starts may see, drawn at random. None takes 8192, or more
        for many components or columns. At least four times as many are taken as fix the
        covariances; and the usual number, if those drawn do not spread in every direction.
    weights_init : (K,) or None
    means_init : (K, d) or None
        What is not given with them comes from the observations nearest to each.
    precisions_init : (K, d, d), (d, d), (K, d) or (K,), by ``covariance_type``; or None
        (K,) for balls, (K, d) for other diagonal covariances, (d, d) for 'tied' and 'EEE'. In place
        of what the starts would have.
    random_state : int, RandomState or None
        The same int gives the same result.
    warm_start : bool
        Start from the last fit, if there is one.
    verbose : int
        Above 0, show a progress bar with ℓ and the distance.
    verbose_interval : int
        Steps between two looks at it; ten a second are drawn at most.

    Attributes
    ----------
    weights_ : (K,)
    means_ : (K, d)
    covariances_, precisions_, precisions_cholesky_ : shapes as ``precisions_init``
    converged_ : bool
    n_iter_ : int
        Steps of the last run.
    lower_bound_ : float
        ℓ per observation.
    lower_bounds_ : list of float
        Of every mixture that the last run kept.
    log_likelihoods_ : array of float
        The same, as sums over the observations.
    mixture_ : Mixture
        The same mixture as a record, in double precision.
    n_features_in_, feature_names_in_ : as everywhere in scikit-learn

    The parameters, weights_ to precisions_cholesky_, are the model: whoever sets or changes them
    has another one. Of covariances and precisions it is enough to set one kind; if several are set,
    they must agree. They come in the precision of X, float32 or float64.

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
        init_params: InitParams = "search",
        init_size: int | None = None,
        weights_init: Any = None,
        means_init: Any = None,
        precisions_init: Any = None,
        random_state: Any = None,
        warm_start: bool = False,
        verbose: int = 0,
        verbose_interval: int = 10,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.init_size = init_size
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.verbose_interval = verbose_interval

    @classmethod
    def from_mixture(
        cls, mixture: Mixture, covariance_type: CovarianceType = "full", **options: Any
    ) -> Self:
        """An estimator that has this mixture, as if it had been fitted.

        Parameters
        ----------
        mixture : Mixture
        covariance_type : str
            As in the class.
        options
            Further parameters of the estimator.

        Raises
        ------
        ValueError
            If the mixture's covariances are not of that type.

        >>> from gmmlib import Mixture
        >>> line = Mixture.univariate([0.5, 0.5], [0, 4], [1, 1])
        >>> GaussianMixture.from_mixture(line, "tied").predict([[1.0], [3.0]])
        array([0, 1])
        """
        model = cls(mixture.n_components, covariance_type=covariance_type, **options)
        family = family_of(covariance_type)
        require_member(mixture, family)
        model.n_features_in_ = mixture.n_features
        model._take(mixture, np.float64)
        return model

    @classmethod
    def from_fitted(cls, other: Any, **options: Any) -> Self:
        """An estimator with the parameters of another one, such as scikit-learn's.

        Parameters
        ----------
        other : fitted estimator
            With covariance_type, weights_, means_ and covariances_.
        options
            Further parameters of the new estimator.

        Raises
        ------
        NotFittedError
            If it is not fitted.
        """
        check_is_fitted(other)
        model = cls(len(other.weights_), covariance_type=other.covariance_type, **options)
        for name in ("weights_", "means_", "covariances_"):
            setattr(model, name, getattr(other, name))
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(other, name):
                setattr(model, name, getattr(other, name))
        model._take(model.mixture_, np.asarray(other.means_).dtype)
        return model

    def reordered(self, key: Any) -> Self:
        """The same fitted estimator with its components in another order.

        Parameters
        ----------
        key : (K,), or a function of the mixture that gives (K,)
            The component with the smallest comes first.

        >>> X = np.array([[0.9], [0.7], [1.2], [2.4], [1.8]])
        >>> model = GaussianMixture(2, covariance_type="tied", random_state=0).fit(X)
        >>> model.reordered(lambda mixture: -mixture.means[:, 0]).means_.round(1)
        array([[2.1],
               [0.9]])
        """
        mixture = self.mixture_
        values = as_floats(key(mixture) if callable(key) else key, "key")
        _require_shape("key", values, (mixture.n_components,))
        other = copy.copy(self)
        order = np.argsort(values, kind="stable")
        other._take(mixture.reordered(order.tolist()), np.asarray(self.means_).dtype)
        return other

    # --- fitting ----------------------------------------------------------------------------------

    @with_one_blas_thread
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Estimate the mixture. If that fails, the estimator is as it was before.

        Parameters
        ----------
        X : (n, d), a function, or a Dask array or data frame
            Float64 or float32 in any order, also a memmap, is read where it lies. A function is
            called for each pass and returns the blocks of rows (m, d) one after another, or pairs
            of rows and their weights (m,). The chunks of a Dask collection (extra ``dask``) stay on
            the workers of the current ``distributed.Client``, or are computed by Dask's threads;
            parameters and sums travel, and the result is that of the same rows in memory. A chunk
            that is not in memory is made again in each pass: call ``X.persist()`` if they fit.
        y : ignored
        sample_weight : (n,) or None
            How often each observation counts: 2 is as if it stood there twice, 0 leaves it out.
            For Dask's collections also a Dask array or series.

        Raises
        ------
        CollapseError
            If every start ends with a component that has no spread, and nothing else helps, or
            ``reg_covar`` is 0.
        TypeError, ValueError
            For bad data, or options out of range.
        ConnectionError
            If a cluster is lost.

        Warns
        -----
        ConvergenceWarning
            If ``max_iter`` steps were not enough, or only spikes were found.
        UserWarning
            If something had to be added to the variances, or other starts to be taken.

        Book: alg-engine.
        """
        self._check_options()
        blocks, found, dtype = self._observed(X, sample_weight)
        as_n_components(self.n_components, blocks.n_rows)
        if blocks.n_rows == 1:
            raise ValueError("X has 1 sample: one observation has no spread. Bring more data.")
        if not self.reg_covar and not blocks.has_distinct_rows(self.n_components):
            raise ValueError(
                f"n_components is {self.n_components}, but X has fewer different rows (of weight "
                f"above 0). Ask for fewer components: two equal means never part under EM."
            )
        found["n_features_in_"] = blocks.n_features
        if blocks.names is not None:
            found["feature_names_in_"] = np.array(blocks.names, dtype=object)
        start = self._last_fit(blocks.n_features)
        found_here = best_fit(
            blocks,
            self.n_components,
            self.covariance_type,
            tol=self.tol,
            max_iter=self.max_iter,
            n_init=self.n_init,
            init_params=self.init_params,
            init_size=self.init_size,
            given=self._given(blocks.n_features),
            start=start,
            reg_covar=self.reg_covar,
            rng=None if start else self._generator(),
            verbose=self.verbose_interval if self.verbose else 0,
            category=ConvergenceWarning,
        )
        self._keep(found_here, blocks.total_weight, found, dtype)
        self._was_weighted = sample_weight is not None
        return self

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> npt.NDArray[np.intp]:
        """:meth:`fit`, then :meth:`predict` of the same X."""
        return self.fit(X, y, sample_weight).predict(X)

    def _observed(
        self, X: Any, sample_weight: Any
    ) -> tuple[Observations, dict[str, Any], npt.DTypeLike]:
        """The data as the engine sees them, what is kept of their columns, and their precision."""
        found = self._validated(X)
        rows = found.pop("rows")
        if is_collection(X):
            from gmmlib.distributed.chunks import Chunks
            from gmmlib.distributed.collections import Collection
            from gmmlib.distributed.scheduler import Scheduler

            scheduler = Scheduler.current()
            chunks = Collection.of(X, sample_weight, scheduler)
            return Chunks.of(chunks, scheduler, bool(self.verbose)), found, chunks.dtype
        blocks = Blocks.of(rows, sample_weight)
        return blocks, found, getattr(rows, "dtype", np.float64)

    def _generator(self) -> np.random.Generator:
        return np.random.default_rng(check_random_state(self.random_state).randint(2**31))

    def _last_fit(self, d: int) -> Mixture | None:
        """Where a warm start goes on from; None without one."""
        if not (self.warm_start and hasattr(self, "mixture_")):
            return None
        mixture: Mixture = self.mixture_
        if mixture.means.shape != (self.n_components, d):
            raise ValueError(
                f"warm_start: the last fit has means of shape {mixture.means.shape}, "
                f"but {(self.n_components, d)} are asked for now. "
                f"Set warm_start=False, or fit a new estimator."
            )
        return mixture

    def _given(self, d: int) -> Given:
        """weights_init, means_init and the covariances of precisions_init, checked."""
        K, family = self.n_components, family_of(self.covariance_type)
        weights = means = covariances = None
        if self.weights_init is not None:
            weights = as_weights(self.weights_init)
            _require_shape("weights_init", weights, (K,))
            if not (weights > 0).all():
                raise ValueError(
                    f"weights_init is 0 for component {int(np.argmin(weights))} (counting from 0). "
                    f"Give each a weight above 0: without one it never gets an observation."
                )
        if self.means_init is not None:
            means = as_floats(self.means_init, "means_init")
            _require_shape("means_init", means, (K, d))
        if self.precisions_init is not None:
            Lambda = as_floats(self.precisions_init, "precisions_init")
            _require_shape("precisions_init", Lambda, family.shape(K, d))
            single = getattr(self.precisions_init, "dtype", None) == np.float32
            covariances = _inverted(family.kept(Lambda, K, d), family, 1e-5 if single else 1e-10)
        if means is not None:
            together = [means]
            if covariances is not None and not family.shared:
                together.append(covariances.reshape(K, -1))
            _require_different(np.hstack(together))
        return Given(weights, means, covariances)

    def _keep(self, fitted: Fitted, total_weight: float, found: dict[str, Any], dtype: Any) -> None:
        if "feature_names_in_" not in found and hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        for name, value in found.items():
            setattr(self, name, value)
        self._take(fitted.mixture, np.float32 if dtype == np.float32 else np.float64)
        run = fitted.run
        self.converged_ = run.converged
        self.n_iter_ = run.n_iter
        self.log_likelihoods_ = np.array(run.log_likelihoods)
        self.lower_bounds_ = (self.log_likelihoods_ / total_weight).tolist()
        self.lower_bound_ = self.lower_bounds_[-1]

    def _take(self, mixture: Mixture, dtype: Any) -> None:
        """Have this mixture, and its parameters as attributes."""
        made = attributes_of(mixture, family_of(self.covariance_type), dtype)
        for name, array in made.items():
            setattr(self, name, array)
        self._known = Known(mixture, {name: array.copy() for name, array in made.items()})

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        known = state.get("_known")
        if known is not None:
            complete = all(name in state for name in NAMES) and not changed(state, known)
            before = None if complete else known.before  # not twice the same in a file
            state["_known"] = known.mixture, before
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "_known" in state:
            mixture, before = state["_known"]
            if before is None:
                before = {name: getattr(self, name).copy() for name in NAMES}
            self._known = Known(mixture, before)

    @property
    def mixture_(self) -> Mixture:
        """The mixture that the attributes are; the fitted one, while they are as fit left them."""
        now = {name: getattr(self, name) for name in NAMES if hasattr(self, name)}
        if not now:
            raise NotFittedError(
                "This GaussianMixture instance is not fitted yet. Call fit, or from_mixture."
            )
        return mixture_of(now, getattr(self, "_known", None), family_of(self.covariance_type))

    # --- what a fitted mixture says about data ----------------------------------------------------

    def predict(self, X: Any) -> npt.NDArray[np.intp]:
        """The component with the largest responsibility for each observation, (n,)."""
        if is_collection(X):
            return self._lazily(X, "predict", None, np.intp)
        return np.asarray(self._for_each(X, lambda L, _: L.argmax(axis=0)))

    def predict_proba(self, X: Any) -> FloatArray:
        """The responsibilities, (n, K).

        Book: eq-responsibilities.
        """
        if is_collection(X):
            return self._lazily(X, "predict_proba", len(self.mixture_.weights), np.float64)
        return np.asarray(self._for_each(X, lambda L, _: _shares(L)[0].T))

    def score_samples(self, X: Any) -> FloatArray:
        """log p(x_i), (n,), in natural logarithms.

        Book: eq-log-sum-exp.
        """
        if is_collection(X):
            return self._lazily(X, "score_samples", None, np.float64)
        return np.asarray(self._for_each(X, lambda L, _: _shares(L)[1]))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """The mean of log p(x_i), by weight.

        X is (n, d) or a function that yields blocks, as in :meth:`fit`: data frames need the
        columns of fit, whole or in blocks, or there is a ``ValueError``.
        ``sample_weight`` is (n,) or None, as in :meth:`fit`. After a fit with weights there is a
        warning without them: then each row counts once.
        """
        log_likelihood, weight = self._log_likelihood(X, sample_weight)
        return log_likelihood / weight

    def bic(self, X: Any, sample_weight: Any = None) -> float:
        """The Bayesian information criterion, -2 ℓ + (number of parameters) log n.

        With ``sample_weight``, see :meth:`score`, ℓ is the weighted sum and n that of the weights.
        """
        log_likelihood, weight = self._log_likelihood(X, sample_weight)
        return float(-2 * log_likelihood + self._n_parameters() * np.log(weight))

    def aic(self, X: Any, sample_weight: Any = None) -> float:
        """Akaike's information criterion, -2 ℓ + 2 (number of parameters); see :meth:`bic`."""
        return -2 * self._log_likelihood(X, sample_weight)[0] + 2 * self._n_parameters()

    def sample(
        self, n_samples: int = 1, random_state: Any = None
    ) -> tuple[FloatArray, npt.NDArray[np.intp]]:
        """Points and the components they are from, as :meth:`gmmlib.mixture.Mixture.sample`.

        ``random_state`` in place of the estimator's own: an int, RandomState or None.
        """
        mixture = self.mixture_
        state = self.random_state if random_state is None else random_state
        return mixture.sample(n_samples, int(check_random_state(state).randint(2**31)))

    def _n_parameters(self) -> int:
        K, d = self.mixture_.means.shape
        return int(K - 1 + K * d + family_of(self.covariance_type).n_parameters(K, d))

    def _on_blocks(
        self, function: Callable[..., Any], rows: Any, weights: FloatArray | None = None
    ) -> Iterator[Any]:
        """``function`` of log α_j + log g_j(x_i), (K, m), and the weights of each block, in order.

        Several blocks are shared out among threads.
        """
        mixture = self.mixture_
        known = getattr(self, "_known", None)
        frame, p = (known.prepared if known else prepared)(mixture, self.covariance_type)
        d = mixture.n_features
        backend = current()

        def on_block(item: tuple[int, FloatRows, FloatArray | None]) -> Any:
            first, block, w = item
            with np.errstate(over="ignore", invalid="ignore"):
                L = backend.log_joints(backend.load(block, frame), p) - frame.log_volume
            if not np.isfinite(L.max(axis=0)).all():
                raise ValueError(_no_density(L, block, first))
            return function(L, w)

        numbered = _numbered(in_blocks(rows, weights, self._check_names), d)
        if not callable(rows) and len(rows) <= block_size(d):
            yield from map(on_block, numbered)
            return
        threads = Threads()
        work = np.inf if callable(rows) else float(len(rows) * p.W[0].size)
        try:
            with one_blas_thread():
                yield from threads.map(on_block, numbered, work)
        finally:
            threads.close()

    def _check_names(self, rows: Any) -> None:
        """Raise or warn, in scikit-learn's words, where the columns are not those of fit."""
        validate_data(self, rows, reset=False, skip_check_array=True, ensure_2d=False)

    def _for_each(self, X: Any, function: Callable[..., Any]) -> Any:
        self._require_fitted()
        if callable(X) and not hasattr(X, "__array__"):
            raise TypeError(
                "a function that yields blocks is for fit, score, aic and bic. "
                "Call this for one block at a time."
            )
        rows = X if self._is_plain(X) else self._validated(X, reset=False)["rows"]
        parts = list(self._on_blocks(function, rows))
        return np.ascontiguousarray(parts[0]) if len(parts) == 1 else np.concatenate(parts)

    def _require_fitted(self) -> None:
        if not hasattr(self, "_known"):  # what fit leaves; who sets the attributes has it not
            check_is_fitted(self)

    def _is_plain(self, X: Any) -> bool:
        """Whether X is what it would be after scikit-learn's checks, which take longer than a row.

        There is nothing to check in an array of floats with as many columns as in fit, except
        for what is checked in every block.
        """
        return (
            type(X) is np.ndarray
            and X.dtype in (np.float64, np.float32)
            and X.ndim == 2
            and len(X) > 0
            and X.shape[1] == getattr(self, "n_features_in_", None)
            and not hasattr(self, "feature_names_in_")
        )

    def _lazily(self, X: Any, method: str, columns: int | None, dtype: Any) -> npt.NDArray[Any]:
        """What a method gives for the rows of a Dask collection, as a Dask array."""
        check_is_fitted(self)
        self._validated(X, reset=False)
        from gmmlib.distributed.prediction import lazily

        found: npt.NDArray[Any] = lazily(self._bare(), X, method, columns, dtype)
        return found

    def _bare(self) -> Self:
        """An estimator with this mixture, as it is now, and nothing else: it travels."""
        return type(self).from_mixture(self.mixture_, self.covariance_type)

    def _log_likelihood(self, X: Any, sample_weight: Any) -> tuple[float, float]:
        self._require_fitted()
        rows, weights = self._validated(X, reset=False)["rows"], None
        if sample_weight is not None and not is_collection(X):
            if callable(rows):
                raise ValueError(
                    "sample_weight cannot be combined with a function that yields blocks. "
                    "Yield pairs instead: (rows, weights)."
                )
            weights = as_sample_weight(sample_weight, len(rows))
        elif sample_weight is None and getattr(self, "_was_weighted", False) and not callable(rows):
            warn(
                "the mixture was fitted with sample_weight, and here each row of X counts once. "
                "Pass sample_weight; or 1, if that is meant.",
                UserWarning,
            )
        if is_collection(X):
            from gmmlib.distributed.collections import Collection
            from gmmlib.distributed.prediction import log_likelihood
            from gmmlib.distributed.scheduler import Scheduler

            scheduler = Scheduler.current()
            return log_likelihood(
                self._bare(), Collection.of(X, sample_weight, scheduler), scheduler
            )
        total, weight = 0.0, 0.0
        for part, w in self._on_blocks(_summed, rows, weights):
            total += part
            weight += w
        if not weight > 0:
            raise ValueError("the function given as X yielded no rows of weight above 0.")
        return total, weight

    # --- what the user handed in ------------------------------------------------------------------

    def _validated(self, X: Any, reset: bool = True) -> dict[str, Any]:
        """The rows, and what scikit-learn keeps of a data frame's columns."""
        probe = copy.copy(self) if reset else self  # a fit that fails must not change it
        if is_collection(X):
            from gmmlib.distributed.collections import empty, require_table

            require_table(X)
            X = empty(X)
            validate_data(probe, X, reset=reset, skip_check_array=True)
            return {"rows": X, **self._names_found(probe, reset)}
        if callable(X) and not hasattr(X, "__array__"):
            return {"rows": X}
        X = _plain(X)
        mapped = isinstance(X, np.memmap) and X.ndim == 2 and X.dtype in (np.float64, np.float32)
        if mapped and X.size:  # not read twice, and not held in memory
            validate_data(probe, X, reset=reset, skip_check_array=True)
            return {"rows": X}
        with np.errstate(over="ignore"):  # a long double may become infinite, which is reported
            rows = validate_data(
                probe, X, reset=reset, dtype=[np.float64, np.float32], ensure_all_finite=False
            )
        return {"rows": rows, **self._names_found(probe, reset)}

    def _names_found(self, probe: Any, reset: bool) -> dict[str, Any]:
        """The columns' names that a check has left on the probe."""
        found = reset and hasattr(probe, "feature_names_in_")
        return {"feature_names_in_": probe.feature_names_in_} if found else {}

    def _check_options(self) -> None:
        counts = (("n_components", 1), ("max_iter", 0), ("n_init", 1), ("verbose_interval", 1))
        for name, low in counts:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < low:
                raise ValueError(f"{name} is {value!r}. Pass a whole number from {low} up.")
        if self.init_size is not None:
            value = self.init_size
            whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
            if not whole or value < self.n_components:
                raise ValueError(
                    f"init_size is {value!r}. Pass None, or a whole number of observations, "
                    f"at least n_components={self.n_components}."
                )
        for name in ("tol", "reg_covar"):
            value = getattr(self, name)
            if name == "reg_covar" and value is None:
                continue
            real = isinstance(value, numbers.Real) and not isinstance(value, bool)
            if not real or not 0 <= value < np.inf:
                raise ValueError(f"{name} is {value!r}. Pass a number from 0 up.")
        if not isinstance(self.warm_start, (bool, np.bool_)):
            raise ValueError(f"warm_start is {self.warm_start!r}. Pass True or False.")
        for name, choices in (
            ("covariance_type", tuple(FAMILIES)),
            ("init_params", INIT_PARAMS),
        ):
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}. "
                    f"Choose one of {', '.join(map(repr, choices))}."
                )


def _numbered(
    blocks: Iterable[tuple[FloatRows, FloatArray | None]], d: int
) -> Iterator[tuple[int, FloatRows, FloatArray | None]]:
    """The blocks, each with how many rows come before it. Raises ``ValueError`` for other d."""
    first = 0
    for block, w in blocks:
        if block.shape[1] != d:  # only where a function yields them
            raise ValueError(
                f"X yields {counted(block.shape[1], 'column', 'columns')}, but the mixture has "
                f"{counted(d, 'dimension', 'dimensions')}. Yield the columns of fit."
            )
        yield first, block, w
        first += len(block)


def _shares(L: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Responsibilities (K, m), in place of L, and log p(x_i), (m,). Book: eq-log-sum-exp."""
    top = L.max(axis=0)
    L -= top
    np.exp(L, out=L)
    total = L.sum(axis=0)
    L /= total
    return L, top + np.log(total)


def _summed(L: FloatArray, w: FloatArray | None) -> tuple[float, float]:
    """Σ_i w_i log p(x_i), and Σ_i w_i."""
    log_density = _shares(L)[1]
    if w is None:
        return float(log_density.sum()), float(len(log_density))
    return float(w @ log_density), float(w.sum())


def _no_density(L: FloatArray, block: FloatRows, first: int) -> str:
    """Which observation has none, and why."""
    i = int(np.argmin(np.isfinite(L.max(axis=0))))
    what = "NaN or infinite" if not np.isfinite(block[i]).all() else "too far away"
    return (
        f"observation {first + i} is {what} for a density: {reprlib.repr(block[i])}. "
        f"Leave it out, or check its units."
    )


def _plain(X: Any) -> Any:
    """X as it is; what scikit-learn would take for numbers, or report less well, raises here."""
    of_another = hasattr(X, "__array_namespace__") or type(X).__module__.startswith("torch")
    if of_another and not isinstance(X, np.ndarray) and get_config()["array_api_dispatch"]:
        name = f"{type(X).__module__.partition('.')[0]}.{type(X).__name__}"
        raise TypeError(
            f"X is a {name}, and scikit-learn's array_api_dispatch is on: this estimator computes "
            f"with NumPy. Pass np.asarray(X) (from a GPU, after moving it to the CPU)."
        )
    if isinstance(X, (list, tuple)):
        try:
            X = np.asarray(X)
        except ValueError:  # ragged
            return as_floats(X, "X")
    if isinstance(X, Iterable) and not _is_table(X):
        raise TypeError(
            f"X is a {type(X).__name__}, which can be gone through but is no table, and EM goes "
            f"through the data many times. Pass a function that starts anew each time: "
            f"fit(lambda: blocks()), or fit(lambda: loader)."
        )
    dtype = getattr(X, "dtype", None)
    text_or_time = isinstance(dtype, np.dtype) and dtype.kind in "SUmMV"
    if text_or_time or isinstance(X, (np.ma.MaskedArray, Iterator)):
        return as_floats(X, "X")
    if isinstance(X, np.ndarray) and X.dtype.kind == "O":
        with contextlib.suppress(TypeError):  # scikit-learn's own words for what is no number
            as_floats(X, "X")
    return X


def _is_table(X: Any) -> bool:
    """Whether NumPy or scikit-learn can make an array of it."""
    known = ("__array__", "__array_interface__", "__array_namespace__", "__dataframe__", "shape")
    return isinstance(X, (list, tuple, str, bytes, dict, set, frozenset)) or any(
        hasattr(X, name) for name in known
    )


_NO_PRECISION = (
    "precisions_init: the precision of component {} (counting from 0) is not positive definite: "
    "its smallest eigenvalue is {:g}. Pass the inverse of a covariance."
)


def _require_different(together: FloatArray) -> None:
    """Raise ``ValueError`` where two components start with the same means and covariances."""
    first: dict[bytes, int] = {}
    for j, row in enumerate(np.add(together, 0.0, order="C")):  # -0.0 becomes 0.0
        k = first.setdefault(row.tobytes(), j)
        if j != k:
            raise ValueError(
                f"means_init has the same values in the rows {k} and {j}: two components with "
                f"equal means and covariances never part under EM. Pass different rows."
            )


def _require_shape(name: str, array: FloatArray, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, but {shape} is needed.")


def _inverted(matrices: FloatArray, family: Family, rounding: float) -> FloatArray:
    """The covariances of precisions, which must be positive definite, as the family keeps them."""
    if family.diagonal:
        for j, row in enumerate(matrices):
            if not (row > 0).all():
                raise ValueError(_NO_PRECISION.format(j, row.min()))
        with np.errstate(over="ignore"):  # Given says what is out of range
            return np.asarray(1 / matrices)
    for j, matrix in enumerate(matrices):
        scale = np.sqrt(np.abs(np.diag(matrix)))
        if (np.abs(matrix - matrix.T) > rounding * np.outer(scale, scale)).any():
            raise ValueError(
                f"precisions_init: the precision of component {j} (counting from 0) is not "
                f"symmetric. Pass (P + P.T) / 2 if that is rounding."
            )
        if not is_positive_definite(matrix):
            raise ValueError(_NO_PRECISION.format(j, float(np.linalg.eigvalsh(matrix)[0])))
    unit = np.sqrt(np.diagonal(matrices, axis1=1, axis2=2))
    outer = unit[:, :, np.newaxis] * unit[:, np.newaxis]
    with np.errstate(over="ignore"):
        Sigma = np.linalg.inv(matrices / outer) / outer
    return np.asarray((Sigma + Sigma.swapaxes(1, 2)) / 2)
