"""Figures draw what they are given: the numbers are read back from the drawn artists."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from gmmlib import Mixture, plots

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
