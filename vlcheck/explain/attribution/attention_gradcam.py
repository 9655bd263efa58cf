"""Grad-CAM of an attention of text to image, as ALBEF shows it."""

from __future__ import annotations

from dataclasses import dataclass

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
        layer = self._layer(model, inputs)
        seen = layer.by_reader(model, inputs)
        counted = seen.new_ones(seen.shape[:2]) if layer.kind == "query" else inputs.attention
        return Maps(units=(seen * counted[..., None]).sum(1) / counted.sum(1, keepdim=True))

    def by_token(self, model: Differentiable, inputs: PairInputs) -> Tensor:
        """Return the map of each token, or of each of the queries that read the image, (n, tokens, units).

        Args:
            model: the network.
            inputs: n pairs.

        Raises:
            NotApplicable: the network has no attention of text to image.
        """
        return self._layer(model, inputs).by_reader(model, inputs)

    def _layer(self, model: Differentiable, inputs: PairInputs) -> _Layer:
        with AttentionRecorder(model.network, lambda name: model.attention_kind(name) in _KINDS) as recorder:
            scores = objective(model, inputs)
        for kind in _KINDS:
            layers = [one.weights for one in recorder.maps if model.attention_kind(one.module) == kind]
            if layers:
                weights = layers[(len(layers) - 1) // 2 if self.layer is None else self.layer]
                return _Layer(kind, weights.detach(), *gradients(scores, [weights]))
        raise NotApplicable(
            f"Grad-CAM of the cross-attention needs tokens of the text that attend to patches: {model.name} has none"
        )


@dataclass(frozen=True, eq=False)
class _Layer:
    """The attention of one layer, (n, heads, queries, keys).

    Attributes:
        kind: the kind of attention.
        weights: its weights.
        slopes: the gradients of the scores at the weights.
    """

    kind: AttentionKind
    weights: Tensor
    slopes: Tensor

    def by_reader(self, model: Differentiable, inputs: PairInputs) -> Tensor:
        """Return the map of each token or query that reads the image, (n, readers, units).

        Args:
            model: the network.
            inputs: the n pairs.
        """
        seen = (self.weights * self.slopes.clamp(min=0)).mean(1)
        if self.kind == "joint":
            seen = token_keys(model, seen.mT, inputs).mT
        return model.image_keys(seen, self.kind, inputs)
