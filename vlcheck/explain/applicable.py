"""Checks whether an attribution method applies to a model."""

from __future__ import annotations

from PIL import Image

from vlcheck._util.foreign_code import contained
from vlcheck.cases.case import MASK
from vlcheck.errors import ForeignFault, NotApplicable, UsageError, argument
from vlcheck.explain.attribution.attribute import attribute
from vlcheck.explain.attribution.method import AttributionMethod
from vlcheck.models.differentiable import differentiable
from vlcheck.models.protocol import VisionLanguageModel

_TRIAL = Image.new("RGB", (224, 160), (128, 128, 128))


def demand_method(model: VisionLanguageModel, method: AttributionMethod) -> None:
    """Check on a gray picture that a method explains a model's scores.

    Args:
        model: the model.
        method: the method.

    Raises:
        UsageError: it does not; the message says why.
    """
    matches = "itm" in model.metrics
    try:
        with contained():  # a model or a method of a user's own
            attribute(differentiable(model), method, [_TRIAL], ["a" if matches else MASK], None if matches else ["a"])
    except (NotApplicable, ForeignFault) as reason:
        raise UsageError(f"{argument('explain', method.name)}: does not apply to {model.name}: {reason}.") from reason
