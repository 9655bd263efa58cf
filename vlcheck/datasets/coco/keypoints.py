"""Reading of COCO's keypoints: the joints of people, whose left and right are their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from vlcheck.cases.left_out import Reason
from vlcheck.datasets.coco.annotation_files import (
    Entry,
    Id,
    ManyAtOnce,
    OwnId,
    Reader,
    each_entry,
    read_tables,
    spared,
    split_usable,
)
from vlcheck.datasets.coco.columns import AnnotationColumns, ByImage, Rows, is_among
from vlcheck.datasets.limbs import CHAINS, SIDES, Joint, Pose
from vlcheck.datasets.limits import LARGEST_NUMBER
from vlcheck.errors import UsageError

KEYPOINTS = "person_keypoints_"
_PAIRS = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
NAMES = ("nose", *(f"{side}_{joint}" for joint, side in product(_PAIRS, SIDES)))
JOINTS = tuple(f"{side}_{joint}" for side in SIDES for joint in sum(CHAINS.values(), ()))
_PLACES = [NAMES.index(joint) for joint in JOINTS]
_ENDS = [JOINTS.index(f"{side}_{chain[-1]}") for side in SIDES for chain in CHAINS.values()]
_VISIBLE = 2
_Real = Annotated[float, Meta(gt=-LARGEST_NUMBER, lt=LARGEST_NUMBER)]


@dataclass(frozen=True)
class Keypoints:
    """A split's keypoints.

    Attributes:
        images: the listed photographs of the file, without those that have an unusable entry.
        rows: the persons with a marked wrist or ankle: the places of JOINTS, with their visibility, as bytes of
            (JOINTS, 3), float64.
        left_out: why entries are not used.
    """

    images: Set[int]
    rows: ByImage
    left_out: tuple[Reason, ...]

    def of(self, image: int) -> tuple[Pose, ...] | None:
        """Return the persons with a marked wrist or ankle in a photograph; None if it is not among `images`."""
        if image not in self.images:
            return None
        (persons,) = self.rows.fields(image)
        return tuple(map(_pose, persons))


class _Image(Struct, gc=False):
    id: OwnId
    file_name: str = ""
    at: int = 0

    @classmethod
    def read(cls, entry: Entry) -> _Image:
        return cls(entry.id, entry.text("file_name", ""))

    def numbered(self, at: int) -> _Image:
        """Return the entry with its index in the list."""
        return _Image(self.id, self.file_name, at)


class _Person(Struct, gc=False):
    image_id: Id
    keypoints: Annotated[list[_Real], Meta(min_length=3 * len(NAMES), max_length=3 * len(NAMES))]

    @classmethod
    def read(cls, entry: Entry) -> _Person:
        of, numbers = entry.number("image_id"), entry.reals("keypoints", 3 * len(NAMES))
        return cls(of, list(map(float, numbers)))


def _columns(rows: Sequence[_Person]) -> Sequence[NDArray[Any]]:
    points = np.array([row.keypoints for row in rows], np.float64).reshape(-1, len(NAMES), 3)[:, _PLACES]
    marked = np.full(len(rows), None, object)
    for row in np.flatnonzero(points[:, _ENDS, 2].any(axis=1)):
        marked[row] = points[row].tobytes()
    return np.array([row.image_id for row in rows], np.int64), marked


NO_KEYPOINTS = Keypoints(frozenset(), ByImage.of(AnnotationColumns.gather(iter(()), _columns)), ())


def read_keypoints(path: Path, listed: Mapping[int, str], *, listed_in: Path) -> Keypoints:
    """Read the persons that have a marked wrist or ankle.

    Args:
        path: a keypoints file.
        listed: the photographs of its split: id, and name of the file.
        listed_in: the captions file that lists them.

    Raises:
        UsageError: If the file is not in COCO's format, or belongs to another data set.
    """
    readers: Mapping[str, Reader] = {
        "images": ManyAtOnce(_Image, spared(_Image.read, "id"), partial(each_entry, make=_Image.numbered)),
        "annotations": ManyAtOnce(
            _Person, spared(_Person.read, "image_id"), partial(AnnotationColumns.gather, columns=_columns)
        ),
        "categories": _check,
    }
    tables = read_tables(path, readers)
    images, unusable = split_usable(tables["images"])
    unknown = _unknown(path, images, listed, listed_in)
    rows = Rows.of(path, tables["annotations"], {one.id for one in images} | {one.image for one in unusable})
    broken = {one.image for one in (*unusable, *rows.unusable)}
    there = listed.keys() & {one.id for one in images} - broken
    (persons,) = rows.usable.fields
    marked = rows.usable.where((persons != None) & is_among(rows.usable.image, there))  # noqa: E711  # each of them
    left_out = [Reason("keypoints cannot be used", one.said) for one in (*unusable, *rows.unusable)]
    left_out += [Reason("keypoints are of no listed photograph", said) for said in unknown]
    left_out += [Reason("keypoints are of no listed photograph", one.said) for one in rows.strays]
    return Keypoints(there, ByImage.of(marked), tuple(left_out))


def _unknown(path: Path, images: Sequence[_Image], listed: Mapping[int, str], listed_in: Path) -> list[str]:
    """Return the images that are not listed; raise UsageError if all are unknown, or one is listed as another file."""
    unknown = []
    for image in images:
        number = image.id
        if number in listed and image.file_name in ("", listed[number]):
            continue
        where, said = (
            f"{path}: images[{image.at}]",
            f"{number} is {listed.get(number, 'no photograph')} in {listed_in}.",
        )
        if number in listed or listed.keys().isdisjoint(one.id for one in images):
            raise UsageError(f"{where}: keypoints of another data set: {said}")
        unknown.append(f"{where}: {said}")
    return unknown


def _pose(points: bytes) -> Pose:
    marked = zip(JOINTS, np.frombuffer(points, np.float64).reshape(-1, 3).tolist(), strict=True)
    return Pose({name: Joint(x, y, seen == _VISIBLE) for name, (x, y, seen) in marked if seen})


def _check(entry: Entry) -> None:
    names = entry.fields.get("keypoints")
    if names != list(NAMES):
        raise UsageError(f"{entry.where}: keypoints are {names!r}; they have to be COCO's 17: {', '.join(NAMES)}.")
