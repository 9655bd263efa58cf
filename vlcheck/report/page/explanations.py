"""Explanations on a page: a heat map over each picture of a row, and shaded tokens."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from vlcheck._util.numbers import share
from vlcheck.report.heat import heat
from vlcheck.report.page.escaping import ShownText, shown_text
from vlcheck.report.page.formatting import NAME
from vlcheck.results.records import UNMEASURED, EvidenceRecord, ExplanationRecord, MethodRecord

SHADES = 9  # shades of a token for the score, and as many against it
_MISSED = 0.01  # the largest error of a sum that is not worth a word

Row = tuple[str | None, str | None, str, str]


@dataclass(frozen=True)
class MethodView:
    """A method as the page names it.

    Attributes:
        number: its number on the page, in the names of styles.
        title: its name in words.
        told: its measured trust, and the meaning of its values.
    """

    number: int
    title: ShownText
    told: ShownText


@dataclass(frozen=True)
class ShadedToken:
    """A token with its shade: from -SHADES, strongly against the score, to SHADES, strongly for it."""

    text: ShownText
    shade: int


@dataclass(frozen=True)
class HeatMap:
    """The explanation of one view by one method.

    Attributes:
        method: the method.
        png: a small transparent picture in base64, to be stretched over the view's picture.
        tokens: the tokens of the text; empty if the method does not explain tokens.
        error: difference between the contributions and their sum, in percent; "" if it is small or there is no sum.
    """

    method: MethodView
    png: str
    tokens: tuple[ShadedToken, ...]
    error: str


@dataclass(frozen=True)
class WithoutMap:
    """A method that gives no map of a row, or of one of its sides.

    Attributes:
        method: the method.
        sides: the sides without a map, in words.
        reason: why there is none.
    """

    method: MethodView
    sides: str
    reason: ShownText


class Explanations:
    """The explanations of a run, by the row of the evidence that they explain.

    Args:
        methods: the methods of the run.
        records: the explanations.
    """

    def __init__(self, methods: Sequence[MethodRecord], records: Sequence[ExplanationRecord]) -> None:
        self.methods = {method.name: _method(number, method) for number, method in enumerate(methods)}
        self._records: dict[Row, list[ExplanationRecord]] = {}
        for record in records:
            if record.method in self.methods:
                row = record.test, record.metric, record.case, record.perturbation
                self._records.setdefault(row, []).append(record)

    def of(self, row: EvidenceRecord) -> Mapping[str, tuple[HeatMap, ...]]:
        """Return the heat maps of a row: those before and those after, by "before" and "after"."""
        found = [record for record in self._about(row) if not record.reason]
        return {
            side: tuple(heat_map(record, self.methods[record.method]) for record in found if record.side == side)
            for side in ("before", "after")
        }

    def without_map(self, row: EvidenceRecord) -> tuple[WithoutMap, ...]:
        """Return the methods that give no map of a row, or of one of its sides."""
        sides: dict[tuple[str, str], list[str]] = {}
        for record in self._about(row):
            if record.reason:
                sides.setdefault((record.method, record.reason), []).append(record.side)
        return tuple(
            WithoutMap(self.methods[method], " and ".join(its), shown_text(reason))
            for (method, reason), its in sides.items()
        )

    def rank(self, row: EvidenceRecord) -> int:
        """Return the rank of a row's case among the cases of its verdict, as the results have it; 0 without a map."""
        return next((record.rank for record in self._about(row) if not record.reason), 0)

    def place(self, row: EvidenceRecord) -> int:
        """Return the place of a row among the explained ones of the run, from 1, the worst; 0 without a map."""
        return list(self._records).index(_row(row)) + 1 if self.rank(row) else 0

    def _about(self, row: EvidenceRecord) -> Sequence[ExplanationRecord]:
        return self._records.get(_row(row), [])


def _row(row: EvidenceRecord) -> Row:
    return row.test, row.metric, row.case, row.perturbation or ""


def heat_map(record: ExplanationRecord, method: MethodView) -> HeatMap:
    """Return an explanation as the page shows it.

    Args:
        record: its line in the results.
        method: its method.
    """
    tokens = record.tokens or []
    most = max((abs(value or 0.0) for _, value in tokens), default=0.0) or 1.0
    return HeatMap(
        method=method,
        png=_png(heat(np.array(record.values).reshape(record.rows, record.columns))),
        tokens=tuple(
            ShadedToken(shown_text(text, NAME), round(SHADES * ((value or 0.0) / most))) for text, value in tokens
        ),
        error=share(missed) if (missed := abs(record.error or 0.0)) > _MISSED else "",
    )


def _png(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _method(number: int, method: MethodRecord) -> MethodView:
    return MethodView(
        number,
        shown_text(method.title, NAME),
        shown_text(f"{method.trust or UNMEASURED} {method.meaning}".strip(), 600),
    )
