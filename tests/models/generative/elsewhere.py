"""Small checkpoints of types that transformers maps to another task than image-text-to-text."""

from __future__ import annotations

from pathlib import Path

from transformers import (
    AutoModelForMultimodalLM,
    Phi4MultimodalConfig,
    Phi4MultimodalFeatureExtractor,
    Phi4MultimodalImageProcessor,
    Phi4MultimodalProcessor,
)

from tests.models.checkpoints import VISION
from tests.models.generative.pieces import TEXT, Builder, chat, number, words, write

_SIDE, _PATCH = 64, 2  # of a tile; the processor counts 256 tokens for any
_AUDIO = {
    "hidden_size": 32, "intermediate_size": 48, "num_blocks": 1, "num_attention_heads": 4, "input_size": 16,
    "ext_pw_out_channel": 32, "depthwise_separable_out_channel": 32, "nemo_conv_channels": 8,
}  # fmt: skip


def phi4_multimodal(folder: Path) -> Path:
    image, audio = "<|endoftext10|>", "<|endoftext11|>"
    tokenizer = words(image, audio, extra_special_tokens={"image_token": image, "audio_token": audio})
    vision = {**VISION, "image_size": _SIDE, "patch_size": _PATCH, "crop_size": _SIDE, "num_hidden_layers": 3}
    config = Phi4MultimodalConfig(
        **TEXT,
        vision_config={**vision, "image_token_id": number(tokenizer, image)},
        audio_config={**_AUDIO, "audio_token_id": number(tokenizer, audio)},
    )
    images = Phi4MultimodalImageProcessor(size={"height": _SIDE, "width": _SIDE}, patch_size=_PATCH, dynamic_hd=3)
    sounds = Phi4MultimodalFeatureExtractor(feature_size=16)
    processor = Phi4MultimodalProcessor(images, sounds, tokenizer, chat_template=chat(image))
    return write(folder, AutoModelForMultimodalLM.from_config(config), processor)


BUILDERS: dict[str, Builder] = {"phi4_multimodal": phi4_multimodal}
