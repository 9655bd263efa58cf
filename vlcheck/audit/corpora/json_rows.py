"""JSON objects with a caption each, and the pictures and boxes that they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image

from vlcheck.audit.caption import Found, NamedBox
from vlcheck.cases.case import ImageFile

KEPT = ("caption", "image", "boxes")  # the fields that an audit needs


def decoder_of(columns: Mapping[str, str]) -> msgspec.json.Decoder[Any]:
    """Return a decoder of objects that keeps what an audit needs, and passes over the rest.

    Args:
        columns: the name of the object's key for each of the fields caption, image and boxes.
    """
    kept = {one: columns[one] for one in KEPT if one in columns}
    return msgspec.json.Decoder(
        msgspec.defstruct("Row", [(one, Any, None) for one in KEPT], rename=kept, gc=False, frozen=True)
    )


def found_in(rows: Iterable[Any], pictures: Path | None) -> Iterator[Found | None]:
    """Yield what objects say.

    Args:
        rows: the decoded objects; None is passed on.
        pictures: the folder from which the paths of pictures lead; None if pictures are not to be opened.
    """
    for row in rows:
        if row is None:
            yield None
            continue
        image = "" if row.image is None else str(row.image)
        boxes = boxes_of(row.boxes) if row.boxes else ()
        yield Found(row.caption, image, boxes, picture_at(pictures, image) if pictures and image else None)


def boxes_of(value: object) -> tuple[NamedBox, ...]:
    """Return a field's boxes; () for anything else.

    Args:
        value: a list of boxes, each a list, or an object, of a name and four shares of the picture, in this order.
    """
    if not isinstance(value, list):
        return ()
    try:
        each = (one.values() if isinstance(one, dict) else one for one in value)
        return tuple((str(name), float(x), float(y), float(w), float(h)) for name, x, y, w, h in each)
    except (TypeError, ValueError, OverflowError):
        return ()


def picture_at(folder: Path, name: str) -> partial[Image.Image]:
    """Return a function that decodes a picture.

    Args:
        folder: the folder of pictures.
        name: the picture's path within it.
    """
    return partial(_decoded, folder / name)


def _decoded(path: Path) -> Image.Image:
    return ImageFile(path).open()
