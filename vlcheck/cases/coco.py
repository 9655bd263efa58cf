"""Reads a COCO folder: captions and instances in `annotations`, photographs in a folder for each split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path, PurePosixPath
from typing import Any

from vlcheck.cases.annotations import Entry, read_tables
from vlcheck.cases.case import MASK, Box, Case, ImageFile
from vlcheck.cases.coco_bindings import find_bindings
from vlcheck.cases.coco_colors import find_colors
from vlcheck.cases.coco_hands import find_hands
from vlcheck.cases.coco_keypoints import KEYPOINTS, read_keypoints
from vlcheck.cases.coco_objects import find_objects
from vlcheck.cases.coco_roles import find_roles
from vlcheck.cases.coco_sides import find_sides, find_verticals
from vlcheck.cases.lexicon import Lexicons
from vlcheck.cases.limits import LONGEST_CAPTION
from vlcheck.cases.offer import Missing, Offer
from vlcheck.cases.photograph import Finding, Instance, Known, Photograph, settle
from vlcheck.errors import UsageError, nearest

LAYOUT = (
    "a COCO folder holds annotations/captions_<split>.json, annotations/instances_<split>.json and the photographs in"
    " <split>/, e.g. val2017/000000000285.jpg"
)
_FINDERS: Mapping[str, Callable[[Known], Iterator[Finding]]] = {
    "object": find_objects,
    "color": find_colors,
    "side": find_sides,
    "vertical": find_verticals,
    "hand": find_hands,
    "binding": find_bindings,
    "role": find_roles,
}
_SPLITS = ("train2017", "val2017")
_BROUGHT = {
    "instances_": frozenset({"object", "single", "side", "vertical", "hand"}),
    KEYPOINTS: frozenset({"hand", "own-side"}),
}


def read_coco(root: Path, lexicons: Lexicons, *, split: str = "") -> Offer:
    """Find every case that the folder's captions and instances offer.

    Args:
        root: the folder.
        lexicons: the words.
        split: the one to read; "" for all of them.

    Raises:
        UsageError: where the folder or one of its annotation files is not as COCO has it, or there is no such split.
    """
    if not root.is_dir():
        raise UsageError(f"{root}: there is no such folder; {LAYOUT}.")
    files = sorted((root / "annotations").glob("captions_*.json"))
    if not files:
        raise UsageError(f"{root}: has no annotations/captions_*.json; {LAYOUT}.")
    named = _named(root, files, split)
    photographs: dict[str, Photograph] = {}
    categories: dict[str, None] = {}
    left_out: Counter[str] = Counter()
    for file in named:
        read = _Split.read(file, root)
        categories |= dict.fromkeys(read.categories)
        for photograph in read.photographs:
            if photographs.setdefault(photograph.name, photograph) is not photograph:
                left_out["photograph is listed in two splits"] += 1
    cases = {
        name: _cases(Known(photograph, lexicons, tuple(categories or lexicons.objects)), left_out)
        for name, photograph in photographs.items()
    }
    left_out += _strays(root, _splits(files))
    missing = tuple(_missing(root, _splits(named), _splits(files)))
    return Offer(cases, left_out, lambda case: _check(photographs[case.id.split("-")[1]]), missing)


def _splits(files: Iterable[Path]) -> list[str]:
    return [file.stem.removeprefix("captions_") for file in files]


def _named(root: Path, files: Sequence[Path], split: str) -> Sequence[Path]:
    """The captions file of a split, or all of them where none is named."""
    named = [file for file in files if file.stem == f"captions_{split}"]
    if split and not named:
        raise UsageError(
            f"{root}: has no split {split!r}, annotations/captions_{split}.json. {nearest(split, _splits(files))}"
        )
    return named or files


def _strays(root: Path, splits: Sequence[str]) -> Counter[str]:
    """Keypoints of photographs that no captions file lists."""
    names = sorted(file.stem.removeprefix(KEYPOINTS) for file in (root / "annotations").glob(f"{KEYPOINTS}*.json"))
    return Counter(
        f"{KEYPOINTS}{name}.json has no captions_{name}.json beside it" for name in names if name not in splits
    )


def _missing(root: Path, splits: Sequence[str], there: Sequence[str]) -> Iterator[Missing]:
    """Files of the splits that are read, and another split that is not there."""
    for split, (stem, kinds) in product(splits, _BROUGHT.items()):
        file = f"annotations/{stem}{split}.json"
        if not (root / file).exists():
            yield Missing(file, kinds)
    others = [split for split in _SPLITS if split not in there]
    if len(others) == 1:
        yield Missing(f"annotations/*_{others[0]}.json and the photographs in {others[0]}/")


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
        """Read a captions file, and the instances and keypoints files of the same split where there are any."""
        name = file.stem.removeprefix("captions_")
        listing = read_tables(
            file,
            {"images": _Listed.read, "annotations": _captioned, "licenses": lambda entry: (entry.id, _name(entry))},
            optional="licenses",
        )
        captions, licences = _captions(file, listing), dict(listing["licenses"])
        beside, keypoints = file.with_name(f"instances_{name}.json"), file.with_name(f"{KEYPOINTS}{name}.json")
        instances, categories = _instances(beside) if beside.exists() else ({}, ())
        files = {one.id: str(one.file_name) for one in listing["images"]}
        persons = read_keypoints(keypoints, files, listed_in=file) if keypoints.exists() else {}
        photographs = [
            Photograph(
                name=f"{one.id:012d}",
                image=ImageFile(root / name / one.file_name),
                size=one.size,
                captions=tuple(captions[one.id]),
                instances=instances.get(one.id),
                persons=persons.get(one.id),
                listed_in=file,
                source=f"COCO {name} {one.url or one.file_name}",
                licence=licences.get(one.licence, ""),
            )
            for one in listing["images"]
        ]
        return cls(tuple(photographs), categories)


@dataclass(frozen=True)
class _Listed:
    """A photograph, as the captions file lists it."""

    id: int
    file_name: PurePosixPath
    size: tuple[int, int]
    url: str
    licence: int

    @classmethod
    def read(cls, entry: Entry) -> _Listed:
        number, path = entry.id, PurePosixPath(entry.text("file_name"))
        if path.is_absolute() or ".." in path.parts:
            raise UsageError(f"{entry.where}: file_name {str(path)!r} climbs out of the split's folder.")
        size = entry.number("width"), entry.number("height")
        return cls(number, path, size, entry.text("flickr_url", ""), entry.number("license", 0))


def _name(entry: Entry) -> str:
    return entry.text("name", "")


def _captioned(entry: Entry) -> tuple[int, str]:
    text = " ".join(entry.text("caption").split())
    if MASK in text or len(text) > LONGEST_CAPTION:
        what = f"holds {MASK}" if MASK in text else f"has {len(text)} characters"
        raise UsageError(f"{entry.where}: caption {what}; at most {LONGEST_CAPTION}, of plain words, are accepted.")
    return entry.number("image_id"), text


def _captions(file: Path, listing: Mapping[str, list[Any]]) -> dict[int, list[str]]:
    captions: dict[int, list[str]] = {one.id: [] for one in listing["images"]}
    for index, (of, caption) in enumerate(listing["annotations"]):
        if of not in captions:
            raise UsageError(f"{file}: annotations[{index}]: image_id {of} is none of the file's images.")
        captions[of].append(caption)
    return captions


def _instances(file: Path) -> tuple[dict[int, tuple[Instance, ...]], tuple[str, ...]]:
    """By image; one that the file does not list is not annotated."""
    tables = read_tables(
        file,
        {
            "images": lambda entry: entry.id,
            "annotations": _annotated,
            "categories": lambda entry: (entry.id, entry.text("name")),
        },
    )
    names = dict(tables["categories"])
    instances: dict[int, list[Instance]] = {image: [] for image in tables["images"]}
    for index, (of, category, box, area, crowd) in enumerate(tables["annotations"]):
        if of not in instances:
            raise UsageError(f"{file}: annotations[{index}]: image_id {of} is none of the file's images.")
        if category not in names:
            raise UsageError(f"{file}: annotations[{index}]: category_id {category} is none of the file's categories.")
        instances[of].append(Instance(names[category], box, area, crowd))
    return {image: tuple(each) for image, each in instances.items()}, tuple(names.values())


def _annotated(entry: Entry) -> tuple[int, int, Box, float, bool]:
    box = entry.box("bbox")
    crowd = bool(entry.fields.get("iscrowd", 0))
    return entry.number("image_id"), entry.number("category_id"), box, entry.real("area", box.area), crowd
