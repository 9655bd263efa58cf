"""Reads a COCO folder: captions and instances in `annotations`, photographs in a folder for each split."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from vlcheck.cases.case import MASK, Box, Case, ImageFile
from vlcheck.cases.coco_bindings import find_bindings
from vlcheck.cases.coco_colors import find_colors
from vlcheck.cases.coco_objects import find_objects
from vlcheck.cases.coco_roles import find_roles
from vlcheck.cases.coco_sides import find_hands, find_sides
from vlcheck.cases.lexicon import Lexicons
from vlcheck.cases.limits import LARGEST_NUMBER, LONGEST_CAPTION, is_text
from vlcheck.cases.offer import Offer
from vlcheck.cases.photograph import Finding, Instance, Known, Photograph, settle
from vlcheck.errors import UsageError

LAYOUT = (
    "a COCO folder holds annotations/captions_<split>.json, annotations/instances_<split>.json and the photographs in"
    " <split>/, e.g. val2017/000000000285.jpg"
)
_FINDERS: Mapping[str, Callable[[Known], Iterator[Finding]]] = {
    "object": find_objects,
    "color": find_colors,
    "side": find_sides,
    "hand": find_hands,
    "binding": find_bindings,
    "role": find_roles,
}


def read_coco(root: Path, lexicons: Lexicons) -> Offer:
    """Find every case that the folder's captions and instances offer.

    Raises:
        UsageError: where the folder or one of its annotation files is not as COCO has it.
    """
    if not root.is_dir():
        raise UsageError(f"{root}: there is no such folder; {LAYOUT}.")
    files = sorted((root / "annotations").glob("captions_*.json"))
    if not files:
        raise UsageError(f"{root}: has no annotations/captions_*.json; {LAYOUT}.")
    photographs: dict[str, Photograph] = {}
    categories: dict[str, None] = {}
    left_out: Counter[str] = Counter()
    for file in files:
        split = _Split.read(file, root)
        categories |= dict.fromkeys(split.categories)
        for photograph in split.photographs:
            if photographs.setdefault(photograph.name, photograph) is not photograph:
                left_out["photograph is listed in two splits"] += 1
    cases = {
        name: _cases(Known(photograph, lexicons, tuple(categories or lexicons.objects)), left_out)
        for name, photograph in photographs.items()
    }
    return Offer(cases, left_out, lambda case: _check(photographs[case.id.split("-")[1]]))


def _cases(known: Known, left_out: Counter[str]) -> tuple[Case, ...]:
    cases: list[Case] = []
    for kind, find in _FINDERS.items():
        found, reasons = settle(find(known))
        cases += found
        left_out.update(f"{kind}: {reason}" for reason in reasons)
        left_out.update(
            f"{kind}, bare: another category is as large" for case in found if kind == "object" and not case.bare
        )
    return tuple(cases)


def _check(photograph: Photograph) -> None:
    """Raise UsageError unless the file is there, looks like a picture and has the size that its boxes are for."""
    try:
        size = photograph.image.size
    except UsageError as error:
        raise UsageError(f"{error} It is listed in {photograph.listed_in}.") from error
    if size != photograph.size:
        raise UsageError(
            f"{photograph.image.path}: is {size[0]} x {size[1]} pixels, but {photograph.listed_in} says"
            f" {photograph.size[0]} x {photograph.size[1]}: boxes would not fit."
        )


@dataclass(frozen=True)
class _Split:
    photographs: tuple[Photograph, ...]
    categories: tuple[str, ...]

    @classmethod
    def read(cls, file: Path, root: Path) -> _Split:
        """Read a captions file, and the instances file of the same split where there is one."""
        name = file.stem.removeprefix("captions_")
        listing = _Annotations.load(file)
        captions = _captions(listing)
        licences = {_id(entry): entry.text("name", "") for entry in listing.entries("licenses", optional=True)}
        beside = file.with_name(f"instances_{name}.json")
        instances, categories = _instances(_Annotations.load(beside)) if beside.exists() else ({}, ())
        photographs = [
            Photograph(
                name=f"{_id(entry):012d}",
                image=ImageFile(root / name / _inside(entry)),
                size=(entry.number("width"), entry.number("height")),
                captions=tuple(captions.get(_id(entry), ())),
                instances=instances.get(_id(entry)),
                listed_in=file,
                source=f"COCO {name} {entry.text('flickr_url', '') or entry.text('file_name')}",
                licence=licences.get(entry.number("license", 0), ""),
            )
            for entry in listing.entries("images")
        ]
        return cls(tuple(photographs), categories)


def _captions(file: _Annotations) -> dict[int, list[str]]:
    captions: dict[int, list[str]] = {_id(entry): [] for entry in file.entries("images")}
    for entry in file.entries("annotations"):
        of = entry.number("image_id")
        if of not in captions:
            raise UsageError(f"{entry.where}: image_id {of} is none of the file's images.")
        captions[of].append(_caption(entry))
    return captions


def _instances(file: _Annotations) -> tuple[dict[int, tuple[Instance, ...]], tuple[str, ...]]:
    """By image; one that the file does not list is not annotated."""
    names = {_id(entry): entry.text("name") for entry in file.entries("categories")}
    instances: dict[int, list[Instance]] = {_id(entry): [] for entry in file.entries("images")}
    for entry in file.entries("annotations"):
        of, category = entry.number("image_id"), entry.number("category_id")
        if of not in instances:
            raise UsageError(f"{entry.where}: image_id {of} is none of the file's images.")
        if category not in names:
            raise UsageError(f"{entry.where}: category_id {category} is none of the file's categories.")
        box = entry.box("bbox")
        area = entry.real("area", box.area)
        instances[of].append(Instance(names[category], box, area, bool(entry.fields.get("iscrowd", 0))))
    return {image: tuple(each) for image, each in instances.items()}, tuple(names.values())


def _caption(entry: _Entry) -> str:
    text = " ".join(entry.text("caption").split())
    if MASK in text or len(text) > LONGEST_CAPTION:
        what = f"holds {MASK}" if MASK in text else f"has {len(text)} characters"
        raise UsageError(f"{entry.where}: caption {what}; at most {LONGEST_CAPTION}, of plain words, are accepted.")
    return text


def _inside(entry: _Entry) -> PurePosixPath:
    path = PurePosixPath(entry.text("file_name"))
    if path.is_absolute() or ".." in path.parts:
        raise UsageError(f"{entry.where}: file_name {str(path)!r} climbs out of the split's folder.")
    return path


def _id(entry: _Entry) -> int:
    number = entry.number("id")
    if number < 0:
        raise UsageError(f"{entry.where}: id is {number}; it has to be 0 or more.")
    return number


@dataclass(frozen=True)
class _Entry:
    """An object of one of the file's lists."""

    where: str
    fields: Mapping[str, Any]

    def text(self, key: str, default: str | None = None) -> str:
        value = self.fields.get(key, default)
        if not isinstance(value, str) or not is_text(value):
            raise self._bad(key, "a text", value)
        return value

    def number(self, key: str, default: int | None = None) -> int:
        value = self.fields.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._bad(key, "a whole number", value)
        return value

    def real(self, key: str, default: float) -> float:
        value = self.fields.get(key, default)
        if not _is_real(value):
            raise self._bad(key, "a number", value)
        return float(value)

    def box(self, key: str) -> Box:
        value = self.fields.get(key)
        if not isinstance(value, list) or len(value) != 4 or not all(map(_is_real, value)) or min(value[2:]) < 0:
            raise self._bad(key, "[x, y, width, height]", value)
        return Box(*map(float, value))

    def _bad(self, key: str, wanted: str, value: object) -> UsageError:
        found = f"is {value!r}" if key in self.fields else "is missing"
        return UsageError(f"{self.where}: {key} {found}; it has to be {wanted}.")


def _is_real(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) < LARGEST_NUMBER


@dataclass(frozen=True)
class _Annotations:
    """One of COCO's annotation files."""

    path: Path
    tables: Mapping[str, Any]

    @classmethod
    def load(cls, path: Path) -> _Annotations:
        try:
            tables = json.loads(path.read_bytes())
        except OSError as error:
            raise UsageError(f"{path}: cannot be read ({error.strerror}).") from error
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{path}: is not JSON ({error}).") from error
        if not isinstance(tables, dict):
            raise UsageError(f"{path}: has to hold an object with the lists images and annotations.")
        return cls(path, tables)

    def entries(self, table: str, *, optional: bool = False) -> Iterator[_Entry]:
        rows = self.tables.get(table, [] if optional else None)
        if not isinstance(rows, list):
            raise UsageError(f"{self.path}: has no list {table!r}.")
        for index, row in enumerate(rows):
            where = f"{self.path}: {table}[{index}]"
            if not isinstance(row, dict):
                raise UsageError(f"{where} is not an object.")
            yield _Entry(where, row)
