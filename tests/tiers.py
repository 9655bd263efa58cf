"""The tiers of vlcheck's own tests: the inner loop, what runs before a merge, and what runs at night.

The inner loop leaves out tests that are marked `slow`, `contract`, `power` or `browser`. Before a merge all tests run
but those marked `nightly`, which are deselected unless VLCHECK_NIGHTLY is 1. Some tests have two sizes, the
larger one at night: CONTRIBUTING.md lists them.
"""

from __future__ import annotations

import os

import pytest

VARIABLE = "VLCHECK_NIGHTLY"
NIGHTLY = os.environ.get(VARIABLE) == "1"
MARKERS = {
    "slow": "runs the whole suite or many processes, or is of a file with dozens of runs or networks",
    "contract": "a family of models beyond the representative ones, under the whole contract or the whole suite",
    "power": "planted biases, and how models get them",
    "browser": "opens a page in Chromium",
    "nightly": f"runs where {VARIABLE} is 1 alone",
}
_HEAVY = ("power", "slow", "contract", "browser")  # the heaviest first, so that no worker begins one as the last


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; let xdist keep the order of files, which is by weight."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}; see tests/tiers.py")
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test that opens a page."""
    if "browser" in getattr(item, "fixturenames", ()):
        item.add_marker("browser")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what runs at night alone, and put the files with heavy tests first."""
    at_night = [item for item in items if not NIGHTLY and item.get_closest_marker("nightly")]
    if at_night:
        config.hook.pytest_deselected(items=at_night)
        items[:] = [item for item in items if item not in set(at_night)]
    weights: dict[object, int] = {}
    for item in items:
        weights[item.path] = min(weights.get(item.path, len(_HEAVY)), _weight(item))
    items.sort(key=lambda item: weights[item.path])  # stable: within a file the order stays


def _weight(item: pytest.Item) -> int:
    return next((place for place, name in enumerate(_HEAVY) if item.get_closest_marker(name)), len(_HEAVY))
