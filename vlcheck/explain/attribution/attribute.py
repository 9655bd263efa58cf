"""Explains the scores of pairs of picture and text with an attribution method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.image_map import ImageMap
from vlcheck.explain.attribution.method import AttributionMethod, Maps
from vlcheck.explain.batches import in_batches
from vlcheck.models.differentiable import Differentiable, PairInputs


@dataclass(frozen=True, eq=False)
class Attribution:
    """The contribution of each part of one picture and one text to a score.

    Attributes:
        method: the method's name.
        image: the map over the picture.
        tokens: the tokens of the text as the model reads it.
        special: for each token, True if it stands for no word of the text.
        token_values: one value for each token, (tokens,); None if the method does not explain tokens.
        pixels: the map over the network's input, (height, width), if the method explains single pixels.
        error: the difference between the attributions' sum and what it should be, relative to it; None if there is no
            such sum.

    Example:
        >>> import vlcheck
        >>> picture = vlcheck.open_cases("scenes:1").cases[0].image.open()
        >>> found: Attribution = vlcheck.explain_score("tiny", picture, "a red ball", method="saliency")
        >>> found.tokens, found.image.layout.grid
        (('[CLS]', 'a', 'red', 'ball'), (8, 8))
    """

    method: str
    image: ImageMap
    tokens: tuple[str, ...]
    special: tuple[bool, ...]
    token_values: np.ndarray | None
    pixels: np.ndarray | None = None
    error: float | None = None

    @property
    def is_finite(self) -> bool:
        """True if the map as it is drawn and the values of the tokens are finite."""
        with np.errstate(divide="ignore", invalid="ignore"):  # boxes without an area
            parts = [self.image.grid(), *([] if self.token_values is None else [self.token_values])]
        return all(np.isfinite(part).all() for part in parts)

    @property
    def reason(self) -> str:
        """The reason why there is nothing to draw; "" if there is something."""
        if not self.is_finite:
            return "the map is not finite"
        return "" if self.image.grid().any() else "the map is 0 everywhere"


def attribute(
    model: Differentiable,
    method: AttributionMethod,
    images: Sequence[Image.Image],
    texts: Sequence[str],
    words: Sequence[str] | None = None,
    *,
    batch_size: int = 8,
) -> list[Attribution]:
    """Explain the score of each pair of picture and text. A batch for which there is no memory is halved.

    Args:
        model: the network.
        method: the method.
        images: n RGB images.
        texts: n texts; each with "[MASK]" once if there are words.
        words: for each text the word whose log-probability at the mask is explained; None to explain the match logit.
        batch_size: number of pairs that are explained together; gradients through a full-size network take some 300 MB
            a pair.

    Returns:
        n attributions.

    Raises:
        NotApplicable: the method does not apply to the network, or a text is too long for it.
        UsageError: the vocabulary cannot spell a word.
    """

    def explain(rows: Sequence[int]) -> list[Attribution]:
        asked = None if words is None else [words[row] for row in rows]
        inputs = model.inputs([images[row] for row in rows], [texts[row] for row in rows], asked)
        if asked and not all(inputs.pieces):
            raise NotApplicable(f"{model.name} gives no log-probability of a word")
        return explained(model, [method], inputs)[0]

    batches = in_batches(explain, range(len(images)), batch_size if model.stackable else 1)
    return [one for _, found in batches for one in found]


@torch.enable_grad()
def explained(
    model: Differentiable, methods: Sequence[AttributionMethod], inputs: PairInputs
) -> list[list[Attribution]]:
    """Explain the scores of a batch of pairs by several methods; those that change the maps of one share it.

    Args:
        model: the network.
        methods: the methods.
        inputs: n pairs, all with words or all without.

    Returns:
        For each method n attributions.

    Raises:
        NotApplicable: a method does not apply to the network, or gives fewer values than there are parts.
    """
    bases = {method.base.name: method.base for method in methods}
    computed = {name: base.maps(model, inputs) for name, base in bases.items()}
    return [_attributions(method, inputs, method.changed(computed[method.base.name])) for method in methods]


def _attributions(method: AttributionMethod, inputs: PairInputs, maps: Maps) -> list[Attribution]:
    return [
        Attribution(
            method=method.name,
            image=ImageMap(_values(maps.units[row], len(inputs.layouts[row].boxes), "units"), inputs.layouts[row]),
            tokens=tokens,
            special=tuple(inputs.special[row].tolist()[: len(tokens)]),
            token_values=None if maps.tokens is None else _values(maps.tokens[row], len(tokens), "tokens"),
            pixels=None if maps.pixels is None else _array(maps.pixels[row]),
            error=None if maps.error is None else float(maps.error[row]),
        )
        for row, tokens in enumerate(inputs.tokens)
    ]


def _values(found: Tensor, parts: int, what: str) -> np.ndarray:
    """Return the values of the parts of one input, without those of padding. Raises NotApplicable if some have none.

    Args:
        found: the values, (parts or more,).
        parts: number of parts.
        what: the parts in words.
    """
    if found.ndim != 1 or len(found) < parts:
        raise NotApplicable(f"its values have the shape {tuple(found.shape)}, and there are {parts} {what}")
    values: np.ndarray = _array(found)[:parts]
    return values


def _array(tensor: Tensor) -> np.ndarray:
    array: np.ndarray = tensor.detach().double().cpu().numpy()
    return array
