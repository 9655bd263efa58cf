"""Every family's checkpoint, made small, by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.models import chats, checkpoints
from tests.models.original.test_original_models import ORIGINALS, original_folder
from vlcheck.cases import ImageFile

PLAIN = (
    "align", "altclip", "bert", "blip2_retrieval", "blip_retrieval", "bridgetower", "chinese_clip", "clip", "flava",
    "metaclip2", "siglip", "siglip2", "vilt_retrieval", "vilt_words",
)  # fmt: skip
WRITING = (
    "blip_captioning", "gemma3", "idefics3", "internvl", "llava", "llava_next", "llava_onevision", "mllama",
    "paligemma", "paligemma2", "qwen2_5_vl", "qwen2_vl", "qwen3_vl", "smolvlm",
)  # fmt: skip
READING_REGIONS = ("lxmert", "vilbert", "visual_bert")
FAMILIES = (*PLAIN, *WRITING, *READING_REGIONS, *ORIGINALS)
MASKED = ("modernvbert", "ultravbert")  # no maps of them; tests/models/hf/test_modernvbert.py tries them
REPRESENTATIVE = {"clip", "llava", "vilt_words"}  # one that compares, one that writes, one that fills in words


def each_family() -> list[object]:
    """Parameters of a test: the representative families are in the inner loop, the others are not."""
    return [name if name in REPRESENTATIVE else pytest.param(name, marks=pytest.mark.contract) for name in FAMILIES]


def spec_of(family: str, folder: Path, regions: Path) -> str:
    """What `--vl-model` takes for a checkpoint of random weights, which is written to the folder."""
    if family in ORIGINALS:
        return f"{family}:{original_folder(family, folder)}"
    make = getattr(checkpoints, family, None) or getattr(chats, family)
    spec = f"{'vilbert:' if family == 'vilbert' else ''}{make(folder)}"
    return f"{spec},regions={regions}" if family in READING_REGIONS else spec


def write_regions(folder: Path, source: ImageFile, count: int, random: np.random.Generator) -> None:
    """Regions of a photograph, as if a detector had been run."""
    low, extent = random.uniform(0, 0.6, (count, 2)), random.uniform(0.1, 0.4, (count, 2))
    np.savez(
        folder / f"{source.path.stem}.npz",
        boxes=(np.concatenate([low, low + extent], 1) * np.tile(source.size, 2)),
        features=random.normal(size=(count, checkpoints.REGION)),
    )
