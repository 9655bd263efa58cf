"""Relevancy through all attention layers (Chefer et al. 2021)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from vlcheck.errors import NotApplicable
from vlcheck.explain.attribution.attention_recorder import AttentionRecorder
from vlcheck.explain.attribution.gradients import gradients
from vlcheck.explain.attribution.keys import token_keys
from vlcheck.explain.attribution.method import AttributionMethod, Maps
from vlcheck.explain.attribution.objective import objective
from vlcheck.models.differentiable import AttentionKind, Differentiable, PairInputs

Stream = Literal["image", "text", "joint", "query"]

# The tokens that read, and those that are read.
_READS: dict[AttentionKind, tuple[Stream, Stream]] = {
    "image": ("image", "image"),
    "text": ("text", "text"),
    "cross": ("text", "image"),
    "back": ("image", "text"),
    "joint": ("joint", "joint"),
    "query": ("query", "image"),
}

# Attention to patches; of several kinds, the first is the one from whose readers the score is computed.
_OVER_PATCHES: tuple[AttentionKind, ...] = ("cross", "query", "image")


class Relevancy(AttributionMethod):
    """The part of each token that arrives, through all attention layers, at the states that the score is computed from.

    Only attention is followed, as far as it raises the score. A score is computed from the states of the tokens whose
    last attention has a gradient (of ALBEF: CLS for a match, the mask for a word); if there are several, their mean is
    weighted by the size of that gradient. Their own tokens, which are there without any attention, are left out.

    Source:
        Chefer et al. 2021, arXiv:2103.15679, equations 5 to 11.
    """

    name = "relevancy"
    title = "Attention relevancy"
    source = "Chefer et al. 2021, arXiv:2103.15679"
    meaning = (
        "How much of a patch or token arrives at the answer through the attention of all layers, as far as it raises"
        " the score; what else the layers compute is left out."
    )

    def maps(self, model: Differentiable, inputs: PairInputs) -> Maps:
        flows = _flows(model, inputs)
        relevancies = _Relevancies(flows)
        for step in _steps(flows):
            relevancies.add(step)
        if any(flow.kind == "joint" for flow in flows):
            held = relevancies.at_the_score(_last(flows, "joint"), "joint")
            return Maps(model.image_keys(held, "joint", inputs), token_keys(model, held, inputs) * inputs.attention)
        end = _last(flows, "text")
        kind = next(kind for kind in _OVER_PATCHES if any(flow.kind == kind for flow in flows))
        units = relevancies.at_the_score(_last(flows, _READS[kind][0]), "image")
        tokens = relevancies.at_the_score(end, "text") * inputs.attention
        return Maps(model.image_keys(units, kind, inputs), tokens)


@dataclass(frozen=True, eq=False)
class _Flow:
    """The flow of an attention layer from the tokens that are read to those that read.

    Attributes:
        kind: the kind of attention.
        moved: the weights times their gradient, where that is positive, the mean over heads, (n, queries, keys).
        used: the share of each query's gradient in that of all, (n, queries).
    """

    kind: AttentionKind
    moved: Tensor
    used: Tensor

    @property
    def reader(self) -> Stream:
        """The tokens that read."""
        return _READS[self.kind][0]

    @property
    def read(self) -> Stream:
        """The tokens that are read."""
        return _READS[self.kind][1]


class _Relevancies:
    """The parts of the tokens of each stream in the states of each stream's tokens, (n, queries, keys).

    Args:
        flows: all that will be added.
    """

    def __init__(self, flows: Sequence[_Flow]) -> None:
        lengths = {stream: length for flow in flows for stream, length in _lengths(flow)}
        if any(lengths[stream] != length for flow in flows for stream, length in _lengths(flow)):
            raise NotApplicable("relevancy needs as many tokens in each layer: this network's layers merge tokens")
        first = flows[0].moved
        self._held = {
            (state, token): _identity(first, length) if state == token else first.new_zeros(len(first), length, other)
            for state, length in lengths.items()
            for token, other in lengths.items()
        }

    def add(self, step: Sequence[_Flow]) -> None:
        """Add what layers move at the same time: equations 6 and 7 within a stream, 8 to 11 between two."""
        for place, arrived in [one for flow in step for one in self._arriving(flow)]:
            self._held[place] = self._held[place] + arrived

    def _arriving(self, flow: _Flow) -> Iterator[tuple[tuple[Stream, Stream], Tensor]]:
        own, other, held = flow.reader, flow.read, self._held
        if own == other:
            yield from (((own, token), flow.moved @ part) for (state, token), part in held.items() if state == own)
        else:
            yield (own, other), _by_row(held[own, own]).mT @ flow.moved @ _by_row(held[other, other])
            yield (own, own), flow.moved @ held[other, own]

    def at_the_score(self, end: _Flow, token: Stream) -> Tensor:
        """Return how much of the tokens of a stream arrives at the states that the score is computed from, (n, tokens).

        The states' own tokens, which are there without any attention, are left out.

        Args:
            end: the last layer of the stream that the score is computed from.
            token: the stream of the tokens.
        """
        arrived = (end.used[:, None] @ self._held[end.reader, token])[:, 0]
        return arrived - end.used if end.reader == token else arrived


def _flows(model: Differentiable, inputs: PairInputs) -> list[_Flow]:
    """Return what each attention layer moves, in the order of their computation."""
    with AttentionRecorder(model.network, lambda name: model.attention_kind(name) is not None) as recorder:
        scores = objective(model, inputs)
    maps = [(kind, one.weights) for one in recorder.maps if (kind := model.attention_kind(one.module))]
    kinds = {kind for kind, _ in maps}
    if not kinds & {"joint", "cross"} and not kinds >= {"image", "text"}:
        raise NotApplicable(
            f"relevancy needs attention over the patches of the image and over the text: {model.name} has not both"
        )
    slopes = gradients(scores, [weights for _, weights in maps])
    # Some networks compute the softmax alone in another precision.
    same = [(kind, weights.to(scores), slope.to(scores)) for (kind, weights), slope in zip(maps, slopes, strict=True)]
    return [_flow(*each) for each in same]


def _steps(flows: Sequence[_Flow]) -> Iterator[Sequence[_Flow]]:
    """Return the layers one by one, but those together in which two streams read each other at the same time."""
    left = list(flows)
    while left:
        both = {flow.kind for flow in left[:2]} == {"cross", "back"}
        step, left = left[: 1 + both], left[1 + both :]
        yield step


def _flow(kind: AttentionKind, weights: Tensor, slopes: Tensor) -> _Flow:
    size = slopes.abs().sum((1, 3))
    share = size / size.sum(1, keepdim=True).clamp(min=torch.finfo(size.dtype).tiny)
    return _Flow(kind, (weights * slopes).clamp(min=0).mean(1).detach(), share)


def _last(flows: Sequence[_Flow], reader: Stream) -> _Flow:
    """Return the last layer in which a stream reads."""
    return [flow for flow in flows if flow.reader == reader][-1]


def _lengths(flow: _Flow) -> tuple[tuple[Stream, int], tuple[Stream, int]]:
    return (flow.reader, flow.moved.shape[1]), (flow.read, flow.moved.shape[2])


def _identity(like: Tensor, length: int) -> Tensor:
    return torch.eye(length, dtype=like.dtype, device=like.device).expand(len(like), -1, -1)


def _by_row(held: Tensor) -> Tensor:
    """Return what the tokens of a stream hold of one another, scaled to a sum of 1, plus the tokens themselves."""
    identity = _identity(held, held.shape[-1])
    others = held - identity
    total = others.sum(-1, keepdim=True)
    return others / total.where(total > 0, 1) + identity
