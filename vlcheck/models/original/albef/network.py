"""The network of ALBEF: a ViT, and a BERT whose later layers cross-attend to the image."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from vlcheck.errors import UsageError
from vlcheck.models.loading.layout import check_weights
from vlcheck.models.original.albef.config import AlbefConfig
from vlcheck.models.original.albef.vit import VisionTransformer
from vlcheck.models.original.fusion.network import FusionNetwork
from vlcheck.models.original.fusion.text_encoder import (
    MLM_HEAD,
    ONE_EACH,
    WORDS,
    Images,
    TextEncoder,
    check_tied,
)

_POSITIONS = "visual_encoder.pos_embed"
# Momentum copies, the queues of contrastive training, and a buffer whose values are its indices.
_TRAINING_ONLY = re.compile(
    r".*_m\.|(image|text|idx)_queue$|queue_ptr$|text_encoder\.(bert\.)?embeddings\.position_ids$"
)


class AlbefNetwork(FusionNetwork):
    """ALBEF for scoring, with the original's names of weights.

    In all methods, `image_embeds` is (n, 1 + patches, vision_width) with the image's CLS token first; `input_ids` is
    (n, tokens) with CLS first and no SEP; `attention_mask` is (n, tokens): 1 = token, 0 = padding; `images` (n,) is the
    index of the image that each text is read over, by default text i over image i.

    Source:
        Li et al. 2021, arXiv:2107.07651.
    """

    config: AlbefConfig

    def __init__(self, config: AlbefConfig) -> None:
        super().__init__()
        self.config = config
        self.visual_encoder = VisionTransformer(config)
        self.text_encoder = TextEncoder(config, config.fusion_layer, config.vision_width)
        self.vision_proj = nn.Linear(config.vision_width, config.embed_dim)
        self.text_proj = nn.Linear(config.text_width, config.embed_dim)
        self.itm_head = nn.Linear(config.text_width, 2)
        self.temp = nn.Parameter(torch.tensor(0.07))

    def load_albef_state_dict(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load weights of the original code, of pre-training or fine-tuned for retrieval.

        Weights that only training needs are ignored. Position embeddings of another resolution are interpolated.
        Fine-tuned files have no MLM head; the network then loses its own.

        Raises:
            UsageError: a weight is missing, unknown, or has another shape; nothing is loaded then.
        """
        weights = scoring_weights(state_dict)
        expected = {name: tensor.shape for name, tensor in self.state_dict().items()}
        if not (with_head := _is_pretraining(state_dict)):
            expected = {name: shape for name, shape in expected.items() if not name.startswith(MLM_HEAD)}
        if _POSITIONS in weights:
            weights[_POSITIONS] = interpolate_positions(weights[_POSITIONS], self.config.grid)
        check_weights("an ALBEF", expected, weights)
        if with_head:
            check_tied(weights)
        else:
            self.text_encoder.cls = None
        self.load_state_dict(weights)

    @property
    def grid(self) -> int:
        return self.config.grid

    @property
    def vision_blocks(self) -> Sequence[nn.Module]:
        return [*self.visual_encoder.blocks]

    def image_embeds(self, pixels: Tensor) -> Tensor:
        """Encode normalised pixels (n, 3, image_size, image_size).

        Returns:
            Tokens, (n, 1 + patches, vision_width).
        """
        embeds: Tensor = self.visual_encoder(pixels)
        return embeds

    def text_embeds(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the hidden states of texts before the layers with cross-attention.

        Args:
            input_ids: token ids, (n, tokens).
            attention_mask: (n, tokens): 1 = token, 0 = padding.

        Returns:
            States, (n, tokens, text_width).
        """
        return self.text_encoder.bert.read(input_ids, attention_mask)

    def fusion(
        self, image_embeds: Tensor, input_ids: Tensor, attention_mask: Tensor, images: Images = ONE_EACH
    ) -> Tensor:
        """Return the hidden states of texts after all layers, which cross-attend to images.

        Args:
            image_embeds: encoded images.
            input_ids: token ids, (n, tokens).
            attention_mask: (n, tokens): 1 = token, 0 = padding.
            images: index of each text's image, (n,).

        Returns:
            States, (n, tokens, text_width).
        """
        text = self.text_embeds(input_ids, attention_mask)
        return self.text_encoder.bert.fuse(text, attention_mask, image_embeds, images)

    def itm_logits(
        self, image_embeds: Tensor, input_ids: Tensor, attention_mask: Tensor, images: Images = ONE_EACH
    ) -> Tensor:
        """Return the logits of the matching head.

        Args:
            image_embeds: encoded images.
            input_ids: token ids, (n, tokens).
            attention_mask: (n, tokens): 1 = token, 0 = padding.
            images: index of each text's image, (n,).

        Returns:
            Logits of no match and match, (n, 2).
        """
        return self.match(self.fusion(image_embeds, input_ids, attention_mask, images))

    def mlm_logits(
        self, image_embeds: Tensor, input_ids: Tensor, attention_mask: Tensor, images: Images = ONE_EACH
    ) -> Tensor:
        """Return the logits of the head for masked words at every position.

        Args:
            image_embeds: encoded images.
            input_ids: token ids, (n, tokens).
            attention_mask: (n, tokens): 1 = token, 0 = padding.
            images: index of each text's image, (n,).

        Returns:
            Logits, (n, tokens, vocab_size).
        """
        return self.text_encoder.predict(self.fusion(image_embeds, input_ids, attention_mask, images))

    def mlm_logits_at(
        self,
        where: Tensor,
        image_embeds: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor,
        images: Images = ONE_EACH,
    ) -> Tensor:
        """Return the logits of the head for masked words at some positions.

        This saves time: at all positions, the head takes a sixth of the time of a text.

        Args:
            where: True at the chosen positions, (n, tokens).
            image_embeds: encoded images.
            input_ids: token ids, (n, tokens).
            attention_mask: (n, tokens): 1 = token, 0 = padding.
            images: index of each text's image, (n,).

        Returns:
            Logits, (chosen, vocab_size), row by row.
        """
        return self.text_encoder.predict(self.fusion(image_embeds, input_ids, attention_mask, images)[where])


def scoring_weights(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights that scoring needs, by their pre-training names (fine-tuned files lack the `bert.`)."""
    kept = {name: tensor for name, tensor in state_dict.items() if not _TRAINING_ONLY.match(name)}
    if _is_pretraining(kept):
        return kept
    return {
        re.sub(r"^text_encoder\.(embeddings|encoder)\.", r"text_encoder.bert.\1.", name): kept[name] for name in kept
    }


def interpolate_positions(positions: Tensor, grid: int) -> Tensor:
    """Interpolate position embeddings for another resolution, as the original does.

    Args:
        positions: (1, 1 + side * side, width), that of the CLS token first.
        grid: patches along a side of the new input.

    Returns:
        Embeddings, (1, 1 + grid * grid, width): that of the CLS token is unchanged, the others are interpolated
        bicubically.

    Raises:
        UsageError: the embeddings are not those of a CLS token and of a square of patches.
    """
    tokens, width = positions.shape[-2:]
    side = math.isqrt(tokens - 1)
    if positions.ndim != 3 or side * side != tokens - 1:
        raise UsageError(f"{_POSITIONS} has shape {tuple(positions.shape)}: not one CLS token and a square of patches.")
    if side == grid:
        return positions
    square = positions[:, 1:].reshape(1, side, side, width).permute(0, 3, 1, 2)
    resized = interpolate(square, size=(grid, grid), mode="bicubic", align_corners=False)
    return torch.cat([positions[:, :1], resized.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)


def _is_pretraining(names: Container[str]) -> bool:
    return WORDS in names
