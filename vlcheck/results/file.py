"""The results file: JSON lines, which are read into records and written from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from msgspec.structs import replace

from vlcheck._util.files import Others, begins, demand_place, placing
from vlcheck._util.foreign_files import fault, read_lines
from vlcheck.errors import UsageError, parameter
from vlcheck.results.checked_lines import checked_lines, demand_all, record_at
from vlcheck.results.records import (
    SCHEMA,
    EvidenceRecord,
    ExplanationRecord,
    FaultRecord,
    IdentityRecord,
    ImageRecord,
    PrecisionRecord,
    Record,
    RunRecord,
    VerdictRecord,
    WordsLine,
)
from vlcheck.results.schema import beginning, encoded, evidence_of, record_of
from vlcheck.results.spooled import Spool
from vlcheck.results.spooled_images import SpooledImages
from vlcheck.stats.decision import NOT_ASKED, Cause

Key = tuple[str, str, str]
OPTION = parameter("results")
_BESIDE = parameter("beside")
_RUN, _EVIDENCE, _EXPLANATION = map(beginning, ("run", "evidence", "explanation"))


NO_RUN = RunRecord(schema=SCHEMA, name="", fingerprint="", data="", started="")


@dataclass
class ResultLines:
    """The results of a run as records; the evidence and the pictures, most of the lines, are kept outside of memory.

    Attributes:
        run: the first line; NO_RUN if there is none yet.
        images: pictures by their keys; each is read when it is asked for.
        verdicts: verdicts by test, behavior and metric.
        evidence: the rows behind each verdict as JSON, by the verdict's key.
        explanations: the maps over pictures and texts of the evidence.
        faults: the reasons why tests have no verdict, by test; in the results of a control.
        identities: the checks that a model which others run was the same to the end, by process.
        precisions: the number types of a verified run, and what was asked in which, by process.
        words: the accuracies from words alone; in the results of a control that sees no picture.
    """

    run: RunRecord = NO_RUN
    images: SpooledImages = field(default_factory=SpooledImages)
    verdicts: dict[Key, VerdictRecord] = field(default_factory=dict)
    evidence: dict[Key, Sequence[str]] = field(default_factory=dict)
    explanations: list[ExplanationRecord] = field(default_factory=list)
    faults: dict[str, FaultRecord] = field(default_factory=dict)
    identities: dict[str, IdentityRecord] = field(default_factory=dict)
    precisions: dict[str, PrecisionRecord] = field(default_factory=dict)
    words: WordsLine | None = None
    _spool: Spool = field(default_factory=Spool, repr=False, compare=False)

    @property
    def begun(self) -> bool:
        """True if there is a first line."""
        return self.run is not NO_RUN

    @property
    def decided(self) -> bool:
        """True if any verdict is a pass or a fail; otherwise nothing was checked."""
        return any(verdict.decided for verdict in self.verdicts.values())

    @property
    def changed(self) -> str:
        """The change of the model during the run, in a sentence; "" if it is as it was, or cannot change."""
        found = dict.fromkeys(one.changed for one in self.identities.values() if one.changed)
        said = "; ".join(found)
        return f"{said[0].upper()}{said[1:]}." if said else ""

    @property
    def length(self) -> int:
        """The number of lines of the file."""
        rows = sum(map(len, self.evidence.values()))
        return 1 + len(self.images) + rows + len(self.verdicts) + len([*self._others()])

    def rows(self, key: Key) -> list[EvidenceRecord]:
        """Return the evidence behind the verdict with this key: some 3 kB of memory for each row."""
        return list(self.each_row(key))

    def each_row(self, key: Key) -> Iterator[EvidenceRecord]:
        """Yield the evidence behind the verdict with this key; a row is read when its turn comes."""
        return map(evidence_of, self.evidence[key])

    def row(self, key: Key, place: int) -> EvidenceRecord:
        """Return one row of the evidence.

        Args:
            key: the key of the verdict.
            place: the row's place in its evidence, from 0.
        """
        return evidence_of(self.evidence[key][place])

    def add(self, texts: Iterable[str]) -> None:
        """Add the lines of a part of a run, as `take` does; an explanation that cannot be read is left out."""
        self.take(_of_part(texts))

    def take(self, lines: Iterable[Record | str]) -> None:
        """Add lines; of two verdicts with the same key the later one counts.

        Args:
            lines: records; evidence as JSON text.
        """
        rows = self._spool.lines()
        for line in lines:
            match line:
                case str():
                    rows.append(line)
                case RunRecord():
                    self.run = line
                case ImageRecord():
                    self.images.add(line)
                case ExplanationRecord():
                    self.explanations.append(line)
                case FaultRecord():
                    self.faults[line.test] = line
                case IdentityRecord() | PrecisionRecord():
                    self._take_of_process(line)
                case WordsLine():
                    self.words = line
                case VerdictRecord():
                    key = key_of(line)
                    self.verdicts[key], self.evidence[key] = line, rows
                    rows = self._spool.lines()

    def _take_of_process(self, line: IdentityRecord | PrecisionRecord) -> None:
        if isinstance(line, IdentityRecord):
            self.identities[line.process] = line
        else:
            self.precisions[line.process] = line

    def void(self, cause: Cause, reason: str) -> None:
        """Make every verdict invalid, except those that were not asked for; the evidence stays.

        Args:
            cause: the kind of reason.
            reason: the reason, in a few words.
        """
        for key, verdict in self.verdicts.items():
            if verdict.status != NOT_ASKED:
                self.verdicts[key] = replace(verdict, status="invalid", cause=cause, reason=reason)

    def ended_with(self, exit_status: int) -> None:
        """Set the exit status of the run's process."""
        self.run = replace(self.run, exit_status=exit_status)

    def lines(self) -> Iterator[str]:
        """Yield the lines of the results file in their order, each as JSON text."""
        yield encoded(replace(self.run, verdicts=len(self.verdicts), lines=self.length))
        yield from self.images.lines()
        for key, verdict in sorted(self.verdicts.items(), key=lambda item: item[0]):
            yield from self.evidence[key]
            yield encoded(verdict)
        yield from map(encoded, self._others())

    def _others(self) -> Iterator[Record]:
        """Yield the lines after the verdicts."""
        yield from self.explanations
        yield from self.faults.values()
        yield from self.identities.values()
        yield from self.precisions.values()
        if self.words:
            yield self.words


def _of_part(texts: Iterable[str]) -> Iterator[Record | str]:
    """Yield the lines of a part as `ResultLines.take` takes them, without explanations that cannot be read."""
    for text in texts:
        try:
            yield text if text.startswith(_EVIDENCE) else record_of(json.loads(text))
        except ValueError:
            if not text.startswith(_EXPLANATION):  # an explanation is no reason to lose the verdicts
                raise


def check_results_path(path: Path, others: Others, option: str = OPTION) -> None:
    """Make sure that results can be written to a file; it may replace only older results. Raises UsageError.

    Args:
        path: the file.
        others: files that must not be replaced, by the option that names them.
        option: the option because of which the file is written.
    """
    demand_place(path, option, "results file", is_ours=lambda there: begins(there, _RUN.encode()), others=others)


def write_results(path: Path, results: ResultLines) -> None:
    """Write the results file, whole or not at all.

    Args:
        path: the file.
        results: the results.

    Raises:
        UsageError: the file cannot be written.
    """
    with placing(path, OPTION) as draft, draft.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in results.lines())


def read(path: Path) -> ResultLines:
    """Read a results file.

    Args:
        path: the file.

    Returns:
        The results; keys that a line does not have are None or empty.

    Raises:
        UsageError: the file is no results file, or a part of it is missing; the message names the line.
    """
    if why := fault(path):
        raise UsageError(f"{path}: cannot be read as a results file ({why}).")
    results = ResultLines()
    numbers = count()  # zipped after the lines, so that the next number is their count
    try:
        results.take(line for line, _ in zip(checked_lines(path, read_lines(path)), numbers, strict=False))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: cannot be read as a results file ({error}).") from error
    if not results.begun:
        raise UsageError(f"{path}: holds no run; a results file begins with one.")
    demand_all(path, results.run, verdicts=len(results.verdicts), lines=next(numbers))
    results.run = replace(results.run, unjudged=selected_without_verdict(results))  # a part lists all tests of the run
    return results


def head(path: Path) -> RunRecord | None:
    """Return the first line of a results file, without reading the rest; None if it is not one."""
    try:
        line = record_at(path, 1, next(read_lines(path), b""))
    except (UnicodeDecodeError, UsageError):
        return None
    return line if isinstance(line, RunRecord) else None


def selected_without_verdict(results: ResultLines) -> list[str]:
    """Return the tests that should have a verdict and have none."""
    judged = {test for test, _, _ in results.verdicts}
    return [test for test in results.run.unjudged if test not in judged]


def read_judged(path: Path) -> ResultLines:
    """Read the results of a run with at least one verdict. Raises UsageError if there is none, and as `read`."""
    results = read(path)
    demand_judged(results, path)
    return results


def demand_judged(results: ResultLines, name: str | Path) -> None:
    """Raise UsageError if a run has no verdict.

    Args:
        results: the results of the run.
        name: the file or parameter that gives them, for the message.
    """
    if not results.verdicts:
        raise UsageError(f"{name}: holds no verdict; the results of a run that judged something are accepted.")


def read_beside(path: Path, data: str, option: str = _BESIDE) -> ResultLines:
    """Read the results of a run that are shown beside those of another one.

    Args:
        path: the file.
        data: the data of the other run; both have to be the same.
        option: the option that names the file, for messages.

    Raises:
        UsageError: the file cannot be used; the message names the option.
    """
    try:
        results = read(path)
    except UsageError as error:
        raise UsageError(f"{option} {error}") from error
    if results.run.data != data:
        raise UsageError(f"{option} {path}: is of {results.run.data}; results of {data} are accepted.")
    return results


def badness(margin: float, claim: str) -> float:
    """Return the number by which rows that count are sorted, the worst first.

    Args:
        margin: the margin of a row.
        claim: "rate" to sort by the lowest margin, "mean" by the distance from 0.
    """
    return -abs(margin) if claim == "mean" else margin


def key_of(verdict: VerdictRecord) -> Key:
    """Return the key of a verdict: its test, its behavior and its metric."""
    return verdict.test, verdict.behavior, verdict.metric
