"""The interface of an attribution method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from vlcheck.models.differentiable import Differentiable, PairInputs


@dataclass(frozen=True, eq=False)
class Maps:
    """The attributions of a batch of n pairs.

    Attributes:
        units: (n, units): one value for each patch or region, in the order of the pairs' layouts; columns beyond a
            layout are padding.
        tokens: (n, tokens): one value for each token; padding has 0. None if the method does not explain tokens.
        pixels: (n, height, width) over the network's input, if the method explains single pixels.
        error: (n,): the difference between the attributions' sum and what it should be, relative to it; None for a
            method whose attributions have no such sum.
    """

    units: Tensor
    tokens: Tensor | None = None
    pixels: Tensor | None = None
    error: Tensor | None = None


class AttributionMethod(ABC):
    """A method that says how much each patch and each token contributes to a score.

    Attributes:
        name: its identifier on the command line, e.g. "gradcam".
        title: its name in reports, e.g. "Grad-CAM".
        source: the paper.
        meaning: one sentence for reports: what a value is, and what the method is not.
        signed: True if values below 0 speak against the score.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    meaning: ClassVar[str]
    signed: ClassVar[bool] = False

    @property
    def base(self) -> AttributionMethod:
        """The method whose maps this one changes; itself if it computes its own."""
        return self

    def changed(self, maps: Maps) -> Maps:
        """Return the maps of the base as this method shows them."""
        return maps

    @abstractmethod
    def maps(self, model: Differentiable, inputs: PairInputs) -> Maps:
        """Explain the score of each pair. See `vlcheck.explain.attribution.objective.objective`.

        Args:
            model: the network; torch's gradient mode is on.
            inputs: n pairs, all with words or all without.

        Raises:
            NotApplicable: the method needs a part that the network does not have; the message names it.
        """
