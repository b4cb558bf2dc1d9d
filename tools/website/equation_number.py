"""The number of an equation, as it is printed."""

from docutils import nodes
from sphinx.environment import BuildEnvironment


def equation_number(env: BuildEnvironment, label: str) -> str:
    """Counted through the chapters where the book does so."""
    page, in_page = env.get_domain("math").equations.get(label, ("", ""))  # type: ignore[attr-defined]
    through = env.toc_fignumbers.get(page, {}).get("displaymath", {})
    number = through.get(nodes.make_id(f"equation-{label}"))
    return ".".join(map(str, number)) if number else str(in_page)
