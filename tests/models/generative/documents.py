"""Checkpoints of types that were made to read documents, by the name of their configuration (model_type).

They answer a question about a picture as others do. Published ones were trained to write down what a page says.
"""

# ruff: noqa: S106  # names of tokens are no passwords

from __future__ import annotations

from pathlib import Path

import transformers as hf
from transformers import (
    DeepseekOcr2Config,
    DeepseekOcr2ImageProcessor,
    DeepseekOcr2Processor,
    GotOcr2Config,
    GotOcr2ImageProcessor,
    GotOcr2Processor,
    GraniteDoclingConfig,
    GraniteDoclingImageProcessor,
    GraniteDoclingProcessor,
    HunYuanVLConfig,
    HunYuanVLImageProcessor,
    HunYuanVLProcessor,
)

from tests.models.checkpoints import SQUARE, VISION
from tests.models.generative.pieces import (
    AREA,
    IMAGE,
    PAD,
    PLACES,
    TEXT,
    Builder,
    chat,
    named,
    number,
    numbers,
    text,
    words,
    write,
)

PAGE = 128  # the side in pixels of which 256 tokens are made, as many as the processors count
SAM = {
    "hidden_size": 16,
    "output_channels": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": PAGE,
    "patch_size": 2,
    "window_size": 8,
    "global_attn_indexes": [],
    "mlp_dim": 16,
}


def got_ocr2(folder: Path) -> Path:
    tokens = words("<imgpad>")
    config = GotOcr2Config(vision_config=SAM, text_config=text("qwen2"), image_token_index=number(tokens, "<imgpad>"))
    images = GotOcr2ImageProcessor(size={"height": PAGE, "width": PAGE})
    return write(folder, config, GotOcr2Processor(images, tokens, chat_template=chat("<img><imgpad></img>\n")))


def deepseek_ocr2(folder: Path) -> Path:
    """A tile of three quarters of the page's side makes 144 tokens."""
    tokens = words(extra_special_tokens={"image_token": IMAGE})
    experts = {"moe_intermediate_size": 16, "n_routed_experts": 4, "n_shared_experts": 1, "num_experts_per_tok": 2}
    config = DeepseekOcr2Config(
        vision_config={
            "sam_config": {**SAM, "downsample_channels": [16, 32]},
            "encoder_config": {**TEXT, "vocab_size": 8},
        },
        text_config={**TEXT, **experts, "mlp_layer_types": ["dense", "sparse"]},
        image_token_id=number(tokens, IMAGE),
    )
    tile = 3 * PAGE // 4
    images = DeepseekOcr2ImageProcessor(size={"height": PAGE, "width": PAGE}, tile_size=tile, max_patches=3)
    return write(folder, config, DeepseekOcr2Processor(images, tokens, chat_template=chat(), patch_size=2))


def granite_docling(folder: Path) -> Path:
    tokens = words(extra_special_tokens={"image_token": IMAGE})
    vision = {**VISION, "out_hidden_size": 32, "scale_factor": 2, "deepstack_visual_indexes": [0], "num_channels": 3}
    config = GraniteDoclingConfig(
        vision_config=vision,
        text_config=TEXT,
        image_token_id=number(tokens, IMAGE),
        density_router_hidden_size=8,
        pad_token_id=TEXT["pad_token_id"],
    )
    images = GraniteDoclingImageProcessor(size=SQUARE, max_patches=3)
    return write(folder, config, GraniteDoclingProcessor(images, tokens, image_seq_len=4, chat_template=chat()))


def hunyuan_vl(folder: Path) -> Path:
    names = {
        "image_token": "<|image_pad|>",
        "image_start_token": "<|vision_start|>",
        "image_end_token": "<|vision_end|>",
    }
    tokens = words(extra_special_tokens=names)
    vision = {**VISION, "out_hidden_size": 32, "text_hidden_size": 32, "max_image_size": 96, "min_image_size": 32}
    places = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1, 1, 1]}
    config = HunYuanVLConfig(
        vision_config={key: size for key, size in vision.items() if key != "image_size"},
        text_config={**TEXT, "head_dim": 8, "rope_parameters": places},
        image_token_id=number(tokens, "<|image_pad|>"),
        im_start_id=number(tokens, "<|vision_start|>"),
        im_end_id=number(tokens, "<|vision_end|>"),
    )
    images = HunYuanVLImageProcessor(size=AREA, patch_size=8)
    plain = chat("<|vision_start|><|image_pad|><|vision_end|>")
    return write(folder, config, HunYuanVLProcessor(images, tokens, chat_template=plain))


def lighton_ocr(folder: Path) -> Path:
    tokenizer = named(image_token=PAD, image_break_token="<|vision_pad|>", image_end_token="<|vision_end|>")
    config = hf.LightOnOcrConfig(
        vision_config={"model_type": "pixtral", **VISION, "image_size": 64, "head_dim": 8},
        text_config=text("qwen3", head_dim=8),
        image_token_id=tokenizer.image_token_id,
    )
    images = hf.PixtralImageProcessor(size={"longest_edge": 64}, patch_size=16)
    processor = hf.LightOnOcrProcessor(images, tokenizer, 8, 2, chat_template=chat(PAD))
    return write(folder, config, processor)


def paddleocr_vl(folder: Path) -> Path:
    tokenizer = named(image_token="<|IMAGE_PLACEHOLDER|>", video_token="<|video_pad|>")
    config = hf.PaddleOCRVLConfig(
        text_config=text("paddleocr_vl_text", head_dim=8, rope_parameters={**PLACES}),
        vision_config={**VISION},
        image_token_id=tokenizer.image_token_id,
        **numbers(
            tokenizer,
            video_token_id="<|video_pad|>",
            vision_start_token_id="<|vision_start|>",
            vision_end_token_id="<|vision_end|>",
        ),
    )
    images = hf.PaddleOCRVLImageProcessor(size=AREA, patch_size=8)
    template = chat("<|vision_start|><|IMAGE_PLACEHOLDER|><|vision_end|>")
    return write(folder, config, hf.PaddleOCRVLProcessor(images, tokenizer, chat_template=template))


def qianfan_ocr(folder: Path) -> Path:
    tokenizer = named(start_image_token="<img>", end_image_token="</img>", context_image_token="<IMG_CONTEXT>")
    config = hf.QianfanOCRConfig(
        vision_config={**VISION},
        text_config=text("qwen3", head_dim=8),
        image_token_id=tokenizer.context_image_token_id,
        image_seq_length=4,
    )
    images = hf.GotOcr2ImageProcessor(size=SQUARE, crop_to_patches=True, max_patches=3)
    processor = hf.QianfanOCRProcessor(images, tokenizer, image_seq_length=4, chat_template=chat(f"{IMAGE}\n"))
    return write(folder, config, processor)


def unlimited_ocr(folder: Path) -> Path:
    tokenizer = words()
    sam = {"hidden_size": 32, "output_channels": 16, "num_hidden_layers": 2, "num_attention_heads": 4}
    sam |= {"image_size": 64, "patch_size": 4, "window_size": 4, "global_attn_indexes": [1], "mlp_dim": 48}
    sparse = {"n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16, "sliding_window": 16}
    config = hf.UnlimitedOcrConfig(
        text_config=text("unlimited_ocr_text", n_shared_experts=1, **sparse, num_key_value_heads=4),
        vision_config={
            "sam_config": {**sam, "downsample_channels": [24, 32]},
            "encoder_config": {**VISION, "image_size": 64, "patch_size": 16},
        },
        image_token_id=number(tokenizer, IMAGE),
    )
    images = hf.UnlimitedOcrImageProcessor(size={"height": 64, "width": 64}, tile_size=32, max_patches=4)
    processor = hf.UnlimitedOcrProcessor(images, tokenizer, chat(f"{IMAGE}\n"), patch_size=4, downsample_ratio=4)
    return write(folder, config, processor)


BUILDERS: dict[str, Builder] = {
    "deepseek_ocr2": deepseek_ocr2,
    "got_ocr2": got_ocr2,
    "granite_docling": granite_docling,
    "hunyuan_vl": hunyuan_vl,
    "lighton_ocr": lighton_ocr,
    "paddleocr_vl": paddleocr_vl,
    "qianfan_ocr": qianfan_ocr,
    "unlimited_ocr": unlimited_ocr,
}
