"""Writes ALBEF checkpoints with random weights, in the original layout: none can be had without a model hub."""

from __future__ import annotations

import json
import string
from collections.abc import Iterable
from pathlib import Path

import torch

from vlcheck.errors import UsageError
from vlcheck.models.original.albef.adapter import AlbefConfig, AlbefNetwork, pre_caption
from vlcheck.models.original.albef.config import original_configs

_SPECIAL = {0: "[PAD]", 100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 103: "[MASK]"}


def random_albef(
    folder: Path, config: AlbefConfig, words: Iterable[str], seed: int = 0, *, spread: float = 0.02
) -> Path:
    """Write `checkpoint.pth`, `vocab.txt` and the two config files into a folder.

    Args:
        folder: made where it is not there.
        config: sizes; the defaults are the published model's.
        words: captions or words that the vocabulary shall hold whole; others fall apart into letters.
        seed: of the weights.
        spread: standard deviation of the weights; the larger, the more the scores differ.

    Returns:
        The checkpoint's path.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(vocabulary(config.vocab_size, words)) + "\n", encoding="utf-8")
    said, bert = original_configs(config)
    (folder / "config.json").write_text(json.dumps(said))
    (folder / "config_bert.json").write_text(json.dumps(bert))
    path = folder / "checkpoint.pth"
    torch.save({"model": random_state_dict(config, seed, spread), "config": said, "epoch": 0}, path)
    return path


def random_state_dict(config: AlbefConfig, seed: int = 0, spread: float = 0.02) -> dict[str, torch.Tensor]:
    """Normal weights under the original's names, LayerNorms around one; no momentum copies, no queues."""
    generator = torch.Generator().manual_seed(seed)
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in AlbefNetwork(config).state_dict().items()}
    weights = {name: torch.randn(shape, generator=generator).mul_(spread) for name, shape in shapes.items()}
    for name in weights:
        if name.endswith(("norm.weight", "norm1.weight", "norm2.weight", "LayerNorm.weight")):
            weights[name] += 1
    weights["temp"] = torch.tensor(0.07)
    head, embeddings = "text_encoder.cls.predictions", "text_encoder.bert.embeddings"
    weights[f"{head}.decoder.weight"] = weights[f"{embeddings}.word_embeddings.weight"]
    weights[f"{head}.decoder.bias"] = weights[f"{head}.bias"]
    weights[f"{embeddings}.position_ids"] = torch.arange(config.max_positions)[None]
    return weights


def vocabulary(size: int, words: Iterable[str]) -> list[str]:
    """Word pieces laid out as bert-base-uncased's: its special ids, letters and digits, words, unused entries."""
    known = dict.fromkeys(word for text in words for word in pre_caption(text, max_words=len(text) + 1).split())
    characters = string.ascii_lowercase + string.digits
    pieces = dict.fromkeys([*characters, *(f"##{character}" for character in characters), *known])
    unused = (f"[unused{number}]" for number in range(size))
    entries = [_SPECIAL.get(number) or next(unused) for number in range(max(_SPECIAL) + 1)] + [*pieces]
    if len(entries) > size:
        raise UsageError(f"{len(known)} words and the characters need {len(entries)} entries; vocab_size is {size}.")
    return entries + [next(unused) for _ in range(size - len(entries))]
