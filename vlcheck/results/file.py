"""The results file: JSON lines, written in parts by the processes of a run and put together at its end.

A verdict's line follows its evidence and the images that this shows, so that a part which a kill cut short holds
whole verdicts and a rest that counts for nothing.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from vlcheck._util import temporary
from vlcheck._util.files import Others, begins, demand_place, placing
from vlcheck._util.foreign_files import LONGEST_LINE, fault, parse_json, read_lines
from vlcheck.errors import UsageError, parameter, printable
from vlcheck.results.records import SCHEMA, EvidenceRecord, ImageRecord, Record, RunRecord, VerdictRecord
from vlcheck.results.schema import evidence_of, line_of, record_of

Key = tuple[str, str, str]
OPTION = parameter("results")
_BESIDE = parameter("beside")
_RUN, _EVIDENCE = '{"kind": "run"', '{"kind": "evidence"'  # as such lines begin
_NO_JSON = (b"NaN", b"Infinity")  # numbers of Python's


NO_RUN = RunRecord(schema=SCHEMA, name="", fingerprint="", data="", started="")


@dataclass
class ResultLines:
    """A run's results, a record a line; only the evidence, most of the lines, is kept as it is written.

    Attributes:
        run: what was run, and how; NO_RUN before it began.
        images: by picture key.
        verdicts: by (test, behavior, metric).
        evidence: the rows behind a verdict, as JSON, under its key.
    """

    run: RunRecord = NO_RUN
    images: dict[str, ImageRecord] = field(default_factory=dict)
    verdicts: dict[Key, VerdictRecord] = field(default_factory=dict)
    evidence: dict[Key, list[str]] = field(default_factory=dict)

    @property
    def begun(self) -> bool:
        """Whether there is a run that they are of."""
        return self.run is not NO_RUN

    @property
    def decided(self) -> bool:
        """Whether any verdict says something of the model: where none does, nothing was checked."""
        return any(verdict.decided for verdict in self.verdicts.values())

    @property
    def length(self) -> int:
        """How many lines a file of them has."""
        return 1 + len(self.images) + sum(map(len, self.evidence.values())) + len(self.verdicts)

    def rows(self, key: Key) -> list[EvidenceRecord]:
        """Return the evidence behind a verdict."""
        return list(map(evidence_of, self.evidence[key]))

    def add(self, texts: Iterable[str]) -> None:
        """Take in lines of JSON without a fault; of two verdicts with one key the later counts."""
        self.take(text if text.startswith(_EVIDENCE) else record_of(json.loads(text)) for text in texts)

    def take(self, lines: Iterable[Record | str]) -> None:
        """Take in lines; of two verdicts with one key the later counts.

        Args:
            lines: records, but for evidence, which is JSON.
        """
        rows: list[str] = []
        for line in lines:
            match line:
                case str():
                    rows.append(line)
                case RunRecord():
                    self.run = line
                case ImageRecord():
                    self.images[line.key] = line
                case VerdictRecord():
                    key = key_of(line)
                    self.verdicts[key], self.evidence[key] = line, rows
                    rows = []

    def ended_with(self, exit_status: int) -> None:
        """Say in the run what its process ended with."""
        self.run = replace(self.run, exit_status=exit_status)

    def lines(self) -> Iterator[str]:
        """Yield all lines, as JSON, in the file's order."""
        yield encoded(replace(self.run, verdicts=len(self.verdicts), lines=self.length))
        yield from map(encoded, self.images.values())
        for key, verdict in sorted(self.verdicts.items(), key=lambda item: item[0]):
            yield from self.evidence[key]
            yield encoded(verdict)


class Part:
    """One process's part of the results, kept as it goes: a kill loses the current test alone."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}.part.jsonl"
        self._images: set[str] = set()

    def keep(self, lines: Iterable[Record]) -> None:
        """Append lines, each image once. Raises UsageError where they cannot be kept: then none of them is."""
        fresh = [line for line in lines if not isinstance(line, ImageRecord) or line.key not in self._images]
        before = self._path.stat().st_size if self._path.exists() else 0
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(f"{encoded(line)}\n" for line in fresh)
        except OSError as error:
            with suppress(OSError):  # half a line would spoil the next one
                os.truncate(self._path, before)
            raise UsageError(
                f"{temporary.where()}: {self._path}: the results cannot be kept there ({error.strerror})."
            ) from error
        self._images |= {line.key for line in fresh if isinstance(line, ImageRecord)}


def gather(folder: Path) -> ResultLines:
    """Put the parts in a folder together; a line that a kill cut short is left out.

    Each part's head has, as `unjudged`, the tests that are to have a verdict; those that have none are left there.
    """
    results = ResultLines()
    for path in sorted(folder.glob("*.part.jsonl")):
        text = path.read_text(encoding="utf-8")
        whole, _, _ = text.rpartition("\n")
        results.add(whole.splitlines())
    results.run = replace(results.run, unjudged=_unjudged(results)) if results.begun else NO_RUN
    return results


def check_place(path: Path, others: Others) -> None:
    """Make sure that results can be written there, over older results at most. Raises UsageError.

    Args:
        path: where they are to go.
        others: files that they must not replace, by the option that names them.
    """
    demand_place(path, OPTION, "results file", is_ours=lambda there: begins(there, _RUN.encode()), others=others)


def write(path: Path, results: ResultLines) -> None:
    """Write the results file, whole or not at all. Raises UsageError."""
    with placing(path, OPTION) as draft, draft.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in results.lines())


def read(path: Path) -> ResultLines:
    """Read a results file; what a line may lack stands in it as None, or empty. Raises UsageError naming the line."""
    if why := fault(path):
        raise UsageError(f"{path}: cannot be read as a results file ({why}).")
    results = ResultLines()
    numbers = count()  # the lines first, so that the next number is how many there are
    try:
        results.take(line for line, _ in zip(_checked_lines(path, read_lines(path)), numbers, strict=False))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: cannot be read as a results file ({error}).") from error
    if not results.begun:
        raise UsageError(f"{path}: holds no run; a results file begins with one.")
    _demand_all(path, results.run, verdicts=len(results.verdicts), lines=next(numbers))
    results.run = replace(results.run, unjudged=_unjudged(results))  # of a part, all that the run was to ask
    return results


def head(path: Path) -> RunRecord | None:
    """Return the run that a results file says it is of, by its first line alone; None where it says none."""
    try:
        line = _record(path, 1, next(read_lines(path), b""))
    except (UnicodeDecodeError, UsageError):
        return None
    return line if isinstance(line, RunRecord) else None


def _demand_all(path: Path, run: RunRecord, **held: int) -> None:
    """Raise UsageError where a file holds less, or more, than its first line promises."""
    for what, there in held.items():
        promised = getattr(run, what)
        if promised not in (None, there):
            wrong = "cut short" if there < promised else "added to"
            raise UsageError(f"{path}:1: promises {promised} {what}, and {there} follow; the file was {wrong}.")


def _unjudged(results: ResultLines) -> list[str]:
    """The tests that are to have a verdict and have none."""
    judged = {test for test, _, _ in results.verdicts}
    return [test for test in results.run.unjudged if test not in judged]


def read_judged(path: Path) -> ResultLines:
    """Read the results of a run that judged something. Raises UsageError where it did not, and as `read`."""
    results = read(path)
    if not results.verdicts:
        raise UsageError(f"{path}: holds no verdict; the results of a run that judged something are accepted.")
    return results


def read_beside(path: Path, data: str, option: str = _BESIDE) -> ResultLines:
    """Read the results of a run that are to be shown beside another one's. Raises UsageError naming the option."""
    try:
        results = read(path)
    except UsageError as error:
        raise UsageError(f"{option} {error}") from error
    if results.run.data != data:
        raise UsageError(f"{option} {path}: is of {results.run.data}; results of {data} are accepted.")
    return results


def ranked(rows: Iterable[EvidenceRecord], claim: str) -> list[EvidenceRecord]:
    """Return the rows that count, the worst first: of a rate the lowest margin, of a mean the one farthest from 0."""
    counted = [(row.margin, row) for row in rows if row.margin is not None]
    return [row for _, row in sorted(counted, key=lambda pair: -abs(pair[0]) if claim == "mean" else pair[0])]


def key_of(verdict: VerdictRecord) -> Key:
    """Return what a verdict is told by: its test, its behavior and its metric."""
    return verdict.test, verdict.behavior, verdict.metric


def encoded(record: Record) -> str:
    """Return a line as JSON: ASCII, so that no separator of Unicode splits it, and without NaN, which others refuse."""
    said = line_of(record)
    try:
        return json.dumps(said, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(said))


def _finite(value: Any) -> Any:
    """The same, with None for each number that JSON has not: a model may answer NaN."""
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _checked_lines(path: Path, file: Iterable[bytes]) -> Iterator[Record | str]:
    """Yield a file's lines, as `Results.take` takes them. Raises UsageError where one is none, or in no place of it.

    A verdict follows its evidence: where its own line is gone, its rows are not the next one's.
    """
    rows: dict[tuple[str, str | None], int] = {}  # since the last verdict: the first line of a test and metric
    runs: list[int] = []
    for number, text in enumerate(file, start=1):
        match line := _record(path, number, text):
            case RunRecord():
                runs.append(number)
                if len(runs) > 1:
                    begins = f"begins a second run after that of line {runs[0]}; a file holds one"
                    raise UsageError(f"{path}:{number}: {begins}.")
            case EvidenceRecord(test=str(test), metric=metric):
                rows.setdefault((test, metric), number)
            case VerdictRecord(test=test, metric=metric):
                rows.pop((test, metric), None)
                _demand_none(path, rows)
        yield _spelled(line, text) if isinstance(line, EvidenceRecord) else line
    _demand_none(path, rows)


def _demand_none(path: Path, rows: Mapping[tuple[str, str | None], int]) -> None:
    """Raise UsageError where evidence has no verdict; `rows` are its lines' numbers."""
    for (test, _), number in rows.items():
        raise UsageError(f"{path}:{number}: is evidence of {printable(test)}, of which no verdict follows.")


def _record(path: Path, number: int, text: bytes) -> Record:
    """Return what a line of a results file says. Raises UsageError where it is none."""
    if len(text) > LONGEST_LINE:
        raise UsageError(f"{path}:{number}: is longer than {LONGEST_LINE} bytes; no line of a results file is.")
    try:
        line = parse_json(text.decode("utf-8"))
    except UnicodeDecodeError:
        raise
    except ValueError as error:
        raise UsageError(f"{path}:{number}: not JSON ({printable(str(error), 80)}).") from error
    try:
        return record_of(line)
    except ValueError as error:
        raise UsageError(f"{path}:{number}: {error}.") from error


def _spelled(row: EvidenceRecord, text: bytes) -> str:
    """Return evidence as this module writes it; a line that is so already stays as it is."""
    ours = text.startswith(_EVIDENCE.encode()) and text.isascii() and not any(word in text for word in _NO_JSON)
    return text.decode("ascii").rstrip() if ours else encoded(row)
