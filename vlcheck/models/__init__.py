"""The model protocol. Libraries of models are imported when a model is loaded, not before."""

from typing import TYPE_CHECKING

from vlcheck.models.protocol import Encoded, NamesWords, VisionLanguageModel

__all__ = ["Encoded", "NamesWords", "VisionLanguageModel"]

if not TYPE_CHECKING:  # else a type checker takes any name for one that is here

    def __getattr__(name: str) -> object:
        from vlcheck._moved import find_name

        return find_name(__name__, name)
