"""The kinds of folders that hold a model, or look as if they did: each is told for what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from vlcheck.models.loading.checkpoint import SUFFIXES

CONFIG = "config.json"
ADAPTER_CONFIG = "adapter_config.json"
_ORIGINAL = (
    "A checkpoint of a model's original code is named with its family: albef:PATH, vilbert:FOLDER,regions=DETECTOR,"
    " vilt-original:FOLDER or xvlm:FOLDER."
)
_OPEN_CLIP = re.compile(r"open_clip_.*")
GGUF = ".gguf"
NO_GGUF = (
    "GGUF is the format of llama.cpp, whose arithmetic transformers does not have. Serve it (llama-server -m MODEL.gguf"
    " --mmproj MMPROJ.gguf --port 8080) and name openai:http://127.0.0.1:8080/v1#MODEL, or name the repository of the"
    " safetensors that it was made from; a hub's page of a GGUF links it as the base model."
)


def no_config(folder: Path) -> str:
    """Return the message for a folder without config.json, with a guess at its format."""
    return f"{folder / CONFIG}: no such file; a checkpoint of transformers has one. {_looks_like(folder)}".rstrip()


def not_a_folder(file: Path) -> str:
    """Return the message for a spec that names a file, with what would be accepted."""
    if file.suffix == GGUF:
        return f"{file}: {NO_GGUF}"
    if (file.parent / CONFIG).is_file():
        return f"{file}: a file; of a checkpoint of transformers name the folder: {file.parent}."
    return f"{file}: a file; a checkpoint of transformers is a folder. {_looks_like(file.parent) or _ORIGINAL}"


def _looks_like(folder: Path) -> str:
    """Return a sentence about the format of a folder that transformers did not save; "" if it is not known."""
    names = sorted(path.name for path in folder.iterdir())
    if any(_OPEN_CLIP.fullmatch(name) for name in names):
        return (
            "It holds weights of open_clip, whose open_clip_config.json belongs beside them; without it, name the"
            " architecture, too: open_clip:ARCH/FILE."
        )
    if "model_index.json" in names:
        return "The folder is a pipeline of diffusers: name a vision-language model."
    if inner := inner_checkpoints(folder):
        return inner
    if "params.json" in names:
        return "The folder is in the layout of its authors' own code: name the same model in transformers' layout."
    if any(name.endswith(GGUF) for name in names):
        return NO_GGUF
    if files := [name for name in names if name.endswith((*SUFFIXES, ".h5", ".msgpack", ".onnx"))]:
        return f"It holds {', '.join(files)}. {_ORIGINAL}"
    return ""


def inner_checkpoints(folder: Path) -> str:
    """Return a sentence that names the checkpoints in inner folders, as a training run saves them; "" for none."""
    if whole := [path.parent.name for path in _by_age(folder.glob(f"*/{CONFIG}"))]:
        return f"Checkpoints are in its folders {', '.join(whole)}: name one of them, e.g. {folder / whole[-1]}."
    if adapters := [path.parent.name for path in _by_age(folder.glob(f"*/{ADAPTER_CONFIG}"))]:
        return f"Adapters are in its folders {', '.join(adapters)}: name one of them, e.g. {folder / adapters[-1]}."
    return ""


def _by_age(paths: Iterator[Path]) -> list[Path]:
    """Sort by the last number in the folder's name, the step of a training run, then by the name."""
    return sorted(paths, key=lambda path: (int((re.findall(r"\d+", path.parent.name) or [0])[-1]), path.parent.name))
