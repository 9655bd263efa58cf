"""Checks whether an attribution method applies to a model, and whether its match score can be explained."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from vlcheck._util.foreign_code import contained
from vlcheck.cases.case import MASK
from vlcheck.errors import ForeignFault, NotApplicable, UsageError, argument, parameter
from vlcheck.explain.attribution.attribute import attribute
from vlcheck.explain.attribution.method import AttributionMethod
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.probe import Probe
from vlcheck.metrics.registry import KINDS, OF_PICTURES
from vlcheck.models.contract import Outcome
from vlcheck.models.differentiable import Differentiable, differentiable
from vlcheck.models.differentiable_contract import same_scores, tolerance_of
from vlcheck.models.protocol import VisionLanguageModel, lacks

_SIZE = 224, 160  # width and height of a trial picture
_TRIAL = Image.new("RGB", _SIZE, (128, 128, 128))
_CONTRASTS = 1.0, 0.5, 0.25  # a score that is near 0 or 1 for one of them hides a difference
_WORDS = {"itm": ("red", "blue", "dog"), "mlm": ("a", "red")}


def demand_method(model: VisionLanguageModel, method: AttributionMethod) -> None:
    """Check on a gray picture that a method explains one of a model's scores.

    Args:
        model: the model.
        method: the method.

    Raises:
        UsageError: it does not, or a network that it explains is not the model; the message says why.
    """
    reasons = []
    for metric in [metric for metric in OF_PICTURES if metric in model.metrics]:
        try:
            _try(model, method, metric)
        except (NotApplicable, ForeignFault) as reason:
            reasons.append(str(reason))
        else:
            return
    said = "; ".join(dict.fromkeys(reasons))
    raise UsageError(f"{argument('explain', method.name)}: does not apply to {model.name}: {said}.")


def match_network(model: VisionLanguageModel) -> tuple[Differentiable | None, str]:
    """Return the network that gives a model's match score; None, and the reason, if that cannot be explained.

    Raises:
        UsageError: the network's match score is not the model's.
    """
    if "itm" not in model.metrics:
        return None, f"the method explains a match score, and {lacks(model, 'itm')}"
    try:
        return _same_network(model, "itm"), ""
    except (NotApplicable, ForeignFault) as reason:
        return None, str(reason)


def mapped_network(model: VisionLanguageModel, method: AttributionMethod) -> tuple[Differentiable | None, str]:
    """Return the network whose match score a method explains; None, and the reason, if it explains none.

    Args:
        model: the model.
        method: the method, tried on a gray picture.

    Raises:
        UsageError: the network's match score is not the model's.
    """
    network, reason = match_network(model)
    if network is None:
        return None, reason
    try:
        _try(model, method, "itm")
    except (NotApplicable, ForeignFault) as error:
        return None, str(error)
    return network, ""


def _try(model: VisionLanguageModel, method: AttributionMethod, metric: Metric) -> None:
    """Explain the score of a gray picture.

    Raises:
        NotApplicable: the method does not apply.
        ForeignFault: a fault of a user's own code.
        UsageError: the network's score is not the model's.
    """
    text, words = (MASK, ["a"]) if metric == "mlm" else ("a", None)
    network = _same_network(model, metric)
    with contained():  # a model or a method of a user's own
        attribute(network, method, [_TRIAL], [text], words)


def _same_network(model: VisionLanguageModel, metric: Metric) -> Differentiable:
    """Return the network that gives a metric of a model, whose scores of trial pictures are the model's.

    Raises:
        NotApplicable: the model gives no network.
        ForeignFault: a fault of a user's own code.
        UsageError: the network's score is not the model's.
    """
    with contained():
        network = differentiable(model, metric)
        outcome = _compared(model, network, metric)
    if outcome and not outcome.kept:
        raise UsageError(
            f"{parameter('explain')}: the network that {model.name} gives for explanations is not the model: its"
            f" {metric} {outcome.found}. `vlcheck models check` says more."
        )
    return network


def _compared(model: VisionLanguageModel, network: Differentiable, metric: Metric) -> Outcome | None:
    """Compare a network with its model; None if the model cannot be asked about trial pictures, e.g. without regions.

    A model that only names classes is not compared: the words for them are not known.
    """
    if KINDS[model.kinds[metric]].of_classes:
        return None
    try:
        return same_scores(model, network, metric, [*_probes(metric)], tolerance_of(network))
    except NotApplicable:
        return None


def _probes(metric: Metric) -> Iterator[Probe]:
    """Yield pictures with gradients of colors, at several contrasts, with words to ask about."""
    across, down = np.meshgrid(*(np.linspace(-1, 1, side) for side in _SIZE))
    colors = np.stack([across, down, -across * down], 2)
    for contrast in _CONTRASTS:
        image = Image.fromarray((127.5 * (1 + contrast * colors)).astype(np.uint8))
        yield Probe(image, f"a {MASK}" if metric == "itm" else MASK, _WORDS[metric])
