"""The text encoder of ALBEF and X-VLM: a BERT whose later layers cross-attend to an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import (
    BertAttention,
    BertEmbeddings,
    BertIntermediate,
    BertLMPredictionHead,
    BertOutput,
)

from vlcheck.errors import UsageError

MLM_HEAD = "text_encoder.cls.predictions."
WORDS = "text_encoder.bert.embeddings.word_embeddings.weight"

Images = Tensor | slice
ONE_EACH = slice(None)


class TextSizes(Protocol):
    """The sizes of the BERT that a network's config has to state."""

    @property
    def vocab_size(self) -> int: ...
    @property
    def text_width(self) -> int: ...
    @property
    def text_depth(self) -> int: ...
    @property
    def text_heads(self) -> int: ...
    @property
    def intermediate_size(self) -> int: ...
    @property
    def max_positions(self) -> int: ...


class TextEncoder(nn.Module):
    """A BERT whose layers from `fusion_layer` on also read the image, and its head for masked words."""

    cls: nn.ModuleDict | None

    def __init__(self, bert: BertConfig, fusion_layer: int, image_width: int) -> None:
        super().__init__()
        self.bert = Bert(bert, fusion_layer, image_width)
        head = BertLMPredictionHead(bert)
        head.decoder.weight = self.bert.embeddings.word_embeddings.weight
        head.decoder.bias = head.bias
        self.cls = nn.ModuleDict({"predictions": head})

    def predict(self, hidden: Tensor) -> Tensor:
        """Return logits (..., vocab_size) of features (..., text_width). Raises UsageError if there is no head."""
        if self.cls is None:
            raise UsageError("this checkpoint has no MLM head, as fine-tuned ones have none: it cannot predict words.")
        logits: Tensor = self.cls["predictions"](hidden)
        return logits


class Bert(nn.Module):
    """A BERT without its head, in two halves."""

    def __init__(self, bert: BertConfig, fusion_layer: int, image_width: int) -> None:
        super().__init__()
        self.embeddings = BertEmbeddings(bert)
        self.encoder = FusionEncoder(bert, fusion_layer, image_width)

    def read(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the states of texts after the embeddings and the layers without cross-attention.

        Args:
            input_ids: (n, tokens).
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
    """The layers; those from `fusion_layer` on have cross-attention."""

    def __init__(self, bert: BertConfig, fusion_layer: int, image_width: int) -> None:
        super().__init__()
        self.fusion_layer = fusion_layer
        widths = [None] * fusion_layer + [image_width] * (bert.num_hidden_layers - fusion_layer)
        self.layer = nn.ModuleList(Layer(bert, width) for width in widths)


class Layer(nn.Module):
    """A bidirectional BERT layer, with cross-attention to tokens of `image_width` if that is given.

    The BertLayer of transformers has cross-attention only in decoders, which are causal, and only at the text's width.
    """

    def __init__(self, bert: BertConfig, image_width: int | None) -> None:
        super().__init__()
        self.attention = BertAttention(bert)
        if image_width is not None:
            self.crossattention = BertAttention(bert, is_cross_attention=True)
            self.crossattention.self.key = nn.Linear(image_width, bert.hidden_size)
            self.crossattention.self.value = nn.Linear(image_width, bert.hidden_size)
        self.intermediate = BertIntermediate(bert)
        self.output = BertOutput(bert)

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
        hidden, _ = self.attention(hidden, keep)
        if image_embeds is not None:
            hidden = self._look(hidden, image_embeds, images, keep_image)
        out: Tensor = self.output(self.intermediate(hidden), hidden)
        return out

    def _look(self, hidden: Tensor, image_embeds: Tensor, images: Images, keep: Tensor | None) -> Tensor:
        """Cross-attend. An image's keys and values, which are most of the work, are computed once for all its texts."""
        weights = self.crossattention.self
        query, key, value = (
            part.unflatten(-1, (weights.num_attention_heads, -1)).transpose(1, 2)
            for part in (weights.query(hidden), weights.key(image_embeds)[images], weights.value(image_embeds)[images])
        )
        seen = scaled_dot_product_attention(query, key, value, keep).transpose(1, 2).flatten(2)
        out: Tensor = self.crossattention.output(seen, hidden)
        return out


def bert_config(sizes: TextSizes) -> BertConfig:
    """Return the config from which the parts of a BERT are built."""
    bert = BertConfig(
        vocab_size=sizes.vocab_size,
        hidden_size=sizes.text_width,
        num_hidden_layers=sizes.text_depth,
        num_attention_heads=sizes.text_heads,
        intermediate_size=sizes.intermediate_size,
        max_position_embeddings=sizes.max_positions,
        layer_norm_eps=1e-12,
    )
    bert._attn_implementation = "sdpa"  # as PreTrainedModel would choose; single parts would use "eager"
    return bert


def check_tied(weights: Mapping[str, Tensor]) -> None:
    """Raise UsageError if the MLM head does not share the word embeddings, or has two different biases."""
    for copy, original in ((f"{MLM_HEAD}decoder.weight", WORDS), (f"{MLM_HEAD}decoder.bias", f"{MLM_HEAD}bias")):
        if not torch.allclose(weights[copy], weights[original], rtol=0, atol=0, equal_nan=True):
            raise UsageError(f"{copy} differs from {original}: in the network they are one weight.")


def _keep(attention_mask: Tensor) -> Tensor:
    """Return which keys each query attends to, (n, 1, 1, tokens)."""
    return attention_mask.bool()[:, None, None, :]
