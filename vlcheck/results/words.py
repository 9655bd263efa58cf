"""The file of `vlcheck words`: what models tell of visible properties of things from words alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from vlcheck._util.files import begins
from vlcheck._util.foreign_files import read_json
from vlcheck._util.typed import Fault, convert
from vlcheck.errors import UsageError

_START = b'{"words_alone":1,'

_Count = Annotated[int, Meta(ge=0)]
_Share = Annotated[float, Meta(ge=0, le=1)]


class WordAnswerRecord(Struct, frozen=True):
    """The answer to an item.

    Attributes:
        thing: the thing that it is about.
        text: the sentence with its gap.
        truth: the word that makes it true.
        scores: the score of each candidate; the highest is the answer.
    """

    thing: str
    text: str
    truth: str
    scores: Mapping[str, float]


class WordKnowledgeRecord(Struct, frozen=True):
    """The answers of a model about a property by a probe.

    Attributes:
        about: name of the property, e.g. "color".
        probe: "cloze" or "stroop".
        n: number of items that count.
        unspelled: number of items that do not, since the vocabulary lacks a word of theirs.
        accuracy: share of true answers; None if no item counts.
        low: lower end of the accuracy's exact interval.
        high: upper end of it.
        majority: accuracy of the best constant answer; None if no item counts.
        chance: expected accuracy of random answers; None if no item counts.
        known: True if the whole interval is above the best constant answer and above chance.
        answers: the answers to the items that count.
    """

    about: str
    probe: str
    n: _Count
    unspelled: _Count
    accuracy: _Share | None
    low: _Share
    high: _Share
    majority: _Share | None
    chance: _Share | None
    known: bool
    answers: tuple[WordAnswerRecord, ...] = ()


class WordsRecord(Struct, frozen=True):
    """The answers of a model from words alone.

    Attributes:
        model: its name.
        fingerprint: content hash of everything that decides its scores.
        found: its knowledge, by property and probe.
    """

    model: str
    fingerprint: str
    found: tuple[WordKnowledgeRecord, ...]

    @property
    def known(self) -> Sequence[str]:
        """The properties that words alone tell by any probe."""
        return [*dict.fromkeys(one.about for one in self.found if one.known)]


class _WordsFile(Struct, frozen=True):
    """The whole file."""

    words_alone: Literal[1]
    alpha: _Share
    models: tuple[WordsRecord, ...]


def words_json(models: Sequence[WordsRecord], alpha: float) -> bytes:
    """Return the contents of the file.

    Args:
        models: the answers of each model.
        alpha: the error rate of the intervals, both sides together.
    """
    return msgspec.json.encode(_WordsFile(1, alpha, tuple(models))) + b"\n"


def is_words_file(path: Path) -> bool:
    """Return True if a file was written from `words_json`, or is empty."""
    return begins(path, _START)


def read_words(path: Path) -> tuple[WordsRecord, ...]:
    """Return what the models of a file tell from words alone.

    Raises:
        UsageError: it cannot be read, or is no such file.
    """
    try:
        return convert(read_json(path), _WordsFile).models
    except Fault as fault:
        place = f" ({fault})" if fault.path else ""
        raise UsageError(f"{path}: is no file of `vlcheck words`{place}.") from fault
