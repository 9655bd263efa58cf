"""Tokenizers as their files ask for them, without the habits of the program that saved them."""

from __future__ import annotations

from typing import Any, TypeVar

from transformers import PreTrainedTokenizerBase
from transformers.processing_utils import TextKwargs

_Tokenizer = TypeVar("_Tokenizer", bound=PreTrainedTokenizerBase)


def without_habits(tokenizer: _Tokenizer) -> _Tokenizer:
    """Return a tokenizer that reads a text the same way alone and in a batch, whatever its files ask for.

    Its class, tokenizer_config.json and tokenizer.json may ask for padding on the left, which generation needs, for
    rows of a fixed length, for texts cut to a length, or for pieces drawn by lot. All of them are of the program that
    saved it, not of the network: texts are padded on the right where they have to be, and never cut.
    """
    tokenizer.padding_side = "right"
    tokenizer.split_special_tokens = False  # else a picture's sign is read letter by letter
    for habit in TextKwargs.__annotations__:  # a processor hands them on with each text
        tokenizer.init_kwargs.pop(habit, None)
    backend: Any = getattr(tokenizer, "backend_tokenizer", None)  # None where the tokenizer is written in Python
    if backend is not None:
        backend.no_padding()
        backend.no_truncation()
        if getattr(backend.model, "dropout", None):
            backend.model.dropout = None
    return tokenizer
