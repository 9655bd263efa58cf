from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.models import checkpoints


@pytest.fixture(scope="session")
def clip_and_lora(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    pytest.importorskip("peft")
    pytest.importorskip("compressed_tensors")
    from tests.models.released import clip_with_lora  # imports PEFT

    return clip_with_lora(tmp_path_factory.mktemp("released"))


@pytest.fixture
def base(clip_and_lora: tuple[Path, Path]) -> Path:
    """The folder of a small CLIP."""
    return clip_and_lora[0]


@pytest.fixture
def own(clip_and_lora: tuple[Path, Path], tmp_path: Path) -> Path:
    """The folder of an adapter of `base`, which a test may change."""
    return Path(shutil.copytree(clip_and_lora[1], tmp_path / "own"))


@pytest.fixture(scope="session")
def small_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small CLIP, as transformers writes it."""
    return checkpoints.clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture
def folder(small_clip: Path, tmp_path: Path) -> Path:
    """A copy of that folder, which a test may change."""
    return Path(shutil.copytree(small_clip, tmp_path / "clip"))
