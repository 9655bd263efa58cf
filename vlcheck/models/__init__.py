"""The protocol that a model keeps to. No model's library is imported before a model is loaded."""

from vlcheck.models.protocol import Encoded, NamesWords, VisionLanguageModel

__all__ = ["Encoded", "NamesWords", "VisionLanguageModel"]
