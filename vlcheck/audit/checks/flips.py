"""Flips: how many captions a mirrored picture makes false, and whether the recipe mirrors."""

from __future__ import annotations

from collections.abc import Iterator

from vlcheck._util.numbers import counted, share
from vlcheck.audit.checks.base import NO_RECIPE, CorpusShare, WholeCorpus, finding_of
from vlcheck.audit.limits import FALSE_FLIPS
from vlcheck.audit.records import AuditFinding

UNWORDED, TURNED = "flips without their words", "turns without their words"


def flip_findings(sided: int, examples: tuple[str, ...], corpus: WholeCorpus) -> Iterator[AuditFinding]:
    """Yield the finding on captions that name a side, which are false of a mirrored picture.

    Args:
        sided: number of captions that name a side, in this sense.
        examples: some of them.
        corpus: the whole corpus.
    """
    found = CorpusShare.of(sided, corpus.captions, corpus.per)
    status = corpus.in_recipe("flip", found.above(FALSE_FLIPS))
    says = f"A mirrored picture makes {counted(sided, 'caption')} false ({share(found.share, (FALSE_FLIPS,))})."
    if status == "found":
        says += (
            " The recipe mirrors pictures and leaves their captions as they are, so that these are false half the time."
        )
    elif "flip" in corpus.augment:
        says += " The recipe mirrors pictures, and too few captions name a side for that to be known to matter."
    elif "flip-words" in corpus.augment:
        says += " The recipe mirrors pictures together with the words for their sides."
    elif corpus.augment:
        says += " No augmentation of the recipe mirrors pictures."
    else:
        says += f" {NO_RECIPE}"
    yield finding_of(
        "flips",
        found,
        says,
        bias="position",
        cause=UNWORDED,
        status=status,
        limit=FALSE_FLIPS if "flip" in corpus.augment else None,
        examples=examples,
    )
