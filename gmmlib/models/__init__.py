"""What kind of mixture is fitted: families of covariances."""

from gmmlib.models.families import Family
from gmmlib.models.names import (
    COVARIANCE_TYPES,
    FAMILIES,
    MCLUST_TYPES,
    ON_THE_LINE,
    CovarianceType,
    family_of,
)

__all__ = [
    "COVARIANCE_TYPES",
    "FAMILIES",
    "MCLUST_TYPES",
    "ON_THE_LINE",
    "CovarianceType",
    "Family",
    "family_of",
]
