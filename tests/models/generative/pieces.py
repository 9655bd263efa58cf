"""What small generative checkpoints have in common: tokens, sizes, chat templates, and how they are written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tokenizers import AddedToken
from transformers import AutoModelForImageTextToText, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

from tests.models import chats
from tests.models.chats import QWEN
from tests.models.checkpoints import SIDE, VISION, random_weights

Builder = Callable[[Path], Path]

IMAGE = chats.IMAGE
ROWS = 640  # of the token embeddings: room for special tokens beside the tokenizer's own
TEXT: dict[str, Any] = {**chats.TEXT, "vocab_size": ROWS}
T5: dict[str, Any] = {
    "model_type": "t5",
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 48,
    "num_layers": 2,
    "num_heads": 4,
    "vocab_size": ROWS,
    "pad_token_id": 2,
    "eos_token_id": 1,
    "decoder_start_token_id": 2,
}
PLACES: dict[str, Any] = {**chats.SPACE}  # positions in time, height and width
CODES = 64  # entries of a codebook of pictures, which become tokens of the vocabulary
CODEBOOK: dict[str, Any] = {
    "base_channels": 32,
    "channel_multiplier": [1, 1, 1],
    "num_res_blocks": 1,
    "attn_resolutions": [],
}
PAD = "<|image_pad|>"
CLIP_TOKENS = {"patch_size": 8, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
AREA = {"shortest_edge": SIDE * SIDE, "longest_edge": 9 * SIDE * SIDE}  # pixels, for processors of the Qwen kind


def words(*special: str, single: str = "<s> $A", **named: object) -> PreTrainedTokenizerFast:
    """Return the tokenizer of the generative families with more special tokens.

    Args:
        special: the special tokens that it gets beside its own.
        single: what becomes of a text; "$A" puts nothing before it.
        named: special tokens with names, as `PreTrainedTokenizerFast` takes them.
    """
    tokenizer = chats.tokenizer(single, **named)
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    assert len(tokenizer) <= ROWS
    return tokenizer


def number(tokenizer: PreTrainedTokenizerFast, token: str) -> int:
    """Return the id of a token that the tokenizer has."""
    found = tokenizer.get_vocab()[token]
    assert isinstance(found, int)
    return found


def named(**tokens: str) -> PreTrainedTokenizerFast:
    """Return a tokenizer with special tokens that its processor asks for by name, e.g. `image_token`."""
    return words(*tokens.values(), extra_special_tokens=tokens)


def numbers(tokenizer: PreTrainedTokenizerFast, **tokens: str) -> dict[str, int]:
    """Return the ids of tokens by the names that a configuration gives them."""
    return {name: number(tokenizer, token) for name, token in tokens.items()}


def text(model_type: str, **more: object) -> dict[str, Any]:
    """Return the sizes of a small language network."""
    return {"model_type": model_type, **TEXT, **more}


def clip_vision(**more: object) -> dict[str, Any]:
    return {"model_type": "clip_vision_model", "projection_dim": 16, **VISION, **more}


def siglip_vision(**more: object) -> dict[str, Any]:
    return {"model_type": "siglip_vision_model", "vision_use_head": False, **VISION, **more}


def chat(picture: str = IMAGE) -> str:
    """Return a plain chat template.

    Args:
        picture: what it writes for a picture.
    """
    return QWEN.replace("<|vision_start|><|image_pad|><|vision_end|>", picture)


def write(folder: Path, made: PreTrainedConfig | PreTrainedModel, *parts: Any) -> Path:
    """Write a checkpoint with random weights as a user has it on the disk.

    Args:
        folder: where.
        made: the configuration of a network, or the network.
        parts: a processor; or a tokenizer and an image processor.
    """
    network = made if isinstance(made, PreTrainedModel) else AutoModelForImageTextToText.from_config(made)
    random_weights(network).save_pretrained(folder)
    for part in parts:
        part.save_pretrained(folder)
    return folder
