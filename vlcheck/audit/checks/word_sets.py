"""Captions with the same words: in another order, and word for word."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations, groupby

from vlcheck._util.numbers import counted, share
from vlcheck.audit.checks.base import CorpusShare, Examples, ReadCaption, WholeCorpus, cut, finding_of
from vlcheck.audit.limits import FREE_ORDER, UNNEEDED_ORDER
from vlcheck.audit.records import AuditFinding
from vlcheck.audit.sample import HashSample
from vlcheck.audit.words import AuditWords

FREE, UNNEEDED = "free order", "unneeded order"
SETS, PICTURES = 32_768, 16_384  # largest samples of sets of words, and of pictures
_ORDERS = 256  # further orders of the same words are not told apart
_CAPTIONS = 64  # further captions of a picture are not looked at
_JOINTS = re.compile(r"\b(?:and|or|near|beside|next to|while|as)\b")

Kind = str  # "colors", "things", "sides", "other words"


class WordSetsCheck:
    """Counts captions with the same words, on a sample of sets of words and on a sample of pictures.

    Args:
        words: the words to look for.
        seed: seed of the samples.
    """

    def __init__(self, words: AuditWords, seed: int = 0) -> None:
        self._words = words
        self._sets: HashSample[dict[str, int]] = HashSample(SETS, seed)
        self._pictures: HashSample[list[str]] = HashSample(PICTURES, seed)

    @property
    def pictures(self) -> int:
        """The number of distinct pictures; an estimate if there are more than PICTURES."""
        return self._pictures.distinct

    def see(self, row: ReadCaption) -> None:
        place = self._sets.admit(" ".join(sorted(row.words)))
        if place is not None:
            self._see_words(place, " ".join(row.words))
        if row.caption.image and (place := self._pictures.admit(row.caption.image)) is not None:
            self._see_picture(place, " ".join(row.words))

    def _see_words(self, place: int, text: str) -> None:
        texts = self._sets.kept.get(place)
        if texts is None:
            self._sets.kept[place] = {text: 1}
            self._sets.shrink()
        elif text in texts or len(texts) < _ORDERS:
            texts[text] = texts.get(text, 0) + 1

    def _see_picture(self, place: int, text: str) -> None:
        texts = self._pictures.kept.get(place)
        if texts is None:
            self._pictures.kept[place] = [text]
            self._pictures.shrink()
        elif len(texts) < _CAPTIONS:
            texts.append(text)

    def findings(self, corpus: WholeCorpus) -> Iterator[AuditFinding]:
        yield self._free()
        if self._sets.kept:
            yield self._unneeded()
            yield self._repeated()

    def _free(self) -> AuditFinding:
        several = [texts for texts in self._pictures.values() if len(texts) > 1]
        if not several:
            why = "No picture has two captions" if self._pictures.kept else "No caption names its picture"
            says = f"{why}, so that none can have the same words in another order."
            return AuditFinding(check="order-exchanged", bias="order", unit="pictures", says=says)
        pairs = [pair for texts in several if (pair := next(_reordered(texts), None))]
        found = CorpusShare.of(len(pairs), len(several))
        status = found.above(FREE_ORDER)
        says = (
            f"{counted(found.count, 'picture')} of {found.n:,} with several captions"
            f" ({share(found.share, (FREE_ORDER,))}) have two with the same words in another order."
        )
        if status == "found":
            says += " A model can learn that the order of words does not matter."
        return finding_of(
            "order-exchanged",
            found,
            says,
            bias="order",
            unit="pictures with several captions",
            cause=FREE,
            status=status,
            limit=FREE_ORDER,
            examples=_shown(pairs),
        )

    def _unneeded(self) -> AuditFinding:
        sets = list(self._sets.values())
        pairs = [pair for texts in sets if (pair := next(_reordered(list(texts)), None))]
        found = CorpusShare.of(len(pairs), len(sets))
        status = found.below(UNNEEDED_ORDER)
        says = (
            f"{counted(found.count, 'set')} of words of {found.n:,} ({share(found.share, (UNNEEDED_ORDER,))}) occur in"
            " captions of different order."
        )
        if status == "found":
            says += " For all other captions, a model that ignores the order of words loses nothing."
        kinds = Counter(self._exchanged(*pair) for pair in pairs)
        return finding_of(
            "order-pairs",
            found,
            says,
            bias="order",
            unit="sets of words",
            cause=UNNEEDED,
            status=status,
            limit=UNNEEDED_ORDER,
            examples=_shown(pairs),
            parts=tuple(
                CorpusShare.of(count, found.n).part(f"exchanged {kind}") for kind, count in kinds.most_common()
            ),
        )

    def _repeated(self) -> AuditFinding:
        times = [times for texts in self._sets.values() for times in texts.values()]
        found = CorpusShare.of(sum(one > 1 for one in times), len(times))
        rows = sum(times)
        examples = Examples()
        texts = (item for texts in self._sets.values() for item in texts.items())
        for text, number in sorted(texts, key=lambda item: (-item[1], item[0]))[:5]:
            if number > 1:
                examples.add(text)
        says = (
            f"{counted(found.count, 'text')} of {found.n:,} different ones ({share(found.share)}) occur more than once,"
            " letters in upper case, punctuation and spacing aside;"
            f" {share((rows - len(times)) / rows)} of the captions repeat another one."
        )
        return finding_of("duplicates", found, says, unit="different texts", examples=tuple(examples.kept))

    def _exchanged(self, one: str, other: str) -> Kind:
        """Return the kind of the words that are at different places in two captions of the same words."""
        moved = {word for word, there in zip(one.split(), other.split(), strict=True) if word != there}
        lexicons = self._words.lexicons
        kinds = {
            "colors": self._words.color_starts,
            "sides": self._words.sides,
            "things": lexicons.things | lexicons.nouns,
        }
        return next((kind for kind, words in kinds.items() if moved <= words), "other words")


def statement(text: str) -> tuple[str, ...]:
    """Return the parts of a caption around words such as "and", sorted: their order changes nothing.

    Example:
        >>> statement("a cup and a hat") == statement("a hat and a cup")
        True
    """
    return tuple(sorted(" ".join(part.split()) for part in _JOINTS.split(text)))


def _reordered(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of texts that have the same words in another order, and say something else."""
    by_words = sorted((sorted(text.split()), text) for text in set(texts))
    for _, group in groupby(by_words, key=lambda item: item[0]):
        for (_, one), (_, other) in combinations(group, 2):
            if statement(one) != statement(other):
                yield one, other


def _shown(pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the first pairs as examples, each in one text."""
    return tuple(cut(f"{one} / {other}") for one, other in pairs[:5])
