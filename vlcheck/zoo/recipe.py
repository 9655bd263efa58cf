"""How each variant of the embedded model is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vlcheck.models.albef_config import AlbefConfig
from vlcheck.zoo.lessons import vocabulary

TINY = AlbefConfig(
    image_size=64,
    patch_size=8,
    vision_width=96,
    vision_depth=3,
    vision_heads=4,
    text_width=96,
    text_depth=3,
    text_heads=4,
    intermediate_size=384,
    fusion_layer=1,
    vocab_size=len(vocabulary()),
    max_positions=40,
    embed_dim=32,
    stem_width=24,
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What decides the weights, on one machine.

    Attributes:
        name: of the variant.
        steps: optimizer steps.
        seed: of the scenes, the first weights and each batch.
        scenes: how many different ones are drawn.
        batch_size: pictures a step; each comes with three sentences.
        learning_rate: at its height, after `warmup` steps; falls to 0 along a cosine.
        grey: share of pictures whose colors are taken away.
        blocked: share of pictures that are black.
    """

    name: str
    steps: int
    seed: int = 0
    scenes: int = 40_000
    batch_size: int = 96
    learning_rate: float = 1e-3
    warmup: int = 200
    grey: float = 0.12
    blocked: float = 0.05
    config: AlbefConfig = TINY


RECIPES: Mapping[str, Recipe] = MappingProxyType({"tiny": Recipe(name="tiny", steps=8_000)})
