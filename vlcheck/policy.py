"""What a model is held to: tolerances, allowed rates, bands, and what an undecided verdict does."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args

from vlcheck.errors import UsageError, nearest
from vlcheck.models.protocol import KINDS
from vlcheck.query import Metric

Consequence = Literal["fail", "skip", "xfail"]
METRICS = get_args(Metric)
UNDECIDED = ("inconclusive", "invalid")


@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """Differences of scores, in [0, 1].

    Attributes:
        within: how far a preserved score may fall.
        delta: by how much the own picture has to beat another for a case to be known; above `within`.
        by: the least difference that counts as one, above 0.
        below: what a score has to fall below to have dropped.
        floor: two words that together are under it say nothing.
    """

    within: float = 0.10
    delta: float = 0.15
    by: float = 0.05
    below: float = 0.50
    floor: float = 0.01


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What the statistics hold a behavior to.

    Attributes:
        allowed: share of violations that passes, in [0, 1).
        alpha: error rate of each bound, in (0, 0.5).
        band: lowest and highest mean that pass, in [-1, 1].
    """

    allowed: float = 0.10
    alpha: float = 0.05
    band: tuple[float, float] = (-0.15, 0.15)


@dataclass(frozen=True)
class Policy:
    """A policy file's content.

    Attributes:
        path: the file.
        defaults: for behaviors that have no rule of their own.
        metrics: tolerances by metric, or by metric and score kind as "mlm.masked-lm".
        behaviors: what a test function changes of both, by its name.
        on: what an undecided verdict does to its test.
    """

    path: Path
    defaults: Rule = Rule()
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    behaviors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    on: Mapping[str, Consequence] = field(default_factory=dict)

    def tolerances(self, metric: str, kind: str, behavior: str) -> Tolerances:
        """The metric's tolerances, changed by those of its score kind, changed by the behavior's own."""
        layers = (self.metrics.get(metric), self.metrics.get(f"{metric}.{kind}"), self.behaviors.get(behavior))
        said = {key: value for layer in layers for key, value in (layer or {}).items() if key in _TOLERANCES}
        return Tolerances(**said)

    def rule(self, behavior: str) -> Rule:
        """The rule that a behavior is held to."""
        own = self.behaviors.get(behavior, {})
        return replace(self.defaults, **{key: value for key, value in own.items() if key in _RULE})

    def as_dict(self) -> dict[str, Any]:
        """The policy as the results' first line keeps it."""
        content = asdict(self)
        return content | {"path": str(self.path)}


_TOLERANCES = {each.name for each in fields(Tolerances)}
_RULE = {each.name for each in fields(Rule)}
_RANGES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "within": (lambda x: 0 <= x <= 1, "a number from 0 to 1"),
    "delta": (lambda x: 0 < x <= 1, "a number above 0, up to 1"),
    "by": (lambda x: 0 < x <= 1, "a number above 0, up to 1"),
    "below": (lambda x: 0 <= x <= 1, "a number from 0 to 1"),
    "floor": (lambda x: 0 <= x <= 1, "a number from 0 to 1"),
    "allowed": (lambda x: 0 <= x < 1, "a number from 0, below 1"),
    "alpha": (lambda x: 0 < x < 0.5, "a number above 0, below 0.5"),
}


def load_policy(path: Path) -> Policy:
    """Read a policy file.

    Raises:
        UsageError: naming the file and the key, where it cannot be read, has an unknown key or a value out of range.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--vl-policy {path}: cannot be read ({error}).") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"--vl-policy {path}: not TOML ({error}).") from error
    return _Reader(path).policy(content)


@dataclass(frozen=True)
class _Reader:
    path: Path

    def policy(self, content: Mapping[str, Any]) -> Policy:
        tables = self._table("", content, ("defaults", "tolerances", "behaviors", "on"))
        behaviors = self._table("behaviors", tables.get("behaviors", {}))
        policy = Policy(
            path=self.path,
            defaults=Rule(**self._figures("defaults", tables.get("defaults", {}), _RULE)),
            metrics=dict(self._metrics(self._table("tolerances", tables.get("tolerances", {}), METRICS))),
            behaviors={
                name: self._figures(f"behaviors.{name}", own, _RULE | _TOLERANCES) for name, own in behaviors.items()
            },
            on=self._on(self._table("on", tables.get("on", {}), UNDECIDED)),
        )
        self._order(policy)
        return policy

    def _metrics(self, tables: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
        for metric, own in tables.items():
            table = self._table(f"tolerances.{metric}", own)
            kinds = {key: value for key, value in table.items() if isinstance(value, dict)}
            plain = {key: value for key, value in table.items() if key not in kinds}
            yield metric, self._figures(f"tolerances.{metric}", plain, _TOLERANCES)
            self._table(f"tolerances.{metric}", kinds, KINDS)
            for kind, values in kinds.items():
                yield f"{metric}.{kind}", self._figures(f"tolerances.{metric}.{kind}", values, _TOLERANCES)

    def _order(self, policy: Policy) -> None:
        for metric, _, kind in (key.partition(".") for key in {*METRICS, *policy.metrics}):
            for behavior in ("", *policy.behaviors):
                tolerances = policy.tolerances(metric, kind, behavior)
                if tolerances.delta <= tolerances.within:
                    where = f"behaviors.{behavior}" if behavior else f"tolerances.{metric}"
                    self._refuse(where, f"delta {tolerances.delta} has to be above within {tolerances.within}")

    def _on(self, table: Mapping[str, Any]) -> dict[str, Consequence]:
        for key, value in table.items():
            if value not in ("fail", "skip", "xfail"):
                self._refuse(f"on.{key}", f'{value!r} has to be "fail", "skip" or "xfail"')
        return dict(table)

    def _figures(self, where: str, table: Any, known: Collection[str]) -> dict[str, Any]:
        figures = dict(self._table(where, table, known))
        for key, value in figures.items():
            if key == "band":
                figures[key] = self._band(f"{where}.band", value)
                continue
            fits, accepted = _RANGES[key]
            if not _is_number(value) or not fits(value):
                self._refuse(f"{where}.{key}", f"{value!r} has to be {accepted}")
        return figures

    def _band(self, where: str, value: Any) -> tuple[float, float]:
        pair = value if isinstance(value, list) and all(map(_is_number, value)) else []
        if len(pair) != 2 or not -1 <= pair[0] < pair[1] <= 1:
            self._refuse(where, f"{value!r} has to be two numbers from -1 to 1, the lower one first")
        return float(pair[0]), float(pair[1])

    def _table(self, where: str, value: Any, known: Collection[str] | None = None) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            self._refuse(where, f"{value!r} has to be a table")
        unknown = [key for key in value if known is not None and key not in known]
        if unknown:
            hint = nearest(unknown[0], known or ())
            self._refuse(f"{where}.{unknown[0]}".lstrip("."), f"is no key of a policy. {hint}")
        return value

    def _refuse(self, where: str, why: str) -> NoReturn:
        raise UsageError(f"--vl-policy {self.path}: {where}: {why}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
