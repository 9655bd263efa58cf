"""The photographs that a COCO folder lists, and where their files are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from vlcheck._util.paths import is_folder
from vlcheck.cases.case import ImageFile
from vlcheck.datasets.coco.annotation_files import Entry, Reader, Unusable, read_tables, spared
from vlcheck.datasets.coco.identity import missing_files
from vlcheck.datasets.coco.instances import Listed, listed_reader
from vlcheck.errors import UsageError, nearest

LAYOUT = (
    "a COCO folder holds annotations/captions_<split>.json, annotations/instances_<split>.json and the photographs in"
    " <split>/, e.g. val2017/000000000285.jpg"
)


class PhotographFile(NamedTuple):
    """The file of a listed photograph.

    Attributes:
        id: the photograph's id.
        image: the file.
        source: origin, for attribution.
        licence: licence under which it may be shown.
    """

    id: int
    image: ImageFile
    source: str
    licence: str


def captions_files(root: Path) -> Sequence[Path]:
    """Return the captions files of a COCO folder; raise UsageError if there are none."""
    if not is_folder(root):
        raise UsageError(f"{root}: there is no such folder; {LAYOUT}.")
    files = sorted((root / "annotations").glob("captions_*.json"))
    if not files:
        raise UsageError(f"{root}: has no annotations/captions_*.json; {LAYOUT}.")
    return files


def files_of_split(root: Path, files: Sequence[Path], split: str) -> Sequence[Path]:
    """Return the captions file of a split, or all of them if none is named.

    Args:
        root: the COCO folder, for messages.
        files: its captions files.
        split: the split; "" for all of them.

    Raises:
        UsageError: If the folder has no such split.
    """
    named = [file for file in files if split_of(file) == split]
    if split and not named:
        known = nearest(split, map(split_of, files))
        raise UsageError(f"{root}: has no split {split!r}, annotations/captions_{split}.json. {known}")
    return named or files


def split_of(captions: Path) -> str:
    """Return the split of a captions file."""
    return captions.stem.removeprefix("captions_")


def photograph_files(root: Path, split: str = "") -> Iterator[PhotographFile]:
    """Yield the listed photographs whose files exist.

    Args:
        root: the COCO folder.
        split: the split to read; "" for all of them.

    Raises:
        UsageError: If the folder or a captions file is not in COCO's format, or the split does not exist.
    """
    for file in files_of_split(root, captions_files(root), split):
        readers: Mapping[str, Reader] = {"images": listed_reader(file), "licenses": spared(licence_entry, "id")}
        tables = read_tables(file, readers, optional="licenses")
        listed = listed_by_id(file, tables["images"])
        licences = dict(one for one in tables["licenses"] if not isinstance(one, Unusable))
        folder = root / split_of(file)
        paths = {number: one.below(folder) for number, one in listed.items()}
        absent = missing_files(folder, paths.values())
        for number, one in listed.items():
            if paths[number] not in absent:
                image = ImageFile(folder / paths[number])
                yield PhotographFile(number, image, origin_of(one, split_of(file)), licence_of(one, licences))


def licence_entry(entry: Entry) -> tuple[object, str]:
    """Return the id and the name of a licence that a captions file lists."""
    number = entry.fields.get("id")
    return number if isinstance(number, int | str) else None, entry.mention("name")


def licence_of(listed: Listed, licences: Mapping[object, str]) -> str:
    """Return the name of a photograph's licence, or "".

    Args:
        listed: the photograph.
        licences: the names of the file's licences, by id.
    """
    return licences.get(listed.licence, listed.licence if isinstance(listed.licence, str) else "")


def origin_of(listed: Listed, split: str) -> str:
    """Return the origin of a photograph, for attribution.

    Args:
        listed: the photograph.
        split: the split that lists it.
    """
    return f"COCO {split} {listed.url or listed.file_name}"


def listed_by_id(file: Path, images: Sequence[Listed | Unusable]) -> dict[int, Listed]:
    """Return the usable photographs of a captions file by id.

    Args:
        file: the file, for messages.
        images: the entries of its list.

    Raises:
        UsageError: If two photographs have the same id.
    """
    listed: dict[int, Listed] = {}
    for index, image in enumerate(images):
        if isinstance(image, Unusable):
            continue
        twin = listed.setdefault(image.id, image)
        if twin.file_name != image.file_name:
            what = f"id {image.id} is that of {twin.file_name!r} and of {image.file_name!r}"
            raise UsageError(f"{file}: images[{index}]: {what}; ids are unique within a split.")
    return listed
