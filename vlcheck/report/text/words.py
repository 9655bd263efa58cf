"""A table of what a model tells from words alone: accuracies beside a constant answer and chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vlcheck._util.numbers import figure, whole
from vlcheck.report.text.columns import aligned
from vlcheck.results.words import WordKnowledgeRecord, WordsRecord

_HEAD = ("property", "probe", "n", "unspelled", "accuracy", "interval", "constant", "chance", "words tell")


def words_lines(words: WordsRecord) -> Iterator[str]:
    """Yield the model's name, its table, and the conclusion."""
    yield words.model
    yield from aligned(words_table(words))
    yield words_sentence(words)


def words_table(words: WordsRecord) -> list[Sequence[str]]:
    """Return the rows of a model's table, the head first."""
    return [_HEAD, *map(_row, words.found)]


def words_sentence(words: WordsRecord) -> str:
    """Return the properties that words alone tell, in a sentence."""
    if not any(one.n for one in words.found):
        return "Words alone: not known. The model's vocabulary can spell none of the items."
    if not words.known:
        return "Words alone tell none of these properties better than a constant answer."
    return f"Words alone tell {', '.join(words.known)}: a score about these may come from the words."


def _row(one: WordKnowledgeRecord) -> Sequence[str]:
    interval = f"[{figure(one.low, 2)}, {figure(one.high, 2)}]" if one.n else "-"
    shares = figure(one.accuracy, 2), interval, figure(one.majority, 2), figure(one.chance, 2)
    return one.about, one.probe, whole(one.n), whole(one.unspelled), *shares, ("no", "yes")[one.known] if one.n else "-"
