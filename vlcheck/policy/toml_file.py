"""Reading and writing of policy files; an error names the key and the accepted values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, NoReturn

from msgspec import to_builtins

from vlcheck._util.foreign_files import read_toml
from vlcheck._util.numbers import rounded
from vlcheck._util.typed import BrokenRule, Fault, Keys, MissingKey, UnknownKey, WrongValue, convert
from vlcheck.errors import UsageError, argument, closest, nearest, printable
from vlcheck.policy.policy import METRICS, PARITY, Known, Policy
from vlcheck.policy.schema import KnownRecord, PolicyFile


def load_policy(path: Path) -> Policy:
    """Read a policy file.

    Raises:
        UsageError: If the file cannot be read, has an unknown key or a value out of range; the message names file and
            key.
    """
    try:
        content = read_toml(path)
    except UsageError as error:
        raise UsageError(argument("policy", error)) from error
    return _Reader(path, content).policy()


def to_toml(policy: Policy, because: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """Yield the lines of a policy file.

    Args:
        policy: the policy.
        because: explanations by table and key; each is written as a comment before its value.
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
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML wants it escaped, unlike JSON


@dataclass(frozen=True)
class _Reader:
    path: Path
    content: Mapping[str, Any]

    def policy(self) -> Policy:
        try:
            file = convert(self.content, PolicyFile)
        except Fault as fault:
            self._refuse(self._place(fault.path), _complaint(fault))
        required = None if file.required is None else tuple(dict.fromkeys(file.required))
        policy = Policy(self.path, dict(self._tables(to_builtins(file))), tuple(self._all_known(file.known)), required)
        self._in_order(policy)
        return policy

    def _tables(self, typed: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the file's tables by name, with the keys that it sets and their typed values."""
        for group in ("defaults", "on", PARITY):
            if group in self.content:
                yield from self._table(group, self.content[group], typed[group])
        for group in ("tolerances", "biases", "behaviors"):
            for name, table in self.content.get(group, {}).items():
                yield from self._table(f"{group}.{name}", table, typed[group][name])

    def _table(
        self, name: str, table: Mapping[str, Any], typed: Mapping[str, Any]
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield a table, and then the tables in it."""
        inner = [key for key, value in table.items() if isinstance(value, dict)]
        values = {key: typed[key] for key in table if key not in inner}
        if "band" in values and values["band"][0] >= values["band"][1]:
            self._refuse(f"{name}.band", f"{table['band']!r} has to be two numbers from -1 to 1, the lower one first")
        yield name, values
        for key in inner:
            yield from self._table(f"{name}.{key}", table[key], typed[key])

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

    def _all_known(self, records: Iterable[KnownRecord]) -> list[Known]:
        known = [self._known(number, record) for number, record in enumerate(records, start=1)]
        for one, other in combinations(known, 2):
            if one.overlaps(other):
                self._refuse(other.label, f"is about the same tests as {one.label}; leave one")
        return known

    def _known(self, number: int, record: KnownRecord) -> Known:
        return Known(
            path=self.path,
            number=number,
            behavior=printable(record.behavior.strip()),
            bias=printable(record.bias.strip()),
            metric=record.metric or "",
            reason=printable(record.reason.strip()),
            until=record.until,
            invalid=record.invalid,
        )

    def _place(self, path: Keys) -> str:
        """Name a place in the file, e.g. `tolerances.mlm.within` or `known[1] (bias "color").until`."""
        match path:
            case ("known", int(at), ("metric" | "until" | "invalid") as key):
                entry = self.content["known"][at]
                subject = next((f' ({one} "{entry[one]}")' for one in ("behavior", "bias") if one in entry), "")
                return f"known[{at + 1}]{subject}.{key}"
        return "".join(f"[{key + 1}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")

    def _refuse(self, where: str, why: str) -> NoReturn:
        raise UsageError(f"{argument('policy', self.path)}: {printable(where)}: {printable(why)}")


def _complaint(fault: Fault) -> str:
    """Say what is wrong with a key, and what would be accepted."""
    match fault:
        case UnknownKey(path=path, known=known):
            return f"is no key of a policy. {nearest(str(path[-1]), known)}"
        case MissingKey(path=(*_, str(key)), unknown=unknown) if closest(unknown, [key]):
            return f"is missing; {unknown!r} is no key of a policy. {nearest(unknown, [key])}"
        case MissingKey(accepted=accepted, unknown=unknown):
            return f"is missing; it has to be {accepted}" + (f"; {unknown!r} is no key of a policy" if unknown else "")
        case BrokenRule(rule=rule):
            return rule
        case WrongValue(path=("known",), accepted=accepted):
            return f"has to be {accepted}"
        case WrongValue(path=(*_, "metric"), value=value):
            return f"{value!r} is no metric. {nearest(str(value), METRICS)}"
        case WrongValue(path=("known", _, _), value=value, accepted=accepted):
            return f"{value!r}; it has to be {accepted}"
        case WrongValue(value=value, choices=(*others, last)):
            return f"{value!r} has to be {', '.join(map(_quoted, others))} or {_quoted(last)}"
        case WrongValue(value=value, accepted=accepted):
            return f"{value!r} has to be {accepted}"
    raise fault
