"""Reading and writing of policy files; an error names the key and the accepted values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any, NoReturn, get_args

from vlcheck._util.foreign_files import read_toml
from vlcheck._util.numbers import rounded
from vlcheck.errors import UsageError, nearest, printable
from vlcheck.metrics.registry import KINDS
from vlcheck.policy.policy import CHOICES, METRICS, RULE, SCALING, TOLERANCES, UNDECIDED, Consequence, Known, Policy

_GROUPS = ("required", "defaults", "tolerances", "biases", "behaviors", "known", "on")
_KNOWN = ("behavior", "bias", "metric", "reason", "until", "invalid")
_OF_SCORES = (*TOLERANCES, *SCALING)
_RANGES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "within": (lambda x: 0 <= x <= 1, "a number from 0 to 1"),
    "delta": (lambda x: 0 < x <= 1, "a number above 0, up to 1"),
    "by": (lambda x: 0 < x <= 1, "a number above 0, up to 1"),
    "below": (lambda x: 0 <= x <= 1, "a number from 0 to 1"),
    "floor": (lambda x: 0 <= x <= 1, "a number from 0 to 1"),
    "mass": (lambda x: 0 <= x <= 1, "a number from 0 to 1"),
    "allowed": (lambda x: 0 <= x < 1, "a number from 0, below 1"),
    "alpha": (lambda x: 1e-6 <= x < 0.5, "a number from 1e-6, below 0.5"),
    "auc": (lambda x: 0.5 <= x < 1, "a number from 0.5, below 1"),
}


def load_policy(path: Path) -> Policy:
    """Read a policy file.

    Raises:
        UsageError: If the file cannot be read, has an unknown key or a value out of range; the message names file and
            key.
    """
    try:
        content = read_toml(path)
    except UsageError as error:
        raise UsageError(f"--vl-policy {error}") from error
    return _Reader(path).policy(content)


def to_toml(policy: Policy, because: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """Yield the lines of a policy file.

    Args:
        policy: the policy.
        because: by table and key, an explanation that is written as a comment before the value.
    """
    if policy.required is not None:
        yield ""
        yield f"required = [{', '.join(map(_quoted, policy.required))}]"
    for name, table in policy.tables.items():
        if not table:
            continue
        yield ""
        yield f"[{_header(name)}]"
        for key, value in table.items():
            if (name, key) in because:
                yield f"# {printable(because[name, key])}"
            yield f"{key} = {_written(value)}"
    for one in policy.known:
        yield ""
        yield "[[known]]"
        said = {"behavior": one.behavior, "bias": one.bias, "metric": one.metric, "reason": one.reason}
        yield from (f"{key} = {_quoted(text)}" for key, text in said.items() if text)
        yield f"until = {one.until}"
        yield from ["invalid = true"] if one.invalid else []


def _header(name: str) -> str:
    """Write a table's name; the name of a bias or a behavior may contain anything."""
    group, _, rest = name.partition(".")
    parts = [group, rest] if group in ("biases", "behaviors") else name.split(".")
    return ".".join(part if re.fullmatch("[A-Za-z0-9_-]+", part) else _quoted(part) for part in parts)


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, float):
        return str(rounded(value))
    return _quoted(value) if isinstance(value, str) else str(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")  # which TOML wants escaped, unlike JSON


@dataclass(frozen=True)
class _Reader:
    path: Path

    def policy(self, content: Mapping[str, Any]) -> Policy:
        groups = self._table("", content, _GROUPS)
        required = self._required(groups["required"]) if "required" in groups else None
        known = tuple(self._all_known(groups.get("known", [])))
        policy = Policy(self.path, dict(self._tables(groups)), known, required)
        self._in_order(policy)
        return policy

    def _required(self, biases: Any) -> tuple[str, ...]:
        if not isinstance(biases, list) or not all(isinstance(bias, str) for bias in biases):
            self._refuse("required", f'{biases!r} has to be a list of biases, e.g. ["color", "position"]')
        return tuple(dict.fromkeys(biases))

    def _tables(self, groups: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for name, known in (("defaults", (*RULE, *SCALING)), ("on", UNDECIDED)):
            if name in groups:
                yield name, self._values(name, groups[name], known)
        for metric, own in self._table("tolerances", groups.get("tolerances", {}), METRICS).items():
            yield from self._metric(f"tolerances.{metric}", own)
        for group in ("biases", "behaviors"):
            for name, own in self._table(group, groups.get(group, {})).items():
                yield (
                    f"{group}.{name}",
                    self._values(f"{group}.{name}", own, (*RULE, *TOLERANCES, *SCALING, *UNDECIDED)),
                )

    def _metric(self, where: str, own: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
        table = self._table(where, own)
        kinds = {key: value for key, value in table.items() if isinstance(value, dict)}
        yield where, self._values(where, {key: table[key] for key in table if key not in kinds}, _OF_SCORES)
        for kind, values in self._table(where, kinds, KINDS).items():
            yield f"{where}.{kind}", self._values(f"{where}.{kind}", values, _OF_SCORES)

    def _in_order(self, policy: Policy) -> None:
        """Refuse what no test could be held to; of which bias a behavior is, only the tests say."""
        for metric in METRICS:
            for kind in ("", *policy.named(f"tolerances.{metric}")):
                for bias in ("", *policy.named("biases")):
                    policy.of("", bias).tolerances(metric, kind)
                for behavior in policy.named("behaviors"):
                    self._fits_somewhere(policy, behavior, metric, kind)

    @staticmethod
    def _fits_somewhere(policy: Policy, behavior: str, metric: str, kind: str) -> None:
        wrong = []
        for bias in ("", *policy.named("biases")):
            try:
                policy.of(behavior, bias).tolerances(metric, kind)
                return
            except UsageError as error:
                wrong.append(error)
        raise wrong[0]

    def _values(self, where: str, table: Any, known: Collection[str]) -> dict[str, Any]:
        values = self._table(where, table, known)
        return {key: self._value(f"{where}.{key}", key, value) for key, value in values.items()}

    def _value(self, where: str, key: str, value: Any) -> Any:
        if key == "band":
            return self._band(where, value)
        if key in UNDECIDED:
            if value not in get_args(Consequence):
                self._refuse(where, f'{value!r} has to be "fail", "skip" or "xfail"')
            return value
        if key in CHOICES:
            if value not in CHOICES[key]:
                self._refuse(where, f"{value!r} has to be {' or '.join(map(_quoted, CHOICES[key]))}")
            return value
        fits, accepted = _RANGES[key]
        if not _is_number(value) or not fits(value):
            self._refuse(where, f"{value!r} has to be {accepted}")
        return value

    def _band(self, where: str, value: Any) -> tuple[float, float]:
        pair = value if isinstance(value, list) and all(map(_is_number, value)) else []
        if len(pair) != 2 or not -1 <= pair[0] < pair[1] <= 1:
            self._refuse(where, f"{value!r} has to be two numbers from -1 to 1, the lower one first")
        return float(pair[0]), float(pair[1])

    def _all_known(self, entries: Any) -> list[Known]:
        if not isinstance(entries, list):
            self._refuse("known", "has to be a list of tables, each under [[known]]")
        known = [self._known(number, entry) for number, entry in enumerate(entries, start=1)]
        for one, other in combinations(known, 2):
            if one.overlaps(other):
                self._refuse(other.label, f"is about the same tests as {one.label}; leave one")
        return known

    def _known(self, number: int, entry: Any) -> Known:
        where = f"known[{number}]"
        table = self._table(where, entry, _KNOWN)
        subjects = [key for key in ("behavior", "bias") if key in table]
        if len(subjects) != 1:
            self._refuse(where, f"has to name either a behavior or a bias; it names {' and '.join(subjects) or 'none'}")
        said = {key: self._text(f"{where}.{key}", table.get(key)) for key in (*subjects, "reason")}
        where = f'{where} ({subjects[0]} "{said[subjects[0]]}")'
        metric = table.get("metric", "")
        if "metric" in table and metric not in METRICS:
            self._refuse(f"{where}.metric", f"{metric!r} is no metric. {nearest(str(metric), METRICS)}")
        return Known(
            path=self.path,
            number=number,
            behavior=said.get("behavior", ""),
            bias=said.get("bias", ""),
            metric=metric,
            reason=said["reason"],
            until=self._day(f"{where}.until", table.get("until")),
            invalid=self._flag(f"{where}.invalid", table.get("invalid", False)),
        )

    def _flag(self, where: str, value: Any) -> bool:
        if not isinstance(value, bool):
            self._refuse(where, f"{value!r} has to be true or false")
        return value

    def _text(self, where: str, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            self._refuse(where, f'{_missing(value)}; it has to be a text, e.g. "the captions name no sides"')
        return printable(value.strip())

    def _day(self, where: str, value: Any) -> date:
        if type(value) is date:  # a datetime is a date as well
            return value
        try:
            day = date.fromisoformat(value)
        except (TypeError, ValueError):
            day = None
        if day is None or day.isoformat() != value:
            self._refuse(where, f"{_missing(value)}; it has to be a day, e.g. 2027-01-31")
        return day

    def _table(self, where: str, value: Any, known: Collection[str] | None = None) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            self._refuse(where, f"{value!r} has to be a table")
        unknown = [key for key in value if known is not None and key not in known]
        if unknown:
            hint = nearest(unknown[0], known or ())
            self._refuse(f"{where}.{unknown[0]}".lstrip("."), f"is no key of a policy. {hint}")
        return value

    def _refuse(self, where: str, why: str) -> NoReturn:
        raise UsageError(f"--vl-policy {self.path}: {printable(where)}: {printable(why)}")


def _missing(value: Any) -> str:
    return "is missing" if value is None else repr(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
