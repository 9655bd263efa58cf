"""Faster R-CNN of torchvision as a detector of regions (Ren et al. 2015, arXiv:1506.01497)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Self

import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.models.detection import (
    FasterRCNN,
    FasterRCNN_ResNet50_FPN_Weights,
    fasterrcnn_resnet50_fpn,
    fasterrcnn_resnet50_fpn_v2,
)
from torchvision.models.detection.faster_rcnn import FastRCNNConvFCHead, FastRCNNPredictor, TwoMLPHead
from torchvision.transforms.functional import to_tensor

from vlcheck.cases.rgb import to_rgb
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.models.loading.checkpoint import read_checkpoint
from vlcheck.models.loading.layout import check_weights
from vlcheck.models.loading.misfits import check_names
from vlcheck.models.regions.regions import Regions

REGIONS = 36  # as LXMERT, VisualBERT and ViLBERT were trained with (Anderson et al. 2018, arXiv:1707.07998)
SIDE = 800  # pixels of the shorter side, torchvision's default
_POOLED = (256, 7, 7)  # channels, height, width of a region before the box head
_CLASSES = "roi_heads.box_predictor.cls_score.weight"
_UNREAD = ".num_batches_tracked"  # only training uses it; it is missing if BatchNorm was frozen


class FasterRcnn:
    """A detector: it returns the likeliest boxes of a picture, and the box head's features of each.

    A model that reads regions needs some for every picture. The detector therefore always returns its REGIONS likeliest
    boxes, however unlikely they are.

    Args:
        network: the network on its device, in float32 whatever the model's dtype.
        fingerprint: content hash of the weights and of everything else that decides the boxes and features.
    """

    def __init__(self, network: FasterRCNN, *, fingerprint: str) -> None:
        self.network = network.eval().requires_grad_(False)
        self.fingerprint = fingerprint
        classes, self.width = network.roi_heads.box_predictor.cls_score.weight.shape
        names = FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"]
        self.names: list[str] | None = names if len(names) == classes else None

    @classmethod
    def load(cls, path: Path, *, device: str = "cpu", side: int = SIDE) -> Self:
        """Load weights of `fasterrcnn_resnet50_fpn` or `fasterrcnn_resnet50_fpn_v2`, for any number of classes.

        The box head may have another width than torchvision's, which makes 1024 features for each region.

        Args:
            path: a state dict, with one of the suffixes of `vlcheck.models.loading.checkpoint`.
            device: a torch device.
            side: length in pixels to which the shorter side of a picture is scaled.

        Raises:
            UsageError: the file does not hold such weights.
        """
        weights = read_checkpoint(path).weights
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        try:
            network = _network(weights, side)
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from error
        if content.startswith(_published()):
            _without_eps(network)
        return cls(network.to(device), fingerprint=f"Faster R-CNN {REGIONS} {side} {content}")

    @torch.inference_mode()
    def __call__(self, image: Image.Image) -> Regions:
        """Return the regions of an RGB image. Raises NotApplicable if the detector finds none."""
        network, device = self.network, next(self.network.parameters()).device
        prepared, _ = network.transform([to_tensor(to_rgb(image)).to(device)])
        maps = network.backbone(prepared.tensors)
        proposals, _ = network.rpn(prepared, maps)
        (found,), _ = network.roi_heads(maps, proposals, prepared.image_sizes)
        if not len(found["boxes"]):
            raise NotApplicable("the detector finds no region in the picture")
        pooled = network.roi_heads.box_roi_pool(maps, [found["boxes"]], prepared.image_sizes)
        features = network.roi_heads.box_head(pooled)
        (scaled,) = network.transform.postprocess([found], prepared.image_sizes, [image.size[::-1]])
        labels = self.names and tuple(self.names[number] for number in found["labels"].tolist())
        return Regions(scaled["boxes"].cpu().double(), features.cpu().double(), labels or None)


def _network(weights: Mapping[str, Tensor], side: int) -> FasterRCNN:
    """Build the network that the weights belong to, and load them."""
    check_names(weights, "backbone.body.conv1.weight")
    last = next((name for name in _VARIANTS if name in weights), None)
    if last is None or _CLASSES not in weights:
        raise UsageError(f"not weights of a Faster R-CNN of torchvision: they lack {' or '.join(_VARIANTS)}.")
    width, classes = (len(weights[name]) if weights[name].ndim else 1 for name in (last, _CLASSES))
    build, box_head = _VARIANTS[last]
    with torch.random.fork_rng(devices=[]):  # the random initial weights are overwritten
        network = build(
            weights=None, weights_backbone=None, min_size=side, box_score_thresh=0.0, box_detections_per_img=REGIONS
        )
        network.roi_heads.box_head = box_head(width)
        network.roi_heads.box_predictor = FastRCNNPredictor(width, classes)
    shapes = {name: weight.shape for name, weight in network.state_dict().items() if not name.endswith(_UNREAD)}
    used = {name: weight for name, weight in weights.items() if not name.endswith(_UNREAD)}
    check_weights("a Faster R-CNN", shapes, used)
    network.load_state_dict(used, strict=False)
    return network


def _first(width: int) -> nn.Module:
    head: nn.Module = TwoMLPHead(prod(_POOLED), width)
    return head


def _second(width: int) -> nn.Module:
    head: nn.Module = FastRCNNConvFCHead(_POOLED, [256] * 4, [width], norm_layer=nn.BatchNorm2d)
    return head


# Name of the last weight of the box head, whose shape gives the head's width -> how to build the network.
_VARIANTS = {
    "roi_heads.box_head.fc7.weight": (fasterrcnn_resnet50_fpn, _first),
    "roi_heads.box_head.5.weight": (fasterrcnn_resnet50_fpn_v2, _second),
}


def _without_eps(network: FasterRCNN) -> None:
    """Set the epsilon of every BatchNorm to 0, as torchvision does for its published weights of the first variant."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 0.0


def _published() -> str:
    """Return the beginning of the SHA-256 of torchvision's own weights, which is part of their file name."""
    return Path(FasterRCNN_ResNet50_FPN_Weights.COCO_V1.url).stem.rpartition("-")[2]
