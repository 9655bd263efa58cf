"""Reading of your own cases: a JSON-lines file with one case a line, and images beside it."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import Any

from vlcheck._util.foreign_files import fault, parse_json, read_lines
from vlcheck.cases.box import Box
from vlcheck.cases.case import MASK, Case, ImageFile, ImageSource, foil_fault, folded
from vlcheck.cases.foils import FOIL, PHENOMENA
from vlcheck.cases.offer import Offer
from vlcheck.cases.words import words_of
from vlcheck.datasets.boxes import PIXELS, in_full, sticks_out, wrong_unit
from vlcheck.datasets.complaints import Complaints
from vlcheck.datasets.fitness import check_color, check_upright
from vlcheck.datasets.lexicons.lexicon import Lexicons
from vlcheck.datasets.limits import LONGEST_CAPTION, is_number, is_text
from vlcheck.datasets.tags import doubts, misfit
from vlcheck.errors import UsageError, nearest, printable

LONGEST_LINE = 1_000_000
_NEEDED = ("image", "caption", "target", "tags")
_TEXTS = ("image", "caption", "target", "bare", "id", "source", "licence")
_LISTS = ("tags", "candidates", "foils", "present", "about")
_REGIONS = ("region", "other_region")
_FIELDS = (*_TEXTS, *_LISTS, *_REGIONS)
_OPTIONAL = frozenset(_FIELDS).difference(_NEEDED)
_ID = re.compile(r"[!-~]+")


def read_jsonl(path: Path, lexicons: Lexicons) -> Offer:
    """Read cases from a JSON-lines file.

    If a case has no field `present`, the words of all captions of its image are used.

    Args:
        path: the file.
        lexicons: the words for colors and sides.

    Raises:
        UsageError: If a line or a field is wrong; the message lists all errors, by file, line and field, and what would
            be accepted.
    """
    if why := fault(path):
        raise UsageError(f"{path}: cannot be read ({why}); it has to be a file with one case a line, as JSON.")
    complaints = Complaints()
    by_image: dict[str, list[CaseLine]] = {}
    numbers: dict[str, int] = {}
    for line in _lines(path, lexicons.color_kinds, complaints):
        first = numbers.setdefault(line.id, line.number)
        with complaints.of_line(line.number):
            line.check_twin(first)
        by_image.setdefault(line.image, []).append(line)
    if not numbers and not complaints.count:
        raise UsageError(f"{path}: has no case; it has to hold one case a line, as JSON.")
    cases = {image: tuple(_cases(path.parent / image, by_image.pop(image), complaints)) for image in list(by_image)}
    complaints.demand_none()

    def line_of(case: Case) -> CaseLine:  # of the lines, their numbers alone are kept
        return CaseLine(path, numbers[case.id], {}, "")

    return Offer(
        cases,
        Counter(),
        lambda case: line_of(case).check(case, lexicons),
        audit=lambda: _audit((line_of(case), case) for case in chain.from_iterable(cases.values())),
        doubts=_doubts(chain.from_iterable(cases.values()), lexicons),
    )


def _doubts(cases: Iterable[Case], lexicons: Lexicons) -> dict[str, list[str]]:
    """Return possible mistakes, each with the ids of the cases concerned."""
    found: dict[str, list[str]] = {}
    for case in cases:
        for doubt in doubts(case, lexicons):
            found.setdefault(doubt, []).append(case.id)
    return found


def _audit(lines: Iterable[tuple[CaseLine, Case]]) -> None:
    """Check the picture of every line, chosen or not; raise UsageError with all errors."""
    complaints = Complaints()
    for line, case in lines:
        with complaints.of_line(line.number):
            line.check_picture(case)
    complaints.demand_none()


def _cases(path: Path, lines: Sequence[CaseLine], complaints: Complaints) -> Iterator[Case]:
    """Yield the cases of one image, which is opened once for all of them."""
    image, said = ImageFile(path), _said(lines)
    for line in lines:
        with complaints.of_line(line.number):
            yield line.case(image, said)


def _said(lines: Sequence[CaseLine]) -> frozenset[str]:
    """Return all words of the captions of an image."""
    return frozenset(chain.from_iterable(words_of(line.fields["caption"]) for line in lines))


@lru_cache
def _shared(tags: frozenset[str]) -> frozenset[str]:
    """Return tags as one object for all cases that have the same ones."""
    return tags


def _told(present: Sequence[str]) -> frozenset[str]:
    """Return the words for all things that are present, whole and word by word: a fire hydrant is a hydrant, too."""
    return frozenset(one.lower() for one in present).union(*map(words_of, present))


@dataclass(frozen=True)
class CaseLine:
    """A line of the file, whose fields are checked one by one.

    Attributes:
        path: the file.
        number: the line's number, from 1.
        fields: the fields.
        image: the image's path, relative to the file's folder.
    """

    path: Path
    number: int
    fields: Mapping[str, Any]
    image: str

    @classmethod
    def parse(cls, path: Path, number: int, text: bytes) -> CaseLine:
        """Read the fields without checking them; raise UsageError if the line is not an object.

        Args:
            path: the file.
            number: the line's number, from 1.
            text: the line.
        """
        said = _object(f"{path}:{number}", text)
        # Optional fields may be null.
        fields = {name: value for name, value in said.items() if value is not None or name not in _OPTIONAL}
        return cls(path, number, fields, "")

    def placed(self) -> CaseLine:
        """Return the line with its image's path; raise UsageError if that leads out of the folder."""
        return replace(self, image=self._image())

    @property
    def where(self) -> str:
        """Its place for messages: file and line."""
        return f"{self.path}:{self.number}"

    @property
    def id(self) -> str:
        return str(self.fields.get("id", f"line-{self.number}"))

    def case(self, image: ImageSource, said: frozenset[str]) -> Case:
        """Build the case.

        Args:
            image: the image.
            said: the words of all captions of the image.
        """
        fields = self.fields
        try:
            return Case(
                id=self.id,
                image=image,
                caption=fields["caption"],
                target=fields["target"],
                bare=fields.get("bare"),
                candidates=tuple(fields.get("candidates", ())),
                foils=tuple(fields.get("foils", ())),
                about=frozenset(word.lower() for word in fields.get("about", ())),
                present=_told(fields["present"]) if "present" in fields else said,
                **{field: tuple(dict.fromkeys(Box(*box) for box in fields.get(field, ()))) for field in _REGIONS},
                tags=_shared(frozenset(fields["tags"])),
                source=fields.get("source", ""),
                licence=fields.get("licence", ""),
            )
        except UsageError as error:
            raise UsageError(f"{self.where}: {error}") from error

    def check(self, case: Case, lexicons: Lexicons) -> None:
        """Check picture and caption as `Offer.check` demands; raise UsageError or NotApplicable.

        Args:
            case: the case of the line.
            lexicons: the words.
        """
        self.check_picture(case)
        with self._saying_where():
            check_upright(case, lexicons)
            check_color(case, lexicons)

    def check_picture(self, case: Case) -> None:
        """Raise UsageError unless the picture exists, has an accepted header, and contains the regions."""
        with self._saying_where():
            size = case.image.size
        for field, boxes in zip(_REGIONS, (case.region, case.other_region), strict=True):
            for box in boxes:
                if sticks_out(box, size):
                    raise self.bad(field, in_full(box, size))

    @contextmanager
    def _saying_where(self) -> Iterator[None]:
        try:
            yield
        except UsageError as error:
            raise UsageError(f"{self.where}: {error}") from error

    def bad(self, field: str, what: str) -> UsageError:
        return UsageError(f"{self.where}: {field}: {what}.")

    def checks_of_fields(self) -> Iterator[Callable[[], None]]:
        """Yield the checks of single fields."""
        for field in (*_NEEDED, *(field for field in self.fields if field not in _NEEDED)):
            yield partial(self._check_field, field)

    def checks_of_words(self, color_kinds: Mapping[str, str]) -> Iterator[Callable[[], None]]:
        """Yield the checks of combinations of fields, to be run if each field is correct."""
        yield partial(self._check_meaning, color_kinds)
        yield self._check_candidates
        yield self._check_foils
        yield self._check_caption
        yield self._check_id

    def check_twin(self, first: int) -> None:
        """Raise UsageError if another line has the same id; `first` is the number of the first line with it."""
        if first != self.number:
            raise self.bad("id", f"{self.id!r} is that of line {first}, too; ids are unique")

    def _check_field(self, field: str) -> None:
        if field not in _FIELDS:
            raise self.bad(field, f"there is no such field. {nearest(field, _FIELDS)}".rstrip("."))
        if field not in self.fields:
            raise self.bad(field, f"is missing; a case needs {', '.join(_NEEDED)}")
        value = self.fields[field]
        if field in _REGIONS:
            self._check_region(field, value)
        elif field in _LISTS:
            self._check_list(field, value)
        else:
            self._check_text(field, value)

    def _check_text(self, field: str, value: object) -> None:
        if not isinstance(value, str) or not is_text(value) or not (value.strip() or field in ("source", "licence")):
            raise self.bad(field, f"is {_shown(value)}; it has to be a text")
        if len(value) > LONGEST_CAPTION:
            raise self.bad(field, f"has {len(value)} characters; at most {LONGEST_CAPTION} are accepted")

    def _check_list(self, field: str, value: object) -> None:
        texts = isinstance(value, list) and all(isinstance(one, str) and is_text(one) and one.strip() for one in value)
        if not texts:
            raise self.bad(field, f"is {_shown(value)}; it has to be a list of texts")
        if field == "tags" and not value:
            raise self.bad(field, 'is empty; it has to hold the kind of the target, e.g. ["object"]')

    def _check_region(self, field: str, value: object) -> None:
        if _is_box(value):
            raise self.bad(field, f"{_shown(value)} is one box; it has to be a list of {PIXELS}: [{_shown(value)}]")
        boxes: list[Any] = value if isinstance(value, list) else [value]
        for box in boxes:
            if not _is_box(box):
                raise self.bad(field, f"{_shown(box)} is no box; it has to be a list of {PIXELS}")
            x, y, width, height = box
            if unit := wrong_unit(Box(x, y, width, height)):
                raise self.bad(field, f"{box!r} {unit}")

    def _check_meaning(self, color_kinds: Mapping[str, str]) -> None:
        if amiss := misfit(self.fields["target"], self.fields["tags"], color_kinds):
            raise self.bad("target", amiss)

    def _check_candidates(self) -> None:
        target, seen = folded(self.fields["target"]), set()
        for word in self.fields.get("candidates", ()):
            if folded(word) == target:
                raise self.bad("candidates", f"{word!r} is the target; they have to be words that are not true")
            if folded(word) in seen:
                raise self.bad("candidates", f"{word!r} is there twice; each is compared with the target once")
            seen.add(folded(word))

    def _check_foils(self) -> None:
        for foil in self.fields.get("foils", ()):
            if len(foil) > LONGEST_CAPTION:
                raise self.bad("foils", f"one has {len(foil)} characters; at most {LONGEST_CAPTION} are accepted")
        if FOIL in self.fields["tags"]:
            self._check_phenomenon()
        if amiss := foil_fault(self.fields["caption"], self.fields.get("foils", ())):
            raise self.bad("foils", amiss)

    def _check_phenomenon(self) -> None:
        tags = self.fields["tags"]
        if not self.fields.get("foils"):
            raise self.bad(
                "foils", f"there are none; a case with the tag {FOIL!r} needs sentences that are false of it"
            )
        if not {*PHENOMENA}.intersection(tags):
            other = next((tag for tag in tags if tag != FOIL), "")
            raise self.bad(
                "tags",
                f"{FOIL!r} needs the thing that the foils are wrong about. {nearest(other, PHENOMENA)}".rstrip("."),
            )

    def _check_caption(self) -> None:
        if MASK in self.fields["caption"]:
            raise self.bad("caption", f"holds {MASK}; it has to hold the target itself")

    def _check_id(self) -> None:
        if not _ID.fullmatch(self.id) or printable(self.id, len(self.id) + 1) != self.id:  # it is in a test's name
            raise self.bad(
                "id", f"is {self.id!r}; it has to be printable ASCII without spaces, and no runner's command"
            )

    def _image(self) -> str:
        """Return the image's path, relative to the folder and within it; a link may lead out, as in a hub's cache."""
        said = str(self.fields["image"])
        if "://" in said:
            raise self.bad("image", f"{said!r} is an address; it has to be a file's path from {self.path.parent}")
        image = posixpath.normpath(said)
        if "\0" in said or posixpath.isabs(image) or image.split("/")[0] in ("..", "."):
            folder = self.path.parent.resolve()
            raise self.bad("image", f"{said!r} climbs out of {folder}; it has to be a path from there to a file within")
        return image


def _lines(path: Path, color_kinds: Mapping[str, str], complaints: Complaints) -> Iterator[CaseLine]:
    """Yield the lines whose fields are correct; errors of the others are collected."""
    for number, text in enumerate(read_lines(path, LONGEST_LINE), start=1):
        if text.strip():
            with complaints.of_line(number):
                line = CaseLine.parse(path, number, text)
                if complaints.without(number, line.checks_of_fields()) and complaints.without(
                    number, line.checks_of_words(color_kinds)
                ):
                    yield line.placed()


def _object(where: str, text: bytes) -> Mapping[str, Any]:
    if len(text) > LONGEST_LINE:
        raise UsageError(f"{where}: is longer than {LONGEST_LINE} bytes; one case a line is accepted.")
    try:
        fields = parse_json(text.decode("utf-8"))
    except ValueError as error:
        raise UsageError(f"{where}: is not JSON ({error}); one object a line is accepted.") from error
    if not isinstance(fields, dict):
        raise UsageError(f"{where}: is {type(fields).__name__}, not an object; one object a line is accepted.")
    return fields


def _shown(value: object) -> str:
    """Return a value for messages, which is foreign and may be long."""
    return printable(repr(value), 80)


def _is_box(value: object) -> bool:
    if not isinstance(value, list) or len(value) != 4:
        return False
    return all(map(is_number, value)) and min(value[2:]) > 0
