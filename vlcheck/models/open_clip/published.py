"""Models as open_clip publishes them: a config, settings of the pictures, and a file of weights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import open_clip
from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model

from vlcheck._util.paths import expanded, is_folder
from vlcheck.errors import UsageError, nearest
from vlcheck.models.loading.checkpoint import SUFFIXES, as_bytes, read_checkpoint
from vlcheck.models.loading.folder_kinds import ADAPTER_CONFIG
from vlcheck.models.loading.layout import naming, read_needed_json
from vlcheck.models.loading.pretrained import from_hub
from vlcheck.models.open_clip.openai import config_of
from vlcheck.models.open_clip.weights import read_weights

CONFIG = "open_clip_config.json"
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")
_TEXTS = ("*.json", "*.txt", "*.model")  # files of configs and tokenizers
# Files of weights in open_clip's order. It reads the first that exists.
_WEIGHTS = tuple(
    f"{name}.{suffix}"
    for name, suffixes in (("open_clip_model", ("safetensors",)), ("open_clip_pytorch_model", ("safetensors", "bin")))
    for suffix in suffixes
) + ("model.safetensors", "pytorch_model.bin")
_FORMS = (
    "open_clip:FOLDER or open_clip:HUB_ID of a model with open_clip_config.json, or open_clip:ARCH/FILE, e.g."
    " open_clip:ViT-B-16-plus-240/weights.safetensors"
)
PIXELS: Mapping[str, Any] = {  # open_clip's own, where nothing else is said
    "mean": open_clip.OPENAI_DATASET_MEAN,
    "std": open_clip.OPENAI_DATASET_STD,
    "interpolation": "bicubic",
    "resize_mode": "shortest",
    "fill_color": 0,
}
_BRIGHTEST = 255
_CHOICES = {"interpolation": ("bicubic", "bilinear"), "resize_mode": ("shortest", "longest", "squash")}


@dataclass(frozen=True)
class Published:
    """A model on the disk, before its network is built.

    Attributes:
        name: the name in reports.
        place: the file that says what the model is, for messages.
        model: open_clip's config of the network.
        pixels: mean, std, interpolation, resize_mode and fill_color of its pictures.
        weights: the file of weights.
        tokenizer: the folder in which the tokenizer's files may be.
        unread: settings of the pictures that open_clip does not read.
    """

    name: str
    place: Path
    model: Mapping[str, Any]
    pixels: Mapping[str, Any]
    weights: Path
    tokenizer: Path
    unread: tuple[str, ...] = field(default=())

    def with_pixels(self, own: Mapping[str, str]) -> Published:
        """Return the model with other settings of its pictures.

        Args:
            own: setting -> its text in the spec; "" to keep it.

        Raises:
            UsageError: a setting has a value that is not accepted.
        """
        said = {key: _numbers(key, text) if key in ("mean", "std") else text for key, text in own.items() if text}
        return replace(self, pixels=_checked({**self.pixels, **said}))


def find_published(path: str, tag: str = "") -> Published:
    """Find the model that a spec names.

    Args:
        path: a folder, a hub id, or ARCH/FILE.
        tag: see `OpenClipFamily`.

    Raises:
        UsageError: there is no such model.
    """
    if not path:
        raise UsageError(f"open_clip needs a model: {_FORMS}.")
    name, slash, file = path.partition("/")
    if is_folder(expanded(path)):
        found = _in_folder(expanded(path), f"open_clip:{path}")
    elif slash and name in open_clip.list_models():
        return _built_in(name, expanded(file), tag)
    elif Path(path).suffix in SUFFIXES or not _HUB_ID.fullmatch(path.partition("@")[0]):
        raise UsageError(
            f"{path}: {name} is no architecture of open_clip {open_clip.__version__}."
            f" {nearest(name, open_clip.list_models())} Accepted: {_FORMS}."
        )
    else:
        hub_id, _, revision = path.partition("@")
        folder = _downloaded(hub_id, revision or None)
        found = _in_folder(folder, f"open_clip:{hub_id}@{folder.name}")
    if tag:
        raise UsageError(f"{path}: tag={tag} is for ARCH/FILE; here {CONFIG} says what the weights are.")
    return found


def openai_file(path: str) -> Published:
    """Find OpenAI's file, whose shapes say what the network is.

    Raises:
        UsageError: the file cannot be read, or is not of CLIP.
    """
    if not path:
        raise UsageError("clip needs OpenAI's file: clip:ViT-B-32.pt.")
    file = expanded(path)
    with naming(file):
        model = config_of(read_weights(file))
    return Published(f"clip:{file.name}", file, model, PIXELS, file, file.parent)


def _downloaded(hub_id: str, revision: str | None) -> Path:
    """Return the folder of a hub's model; a file of PyTorch is downloaded only if there is none of safetensors."""
    folder = from_hub(hub_id, revision, (*_TEXTS, "open_clip*.safetensors"))
    if any((folder / name).is_file() for name in _WEIGHTS):
        return folder
    return from_hub(hub_id, revision, (*_TEXTS, *_WEIGHTS))


def _in_folder(folder: Path, name: str) -> Published:
    """Return the model in a folder."""
    if (folder / ADAPTER_CONFIG).is_file():
        raise UsageError(
            f"{folder / ADAPTER_CONFIG}: an adapter, which open_clip does not read: move it to a folder of its own;"
            " where it is merged already, remove it."
        )
    said = read_needed_json(folder / CONFIG, f"a folder of open_clip has one. Accepted: {_FORMS}")
    with naming(folder / CONFIG):
        model, pixels = said.get("model_cfg"), said.get("preprocess_cfg", {})
        if not isinstance(model, dict) or not isinstance(pixels, dict):
            raise UsageError('has to have an object "model_cfg", and may have an object "preprocess_cfg".')
        known = {key: value for key, value in pixels.items() if key in PIXELS and value is not None}
        merged = _checked({**PIXELS, **known})
    unread = tuple(sorted(pixels.keys() - PIXELS.keys() - {"size", "mode"}))
    return Published(name, folder / CONFIG, model, merged, _weights_in(folder), folder, unread)


def _weights_in(folder: Path) -> Path:
    """Return the file of weights that open_clip reads. Raises UsageError if there is none, or two that differ."""
    held = [folder / name for name in _WEIGHTS if (folder / name).is_file()]
    ours = [path for path in held if path.name.startswith("open_clip")] or held[:1]
    if not ours:
        raise UsageError(f"{folder}: no weights; accepted: {', '.join(_WEIGHTS)}.")
    first, *others = ours
    for other in others:
        one, two = read_checkpoint(first).weights, read_checkpoint(other).weights
        if one.keys() != two.keys() or any(as_bytes(one[key]).ne(as_bytes(two[key])).any() for key in one):
            raise UsageError(f"{other}: holds other weights than {first.name}: keep the one that is to be scored.")
    return first


def _built_in(architecture: str, file: Path, tag: str) -> Published:
    """Return a file of weights as a model of one of open_clip's architectures."""
    tags = {one: get_pretrained_cfg(architecture, one) for one in list_pretrained_tags_by_model(architecture)}
    model = deepcopy(open_clip.get_model_config(architecture))
    said = _of_tag(architecture, tags, tag, quick=bool(model.get("quick_gelu")))
    pixels = _checked({key: said.get(key, PIXELS[key]) for key in PIXELS})
    return Published(f"open_clip:{architecture}/{file.name}", file, model, pixels, file, file.parent)


def _of_tag(architecture: str, tags: Mapping[str, Mapping[str, Any]], tag: str, *, quick: bool) -> Mapping[str, Any]:
    """Return the settings of published weights: those of a tag, or those in which all tags agree.

    Raises:
        UsageError: there is no such tag, it needs another architecture, or the tags differ and none is named.
    """
    if tag and tag not in tags:
        raise UsageError(f"tag={tag}: open_clip publishes no such weights of {architecture}. {nearest(tag, tags)}")
    meant = {tag: tags[tag]} if tag else tags
    gelus = {bool(one.get("quick_gelu")) for one in meant.values()}
    if gelus == {not quick}:
        what = f"tag={tag}: these weights need" if tag else f"{architecture}: all weights that open_clip publishes need"
        raise UsageError(f"{what} the other GELU than {architecture} has: name {_with_other_gelu(architecture)}.")
    each = {repr([one.get(key) for key in PIXELS]): one for one in meant.values()}
    if len(each) > 1 or len(gelus) > 1:
        differs = " and ".join(["preprocessing"] * (len(each) > 1) + ["GELU"] * (len(gelus) > 1))
        raise UsageError(
            f"{architecture}: open_clip publishes weights with different {differs} for it; name them with tag=TAG,"
            f" one of {', '.join(tags)}."
        )
    return next(iter(each.values()), {})


def _with_other_gelu(architecture: str) -> str:
    """Return what names a network with the other GELU: an architecture, or a folder where open_clip has none."""
    plain = architecture.removesuffix("-quickgelu")
    other = plain if plain != architecture else f"{architecture}-quickgelu"
    own = f'open_clip:FOLDER, whose {CONFIG} says "quick_gelu"'
    return f"{other}, or {own}" if other in open_clip.list_models() else own


def _numbers(key: str, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split("/")]
    except ValueError as error:
        raise UsageError(f"{key}={text}: accepted: a number, or three with / between them.") from error


def _checked(pixels: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return settings of pictures with three numbers for each of mean and std.

    Raises:
        UsageError: a value is not accepted.
    """
    checked = dict(pixels)
    for key in ("mean", "std"):
        values = [*pixels[key]] * (3 if len([*pixels[key]]) == 1 else 1) if _is_list(pixels[key]) else [pixels[key]] * 3
        if len(values) != 3 or not all(isinstance(one, int | float) and not isinstance(one, bool) for one in values):
            raise UsageError(f"{key} is {pixels[key]!r}; it has to be a number, or three.")
        checked[key] = tuple(map(float, values))
    if min(checked["std"]) <= 0:
        raise UsageError(f"std is {pixels['std']!r}; it has to be above 0.")
    checked["fill_color"] = _filling(pixels["fill_color"])
    for key, accepted in _CHOICES.items():
        if pixels[key] == "random" and key == "interpolation":
            checked[key] = "bicubic"  # open_clip draws it in training alone
        elif pixels[key] not in accepted:
            raise UsageError(f"{key} is {pixels[key]!r}; accepted: {', '.join(accepted)}.")
    return checked


def _filling(said: object) -> int | tuple[int, ...]:
    """Return the colour of padding: one value, or one for each channel. Raises UsageError."""
    values = [*said] if isinstance(said, list | tuple) else [said]
    whole = [one for one in values if isinstance(one, int) and not isinstance(one, bool) and 0 <= one <= _BRIGHTEST]
    if whole != values or len(whole) not in (1, 3):
        raise UsageError(f"fill_color is {said!r}; it has to be a whole number from 0 to {_BRIGHTEST}, or three.")
    return whole[0] if len(whole) == 1 else tuple(whole)


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple)
