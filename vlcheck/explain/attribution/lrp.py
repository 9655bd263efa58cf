"""Layer-wise relevance propagation (LRP) with its rules of 2015, extended for attention and layer normalisation."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.gradients import gradients
from vlcheck.explain.attribution.lrp_rules import RelevanceRules
from vlcheck.explain.attribution.method import AttributionMethod, Maps
from vlcheck.explain.attribution.objective import objective
from vlcheck.explain.attribution.units import shows_pixels, unit_sums
from vlcheck.models.differentiable import Differentiable, PairInputs

EPSILON = 1e-6


class Lrp(AttributionMethod):
    """Relevance at the pixels and at the word embeddings.

    The relevance of pixels, word embeddings, and of all terms that depend on neither (biases, position embeddings, CLS
    tokens, the entropy of a word's log-probability) sums to the score. `Maps.error` is the part of the score that the
    three sums miss, each of them computed on its own.

    Args:
        epsilon: the stabiliser of the epsilon rule, 0 or more.

    Source:
        Bach et al. 2015, doi:10.1371/journal.pone.0130140, equations 56 to 59; attention weights and standard
        deviations are constant as in Ali et al. 2022, arXiv:2202.07304.
    """

    name = "lrp"
    title = "LRP"
    source = "Bach et al. 2015; Ali et al. 2022"
    meaning = (
        "The share of the score that is passed back to a pixel or a token, layer by layer, in proportion to the terms"
        " of each sum; what attention looks at is taken as given."
    )
    signed = True

    def __init__(self, epsilon: float = EPSILON) -> None:
        self.epsilon = epsilon

    def maps(self, model: Differentiable, inputs: PairInputs) -> Maps:
        pixels = inputs.pixels.detach().requires_grad_()
        words = model.word_embeddings(inputs.ids).detach().requires_grad_()
        scores, absorbed = self._scores(model, replace(inputs, pixels=pixels), words)
        slopes = gradients(scores, (pixels, words))
        at_pixels, at_words = (one.detach() * slope for one, slope in zip((pixels, words), slopes, strict=True))
        shown = at_pixels.sum(1) if shows_pixels(inputs) else at_pixels
        found = at_pixels.flatten(1).sum(1) + at_words.flatten(1).sum(1) + absorbed
        return Maps(
            units=unit_sums(shown, inputs),
            tokens=at_words.sum(2),
            pixels=shown if shows_pixels(inputs) else None,
            error=(found - scores.detach()).abs() / scores.detach().abs(),
        )

    def _scores(self, model: Differentiable, inputs: PairInputs, words: Tensor) -> tuple[Tensor, Tensor]:
        """Return the score of each pair, and how much of it the terms absorb that do not depend on the input."""
        sinks = torch.ones((), dtype=inputs.pixels.dtype, device=inputs.pixels.device, requires_grad=True)
        with RelevanceRules(sinks, self.epsilon), sdpa_kernel(SDPBackend.MATH):  # no other kernel has two derivatives
            scores = objective(model, inputs, words)
        if not scores.requires_grad:
            raise NotApplicable("lrp has no rule for a score that is a product of parts of picture and text")
        return scores, slope_by_row(scores, sinks)


def slope_by_row(scores: Tensor, factor: Tensor) -> Tensor:
    """Return the derivative of each score by a factor that all of them share, (n,).

    Args:
        scores: (n,).
        factor: ().
    """
    weights = torch.ones_like(scores, requires_grad=True)
    (total,) = torch.autograd.grad(scores, factor, weights, create_graph=True, materialize_grads=True)
    (slopes,) = torch.autograd.grad(total, weights, retain_graph=True, materialize_grads=True)
    return slopes
