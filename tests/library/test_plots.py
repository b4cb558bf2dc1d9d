"""Figures draw what they are given: the numbers are read back from the drawn artists."""

from dataclasses import replace

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from gmmlib import GaussianMixture, Mixture, datasets, fit, plots
from gmmlib.select import CRITERIA, select
from gmmlib.uncertainty import bootstrap

LINE = Mixture.univariate(weights=[0.3, 0.7], means=[0, 4], variances=[1, 2])
PLANE = Mixture([0.4, 0.6], [[0, 0], [3, 1]], [[[4.0, 0.0], [0.0, 1.0]], [[2.0, 1.0], [1.0, 2.0]]])


@pytest.fixture
def ax():
    fig, ax = plt.subplots()
    yield ax
    plt.close(fig)


def test_density_curves_are_the_mixture_and_its_weighted_components(ax):
    x = np.linspace(-4, 8, 50)
    assert plots.plot_density(ax, LINE, x) is ax
    curves = [line.get_ydata() for line in ax.get_lines()]
    np.testing.assert_allclose(curves[0], np.exp(LINE.log_density(x)))
    np.testing.assert_allclose(np.column_stack(curves[1:]), np.exp(LINE.log_joint(x)))
    assert [line.get_color() for line in ax.get_lines()[1:]] == list(plots.COLORS[:2])


def test_components_can_be_left_out(ax):
    plots.plot_density(ax, LINE, [0.0, 1.0], components=False)
    assert len(ax.get_lines()) == 1


def test_ellipses_lie_at_the_stated_mahalanobis_distance(ax):
    plots.plot_ellipses(ax, PLANE, radii=(1.0, 2.5))
    for patch, (j, radius) in zip(
        ax.patches, [(0, 1.0), (0, 2.5), (1, 1.0), (1, 2.5)], strict=True
    ):
        points = patch.get_patch_transform().transform(patch.get_path().vertices)
        on_curve = points[np.linspace(0, len(points) - 2, 4).astype(int) // 3 * 3]
        away = on_curve - PLANE.means[j]
        distance = np.sqrt(
            np.einsum("ni,ij,nj->n", away, np.linalg.inv(PLANE.covariances[j]), away)
        )
        np.testing.assert_allclose(distance, radius, rtol=1e-6)


def test_points_on_the_line_and_in_the_plane(ax):
    plots.plot_points(ax, [1.0, 2.0], [[1, 0], [0, 1]])
    plots.plot_points(ax, [[1.0, 5.0]])
    first, second = (collection.get_offsets() for collection in ax.collections)
    np.testing.assert_array_equal(first, [[1, 0], [2, 0]])
    np.testing.assert_array_equal(second, [[1, 5]])


def test_blended_colors_mix_by_responsibility():
    blue, vermilion, middle = plots.blended_colors([[1, 0], [0, 1], [0.5, 0.5]])
    np.testing.assert_allclose(middle, (blue + vermilion) / 2)
    np.testing.assert_allclose(blue, matplotlib.colors.to_rgb(plots.COLORS[0]))


def test_component_colors_come_round():
    assert plots.component_color(6) == plots.component_color(0)


def test_log_likelihoods_against_the_iteration(ax):
    plots.plot_log_likelihoods(ax, [-3.0, -2.0], color="red")
    np.testing.assert_array_equal(ax.get_lines()[0].get_xydata(), [[0, -3], [1, -2]])


def test_filmstrip_tiles_the_figure_exactly():
    fig, axes = plots.filmstrip(5, columns=3)
    assert len(axes) == 5
    np.testing.assert_allclose(fig.get_size_inches(), [9.6, 5.4])
    lefts = [ax.get_position().x0 for ax in axes]
    np.testing.assert_allclose(np.diff(lefts[:3]), 1 / 3)
    np.testing.assert_allclose(lefts[3:], lefts[:2])
    fig.canvas.draw()
    width, height = fig.get_tightbbox().size
    np.testing.assert_allclose([width, height], [9.6, 5.4], atol=1e-6)
    plt.close(fig)


def test_the_replicates_of_a_parameter(ax):
    X = datasets.old_faithful()[:, 1]
    top = fit(X, Mixture.univariate([0.4, 0.6], [55, 80], [36, 36]), tol=1e-8).mixture
    found = bootstrap(X, top, 40, random_state=0)
    name = found.names[1]
    assert plots.plot_bootstrap(ax, found, name, estimate=54.6, level=0.8) is ax
    heights = sum(patch.get_height() * patch.get_width() for patch in ax.patches)
    assert heights == pytest.approx(1)
    interval, line = ax.get_lines()
    np.testing.assert_allclose(interval.get_xdata(), np.quantile(found.values[:, 1], [0.1, 0.9]))
    assert line.get_xdata()[0] == 54.6
    assert ax.get_xlabel() == name
    with pytest.raises(ValueError, match=r"name is 'mu'\. Choose one of "):
        plots.plot_bootstrap(ax, found, "mu")


def test_a_cell_with_a_note_is_no_part_of_a_curve(ax):
    selection = select(datasets.old_faithful(), [1, 2, 3], ["EEE"], n_init=2)
    cells = [replace(c, note="did not converge") if c.n_components == 2 else c
             for c in selection.cells]  # fmt: skip
    plots.plot_selection(ax, replace(selection, cells=tuple(cells)))
    drawn = ax.get_lines()[0].get_ydata()
    assert np.isnan(drawn).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ax: plots.plot_density(ax, PLANE, [0.0]), "has 2 dimensions. Use plot_ellipses"),
        (lambda ax: plots.plot_ellipses(ax, LINE), "has 1 dimensions. Ellipses need d = 2"),
        (lambda ax: plots.plot_points(ax, np.ones((2, 3))), "X has 3 columns. Choose two"),
        (lambda ax: plots.filmstrip(0), "n_frames is 0. Ask for at least one"),
        (lambda ax: plots.blended_colors([[0.5, 0.6]]), "must sum to 1 in each row"),
    ],
)
def test_errors_say_what_to_do(ax, call, message):
    with pytest.raises(ValueError, match=message):
        call(ax)


def test_contours_hold_the_share_that_they_are_named_for(ax):
    assert plots.plot_contours(ax, PLANE, levels=(0.9, 0.5)) is ax
    X, _ = PLANE.sample(4000, random_state=7)
    (drawn,) = ax.collections
    density = PLANE.log_density(X)
    inside = [(density > level).mean() for level in drawn.levels]
    np.testing.assert_allclose(inside, [0.9, 0.5], atol=0.03)
    for path, level in zip(drawn.get_paths(), drawn.levels, strict=True):
        on_line = PLANE.log_density(path.vertices[np.abs(path.vertices).sum(axis=1) > 0])
        assert np.median(np.abs(on_line - level)) < 0.02


def test_contours_keep_the_limits_of_what_is_drawn(ax):
    plots.plot_points(ax, [[0.0, 0.0], [3.0, 1.0]])
    before = ax.get_xlim(), ax.get_ylim()
    plots.plot_contours(ax, PLANE)
    assert (ax.get_xlim(), ax.get_ylim()) == before


def test_the_less_sure_the_larger(ax):
    X = np.array([[0.0], [2.0], [4.0]])
    assert plots.plot_uncertainty(ax, LINE, X) is ax
    (drawn,) = ax.collections
    joint = np.exp(LINE.log_joint(X))
    uncertain = 1 - joint.max(axis=1) / joint.sum(axis=1)
    order = np.argsort(-uncertain)
    np.testing.assert_allclose(drawn.get_offsets()[:, 0], X[order, 0])
    np.testing.assert_allclose(drawn.get_sizes(), 8 + 152 * uncertain[order] / 0.5)
    alone = Mixture.univariate([1], [0], [1])
    plots.plot_uncertainty(ax, alone, X)
    np.testing.assert_allclose(ax.collections[1].get_sizes(), 8)


def test_whatever_has_a_mixture_can_be_drawn(ax):
    X = LINE.sample(60, random_state=0)[0]
    run = fit(X, LINE)
    model = GaussianMixture.from_mixture(LINE)
    for what in (LINE, model, run):
        plots.plot_density(ax, what, [0.0, 1.0], components=False)
    first, second, third = (line.get_ydata() for line in ax.get_lines())
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(third, np.exp(run.mixture.log_density([0.0, 1.0])))
    with pytest.raises(TypeError, match=r"there is no mixture in a list\. Pass a Mixture"):
        plots.plot_ellipses(ax, [1])


@pytest.mark.parametrize("criterion", CRITERIA)
def test_curves_of_a_selection(ax, criterion):
    selection = select(datasets.old_faithful(), [3, 1, 2], ["EII", "EEE", "VVI"], n_init=3)
    assert plots.plot_selection(ax, selection, criterion, n_named=2) is ax
    named = [line for line in ax.get_lines() if not line.get_label().startswith("_")]
    assert len(named) == 2
    values = selection.values(criterion)
    for line in named:
        row = selection.covariance_types.index(line.get_label())
        np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
        np.testing.assert_array_equal(line.get_ydata(), values[row][[1, 2, 0]])
    star = next(line for line in ax.get_lines() if line.get_marker() == "*")
    best = selection.best(criterion)
    assert star.get_xdata()[0] == best.n_components
    assert star.get_ydata()[0] == values.min() == getattr(best, criterion)
    assert ax.get_legend().get_texts()[0].get_text() == best.covariance_type
    low, high = ax.get_ylim()
    assert low < values.min() < high


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ax: plots.plot_contours(ax, LINE), "1 dimensions. Contours need d = 2"),
        (lambda ax: plots.plot_contours(ax, PLANE, levels=[0.5, 1]), r"levels are \[1.0, 0.5\]"),
        (lambda ax: plots.plot_uncertainty(ax, PLANE, [[1.0]]), "1 column"),
    ],
)
def test_what_these_cannot_draw(ax, call, message):
    with pytest.raises(ValueError, match=message):
        call(ax)
