"""The attribution methods by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vlcheck.errors import UsageError, argument, closest
from vlcheck.explain.attribution.attention_gradcam import AttentionGradCam
from vlcheck.explain.attribution.cam import Cam
from vlcheck.explain.attribution.gradcam import GradCam
from vlcheck.explain.attribution.guided import GuidedBackpropagation
from vlcheck.explain.attribution.integrated_gradients import (
    IntegratedGradients,
    IntegratedGradientsFromBlack,
    IntegratedGradientsFromBlur,
)
from vlcheck.explain.attribution.lrp import Lrp, LrpSize
from vlcheck.explain.attribution.method import AttributionMethod
from vlcheck.explain.attribution.random_map import Random
from vlcheck.explain.attribution.relevancy import Relevancy
from vlcheck.explain.attribution.saliency import Saliency

_ALL: tuple[AttributionMethod, ...] = (
    Saliency(),
    GuidedBackpropagation(),
    IntegratedGradients(),
    IntegratedGradientsFromBlack(),
    IntegratedGradientsFromBlur(),
    Cam(),
    GradCam(),
    AttentionGradCam(),
    Relevancy(),
    Lrp(),
    LrpSize(),
    Random(),
)

METHODS: Mapping[str, AttributionMethod] = MappingProxyType({method.name: method for method in _ALL})


def method_named(name: str) -> AttributionMethod:
    """Return the attribution method of a name.

    Raises:
        UsageError: there is no such method; the message names the nearest and lists all.
    """
    if name in METHODS:
        return METHODS[name]
    meant = closest(name, METHODS)
    guess = f" Did you mean {meant!r}?" if meant else ""
    raise UsageError(f"{argument('method', repr(name))}: no such method.{guess} Known: {', '.join(METHODS)}.")
