"""Sides: how often captions name left and right, and how evenly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from vlcheck._util.numbers import counted, share, shares
from vlcheck.audit.checks.base import CorpusShare, Examples, ReadCaption, WholeCorpus, finding_of
from vlcheck.audit.checks.flips import flip_findings
from vlcheck.audit.limits import RARE_SIDES, SKEWED_SIDES
from vlcheck.audit.records import AuditFinding
from vlcheck.audit.sample import PictureCounter
from vlcheck.audit.words import AuditWords

RARE, SKEWED = "rare sides", "skewed sides"


class SidesCheck:
    """Counts captions that name a side.

    Args:
        words: the words to look for.
    """

    def __init__(self, words: AuditWords) -> None:
        self._words = words
        self._any = words.sides
        self._named = self._hands = 0
        self._every: Counter[str] = Counter()  # in every sense, by word
        self._as_sides: Counter[frozenset[str]] = Counter()  # in the sense of a side, by the set of sides
        self._pictures = PictureCounter()  # of captions with one side
        self._examples, self._hand_examples = Examples(), Examples()

    def see(self, row: ReadCaption) -> None:
        if row.said.isdisjoint(self._any):
            return
        self._named += 1
        self._every.update(row.said & self._any)
        text = row.caption.text
        if sides := frozenset(self._words.sides_of(text)):
            self._as_sides[sides] += 1
            if len(sides) == 1:
                self._pictures.see(row.caption.image)
            self._examples.add(text)
            if not self._words.parts.isdisjoint(row.said) and any(self._words.hands_of(text)):
                self._hands += 1
                self._hand_examples.add(text)

    def findings(self, corpus: WholeCorpus) -> Iterator[AuditFinding]:
        yield self._rare(corpus)
        yield self._skewed()
        hands = CorpusShare.of(self._hands, corpus.captions, corpus.per)
        says = f"{counted(hands.count, 'caption')} ({share(hands.share)}) name the side of a hand, foot, arm or leg."
        yield finding_of("hands-named", hands, says, bias="position", examples=tuple(self._hand_examples.kept))
        yield from flip_findings(self._as_sides.total(), tuple(self._examples.kept), corpus)

    def _rare(self, corpus: WholeCorpus) -> AuditFinding:
        named = CorpusShare.of(self._as_sides.total(), corpus.captions, corpus.per)
        words = [("any word for left or right, in any sense", self._named), *self._every.most_common()]
        says = (
            f"{counted(named.count, 'caption')} of {named.n:,} ({share(named.share, (RARE_SIDES,))}) name left or right"
            f" as a side; {self._named:,} have a word for them in any sense."
        )
        status = named.below(RARE_SIDES)
        if status == "found":
            says += " A model can hardly learn sides from them."
        return finding_of(
            "sides-named",
            named,
            says,
            bias="position",
            cause=RARE,
            status=status,
            limit=RARE_SIDES,
            examples=tuple(self._examples.kept),
            parts=tuple(CorpusShare.of(count, named.n, corpus.per).part(word) for word, count in words if count),
        )

    def _skewed(self) -> AuditFinding:
        single = {side: number for sides, number in self._as_sides.items() if len(sides) == 1 for side in sides}
        n = sum(single.values())
        if not n:
            return AuditFinding(check="sides-skewed", bias="position", says="No caption names exactly one side.")
        word, count = max(single.items(), key=lambda item: (item[1], item[0] == "right"))
        per = self._pictures.per
        found = CorpusShare.of(count, n, per)
        status = found.above(SKEWED_SIDES)
        says = (
            f'Of {counted(n, "caption")} that name exactly one side, {count:,} say "{word}" ({share(found.share)};'
            f" interval {shares(found.low, found.high)})."
        )
        if status == "found":
            says += f' A model can learn to say "{word}" without looking.'
        parts = [CorpusShare.of(number, n, per).part(side) for side, number in sorted(single.items())]
        return finding_of(
            "sides-skewed",
            found,
            says,
            bias="position",
            unit="captions with one side",
            cause=SKEWED,
            status=status,
            limit=SKEWED_SIDES,
            parts=tuple(parts),
        )
