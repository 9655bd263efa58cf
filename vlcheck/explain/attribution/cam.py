"""Class activation maps."""

from __future__ import annotations

from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.method import AttributionMethod, Maps
from vlcheck.models.differentiable import Differentiable, GloballyPooled, PairInputs


class Cam(AttributionMethod):
    """The terms of a score that is linear in the mean of the patches' states.

    Source:
        Zhou et al. 2016, arXiv:1512.04150, equations 1 and 2.
    """

    name = "cam"
    title = "Class activation map"
    source = "Zhou et al. 2016, arXiv:1512.04150"
    meaning = (
        "The patch's own term in the match logit, for networks that average their patches before a linear layer; a"
        " patch there has already read its surroundings."
    )
    signed = True

    def maps(self, model: Differentiable, inputs: PairInputs) -> Maps:
        if not isinstance(model, GloballyPooled):
            raise NotApplicable(
                "CAM does not apply: it needs a global average pooling followed by a linear layer, and "
                f"{model.name} has none"
            )
        if any(inputs.pieces):
            raise NotApplicable("CAM does not apply to a word: it explains the match logit alone")
        return Maps(units=model.unit_logits(inputs))
