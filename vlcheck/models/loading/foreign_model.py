"""A wrapper for models that are foreign code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vlcheck.cases.case import MASK

_OFFERED = (
    "encode", "itm", "mlm", "mrc", "top", "answers", "cased", "sees", "differentiable", "differentiable_for",
    "can_name", "can_spell", "embed_texts", "gap_log_probs", "mm_shap", "contribution_maps",
    "network_code", "setup", "symmetric", "wrappings", "wordings", "in_wording", "cut_thoughts", "begin", "changed",
    "noise", "at_once", "requests",
)  # fmt: skip


class ForeignModel:
    """A model with copies of the wrapped model's attributes.

    They are read once, at load: a property that raises an error later would end the run, not a single verdict. The
    wrapper has those optional methods that the wrapped model has.

    Args:
        model: the model that a factory or a registered family returned.
        kinds: metric -> score kind, for the metrics that it offers.

    Raises:
        Exception: any error of the model's properties.
    """

    mask = MASK

    def __init__(self, model: Any, kinds: Mapping[str, str]) -> None:
        self.name = str(model.name)
        self.fingerprint = str(model.fingerprint)
        self.kinds = dict(kinds)
        self.metrics = frozenset(kinds)
        self.lacks = dict(getattr(model, "lacks", {}))
        for name in _OFFERED:
            if hasattr(model, name):
                setattr(self, name, getattr(model, name))
