"""The interface of the checks, and the making of their findings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from vlcheck.audit.intervals import share_interval
from vlcheck.audit.records import AuditFinding, AuditPart, FindingStatus

if TYPE_CHECKING:
    from vlcheck.audit.caption import Caption

NO_RECIPE = "No recipe was given (--augment), so that it is not known what this does."
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
        per: number of captions of the same picture, in the mean over all captions.
        augment: the augmentations of the recipe; empty if no recipe was given.
    """

    captions: int
    per: float = 1.0
    augment: frozenset[str] = frozenset()

    def in_recipe(self, name: str, status: FindingStatus) -> FindingStatus:
        """Return the status of a cause that only a recipe with an augmentation can have.

        Args:
            name: the augmentation.
            status: the status if the recipe has it.
        """
        if name in self.augment:
            return status
        return "not found" if self.augment else "not examined"


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
            per: number of units of the same picture, in the mean over all units.
        """
        return cls(count, n, *share_interval(count, n, per))

    def above(self, limit: float, safe: float | None = None) -> FindingStatus:
        """Return whether there is a cause in a share above a limit; the interval decides.

        Args:
            limit: the share beyond which the whole interval has to lie for a cause.
            safe: the share within which it has to lie for none, if it is another one.
        """
        if self.low > limit:
            return "found"
        return "not found" if self.high <= (limit if safe is None else safe) else "inconclusive"

    def below(self, limit: float) -> FindingStatus:
        """Return whether there is a cause in a share below a limit; the interval decides."""
        if self.high < limit:
            return "found"
        return "not found" if self.low >= limit else "inconclusive"

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
    status: FindingStatus = "",
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
        cause: the cause that it can name; it does if the status is "found".
        status: whether it does; "" if it never names one.
        limit: the share beyond which it names a cause.
        examples: captions.
        parts: shares of its parts.
    """
    return AuditFinding(
        check=check,
        bias=bias,
        cause=cause if status == "found" else "",
        status=status,
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
