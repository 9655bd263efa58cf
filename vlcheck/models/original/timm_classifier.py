"""Image classifiers of timm (Wightman 2019, doi 10.5281/zenodo.4414861): vision-only controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import timm
import torch
from PIL import Image
from timm.data.config import resolve_data_config
from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset
from timm.data.transforms_factory import create_transform
from torch import Tensor, nn

from vlcheck._util.foreign_files import read_json
from vlcheck._util.paths import is_folder
from vlcheck.cases.rgb import to_rgb
from vlcheck.errors import UsageError
from vlcheck.models.adapters.described import steps_said
from vlcheck.models.adapters.labels import Classifies, ObjectLabels, demand_labels
from vlcheck.models.adapters.tryout import PLAIN, check_finite, trying
from vlcheck.models.loading.checkpoint import read_checkpoint
from vlcheck.models.loading.layout import check_weights, fingerprint, named_path, naming
from vlcheck.models.loading.pretrained import from_hub

_CONFIG = "config.json"
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_NAMED = (
    "timm needs a model: timm:FOLDER, or the name of one on the hub: timm:vit_base_patch16_224.augreg_in21k_ft_in1k."
)


class TimmClassifier(Classifies):
    """Adapter of a network of timm with a head for labels.

    Args:
        name: the model's name in reports.
        network: the network, in its dtype, on its device.
        labels: a label for each output.
        settings: the input size, resampling, crop, mean and standard deviation of its pictures.
    """

    known = ("vit_base_patch16_224.augreg_in21k_ft_in1k", "resnet50.a1_in1k")

    def __init__(self, name: str, network: nn.Module, labels: Sequence[str], settings: Mapping[str, Any]) -> None:
        self.name = name
        self.network = network.eval().requires_grad_(requires_grad=False)
        self.labels = ObjectLabels(labels)
        self.fingerprint = fingerprint(network, labels, sorted(settings.items()))
        self._prepare = create_transform(**settings)

    def pictures_said(self) -> str:
        return steps_said(self._prepare)

    @torch.inference_mode()
    def logits(self, images: Sequence[Image.Image]) -> Tensor:
        weight = next(self.network.parameters())
        logits: Tensor = self.network(torch.stack([self._prepare(to_rgb(image)) for image in images]).to(weight))
        return logits


def load(name: str, *, device: str = "cpu", dtype: str = "float32") -> TimmClassifier:
    """Load a classifier as timm publishes it: a folder with config.json and weights, or a model of the hub.

    Args:
        name: the folder, or the name of the model on the hub.
        device: a torch device.
        dtype: a torch dtype.

    Raises:
        UsageError: a file is missing or damaged, timm does not have the network, or its labels are not known.
    """
    folder = named_path(name, _NAMED)
    if not is_folder(folder):
        folder = from_hub(f"timm/{name}", None, (_CONFIG, *_WEIGHTS))
    config = read_json(folder / _CONFIG)
    with naming(folder):
        network, settings = _network(folder, config)
        labels = _labels(config)
    model = TimmClassifier(f"timm:{name}", network.to(device, getattr(torch, dtype)), labels, settings)
    with trying(folder, "pretrained_cfg in config.json"):
        logits = model.logits([PLAIN])
        check_finite(logits[0].tolist())
    demand_labels(labels, logits.shape[1], f"{folder / _CONFIG}: label_names")
    return model


def _network(folder: Path, config: Mapping[str, Any]) -> tuple[nn.Module, Mapping[str, Any]]:
    """Return the network with its weights, and the settings of its pictures."""
    architecture, published = config.get("architecture"), _published(config)
    if not isinstance(architecture, str) or not timm.is_model(architecture):
        raise UsageError(
            f"{_CONFIG}: architecture is {architecture!r}; a network of timm {timm.__version__} is accepted."
        )
    sizes = {"num_classes": published.get("num_classes", 1000), **config.get("model_args", {})}
    network = timm.create_model(architecture, pretrained=False, **sizes)
    file = next((path for name in _WEIGHTS if (path := folder / name).is_file()), None)
    if file is None:
        raise UsageError(f"has no weights; {' or '.join(_WEIGHTS)} are accepted.")
    weights = read_checkpoint(file).weights
    check_weights("a timm", {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}, weights)
    network.load_state_dict(weights)
    return network, resolve_data_config({}, pretrained_cfg=published)  # type: ignore[no-untyped-call] # timm's


def _published(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that the weights were published with; older configs have them at the top."""
    inner = config.get("pretrained_cfg", config)
    return {**inner, "num_classes": config.get("num_classes", inner.get("num_classes", 1000))}


def _labels(config: Mapping[str, Any]) -> list[str]:
    """Return the labels that the config has, or those of ImageNet if there are as many outputs."""
    published = _published(config)
    for key in ("label_names", "labels"):
        if named := config.get(key) or published.get(key):
            described = config.get("label_descriptions") or published.get("label_descriptions") or {}
            return [str(described.get(name, name)) for name in named]
    subset = infer_imagenet_subset(published)
    if subset is None:
        outputs = published["num_classes"]
        raise UsageError(f"{_CONFIG}: has no label_names, and no set of ImageNet's labels has {outputs} of them.")
    return list(ImageNetInfo(subset).label_descriptions())
