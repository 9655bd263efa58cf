"""Gradient saliency."""

from __future__ import annotations

from vlcheck.explain.attribution.gradients import InputGradients, input_gradients
from vlcheck.explain.attribution.method import AttributionMethod, Maps
from vlcheck.explain.attribution.units import shows_pixels, unit_sums
from vlcheck.models.differentiable import Differentiable, PairInputs


class Saliency(AttributionMethod):
    """The size of the score's gradient: at a pixel, the largest over its channels; at a token, the norm.

    Source:
        Simonyan et al. 2013, arXiv:1312.6034, section 3.1.
    """

    name = "saliency"
    title = "Gradient saliency"
    source = "Simonyan et al. 2013, arXiv:1312.6034"
    meaning = (
        "How fast the score changes with a small change of a pixel or a token's embedding;"
        " not how much of the score is due to it."
    )

    def maps(self, model: Differentiable, inputs: PairInputs) -> Maps:
        found = self.gradients(model, inputs)
        pixels = found.pixels.abs()
        pixels = pixels.amax(1) if shows_pixels(inputs) else pixels
        return Maps(
            units=unit_sums(pixels, inputs),
            tokens=found.embeddings.norm(dim=-1) * inputs.attention,
            pixels=pixels if shows_pixels(inputs) else None,
        )

    def gradients(self, model: Differentiable, inputs: PairInputs) -> InputGradients:
        """Return the gradients whose size is the map.

        Args:
            model: the network.
            inputs: n pairs.
        """
        return input_gradients(model, inputs)
