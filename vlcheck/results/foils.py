"""Choices between captions and foils without the pictures, beside the verdicts of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vlcheck._util.numbers import counted, share
from vlcheck.cases.foils import COIN, ITSELF, PARTS, WITHOUT_PICTURE
from vlcheck.results.records import VerdictRecord

MARK = "(!)"  # of foils that words alone tell


@dataclass(frozen=True)
class Choice:
    """A choice between a caption and its foils without the picture.

    Attributes:
        name: its name.
        right: share of right answers, in [0, 1].
        right_low: one-sided lower bound of that share.
        right_high: one-sided upper bound of that share.
        lead: share of right answers of the model minus that, over images, in [-1, 1].
        low: one-sided lower bound of the lead.
        high: one-sided upper bound of the lead.
        n: number of images on which both count.
    """

    name: str
    right: float
    right_low: float
    right_high: float
    lead: float
    low: float
    high: float
    n: float


@dataclass(frozen=True)
class WithoutPicture:
    """The choices without the picture beside a verdict on foils.

    Attributes:
        right: share of right answers of the model, in [0, 1].
        n: number of images.
        choices: the choices, the best first.
    """

    right: float
    n: int
    choices: tuple[Choice, ...]

    @property
    def chance(self) -> float:
        """The share of right answers of a coin."""
        return next((one.right for one in self.choices if one.name == COIN), 0.5)

    @property
    def best(self) -> Choice:
        """The choice that has most answers right."""
        return self.choices[0]

    @property
    def by_words(self) -> Choice:
        """The best choice that depends on the words alone, and not on the model under test."""
        return next((one for one in self.choices if one.name != ITSELF), self.best)


def without_picture(verdict: VerdictRecord) -> WithoutPicture | None:
    """Return the choices without the picture beside a verdict; None if it is not about foils, or nothing counts."""
    cells = verdict.tables.get(WITHOUT_PICTURE) or {}
    figures = {name: float(value) for name, value in cells.items() if value is not None}
    names = [name.removesuffix(": lead") for name in figures if name.endswith(": lead")]
    try:
        choices = [Choice(name, *(figures[f"{name}{part}"] for part in PARTS)) for name in names]
        found = WithoutPicture(
            figures["right"], round(figures["n"]), tuple(sorted(choices, key=lambda one: -one.right))
        )
    except KeyError:
        return None
    return found if choices else None


def mark_of(verdict: VerdictRecord) -> str:
    """Return the mark of a verdict on foils that words alone tell; "" for any other."""
    return MARK if verdict.told and verdict.told.marked else ""


def marks(verdicts: Iterable[VerdictRecord]) -> Iterator[str]:
    """Yield a sentence for each set of foils that is marked."""
    for verdict in verdicts:
        told = verdict.told
        if told and told.marked:
            yield (
                f"Words alone tell many of these foils ({verdict.behavior} {verdict.metric}): {told.choice} is right in"
                f" {share(told.right)} (at least {share(told.low)}) of {counted(told.n, 'image')}, chance in"
                f" {share(told.chance)}."
            )
