"""Tokenizers are freed of settings that belong to the program that saved them."""

from __future__ import annotations

from typing import Any, TypeVar

from transformers import PreTrainedTokenizerBase
from transformers.processing_utils import TextKwargs

_Tokenizer = TypeVar("_Tokenizer", bound=PreTrainedTokenizerBase)


def without_habits(tokenizer: _Tokenizer) -> _Tokenizer:
    """Change a tokenizer so that it reads a text the same way alone and in a batch, and return it.

    Its class, tokenizer_config.json and tokenizer.json may ask for padding on the left (for generation), for rows of a
    fixed length, for truncation, or for random word pieces. These are habits of the program that saved the tokenizer,
    not needs of the network. Here texts are padded on the right if necessary, and never truncated.
    """
    tokenizer.padding_side = "right"
    tokenizer.split_special_tokens = False  # else the special token of a picture is read letter by letter
    for habit in TextKwargs.__annotations__:  # a processor passes these settings to every call
        tokenizer.init_kwargs.pop(habit, None)
    backend: Any = getattr(tokenizer, "backend_tokenizer", None)  # None if the tokenizer is written in Python
    if backend is not None:
        backend.no_padding()
        backend.no_truncation()
        if getattr(backend.model, "dropout", None):
            backend.model.dropout = None
    return tokenizer
