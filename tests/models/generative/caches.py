"""Checkpoints of types whose caches hold more than keys and values, by the name of their configuration (model_type)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import (
    Gemma3nAudioFeatureExtractor,
    Gemma3nConfig,
    Gemma3nProcessor,
    Gemma4AudioFeatureExtractor,
    Gemma4Config,
    Gemma4ImageProcessor,
    Gemma4Processor,
    Gemma4UnifiedAudioFeatureExtractor,
    Gemma4UnifiedConfig,
    Gemma4UnifiedImageProcessor,
    Gemma4UnifiedProcessor,
    Gemma4UnifiedVideoProcessor,
    Gemma4VideoProcessor,
    Granite4VisionConfig,
    Granite4VisionProcessor,
    Kimi_K25Config,
    Kimi_K25ImageProcessor,
    Kimi_K25Processor,
    Kimi_K25VideoProcessor,
    Lfm2VlConfig,
    Lfm2VlImageProcessor,
    Lfm2VlProcessor,
    Lfm3VlConfig,
    Lfm3VlProcessor,
    Llama4Config,
    Llama4ImageProcessor,
    Llama4Processor,
    LlavaNextImageProcessor,
    MiniMaxM3VLConfig,
    MiniMaxM3VLImageProcessor,
    MiniMaxM3VLProcessor,
    MiniMaxM3VLVideoProcessor,
    MistralLarge4Config,
    NemotronH_Omni_Reasoning_V3_Config,
    NemotronH_Omni_Reasoning_V3ImageProcessor,
    NemotronH_Omni_Reasoning_V3Processor,
    NemotronH_Omni_Reasoning_V3VideoProcessor,
    ParakeetFeatureExtractor,
    PixtralImageProcessor,
    PixtralProcessor,
    Qwen2VLImageProcessor,
    Qwen3_5Config,
    Qwen3_5MoeConfig,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
    Qwen4ExpConfig,
    SiglipImageProcessor,
)

from tests.models.checkpoints import SIDE, SQUARE
from tests.models.generative.pieces import AREA, PLACES, Builder, chat, clip_vision, number, text, words, write

_QWEN = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
_LINEAR: dict[str, Any] = {
    "head_dim": 8,
    "linear_conv_kernel_dim": 3,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
}
_EXPERTS: dict[str, Any] = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
_EXPERTS |= {"shared_expert_intermediate_size": 16}


def _qwen_vision(model_type: str) -> dict[str, Any]:
    sizes = {"depth": 2, "hidden_size": 32, "intermediate_size": 48, "num_heads": 4, "patch_size": 8}
    return {"model_type": model_type, **sizes, "out_hidden_size": 32, "num_position_embeddings": 16}


def _qwen(folder: Path, config: Callable[..., Any], kind: str, **sizes: object) -> Path:
    """Write a checkpoint of a Qwen whose layers are linear and full attention in turn."""
    tokenizer = words()
    names = ("vision_start", "vision_end", "image", "video")
    tokens = {f"{name}_token_id": number(tokenizer, token) for name, token in zip(names, _QWEN, strict=True)}
    layers = {"num_hidden_layers": 3, "layer_types": ["linear_attention", "full_attention", "linear_attention"]}
    language = text(f"{kind}_text", rope_parameters={**PLACES}, **{**_LINEAR, **layers, **sizes})
    made = config(text_config=language, vision_config=_qwen_vision(f"{kind}_vision"), **tokens)
    images = Qwen2VLImageProcessor(size=AREA, patch_size=8)
    videos = Qwen3VLVideoProcessor(size=AREA, patch_size=8)
    return write(folder, made, Qwen3VLProcessor(images, tokenizer, videos, chat_template=chat("".join(_QWEN_PICTURE))))


_QWEN_PICTURE = (_QWEN[0], _QWEN[2], _QWEN[1])


def qwen3_5(folder: Path) -> Path:
    return _qwen(folder, Qwen3_5Config, "qwen3_5")


def qwen3_5_moe(folder: Path) -> Path:
    return _qwen(folder, Qwen3_5MoeConfig, "qwen3_5_moe", **_EXPERTS)


def qwen4_exp(folder: Path) -> Path:
    grams = {"ple_layer_ids": [1], "ngram_vocab_size_base": 64, "heads_per_ngram": 2, "split_ngram_parts": 1}
    grams |= {"make_ngram_vocab_size_divisible_by": 8, "hc_lowrank": 8, "hc_count": 2}
    index = {"indexer_n_heads": 2, "indexer_kv_heads": 1, "indexer_head_dim": 8}
    index |= {"indexer_budget": 4096, "indexer_compress_ratio": 4}
    return _qwen(folder, Qwen4ExpConfig, "qwen4_exp", **_EXPERTS, **grams, **index)


def lfm2_vl(folder: Path) -> Path:
    special = ("<|image_start|>", "<|image_end|>", "<|img_thumbnail|>")
    tokenizer = words(*special, *(f"<|img_row_{row}_col_{col}|>" for row in range(1, 4) for col in range(1, 4)))
    vision = {"model_type": "siglip2_vision_model", "hidden_size": 32, "intermediate_size": 48, "patch_size": 8}
    vision |= {"num_hidden_layers": 2, "num_attention_heads": 4, "num_patches": 16, "vision_use_head": False}
    layers = {"num_hidden_layers": 3, "layer_types": ["conv", "full_attention", "conv"], "block_multiple_of": 8}
    config = Lfm2VlConfig(
        text_config=text("lfm2", **layers),
        vision_config=vision,
        image_token_id=number(tokenizer, "<image>"),
        projector_hidden_size=32,
    )
    images = Lfm2VlImageProcessor(
        encoder_patch_size=8, tile_size=32, min_tiles=2, max_tiles=4, min_image_tokens=2, max_image_tokens=8
    )
    return write(folder, config, Lfm2VlProcessor(images, tokenizer, chat_template=chat()))


def lfm3_vl(folder: Path) -> Path:
    tokenizer = words()
    names = ("vision_start", "vision_end", "image", "video")
    tokens = {f"{name}_token_id": number(tokenizer, token) for name, token in zip(names, _QWEN, strict=True)}
    vision = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "patch_size": 8}
    vision |= {"num_attention_heads": 4, "num_key_value_heads": 2, "layer_types": ["conv", "full_attention"]}
    layers = ["conv", "sliding_attention", "full_attention", "conv"]
    language = text("lfm3", num_hidden_layers=4, layer_types=layers, head_dim=8, sliding_window=16)
    config = Lfm3VlConfig(text_config=language, vision_config=vision, projector_hidden_size=32, **tokens)
    images = Qwen2VLImageProcessor(size=AREA, patch_size=8)
    videos = Qwen3VLVideoProcessor(size=AREA, patch_size=8)
    return write(folder, config, Lfm3VlProcessor(images, tokenizer, videos, chat_template=chat("".join(_QWEN_PICTURE))))


_GEMMA = {
    "boi_token": "<start_of_image>",
    "eoi_token": "<end_of_image>",
    "image_token": "<image_soft_token>",
    "boa_token": "<start_of_audio>",
    "eoa_token": "<end_of_audio>",
    "audio_token": "<audio_soft_token>",
}
_SLIDING: dict[str, Any] = {
    "num_hidden_layers": 4,
    "layer_types": ["sliding_attention", "full_attention", "sliding_attention", "full_attention"],
    "num_kv_shared_layers": 2,
    "head_dim": 8,
    "sliding_window": 16,
}


def _gemma_words() -> Any:
    return words("<start_of_audio>", "<end_of_audio>", "<audio_soft_token>", "<|video|>", extra_special_tokens=_GEMMA)


def gemma3n(folder: Path) -> Path:
    """Build one whose vision network is a small one of timm: that of the published ones has no small variant."""
    tokenizer = _gemma_words()
    numbers = {f"{name}_id": number(tokenizer, token) for name, token in _GEMMA.items()}
    language = text("gemma3n_text", hidden_size_per_layer_input=8, laurel_rank=8, altup_num_inputs=2, **_SLIDING)
    vision = {"model_type": "gemma3n_vision", "architecture": "test_resnet", "hidden_size": 96, "vocab_size": 8}
    audio = {"model_type": "gemma3n_audio", "hidden_size": 32, "conf_num_attention_heads": 4, "vocab_size": 8}
    config = Gemma3nConfig(
        text_config={**language, "vocab_size_per_layer_input": language["vocab_size"]},
        vision_config={**vision, "vocab_offset": language["vocab_size"] - 16, "num_labels": 2},
        audio_config={**audio, "conf_num_hidden_layers": 1, "vocab_offset": language["vocab_size"] - 8},
        vision_soft_tokens_per_image=4,
        **numbers,
    )
    images = SiglipImageProcessor(size={"height": 2 * SIDE, "width": 2 * SIDE})
    made = Gemma3nProcessor(
        Gemma3nAudioFeatureExtractor(), images, tokenizer, image_seq_length=4, chat_template=chat("<image_soft_token>")
    )
    return write(folder, config, made)


def gemma4(folder: Path) -> Path:
    tokenizer = _gemma_words()
    numbers = {f"{name}_id": number(tokenizer, token) for name, token in _GEMMA.items() if name != "eoa_token"}
    language = text("gemma4_text", hidden_size_per_layer_input=8, global_head_dim=8, **_SLIDING)
    vision = {"model_type": "gemma4_vision", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    vision |= {"num_attention_heads": 4, "num_key_value_heads": 4, "head_dim": 8, "patch_size": 8}
    vision |= {"pooling_kernel_size": 2, "position_embedding_size": 64}
    config = Gemma4Config(
        text_config={**language, "vocab_size_per_layer_input": language["vocab_size"]},
        vision_config=vision,
        audio_config=None,
        video_token_id=number(tokenizer, "<|video|>"),
        **numbers,
    )
    sizes = {"patch_size": 8, "pooling_kernel_size": 2, "max_soft_tokens": 70}
    parts = Gemma4AudioFeatureExtractor(), Gemma4ImageProcessor(**sizes), tokenizer, Gemma4VideoProcessor(**sizes)
    return write(folder, config, Gemma4Processor(*parts, chat_template=chat("<image_soft_token>")))


def gemma4_unified(folder: Path) -> Path:
    tokenizer = _gemma_words()
    numbers = {f"{name}_id": number(tokenizer, token) for name, token in _GEMMA.items() if name != "eoa_token"}
    sizes = {"patch_size": 8, "pooling_kernel_size": 2}
    config = Gemma4UnifiedConfig(
        text_config=text("gemma4_unified_text", global_head_dim=8, **_SLIDING),
        vision_config={**sizes, "mm_embed_dim": 32, "mm_posemb_size": 64, "output_proj_dims": 32},
        audio_config=None,
        video_token_id=number(tokenizer, "<|video|>"),
        **numbers,
    )
    sizes |= {"max_soft_tokens": 70}
    images, videos = Gemma4UnifiedImageProcessor(**sizes), Gemma4UnifiedVideoProcessor(**sizes)
    made = Gemma4UnifiedProcessor(
        Gemma4UnifiedAudioFeatureExtractor(), images, tokenizer, videos, chat_template=chat("<image_soft_token>")
    )
    return write(folder, config, made)


def llama4(folder: Path) -> Path:
    special = ("<|image_start|>", "<|image_end|>", "<|patch|>", "<|tile_x_separator|>", "<|tile_y_separator|>")
    tokenizer = words(*special)
    vision = {"hidden_size": 32, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    vision |= {"image_size": SIDE, "patch_size": 8, "vision_output_dim": 32}
    vision |= {"projector_input_dim": 32, "projector_output_dim": 32}
    layers = {"num_hidden_layers": 4, "attention_chunk_size": 16, "head_dim": 8, "intermediate_size_mlp": 48}
    experts = {"num_local_experts": 4, "interleave_moe_layer_step": 2}
    config = Llama4Config(
        text_config=text("llama4_text", **layers, **experts),
        vision_config=vision,
        boi_token_index=number(tokenizer, "<|image_start|>"),
        eoi_token_index=number(tokenizer, "<|image_end|>"),
        image_token_index=number(tokenizer, "<|patch|>"),
    )
    images = Llama4ImageProcessor(size=SQUARE, max_patches=4)
    return write(folder, config, Llama4Processor(images, tokenizer, patch_size=8, chat_template=chat("<|image|>")))


def nemotron_h_omni(folder: Path) -> Path:
    tokenizer = words("<so_embedding>", "<so_start>", "<so_end>")
    vision = {"model_type": "radio", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    vision |= {"patch_size": 8, "image_size": SIDE, "max_img_size": 128, "num_cls_tokens": 2, "num_registers": 2}
    vision |= {"video_temporal_patch_size": 2}
    language = text("nemotron_h", head_dim=8, ssm_state_size=8, mamba_num_heads=4, mamba_head_dim=16, n_groups=2)
    language |= {"layers_block_type": ["linear_attention", "moe", "full_attention", "linear_attention"]}
    language |= {"n_routed_experts": 4, "moe_intermediate_size": 16, "moe_shared_expert_intermediate_size": 16}
    language |= {"use_mamba_kernels": False, "chunk_size": 16}
    del language["num_hidden_layers"]
    config = NemotronH_Omni_Reasoning_V3_Config(
        text_config=language,
        vision_config=vision,
        audio_config=None,
        vision_hidden_size=32,
        projector_hidden_size=32,
        image_token_id=number(tokenizer, "<image>"),
        video_token_id=number(tokenizer, "<video>"),
    )
    images = NemotronH_Omni_Reasoning_V3ImageProcessor(patch_size=8, min_num_patches=4, max_num_patches=64)
    videos = NemotronH_Omni_Reasoning_V3VideoProcessor(patch_size=8)
    made = NemotronH_Omni_Reasoning_V3Processor(
        images, videos, tokenizer, ParakeetFeatureExtractor(), chat_template=chat()
    )
    return write(folder, config, made)


def minimax_m3_vl(folder: Path) -> Path:
    picture, start, end = "]<]image[>[", "]<]start of image[>[", "]<]end of image[>["
    tokenizer = words(picture, "]<]video[>[", start, end)
    vision = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    vision |= {"image_size": 96, "patch_size": 8}
    layers = {"num_hidden_layers": 3, "layer_types": ["full_attention", "minimax_m3_sparse", "minimax_m3_sparse"]}
    layers |= {"mlp_layer_types": ["dense", "sparse", "sparse"], "dense_intermediate_size": 48}
    experts = {"num_local_experts": 4, "num_experts_per_tok": 2, "shared_intermediate_size": 16}
    index = {"index_n_heads": 2, "index_head_dim": 8, "index_block_size": 8, "index_topk_blocks": 2}
    config = MiniMaxM3VLConfig(
        text_config=text("minimax_m3_vl_text", head_dim=8, rotary_dim=4, **layers, **experts, **index),
        vision_config=vision,
        image_token_index=number(tokenizer, picture),
        video_token_index=number(tokenizer, "]<]video[>["),
        projector_hidden_size=32,
    )
    images = MiniMaxM3VLImageProcessor(size=AREA, patch_size=8)
    videos = MiniMaxM3VLVideoProcessor(size=SQUARE, patch_size=8)
    return write(folder, config, MiniMaxM3VLProcessor(images, tokenizer, videos, chat_template=chat(picture)))


def granite4_vision(folder: Path) -> Path:
    tokenizer = words()
    grid = [[32, 64], [64, 32], [64, 64]]
    config = Granite4VisionConfig(
        text_config=text("granite4_vision_text"),
        vision_config=clip_vision(hidden_size=64, num_attention_heads=4),
        qformer_config={"model_type": "blip_2_qformer", "num_hidden_layers": 1, "intermediate_size": 48},
        image_token_index=number(tokenizer, "<image>"),
        image_grid_pinpoints=grid,
        downsample_rate="1/2",
        deepstack_layer_map=[[-1, 0], [-2, 1]],
        spatial_target_layers=[1],
        image_seq_length=4,
    )
    images = LlavaNextImageProcessor(size={"shortest_edge": SIDE}, crop_size=SQUARE, image_grid_pinpoints=grid)
    named = {"patch_size": 8, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
    made = Granite4VisionProcessor(images, tokenizer, downsample_rate="1/2", chat_template=chat(), **named)
    return write(folder, config, made)


_LATENT: dict[str, Any] = {"kv_lora_rank": 16, "qk_rope_head_dim": 8, "v_head_dim": 8, "qk_nope_head_dim": 8}
_LATENT |= {"n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16, "num_key_value_heads": 4}


def mistral_large4(folder: Path) -> Path:
    tokenizer = words("[IMG]", "[IMG_BREAK]", "[IMG_END]")
    layers = {"num_hidden_layers": 4, "index_topk": 16, "index_head_dim": 16, "index_n_heads": 16}
    layers |= {"kv_source_layers": [0, 1, 1, 3], "indexer_types": ["full", "full", "shared", "full"]}
    vision = {"model_type": "pixtral", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    vision |= {"num_attention_heads": 4, "head_dim": 8, "patch_size": 8, "image_size": 96}
    config = MistralLarge4Config(
        text_config=text("mistral_large4_text", **{**_LATENT, **layers}),
        vision_config=vision,
        image_token_index=number(tokenizer, "[IMG]"),
    )
    images = PixtralImageProcessor(size={"longest_edge": 96}, patch_size={"height": 8, "width": 8})
    made = PixtralProcessor(images, tokenizer, patch_size=8, spatial_merge_size=2, chat_template=chat("[IMG]"))
    return write(folder, config, made)


def kimi_k25(folder: Path) -> Path:
    tokenizer = words("<|media_pad|>", "<|media_begin|>", "<|media_end|>", "<|kimi_k25_video_placeholder|>")
    vision = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    vision |= {"patch_size": 8, "pos_emb_height": 8, "pos_emb_width": 8}
    config = Kimi_K25Config(
        text_config=text("deepseek_v3", q_lora_rank=16, first_k_dense_replace=1, n_group=1, topk_group=1, **_LATENT),
        vision_config=vision,
        projection_hidden_size=32,
        image_token_id=number(tokenizer, "<|media_pad|>"),
        video_token_id=number(tokenizer, "<|kimi_k25_video_placeholder|>"),
        vision_start_token_id=number(tokenizer, "<|media_begin|>"),
        vision_end_token_id=number(tokenizer, "<|media_end|>"),
    )
    images = Kimi_K25ImageProcessor(size={"max_height": 64, "max_width": 64}, patch_size=8)
    videos = Kimi_K25VideoProcessor(size={"max_height": 64, "max_width": 64}, patch_size=8)
    picture = "<|media_begin|>image<|media_pad|><|media_end|>"
    return write(folder, config, Kimi_K25Processor(images, tokenizer, videos, chat_template=chat(picture)))


BUILDERS: dict[str, Builder] = {
    "gemma3n": gemma3n,
    "gemma4": gemma4,
    "gemma4_unified": gemma4_unified,
    "granite4_vision": granite4_vision,
    "kimi_k25": kimi_k25,
    "lfm2_vl": lfm2_vl,
    "lfm3_vl": lfm3_vl,
    "llama4": llama4,
    "minimax_m3_vl": minimax_m3_vl,
    "mistral_large4": mistral_large4,
    "nemotron_h_omni": nemotron_h_omni,
    "qwen3_5": qwen3_5,
    "qwen3_5_moe": qwen3_5_moe,
    "qwen4_exp": qwen4_exp,
}
