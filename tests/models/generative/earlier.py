"""Checkpoints of the types from a to h, by the name of their configuration (model_type)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import (
    Apertus1p5Config,
    Apertus1p5ImageProcessor,
    Apertus1p5Processor,
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
    Dots3NoteConfig,
    Dots3NoteFeatureExtractor,
    Dots3NoteProcessor,
    Emu3Config,
    Emu3ImageProcessor,
    Emu3Processor,
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
    Glm5NextConfig,
    Glm5NextImageProcessor,
    Glm5NextProcessor,
    Glm5NextVideoProcessor,
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
    HYV4VLConfig,
    HYV4VLImageProcessor,
    HYV4VLProcessor,
    HYV4VLVideoProcessor,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
    WavTokenizerFeatureExtractor,
)

from tests.models.checkpoints import SIDE, SQUARE, VISION
from tests.models.generative.pieces import (
    AREA,
    CODEBOOK,
    CODES,
    IMAGE,
    PLACES,
    ROWS,
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
    return {**TEXT, "rope_parameters": {**PLACES}}


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
        text_config={**TEXT, "rope_parameters": {"full_attention": {**PLACES}}},
        **{f"{name}_token_id": number(tokens, token) for name, token in ids.items()},
    )
    images, videos = CohereCompassImageProcessor(**PATCHES), CohereCompassVideoProcessor(**PATCHES)
    plain = chat("<|VISION_START|><|IMAGE_PAD|><|VISION_END|>")
    return write(folder, config, CohereCompassProcessor(images, tokens, videos, chat_template=plain))


def cosmos3_edge(folder: Path) -> Path:
    tokens = words()
    config = Cosmos3EdgeConfig(
        vision_config={key: size for key, size in VISION.items() if key != "image_size"} | {"num_patches": 16},
        text_config={**TEXT, "head_dim": 8, "rope_parameters": {**PLACES}},
        projector_hidden_size=48,
        **_pads(tokens),
    )
    images, videos = Cosmos3EdgeImageProcessor(**PATCHES), Cosmos3EdgeVideoProcessor(**PATCHES)
    return write(folder, config, Cosmos3EdgeProcessor(images, tokens, videos, chat_template=QWEN_CHAT))


def cosmos3_omni(folder: Path) -> Path:
    tokens = words()
    config = Cosmos3OmniConfig(
        vision_config={**GRID, "num_position_embeddings": 16, "deepstack_visual_indexes": [0]},
        text_config=text("qwen3_vl_text", head_dim=8, rope_parameters={**PLACES}),
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


def apertus1p5(folder: Path) -> Path:
    """Pictures become tokens of the vocabulary, by a codebook."""
    names = {"image_token": IMAGE, "audio_token": "<audio>", "boi_token": "<img>", "eoi_token": "</img>"}
    names |= {"image_wrapper_token": "<|img_wrapper|>", "eol_token": "<|eol|>"}
    names |= {"boa_token": "<|audio_start|>", "eoa_token": "<|audio_end|>"}
    tokens = words(extra_special_tokens=names)
    sounds = {"model_type": "wavtokenizer_encoder", "codebook_size": 16, "codebook_dim": 8, "hidden_size": 8}
    sounds |= {"num_filters": 2, "num_lstm_layers": 1}
    config = Apertus1p5Config(
        text_config={**TEXT, "vocab_size": ROWS + CODES + 16},
        vision_config={"codebook_size": CODES, "embed_dim": 8, "latent_channels": 8, **CODEBOOK},
        audio_config=sounds,
        image_token_id=number(tokens, IMAGE),
        audio_token_id=number(tokens, "<audio>"),
        image_token_offset=ROWS,
        audio_token_offset=ROWS + CODES,
    )
    area = {"min_pixels": SIDE * SIDE, "max_pixels": 4 * SIDE * SIDE}
    images = Apertus1p5ImageProcessor(size=area, spatial_factor=4)
    return write(
        folder, config, Apertus1p5Processor(images, WavTokenizerFeatureExtractor(), tokens, chat_template=chat())
    )


def emu3(folder: Path) -> Path:
    """Pictures become tokens of the vocabulary, by a codebook."""
    names = {"image_token": IMAGE, "boi_token": "<img>", "eoi_token": "</img>"}
    names |= {"image_wrapper_token": "<|img_wrapper|>", "eof_token": "<|eof|>"}
    tokens = words("<|extra_200|>", *VISUAL, single="$A", extra_special_tokens=names)
    config = Emu3Config(
        vq_config={"codebook_size": CODES, "hidden_size": 32, **CODEBOOK, "channel_multiplier": [1, 1, 1, 1]},
        text_config=TEXT,
        vocabulary_map={token: number(tokens, token) for token in (IMAGE, "<|extra_200|>", *VISUAL)},
    )
    images = Emu3ImageProcessor(min_pixels=SIDE * SIDE, max_pixels=4 * SIDE * SIDE)
    return write(folder, config, Emu3Processor(images, tokens, chat_template=chat()))


VISUAL = tuple(f"<|visual token {code:06d}|>" for code in range(CODES))


def glm5_next(folder: Path) -> Path:
    """Linear attention, and attention to the keys that an indexer chooses."""
    experts = {"moe_intermediate_size": 16, "num_experts_per_tok": 2, "n_routed_experts": 4}
    heads = {"num_key_value_heads": 4, "kv_lora_rank": 16, "q_lora_rank": 16, "v_head_dim": 8, "qk_nope_head_dim": 8}
    chosen = {"index_topk": 32, "index_head_dim": 8, "index_n_heads": 16, "linear_head_dim": 8, "linear_num_heads": 4}
    language = {**TEXT, **experts, **heads, **chosen, "layer_types": ["linear_attention", "full_attention"]}
    language |= {"mlp_layer_types": ["dense", "sparse"]}
    tokens = words(*GLM)
    config = Glm5NextConfig(
        vision_config={**GRID, "image_size": SIDE, "projection_intermediate_size": 48},
        text_config=language,
        **_glm_ids(tokens),
    )
    images = Glm5NextImageProcessor(patch_size=8, min_image_tokens=4, max_image_tokens=36)
    videos = Glm5NextVideoProcessor(patch_size=8)
    return write(folder, config, Glm5NextProcessor(images, tokens, videos, chat_template=GLM_CHAT))


def hy_v4_vl(folder: Path) -> Path:
    tokens = words()
    experts = {"moe_intermediate_size": 16, "num_experts_per_tok": 2, "n_routed_experts": 4}
    heads = {"q_lora_rank": 16, "kv_lora_rank": 16, "qk_nope_head_dim": 8, "qk_rope_head_dim": 8, "v_head_dim": 8}
    chosen = {"index_topk": 32, "index_head_dim": 16, "index_n_heads": 16}
    vision = {**VISION, "out_hidden_size": 32, "max_image_size": 96}
    config = HYV4VLConfig(
        vision_config={key: size for key, size in vision.items() if key != "image_size"},
        text_config={**TEXT, **experts, **heads, **chosen, "rope_parameters": {**PLACES}},
        image_token_id=number(tokens, "<|image_pad|>"),
        video_token_id=number(tokens, "<|video_pad|>"),
    )
    images, videos = HYV4VLImageProcessor(**PATCHES), HYV4VLVideoProcessor(**PATCHES)
    return write(folder, config, HYV4VLProcessor(images, tokens, videos, chat_template=QWEN_CHAT))


def dots3_note(folder: Path) -> Path:
    """Pictures and sounds; attention within a window, and to the keys that an indexer chooses."""
    tokens = words("<|imgpad|>", "<|audio_comp_pad|>")
    experts = {"moe_intermediate_size": 16, "num_experts_per_tok": 2, "n_routed_experts": 4}
    heads = {"q_lora_rank": 16, "kv_lora_rank": 16, "qk_nope_head_dim": 8, "qk_rope_head_dim": 8, "v_head_dim": 8}
    window = {f"swa_{name}": size for name, size in heads.items() if name != "qk_rope_head_dim"}
    window |= {"swa_num_attention_heads": 4, "swa_num_key_value_heads": 4, "swa_head_dim": 16}
    chosen = {"index_topk": 32, "index_head_dim": 16, "index_n_heads": 16, "sliding_window": 16, "head_dim": 16}
    language = {**TEXT, **experts, **heads, **window, **chosen, "num_key_value_heads": 4}
    vision = {**VISION, "mlp_layer_types": ["dense", "dense"], "adapter_in_dim": 32, "adapter_out_dim": 32}
    hearing = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 4}
    hearing |= {"adapter_input_size": 32, "adapter_out_dim": 32, "downsample_hidden_size": 8}
    config = Dots3NoteConfig(
        text_config={**language, "shared_experts_intermediate_size": 16, "num_hidden_layers": 3},
        vision_config={key: size for key, size in vision.items() if key != "image_size"},
        audio_config=hearing,
        image_token_id=number(tokens, "<|imgpad|>"),
        video_token_id=number(tokens, "<|video_pad|>"),
        audio_token_id=number(tokens, "<|audio_comp_pad|>"),
    )
    images, videos = Qwen2VLImageProcessor(**PATCHES, temporal_patch_size=1), Qwen3VLVideoProcessor(**PATCHES)
    parts = (images, tokens, videos, Dots3NoteFeatureExtractor())
    return write(folder, config, Dots3NoteProcessor(*parts, chat_template=chat("<|imgpad|>")))


BUILDERS: dict[str, Builder] = {
    "apertus1p5": apertus1p5,
    "aria": aria,
    "aya_vision": aya_vision,
    "cohere2_vision": cohere2_vision,
    "cohere_compass": cohere_compass,
    "cosmos3_edge": cosmos3_edge,
    "cosmos3_omni": cosmos3_omni,
    "deepseek_vl": deepseek_vl,
    "deepseek_vl_hybrid": deepseek_vl_hybrid,
    "dots3_note": dots3_note,
    "emu3": emu3,
    "ernie4_5_vl_moe": ernie4_5_vl_moe,
    "exaone4_5": exaone4_5,
    "fast_vlm": fast_vlm,
    "glm46v": glm46v,
    "glm5_next": glm5_next,
    "glm4v": glm4v,
    "glm4v_moe": glm4v_moe,
    "glm_ocr": glm_ocr,
    "glmga": glmga,
    "hy_v4_vl": hy_v4_vl,
    "hyperclovax_vision_v2": hyperclovax_vision_v2,
}
