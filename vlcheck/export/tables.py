"""The verdicts of a run, and the cases that speak most clearly against the model, as tables with pictures."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import nsmallest

from PIL import Image

from vlcheck._util.image_files import SMALL_PIXELS, open_jpeg
from vlcheck.errors import UsageError
from vlcheck.report.table import COLUMNS, table_rows
from vlcheck.results.anchors import row_anchor
from vlcheck.results.bias_matrix import gravest_first
from vlcheck.results.file import Key, ResultLines, badness, key_of
from vlcheck.results.records import EvidenceRecord, ImageRecord, VerdictRecord
from vlcheck.stats.decision import BY_GRAVITY

_OF_A_RUN = ("model", "model_spec", "fingerprint", "data", "run_id", "started")  # alike in every row
_OF_A_TEST = ("bias", "behavior", "metric", "status")
_EDIT = ("case", "edit", "text before", "text after", "before", "after", "margin", "violated", "anchor")
_OF_A_CASE = (*_OF_A_TEST, *_EDIT)
_GAP = 4  # pixels between two pictures
_PAPER = (255, 255, 255)


@dataclass(frozen=True)
class TrackedTable:
    """A table; the columns of every row are the same.

    Attributes:
        columns: names of the columns.
        rows: the cells of each row: texts, numbers, None or pictures.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]

    @property
    def by_column(self) -> Mapping[str, list[object]]:
        """The cells of each column, from the first row to the last."""
        return {name: [row[place] for row in self.rows] for place, name in enumerate(self.columns)}


def tables_of(results: ResultLines, most: int) -> Mapping[str, TrackedTable]:
    """Return the tables that a tracker keeps of a run, by name.

    Args:
        results: the results of the run.
        most: the most cases of a verdict; 0 for no table of cases.
    """
    return {"verdicts": verdict_table(results)} | ({"evidence": evidence_table(results, most)} if most else {})


def verdict_table(results: ResultLines) -> TrackedTable:
    """Return the table of all verdicts, the gravest first, without the columns that every row has alike, or as JSON."""
    kept = [place for place, one in enumerate(COLUMNS) if one.kind != "JSON" and one.name not in _OF_A_RUN]
    names = tuple(COLUMNS[place].name for place in kept)
    rows = [tuple(row[place] for place in kept) for row in table_rows(results)]
    status, statuses = names.index("status"), [*map(str, BY_GRAVITY)]
    return TrackedTable(names, tuple(sorted(rows, key=lambda row: statuses.index(str(row[status])))))


def evidence_table(results: ResultLines, most: int) -> TrackedTable:
    """Return the worst cases of each verdict that does not pass, with the pictures before and after the edit.

    If the results hold no pictures, the table has no column for them. A single case without one has a blank picture,
    since a tracker's column is of one kind.

    Args:
        results: the results of the run.
        most: the most cases of a verdict.
    """
    rows, pictures = [], []
    for verdict in gravest_first(results.verdicts.values()):
        for row in _worst(results, verdict, most) if verdict.status != "pass" else ():
            rows.append(_evidence_cells(verdict, row))
            pictures.append(_side_by_side(results.images, row))
    if not any(pictures):
        return TrackedTable(_OF_A_CASE, tuple(rows))
    blank = Image.new("RGB", (1, 1), _PAPER)
    shown = ((picture or blank, *cells) for picture, cells in zip(pictures, rows, strict=True))
    return TrackedTable(("pictures", *_OF_A_CASE), tuple(shown))


def _evidence_cells(verdict: VerdictRecord, row: EvidenceRecord) -> tuple[object, ...]:
    before, after = (*row.texts, "", "")[:2]
    told = verdict.bias, verdict.behavior, verdict.metric, verdict.status, row.case, row.perturbation or ""
    anchor = row_anchor(*key_of(verdict), row.case, row.perturbation or "")
    return *told, before, after, row.before, row.after, row.margin, row.violated or row.reason or "", anchor


def _worst(results: ResultLines, verdict: VerdictRecord, most: int) -> Sequence[EvidenceRecord]:
    """Return the rows that count with the worst margins; if none counts, the first ones."""
    key: Key = key_of(verdict)
    margins = ((row.margin, place, row) for place, row in enumerate(results.each_row(key)))
    counted = ((badness(margin, verdict.claim), place, row) for margin, place, row in margins if margin is not None)
    found = [row for *_, row in nsmallest(most, counted, key=lambda one: one[:2])]
    return found or [row for row, _ in zip(results.each_row(key), range(most), strict=False)]


def _side_by_side(images: Mapping[str, ImageRecord], row: EvidenceRecord) -> Image.Image | None:
    """Return the pictures before and after an edit in one; None if the results have neither."""
    keys = dict.fromkeys(key for key in (row.image, row.perturbed) if key is not None and key in images)
    shown = [picture for key in keys if (picture := _picture(images[key]))]
    if not shown:
        return None
    width = sum(one.width for one in shown) + _GAP * (len(shown) - 1)
    whole, left = Image.new("RGB", (width, max(one.height for one in shown)), _PAPER), 0
    for one in shown:
        whole.paste(one, (left, 0))
        left += one.width + _GAP
    return whole


def _picture(line: ImageRecord) -> Image.Image | None:
    """Return the larger copy of a picture if there is one, else the small one; None if neither can be shown."""
    with suppress(binascii.Error, ValueError, OSError, UsageError):
        jpeg = base64.b64decode(str(line.large or line.jpeg or ""), validate=True)
        return open_jpeg(jpeg, SMALL_PIXELS).convert("RGB")
    return None
