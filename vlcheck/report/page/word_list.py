"""The words of a score in one list: those asked about, and the likeliest ones at the mask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vlcheck._util.numbers import figure
from vlcheck.report.page.escaping import ShownText, shown_text

WORD = 40  # characters of a word
_MOST = 6  # the most words of a list


@dataclass(frozen=True)
class Word:
    """A word and its score."""

    word: ShownText
    score: str


def word_list(
    asked: Mapping[str, float | None], top: Sequence[tuple[str, float | None]], target: Sequence[str]
) -> Iterator[Word]:
    """Yield words by their raw scores, each with its share among the words asked about; the target is among them.

    Args:
        asked: raw scores of the words asked about.
        top: the likeliest words at the mask, with their raw scores.
        target: the true word, or no word.
    """
    scores = {word: score for word, score in (*top, *asked.items()) if score is not None}
    if len(scores) < 2:
        return
    ranked = sorted(scores, key=lambda word: (-scores[word], word))
    kept = {*[word for word in target if word in scores], *ranked[:_MOST]}
    total = sum(score or 0.0 for score in asked.values()) if len(asked) > 1 else 0.0
    for word in (word for word in ranked if word in kept):
        share = f" ({figure(scores[word] / total, 2)})" if word in asked and total > 0 else ""
        yield Word(shown_text(word, WORD), f"{figure(scores[word])}{share}")
