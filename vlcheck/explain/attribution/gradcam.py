"""Grad-CAM on the blocks of the image encoder."""

from __future__ import annotations

from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.gradients import gradients, outputs_of
from vlcheck.explain.attribution.method import AttributionMethod, Maps
from vlcheck.explain.attribution.objective import objective
from vlcheck.explain.attribution.units import has_units
from vlcheck.models.differentiable import Differentiable, PairInputs


class GradCam(AttributionMethod):
    """The states of the patches after the last vision block, weighted by their mean gradient, where they are positive.

    Source:
        Selvaraju et al. 2017, arXiv:1610.02391, equations 1 and 2.
    """

    name = "gradcam"
    title = "Grad-CAM"
    source = "Selvaraju et al. 2017, arXiv:1610.02391"
    meaning = (
        "How much the features that raise the score are present at a patch of the image encoder's last block;"
        " a patch there has already read the other patches."
    )

    def maps(self, model: Differentiable, inputs: PairInputs) -> Maps:
        if not model.vision_blocks:
            raise NotApplicable(f"Grad-CAM needs the blocks of an image encoder, and {model.name} has none")
        with outputs_of(model.vision_blocks[-1:]) as outputs:
            scores = objective(model, inputs)
        states, slopes = (model.patch_states(one, inputs) for one in (*outputs, *gradients(scores, outputs)))
        own = has_units(inputs)[..., None]
        weights = (slopes * own).sum(1, keepdim=True) / own.sum(1, keepdim=True)
        return Maps(units=(states * weights).sum(-1).relu())
