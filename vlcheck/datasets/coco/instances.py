"""Reading of COCO's and LVIS's instances files: the annotated objects, and the categories that were searched for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import Annotated as Of
from typing import Any, NamedTuple

import numpy as np
from msgspec import UNSET, Meta, Struct, UnsetType
from numpy.typing import NDArray

from vlcheck._util.paths import is_folder
from vlcheck.cases.box import Box
from vlcheck.cases.left_out import Reason
from vlcheck.datasets.box_units import Placed, check_unit
from vlcheck.datasets.boxes import Boxes, in_full, sticks_out
from vlcheck.datasets.coco.annotation_files import (
    Entry,
    Id,
    ManyAtOnce,
    OwnId,
    Reader,
    Unusable,
    each_entry,
    read_tables,
    spared,
    split_usable,
)
from vlcheck.datasets.coco.columns import AnnotationColumns, ByImage, Rows, is_among
from vlcheck.datasets.coco.photograph import Instance
from vlcheck.datasets.limits import LARGEST_NUMBER
from vlcheck.errors import UsageError

OUTSIDE = "photograph has a box outside of it"
OTHER_SIZE = "photograph is listed with two sizes"
UNUSABLE = "photograph has an annotation that cannot be used"
_BRACKET, _JOINT = re.compile(r"[(\[{]"), re.compile(r"[_\W]+")


@dataclass(frozen=True, slots=True)
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

    def below(self, split: Path) -> str:
        """Return its path relative to the split's folder, even if the file has it relative to the folder above."""
        first, _, rest = self.file_name.partition("/")
        from_above = rest and first == split.name and not is_folder(split / first)
        return rest if from_above else self.file_name


class _Listed(Struct, gc=False):
    id: OwnId
    file_name: str
    width: Id
    height: Id
    flickr_url: Any = None
    license: Any = None

    @classmethod
    def read(cls, entry: Entry) -> _Listed:
        number, name = entry.id, entry.text("file_name")
        width, height = entry.number("width"), entry.number("height")
        return cls(number, name, width, height, entry.mention("flickr_url"), entry.fields.get("license"))


def listed_reader(file: Path) -> ManyAtOnce[_Listed, list[Listed | Unusable]]:
    """Return the reader of the photographs in a captions file."""

    def make(one: _Listed, at: int) -> Listed | Unusable:
        path = PurePosixPath(one.file_name)
        if path.is_absolute() or ".." in path.parts:
            said = f"file_name {str(path)!r} climbs out of the split's folder"
            return Unusable(one.id, f"{file}: images[{at}]: {said}.")
        url = one.flickr_url if isinstance(one.flickr_url, str) else ""
        licence = one.license if isinstance(one.license, int | str) else None
        return Listed(one.id, str(path), (one.width, one.height), url, licence)

    return ManyAtOnce(_Listed, spared(_Listed.read, "id"), partial(each_entry, make=make))


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
        images: the images that the file lists, by id.
        names: the names of categories by id, in the order of the file, as words.
        rows: the annotations of these images: category, box, area, and whether it is a crowd.
        unfit: why annotations do not fit their photographs, by image.
        left_out: why annotations that belong to no photograph are not used.
    """

    images: Mapping[int, _Image]
    names: Mapping[int, str]
    rows: ByImage
    unfit: Mapping[int, Reason]
    left_out: tuple[Reason, ...] = ()

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """Names in the order of the file; two categories of one name are one."""
        return tuple(dict.fromkeys(self.names.values()))

    @cached_property
    def _every(self) -> frozenset[str]:
        return frozenset(self.names.values())

    @cached_property
    def _ids(self) -> Counter[str]:
        return Counter(self.names.values())

    def of(self, number: int) -> Annotated:
        """Return the annotations of a photograph."""
        image = self.images.get(number)
        if image is None:
            return Annotated()
        absent = image.neg_category_ids
        sought = self._every if absent is UNSET else _sought(absent, self.names, self._ids)
        partial = frozenset(self.names[one] for one in image.not_exhaustive_category_ids if one in self.names)
        return Annotated(self._instances(number), sought, partial)

    def _instances(self, number: int) -> tuple[Instance, ...]:
        """Return the objects of a photograph; of copies, which may differ by rounding, the first."""
        found: list[Instance] = []
        beside: dict[tuple[str, float], list[Box]] = {}  # the boxes of a category by their rounded left edge
        for category, edges, area, crowd in zip(*self.rows.fields(number), strict=True):
            name, box = self.names[category], Box._make(edges)
            others = beside.setdefault((name, round(box.x, 1)), [])
            if not others or _rounded(box) not in map(_rounded, others):
                others.append(box)
                found.append(Instance(name, box, area, crowd))
        return tuple(found)


class _Image(Struct, gc=False):
    """A photograph in an instances file; LVIS adds the categories that are absent, and those not fully annotated."""

    id: OwnId
    file_name: str = ""
    width: Id | None = None
    height: Id | None = None
    neg_category_ids: frozenset[Id] | UnsetType = UNSET
    not_exhaustive_category_ids: frozenset[Id] = frozenset()

    @property
    def size(self) -> tuple[int, int] | None:
        return None if self.width is None or self.height is None else (self.width, self.height)

    @classmethod
    def read(cls, entry: Entry) -> _Image:
        sized = entry.fields.get("width") is not None and entry.fields.get("height") is not None
        width, height = (entry.number("width"), entry.number("height")) if sized else (None, None)
        absent, partial = entry.ids("neg_category_ids"), entry.ids("not_exhaustive_category_ids") or frozenset()
        name = entry.text("file_name", "")
        return cls(entry.id, name, width, height, UNSET if absent is None else absent, partial)


_Real = Of[float, Meta(gt=-LARGEST_NUMBER, lt=LARGEST_NUMBER)]
_Positive = Of[float, Meta(ge=0, lt=LARGEST_NUMBER)]


class _Row(Struct, gc=False):
    image_id: Id
    category_id: Id
    bbox: tuple[_Real, _Real, _Positive, _Positive]
    area: _Positive | None = None
    iscrowd: Of[int, Meta(ge=0, le=1)] = 0

    @classmethod
    def read(cls, entry: Entry) -> _Row:
        box = entry.box("bbox")
        area = entry.area("area", box.area)
        image, category = entry.number("image_id"), entry.number("category_id")
        return cls(image, category, (*box,), area, int(entry.flag("iscrowd")))


def _columns(rows: Sequence[_Row]) -> Sequence[NDArray[Any]]:
    boxes = np.array([row.bbox for row in rows], np.float64).reshape(-1, 4)
    areas = [row.bbox[2] * row.bbox[3] if row.area is None else row.area for row in rows]
    return (
        np.array([row.image_id for row in rows], np.int64),
        np.array([row.category_id for row in rows], np.int64),
        boxes,
        np.array(areas, np.float64),
        np.array([row.iscrowd for row in rows], np.bool_),
    )


def read_instances(file: Path, listed: Mapping[int, Listed], listed_in: Path) -> Instances:
    """Read an instances file.

    Args:
        file: the file.
        listed: the photographs of its split, by id.
        listed_in: the captions file that lists them.

    Raises:
        UsageError: If the file is not in COCO's format, belongs to another data set, or has boxes in another unit.
    """
    readers: Mapping[str, Reader] = {
        "images": ManyAtOnce(_Image, spared(_Image.read, "id"), partial(each_entry, make=lambda one, _: one)),
        "annotations": ManyAtOnce(
            _Row, spared(_Row.read, "image_id"), partial(AnnotationColumns.gather, columns=_columns)
        ),
        "categories": lambda entry: (entry, entry.name("name")),
    }
    tables = read_tables(file, readers)
    names = _names(tables["categories"])
    images: dict[int, _Image] = {}
    known, broken = split_usable(tables["images"])
    for image in known:
        _check_file(file, image, listed.get(image.id), listed_in)
        images[image.id] = image
    entries = _with_category(file, tables["annotations"], names)
    rows = Rows.of(file, entries, {*images, *(one.image for one in broken)})
    used = rows.usable.where(is_among(rows.usable.image, images))
    sizes = {image: listed[image].size for image in images if image in listed}
    placed, images_of = _placed(used, sizes)
    check_unit(file, placed)
    unusable = [*broken, *rows.unusable]
    unfit = {image.id: Reason(OTHER_SIZE) for image in known if image.size not in (None, sizes.get(image.id))}
    unfit |= _outside(file, placed, images_of)
    unfit |= {one.image: Reason(UNUSABLE, one.said) for one in reversed(unusable) if one.image is not None}
    left_out = [Reason("annotation of an unknown photograph", one.said) for one in unusable if one.image is None]
    left_out += [Reason("instance is of no listed photograph", one.said) for one in rows.strays]
    return Instances(images, names, ByImage.of(used), unfit, tuple(left_out))


def _placed(used: AnnotationColumns, sizes: Mapping[int, tuple[int, int]]) -> tuple[Placed, NDArray[np.int64]]:
    """Return the boxes in pictures whose sizes are known, and the ids of these pictures."""
    ids = np.array(sorted(sizes), np.int64)
    rows = used.where(np.isin(used.image, ids))
    _, boxes, _, crowd = rows.fields
    known = np.array([sizes[one] for one in ids.tolist()], np.int64).reshape(-1, 2)
    width, height = known[np.searchsorted(ids, rows.image)].T
    return Placed(rows.at, Boxes(*boxes.T), (width, height), crowd), rows.image


NONE = Instances({}, {}, ByImage.of(AnnotationColumns.gather(iter(()), _columns)), {})


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


def _with_category(file: Path, rows: AnnotationColumns, names: Mapping[int, str]) -> AnnotationColumns:
    """Return the rows, with those among the unusable ones of which the file does not list the category."""
    category = rows.fields[0]

    def why(row: int) -> str:
        what = f"category_id {category[row]} is none of the file's categories."
        return f"{file}: annotations[{rows.at[row]}]: {what}"

    return rows.refuse(~is_among(category, names), why)


def _outside(file: Path, placed: Placed, images: NDArray[np.int64]) -> dict[int, Reason]:
    """Return the images that have a box outside of them, with the first such box."""
    out: dict[int, Reason] = {}
    for row in np.flatnonzero(sticks_out(placed.box, placed.size)).tolist():
        if (image := int(images[row])) not in out:
            one = placed.one(row)
            said = f"{file}: annotations[{one.at}]: bbox {in_full(one.box, one.size)}"
            out[image] = Reason(OUTSIDE, said)
    return out


def _rounded(box: Box) -> tuple[float, ...]:
    """Round to a tenth of a pixel, since copies of an annotation may differ by rounding."""
    x, y, width, height = box
    return round(x, 1), round(y, 1), round(width, 1), round(height, 1)


def _sought(absent: frozenset[int], names: Mapping[int, str], ids: Mapping[str, int]) -> frozenset[str]:
    """Return the names whose categories are all annotated as absent."""
    told = Counter(names[one] for one in absent if one in names)
    return frozenset(name for name, count in told.items() if count == ids[name])
