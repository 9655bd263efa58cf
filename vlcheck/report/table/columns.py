"""The columns of the table of verdicts, and its rows.

`vlcheck.Results.to_frame`, files of CSV and Parquet, and the page's download have this one table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from vlcheck.report.text.summary import corrected
from vlcheck.results.anchors import verdict_anchor
from vlcheck.results.file import ResultLines, key_of
from vlcheck.results.records import RunRecord, VerdictRecord
from vlcheck.results.schema import line_of

Kind = Literal["text", "whole number", "number", "flag", "JSON"]
Cell = str | int | float | bool | None


@dataclass(frozen=True)
class TableColumn:
    """A column of the table.

    Attributes:
        name: its name.
        kind: the type of its values, each of which may be missing. JSON is text that holds an object or a list.
        meaning: its meaning, for the documentation.
    """

    name: str
    kind: Kind
    meaning: str


COLUMNS = (
    TableColumn("model", "text", "the model's name"),
    TableColumn("model_spec", "text", "the model's spec, as `--vl-model` takes it"),
    TableColumn("fingerprint", "text", "digest of the model's weights and code"),
    TableColumn("data", "text", "spec of the data, as `--vl-data` takes it"),
    TableColumn("run_id", "text", "id of the run"),
    TableColumn("started", "text", "start of the run, as ISO 8601"),
    TableColumn("bias", "text", "the bias that the test belongs to"),
    TableColumn("test", "text", "the test's id in pytest"),
    TableColumn("behavior", "text", "the behavior's name"),
    TableColumn("metric", "text", "the metric"),
    TableColumn("anchor", "text", "the part of the page's address after `#` that leads to the verdict"),
    TableColumn("status", "text", "`pass`, `fail`, `inconclusive`, `invalid` or `not asked`"),
    TableColumn("claim", "text", "`rate`, `mean` or `lead`"),
    TableColumn("observed", "number", "the rate of violations; of a mean, the mean"),
    TableColumn("low", "number", "its one-sided lower bound"),
    TableColumn("high", "number", "its one-sided upper bound"),
    TableColumn("allowed", "number", "the highest rate that passes"),
    TableColumn("band_low", "number", "the lowest mean that passes"),
    TableColumn("band_high", "number", "the highest mean that passes"),
    TableColumn("n", "whole number", "images that count"),
    TableColumn("violations", "whole number", "rows of the evidence that violate"),
    TableColumn("rate", "number", "share of images that violate, in [0, 1]"),
    TableColumn("rate_low", "number", "its one-sided lower bound"),
    TableColumn("rate_high", "number", "its one-sided upper bound"),
    TableColumn("effect", "number", "mean change of the score, or the mean or lead of the claim, in [-1, 1]"),
    TableColumn("effect_low", "number", "its lower bound"),
    TableColumn("effect_high", "number", "its upper bound"),
    TableColumn("alpha", "number", "error rate of each bound"),
    TableColumn("p", "number", "p-value of the hypothesis that the model is within what is allowed"),
    TableColumn("p_holm", "number", "`p`, corrected for the number of tests of the run; it decides nothing"),
    TableColumn("detectable", "number", "the least true rate or mean that fails four times in five at this `n`"),
    TableColumn("needed_n", "whole number", "images at which what was seen would decide"),
    TableColumn("asked", "whole number", "images that were asked about"),
    TableColumn("offered", "whole number", "images that the data offers"),
    TableColumn("not_applicable", "whole number", "cases that do not count"),
    TableColumn("refused", "whole number", "of these, cases that the model refused"),
    TableColumn("mass", "number", "mean probability of all answers that count"),
    TableColumn("cut", "number", "share of the thoughts that were cut, in [0, 1]"),
    TableColumn("gates", "flag", "whether the verdict can fail the run"),
    TableColumn("cause", "text", "kind of reason for an invalid verdict"),
    TableColumn("reason", "text", "the reason for the status, in a sentence"),
    TableColumn("score_kind", "text", "the model's kind of score"),
    TableColumn("perturbation", "text", "the edit"),
    TableColumn("expected", "text", "the expectation in words"),
    TableColumn("share_of", "text", "the word whose share against a rival the margins are made of"),
    TableColumn("doc", "text", "the test's docstring"),
    TableColumn("bias_doc", "text", "the docstring of the test's file"),
    TableColumn("known", "JSON", "the policy's word on a known bias"),
    TableColumn("told", "JSON", "the best choice between captions and foils by the words alone"),
    TableColumn("wordings", "JSON", "the verdicts in the other wordings of the question"),
    TableColumn("tolerances", "JSON", "the tolerances of the margins"),
    TableColumn("scale", "JSON", "the operating scale of the scores"),
    TableColumn("tables", "JSON", "figures beside the verdict"),
)


def table_rows(results: ResultLines) -> Iterator[tuple[Cell, ...]]:
    """Yield a row for each verdict of a run, in the order of the results file, with a cell for each of `COLUMNS`."""
    verdicts = [verdict for _, verdict in sorted(results.verdicts.items())]
    run = _of_run(results.run)
    for verdict, p_holm in zip(verdicts, corrected(verdicts), strict=True):
        own = {**_of_verdict(verdict), "anchor": verdict_anchor(*key_of(verdict)), "p_holm": p_holm}
        yield tuple(_cell(column, {**run, **own}[column.name]) for column in COLUMNS)


def _of_run(run: RunRecord) -> Mapping[str, object]:
    return {
        "model": run.name,
        "model_spec": run.model,
        "fingerprint": run.fingerprint,
        "data": run.data,
        "run_id": run.run_id,
        "started": run.started,
    }


def _of_verdict(verdict: VerdictRecord) -> Mapping[str, object]:
    low, high = verdict.interval
    band_low, band_high = verdict.band or (None, None)
    bounds = {"low": low, "high": high, "band_low": band_low, "band_high": band_high}
    return {**line_of(verdict), "observed": verdict.observed, **bounds}


def _cell(column: TableColumn, value: Any) -> Cell:
    """Return a value as a cell of a column; "" and what is empty is missing, and half a character is spelled out."""
    if value in (None, "", [], {}):
        return None
    match column.kind:
        case "number":
            return float(value)
        case "JSON":
            return json.dumps(value)
        case "text":
            return str(value).encode("utf-8", "backslashreplace").decode("utf-8")
    return value if isinstance(value, bool | int) else None


def column_cells(rows: Sequence[tuple[Cell, ...]]) -> Iterator[tuple[TableColumn, list[Cell]]]:
    """Yield each column with its cells.

    Args:
        rows: the rows of the table.
    """
    for place, column in enumerate(COLUMNS):
        yield column, [row[place] for row in rows]
