"""Corpora in one JSON value: COCO's captions, or a list of objects."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from vlcheck._util.compressed import BrokenFile, decompressed
from vlcheck._util.json_pieces import JsonPieces
from vlcheck.audit.caption import Caption, Found, NamedBox, Unread, usable
from vlcheck.audit.corpora.json_rows import decoder_of, found_in, picture_at
from vlcheck.datasets.tables.columns import Columns
from vlcheck.errors import UsageError, printable

ANNOTATIONS, IMAGES, CATEGORIES = "annotations", "images", "categories"
_NO_OBJECT = "the entry is no object in UTF-8"


class _Annotated(msgspec.Struct, frozen=True, gc=False):
    """An entry of `annotations`, of which types are checked when it is used."""

    image_id: Any = None
    caption: Any = None


class _Instance(msgspec.Struct, frozen=True, gc=False):
    image_id: Any = None
    category_id: Any = None
    bbox: Any = None


class _Listed(msgspec.Struct, frozen=True, gc=False):
    """An entry of `images` or `categories`."""

    id: Any = None
    file_name: Any = None
    width: Any = None
    height: Any = None
    name: Any = None


_ANNOTATED = msgspec.json.Decoder(list[_Annotated])
_INSTANCES = msgspec.json.Decoder(list[_Instance])
_LISTED = msgspec.json.Decoder(list[_Listed])
_PASSED_OVER = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True)
class PicturesById:
    """The names and boxes of pictures, by their id in a COCO file.

    Attributes:
        names: the name of each picture's file.
        boxes: the objects in each picture.
        pictures: the folder of pictures; None if they are not to be opened.
    """

    names: Mapping[object, str] = field(default_factory=dict)
    boxes: Mapping[object, tuple[NamedBox, ...]] = field(default_factory=dict)
    pictures: Path | None = None

    @classmethod
    def read(cls, captions: Path, pictures: Path | None, instances: Path | None) -> PicturesById:
        """Read the lists of pictures; without pictures and instances nothing is read, and memory stays flat.

        Args:
            captions: the captions file.
            pictures: the folder of pictures.
            instances: the file of boxes.
        """
        names = _file_names(captions) if pictures or instances else {}
        return cls(names, _boxes(instances) if instances else {}, pictures)

    def of(self, entry: _Annotated) -> Found:
        """Return what an annotation says, with the name, the boxes and the picture that it is about."""
        number = entry.image_id if isinstance(entry.image_id, int | str) else ""
        name = self.names.get(number, str(number))
        picture = picture_at(self.pictures, name) if self.pictures and name else None
        return Found(entry.caption, name, self.boxes.get(number, ()), picture)


def read_json_file(
    path: Path, wanted: Columns, pictures: Path | None, instances: Path | None, unread: Unread
) -> Iterator[list[Caption]]:
    """Yield the captions of a COCO file, or of a list of objects.

    Args:
        path: the file.
        wanted: the columns that the user named, for a list of objects.
        pictures: the folder of pictures; None if they are not to be opened.
        instances: the COCO file with the boxes of the pictures; None if there is none.
        unread: the record in which entries that are no object are counted.

    Raises:
        UsageError: If the file is neither, or the first objects of a list have no column of captions.
    """
    beside = PicturesById.read(path, pictures, instances)
    read = 0
    try:
        with _opened(path) as text:
            found = _listed(path, text, wanted, pictures) if text.next() == "[" else _coco(path, text, beside)
            for entries, name in found:
                place = partial(_place, path, name, read)
                for at in (at for at, entry in enumerate(entries) if entry is None):
                    unread.skip(_NO_OBJECT, partial(place, at))
                yield usable(entries, place, unread)
                read += len(entries)
    except BrokenFile as error:
        unread.unfinished.append(f"{error}; read up to entry {read}")
    except (ValueError, RecursionError) as error:
        _end_early(path, f"is not JSON ({printable(str(error), 120)})", read, unread)


def _place(path: Path, table: str, first: int, at: int) -> str:
    return f"{path}: {table}[{first + at}]"


def _end_early(path: Path, why: str, read: int, unread: Unread) -> None:
    if not read:
        raise UsageError(f"{path}: {why}.")
    unread.unfinished.append(f"{path}: {why}; read up to entry {read}")


def _coco(path: Path, text: JsonPieces, beside: PicturesById) -> Iterator[tuple[list[Found | None], str]]:
    found, names = False, []
    for name in _members(path, text):
        names.append(name)
        if name == ANNOTATIONS and text.next() == "[":
            found = True
            for entries in text.batches(_ANNOTATED):
                yield [None if one is None else beside.of(one) for one in entries], name
        else:
            _pass_over(text)
    text.finish()
    if not found:
        others = ", ".join(map(printable, names)) or "nothing"
        raise UsageError(f"{path}: has no list {ANNOTATIONS!r}, as COCO's captions have; it has: {others}.")


def _listed(
    path: Path, text: JsonPieces, wanted: Columns, pictures: Path | None
) -> Iterator[tuple[list[Found | None], str]]:
    """Yield the objects of a list; the columns are those of the first objects."""
    decoder = None
    for raw in text.batches(_PASSED_OVER):
        if decoder is None:
            decoder = decoder_of(wanted.found_in(_keys(raw), str(path)))
        yield [_found(one, decoder, pictures) for one in raw], "entry"
    text.finish()


def _found(raw: msgspec.Raw | None, decoder: msgspec.json.Decoder[Any], pictures: Path | None) -> Found | None:
    try:
        return next(found_in([decoder.decode(raw)], pictures)) if raw is not None else None
    except msgspec.MsgspecError:
        return None


def _keys(raw: Sequence[msgspec.Raw | None]) -> list[str]:
    keys: dict[str, None] = {}
    for one in raw[:1000]:
        try:
            keys |= dict.fromkeys(msgspec.json.decode(one or b"", type=dict[str, msgspec.Raw]))
        except msgspec.MsgspecError:
            continue
    return [*keys]


def _members(path: Path, text: JsonPieces) -> Iterator[str]:
    if text.next() != "{":
        raise UsageError(f"{path}: holds no captions; an object as COCO's, or a list of objects, is accepted.")
    return text.members()


def _pass_over(text: JsonPieces) -> None:
    if text.next() != "[":
        text.skip()
        return
    for _ in text.batches(_PASSED_OVER):
        pass


def _file_names(path: Path) -> dict[object, str]:
    """Return the file of each picture that a COCO file lists."""
    rows = (one for name, one in _entries(path) if name == IMAGES)
    return {one.id: one.file_name for one in rows if isinstance(one.id, int | str) and isinstance(one.file_name, str)}


def _boxes(path: Path) -> dict[object, tuple[NamedBox, ...]]:
    """Return the boxes of each picture of an instances file, in shares of the picture."""
    sizes: dict[object, tuple[float, float]] = {}
    called: dict[object, str] = {}
    for table, one in _entries(path):
        if table == IMAGES and isinstance(one.id, int | str):
            sizes[one.id] = (one.width, one.height)
        elif table == CATEGORIES and isinstance(one.id, int | str):
            called[one.id] = str(one.name)
    boxes: dict[object, tuple[NamedBox, ...]] = {}
    for each in _instances(path):
        try:
            (width, height), (x, y, w, h) = sizes[each.image_id], each.bbox
            box = (called[each.category_id], x / width, y / height, w / width, h / height)
        except (KeyError, TypeError, ValueError, ArithmeticError):
            continue
        boxes[each.image_id] = (*boxes.get(each.image_id, ()), box)
    if not boxes:
        raise UsageError(
            f"{path}: has no box of a listed picture; a file as COCO's instances_<split>.json is accepted."
        )
    return boxes


def _entries(path: Path) -> Iterator[tuple[str, _Listed]]:
    """Yield the pictures and categories of a COCO file, each with the name of its list."""
    with _whole(path) as text:
        for name in _members(path, text):
            if name in (IMAGES, CATEGORIES) and text.next() == "[":
                for batch in text.batches(_LISTED):
                    yield from ((name, one) for one in batch if one is not None)
            else:
                _pass_over(text)


def _instances(path: Path) -> Iterator[_Instance]:
    with _whole(path) as text:
        for name in _members(path, text):
            if name == ANNOTATIONS and text.next() == "[":
                for batch in text.batches(_INSTANCES):
                    yield from (one for one in batch if one is not None)
            else:
                _pass_over(text)


@contextmanager
def _whole(path: Path) -> Iterator[JsonPieces]:
    """Open a file of which everything is needed; raise UsageError if it is damaged."""
    try:
        with _opened(path) as text:
            yield text
    except BrokenFile as error:
        raise UsageError(f"{error}.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: is not JSON ({printable(str(error), 120)}).") from error


@contextmanager
def _opened(path: Path) -> Iterator[JsonPieces]:
    """Open a file as text; bytes of another encoding become halves of characters, which no decoder accepts."""
    with decompressed(path) as file:
        encoding = json.detect_encoding(file.read(4))
    with decompressed(path) as file, io.TextIOWrapper(file, encoding, errors="surrogateescape") as text:
        yield JsonPieces(text)
