"""Tiny chat checkpoints that like to answer with yes, no or a letter, as a trained one does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from tests.models import chats
from vlcheck.models.adapters.yes_no import spellings

_LIKED = 1.5  # times the mean state at the place of the answer, which is added to the rows of these tokens
_SURE = 400.0


def chatting(folder: Path) -> Path:
    """Save a tiny LLaVA whose template writes the first token itself."""
    tokenizer = _written(folder)
    words = [number for word in ("yes", "no") for number in spellings(tokenizer, word)]
    words += [tokenizer.convert_tokens_to_ids(letter) for letter in "ABCDEF"]
    return _liking(folder, dict.fromkeys(words, _LIKED))


def decided(folder: Path) -> Path:
    """Save a tiny LLaVA that says yes or no whatever it is asked, as long as its state is like the mean or opposite."""
    tokenizer = _written(folder)
    signs = (1, -1)
    words = [spellings(tokenizer, word) for word in ("yes", "no")]
    return _liking(folder, {number: _SURE * signs[at % 2] for some in words for at, number in enumerate(some)})


def _written(folder: Path) -> Any:
    """Write the checkpoint, and return its tokenizer."""
    chats.llava(folder, head_dim=32)  # vLLM has no smaller heads on a CPU
    processor = AutoProcessor.from_pretrained(folder)
    processor.chat_template = "<s>" + chats.LLAVA
    processor.save_pretrained(folder)
    return processor.tokenizer


def _liking(folder: Path, liked: Mapping[int, float]) -> Path:
    """Make tokens likelier: add the state at the place of an answer, times a number each, to their rows."""
    network: Any = AutoModelForImageTextToText.from_pretrained(folder).eval()
    tokenizer: Any = AutoProcessor.from_pretrained(folder).tokenizer
    inputs = tokenizer("<s>USER: a dog ASSISTANT:", return_tensors="pt", add_special_tokens=False)
    with torch.no_grad():
        state = network.model.language_model(input_ids=inputs["input_ids"]).last_hidden_state[0, -1]
        for number, by in liked.items():
            network.lm_head.weight[number] += by * state
    network.save_pretrained(folder)
    return folder
