"""Findings of the same tests as bytes, which go from one process to another."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

from vlcheck.behaviors.behavior import Behavior
from vlcheck.evaluation.outcomes import Findings


def findings_as_bytes(found: Sequence[Findings]) -> bytes:
    """Return findings as bytes, without their behaviors: these are functions of a suite's modules."""
    content = io.BytesIO()
    _Pickler(content, pickle.HIGHEST_PROTOCOL).dump([(each.each, each.hollow) for each in found])
    return content.getvalue()


def findings_of_bytes(content: bytes, behaviors: Sequence[Behavior]) -> list[Findings]:
    """Return the findings that another process of the same run has packed.

    Args:
        content: the bytes.
        behaviors: the behavior of each, in the order in which they were packed.
    """
    found = pickle.loads(content)  # noqa: S301 - from a process of this run
    return [Findings(behavior, *one) for behavior, one in zip(behaviors, found, strict=True)]


class _Pickler(pickle.Pickler):
    """A pickler that also takes mappings that cannot be changed."""

    def reducer_override(self, found: Any) -> Any:
        return (_unchanging, (dict(found),)) if isinstance(found, MappingProxyType) else NotImplemented


def _unchanging(content: Mapping[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(cast(dict[Any, Any], content))
