"""Checkpoints of the types from a to h, by the name of their configuration (model_type)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import (
    AriaConfig,
    AriaImageProcessor,
    AriaProcessor,
    AyaVisionConfig,
    AyaVisionProcessor,
    CLIPImageProcessor,
    Cohere2VisionConfig,
    Cohere2VisionImageProcessor,
    Cohere2VisionProcessor,
    CohereCompassConfig,
    CohereCompassImageProcessor,
    CohereCompassProcessor,
    CohereCompassVideoProcessor,
    Cosmos3EdgeConfig,
    Cosmos3EdgeImageProcessor,
    Cosmos3EdgeProcessor,
    Cosmos3EdgeVideoProcessor,
    Cosmos3OmniConfig,
    DeepseekVLConfig,
    DeepseekVLHybridConfig,
    DeepseekVLHybridImageProcessor,
    DeepseekVLHybridProcessor,
    DeepseekVLImageProcessor,
    DeepseekVLProcessor,
    Ernie4_5_VLMoeConfig,
    Ernie4_5_VLMoeImageProcessor,
    Ernie4_5_VLMoeProcessor,
    Ernie4_5_VLMoeVideoProcessor,
    Exaone4_5_Config,
    Exaone4_5_Processor,
    FastVlmConfig,
    Glm4vConfig,
    Glm4vImageProcessor,
    Glm4vMoeConfig,
    Glm4vProcessor,
    Glm4vVideoProcessor,
    Glm46VConfig,
    Glm46VImageProcessor,
    Glm46VProcessor,
    Glm46VVideoProcessor,
    GlmgaConfig,
    GlmgaImageProcessor,
    GlmgaVideoProcessor,
    GlmOcrConfig,
    GotOcr2ImageProcessor,
    HyperCLOVAXVisionV2Config,
    HyperCLOVAXVisionV2Processor,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)

from tests.models.checkpoints import SIDE, SQUARE, VISION
from tests.models.generative.pieces import (
    AREA,
    IMAGE,
    PLACES,
    TEXT,
    Builder,
    chat,
    number,
    siglip_vision,
    text,
    words,
    write,
)

PATCHES = {"size": AREA, "patch_size": 8}  # of processors that cut pictures of any shape into patches
GRID = {"depth": 2, "hidden_size": 32, "intermediate_size": 48, "num_heads": 4, "patch_size": 8, "out_hidden_size": 32}


def aria(folder: Path) -> Path:
    """The processor counts the tokens of a picture by its side: 490 or 980."""
    tokens = words(extra_special_tokens={"image_token": IMAGE})
    experts = {"moe_num_experts": 4, "moe_topk": 2, "moe_num_shared_experts": 1}
    config = AriaConfig(
        vision_config={"model_type": "idefics3_vision", **VISION, "image_size": 490, "patch_size": 70},
        text_config=text("aria_text", **experts),
        projector_patch_to_query_dict={49: 8, 196: 16},
        image_token_index=number(tokens, IMAGE),
    )
    images = AriaImageProcessor(max_image_size=490, min_image_size=336)
    counts = {490: 8, 980: 16}
    return write(folder, config, AriaProcessor(images, tokens, chat_template=chat(), size_conversion=counts))


def aya_vision(folder: Path) -> Path:
    special = ("<|START_OF_IMG|>", "<|END_OF_IMG|>", "<|IMG_PATCH|>", "<|IMG_LINE_BREAK|>", "TILE", "TILE_GLOBAL")
    tokens = words(*special)
    config = AyaVisionConfig(
        vision_config=siglip_vision(),
        text_config=_cohere2(),
        image_token_index=number(tokens, "<|IMG_PATCH|>"),
    )
    images = GotOcr2ImageProcessor(size=SQUARE, max_patches=3)
    sizes = {"patch_size": 8, "img_size": SIDE, "downsample_factor": 2}
    return write(folder, config, AyaVisionProcessor(images, tokens, chat_template=chat(), **sizes))


def cohere2_vision(folder: Path) -> Path:
    names = {"boi_token": "<|START_OF_IMG|>", "eoi_token": "<|END_OF_IMG|>", "image_token": "<|IMG_PATCH|>"}
    tokens = words(extra_special_tokens={**names, "img_line_break_token": "<|IMG_LINE_BREAK|>"})
    config = Cohere2VisionConfig(
        vision_config=siglip_vision(),
        text_config=_cohere2(),
        image_token_id=number(tokens, "<|IMG_PATCH|>"),
        alignment_intermediate_size=64,
    )
    images = Cohere2VisionImageProcessor(size=SQUARE, max_patches=3, patch_size=2)
    return write(folder, config, Cohere2VisionProcessor(images, tokens, chat_template=chat("<|IMG_PATCH|>")))


def _cohere2() -> dict[str, Any]:
    kinds = ["sliding_attention", "sliding_attention", "full_attention"]
    return text("cohere2", num_hidden_layers=3, layer_types=kinds, sliding_window=16)


def deepseek_vl(folder: Path) -> Path:
    tokens = words(extra_special_tokens={"image_token": "<image_placeholder>"})
    config = DeepseekVLConfig(
        vision_config=siglip_vision(), text_config=text("llama"), image_token_id=_image_of(tokens)
    )
    images = DeepseekVLImageProcessor(size=SQUARE)
    return write(folder, config, DeepseekVLProcessor(images, tokens, chat("<image_placeholder>"), num_image_tokens=16))


def deepseek_vl_hybrid(folder: Path) -> Path:
    """A second tower reads the picture at twice the side."""
    tokens = words(extra_special_tokens={"image_token": "<image_placeholder>"})
    high = {
        "model_type": "sam_vision_model",
        "image_size": 64,
        "patch_size": 8,
        "hidden_size": 32,
        "output_channels": 8,
    }
    high |= {"num_hidden_layers": 2, "num_attention_heads": 4, "mlp_dim": 48, "window_size": 4}
    config = DeepseekVLHybridConfig(
        vision_config=siglip_vision(),
        high_res_vision_config={**high, "global_attn_indexes": [1]},
        text_config=text("llama"),
        image_token_id=_image_of(tokens),
    )
    images = DeepseekVLHybridImageProcessor(size=SQUARE, high_res_size={"height": 64, "width": 64})
    made = DeepseekVLHybridProcessor(images, tokens, chat("<image_placeholder>"), num_image_tokens=16)
    return write(folder, config, made)


def fast_vlm(folder: Path) -> Path:
    """A tower of timm, whose last grid is the picture tokens."""
    tokens = words(extra_special_tokens={"image_token": IMAGE})
    tower = {"model_type": "timm_wrapper", "architecture": "fastvit_t8", "do_pooling": True, "global_pool": "avg"}
    tower |= {"hidden_size": 768, "model_args": {"inference_mode": True}}
    config = FastVlmConfig(vision_config=tower, text_config=text("qwen2"), image_token_index=_image_of(tokens))
    images = CLIPImageProcessor(size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64})
    counted = {"patch_size": 32, "vision_feature_select_strategy": "full", "num_additional_image_tokens": 0}
    return write(folder, config, LlavaProcessor(images, tokens, chat_template=chat(), **counted))


def _image_of(tokens: PreTrainedTokenizerFast) -> int:
    found = tokens.image_token_id
    assert isinstance(found, int)
    return found


GLM = ("<|image|>", "<|video|>", "<|begin_of_image|>", "<|end_of_image|>", "<|begin_of_video|>", "<|end_of_video|>")
GLM_CHAT = chat("<|begin_of_image|><|image|><|end_of_image|>")


def _glm_ids(tokens: PreTrainedTokenizerFast) -> dict[str, int]:
    ends = {f"{kind}_{end}_token_id": f"<|{side}_of_{kind}|>" for kind in ("image", "video") for end, side in _ENDS}
    named = {"image_token_id": "<|image|>", "video_token_id": "<|video|>", **ends}
    return {name: number(tokens, token) for name, token in named.items()}


_ENDS = (("start", "begin"), ("end", "end"))


def _glm(folder: Path, config: Any, processor: Any, images: Any, videos: Any, language: dict[str, Any]) -> Path:
    """Write one of the GLM-V types."""
    tokens = words(*GLM)
    vision = {**GRID, "image_size": SIDE}
    made = config(vision_config=vision, text_config=language, **_glm_ids(tokens))
    parts = processor(images(**PATCHES), tokens, videos(**PATCHES), chat_template=GLM_CHAT)
    return write(folder, made, parts)


def glm4v(folder: Path) -> Path:
    return _glm(folder, Glm4vConfig, Glm4vProcessor, Glm4vImageProcessor, Glm4vVideoProcessor, _glm_text())


def glm4v_moe(folder: Path) -> Path:
    experts = {"moe_intermediate_size": 16, "num_experts_per_tok": 2, "n_routed_experts": 4}
    language = {**TEXT, **experts, "rope_parameters": {**PLACES, "partial_rotary_factor": 1.0}}
    return _glm(folder, Glm4vMoeConfig, Glm4vProcessor, Glm4vImageProcessor, Glm4vVideoProcessor, language)


def glm46v(folder: Path) -> Path:
    language = {"model_type": "glm4v_text", **_glm_text()}
    return _glm(folder, Glm46VConfig, Glm46VProcessor, Glm46VImageProcessor, Glm46VVideoProcessor, language)


def glmga(folder: Path) -> Path:
    language = {"model_type": "glm4v_text", **_glm_text()}
    return _glm(folder, GlmgaConfig, Glm46VProcessor, GlmgaImageProcessor, GlmgaVideoProcessor, language)


def glm_ocr(folder: Path) -> Path:
    return _glm(folder, GlmOcrConfig, Glm46VProcessor, Glm46VImageProcessor, Glm46VVideoProcessor, _glm_text())


def _glm_text() -> dict[str, Any]:
    return {**TEXT, "rope_parameters": PLACES}


QWEN_CHAT = chat("<|vision_start|><|image_pad|><|vision_end|>")


def exaone4_5(folder: Path) -> Path:
    tokens = words()
    config = Exaone4_5_Config(
        vision_config={**GRID, "window_size": 32, "fullatt_block_indexes": [1], "num_key_value_heads": 2},
        text_config=text("exaone4", sliding_window=16, layer_types=["sliding_attention", "full_attention"]),
        image_token_id=number(tokens, "<|image_pad|>"),
        video_token_id=number(tokens, "<|video_pad|>"),
    )
    images, videos = Qwen2VLImageProcessor(**PATCHES), Qwen2VLVideoProcessor(**PATCHES)
    return write(folder, config, Exaone4_5_Processor(images, tokens, videos, chat_template=QWEN_CHAT))


def hyperclovax_vision_v2(folder: Path) -> Path:
    tokens = words()
    vision = {**GRID, "window_size": 32, "fullatt_block_indexes": [1]}
    config = HyperCLOVAXVisionV2Config(
        vision_config={"model_type": "qwen2_5_vl_vision", **vision},
        text_config=text("hyperclovax"),
        image_token_id=number(tokens, "<|image_pad|>"),
        video_token_id=number(tokens, "<|video_pad|>"),
    )
    images, videos = Qwen2VLImageProcessor(**PATCHES), Qwen2VLVideoProcessor(**PATCHES)
    return write(folder, config, HyperCLOVAXVisionV2Processor(images, tokens, videos, chat_template=QWEN_CHAT))


def cohere_compass(folder: Path) -> Path:
    ids = {"image": "<|IMAGE_PAD|>", "video": "<|VIDEO_PAD|>"}
    ids |= {"vision_start": "<|VISION_START|>", "vision_end": "<|VISION_END|>"}
    tokens = words(*ids.values())
    config = CohereCompassConfig(
        vision_config={**GRID, "num_position_embeddings": 16, "deepstack_visual_indexes": [0]},
        text_config={**TEXT, "rope_parameters": {"full_attention": PLACES}},
        **{f"{name}_token_id": number(tokens, token) for name, token in ids.items()},
    )
    images, videos = CohereCompassImageProcessor(**PATCHES), CohereCompassVideoProcessor(**PATCHES)
    plain = chat("<|VISION_START|><|IMAGE_PAD|><|VISION_END|>")
    return write(folder, config, CohereCompassProcessor(images, tokens, videos, chat_template=plain))


def cosmos3_edge(folder: Path) -> Path:
    tokens = words()
    config = Cosmos3EdgeConfig(
        vision_config={key: size for key, size in VISION.items() if key != "image_size"} | {"num_patches": 16},
        text_config={**TEXT, "head_dim": 8, "rope_parameters": PLACES},
        projector_hidden_size=48,
        **_pads(tokens),
    )
    images, videos = Cosmos3EdgeImageProcessor(**PATCHES), Cosmos3EdgeVideoProcessor(**PATCHES)
    return write(folder, config, Cosmos3EdgeProcessor(images, tokens, videos, chat_template=QWEN_CHAT))


def cosmos3_omni(folder: Path) -> Path:
    tokens = words()
    config = Cosmos3OmniConfig(
        vision_config={**GRID, "num_position_embeddings": 16, "deepstack_visual_indexes": [0]},
        text_config=text("qwen3_vl_text", head_dim=8, rope_parameters=PLACES),
        **_pads(tokens),
    )
    images, videos = Qwen2VLImageProcessor(**PATCHES), Qwen3VLVideoProcessor(**PATCHES)
    return write(folder, config, Qwen3VLProcessor(images, tokens, videos, chat_template=QWEN_CHAT))


def _pads(tokens: PreTrainedTokenizerFast) -> dict[str, int]:
    names = {"image": "image_pad", "video": "video_pad", "vision_start": "vision_start", "vision_end": "vision_end"}
    return {f"{name}_token_id": number(tokens, f"<|{token}|>") for name, token in names.items()}


def ernie4_5_vl_moe(folder: Path) -> Path:
    names = {"image_token": "<|IMAGE_PLACEHOLDER|>", "image_start_token": "<|IMAGE_START|>"}
    names |= {"image_end_token": "<|IMAGE_END|>", "video_token": "<|VIDEO_PLACEHOLDER|>"}
    names |= {"video_start_token": "<|VIDEO_START|>", "video_end_token": "<|VIDEO_END|>"}
    tokens = words(extra_special_tokens=names)
    experts = {"moe_intermediate_size": [16, 16], "moe_k": 2, "moe_num_experts": 4, "moe_num_shared_experts": 1}
    vision = {key: size for key, size in GRID.items() if key != "out_hidden_size"}
    config = Ernie4_5_VLMoeConfig(
        vision_config=vision,
        text_config={**TEXT, **experts, "rope_parameters": {**PLACES, "mrope_section": [1, 1, 2]}},
        **{f"{name}_id": number(tokens, token) for name, token in names.items()},
    )
    images, videos = (
        Ernie4_5_VLMoeImageProcessor(**PATCHES),
        Ernie4_5_VLMoeVideoProcessor(**PATCHES, draw_on_frames=False),
    )
    plain = chat("<|IMAGE_START|><|IMAGE_PLACEHOLDER|><|IMAGE_END|>")
    return write(folder, config, Ernie4_5_VLMoeProcessor(images, tokens, videos, chat_template=plain))


BUILDERS: dict[str, Builder] = {
    "aria": aria,
    "aya_vision": aya_vision,
    "cohere2_vision": cohere2_vision,
    "cohere_compass": cohere_compass,
    "cosmos3_edge": cosmos3_edge,
    "cosmos3_omni": cosmos3_omni,
    "deepseek_vl": deepseek_vl,
    "deepseek_vl_hybrid": deepseek_vl_hybrid,
    "ernie4_5_vl_moe": ernie4_5_vl_moe,
    "exaone4_5": exaone4_5,
    "fast_vlm": fast_vlm,
    "glm46v": glm46v,
    "glm4v": glm4v,
    "glm4v_moe": glm4v_moe,
    "glm_ocr": glm_ocr,
    "glmga": glmga,
    "hyperclovax_vision_v2": hyperclovax_vision_v2,
}
