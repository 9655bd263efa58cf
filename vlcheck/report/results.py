"""The results file: JSON lines, written in parts by the processes of a run and put together at its end.

A verdict's line follows its evidence and the images that this shows, so that a part which a kill cut short holds
whole verdicts and a rest that counts for nothing.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, get_args

from vlcheck.drafts import replacing
from vlcheck.errors import UsageError, printable
from vlcheck.verdict import BY_GRAVITY, Claim

Line = dict[str, Any]
Key = tuple[str, str, str]
SCHEMA = 1
_RUN, _EVIDENCE = '{"kind": "run"', '{"kind": "evidence"'  # as such lines begin


class _Accepted(NamedTuple):
    fits: Callable[[Any], bool]
    said: str
    optional: bool = False


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_number_or_none(value: object) -> bool:
    return value is None or _is_number(value)


def _is_band(value: object) -> bool:
    return value is None or (isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)))


def _are_numbers(value: object) -> bool:
    return value is None or (isinstance(value, dict) and all(map(_is_number_or_none, value.values())))


_TEXT = _Accepted(_is_text, "text")
_TEXT_OR_NONE = _Accepted(lambda value: value is None or _is_text(value), "text or null")
_TEXT_IF_ANY = _TEXT_OR_NONE._replace(optional=True)
_NUMBER_OR_NONE = _Accepted(_is_number_or_none, "a number or null")
_LIST = _Accepted(lambda value: isinstance(value, list), "a list")
_NUMBERS_IF_ANY = _Accepted(_are_numbers, "an object of numbers, or null", optional=True)

# What readers rely on, by kind of line; more is written.
_READ: Mapping[str, Mapping[str, _Accepted]] = {
    "run": dict.fromkeys(("name", "fingerprint", "data", "started"), _TEXT)
    | {"schema": _Accepted(lambda value: type(value) is int, "a whole number")},
    "image": {"key": _TEXT},
    "evidence": {
        "case": _TEXT,
        "perturbation": _TEXT_IF_ANY,
        "image": _TEXT_OR_NONE,
        "perturbed": _TEXT_OR_NONE,
        "texts": _LIST,
        "margin": _NUMBER_OR_NONE,
        "values": _NUMBERS_IF_ANY,
        "effect": _NUMBER_OR_NONE._replace(optional=True),
    },
    "verdict": dict.fromkeys(("test", "bias", "behavior", "metric", "score_kind", "reason"), _TEXT)
    | {
        "claim": _Accepted(lambda value: value in get_args(Claim), '"rate" or "mean"'),
        "status": _Accepted(lambda value: value in BY_GRAVITY, f"one of {', '.join(BY_GRAVITY)}"),
        "band": _Accepted(_is_band, "two numbers, or null", optional=True),
        "tolerances": _NUMBERS_IF_ANY,
    },
}


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
        return any(verdict["status"] in ("pass", "fail") for verdict in self.verdicts.values())

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
                    key = line["test"], line["behavior"], line["metric"]
                    self.verdicts[key], self.evidence[key] = line, rows
                    rows = []

    def lines(self) -> Iterator[str]:
        """All lines, as JSON, in the file's order."""
        yield encoded(self.run)
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
        """Append lines, each image once. Raises UsageError where they cannot be kept."""
        fresh = [line for line in lines if line["kind"] != "image" or line["key"] not in self._images]
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(f"{encoded(line)}\n" for line in fresh)
        except OSError as error:
            raise UsageError(f"{self._path}: the results cannot be kept ({error.strerror}).") from error
        self._images |= {line["key"] for line in fresh if line["kind"] == "image"}


def gather(folder: Path) -> Results:
    """Put the parts in a folder together; a line that a kill cut short is left out."""
    results = Results()
    for path in sorted(folder.glob("*.part.jsonl")):
        text = path.read_text(encoding="utf-8")
        whole, _, _ = text.rpartition("\n")
        results.add(whole.splitlines())
    return results


def check_place(path: Path, store: Path | None = None) -> None:
    """Make sure, before anything is scored, that results can be written there, over older results at most.

    Args:
        path: where they are to go.
        store: the file of kept scores, which may not be there yet.

    Raises:
        UsageError: naming --vl-results.
    """
    try:
        wrong = _unfit(path, store)
    except OSError as error:
        wrong = f"cannot be looked at ({error.strerror})"
    if wrong:
        raise UsageError(f"--vl-results {path}: {wrong}.")


def _unfit(path: Path, store: Path | None) -> str:
    """Why no results can be written there, or ""."""
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    if path.exists() and not path.is_file():
        return "is no file that results could be written to"
    if not os.access(path.resolve().parent, os.W_OK):
        return f"nothing can be written to the folder {path.resolve().parent}"
    if store and store.resolve() == path.resolve():
        return "is the store of kept scores as well (--vl-store)"
    return "" if _replaceable(path) else "is there and holds no results; name another path, or delete it"


def _replaceable(path: Path) -> bool:
    """Whether the file is missing, empty or a results file."""
    if not path.exists():
        return True
    with path.open("rb") as file:
        start = file.read(len(_RUN))
    return start in (b"", _RUN.encode())


def write(path: Path, results: Results) -> None:
    """Write the results file, whole or not at all; a link is followed. Raises UsageError naming --vl-results."""
    path = path.resolve()
    try:
        with replacing(path) as draft, draft.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in results.lines())
    except OSError as error:
        raise UsageError(f"--vl-results {path}: cannot be written ({error.strerror}).") from error


def read(path: Path) -> Results:
    """Read a results file. Raises UsageError naming the line where it is none."""
    results = Results()
    try:
        with path.open(encoding="utf-8") as file:
            results.add(_checked(path, number, text) for number, text in enumerate(file, start=1))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as a results file ({error}).") from error
    if not results.run:
        raise UsageError(f"{path}: holds no run; a results file begins with one.")
    return results


def read_beside(path: Path, data: str) -> Results:
    """Read the results of a run that are to be shown beside another one's. Raises UsageError naming --vl-beside."""
    try:
        results = read(path)
    except UsageError as error:
        raise UsageError(f"--vl-beside {error}") from error
    if results.run["data"] != data:
        raise UsageError(f"--vl-beside {path}: is of {results.run['data']}; results of {data} are accepted.")
    return results


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


def _checked(path: Path, number: int, text: str) -> str:
    """A line of a results file, in this module's spelling. Raises UsageError where it is none."""
    try:
        line = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}:{number}: not JSON ({printable(str(error), 80)}).") from error
    kind = line.get("kind") if isinstance(line, dict) else None
    if not isinstance(kind, str) or kind not in _READ:
        raise UsageError(f"{path}:{number}: no line of a results file; each names its kind.")
    if kind == "run" and line.get("schema") != SCHEMA:
        raise UsageError(f"{path}:{number}: schema {line.get('schema')!r}; this vlcheck reads schema {SCHEMA}.")
    for key, accepted in _READ[kind].items():
        if not (key in line or accepted.optional) or (key in line and not accepted.fits(line[key])):
            raise UsageError(f"{path}:{number}: {kind} line without {key!r}, which has to be {accepted.said}.")
    return encoded({"kind": kind} | line)  # which others know such lines by, and may have put elsewhere
