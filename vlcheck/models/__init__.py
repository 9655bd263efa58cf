"""The protocol that a model keeps to. No model's library is imported before a model is loaded."""

from typing import TYPE_CHECKING

from vlcheck.models.protocol import Encoded, NamesWords, VisionLanguageModel

__all__ = ["Encoded", "NamesWords", "VisionLanguageModel"]

if not TYPE_CHECKING:  # else a type checker takes any name for one that is here

    def __getattr__(name: str) -> object:
        from vlcheck._moved import find_name

        return find_name(__name__, name)
