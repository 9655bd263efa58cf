"""Deletion and insertion curves: the score as the parts of a pair leave or enter it in the order of an attribution.

Source: Petsiuk, Das and Saenko 2018, "RISE", arXiv:1806.07421, section 4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from vlcheck.explain.attribution.attribute import Attribution
from vlcheck.explain.attribution.units import grid_of, shows_pixels
from vlcheck.models.differentiable import Differentiable, PairInputs

STEPS = 16
BATCH = 64
Keep = Callable[[PairInputs, Tensor], PairInputs]  # from pairs and the parts that stay to pairs without the others


@dataclass(frozen=True, eq=False)
class Curves:
    """The scores of n pairs, P(match) or P(word), as parts leave or enter them, the highest ones first.

    Attributes:
        deletion: (n, steps + 1): from all parts to none.
        insertion: (n, steps + 1): from no part to all.
    """

    deletion: np.ndarray
    insertion: np.ndarray

    @property
    def deletion_areas(self) -> np.ndarray:
        """The area under each deletion curve over [0, 1], (n,): the smaller, the more the highest parts matter."""
        return _areas(self.deletion)

    @property
    def insertion_areas(self) -> np.ndarray:
        """The area under each insertion curve over [0, 1], (n,): the larger, the more the highest parts matter."""
        return _areas(self.insertion)


def deletion_insertion(
    model: Differentiable,
    inputs: PairInputs,
    attributions: Sequence[Attribution],
    *,
    steps: int = STEPS,
    batch_size: int = BATCH,
) -> Curves:
    """Return the curves of patches or regions, which become 0, the mean color; the text stays whole.

    Args:
        model: the network.
        inputs: n pairs, all with words or all without.
        attributions: the attributions of their scores.
        steps: number of steps from the whole picture to none of it.
        batch_size: number of pairs in a forward pass.
    """
    rows = [one.image.values for one in attributions]
    width = max(map(len, rows)) if shows_pixels(inputs) else inputs.pixels.shape[1]
    values, there = _padded(rows, width)
    return _curves(model, inputs, _ranks(values, there), keep_units, steps, batch_size)


def token_deletion_insertion(
    model: Differentiable,
    inputs: PairInputs,
    attributions: Sequence[Attribution],
    *,
    steps: int = STEPS,
    batch_size: int = BATCH,
) -> Curves:
    """Return the curves of tokens, which become the absent token; picture, special tokens and masks stay whole.

    Args:
        model: the network.
        inputs: n pairs, all with words or all without.
        attributions: the attributions of their scores, with values of tokens.
        steps: number of steps from the whole text to none of it.
        batch_size: number of pairs in a forward pass.
    """
    rows = [one.token_values for one in attributions if one.token_values is not None]
    values, there = _padded(rows, inputs.ids.shape[1])
    words = there & ~(inputs.special | inputs.masks).cpu()
    keep = partial(keep_tokens, absent_token=model.absent_token)
    return _curves(model, inputs, _ranks(values, words), keep, steps, batch_size)


def keep_units(inputs: PairInputs, kept: Tensor) -> PairInputs:
    """Return pairs whose other patches or regions are 0, the mean color.

    Args:
        inputs: n pairs.
        kept: True at the patches or regions that stay, (n, units).

    Raises:
        NotApplicable: the patches of a picture do not lie in a grid.
    """
    if not shows_pixels(inputs):
        return replace(inputs, pixels=inputs.pixels.masked_fill(~kept[..., None], 0))
    shown = interpolate(kept.reshape(len(kept), 1, *grid_of(inputs)).float(), inputs.pixels.shape[-2:]).bool()
    return replace(inputs, pixels=inputs.pixels.masked_fill(~shown, 0))


def keep_tokens(inputs: PairInputs, kept: Tensor, *, absent_token: int) -> PairInputs:
    """Return pairs whose other tokens are absent; their attention stays.

    Args:
        inputs: n pairs.
        kept: True at the tokens that stay, (n, tokens).
        absent_token: the id that takes the place of the others.
    """
    return replace(inputs, ids=inputs.ids.masked_fill(~kept, absent_token))


@dataclass(frozen=True, eq=False)
class _Ranks:
    """The order in which the parts of n pairs leave.

    Attributes:
        places: (n, parts): 0 for the part that leaves first, 1 for the next one.
        counts: number of parts that leave at all, (n, 1); the others have places from there on.
    """

    places: Tensor
    counts: Tensor

    def gone(self, step: int, steps: int) -> Tensor:
        """Return True at the parts that are gone after a step, (n, parts)."""
        return self.places * steps < step * self.counts


def _padded(rows: Sequence[np.ndarray], width: int) -> tuple[Tensor, Tensor]:
    """Return rows of values, (n, width), with zeros at their ends, and True where there are values."""
    lengths = torch.tensor([len(row) for row in rows])
    values = [np.pad(row, (0, width - len(row))) for row in rows]
    return torch.from_numpy(np.stack(values)), torch.arange(width) < lengths[:, None]


def _ranks(values: Tensor, leaving: Tensor) -> _Ranks:
    """Return the order of parts by their values, the highest first; parts that do not leave come last."""
    order = values.masked_fill(~leaving, -torch.inf).argsort(dim=1, descending=True, stable=True)
    return _Ranks(order.argsort(dim=1), leaving.sum(1, keepdim=True))


@torch.no_grad()
def _curves(
    model: Differentiable, inputs: PairInputs, ranks: _Ranks, keep: Keep, steps: int, batch_size: int
) -> Curves:
    gone = torch.stack([ranks.gone(step, steps) for step in range(steps + 1)], dim=1)
    whole = ~gone[:, -1:]  # the parts that never leave
    kept = torch.cat([~gone, gone | whole], dim=1)  # deletion, then insertion
    asked = [(pair, shown) for pair, coalitions in enumerate(kept) for shown in coalitions]
    scores = []
    for start in range(0, len(asked), batch_size):
        pairs, shown = zip(*asked[start : start + batch_size], strict=True)
        scores.append(_probabilities(model, keep(inputs[pairs], torch.stack(shown).to(inputs.ids.device))))
    found = torch.cat(scores).double().cpu().reshape(len(inputs), 2, steps + 1).numpy()
    return Curves(found[:, 0], found[:, 1])


def _probabilities(model: Differentiable, inputs: PairInputs) -> Tensor:
    """Return P(word) of each pair at its masks, or else P(match), (n,)."""
    image_states, text_states = model.image_states(inputs), model.text_states(inputs)
    if any(inputs.pieces):
        return model.word_log_probs(inputs, image_states, text_states).exp()
    return model.match_logits(inputs, image_states, text_states).softmax(-1)[:, 1]


def _areas(curves: np.ndarray) -> np.ndarray:
    areas: np.ndarray = np.trapezoid(curves, dx=1 / (curves.shape[1] - 1), axis=1)
    return areas
