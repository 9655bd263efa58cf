"""The explanations that a run asks for: further metrics of a model, and maps of the worst cases."""

from __future__ import annotations

from typing import cast

from vlcheck.behaviors.binding import ABLATION, MM_SHAP
from vlcheck.explain.applicable import demand_method
from vlcheck.explain.attribution.explained import WithMaps
from vlcheck.explain.attribution.registry import METHODS
from vlcheck.explain.mm_shap.explained import WithMMShap
from vlcheck.explain.request import Request
from vlcheck.explain.worst_cases import CaseExplainer
from vlcheck.models.differentiable import differentiable
from vlcheck.models.protocol import VisionLanguageModel

USUAL = 10  # cases that are explained if the request names no number


def explaining(model: VisionLanguageModel, request: Request | None, *, batch_size: int = 16) -> VisionLanguageModel:
    """Return a model that also answers the metric of a method of explanation, if the method has one.

    Args:
        model: the model.
        request: the method; None for the model as it is.
        batch_size: number of pictures that are encoded together.

    Raises:
        UsageError: the attribution method does not apply to the model.
    """
    if request is None or request.method == ABLATION:  # its tests ask for the model's own scores
        return model
    if request.method == MM_SHAP:
        return cast(VisionLanguageModel, WithMMShap(model, batch_size=batch_size))
    method = METHODS[request.method]
    demand_method(model, method)
    return cast(VisionLanguageModel, WithMaps(model, method, batch_size=batch_size)) if request.tests else model


def case_explainer(model: VisionLanguageModel, request: Request | None) -> CaseExplainer | None:
    """Return what explains the worst cases of a run; None if the run asks for no attribution method.

    Args:
        model: the model.
        request: the method, which applies to the model, and the number of cases; None for no explanations.
    """
    if request is None or request.method not in METHODS:
        return None
    return CaseExplainer(differentiable(model), METHODS[request.method], request.worst or USUAL)
