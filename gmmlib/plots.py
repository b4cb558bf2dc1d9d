"""Figures: an Axes in, the same Axes out. Nothing here fits anything.

Component j has the same colour and the same dashes in every figure (Okabe and Ito's palette,
which colour-blind readers can tell apart). Needs Matplotlib: ``pip install "gmmlib[plots]"``.
"""

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Rectangle
from matplotlib.patheffects import withStroke
from scipy.special import softmax

from gmmlib.mixture import Mixture
from gmmlib.validation import FloatArray, as_data, as_floats, as_responsibilities

if TYPE_CHECKING:
    from gmmlib.select import Criterion, Selection
    from gmmlib.uncertainty import Bootstrap

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
INK = "#222222"
_SHOWN = 3  # times as far from the best as half of the cells are


def component_color(j: int) -> str:
    """The colour of component j, counting from 0; after six they come round again."""
    return COLORS[j % len(COLORS)]


def blended_colors(responsibilities: Any) -> FloatArray:
    """One RGB colour a point, (n, 3): the components' colours mixed by responsibility.

    Raises ``ValueError`` unless ``responsibilities`` are (n, K) probabilities.
    """
    beta = as_responsibilities(responsibilities, n=len(responsibilities))
    palette = np.array([to_rgb(component_color(j)) for j in range(beta.shape[1])])
    return np.asarray(np.clip(beta @ palette, 0, 1))


def plot_points(ax: Axes, X: Any, responsibilities: Any = None, size: float = 28) -> Axes:
    """The observations: on the line y = 0 when d = 1, a scatter when d = 2.

    Coloured by responsibility when (n, K) responsibilities are given. Raises ``ValueError`` for
    d > 2.
    """
    X = as_data(X)
    _require_at_most_two(X.shape[1])
    color: Any = INK if responsibilities is None else blended_colors(responsibilities)
    x, y = X[:, 0], X[:, 1] if X.shape[1] == 2 else np.zeros(len(X))
    on_axis = X.shape[1] == 1  # there the lower half of each point lies outside the frame
    ax.scatter(
        x, y, s=size, c=color, edgecolors="white", linewidths=0.6, zorder=3, clip_on=not on_axis
    )
    return ax


def plot_density(ax: Axes, mixture: Any, x: Any, components: bool = True) -> Axes:
    """The density of a mixture on the line over the grid ``x``, and its weighted components.

    ``mixture`` is a Mixture, or what has one: a fitted estimator or a Fit. Raises ``ValueError``
    unless d = 1.
    """
    mixture = _mixture_of(mixture)
    if mixture.n_features != 1:
        raise ValueError(
            f"the mixture has {mixture.n_features} dimensions. Use plot_ellipses for d = 2."
        )
    x = as_data(x, n_features=1)
    joint = np.exp(mixture.log_joint(x))
    ax.plot(x, joint.sum(axis=1), color=INK, label="mixture")
    if components:
        for j in range(mixture.n_components):
            ax.plot(
                x,
                joint[:, j],
                color=component_color(j),
                linestyle=DASHES[j % len(DASHES)],
                label=f"component {j + 1}",
            )
    return ax


def plot_ellipses(ax: Axes, mixture: Any, radii: tuple[float, ...] = (1.0, 2.0)) -> Axes:
    """Each component's mean and its ellipses of constant density, d = 2.

    ``mixture`` is a Mixture, or what has one: a fitted estimator or a Fit.
    ``radii`` are Mahalanobis distances: 1 is one standard deviation in every direction. Axes and
    lengths come from the eigenvectors and eigenvalues of Σ_j. Raises ``ValueError`` unless d = 2.
    """
    mixture = _mixture_of(mixture)
    if mixture.n_features != 2:
        raise ValueError(f"the mixture has {mixture.n_features} dimensions. Ellipses need d = 2.")
    for j, (mean, covariance) in enumerate(zip(mixture.means, mixture.covariances, strict=True)):
        eigenvalues, eigenvectors = np.linalg.eigh(covariance)
        angle = np.degrees(np.arctan2(eigenvectors[1, 1], eigenvectors[0, 1]))
        for radius in radii:
            minor, major = 2 * radius * np.sqrt(eigenvalues)
            ax.add_patch(
                Ellipse(
                    (float(mean[0]), float(mean[1])),
                    major,
                    minor,
                    angle=angle,
                    fill=False,
                    edgecolor=component_color(j),
                    linestyle=DASHES[j % len(DASHES)],
                    linewidth=1.6,
                    zorder=4,
                )
            )
        cross = ax.plot(*mean, marker="x", color=component_color(j), ms=9, mew=2.2, zorder=5)
        cross[0].set_path_effects([withStroke(linewidth=5, foreground="white")])
    return ax


def plot_contours(ax: Axes, fit: Any, levels: Any = (0.5, 0.9, 0.99), n_grid: int = 120) -> Axes:
    """Lines of equal density, d = 2, each around a share of the whole probability.

    Parameters
    ----------
    ax : Axes
        Its limits are kept where something is drawn already.
    fit : Mixture, or what has one: a fitted estimator or a Fit
    levels : numbers between 0 and 1
        The share that lies inside each line: the region of highest density that holds it. Found
        from 20,000 points drawn from the mixture, the same each time.
    n_grid : int
        Points of the grid in each direction.

    Raises
    ------
    ValueError
        Unless d = 2, or if a level is not between 0 and 1.
    """
    mixture = _mixture_of(fit)
    if mixture.n_features != 2:
        raise ValueError(f"the mixture has {mixture.n_features} dimensions. Contours need d = 2.")
    shares = np.sort(as_floats(levels, "levels"))[::-1]
    if not ((shares > 0) & (shares < 1)).all():
        raise ValueError(f"levels are {shares.tolist()}. Pass shares between 0 and 1.")
    drawn, _ = mixture.sample(20_000, random_state=0)
    thresholds = np.quantile(mixture.log_density(drawn), 1 - shares)
    if ax.has_data():
        (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    else:
        (left, bottom), (right, top) = drawn.min(axis=0), drawn.max(axis=0)
    x, y = np.linspace(left, right, n_grid), np.linspace(bottom, top, n_grid)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    density = mixture.log_density(grid).reshape(n_grid, n_grid)
    widths = np.linspace(0.8, 2.0, len(shares))
    lines = ax.contour(
        x, y, density, levels=thresholds, colors=INK, linewidths=widths, linestyles="solid"
    )
    names = {level: f"{share:.0%}" for level, share in zip(lines.levels, shares, strict=True)}
    ax.clabel(lines, fmt=names, fontsize=8)
    return ax


def plot_uncertainty(ax: Axes, fit: Any, X: Any, size: float = 160) -> Axes:
    """The observations, the larger the less sure their component is; d = 1 or 2.

    Each has the colour of its most likely component, and its area grows with the uncertainty
    1 - max_j β_ij, up to ``size`` (points squared). Raises ``ValueError`` for d > 2, and as
    :meth:`gmmlib.Mixture.log_joint`.
    """
    mixture = _mixture_of(fit)
    X = as_data(X, n_features=mixture.n_features)
    _require_at_most_two(X.shape[1])
    beta = softmax(mixture.log_joint(X), axis=1)
    uncertain = 1 - beta.max(axis=1)
    most = 1 - 1 / mixture.n_components or 1.0
    order = np.argsort(-uncertain)  # the small ones on top
    x, y = X[:, 0], X[:, 1] if X.shape[1] == 2 else np.zeros(len(X))
    ax.scatter(
        x[order],
        y[order],
        s=8 + (size - 8) * uncertain[order] / most,
        c=[component_color(int(j)) for j in beta.argmax(axis=1)[order]],
        alpha=0.7,
        edgecolors="white",
        linewidths=0.6,
        zorder=3,
    )
    return ax


def plot_selection(
    ax: Axes, selection: "Selection", criterion: "Criterion" = "bic", n_named: int = 4
) -> Axes:
    """The criterion against the number of components, a curve for each family.

    Parameters
    ----------
    ax : Axes
    selection : Selection
        From :func:`gmmlib.select.select`.
    criterion : 'bic', 'aic' or 'icl'
        Smaller is better.
    n_named : int
        So many families, those that come lowest, have a colour and a name; the others are grey. A
        star is on the best cell. Cells with a note are left out, and what is far above the others
        leaves the figure at the top.

    Raises
    ------
    ValueError
        If the criterion is none of these, or every cell has a note.
    """
    values = selection.values(criterion)
    noted = np.reshape([bool(cell.note) for cell in selection.cells], values.shape)
    values = np.where(noted, np.nan, values)
    best = selection.best(criterion)
    K = np.array(selection.n_components)
    by_K = np.argsort(K)
    lowest = np.where(np.isnan(values), np.inf, values).min(axis=1)
    order = np.argsort(lowest, kind="stable")
    for rank, row in reversed(list(enumerate(order))):
        name = selection.covariance_types[row]
        named = rank < n_named and np.isfinite(lowest[row])
        style: dict[str, Any] = {"color": "0.75", "linewidth": 1.0, "zorder": 1}
        if named:
            style = {
                "color": component_color(rank),
                "linestyle": DASHES[rank % len(DASHES)],
                "marker": "o",
                "markersize": 4,
                "label": name,
                "zorder": 3 + n_named - rank,
            }
        ax.plot(K[by_K], values[row][by_K], **style)
    ax.plot(
        best.n_components,
        getattr(best, criterion),
        marker="*",
        markersize=14,
        color=INK,
        linestyle="none",
        zorder=20,
    )
    away = values - getattr(best, criterion)
    span = _SHOWN * float(np.nanmedian(away)) or 1.0
    ax.set_ylim(getattr(best, criterion) - 0.1 * span, getattr(best, criterion) + span)
    ax.set_xlabel("number of components")
    ax.set_ylabel(criterion.upper())
    ax.set_xticks(K[by_K])
    handles, names = ax.get_legend_handles_labels()
    ax.legend(handles[::-1], names[::-1])
    return ax


def plot_bootstrap(
    ax: Axes, bootstrap: "Bootstrap", name: str, estimate: float | None = None, level: float = 0.95
) -> Axes:
    """The replicates of one parameter: a histogram, and the percentile interval below it.

    Parameters
    ----------
    ax : Axes
    bootstrap : Bootstrap
        From :func:`gmmlib.uncertainty.bootstrap`.
    name : str
        One of ``bootstrap.names``.
    estimate : float or None
        Marked by a line, if it is given.
    level : float
        Of the interval.

    Raises
    ------
    ValueError
        If there is no such name, or ``level`` is not between 0 and 1.
    """
    if name not in bootstrap.names:
        raise ValueError(f"name is {name!r}. Choose one of {', '.join(bootstrap.names)}.")
    column = bootstrap.names.index(name)
    values = bootstrap.values[:, column]
    low, high = bootstrap.interval(level)[column]
    ax.hist(values, bins="auto", density=True, color="0.82", edgecolor="white")
    top = ax.get_ylim()[1]
    ax.plot([low, high], [-0.03 * top] * 2, color=COLORS[0], linewidth=3, solid_capstyle="butt")
    if estimate is not None:
        ax.axvline(estimate, color=INK, linestyle="--", linewidth=1.6)
    ax.set_ylim(-0.08 * top, top)
    ax.set_xlabel(name)
    ax.set_ylabel("density of the replicates")
    return ax


def plot_log_likelihoods(ax: Axes, log_likelihoods: Any, **style: Any) -> Axes:
    """ℓ against the iteration, from the start (0) on."""
    values = as_floats(log_likelihoods, "log_likelihoods")
    ax.plot(np.arange(len(values)), values, **{"color": INK, "marker": ".", **style})
    ax.set_xlabel("iteration")
    ax.set_ylabel("log-likelihood")
    return ax


def filmstrip(
    n_frames: int, columns: int = 4, frame_size: tuple[float, float] = (3.2, 2.7)
) -> tuple[Figure, list[Axes]]:
    """A figure of equal frames in rows, for movement: each frame is one moment.

    On paper it is a strip of small pictures. On the site, a cell whose image has the class
    ``filmstrip columns-C frames-N`` gets controls that show one frame at a time, so the frames
    must tile the picture exactly: nothing may be drawn outside a frame.

    Returns the figure and the list of Axes. Raises ``ValueError`` if ``n_frames`` < 1.
    """
    if n_frames < 1:
        raise ValueError(f"n_frames is {n_frames}. Ask for at least one frame.")
    rows = -(-n_frames // columns)
    fig = plt.figure(figsize=(columns * frame_size[0], rows * frame_size[1]), layout="none")
    fig.add_artist(Rectangle((0, 0), 1, 1, fill=False, edgecolor="white", linewidth=0))
    axes = []
    for k in range(n_frames):
        row, column = divmod(k, columns)
        left, bottom = column / columns, 1 - (row + 1) / rows
        ax = fig.add_axes(
            (left + 0.17 / columns, bottom + 0.17 / rows, 0.78 / columns, 0.70 / rows)
        )
        axes.append(ax)
    return fig, axes


def _mixture_of(fit: Any) -> Mixture:
    """The mixture that is handed in, or that is in what is handed in."""
    for found in (fit, getattr(fit, "mixture_", None), getattr(fit, "mixture", None)):
        if isinstance(found, Mixture):
            return found
    raise TypeError(
        f"there is no mixture in a {type(fit).__name__}. "
        f"Pass a Mixture, a fitted GaussianMixture, or what gmmlib.fit returns."
    )


def _require_at_most_two(d: int) -> None:
    if d > 2:
        raise ValueError(f"X has {d} columns. Choose two of them to draw, for example X[:, :2].")
