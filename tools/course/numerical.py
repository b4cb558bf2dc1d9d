"""The questions whose numbers vary by a seed, in the order of the chapters.

Labels: ``n-06-1`` belongs to chapter 6, ``n-a-1`` to the appendix.
"""

from course.kinds import computing, five_points, gaussian, m_step, mixtures, plane, shapes
from course.recipes import Recipe
from course.tasks import Kind, Task

ROOMS = (mixtures, gaussian, m_step, five_points, plane, computing, shapes)

RECIPES: tuple[Recipe, ...] = tuple(
    sorted((recipe for room in ROOMS for recipe in room.RECIPES), key=lambda recipe: recipe.label)
)
KINDS: tuple[Kind, ...] = tuple(recipe.kind for recipe in RECIPES)

VARIANTS = 30  # of each kind, in an export


def variants(kind: Kind, n: int = VARIANTS) -> list[Task]:
    """The tasks of a kind with the seeds 1 to n."""
    return [kind.with_seed(seed) for seed in range(1, n + 1)]
