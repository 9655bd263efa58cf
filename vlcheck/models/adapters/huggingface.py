"""The base class of adapters for networks of transformers."""

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
from vlcheck.models.adapters.described import joined
from vlcheck.models.adapters.processor import Processed, token_embeddings
from vlcheck.models.adapters.tokenizing import Texts
from vlcheck.models.adapters.tryout import PLAIN, check_finite, check_rows, trying
from vlcheck.models.loading.pretrained import Pretrained
from vlcheck.models.regions.regions import SAID_BY

_FITTING = (
    "image_size, max_position_embeddings and vocab_size in config.json, size and crop_size in preprocessor_config.json"
    " or processor_config.json, and the tokenizer's files"
)


class Hosted(Processed):
    """A network of transformers, from a checkpoint with its tokenizer and image processor.

    Attributes:
        heads: metric -> prefix of the weight names of its head, for heads that a checkpoint may lack.
        unread: prefixes of names of weights that a published checkpoint may have and that no score depends on.
        settings: settings that replace those of the checkpoint's config for scoring.
        prompts: the words that vlcheck puts around a text; they are part of the fingerprint.
    """

    heads: ClassVar[Mapping[str, str]] = {}
    unread: ClassVar[tuple[str, ...]] = ()
    settings: ClassVar[Mapping[str, object]] = {}
    prompts: ClassVar[Sequence[str]] = ()

    @classmethod
    def load(cls, checkpoint: Pretrained, *, device: str = "cpu", dtype: str = "float32") -> Self:
        """Load a checkpoint.

        Args:
            checkpoint: a checkpoint of transformers.
            device: a torch device, e.g. "cuda:1".
            dtype: a torch dtype, e.g. "bfloat16".

        Raises:
            UsageError: a part of the checkpoint is missing, is damaged, or does not fit the other parts.
        """
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
            raise UsageError(f"{checkpoint.folder}: it offers no metric: {'; '.join(model.lacks.values())}.")
        with trying(checkpoint.folder, _FITTING):
            model.try_out()
        return model

    def try_out(self) -> None:
        """Run the network once on a plain picture and on the longest text that it reads.

        Raises:
            Exception: the parts of the checkpoint do not fit one another.
        """
        check_rows(self.texts.tokenizer, self.rows)
        encoded = self.encode([PLAIN])
        if "itm" in self.kinds:
            writes = self.kinds["itm"] == "yes-no"  # the token limit includes the question around the text
            check_finite(self.itm(encoded, ["a" if writes else self.texts.longest("a")], [["a dog"]]))
        if self.kinds.get("mlm") == "masked-lm":
            (likeliest,) = self.top(encoded, [self.texts.longest(MASK)], 1)
            check_finite(probability for _, probability in likeliest)
        elif "mlm" in self.kinds:
            check_finite(*self.mlm(encoded, [f"a {MASK}"], [("dog", "cat")]))

    def texts_said(self) -> str:
        return joined(super().texts_said(), *(f"prompt {prompt!r}" for prompt in self.prompts))

    @property
    def rows(self) -> int | None:
        """The number of token embeddings of the network; None if they have an unknown name."""
        return getattr(token_embeddings(self.network), "num_embeddings", None)

    @property
    def side(self) -> Any:
        """The picture size in pixels that the network has positions for: a side or a pair; None for any size."""
        return getattr(getattr(self.network.config, "vision_config", None), "image_size", None)

    def pixels(self, images: Sequence[Image.Image]) -> BatchFeature:
        """Prepare pictures as `Processed.pixels` does, and check their size.

        Raises:
            NotApplicable: the image processor refuses a picture.
            UsageError: the image processor makes another size than the network was trained on. Some networks would
                accept it silently, and cut off their positions.
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
        """Return the class of transformers whose weights the checkpoints have."""
        raise NotImplementedError

    @classmethod
    def viewer(cls, checkpoint: Pretrained, network: PreTrainedModel) -> Any:
        """Load the image processor, or whatever a family reads pictures with in its place.

        Args:
            checkpoint: the checkpoint.
            network: its network.

        Raises:
            UsageError: the spec names a detector, but the network reads pixels.
        """
        if checkpoint.detector:
            raise UsageError(f"{checkpoint.architecture} reads pixels, not regions: leave out {SAID_BY}...")
        return checkpoint.image_processor()

    @classmethod
    def reader(cls, checkpoint: Pretrained, network: PreTrainedModel) -> Texts:
        """Load the tokenizer.

        Args:
            checkpoint: the checkpoint.
            network: its network, whose config states the token limit.
        """
        text = network.config.get_text_config()
        return Texts(checkpoint.tokenizer(), limit=text.max_position_embeddings)


def match_probability(logits: Tensor) -> Tensor:
    """Return P(match), (n,), given two logits for each pair, (n, 2), the second for a match."""
    return log_softmax(logits)[:, 1].exp()
