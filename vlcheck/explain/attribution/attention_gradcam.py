"""Grad-CAM of an attention of text to image, as ALBEF shows it."""

from __future__ import annotations

from torch import Tensor

from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.attention_recorder import AttentionRecorder
from vlcheck.explain.attribution.gradients import gradients
from vlcheck.explain.attribution.method import AttributionMethod, Maps
from vlcheck.explain.attribution.objective import objective
from vlcheck.models.differentiable import Differentiable, PairInputs


class AttentionGradCam(AttributionMethod):
    """Attention of the text's tokens to patches, times its gradient where that is positive: the mean over heads.

    Args:
        layer: the layer, counted from 0 among those with attention of text to image; by default the middle one (the
            lower of two), ALBEF's choice.

    Source:
        Li et al. 2021, arXiv:2107.07651, section 6.5 and its code for visual grounding.
    """

    name = "attention-gradcam"
    title = "Grad-CAM of the cross-attention"
    source = "Li et al. 2021, arXiv:2107.07651"
    meaning = (
        "Where the text's tokens look in one layer of cross-attention, as far as looking there raises the score;"
        " the patches of that layer have already read one another."
    )

    def __init__(self, layer: int | None = None) -> None:
        self.layer = layer

    def maps(self, model: Differentiable, inputs: PairInputs) -> Maps:
        kept = inputs.attention[..., None]
        by_token = self.by_token(model, inputs) * kept
        return Maps(units=by_token.sum(1) / kept.sum(1))

    def by_token(self, model: Differentiable, inputs: PairInputs) -> Tensor:
        """Return the map of each token, (n, tokens, units).

        Args:
            model: the network.
            inputs: n pairs.

        Raises:
            NotApplicable: the network has no attention of text to image.
        """
        module = self._module(model)
        with AttentionRecorder(model.network, module.__eq__) as recorder:
            scores = objective(model, inputs)
        weights = recorder.maps[0].weights
        (slopes,) = gradients(scores, [weights])
        return model.image_keys((weights * slopes.clamp(min=0)).mean(1))

    def _module(self, model: Differentiable) -> str:
        """Return the name of the module that computes the attention."""
        names = [name for name, _ in model.network.named_modules() if model.attention_kind(name) == "cross"]
        if not names:
            raise NotApplicable(
                f"Grad-CAM of the cross-attention needs tokens of the text that attend to patches: {model.name} has none"
            )
        return names[(len(names) - 1) // 2 if self.layer is None else self.layer]
