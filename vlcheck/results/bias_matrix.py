"""The tests of a run by bias and metric, the gravest verdicts first."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from vlcheck.metrics.registry import OF_PICTURES
from vlcheck.results.file import ResultLines
from vlcheck.results.foils import MARK, mark_of
from vlcheck.results.known_biases import is_known
from vlcheck.results.records import VerdictRecord
from vlcheck.results.unjudged import Unjudged, unjudged
from vlcheck.results.wordings import DEPENDS, depends_on_wording
from vlcheck.stats.decision import BY_GRAVITY, NOT_ASKED

NO_VERDICT = "no verdict"  # the status of selected tests without a verdict, unless another one's is graver
STATUSES = (*BY_GRAVITY[:3], NO_VERDICT, *BY_GRAVITY[3:])  # the gravest first
_CAUSES: Mapping[str, str] = MappingProxyType(
    {
        "no cases": "no cases in this data",
        "one image": "one image alone",
        "unknown": "knows too few cases",
        "unlikely": "answers say nothing",
        "constant": "answers say nothing",
        "by construction": "given by construction",
        "not finite": "answers say nothing",
        "refused": "refuses too many cases",
        "errors": "could not be scored",
        "changed": "may be of two models",
    }
)
TOLD = f"{MARK} words alone tell many foils"


@dataclass(frozen=True)
class Standing:
    """Some tests together: those of a bias, or of a bias under one metric.

    Attributes:
        verdicts: their verdicts, the gravest first.
        unjudged: number of tests without a verdict; at least one if there is no verdict.
    """

    verdicts: tuple[VerdictRecord, ...]
    unjudged: int = 0

    @property
    def status(self) -> str:
        """The gravest status; with a test that has no verdict, nothing passes."""
        gravest = str(self.verdicts[0].status) if self.verdicts else NO_VERDICT
        return NO_VERDICT if self.unjudged and gravest in ("pass", NOT_ASKED) else gravest

    @property
    def passes(self) -> int:
        """The number of tests that pass."""
        return sum(verdict.passed for verdict in self.verdicts)

    @property
    def tests(self) -> int:
        """The number of tests, with those that have no verdict, are invalid or were not asked."""
        return len(self.verdicts) + self.unjudged

    @property
    def known(self) -> bool:
        """True if everything that fails is a known bias of the policy."""
        return bool(self.verdicts) and is_known(self.verdicts[0])

    @property
    def excused(self) -> str:
        """The dates until which all failures are excused, in brackets; "" if one is not excused."""
        if not self.known:
            return ""
        days = sorted({str(verdict.known.until) for verdict in self.verdicts if verdict.known and is_known(verdict)})
        return f" (known, excused until {' and '.join(days)})"

    @property
    def said(self) -> str:
        """The status in words: the cause of an invalid one, and remarks on known biases and missing verdicts."""
        status, beside = self.status, list(self._beside())
        if status == "invalid" and (causes := causes_of(self.verdicts)):
            status = f"invalid: {', '.join(causes)}"
        return f"{status} ({'; '.join(beside)})" if beside else status

    def _beside(self) -> Iterator[str]:
        """Yield remarks: whether it is a known bias, and how many tests were not asked or have no verdict."""
        idle = sum(verdict.status == NOT_ASKED for verdict in self.verdicts)
        if self.known:
            yield "known" if self.status == "fail" else "known, excused"
        if self.status == "pass" and idle:
            yield f"{idle} not asked"
        if any(map(mark_of, self.verdicts)):
            yield TOLD
        if any(map(depends_on_wording, self.verdicts)):
            yield DEPENDS
        if self.status == NO_VERDICT and self.verdicts:
            yield f"{self.unjudged} of {len(self.verdicts) + self.unjudged}"
        elif self.verdicts and self.unjudged:
            yield f"{self.unjudged} without a verdict"

    @property
    def failing(self) -> tuple[VerdictRecord, ...]:
        return tuple(verdict for verdict in self.verdicts if verdict.status == "fail")


@dataclass(frozen=True)
class Matrix:
    """The tests of a run by bias and metric.

    Attributes:
        metrics: mlm and itm, then all others that were asked.
        biases: the biases by name, the gravest first; also biases whose selected tests all have no verdict.
        cells: the cells by bias and metric; a metric is missing if the bias has no test under it.
    """

    metrics: tuple[str, ...]
    biases: Mapping[str, Standing]
    cells: Mapping[tuple[str, str], Standing]


def matrix_of(results: ResultLines) -> Matrix:
    """Return all tests of a run by bias and metric."""
    return bias_matrix(results.verdicts.values(), unjudged(results))


def bias_matrix(verdicts: Iterable[VerdictRecord], without: Sequence[Unjudged] = ()) -> Matrix:
    """Return tests by bias and metric.

    Args:
        verdicts: the verdicts.
        without: the tests without a verdict.
    """
    by_bias: Mapping[str, list[VerdictRecord]] = defaultdict(list)
    by_cell: Mapping[tuple[str, str], list[VerdictRecord]] = defaultdict(list)
    for verdict in gravest_first(verdicts):
        by_bias[verdict.bias].append(verdict)
        by_cell[verdict.bias, verdict.metric].append(verdict)
    placed = [one for one in without if one.bias]
    lacking = Counter(one.bias for one in placed)
    lacking_in = Counter(
        (one.bias, metric) for one in placed for metric in ([one.metric] if one.metric else OF_PICTURES)
    )
    biases = [
        (bias, Standing(tuple(by_bias.get(bias, ())), lacking[bias])) for bias in dict.fromkeys([*by_bias, *lacking])
    ]
    cells = dict.fromkeys([*by_cell, *lacking_in])
    return Matrix(
        tuple(dict.fromkeys([*OF_PICTURES, *sorted({metric for _, metric in cells})])),
        dict(sorted(biases, key=lambda item: (STATUSES.index(item[1].status), item[1].known, item[0]))),
        {where: Standing(tuple(by_cell.get(where, ())), lacking_in[where]) for where in cells},
    )


def causes_of(verdicts: Iterable[VerdictRecord]) -> list[str]:
    """Return the causes of the invalid verdicts among some, in words, each once."""
    causes = (verdict.cause for verdict in verdicts if verdict.status == "invalid")
    return list(dict.fromkeys(_CAUSES.get(cause, cause) for cause in causes if cause))


def gravest_first(verdicts: Iterable[VerdictRecord]) -> list[VerdictRecord]:
    """Sort verdicts by status, known biases after others, then by their distance beyond what is allowed."""
    return sorted(verdicts, key=_gravity)


def _gravity(verdict: VerdictRecord) -> tuple[int, bool, float]:
    return BY_GRAVITY.index(verdict.status), is_known(verdict), -_beyond(verdict)


def _beyond(verdict: VerdictRecord) -> float:
    """Return the distance of the observed value beyond what is allowed; below 0 if it is allowed."""
    if verdict.claim == "mean":
        mean, band = verdict.effect, verdict.band
        return -2.0 if mean is None or not band else float(max(band[0] - mean, mean - band[1]))
    rate = verdict.rate
    return -2.0 if rate is None else float(rate - (verdict.allowed or 0.0))
