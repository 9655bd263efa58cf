"""Image classifiers of transformers, e.g. ViT (Dosovitskiy et al. 2021, arXiv:2010.11929): vision-only controls."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, Self

import torch
import transformers
from PIL import Image
from torch import Tensor
from transformers import PreTrainedModel

from vlcheck.cases.rgb import to_rgb
from vlcheck.models.adapters.described import pixels_said
from vlcheck.models.adapters.labels import Classifies, ObjectLabels, demand_labels
from vlcheck.models.adapters.refusal import errors_as_refusals
from vlcheck.models.adapters.tryout import PLAIN, check_finite, trying
from vlcheck.models.loading.pretrained import Pretrained


class ImageClassifier(Classifies):
    """Adapter of a checkpoint with a head for labels.

    Args:
        name: the model's name in reports.
        fingerprint: content hash of its files, dtype and device type.
        network: the network, in its dtype, on its device.
        images: the image processor.
    """

    known = MappingProxyType(
        {
            "ViTForImageClassification": ("google/vit-base-patch16-224",),
            "DeiTForImageClassification": ("facebook/deit-base-distilled-patch16-224",),
            "ConvNextForImageClassification": ("facebook/convnext-base-224",),
            "ResNetForImageClassification": ("microsoft/resnet-50",),
            "SwinForImageClassification": ("microsoft/swin-base-patch4-window7-224",),
        }
    )

    def __init__(self, name: str, fingerprint: str, network: PreTrainedModel, images: Any) -> None:
        self.name, self.fingerprint = name, fingerprint
        self.network: Any = network
        self.images = images
        named: Any = network.config.id2label
        self.labels = ObjectLabels([named[number] for number in range(len(named))])

    @classmethod
    def load(cls, checkpoint: Pretrained, *, device: str = "cpu", dtype: str = "float32") -> Self:
        """Load a checkpoint.

        Args:
            checkpoint: a checkpoint of transformers.
            device: a torch device.
            dtype: a torch dtype.

        Raises:
            UsageError: a part of the checkpoint is missing or damaged, or its labels are no names.
        """
        network_class: type[PreTrainedModel] = getattr(transformers, checkpoint.architecture)
        network, _ = checkpoint.network(network_class, device=device, dtype=dtype)
        fingerprint = checkpoint.fingerprint(cls.__name__, dtype, torch.device(device).type)
        model = cls(checkpoint.name, fingerprint, network, checkpoint.image_processor())
        with trying(checkpoint.folder, "image_size in config.json and size in preprocessor_config.json"):
            logits = model.logits([PLAIN])
            check_finite(logits[0].tolist())
        demand_labels(model.labels.labels, logits.shape[1], f"{checkpoint.folder}: config.json: id2label")
        return model

    def pictures_said(self) -> str:
        return pixels_said(self.images)

    @torch.inference_mode()
    def logits(self, images: Sequence[Image.Image]) -> Tensor:
        with errors_as_refusals():
            pixels = self.images([to_rgb(image) for image in images], return_tensors="pt")
        logits: Tensor = self.network(**pixels.to(self.network.device, self.network.dtype)).logits
        return logits
