"""The base class of differentiable networks whose adapter has a tokenizer and an image processor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from PIL import Image
from torch import Tensor, nn
from transformers import BatchEncoding, PreTrainedTokenizerBase

from vlcheck.errors import NotApplicable
from vlcheck.models.adapters.differentiable import entries_of, kind_by_name, pieces_at_masks
from vlcheck.models.adapters.frames import seen_part
from vlcheck.models.adapters.processor import Processed, token_embeddings
from vlcheck.models.adapters.relative import Relative
from vlcheck.models.differentiable import AttentionKind, ImageLayout, PairInputs


class DifferentiableNetwork:
    """The network of an adapter. See `vlcheck.models.differentiable.Differentiable`.

    Pictures and texts are prepared by the adapter itself, exactly as for scores.

    Args:
        model: the adapter.

    Attributes:
        attentions: pattern of module names -> which tokens read which in the attention that such a module computes.
        image_inputs: the outputs of the image processor that the network reads beside the pixels.
        first_patch: the number of tokens before those of the patches, in states and attention maps.
    """

    attentions: ClassVar[Mapping[str, AttentionKind]] = {}
    image_inputs: ClassVar[tuple[str, ...]] = ()
    first_patch: ClassVar[int] = 1
    stackable = True

    def __init__(self, model: Processed) -> None:
        self.model, self.network, self.name = model, model.network, model.name
        self.word_embeddings = _word_embeddings(model)
        self.absent_token = self.absent(model.texts.tokenizer)
        self.relative = isinstance(model, Relative)

    @property
    def vision_blocks(self) -> Sequence[nn.Module]:
        return ()

    def absent(self, tokenizer: PreTrainedTokenizerBase) -> int:
        """Return the id of the token that takes the place of a token that is left out."""
        return int(tokenizer.pad_token_id)

    def inputs(
        self, images: Sequence[Image.Image], texts: Sequence[str], words: Sequence[str] | None = None
    ) -> PairInputs:
        self._demand("itm" if words is None else "mlm")
        pieces = pieces_at_masks(texts, words, self.model.texts.pieces)
        ids, attention = self.padded(texts, [max(len(own), 1) for own in pieces])
        pictures = self.pictures(images)
        tokenizer = self.model.texts.tokenizer
        return PairInputs(
            pixels=pictures["pixel_values"],
            ids=ids,
            attention=attention,
            special=torch.isin(ids, ids.new_tensor(_boundaries(tokenizer))) | (attention == 0),
            tokens=entries_of(tokenizer, ids, attention),
            layouts=self.layouts(images, pictures),
            masks=torch.zeros_like(ids, dtype=torch.bool) if words is None else ids == tokenizer.mask_token_id,
            pieces=pieces,
            others={name: pictures[name] for name in self.image_inputs},
        )

    def pictures(self, images: Sequence[Image.Image]) -> Mapping[str, Any]:
        """Return what the image processor makes of pictures: pixel_values, and the family's `image_inputs`."""
        return self.model.pixels(images)

    def padded(self, texts: Sequence[str], masks: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return the token ids of texts, and their attention mask, (n, tokens) each.

        Args:
            texts: n texts.
            masks: for each text, the number of mask tokens that its "[MASK]" becomes.
        """
        tokens = self.model.tokens(texts, masks)
        return tokens["input_ids"], tokens["attention_mask"]

    def layouts(self, images: Sequence[Image.Image], pictures: Mapping[str, Any]) -> tuple[ImageLayout, ...]:
        """Return where the patches of each picture lie.

        Args:
            images: n pictures.
            pictures: the outputs of the image processor for them.
        """
        pixels = pictures["pixel_values"]
        height, width = pixels.shape[-2:]
        frames = {size: seen_part(self.model.images, size, (height, width)) for size in {one.size for one in images}}
        (rows, columns), (down, across) = self.grid(pixels), self.covered(pixels)
        read = {
            size: part._replace(width=part.width * across, height=part.height * down) for size, part in frames.items()
        }
        return tuple(ImageLayout.of_grid(rows, columns, read[image.size]) for image in images)

    def grid(self, pixels: Tensor) -> tuple[int, int]:
        """Return the number of rows and columns of patches in pixels (n, 3, height, width)."""
        height, width = pixels.shape[-2:]
        return height // self.patch_size, width // self.patch_size

    def covered(self, pixels: Tensor) -> tuple[float, float]:
        """Return the shares of height and width that whole patches cover, of pixels (n, 3, height, width)."""
        (height, width), (rows, columns) = pixels.shape[-2:], self.grid(pixels)
        return rows * self.patch_size / height, columns * self.patch_size / width

    @property
    def patch_size(self) -> int:
        """The side of a patch in pixels."""
        return int(self.network.config.vision_config.patch_size)

    def patch_states(self, hidden: Tensor, inputs: PairInputs) -> Tensor:
        return hidden[:, self.first_patch :]

    def attention_kind(self, module: str) -> AttentionKind | None:
        return kind_by_name(module, self.attentions)

    def image_keys(self, attention: Tensor, kind: AttentionKind, inputs: PairInputs) -> Tensor:
        return attention[..., self.first_patch :]

    def _demand(self, metric: str) -> None:
        """Raise NotApplicable if the model does not offer a metric."""
        if metric not in self.model.kinds:
            raise NotApplicable(f"{self.name} has no {metric}: {self.model.lacks.get(metric, 'no head for it')}")


def tokens_of(inputs: PairInputs) -> BatchEncoding:
    """Return the texts of pairs as networks of transformers take them."""
    return BatchEncoding({"input_ids": inputs.ids, "attention_mask": inputs.attention})


def _word_embeddings(model: Processed) -> nn.Module:
    found = token_embeddings(model.network)
    if found is None:
        raise NotApplicable(f"{model.name} gives no gradients at words: its token embeddings have an unknown name")
    return found


def _boundaries(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return the ids of the tokens that stand for no word, but for the beginning or the end of a text, or padding."""
    names = ("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id", "pad_token_id")
    found = (getattr(tokenizer, name) for name in names)
    return [number for number in found if number is not None]
