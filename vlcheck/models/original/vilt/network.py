"""The network of ViLT: the ViltModel of transformers, with patches chosen without randomness, and two heads."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.vilt.configuration_vilt import ViltConfig
from transformers.models.vilt.modeling_vilt import ViltMLMHead, ViltModel

from vlcheck.errors import UsageError
from vlcheck.models.adapters import vilt
from vlcheck.models.adapters.vilt import ImageTokens

Array = Tensor | np.ndarray

_BLOCK_EPS = 1e-6  # timm's value; the text embeddings and the MLM head have BERT's 1e-12, as ViltConfig says


class ViltNetwork(nn.Module):
    """ViLT for scoring.

    In all methods, `image` is (n, 3, height, width), normalised to [-1, 1] and padded with zeros at the right and the
    bottom; `ids` is (n, tokens) from CLS to SEP; `mask` is (n, tokens): 1 = token, 0 = padding. Each may be a tensor or
    an array, on any device and of any precision.

    Pixels that are zero in all channels count as padding, also inside an image: a patch of zeros is not gray but
    missing.

    Source:
        Kim et al. 2021, arXiv:2102.03334.
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
        """Return the logits of the matching head. Other keyword arguments are ignored.

        Args:
            image: pixels, (n, 3, height, width).
            ids: token ids, (n, tokens).
            mask: (n, tokens): 1 = token, 0 = padding.

        Returns:
            Logits of no match and match, (n, 2).
        """
        return self.match(self(image, ids, mask).pooler_output)

    def mlm_logits(self, *, image: Array, ids: Array, mask: Array, **_: object) -> Tensor:
        """Return the logits of the head for masked words at every position. Other keyword arguments are ignored.

        Args:
            image: pixels, (n, 3, height, width).
            ids: token ids, (n, tokens).
            mask: (n, tokens): 1 = token, 0 = padding.

        Returns:
            Logits, (n, tokens, vocab_size).
        """
        return self.predict(self(image, ids, mask).last_hidden_state[:, : ids.shape[1]])

    def match(self, pooled: Tensor) -> Tensor:
        """Return logits (n, 2) of no match and match. Raises UsageError without a head.

        Args:
            pooled: pooled features, (n, hidden_size).
        """
        if self.itm_score is None:
            raise UsageError("this checkpoint has no head for matching.")
        logits: Tensor = self.itm_score(pooled)
        return logits

    def predict(self, hidden: Tensor) -> Tensor:
        """Return logits (..., vocab_size). Raises UsageError without a head.

        Args:
            hidden: features of text tokens, (..., hidden_size).
        """
        if self.mlm_score is None:
            raise UsageError("this checkpoint has no head for words.")
        logits: Tensor = self.mlm_score(hidden)
        return logits

    def forward(self, image: Array, ids: Array, mask: Array, **asked: bool) -> BaseModelOutputWithPooling:
        """Read texts, each with its image. See `read`.

        Args:
            image: pixels, (n, 3, height, width).
            ids: token ids, (n, tokens).
            mask: (n, tokens): 1 = token, 0 = padding.
            asked: `output_hidden_states` and `output_attentions`, as ViltModel takes them.
        """
        return self.read(self.image_tokens(image), ids, mask, **asked)

    def read(self, image: ImageTokens, ids: Array, mask: Array, **asked: bool) -> BaseModelOutputWithPooling:
        """Read texts, each with its image.

        Args:
            image: tokens of n images.
            ids: token ids, (n, tokens).
            mask: (n, tokens): 1 = token, 0 = padding.
            asked: `output_hidden_states` and `output_attentions`, as ViltModel takes them.

        Returns:
            States, first those of the text tokens, then those of the image tokens.
        """
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
        """The device of the weights."""
        device: torch.device = self.vilt.embeddings.cls_token.device
        return device

    def image_tokens(self, image: Array) -> ImageTokens:
        """Embed the patches of images, those that are not padding. See `vlcheck.models.adapters.vilt.image_tokens`.

        Raises:
            UsageError: all patches in the first row or column of an image are padding, so that it has no size.
        """
        pixels = torch.as_tensor(image, device=self.device)
        size = self.config.patch_size
        valid = valid_patches(pixels, (pixels.shape[2] // size, pixels.shape[3] // size))
        sized = valid[:, :, 0].any(1) & valid[:, 0].any(1)
        if not sized.all():
            empty = (~sized).nonzero().flatten().tolist()
            raise UsageError(f"ViLT cannot tell the size of images {empty}: their first row or column is all padding.")
        return vilt.image_tokens(self.vilt.embeddings, pixels, valid)


def valid_patches(pixels: Tensor, grid: tuple[int, int]) -> Tensor:
    """Return True for the patches that are not padding.

    A patch is padding if the channels of its upper left pixel add up to 0. In a photograph with whole levels from 0 to
    255, scaled to [-1, 1], no three channels add up to exactly 0.

    Args:
        pixels: (n, 3, height, width).
        grid: rows and columns of patches.

    Returns:
        Booleans, (n, rows, columns).
    """
    return vilt.unpadded_patches(pixels.sum(1) != 0, grid)
