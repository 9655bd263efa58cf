"""Checkpoints of types that are asked with prompts of their own, by the name of their configuration (model_type)."""

from __future__ import annotations

from pathlib import Path

from transformers import (
    CLIPImageProcessor,
    Florence2Config,
    Florence2Processor,
)

from tests.models.generative.pieces import IMAGE, ROWS, TEXT, Builder, number, words, write


def florence2(folder: Path) -> Path:
    tokens = words(single="<s> $A </s>", ends=("</s>",), extra_special_tokens={"image_token": IMAGE})
    vision = {
        "depths": [1, 1, 1, 1],
        "embed_dim": [8, 8, 16, 16],
        "num_heads": [2, 2, 2, 2],
        "num_groups": [2, 2, 2, 2],
    }
    vision |= {"window_size": 4, "projection_dim": 32, "max_position_embeddings": 4}
    language = {"model_type": "bart", "vocab_size": ROWS, "d_model": 32, "max_position_embeddings": 512}
    language |= {f"{part}_{name}": size for part in ("encoder", "decoder") for name, size in _LAYERS.items()}
    language |= {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2, "decoder_start_token_id": 1}
    config = Florence2Config(
        vision_config=vision, text_config={**language, "forced_eos_token_id": 1}, image_token_id=number(tokens, IMAGE)
    )
    images = CLIPImageProcessor(size={"height": 64, "width": 64}, do_center_crop=False)
    images.image_seq_length = 5  # a grid of 2 x 2, and its mean
    return write(folder, config, Florence2Processor(images, tokens))


_LAYERS = {"layers": 2, "attention_heads": 4, "ffn_dim": 48}

BUILDERS: dict[str, Builder] = {
    "florence2": florence2,
}
PROMPTED = frozenset(BUILDERS)
