"""ALBEF and X-VLM for explanations: an image encoder, and a BERT whose later layers cross-attend to its tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor, nn

from vlcheck.models.adapters.differentiable import log_probs_of_pieces, pieces_at_masks
from vlcheck.models.differentiable import AttentionKind, ImageLayout, PairInputs
from vlcheck.models.original.fusion.pixels import preprocess

if TYPE_CHECKING:
    from vlcheck.models.original.fusion.adapter import Fusing

_IMAGE = re.compile(r"visual_encoder\.blocks\.\d+\.attn")  # ALBEF's; in Swin, tokens read those of a window alone
_TEXT = re.compile(r"text_encoder\.bert\.encoder\.layer\.\d+\.attention\.self")
_CROSS = re.compile(r"text_encoder\.bert\.encoder\.layer\.\d+")  # a layer computes its cross-attention itself


class DifferentiableFusion:
    """The network of an adapter of ALBEF or X-VLM. See `vlcheck.models.differentiable.Differentiable`.

    Args:
        model: the adapter.
    """

    relative = False
    stackable = True

    def __init__(self, model: Fusing) -> None:
        self.model, self.network, self.name = model, model.network, model.name
        self.word_embeddings: nn.Module = model.network.text_encoder.bert.embeddings.word_embeddings
        self.absent_token = model.tokenizer.pad
        self.vision_blocks: Sequence[nn.Module] = model.network.vision_blocks

    def inputs(
        self, images: Sequence[Image.Image], texts: Sequence[str], words: Sequence[str] | None = None
    ) -> PairInputs:
        tokenizer, network = self.model.tokenizer, self.network
        pieces = pieces_at_masks(texts, words, lambda _, word: tokenizer.pieces(word))
        ids, attention = self.model.padded(texts, [max(len(own), 1) for own in pieces])
        pixels = torch.stack([preprocess(image, network.config.image_size) for image in images])
        return PairInputs(
            pixels=pixels.to(network.temp),
            ids=ids,
            attention=attention,
            special=(ids == tokenizer.cls) | (attention == 0),
            tokens=tuple(
                tuple(tokenizer.vocabulary[number] for number in row[: sum(kept)])
                for row, kept in zip(ids.tolist(), attention.tolist(), strict=True)
            ),
            layouts=(ImageLayout.of_grid(network.grid, network.grid),) * len(images),
            masks=(ids == tokenizer.mask) & (words is not None),
            pieces=pieces,
        )

    def image_states(self, inputs: PairInputs) -> Tensor:
        return self.network.image_embeds(inputs.pixels)

    def text_states(self, inputs: PairInputs) -> Tensor:
        return self.network.text_embeds(inputs.ids, inputs.attention)

    def match_logits(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        return self.network.match(self._fused(inputs, image_states, text_states))

    def word_log_probs(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        fused = self._fused(inputs, image_states, text_states)
        return log_probs_of_pieces(self.network.text_encoder.predict(fused[inputs.masks]), inputs)

    def patch_states(self, hidden: Tensor, inputs: PairInputs) -> Tensor:
        # The first state is the CLS token's. Swin has none, and has its states in rows and columns.
        return hidden.flatten(1, 2) if hidden.ndim == 4 else hidden[:, 1:]

    def attention_kind(self, module: str) -> AttentionKind | None:
        if _CROSS.fullmatch(module):
            return "cross"
        if _TEXT.fullmatch(module):
            return "text"
        return "image" if _IMAGE.fullmatch(module) else None

    def image_keys(self, attention: Tensor, kind: AttentionKind, inputs: PairInputs) -> Tensor:
        return attention[..., 1:]  # the first token stands for the whole image

    def _fused(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        """Return the fused states; a view of one picture for all texts has its keys and values computed once."""
        fuse = self.network.text_encoder.bert.fuse
        if image_states.stride(0) == 0:
            images = torch.zeros(len(text_states), dtype=torch.long, device=text_states.device)
            return fuse(text_states, inputs.attention, image_states[:1], images)
        return fuse(text_states, inputs.attention, image_states)
