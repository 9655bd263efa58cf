"""Pickle what nodes need: chunks with their photographs, models, and the user's own classes."""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from ray import cloudpickle

from vlcheck._util.foreign_code import is_librarys
from vlcheck._util.image_files import decoding_content, opened_content
from vlcheck.cases.encoded_image import ImageFile, ImageWithin
from vlcheck.errors import UsageError


class Unseen(Exception):
    """A photograph's file is not on the node, or another file is there."""


def pickled(thing: object, *, with_files: bool = False) -> bytes:
    """Pickle something for nodes.

    Photographs that are files go by their path, or with their content; those within larger files go with their content.
    Classes and functions of the user's own modules go along, since nodes may not see these modules.

    Args:
        thing: a chunk, or the orders of a model.
        with_files: whether the content of files goes along.

    Raises:
        Exception: something in it cannot be pickled.
    """
    for module in [*sys.modules.values()]:
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and module.__name__ != "__main__" and not is_librarys(file):
            cloudpickle.register_pickle_by_value(module)
    out = io.BytesIO()
    _Pickler(out, with_files).dump(thing)
    return out.getvalue()


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc] # Ray has no types
    def __init__(self, file: io.BytesIO, with_files: bool) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._with_files = with_files
        self._contents: dict[Path, bytes] = {}

    def reducer_override(self, thing: Any) -> Any:
        if type(thing) is ImageFile:
            return self._file(thing)
        if type(thing) is ImageWithin:
            return _within, (thing.where, thing.key, *_read(thing.read))
        return super().reducer_override(thing)

    def _file(self, image: ImageFile) -> tuple[Callable[..., ImageFile], tuple[object, ...]]:
        try:
            size = image.path.stat().st_size
            if self._with_files and image.path not in self._contents:
                self._contents[image.path] = image.path.read_bytes()
        except OSError:
            return _file, (image.path, image.key, None)  # the node's error is the answer, as it would be here
        if self._with_files:
            return _sent, (image.path, image.key, self._contents[image.path])
        return _file, (image.path, image.key, size)


@dataclass(frozen=True)
class SentFile(ImageFile):
    """A photograph in a file that another machine has.

    Attributes:
        content: the file's content.
    """

    content: bytes = field(compare=False, repr=False)

    def _header(self) -> AbstractContextManager[Image.Image]:
        return opened_content(self.content, self.place)

    def _pixels(self) -> AbstractContextManager[Image.Image]:
        return decoding_content(self.content, self.place)


def _file(path: Path, key: str, size: int | None) -> ImageFile:
    """Return a photograph of this node. Raises Unseen unless its file has the size that it has for the run."""
    try:
        if size is not None and path.stat().st_size != size:
            raise Unseen(path)
    except OSError as error:
        raise Unseen(path) from error
    return _with_key(ImageFile(path), key)


def _sent(path: Path, key: str, content: bytes) -> ImageFile:
    return _with_key(SentFile(path, content), key)


def _with_key(image: ImageFile, key: str) -> ImageFile:
    """Spare the node the hash of the file."""
    vars(image)["key"] = key
    return image


@dataclass(frozen=True)
class _Content:
    """The content of a photograph that another machine has read, or the reason why it could not."""

    content: bytes
    refusal: str

    def __call__(self) -> bytes:
        if self.refusal:
            raise UsageError(self.refusal)
        return self.content


def _read(read: Callable[[], bytes]) -> tuple[bytes, str]:
    try:
        return read(), ""
    except UsageError as error:
        return b"", error.marked


def _within(where: str, key: str, content: bytes, refusal: str) -> ImageWithin:
    image = ImageWithin(where, _Content(content, refusal))
    vars(image)["key"] = key
    return image
