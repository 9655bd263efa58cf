"""A tiny chat checkpoint that likes to answer with yes, no or a letter, as a trained one does."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from tests.models import chats
from vlcheck.models.adapters.yes_no import spellings


def chatting(folder: Path, liked: float = 1.5) -> Path:
    """Save a tiny LLaVA whose template writes the first token itself.

    Args:
        folder: where.
        liked: times the mean state at the place of the answer, which is added to the rows of the liked tokens.
    """
    chats.llava(folder, head_dim=32)  # vLLM has no smaller heads on a CPU
    processor = AutoProcessor.from_pretrained(folder)
    processor.chat_template = "<s>" + chats.LLAVA
    processor.save_pretrained(folder)
    network = AutoModelForImageTextToText.from_pretrained(folder).eval()
    words = [*(number for word in ("yes", "no") for number in spellings(processor.tokenizer, word))]
    words += [processor.tokenizer.convert_tokens_to_ids(letter) for letter in "ABCDEF"]
    inputs = processor.tokenizer("<s>USER: a dog ASSISTANT:", return_tensors="pt", add_special_tokens=False)
    with torch.no_grad():
        state = network.model.language_model(input_ids=inputs["input_ids"]).last_hidden_state[0, -1]
        network.lm_head.weight[words] += liked * state
    network.save_pretrained(folder)
    return folder
