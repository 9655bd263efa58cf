"""ViLT's network: transformers' ViltModel over patches that are chosen without chance, and two heads."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.vilt.configuration_vilt import ViltConfig
from transformers.models.vilt.modeling_vilt import ViltMLMHead, ViltModel

from vlcheck.errors import UsageError

Array = Tensor | np.ndarray

_BLOCK_EPS = 1e-6  # timm's; the BERT embedding and the MLM head have ViltConfig's 1e-12, which is BERT's


class ImageTokens(NamedTuple):
    """What an image is to the transformer.

    Attributes:
        embeds: (n, 1 + patches, hidden_size), the image's CLS token first, then patches in row-major grid order; with
            positions, without modality.
        mask: (n, 1 + patches), 1 = token, 0 = padding, which comes last.
    """

    embeds: Tensor
    mask: Tensor


class ViltNetwork(nn.Module):
    """ViLT for scoring (Kim et al. 2021, arXiv:2102.03334).

    Everywhere, `image` is (n, 3, height, width), normalised to -1..1 and zero-padded at the right and the bottom,
    `ids` is (n, tokens) from CLS to SEP, `mask` is (n, tokens): 1 = token, 0 = padding. Each may be a tensor or an
    array, on any device and of any precision.

    What is zero in all channels is padding, inside an image too: a patch that is set to zero is not gray, it is gone.
    """

    mlm_score: ViltMLMHead | None
    itm_score: nn.Linear | None

    def __init__(self, config: ViltConfig) -> None:
        super().__init__()
        self.config = config
        self.vilt = ViltModel(config)
        self.mlm_score = ViltMLMHead(config)  # ViltForMaskedLM would tie its decoder to the word embeddings
        self.itm_score = nn.Linear(config.hidden_size, 2)
        for module in (*self.vilt.encoder.modules(), self.vilt.layernorm):
            if isinstance(module, nn.LayerNorm):
                module.eps = _BLOCK_EPS

    def itm_logits(self, *, image: Array, ids: Array, mask: Array, **_: object) -> Tensor:
        """Logits (n, 2) of no match and match; further arrays are passed over."""
        return self.match(self(image, ids, mask).pooler_output)

    def mlm_logits(self, *, image: Array, ids: Array, mask: Array, **_: object) -> Tensor:
        """Logits (n, tokens, vocab_size) over the vocabulary, at every position; further arrays are passed over."""
        return self.predict(self(image, ids, mask).last_hidden_state[:, : ids.shape[1]])

    def match(self, pooled: Tensor) -> Tensor:
        """Logits (n, 2) of no match and match, from pooled features (n, hidden_size)."""
        if self.itm_score is None:
            raise UsageError("this checkpoint has no head for matching.")
        logits: Tensor = self.itm_score(pooled)
        return logits

    def predict(self, hidden: Tensor) -> Tensor:
        """Logits (..., vocab_size) from features (..., hidden_size) of text tokens."""
        if self.mlm_score is None:
            raise UsageError("this checkpoint has no head for words.")
        logits: Tensor = self.mlm_score(hidden)
        return logits

    def forward(self, image: Array, ids: Array, mask: Array, **asked: bool) -> BaseModelOutputWithPooling:
        """Read texts and images together: see `read`.

        Args:
            image: pixels.
            ids: tokens.
            mask: which of them are text.
            asked: `output_hidden_states` and `output_attentions`, as ViltModel takes them.
        """
        return self.read(self.image_tokens(image), ids, mask, **asked)

    def read(self, image: ImageTokens, ids: Array, mask: Array, **asked: bool) -> BaseModelOutputWithPooling:
        """Read texts over as many images: text tokens first, then those of `image_tokens`."""
        out: BaseModelOutputWithPooling = self.vilt(
            input_ids=torch.as_tensor(ids, dtype=torch.long, device=self.device),
            attention_mask=torch.as_tensor(mask, dtype=torch.long, device=self.device),
            image_embeds=image.embeds,
            pixel_mask=image.mask,
            **asked,
        )
        return out

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        device: torch.device = self.vilt.embeddings.cls_token.device
        return device

    def image_tokens(self, image: Array) -> ImageTokens:
        """Embed the patches of images, as many for all as the one with the most has.

        An image whose first row and column of patches are whole keeps all that are no padding. Where a patch is missing
        there, the image counts as smaller than it is, positions are those of the smaller one, and the original draws as
        many patches as that has. Here they are taken at even steps: one of the draws that the original makes when the
        image is alone, the same every time and in any batch.

        Raises:
            UsageError: an image without a patch in its first row or column: it has no size.
        """
        embeddings = self.vilt.embeddings
        pixels = torch.as_tensor(image, device=self.device)
        patches: Tensor = embeddings.patch_embeddings(pixels)  # which casts them
        valid = valid_patches(pixels, (patches.shape[2], patches.shape[3]))
        height, width = valid[:, :, 0].sum(1), valid[:, 0].sum(1)
        if not (area := height * width).all():
            empty = (area == 0).nonzero().flatten().tolist()
            raise UsageError(f"ViLT cannot tell the size of images {empty}: their first row or column is all padding.")
        positions = [self._positions(*size, valid) for size in zip(height.tolist(), width.tolist(), strict=True)]
        tokens = (patches + torch.cat(positions)).flatten(2).transpose(1, 2)
        keep = at_even_steps(valid.flatten(1), area)
        order = keep.long().argsort(dim=1, descending=True, stable=True)[:, : int(keep.sum(1).max())]
        cls = (embeddings.cls_token + embeddings.position_embeddings[:, :1]).expand(len(tokens), -1, -1)
        return ImageTokens(
            torch.cat([cls, tokens.take_along_dim(order[:, :, None], dim=1)], dim=1),
            pad(keep.take_along_dim(order, dim=1).long(), (1, 0), value=1),
        )

    def _positions(self, height: int, width: int, valid: Tensor) -> Tensor:
        """Position embeddings (1, hidden_size, rows, columns): height x width interpolated ones, then zeros."""
        positions = self.vilt.embeddings.position_embeddings[:, 1:].transpose(1, 2)
        side = math.isqrt(positions.shape[2])
        square = positions.reshape(1, -1, side, side)
        resized = interpolate(square, size=(height, width), mode="bilinear", align_corners=True)
        return pad(resized, (0, valid.shape[2] - width, 0, valid.shape[1] - height))


def valid_patches(pixels: Tensor, grid: tuple[int, int]) -> Tensor:
    """Which patches (n, *grid) are there. A patch is padding if the channels of its upper left pixel add up to 0.

    In a photograph of whole levels from 0 to 255, scaled to -1..1, no three channels add up to exactly 0.
    """
    present = (pixels.sum(1, keepdim=True) != 0).float()
    return interpolate(present, size=grid, mode="nearest")[:, 0].bool()


def at_even_steps(valid: Tensor, most: Tensor) -> Tensor:
    """Of what is valid (n, patches), keep all where that is no more than `most` (n), else that many, evenly spread."""
    count = valid.cumsum(1)
    total = count[:, -1:]
    return valid & (count * most[:, None] // total > (count - 1) * most[:, None] // total)
