"""Reads cases of one's own: a JSON-lines file, one case a line, images beside it."""

from __future__ import annotations

import json
import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from vlcheck.cases.boxes import PIXELS, in_full, sticks_out, wrong_unit
from vlcheck.cases.case import MASK, Box, Case, ImageFile
from vlcheck.cases.fitness import check_color, check_upright
from vlcheck.cases.lexicon import Lexicons
from vlcheck.cases.limits import LARGEST_NUMBER, LONGEST_CAPTION, is_text
from vlcheck.cases.offer import Offer
from vlcheck.cases.words import words_of
from vlcheck.errors import UsageError, nearest

LONGEST_LINE = 1_000_000
_NEEDED = ("image", "caption", "target", "tags")
_TEXTS = ("image", "caption", "target", "bare", "id", "source", "licence")
_LISTS = ("tags", "candidates", "present", "about")
_FIELDS = (*_TEXTS, *_LISTS, "region")
_OPTIONAL = frozenset(_FIELDS).difference(_NEEDED)
_ID = re.compile(r"[!-~]+")


def read_jsonl(path: Path, lexicons: Lexicons) -> Offer:
    """Read the file line by line.

    A case that does not say what is `present` has the words of all captions of its image.

    Raises:
        UsageError: naming file, line and field, and what would be accepted.
    """
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file; it has to hold one case a line, as JSON.")
    by_image: dict[str, list[_Line]] = {}
    by_id: dict[str, _Line] = {}
    for line in _lines(path):
        twin = by_id.setdefault(line.id, line)
        if twin is not line:
            raise line.bad("id", f"{line.id!r} is that of line {twin.number}, too; ids are unique")
        by_image.setdefault(line.image, []).append(line)
    if not by_id:
        raise UsageError(f"{path}: has no case; it has to hold one case a line, as JSON.")
    cases = {image: tuple(_cases(path.parent / image, lines)) for image, lines in by_image.items()}
    return Offer(cases, Counter(), lambda case: by_id[case.id].check(case))


def _cases(path: Path, lines: Sequence[_Line]) -> Iterator[Case]:
    """The cases of one image, which is opened once for all of them."""
    image, said = ImageFile(path), _said(lines)
    for line in lines:
        yield line.case(image, said)


def _said(lines: Sequence[_Line]) -> frozenset[str]:
    """All words that are said of an image."""
    return frozenset().union(*(words_of(line.fields["caption"]) for line in lines))


def _told(present: Sequence[str]) -> frozenset[str]:
    """What is said to be there, in whole and word by word: a fire hydrant is a hydrant, too."""
    return frozenset(one.lower() for one in present).union(*map(words_of, present))


@dataclass(frozen=True)
class _Line:
    """A line of the file, its fields checked one by one.

    Attributes:
        image: the image's path, from the file's folder.
    """

    path: Path
    number: int
    fields: Mapping[str, Any]
    image: str

    @classmethod
    def parse(cls, path: Path, number: int, text: bytes) -> _Line:
        said = _object(f"{path}:{number}", text)
        # What need not be said may be null.
        fields = {name: value for name, value in said.items() if value is not None or name not in _OPTIONAL}
        line = cls(path, number, fields, "")
        line._check_fields()
        return cls(path, number, line.fields, line._image())

    @property
    def id(self) -> str:
        return str(self.fields.get("id", f"line-{self.number}"))

    def case(self, image: ImageFile, said: frozenset[str]) -> Case:
        """Build the case; `said` are the words of all captions of its image."""
        fields = self.fields
        try:
            return Case(
                id=self.id,
                image=image,
                caption=fields["caption"],
                target=fields["target"],
                bare=fields.get("bare"),
                candidates=tuple(fields.get("candidates", ())),
                about=frozenset(word.lower() for word in fields.get("about", ())),
                present=_told(fields["present"]) if "present" in fields else said,
                region=tuple(dict.fromkeys(Box(*box) for box in fields.get("region", ()))),
                tags=frozenset(fields["tags"]),
                source=fields.get("source", ""),
                licence=fields.get("licence", ""),
            )
        except UsageError as error:
            raise UsageError(f"{self.path}:{self.number}: {error}") from error

    def check(self, case: Case) -> None:
        """Raise UsageError unless the picture is there, looks like one, and holds the region; else as `Offer.check`."""
        try:
            size = case.image.size
            check_upright(case)
            check_color(case)
        except UsageError as error:
            raise UsageError(f"{self.path}:{self.number}: {error}") from error
        for box in case.region:
            if sticks_out(box, size):
                raise self.bad("region", in_full(box, size))

    def bad(self, field: str, what: str) -> UsageError:
        return UsageError(f"{self.path}:{self.number}: {field}: {what}.")

    def _check_fields(self) -> None:
        for field in self.fields:
            if field not in _FIELDS:
                raise self.bad(field, f"there is no such field. {nearest(field, _FIELDS)}".rstrip("."))
        for field in _NEEDED:
            if field not in self.fields:
                raise self.bad(field, f"is missing; a case needs {', '.join(_NEEDED)}")
        for field in self.fields.keys() & set(_TEXTS):
            self._check_text(field, self.fields[field])
        for field in self.fields.keys() & set(_LISTS):
            self._check_list(field, self.fields[field])
        self._check_region(self.fields.get("region", []))
        self._check_words()

    def _check_text(self, field: str, value: object) -> None:
        if not isinstance(value, str) or not is_text(value) or not (value.strip() or field in ("source", "licence")):
            raise self.bad(field, f"is {value!r}; it has to be a text")
        if len(value) > LONGEST_CAPTION:
            raise self.bad(field, f"has {len(value)} characters; at most {LONGEST_CAPTION} are accepted")

    def _check_list(self, field: str, value: object) -> None:
        texts = isinstance(value, list) and all(isinstance(one, str) and is_text(one) and one.strip() for one in value)
        if not texts:
            raise self.bad(field, f"is {value!r}; it has to be a list of texts")
        if field == "tags" and not value:
            raise self.bad(field, 'is empty; it has to hold the kind of the target, e.g. ["object"]')

    def _check_region(self, value: object) -> None:
        boxes = value if isinstance(value, list) else [value]
        for box in boxes:
            if not _is_box(box):
                raise self.bad("region", f"{box!r} is no box; it has to be a list of {PIXELS}")
            x, y, width, height = box
            if unit := wrong_unit(Box(x, y, width, height)):
                raise self.bad("region", f"{box!r} {unit}")

    def _check_words(self) -> None:
        target = self.fields["target"].casefold()
        for word in self.fields.get("candidates", ()):
            if word.casefold() == target:
                raise self.bad("candidates", f"{word!r} is the target; they have to be words that are not true")
        if MASK in self.fields["caption"]:
            raise self.bad("caption", f"holds {MASK}; it has to hold the target itself")
        if not _ID.fullmatch(self.id):
            raise self.bad("id", f"is {self.id!r}; it has to be printable ASCII without spaces")

    def _image(self) -> str:
        """The image's path from the folder, where its text stays within; a link may lead out, as in a hub's cache."""
        said = str(self.fields["image"])
        if "://" in said:
            raise self.bad("image", f"{said!r} is an address; it has to be a file's path from {self.path.parent}")
        image = posixpath.normpath(said)
        if "\0" in said or posixpath.isabs(image) or image.split("/")[0] in ("..", "."):
            folder = self.path.parent.resolve()
            raise self.bad("image", f"{said!r} climbs out of {folder}; it has to be a path from there to a file within")
        return image


def _lines(path: Path) -> Iterator[_Line]:
    try:
        with path.open("rb") as file:
            for number, text in enumerate(_texts(path, file), start=1):
                if text.strip():
                    yield _Line.parse(path, number, text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).") from error


def _texts(path: Path, file: BinaryIO) -> Iterator[bytes]:
    number = 0
    while text := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(text) > LONGEST_LINE:
            raise UsageError(f"{path}:{number}: is longer than {LONGEST_LINE} bytes; one case a line is accepted.")
        yield text.removeprefix(b"\xef\xbb\xbf") if number == 1 else text


def _object(where: str, text: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: is not JSON ({error}); one object a line is accepted.") from error
    if not isinstance(fields, dict):
        raise UsageError(f"{where}: is {type(fields).__name__}, not an object; one object a line is accepted.")
    return fields


def _is_box(value: object) -> bool:
    if not isinstance(value, list) or len(value) != 4:
        return False
    return all(map(_is_number, value)) and min(value[2:]) > 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST_NUMBER
