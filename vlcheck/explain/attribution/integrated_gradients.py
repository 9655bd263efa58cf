"""Integrated gradients, by captum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from vlcheck.cases.case import MASK
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.explain.attribution.method import AttributionMethod, Maps
from vlcheck.explain.attribution.objective import score_of_states
from vlcheck.explain.attribution.units import shows_pixels, unit_sums
from vlcheck.models.adapters.base import wide
from vlcheck.models.adapters.differentiable import output_replaced
from vlcheck.models.differentiable import Differentiable, PairInputs

STEPS = 64
_PIXELS = 2**19  # values of a channel in one pass through the network: 8 pictures of 256 x 256
_LEAST = 1e-9  # a change of the score; relative to a smaller one, an error says nothing
_BLUR = 0.1  # standard deviation of the blur, in sides of the picture


class IntegratedGradients(AttributionMethod):
    """The gradients along a straight path from a baseline, times the way: they sum to the change of the score.

    The picture's path begins at the mean color, and the text stays as it is. The path of the tokens begins with all
    words absent (see `Differentiable`); the picture, special tokens and masks stay as they are.

    Args:
        steps: the number of points of a path, the middles of equal parts; the more, the smaller the error.

    Source:
        Sundararajan et al. 2017, arXiv:1703.01365, equations 1 and 3.
    """

    name = "ig"
    title = "Integrated gradients (from the mean color)"
    source = "Sundararajan et al. 2017, arXiv:1703.01365"
    meaning = (
        "What a pixel adds to the score on the way from a picture of the mean color, and a word on the way from no"
        " words; what looks like the baseline gets nothing."
    )
    signed = True

    def __init__(self, steps: int = STEPS) -> None:
        self.steps = steps

    def maps(self, model: Differentiable, inputs: PairInputs) -> Maps:
        pixels = self.over_pixels(model, inputs)
        tokens = self.over_embeddings(model, inputs)
        shown = pixels.values.sum(1) if shows_pixels(inputs) else pixels.values
        return Maps(
            units=unit_sums(shown, inputs),
            tokens=tokens.values.sum(-1) * inputs.attention,
            pixels=shown if shows_pixels(inputs) else None,
            error=(pixels.missed + tokens.missed) / (pixels.change.abs() + tokens.change.abs()).clamp(min=_LEAST),
        )

    def baseline(self, model: Differentiable, inputs: PairInputs) -> Tensor:
        """Return the pixels where the path begins, in the shape of the pairs' pixels: 0, the mean color.

        Args:
            model: the network.
            inputs: n pairs.

        Raises:
            NotApplicable: the network's inputs have no such baseline.
        """
        return torch.zeros_like(inputs.pixels)

    def over_pixels(self, model: Differentiable, inputs: PairInputs) -> IntegratedPath:
        """Return the integrated gradients at the pixels, in their shape.

        Args:
            model: the network.
            inputs: n pairs.
        """
        with torch.no_grad():
            text_states = model.text_states(inputs)

        def scores(pixels: Tensor, rows: Tensor) -> Tensor:
            chosen = replace(inputs[rows.tolist()], pixels=pixels)
            return score_of_states(model, chosen, model.image_states(chosen), text_states[rows])

        return self._integrated(scores, self.baseline(model, inputs), inputs.pixels, _together(inputs))

    def over_embeddings(self, model: Differentiable, inputs: PairInputs) -> IntegratedPath:
        """Return the integrated gradients at the word embeddings, (n, tokens, width).

        Args:
            model: the network.
            inputs: n pairs.
        """
        absent = torch.where(inputs.special | inputs.masks, inputs.ids, model.absent_token)
        with torch.no_grad():
            image_states = model.image_states(inputs)
            start, end = model.word_embeddings(absent), model.word_embeddings(inputs.ids)

        def scores(embeddings: Tensor, rows: Tensor) -> Tensor:
            chosen = inputs[rows.tolist()]
            with output_replaced(model.word_embeddings, embeddings):
                return score_of_states(model, chosen, image_states[rows], model.text_states(chosen))

        return self._integrated(scores, start, end, _together(inputs))

    def _integrated(
        self, scores: Callable[[Tensor, Tensor], Tensor], start: Tensor, end: Tensor, together: int
    ) -> IntegratedPath:
        """Integrate the gradients of scores along the path from start to end.

        Args:
            scores: returns a score for each row of a tensor; it also gets the number of the pair of each row.
            start: (n, ...).
            end: (n, ...).
            together: the number of points that are computed together.
        """
        rows = torch.arange(len(end), device=end.device)
        values = (
            _captum()
            .IntegratedGradients(scores)
            .attribute(
                end,
                start,
                additional_forward_args=rows,
                n_steps=self.steps,
                method="riemann_middle",
                internal_batch_size=max(together, len(end)),
            )
        )
        with torch.no_grad():
            change = scores(end, rows) - scores(start, rows)
        return IntegratedPath(values, change)


class IntegratedGradientsFromBlack(IntegratedGradients):
    """Integrated gradients of which the picture's path begins in black."""

    name = "ig-black"
    title = "Integrated gradients (from black)"
    meaning = (
        "What a pixel adds to the score on the way from a black picture, and a word on the way from no words; black"
        " things get nothing."
    )

    def baseline(self, model: Differentiable, inputs: PairInputs) -> Tensor:
        _demand_pixels(model, inputs)
        asked = ([MASK], ["a"]) if any(inputs.pieces) else (["a"],)
        black = model.inputs([Image.new("RGB", (64, 64))], *asked).pixels
        height, width = black.shape[2:]
        return black[:, :, height // 2, width // 2, None, None].expand_as(inputs.pixels)


class IntegratedGradientsFromBlur(IntegratedGradients):
    """Integrated gradients of which the picture's path begins with the picture, blurred."""

    name = "ig-blurred"
    title = "Integrated gradients (from the blurred picture)"
    meaning = (
        "What a pixel adds to the score on the way from the blurred picture, and a word on the way from no words; large"
        " smooth areas get nothing."
    )

    def baseline(self, model: Differentiable, inputs: PairInputs) -> Tensor:
        _demand_pixels(model, inputs)
        from torchvision.transforms.functional import gaussian_blur  # takes two seconds

        spread = _BLUR * min(inputs.pixels.shape[2:])
        pixels = wide(inputs.pixels)  # on a CPU, torch takes minutes to blur in half precision
        blurred: Tensor = gaussian_blur(pixels, [2 * round(2 * spread) + 1] * 2, [spread] * 2)
        return blurred.to(inputs.pixels)


@dataclass(frozen=True, eq=False)
class IntegratedPath:
    """The integrated gradients along a path.

    Attributes:
        values: (n, ...).
        change: the change of the score along the path, (n,).
    """

    values: Tensor
    change: Tensor

    @property
    def missed(self) -> Tensor:
        """By how much the values miss the change, (n,)."""
        return (self.values.flatten(1).sum(1) - self.change).abs()


def _together(inputs: PairInputs) -> int:
    """Return for how many pairs there is memory in one pass with gradients."""
    return 1 + _PIXELS // (inputs.pixels[0].numel() // 3)


def _demand_pixels(model: Differentiable, inputs: PairInputs) -> None:
    """Raise NotApplicable unless the network takes pictures."""
    if not shows_pixels(inputs):
        raise NotApplicable(f"{model.name} takes no pixels that could be black or blurred; take ig")


def _captum() -> Any:
    try:
        return import_module("captum.attr")
    except ImportError as error:
        raise UsageError(
            'integrated gradients need captum, of the extra explain: python -m pip install "vlcheck[explain]".'
        ) from error
