"""Fixtures that several files share."""

from roads import road, small_blocks
from site_fixtures import address, browser, page, site
from small_chapter import good

__all__ = ["address", "browser", "good", "page", "road", "site", "small_blocks"]
