"""Reading of a COCO folder: captions and instances in `annotations`, photographs in a folder for each split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import NamedTuple

from vlcheck._util.foreign_files import fault
from vlcheck.cases.case import MASK, Case, ImageFile, ImageSource
from vlcheck.cases.left_out import Reason, count_reasons
from vlcheck.cases.offer import Missing, Offer
from vlcheck.datasets.coco.annotation_files import Entry, Rows, Unusable, read_list, read_tables, spared, split_usable
from vlcheck.datasets.coco.bindings import find_bindings
from vlcheck.datasets.coco.colors import find_colors
from vlcheck.datasets.coco.hands import find_hands
from vlcheck.datasets.coco.identity import missing_files, told_apart
from vlcheck.datasets.coco.instances import NONE, OTHER_SIZE, Listed, padded_id, read_instances
from vlcheck.datasets.coco.keypoints import KEYPOINTS, NO_KEYPOINTS, read_keypoints
from vlcheck.datasets.coco.listing import (
    LAYOUT,
    captions_files,
    files_of_split,
    licence_entry,
    licence_of,
    listed_by_id,
    origin_of,
    split_of,
)
from vlcheck.datasets.coco.objects import find_objects
from vlcheck.datasets.coco.photograph import Finding, Photograph, PhotographFacts, settle
from vlcheck.datasets.coco.roles import find_roles
from vlcheck.datasets.coco.sides import find_sides, find_verticals
from vlcheck.datasets.fitness import MOVED, check_color
from vlcheck.datasets.lexicons.lexicon import Lexicons
from vlcheck.datasets.limits import LONGEST_CAPTION
from vlcheck.errors import NotApplicable, UsageError

_FINDERS: Mapping[str, Callable[[PhotographFacts], Iterator[Finding]]] = {
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
    """Find every case in the folder's captions and instances.

    Args:
        root: the folder.
        lexicons: the words.
        split: the split to read; "" for all of them.

    Returns:
        The cases, with the reasons why other things were left out.

    Raises:
        UsageError: If the folder or an annotation file is not in COCO's format, or the split does not exist.
    """
    files = captions_files(root)
    named = files_of_split(root, files, split)
    there = [file for file in named if (root / split_of(file)).is_dir()]
    splits = [_Split.read(file, root) for file in there]
    left_out = sum((split.left_out for split in splits), Counter())
    left_out.update(f"split {split_of(file)} has no folder {split_of(file)}/" for file in named if file not in there)
    photographs, twins = told_apart(
        {split.name: split.photographs for split in splits},
        _elsewhere(root, set(files).difference(named), {one.name for split in splits for one in split.photographs}),
    )
    if left_out and not photographs:
        why = ", ".join(f"{count} times: {reason}" for reason, count in left_out.items())
        raise UsageError(f"{root}: has no photograph that can be used ({why}); {LAYOUT}.")
    left_out += twins
    categories = tuple({name: None for split in splits for name in split.categories} or lexicons.objects)
    cases = {
        name: _cases(PhotographFacts(photograph, lexicons, categories), left_out)
        for name, photograph in photographs.items()
    }
    left_out += _strays(root, [split_of(file) for file in files])
    by_image: Mapping[ImageSource, Photograph] = {one.image: one for one in photographs.values()}
    missing = tuple(_missing(root, [split.name for split in splits], [*map(split_of, files)]))
    return Offer(cases, left_out, lambda case: _check(case, by_image[case.image], lexicons), missing)


def _elsewhere(root: Path, files: Iterable[Path], names: Set[str]) -> dict[str, list[Path]]:
    """Return the photographs of these names that other captions files list."""
    found: dict[str, list[Path]] = {}
    for file in sorted(files):
        for one in _listed(file):
            folder = root / split_of(file)
            path = folder / one.below(folder) if padded_id(one.id) in names else None
            if path and not fault(path):
                found.setdefault(padded_id(one.id), []).append(path)
    return found


def _listed(file: Path) -> list[Listed]:
    """Return the photographs of a captions file that was not requested; none if it cannot be read."""
    try:
        return split_usable(read_list(file, "images", spared(Listed.read, "id")))[0]
    except UsageError:
        return []


def _strays(root: Path, splits: Sequence[str]) -> Counter[str]:
    """Count keypoints of photographs that no captions file lists."""
    names = sorted(file.stem.removeprefix(KEYPOINTS) for file in (root / "annotations").glob(f"{KEYPOINTS}*.json"))
    return Counter(
        f"{KEYPOINTS}{name}.json has no captions_{name}.json beside it" for name in names if name not in splits
    )


def _missing(root: Path, splits: Sequence[str], there: Sequence[str]) -> Iterator[Missing]:
    """Yield missing files of the splits that are read, and another split that is missing."""
    for split, (stem, kinds) in product(splits, _BROUGHT.items()):
        file = f"annotations/{stem}{split}.json"
        if not (root / file).exists():
            yield Missing(file, kinds)
    others = [split for split in _SPLITS if split not in there]
    if len(others) == 1:
        yield Missing(f"annotations/*_{others[0]}.json and the photographs in {others[0]}/")


def _cases(facts: PhotographFacts, left_out: Counter[str]) -> tuple[Case, ...]:
    cases: list[Case] = []
    for kind, find in _FINDERS.items():
        found, reasons = settle(find(facts))
        cases += found
        left_out.update(f"{kind}: {reason}" for reason in reasons)
        left_out.update(
            f"{kind}, bare: another category is as large" for case in found if kind == "object" and not case.bare
        )
    return tuple(cases)


def _check(case: Case, photograph: Photograph, lexicons: Lexicons) -> None:
    """Raise NotApplicable unless the file is a picture that fits its annotations."""
    image, listed = photograph.image, photograph.size
    try:
        size, moved = image.size, image.moved and image.size == image.stored
        check_color(case, lexicons)
    except UsageError as error:
        raise NotApplicable("photograph cannot be read") from error
    if size != listed:
        pixels, where = f"{size[0]} x {size[1]} pixels", photograph.listed_in
        said = f"{image.place}: is {pixels}, and {listed[0]} x {listed[1]} in {where}"
        raise NotApplicable("photograph has another size than is listed") from UsageError(said)
    if moved:
        raise NotApplicable(MOVED) from UsageError(image.place)


@dataclass(frozen=True)
class _Split:
    """A split that has a folder of photographs."""

    name: str
    photographs: tuple[Photograph, ...]
    categories: tuple[str, ...]
    left_out: Counter[str]

    @classmethod
    def read(cls, file: Path, root: Path) -> _Split:
        """Read a captions file, and the instances and keypoints files of the same split if there are any."""
        name = split_of(file)
        readers = {
            "images": spared(Listed.read, "id"),
            "annotations": spared(_Captioned.read, "image_id"),
            "licenses": spared(licence_entry, "id"),
        }
        listing = read_tables(file, readers, optional="licenses")
        images, broken = split_usable(listing["images"])
        listed = listed_by_id(file, listing["images"])
        rows = Rows.of(file, listing["annotations"], {*listed, *(one.image for one in broken)})
        captions = _captions(listed, rows.usable)
        licences = dict(one for one in listing["licenses"] if not isinstance(one, Unusable))
        beside, keypoints = file.with_name(f"instances_{name}.json"), file.with_name(f"{KEYPOINTS}{name}.json")
        instances = read_instances(beside, listed, file) if beside.exists() else NONE
        files = {number: one.file_name for number, one in listed.items()}
        persons = read_keypoints(keypoints, files, listed_in=file) if keypoints.exists() else NO_KEYPOINTS
        paths = {number: one.below(root / name) for number, one in listed.items()}
        absent = missing_files(root / name, paths.values())
        unfit = {number: instances.unfit[number] for number in listed if number in instances.unfit}
        unfit |= {one.id: Reason(OTHER_SIZE) for one in images if one.size != listed[one.id].size}
        unfit |= {number: Reason(f"photograph is not in {name}/") for number, path in paths.items() if path in absent}
        photographs = [
            Photograph(
                name=padded_id(number),
                image=ImageFile(root / name / paths[number]),
                size=one.size,
                captions=tuple(captions[number]),
                persons=persons.by_image.get(number),
                listed_in=file,
                source=origin_of(one, name),
                licence=licence_of(one, licences),
                **instances.of(number)._asdict(),
            )
            for number, one in listed.items()
            if number not in unfit
        ]
        reasons = [
            *(Reason("photograph's entry cannot be used", one.said) for one in broken),
            *unfit.values(),
            *(Reason("caption cannot be used", one.said) for one in rows.unusable),
            *(Reason("caption is of no listed photograph", one.said) for one in rows.strays),
            *instances.left_out,
            *persons.left_out,
        ]
        return cls(name, tuple(photographs), instances.categories, count_reasons(reasons))


class _Captioned(NamedTuple):
    image: int
    at: int
    text: str

    @classmethod
    def read(cls, entry: Entry) -> _Captioned:
        text = " ".join(entry.text("caption").split())
        if MASK in text or len(text) > LONGEST_CAPTION:
            what = f"holds {MASK}" if MASK in text else f"has {len(text)} characters"
            raise UsageError(f"{entry.where}: caption {what}; at most {LONGEST_CAPTION}, of plain words, are accepted.")
        return cls(entry.number("image_id"), entry.index, text)


def _captions(listed: Iterable[int], rows: Iterable[_Captioned]) -> dict[int, list[str]]:
    """Return the captions of each photograph, in the order of the file."""
    captions: dict[int, list[str]] = {number: [] for number in listed}
    for row in rows:
        if row.image in captions:
            captions[row.image].append(row.text)
    return captions
