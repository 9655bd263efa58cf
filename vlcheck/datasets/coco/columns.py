"""The annotations of a file in columns, since a file may have a million of them."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vlcheck.datasets.coco.annotation_files import LARGEST_ID, Unusable
from vlcheck.errors import UsageError

Form = TypeVar("Form")
Column = NDArray[Any]


@dataclass(frozen=True)
class AnnotationColumns:
    """Annotations, each about an image.

    Attributes:
        at: their indices in the file's list: (n,), int64.
        image: the ids of their images: (n,), int64.
        fields: their other fields: each (n, ...).
        unusable: the entries that cannot be read, with their indices in the list.
    """

    at: Column
    image: Column
    fields: tuple[Column, ...]
    unusable: tuple[tuple[int, Unusable], ...] = ()

    @classmethod
    def gather(
        cls, batches: Iterator[Sequence[Form | Unusable]], columns: Callable[[Sequence[Form]], Sequence[Column]]
    ) -> AnnotationColumns:
        """Put the entries of a list into columns.

        Args:
            batches: all entries, some at a time.
            columns: returns the ids of the images of some entries, and their other columns.
        """
        first, unusable = 0, []
        found: list[tuple[Column, ...]] = []
        for batch in batches:
            bad = [(first + at, one) for at, one in enumerate(batch) if isinstance(one, Unusable)]
            good = [one for one in batch if not isinstance(one, Unusable)] if bad else batch
            at = np.setdiff1d(np.arange(first, first + len(batch)), [at for at, _ in bad], assume_unique=True)
            found.append((at, *columns(good)))  # type: ignore[arg-type]  # only usable ones are left
            unusable += bad
            first += len(batch)
        if not found:
            found.append((np.empty(0, np.int64), *columns([])))
        parts = list(zip(*found, strict=True))
        del found
        at, image, *fields = (np.concatenate(parts.pop(0)) for _ in range(len(parts)))  # memory: one column at a time
        return cls(at, image, tuple(fields), tuple(unusable))

    def where(self, chosen: NDArray[np.bool_]) -> AnnotationColumns:
        """Return the annotations for which a flag is set; `chosen` has one for each."""
        if chosen.all():
            return self  # memory: most files have no other ones
        fields = tuple(field[chosen] for field in self.fields)
        return AnnotationColumns(self.at[chosen], self.image[chosen], fields, self.unusable)

    def refuse(self, refused: NDArray[np.bool_], why: Callable[[int], str]) -> AnnotationColumns:
        """Return the columns with some annotations among the unusable ones.

        Args:
            refused: a flag for each annotation.
            why: returns the place and the fault of one, by its row.
        """
        rows = np.flatnonzero(refused).tolist()
        bad = [(int(self.at[row]), Unusable(int(self.image[row]), why(row))) for row in rows]
        unusable = tuple(sorted((*self.unusable, *bad), key=lambda one: one[0]))
        return AnnotationColumns(self.at, self.image, self.fields, unusable).where(~refused)


@dataclass(frozen=True)
class Rows:
    """The annotations of a file, sorted into those of listed images and others.

    Attributes:
        usable: annotations of listed images.
        unusable: annotations that cannot be read.
        strays: annotations of images that the file does not list; the first of them, as often as there are some.
    """

    usable: AnnotationColumns
    unusable: list[Unusable]
    strays: list[Unusable]

    @classmethod
    def of(cls, path: Path, read: AnnotationColumns, images: Collection[int | None]) -> Rows:
        """Sort annotations.

        Args:
            path: their file.
            read: all of them.
            images: the ids that the file lists.

        Raises:
            UsageError: If none is usable.
        """
        unusable = [one for _, one in read.unusable]
        if unusable and not len(read.at):
            raise UsageError(unusable[0].said)
        listed = is_among(read.image, images)
        strays = list(_strays(path, read, ~listed))
        if strays and not listed.any():
            raise UsageError(strays[0].said)
        return cls(read.where(listed), unusable, strays)


def is_among(ids: Column, listed: Collection[int | None]) -> NDArray[np.bool_]:
    """Return a flag for each id that is True if it is listed.

    Args:
        ids: the ids: (n,), int64.
        listed: the ids that are listed; None and numbers that are no ids are passed over.
    """
    known = [one for one in listed if one is not None and abs(one) <= LARGEST_ID]
    return np.isin(ids, np.array(known, np.int64))


def _strays(path: Path, read: AnnotationColumns, strays: NDArray[np.bool_]) -> Iterator[Unusable]:
    if strays.any():
        row = int(np.argmax(strays))
        image = int(read.image[row])
        said = f"{path}: annotations[{read.at[row]}]: image_id {image} is none of the file's images."
        yield from [Unusable(image, said)] * int(strays.sum())


@dataclass(frozen=True)
class ByImage:
    """Annotations in the order of the ids of their images; those of one image keep their order."""

    columns: AnnotationColumns

    @classmethod
    def of(cls, columns: AnnotationColumns) -> ByImage:
        """Sort annotations."""
        order = np.argsort(columns.image, kind="stable")
        fields = tuple(field[order] for field in columns.fields)
        return cls(AnnotationColumns(columns.at[order], columns.image[order], fields, columns.unusable))

    @cached_property
    def _ids(self) -> array[int]:
        return array("q", self.columns.image.astype(np.int64).tobytes())

    def fields(self, image: int) -> list[list[Any]]:
        """Return the fields of the annotations of an image, as plain values."""
        rows = slice(bisect_left(self._ids, image), bisect_right(self._ids, image))
        return [field[rows].tolist() for field in self.columns.fields]
