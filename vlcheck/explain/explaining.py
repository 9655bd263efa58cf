"""Adds explanations to a model as further metrics."""

from __future__ import annotations

from typing import cast

from vlcheck.explain.mm_shap.explained import MM_SHAP, WithMMShap
from vlcheck.explain.request import Request
from vlcheck.models.protocol import VisionLanguageModel


def explaining(model: VisionLanguageModel, request: Request | None, *, batch_size: int = 16) -> VisionLanguageModel:
    """Return a model that also answers the metric of a method of explanation, if the method has one.

    Args:
        model: the model.
        request: the method; None for the model as it is.
        batch_size: number of pictures that are encoded together.
    """
    if request is None or request.method != MM_SHAP:
        return model
    return cast(VisionLanguageModel, WithMMShap(model, batch_size=batch_size))
