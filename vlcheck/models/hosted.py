"""What adapters of networks that transformers hosts share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import torch
from torch import Tensor
from transformers import PreTrainedModel

from vlcheck.errors import UsageError
from vlcheck.models.asking import log_softmax
from vlcheck.models.pretrained import Pretrained
from vlcheck.models.processed import Processed
from vlcheck.models.regions import SAID_BY
from vlcheck.models.texts import Texts


class Hosted(Processed):
    """A network of transformers, in a checkpoint with its tokenizer and image processor.

    Attributes:
        heads: metric -> how the names of its head's weights begin, where a checkpoint may come without them.
        settings: of the config, which scoring needs otherwise than training.
        prompts: words of ours that a text is put into.
    """

    heads: ClassVar[Mapping[str, str]] = {}
    settings: ClassVar[Mapping[str, object]] = {}
    prompts: ClassVar[Sequence[str]] = ()

    @classmethod
    def load(cls, checkpoint: Pretrained, *, device: str = "cpu", dtype: str = "float32") -> Self:
        """Load a checkpoint. Raises UsageError where a part of it is missing."""
        heads = tuple(cls.heads.values())
        network, lacking = checkpoint.network(
            cls.network_class(), device=device, dtype=dtype, optional=heads, **cls.settings
        )
        fingerprint = checkpoint.fingerprint(cls.__name__, dtype, torch.device(device).type, *cls.prompts)
        viewer = cls.viewer(checkpoint, network)
        model = cls(checkpoint.name, fingerprint, network, viewer, cls.reader(checkpoint, network))
        for metric, head in cls.heads.items():
            if head in lacking:
                model.lose_head(metric, head)
        if model.kinds.get("mlm") == "masked-lm" and model.texts.tokenizer.mask_token is None:
            model.lose("mlm", "its tokenizer has no mask token")
        if not model.kinds:
            raise UsageError(f"{checkpoint.folder}: it cannot be asked: {'; '.join(model.lacks.values())}.")
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


def match_probability(logits: Tensor) -> Tensor:
    """Of two logits (n, 2), the second of which is a match."""
    return log_softmax(logits)[:, 1].exp()
