"""The attribution methods by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vlcheck.explain.attribution.method import AttributionMethod
from vlcheck.explain.attribution.random_map import Random

METHODS: Mapping[str, AttributionMethod] = MappingProxyType({method.name: method for method in (Random(),)})
