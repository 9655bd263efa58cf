"""Reading of COCO's and LVIS's instances files: the annotated objects, and the categories that were searched for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from vlcheck._util.paths import is_folder
from vlcheck.cases.box import Box
from vlcheck.cases.left_out import Reason
from vlcheck.datasets.box_units import Placed, check_unit
from vlcheck.datasets.boxes import in_full, sticks_out
from vlcheck.datasets.coco.annotation_files import Entry, Rows, Unusable, read_tables, spared, split_usable
from vlcheck.datasets.coco.photograph import Instance
from vlcheck.errors import UsageError

OUTSIDE = "photograph has a box outside of it"
OTHER_SIZE = "photograph is listed with two sizes"
UNUSABLE = "photograph has an annotation that cannot be used"
_BRACKET, _JOINT = re.compile(r"[(\[{]"), re.compile(r"[_\W]+")


@dataclass(frozen=True)
class Listed:
    """A photograph in a captions file.

    Attributes:
        id: its id.
        file_name: its file's path, relative to the split's folder.
        size: width and height in pixels.
        url: its address, for attribution.
        licence: the id or the text of its licence.
    """

    id: int
    file_name: str
    size: tuple[int, int]
    url: str
    licence: object

    @classmethod
    def read(cls, entry: Entry) -> Listed:
        number, path = entry.id, PurePosixPath(entry.text("file_name"))
        if path.is_absolute() or ".." in path.parts:
            raise UsageError(f"{entry.where}: file_name {str(path)!r} climbs out of the split's folder.")
        size = entry.number("width"), entry.number("height")
        licence = entry.fields.get("license")
        known = licence if isinstance(licence, int | str) else None
        return cls(number, str(path), size, entry.mention("flickr_url"), known)

    def below(self, split: Path) -> str:
        """Return its path relative to the split's folder, even if the file has it relative to the folder above."""
        first, _, rest = self.file_name.partition("/")
        from_above = rest and first == split.name and not is_folder(split / first)
        return rest if from_above else self.file_name


def padded_id(number: int) -> str:
    """Return a photograph's id as COCO's files write it: twelve digits."""
    return f"{number:012d}"


class Annotated(NamedTuple):
    """The annotations of a photograph, by the names of `Photograph`'s attributes.

    Attributes:
        instances: the annotated objects; equal boxes of one category are one. None if the photograph was not annotated.
        sought: the categories that annotators searched for.
        partial: the categories that may have more instances than annotated.
    """

    instances: tuple[Instance, ...] | None = None
    sought: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Instances:
    """A split's instances.

    Attributes:
        by_image: the annotations of each listed image.
        unfit: why annotations do not fit their photographs, by image.
        categories: names in the order of the file, as words.
        left_out: why annotations that belong to no photograph are not used.
    """

    by_image: Mapping[int, Annotated]
    unfit: Mapping[int, Reason]
    categories: tuple[str, ...]
    left_out: tuple[Reason, ...] = ()

    def of(self, image: int) -> Annotated:
        """Return the annotations of a photograph."""
        return self.by_image.get(image, Annotated())


NONE = Instances({}, {}, ())


class _Image(NamedTuple):
    """A photograph in an instances file; LVIS adds the categories that are absent, and those not fully annotated."""

    id: int
    file_name: str
    size: tuple[int, int] | None
    absent: frozenset[int] | None
    partial: frozenset[int]

    @classmethod
    def read(cls, entry: Entry) -> _Image:
        sized = entry.fields.get("width") is not None and entry.fields.get("height") is not None
        size = (entry.number("width"), entry.number("height")) if sized else None
        partial = entry.ids("not_exhaustive_category_ids") or frozenset()
        return cls(entry.id, entry.text("file_name", ""), size, entry.ids("neg_category_ids"), partial)


class _Row(NamedTuple):
    image: int
    at: int
    category: int
    box: Box
    area: float
    crowd: bool

    @classmethod
    def read(cls, entry: Entry) -> _Row:
        box = entry.box("bbox")
        area = entry.area("area", box.area)
        image, category = entry.number("image_id"), entry.number("category_id")
        return cls(image, entry.index, category, box, area, entry.flag("iscrowd"))


def read_instances(file: Path, listed: Mapping[int, Listed], listed_in: Path) -> Instances:
    """Read an instances file.

    Args:
        file: the file.
        listed: the photographs of its split, by id.
        listed_in: the captions file that lists them.

    Raises:
        UsageError: If the file is not in COCO's format, belongs to another data set, or has boxes in another unit.
    """
    readers = {
        "images": spared(_Image.read, "id"),
        "annotations": spared(_Row.read, "image_id"),
        "categories": lambda entry: (entry, entry.name("name")),
    }
    tables = read_tables(file, readers)
    names = _names(tables["categories"])
    images: dict[int, _Image] = {}
    known, broken = split_usable(tables["images"])
    for image in known:
        _check_file(file, image, listed.get(image.id), listed_in)
        images[image.id] = image
    entries = [_with_category(file, row, names) for row in tables["annotations"]]
    rows = Rows.of(file, entries, {*images, *(one.image for one in broken)})
    used = [row for row in rows.usable if row.image in images]
    sizes = {image: listed[image].size for image in images if image in listed}
    check_unit(file, [Placed(row.at, row.box, sizes[row.image], row.crowd) for row in used if row.image in sizes])
    unusable = [*broken, *rows.unusable]
    unfit = {image.id: Reason(OTHER_SIZE) for image in known if image.size not in (None, sizes.get(image.id))}
    unfit |= _outside(file, used, sizes)
    unfit |= {one.image: Reason(UNUSABLE, one.said) for one in reversed(unusable) if one.image is not None}
    left_out = [Reason("annotation of an unknown photograph", one.said) for one in unusable if one.image is None]
    left_out += [Reason("instance is of no listed photograph", one.said) for one in rows.strays]
    annotated = _annotated(_by_image(used, images, names), images, names)
    return Instances(annotated, unfit, tuple(dict.fromkeys(names.values())), tuple(left_out))


def spoken(name: str) -> str:
    """Return a category's name as words: "fire hydrant" for "fire_hydrant", "bow" for "bow_(weapon)"."""
    before = _BRACKET.split(name)[0]
    return " ".join(_JOINT.split(before.lower())).strip() or name


def _names(categories: Iterable[tuple[Entry, str]]) -> dict[int, str]:
    """Return the names by id; two categories of one name are one."""
    names: dict[int, str] = {}
    for entry, name in categories:
        if names.setdefault(entry.id, spoken(name)) != spoken(name):
            raise UsageError(f"{entry.where}: id {entry.id} is that of {names[entry.id]!r} and of {name!r}.")
    return names


def _check_file(file: Path, image: _Image, listed: Listed | None, listed_in: Path) -> None:
    same = not image.file_name or image.file_name == (listed and listed.file_name)
    if listed and not same and PurePosixPath(image.file_name).name != PurePosixPath(listed.file_name).name:
        raise UsageError(
            f"{file}: instances of another data set: image {image.id} is {image.file_name!r}, and"
            f" {listed.file_name!r} in {listed_in}."
        )


def _with_category(file: Path, row: _Row | Unusable, names: Mapping[int, str]) -> _Row | Unusable:
    """Return the row, or an `Unusable` if the file does not list its category."""
    if isinstance(row, Unusable) or row.category in names:
        return row
    what = f"category_id {row.category} is none of the file's categories."
    return Unusable(row.image, f"{file}: annotations[{row.at}]: {what}")


def _outside(file: Path, rows: Sequence[_Row], sizes: Mapping[int, tuple[int, int]]) -> dict[int, Reason]:
    """Return the images that have a box outside of them, with the first such box."""
    out: dict[int, Reason] = {}
    for row in rows:
        size = sizes.get(row.image)
        if size and row.image not in out and sticks_out(row.box, size):
            said = f"{file}: annotations[{row.at}]: bbox {in_full(row.box, size)}"
            out[row.image] = Reason(OUTSIDE, said)
    return out


_Places = dict[tuple[str, tuple[float, ...]], Instance]


def _by_image(rows: Iterable[_Row], images: Iterable[int], names: Mapping[int, str]) -> dict[int, _Places]:
    found: dict[int, _Places] = {image: {} for image in images}
    for image, _, category, box, area, crowd in rows:
        name = names[category]
        found[image].setdefault((name, _rounded(box)), Instance(name, box, area, crowd))
    return found


def _rounded(box: Box) -> tuple[float, ...]:
    """Round to a tenth of a pixel, since copies of an annotation may differ by rounding."""
    x, y, width, height = box
    return round(x, 1), round(y, 1), round(width, 1), round(height, 1)


def _annotated(
    found: Mapping[int, _Places], images: Mapping[int, _Image], names: Mapping[int, str]
) -> dict[int, Annotated]:
    every = frozenset(names.values())
    ids = Counter(names.values())
    each = {}
    for number, image in images.items():
        sought = every if image.absent is None else _sought(image.absent, names, ids)
        partial = frozenset(names[one] for one in image.partial if one in names)
        each[number] = Annotated(tuple(found[number].values()), sought, partial)
    return each


def _sought(absent: frozenset[int], names: Mapping[int, str], ids: Mapping[str, int]) -> frozenset[str]:
    """Return the names whose categories are all annotated as absent."""
    told = Counter(names[one] for one in absent if one in names)
    return frozenset(name for name, count in told.items() if count == ids[name])
