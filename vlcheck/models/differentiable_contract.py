"""The contract of networks that are given for explanations: they compute the scores that the model itself gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vlcheck._util.foreign_code import describe_error
from vlcheck._util.numbers import between, counted, figure
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.probe import Probe
from vlcheck.metrics.registry import KINDS, METRICS
from vlcheck.models.contract import TOLERANCES, Outcome
from vlcheck.models.differentiable import (
    Differentiable,
    Explainable,
    ExplainableByMetric,
    ImageLayout,
    PairInputs,
    differentiable,
)
from vlcheck.models.protocol import VisionLanguageModel

if TYPE_CHECKING:
    from torch import Tensor, nn

_EXPLAINED: tuple[Metric, ...] = "itm", "mlm"
_FEW = 3  # the number of probes
_LEAST = 0.25  # the smallest share of a picture that a grid of patches has to cover; processors crop long pictures


def examine_network(
    model: VisionLanguageModel, probes: Sequence[Probe], *, tolerance: float = 1e-4
) -> Iterator[Outcome]:
    """Try the clauses of `vlcheck.models.differentiable.Differentiable`, if a model gives its network.

    Args:
        model: the model to try.
        probes: probes with different pictures; the first ones are used.
        tolerance: the largest accepted difference of a score between model and network.

    Yields:
        One outcome a clause, of each network if the model has several; none for a model that gives no network.
    """
    metrics = [metric for metric in _EXPLAINED if metric in model.metrics]
    if isinstance(model, ExplainableByMetric):
        for metric in metrics:
            yield from _examine(model, [metric], probes[:_FEW], tolerance)
    elif isinstance(model, Explainable):
        yield from _examine(model, metrics, probes[:_FEW], tolerance)


def _examine(
    model: VisionLanguageModel, metrics: Sequence[Metric], probes: Sequence[Probe], tolerance: float
) -> Iterator[Outcome]:
    """Try the clauses on the network that answers some metrics."""
    try:
        yield from _of_network(model, differentiable(model, metrics[0]), metrics, probes, tolerance)
    except NotApplicable as reason:
        yield Outcome("explain: it gives its network", True, f"it gives none: {reason}", note=True)
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 - a model is foreign code
        yield Outcome("explain: it gives its network", False, describe_error(error))


def _of_network(
    model: VisionLanguageModel,
    network: Differentiable,
    metrics: Sequence[Metric],
    probes: Sequence[Probe],
    tolerance: float,
) -> Iterator[Outcome]:
    for metric in [metric for metric in metrics if model.kinds[metric] in KINDS]:
        yield same_scores(model, network, metric, probes, tolerance)
    metric = "itm" if "itm" in metrics else "mlm"
    groups = [probes] if network.stackable else [[probe] for probe in probes]
    asked = [_asked(network, metric, group, [probe.words[0] for probe in group]) for group in groups]
    yield _layouts([layout for inputs in asked for layout in inputs.layouts])
    arrived = [_gradients(network, metric, inputs) for inputs in asked]
    for where, sizes in zip(("pixels", "word embeddings"), zip(*arrived, strict=True), strict=True):
        kept = bool(np.isfinite(sizes).all()) and max(sizes) > 0
        yield Outcome(f"explain: a gradient arrives at the {where}", kept, f"up to {figure(max(sizes))}")


def same_scores(
    model: VisionLanguageModel, network: Differentiable, metric: str, probes: Sequence[Probe], tolerance: float
) -> Outcome:
    """Check that a network's scores of each probe's words are the model's.

    Args:
        model: the model.
        network: the network that it gives for the metric.
        metric: "itm" or "mlm".
        probes: the probes.
        tolerance: the largest accepted difference of a score.
    """
    clause, compares = f"explain: the network's {metric} is the model's", METRICS[metric].compares(model.kinds[metric])
    own = METRICS[metric].probe(model, probes, [probe.words for probe in probes])
    try:
        found = [_scores(network, metric, probe, compares) for probe in probes]
    except NotApplicable as reason:
        return Outcome(clause, True, f"it explains none: {reason}", note=True)
    distance = max(float(np.abs(one - other).max()) for one, other in zip(own, found, strict=True))
    return Outcome(clause, distance <= tolerance, f"differs by {figure(distance)} at most")


def tolerance_of(network: Differentiable) -> float:
    """Return the largest accepted difference of a score for the dtype of a network's weights."""
    names = {str(weight.dtype).removeprefix("torch.") for weight in network.network.parameters()}
    return max((TOLERANCES[name] for name in names & TOLERANCES.keys()), default=TOLERANCES["float32"])


def _scores(network: Differentiable, metric: str, probe: Probe, compares: bool) -> np.ndarray:
    """Return the scores of a probe's words as the network gives them, (words,): shares, if the model compares them."""
    import torch  # models without torch are tried without importing it

    inputs = _asked(network, metric, [probe] * len(probe.words), probe.words)
    with torch.no_grad():
        logits = _logits(network, metric, inputs).double()
    alone = logits[:, 1].exp() if metric == "mlm" else logits.softmax(1)[:, 1]
    scores: np.ndarray = (logits[:, 1].softmax(0) if compares else alone).cpu().numpy()
    return scores


def _logits(network: Differentiable, metric: str, inputs: PairInputs) -> Tensor:
    """Return the logits of no match and match, or 0 and the word's log-probability, (n, 2)."""
    states = network.image_states(inputs), network.text_states(inputs)
    if metric == "itm":
        return _shaped(network.match_logits(inputs, *states), "match_logits", (len(inputs), 2))
    words = _shaped(network.word_log_probs(inputs, *states), "word_log_probs", (len(inputs),))
    return words[:, None] * words.new_tensor([0, 1])


def _shaped(found: Tensor, method: str, shape: tuple[int, ...]) -> Tensor:
    if tuple(found.shape) != shape:
        raise UsageError(f"{method} gave a tensor of shape {tuple(found.shape)}; it has to be {shape}")
    return found


def _asked(network: Differentiable, metric: str, probes: Sequence[Probe], words: Sequence[str]) -> PairInputs:
    images = [probe.image for probe in probes]
    if metric == "mlm":
        return _named(network.inputs(images, [probe.template for probe in probes], words))
    return _named(network.inputs(images, [probe.filled(word) for probe, word in zip(probes, words, strict=True)]))


def _named(inputs: PairInputs) -> PairInputs:
    """Return pairs of which each text has a name for each of its ids. Raises UsageError for others."""
    for names, there in zip(inputs.tokens, inputs.attention.sum(1).tolist(), strict=True):
        if len(names) != there:
            raise UsageError(f"inputs gave {counted(len(names), 'token')} for {there:.0f} ids with attention")
    return inputs


def _layouts(layouts: Sequence[ImageLayout]) -> Outcome:
    """Check that patches lie in the picture, in fractions of its width and height, and cover it."""
    wrong = [layout for layout in layouts if _misplaced(layout)]
    shares = [_covered(layout) for layout in layouts]
    kept = not wrong and all(share >= _LEAST for share, one in zip(shares, layouts, strict=True) if one.grid)
    units = sorted({len(layout.boxes) for layout in layouts})
    found = f"{between(min(shares), max(shares))} of a picture in {' or '.join(map(str, units))} units"
    said = f"{counted(len(wrong), 'picture')} with boxes that are no fractions, or not as many as the grid"
    return Outcome("explain: its units cover the picture", kept, said if wrong else found)


def _misplaced(layout: ImageLayout) -> bool:
    rows, columns = layout.grid or (1, len(layout.boxes))
    return rows * columns != len(layout.boxes) or not all(0 < box.area <= 1 for box in layout.boxes)


def _covered(layout: ImageLayout) -> float:
    """Return the share of the picture that the frame of all boxes covers."""
    left, right = (pick(end for box in layout.boxes for end in (box.x, box.x + box.width)) for pick in (min, max))
    top, low = (pick(end for box in layout.boxes for end in (box.y, box.y + box.height)) for pick in (min, max))
    across, down = (min(end, 1.0) - max(start, 0.0) for start, end in ((left, right), (top, low)))
    return max(across, 0.0) * max(down, 0.0)


def _gradients(network: Differentiable, metric: str, inputs: PairInputs) -> tuple[float, float]:
    """Return the size of the largest gradient of a score at the pixels, and at the word embeddings."""
    import torch

    pixels = inputs.pixels.detach().requires_grad_()
    with torch.enable_grad(), _outputs(network.word_embeddings) as embedded:
        scores = _logits(network, metric, replace(inputs, pixels=pixels))[:, 1]
        at_pixels, *at_words = torch.autograd.grad(scores.sum(), [pixels, *embedded], materialize_grads=True)
    return float(at_pixels.abs().max()), max((float(one.abs().max()) for one in at_words), default=0.0)


@contextmanager
def _outputs(module: nn.Module) -> Iterator[list[Tensor]]:
    """Collect what a module returns as long as the context lasts, with gradients."""
    found: list[Tensor] = []

    def keep(_module: nn.Module, _arguments: object, output: Tensor) -> Tensor:
        found.append(output if output.requires_grad else output.requires_grad_())
        return found[-1].clone()  # some networks change their embeddings in place

    handle = module.register_forward_hook(keep)
    try:
        yield found
    finally:
        handle.remove()
