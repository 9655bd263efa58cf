"""Checkpoints of types that are asked with prompts of their own, by the name of their configuration (model_type)."""

# ruff: noqa: S106  # names of tokens are no passwords

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import transformers as hf
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

from tests.models.checkpoints import SIDE, SQUARE, VISION, bert_tokenizer, text_sizes, vocabulary
from tests.models.generative.pieces import (
    CODEBOOK,
    CODES,
    IMAGE,
    ROWS,
    T5,
    TEXT,
    Builder,
    number,
    numbers,
    siglip_vision,
    text,
    words,
    write,
)


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


def idefics(folder: Path) -> Path:
    tokenizer = words(unk_token="<unk>")
    vision = {"embed_dim": 32, "image_size": SIDE, "patch_size": 8, "num_hidden_layers": 2, "num_attention_heads": 4}
    resampler = {"use_resampler": True, "resampler_n_latents": 4, "resampler_depth": 1, "resampler_n_heads": 4}
    config = hf.IdeficsConfig(
        **{key: TEXT[key] for key in TEXT if key not in ("num_key_value_heads", "vocab_size")},
        vocab_size=len(tokenizer),
        vision_config={**vision, "intermediate_size": 48},
        perceiver_config={**resampler, "resampler_head_dim": 8},
        use_resampler=True,
        cross_layer_interval=2,
    )
    images = hf.IdeficsImageProcessor(image_size=SIDE)
    return write(folder, config, hf.IdeficsProcessor(images, tokenizer, image_size=SIDE))


def instructblip(folder: Path, language: Mapping[str, Any] | None = None) -> Path:
    """Write a checkpoint.

    Args:
        folder: where.
        language: the language network; a small T5 if None.
    """
    tokenizer = words()
    reader = text_sizes(encoder_hidden_size=32, cross_attention_frequency=1, model_type="instructblip_qformer")
    config = hf.InstructBlipConfig(
        vision_config=VISION,
        qformer_config=reader,
        text_config=language or T5,
        num_query_tokens=4,
        image_token_index=number(tokenizer, IMAGE),
    )
    processor = hf.InstructBlipProcessor(BlipImageProcessor(size=SQUARE), tokenizer, bert_tokenizer(), 4)
    return write(folder, config, processor)


def kosmos2(folder: Path) -> Path:
    tokenizer = words(single="$A", unk_token="<unk>")
    images = hf.CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=SQUARE)
    processor = hf.Kosmos2Processor(images, tokenizer, 4)
    processor.num_image_tokens = 4
    language = {"embed_dim": 32, "ffn_dim": 48, "layers": 2, "attention_heads": 4, "max_position_embeddings": 512}
    special = {"pad_token_id": 2, "bos_token_id": 0, "eos_token_id": 1}
    config = hf.Kosmos2Config(
        text_config={**language, **special, "vocab_size": ROWS}, vision_config={**VISION}, latent_query_num=4
    )
    return write(folder, config, processor)


def t5gemma2(folder: Path) -> Path:
    tokenizer = words(
        extra_special_tokens={
            "boi_token": "<start_of_image>",
            "eoi_token": "<end_of_image>",
            "image_token": "<image_soft_token>",
        }
    )
    sizes = {"head_dim": 8, "sliding_window": 16, "query_pre_attn_scalar": 8}
    sizes |= {"layer_types": ["sliding_attention", "full_attention"]}
    encoder = {
        "text_config": text("t5gemma2_text", **sizes),
        "vision_config": siglip_vision(),
        "mm_tokens_per_image": 4,
        **numbers(tokenizer, boi_token_index="<start_of_image>", eoi_token_index="<end_of_image>"),
    }
    config = hf.T5Gemma2Config(
        encoder=encoder,
        decoder=text("t5gemma2_decoder", **sizes),
        image_token_index=number(tokenizer, "<image_soft_token>"),
    )
    images = hf.Gemma3ImageProcessor(size=SQUARE)
    return write(folder, config, hf.Gemma3Processor(images, tokenizer, image_seq_length=4))


def vision_encoder_decoder(folder: Path) -> Path:
    tokenizer = words()
    encoder = hf.ViTConfig(**VISION)
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256, "vocab_size": ROWS}
    decoder = hf.GPT2Config(**sizes, bos_token_id=0, eos_token_id=1, add_cross_attention=True)
    config = hf.VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder, decoder_start_token_id=0)
    return write(folder, config, tokenizer, hf.ViTImageProcessor(size=SQUARE))


BUILDERS: dict[str, Builder] = {
    "blip-2": blip2,
    "chameleon": chameleon,
    "florence2": florence2,
    "git": git,
    "idefics": idefics,
    "instructblip": instructblip,
    "kosmos-2": kosmos2,
    "t5gemma2": t5gemma2,
    "vision-encoder-decoder": vision_encoder_decoder,
}
PROMPTED = frozenset(BUILDERS)
