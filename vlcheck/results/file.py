"""The results file: JSON lines, written in parts by the processes of a run and put together at its end.

The line of a verdict follows its evidence and the images of this evidence. A part that was cut short by a kill
therefore holds whole verdicts and a rest that is ignored.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import cast

from msgspec.structs import replace

from vlcheck._util import temporary
from vlcheck._util.files import Others, begins, demand_place, placing
from vlcheck._util.foreign_files import LONGEST_LINE, fault, parse_json, read_lines
from vlcheck.errors import UsageError, parameter, printable
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
from vlcheck.results.schema import encoded, evidence_of, record_of
from vlcheck.results.spooled import Spool
from vlcheck.results.spooled_images import SpooledImages
from vlcheck.stats.decision import NOT_ASKED, Cause

Key = tuple[str, str, str]
OPTION = parameter("results")
_BESIDE = parameter("beside")
_RUN, _EVIDENCE, _EXPLANATION = (f'{{"kind": "{kind}"' for kind in ("run", "evidence", "explanation"))  # beginnings
_PART = ".part.jsonl"  # end of the name of a process's part
_NO_JSON = (b"NaN", b"Infinity")  # numbers that Python writes and JSON does not have


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


class Part:
    """The part of the results that one process writes, test by test, so that a kill loses the current test alone.

    Args:
        folder: the folder of the run's parts.
        name: the name of the process.

    Attributes:
        images: the keys of the pictures that it has.
        enlarged: the keys of those of them that it has a larger copy of.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}{_PART}"
        self.images: set[str] = set()
        self.enlarged: set[str] = set()

    def keep(self, lines: Iterable[Record]) -> None:
        """Append lines, each image once, and once more with a larger copy; a line is written when it comes.

        Args:
            lines: the lines. If they raise, none of them is kept.

        Raises:
            UsageError: they cannot be written; then none of them is.
        """
        pictures: dict[str, bool] = {}  # whether there is a larger copy, by key
        try:
            with self._whole(), self._path.open("a", encoding="utf-8") as file:
                for line in lines:
                    if isinstance(line, ImageRecord):
                        if line.key in (self.enlarged if line.large else self.images):
                            continue
                        pictures[line.key] = bool(line.large)
                    file.write(f"{encoded(line)}\n")
        except OSError as error:
            raise UsageError(
                f"{temporary.where()}: {self._path}: the results cannot be kept there ({error.strerror})."
            ) from error
        self.images |= pictures.keys()
        self.enlarged |= {key for key, enlarged in pictures.items() if enlarged}

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Take back what was written if not all of it is: half a line would spoil the following one."""
        before = self._path.stat().st_size if self._path.exists() else 0
        try:
            yield
        except BaseException:
            with suppress(OSError):
                os.truncate(self._path, before)
            raise


def gather(folder: Path) -> ResultLines:
    """Put the parts in a folder together; lines that a kill cut short, and unreadable explanations, are left out.

    The field `unjudged` of each part's first line has all tests that should have a verdict; those that have none remain
    there. If the model changed during the run, or processes have loaded different ones, nobody knows which model the
    verdicts are about: they are invalid.
    """
    results = ResultLines()
    models: dict[str, str] = {}
    for path in sorted(folder.glob(f"*{_PART}")):
        process = path.name.removesuffix(_PART)
        with path.open(encoding="utf-8", newline="\n") as file:
            results.add(line.removesuffix("\n") for line in file if line.endswith("\n"))
        if results.begun:
            models.setdefault(results.run.fingerprint, process)
    results.take(_of_other_models(results.run.name, [*models.values()]))
    results.run = replace(results.run, unjudged=selected_without_verdict(results)) if results.begun else NO_RUN
    if results.changed:
        results.void("changed", "the model may have become another one during the run")
    return results


def _of_other_models(name: str, processes: Sequence[str]) -> Iterator[IdentityRecord]:
    """Yield a line for each process but the first, of processes that have loaded a model each.

    Args:
        name: the model's name.
        processes: a process for each model that was loaded.
    """
    for process in processes[1:]:
        said = f"worker {process} has loaded another model than {processes[0]}, e.g. since its files were replaced"
        yield IdentityRecord(process=process, name=name, changed=said)


def reread(record: ExplanationRecord) -> ExplanationRecord:
    """Return an explanation as a reader of its line gets it. Raises ValueError or TypeError if none can read it."""
    return cast(ExplanationRecord, record_of(json.loads(encoded(record))))


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
        results.take(line for line, _ in zip(_checked_lines(path, read_lines(path)), numbers, strict=False))
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


def _checked_lines(path: Path, file: Iterable[bytes]) -> Iterator[Record | str]:
    """Yield the lines of a file as `ResultLines.take` takes them. Raises UsageError for an invalid or misplaced line.

    If the line of a verdict is missing, its rows must not be taken for those of the next verdict.
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
        if not text.endswith((b"\n", b"}")) and (number > 1 or text.startswith(_RUN.encode())):
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
    ours = text.startswith(_EVIDENCE.encode()) and text.isascii() and not any(word in text for word in _NO_JSON)
    return text.decode("ascii").rstrip() if ours else encoded(row)
