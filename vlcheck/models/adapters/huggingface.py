"""What adapters of networks that transformers hosts share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import torch
from PIL import Image
from torch import Tensor
from transformers import BatchFeature, PreTrainedModel

from vlcheck.cases.case import MASK
from vlcheck.errors import UsageError
from vlcheck.models.adapters.base import log_softmax
from vlcheck.models.adapters.processor import Processed
from vlcheck.models.adapters.tokenizing import Texts
from vlcheck.models.adapters.tryout import PLAIN, check_finite, check_rows, trying
from vlcheck.models.loading.pretrained import Pretrained
from vlcheck.models.regions.regions import SAID_BY

_FITTING = (
    "image_size, max_position_embeddings and vocab_size in config.json, size and crop_size in preprocessor_config.json"
    " or processor_config.json, and the tokenizer's files"
)
_OF_TOKENS = ("word_embeddings", "token_embedding", "embed_tokens")  # as transformers calls embeddings of tokens


class Hosted(Processed):
    """A network of transformers, in a checkpoint with its tokenizer and image processor.

    Attributes:
        heads: metric -> how the names of its head's weights begin, where a checkpoint may come without them.
        unread: how names of weights begin that a published checkpoint may have, and no score depends on.
        settings: of the config, which scoring needs otherwise than training.
        prompts: words of ours that a text is put into.
    """

    heads: ClassVar[Mapping[str, str]] = {}
    unread: ClassVar[tuple[str, ...]] = ()
    settings: ClassVar[Mapping[str, object]] = {}
    prompts: ClassVar[Sequence[str]] = ()

    @classmethod
    def load(cls, checkpoint: Pretrained, *, device: str = "cpu", dtype: str = "float32") -> Self:
        """Load a checkpoint. Raises UsageError where a part of it is missing."""
        heads = tuple(cls.heads.values())
        network, lacking = checkpoint.network(
            cls.network_class(), device=device, dtype=dtype, optional=heads, unread=cls.unread, **cls.settings
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
        with trying(checkpoint.folder, _FITTING):
            model.try_out()
        return model

    def try_out(self) -> None:
        """Put a plain picture and a question, the longest one that is read, through the network.

        Raises:
            Exception: whatever comes of parts that do not fit.
        """
        check_rows(self.texts.tokenizer, self.rows)
        encoded = self.encode([PLAIN])
        if "itm" in self.kinds:
            writes = self.kinds["itm"] == "yes-no"  # its limit is for the question around the text, too
            check_finite(self.itm(encoded, ["a" if writes else self.texts.longest("a")], [["a dog"]]))
        if self.kinds.get("mlm") == "masked-lm":
            (likeliest,) = self.top(encoded, [self.texts.longest(MASK)], 1)
            check_finite(probability for _, probability in likeliest)
        elif "mlm" in self.kinds:
            check_finite(*self.mlm(encoded, [f"a {MASK}"], [("dog", "cat")]))

    @property
    def rows(self) -> int | None:
        """How many tokens the network has embeddings for; None where they are called otherwise."""
        found = (part.num_embeddings for name, part in self.network.named_modules() if name.endswith(_OF_TOKENS))
        return next(found, None)

    @property
    def side(self) -> Any:
        """Of the pictures that the network has positions for, in pixels; None where pictures may be of any size."""
        return getattr(getattr(self.network.config, "vision_config", None), "image_size", None)

    def pixels(self, images: Sequence[Image.Image]) -> BatchFeature:
        """As `Processed.pixels`.

        Raises:
            NotApplicable: the image processor refuses a picture.
            UsageError: it makes pictures of another size than the network was trained on: some networks would cut off
                their positions, and say nothing.
        """
        made, side = super().pixels(images), self.side
        if side is None:
            return made
        found, wanted = tuple(made["pixel_values"].shape[-2:]), (side, side) if isinstance(side, int) else tuple(side)
        if found != wanted:
            raise UsageError(
                f"the image processor makes pictures {found[0]} pixels high and {found[1]} wide (size, crop_size in"
                f" preprocessor_config.json or processor_config.json), and the network has positions for {wanted[0]} x"
                f" {wanted[1]} (config.json: image_size); they have to be the same."
            )
        return made

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
