"""The metrics, and the kinds of score that a model can give for each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Metric = Literal["mlm", "itm", "mrc"]


KINDS = ("masked-lm", "candidates", "match-head", "contrastive", "sigmoid", "ranking", "yes-no", "masked-region")


RELATIVE = frozenset({"contrastive", "ranking"})  # kinds whose score of a text is defined only among other texts


WITH_REGIONS: Mapping[str, str] = MappingProxyType({"mlm": "masked-lm", "itm": "match-head", "mrc": "masked-region"})


DEFAULT_KINDS: Mapping[str, str] = MappingProxyType({"mlm": "masked-lm", "itm": "match-head"})


ANY = "any of the words"  # stands for all compared words together, for a model that only compares words


# Metric -> the probability that its score is a share of: if that is low, the model prefers quite another answer.
MASSES: Mapping[str, str] = MappingProxyType({"itm": "P(yes) + P(no)", "mlm": f"P({ANY})"})
