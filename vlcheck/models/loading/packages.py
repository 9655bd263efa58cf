"""Packages that the tokenizers and processors of some checkpoints need: an extra of vlcheck installs them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

EXTRA = "tokenizers"
# Package -> the module by which it is imported.
_MODULES = {"num2words": "num2words", "protobuf": "google.protobuf", "sentencepiece": "sentencepiece"}
_SENTENCEPIECE = ("sentencepiece", "protobuf")  # both read its *.model files


def needed(folder: Path, message: str) -> str:
    """Name the packages for want of which a part of a checkpoint cannot be loaded; "" where it is not for that.

    Args:
        folder: the checkpoint.
        message: what transformers says; it may name one package of two, or another that would not help.
    """
    pieces = any(folder.glob("*.model")) and not (folder / "tokenizer.json").is_file()
    wanted = {name for name in _MODULES if name in message.lower()}
    if pieces or "sentencepiece" in wanted:
        wanted.update(_SENTENCEPIECE)
    missing = sorted(name for name in wanted if not _is_there(_MODULES[name]))
    if not missing:
        return ""
    return f'It needs {" and ".join(missing)}, of the extra {EXTRA}: python -m pip install "vlcheck[{EXTRA}]". '


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of the package around it
        return False
