"""What a model is held to: tolerances, allowed rates, bands, what an undecided verdict does; biases that are known."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast, get_args

from vlcheck.errors import UsageError, argument, nearest, printable
from vlcheck.metrics.kinds import Metric
from vlcheck.suite.shipped import BIASES

if TYPE_CHECKING:
    from vlcheck.stats.verdict import Verdict

Consequence = Literal["fail", "skip", "xfail"]
METRICS = get_args(Metric)
UNDECIDED = ("inconclusive", "invalid", "not_asked")
_LONGEST = 2_000  # of what a message says of an entry


@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """Differences of scores, in [0, 1].

    Attributes:
        within: how far a preserved score may fall.
        delta: by how much the own picture has to beat another for a case to be known; above `within`.
        by: the least difference that counts as one, above 0.
        below: what a score has to fall below to have dropped.
        floor: two words that together are under it say nothing; of a model that only compares words, all of them.
        mass: an answer says nothing where P(yes) + P(no) is under it: by one half the model would rather answer
            something else.
    """

    within: float = 0.10
    delta: float = 0.15
    by: float = 0.05
    below: float = 0.50
    floor: float = 0.01
    mass: float = 0.50


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """The scale on which margins are formed.

    Attributes:
        scale: "calibrated", the model's own operating scale, or "raw", its scores as they are.
        auc: what the area under the ROC curve, own pictures against other ones, has to be above: a score that does not
            tell them apart passes nothing. Its lower bound counts; in [0.5, 1).
        uncalibrated: where the data has too few pairs of an own and another picture to calibrate by: go by "raw"
            scores, or make the verdict "invalid".
    """

    scale: Literal["calibrated", "raw"] = "calibrated"
    auc: float = 0.60
    uncalibrated: Literal["raw", "invalid"] = "raw"


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


TOLERANCES = tuple(each.name for each in fields(Tolerances))
RULE = tuple(each.name for each in fields(Rule))
SCALING = tuple(each.name for each in fields(Scaling))
CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"scale": ("calibrated", "raw"), "uncalibrated": ("raw", "invalid")}
)
BUILT_IN = MappingProxyType(
    vars(Tolerances()) | vars(Scaling()) | vars(Rule()) | dict.fromkeys(UNDECIDED, "fail") | {"not_asked": "skip"}
)


class Subject(NamedTuple):
    """What a test states, as far as a policy may speak of it."""

    behavior: str
    bias: str
    metric: str


class Value(NamedTuple):
    """A value that is in force, and the table that it is from; "" where it is built in."""

    value: Any
    table: str


@dataclass(frozen=True, kw_only=True)
class Known:
    """A bias that is known, and borne until a day.

    Attributes:
        path: the policy file.
        number: of the entry in it, from 1.
        behavior: whose bias it is; else all behaviors of `bias`.
        metric: under which it shows; "" where under each.
        reason: why it is borne.
        until: the last day.
        invalid: whether a verdict that the bias makes invalid is borne as well, and not a fail alone.
        expired: whether the last day is over: see `Policy.as_of`.
    """

    path: Path
    number: int
    behavior: str = ""
    bias: str = ""
    metric: str = ""
    reason: str
    until: date
    invalid: bool = False
    expired: bool = False

    def matches(self, test: Subject) -> bool:
        """Whether the entry is about a test."""
        same = test.behavior == self.behavior if self.behavior else test.bias == self.bias
        return same and self.metric in ("", test.metric)

    def overlaps(self, other: Known) -> bool:
        """Whether both entries are about the same tests, whichever tests there are."""
        same = (self.behavior, self.bias) == (other.behavior, other.bias)
        return same and ("" in (self.metric, other.metric) or self.metric == other.metric)

    @property
    def label(self) -> str:
        """The entry as messages name it."""
        subject = f'behavior "{self.behavior}"' if self.behavior else f'bias "{self.bias}"'
        under = f', metric "{self.metric}"' if self.metric else ""
        return f"known[{self.number}] ({subject}{under})"

    @property
    def excuse(self) -> str:
        """Why a test may fail."""
        return printable(f"known until {self.until}: {self.reason}", _LONGEST)

    def excuses(self, verdict: Verdict) -> bool:
        """Whether a test may go without a pass: its verdict fails, or is invalid for what the bias can bring about."""
        return not self.expired and (verdict.status == "fail" or (self.invalid and verdict.of_a_bias))

    @property
    def stale(self) -> str:
        """What is to be done where the bias is gone."""
        said = f"the known bias no longer shows ({self.reason}): remove {self.label} from {self.path}"
        return printable(said, _LONGEST)

    @property
    def needless(self) -> str:
        """What is to be done where nothing is invalid that is excused as such."""
        said = (
            f"nothing of the known bias is invalid any more: remove `invalid = true` of {self.label} from {self.path}"
        )
        return printable(said, _LONGEST)

    @property
    def unexcused(self) -> str:
        """What is to be said where the bias may have made a verdict invalid, and the entry excuses fails alone."""
        said = f"{self.label} in {self.path} excuses a fail alone; `invalid = true` excuses this, too"
        return printable(said, _LONGEST)

    @property
    def overdue(self) -> str:
        """What is to be said where the bias is there after its last day."""
        said = f"the known bias expired on {self.until} ({self.reason}): mend it, or renew {self.label} in {self.path}"
        return printable(said, _LONGEST)

    def as_dict(self) -> dict[str, object]:
        """The entry as a verdict's line in the results has it."""
        said = {"reason": self.reason, "until": self.until.isoformat(), "expired": self.expired}
        return said | ({"invalid": True} if self.invalid else {})


@dataclass(frozen=True)
class Policy:
    """A policy file's content.

    Attributes:
        path: the file.
        tables: its tables by their names, as "defaults", "tolerances.mlm.masked-lm" or "biases.color".
        known: its entries of known biases.
        required: the biases of which a run needs a pass or a fail; None where the file does not say.
    """

    path: Path
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    known: tuple[Known, ...] = ()
    required: tuple[str, ...] | None = None

    def of(self, behavior: str, bias: str) -> Terms:
        """What a behavior is held to."""
        return Terms(self, behavior, bias)

    def as_of(self, today: date) -> Policy:
        """The policy on a day, which tells the known biases that are borne from those that have expired."""
        return replace(self, known=tuple(replace(one, expired=today > one.until) for one in self.known))

    def changed(self, table: str, values: Mapping[str, Any]) -> Policy:
        """The policy with other values in a table."""
        return replace(self, tables={**self.tables, table: {**self.tables.get(table, {}), **values}})

    def about(self, tests: Collection[Subject]) -> Policy:
        """The policy without tables and entries that are about none of the tests."""
        names = {f"behaviors.{test.behavior}" for test in tests} | {f"biases.{test.bias}" for test in tests}
        apart = {name for name in self.tables if name.startswith(("behaviors.", "biases."))}
        tables = {name: table for name, table in self.tables.items() if name in names or name not in apart}
        known = tuple(one for one in self.known if any(map(one.matches, tests)))
        required = None if self.required is None else tuple(self.required_of(tests))
        return replace(self, tables=tables, known=known, required=required)

    def required_of(self, tests: Collection[Subject]) -> list[str]:
        """Return the required biases that these tests are about: a run of them needs a pass or a fail of each.

        Where the file does not say, these are all that vlcheck ships.
        """
        there = {test.bias for test in tests}
        return [bias for bias in (BIASES if self.required is None else self.required) if bias in there]

    def named(self, group: str) -> list[str]:
        """Which biases, or behaviors, have a table of their own."""
        return [name.removeprefix(f"{group}.") for name in self.tables if name.startswith(f"{group}.")]

    def check(self, tests: Iterable[Subject]) -> None:
        """Raise UsageError where what is said of a test contradicts itself."""
        for test in tests:
            terms = self.of(test.behavior, test.bias)
            terms.known(test.metric)
            for kind in ("", *self.named(f"tolerances.{test.metric}")):
                terms.tolerances(test.metric, kind)

    def demand_tests(self, tests: Collection[Subject]) -> None:
        """Raise UsageError where something is said of what no test is about; the tests have to be all there are."""
        behaviors, biases = {test.behavior for test in tests}, {test.bias for test in tests}
        for group, there in (("biases", biases), ("behaviors", behaviors)):
            for name in self.named(group):
                if name not in there:
                    raise self.wrong(f"{group}.{name}", f"matches no test. {nearest(name, there)}")
        for one in self.known:
            if not any(map(one.matches, tests)):
                raise self.wrong(one.label, f"matches no test. {_meant(one, tests)}")
        self.demand_required(tests)

    def demand_required(self, tests: Collection[Subject]) -> None:
        """Raise UsageError where a bias is required that none of the tests has, which have to be all there are."""
        there = {test.bias for test in tests}
        for bias in self.required or ():
            if bias not in there:
                raise self.wrong("required", f"{bias!r} is a bias of no test; there are {', '.join(sorted(there))}")

    def wrong(self, where: str, why: str) -> UsageError:
        """The error that names the file and the table or entry."""
        return UsageError(f"{argument('policy', self.path)}: {printable(where)}: {printable(why)}")

    def as_dict(self) -> dict[str, Any]:
        """The policy as the results' first line keeps it."""
        tables = {name: dict(table) for name, table in self.tables.items()}
        known = [
            asdict(one)
            | {"path": str(one.path), "until": one.until.isoformat(), "stale": one.stale, "needless": one.needless}
            for one in self.known
        ]
        return {"path": str(self.path), "tables": tables, "known": known}


@dataclass(frozen=True)
class Terms:
    """What one behavior is held to: the most particular table that has a key decides."""

    policy: Policy
    behavior: str
    bias: str

    def find(self, key: str, metric: str = "", kind: str = "") -> Value:
        """The value in force, and where it is from; tolerances have a metric and a score kind."""
        for table in self._tables(metric, kind):
            if key in self.policy.tables.get(table, {}):
                return Value(self.policy.tables[table][key], table)
        return Value(BUILT_IN[key], "")

    @property
    def rule(self) -> Rule:
        """What the statistics hold it to."""
        return Rule(**{key: self.find(key).value for key in RULE})

    def tolerances(self, metric: str, kind: str) -> Tolerances:
        """The tolerances of its margins. Raises UsageError where tables that do not fit come together in them."""
        found = Tolerances(**{key: self.find(key, metric, kind).value for key in TOLERANCES})
        if found.delta <= found.within:
            said = [self.find(key, metric, kind).table for key in ("within", "delta")]
            first = next(table for table in self._tables(metric, kind) if table in said)
            raise self.policy.wrong(first, f"delta {found.delta} has to be above within {found.within}")
        return found

    def scaling(self, metric: str, kind: str) -> Scaling:
        """Return the scale on which its margins are formed."""
        return Scaling(**{key: self.find(key, metric, kind).value for key in SCALING})

    def on(self, status: str) -> Consequence:
        """What a verdict that is not passed does to its test."""
        key = status.replace(" ", "_")
        return cast("Consequence", self.find(key).value) if key in UNDECIDED else "fail"

    def known(self, metric: str) -> Known | None:
        """What is known of it under a metric. Raises UsageError where two entries are about it."""
        test = Subject(self.behavior, self.bias, metric)
        found = [one for one in self.policy.known if one.matches(test)]
        for one, other in combinations(found, 2):
            raise self.policy.wrong(one.label, f"{self.behavior}[{metric}] is in {other.label} as well; leave one")
        return found[0] if found else None

    def _tables(self, metric: str, kind: str) -> Iterator[str]:
        """The tables that may speak of it, the most particular first."""
        yield from (f"behaviors.{self.behavior}", f"biases.{self.bias}")
        yield from (f"tolerances.{metric}.{kind}", f"tolerances.{metric}", "defaults", "on")


def _meant(known: Known, tests: Collection[Subject]) -> str:
    """What an entry that is about none of the tests may have meant."""
    same = {test.metric for test in tests if replace(known, metric="").matches(test)}
    if same:
        return f"Its metrics are {', '.join(sorted(same))}."
    name = known.behavior or known.bias
    return nearest(name, {test.behavior if known.behavior else test.bias for test in tests})
