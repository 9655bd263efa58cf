"""Reading of COCO's keypoints: the joints of people, whose left and right are their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

from vlcheck.cases.left_out import Reason
from vlcheck.datasets.coco.annotation_files import Entry, Rows, read_tables, spared, split_usable
from vlcheck.datasets.limbs import CHAINS, SIDES, Joint, Pose
from vlcheck.errors import UsageError

KEYPOINTS = "person_keypoints_"
_PAIRS = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
NAMES = ("nose", *(f"{side}_{joint}" for joint, side in product(_PAIRS, SIDES)))
_PLACES = {
    f"{side}_{joint}": 3 * NAMES.index(f"{side}_{joint}") for side in SIDES for joint in sum(CHAINS.values(), ())
}
_ENDS = {f"{side}_{chain[-1]}" for side in SIDES for chain in CHAINS.values()}


class Keypoints(NamedTuple):
    """A split's keypoints.

    Attributes:
        by_image: the persons with a marked wrist or ankle, by photograph; a photograph that the file does not list, or
            that has an unusable entry, is missing.
        left_out: why entries are not used.
    """

    by_image: Mapping[int, tuple[Pose, ...]]
    left_out: tuple[Reason, ...]


NO_KEYPOINTS = Keypoints({}, ())


class _Image(NamedTuple):
    id: int
    file_name: str
    where: str

    @classmethod
    def read(cls, entry: Entry) -> _Image:
        return cls(entry.id, entry.text("file_name", ""), entry.where)


class _Marked(NamedTuple):
    image: int
    at: int
    person: Pose | None


def read_keypoints(path: Path, listed: Mapping[int, str], *, listed_in: Path) -> Keypoints:
    """Read the persons that have a marked wrist or ankle.

    Args:
        path: a keypoints file.
        listed: the photographs of its split: id, and name of the file.
        listed_in: the captions file that lists them.

    Raises:
        UsageError: If the file is not in COCO's format, or belongs to another data set.
    """
    readers = {
        "images": spared(_Image.read, "id"),
        "annotations": spared(_person, "image_id"),
        "categories": _check,
    }
    tables = read_tables(path, readers)
    images, unusable = split_usable(tables["images"])
    unknown = _unknown(images, listed, listed_in)
    rows = Rows.of(path, tables["annotations"], {one.id for one in images} | {one.image for one in unusable})
    broken = {one.image for one in (*unusable, *rows.unusable)}
    persons: dict[int, list[Pose]] = {number: [] for number in listed.keys() & {one.id for one in images} - broken}
    for row in rows.usable:
        if row.person and row.image in persons:
            persons[row.image].append(row.person)
    left_out = [Reason("keypoints cannot be used", one.said) for one in (*unusable, *rows.unusable)]
    left_out += [Reason("keypoints are of no listed photograph", said) for said in unknown]
    left_out += [Reason("keypoints are of no listed photograph", one.said) for one in rows.strays]
    return Keypoints({image: tuple(each) for image, each in persons.items()}, tuple(left_out))


def _unknown(images: Sequence[_Image], listed: Mapping[int, str], listed_in: Path) -> list[str]:
    """Return the images that are not listed; raise UsageError if all are unknown, or one is listed as another file."""
    unknown = []
    for number, name, where in images:
        if number in listed and name in ("", listed[number]):
            continue
        said = f"{number} is {listed.get(number, 'no photograph')} in {listed_in}."
        if number in listed or listed.keys().isdisjoint(one.id for one in images):
            raise UsageError(f"{where}: keypoints of another data set: {said}")
        unknown.append(f"{where}: {said}")
    return unknown


def _person(entry: Entry) -> _Marked:
    of, numbers = entry.number("image_id"), entry.reals("keypoints", 3 * len(NAMES))
    joints = {
        name: Joint(numbers[place], numbers[place + 1], numbers[place + 2] == 2)
        for name, place in _PLACES.items()
        if numbers[place + 2]
    }
    return _Marked(of, entry.index, Pose(joints) if _ENDS & joints.keys() else None)


def _check(entry: Entry) -> None:
    names = entry.fields.get("keypoints")
    if names != list(NAMES):
        raise UsageError(f"{entry.where}: keypoints are {names!r}; they have to be COCO's 17: {', '.join(NAMES)}.")
