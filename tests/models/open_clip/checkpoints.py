"""Small checkpoints of random weights in open_clip's layout, and OpenAI's."""

from __future__ import annotations

import json
import warnings
from copy import deepcopy
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.coca_model import CoCa
from open_clip.model import CLIP, CustomTextCLIP
from safetensors.torch import save_file

SIDE, TOKENS, WIDTH = 32, 24, 64
WORDS = ("a", "dog", "cat", "red", "blue", "ball", "box", "on", "the", "left", "right", "of", "and", "is", "bus")
_TEXT = {"context_length": TOKENS, "vocab_size": 49408, "width": WIDTH, "heads": 2, "layers": 2}
_VISION = {"image_size": SIDE, "layers": 2, "width": WIDTH, "head_width": 32, "patch_size": 8}
_TOWER = {"image_size": SIDE, "timm_model_name": "test_vit", "timm_pool": "token", "timm_proj": "linear"}


def _of_architecture(name: str, tower: str = "") -> dict[str, Any]:
    """Return open_clip's own config of an architecture, with a small text network.

    Args:
        name: the architecture.
        tower: a smaller network of timm of the same kind, in place of its own.
    """
    config = deepcopy(open_clip.get_model_config(name))
    config["vision_cfg"] |= {"timm_model_name": tower} if tower else {}
    config["text_cfg"] |= {"width": WIDTH, "heads": 2, "layers": 2}
    return config | {"embed_dim": 32}


CONFIGS: dict[str, dict[str, Any]] = {
    "clip": {"embed_dim": 32, "vision_cfg": _VISION, "text_cfg": _TEXT},
    "quick": {"embed_dim": 32, "quick_gelu": True, "vision_cfg": _VISION, "text_cfg": _TEXT},
    "residual": {
        "embed_dim": 32,
        "vision_cfg": {"image_size": SIDE, "layers": [1, 1, 1, 1], "width": 16, "patch_size": None},
        "text_cfg": _TEXT,
    },
    # A network of timm for pictures, and a text network of its own.
    "timm": {"embed_dim": 32, "custom_text": True, "vision_cfg": _TOWER, "text_cfg": {**_TEXT, "no_causal_mask": True}},
    "siglip": {
        "embed_dim": 32,
        "custom_text": True,
        "init_logit_bias": -10,
        "vision_cfg": _VISION,
        "text_cfg": {
            **_TEXT,
            "vocab_size": 99,
            "hf_tokenizer_name": "some/tokenizer",
            "tokenizer_kwargs": {"clean": "canonicalize"},
            "no_causal_mask": True,
            "proj_bias": True,
            "pool_type": "last",
        },
    },
    "coca": {
        "embed_dim": WIDTH,
        "custom_text": True,
        "vision_cfg": {**_VISION, "attentional_pool": True, "attn_pooler_queries": 8, "output_tokens": True},
        "text_cfg": {**_TEXT, "embed_cls": True, "output_tokens": True},
        "multimodal_cfg": {**_TEXT, "layers": 1},
    },
    "roberta": {
        "embed_dim": 32,
        "vision_cfg": _VISION,
        "text_cfg": {
            "hf_model_name": "text",
            "hf_tokenizer_name": "some/tokenizer",
            "hf_pooler_type": "mean_pooler",
            "context_length": TOKENS,
        },
    },
}
CONFIGS["coca_roberta"] = {
    "embed_dim": WIDTH,
    "vision_cfg": CONFIGS["coca"]["vision_cfg"],
    "text_cfg": {**CONFIGS["roberta"]["text_cfg"], "width": WIDTH, "hf_proj_type": "linear", "output_tokens": True},
    "multimodal_cfg": CONFIGS["coca"]["multimodal_cfg"],
    "custom_text": True,
}
CONFIGS |= {  # with whole networks of timm for pictures, the smallest of each kind
    "eva": _of_architecture("EVA02-B-16", "eva02_tiny_patch14_224"),
    "mobileclip": _of_architecture("MobileCLIP2-S0"),
    "pe_core": _of_architecture("PE-Core-T-16-384"),
}
LARGEST = 0.3  # standard deviation of random weights
DEEP = 20  # their variance times the number of inputs, at most: so that networks of many wide layers stay finite
PIXELS = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3], "interpolation": "bilinear", "resize_mode": "squash"}


def built(config: dict[str, Any], folder: Path | None = None) -> torch.nn.Module:
    """open_clip's network of a config, whose weights and scale are drawn anew with one seed."""
    said = json.loads(json.dumps(config))
    custom = said.pop("custom_text", False) or "hf_model_name" in said["text_cfg"]
    if "hf_model_name" in said["text_cfg"]:
        said["text_cfg"] |= {"hf_model_name": str(folder / "text"), "hf_model_pretrained": False}
    network = (CoCa if "multimodal_cfg" in said else CustomTextCLIP if custom else CLIP)(**said)
    drawn = torch.Generator().manual_seed(0)
    for weight in network.parameters():
        spread = min(LARGEST, (DEEP / max(weight[0].numel(), 1)) ** 0.5) if weight.ndim > 1 else LARGEST
        weight.data = torch.randn(weight.shape, generator=drawn) * (spread if weight.ndim else 1.0)
    return network.eval()


def open_clip_folder(folder: Path, kind: str, pixels: dict[str, Any] | None = None) -> Path:
    """A folder as open_clip publishes it."""
    folder.mkdir(parents=True, exist_ok=True)
    config = CONFIGS[kind]
    if "hf_tokenizer_name" in config["text_cfg"]:
        write_tokenizer(folder)
    if "hf_model_name" in config["text_cfg"]:
        write_text_network(folder / "text")
    said = {"model_cfg": config, "preprocess_cfg": PIXELS if pixels is None else pixels}
    (folder / "open_clip_config.json").write_text(json.dumps(said))
    save_file(weights_of(built(config, folder)), folder / "open_clip_model.safetensors")
    return folder


def weights_of(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: weight.contiguous().clone() for name, weight in network.state_dict().items()}


def write_tokenizer(folder: Path) -> None:
    """A tokenizer of words, which ends a text with a token of its own, and pads it."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    vocab = {word: number for number, word in enumerate([*special.values(), *WORDS])}
    inner = Tokenizer(models.WordLevel(vocab, special["unk_token"]))
    inner.normalizer, inner.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    inner.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    PreTrainedTokenizerFast(tokenizer_object=inner, padding_side="right", **special).save_pretrained(folder)


def write_text_network(folder: Path) -> None:
    """The config of a text network of transformers."""
    from transformers import RobertaConfig

    RobertaConfig(
        vocab_size=99,
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
        max_position_embeddings=40,
        pad_token_id=0,
    ).save_pretrained(folder)


def openai_archive(path: Path, kind: str = "quick") -> Path:
    """A TorchScript archive as OpenAI published CLIP: weights in float16, numbers beside them."""
    network = built({**CONFIGS["residual" if kind == "residual" else "clip"], "quick_gelu": True})
    for name, number in (("input_resolution", SIDE), ("context_length", TOKENS), ("vocab_size", 49408)):
        network.__dict__.pop(name, None)
        network.register_buffer(name, torch.tensor(number))
    pixels, ids = torch.ones(1, 3, SIDE, SIDE), torch.zeros(1, TOKENS, dtype=torch.long)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated, and published files stay
        traced = torch.jit.trace_module(network, {"forward": (pixels, ids)}, check_trace=False)
        torch.jit.save(traced.half(), path)
    return path


__all__ = ["CONFIGS", "PIXELS", "SIDE", "built", "open_clip", "open_clip_folder", "openai_archive", "weights_of"]
