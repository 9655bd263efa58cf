"""The terms of a verdict: the question, the kind of score, and the limits that it is held to.

Two verdicts say the same thing about two models only if their terms are equal. `vlcheck compare` pairs the answers of
two runs and needs no equal limits; a board shows verdicts side by side, and needs those, too.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vlcheck.results.records import VerdictRecord
from vlcheck.results.scales import demanded

_ALIKE: Mapping[str, str] = MappingProxyType(
    {
        "score_kind": "the kind of score",
        "claim": "the kind of claim",
        "expected": "what is expected",
        "perturbation": "the perturbation",
        "band": "the band",
    }
)


@dataclass(frozen=True)
class DifferingTerm:
    """A term in which two verdicts differ.

    Attributes:
        name: the term, in words.
        one: its value in the first verdict.
        other: its value in the second verdict.
    """

    name: str
    one: object
    other: object

    def said(self, one: str, other: str) -> str:
        """Return the difference in words.

        Args:
            one: the place of the first verdict, e.g. "in the old run".
            other: the place of the second one.
        """
        return f"{self.name} differs: {_written(self.one)} {one}, {_written(self.other)} {other}"


def terms_of(verdict: VerdictRecord) -> tuple[Hashable, ...]:
    """Return the terms and limits of a verdict; nothing differs between two verdicts that have equal ones."""
    tolerances = tuple(sorted((verdict.tolerances or {}).items()))
    alike = tuple(getattr(verdict, key) for key in _ALIKE)
    return *alike, demanded(verdict.scale), verdict.allowed, verdict.alpha, tolerances


def differing_terms(one: VerdictRecord, other: VerdictRecord) -> Iterator[DifferingTerm]:
    """Yield the terms of the scores and margins that differ between two verdicts; a term that one lacks does not.

    Args:
        one: a verdict.
        other: the verdict on the same test of another run.
    """
    for key, name in _ALIKE.items():
        yield from _differing(name, getattr(one, key), getattr(other, key))
    yield from _differing("the scale of margins", demanded(one.scale), demanded(other.scale))
    here, there = one.tolerances or {}, other.tolerances or {}
    for key in sorted(here.keys() & there.keys()):
        yield from _differing(f"the tolerance {key!r}", here[key], there[key])


def differing_limits(one: VerdictRecord, other: VerdictRecord) -> Iterator[DifferingTerm]:
    """Yield the limits that differ between two verdicts with equal terms: the allowed rate and the error rate.

    Args:
        one: a verdict.
        other: the verdict on the same test of another run.
    """
    if one.claim == "rate":  # a lead's is a figure of the data, and decides nothing
        yield from _differing("the allowed rate", one.allowed, other.allowed)
    yield from _differing("the error rate", one.alpha, other.alpha)


def _differing(name: str, one: object, other: object) -> Iterator[DifferingTerm]:
    if one != other and None not in (one, other):
        yield DifferingTerm(name, one, other)


def _written(value: object) -> object:
    """Return a value as the results file has it."""
    if isinstance(value, tuple):
        return list(value)
    return "none" if value in ("", None) else value
