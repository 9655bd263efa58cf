"""Checkpoints of types that were made for videos, too, by the name of their configuration (model_type).

They are asked about single pictures.
"""

# ruff: noqa: S106  # names of tokens are no passwords

from __future__ import annotations

from pathlib import Path

import transformers as hf

from tests.models.chats import LLAVA
from tests.models.checkpoints import SIDE, SQUARE, VISION
from tests.models.generative.pieces import (
    AREA,
    CLIP_TOKENS,
    IMAGE,
    Builder,
    chat,
    clip_vision,
    numbers,
    text,
    words,
    write,
)


def llava_next_video(folder: Path) -> Path:
    tokenizer, grid = words(), [[32, 64], [64, 32], [64, 64]]
    config = hf.LlavaNextVideoConfig(
        vision_config=clip_vision(),
        text_config=text("llama"),
        image_grid_pinpoints=grid,
        **numbers(tokenizer, image_token_index=IMAGE, video_token_index="<video>"),
    )
    size = {"size": {"shortest_edge": SIDE}, "crop_size": SQUARE}
    images = hf.LlavaNextImageProcessor(**size, image_grid_pinpoints=grid)
    videos = hf.LlavaNextVideoVideoProcessor(**size)
    return write(
        folder, config, hf.LlavaNextVideoProcessor(videos, images, tokenizer, chat_template=LLAVA, **CLIP_TOKENS)
    )


def video_llama_3(folder: Path) -> Path:
    tokenizer = words()
    config = hf.VideoLlama3Config(
        text_config=text("qwen2"),
        vision_config={key: VISION[key] for key in VISION if key != "image_size"},
        **numbers(tokenizer, image_token_id="<|image_pad|>", video_token_id="<|video_pad|>"),
    )
    images = hf.VideoLlama3ImageProcessor(size=AREA, patch_size=8)
    videos = hf.VideoLlama3VideoProcessor(size=AREA, patch_size=8)
    processor = hf.VideoLlama3Processor(images, tokenizer, videos, chat_template=chat("<|image_pad|>\n"))
    return write(folder, config, processor)


def video_llava(folder: Path) -> Path:
    tokenizer = words()
    config = hf.VideoLlavaConfig(
        vision_config=clip_vision(),
        text_config=text("llama"),
        image_seq_length=16,
        **numbers(tokenizer, image_token_index=IMAGE, video_token_index="<video>"),
    )
    size = {"size": {"shortest_edge": SIDE}, "crop_size": SQUARE}
    images, videos = hf.VideoLlavaImageProcessor(**size), hf.VideoLlavaVideoProcessor(**size)
    return write(folder, config, hf.VideoLlavaProcessor(images, videos, tokenizer, chat_template=LLAVA, **CLIP_TOKENS))


BUILDERS: dict[str, Builder] = {
    "llava_next_video": llava_next_video,
    "video_llama_3": video_llama_3,
    "video_llava": video_llava,
}
