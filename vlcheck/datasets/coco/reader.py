"""Reading of a COCO folder: captions and instances in `annotations`, photographs in a folder for each split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from vlcheck._util.foreign_files import fault
from vlcheck.cases.case import MASK, Case, ImageFile
from vlcheck.cases.indexed import CaseIndex, IndexedCases
from vlcheck.cases.left_out import Reason, count_reasons
from vlcheck.cases.offer import Missing, Offer
from vlcheck.datasets.coco.annotation_files import (
    Entry,
    Id,
    ManyAtOnce,
    Reader,
    Unusable,
    read_list,
    read_tables,
    spared,
    split_usable,
)
from vlcheck.datasets.coco.bindings import find_bindings
from vlcheck.datasets.coco.colors import find_colors
from vlcheck.datasets.coco.columns import AnnotationColumns, ByImage, Rows
from vlcheck.datasets.coco.hands import find_hands
from vlcheck.datasets.coco.identity import ListedFile, missing_files, told_apart
from vlcheck.datasets.coco.instances import (
    NONE,
    OTHER_SIZE,
    Instances,
    Listed,
    listed_reader,
    padded_id,
    read_instances,
)
from vlcheck.datasets.coco.kept import ReadCoco, read_into_memory, read_once
from vlcheck.datasets.coco.keypoints import KEYPOINTS, NO_KEYPOINTS, Keypoints, read_keypoints
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
from vlcheck.datasets.coco.packed import PackedPhotographs, Packer
from vlcheck.datasets.coco.photograph import Draft, Finding, Photograph, PhotographFacts, settle
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


def read_coco(root: Path, lexicons: Lexicons, *, split: str = "", shared: Path | None = None) -> Offer:
    """Find every case in the folder's captions and instances.

    The annotation files are read once; the photographs are kept in a compact form, from which their cases are made when
    they are asked for.

    Args:
        root: the folder.
        lexicons: the words.
        split: the split to read; "" for all of them.
        shared: a folder in which the processes of a run keep what the first of them has read.

    Returns:
        The cases, with the reasons why other things were left out.

    Raises:
        UsageError: If the folder or an annotation file is not in COCO's format, or the split does not exist.
    """
    reading = partial(_read, root, lexicons, split)
    read, packed = read_once(shared, reading) if shared else read_into_memory(reading)
    photographs = PackedPhotographs(root, read.categories, packed, read.ends)

    def cases_of(row: int) -> tuple[Case, ...]:
        drafts, _ = _drafts(PhotographFacts(photographs[row], lexicons, read.categories))
        return tuple(draft.case() for draft in drafts)

    cases = IndexedCases(read.index, cases_of)
    check = partial(_check, photographs=photographs, lexicons=lexicons)
    return Offer(cases, Counter(read.left_out), check, read.missing)


def _read(root: Path, lexicons: Lexicons, split: str, file: BinaryIO) -> ReadCoco:
    """Read a folder's annotation files, and pack its photographs into a file."""
    files = captions_files(root)
    named = files_of_split(root, files, split)
    there = [file for file in named if (root / split_of(file)).is_dir()]
    splits = {split_of(file): _Split.read(file, root) for file in there}
    left_out = sum((split.left_out for split in splits.values()), Counter())
    left_out.update(f"split {split_of(file)} has no folder {split_of(file)}/" for file in named if file not in there)
    found = [one for split in splits.values() for one in split.found()]
    elsewhere = _elsewhere(root, set(files).difference(named), {one.name for one in found})
    photographs, twins = told_apart(found, elsewhere)
    if left_out and not photographs:
        why = ", ".join(f"{count} times: {reason}" for reason, count in left_out.items())
        raise UsageError(f"{root}: has no photograph that can be used ({why}); {LAYOUT}.")
    left_out += twins
    categories = tuple({name: None for split in splits.values() for name in split.instances.categories})
    categories = categories or tuple(lexicons.objects)
    packer = Packer(root, categories, file)

    def drafts() -> Iterator[tuple[str, list[Draft]]]:
        for name, one in photographs.items():
            photograph = splits[one.split].photograph(one, name)
            packer.add(photograph)
            found, reasons = _drafts(PhotographFacts(photograph, lexicons, categories))
            left_out.update(reasons)
            yield name, found

    index = CaseIndex.of(drafts())
    left_out += _strays(root, [split_of(file) for file in files])
    missing = tuple(_missing(root, list(splits), [*map(split_of, files)]))
    return ReadCoco(categories, left_out, missing, index, np.asarray(packer.ends, np.int64))


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
        listed: list[Listed | Unusable] = read_list(file, "images", listed_reader(file))
        return split_usable(listed)[0]
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


def _drafts(facts: PhotographFacts) -> tuple[list[Draft], list[str]]:
    """Return the drafts of a photograph's cases, and the reasons why other things were left out."""
    drafts: list[Draft] = []
    left_out: list[str] = []
    for kind, find in _FINDERS.items():
        found, reasons = settle(find(facts))
        drafts += found
        left_out += [f"{kind}: {reason}" for reason in reasons]
        if kind == "object":
            left_out += [f"{kind}, bare: another category is as large" for draft in found if not draft.bare]
    return drafts, left_out


def _check(case: Case, *, photographs: PackedPhotographs, lexicons: Lexicons) -> None:
    """Raise NotApplicable unless the file is a picture that fits its annotations."""
    image = cast(ImageFile, case.image)
    listed = photographs.listed(image)
    try:
        size, moved = image.size, image.moved and image.size == image.stored
        check_color(case, lexicons)
    except UsageError as error:
        raise NotApplicable("photograph cannot be read") from error
    if size != listed.size:
        pixels = f"{size[0]} x {size[1]} pixels"
        said = f"{image.place}: is {pixels}, and {listed.size[0]} x {listed.size[1]} in {listed.place}"
        raise NotApplicable("photograph has another size than is listed") from UsageError(said)
    if moved:
        raise NotApplicable(MOVED) from UsageError(image.place)


@dataclass(frozen=True)
class _Split:
    """A split that has a folder of photographs.

    Attributes:
        file: its captions file.
        folder: its folder of photographs.
        listed: its photographs by id, without those that cannot be used.
        licences: the names of licences, by id.
        captions: the captions of all photographs.
        instances: the annotated objects.
        keypoints: the persons.
        left_out: the number of things that were left out, by reason.
    """

    file: Path
    folder: Path
    listed: Mapping[int, Listed]
    licences: Mapping[object, str]
    captions: ByImage
    instances: Instances
    keypoints: Keypoints
    left_out: Counter[str]

    @classmethod
    def read(cls, file: Path, root: Path) -> _Split:
        """Read a captions file, and the instances and keypoints files of the same split if there are any."""
        name = split_of(file)
        listing = read_tables(file, _readers(file), optional="licenses")
        images, broken = split_usable(listing["images"])
        listed = listed_by_id(file, listing["images"])
        rows = Rows.of(file, listing["annotations"], {*listed, *(one.image for one in broken)})
        licences = dict(one for one in listing["licenses"] if not isinstance(one, Unusable))
        beside, marked = file.with_name(f"instances_{name}.json"), file.with_name(f"{KEYPOINTS}{name}.json")
        instances = read_instances(beside, listed, file) if beside.exists() else NONE
        files = {number: one.file_name for number, one in listed.items()}
        keypoints = read_keypoints(marked, files, listed_in=file) if marked.exists() else NO_KEYPOINTS
        unfit = {number: instances.unfit[number] for number in listed if number in instances.unfit}
        unfit |= {one.id: Reason(OTHER_SIZE) for one in images if one.size != listed[one.id].size}
        unfit |= dict.fromkeys(_absent(root / name, listed), Reason(f"photograph is not in {name}/"))
        reasons = [
            *(Reason("photograph's entry cannot be used", one.said) for one in broken),
            *unfit.values(),
            *(Reason("caption cannot be used", one.said) for one in rows.unusable),
            *(Reason("caption is of no listed photograph", one.said) for one in rows.strays),
            *instances.left_out,
            *keypoints.left_out,
        ]
        fit = {number: one for number, one in listed.items() if number not in unfit}
        captions = ByImage.of(rows.usable)
        return cls(file, root / name, fit, licences, captions, instances, keypoints, count_reasons(reasons))

    def found(self) -> Iterator[ListedFile]:
        """Yield its photographs."""
        for number, one in self.listed.items():
            yield ListedFile(self.folder.name, number, padded_id(number), str(self.folder / one.below(self.folder)))

    def photograph(self, found: ListedFile, name: str) -> Photograph:
        """Return one of its photographs.

        Args:
            found: the photograph.
            name: its name among those of all splits.
        """
        listed = self.listed[found.number]
        (captions,) = self.captions.fields(found.number)
        return Photograph(
            name=name,
            image=ImageFile(Path(found.path)),
            size=listed.size,
            captions=tuple(captions),
            persons=self.keypoints.of(found.number),
            listed_in=self.file,
            source=origin_of(listed, self.folder.name),
            licence=licence_of(listed, self.licences),
            **self.instances.of(found.number)._asdict(),
        )


def _absent(folder: Path, listed: Mapping[int, Listed]) -> Iterator[int]:
    """Yield the ids of photographs whose files do not exist."""
    paths = {number: one.below(folder) for number, one in listed.items()}
    absent = missing_files(folder, paths.values())
    yield from (number for number, path in paths.items() if path in absent)


class _Captioned(Struct, gc=False):
    image_id: Id
    caption: str

    @classmethod
    def read(cls, entry: Entry) -> _Captioned:
        return cls(image_id=entry.number("image_id"), caption=entry.text("caption"))


def _readers(file: Path) -> Mapping[str, Reader]:
    """Return the readers of the lists of a captions file."""
    return {
        "images": listed_reader(file),
        "annotations": ManyAtOnce(_Captioned, spared(_Captioned.read, "image_id"), partial(_gathered, file)),
        "licenses": spared(licence_entry, "id"),
    }


def _gathered(file: Path, batches: Iterator[Sequence[_Captioned | Unusable]]) -> AnnotationColumns:
    """Put captions into columns: their texts, with single spaces."""
    read = AnnotationColumns.gather(batches, _columns)
    texts = read.fields[0]
    refused = np.array([MASK in text or len(text) > LONGEST_CAPTION for text in texts], np.bool_)

    def why(row: int) -> str:
        what = f"holds {MASK}" if MASK in texts[row] else f"has {len(texts[row])} characters"
        accepted = f"at most {LONGEST_CAPTION}, of plain words, are accepted"
        return f"{file}: annotations[{read.at[row]}]: caption {what}; {accepted}."

    return read.refuse(refused, why)


def _columns(rows: Sequence[_Captioned]) -> Sequence[NDArray[Any]]:
    texts = np.empty(len(rows), object)
    texts[:] = [" ".join(row.caption.split()) for row in rows]
    return np.array([row.image_id for row in rows], np.int64), texts
