"""What adapters of networks that transformers hosts share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import torch
from PIL import Image
from torch import Tensor
from transformers import BatchEncoding, BatchFeature, PreTrainedModel

from vlcheck.errors import UsageError
from vlcheck.models.asking import Adapter, Reading, log_softmax
from vlcheck.models.features import Features
from vlcheck.models.pretrained import Pretrained
from vlcheck.models.regions import SAID_BY
from vlcheck.models.texts import Texts


class Hosted(Adapter):
    """A network of transformers with its tokenizer and image processor.

    Args:
        name: how reports call it.
        fingerprint: of its files, dtype and device type.
        network: in its dtype, on its device.
        images: makes pixels of pictures, or what `viewer` gives in its place.
        texts: makes ids of texts.

    Attributes:
        heads: metric -> how the names of its head's weights begin, where a checkpoint may come without them.
        settings: of the config, which scoring needs otherwise than training.
    """

    heads: ClassVar[Mapping[str, str]] = {}
    settings: ClassVar[Mapping[str, object]] = {}

    def __init__(self, name: str, fingerprint: str, network: PreTrainedModel, images: Any, texts: Texts) -> None:
        self.name, self.fingerprint = name, fingerprint
        self.network: Any = network  # transformers' types know little of a network's parts
        self.images, self.texts = images, texts

    @classmethod
    def load(cls, checkpoint: Pretrained, *, device: str = "cpu", dtype: str = "float32") -> Self:
        """Load a checkpoint. Raises UsageError where a part of it is missing."""
        heads = tuple(cls.heads.values())
        network, lacking = checkpoint.network(
            cls.network_class(), device=device, dtype=dtype, optional=heads, **cls.settings
        )
        fingerprint = checkpoint.fingerprint(cls.__name__, dtype, torch.device(device).type)
        viewer = cls.viewer(checkpoint, network)
        model = cls(checkpoint.name, fingerprint, network, viewer, cls.reader(checkpoint, network))
        for metric, head in cls.heads.items():
            if head in lacking:
                model.kinds = {name: kind for name, kind in model.kinds.items() if name != metric}
                model.lacks = {**model.lacks, metric: f"its checkpoint has no weights of {head.rstrip('.')}"}
        return model

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        """The class of transformers whose checkpoints are read."""
        raise NotImplementedError

    @classmethod
    def viewer(cls, checkpoint: Pretrained, network: PreTrainedModel) -> Any:
        """How pictures are looked at: an image processor, unless a family has another way."""
        if checkpoint.detector:
            raise UsageError(f"{checkpoint.architecture} reads pixels, not regions: leave out {SAID_BY}...")
        return checkpoint.image_processor()

    @classmethod
    def reader(cls, checkpoint: Pretrained, network: PreTrainedModel) -> Texts:
        """How texts are read."""
        text = network.config.get_text_config()
        return Texts(checkpoint.tokenizer(), limit=text.max_position_embeddings)

    def pixels(self, images: Sequence[Image.Image]) -> BatchFeature:
        """What the image processor makes of pictures, on the network's device, in its dtype."""
        rgb = [image.convert("RGB") for image in images]
        pixels: BatchFeature = self.images(rgb, return_tensors="pt").to(self.network.device, self.network.dtype)
        return pixels

    def tokens(self, texts: Sequence[str], masks: Sequence[int] | None = None) -> BatchEncoding:
        """Texts as ids and masks on the network's device."""
        return self.texts.batch(texts, masks).to(self.network.device)

    def _predict(self, features: Features, texts: Sequence[str], readings: Sequence[Reading]) -> Tensor:
        rows = [reading.row for reading in readings]
        tokens = self.tokens([texts[row] for row in rows], [reading.masks for reading in readings])
        where = tokens["input_ids"] == self.texts.tokenizer.mask_token_id
        return log_softmax(self.word_logits(features.each(rows), tokens, where))

    def word_logits(self, images: tuple[Tensor, ...], tokens: BatchEncoding, where: Tensor) -> Tensor:
        """Logits (masks, vocab_size) where `where` (n, tokens) says, of texts over as many images."""
        raise NotImplementedError

    def _match(self, features: Features, rows: Sequence[int], texts: Sequence[str]) -> Tensor:
        return self.match(features.each(rows), self.tokens(texts))

    def match(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Tensor:
        """P(match), (n,), of texts with as many images."""
        raise NotImplementedError

    def _pieces(self, text: str, word: str) -> list[int]:
        return self.texts.pieces(text, word)

    def _entry(self, number: int) -> str:
        return self.texts.entry(number)


def match_probability(logits: Tensor) -> Tensor:
    """Of two logits (n, 2), the second of which is a match."""
    return log_softmax(logits)[:, 1].exp()
