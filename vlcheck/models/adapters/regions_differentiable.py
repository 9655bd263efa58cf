"""The base of differentiable networks that read regions: the regions of a picture are its visual units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from vlcheck.cases.box import Box
from vlcheck.models.adapters.differentiable import entries_of, kind_by_name, pieces_at_masks
from vlcheck.models.adapters.regions import ReadsRegions, relative
from vlcheck.models.differentiable import AttentionKind, ImageLayout, PairInputs
from vlcheck.models.regions.regions import Regions, regions_of


class DifferentiableRegions:
    """The base of networks that read regions. See `vlcheck.models.differentiable.Differentiable`.

    The units of a picture are its regions: `pixels` are their features, (n, regions, width), where zeros stand for an
    absent region, and a layout has the boxes of the detector. A picture with fewer regions than others is padded with
    zeros that no token reads.

    Args:
        model: the adapter.
        network: the network.
        word_embeddings: the network's word embeddings.

    Attributes:
        named: names of the inputs that the adapter makes of regions, after their features.
        attentions: pattern of module names -> which tokens read which in the attention that such a module computes.
    """

    named: ClassVar[Sequence[str]]
    attentions: ClassVar[Mapping[str, AttentionKind]]
    relative = False
    stackable = True
    vision_blocks: Sequence[nn.Module] = ()

    def __init__(self, model: ReadsRegions, network: nn.Module, word_embeddings: nn.Embedding) -> None:
        self.model, self.network, self.name = model, network, model.name
        self.word_embeddings = word_embeddings
        tokenizer = model.texts.tokenizer
        self.absent_token: int = tokenizer.pad_token_id
        self.signs: list[int] = [tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id]

    def inputs(
        self, images: Sequence[Image.Image], texts: Sequence[str], words: Sequence[str] | None = None
    ) -> PairInputs:
        reader, weight = self.model.texts, self.word_embeddings.weight
        pieces = pieces_at_masks(texts, words, reader.pieces)
        tokens = reader.batch(texts, [max(len(own), 1) for own in pieces]).to(weight.device)
        ids, attention = tokens["input_ids"], tokens["attention_mask"]
        found = [regions_of(self.model.extractor, image) for image in images]
        parts = zip(
            *(self.model.inputs(regions, image.size) for regions, image in zip(found, images, strict=True)), strict=True
        )
        features, *others = (pad_sequence([*arrays], batch_first=True).to(weight.device) for arrays in parts)
        return PairInputs(
            pixels=features.to(weight),
            ids=ids,
            attention=attention,
            special=torch.isin(ids, torch.tensor(self.signs, device=ids.device)),
            tokens=entries_of(reader.tokenizer, ids, attention),
            layouts=tuple(_layout(regions, image.size) for regions, image in zip(found, images, strict=True)),
            masks=(ids == reader.tokenizer.mask_token_id) & (words is not None),
            pieces=pieces,
            others={
                name: tensor.to(weight) if tensor.is_floating_point() else tensor
                for name, tensor in zip(self.named, others, strict=True)
            },
        )

    def patch_states(self, hidden: Tensor, inputs: PairInputs) -> Tensor:
        return hidden

    def attention_kind(self, module: str) -> AttentionKind | None:
        return kind_by_name(module, self.attentions)


def _layout(regions: Regions, size: tuple[int, int]) -> ImageLayout:
    """Return the boxes of regions in fractions of a picture of (width, height) pixels."""
    corners = relative(regions.boxes, size).tolist()
    return ImageLayout(tuple(Box(left, top, right - left, bottom - top) for left, top, right, bottom in corners))
