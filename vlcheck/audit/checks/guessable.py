"""Guessable captions: how often a model that sees no picture fills the gap in a caption."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from vlcheck._util.foreign_code import contained
from vlcheck._util.numbers import counted, share, shares
from vlcheck.audit.checks.base import CorpusShare, ReadCaption, WholeCorpus, cut, finding_of
from vlcheck.audit.records import AuditFinding
from vlcheck.audit.sample import HashSample
from vlcheck.audit.words import AuditWords
from vlcheck.cases.case import MASK
from vlcheck.cases.words import OTHER_SIDE, Token, join_tokens, tokenize
from vlcheck.datasets.lexicons.tables import Number
from vlcheck.errors import ForeignFault, NotApplicable
from vlcheck.models.text_encoding import GapFilling

_BATCH = 64


class Gap(NamedTuple):
    """A caption with a gap.

    Attributes:
        text: the caption with "[MASK]" for a word.
        truth: the word.
        candidates: the words to choose from; the first is the truth.
        kind: the kind of word: "colors", "sides" or "things".
    """

    text: str
    truth: str
    candidates: tuple[str, ...]
    kind: str


class GuessableCheck:
    """Keeps a sample of captions, and asks a model of words for a word of each.

    Args:
        words: the words to look for.
        model: a model that fills gaps from the text alone; None if none is given.
        sample: largest number of captions.
        seed: seed of the sample, and of the choice of words.
    """

    def __init__(self, words: AuditWords, model: GapFilling | None, sample: int, seed: int = 0) -> None:
        self._words, self._model, self._seed = words, model, seed
        self._sample: HashSample[str] = HashSample(sample, seed)

    def see(self, row: ReadCaption) -> None:
        if self._model is None:
            return
        text = row.caption.text
        place = self._sample.admit(text)
        if place is not None and place not in self._sample.kept:
            self._sample.kept[place] = text
            self._sample.shrink()

    def findings(self, corpus: WholeCorpus) -> Iterator[AuditFinding]:
        if self._model is None:
            says = "No model of words was given."
            yield AuditFinding(check="captions-guessable", bias="modality", says=says)
            return
        try:
            with contained():
                gaps, right = self._asked(self._model)
        except (ForeignFault, NotApplicable) as error:
            says = f"{self._model.name} gave no answer: {str(error).rstrip('.')}."
            yield AuditFinding(check="captions-guessable", bias="modality", says=says)
            return
        if not gaps:
            says = f"{self._model.name} can spell no sampled caption with a color, a side or a thing."
            yield AuditFinding(check="captions-guessable", bias="modality", says=says)
            return
        found = CorpusShare.of(sum(right), len(gaps))
        constant = _constant(gaps)
        says = (
            f"{self._model.name} fills the gap in {share(found.share)} of {counted(found.n, 'caption')} without a"
            f" picture (interval {shares(found.low, found.high)}); the most frequent word of its kind is right for"
            f" {share(constant)}."
        )
        by_kind = Counter(gap.kind for gap in gaps)
        true_by_kind = Counter(gap.kind for gap, true in zip(gaps, right, strict=True) if true)
        yield finding_of(
            "captions-guessable",
            found,
            says,
            bias="modality",
            examples=tuple(cut(gap.text) for gap, true in zip(gaps, right, strict=True) if true)[:5],
            parts=tuple(CorpusShare.of(true_by_kind[kind], n).part(kind) for kind, n in by_kind.most_common()),
        )

    def _asked(self, model: GapFilling) -> tuple[list[Gap], list[bool]]:
        """Return the captions with gaps, and whether the model fills each."""
        rng = Random(self._seed)
        gaps = [gap for text in self._sample.values() if (gap := self._gap(text, model, rng))]
        return gaps, _right(model, gaps)

    def _gap(self, text: str, model: GapFilling, rng: Random) -> Gap | None:
        """Return a caption with a gap at a random color, side or thing; None if the model cannot spell any."""
        tokens = tokenize(text)
        options = [(at, kind, others) for at, token in enumerate(tokens) for kind, others in self._kinds(token.word)]
        rng.shuffle(options)
        for at, kind, others in options:
            gap = _with_gap(tokens, at)
            spelled = [word for word in (tokens[at].word, *others) if model.can_spell(gap.replace(MASK, word))]
            if len(spelled) > 1 and spelled[0] == tokens[at].word:
                return Gap(gap, spelled[0], tuple(spelled), kind)
        return None

    def _kinds(self, word: str) -> Iterator[tuple[str, list[str]]]:
        """Yield the kind of a word, with other words of the same kind."""
        lexicons = self._words.lexicons
        if colors := [name for name, color in lexicons.colors.items() if word in color.words]:
            yield "colors", [color.words[0] for name, color in lexicons.colors.items() if name not in colors]
        elif word in OTHER_SIDE:
            yield "sides", [OTHER_SIDE[word]]
        for name, thing in lexicons.objects.items():
            if word in (*thing.one, *thing.many):
                number: Number = "one" if word in thing.one else "many"
                others = (other.canonical(number) for key, other in lexicons.objects.items() if key != name)
                yield "things", sorted({other for other in others if other and other != word})
                return


def _with_gap(tokens: tuple[Token, ...], at: int) -> str:
    return join_tokens((*tokens[:at], tokens[at]._replace(word=MASK), *tokens[at + 1 :]))


def _right(model: GapFilling, gaps: list[Gap]) -> list[bool]:
    """Return for each gap whether the model's best word is the truth; equals count as wrong."""
    right: list[bool] = []
    for start in range(0, len(gaps), _BATCH):
        some = gaps[start : start + _BATCH]
        scores = model.gap_log_probs([gap.text for gap in some], [gap.candidates for gap in some])
        right += [bool(each[0] > each[1:].max()) for each in scores]
    return right


def _constant(gaps: list[Gap]) -> float:
    """Return how often the most frequent word of each kind is right."""
    by_kind: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for gap in gaps:
        by_kind[gap.kind][gap.truth] += 1
    return sum(max(words.values()) for words in by_kind.values()) / len(gaps)
