"""The metrics, and the kinds of score that each can be for a model."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Metric = Literal["mlm", "itm", "mrc"]


KINDS = ("masked-lm", "candidates", "match-head", "contrastive", "sigmoid", "ranking", "yes-no", "masked-region")


RELATIVE = frozenset({"contrastive", "ranking"})  # kinds that say nothing of a text but against others


WITH_REGIONS: Mapping[str, str] = MappingProxyType({"mlm": "masked-lm", "itm": "match-head", "mrc": "masked-region"})


DEFAULT_KINDS: Mapping[str, str] = MappingProxyType({"mlm": "masked-lm", "itm": "match-head"})


ANY = "any of the words"  # in the place of a likely word, where a model only compares words


# Of what a score is a share, by metric: where it is hardly anything, the model would rather say something else.
MASSES: Mapping[str, str] = MappingProxyType({"itm": "P(yes) + P(no)", "mlm": f"P({ANY})"})
