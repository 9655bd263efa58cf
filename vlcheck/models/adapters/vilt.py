"""ViLT, in transformers and from its original code: how patches become tokens, and the network for explanations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from vlcheck.errors import NotApplicable
from vlcheck.models.adapters.differentiable import log_probs_of_pieces
from vlcheck.models.adapters.differentiable_network import DifferentiableNetwork
from vlcheck.models.differentiable import AttentionKind, ImageLayout, PairInputs


class ImageTokens(NamedTuple):
    """The tokens of images for the transformer.

    Attributes:
        embeds: (n, 1 + patches, hidden_size), the image's CLS token first, then patches in row-major order; with
            position embeddings, without modality embeddings.
        mask: (n, 1 + patches): 1 = token, 0 = padding, which comes last.
    """

    embeds: Tensor
    mask: Tensor


def image_tokens(embeddings: Any, pixels: Tensor, valid: Tensor) -> ImageTokens:
    """Embed the patches of images; all images are padded to the largest number of patches.

    Usually all patches are kept that are not padding. If a patch is missing in an image's first row or column, the
    image counts as smaller than it is: it gets the positions of the smaller size, and as many patches as that size has.
    The original draws these patches at random. Here they are taken at even steps, which gives the same patches every
    time and in any batch; for a single image, it is one of the original's possible draws.

    Args:
        embeddings: the ViltEmbeddings of the network.
        pixels: (n, 3, height, width).
        valid: True for the patches that are not padding, (n, rows, columns), at least one of them in each image's first
            row and first column.
    """
    patches: Tensor = embeddings.patch_embeddings(pixels)  # casts the pixels to the network's dtype
    height, width = _sizes(valid)
    positions = [_positions(embeddings, *size, valid) for size in zip(height.tolist(), width.tolist(), strict=True)]
    tokens = (patches + torch.cat(positions)).flatten(2).transpose(1, 2)
    order, mask = _kept(valid)
    cls = (embeddings.cls_token + embeddings.position_embeddings[:, :1]).expand(len(tokens), -1, -1)
    return ImageTokens(torch.cat([cls, tokens.take_along_dim(order[:, :, None], dim=1)], dim=1), mask)


def unpadded_patches(pixel_mask: Tensor, grid: tuple[int, int]) -> Tensor:
    """Return True for the patches that are not padding, as their upper left pixel says.

    Args:
        pixel_mask: 1 = pixel of the picture, 0 = padding, (n, height, width).
        grid: rows and columns of patches.

    Returns:
        Booleans, (n, rows, columns).
    """
    return interpolate(pixel_mask[:, None].float(), size=grid, mode="nearest")[:, 0].bool()


def at_even_steps(valid: Tensor, most: Tensor) -> Tensor:
    """Choose at most some number of the valid patches, evenly spread.

    Args:
        valid: True for valid patches, (n, patches).
        most: the most patches to keep, (n,).

    Returns:
        True for the chosen patches, (n, patches).
    """
    count = valid.cumsum(1)
    total = count[:, -1:]
    return valid & (count * most[:, None] // total > (count - 1) * most[:, None] // total)


def _sizes(valid: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows and columns that each image counts as having, (n,) each."""
    return valid[:, :, 0].sum(1), valid[:, 0].sum(1)


def _kept(valid: Tensor) -> tuple[Tensor, Tensor]:
    """Return the places of the patches that are kept, (n, patches), and the mask of an image's tokens."""
    height, width = _sizes(valid)
    keep = at_even_steps(valid.flatten(1), height * width)
    order = keep.long().argsort(dim=1, descending=True, stable=True)[:, : int(keep.sum(1).max())]
    return order, pad(keep.take_along_dim(order, dim=1).long(), (1, 0), value=1)


def _positions(embeddings: Any, height: int, width: int, valid: Tensor) -> Tensor:
    """Return position embeddings (1, hidden_size, rows, columns).

    They are interpolated to height x width, with zeros to the right and below.
    """
    positions = embeddings.position_embeddings[:, 1:].transpose(1, 2)
    side = math.isqrt(positions.shape[2])
    square = positions.reshape(1, -1, side, side)
    resized = interpolate(square, size=(height, width), mode="bilinear", align_corners=True)
    return pad(resized, (0, valid.shape[2] - width, 0, valid.shape[1] - height))


class DifferentiableVilt(DifferentiableNetwork):
    """The network of an adapter of ViLT, whose tokens are those of the text, the image's CLS token, and the patches.

    Patches are in row-major order; transformers would draw their order. A patch is padding if it was so in the picture
    that was prepared, whatever an explanation changes in the pixels.
    """

    attentions = MappingProxyType({r"vilt\.encoder\.layer\.\d+\.attention\.attention": "joint"})
    image_inputs = ("pixel_mask",)
    stackable = False

    @property
    def vision_blocks(self) -> Sequence[nn.Module]:
        return [layer.output for layer in self.network.vilt.encoder.layer[:-1]]  # a layer returns a tuple

    @property
    def patch_size(self) -> int:
        return int(self.network.vilt.config.patch_size)

    def layouts(self, images: Sequence[Image.Image], pictures: Mapping[str, Any]) -> tuple[ImageLayout, ...]:
        sizes = torch.stack(_sizes(self._valid(pictures["pixel_mask"])), dim=1)
        most = self.network.vilt.config.max_image_length
        if 0 <= most < int(sizes.prod(1).max()):
            raise NotApplicable(f"{self.name} gives no map: it reads {most} patches of a picture, drawn at random")
        return tuple(ImageLayout.of_grid(rows, columns) for rows, columns in sizes.tolist())

    def patch_states(self, hidden: Tensor, inputs: PairInputs) -> Tensor:
        """Return the states of the patches, which follow those of the text and the CLS token."""
        return hidden[:, inputs.ids.shape[1] + 1 :]

    def image_keys(self, attention: Tensor, kind: AttentionKind, inputs: PairInputs) -> Tensor:
        """Return the maps over the patches, which follow the text and the CLS token."""
        return attention[..., inputs.ids.shape[1] + 1 :]

    def image_states(self, inputs: PairInputs) -> Tensor:
        valid = self._valid(inputs.others["pixel_mask"])
        return image_tokens(self.network.vilt.embeddings, inputs.pixels, valid).embeds

    def text_states(self, inputs: PairInputs) -> Tensor:
        embedded: Tensor = self.word_embeddings(inputs.ids)
        return embedded

    def match_logits(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        return self.match(self._read(inputs, image_states, text_states).pooler_output)

    def match(self, pooled: Tensor) -> Tensor:
        """Return the logits of no match and match, (n, 2), given the pooled features of pairs, (n, width)."""
        logits: Tensor = self.network.itm_score(pooled)
        return logits

    def word_log_probs(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        hidden = self._read(inputs, image_states, text_states).last_hidden_state
        at_masks = hidden[:, : inputs.ids.shape[1]][inputs.masks]
        return log_probs_of_pieces(self.network.mlm_score(at_masks), inputs)

    def _read(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Any:
        _, mask = _kept(self._valid(inputs.others["pixel_mask"]))
        return self.network.vilt(
            inputs_embeds=text_states, attention_mask=inputs.attention, image_embeds=image_states, pixel_mask=mask
        )

    def _valid(self, pixel_mask: Tensor) -> Tensor:
        height, width = pixel_mask.shape[-2:]
        return unpadded_patches(pixel_mask, (height // self.patch_size, width // self.patch_size))
