"""The HTTP library httpx, on which OpenAI's own client is built too, or the way to get it."""

from __future__ import annotations

try:
    import httpx
except ImportError as error:
    raise ImportError('it needs httpx, of the extra served: python -m pip install "vlcheck[served]"') from error

__all__ = ["httpx"]
