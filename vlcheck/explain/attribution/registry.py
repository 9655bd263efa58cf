"""The attribution methods by name: those of vlcheck, and those of packages.

A package registers a method under the entry-point group "vlcheck.explanations" as `name = "package.module:MyMethod"`: a
subclass of `AttributionMethod` whose `name` is the registered one. It is called without arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from vlcheck._util.foreign_code import contained
from vlcheck.behaviors.binding import ABLATION, MM_SHAP
from vlcheck.errors import ForeignFault, UsageError, argument, closest
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

GROUP = "vlcheck.explanations"

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

SHIPPED: Mapping[str, AttributionMethod] = MappingProxyType({method.name: method for method in _ALL})


class _Methods(Mapping[str, AttributionMethod]):
    """All methods by name. A registered method is imported when it is asked for; none takes a name of vlcheck's own."""

    def __getitem__(self, name: str) -> AttributionMethod:
        return SHIPPED[name] if name in SHIPPED else _loaded(_registered()[name])

    def __contains__(self, name: object) -> bool:
        return name in SHIPPED or name in _registered()

    def __iter__(self) -> Iterator[str]:
        return iter((*SHIPPED, *sorted(_registered().keys() - SHIPPED.keys())))

    def __len__(self) -> int:
        return len(SHIPPED.keys() | _registered().keys())


METHODS: Mapping[str, AttributionMethod] = _Methods()


def method_named(name: str) -> AttributionMethod:
    """Return the attribution method of a name.

    Raises:
        UsageError: there is no such method, and the message names the nearest and lists all; or a registered method
            cannot be imported.
    """
    if name in METHODS:
        return METHODS[name]
    meant = closest(name, METHODS)
    guess = f" Did you mean {meant!r}?" if meant else ""
    raise UsageError(f"{argument('method', repr(name))}: no such method.{guess} Known: {', '.join(METHODS)}.")


def _registered() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in (MM_SHAP, ABLATION)}


def _loaded(entry: EntryPoint) -> AttributionMethod:
    """Return the method of an entry point. Raises UsageError if it is none, or has another name."""
    what = f"the attribution method {entry.name!r}, {entry.value} of the entry-point group {GROUP},"
    try:
        with contained():
            found = entry.load()()
    except ForeignFault as error:
        raise UsageError(f"{what} cannot be made. {error}") from error
    if not isinstance(found, AttributionMethod):
        raise UsageError(f"{what} gave {type(found).__name__!r}; it has to be a vlcheck.explain.AttributionMethod.")
    if missing := [name for name in ("name", "title", "source", "meaning") if not hasattr(found, name)]:
        raise UsageError(f"{what} lacks {', '.join(missing)}.")
    if found.name != entry.name:
        raise UsageError(f"{what} is called {found.name!r}; its `name` has to be the registered one.")
    return found
