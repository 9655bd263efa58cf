"""Types of models that transformers maps to a task, and that vlcheck cannot ask about a picture."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

REFUSED: Mapping[str, str] = MappingProxyType(  # model type -> what it does in place of answering
    {
        "evolla": "it reads proteins, not pictures",
        "pi0": "it moves a robot, and writes no text",
    }
)
