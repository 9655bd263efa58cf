"""The base class of wrappers: models that ask another model, and change its answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, cast

from vlcheck._util.hashing import digest
from vlcheck.cases.case import MASK
from vlcheck.errors import NotApplicable
from vlcheck.metrics.itm import Rewords
from vlcheck.metrics.registry import OF_MODELS
from vlcheck.models.differentiable import Differentiable
from vlcheck.models.protocol import MayChange, VisionLanguageModel, Wrapping, sees_pictures, wrappings_of
from vlcheck.models.setup import Setup, setup_of


class Wrapper:
    """A model that asks another one.

    A subclass sets the class attributes, and defines `encode` and the methods of its metrics.

    Args:
        model: the model that is asked.
        kinds: metric -> kind of the changed score.
        settings: all else that decides a score.
        lacks: metric -> reason, for metrics of the model that the wrapper does not offer.

    Attributes:
        title: the name before the colon in a spec.
        version: a part of the fingerprint; raise it when the scores change.
        says: a sentence without a full stop about the effect of the wrapper.
        why_no_gradients: the reason why explanations are refused.
    """

    title: ClassVar[str]
    version: ClassVar[int]
    says: ClassVar[str]
    why_no_gradients: ClassVar[str]
    kinds: Mapping[str, str] = dict.fromkeys(OF_MODELS, "as wrapped")  # what `vlcheck models` lists
    mask = MASK

    def __init__(
        self,
        model: VisionLanguageModel,
        kinds: Mapping[str, str],
        settings: tuple[str, ...] = (),
        lacks: Mapping[str, str] | None = None,
    ) -> None:
        self.model = model
        self.name = f"{self.title}:{model.name}"
        self.fingerprint = digest(self.title, str(self.version), *settings, model.fingerprint)
        self.kinds = dict(kinds)
        self.metrics = frozenset(kinds)
        self.lacks = {**getattr(model, "lacks", {}), **(lacks or {})}
        self.cased = bool(getattr(model, "cased", True))
        self.sees = sees_pictures(model)
        if isinstance(model, Rewords):
            self.wordings, self.in_wording = model.wordings, cache(self._in_wording)
        if isinstance(model, MayChange):  # else the wrapper must not have the method
            self.changed = model.changed
        self.wrappings = (Wrapping(self.title, self.says, model.name, model.fingerprint), *wrappings_of(model))

    def setup(self) -> Setup:
        """Return the setup of the model that is asked."""
        return setup_of(self.model)

    def _in_wording(self, wording: str) -> VisionLanguageModel:
        """Return the wrapper of the model in a wording of its question; it reads what this wrapper has encoded."""
        if not isinstance(self.model, Rewords):
            raise TypeError(f"{self.model.name} has one wording of its question alone")
        return cast(VisionLanguageModel, cast(Any, type(self))(self.model.in_wording(wording)))

    def differentiable(self) -> Differentiable:
        """Refuse explanations. Raises NotApplicable with the reason, and the model that can be explained."""
        raise NotApplicable(f"{self.name} gives no gradients: {self.why_no_gradients}; explain {self.model.name}")
