"""The text of a row that a search on the page compares: its name, its captions and its words."""

from __future__ import annotations

from collections.abc import Iterator

from vlcheck.report.page.escaping import visible
from vlcheck.results.records import EvidenceRecord

_NAME = 200  # characters of a case's name
_CAPTION = 300  # characters of a text that was asked
_LONGEST = 900  # characters altogether


def searched_text(row: EvidenceRecord) -> str:
    r"""Return what a search for a row compares, in small letters, each part once on a line of its own.

    Args:
        row: the row's line in the results.

    Example:
        >>> searched_text(EvidenceRecord(case="7", image=None, perturbed=None, margin=0.1, texts=["A [MASK] bus"],
        ...     targets=["red"], scores=[{"red": 0.9, "blue": 0.1}]))
        '7\na [mask] bus\nred\nblue'
    """
    parts = (visible(part).lower() for part in _parts(row))
    return "\n".join(dict.fromkeys(part for part in parts if part))[:_LONGEST]


def _parts(row: EvidenceRecord) -> Iterator[str]:
    yield row.case[:_NAME]
    yield from (text[:_CAPTION] for text in row.texts)
    yield from row.targets
    yield row.perturbation or ""
    for scores in row.scores or ():
        yield from scores
