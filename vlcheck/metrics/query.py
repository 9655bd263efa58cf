"""The smallest question to a model, and its key in the score store."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from vlcheck._util.hashing import digest
from vlcheck.cases.picture import Picture
from vlcheck.metrics.kinds import Metric


@dataclass(frozen=True, slots=True)  # memory: a plan has all queries of a run
class Query:
    """One question to a model.

    Attributes:
        metric: "mlm": the probability of each of `words` at the mask; "itm": that picture and text match; "mrc": the
            probability of each of `words` as the class of the regions that were removed from the picture.
        picture: the picture that is shown.
        text: the text that is read; has "[MASK]" once for mlm, and may have it for mrc.
        words: mlm, mrc: the words asked for; itm: foils, for models that only compare texts.
        wording: itm: the wording in which a model is asked that answers a question; "" for its usual one.
    """

    metric: Metric
    picture: Picture
    text: str
    words: tuple[str, ...] = ()
    wording: str = ""
    _key: str = field(default="", init=False, repr=False, compare=False)

    @property
    def key(self) -> str:
        """The digest of everything that decides the answer, apart from the model."""
        if not self._key:
            metric = f"{self.metric} in words: {self.wording}" if self.wording else self.metric
            object.__setattr__(self, "_key", digest(metric, self.picture.key, self.text, *self.words))
        return self._key

    def in_wording(self, wording: str) -> Query:
        """Return the same query in a wording."""
        return replace(self, wording=wording)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Query) and self.key == other.key
