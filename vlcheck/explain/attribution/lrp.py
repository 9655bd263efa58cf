"""Layer-wise relevance propagation (LRP) with its rules of 2015, extended for attention and layer normalisation."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.lrp_rules import RelevanceRules
from vlcheck.explain.attribution.method import AttributionMethod, Maps
from vlcheck.explain.attribution.objective import objective
from vlcheck.explain.attribution.units import shows_pixels, unit_sums
from vlcheck.models.differentiable import Differentiable, PairInputs

EPSILON = 1e-6


@dataclass(frozen=True, eq=False)
class Relevance:
    """The scores of n pairs, and the three parts into which they are divided.

    Attributes:
        scores: the scores, (n,).
        pixels: relevance of the pixels, in their shape.
        embeddings: relevance of the word embeddings, (n, tokens, width).
        sinks: relevance of all terms that depend on neither, (n,): biases, position embeddings, CLS tokens, and the
            entropy of a word's log-probability.
    """

    scores: Tensor
    pixels: Tensor
    embeddings: Tensor
    sinks: Tensor

    @property
    def error(self) -> Tensor:
        """The part of each score that the sum of its parts misses, (n,)."""
        found = self.pixels.flatten(1).sum(1) + self.embeddings.flatten(1).sum(1) + self.sinks
        return (found - self.scores).abs() / self.scores.abs()


class Lrp(AttributionMethod):
    """Relevance of the pixels and of the word embeddings, with its sign.

    Args:
        epsilon: the stabiliser of the epsilon rule, 0 or more; the larger, the more relevance is lost.

    Source:
        Bach et al. 2015, doi:10.1371/journal.pone.0130140, equations 56 to 59; attention weights and standard
        deviations are constant as in Ali et al. 2022, arXiv:2202.07304.
    """

    name = "lrp"
    title = "LRP"
    source = "Bach et al. 2015, doi:10.1371/journal.pone.0130140; Ali et al. 2022, arXiv:2202.07304"
    meaning = (
        "The share of the score that is passed back to a pixel or a token, layer by layer, in proportion to the terms"
        " of each sum; what attention looks at is taken as given, and a sign is that of a term, not of a reason."
    )
    signed = True

    def __init__(self, epsilon: float = EPSILON) -> None:
        self.epsilon = epsilon

    def maps(self, model: Differentiable, inputs: PairInputs) -> Maps:
        found = self.relevance(model, inputs)
        shown = found.pixels.sum(1) if shows_pixels(inputs) else found.pixels
        return Maps(
            units=unit_sums(shown, inputs),
            tokens=found.embeddings.sum(2),
            pixels=shown if shows_pixels(inputs) else None,
            error=found.error,
        )

    def relevance(self, model: Differentiable, inputs: PairInputs) -> Relevance:
        """Return the parts of each pair's score.

        Args:
            model: the network.
            inputs: n pairs.

        Raises:
            NotApplicable: the network has an operation without a rule; the message names it.
        """
        pixels = inputs.pixels.detach().requires_grad_()
        embeddings = model.word_embeddings(inputs.ids).detach().requires_grad_()
        factor = torch.ones((), dtype=pixels.dtype, device=pixels.device, requires_grad=True)
        with RelevanceRules(factor, self.epsilon), sdpa_kernel(SDPBackend.MATH):  # no other kernel has two derivatives
            scores = objective(model, replace(inputs, pixels=pixels), embeddings)
        if not scores.requires_grad:
            raise NotApplicable(
                "lrp has no rule for a score that is a product of a part of the picture and one of the text"
            )
        each = torch.ones_like(scores, requires_grad=True)
        at_pixels, at_embeddings, at_factor = torch.autograd.grad(
            scores, (pixels, embeddings, factor), each, create_graph=True, materialize_grads=True
        )
        (sinks,) = torch.autograd.grad(at_factor, each)  # the derivative by the factor, score by score
        parts = (scores, pixels * at_pixels, embeddings * at_embeddings, sinks)
        return Relevance(*(part.detach() for part in parts))


class LrpSize(Lrp):
    """The size of relevance, without its sign."""

    name = "lrp-size"
    title = "LRP (size)"
    meaning = (
        "How much of the score is passed back to a patch or a token, layer by layer, whether it speaks for the score or"
        " against it; what attention looks at is taken as given."
    )
    signed = False

    def maps(self, model: Differentiable, inputs: PairInputs) -> Maps:
        maps = super().maps(model, inputs)
        parts = {
            name: part.abs() for name in ("units", "tokens", "pixels") if (part := getattr(maps, name)) is not None
        }
        return replace(maps, **parts)
