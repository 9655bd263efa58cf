"""Reasons why a step that asks for captions without a cause of some bias refuses them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vlcheck.audit.records import AuditReport
from vlcheck.audit.verdicts import cause_of, findings_by_bias, in_order

ANY = "any"  # in the place of a bias: any of them


def cause_objections(report: AuditReport, biases: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each bias of which a cause was found, the captions are too few to tell, or no check looked.

    Args:
        report: the audit.
        biases: the biases without a cause that are asked for; ANY for all that were examined, of which there has to be
            one.
    """
    by_bias = findings_by_bias(report.findings)
    causes = {bias: cause_of(its) for bias, its in by_bias.items() if bias}
    named = set(biases) - {ANY}
    for bias in in_order(named.union(causes if ANY in biases else ())):
        its = by_bias.get(bias, ())
        match causes.get(bias, "not examined"):
            case "found":
                yield f"{bias}: {'; '.join(one.cause for one in its if one.cause)}"
            case "inconclusive":
                few = (one.check for one in its if one.status == "inconclusive")
                yield f"{bias}: there are too few captions to tell of a cause ({', '.join(few)})"
            case "not examined" if bias in named:
                yield f"{bias}: no cause was looked for"
    if ANY in biases and set(causes.values()) <= {"not examined"}:
        yield "nothing was examined"
