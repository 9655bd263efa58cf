"""Reading of a foil suite: its files, the pictures that they name, and the cases of both."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vlcheck._util.hashing import digest
from vlcheck._util.numbers import counted
from vlcheck._util.paths import is_folder
from vlcheck._util.spec_grammar import Reference
from vlcheck.cases.box import Box
from vlcheck.cases.case import Case, ImageSource
from vlcheck.cases.left_out import Reason, count_reasons
from vlcheck.cases.offer import Missing, Offer
from vlcheck.datasets.fitness import check_upright
from vlcheck.datasets.foils.crop import PictureCrop
from vlcheck.datasets.foils.offer import foil_case
from vlcheck.datasets.foils.pictures import ABSENT, NamedPictures, open_pictures
from vlcheck.datasets.foils.rows import FoilRow
from vlcheck.datasets.lexicons.lexicon import Lexicons
from vlcheck.errors import NotApplicable, UsageError

TWICE = "pair is there twice"
UNUSABLE = "pair cannot be used"
_PLAIN_KEY = re.compile(r"[\w.-]{1,60}", re.ASCII)
_STRANGE = re.compile(r"[^\w.]+", re.ASCII)


@dataclass(frozen=True)
class FoilPair:
    """A picture, a true caption, and its foils, as a suite lists them.

    Attributes:
        key: unique within its file.
        picture: the name of the picture's file.
        caption: the true sentence.
        foils: the false ones.
        phenomenon: the thing that these are wrong about, a tag.
        crop: the part of the picture that the caption is about; None for all of it.
        beside: names of other pictures' files without which the pair is only a half.
    """

    key: str
    picture: str
    caption: str
    foils: tuple[str, ...]
    phenomenon: str
    crop: Box | None = None
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class FoilSuite:
    """A published suite.

    Attributes:
        scheme: its name in specs.
        name: its name.
        address: the place where its authors publish it.
        licence: the licence of its texts.
        pictures: the owners of its pictures, and the place where these are to be had.
        files: the names of its files, with the phenomenon of each, "" if a file has several.
        rows: reads the entries of a file.
        pairs: reads the pairs of an entry. Raises UsageError if the entry is not as the authors publish it, and
            NotApplicable if the pair is not to be used.
    """

    scheme: str
    name: str
    address: str
    licence: str
    pictures: str
    files: Mapping[str, str]
    rows: Callable[[Path], Iterator[FoilRow]]
    pairs: Callable[[FoilRow, str], Iterator[FoilPair]]

    def __str__(self) -> str:
        return f"{self.name} is at {self.address}, {self.licence}"

    def base(self, folder: Path) -> Path:
        """Return the folder of the files: this one, or `data` in it, as in the authors' repository.

        Raises:
            UsageError: If neither holds any of the suite's files; the message says where they are to be had.
        """
        if not is_folder(folder):
            raise UsageError(f"{folder}: there is no such folder. {self}.")
        for base in (folder, folder / "data"):
            if any((base / name).exists() for name in self.files):
                return base
        raise UsageError(f"{folder}: has none of {', '.join(self.files)}, nor has data/ in it. {self}.")


def read_suite(suite: FoilSuite, folder: Path, lexicons: Lexicons, at: Reference | None) -> Offer:
    """Read the pairs whose pictures are there.

    Args:
        suite: the suite.
        folder: the folder of its files.
        lexicons: the words for sides.
        at: the pictures, as the spec names them after its @.

    Raises:
        UsageError: If the folder has none of the suite's files, a file is not JSON, or no pair can be used; the message
            says where files and pictures are to be had.
    """
    base = suite.base(folder)
    there = {name: phenomenon for name, phenomenon in suite.files.items() if (base / name).exists()}
    read = _Reading(suite, open_pictures(at, base))
    for name, phenomenon in there.items():
        for row in suite.rows(base / name):
            read.add(row, phenomenon)
    if not read.cases:
        raise UsageError(f"{folder}: {read.nothing()}")
    return Offer(
        {name: tuple(cases) for name, cases in read.cases.items()},
        count_reasons(read.reasons),
        lambda case: _check(case, lexicons),
        (*_absent_files(suite, there), *read.absent_pictures()),
    )


def _absent_files(suite: FoilSuite, there: Mapping[str, str]) -> Iterator[Missing]:
    for name, phenomenon in suite.files.items():
        if name not in there:
            yield Missing(f"{name} ({suite})", frozenset({phenomenon} if phenomenon else ()))


@dataclass
class _Reading:
    """The cases of the pairs that were read, by picture, and the reasons why the others have none."""

    suite: FoilSuite
    pictures: NamedPictures
    cases: dict[str, list[Case]] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)
    pairs: int = 0
    _seen: set[tuple[ImageSource, str, tuple[str, ...]]] = field(default_factory=set)
    _absent: dict[str, int] = field(default_factory=dict)

    def add(self, row: FoilRow, phenomenon: str) -> None:
        """Make the cases of an entry."""
        try:
            for pair in self.suite.pairs(row, phenomenon):
                self._add(row, pair)
        except UsageError as error:
            self._leave_out(Reason(UNUSABLE, str(error)))
        except NotApplicable as why:
            self._leave_out(Reason(str(why), row.where))

    def _add(self, row: FoilRow, pair: FoilPair) -> None:
        try:
            name, case = self._case(row, pair)
        except NotApplicable as why:
            if str(why) == ABSENT:
                self._absent[pair.phenomenon] = self._absent.get(pair.phenomenon, 0) + 1
            self._leave_out(Reason(str(why), f"{pair.picture} of {row.where}"))
            return
        content = case.image, case.caption, case.foils
        if content in self._seen:
            self._leave_out(Reason(TWICE, row.where))
            return
        self.pairs += 1
        self._seen.add(content)
        self.cases.setdefault(name, []).append(case)

    def _case(self, row: FoilRow, pair: FoilPair) -> tuple[str, Case]:
        file, *_ = map(self.pictures.find, (pair.picture, *pair.beside))
        source = f"{self.suite.name} {row.path.stem} {pair.key}"
        case = foil_case(
            f"{self.suite.scheme}-{row.path.stem}-{_in_id(pair.key)}",
            PictureCrop(file.image, pair.crop) if pair.crop else file.image,
            pair.caption,
            pair.foils,
            pair.phenomenon,
            f"{source}, on {file.source}" if file.source else source,
            file.licence,
        )
        return file.name, case

    def _leave_out(self, reason: Reason) -> None:
        self.pairs += 1
        self.reasons.append(reason)

    def absent_pictures(self) -> Iterator[Missing]:
        """Yield the pictures that the pairs of each phenomenon lack."""
        for phenomenon, count in self._absent.items():
            yield Missing(f"the pictures of {counted(count, 'pair')}, {self.suite.pictures}", frozenset({phenomenon}))

    def nothing(self) -> str:
        """Say why there is no case, and what would bring some."""
        if not self.pairs:
            return f"its files of {self.suite.name} have no pair."
        why = ", ".join(f"{count} times: {reason}" for reason, count in count_reasons(self.reasons).most_common(3))
        form = f"{self.suite.scheme}:FOLDER"
        return (
            f"none of {counted(self.pairs, 'pair')} of {self.suite.name} can be used ({why}). Their pictures are"
            f" {self.suite.pictures}; say {form}@coco:ROOT for photographs of COCO, {form}@FOLDER for others."
        )


def _in_id(key: str) -> str:
    """Return a key in characters that are valid in a pytest id; different keys stay different."""
    if _PLAIN_KEY.fullmatch(key):
        return key
    return f"{_STRANGE.sub('-', key)[:60].strip('-')}-{digest(key)[:8]}"


def _check(case: Case, lexicons: Lexicons) -> None:
    """Raise NotApplicable unless the file is a picture that the caption may be about."""
    try:
        _ = case.image.size
        check_upright(case, lexicons)
        if isinstance(case.image, PictureCrop):
            case.image.check()
    except UsageError as error:
        raise NotApplicable("picture cannot be read") from error
