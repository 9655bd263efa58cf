"""The embedded models: small ALBEFs trained on drawn scenes, a control without bias and variants with a known bias."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CONTROL = "tiny"

# The biases that the suite has to find in each variant; they follow from how the variant was trained.
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
