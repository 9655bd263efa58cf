"""The evidence of a verdict as columns, a hundred bytes a row: two runs of many cases are compared in little memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vlcheck._util.hashing import digest
from vlcheck.results.records import EvidenceRecord

WHOLE = ""  # the claim of a behavior that makes one about the whole row
_KEY = 16  # bytes of a key


class Claimed(NamedTuple):
    """The values of one claim.

    Attributes:
        there: whether a row has a value: (n,), bool.
        values: the values: (n,), float64; 0 where there is none.
    """

    there: NDArray[np.bool_]
    values: NDArray[np.float64]


@dataclass
class _Sparse:
    """Values of some rows."""

    rows: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))

    def add(self, row: int, value: float) -> None:
        self.rows.append(row)
        self.values.append(value)

    def whole(self, n: int) -> Claimed:
        found = Claimed(np.zeros(n, np.bool_), np.zeros(n))
        rows = np.frombuffer(self.rows, np.int64)
        found.there[rows], found.values[rows] = True, np.frombuffer(self.values)
        return found


class EvidenceColumns:
    """The rows that count of a verdict's evidence.

    A question is a row's case, both pictures by their pixels, and all texts. The rows of two runs are paired by it.

    Args:
        rows: all rows.
    """

    def __init__(self, rows: Iterable[EvidenceRecord]) -> None:
        self._questions, self._cases, self._images = bytearray(), bytearray(), bytearray()
        self._named = bytearray()  # whether a row has values of several claims
        self._claims: dict[str, _Sparse] = {}
        self._effects, self._margins = _Sparse(), array("d")
        for row in rows:
            if row.margin is not None:
                self._add(row, row.margin)

    def _add(self, row: EvidenceRecord, margin: float) -> None:
        pictures = row.image, row.perturbed
        self._questions += _key(repr((row.case, row.perturbation, *pictures, *map(str, row.texts))))
        self._cases += _key(row.case)
        self._images += _key(repr(row.image))
        self._named.append(bool(row.values))
        for claim, value in (row.values or {}).items():
            if value is not None:
                self._claims.setdefault(claim, _Sparse()).add(len(self), value)
        if row.effect is not None:
            self._effects.add(len(self), row.effect)
        self._margins.append(margin)

    def __len__(self) -> int:
        return len(self._margins)

    @property
    def claims(self) -> frozenset[str]:
        """The claims that rows have values of."""
        return frozenset([*self._claims, *([WHOLE] if 0 in self._named else [])])

    @property
    def images(self) -> NDArray[np.bytes_]:
        """A key of each row's picture before: (n,)."""
        return _keys(self._images)

    @property
    def violates(self) -> NDArray[np.bool_]:
        """True for each row whose margin is 0 or below: (n,)."""
        return np.frombuffer(self._margins) <= 0

    @property
    def effects(self) -> Claimed:
        """The changes of the score."""
        return self._effects.whole(len(self))

    def claimed(self, claim: str) -> Claimed:
        """Return the values of a claim; that of a row that names none is its margin."""
        if claim == WHOLE:
            return Claimed(np.frombuffer(self._named, np.bool_) == 0, np.frombuffer(self._margins))
        return self._claims.get(claim, _Sparse()).whole(len(self))

    def shares_a_case(self, other: EvidenceColumns) -> bool:
        """Return True if there is a case of which another run has a row, too."""
        return bool(np.isin(_keys(self._cases), _keys(other._cases)).any())

    def paired(self, new: EvidenceColumns) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Pair the rows of a later run with these, the last ones of their questions.

        Args:
            new: the rows of the later run.

        Returns:
            The places of the old and of the new row of each pair, in the order of the new rows: (pairs,) each.
        """
        questions, asked = _keys(self._questions), _keys(new._questions)
        order = np.argsort(questions, kind="stable")
        last = np.searchsorted(questions[order], asked, side="right") - 1
        old = order[np.maximum(last, 0)] if len(order) else np.zeros(len(asked), np.intp)
        same = (last >= 0) & (questions[old] == asked) if len(order) else np.zeros(len(asked), np.bool_)
        return old[same], np.flatnonzero(same)


def _key(text: str) -> bytes:
    return bytes.fromhex(digest(text))


def _keys(content: bytearray) -> NDArray[np.bytes_]:
    return np.frombuffer(content, f"S{_KEY}")
