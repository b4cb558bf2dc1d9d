"""Figures: an Axes in, the same Axes out. Nothing here fits anything.

Component j has the same colour and the same dashes in every figure (Okabe and Ito's palette,
which colour-blind readers can tell apart). Needs Matplotlib: ``pip install "gmmlib[plots]"``.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Rectangle
from matplotlib.patheffects import withStroke

from gmmlib.mixture import Mixture
from gmmlib.validation import FloatArray, as_data, as_floats, as_responsibilities

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
INK = "#222222"


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


def plot_density(ax: Axes, mixture: Mixture, x: Any, components: bool = True) -> Axes:
    """The density of a mixture on the line over the grid ``x``, and its weighted components.

    Raises ``ValueError`` unless d = 1.
    """
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


def plot_ellipses(ax: Axes, mixture: Mixture, radii: tuple[float, ...] = (1.0, 2.0)) -> Axes:
    """Each component's mean and its ellipses of constant density, d = 2.

    ``radii`` are Mahalanobis distances: 1 is one standard deviation in every direction. Axes and
    lengths come from the eigenvectors and eigenvalues of Σ_j. Raises ``ValueError`` unless d = 2.
    """
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


def _require_at_most_two(d: int) -> None:
    if d > 2:
        raise ValueError(f"X has {d} columns. Choose two of them to draw, for example X[:, :2].")
