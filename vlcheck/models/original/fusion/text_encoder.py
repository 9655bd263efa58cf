"""The text encoder of ALBEF and X-VLM: a BERT whose later layers cross-attend to an image."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from vlcheck.errors import UsageError
from vlcheck.models.original.fusion.bert import (
    AttentionBlock,
    MaskedWordHead,
    Residual,
    TextSizes,
    Widening,
    WordEmbeddings,
)

MLM_HEAD = "text_encoder.cls.predictions."
WORDS = "text_encoder.bert.embeddings.word_embeddings.weight"

Images = Tensor | slice
ONE_EACH = slice(None)


class TextEncoder(nn.Module):
    """A BERT whose layers from `fusion_layer` on also read the image, and its head for masked words."""

    cls: nn.ModuleDict | None

    def __init__(self, sizes: TextSizes, fusion_layer: int, image_width: int) -> None:
        super().__init__()
        self.bert = FusionBert(sizes, fusion_layer, image_width)
        head = MaskedWordHead(sizes, self.bert.embeddings.word_embeddings)
        self.cls = nn.ModuleDict({"predictions": head})

    def predict(self, hidden: Tensor) -> Tensor:
        """Return logits (..., vocab_size) of features (..., text_width). Raises UsageError if there is no head."""
        if self.cls is None:
            raise UsageError("this checkpoint has no MLM head, as fine-tuned ones have none: it cannot predict words.")
        logits: Tensor = self.cls["predictions"](hidden)
        return logits


class FusionBert(nn.Module):
    """A BERT without its head. Its lower layers read a text alone, its upper layers also cross-attend to an image."""

    def __init__(self, sizes: TextSizes, fusion_layer: int, image_width: int) -> None:
        super().__init__()
        self.embeddings = WordEmbeddings(sizes)
        self.encoder = FusionEncoder(sizes, fusion_layer, image_width)

    def read(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the hidden states of texts after the embeddings and the layers without cross-attention.

        Args:
            input_ids: token ids, (n, tokens).
            attention_mask: (n, tokens): 1 = token, 0 = padding.

        Returns:
            States, (n, tokens, text_width).
        """
        hidden: Tensor = self.embeddings(input_ids)
        for layer in self.encoder.layer[: self.encoder.fusion_layer]:
            hidden = layer(hidden, _keep(attention_mask))
        return hidden

    def fuse(
        self,
        hidden: Tensor,
        attention_mask: Tensor,
        image_embeds: Tensor,
        images: Images = ONE_EACH,
        image_mask: Tensor | None = None,
    ) -> Tensor:
        """Return the states after the layers with cross-attention.

        Args:
            hidden: the states that `read` returned.
            attention_mask: (n, tokens): 1 = token, 0 = padding.
            image_embeds: encoded images, (images, image tokens, width).
            images: index of each text's image, (n,).
            image_mask: (images, image tokens): 1 = token that texts may attend to; None for all.
        """
        keep_image = None if image_mask is None else _keep(image_mask)[images]
        for layer in self.encoder.layer[self.encoder.fusion_layer :]:
            hidden = layer(hidden, _keep(attention_mask), image_embeds, images, keep_image)
        return hidden


class FusionEncoder(nn.Module):
    """The layers of the BERT; those from `fusion_layer` on have cross-attention."""

    def __init__(self, sizes: TextSizes, fusion_layer: int, image_width: int) -> None:
        super().__init__()
        self.fusion_layer = fusion_layer
        widths = [None] * fusion_layer + [image_width] * (sizes.text_depth - fusion_layer)
        self.layer = nn.ModuleList(Layer(sizes, width) for width in widths)


class Layer(nn.Module):
    """A bidirectional BERT layer, with cross-attention to tokens of `image_width` if that is given."""

    def __init__(self, sizes: TextSizes, image_width: int | None) -> None:
        super().__init__()
        self.attention = AttentionBlock(sizes)
        if image_width is not None:
            self.crossattention = AttentionBlock(sizes)
            self.crossattention.self.key = nn.Linear(image_width, sizes.text_width)
            self.crossattention.self.value = nn.Linear(image_width, sizes.text_width)
        self.intermediate = Widening(sizes)
        self.output = Residual(sizes.intermediate_size, sizes.text_width)

    def forward(
        self,
        hidden: Tensor,
        keep: Tensor,
        image_embeds: Tensor | None = None,
        images: Images = ONE_EACH,
        keep_image: Tensor | None = None,
    ) -> Tensor:
        """Return the states after the layer.

        Args:
            hidden: states of texts, (n, tokens, width).
            keep: True at keys that are not padding, (n, 1, 1, tokens).
            image_embeds: encoded images, (images, image tokens, image_width); None for no cross-attention.
            images: index of each text's image, (n,).
            keep_image: True at image tokens that a text may attend to, (n, 1, 1, image tokens); None for all.
        """
        hidden = self.attention(hidden, keep)
        if image_embeds is not None:
            hidden = self._cross_attend(hidden, image_embeds, images, keep_image)
        out: Tensor = self.output(self.intermediate(hidden), hidden)
        return out

    def _cross_attend(self, hidden: Tensor, image_embeds: Tensor, images: Images, keep: Tensor | None) -> Tensor:
        """Cross-attend. Keys and values, which are most of the work, are computed once for all texts of an image."""
        weights = self.crossattention.self
        query = weights.split(weights.query(hidden))
        key, value = (weights.split(part(image_embeds)[images]) for part in (weights.key, weights.value))
        seen = scaled_dot_product_attention(query, key, value, keep).transpose(1, 2).flatten(2)
        out: Tensor = self.crossattention.output(seen, hidden)
        return out


def check_tied(weights: Mapping[str, Tensor]) -> None:
    """Raise UsageError if the MLM head does not share the word embeddings, or has two different biases."""
    for copy, original in ((f"{MLM_HEAD}decoder.weight", WORDS), (f"{MLM_HEAD}decoder.bias", f"{MLM_HEAD}bias")):
        if not torch.allclose(weights[copy], weights[original], rtol=0, atol=0, equal_nan=True):
            raise UsageError(f"{copy} differs from {original}: in the network they are one weight.")


def _keep(attention_mask: Tensor) -> Tensor:
    """Return True at the keys that a query may attend to, (n, 1, 1, tokens)."""
    return attention_mask.bool()[:, None, None, :]
