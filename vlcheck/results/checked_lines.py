"""The lines of a results file, checked one by one; a message names the file and the line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from vlcheck._util.foreign_files import LONGEST_LINE, parse_json
from vlcheck.errors import UsageError, printable
from vlcheck.results.records import EvidenceRecord, Record, RunRecord, VerdictRecord
from vlcheck.results.schema import beginning, encoded, record_of

_NO_JSON = (b"NaN", b"Infinity")  # numbers that Python writes and JSON does not have
_RUN, _EVIDENCE = (beginning(kind).encode() for kind in ("run", "evidence"))


def checked_lines(path: Path, file: Iterable[bytes]) -> Iterator[Record | str]:
    """Yield the lines of a file as `ResultLines.take` takes them.

    If the line of a verdict is missing, its rows must not be taken for those of the next verdict.

    Args:
        path: the file, for messages.
        file: its lines.

    Raises:
        UsageError: a line is invalid or misplaced; the message names it.
    """
    rows: dict[tuple[str, str | None], int] = {}  # first line of evidence by test and metric, since the last verdict
    runs: list[int] = []
    for number, text in enumerate(file, start=1):
        match line := record_at(path, number, text):
            case RunRecord():
                runs.append(number)
                demand_one_run(path, runs)
            case EvidenceRecord(test=str(test), metric=metric):
                rows.setdefault((test, metric), number)
            case VerdictRecord(test=test, metric=metric):
                rows.pop((test, metric), None)
                _demand_none(path, rows)
        yield _spelled(line, text) if isinstance(line, EvidenceRecord) else line
    _demand_none(path, rows, "; the file was cut short")


def demand_one_run(path: Path, runs: Sequence[int]) -> None:
    """Raise UsageError if a file has a second run.

    Args:
        path: the file, for messages.
        runs: the numbers of the lines that begin a run.
    """
    if len(runs) > 1:
        begins = f"begins a second run after that of line {runs[0]}; a file holds one"
        raise UsageError(f"{path}:{runs[1]}: {begins}.")


def _demand_none(path: Path, rows: Mapping[tuple[str, str | None], int], cause: str = "") -> None:
    """Raise UsageError if there is evidence without a verdict.

    Args:
        path: the file, for messages.
        rows: the number of the first line of each test's evidence.
        cause: the end of the message.
    """
    for (test, _), number in rows.items():
        raise UsageError(f"{path}:{number}: is evidence of {printable(test)}, of which no verdict follows{cause}.")


def demand_all(path: Path, run: RunRecord, **held: int) -> None:
    """Raise UsageError if a file has fewer or more lines than its first line says.

    Args:
        path: the file, for messages.
        run: its first line.
        **held: the number of `verdicts` and of `lines` that it has.
    """
    for what, there in held.items():
        promised = getattr(run, what)
        if promised not in (None, there):
            wrong = "cut short" if there < promised else "added to"
            raise UsageError(f"{path}:1: promises {promised} {what}, and {there} follow; the file was {wrong}.")


def record_at(path: Path, number: int, text: bytes) -> Record:
    """Return the record of a line of a results file.

    Args:
        path: the file, for messages.
        number: the line's number, from 1.
        text: the line.

    Raises:
        UsageError: it is not valid.
        UnicodeDecodeError: it is no text.
    """
    if len(text) > LONGEST_LINE:
        raise UsageError(f"{path}:{number}: is longer than {LONGEST_LINE} bytes; no line of a results file is.")
    try:
        line = parse_json(text.decode("utf-8"))
    except ValueError as error:
        if not text.endswith((b"\n", b"}")) and (number > 1 or text.startswith(_RUN)):
            raise UsageError(f"{path}:{number}: ends within the line; the file was cut short.") from error
        if isinstance(error, UnicodeDecodeError):
            raise
        raise UsageError(f"{path}:{number}: not JSON ({printable(str(error), 80)}).") from error
    try:
        return record_of(line)
    except ValueError as error:
        raise UsageError(f"{path}:{number}: {error}.") from error


def _spelled(row: EvidenceRecord, text: bytes) -> str:
    """Return evidence as this module would write it; a line in this form is returned unchanged."""
    ours = text.startswith(_EVIDENCE) and text.isascii() and not any(word in text for word in _NO_JSON)
    return text.decode("ascii").rstrip() if ours else encoded(row)
