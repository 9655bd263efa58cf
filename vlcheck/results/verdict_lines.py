"""The verdicts of a results file, without their evidence: for reports on many runs, which are some megabytes each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from msgspec.structs import replace

from vlcheck._util.foreign_files import read_lines
from vlcheck.errors import UsageError
from vlcheck.results.checked_lines import demand_all, demand_one_run, record_at
from vlcheck.results.file import ResultLines, selected_without_verdict
from vlcheck.results.records import EvidenceRecord, ExplanationRecord, ImageRecord, Record, RunRecord
from vlcheck.results.schema import beginning

_LEFT_OUT = tuple(beginning(kind).encode() for kind in ("evidence", "image", "explanation"))


def read_verdicts(path: Path) -> ResultLines:
    """Read a results file without its evidence, pictures and explanations, whose lines are counted alone.

    Args:
        path: the file.

    Returns:
        The results; there is no evidence of any verdict.

    Raises:
        UsageError: the file cannot be read, is no results file, or a part of it is missing; the message names the line.
    """
    results, numbers = ResultLines(), count()  # zipped after the lines, so that the next number is their count
    try:
        results.take(record for record, _ in zip(_records(path), numbers, strict=False) if record)
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: cannot be read as a results file ({error}).") from error
    if not results.begun:
        raise UsageError(f"{path}: holds no run; a results file begins with one.")
    demand_all(path, results.run, verdicts=len(results.verdicts), lines=next(numbers))
    results.run = replace(results.run, unjudged=selected_without_verdict(results))
    return results


def _records(path: Path) -> Iterator[Record | None]:
    """Yield the record of each line of a file, or None for one that is left out.

    Raises:
        UsageError: a line is not valid, or begins a second run.
    """
    runs: list[int] = []
    for number, text in enumerate(read_lines(path), start=1):
        if text.startswith(_LEFT_OUT) and text.endswith(b"}\n"):
            yield None
            continue
        record = record_at(path, number, text)
        if isinstance(record, RunRecord):
            runs.append(number)
            demand_one_run(path, runs)
        yield None if isinstance(record, EvidenceRecord | ImageRecord | ExplanationRecord) else record
