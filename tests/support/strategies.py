"""Random problems for the property tests, and the two tools that most of them need."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from gmmlib import Mixture

# Many tiny products: with BLAS threads of its own, each worker is ten times slower on two cores.
threadpool_limits(1, "blas")

settings.register_profile(
    "gmmlib",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("gmmlib")

seeds = st.integers(0, 2**32 - 1)


def random_mixture(rng: np.random.Generator, K: int, d: int) -> Mixture:
    """K components that overlap, none of them flat."""
    roots = rng.normal(size=(K, d, d))
    return Mixture(
        rng.dirichlet(np.full(K, 5.0)),
        2 * rng.normal(size=(K, d)),
        roots @ roots.transpose(0, 2, 1) + 0.3 * np.eye(d),
    )


def random_affine(rng: np.random.Generator, d: int) -> tuple[np.ndarray, np.ndarray]:
    """A and b of x -> A x + b, with A well conditioned; A may reflect."""
    Q, _ = np.linalg.qr(rng.normal(size=(d, d)))
    P, _ = np.linalg.qr(rng.normal(size=(d, d)))
    return Q @ np.diag(np.exp(rng.uniform(-1, 1, size=d))) @ P, 3 * rng.normal(size=d)


def transformed(mixture: Mixture, A: np.ndarray, b: np.ndarray) -> Mixture:
    """The mixture of A x + b when x has this one; symmetric to the last bit."""
    covariances = A @ mixture.covariances @ A.T
    return Mixture(
        mixture.weights,
        mixture.means @ A.T + b,
        (covariances + covariances.transpose(0, 2, 1)) / 2,
    )


@st.composite
def problems(
    draw: Callable[..., Any],
    d: st.SearchStrategy[int] = st.sampled_from([1, 2, 3, 5]),  # noqa: B008
    K: st.SearchStrategy[int] = st.integers(1, 4),  # noqa: B008
    n: st.SearchStrategy[int] = st.integers(1, 40),  # noqa: B008
) -> tuple[np.ndarray, Mixture, np.random.Generator]:
    """Data, a mixture that they were not drawn from, and a generator for more."""
    rng = np.random.default_rng(draw(seeds))
    dimensions, components = draw(d), draw(K)
    X, _ = random_mixture(rng, 3, dimensions).sample(draw(n), rng)
    return X, random_mixture(rng, components, dimensions), rng


def random_responsibilities(rng: np.random.Generator, n: int, K: int) -> np.ndarray:
    """Any probabilities over the labels, with some exact zeros."""
    q = rng.dirichlet(np.full(K, 0.5), size=n)
    q[q < 0.05] = 0
    return q / q.sum(axis=1, keepdims=True)


def slopes(function: Callable[[np.ndarray], float], point: Any, step: float = 1e-5) -> np.ndarray:
    """The gradient of ``function`` by central differences."""
    point = np.asarray(point, dtype=float)
    gradient = np.empty_like(point)
    for index in np.ndindex(point.shape):
        h = np.zeros_like(point)
        h[index] = step
        gradient[index] = (function(point + h) - function(point - h)) / (2 * step)
    return gradient


def assert_same(one: Mixture, other: Mixture, rtol: float = 1e-9, atol: float = 1e-12) -> None:
    """The parameters of two mixtures agree, component by component."""
    np.testing.assert_allclose(one.weights, other.weights, rtol=rtol, atol=atol)
    np.testing.assert_allclose(one.means, other.means, rtol=rtol, atol=atol)
    np.testing.assert_allclose(one.covariances, other.covariances, rtol=rtol, atol=atol)
