"""The pictures of a foil suite, found by the names that its files use."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Protocol

from vlcheck._util.paths import expanded, is_folder
from vlcheck._util.spec_grammar import Reference
from vlcheck.cases.case import ImageFile
from vlcheck.datasets.coco.instances import padded_id
from vlcheck.datasets.coco.listing import PhotographFile, photograph_files
from vlcheck.errors import NotApplicable, UsageError

ABSENT = "picture of the pair is not there"
AMBIGUOUS = "picture of the pair may be several files"
DEEPEST = 4  # folders, one in another
_COCO_NAME = re.compile(r"(?:COCO_[a-z]+[0-9]+_)?([0-9]{12})\.jpg")


class PictureFile(NamedTuple):
    """The file of a picture.

    Attributes:
        name: does not depend on where the pictures are stored.
        image: the file.
        source: origin, for attribution; "" if it is not known.
        licence: licence under which it may be shown; "" if it is not known.
    """

    name: str
    image: ImageFile
    source: str = ""
    licence: str = ""


class NamedPictures(Protocol):
    """A picture, with what its attribution needs."""

    def find(self, name: str) -> PictureFile:
        """Return the picture of this name; raise NotApplicable if there is none, or if several may be meant."""


def open_pictures(at: Reference | None, beside: Path) -> NamedPictures:
    """Open the pictures that follow the @ of a spec.

    Args:
        at: a COCO folder or a folder of pictures; None for the pictures beside the suite's files.
        beside: the folder of the suite's files.

    Raises:
        UsageError: If there is no such folder, or the source is of another kind.
    """
    if at is None:
        return FolderPictures(beside)
    if at.scheme == "coco":
        return CocoPictures.read(expanded(at.path), str(at.at))
    if at.scheme:
        raise UsageError(f"{at}: has no pictures that a foil suite can name; say @coco:ROOT[@SPLIT] or @FOLDER.")
    folder = expanded(at.path)
    if not is_folder(folder):
        raise UsageError(f"{folder}: there is no such folder; the folder of the pictures follows the @.")
    return FolderPictures(folder)


@dataclass(frozen=True)
class FolderPictures:
    """The pictures in a folder and in the folders in it, up to DEEPEST.

    A name is that of a file, with the folders before it if there are several files of this name.

    Attributes:
        root: the folder.
    """

    root: Path

    def find(self, name: str) -> PictureFile:
        said = PurePosixPath(name).parts
        there = self._paths.get(said[-1] if said else "", ())
        if not there:
            raise NotApplicable(ABSENT)
        shared = [_common_end(said, path.parts) for path in there]
        meant = [path for path, count in zip(there, shared, strict=True) if count == max(shared)]
        path = min(meant, key=lambda one: len(one.parts))
        if len(meant) > 1 and len({(self.root / one).resolve() for one in meant}) > 1:
            raise NotApplicable(AMBIGUOUS)
        return self._found.setdefault(path, PictureFile(path.as_posix(), ImageFile(self.root / path)))

    @cached_property
    def _found(self) -> dict[PurePosixPath, PictureFile]:
        """The pictures that were found, so that all pairs of a picture read its file once."""
        return {}

    @cached_property
    def _paths(self) -> Mapping[str, Sequence[PurePosixPath]]:
        """The paths of files, relative to the root, by the files' names."""
        found: dict[str, list[PurePosixPath]] = {}
        for folder, folders, files in os.walk(self.root, followlinks=True):
            inner = PurePosixPath(Path(folder).relative_to(self.root).as_posix())
            folders[:] = sorted(folders) if len(inner.parts) < DEEPEST else []  # links may lead in a circle
            for file in files:
                found.setdefault(file, []).append(inner / file)
        return found


def _common_end(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many last parts of two paths are equal."""
    count = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right:
            break
        count += 1
    return count


@dataclass(frozen=True)
class CocoPictures:
    """The photographs of a COCO folder, found by their number: the files of 2014 and 2017 have the same.

    Attributes:
        by_id: the photographs by their ids; several if splits have one id for different files.
    """

    by_id: Mapping[int, Sequence[PhotographFile]]

    @classmethod
    def read(cls, root: Path, split: str) -> CocoPictures:
        """List the photographs whose files are there.

        Args:
            root: the COCO folder.
            split: the split; "" for all of them.

        Raises:
            UsageError: If the folder is none of COCO's, or has no such split.
        """
        by_id: dict[int, list[PhotographFile]] = {}
        for one in photograph_files(root, split):
            by_id.setdefault(one.id, []).append(one)
        return cls(by_id)

    def find(self, name: str) -> PictureFile:
        named = _COCO_NAME.fullmatch(PurePosixPath(name).name)
        there = self.by_id.get(int(named[1]), ()) if named else ()
        if not there:
            raise NotApplicable(ABSENT)
        if len(there) > 1:
            raise NotApplicable(AMBIGUOUS)
        return PictureFile(padded_id(there[0].id), there[0].image, there[0].source, there[0].licence)
