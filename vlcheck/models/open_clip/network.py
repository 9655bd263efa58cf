"""Networks of open_clip, built from a config without any download, and filled with exactly the weights of a file."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import timm
from open_clip.coca_model import CoCa
from open_clip.convert import convert_state_dict
from open_clip.hf_configs import arch_dict
from open_clip.model import CLIP, CustomTextCLIP, convert_to_custom_text_state_dict
from torch import Tensor, nn

from vlcheck._util.foreign_code import said_by
from vlcheck._util.foreign_files import read_json
from vlcheck.errors import UsageError, nearest
from vlcheck.models.loading.extents import check_sizes, filled_from
from vlcheck.models.loading.layout import check_weights
from vlcheck.models.loading.misfits import is_index
from vlcheck.models.loading.pretrained import from_hub
from vlcheck.models.open_clip.published import Published
from vlcheck.models.open_clip.weights import read_weights

_CONFIG = "config.json"


def filled_network(published: Published) -> nn.Module:
    """Return a network with the weights of its file, in float32, in evaluation mode.

    Raises:
        UsageError: open_clip cannot build the network, or the file has not exactly its weights.
    """
    held = read_weights(published.weights)
    check_sizes(published.model, published.place)
    network = _built(published)
    weights = _renamed(held, network)
    check_weights("an open_clip", {name: [*one.shape] for name, one in network.state_dict().items()}, weights)
    network.load_state_dict(weights)
    return network.eval().requires_grad_(requires_grad=False)


def _built(published: Published) -> nn.Module:
    """Return the network of a config, with random weights."""
    config = deepcopy(dict(published.model))
    if missing := {"embed_dim", "vision_cfg", "text_cfg"} - config.keys():
        raise UsageError(f"model_cfg lacks {', '.join(sorted(missing))}.")
    _check_picture_network(config["vision_cfg"])
    _find_text_network(config["text_cfg"], published.tokenizer)
    custom = config.pop("custom_text", False) or bool(config["text_cfg"].get("hf_model_name"))
    build = (CoCa if "multimodal_cfg" in config else CustomTextCLIP) if custom else CLIP
    try:
        with filled_from(published.weights):
            network: nn.Module = build(**config)
    except UsageError:
        raise
    except Exception as error:  # settings that it does not know or that do not fit raise errors of many kinds
        said = " ".join(said_by(error).split())[:300]
        raise UsageError(f"open_clip cannot build the network of model_cfg: {type(error).__name__}: {said}.") from error
    return network


def _check_picture_network(config: dict[str, Any]) -> None:
    """Refuse a network of timm that is not built in: timm would look for it on the hub."""
    config["timm_model_pretrained"] = False
    name = config.get("timm_model_name")
    if name and not timm.is_model(str(name)):
        known = nearest(str(name), timm.list_models())
        raise UsageError(f"timm_model_name {name!r} is no network of timm {timm.__version__}. {known}")


def _find_text_network(config: dict[str, Any], folder: Path) -> None:
    """Put a folder with its config in the place of the hub id of a text network of transformers."""
    config["hf_model_pretrained"] = False
    said = config.get("hf_model_name")
    if not said:
        config.pop("hf_model_name", None)
        return
    inner = folder / str(said)
    found = inner if (inner / _CONFIG).is_file() else from_hub(str(said), None, (_CONFIG,))
    kind = read_json(found / _CONFIG).get("model_type")
    if kind not in arch_dict:
        raise UsageError(f"hf_model_name {said!r} is of type {kind!r}; open_clip reads {', '.join(arch_dict)}.")
    config["hf_model_name"] = str(found)


def _renamed(weights: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Return weights under the names of a network, as open_clip renames those of older files and of MobileCLIP."""
    held = dict(convert_state_dict(network, dict(weights)))
    if "positional_embedding" in held and not hasattr(network, "positional_embedding"):
        held = convert_to_custom_text_state_dict(held)
    expected = network.state_dict()
    for name in ("logit_scale", "logit_bias"):  # some files have a list of one number
        if name in held and name in expected and held[name].numel() == 1:
            held[name] = held[name].reshape(expected[name].shape)
    return {name: weight for name, weight in held.items() if name in expected or not is_index(name)}
