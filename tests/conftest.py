"""Fixtures that several files share."""

from site_fixtures import address, browser, page, site
from small_chapter import good

__all__ = ["address", "browser", "good", "page", "site"]
