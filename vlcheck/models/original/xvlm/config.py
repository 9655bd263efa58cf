"""The sizes of X-VLM, read from the original's configs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vlcheck.errors import UsageError
from vlcheck.models.loading.layout import (
    check_multiple,
    check_size,
    is_size,
    naming,
    read_needed_json,
    read_optional_json,
)

PATCH_SIZE = 4  # of Swin; no config of X-VLM states it
_PER_STAGE = ("vision_depths", "vision_heads")
# XvlmConfig's name of a size -> its name in the original's files.
_GENERAL = {"embed_dim": "embed_dim"}
_SWIN = {
    "image_size": "image_res",
    "window_size": "window_size",
    "stem_width": "embed_dim",
    "vision_depths": "depths",
    "vision_heads": "num_heads",
}
_BERT = {
    "text_width": "hidden_size",
    "text_depth": "num_hidden_layers",
    "text_heads": "num_attention_heads",
    "intermediate_size": "intermediate_size",
    "fusion_layer": "fusion_layer",
    "vocab_size": "vocab_size",
    "max_positions": "max_position_embeddings",
}
# Options that shapes of weights do not show, with the only value that this network has.
_NO_OTHER_ENCODERS = {"use_swin": True, "use_clip_vit": False, "use_roberta": False}
_NO_OTHER_BERT = {"hidden_act": "gelu", "layer_norm_eps": 1e-12, "position_embedding_type": "absolute"}


@dataclass(frozen=True)
class XvlmConfig:
    """The sizes of X-VLM; the defaults are those of its base model.

    Attributes:
        image_size: side of the square input, in pixels.
        window_size: side of the windows in which Swin attends, in tokens.
        stem_width: features of a token of Swin's first stage; each further stage doubles them.
        vision_depths: number of blocks of each stage of Swin.
        vision_heads: attention heads of a block of each stage.
        text_width: features of a text token.
        text_depth: layers of the BERT, with and without cross-attention.
        text_heads: attention heads of a BERT layer.
        intermediate_size: features between the two projections of a BERT layer.
        fusion_layer: index of the first layer with cross-attention to the image.
        vocab_size: entries of the vocabulary.
        max_positions: the most tokens of a text.
        embed_dim: features that the contrastive similarity compares.

    Source:
        Zeng et al. 2022, arXiv:2111.08276.
    """

    image_size: int = 224
    window_size: int = 7
    stem_width: int = 128
    vision_depths: tuple[int, ...] = (2, 2, 18, 2)
    vision_heads: tuple[int, ...] = (4, 8, 16, 32)
    text_width: int = 768
    text_depth: int = 12
    text_heads: int = 12
    intermediate_size: int = 3072
    fusion_layer: int = 6
    vocab_size: int = 30522
    max_positions: int = 512
    embed_dim: int = 256

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            check = _check_stages if name in _PER_STAGE else check_size
            check(name, value)
        if len(self.vision_depths) != len(self.vision_heads):
            raise UsageError(
                f"vision_depths {self.vision_depths} and vision_heads {self.vision_heads} differ in length."
            )
        check_multiple("image_size", self.image_size, "an image token's side of", self.token_size)
        for stage, heads in enumerate(self.vision_heads):
            check_multiple(f"stage {stage}'s width of", self.stem_width * 2**stage, "its vision_heads", heads)
            side = self.image_size // (PATCH_SIZE * 2**stage)
            check_multiple(f"stage {stage}'s side of", side, "window_size", min(side, self.window_size))
        check_multiple("text_width", self.text_width, "text_heads", self.text_heads)
        if self.fusion_layer >= self.text_depth:
            raise UsageError(f"fusion_layer {self.fusion_layer} has to be under text_depth {self.text_depth}.")

    @property
    def token_size(self) -> int:
        """The side in pixels of the square that an image token stands for."""
        return PATCH_SIZE * self._growth

    @property
    def grid(self) -> int:
        """The number of image tokens along a side of the input."""
        return self.image_size // self.token_size

    @property
    def vision_width(self) -> int:
        """The number of features of an image token."""
        return self.stem_width * self._growth

    @property
    def _growth(self) -> int:
        """The factor by which the stages after the first shrink the grid's sides and widen the tokens."""
        return int(2 ** (len(self.vision_depths) - 1))


def _file_name(said: object, path: Path) -> str:
    if not isinstance(said, str):
        raise UsageError(f"{path}: vision_config and text_config have to name files, as X-VLM's own do.")
    return Path(said).name


def read_config(folder: Path, said: Mapping[str, object]) -> XvlmConfig:
    """Read the sizes from the original's `config.json`, and from the files of Swin and BERT that it names.

    Args:
        folder: the folder of all these files, whatever folders `vision_config` and `text_config` name. By default the
            files are `config_swin.json` and `config_bert.json`.
        said: the config in the checkpoint itself; the file `config.json` takes precedence over it.

    Raises:
        UsageError: a file or a size is missing, sizes contradict one another, or the config asks for an encoder other
            than Swin or BERT as X-VLM has them.
    """
    path = folder / "config.json"
    general = {**said, **read_optional_json(path)}
    swin_path = folder / _file_name(general.get("vision_config", "config_swin.json"), path)
    bert_path = folder / _file_name(general.get("text_config", "config_bert.json"), path)
    swin, bert = (read_needed_json(file, "X-VLM's sizes are read from it") for file in (swin_path, bert_path))
    _check_only(_NO_OTHER_ENCODERS, general, path)
    _check_only(_NO_OTHER_BERT, bert, bert_path)
    sizes = _taken(_GENERAL, general, path) | _taken(_SWIN, swin, swin_path) | _taken(_BERT, bert, bert_path)
    with naming(folder):
        config = XvlmConfig(**sizes)
    _check_only({"image_res": config.image_size, "patch_size": config.token_size}, general, path)
    return config


def _taken(names: Mapping[str, str], said: Mapping[str, object], path: Path) -> dict[str, Any]:
    """Return the sizes in a config, by XvlmConfig's names."""
    if missing := [original for original in names.values() if original not in said]:
        raise UsageError(f"{path}: does not say {', '.join(missing)}.")
    values = {name: said[original] for name, original in names.items()}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def _check_only(accepted: Mapping[str, object], said: Mapping[str, object], path: Path) -> None:
    for name, value in accepted.items():
        if name in said and said[name] != value:
            raise UsageError(f"{path}: {name} is {said[name]!r}; only {value!r} is accepted.")


def _check_stages(name: str, value: object) -> None:
    if not isinstance(value, tuple) or not value or not all(is_size(number) for number in value):
        raise UsageError(f"{name} has to be whole numbers, one for each stage, from 1 up, not {value!r}.")
