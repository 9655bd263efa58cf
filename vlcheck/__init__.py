"""Behavioural tests for vision-language models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vlcheck.api import Results, evaluate
    from vlcheck.models.protocol import VisionLanguageModel

__version__ = "0.1.0"
__all__ = ["Results", "__version__", "evaluate", "load_model"]


def load_model(spec: str, *, device: str = "cpu", dtype: str = "float32") -> VisionLanguageModel:
    """Load a model by its spec, e.g. "albef:ALBEF_4M.pth". See `vlcheck.models.loading.load`."""
    # pytest imports this package in every run of every project that has it installed: torch has to wait.
    from vlcheck.models.loading.load import load_model as load

    return load(spec, device=device, dtype=dtype)


def __getattr__(name: str) -> Any:
    if name in ("Results", "evaluate"):
        from vlcheck import api  # brings numpy and scipy

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
