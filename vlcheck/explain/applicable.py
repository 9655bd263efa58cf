"""Checks whether an attribution method applies to a model, and whether its match score can be explained."""

from __future__ import annotations

from PIL import Image

from vlcheck._util.foreign_code import contained
from vlcheck.cases.case import MASK
from vlcheck.errors import ForeignFault, NotApplicable, UsageError, argument
from vlcheck.explain.attribution.attribute import attribute
from vlcheck.explain.attribution.method import AttributionMethod
from vlcheck.metrics.kinds import Metric
from vlcheck.metrics.registry import OF_PICTURES
from vlcheck.models.differentiable import Differentiable, differentiable
from vlcheck.models.protocol import VisionLanguageModel, lacks

_TRIAL = Image.new("RGB", (224, 160), (128, 128, 128))


def demand_method(model: VisionLanguageModel, method: AttributionMethod) -> None:
    """Check on a gray picture that a method explains one of a model's scores.

    Args:
        model: the model.
        method: the method.

    Raises:
        UsageError: it does not; the message says why.
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
    """Return the network that gives a model's match score; None, and the reason, if that cannot be explained."""
    if "itm" not in model.metrics:
        return None, f"the method explains a match score, and {lacks(model, 'itm')}"
    try:
        return differentiable(model, "itm"), ""
    except NotApplicable as reason:
        return None, str(reason)


def mapped_network(model: VisionLanguageModel, method: AttributionMethod) -> tuple[Differentiable | None, str]:
    """Return the network whose match score a method explains; None, and the reason, if it explains none.

    Args:
        model: the model.
        method: the method, tried on a gray picture.
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
    """Explain the score of a gray picture. Raises NotApplicable, or ForeignFault for a fault of a user's own code."""
    text, words = (MASK, ["a"]) if metric == "mlm" else ("a", None)
    with contained():  # a model or a method of a user's own
        attribute(differentiable(model, metric), method, [_TRIAL], [text], words)
