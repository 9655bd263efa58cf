"""Verticals: how often captions say what is above and what is below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from vlcheck._util.numbers import counted, share
from vlcheck.audit.checks.base import NO_RECIPE, CorpusShare, Examples, ReadCaption, WholeCorpus, finding_of
from vlcheck.audit.checks.flips import TURNED
from vlcheck.audit.limits import FALSE_FLIPS
from vlcheck.audit.records import AuditFinding
from vlcheck.audit.words import AuditWords


class VerticalsCheck:
    """Counts captions that say what is above or below.

    Args:
        words: the words to look for.
    """

    def __init__(self, words: AuditWords) -> None:
        self._words = words
        self._starts = words.vertical_starts
        self._named = 0
        self._every: Counter[str] = Counter()
        self._examples = Examples()

    def see(self, row: ReadCaption) -> None:
        if row.said.isdisjoint(self._starts):
            return
        if verticals := self._words.verticals_of(row.caption.text):
            self._named += 1
            self._every.update(verticals)
            self._examples.add(row.caption.text)

    def findings(self, corpus: WholeCorpus) -> Iterator[AuditFinding]:
        found = CorpusShare.of(self._named, corpus.captions, corpus.per)
        status = corpus.in_recipe("vertical-flip", found.above(FALSE_FLIPS))
        says = f"{counted(found.count, 'caption')} ({share(found.share, (FALSE_FLIPS,))}) say what is above or below."
        if status == "found":
            says += " The recipe turns pictures upside down and leaves their captions as they are."
        elif not corpus.augment:
            says += f" {NO_RECIPE}"
        parts = tuple(
            CorpusShare.of(count, found.n, corpus.per).part(word) for word, count in self._every.most_common()
        )
        yield finding_of(
            "verticals-named",
            found,
            says,
            bias="position",
            cause=TURNED,
            status=status,
            limit=FALSE_FLIPS if "vertical-flip" in corpus.augment else None,
            examples=tuple(self._examples.kept),
            parts=parts,
        )
