"""Explanations of a model's scores, and the parts that a model or a method of your own is made of.

Example:
    A method of your own: the gradient at a pixel, times its value.

    >>> from dataclasses import replace
    >>> import torch, vlcheck
    >>> from vlcheck.explain import AttributionMethod, Differentiable, Maps, PairInputs, objective, unit_sums
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
    >>> found.image.layout == vlcheck.explain.ImageLayout.of_grid(8, 8), found.image.values.shape
    (True, (64,))

    Methods with a setting:

    >>> from vlcheck.explain import AttentionGradCam, IntegratedGradients
    >>> methods = IntegratedGradients(steps=16), AttentionGradCam(layer=2)

    A network of your own is a BaseDifferentiable; docs/howto/own-explanations.md has one:

    >>> sorted(vlcheck.explain.BaseDifferentiable.__abstractmethods__)
    ['image_states', 'inputs', 'match_logits', 'text_states']
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # type checkers know it by name
if TYPE_CHECKING:
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

# The modules of this package are imported to read results, too: what brings torch is loaded on first use.
_HOMES = {
    "AttentionGradCam": "vlcheck.explain.attribution.attention_gradcam",
    "AttributionMethod": "vlcheck.explain.attribution.method",
    "BaseDifferentiable": "vlcheck.models.base_differentiable",
    "Differentiable": "vlcheck.models.differentiable",
    "ImageLayout": "vlcheck.models.differentiable",
    "IntegratedGradients": "vlcheck.explain.attribution.integrated_gradients",
    "Maps": "vlcheck.explain.attribution.method",
    "PairInputs": "vlcheck.models.differentiable",
    "objective": "vlcheck.explain.attribution.objective",
    "unit_sums": "vlcheck.explain.attribution.units",
}

if not TYPE_CHECKING:  # else a type checker takes any name for one that is here

    def __getattr__(name: str) -> object:
        """Load a public name."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=sys.modules[__name__])
        from importlib import import_module

        found = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
