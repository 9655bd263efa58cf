"""Folders as transformers saves them: files that weights are read from, and files that would contradict them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from vlcheck._util import foreign_files
from vlcheck._util.foreign_files import demand_file, read_text
from vlcheck._util.numbers import verb
from vlcheck.errors import UsageError
from vlcheck.models.loading.checkpoint import SUFFIXES, as_bytes, is_pointer, read_checkpoint, read_tensors
from vlcheck.models.loading.extents import check_sides
from vlcheck.models.loading.layout import read_optional_json
from vlcheck.models.loading.misfits import is_index, reason

CONFIG = "config.json"
_ORIGINAL = (
    "A checkpoint of a model's original code is named with its family: albef:PATH, vilbert:FOLDER,regions=DETECTOR,"
    " vilt-original:FOLDER or xvlm:FOLDER."
)
_INDEX = ".index.json"
# Files that transformers looks for, in its order. It reads the first that exists, even if another is newer.
_ENTRIES = ("model.safetensors", f"model.safetensors{_INDEX}", "pytorch_model.bin", f"pytorch_model.bin{_INDEX}")
ADAPTER_CONFIG = "adapter_config.json"
_ADAPTERS = re.compile(r"adapter_(config\.json|model\..*)|pytorch_(adapter|lora_weights)\..*|adapters?\.safetensors")
_OPEN_CLIP = re.compile(r"open_clip_.*")
# Files with the state of a training run, which no score depends on.
_TRAINING = re.compile(
    r"(optimizer|(lr_)?scheduler|scaler|sampler|dl_state_dict|training_args|rng_state|random_states)([_-]\d+(-of-\d+)?)*"
    r"\.(pt|pth|bin|safetensors)"
)
# Beginnings of the names of files that a library may read as the weights of the model.
_MODEL = ("model", "pytorch_model", "consolidated")
# Files that transformers reads as JSON; below, suffixes of files that it reads in other ways.
_DOCUMENTS = frozenset(
    f"{name}.json"
    for name in (
        *("config", "generation_config", "processor_config", "preprocessor_config", "video_preprocessor_config"),
        *("tokenizer", "tokenizer_config", "special_tokens_map", "added_tokens", "vocab", "chat_template"),
    )
)
_OF_PICTURES = ("processor_config.json", "preprocessor_config.json")
_OTHERS = (".txt", ".model", ".jinja", ".py", *SUFFIXES)
LARGEST_TEMPLATE = 1 << 20  # bytes
# Settings of an image processor that do not change a pixel.
NO_PIXELS = re.compile(
    r"_.*|.*_type|processor_class|auto_map|return_.*|(input_)?data_format|device|disable_grouping|transformers_version"
)
# Files that other tools write for quantized weights, in place of config.json's "quantization_config".
_QUANTIZED = ("quantize_config.json", "quant_config.json", "hf_quant_config.json")


def check_files(folder: Path, config: Mapping[str, object], used: Collection[Path] = ()) -> dict[str, torch.dtype]:
    """Check that no file in a folder contains other weights than those that transformers reads.

    Args:
        folder: a folder as transformers saves it. Folders in it are ignored.
        config: the content of its config.json.
        used: files in it that are read for another purpose.

    Returns:
        The number formats of the weights that are read, by name.

    Raises:
        UsageError: there is an adapter; weights are missing; another file contains other weights; or a link is broken.
    """
    check_links(folder)
    check_no_adapter(folder)
    _check_not_quantized(folder, config)
    _check_one_view(folder)
    entry = _entry(folder, config)
    files = _read_for(entry)
    weights = _together(files)
    check_copies(folder, entry.name, weights, {*files, *used})
    return {name: weight.dtype for name, weight in weights.items()}


def check_copies(
    folder: Path, name: str, weights: Mapping[str, Tensor], used: Collection[Path], reader: str = "transformers"
) -> None:
    """Refuse a file in a folder that holds other weights than those that are read.

    Args:
        folder: the folder.
        name: name of the file that is read, or of the index of several.
        weights: the weights that are read.
        used: files that are read.
        reader: the library that reads them.

    Raises:
        UsageError: there is such a file.
    """
    read, known = _Read(name, weights, reader), {path.resolve() for path in used}
    for path in sorted(folder.iterdir()):
        if path.resolve() not in known and _may_hold_weights(path):
            _check_copy(path, read)


def check_documents(folder: Path) -> None:
    """Check the files that transformers reads beside the weights.

    Raises:
        UsageError: one of them is not a regular file, is not JSON, or has a key twice.
    """
    for path in sorted(folder.iterdir()):
        if path.name in _DOCUMENTS or path.name.endswith(_INDEX):
            said = foreign_files.read_json(path)
            if path.name in _OF_PICTURES:
                check_sides(said, path)
        elif path.suffix in _OTHERS and path.exists() and not path.is_dir():
            demand_file(path)


def weight_files(folder: Path, config: Mapping[str, object]) -> list[Path]:
    """Return the files that transformers reads weights from.

    Args:
        folder: a folder as transformers saves it.
        config: the content of its config.json, which may name the file of weights.
    """
    return _read_for(_entry(folder, config))


def check_no_adapter(folder: Path) -> None:
    """Refuse an adapter beside a model: transformers reads it only if peft is installed. Raises UsageError."""
    found = sorted(path for path in folder.iterdir() if _ADAPTERS.fullmatch(path.name))
    if found:
        base = read_optional_json(folder / ADAPTER_CONFIG).get("base_model_name_or_path")
        names = ", ".join(path.name for path in found)
        beside = f", beside the whole model in {folder}: which of both is meant?" if holds_model(folder) else "."
        raise UsageError(
            f"{found[0]}: an adapter{f' of {base}' if base else ''}{beside} Move {names} to a folder ADAPTER of its own"
            f" and name {folder}+ADAPTER for both; where the weights are merged already, remove {names}."
        )


def holds_model(folder: Path) -> bool:
    """Return True if a folder has the config and the weights of a whole model."""
    return (folder / CONFIG).is_file() and any((folder / name).is_file() for name in _ENTRIES)


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
    if inner := _inner(folder):
        return inner
    if "params.json" in names:
        return "The folder is in the layout of its authors' own code: name the same model in transformers' layout."
    if any(name.endswith(GGUF) for name in names):
        return NO_GGUF
    if files := [name for name in names if name.endswith((*SUFFIXES, ".h5", ".msgpack", ".onnx"))]:
        return f"It holds {', '.join(files)}. {_ORIGINAL}"
    return ""


def _inner(folder: Path) -> str:
    """Return a sentence that names the checkpoints in inner folders, as a training run saves them; "" for none."""
    if whole := [path.parent.name for path in _by_age(folder.glob(f"*/{CONFIG}"))]:
        return f"Checkpoints are in its folders {', '.join(whole)}: name one of them, e.g. {folder / whole[-1]}."
    if adapters := [path.parent.name for path in _by_age(folder.glob(f"*/{ADAPTER_CONFIG}"))]:
        return f"Adapters are in its folders {', '.join(adapters)}: name one of them, e.g. {folder / adapters[-1]}."
    return ""


def _by_age(paths: Iterator[Path]) -> list[Path]:
    """Sort by the last number in the folder's name, the step of a training run, then by the name."""
    return sorted(paths, key=lambda path: (int((re.findall(r"\d+", path.parent.name) or [0])[-1]), path.parent.name))


def _check_one_view(folder: Path) -> None:
    """Refuse two files that prepare pictures differently: transformers reads only one of them."""
    whole, part = folder / "processor_config.json", folder / "preprocessor_config.json"
    inner, alone = read_optional_json(whole).get("image_processor"), read_optional_json(part)
    if not isinstance(inner, dict):
        return
    shared = (key for key in inner if key in alone and not NO_PIXELS.fullmatch(key))
    if differ := [key for key in shared if not say_the_same(inner[key], alone[key])]:
        raise UsageError(
            f"{part}: says another {', '.join(differ)} than {whole.name} says under image_processor: keep the file that"
            " the model was trained with."
        )


def say_the_same(one: object, other: object) -> bool:
    """Return True if two settings mean the same: a number equals a list of it, and null equals anything.

    Args:
        one: a setting.
        other: the same setting in another place.
    """
    if one == other or None in (one, other):
        return True
    return type(one) is not type(other) and _numbers(one) == _numbers(other)


def _numbers(setting: object) -> set[str]:
    values = setting.values() if isinstance(setting, dict) else setting if isinstance(setting, list) else [setting]
    return {repr(value) for value in values}


def check_one_template(folder: Path) -> None:
    """Refuse two different chat templates of a processor: the version of transformers decides which one it uses.

    The template in tokenizer_config.json is for conversations without pictures; it is used only if there is no other.

    Raises:
        UsageError: the templates differ.
    """
    jinja = folder / "chat_template.jinja"
    said = {
        name: read_optional_json(folder / name).get("chat_template")
        for name in ("processor_config.json", "chat_template.json")
    }
    said[jinja.name] = read_text(jinja, LARGEST_TEMPLATE) if os.path.lexists(jinja) else None
    texts = {name: text.strip() for name, text in said.items() if isinstance(text, str)}
    if len({*texts.values()}) > 1:
        raise UsageError(
            f"{folder}: {' and '.join(texts)} hold chat templates that differ: keep the one that the model was trained"
            " with, in chat_template.jinja."
        )


def check_links(folder: Path) -> None:
    """Refuse a link to a file that does not exist."""
    if broken := next((path for path in sorted(folder.iterdir()) if not path.exists()), None):
        raise UsageError(f"{broken}: a link to {broken.readlink()}, which is not there: fetch it, or remove the link.")


def _check_not_quantized(folder: Path, config: Mapping[str, object]) -> None:
    said = next((name for name in _QUANTIZED if (folder / name).is_file()), None)
    if said and not config.get("quantization_config"):
        raise UsageError(
            f'{folder / said}: says that the weights are quantized, and {CONFIG} has no "quantization_config", from'
            " which transformers knows how they are read. Add it, or name the folder of the weights as they were."
        )


def _entry(folder: Path, config: Mapping[str, object]) -> Path:
    """Return the file of weights, or the index of several, that transformers reads."""
    said = config.get("transformers_weights")
    if not isinstance(said, str | None):
        raise UsageError(
            f'{folder / CONFIG}: "transformers_weights" is {said!r}; it has to be the name of a file of weights.'
        )
    names = (said,) if said else _ENTRIES
    if found := next((folder / name for name in names if (folder / name).is_file()), None):
        return found
    other = sorted(path.name for path in folder.iterdir() if _is_like_weights(path, names))
    if any(name.endswith(GGUF) for name in other):
        raise UsageError(f"{folder}: no weights that transformers reads, but {', '.join(other)}. {NO_GGUF}")
    held = f"It holds {', '.join(other)}: save it again, or give a variant one of these names." if other else ""
    raise UsageError(f"{folder}: no weights; accepted: {', '.join(names)}. {held or _inner(folder)}".rstrip())


def _is_like_weights(path: Path, names: Collection[str]) -> bool:
    """Return True for a weight file of any library, or for one of `names` in other upper or lower case."""
    return path.suffix in (*SUFFIXES, ".h5", ".msgpack", GGUF) or path.name.lower() in {name.lower() for name in names}


def _read_for(entry: Path) -> list[Path]:
    """Return the files that transformers reads for an entry. An index beside a whole file must name existing files."""
    if entry.name.endswith(_INDEX):
        return _shards(entry)
    if (beside := entry.with_name(entry.name + _INDEX)).is_file():
        _shards(beside)
    return [entry]


def _shards(index: Path) -> list[Path]:
    names = sorted({*_places(index).values()})
    if absent := [name for name in names if not (index.parent / name).is_file()]:
        raise UsageError(
            f"{index}: names {', '.join(absent)}, which {verb(len(absent), 'is', 'are')} not there. Fetch or save"
            " the checkpoint again; remove the index where another file holds all weights."
        )
    return [index.parent / name for name in names]


def _places(index: Path) -> dict[str, str]:
    """Return the file that holds each weight, by the weight's name."""
    places = read_optional_json(index).get("weight_map")
    if not isinstance(places, dict) or not places or not all(isinstance(name, str) for name in places.values()):
        raise UsageError(f'{index}: has to say under "weight_map" which file holds which weight.')
    return places


def _together(files: Sequence[Path]) -> dict[str, Tensor]:
    """Return the weights of all files, mapped from disk."""
    weights: dict[str, Tensor] = {}
    origin: dict[str, Path] = {}
    for file in files:
        checkpoint = read_checkpoint(file)
        if checkpoint.wrapper:
            raise UsageError(
                f"{file}: its weights are under {checkpoint.wrapper!r}, where transformers does not look: save only the"
                " content of this key."
            )
        if twice := next((name for name in checkpoint.weights if name in weights), None):
            raise UsageError(f"{file}: holds {twice}, as {origin[twice].name} does. Save the checkpoint again.")
        weights |= checkpoint.weights
        origin |= dict.fromkeys(checkpoint.weights, file)
    return weights


def _may_hold_weights(path: Path) -> bool:
    return path.suffix in SUFFIXES and path.is_file() and not _TRAINING.fullmatch(path.name) and not is_pointer(path)


def _check_copy(path: Path, read: _Read) -> None:
    """Refuse a weight file that is not read, unless all its weights are in the files that it reads."""
    cure = f"{read.reader} reads {read.name}: keep in the folder what is to be scored, and move the other away."
    try:
        beside = read_tensors(path)
    except UsageError as error:
        if not path.name.startswith(_MODEL):
            return
        raise UsageError(f"{error} It lies beside the weights, and is not read; {cure}") from error
    strangers = [name for name, tensor in beside.items() if not read.has(name, tensor)]
    if not strangers:
        return
    if all(read.has_rounded(name, beside[name]) for name in strangers):
        raise UsageError(
            f"{path}: is not read, and holds the same weights, more precise: {read.reader} reads {read.formats} from"
            f" {read.name}. Keep in the folder what is to be scored, and move the other away."
        )
    why = reason(beside.keys(), (), [name for name in strangers if name not in read.weights])
    raise UsageError(
        f"{path}: is not read, and holds other weights, e.g. {strangers[0]}. {f'{why} ' if why else ''}"
        f"{cure if read.reader.isupper() else cure.capitalize()}"
    )


class _Read:
    """The weights that are read. They are found by name, or by content, since other formats use other names.

    Args:
        name: name of their file, or of the index of several.
        weights: tensors by name.
        reader: the library that reads them.
    """

    def __init__(self, name: str, weights: Mapping[str, Tensor], reader: str) -> None:
        self.name, self.weights, self.reader = name, weights, reader
        self._kinds = sorted({weight.dtype for weight in weights.values() if weight.is_floating_point()}, key=str)
        self._digests: dict[torch.dtype, set[bytes]] = {}

    @property
    def formats(self) -> str:
        return " and ".join(str(kind).removeprefix("torch.") for kind in self._kinds)

    def has(self, name: str, tensor: Tensor) -> bool:
        """Return True if a tensor equals a weight that is converted to the tensor's number format."""
        if name in self.weights:
            return _rounds_to(self.weights[name], tensor)
        if is_index(name):
            return True
        known = self._known(tensor.dtype)
        return _digest(tensor) in known or {_digest(part) for part in _parts(tensor)} <= known

    def has_rounded(self, name: str, tensor: Tensor) -> bool:
        """Return True if a tensor, rounded to the weights' number format, is one of the weights."""
        return tensor.is_floating_point() and any(self.has(name, tensor.to(kind)) for kind in self._kinds)

    def _known(self, kind: torch.dtype) -> set[bytes]:
        """Return the digests of all weights, converted to a number format. They are computed once."""
        if kind not in self._digests:
            self._digests[kind] = {
                _digest(layout.to(kind))
                for weight in self.weights.values()
                if weight.is_floating_point() == kind.is_floating_point
                for layout in _layouts(weight)
            }
        return self._digests[kind]


def _rounds_to(weight: Tensor, other: Tensor) -> bool:
    """Return True if a weight, converted to the number format of another tensor, equals it."""
    return weight.shape == other.shape and torch.equal(as_bytes(weight.to(other.dtype)), as_bytes(other))


def _layouts(weight: Tensor) -> tuple[Tensor, ...]:
    """Return a weight and, if it is a matrix, its transpose, which other libraries store."""
    return (weight, weight.T) if weight.ndim == 2 else (weight,)


def _parts(tensor: Tensor) -> tuple[Tensor, ...]:
    """Return the three thirds of a tensor that may hold query, key and value; else the tensor."""
    return tensor.chunk(3) if tensor.ndim and len(tensor) % 3 == 0 else (tensor,)


def _digest(tensor: Tensor) -> bytes:
    content = hashlib.sha256(f"{tuple(tensor.shape)} {tensor.dtype}".encode())
    content.update(as_bytes(tensor).numpy().data)
    return content.digest()
