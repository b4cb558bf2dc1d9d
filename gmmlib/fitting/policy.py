"""The whole way from data to a mixture, and its policy."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from gmmlib.engine import Blocks, Engine, Observations, Parameters
from gmmlib.errors import CollapseError, ConvergenceWarning, warn
from gmmlib.fitting.fixed_point import Run, converge
from gmmlib.fitting.heats import Anew, is_spike, races
from gmmlib.fitting.moves import climbed
from gmmlib.initialization.clusters import (
    Given,
    k_means,
    random_responsibilities,
    starting_points,
)
from gmmlib.mixture import Mixture
from gmmlib.models import MCLUST_TYPES, Family, family_of
from gmmlib.validation import FloatArray, counted

InitParams = Literal["search", "k-means++", "kmeans", "random", "random_from_data"]
INIT_PARAMS = ("search", "k-means++", "kmeans", "random", "random_from_data")

_RIDGE = 1e-6
_DIGITS = 9  # of weights: a fit that has converged has no fewer
_RACED_ON = 2**13  # observations on which the starts run before the best goes on to all of them
_Kind = Literal["first", "race", "search"]  # how far the starts are followed before one is chosen
_PASSES_EACH = 300  # for each start: what a search may take, up to so many components
_FEW = 10
_NARROW = 16  # and columns; with more a pass costs more, and the search has fewer
_HELD = 2**22  # numbers in the starts of one kind: 32 MiB
_FAR_UNITS = 1e4  # the largest column by the smallest: squared, eight of sixteen digits are gone
_ROUNDS = 20  # of k-means, in a start
_ROWS_EACH = 64  # of these for each component, at least


@dataclass(frozen=True, eq=False)
class Fitted:
    """What :func:`best_fit` returns: the mixture, and the run that led to it.

    Attributes
    ----------
    mixture : Mixture
    run : Run
    """

    mixture: Mixture
    run: Run


def best_fit(
    blocks: Observations,
    n_components: int,
    family: str | Family = "full",
    *,
    tol: float = 1e-7,
    max_iter: int = 1000,
    n_init: int = 20,
    init_params: InitParams = "search",
    init_size: int | None = None,
    given: Given | None = None,
    start: Mixture | None = None,
    reg_covar: float | None = None,
    rng: np.random.Generator | None = None,
    verbose: int = 0,
    category: type[ConvergenceWarning] = ConvergenceWarning,
) -> Fitted:
    """Fit a mixture: ``n_init`` short runs on some of the data, the best to its fixed point on all.

    Parameters
    ----------
    blocks : Observations
    n_components : int
    family : Family, or its name
    tol, max_iter
        See :func:`gmmlib.fitting.converge`.
    n_init : int
        How many starts; one where ``given`` has means.
    init_params : 'search', 'k-means++', 'kmeans', 'random' or 'random_from_data'
    init_size : int or None
        How many of the observations the starts see; None takes 8192, or more for many components
        or columns.
    given : Given or None
        In place of what the starts would have.
    start : Mixture or None
        Go on from here, with no other start.
    reg_covar : float or None
        See :func:`ridge`.
    rng : Generator or None
        Draws the starts.
    verbose : int
        Show a progress bar, and look at it every so many steps; 0 shows none.
    category : subclass of ConvergenceWarning
        What is warned with.

    Returns
    -------
    Fitted
        The components by decreasing weight, unless ``given`` or ``start`` has an order.

    Raises
    ------
    CollapseError
        If every start ends with a component that has no spread, and nothing else helps.
    ValueError
        If the data do not spread in every direction and ``reg_covar`` is 0.

    Warns
    -----
    ConvergenceWarning
        If ``max_iter`` steps were not enough, or only spikes were found.
    UserWarning
        If a ridge was needed. If every start ended with a component that has no spread, and
        another way had to be taken: first random responsibilities, then, without ``reg_covar``, a
        ridge of a millionth of each variance. With ``reg_covar=0`` there is no other way.

    Book: alg-engine, sec-many-starts.
    """
    family, given = family_of(family), given or Given()
    if family.one_column and blocks.n_features > 1:
        raise ValueError(
            f"covariance_type {family.name!r} is for data with one column, and X has "
            f"{blocks.n_features}. Choose one of {', '.join(map(repr, MCLUST_TYPES))}."
        )
    _require_near_units(blocks, family)
    added, needed = ridge(blocks, family, reg_covar)
    if needed:
        warn(needed, UserWarning)
    rng = rng or np.random.default_rng()
    kind: _Kind = "race" if max_iter > 0 else "first"
    if init_params == "search" and max_iter > 0:
        kind = "search"
    is_free = start is None and given.means is None and n_components > 1 and max_iter > 0
    is_alone = start is None and given.is_nothing and max_iter > 0 and family.linear
    ways = [(init_params, added)]
    if is_free and init_params != "random" and reg_covar != 0:
        ways.append(("random", added))
    if reg_covar is None and not needed:
        ways.append((init_params, _RIDGE * blocks.variances * blocks.scale**2))
    collapses: list[CollapseError] = []
    for way, floor in ways:
        try:
            with Engine(blocks, family, floor) as engine:
                candidates: Iterable[Parameters]
                if n_components == 1 and is_alone:
                    run, only_spikes = _one_gaussian(engine), False
                    break
                if start is not None:
                    candidates = [Parameters.of([start], family, blocks.frame)]
                else:
                    asked = (n_components, n_init, way, init_size, kind)
                    candidates = _candidates(engine, *asked, given, floor, rng, verbose)
                run, only_spikes = _best_run(engine, candidates, tol, max_iter, verbose)
        except CollapseError as error:
            collapses.append(error)
        else:
            break
    else:
        raise collapses[0]
    if collapses:
        warn(_fell_back(ways[: len(collapses) + 1], n_init if is_free else 1), UserWarning)
    if only_spikes:
        warn(
            "every start ended with a component that is a spike on a few observations. "
            "Ask for fewer components, choose covariance_type='tied', or set reg_covar.",
            category,
        )
    if not run.converged and tol > 0 and max_iter > 0:
        warn(
            f"did not converge in {counted(run.n_iter, 'step', 'steps')}: the fixed point is "
            f"still about {run.distance:.1e} away, and tol is {tol:g}. Raise max_iter, "
            f"or go on with warm_start=True.",
            category,
        )
    last = run.parameters
    if given.means is None and start is None:
        last = last.reordered(_by_weight(last))
    return Fitted(last.mixture(0, blocks.frame), run)


def _by_weight(p: Parameters) -> npt.NDArray[np.intp]:
    """The heaviest component first; of weights that are equal but for rounding, the lower mean."""
    return np.lexsort((p.means[0, :, 0], -np.round(p.weights[0], _DIGITS)))


def _require_near_units(blocks: Observations, family: Family) -> None:
    """Raise ``ValueError`` where axes are looked for in units too far apart for their digits."""
    sd = (np.sqrt(blocks.variances) * blocks.scale)[~blocks.constant]
    if family.turned and len(sd) and not sd.max() <= _FAR_UNITS * sd.min():
        raise ValueError(
            f"covariance_type {family.name!r} looks for axes in the units of the data, and the "
            f"standard deviations of the columns reach from {sd.min():.2g} to {sd.max():.2g}. "
            f"Scale the columns, or choose a type for which units do not matter, such as 'VEE', "
            f"'EVV' or 'VVV'."
        )


def _fell_back(ways: list[tuple[InitParams, FloatArray]], n_starts: int) -> str:
    """What did not work, what was used, and what else can be done."""
    *failed, (way, floor) = ways
    starts = "the start" if n_starts == 1 else f"all {n_starts} starts"
    names = " and of ".join(f"init_params={name!r}" for name, _ in failed)
    used = (
        f"init_params={way!r} was used"
        if np.array_equal(floor, failed[0][1])
        else "a millionth of each column's variance is added to every variance"
    )
    return (
        f"{starts} of {names} ended with a component that has no spread, so {used}. "
        f"Ask for fewer components, choose covariance_type='tied', or set reg_covar "
        f"(with reg_covar=0 this is an error)."
    )


def ridge(
    blocks: Observations, family: Family, reg_covar: float | None
) -> tuple[FloatArray, str | None]:
    """What to add to each column's variance, (d,), and why, where it was not asked for.

    ``reg_covar`` is added to each. None adds nothing, or where the data do not spread in every
    direction a millionth of each variance (of 1, where it is 0).
    """
    if reg_covar is not None:
        return np.full(blocks.n_features, float(reg_covar)), None
    no_spread = blocks.lacking(family.diagonal)
    if no_spread is None:
        return np.zeros(blocks.n_features), None
    variances = blocks.variances * blocks.scale**2
    return np.where(blocks.constant, _RIDGE, _RIDGE * variances), (
        f"{no_spread.said(ridge=True)} Now a millionth of each column's variance is added (of 1, "
        f"where it is 0), and the likelihood means little. With reg_covar=0 this is an error."
    )


def _best_run(
    engine: Engine, candidates: Iterable[Parameters], tol: float, max_iter: int, verbose: int
) -> tuple[Run, bool]:
    """The first run that ends in no spike, or the best of all; and whether there were spikes only.

    Raises ``CollapseError`` where all of them collapse.
    """
    tried: list[Run] = []
    for start in candidates:
        run = _converged(engine, engine.projected(start), tol, max_iter, verbose)
        if run.collapsed is None and not is_spike(engine, run.parameters).any():
            return run, False
        tried.append(run)
    ended = [run for run in tried if run.collapsed is None]
    if not ended:
        collapsed = tried[-1].collapsed
        assert collapsed is not None
        component, reason = engine.why_collapsed(collapsed)
        raise CollapseError(component, reason, tried[-1].n_iter)
    return max(ended, key=lambda run: run.log_likelihoods[-1]), len(tried) > 1


def _one_gaussian(engine: Engine) -> Run:
    """One component has the mean and the covariance of all data: nothing is left to be searched.

    Raises ``CollapseError``. Book: eq-mle-mean, eq-mle-variance.
    """
    p = engine.of_all()
    if engine.collapsed(p).any():
        raise CollapseError(*engine.why_collapsed(p), 1)
    return Run(p, engine.moments(p).log_likelihood.tolist(), 1, 0.0, True)


def _converged(engine: Engine, start: Parameters, tol: float, max_iter: int, verbose: int) -> Run:
    if not verbose:
        return converge(engine, start, tol, max_iter)
    with tqdm(total=max_iter, unit="step", desc="EM", mininterval=0.1, miniters=0) as bar:
        # what is written is drawn by update, which waits until a tenth of a second has passed

        def report(steps: int, log_likelihood: float, distance: float) -> None:
            if steps % verbose == 0:
                said = f"ℓ {log_likelihood:.6f}, distance {distance:.1e}"
                bar.set_postfix_str(said, refresh=False)
                bar.update(steps - bar.n)

        def progress(rows: int) -> None:
            share = f"EM, {100 * rows / engine.blocks.n_rows:.0f} % of this pass"
            bar.set_description(share, refresh=False)
            bar.update(0)

        engine.progress = progress
        run = converge(engine, start, tol, max_iter, report=report)
        bar.set_description("EM", refresh=False)
        said = f"ℓ {run.log_likelihoods[-1]:.6f}, distance {run.distance:.1e}"
        bar.set_postfix_str(said, refresh=False)
        bar.total = bar.n = run.n_iter
        bar.refresh()
    return run


def _seen(
    engine: Engine,
    n_components: int,
    init_size: int | None,
    added: FloatArray,
    rng: np.random.Generator,
) -> tuple[Blocks, FloatArray, FloatArray]:
    """The observations that the starts see: as blocks, their rows (m, d) and weights (m,)."""
    K, d = n_components, engine.blocks.n_features
    fixing = 2 if engine.family.diagonal else d + 1  # points that fix a covariance
    least = max(K, 4 * fixing * (1 if engine.family.shared else K))
    usual = max(_RACED_ON, _ROWS_EACH * K, least)
    for size in dict.fromkeys((max(init_size or usual, least), usual)):
        rows, w = engine.blocks.picked(size, rng, K)
        if len(rows) < K:  # only where a ridge lets equal rows stand for several components
            copies = -(-K // len(rows))
            rows, w = np.repeat(rows, copies, axis=0), np.repeat(w / copies, copies)
        some = Blocks.of(rows, w)
        if some.lacking(engine.family.diagonal, added / some.scale**2) is None:
            break
    return some, some.frame.rows(rows), w


def _candidates(
    engine: Engine,
    n_components: int,
    n_init: int,
    init_params: InitParams,
    init_size: int | None,
    kind: "_Kind",
    given: Given,
    added: FloatArray,
    rng: np.random.Generator,
    verbose: int,
) -> Iterable[Parameters]:
    """Mixtures to converge from, the most promising first; without a race the first start."""
    K, d, frame = n_components, engine.blocks.n_features, engine.blocks.frame
    whole = given.whole(frame)
    if whole is not None:
        return [whole]
    some, x, w = _seen(engine, K, init_size, added, rng)
    added_here = added / some.scale**2
    if engine.family.diagonal:
        covariance = some.variances + added_here
    else:
        covariance = some.covariance + np.diag(added_here)
    fixed = given.means is not None
    n_starts = 1 if fixed or K == 1 or kind == "first" else n_init
    kept = d if engine.family.diagonal else d * d
    numbers = K * d + kept * (1 if engine.family.shared else K)
    n_starts = min(n_starts, max(2, _HELD // numbers))
    if fixed:
        init_params = "k-means++"
    starts = [
        given.put_into(part, x, w, covariance, some.frame)
        for part in _starts(engine.family, x, w, covariance, K, n_starts, rng, init_params)
    ]
    if n_starts == 1:
        return [starts[0].reframed(some.frame, frame)]
    with (
        Engine(some, engine.family, added, backend=engine.backend) as small,
        _shown(small, verbose),
    ):
        starts = [small.projected(part) for part in starts]
        best = races(small, starts, Anew(x, w, rng))
        if not len(best.weights):
            after = small.em_step(starts[0])[0]
            run = int(np.argmax(small.collapsed(after).any(axis=1)))
            if not small.collapsed(after).any():
                raise CollapseError(0, "its covariance fell to nothing from every start")
            raise CollapseError(*small.why_collapsed(after, run))
        if kind == "search":
            wide = min(1, _NARROW / d) ** (1 if engine.family.diagonal else 2)
            n_passes = int(_PASSES_EACH * n_init * min(1, _FEW / K) * wide)
            best = climbed(small, x, w, best, rng, n_passes)
        return (best.runs([r]).reframed(some.frame, frame) for r in range(len(best.weights)))


@contextmanager
def _shown(engine: Engine, verbose: int) -> Iterator[None]:
    """A bar with the passes for the starts so far; how many there will be is not known."""
    if not verbose:
        yield
        return
    with tqdm(unit="pass", desc="starts", mininterval=0.1, miniters=0) as bar:
        engine.progress = lambda _: bar.update(engine.n_passes - bar.n)
        yield


def _starts(
    family: Family,
    x: FloatArray,
    w: FloatArray,
    covariance: FloatArray,
    n_components: int,
    n_starts: int,
    rng: np.random.Generator,
    init_params: InitParams,
) -> list[Parameters]:
    """The starts of each kind. In a search there are half as many of the second and third."""
    about = (x, w, covariance, n_components)
    if init_params == "random":
        return [random_responsibilities(*about, n_starts, rng)]
    if init_params == "kmeans":
        return [starting_points(*about, n_starts, rng, k_means(*about, rng))]
    parts = [starting_points(*about, n_starts, rng, spread_out=init_params != "random_from_data")]
    half = n_starts // 2
    if init_params == "search" and half:
        own = not family.shared
        parts.append(starting_points(*about, half, rng, rounds=_ROUNDS, own=own))
        parts.append(starting_points(*about, half, rng, spread_out=False, own=own))
    return parts
