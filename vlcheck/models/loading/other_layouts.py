"""Folders that another library than transformers saved, and that a registered family reads."""

from __future__ import annotations

from pathlib import Path

from vlcheck.models.loading.folder_kinds import CONFIG
from vlcheck.models.loading.layout import read_optional_json

OPEN_CLIP = "open_clip"
_OPEN_CLIP_CONFIG = "open_clip_config.json"


def family_of(folder: Path) -> str:
    """Return the family that reads a folder; "" for a checkpoint of transformers.

    Many folders of open_clip hold the same model in transformers' layout as well, which is taken then.
    """
    of_open_clip = (folder / _OPEN_CLIP_CONFIG).is_file()
    return OPEN_CLIP if of_open_clip and not read_optional_json(folder / CONFIG).get("architectures") else ""
