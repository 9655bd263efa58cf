"""Checkpoints of types that are asked with prompts of their own, by the name of their configuration (model_type)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import (
    BertTokenizer,
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2Processor,
    BlipImageProcessor,
    ChameleonConfig,
    ChameleonImageProcessor,
    ChameleonProcessor,
    CLIPImageProcessor,
    Florence2Config,
    Florence2Processor,
    GitConfig,
    GitProcessor,
)

from tests.models.checkpoints import SIDE, SQUARE, VISION, text_sizes, vocabulary
from tests.models.generative.pieces import CODEBOOK, CODES, IMAGE, ROWS, TEXT, Builder, number, text, words, write


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


def blip2(folder: Path, language: dict[str, Any] | None = None) -> Path:
    tokens = words()
    qformer = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = Blip2Config(
        vision_config={**VISION, "intermediate_size": 48},
        qformer_config={**qformer, "cross_attention_frequency": 1, "vocab_size": 50},
        text_config=language or text("opt", ffn_dim=48, word_embed_proj_dim=32),
        num_query_tokens=4,
        image_token_index=number(tokens, IMAGE),
    )
    processor = Blip2Processor(BlipImageProcessor(size=SQUARE), tokens, num_query_tokens=4)
    return write(folder, Blip2ForConditionalGeneration(config), processor)


def chameleon(folder: Path) -> Path:
    """Pictures become tokens of the vocabulary, by a codebook; the names of these tokens are numbers in letters."""
    names = {code: f"IMGIMG{''.join(chr(ord('A') + int(digit)) for digit in str(code))}Z" for code in range(CODES)}
    around = {"boi_token": "<racm3:break>", "eoi_token": "<eoss>", "image_token": IMAGE}
    end = "<reserved08706>"
    tokens = words(*names.values(), extra_special_tokens=around, sep_token=end)
    config = ChameleonConfig(
        **TEXT,
        vq_config={"num_embeddings": CODES, "embed_dim": 8, "latent_channels": 8, "resolution": 64, **CODEBOOK},
        vocabulary_map={token: number(tokens, token) for token in (IMAGE, *names.values())},
    )
    square = {"height": 64, "width": 64}
    images = ChameleonImageProcessor(size={"shortest_edge": 64}, crop_size=square)
    return write(folder, config, ChameleonProcessor(images, tokens, image_seq_length=256))


def git(folder: Path) -> Path:
    pieces = [*vocabulary(), "yes", "no"]
    tokens = BertTokenizer(vocab={piece: number for number, piece in enumerate(pieces)})
    sizes = {**text_sizes(), "vocab_size": len(pieces)}
    config = GitConfig(vision_config=VISION, **sizes, bos_token_id=2, eos_token_id=3)
    images = CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=SQUARE)
    return write(folder, config, GitProcessor(images, tokens))


BUILDERS: dict[str, Builder] = {
    "blip-2": blip2,
    "chameleon": chameleon,
    "florence2": florence2,
    "git": git,
}
PROMPTED = frozenset(BUILDERS)
