"""Policies: tolerances, allowed rates, bands, consequences of undecided verdicts, and known biases."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, cast, get_args

from msgspec import Meta

from vlcheck.errors import UsageError, argument, nearest, printable
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.tolerances import Tolerances
from vlcheck.suite.shipped import BIASES

if TYPE_CHECKING:
    from vlcheck.stats.verdict import Verdict

Consequence = Literal["fail", "skip", "xfail"]
METRICS = get_args(Metric)
_LONGEST = 2_000  # characters of a message about an entry

_Rate = Annotated[float, Meta(ge=0, lt=1, description="a number from 0, below 1")]
_Alpha = Annotated[float, Meta(ge=1e-6, lt=0.5, description="a number from 1e-6, below 0.5")]
_Area = Annotated[float, Meta(ge=0.5, lt=1, description="a number from 0.5, below 1")]
_Mean = Annotated[float, Meta(ge=-1, le=1)]
_Margin = Annotated[float, Meta(gt=0, lt=1, description="a number above 0, below 1")]
_Tie = Annotated[float, Meta(ge=0, lt=0.5, description="a number from 0, below 0.5")]
_Band = Annotated[tuple[_Mean, _Mean], Meta(description="two numbers from -1 to 1, the lower one first")]


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """The scale on which margins are computed.

    Attributes:
        scale: "calibrated", the model's own operating scale, or "raw", its unchanged scores.
        auc: the least area under the ROC curve of own pictures against other ones, in [0.5, 1). Its lower bound has to
            be above, else nothing passes, since the score does not tell true from false.
        uncalibrated: the choice if the data has too few pairs of an own and another picture to calibrate: use "raw"
            scores, or make the verdict "invalid".
    """

    scale: Literal["calibrated", "raw"] = "calibrated"
    auc: _Area = 0.60
    uncalibrated: Literal["raw", "invalid"] = "raw"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The statistical limits of a behavior.

    Attributes:
        allowed: share of violations that passes, in [0, 1).
        alpha: error rate of each bound, in (0, 0.5).
        band: lowest and highest mean that pass, in [-1, 1].
    """

    allowed: _Rate = 0.10
    alpha: _Alpha = 0.05
    band: _Band = (-0.15, 0.15)


@dataclass(frozen=True, kw_only=True)
class Undecided:
    """The consequences of verdicts that decide nothing.

    Attributes:
        inconclusive: the choice for verdicts of too few images.
        invalid: the choice for answers that cannot be judged.
        not_asked: the choice for data with fewer images than a pass needs.
    """

    inconclusive: Consequence = "fail"
    invalid: Consequence = "fail"
    not_asked: Consequence = "skip"


@dataclass(frozen=True, kw_only=True)
class Margins:
    """The margins within which two models are the same, for `vlcheck parity`.

    Attributes:
        changed: share of cases whose answer may change, in (0, 1).
        shift: mean by which the score of the true answer may rise or fall, in (0, 1).
        difference: mean, over cases, of the largest difference between the two models' scores, in (0, 1).
        tie: scores nearer to one another than this are tied: neither answer is preferred. In [0, 0.5).
        alpha: error rate of either answer, "same" and "different", in (0, 0.5).
    """

    changed: _Margin = 0.05
    shift: _Margin = 0.02
    difference: _Margin = 0.03
    tie: _Tie = 0.001
    alpha: _Alpha = 0.05


TOLERANCES = tuple(each.name for each in fields(Tolerances))
RULE = tuple(each.name for each in fields(Rule))
SCALING = tuple(each.name for each in fields(Scaling))
UNDECIDED = tuple(each.name for each in fields(Undecided))
PARITY = "parity"  # the table of the margins
BUILT_IN = MappingProxyType(vars(Tolerances()) | vars(Scaling()) | vars(Rule()) | vars(Undecided()))


class Subject(NamedTuple):
    """The names of a test by which a policy can refer to it.

    Attributes:
        behavior: the behavior's name.
        bias: the name of its bias.
        metric: the metric.
    """

    behavior: str
    bias: str
    metric: str


class Value(NamedTuple):
    """A value in force, and its origin.

    Attributes:
        value: the value.
        table: the policy's table that sets it; "" if it is built in.
    """

    value: Any
    table: str


@dataclass(frozen=True, kw_only=True)
class Known:
    """A known bias: a failure that is accepted until a date.

    Attributes:
        path: the policy file.
        number: the entry's number in the file, from 1.
        behavior: the behavior that may fail; "" for all behaviors of `bias`.
        bias: the bias whose behaviors may fail; "" if `behavior` is given.
        metric: the metric under which it may fail; "" for each.
        reason: why the failure is accepted.
        until: the last day on which it is accepted.
        invalid: whether a verdict that the bias makes invalid is accepted as well, and not only a fail.
        expired: whether the last day is over; see `Policy.as_of`.
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
        """Return True if the entry is about a test."""
        same = test.behavior == self.behavior if self.behavior else test.bias == self.bias
        return same and self.metric in ("", test.metric)

    def overlaps(self, other: Known) -> bool:
        """Return True if both entries can be about the same test."""
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
        """The explanation why a test may fail."""
        return printable(f"known until {self.until}: {self.reason}", _LONGEST)

    def excuses(self, verdict: Verdict) -> bool:
        """Return True if a test may go without a pass: its verdict fails, or is invalid and the entry accepts that."""
        return not self.expired and (verdict.status == "fail" or (self.invalid and verdict.of_a_bias))

    @property
    def stale(self) -> str:
        """The advice for a bias that no longer shows."""
        said = f"the known bias no longer shows ({self.reason}): remove {self.label} from {self.path}"
        return printable(said, _LONGEST)

    @property
    def needless(self) -> str:
        """The advice for an entry whose `invalid` is no longer needed."""
        said = (
            f"nothing of the known bias is invalid any more: remove `invalid = true` of {self.label} from {self.path}"
        )
        return printable(said, _LONGEST)

    @property
    def unexcused(self) -> str:
        """The advice for an invalid verdict that may be due to the bias, while the entry excuses only a fail."""
        said = f"{self.label} in {self.path} excuses a fail alone; `invalid = true` excuses this, too"
        return printable(said, _LONGEST)

    @property
    def overdue(self) -> str:
        """The advice for a bias that still shows after its last day."""
        said = f"the known bias expired on {self.until} ({self.reason}): mend it, or renew {self.label} in {self.path}"
        return printable(said, _LONGEST)


@dataclass(frozen=True)
class Policy:
    """The content of a policy file.

    Attributes:
        path: the file.
        tables: its tables by name, such as "defaults", "tolerances.mlm.masked-lm" or "biases.color".
        known: its entries of known biases.
        required: the biases that need a pass or a fail in every run; None if the file does not say.
    """

    path: Path
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    known: tuple[Known, ...] = ()
    required: tuple[str, ...] | None = None

    def of(self, behavior: str, bias: str) -> Terms:
        """Return the terms of a behavior.

        Args:
            behavior: the behavior's name.
            bias: the name of its bias.
        """
        return Terms(self, behavior, bias)

    @property
    def margins(self) -> Margins:
        """The margins within which two models are the same."""
        return Margins(**self.tables.get(PARITY, {}))

    def as_of(self, today: date) -> Policy:
        """Return the policy on a day, with known biases marked as expired after their last day."""
        return replace(self, known=tuple(replace(one, expired=today > one.until) for one in self.known))

    def changed(self, table: str, values: Mapping[str, Any]) -> Policy:
        """Return the policy with other values in a table.

        Args:
            table: the table's name.
            values: the values to set; others stay.
        """
        return replace(self, tables={**self.tables, table: {**self.tables.get(table, {}), **values}})

    def about(self, tests: Collection[Subject]) -> Policy:
        """Return the policy without tables and entries that concern none of the tests."""
        names = {f"behaviors.{test.behavior}" for test in tests} | {f"biases.{test.bias}" for test in tests}
        apart = {name for name in self.tables if name.startswith(("behaviors.", "biases."))}
        tables = {name: table for name, table in self.tables.items() if name in names or name not in apart}
        known = tuple(one for one in self.known if any(map(one.matches, tests)))
        required = None if self.required is None else tuple(self.required_of(tests))
        return replace(self, tables=tables, known=known, required=required)

    def required_of(self, tests: Collection[Subject]) -> list[str]:
        """Return the required biases that these tests are about; a run of the tests needs a pass or a fail of each.

        By default all biases that vlcheck ships are required.
        """
        there = {test.bias for test in tests}
        return [bias for bias in (BIASES if self.required is None else self.required) if bias in there]

    def named(self, group: str) -> list[str]:
        """Return the names with a table of their own in a group, "biases" or "behaviors"."""
        return [name.removeprefix(f"{group}.") for name in self.tables if name.startswith(f"{group}.")]

    def check(self, tests: Iterable[Subject]) -> None:
        """Raise UsageError if entries about a test contradict each other."""
        for test in tests:
            terms = self.of(test.behavior, test.bias)
            terms.known(test.metric)
            for kind in ("", *self.named(f"tolerances.{test.metric}")):
                terms.tolerances(test.metric, kind)

    def demand_tests(self, tests: Collection[Subject]) -> None:
        """Raise UsageError if an entry concerns no test; the tests have to be all there are."""
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
        """Raise UsageError if none of the tests has a required bias; the tests have to be all there are."""
        there = {test.bias for test in tests}
        for bias in self.required or ():
            if bias not in there:
                raise self.wrong("required", f"{bias!r} is a bias of no test; there are {', '.join(sorted(there))}")

    def wrong(self, where: str, why: str) -> UsageError:
        """Return the error that names the file and the table or entry.

        Args:
            where: the table or entry.
            why: description of the fault.
        """
        return UsageError(f"{argument('policy', self.path)}: {printable(where)}: {printable(why)}")


@dataclass(frozen=True)
class Terms:
    """The values in force for one behavior; the most specific table that has a key decides.

    Attributes:
        policy: the policy.
        behavior: the behavior's name.
        bias: the name of its bias.
    """

    policy: Policy
    behavior: str
    bias: str

    def find(self, key: str, metric: str = "", kind: str = "") -> Value:
        """Return the value in force, and the table that sets it.

        Args:
            key: the name of the value, e.g. "within".
            metric: the metric, for tolerances and scaling.
            kind: the kind of score, for tolerances and scaling.
        """
        for table in self._tables(metric, kind):
            if key in self.policy.tables.get(table, {}):
                return Value(self.policy.tables[table][key], table)
        return Value(BUILT_IN[key], "")

    @property
    def rule(self) -> Rule:
        """The statistical limits."""
        return Rule(**{key: self.find(key).value for key in RULE})

    def tolerances(self, metric: str, kind: str) -> Tolerances:
        """Return the tolerances of the margins.

        Args:
            metric: the metric.
            kind: the kind of score.

        Raises:
            UsageError: If `delta` is not above `within`, as a combination of tables.
        """
        found = Tolerances(**{key: self.find(key, metric, kind).value for key in TOLERANCES})
        if found.delta <= found.within:
            said = [self.find(key, metric, kind).table for key in ("within", "delta")]
            first = next(table for table in self._tables(metric, kind) if table in said)
            raise self.policy.wrong(first, f"delta {found.delta} has to be above within {found.within}")
        return found

    def scaling(self, metric: str, kind: str) -> Scaling:
        """Return the scale on which margins are computed.

        Args:
            metric: the metric.
            kind: the kind of score.
        """
        return Scaling(**{key: self.find(key, metric, kind).value for key in SCALING})

    def on(self, status: str) -> Consequence:
        """Return the consequence that a verdict other than a pass has for its test."""
        key = status.replace(" ", "_")
        return cast("Consequence", self.find(key).value) if key in UNDECIDED else "fail"

    def known(self, metric: str) -> Known | None:
        """Return the entry of a known bias for a metric, if there is one.

        Raises:
            UsageError: If there are two.
        """
        test = Subject(self.behavior, self.bias, metric)
        found = [one for one in self.policy.known if one.matches(test)]
        for one, other in combinations(found, 2):
            raise self.policy.wrong(one.label, f"{self.behavior}[{metric}] is in {other.label} as well; leave one")
        return found[0] if found else None

    def _tables(self, metric: str, kind: str) -> Iterator[str]:
        """Yield the tables that may set a value, the most specific first."""
        yield from (f"behaviors.{self.behavior}", f"biases.{self.bias}")
        yield from (f"tolerances.{metric}.{kind}", f"tolerances.{metric}", "defaults", "on")


def _meant(known: Known, tests: Collection[Subject]) -> str:
    """Suggest the test that an entry without a matching test may have meant."""
    same = {test.metric for test in tests if replace(known, metric="").matches(test)}
    if same:
        return f"Its metrics are {', '.join(sorted(same))}."
    name = known.behavior or known.bias
    return nearest(name, {test.behavior if known.behavior else test.bias for test in tests})
