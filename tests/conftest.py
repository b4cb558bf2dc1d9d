"""Fixtures that several files share."""

from roads import road, road_of_examples, small_blocks
from site_fixtures import address, browser, page, site
from small_chapter import good

__all__ = ["address", "browser", "good", "page", "road", "road_of_examples", "site", "small_blocks"]
