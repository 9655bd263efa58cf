"""Parts of a policy as the results file keeps them."""

from __future__ import annotations

from vlcheck.policy.policy import Known, Policy
from vlcheck.results.records import ExcuseRecord, KnownBias, PolicyInForce


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
