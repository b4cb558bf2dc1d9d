"""Where EM starts. It climbs to the nearest hill, so the start chooses the hill.

``points`` has the starts of the book: a ``Mixture`` for ``fit``. ``clusters`` has those of the
engine: many starts at once.
"""

from gmmlib.initialization.points import k_means_plus_plus, random_points

__all__ = ["k_means_plus_plus", "random_points"]
