"""The interface of the checks, and the making of their findings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from vlcheck.audit.intervals import share_interval
from vlcheck.audit.records import AuditFinding, AuditPart

if TYPE_CHECKING:
    from vlcheck.audit.caption import Caption

EXAMPLES, LONGEST = 5, 300  # captions of a finding, and characters of each


class ReadCaption(NamedTuple):
    """A caption, split into words.

    Attributes:
        caption: the row of the corpus.
        words: its words in lower case.
        said: the same words as a set.
    """

    caption: Caption
    words: list[str]
    said: set[str]


@dataclass(frozen=True)
class WholeCorpus:
    """The corpus as a whole, after all captions were read.

    Attributes:
        captions: number of captions.
        pictures: number of distinct pictures; 0 if none is named.
        augment: the augmentations of the recipe.
    """

    captions: int
    pictures: int = 0
    augment: frozenset[str] = frozenset()

    @property
    def per(self) -> float:
        """The mean number of captions of a picture; 1 if no picture is named."""
        return max(1.0, self.captions / self.pictures) if self.pictures else 1.0


class Check(Protocol):
    """A check: it sees each caption of a corpus once, and then states its findings."""

    def see(self, row: ReadCaption) -> None:
        """Count a caption."""

    def findings(self, corpus: WholeCorpus) -> Iterator[AuditFinding]:
        """Yield the findings, after all captions were seen."""


@dataclass
class Examples:
    """The first few different captions of a kind.

    Attributes:
        kept: the captions, cut to a few hundred characters.
    """

    kept: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Keep a caption, unless there are enough."""
        if len(self.kept) < EXAMPLES and (shown := cut(text)) not in self.kept:
            self.kept.append(shown)


def cut(text: str) -> str:
    """Return a caption, without its end if it is long."""
    shown = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return shown.encode("utf-8", "replace").decode("utf-8")  # JSON holds no halves of characters


@dataclass(frozen=True)
class CorpusShare:
    """A share of a corpus with its interval.

    Attributes:
        count: number of units with a property.
        n: number of units, above 0.
        low: lower end of the interval.
        high: upper end of the interval.
    """

    count: int
    n: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share itself, count / n."""
        return self.count / self.n

    @classmethod
    def of(cls, count: int, n: int, per: float = 1.0) -> CorpusShare:
        """Return a share with its interval.

        Args:
            count: number of units with a property.
            n: number of units, above 0.
            per: mean number of units of a picture.
        """
        return cls(count, n, *share_interval(count, n, per))

    def part(self, name: str, base: float | None = None) -> AuditPart:
        """Return it as a part of a finding.

        Args:
            name: the part's name.
            base: the share that would be expected otherwise.
        """
        return AuditPart(name=name, n=self.n, count=self.count, low=self.low, high=self.high, base=base)


def finding_of(
    check: str,
    share: CorpusShare,
    says: str,
    *,
    bias: str = "",
    unit: str = "captions",
    cause: str = "",
    limit: float | None = None,
    examples: tuple[str, ...] = (),
    parts: tuple[AuditPart, ...] = (),
) -> AuditFinding:
    """Return a finding.

    Args:
        check: its name.
        share: the measured share.
        says: the finding as a sentence.
        bias: the bias that it bears on.
        unit: the thing that is counted.
        cause: the cause that it names.
        limit: the share beyond which it names a cause.
        examples: captions.
        parts: shares of its parts.
    """
    return AuditFinding(
        check=check,
        bias=bias,
        cause=cause,
        unit=unit,
        n=share.n,
        count=share.count,
        share=share.share,
        low=share.low,
        high=share.high,
        limit=limit,
        says=says,
        examples=examples,
        parts=parts,
    )
