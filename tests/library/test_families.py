"""Families of covariances: layouts, numbers of parameters, estimates; each has all of them."""

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from gmmlib.engine import Blocks, Engine, Parameters
from gmmlib.models import COVARIANCE_TYPES, FAMILIES, Family, family_of
from strategies import random_mixture

K, D = 3, 4


def problem(seed, n=200):
    rng = np.random.default_rng(seed)
    return random_mixture(rng, K, D).sample(n, rng)[0], random_mixture(rng, K, D)


def estimated(family, seed=0, frame=None):
    """Covariances of a family, as (K, d, d) or (K, d)."""
    _, mixture = problem(seed)
    p = Parameters.of([mixture], family, frame)
    return family.estimate(p.weights, p.covariances, frame.scale if frame else np.ones(D))[0]


@pytest.mark.parametrize("name", COVARIANCE_TYPES)
def test_stored_and_kept_are_two_forms_of_one(name):
    family = family_of(name)
    kept = estimated(family)
    stored = family.stored(kept)
    assert stored.shape == family.shape(K, D)
    np.testing.assert_allclose(family.kept(stored, K, D), kept, rtol=1e-14)
    assert kept.ndim == (2 if family.diagonal else 3)


@pytest.mark.parametrize("name", COVARIANCE_TYPES)
def test_layout_and_number_of_parameters_are_scikit_learns(name):
    X, _ = problem(1)
    peer = GaussianMixture(K, covariance_type=name, random_state=0).fit(X)
    assert family_of(name).shape(K, D) == peer.covariances_.shape
    assert K - 1 + K * D + family_of(name).n_parameters(K, D) == peer._n_parameters()


@pytest.mark.parametrize("name", COVARIANCE_TYPES)
def test_no_member_of_the_family_is_more_likely(name):
    """Q of the estimate against Q of other members, which are estimates from other data."""
    family = family_of(name)
    X, mixture = problem(2)
    data = Blocks.of(X)
    with Engine(data, family) as machine:
        moments = machine.moments(machine.projected(Parameters.of([mixture], family, data.frame)))
        best = machine.maximised(moments)
    away = (moments.S1 / moments.N[:, :, np.newaxis])[0]
    counts = moments.N[0]
    if family.shared:  # the second moments are summed over the components
        assert moments.S2.shape == best.covariances.shape == (1, 1, D, D)
        groups = [range(K)]
    else:
        groups = [[j] for j in range(K)]

    def expected(covariances):
        """Q but for what does not depend on them."""
        total = 0.0
        for group, S2, kept in zip(groups, moments.S2[0], covariances, strict=True):
            Sigma, scatter = (np.diag(kept), np.diag(S2)) if family.diagonal else (kept, S2)
            scatter = scatter - sum(counts[j] * np.outer(away[j], away[j]) for j in group)
            log_det = np.linalg.slogdet(Sigma)[1]
            total -= 0.5 * sum(counts[j] for j in group) * log_det
            total -= 0.5 * np.trace(np.linalg.solve(Sigma, scatter))
        return total

    top = expected(best.covariances[0])
    for seed in range(5):
        other = estimated(family, seed, data.frame)
        for share in (0.01, 0.3):  # a mean of two members is a member of each of these families
            assert expected((1 - share) * best.covariances[0] + share * other) < top


def test_a_family_by_itself_or_by_name():
    assert family_of(FAMILIES["tied"]) is family_of("tied")
    assert all(isinstance(family, Family) for family in FAMILIES.values())
    with pytest.raises(ValueError, match=r"covariance_type is 'round'\. Choose one of 'full', "):
        family_of("round")
