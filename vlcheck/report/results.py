"""The results file: JSON lines, written in parts by the processes of a run and put together at its end.

A verdict's line follows its evidence and the images that this shows, so that a part which a kill cut short holds
whole verdicts and a rest that counts for nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, get_args

from vlcheck.drafts import begins, replacing, unwritable
from vlcheck.errors import UsageError, printable
from vlcheck.verdict import BY_GRAVITY, Claim

Line = dict[str, Any]
Key = tuple[str, str, str]
SCHEMA = 1
_FIGURES = (
    *("n", "not_applicable", "violations", "rate", "rate_low", "rate_high", "allowed", "alpha", "p", "needed_n"),
    *("detectable", "effect", "effect_low", "effect_high", "asked", "offered"),
)
_RUN, _EVIDENCE = '{"kind": "run"', '{"kind": "evidence"'  # as such lines begin


class _Accepted(NamedTuple):
    holds: Callable[[Any], bool]
    said: str
    optional: bool = False

    def if_any(self) -> _Accepted:
        return self._replace(optional=True)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _is_table(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and all(map(_is_number, value.values())))


def _is_list_of(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(holds, value))


def _is_scored(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and _is_text(value[0]) and _is_number(value[1])


def _is_box(value: Any) -> bool:
    return _is_list_of(_is_number)(value) and len(value) == 4 and None not in value


def _or_none(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or holds(value)


def _is_object(value: Any) -> bool:
    return value is None or isinstance(value, dict)


def _is_tables(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and all(map(_is_table, value.values())))


_TEXT = _Accepted(_is_text, "text")
_TEXT_OR_NONE = _Accepted(_or_none(_is_text), "text or null")
_NUMBER_OR_NONE = _Accepted(_is_number, "a number or null")
_TEXTS = _Accepted(_is_list_of(_is_text), "a list of texts")
_BAND = _Accepted(
    _or_none(lambda value: _is_list_of(_is_number)(value) and len(value) == 2 and None not in value),
    "two numbers or null",
)
_BOXES = _Accepted(_or_none(_is_list_of(_is_box)), "a list of boxes of four numbers, or null")
_TABLE = _Accepted(_is_table, "an object of numbers, or null")
_TABLES = _Accepted(_is_tables, "an object of tables, or null")
_WORDS = _Accepted(_or_none(_is_list_of(_is_scored)), "a list of words with their scores, or null")
_OBJECT = _Accepted(_is_object, "an object or null")
_STATUS = _Accepted(lambda value: value in BY_GRAVITY, f"one of {', '.join(BY_GRAVITY)}")

# What readers rely on, by kind of line; more is written.
_READ: Mapping[str, Mapping[str, _Accepted]] = {
    "run": dict.fromkeys(("name", "fingerprint", "data", "started"), _TEXT)
    | dict.fromkeys(("score_kinds", "versions", "policy", "left_out"), _OBJECT.if_any())
    | {"schema": _Accepted(lambda value: type(value) is int, "a whole number")},
    "image": {"key": _TEXT, "width": _NUMBER_OR_NONE.if_any()},
    "evidence": {
        "case": _TEXT,
        "image": _TEXT_OR_NONE,
        "perturbed": _TEXT_OR_NONE,
        "texts": _TEXTS,
        "margin": _NUMBER_OR_NONE,
    }
    | dict.fromkeys(("effect", "before", "after"), _NUMBER_OR_NONE.if_any())
    | dict.fromkeys(("top_before", "top_after"), _WORDS.if_any())
    | dict.fromkeys(("perturbation", "reason"), _TEXT_OR_NONE.if_any())
    | {
        "values": _TABLE.if_any(),
        "targets": _TEXTS.if_any(),
        "scores": _Accepted(_or_none(_is_list_of(_is_table)), "a list of objects of numbers, or null", optional=True),
        "boxes": _BOXES.if_any(),
    },
    "verdict": dict.fromkeys(("test", "bias", "behavior", "metric", "score_kind", "reason"), _TEXT)
    | dict.fromkeys(("doc", "expected", "perturbation"), _TEXT_OR_NONE.if_any())
    | dict.fromkeys(_FIGURES, _NUMBER_OR_NONE.if_any())
    | {
        "claim": _Accepted(lambda value: value in get_args(Claim), '"rate" or "mean"'),
        "status": _STATUS,
        "band": _BAND.if_any(),
        "tolerances": _TABLE.if_any(),
        "tables": _TABLES.if_any(),
        "known": _OBJECT.if_any(),
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
    wrong = unwritable(path, "results")
    if wrong:
        return wrong
    if store and store.resolve() == path.resolve():
        return "is the store of kept scores as well (--vl-store)"
    return "" if begins(path, _RUN.encode()) else "is there and holds no results; name another path, or delete it"


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


def read_beside(path: Path, data: str, option: str = "--vl-beside") -> Results:
    """Read the results of a run that are to be shown beside another one's. Raises UsageError naming the option."""
    try:
        results = read(path)
    except UsageError as error:
        raise UsageError(f"{option} {error}") from error
    if results.run["data"] != data:
        raise UsageError(f"{option} {path}: is of {results.run['data']}; results of {data} are accepted.")
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
        if not (accepted.holds(line[key]) if key in line else accepted.optional):
            raise UsageError(f"{path}:{number}: {kind} line without {key!r}, which has to be {accepted.said}.")
    return encoded({"kind": kind} | line)  # which others know such lines by, and may have put elsewhere
