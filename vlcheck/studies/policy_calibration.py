"""Proposes a policy from a trusted model: the strictest values under which the model still passes.

Everything is scored once; then the same scores are judged under each value of a grid in steps of 0.01. A test that a
trusted model passes under no meaningful value shows a bias of that model; it is no reason to tolerate the bias.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from importlib.metadata import version
from typing import Any

from vlcheck._util.numbers import between, figure
from vlcheck.behaviors.behavior import Behavior
from vlcheck.behaviors.suite import BehaviorTest
from vlcheck.errors import UsageError, argument, printable
from vlcheck.evaluation.evaluator import ModelUnderTest
from vlcheck.evaluation.outcomes import Findings
from vlcheck.metrics.kinds import Metric
from vlcheck.policy.policy import Policy
from vlcheck.policy.toml_file import to_toml
from vlcheck.stats.power import most_that_pass
from vlcheck.stats.verdict import Verdict

LOOSEST = 30  # hundredths: the loosest `within`, and the widest band of a mean
FAR = 10  # hundredths beyond the policy in force: a behavior that needs more gets a table of its own
KNOWS_BEYOND = 5  # hundredths by which `delta` stays above `within`
WIDEST = 100 - KNOWS_BEYOND  # hundredths, since `delta` is at most 1

Values = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A behavior under one metric, with the trusted model's scores."""

    behavior: Behavior
    metric: Metric
    kind: str
    findings: Findings

    @property
    def name(self) -> str:
        """The name that pytest shows."""
        return f"{self.behavior.name}[{self.metric}]"

    @property
    def own_table(self) -> str:
        """The policy's table for this behavior alone."""
        return f"behaviors.{self.behavior.name}"

    @property
    def kinds_table(self) -> str:
        """The policy's table for all scores of this kind."""
        return f"tolerances.{self.metric}.{self.kind}"

    def in_force(self, policy: Policy, key: str) -> Any:
        """Return the value of a key that a policy applies to the behavior.

        Args:
            policy: the policy.
            key: name of a tolerance, or "band".
        """
        return policy.of(self.behavior.name, self.behavior.bias).find(key, self.metric, self.kind).value

    def shares(self, policy: Policy, key: str) -> bool:
        """Return True if a tolerance comes from its kind of score, not from the behavior's or the bias's own table.

        Args:
            policy: the policy.
            key: name of a tolerance.
        """
        table = policy.of(self.behavior.name, self.behavior.bias).find(key, self.metric, self.kind).table
        return not table.startswith(("behaviors.", "biases."))

    def goes_by(self, policy: Policy, key: str) -> bool:
        """Return True if the behavior reads a tolerance of its kind of score, which can be moved for all of that kind.

        Args:
            policy: the policy.
            key: name of a tolerance.
        """
        coupled = ("within", "delta") if key == "within" else (key,)
        return key in self.behavior.expect.reads() and all(self.shares(policy, one) for one in coupled)

    def under(self, policy: Policy) -> Findings:
        """Return the outcomes of the behavior's cases under a policy."""
        terms = policy.of(self.behavior.name, self.behavior.bias)
        return self.findings.under(terms.tolerances(self.metric, self.kind))

    def verdict(self, policy: Policy) -> Verdict:
        """Return the verdict under a policy."""
        return self.under(policy).verdict(policy.of(self.behavior.name, self.behavior.bias).rule)

    def passes(self, policy: Policy) -> bool:
        """Return True if the behavior passes under a policy."""
        return self.verdict(policy).passed


@dataclass(frozen=True)
class Proposal:
    """A proposed policy, and its basis.

    Attributes:
        before: the policy in force.
        policy: the proposed policy.
        asked: all behaviors with the model's scores.
        because: (table, key) -> the reason for the value.
    """

    before: Policy
    policy: Policy
    asked: tuple[Asked, ...]
    because: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def with_first(self, table: str, grid: Sequence[Values], group: Sequence[Asked], more_than: int = 0) -> Proposal:
        """Return the proposal with the strictest values under which most behaviors of a group pass.

        The proposal is unchanged if at most `more_than` behaviors pass under any values.

        Args:
            table: the policy's table to change.
            grid: values to try, strict to loose.
            group: the behaviors.
            more_than: number of behaviors that pass already.
        """
        counts = _counts(group, (self.policy.changed(table, values) for values in grid))
        if max(counts, default=0) <= more_than:
            return self
        at = counts.index(max(counts))
        changed = self.policy.changed(table, grid[at])
        stricter = self.policy.changed(table, grid[at - 1]) if at else None
        needing = [one for one in group if one.passes(changed) and not (stricter and one.passes(stricter))]
        return self.with_values(table, grid[at], needing or group, changed)

    def with_values(self, table: str, values: Values, needing: Sequence[Asked], judged: Policy) -> Proposal:
        """Return the proposal with other values in a table.

        Args:
            table: the policy's table to change.
            values: the new values.
            needing: behaviors that need these values; the first of them that passes is named as the reason.
            judged: the policy with the new values.
        """
        one = next(one for one in needing if one.passes(judged))
        reasons = {(table, key): self._seen(one, judged) for key in values}
        return replace(self, policy=self.policy.changed(table, values), because={**self.because, **reasons})

    def _seen(self, one: Asked, policy: Policy) -> str:
        """Return the number of images that a behavior rests on, and the observed margins or mean."""
        verdict, before = one.verdict(policy), one.verdict(self.before)
        if verdict.claim == "mean":
            seen = f"mean {figure(verdict.effect)}, from {between(verdict.effect_low, verdict.effect_high)}"
        else:
            margins = sorted(margin for found in one.under(policy).counted for margin in found.margins.values())
            spared = len(margins) * (most_that_pass(verdict.n, verdict.allowed or 0.0, verdict.alpha) or 0) // verdict.n
            seen = f"all but {spared} of its margins are {figure(margins[spared])} at least"
        loosened = "" if before.passed else f"; {before.status} under the policy in force"
        return f"{one.name}, n = {verdict.n}: {seen}{loosened}"

    def left_out(self) -> Iterator[tuple[Asked, Verdict]]:
        """Yield the behaviors that fail to pass under the proposed policy, with their verdicts under the old one."""
        for asked in self.asked:
            if not asked.passes(self.policy):
                yield asked, asked.verdict(self.before)


@dataclass(frozen=True)
class Trust:
    """The trusted model, the data, and the day."""

    model: str
    fingerprint: str
    data: str
    day: date


def collect_scores(model: ModelUnderTest, tests: Iterable[BehaviorTest]) -> tuple[Asked, ...]:
    """Collect the model's scores on all tests whose metric it has.

    Args:
        model: the trusted model.
        tests: the selected tests.

    Raises:
        UsageError: the model has none of the metrics, or the data lacks something.
    """
    asked = []
    for test in tests:
        behavior, metric = test.behavior, test.metric
        if model.lacks(metric):
            continue
        asked.append(Asked(behavior, metric, model.adapter.kinds[metric], model.find_in_full(behavior, metric)))
    if not asked:
        raise UsageError(f"{argument('model', model.adapter.name)}: has no metric that one of the tests asks.")
    return tuple(asked)


def propose(policy: Policy, asked: Sequence[Asked]) -> Proposal:
    """Propose a policy: tighten the one in force as far as the scores allow, and loosen it if they require it.

    Args:
        policy: the policy in force.
        asked: the behaviors with the trusted model's scores.
    """
    proposal = Proposal(policy, policy, tuple(asked))
    for key, settle in _SHARED.items():
        for group in _grouped((one for one in asked if one.goes_by(policy, key)), lambda one: one.kinds_table):
            proposal = settle(proposal, group)
    for group in _grouped((one for one in asked if one.goes_by(policy, "within")), lambda one: one.own_table):
        proposal = _stand_apart(proposal, group)
    means = (one for one in asked if one.behavior.expect.claim == "mean")
    for group in _grouped(means, lambda one: one.own_table):
        proposal = _hold(proposal, group)
    for group in _grouped(asked, lambda one: one.own_table):
        proposal = _restore(proposal, group)
    return proposal


def policy_lines(proposal: Proposal, trust: Trust) -> Iterator[str]:
    """Yield the proposed policy as a file: a head with its basis and the tests left out, then every value.

    Args:
        proposal: the proposal.
        trust: the model and data that it is based on.
    """
    yield f"# Proposed by vlcheck {version('vlcheck')} on {trust.day}, from what a trusted model passes."
    yield f"# model: {printable(trust.model)}, fingerprint {printable(trust.fingerprint)}"
    yield f"# data: {printable(trust.data)}"
    yield f"# in place of: {printable(str(proposal.before.path))}"
    left = [(one, verdict, _FATE[verdict.status]) for one, verdict in proposal.left_out()]
    for fate in dict.fromkeys(_FATE.values()):
        named = [f"#   {printable(f'{one.name}: {verdict.summary}')}" for one, verdict, found in left if found == fate]
        yield from (["#", f"# {fate}:", *named] if named else [])
    yield from to_toml(proposal.policy, proposal.because)


_FATE = {
    "fail": "biases of the trusted model itself, which no tolerance here excuses",
    "inconclusive": "cannot be calibrated",
    "invalid": "cannot be calibrated",
    "not asked": "cannot be calibrated",
    "pass": "pass under the policy in force, and not under what others need here",
}


def _grouped(asked: Iterable[Asked], by: Callable[[Asked], str]) -> list[list[Asked]]:
    groups: dict[str, list[Asked]] = defaultdict(list)
    for one in asked:
        groups[by(one)].append(one)
    return list(groups.values())


def _share_within(proposal: Proposal, group: Sequence[Asked]) -> Proposal:
    """Give all scores of a kind the least `within` under which most behaviors pass; `delta` stays above it."""
    policy, table = proposal.policy, group[0].kinds_table
    now = _hundredths(group[0].in_force(policy, "within"))
    of_kind = [one for one in proposal.asked if one.kinds_table == table]
    fixed = [_hundredths(one.in_force(policy, "delta")) - 1 for one in of_kind if not one.shares(policy, "delta")]
    loosest = min(now + FAR, max(LOOSEST, now), WIDEST, *fixed)
    return proposal.with_first(table, [_within(group, policy, at) for at in range(loosest + 1)], group)


def _share_below(proposal: Proposal, group: Sequence[Asked]) -> Proposal:
    """Move the threshold `below` if the one in force is not between the scores before and after the edit.

    No value is stricter than another, so the value nearest to the one in force is taken, under the least `by`.
    """
    table, now = group[0].kinds_table, group[0].in_force(proposal.policy, "below")
    if all(one.passes(proposal.policy) for one in group):
        return proposal
    least = proposal.policy.changed(table, {"by": 0.01})
    values = sorted((at / 100 for at in range(1, 100)), key=lambda value: abs(value - now))
    counts = _counts(group, (least.changed(table, {"below": value}) for value in values))
    if max(counts) <= _passing(group, least):
        return proposal
    below = {"below": values[counts.index(max(counts))]}
    needing = [one for one in group if not one.passes(least)]
    return proposal.with_values(table, below, needing, least.changed(table, below))


def _share_by(proposal: Proposal, group: Sequence[Asked]) -> Proposal:
    """Give all scores of a kind the largest `by` under which most behaviors pass."""
    return proposal.with_first(group[0].kinds_table, [{"by": at / 100} for at in range(99, 0, -1)], group)


_SHARED: Mapping[str, Callable[[Proposal, Sequence[Asked]], Proposal]] = {
    "within": _share_within,
    "below": _share_below,
    "by": _share_by,  # judged under the values chosen for the others
}


def _stand_apart(proposal: Proposal, group: Sequence[Asked]) -> Proposal:
    """Give a behavior a looser `within` of its own, if that of its kind of score does not suffice."""
    start = min(_hundredths(one.in_force(proposal.policy, "within")) for one in group)
    looser = [_within(group, proposal.policy, at) for at in range(start + 1, LOOSEST + 1)]
    passing = _passing(group, proposal.policy)
    return proposal if passing == len(group) else proposal.with_first(group[0].own_table, looser, group, passing)


def _hold(proposal: Proposal, group: Sequence[Asked]) -> Proposal:
    """Give a mean the narrowest band around 0; a side that the policy in force leaves open stays open."""
    low, high = group[0].in_force(proposal.policy, "band")
    widest = max(LOOSEST, *(_hundredths(abs(edge)) for edge in (low, high) if abs(edge) < 1))
    edges = [at / 100 for at in range(1, widest + 1)]
    bands = [{"band": (-1.0 if low == -1 else -edge, 1.0 if high == 1 else edge)} for edge in edges]
    return proposal.with_first(group[0].own_table, bands, group)


def _restore(proposal: Proposal, group: Sequence[Asked]) -> Proposal:
    """Give a behavior the tolerances in force, if it passes under them but not under the proposed ones."""
    lost = [one for one in group if one.passes(proposal.before) and not one.passes(proposal.policy)]
    if not lost:
        return proposal
    reads = lost[0].behavior.expect.reads()
    coupled = ("within",) if "delta" in reads else ()
    values = {key: lost[0].in_force(proposal.before, key) for key in (*coupled, *reads)}
    return proposal.with_first(group[0].own_table, [values], group, _passing(group, proposal.policy))


def _within(group: Sequence[Asked], policy: Policy, at: int) -> Values:
    deltas = [one.in_force(policy, "delta") for one in group]
    beyond = (at + KNOWS_BEYOND) / 100
    return {"within": at / 100} | ({"delta": max(beyond, *deltas)} if beyond > min(deltas) else {})


def _passing(group: Sequence[Asked], policy: Policy) -> int:
    return sum(one.passes(policy) for one in group)


def _counts(group: Sequence[Asked], policies: Iterable[Policy]) -> list[int]:
    """Return how many behaviors of a group pass under each policy, up to the first under which all do."""
    counts = []
    for policy in policies:
        counts.append(_passing(group, policy))
        if counts[-1] == len(group):
            break
    return counts


def _hundredths(value: float) -> int:
    return math.ceil(round(100 * value, 6))
