"""Checkpoints of the types from i to z that stand in no other module, by their configuration (model_type)."""

# ruff: noqa: S106  # names of tokens are no passwords

from __future__ import annotations

from pathlib import Path
from typing import Any

import transformers as hf
from transformers import PreTrainedTokenizerFast

from tests.models.chats import GEMMA, IDEFICS, LLAVA
from tests.models.checkpoints import SIDE, SQUARE, VISION
from tests.models.generative.pieces import (
    AREA,
    CLIP_TOKENS,
    IMAGE,
    PLACES,
    ROWS,
    Builder,
    chat,
    clip_vision,
    named,
    number,
    numbers,
    text,
    words,
    write,
)

INSTRUCT = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}[INST]"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}[IMG]{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}[/INST]{% else %}{{ message['content'][0]['text'] }}{{ eos_token }}{% endif %}{% endfor %}"
)
WINDOW = {"depth": 2, "hidden_size": 32, "intermediate_size": 48, "num_heads": 4, "patch_size": 8}
WINDOW |= {"window_size": 32, "out_hidden_size": 32, "fullatt_block_indexes": [1]}
DEEP = {"depth": 3, "hidden_size": 32, "intermediate_size": 48, "num_heads": 4, "patch_size": 8}
DEEP |= {"out_hidden_size": 32, "num_position_embeddings": 16, "deepstack_visual_indexes": [0, 1]}
EXPERTS = {"moe_intermediate_size": 16, "num_experts_per_tok": 2}


def idefics2(folder: Path) -> Path:
    tokenizer = words()
    perceiver = {"hidden_size": 32, "resampler_n_latents": 4, "resampler_depth": 1, "resampler_n_heads": 4}
    perceiver |= {"resampler_head_dim": 8, "num_key_value_heads": 2, "rms_norm_eps": 1e-5}
    config = hf.Idefics2Config(
        text_config=text("mistral"),
        vision_config={**VISION},
        perceiver_config=perceiver,
        image_token_id=number(tokenizer, IMAGE),
    )
    size = {"shortest_edge": SIDE, "longest_edge": 2 * SIDE}
    images = hf.Idefics2ImageProcessor(size=size, do_image_splitting=True)
    return write(folder, config, hf.Idefics2Processor(images, tokenizer, image_seq_len=4, chat_template=IDEFICS))


def janus(folder: Path) -> Path:
    """Write a checkpoint that reads pictures, and has the parts that draw them."""
    tokenizer = named(image_token="<image_placeholder>", boi_token="<begin_of_image>", eoi_token="<end_of_image>")
    vision = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": SIDE}
    vision |= {"patch_size": 8, "projection_dim": 32, "num_image_tokens": 16, "mlp_ratio": 2.0}
    drawn = {"embed_dim": 8, "num_embeddings": 16, "latent_channels": 32, "base_channels": 32}
    drawn |= {"channel_multiplier": [1], "num_res_blocks": 1, "projection_dim": 32, "image_token_embed_dim": 32}
    config = hf.JanusConfig(
        text_config=text("llama"), vision_config=vision, vq_config=drawn, image_token_id=tokenizer.image_token_id
    )
    images = hf.JanusImageProcessor(size=SQUARE, min_size=8)
    template = LLAVA.replace(IMAGE, "<image_placeholder>")
    return write(folder, config, hf.JanusProcessor(images, tokenizer, num_image_tokens=16, chat_template=template))


def inkling_mm_model(folder: Path) -> Path:
    tokenizer = named(image_token="<|image_part|>", audio_token="<|audio_part|>")
    tokenizer.add_tokens(["<|content_image|>", "<|content_audio_input|>"], special_tokens=True)
    config = hf.InklingConfig(
        text_config=text(
            "inkling_text", **INKLING, logits_mup_width_multiplier=1.0, mlp_layer_types=["dense", "sparse"]
        ),
        vision_config={"patch_size": 20, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4},
        audio_config={"n_mel_bins": 8, "mel_vocab_size": 16},
        image_token_id=tokenizer.image_token_id,
        audio_token_id=tokenizer.audio_token_id,
        **numbers(tokenizer, image_bos_token_id="<|content_image|>", audio_bos_token_id="<|content_audio_input|>"),
    )
    images = hf.InklingImageProcessor(size={"height": 20, "width": 20})
    sounds = hf.InklingFeatureExtractor(feature_size=8)
    template = chat("<|content_image|><|image_part|>")
    return write(folder, config, hf.InklingProcessor(sounds, images, tokenizer, chat_template=template))


INKLING: dict[str, Any] = {
    "head_dim": 8,
    "swa_num_attention_heads": 4,
    "swa_num_key_value_heads": 2,
    "swa_head_dim": 8,
    "sliding_window_size": 16,
    "d_rel": 4,
    "rel_extent": 32,
    "layer_types": ["hybrid_sliding", "hybrid"],
    "moe_intermediate_size": 16,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "unpadded_vocab_size": ROWS,
}
INKLING_VISION = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "patch_size": 8}
INKLING_VISION |= {"posemb_grid_size": 4, "projection_hidden_dim": 32, "text_hidden_size": 32}


def _inkling2(folder: Path, config: Any, model_type: str, **more: object) -> Path:
    tokenizer = named(image_token="<|image_part|>")
    language = text(model_type, **INKLING | {"n_layers_per_attn_res_block": 1} | more)
    del language["intermediate_size"]
    made = config(text_config=language, vision_config=INKLING_VISION, image_token_id=tokenizer.image_token_id)
    images = hf.Inkling2ImageProcessor(size={"height": 16, "width": 16})
    return write(folder, made, hf.Inkling2Processor(images, tokenizer, chat_template=chat("<|image_part|>")))


def inkling2(folder: Path) -> Path:
    return _inkling2(folder, hf.Inkling2Config, "inkling2_text")


def inkling2_loop(folder: Path) -> Path:
    layers = {"num_hidden_layers": 3, "layer_types": ["hybrid", "hybrid_sliding", "hybrid"]}
    loop = {"loop_layer_index_start": 1, "loop_layer_index_end": 2, "loop_num_passes": 2, "loop_gate_rank": 4}
    return _inkling2(folder, hf.Inkling2LoopConfig, "inkling2_loop_text", **layers, **loop)


_MINICPM = {
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
    "image_start_token": "<image>",
    "image_end_token": "</image>",
    "slice_start_token": "<slice>",
    "slice_end_token": "</slice>",
    "image_id_start_token": "<image_id>",
    "image_id_end_token": "</image_id>",
}
HYBRID: dict[str, Any] = {
    "head_dim": 8,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "layer_types": ["linear_attention", "full_attention"],
    "rope_parameters": {**PLACES, "mrope_interleaved": True, "partial_rotary_factor": 1.0},
}


def _minicpm(folder: Path, kind: str, pictures: Any, videos: Any, **more: str) -> Path:
    tokenizer = named(**_MINICPM)
    config = getattr(hf, f"{kind}Config")(
        text_config=text("qwen3_5_text", **HYBRID),
        vision_config={**VISION, "num_hidden_layers": 3},
        insert_layer_id=1,
        downsample_mode="4x",
        **numbers(tokenizer, image_token_id="<|image_pad|>", video_token_id="<|video_pad|>", **more),
    )
    sizes = {"patch_size": 8, "scale_resolution": 32, "max_slice_nums": 4, "downsample_mode": "4x"}
    processor = getattr(hf, f"{kind}Processor")
    return write(
        folder, config, processor(pictures(**sizes), videos(**sizes), tokenizer, chat_template=chat("<|image_pad|>\n"))
    )


def minicpm_ocr(folder: Path) -> Path:
    return _minicpm(folder, "MiniCPMOcr", hf.MiniCPMOcrImageProcessor, hf.MiniCPMOcrVideoProcessor)


def minicpmv4_6(folder: Path) -> Path:
    return _minicpm(folder, "MiniCPMV4_6", hf.MiniCPMV4_6ImageProcessor, hf.MiniCPMV4_6VideoProcessor)


def minicpmv4_7(folder: Path) -> Path:
    marks = {name.replace("_token", "_id"): _MINICPM[name] for name in [*_MINICPM][2:6]}
    return _minicpm(
        folder,
        "MiniCPMV4_7",
        hf.MiniCPMV4_6ImageProcessor,
        hf.MiniCPMV4_6VideoProcessor,
        **marks,
        newline_id="Ċ",
    )


def mistral3(folder: Path) -> Path:
    tokenizer = words("[IMG]", "[IMG_BREAK]", "[IMG_END]", "[INST]", "[/INST]")
    config = hf.Mistral3Config(
        vision_config={"model_type": "pixtral", **VISION, "image_size": 64, "head_dim": 8},
        text_config=text("mistral", head_dim=8),
        image_token_index=number(tokenizer, "[IMG]"),
    )
    images = hf.PixtralImageProcessor(size={"longest_edge": 64}, patch_size=8)
    processor = hf.PixtralProcessor(images, tokenizer, patch_size=8, spatial_merge_size=2, chat_template=INSTRUCT)
    return write(folder, config, processor)


def molmo2(folder: Path) -> Path:
    parts = ("<im_patch>", "<im_col>", "<im_start>", "<low_res_im_start>", "<frame_start>", "<im_end>", "<frame_end>")
    tokenizer = words("<|video|>", *parts, "<im_low>")
    language = text("molmo2_text", head_dim=8, vocab_size=ROWS - 64, additional_vocab_size=64)
    heads = {"num_attention_heads": 4, "num_key_value_heads": 4, "head_dim": 8}
    adapter = {"vision_feature_layer": [1, 0], "hidden_size": 32, "intermediate_size": 48, "text_hidden_size": 32}
    config = hf.Molmo2Config(
        text_config=language,
        vision_config={**VISION, **heads, "image_size": [SIDE, SIDE]},
        adapter_config={**adapter, **heads},
        image_start_token_id=number(tokenizer, "<im_start>"),
        low_res_image_start_token_id=number(tokenizer, "<low_res_im_start>"),
        image_end_token_id=number(tokenizer, "<im_end>"),
        image_patch_id=number(tokenizer, "<im_patch>"),
        frame_start_token_id=number(tokenizer, "<frame_start>"),
        frame_end_token_id=number(tokenizer, "<frame_end>"),
    )
    images = hf.Molmo2ImageProcessor(size=SQUARE, patch_size=8, max_crops=4, overlap_margins=[1, 1])
    videos = hf.Molmo2VideoProcessor(size=SQUARE, patch_size=8)
    return write(folder, config, hf.Molmo2Processor(images, videos, tokenizer, chat_template=chat("<|image|>")))


_MUSE = ("<|patch|>", "<|image_start|>", "<|image_end|>", "<|video|>", "<|vid_frame_separator|>", "<|vid_start|>")
MUSE_TOKENS = (*_MUSE, "<|vid_end|>", "<|audio|>", "<|soft_audio_start|>", "<|soft_audio_end|>")
MUSE_VISION = {**VISION, "pos_emb_height": 4, "pos_emb_width": 4, "max_position_embeddings": 16}
MUSE_TEXT: dict[str, Any] = {"head_dim": 8, "sliding_window": 16, "num_hidden_layers": 4}


def _muse(tokenizer: PreTrainedTokenizerFast, language: dict[str, Any]) -> dict[str, Any]:
    return {
        "text_config": language,
        "vision_config": {key: MUSE_VISION[key] for key in MUSE_VISION if key != "image_size"},
        "out_hidden_size": 128,
        "projector_hidden_size": 32,
        **numbers(tokenizer, image_token_id="<|patch|>", video_token_id="<|video|>"),
    }


def muse_glimmer(folder: Path) -> Path:
    tokenizer = words(*MUSE_TOKENS)
    config = hf.MuseGlimmerConfig(**_muse(tokenizer, text("muse_glimmer_text", **MUSE_TEXT)))
    images = hf.MuseGlimmerImageProcessor(patch_size=8, max_image_tokens=16)
    videos = hf.MuseGlimmerVideoProcessor(patch_size=8)
    return write(folder, config, hf.MuseGlimmerProcessor(images, videos, tokenizer, chat_template=chat("<|patch|>")))


def muse_spark(folder: Path) -> Path:
    tokenizer = words(*MUSE_TOKENS)
    sparse = {"moe_hidden_size": 16, "moe_intermediate_size": 16, "num_local_experts": 4, "num_experts_per_tok": 2}
    kinds = ["dense", "sparse", "sparse", "sparse"]
    language = text("muse_spark_text", **MUSE_TEXT, **sparse, mlp_layer_types=kinds)
    sound = {"hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1], "out_hidden_size": 32}
    config = hf.MuseSparkConfig(
        **_muse(tokenizer, language), audio_config=sound, audio_token_id=number(tokenizer, "<|audio|>")
    )
    images = hf.MuseGlimmerImageProcessor(patch_size=8, max_image_tokens=16)
    videos, sounds = hf.MuseGlimmerVideoProcessor(patch_size=8), hf.MuseSparkFeatureExtractor()
    processor = hf.MuseSparkProcessor(images, videos, tokenizer, sounds, chat_template=chat("<|patch|>"))
    return write(folder, config, processor)


def ovis2(folder: Path) -> Path:
    marks = ("<IMG_START>", "<IMG_GRID>", "<IMG_COL>", "<IMG_ROW>", "<IMG_END>")
    tokenizer = words("<IMG_ATOM>", *marks)
    vision = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    vision |= {"image_size": SIDE, "patch_size": 8, "vocab_size": 64, "hidden_stride": 2}
    config = hf.Ovis2Config(
        vision_config=vision,
        text_config=text("qwen2"),
        image_token_id=number(tokenizer, "<IMG_ATOM>"),
        visual_indicator_token_ids=[number(tokenizer, mark) for mark in marks],
        vocab_size=ROWS,
        hidden_size=32,
    )
    images = hf.Ovis2ImageProcessor(size=SQUARE, crop_to_patches=True, max_patches=4)
    processor = hf.Ovis2Processor(images, tokenizer, chat_template=chat(f"{IMAGE}\n"), image_seq_length=4)
    return write(folder, config, processor)


def perception_lm(folder: Path) -> Path:
    tokenizer = named(image_token="<|image|>", video_token="<|video|>")
    sizes = {"embed_dim": 32, "img_size": [SIDE, SIDE], "depth": 2, "num_heads": 4, "patch_size": 8}
    vision = {"model_type": "timm_wrapper", "architecture": "vit_pe_core_tiny_patch16_384", "num_classes": 0}
    vision |= {"model_args": {**sizes, "global_pool": "", "ref_feat_shape": [4, 4]}, "do_pooling": False}
    config = hf.PerceptionLMConfig(
        vision_config={**vision, "hidden_size": 32, "num_features": 32},
        text_config=text("llama"),
        projector_pooling_ratio=2,
        image_token_id=tokenizer.image_token_id,
        video_token_id=tokenizer.video_token_id,
    )
    images = hf.PerceptionLMImageProcessor(tile_size=SIDE, max_num_tiles=4, size=SQUARE, vision_input_type="thumb+tile")
    template = GEMMA.replace("<start_of_image>", "<|image|>")
    videos = hf.PerceptionLMVideoProcessor(size=SQUARE)
    return write(folder, config, hf.PerceptionLMProcessor(videos, images, tokenizer, 8, template, 2))


_OMNI = {"image_token": "<|image_pad|>", "video_token": "<|video_pad|>", "audio_token": "<|audio_pad|>"}
_OMNI |= {"vision_bos_token": "<|vision_start|>", "vision_eos_token": "<|vision_end|>"}
_OMNI |= {"audio_bos_token": "<|audio_start|>", "audio_eos_token": "<|audio_end|>"}
SOUND = {"num_mel_bins": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 16, "d_model": 16}
SOUND |= {"output_dim": 32, "n_window": 4}


def _qwen_parts(videos: Any) -> tuple[Any, Any]:
    return hf.Qwen2VLImageProcessor(size=AREA, patch_size=8), videos(size=AREA, patch_size=8)


def qwen2_5_omni_thinker(folder: Path) -> Path:
    tokenizer = named(**_OMNI)
    config = hf.Qwen2_5OmniThinkerConfig(
        text_config=text("qwen2_5_omni_text", rope_parameters={**PLACES}),
        vision_config=WINDOW,
        audio_config=SOUND,
        image_token_index=tokenizer.image_token_id,
        video_token_index=tokenizer.video_token_id,
        audio_token_index=tokenizer.audio_token_id,
        **numbers(tokenizer, audio_start_token_id="<|audio_start|>", audio_end_token_id="<|audio_end|>"),
        **numbers(tokenizer, vision_start_token_id="<|vision_start|>", vision_end_token_id="<|vision_end|>"),
    )
    sounds = hf.WhisperFeatureExtractor(feature_size=16)
    parts = (*_qwen_parts(hf.Qwen2VLVideoProcessor), sounds, tokenizer)
    return write(folder, config, hf.Qwen2_5OmniProcessor(*parts, chat_template=QWEN_CHAT))


QWEN_CHAT = chat("<|vision_start|><|image_pad|><|vision_end|>")


def qwen3_omni_moe_thinker(folder: Path) -> Path:
    tokenizer = named(**_OMNI)
    config = hf.Qwen3OmniMoeThinkerConfig(
        text_config=text("qwen3_omni_moe_text", rope_parameters={**PLACES}, head_dim=8, num_experts=4, **EXPERTS),
        vision_config=DEEP,
        audio_config={**SOUND, "downsample_hidden_size": 8},
        **{name: getattr(tokenizer, name) for name in ("image_token_id", "video_token_id", "audio_token_id")},
        **numbers(tokenizer, audio_start_token_id="<|audio_start|>", vision_start_token_id="<|vision_start|>"),
    )
    sounds = hf.WhisperFeatureExtractor(feature_size=16)
    parts = (*_qwen_parts(hf.Qwen2VLVideoProcessor), sounds, tokenizer)
    return write(folder, config, hf.Qwen3OmniMoeProcessor(*parts, chat_template=QWEN_CHAT))


def qwen3_vl_moe(folder: Path) -> Path:
    tokenizer = words()
    config = hf.Qwen3VLMoeConfig(
        text_config=text("qwen3_vl_moe_text", rope_parameters={**PLACES}, head_dim=8, num_experts=4, **EXPERTS),
        vision_config=DEEP,
        **numbers(
            tokenizer,
            image_token_id="<|image_pad|>",
            video_token_id="<|video_pad|>",
            vision_start_token_id="<|vision_start|>",
            vision_end_token_id="<|vision_end|>",
        ),
    )
    images, videos = _qwen_parts(hf.Qwen3VLVideoProcessor)
    return write(folder, config, hf.Qwen3VLProcessor(images, tokenizer, videos, chat_template=QWEN_CHAT))


def step3p7(folder: Path) -> Path:
    tokenizer = words("<im_patch>", "<im_start>", "<im_end>", "<patch_start>", "<patch_end>", "<patch_newline>")
    sparse = {"n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16, "share_expert_dim": 16}
    layers = {"layer_types": ["sliding_attention", "full_attention"], "mlp_layer_types": ["dense", "sparse"]}
    config = hf.Step3p7Config(
        text_config=text("step3p5", head_dim=8, sliding_window=16, num_sliding_attention_heads=2, **sparse, **layers),
        vision_config={**VISION, "image_size": 64, "max_position_embeddings": 64, "mlp_ratio": 2.0},
        image_token_id=number(tokenizer, "<im_patch>"),
    )
    images = hf.Step3p7ImageProcessor(
        size={"height": 64, "width": 64}, patch_size=32, max_image_size=256, vision_patch_size=8
    )
    return write(folder, config, hf.Step3p7Processor(images, tokenizer, chat_template=chat("<im_patch>")))


def vipllava(folder: Path) -> Path:
    tokenizer = words()
    config = hf.VipLlavaConfig(
        vision_config=clip_vision(num_hidden_layers=3),
        text_config=text("llama"),
        image_token_index=number(tokenizer, IMAGE),
        vision_feature_layer=[-2, -1, 1],
        image_seq_length=16,
    )
    images = hf.CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=SQUARE)
    return write(folder, config, hf.LlavaProcessor(images, tokenizer, chat_template=LLAVA, **CLIP_TOKENS))


BUILDERS: dict[str, Builder] = {
    "idefics2": idefics2,
    "inkling2": inkling2,
    "inkling2_loop": inkling2_loop,
    "inkling_mm_model": inkling_mm_model,
    "janus": janus,
    "minicpm_ocr": minicpm_ocr,
    "minicpmv4_6": minicpmv4_6,
    "minicpmv4_7": minicpmv4_7,
    "mistral3": mistral3,
    "molmo2": molmo2,
    "muse_glimmer": muse_glimmer,
    "muse_spark": muse_spark,
    "ovis2": ovis2,
    "perception_lm": perception_lm,
    "qwen2_5_omni_thinker": qwen2_5_omni_thinker,
    "qwen3_omni_moe_thinker": qwen3_omni_moe_thinker,
    "qwen3_vl_moe": qwen3_vl_moe,
    "step3p7": step3p7,
    "vipllava": vipllava,
}
