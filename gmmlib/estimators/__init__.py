"""scikit-learn's faces of what ``fitting`` does."""

from gmmlib.estimators.gaussian_mixture import GaussianMixture

__all__ = ["GaussianMixture"]
