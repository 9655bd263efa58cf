"""Parts of a policy, and of the number types of a run, as the results file keeps them."""

from __future__ import annotations

from vlcheck.evaluation.differences import SAFETY
from vlcheck.evaluation.verified import Verifier
from vlcheck.models.loading.two_types import FAST, TwoTypesModel
from vlcheck.policy.policy import Known, Policy
from vlcheck.results.records import DifferenceRecord, ExcuseRecord, KnownBias, PolicyInForce, PrecisionRecord


def policy_record(policy: Policy) -> PolicyInForce:
    """Return a policy as the results' first line keeps it."""
    return PolicyInForce(
        path=str(policy.path),
        tables={name: dict(table) for name, table in policy.tables.items()},
        known=list(map(_known_record, policy.known)),
    )


def excuse_record(known: Known) -> ExcuseRecord:
    """Return an entry of a known bias as a verdict's line in the results keeps it."""
    invalid = True if known.invalid else None
    return ExcuseRecord(reason=known.reason, until=known.until.isoformat(), expired=known.expired, invalid=invalid)


def _known_record(known: Known) -> KnownBias:
    return KnownBias(
        path=str(known.path),
        number=known.number,
        behavior=known.behavior,
        bias=known.bias,
        metric=known.metric,
        reason=known.reason,
        until=known.until.isoformat(),
        invalid=known.invalid,
        stale=known.stale,
        needless=known.needless,
    )


def precision_record(process: str, types: TwoTypesModel, verifier: Verifier | None) -> PrecisionRecord:
    """Return what a process asked in which number type.

    Args:
        process: name of the process.
        types: the types of the run.
        verifier: knows what was asked in both; None if there is one type alone.
    """
    if verifier is None:
        return PrecisionRecord(process=process, exact=types.dtype, alone=types.alone)
    asked, found = verifier.asked, verifier.differences.items()
    return PrecisionRecord(
        process=process,
        exact=types.dtype,
        fast=FAST,
        queries=asked.all,
        exact_alone=asked.exact,
        both=asked.both,
        safety=SAFETY,
        differences=[
            DifferenceRecord(metric=metric, n=one.n, log_odds=one.log_odds, score=one.score) for metric, one in found
        ],
    )
