"""Explanations of a model's scores, and the parts that a model or a method of your own is made of.

Example:
    A method of your own: the gradient at a pixel, times its value.

    >>> from dataclasses import replace
    >>> import torch, vlcheck
    >>> class GradientTimesInput(AttributionMethod):
    ...     name, title, source = "gradient-times-input", "Gradient times input", "Shrikumar et al. 2016"
    ...     meaning = "What a linear model with the same gradient would owe to a patch."
    ...     signed = True
    ...     def maps(self, model: Differentiable, inputs: PairInputs):
    ...         pixels = inputs.pixels.detach().requires_grad_()
    ...         scores = objective(model, replace(inputs, pixels=pixels))
    ...         (gradients,) = torch.autograd.grad(scores.sum(), pixels)
    ...         return Maps(units=unit_sums((pixels * gradients).sum(1), inputs))
    >>> case = vlcheck.open_cases("scenes:1").cases[0]
    >>> found = vlcheck.explain_score("tiny", case.image.open(), case.caption, method=GradientTimesInput())
    >>> found.image.layout == ImageLayout.of_grid(8, 8), found.image.values.shape
    (True, (64,))

    Methods with a setting:

    >>> methods = IntegratedGradients(steps=16), AttentionGradCam(layer=2)

    A network of your own is a BaseDifferentiable; docs/howto/own-explanations.md has one:

    >>> sorted(BaseDifferentiable.__abstractmethods__)
    ['image_states', 'inputs', 'match_logits', 'text_states']
"""

from vlcheck.explain.attribution.attention_gradcam import AttentionGradCam
from vlcheck.explain.attribution.integrated_gradients import IntegratedGradients
from vlcheck.explain.attribution.method import AttributionMethod, Maps
from vlcheck.explain.attribution.objective import objective
from vlcheck.explain.attribution.units import unit_sums
from vlcheck.models.base_differentiable import BaseDifferentiable
from vlcheck.models.differentiable import Differentiable, ImageLayout, PairInputs

__all__ = [
    "AttentionGradCam",
    "AttributionMethod",
    "BaseDifferentiable",
    "Differentiable",
    "ImageLayout",
    "IntegratedGradients",
    "Maps",
    "PairInputs",
    "objective",
    "unit_sums",
]
