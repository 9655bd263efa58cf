"""The strength of a perturbation: the one number among its parameters."""

from __future__ import annotations

import re

_PARAMETERS = re.compile(r"([\w-]+)\(([^()]*)\)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def strength_of(label: str) -> tuple[str, float] | None:
    """Return the name and the number of the one part of a label that has a number among its parameters.

    Args:
        label: the label of a perturbation: see `vlcheck.perturb.Perturbation.label`.

    Returns:
        The name of the part with its other parameters, and the number; None if there are no or several numbers.

    Example:
        >>> from vlcheck.perturb import Brightness
        >>> strength_of(Brightness(0.8).label)
        ('brightness', 0.8)
    """
    found = [
        (name, parameters.split(", "), at)
        for name, parameters in _PARAMETERS.findall(label)
        for at, one in enumerate(parameters.split(", "))
        if _NUMBER.fullmatch(one)
    ]
    if len(found) != 1:
        return None
    name, parameters, at = found[0]
    others = ", ".join([*parameters[:at], *parameters[at + 1 :]])
    return f"{name}({others})" if others else name, float(parameters[at])
