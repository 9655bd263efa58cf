"""Layer-wise relevance propagation (LRP) with its rules of 2015, extended for attention and layer normalisation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.lrp_rules import RelevanceRules
from vlcheck.explain.attribution.method import AttributionMethod, Maps
from vlcheck.explain.attribution.objective import objective, score_of_states
from vlcheck.explain.attribution.units import shows_pixels, unit_sums
from vlcheck.models.adapters.differentiable import output_replaced
from vlcheck.models.differentiable import Differentiable, PairInputs

EPSILON = 1e-6
_FUSING = frozenset({"cross", "back", "joint"})  # kinds of attention between picture and text


@dataclass(frozen=True, eq=False)
class Relevance:
    """The scores of n pairs, divided among their inputs and the terms that depend on none of them.

    Attributes:
        scores: the scores, (n,).
        inputs: the relevance of each input, in its shape.
        sinks: the relevance of all other terms, (n,): biases, position embeddings, CLS tokens, and the entropy of a
            word's log-probability.
    """

    scores: Tensor
    inputs: tuple[Tensor, ...]
    sinks: Tensor

    @property
    def error(self) -> Tensor:
        """The part of each score that the sum of all relevance misses, relative to it, (n,)."""
        found = self.sinks + sum(part.flatten(1).sum(1) for part in self.inputs)
        return (found - self.scores).abs() / self.scores.abs()


def relevance(score: Callable[..., Tensor], inputs: Sequence[Tensor], epsilon: float = EPSILON) -> Relevance:
    """Divide scores among their inputs.

    Args:
        score: returns n scores of the inputs.
        inputs: tensors of n rows; each score depends on its own row alone.
        epsilon: the stabiliser of the epsilon rule, 0 or more.

    Raises:
        NotApplicable: an operation has no rule; the message names it.
    """
    leaves = [one.detach().requires_grad_() for one in inputs]
    factor = torch.ones((), dtype=leaves[0].dtype, device=leaves[0].device, requires_grad=True)
    with RelevanceRules(factor, epsilon), sdpa_kernel(SDPBackend.MATH):  # no other kernel has two derivatives
        scores = score(*leaves)
    if not scores.requires_grad:
        raise NotApplicable("lrp has no rule for a score that is a product of parts which all depend on the input")
    each = torch.ones_like(scores, requires_grad=True)
    *slopes, at_factor = torch.autograd.grad(scores, [*leaves, factor], each, create_graph=True, materialize_grads=True)
    (sinks,) = torch.autograd.grad(at_factor, each)  # the derivative by the factor, score by score
    parts = tuple((leaf * slope).detach() for leaf, slope in zip(leaves, slopes, strict=True))
    return Relevance(scores.detach(), parts, sinks)


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
        divided = self.divided(model, inputs)
        at_pixels, at_embeddings = (part for one in divided for part in one.inputs)
        shown = at_pixels.sum(1) if shows_pixels(inputs) else at_pixels
        return Maps(
            units=unit_sums(shown, inputs),
            tokens=at_embeddings.sum(2),
            pixels=shown if shows_pixels(inputs) else None,
            error=torch.stack([one.error for one in divided]).amax(0),
        )

    def divided(self, model: Differentiable, inputs: PairInputs) -> tuple[Relevance, ...]:
        """Return the relevance of the pixels and of the word embeddings.

        A network that fuses picture and text divides its score among both. The score of two encoders is a product: it
        is divided among the pixels with a constant text, and among the word embeddings with a constant picture.

        Args:
            model: the network.
            inputs: n pairs.

        Raises:
            NotApplicable: the network has an operation without a rule; the message names it.
        """
        if any(model.attention_kind(name) in _FUSING for name, _ in model.network.named_modules()):
            return (self._of_both(model, inputs),)
        return self._of_picture(model, inputs), self._of_text(model, inputs)

    def _of_both(self, model: Differentiable, inputs: PairInputs) -> Relevance:
        def score(pixels: Tensor, embeddings: Tensor) -> Tensor:
            return objective(model, replace(inputs, pixels=pixels), embeddings)

        return relevance(score, [inputs.pixels, model.word_embeddings(inputs.ids)], self.epsilon)

    def _of_picture(self, model: Differentiable, inputs: PairInputs) -> Relevance:
        with torch.no_grad():
            text_states = model.text_states(inputs)

        def score(pixels: Tensor) -> Tensor:
            return score_of_states(model, inputs, model.image_states(replace(inputs, pixels=pixels)), text_states)

        return relevance(score, [inputs.pixels], self.epsilon)

    def _of_text(self, model: Differentiable, inputs: PairInputs) -> Relevance:
        with torch.no_grad():
            image_states = model.image_states(inputs)

        def score(embeddings: Tensor) -> Tensor:
            with output_replaced(model.word_embeddings, embeddings):
                return score_of_states(model, inputs, image_states, model.text_states(inputs))

        return relevance(score, [model.word_embeddings(inputs.ids)], self.epsilon)


class LrpSize(Lrp):
    """The size of relevance, without its sign."""

    name = "lrp-size"
    title = "LRP (size)"
    meaning = (
        "How much of the score is passed back to a patch or a token, layer by layer, whether it speaks for the score or"
        " against it; what attention looks at is taken as given."
    )
    signed = False

    @property
    def base(self) -> Lrp:
        return Lrp(self.epsilon)

    def maps(self, model: Differentiable, inputs: PairInputs) -> Maps:
        return self.changed(super().maps(model, inputs))

    def changed(self, maps: Maps) -> Maps:
        parts = {
            name: part.abs() for name in ("units", "tokens", "pixels") if (part := getattr(maps, name)) is not None
        }
        return replace(maps, **parts)
