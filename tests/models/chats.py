"""Tiny generative checkpoints with random weights, saved with processor and chat template as a user has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoModelForImageTextToText,
    AutoModelForMaskedLM,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessor,
    CLIPImageProcessor,
    Gemma3Config,
    Gemma3ImageProcessor,
    Gemma3Processor,
    GotOcr2ImageProcessor,
    Idefics3Config,
    Idefics3ImageProcessor,
    Idefics3Processor,
    InternVLConfig,
    InternVLProcessor,
    InternVLVideoProcessor,
    LlavaConfig,
    LlavaNextConfig,
    LlavaNextImageProcessor,
    LlavaNextProcessor,
    LlavaOnevisionConfig,
    LlavaOnevisionImageProcessor,
    LlavaOnevisionProcessor,
    LlavaOnevisionVideoProcessor,
    LlavaProcessor,
    MllamaConfig,
    MllamaImageProcessor,
    MllamaProcessor,
    ModernVBertConfig,
    PaliGemmaConfig,
    PaliGemmaProcessor,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLProcessor,
    Qwen2VLConfig,
    Qwen2VLImageProcessor,
    Qwen2VLProcessor,
    Qwen2VLVideoProcessor,
    Qwen3VLConfig,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
    SiglipImageProcessor,
    SmolVLMConfig,
    SmolVLMImageProcessor,
    SmolVLMProcessor,
    SmolVLMVideoProcessor,
    UltraVBertConfig,
    UltraVBertImageProcessor,
)

from tests.models.checkpoints import SIDE, SQUARE, VISION, bert_tokenizer, random_weights, save, text_sizes

SAID = (
    "a red bus on the street",
    "the dog is left or right of the cat",
    "Does this figure show a photo?",
    "Yes No yes no",
) * 9
IMAGE = "<image>"
SPECIAL = (
    *("<s>", "</s>", "<pad>", IMAGE, "<video>", "<|im_start|>", "<|im_end|>", "<end_of_utterance>"),
    *("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>", "<img>", "</img>", "<IMG_CONTEXT>"),
    *(
        "<fake_token_around_image>",
        "<global-img>",
        *(f"<row_{row}_col_{col}>" for row in range(1, 7) for col in range(1, 7)),
    ),
    *(
        "<start_of_turn>",
        "<end_of_turn>",
        "<start_of_image>",
        "<end_of_image>",
        "<image_soft_token>",
        "<|image|>",
        "<|python_tag|>",
    ),
)
TEXT: dict[str, Any] = {
    "vocab_size": 448,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
    "pad_token_id": 2,
    "bos_token_id": 0,
    "eos_token_id": 1,
}
SPACE = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 1, 1]}

LLAVA = (
    "{% for message in messages %}{{ message['role'].upper() + ': ' }}"
    "{% for part in message['content'] if part['type'] == 'image' %}<image>\n{% endfor %}"
    "{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] + ' ' }}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
QWEN = (
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n{% for part in message['content'] %}{% if part['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
IDEFICS = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}"
    "{% if message['content'][0]['type'] == 'image' %}:{% else %}: {% endif %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)
INTERN = QWEN.replace("<|vision_start|><|image_pad|><|vision_end|>", "<IMG_CONTEXT>\n")
GEMMA = (
    "{{ bos_token }}{% for message in messages %}"
    "<start_of_turn>{{ 'model' if message['role'] == 'assistant' else message['role'] }}\n"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<start_of_image>"
    "{% else %}{{ part['text'] | trim }}{% endif %}{% endfor %}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)


def tokenizer(single: str = "<s> $A", *, ends: tuple[str, ...] = (), **named: object) -> PreTrainedTokenizerFast:
    """Byte pairs of a few texts, by which every other text can be spelled.

    Args:
        single: what becomes of a text.
        ends: special tokens that it puts after a text.
        named: special tokens with names.
    """
    pairs = Tokenizer(models.BPE())
    pairs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pairs.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = [AddedToken(token, special=True) for token in SPECIAL]
    trainer = trainers.BpeTrainer(vocab_size=TEXT["vocab_size"], initial_alphabet=alphabet, special_tokens=special)
    pairs.train_from_iterator(SAID, trainer)
    added = [(token, number(token)) for token in ("<s>", *ends)]
    pairs.post_processor = processors.TemplateProcessing(single=single, special_tokens=added)
    named = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", **named}
    return PreTrainedTokenizerFast(tokenizer_object=pairs, **named)


def number(token: str) -> int:
    return SPECIAL.index(token)


def _save(folder: Path, config: PreTrainedConfig, processor: Any) -> Path:
    network = random_weights(AutoModelForImageTextToText.from_config(config))
    network.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _clip_vision(**more: object) -> dict[str, object]:
    return {"model_type": "clip_vision_model", "projection_dim": 16, **VISION, **more}


def _llama(**more: object) -> dict[str, object]:
    return {"model_type": "llama", **TEXT, **more}


def llava(folder: Path, **text: object) -> Path:
    config = LlavaConfig(vision_config=_clip_vision(), text_config=_llama(**text), image_token_index=number(IMAGE))
    images = CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=SQUARE)
    named = {"patch_size": 8, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
    return _save(folder, config, LlavaProcessor(images, tokenizer(), chat_template=LLAVA, **named))


def llava_next(folder: Path) -> Path:
    grid = [[32, 64], [64, 32], [64, 64]]
    config = LlavaNextConfig(
        vision_config=_clip_vision(),
        text_config=_llama(),
        image_token_index=number(IMAGE),
        image_grid_pinpoints=grid,
    )
    images = LlavaNextImageProcessor(size={"shortest_edge": SIDE}, crop_size=SQUARE, image_grid_pinpoints=grid)
    named = {"patch_size": 8, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
    return _save(folder, config, LlavaNextProcessor(images, tokenizer(), chat_template=LLAVA, **named))


def llava_onevision(folder: Path) -> Path:
    grid = [[32, 32], [32, 64], [64, 32], [64, 64]]
    config = LlavaOnevisionConfig(
        vision_config={"model_type": "siglip_vision_model", **VISION, "vision_use_head": False},
        text_config={"model_type": "qwen2", **TEXT},
        image_token_index=number(IMAGE),
        video_token_index=number("<video>"),
        image_grid_pinpoints=grid,
    )
    images = LlavaOnevisionImageProcessor(size=SQUARE, image_grid_pinpoints=grid)
    videos = LlavaOnevisionVideoProcessor(size=SQUARE)
    named = {"num_image_tokens": 16, "vision_feature_select_strategy": "full"}
    chat = QWEN.replace("<|vision_start|><|image_pad|><|vision_end|>", "<image>\n")
    return _save(folder, config, LlavaOnevisionProcessor(images, tokenizer(), videos, chat_template=chat, **named))


_QWEN_TOKENS = {
    "image_token_id": number("<|image_pad|>"),
    "video_token_id": number("<|video_pad|>"),
    "vision_start_token_id": number("<|vision_start|>"),
    "vision_end_token_id": number("<|vision_end|>"),
}


def _qwen(
    folder: Path, config: PreTrainedConfig, processor: Callable[..., object], videos: Callable[..., object]
) -> Path:
    size = {"shortest_edge": 32 * 32, "longest_edge": 96 * 96}
    images = Qwen2VLImageProcessor(size=size, patch_size=8)
    return _save(folder, config, processor(images, tokenizer(), videos(size=size, patch_size=8), chat_template=QWEN))


def qwen2_vl(folder: Path) -> Path:
    vision = {"depth": 2, "embed_dim": 32, "hidden_size": 32, "mlp_ratio": 2, "num_heads": 4, "patch_size": 8}
    config = Qwen2VLConfig(text_config={**TEXT, "rope_parameters": SPACE}, vision_config=vision, **_QWEN_TOKENS)
    return _qwen(folder, config, Qwen2VLProcessor, Qwen2VLVideoProcessor)


def qwen2_5_vl(folder: Path) -> Path:
    vision = {"depth": 2, "hidden_size": 32, "intermediate_size": 48, "num_heads": 4, "patch_size": 8}
    vision |= {"window_size": 32, "out_hidden_size": 32, "fullatt_block_indexes": [1]}
    config = Qwen2_5_VLConfig(text_config={**TEXT, "rope_parameters": SPACE}, vision_config=vision, **_QWEN_TOKENS)
    return _qwen(folder, config, Qwen2_5_VLProcessor, Qwen2VLVideoProcessor)


def qwen3_vl(folder: Path) -> Path:
    vision = {"depth": 3, "hidden_size": 32, "intermediate_size": 48, "num_heads": 4, "patch_size": 8}
    vision |= {"out_hidden_size": 32, "num_position_embeddings": 16, "deepstack_visual_indexes": [0, 1]}
    config = Qwen3VLConfig(
        text_config={**TEXT, "head_dim": 8, "rope_parameters": SPACE}, vision_config=vision, **_QWEN_TOKENS
    )
    return _qwen(folder, config, Qwen3VLProcessor, Qwen3VLVideoProcessor)


_TILES = {"size": {"longest_edge": 2 * SIDE}, "max_image_size": {"longest_edge": SIDE}}


def idefics3(folder: Path) -> Path:
    config = Idefics3Config(vision_config=VISION, text_config=_llama(), image_token_id=number(IMAGE))
    images = Idefics3ImageProcessor(**_TILES)
    return _save(folder, config, Idefics3Processor(images, tokenizer(), image_seq_len=4, chat_template=IDEFICS))


def smolvlm(folder: Path) -> Path:
    config = SmolVLMConfig(vision_config=VISION, text_config=_llama(), image_token_id=number(IMAGE))
    images, videos = SmolVLMImageProcessor(**_TILES), SmolVLMVideoProcessor(**_TILES)
    return _save(folder, config, SmolVLMProcessor(images, tokenizer(), videos, image_seq_len=4, chat_template=IDEFICS))


def _masked(folder: Path, config: PreTrainedConfig, images: object) -> Path:
    """A masked language model with pictures, saved with its processor."""
    network = random_weights(AutoModelForMaskedLM.from_config(config))
    network.save_pretrained(folder)
    named = dict(zip(("mask_token", "cls_token", "sep_token"), ("[MASK]", "<s>", "</s>"), strict=True))
    words = tokenizer("<s> $A </s>", ends=("</s>",), **named)
    Idefics3Processor(images, words, image_seq_len=4, chat_template=IDEFICS).save_pretrained(folder)
    return folder


def _masked_text(**more: object) -> dict[str, object]:
    sizes = {name: size for name, size in TEXT.items() if name != "num_key_value_heads"}
    return {**sizes, "vocab_size": 460, **more}


def modernvbert(folder: Path) -> Path:
    text = _masked_text(model_type="modernbert", cls_token_id=0, sep_token_id=1, local_attention=16)
    vision = {"model_type": "siglip_vision_model", **VISION, "vision_use_head": False}
    named = {"image_token_id": number(IMAGE), "pixel_shuffle_factor": 2}
    config = ModernVBertConfig(text_config=text, vision_config=vision, **named)
    return _masked(folder, config, Idefics3ImageProcessor(**_TILES))


def ultravbert(folder: Path) -> Path:
    text = _masked_text(model_type="ultrabert", prediction_head_size=24, sliding_window=16)
    vision = {"model_type": "siglip_vision_model", **VISION, "vision_use_head": False}
    named = {"image_token_id": number(IMAGE), "pixel_shuffle_factor": 2}
    config = UltraVBertConfig(text_config=text, vision_config=vision, **named)
    return _masked(folder, config, UltraVBertImageProcessor(**_TILES))


def internvl(folder: Path) -> Path:
    vision = {**VISION, "image_size": [SIDE, SIDE], "patch_size": [8, 8]}
    config = InternVLConfig(
        vision_config=vision,
        text_config={"model_type": "qwen2", **TEXT},
        image_token_id=number("<IMG_CONTEXT>"),
        image_seq_length=4,
    )
    names = {"start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>"}
    words = tokenizer(extra_special_tokens=names | {"video_token": "<video>"})
    images = GotOcr2ImageProcessor(size=SQUARE, crop_to_patches=True, max_patches=3)
    videos = InternVLVideoProcessor(size=SQUARE)
    return _save(folder, config, InternVLProcessor(images, words, videos, image_seq_length=4, chat_template=INTERN))


def gemma3(folder: Path) -> Path:
    text = {**TEXT, "num_hidden_layers": 3, "head_dim": 8, "sliding_window": 16, "query_pre_attn_scalar": 8}
    text["layer_types"] = ["sliding_attention", "full_attention", "sliding_attention"]
    names = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"}
    numbers = {f"{name}_index": number(token) for name, token in names.items()}
    config = Gemma3Config(
        text_config=text,
        vision_config={"model_type": "siglip_vision_model", **VISION},
        mm_tokens_per_image=4,
        **numbers,
    )
    images = Gemma3ImageProcessor(size=SQUARE)
    words = tokenizer(extra_special_tokens=names)
    return _save(folder, config, Gemma3Processor(images, words, image_seq_length=4, chat_template=GEMMA))


def mllama(folder: Path) -> Path:
    tiles = [[1, 1], [1, 2], [2, 1]]
    vision = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_global_layers": 1}
    vision |= {"attention_heads": 4, "image_size": SIDE, "patch_size": 8, "max_num_tiles": 2}
    vision |= {"intermediate_layers_indices": [0], "vision_output_dim": 64, "supported_aspect_ratios": tiles}
    text = {**TEXT, "num_hidden_layers": 3, "cross_attention_layers": [1]}
    config = MllamaConfig(vision_config=vision, text_config=text, image_token_index=number("<|image|>"))
    images = MllamaImageProcessor(size=SQUARE, max_image_tiles=2)
    chat = GEMMA.replace("<start_of_image>", "<|image|>")
    return _save(folder, config, MllamaProcessor(images, tokenizer(), chat_template=chat))


def paligemma(folder: Path, **text: object) -> Path:
    images = SiglipImageProcessor(size=SQUARE)
    images.image_seq_length = 16
    processor = PaliGemmaProcessor(images, tokenizer("$A", extra_special_tokens={"image_token": IMAGE}))
    vision = {"model_type": "siglip_vision_model", **VISION, "projection_dim": 32, "vision_use_head": False}
    text = {"model_type": "gemma", **TEXT, "head_dim": 8, "vocab_size": len(processor.tokenizer), **text}
    config = PaliGemmaConfig(
        vision_config=vision, text_config=text, image_token_index=number(IMAGE), projection_dim=32, hidden_size=32
    )
    return _save(folder, config, processor)


def paligemma2(folder: Path) -> Path:
    return paligemma(folder, model_type="gemma2", sliding_window=24, query_pre_attn_scalar=8)


def blip_captioning(folder: Path) -> Path:
    text = text_sizes(encoder_hidden_size=32, bos_token_id=2, eos_token_id=3, sep_token_id=3)
    config = BlipConfig(text_config=text, vision_config=VISION, image_text_hidden_size=16)
    return save(folder, BlipForConditionalGeneration(config), bert_tokenizer(), BlipImageProcessor(size=SQUARE))
