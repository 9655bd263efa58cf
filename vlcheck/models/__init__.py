"""What vlcheck asks of a model, and how it is loaded. No model's library is imported before one is."""

from vlcheck.models.loading.load import load_model
from vlcheck.models.protocol import Encoded, NamesWords, VisionLanguageModel

__all__ = ["Encoded", "NamesWords", "VisionLanguageModel", "load_model"]
