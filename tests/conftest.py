"""Fixtures that several files share."""

from roads import calls, road, road_of_examples, small_blocks, step_by_step
from site_fixtures import address, browser, page, site
from small_chapter import good
from touch_fixtures import lean, lean_address, phone, plain, stage, watch

__all__ = [
    "address",
    "browser",
    "calls",
    "good",
    "lean",
    "lean_address",
    "page",
    "phone",
    "plain",
    "road",
    "road_of_examples",
    "site",
    "small_blocks",
    "stage",
    "step_by_step",
    "watch",
]
