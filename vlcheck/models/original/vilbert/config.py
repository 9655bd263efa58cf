"""The sizes of ViLBERT, read from the original's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from vlcheck.errors import UsageError
from vlcheck.models.loading.layout import check_multiple, check_size, is_size, naming, read_needed_json

_ACTIVATIONS = ("gelu", "relu", "swish")
# Options of which this network implements one value; with another value, the original code computes other numbers.
_FIXED: Mapping[str, object] = {
    "model": "bert",
    "fusion_method": "mul",
    "with_coattention": True,
    "dynamic_attention": False,
    "in_batch_pairs": False,
    "task_specific_tokens": False,
}


@dataclass(frozen=True)
class VilbertConfig:
    """The sizes of ViLBERT, by the original's names; the defaults are the original's.

    Attributes:
        vocab_size: entries of the vocabulary.
        hidden_size: features of a text token.
        num_hidden_layers: layers that read the text alone.
        num_attention_heads: attention heads of such a layer.
        intermediate_size: features between the two projections of every feed-forward layer of the text.
        max_position_embeddings: the most tokens of a text.
        type_vocab_size: the most segments of a text.
        hidden_act: activation in the text's layers and in the heads of both streams.
        v_feature_size: features of a region from the detector.
        v_target_size: number of the detector's classes, including the background.
        v_hidden_size: features of a region in the network.
        v_num_hidden_layers: layers that read the image alone.
        v_num_attention_heads: attention heads of such a layer.
        v_intermediate_size: features between the two projections of every feed-forward layer of the image.
        v_hidden_act: activation in the image's layers.
        bi_hidden_size: features of queries, keys and values in co-attention, and of the pooled streams.
        bi_num_attention_heads: attention heads of a co-attention layer.
        v_biattention_id: for each co-attention layer, the number of the image's own layers before it.
        t_biattention_id: for each co-attention layer, the number of the text's own layers before it.

    Source:
        Lu et al. 2019, arXiv:1908.02265, section 3.1.
    """

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    hidden_act: str = "gelu"
    v_feature_size: int = 2048
    v_target_size: int = 1601
    v_hidden_size: int = 1024
    v_num_hidden_layers: int = 6
    v_num_attention_heads: int = 8
    v_intermediate_size: int = 1024
    v_hidden_act: str = "gelu"
    bi_hidden_size: int = 1024
    bi_num_attention_heads: int = 8
    v_biattention_id: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
    t_biattention_id: tuple[int, ...] = (6, 7, 8, 9, 10, 11)

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self) if isinstance(field.default, int)):
            check_size(name, getattr(self, name))
        for name in ("hidden_act", "v_hidden_act"):
            if getattr(self, name) not in _ACTIVATIONS:
                raise UsageError(f"{name} has to be one of {', '.join(_ACTIVATIONS)}, not {getattr(self, name)!r}.")
        for whole, part in (
            ("hidden_size", "num_attention_heads"),
            ("v_hidden_size", "v_num_attention_heads"),
            ("bi_hidden_size", "bi_num_attention_heads"),
        ):
            check_multiple(whole, getattr(self, whole), part, getattr(self, part))
        _check_stops("v_biattention_id", self.v_biattention_id, self.v_num_hidden_layers)
        _check_stops("t_biattention_id", self.t_biattention_id, self.num_hidden_layers)
        if len(self.v_biattention_id) != len(self.t_biattention_id):
            raise UsageError("v_biattention_id and t_biattention_id have to be equally long, a pair for each layer.")


def read_config(path: Path) -> VilbertConfig:
    """Read the original's `bert_base_6layer_6conect.json`, or a similar file with other sizes.

    Raises:
        UsageError: there is no such file, it is not JSON, or an option is missing, wrong or not supported.
    """
    said = read_needed_json(path, "put the checkpoint's bert_base_6layer_6conect.json there")
    with naming(path):
        return _config(said)


def _config(said: Mapping[str, object]) -> VilbertConfig:
    for name, value in _FIXED.items():
        if said.get(name, value) != value:
            raise UsageError(f"{name} {said[name]!r} is not supported; accepted: {value!r}.")
    names = [field.name for field in fields(VilbertConfig)]
    # No default may replace a missing size: a wrong number of heads fits all weights and raises no error.
    if missing := [name for name in names if name not in said]:
        raise UsageError(f"lacks {', '.join(missing)}.")
    given: dict[str, Any] = {name: tuple(value) if isinstance(value := said[name], list) else value for name in names}
    return VilbertConfig(**given)


def _check_stops(name: str, stops: object, depth: int) -> None:
    """Check that each co-attention layer comes after a number of layers that exist, and that these numbers rise."""
    if not isinstance(stops, tuple) or not all(is_size(stop, least=0) for stop in stops):
        raise UsageError(f"{name} has to be a list of whole numbers, not {stops!r}.")
    if list(stops) != sorted(stops) or any(stop > depth for stop in stops):
        raise UsageError(f"{name} {list(stops)} has to rise, up to the {depth} layers at most.")
