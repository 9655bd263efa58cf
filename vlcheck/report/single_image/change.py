"""The expected change of a view of a photograph, and the found one, in a line: no verdict, which takes many."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from vlcheck._util.numbers import figure
from vlcheck.errors import printable

Claim = Literal["falls", "stays", "swaps"]

_WORD = 40  # characters of a word
_SHOULD: Mapping[Claim, str] = {"falls": "should fall", "stays": "should stay", "swaps": "should lead"}


@dataclass(frozen=True)
class Expected:
    """A statement about the scores of an edited photograph, against those of the original.

    Attributes:
        claim: "falls" or "stays" for the score of a word; "swaps" if the word should now have the highest score.
        word: the word.
    """

    claim: Claim
    word: str

    def line(self, before: Mapping[str, Mapping[str, float]], after: Mapping[str, Mapping[str, float]]) -> str:
        """Return what should have changed, and what did: "'left' should fall (mlm: falls by 0.420)".

        Args:
            before: metric -> word -> score of the original; no words where there are no scores.
            after: the same of the edited photograph.
        """
        said = f"'{printable(self.word, _WORD)}' {_SHOULD[self.claim]}"
        found = "; ".join(f"{metric}: {outcome}" for metric, outcome in self._outcomes(before, after))
        return f"{said} ({found})" if found else said

    def _outcomes(
        self, before: Mapping[str, Mapping[str, float]], after: Mapping[str, Mapping[str, float]]
    ) -> Iterator[tuple[str, str]]:
        for metric, scores in after.items():
            if scores and before[metric]:
                swaps = self.claim == "swaps"
                yield metric, _leader(scores, self.word) if swaps else _moved(before[metric], scores, self.word)


def _moved(before: Mapping[str, float], after: Mapping[str, float], word: str) -> str:
    change = after[word] - before[word]
    if math.isnan(change):
        return "is no number"
    if change == 0:
        return "is the same"
    return f"{'rises' if change > 0 else 'falls'} by {figure(abs(change))}"


def _leader(scores: Mapping[str, float], word: str) -> str:
    """Return by how much a word leads before the best other one, or is behind it."""
    ahead = scores[word] - max(score for other, score in scores.items() if other != word)
    if math.isnan(ahead):
        return "is no number"
    return f"{'leads' if ahead > 0 else 'is behind'} by {figure(abs(ahead))}"
