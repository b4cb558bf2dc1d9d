"""What the tests of the engine share: its two roads, and how to send a test along each."""

import numpy as np
import pytest

from gmmlib import Mixture
from gmmlib.engine import (
    Blocks,
    Compiled,
    Engine,
    Matrices,
    Parameters,
    blocks,
    passes,
    threads,
    using,
)

COMPILED = Compiled is not None


@pytest.fixture(params=["compiled", "matrix"])
def road(request):
    """Each test runs twice: with Numba's loops, and with NumPy alone."""
    yield from _sent_along(request.param)


@pytest.fixture(params=["compiled", "matrix"], scope="module")
def road_of_examples(request):
    """The same, for tests whose examples Hypothesis draws."""
    yield from _sent_along(request.param)


def _sent_along(road):
    if road == "compiled" and not COMPILED:
        pytest.skip("Numba is not installed")
    with using(Matrices() if road == "matrix" else Compiled()):
        yield road


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 64 rows, all of them spread over the threads, none kept between passes."""
    monkeypatch.setattr(blocks, "_VALUES", 1)
    monkeypatch.setattr(threads, "ONE_THREAD", 0)
    monkeypatch.setattr(passes, "_KEPT", 0)


@pytest.fixture(params=["one call", "step by step"])
def calls(request, monkeypatch):
    """Each test runs twice: small data in compiled calls, and step by step as all others."""
    if request.param == "step by step":
        monkeypatch.setattr(Engine, "small_for", lambda self, p: None)
    elif not COMPILED:
        pytest.skip("Numba is not installed")
    return request.param


@pytest.fixture
def step_by_step(monkeypatch):
    """No run is made whole in one compiled call."""
    monkeypatch.setattr(Engine, "small_for", lambda self, p: None)


def em_step(X, mixture, covariance_type="full", sample_weight=None, **options):
    """One step of the engine on one mixture, in the units of the data: (Mixture, ℓ before)."""
    data = Blocks.of(X, sample_weight)
    start = Parameters.of([mixture], covariance_type, data.frame)
    with Engine(data, covariance_type, **options) as machine:
        new, log_likelihood = machine.em_step(start)
    return new.mixture(0, data.frame), float(log_likelihood[0])


def plain_em_step(X, mixture, covariance_type, sample_weight=None, reg_covar=0.0):
    """The same from the formulas, a component at a time, nothing shared with the library."""
    X = np.asarray(X, dtype=float)
    w = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    d = X.shape[1]
    joints = []
    for alpha, mu, Sigma in zip(mixture.weights, mixture.means, mixture.covariances, strict=True):
        z = X - mu
        squares = (z * np.linalg.solve(Sigma, z.T).T).sum(axis=1)
        volume = d * np.log(2 * np.pi) + np.linalg.slogdet(Sigma)[1]
        joints.append(np.log(alpha) - 0.5 * (squares + volume))
    joint = np.array(joints)
    top = joint.max(axis=0)
    log_density = top + np.log(np.exp(joint - top).sum(axis=0))
    beta = np.exp(joint - log_density) * w
    counts = beta.sum(axis=1)
    weights = counts / w.sum()
    means = beta @ X / counts[:, np.newaxis]
    covariances = []
    for j in range(len(counts)):
        z = X - means[j]
        Sigma = (beta[j] * z.T) @ z / counts[j]
        if covariance_type in ("diag", "spherical"):
            Sigma = np.diag(np.diag(Sigma))
        if covariance_type == "spherical":
            Sigma = np.eye(d) * np.trace(Sigma) / d
        covariances.append(Sigma)
    if covariance_type == "tied":
        covariances = [np.tensordot(weights, covariances, axes=1)] * len(counts)
    covariances = np.array(covariances) + reg_covar * np.eye(d)
    return Mixture(weights, means, covariances), float(w @ log_density)


def of_type(mixture, covariance_type):
    """A mixture whose covariances are of that type."""
    Sigma = mixture.covariances.copy()
    if covariance_type == "tied":
        Sigma[:] = np.tensordot(mixture.weights, Sigma, axes=1)
    elif covariance_type != "full":
        Sigma *= np.eye(mixture.n_features)
        if covariance_type == "spherical":
            Sigma[:] = np.eye(mixture.n_features) * np.trace(Sigma, axis1=1, axis2=2)[:, None, None]
            Sigma /= mixture.n_features
    return Mixture(mixture.weights, mixture.means, Sigma)


def mapped_file(path, array, mode="r"):
    """The array in a file, mapped into memory."""
    np.save(path, array)
    return np.load(path, mmap_mode=mode)
