"""All builders of small generative checkpoints, by the name of their configuration (model_type)."""

from __future__ import annotations

from collections.abc import Mapping

from tests.models import chats
from tests.models.generative import caches, documents, earlier, elsewhere, later, prompted, videos
from tests.models.generative.pieces import Builder

FAMILIES: dict[str, Builder] = {
    "blip": chats.blip_captioning,
    "gemma3": chats.gemma3,
    "idefics3": chats.idefics3,
    "internvl": chats.internvl,
    "llava": chats.llava,
    "llava_next": chats.llava_next,
    "llava_onevision": chats.llava_onevision,
    "mllama": chats.mllama,
    "paligemma": chats.paligemma,
    "qwen2_5_vl": chats.qwen2_5_vl,
    "qwen2_vl": chats.qwen2_vl,
    "qwen3_vl": chats.qwen3_vl,
    "smolvlm": chats.smolvlm,
}
BUILDERS: Mapping[str, Builder] = {
    **FAMILIES,
    **earlier.BUILDERS,
    **documents.BUILDERS,
    **prompted.BUILDERS,
    **later.BUILDERS,
    **videos.BUILDERS,
    **caches.BUILDERS,
    **elsewhere.BUILDERS,
}

# Compared with transformers' forward in the tests of their families: they have prompts or classes of their own, or, as
# Llama 4, a forward pass that ends in an error.
PROMPTED = frozenset({"blip", "llama4", "paligemma", *elsewhere.BUILDERS}) | prompted.PROMPTED

# Parts of these networks compute in float32 whatever the dtype is: attention (linear, too), recurrences, norms,
# routers, rotations by positions. In float64 they differ from transformers by 2e-9 to 4.5e-7.
IN_FLOAT32 = frozenset(
    {"hy_v4_vl", "inkling2", "inkling2_loop", "llama4", "minicpm_ocr", "minicpmv4_6", "muse_spark", "nemotron_h_omni"}
    | {"qwen3_5", "qwen3_5_moe"}
)
