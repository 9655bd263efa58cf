"""The alternative text of a picture: its caption, its edit, and where its boxes are, for those who do not see it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vlcheck.report.page.boxes import Rectangle
from vlcheck.report.page.escaping import shown_text
from vlcheck.report.page.images import EmbeddedImage
from vlcheck.results.records import EvidenceRecord

_CAPTION = 160  # characters of a caption
_NAME = 80  # characters of a name
_VERSION = re.compile(r" v\d+\b")
_ROWS, _COLUMNS = ("top", "", "bottom"), ("left", "", "right")


def alternative_text(
    row: EvidenceRecord, place: int, picture: EmbeddedImage | None, boxes: Sequence[Sequence[Rectangle]]
) -> str:
    """Return a description of a picture.

    Args:
        row: the row's line in the results.
        place: 0 for the picture before the edit, 1 for the one after.
        picture: the picture; None if there is none to show.
        boxes: the boxes around the thing that the target names, and those around the other thing of a relation.
    """
    caption, case = shown_text(row.texts[place], _CAPTION).text, shown_text(row.case, _NAME).text
    described = f"{_when(row, place)}'{caption}', {case}"
    if picture is None:
        return f"{described}: no picture in the results"
    return "; ".join([described, *_same(row, place), *_placed(row, place, picture, boxes)])


def _when(row: EvidenceRecord, place: int) -> str:
    """Return "before mirror: " or "after mirror: "; "" if there is one picture alone."""
    edit = _VERSION.sub("", shown_text(row.perturbation or "", _NAME).text)
    return f"{('before', 'after')[place]} {edit}".rstrip() + ": " if len(row.texts) > 1 else ""


def _same(row: EvidenceRecord, place: int) -> Iterator[str]:
    if place and row.image == row.perturbed:
        yield "the same picture as before, another text"


def _placed(
    row: EvidenceRecord, place: int, picture: EmbeddedImage, boxes: Sequence[Sequence[Rectangle]]
) -> Iterator[str]:
    target = shown_text(row.targets[place], _NAME).text if place < len(row.targets) else ""
    about = f" around what '{target}' is about" if target else ""
    for its, (one, several) in zip(
        boxes,
        (
            (f"box{about}", f"boxes{about}"),
            ("dashed box around the other thing", "dashed boxes around the other things"),
        ),
        strict=True,
    ):
        if its:
            named = one if len(its) == 1 else f"{len(its)} {several}"
            yield f"{named}: {', '.join(dict.fromkeys(_where(box, picture) for box in its))}"


def _where(box: Rectangle, picture: EmbeddedImage) -> str:
    """Return where the middle of a box is, in a grid of three rows and columns: "top left", "middle"."""
    across = (box.x + box.width / 2) / picture.width
    down = (box.y + box.height / 2) / picture.height
    row, column = (min(2, max(0, int(3 * share))) for share in (down, across))
    return f"{_ROWS[row]} {_COLUMNS[column]}".strip() or "middle"
