"""The sizes of ALBEF, read from a checkpoint and its config files."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vlcheck.errors import UsageError
from vlcheck.models.loading.layout import check_multiple, check_size, read_optional_json

_HEAD_WIDTH = 64  # of ViT-B and BERT-base: shapes of weights do not show the number of heads


@dataclass(frozen=True)
class AlbefConfig:
    """The sizes of ALBEF; the defaults are the paper's.

    Attributes:
        image_size: side of the square input, in pixels.
        patch_size: side of a patch, in pixels.
        vision_width: features of an image token.
        vision_depth: blocks of the ViT.
        vision_heads: attention heads of a ViT block.
        text_width: features of a text token.
        text_depth: layers of the BERT, with and without cross-attention.
        text_heads: attention heads of a BERT layer.
        intermediate_size: features between the two projections of a BERT layer.
        fusion_layer: index of the first layer with cross-attention to the image.
        vocab_size: entries of the vocabulary.
        max_positions: the most tokens of a text.
        embed_dim: features that the contrastive similarity compares.
        stem_width: features of the first of several strided convolutions that replace the patch projection; 0 for none,
            as in the original. A small network learns far faster with them (Xiao et al. 2021, arXiv:2106.14881).

    Source:
        Li et al. 2021, arXiv:2107.07651, section 3.1.
    """

    image_size: int = 256
    patch_size: int = 16
    vision_width: int = 768
    vision_depth: int = 12
    vision_heads: int = 12
    text_width: int = 768
    text_depth: int = 12
    text_heads: int = 12
    intermediate_size: int = 3072
    fusion_layer: int = 6
    vocab_size: int = 30522
    max_positions: int = 512
    embed_dim: int = 256
    stem_width: int = 0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            check_size(name, value, least=0 if name == "stem_width" else 1)
        if self.stem_width and self.patch_size & (self.patch_size - 1):
            raise UsageError(f"patch_size {self.patch_size} has to be a power of 2 where there is a stem.")
        for whole, part in (
            ("image_size", "patch_size"),
            ("vision_width", "vision_heads"),
            ("text_width", "text_heads"),
        ):
            check_multiple(whole, getattr(self, whole), part, getattr(self, part))
        if self.fusion_layer >= self.text_depth:
            raise UsageError(f"fusion_layer {self.fusion_layer} has to be under text_depth {self.text_depth}.")

    @property
    def grid(self) -> int:
        """The number of patches along a side of the input."""
        return self.image_size // self.patch_size


def infer_config(shapes: Mapping[str, Sequence[int]], stated: Mapping[str, Any]) -> AlbefConfig:
    """Infer the sizes from the shapes of a checkpoint's weights.

    Args:
        shapes: shape of each weight, by its pre-training name.
        stated: sizes from config files, by field name; they take precedence over the shapes.

    Raises:
        UsageError: a weight of ALBEF is missing, or sizes contradict one another.
    """
    words, width = _shape(shapes, "text_encoder.bert.embeddings.word_embeddings.weight", 2)
    vision_width, patch, stem_width = _patches(shapes)
    tokens = _shape(shapes, "visual_encoder.pos_embed", 3)[1]
    text_layers = _numbers(shapes, r"text_encoder\.bert\.encoder\.layer\.(\d+)\.")
    found = {
        "image_size": math.isqrt(tokens - 1) * patch,
        "patch_size": patch,
        "vision_width": vision_width,
        "vision_depth": 1 + max(_numbers(shapes, r"visual_encoder\.blocks\.(\d+)\.")),
        "vision_heads": vision_width // _HEAD_WIDTH,
        "text_width": width,
        "text_depth": 1 + max(text_layers),
        "text_heads": width // _HEAD_WIDTH,
        "intermediate_size": _shape(shapes, "text_encoder.bert.encoder.layer.0.intermediate.dense.weight", 2)[0],
        "fusion_layer": min(_numbers(shapes, r"text_encoder\.bert\.encoder\.layer\.(\d+)\.crossattention\.")),
        "vocab_size": words,
        "max_positions": _shape(shapes, "text_encoder.bert.embeddings.position_embeddings.weight", 2)[0],
        "embed_dim": _shape(shapes, "vision_proj.weight", 2)[0],
        "stem_width": stem_width,
    }
    for heads, wide in (("vision_heads", "vision_width"), ("text_heads", "text_width")):
        if heads not in stated and found[wide] % _HEAD_WIDTH:
            raise UsageError(
                f"shapes do not tell the number of attention heads at {wide} {found[wide]}: put ALBEF's config.json"
                " and config_bert.json beside the checkpoint."
            )
    return AlbefConfig(**found | dict(stated))


def stated_sizes(folder: Path, config: Mapping[str, object]) -> dict[str, object]:
    """Return the sizes that config files state, by the field names of AlbefConfig.

    Args:
        folder: folder of the original code's `config.json` and `config_bert.json`, if they exist.
        config: the config in the checkpoint itself; the files take precedence over it.
    """
    vision = {**config, **read_optional_json(folder / "config.json")}
    vit = vision.get("vit")
    text = read_optional_json(folder / "config_bert.json")
    said = {
        "image_size": vision.get("image_res"),
        "embed_dim": vision.get("embed_dim"),
        "vision_width": vision.get("vision_width"),
        "vision_depth": vit.get("depth") if isinstance(vit, Mapping) else None,
        "vision_heads": vit.get("num_heads") if isinstance(vit, Mapping) else None,
        "text_width": text.get("hidden_size"),
        "text_depth": text.get("num_hidden_layers"),
        "text_heads": text.get("num_attention_heads"),
        "intermediate_size": text.get("intermediate_size"),
        "fusion_layer": text.get("fusion_layer"),
        "vocab_size": text.get("vocab_size"),
        "max_positions": text.get("max_position_embeddings"),
    }
    return {name: value for name, value in said.items() if value is not None}


def original_configs(config: AlbefConfig) -> tuple[dict[str, object], dict[str, object]]:
    """Return the content of the original's config.json and config_bert.json; shapes do not show the number of heads."""
    said = {
        "image_res": config.image_size,
        "vision_width": config.vision_width,
        "embed_dim": config.embed_dim,
        "vit": {"embed_dim": config.vision_width, "depth": config.vision_depth, "num_heads": config.vision_heads},
    }
    bert: dict[str, object] = {
        "hidden_size": config.text_width,
        "num_hidden_layers": config.text_depth,
        "num_attention_heads": config.text_heads,
        "intermediate_size": config.intermediate_size,
        "max_position_embeddings": config.max_positions,
        "vocab_size": config.vocab_size,
        "fusion_layer": config.fusion_layer,
        "encoder_width": config.vision_width,
    }
    return said, bert


def _patches(shapes: Mapping[str, Sequence[int]]) -> tuple[int, int, int]:
    """Return the width of an image token, the side of a patch, and the width of the stem."""
    stem = "visual_encoder.patch_embed.stem.{}.weight"
    if stem.format(0) not in shapes:
        width, _, patch, _ = _shape(shapes, "visual_encoder.patch_embed.proj.weight", 4)
        return width, patch, 0
    last = max(_numbers(shapes, r"visual_encoder\.patch_embed\.stem\.(\d+)\.weight"))
    first = _shape(shapes, stem.format(0), 4)[0]
    return _shape(shapes, stem.format(last), 4)[0], 2 ** (last // 2 + 1), first


def _shape(shapes: Mapping[str, Sequence[int]], name: str, axes: int) -> Sequence[int]:
    shape = shapes.get(name)
    if shape is None or len(shape) != axes:
        what = "is not there" if shape is None else f"has shape {tuple(shape)}"
        raise UsageError(f"not an ALBEF checkpoint: {name} {what}.")
    return shape


def _numbers(names: Iterable[str], pattern: str) -> set[int]:
    found = {int(match[1]) for name in names if (match := re.match(pattern, name))}
    if not found:
        raise UsageError(f"not an ALBEF checkpoint: no weight is named {pattern.replace(chr(92), '')}.")
    return found
