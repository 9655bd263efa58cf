"""The check that an object keeps the model protocol."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import cast

from vlcheck._util.foreign_code import contained
from vlcheck.cases.case import MASK
from vlcheck.errors import ForeignFault, NotApplicable, UsageError
from vlcheck.metrics.registry import DEFAULT_KINDS, KINDS, OF_MODELS
from vlcheck.models.loading.foreign_model import ForeignModel
from vlcheck.models.loading.spec import said_spec
from vlcheck.models.protocol import VisionLanguageModel, Wrapping


def checked_model(loaded: object, spec: str) -> VisionLanguageModel:
    """Check that an object keeps the model protocol, and return it as a model.

    Args:
        loaded: the object.
        spec: the spec that names it, for messages.

    Raises:
        UsageError: it does not keep the protocol.
    """
    try:
        with contained():  # attributes may be properties, which are foreign code
            return _complete(loaded, spec)
    except (ForeignFault, NotApplicable) as error:
        raise UsageError(f"{said_spec(spec)}: gave {type(loaded).__name__!r}, which fails. {error}") from error


def _complete(loaded: object, spec: str) -> VisionLanguageModel:
    """Check each attribute, and wrap a model of foreign code."""
    _demand(loaded, ("name", "fingerprint", "metrics", "mask", "encode"), spec)
    metrics = getattr(loaded, "metrics", None)
    known: tuple[str, ...] = OF_MODELS
    if not isinstance(metrics, Set | list | tuple) or not metrics or not all(metric in known for metric in metrics):
        raise UsageError(f"{said_spec(spec)}: metrics {metrics!r} have to be some of {', '.join(known)}.")
    _demand(loaded, metrics, spec)
    model = cast(VisionLanguageModel, loaded)
    if model.mask != MASK:
        raise UsageError(f"{said_spec(spec)}: mask has to be {MASK!r}, not {model.mask!r}.")
    if not isinstance(model.fingerprint, str) or not model.fingerprint:
        raise UsageError(
            f"{said_spec(spec)}: fingerprint has to be a text: a hash of the weights and all else that decides a score."
        )
    said = getattr(model, "kinds", None)
    kinds: dict[str, str] = {
        metric: str((DEFAULT_KINDS if said is None else said).get(metric)) for metric in known if metric in metrics
    }
    if unknown := {metric: kind for metric, kind in kinds.items() if kind not in KINDS}:
        raise UsageError(f"{said_spec(spec)}: kinds {unknown!r}: each metric has to have one of {', '.join(KINDS)}.")
    _check_wrappings(loaded, spec)
    ours = type(loaded).__module__.startswith("vlcheck.")
    return model if ours else cast(VisionLanguageModel, ForeignModel(loaded, kinds))


def _check_wrappings(loaded: object, spec: str) -> None:
    """Raise UsageError if an object's `wrappings` are not what the model protocol says."""
    said = getattr(loaded, "wrappings", ())
    whole = isinstance(said, list | tuple) and all(
        isinstance(one, tuple) and len(one) == len(Wrapping._fields) for one in said
    )
    if not whole or not all(isinstance(text, str) for one in said for text in one):
        fields = ", ".join(Wrapping._fields)
        raise UsageError(
            f"{said_spec(spec)}: wrappings {said!r:.80} have to be a sequence of Wrapping({fields}), all texts."
        )


def _demand(loaded: object, names: Iterable[str], spec: str) -> None:
    """Raise UsageError if an object lacks an attribute."""
    if missing := [name for name in names if not hasattr(loaded, name)]:
        raise UsageError(f"{said_spec(spec)}: gave {type(loaded).__name__!r} without {', '.join(missing)}.")
