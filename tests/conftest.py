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
