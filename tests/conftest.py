"""Fixtures that several files share."""

from small_chapter import good

__all__ = ["good"]
