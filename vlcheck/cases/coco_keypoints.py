"""Reads COCO's keypoints: the joints of people, whose left and right are their own."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path

from vlcheck.cases.annotations import Entry, read_tables
from vlcheck.cases.limbs import CHAINS, SIDES, Joint, Person
from vlcheck.errors import UsageError

KEYPOINTS = "person_keypoints_"
_PAIRS = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
NAMES = ("nose", *(f"{side}_{joint}" for joint, side in product(_PAIRS, SIDES)))
_PLACES = {
    f"{side}_{joint}": 3 * NAMES.index(f"{side}_{joint}") for side in SIDES for joint in sum(CHAINS.values(), ())
}
_ENDS = {f"{side}_{chain[-1]}" for side in SIDES for chain in CHAINS.values()}


def read_keypoints(path: Path, listed: Mapping[int, str], *, listed_in: Path) -> dict[int, tuple[Person, ...]]:
    """Read who has a wrist or an ankle that was marked.

    Args:
        path: a keypoints file.
        listed: the photographs of its split: id, and name of the file.
        listed_in: the annotation file that lists them.

    Returns:
        By photograph; one that the file does not list is missing.

    Raises:
        UsageError: naming what is not as COCO has it; the file is of another data set.
    """
    readers = {"images": lambda entry: _known(entry, listed, listed_in), "annotations": _person, "categories": _check}
    tables = read_tables(path, readers)
    persons: dict[int, list[Person]] = {image: [] for image in tables["images"]}
    for index, (of, person) in enumerate(tables["annotations"]):
        if of not in persons:
            raise UsageError(f"{path}: annotations[{index}]: image_id {of} is none of the file's images.")
        if person:
            persons[of].append(person)
    return {image: tuple(each) for image, each in persons.items()}


def _known(entry: Entry, listed: Mapping[int, str], listed_in: Path) -> int:
    """The id of a photograph of the split."""
    if entry.id not in listed or entry.text("file_name", listed[entry.id]) != listed[entry.id]:
        name = listed.get(entry.id, "no photograph")
        raise UsageError(f"{entry.where}: keypoints of another data set: {entry.id} is {name} in {listed_in}.")
    return entry.id


def _person(entry: Entry) -> tuple[int, Person | None]:
    of, numbers = entry.number("image_id"), entry.reals("keypoints", 3 * len(NAMES))
    joints = {
        name: Joint(numbers[place], numbers[place + 1], numbers[place + 2] == 2)
        for name, place in _PLACES.items()
        if numbers[place + 2]
    }
    return of, Person(joints) if _ENDS & joints.keys() else None


def _check(entry: Entry) -> None:
    names = entry.fields.get("keypoints")
    if names != list(NAMES):
        raise UsageError(f"{entry.where}: keypoints are {names!r}; they have to be COCO's 17: {', '.join(NAMES)}.")
