"""Packages that some tokenizers and processors need. The extra `tokenizers` of vlcheck installs them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

EXTRA = "tokenizers"
# Package -> the module that is imported.
_MODULES = {"num2words": "num2words", "protobuf": "google.protobuf", "sentencepiece": "sentencepiece"}
_SENTENCEPIECE = ("sentencepiece", "protobuf")  # both read its *.model files


def needed(folder: Path, message: str) -> str:
    """Return a sentence that names the packages that a checkpoint needs and that are missing; "" for none.

    Args:
        folder: the checkpoint's folder.
        message: transformers' error; it may name only one of two packages, or one that would not help.
    """
    pieces = any(folder.glob("*.model")) and not (folder / "tokenizer.json").is_file()
    wanted = {name for name in _MODULES if name in message.lower()}
    if pieces or "sentencepiece" in wanted:
        wanted.update(_SENTENCEPIECE)
    missing = sorted(name for name in wanted if not is_there(_MODULES[name]))
    if not missing:
        return ""
    return f'It needs {" and ".join(missing)}, of the extra {EXTRA}: python -m pip install "vlcheck[{EXTRA}]". '


def is_there(module: str) -> bool:
    """Return True if a module can be imported."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package around the module is missing
        return False
