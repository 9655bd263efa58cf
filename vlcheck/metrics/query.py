"""The smallest question to a model, and its key in the score store."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from vlcheck._util.hashing import digest
from vlcheck.cases.picture import Picture
from vlcheck.metrics.kinds import Metric


@dataclass(frozen=True)
class Query:
    """One question to a model.

    Attributes:
        metric: "mlm": the probability of each of `words` at the mask; "itm": that picture and text match; "mrc": the
            probability of each of `words` as the class of the regions that were removed from the picture.
        picture: the picture that is shown.
        text: the text that is read; has "[MASK]" once for mlm, and may have it for mrc.
        words: mlm, mrc: the words asked for; itm: foils, for models that only compare texts.
    """

    metric: Metric
    picture: Picture
    text: str
    words: tuple[str, ...] = ()

    @cached_property
    def key(self) -> str:
        """The digest of everything that decides the answer, apart from the model."""
        return digest(self.metric, self.picture.key, self.text, *self.words)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Query) and self.key == other.key
