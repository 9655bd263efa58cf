"""The config of OpenAI's CLIP, from the shapes of its weights."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor

from vlcheck.errors import UsageError
from vlcheck.models.loading.misfits import check_names

_HEAD = 64  # width of an attention head, in all of OpenAI's CLIPs
_STEM = 32  # by which a residual network reduces the picture's side
_ANCHOR = "text_projection"


def config_of(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return open_clip's config of the network that has some weights. OpenAI's networks have quick GELUs.

    Args:
        weights: the weights, by OpenAI's names.

    Raises:
        UsageError: they are not of a CLIP in OpenAI's layout.
    """
    check_names(weights.keys(), _ANCHOR)
    try:
        width, embed_dim = weights["text_projection"].shape
        vision = _transformer(weights) if "visual.proj" in weights else _residual(weights)
        return {
            "embed_dim": embed_dim,
            "quick_gelu": True,
            "vision_cfg": vision,
            "text_cfg": {
                "context_length": len(weights["positional_embedding"]),
                "vocab_size": len(weights["token_embedding.weight"]),
                "width": width,
                "heads": max(width // _HEAD, 1),
                "layers": _count(weights, r"transformer\.resblocks\.(\d+)\."),
            },
        }
    except (KeyError, ValueError, TypeError) as error:
        raise UsageError(
            f"not a CLIP of OpenAI: {error} is not as there. Accepted: OpenAI's own files, e.g. ViT-B-32.pt, and state"
            " dicts of their layout; models of open_clip are open_clip:ARCH/FILE."
        ) from error


def _transformer(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    width, _, patch, _ = weights["visual.conv1.weight"].shape
    side = math.isqrt(len(weights["visual.positional_embedding"]) - 1)
    layers = _count(weights, r"visual\.transformer\.resblocks\.(\d+)\.")
    return {"layers": layers, "width": width, "patch_size": patch, "image_size": patch * side, "head_width": _HEAD}


def _residual(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    side = math.isqrt(len(weights["visual.attnpool.positional_embedding"]) - 1)
    layers = [_count(weights, rf"visual\.layer{stage}\.(\d+)\.") for stage in (1, 2, 3, 4)]
    return {
        "layers": layers,
        "width": len(weights["visual.layer1.0.conv1.weight"]),
        "patch_size": None,
        "image_size": side * _STEM,
    }


def _count(names: Iterable[str], pattern: str) -> int:
    """Return how many different numbers stand in the names that match a pattern."""
    return len({found[1] for name in names if (found := re.match(pattern, name))})
