"""Photographs in a compact form, from which each is made when it is asked for: in memory, or in a file."""

from __future__ import annotations

import os
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO
from weakref import WeakKeyDictionary, WeakValueDictionary

import msgspec
import numpy as np
from numpy.typing import NDArray

from vlcheck.cases.case import ImageFile, ImageSource
from vlcheck.datasets.coco.photograph import Instance, Photograph
from vlcheck.datasets.limbs import Joint, Pose


class _Packed(msgspec.Struct, array_like=True, gc=False):
    """A photograph as it is stored; the fields are those of `Photograph`.

    Attributes:
        path: the path of the picture, relative to the data's folder.
        listed_in: the path of the captions file, relative to it.
        sought: None if all categories of the data were searched for.
    """

    name: str
    path: str
    size: tuple[int, int]
    captions: tuple[str, ...]
    instances: tuple[Instance, ...] | None
    persons: tuple[dict[str, Joint], ...] | None
    listed_in: str
    source: str
    licence: str
    sought: frozenset[str] | None
    partial: frozenset[str]


_ENCODE, _DECODE = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(_Packed).decode


class Packer:
    """Packs photographs into a file.

    Args:
        root: the data's folder.
        categories: the names of its categories.
        file: the file, open for writing.
    """

    def __init__(self, root: Path, categories: Sequence[str], file: BinaryIO) -> None:
        self._every, self._file = frozenset(categories), file
        self._root = f"{root}{os.sep}"
        self._end = 0
        self.ends = array("q")

    def add(self, photograph: Photograph) -> None:
        """Write a photograph."""
        persons = photograph.persons
        packed = _Packed(
            name=photograph.name,
            path=self._relative(photograph.image.place),
            size=photograph.size,
            captions=photograph.captions,
            instances=photograph.instances,
            persons=persons if persons is None else tuple(dict(one.joints) for one in persons),
            listed_in=self._relative(photograph.listed_in),
            source=photograph.source,
            licence=photograph.licence,
            sought=None if photograph.sought == self._every else photograph.sought,
            partial=photograph.partial,
        )
        self._end += self._file.write(_ENCODE(packed))
        self.ends.append(self._end)

    def _relative(self, path: Path | str) -> str:
        return str(path).removeprefix(self._root)


class AsListed(msgspec.Struct, gc=False):
    """The size of a photograph as it is listed, and the captions file that lists it."""

    size: tuple[int, int]
    place: Path


class PackedPhotographs:
    """Photographs, each made when it is asked for.

    Args:
        root: the data's folder.
        categories: the names of its categories.
        content: the bytes that a `Packer` has written.
        ends: the place at which each photograph ends in the content: (n,), int64.
    """

    def __init__(self, root: Path, categories: Sequence[str], content: memoryview, ends: NDArray[np.int64]) -> None:
        self._root, self._every = root, frozenset(categories)
        self._content, self._ends = content, ends
        self._images: WeakValueDictionary[str, ImageFile] = WeakValueDictionary()
        self._listed: WeakKeyDictionary[ImageSource, AsListed] = WeakKeyDictionary()

    def listed(self, image: ImageSource) -> AsListed:
        """Return what is listed of a picture of one of the photographs that are in use."""
        return self._listed[image]

    def __getitem__(self, row: int) -> Photograph:
        """Return a photograph; its picture is the same object as long as that is in use."""
        begin = int(self._ends[row - 1]) if row else 0
        packed = _DECODE(self._content[begin : int(self._ends[row])])
        persons = packed.persons
        listed = AsListed(packed.size, self._root / packed.listed_in)
        return Photograph(
            name=packed.name,
            image=self._image(packed.path, listed),
            size=packed.size,
            captions=packed.captions,
            instances=packed.instances,
            persons=persons if persons is None else tuple(map(Pose, persons)),
            listed_in=listed.place,
            source=packed.source,
            licence=packed.licence,
            sought=self._every if packed.sought is None else packed.sought,
            partial=packed.partial,
        )

    def _image(self, path: str, listed: AsListed) -> ImageFile:
        image = self._images.get(path)
        if image is None:
            image = self._images[path] = ImageFile(self._root / path)
            self._listed[image] = listed
        return image
