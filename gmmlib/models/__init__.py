"""What is fitted: the families of covariances."""

from gmmlib.models.families import COVARIANCE_TYPES, FAMILIES, CovarianceType, Family, family_of

__all__ = ["COVARIANCE_TYPES", "FAMILIES", "CovarianceType", "Family", "family_of"]
