from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.albef_checkpoint import random_albef
from tests.conftest import ROOT
from vlcheck.models.original.albef.adapter import Albef, AlbefConfig, load

REFERENCE = ROOT / "tests" / "data" / "albef"
REFERENCE_CONFIG = AlbefConfig(
    image_size=64,
    vision_width=32,
    vision_depth=3,
    vision_heads=4,
    text_width=48,
    text_depth=4,
    text_heads=4,
    intermediate_size=96,
    fusion_layer=2,
    vocab_size=128,
    max_positions=40,
    embed_dim=16,
)
TINY = AlbefConfig(
    image_size=32,
    vision_width=32,
    vision_depth=2,
    vision_heads=4,
    text_width=48,
    text_depth=4,
    text_heads=4,
    intermediate_size=96,
    fusion_layer=2,
    vocab_size=256,
    max_positions=64,
    embed_dim=16,
)
CAPTION = "a red bus on the left side of a wet road near two people who wait"


@pytest.fixture(scope="session")
def reference_weights() -> dict[str, torch.Tensor]:
    """What the original code saved: weights, momentum copies, queues."""
    weights: dict[str, torch.Tensor] = torch.load(REFERENCE / "checkpoint_29.pth", weights_only=True)["model"]
    return weights


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("albef")
    random_albef(folder, TINY, [CAPTION], seed=3, spread=0.25)
    return folder


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> Albef:
    return load(str(tiny_folder / "checkpoint.pth"))


@pytest.fixture(scope="session")
def photographs() -> list[Image.Image]:
    random = np.random.default_rng(5)
    return [Image.fromarray(random.integers(0, 256, (40, 60, 3), dtype=np.uint8)) for _ in range(5)]


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


def three_shapes(coco_root: Path) -> list[Path]:
    """Three real photographs: landscape, portrait, and one nearer to a square."""
    shapes: dict[Path, float] = {}
    for path in sorted(coco_root.glob("*/*.jpg")):
        with Image.open(path) as image:
            shapes[path] = image.width / image.height
    ordered = sorted(shapes, key=shapes.__getitem__)
    return [ordered[-1], ordered[0], ordered[len(ordered) // 3]]


@pytest.fixture(scope="session")
def real_photographs(coco_root: Path) -> list[Image.Image]:
    """Of three shapes."""
    return [_read(path) for path in three_shapes(coco_root)]


def _read(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")
