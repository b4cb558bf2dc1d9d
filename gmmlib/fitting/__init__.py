"""From data to a mixture, without scikit-learn: starts, a race, one run to its fixed point.

``best_fit`` is the whole way, and holds the policy: which start, what when it collapses, which
ridge.
"""

from gmmlib.fitting.fixed_point import Run, converge, distance
from gmmlib.fitting.heats import is_spike, race
from gmmlib.fitting.moves import climbed
from gmmlib.fitting.policy import Fitted, best_fit, ridge
from gmmlib.initialization.clusters import Given, starting_points

__all__ = [
    "Fitted",
    "Given",
    "Run",
    "best_fit",
    "climbed",
    "converge",
    "distance",
    "is_spike",
    "race",
    "ridge",
    "starting_points",
]
