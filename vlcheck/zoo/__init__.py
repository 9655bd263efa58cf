"""The embedded model: small ALBEFs that are trained on drawn scenes, a clean one and others with a known bias."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CONTROL = "tiny"

# The biases that each variant has to be caught in, declared from the cause that it was trained with.
PLANTED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "tiny": frozenset(),
        "tiny-color": frozenset({"color"}),
        "tiny-mirror": frozenset({"position"}),
        "tiny-right": frozenset({"position"}),
        "tiny-blind": frozenset({"modality"}),
        "tiny-bag": frozenset({"order"}),
        "tiny-center": frozenset({"place"}),
    }
)
