"""Grad-CAM of an attention of text to image, as ALBEF shows it."""

from __future__ import annotations

from torch import Tensor

from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.attention_recorder import AttentionRecorder
from vlcheck.explain.attribution.gradients import gradients
from vlcheck.explain.attribution.keys import token_keys
from vlcheck.explain.attribution.method import AttributionMethod, Maps
from vlcheck.explain.attribution.objective import objective
from vlcheck.models.differentiable import AttentionKind, Differentiable, PairInputs

_KINDS: tuple[AttentionKind, ...] = ("cross", "query", "joint")  # of several, the first is the one that fuses


class AttentionGradCam(AttributionMethod):
    """Attention of the text's tokens to patches, times its gradient where that is positive: the mean over heads.

    A map is the mean over the tokens of the text, as in ALBEF's code for visual grounding.

    Args:
        layer: the layer, counted from 0 among those with attention of text to image; by default the middle one, or the
            lower of two in the middle: layer 8 of ALBEF, which its authors chose.

    Source:
        Li et al. 2021, arXiv:2107.07651, section 6.5.
    """

    name = "attention-gradcam"
    title = "Grad-CAM of the cross-attention"
    source = "Li et al. 2021, arXiv:2107.07651"
    meaning = (
        "Where the text's tokens look in one layer of attention, as far as looking there raises the score;"
        " a patch in that layer has already read the other patches."
    )

    def __init__(self, layer: int | None = None) -> None:
        self.layer = layer

    def maps(self, model: Differentiable, inputs: PairInputs) -> Maps:
        kind, seen = self._seen(model, inputs)
        kept = seen.new_ones(seen.shape[:2]) if kind == "query" else inputs.attention
        return Maps(units=(seen * kept[..., None]).sum(1) / kept.sum(1, keepdim=True))

    def by_token(self, model: Differentiable, inputs: PairInputs) -> Tensor:
        """Return the map of each token, or of each of the queries that read the image, (n, tokens, units).

        Args:
            model: the network.
            inputs: n pairs.

        Raises:
            NotApplicable: the network has no attention of text to image.
        """
        return self._seen(model, inputs)[1]

    def _seen(self, model: Differentiable, inputs: PairInputs) -> tuple[AttentionKind, Tensor]:
        """Return the kind of the layer's attention, and the map of each of its rows that is no patch."""
        kind, weights, scores = self._attention(model, inputs)
        (slopes,) = gradients(scores, [weights])
        seen = (weights.detach() * slopes.clamp(min=0)).mean(1)
        if kind == "joint":
            seen = token_keys(model, seen.mT, inputs).mT
        return kind, model.image_keys(seen, kind, inputs)

    def _attention(self, model: Differentiable, inputs: PairInputs) -> tuple[AttentionKind, Tensor, Tensor]:
        """Return the kind and the weights of the layer's attention, and the scores that come of it."""
        with AttentionRecorder(model.network, lambda name: model.attention_kind(name) in _KINDS) as recorder:
            scores = objective(model, inputs)
        for kind in _KINDS:
            layers = [one.weights for one in recorder.maps if model.attention_kind(one.module) == kind]
            if layers:
                return kind, layers[(len(layers) - 1) // 2 if self.layer is None else self.layer], scores
        raise NotApplicable(
            f"Grad-CAM of the cross-attention needs tokens of the text that attend to patches: {model.name} has none"
        )
