"""What vlcheck's own tests share."""

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def coco_root() -> Path:
    """A COCO folder: VLCHECK_COCO, else shared/coco beside the checkout."""
    root = Path(os.environ.get("VLCHECK_COCO", BESIDE / "coco"))
    if not (root / "annotations").is_dir():
        pytest.fail(f"{root}: no COCO folder; set VLCHECK_COCO to one with annotations/ and photographs", pytrace=False)
    return root


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Make errors of warnings in vlcheck's own tests; in a run of the suite they are the model's."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings("error"), append=False)
