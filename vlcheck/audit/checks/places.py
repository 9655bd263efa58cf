"""Places: where the things of the pictures are, and whether captions name them elsewhere than in the middle, too."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from vlcheck._util.numbers import counted, share
from vlcheck.audit.checks.base import CorpusShare, Examples, ReadCaption, WholeCorpus, finding_of
from vlcheck.audit.limits import CENTRED_THINGS, LARGE, NAMED_MIDDLE
from vlcheck.audit.records import AuditFinding
from vlcheck.audit.sample import PictureCounter
from vlcheck.audit.words import AuditWords

MIDDLE_ONLY, CENTRED = "only the middle is named", "centred things"
_LOW, _HIGH = 1 / 3, 2 / 3  # the middle ninth, in shares of the width and the height


class PlacesCheck:
    """Counts the large things of each caption's picture by place, and those that the caption names.

    Args:
        words: the words to look for.
    """

    def __init__(self, words: AuditWords) -> None:
        lexicons = words.lexicons
        self._rows = 0
        self._things = {True: 0, False: 0}  # by: in the middle
        self._named = {True: 0, False: 0}
        self._pictures = {True: PictureCounter(), False: PictureCounter()}  # of things in the middle, and elsewhere
        self._all_pictures = PictureCounter()
        self._examples = Examples()

        @cache
        def names(category: str) -> tuple[frozenset[str], tuple[str, ...]]:
            every = lexicons.words(category.lower())
            return frozenset(word for word in every if " " not in word), tuple(word for word in every if " " in word)

        self._names = names

    def see(self, row: ReadCaption) -> None:
        if not row.caption.boxes:
            return
        self._rows += 1
        omits, here = False, {True: 0, False: 0}
        for category, x, y, width, height in row.caption.boxes:
            if width * height < LARGE:
                continue
            middle = _LOW <= x + width / 2 <= _HIGH and _LOW <= y + height / 2 <= _HIGH
            named = self._names_it(category, row)
            self._things[middle] += 1
            here[middle] += 1
            self._named[middle] += named
            omits = omits or not (middle or named)
        self._all_pictures.see(row.caption.image, sum(here.values()))
        for middle, number in here.items():
            self._pictures[middle].see(row.caption.image, number)
        if omits:
            self._examples.add(row.caption.text)

    def findings(self, corpus: WholeCorpus) -> Iterator[AuditFinding]:
        n = sum(self._things.values())
        if not n:
            says = "No boxes of large things were given." if self._rows else "No boxes of things were given."
            yield AuditFinding(check="places-named", bias="place", unit="things", says=says)
            yield AuditFinding(check="places-middle", bias="place", unit="things", says=says)
            return
        yield self._named_where()
        yield self._centred(n)

    def _named_where(self) -> AuditFinding:
        if not all(self._things.values()):
            where = "outside the middle" if self._things[True] else "in the middle"
            says = f"No thing is {where} of a picture, so that nothing can be compared."
            return AuditFinding(check="places-named", bias="place", unit="things", says=says)
        middle, elsewhere = (
            CorpusShare.of(self._named[where], self._things[where], self._pictures[where].per)
            for where in (True, False)
        )
        limit = min(1.0, elsewhere.high + NAMED_MIDDLE)
        status = middle.above(limit, safe=elsewhere.low + NAMED_MIDDLE)
        says = (
            f"Captions name {share(middle.share)} of {counted(middle.n, 'large thing')} in the middle of a picture, and"
            f" {share(elsewhere.share)} of {elsewhere.n:,} elsewhere."
        )
        if status == "found":
            says += " A model can learn to look at the middle alone."
        return finding_of(
            "places-named",
            middle,
            says,
            bias="place",
            unit="things in the middle",
            cause=MIDDLE_ONLY,
            status=status,
            limit=limit,
            examples=tuple(self._examples.kept),
            parts=(middle.part("named in the middle"), elsewhere.part("named elsewhere")),
        )

    def _centred(self, n: int) -> AuditFinding:
        found = CorpusShare.of(self._things[True], n, self._all_pictures.per)
        status = found.above(CENTRED_THINGS)
        says = (
            f"{counted(found.count, 'large thing')} of {n:,} ({share(found.share, (CENTRED_THINGS,))}) have their"
            " center in the middle ninth of the picture."
        )
        if status == "found":
            says += " A model can hardly learn of things elsewhere."
        return finding_of(
            "places-middle",
            found,
            says,
            bias="place",
            unit="things",
            cause=CENTRED,
            status=status,
            limit=CENTRED_THINGS,
        )

    def _names_it(self, category: str, row: ReadCaption) -> bool:
        words, phrases = self._names(category)
        if not words.isdisjoint(row.said):
            return True
        return bool(phrases) and any(f" {phrase} " in f" {' '.join(row.words)} " for phrase in phrases)
