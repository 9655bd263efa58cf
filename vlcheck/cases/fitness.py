"""Checks that a picture fits its case. One that does not is left out and counted."""

from __future__ import annotations

from vlcheck.cases.case import Case, ImageFile
from vlcheck.errors import NotApplicable, UsageError

MOVED = "photograph is stored mirrored or turned (EXIF): its boxes and sides may be those of the stored pixels"
COLORLESS = "photograph has no color, and the caption names one"


def check_color(case: Case) -> None:
    """Raise NotApplicable where the target is a color that a gray picture cannot have."""
    chromatic = "chromatic" in case.tags or {"binding", "names-chromatic"} <= case.tags
    if chromatic and isinstance(case.image, ImageFile) and case.image.colorless:
        raise NotApplicable(COLORLESS) from UsageError(str(case.image.path))


def check_upright(case: Case) -> None:
    """Raise NotApplicable where boxes or sides are said of a picture whose pixels are turned or mirrored."""
    placed = bool(case.region) or not case.tags.isdisjoint({"side", "vertical", "hand", "names-side"})
    if placed and isinstance(case.image, ImageFile) and case.image.moved:
        raise NotApplicable(MOVED) from UsageError(str(case.image.path))
