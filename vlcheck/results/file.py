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

from vlcheck._util import temporary
from vlcheck._util.files import Others, begins, demand_place, placing
from vlcheck._util.foreign_files import LONGEST_LINE, fault, parse_json, read_lines
from vlcheck.errors import UsageError, parameter, printable
from vlcheck.results.schema import complaint, completed
from vlcheck.stats.decision import DECIDED

Line = dict[str, Any]
Key = tuple[str, str, str]
OPTION = parameter("results")
_BESIDE = parameter("beside")
_RUN, _EVIDENCE = '{"kind": "run"', '{"kind": "evidence"'  # as such lines begin


@dataclass
class Results:
    """A run's results, a dictionary a line; only the evidence, most of the lines, is kept as it is written.

    Attributes:
        run: what was run, and how.
        images: by picture key.
        verdicts: by (test, behavior, metric).
        evidence: the rows behind a verdict, as JSON, under its key.
    """

    run: Line = field(default_factory=dict)
    images: dict[str, Line] = field(default_factory=dict)
    verdicts: dict[Key, Line] = field(default_factory=dict)
    evidence: dict[Key, list[str]] = field(default_factory=dict)

    @property
    def decided(self) -> bool:
        """Whether any verdict says something of the model: where none does, nothing was checked."""
        return any(verdict["status"] in DECIDED for verdict in self.verdicts.values())

    @property
    def length(self) -> int:
        """How many lines a file of them has."""
        return 1 + len(self.images) + sum(map(len, self.evidence.values())) + len(self.verdicts)

    def rows(self, key: Key) -> list[Line]:
        """The evidence behind a verdict."""
        return [json.loads(text) for text in self.evidence[key]]

    def add(self, texts: Iterable[str]) -> None:
        """Take in lines of JSON; of two verdicts with one key the later counts."""
        rows: list[str] = []
        for text in texts:
            if text.startswith(_EVIDENCE):
                rows.append(text)
                continue
            line = json.loads(text)
            match line["kind"]:
                case "run":
                    self.run = line
                case "image":
                    self.images[line["key"]] = line
                case "verdict":
                    key = key_of(line)
                    self.verdicts[key], self.evidence[key] = line, rows
                    rows = []

    def ended_with(self, exit_status: int) -> None:
        """Say in the run what its process ended with."""
        self.run["exit_status"] = exit_status

    def lines(self) -> Iterator[str]:
        """All lines, as JSON, in the file's order."""
        yield encoded(self.run | {"verdicts": len(self.verdicts), "lines": self.length})
        yield from map(encoded, self.images.values())
        for key, verdict in sorted(self.verdicts.items()):
            yield from self.evidence[key]
            yield encoded(verdict)


class Part:
    """One process's part of the results, kept as it goes: a kill loses the current test alone."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"{name}.part.jsonl"
        self._images: set[object] = set()

    def keep(self, lines: Iterable[Mapping[str, object]]) -> None:
        """Append lines, each image once. Raises UsageError where they cannot be kept: then none of them is."""
        fresh = [line for line in lines if line["kind"] != "image" or line["key"] not in self._images]
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
        self._images |= {line["key"] for line in fresh if line["kind"] == "image"}


def gather(folder: Path) -> Results:
    """Put the parts in a folder together; a line that a kill cut short is left out.

    Each part's head has, as `unjudged`, the tests that are to have a verdict; those that have none are left there.
    """
    results = Results()
    for path in sorted(folder.glob("*.part.jsonl")):
        text = path.read_text(encoding="utf-8")
        whole, _, _ = text.rpartition("\n")
        results.add(whole.splitlines())
    if results.run:
        results.run["unjudged"] = _unjudged(results)
    return results


def check_place(path: Path, others: Others) -> None:
    """Make sure that results can be written there, over older results at most. Raises UsageError.

    Args:
        path: where they are to go.
        others: files that they must not replace, by the option that names them.
    """
    demand_place(path, OPTION, "results file", is_ours=lambda there: begins(there, _RUN.encode()), others=others)


def write(path: Path, results: Results) -> None:
    """Write the results file, whole or not at all. Raises UsageError."""
    with placing(path, OPTION) as draft, draft.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in results.lines())


def read(path: Path) -> Results:
    """Read a results file; what a line may lack stands in it as None, or empty. Raises UsageError naming the line."""
    if why := fault(path):
        raise UsageError(f"{path}: cannot be read as a results file ({why}).")
    results = Results()
    numbers = count()  # the lines first, so that the next number is how many there are
    try:
        results.add(text for text, _ in zip(_checked_lines(path, read_lines(path)), numbers, strict=False))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: cannot be read as a results file ({error}).") from error
    if not results.run:
        raise UsageError(f"{path}: holds no run; a results file begins with one.")
    _demand_all(path, results.run, verdicts=len(results.verdicts), lines=next(numbers))
    results.run["unjudged"] = _unjudged(results)  # of a part, all that the run was to ask
    return results


def head(path: Path) -> Line | None:
    """Return the run that a results file says it is of, by its first line alone; None where it says none."""
    try:
        line = _checked(path, 1, next(read_lines(path), b""))
    except (UnicodeDecodeError, UsageError):
        return None
    return line if line["kind"] == "run" else None


def _demand_all(path: Path, run: Line, **held: int) -> None:
    """Raise UsageError where a file holds less, or more, than its first line promises."""
    for what, there in held.items():
        promised = run[what]
        if promised not in (None, there):
            wrong = "cut short" if there < promised else "added to"
            raise UsageError(f"{path}:1: promises {promised} {what}, and {there} follow; the file was {wrong}.")


def _unjudged(results: Results) -> list[str]:
    """The tests that are to have a verdict and have none."""
    judged = {test for test, _, _ in results.verdicts}
    return [test for test in results.run["unjudged"] if test not in judged]


def read_judged(path: Path) -> Results:
    """Read the results of a run that judged something. Raises UsageError where it did not, and as `read`."""
    results = read(path)
    if not results.verdicts:
        raise UsageError(f"{path}: holds no verdict; the results of a run that judged something are accepted.")
    return results


def read_beside(path: Path, data: str, option: str = _BESIDE) -> Results:
    """Read the results of a run that are to be shown beside another one's. Raises UsageError naming the option."""
    try:
        results = read(path)
    except UsageError as error:
        raise UsageError(f"{option} {error}") from error
    if results.run["data"] != data:
        raise UsageError(f"{option} {path}: is of {results.run['data']}; results of {data} are accepted.")
    return results


def ranked(rows: Iterable[Line], claim: str) -> list[Line]:
    """The rows that count, the worst first: of a rate the lowest margin, of a mean the one farthest from 0."""
    counted = [row for row in rows if row["margin"] is not None]
    return sorted(counted, key=lambda row: -abs(row["margin"]) if claim == "mean" else row["margin"])


def key_of(verdict: Line) -> Key:
    """What a verdict is told by."""
    return verdict["test"], verdict["behavior"], verdict["metric"]


def encoded(line: Mapping[str, object]) -> str:
    """A line as JSON: ASCII, so that no separator of Unicode splits it, and without NaN, which other readers refuse."""
    try:
        return json.dumps(line, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(line))


def _finite(value: Any) -> Any:
    """The same, with None for each number that JSON has not: a model may answer NaN."""
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _checked_lines(path: Path, file: Iterable[bytes]) -> Iterator[str]:
    """A file's lines, whole and in this module's spelling. Raises UsageError where one is none, or in no place of it.

    A verdict follows its evidence: where its own line is gone, its rows are not the next one's.
    """
    rows: dict[tuple[str, str | None], int] = {}  # since the last verdict: the first line of a test and metric
    runs: list[int] = []
    for number, text in enumerate(file, start=1):
        line = _checked(path, number, text)
        if line["kind"] == "run":
            runs.append(number)
        if len(runs) > 1:
            raise UsageError(f"{path}:{number}: begins a second run after that of line {runs[0]}; a file holds one.")
        if line["kind"] == "evidence" and line["test"] is not None:
            rows.setdefault((line["test"], line["metric"]), number)
        if line["kind"] == "verdict":
            rows.pop((line["test"], line["metric"]), None)
            _demand_none(path, rows)
        yield encoded(line)
    _demand_none(path, rows)


def _demand_none(path: Path, rows: Mapping[tuple[str, str | None], int]) -> None:
    """Raise UsageError where evidence has no verdict; `rows` are its lines' numbers."""
    for (test, _), number in rows.items():
        raise UsageError(f"{path}:{number}: is evidence of {printable(test)}, of which no verdict follows.")


def _checked(path: Path, number: int, text: bytes) -> Line:
    """A line of a results file, with all that readers rely on. Raises UsageError where it is none."""
    if len(text) > LONGEST_LINE:
        raise UsageError(f"{path}:{number}: is longer than {LONGEST_LINE} bytes; no line of a results file is.")
    try:
        line = parse_json(text.decode("utf-8"))
    except UnicodeDecodeError:
        raise
    except ValueError as error:
        raise UsageError(f"{path}:{number}: not JSON ({printable(str(error), 80)}).") from error
    wrong = complaint(line)
    if wrong:
        raise UsageError(f"{path}:{number}: {wrong}.")
    # The kind, by which lines are known, may stand elsewhere in files that others wrote.
    return {"kind": line["kind"]} | completed(line)
