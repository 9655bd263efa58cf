"""Pictures: how many are blank, or do not load, although captions are said to match them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from vlcheck._util.numbers import counted, share
from vlcheck.audit.checks.base import CorpusShare, Examples, ReadCaption, WholeCorpus, finding_of
from vlcheck.audit.limits import BLANK_PICTURES
from vlcheck.audit.records import AuditFinding
from vlcheck.audit.sample import HashSample
from vlcheck.cases.tones import is_blank
from vlcheck.errors import UsageError

BLANK = "blank pictures"

State = Literal["shows something", "blank", "does not load"]


class PicturesCheck:
    """Opens a sample of the pictures.

    Args:
        sample: largest number of pictures; between this and half of it are opened and counted.
        seed: seed of the sample.
    """

    def __init__(self, sample: int, seed: int = 0) -> None:
        self._sample: HashSample[tuple[State, str]] = HashSample(sample, seed)
        self._seen = 0

    def see(self, row: ReadCaption) -> None:
        picture = row.caption.picture
        if picture is None:
            return
        self._seen += 1
        place = self._sample.admit(row.caption.image or str(self._seen))
        if place is None or place in self._sample.kept:
            return
        try:
            state: State = "blank" if is_blank(picture()) else "shows something"
        except (UsageError, OSError):
            state = "does not load"
        self._sample.kept[place] = state, row.caption.text
        self._sample.shrink()

    def findings(self, corpus: WholeCorpus) -> Iterator[AuditFinding]:
        states = Counter(state for state, _ in self._sample.values())
        n = states.total()
        if not n:
            says = "No pictures were given."
            yield AuditFinding(check="pictures-blank", bias="modality", unit="pictures", says=says)
            return
        found = CorpusShare.of(n - states["shows something"], n)
        blank = found.low > BLANK_PICTURES
        says = (
            f"{counted(found.count, 'picture')} of {n:,} that were opened ({share(found.share, (BLANK_PICTURES,))}) are"
            f" blank or do not load: {states['blank']:,} and {states['does not load']:,}."
        )
        if blank:
            says += " A model learns that their captions match a picture that shows nothing."
        examples = Examples()
        for state, text in self._sample.values():
            if state != "shows something":
                examples.add(text)
        yield finding_of(
            "pictures-blank",
            found,
            says,
            bias="modality",
            unit="pictures",
            cause=BLANK if blank else "",
            limit=BLANK_PICTURES,
            examples=tuple(examples.kept),
            parts=tuple(CorpusShare.of(states[name], n).part(name) for name in ("blank", "does not load")),
        )
