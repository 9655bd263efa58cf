"""Reasons why a step that asks for captions without a cause of some bias refuses them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vlcheck.audit.records import AuditReport
from vlcheck.audit.verdicts import cause_of, findings_by_bias, in_order

ANY = "any"  # in the place of a bias: any of them


def cause_objections(report: AuditReport, biases: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each bias of which a cause was found, or none could be looked for.

    Args:
        report: the audit.
        biases: the biases without a cause that are asked for; ANY for all that were examined, of which there has to be
            one.
    """
    by_bias = findings_by_bias(report.findings)
    causes = {bias: cause_of(its) for bias, its in by_bias.items() if bias}
    named = set(biases) - {ANY}
    for bias in in_order(named.union(causes if ANY in biases else ())):
        if causes.get(bias) == "found":
            yield f"{bias}: {'; '.join(one.cause for one in by_bias[bias] if one.cause)}"
        elif bias in named and causes.get(bias) != "not found":
            yield f"{bias}: no cause was looked for"
    if ANY in biases and not {"found", "not found"}.intersection(causes.values()):
        yield "nothing was examined"
