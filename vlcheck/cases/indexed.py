"""Cases that are made when they are asked for, with an index by which they are chosen before that."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from vlcheck.cases.case import Case
from vlcheck.cases.selection import Outlined, Selection, order_rank

RECENT = 4_000  # images whose cases are kept for the next selection, some 10 kB each


class Outline(NamedTuple):
    """The part of a case that a selection looks at; of the bare text, whether there is one.

    Attributes:
        target: the word that is masked.
        tags: the case's tags.
        bare: "" if there is a text without the hint, else None.
    """

    target: str
    tags: frozenset[str]
    bare: str | None

    @classmethod
    def of(cls, case: Outlined) -> Outline:
        """Return the outline of a case."""
        return cls(case.target, case.tags, None if case.bare is None else "")


@dataclass(frozen=True)
class CaseIndex:
    """The outlines of many cases.

    Attributes:
        names: the names of the images.
        outlines: the distinct outlines.
        image: the image of each case, as an index of `names`, in ascending order: (n,), int32.
        outline: the outline of each case, as an index of `outlines`: (n,), int32.
    """

    names: Sequence[str]
    outlines: Sequence[Outline]
    image: NDArray[np.int32]
    outline: NDArray[np.int32]

    @classmethod
    def of(cls, cases: Iterable[tuple[str, Iterable[Outlined]]]) -> CaseIndex:
        """Index the cases of each image, of which none is kept."""
        names: list[str] = []
        known: dict[Outline, int] = {}
        image, outline = array("i"), array("i")
        for row, (name, own) in enumerate(cases):
            names.append(name)
            for case in own:
                image.append(row)
                outline.append(known.setdefault(Outline.of(case), len(known)))
        return cls(names, tuple(known), np.asarray(image, np.int32), np.asarray(outline, np.int32))

    def images(self, selection: Selection, seed: int) -> Mapping[str, Sequence[str]]:
        """Return the names of the images of the accepted cases by target, once for each case, in their order of rank.

        Args:
            selection: the cases that are asked for.
            seed: determines the order; see `order_rank`.
        """
        rows, outlines = self._in_order(seed)
        found: dict[str, list[NDArray[np.intp]]] = {}
        for at, outline in enumerate(self.outlines):
            if selection.accepts(outline):
                found.setdefault(outline.target, []).append(np.flatnonzero(outlines == at))
        return {target: _Names(self.names, rows[np.sort(np.concatenate(each))]) for target, each in found.items()}

    def _in_order(self, seed: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the image and the outline of each case, in the order of the images' ranks."""
        if seed not in self._orders:
            rank = np.empty(len(self.names), np.int32)
            by_rank = sorted(range(len(self.names)), key=lambda row: order_rank(seed, self.names[row]))
            rank[by_rank] = np.arange(len(by_rank), dtype=np.int32)
            order = np.argsort(rank[self.image], kind="stable")
            self._orders[seed] = self.image[order], self.outline[order]
        return self._orders[seed]

    @cached_property
    def _orders(self) -> dict[int, tuple[NDArray[np.int32], NDArray[np.int32]]]:
        return {}


class IndexedCases(Mapping[str, tuple[Case, ...]]):
    """The cases of each image by its name, made whenever they are asked for; those of RECENT images are kept.

    Args:
        index: the outlines of all cases.
        make: returns the cases of an image, given as an index of the index's names: the same ones at each call.
    """

    def __init__(self, index: CaseIndex, make: Callable[[int], tuple[Case, ...]]) -> None:
        self.index = index
        self._recent = lru_cache(maxsize=RECENT)(make)
        self._rows = {name: row for row, name in enumerate(index.names)}

    def __getitem__(self, name: str) -> tuple[Case, ...]:
        return self._recent(self._rows[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.index.names)

    def __len__(self) -> int:
        return len(self.index.names)

    def images_of(self, selection: Selection, seed: int) -> Mapping[str, Sequence[str]]:
        """Return the images of the accepted cases by target, as `CaseIndex.images`.

        Args:
            selection: the cases that are asked for.
            seed: determines the order.
        """
        return self.index.images(selection, seed)

    @property
    def all(self) -> Sequence[Case]:
        """All cases, in the order of their images."""
        return _AllCases(self.index, self._recent)


class _Names(Sequence[str]):
    """Names by their indices."""

    def __init__(self, names: Sequence[str], rows: NDArray[np.int32]) -> None:
        self._names, self._rows = names, rows

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...

    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        if isinstance(at, slice):
            return _Names(self._names, self._rows[at])
        return self._names[int(self._rows[at])]

    def __len__(self) -> int:
        return len(self._rows)


class _AllCases(Sequence[Case]):
    """All cases of an index, of which none is kept."""

    def __init__(self, index: CaseIndex, make: Callable[[int], tuple[Case, ...]]) -> None:
        self._index, self._make = index, make

    @overload
    def __getitem__(self, at: int) -> Case: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Case]: ...

    def __getitem__(self, at: int | slice) -> Case | Sequence[Case]:
        if isinstance(at, slice):
            return tuple(self[one] for one in range(*at.indices(len(self))))
        image = self._index.image
        row = int(image[at])
        return self._make(row)[at % len(self) - int(np.searchsorted(image, row))]

    def __iter__(self) -> Iterator[Case]:
        return chain.from_iterable(map(self._make, range(len(self._index.names))))

    def __len__(self) -> int:
        return len(self._index.image)
