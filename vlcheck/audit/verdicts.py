"""Causes in captions beside the verdicts of runs: does a model have the biases that its captions can teach?

An audit and a run have no case in common. A cause and a fail of the same bias are associated; this proves no cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from vlcheck.audit.records import AuditFinding, AuditReport
from vlcheck.results.bias_matrix import Standing, matrix_of
from vlcheck.results.file import ResultLines
from vlcheck.results.unjudged import incomplete
from vlcheck.results.wrapped import wrapper_lines
from vlcheck.suite.shipped import BIASES

CauseStatus = Literal["found", "inconclusive", "not found", "not examined"]

NO_TEST = "not in the run"  # the status of a bias about which a run has no test
_BY_WEIGHT: tuple[CauseStatus, ...] = ("found", "inconclusive", "not found")
_CAUSES: Mapping[CauseStatus, str] = MappingProxyType(
    {
        "found": "a cause is found",
        "inconclusive": "there are too few captions to tell of a cause",
        "not found": "no cause is found",
        "not examined": "no cause was looked for",
    }
)
_DECIDED: Mapping[tuple[CauseStatus, str], str] = MappingProxyType(
    {
        ("found", "fail"): "a cause is found, and the model fails",
        ("found", "pass"): "a cause is found, but the model passes",
        ("not found", "fail"): "the model fails, and no cause is found",
        ("not found", "pass"): "neither: no cause is found, and the model passes",
        ("inconclusive", "fail"): "the model fails, and there are too few captions to tell of a cause",
        ("inconclusive", "pass"): "the model passes, and there are too few captions to tell of a cause",
        ("not examined", "fail"): "the model fails, and no cause was looked for",
        ("not examined", "pass"): "the model passes, and no cause was looked for",
    }
)
_UNDECIDED: Mapping[str, str] = MappingProxyType(
    {
        "invalid": "the model's answers cannot be judged",
        "inconclusive": "the run has too few images to tell",
        "not asked": "the data of the run has too few images",
        "no verdict": "the run has no verdict on some of its tests",
        NO_TEST: "the run did not ask about it",
    }
)
_VERBS: Mapping[str, str] = MappingProxyType(
    {
        "fail": "Fails {}",
        "pass": "Passes {}",
        "invalid": "Cannot be judged on {}",
        "inconclusive": "Is not decided on {}",
        "not asked": "Was not asked about {}",
        "no verdict": "Has no verdict on {}",
        NO_TEST: "Was not asked about {}",
    }
)


class BiasBeside(Struct, frozen=True):
    """A bias: the causes that an audit found, beside the verdicts of a run.

    Attributes:
        bias: the bias.
        cause: whether a cause was found in the captions; "inconclusive" if they are too few to tell, "not examined" if
            no check could look for one.
        status: the gravest status of the run's verdicts, or "not in the run".
        said: the status in words.
        conclusion: both in words, e.g. "a cause is found, but the model passes".
        sentence: the verdict, then the findings.
    """

    bias: str
    cause: CauseStatus
    status: str
    said: str
    conclusion: str
    sentence: str


class RunBeside(Struct, frozen=True):
    """A run beside an audit.

    Attributes:
        source: name of the results file.
        model: name of the model.
        fingerprint: digest of the model's weights and code.
        data: spec of the cases that the model was asked about.
        started: time of the run's start, as ISO 8601.
        notes: sentences about what the run cannot say.
        biases: each bias of the audit or of the run, the grave ones first.
    """

    source: str
    model: str
    fingerprint: str
    data: str
    started: str
    notes: tuple[str, ...]
    biases: tuple[BiasBeside, ...]


def run_beside(report: AuditReport, results: ResultLines, source: str) -> RunBeside:
    """Put the verdicts of a run beside the causes that an audit found.

    Args:
        report: the audit.
        results: the run's results.
        source: name of the results file.
    """
    run, standings = results.run, matrix_of(results).biases
    found = findings_by_bias(report.findings)
    names = in_order({*found, *standings} - {""})
    biases = tuple(bias_beside(bias, found.get(bias, ()), standings.get(bias)) for bias in names)
    return RunBeside(source, run.name, run.fingerprint, run.data, run.started, tuple(_notes(results, found)), biases)


def bias_beside(bias: str, findings: Sequence[AuditFinding], standing: Standing | None = None) -> BiasBeside:
    """Put the verdicts on a bias beside the findings about it.

    Args:
        bias: the bias.
        findings: the findings about it.
        standing: the run's tests of it; None if the run has none.
    """
    cause, status = cause_of(findings), standing.status if standing else NO_TEST
    conclusion = _DECIDED.get((cause, status)) or f"{_CAUSES[cause]}; {_UNDECIDED[status]}"
    causes = " ".join(one.says for one in findings if one.cause)
    sentence = f"{_VERBS[status].format(bias)}. {causes or f'{_CAUSES[cause].capitalize()}.'}"
    return BiasBeside(bias, cause, status, standing.said if standing else NO_TEST, conclusion, sentence)


def findings_by_bias(findings: Sequence[AuditFinding]) -> dict[str, tuple[AuditFinding, ...]]:
    """Return the findings by the bias that they bear on, the grave biases first, causes before other findings.

    Findings that bear on no bias come last, under "".
    """
    ordered = sorted(findings, key=lambda one: (not one.cause, not one.n))
    biases = in_order({one.bias for one in findings})
    return {bias: tuple(one for one in ordered if one.bias == bias) for bias in biases}


def cause_of(findings: Sequence[AuditFinding]) -> CauseStatus:
    """Return whether any of the findings about a bias names a cause; "not examined" if none of them could.

    No cause is found if none of the findings that were made is inconclusive.

    Args:
        findings: the findings about one bias.
    """
    statuses = {one.status for one in findings}
    return next((status for status in _BY_WEIGHT if status in statuses), "not examined")


def in_order(biases: set[str]) -> list[str]:
    """Return names of biases: those of the suite, the grave ones first, then all others, "" at the end."""
    others = sorted(biases.difference(BIASES), key=lambda bias: (not bias, bias))
    return [*(bias for bias in BIASES if bias in biases), *others]


def _notes(results: ResultLines, found: Mapping[str, Sequence[AuditFinding]]) -> Iterator[str]:
    """Yield sentences about what a run cannot say about the captions."""
    run = results.run
    if stopped := incomplete(results):
        yield stopped
    elif not run.complete:
        yield "Not the whole suite was asked."
    yield from (f"{line} Its verdicts are not what captions alone made of a model." for line in wrapper_lines(run))
    if run.sees is False:
        yield "This model sees no picture: its verdicts do not tell what a model learns from pictures with captions."
    asked = {verdict.bias for verdict in results.verdicts.values()}
    if asked and asked.isdisjoint(found):
        yield f"It asked about {', '.join(in_order(asked))}, of which the audit knows no cause."
