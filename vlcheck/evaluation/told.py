"""The mark of foils that words alone tell: measured on all cases that the data has, whether they are asked or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vlcheck.cases.case import Case
from vlcheck.cases.foils import COIN, CONTROL
from vlcheck.evaluation.outcomes import Findings
from vlcheck.results.records import ToldRecord
from vlcheck.stats.bootstrap import by_cluster
from vlcheck.stats.bounds import Tally, exact, lower

MOST_ABOVE_CHANCE = 0.10  # foils that words alone tell further than this are marked

Credits = Sequence[tuple[float, str]]  # of one choice, with the image of each case


@dataclass(frozen=True)
class Told:
    """The choices by the words alone between captions and foils.

    Attributes:
        choices: the credits of each choice, by its name; the coin is no choice.
        chance: the share of right answers of a coin.
    """

    choices: Mapping[str, Credits]
    chance: float

    def record(self, alpha: float) -> ToldRecord:
        """Return the best choice, of those that mark the foils if there are any.

        A choice marks them if it is right more often than chance by over MOST_ABOVE_CHANCE, and the lower bound of its
        share of right answers, at alpha divided by the number of choices, is above chance.

        Args:
            alpha: error rate of all choices together, in (0, 0.5).
        """
        found = [self._of(name, its, alpha / len(self.choices)) for name, its in self.choices.items()]
        return max(found, key=lambda one: (one.marked, one.right))

    def _of(self, name: str, its: Credits, alpha: float) -> ToldRecord:
        tally = Tally.of(by_cluster(its).clip(0.0, 1.0))
        low = lower(exact, tally, alpha)
        marked = tally.mean - self.chance > MOST_ABOVE_CHANCE and low > self.chance
        return ToldRecord(choice=name, right=tally.mean, low=low, chance=self.chance, n=round(tally.n), marked=marked)


def told(
    images: Mapping[str, Sequence[Case]],
    learnt: Mapping[str, Mapping[str, float]],
    findings: Findings,
    alpha: float,
) -> ToldRecord | None:
    """Return the best choice by the words alone between captions and foils; None if a behavior has no foils.

    Args:
        images: all cases that the data has for the behavior, by the name of their image.
        learnt: the credit of each plain choice, by the id of the case.
        findings: the findings on the cases that were asked about; a control has chosen among these.
        alpha: error rate of the mark, in (0, 0.5).
    """
    choices: dict[str, list[tuple[float, str]]] = {}
    for image, case in ((image, case) for image, cases in images.items() for case in cases):
        for name, credit in learnt.get(case.id, {}).items():
            choices.setdefault(name, []).append((credit, image))
    coin = choices.pop(COIN, [])
    if of_control := list(_of_control(findings)):
        choices[CONTROL] = of_control
    return Told(choices, float(by_cluster(coin).mean())).record(alpha) if coin else None


def _of_control(findings: Findings) -> Iterator[tuple[float, str]]:
    """Yield the control's credits with their images, if it is no rival that is left out."""
    _, rivals, images = findings.compared
    for credit, image in zip(rivals.get(CONTROL, []), images, strict=False):
        if credit is not None:
            yield credit, image
