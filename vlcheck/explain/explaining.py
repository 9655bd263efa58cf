"""The explanations that a run asks for: further metrics of a model, and maps of the worst cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from vlcheck.behaviors.binding import ABLATION, MM_SHAP
from vlcheck.explain.applicable import demand_method
from vlcheck.explain.attribution.explained import WithMaps
from vlcheck.explain.attribution.registry import METHODS
from vlcheck.explain.mm_shap.explained import WithMMShap
from vlcheck.explain.request import Request
from vlcheck.explain.worst_cases import CaseExplainer
from vlcheck.models.protocol import VisionLanguageModel

USUAL = 10  # cases that are explained if the request names no number


def explaining(model: VisionLanguageModel, requests: Sequence[Request], *, batch_size: int = 16) -> VisionLanguageModel:
    """Return a model that also answers the metrics of the requested methods of explanation.

    Args:
        model: the model.
        requests: the methods; none for the model as it is.
        batch_size: number of pictures that are encoded together.

    Raises:
        UsageError: an attribution method does not apply to the model.
    """
    for request in requests:
        model = _answering(model, request, batch_size)
    return model


def case_explainer(model: VisionLanguageModel, requests: Sequence[Request]) -> CaseExplainer | None:
    """Return what explains the worst cases of a run; None if the run asks for no attribution method.

    Args:
        model: the model.
        requests: the methods, which apply to the model, each with the number of cases.
    """
    counts = [(METHODS[one.method], one.worst or USUAL) for one in requests if one.method in METHODS]
    return CaseExplainer(model, counts) if counts else None


def _answering(model: VisionLanguageModel, request: Request, batch_size: int) -> VisionLanguageModel:
    """Return a model that also answers the metric of a method, if the method has one. Raises UsageError."""
    if request.method == ABLATION:  # its tests ask for the model's own scores
        return model
    if request.method == MM_SHAP:
        return cast(VisionLanguageModel, WithMMShap(model, batch_size=batch_size))
    method = METHODS[request.method]
    demand_method(model, method)
    return cast(VisionLanguageModel, WithMaps(model, method, batch_size=batch_size)) if request.tests else model
