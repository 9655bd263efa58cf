"""LXMERT and VisualBERT for explanations."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from vlcheck.models.adapters.cross_attention import CrossAttention
from vlcheck.models.adapters.differentiable import log_probs_of_pieces, output_replaced
from vlcheck.models.adapters.regions_differentiable import DifferentiableRegions
from vlcheck.models.differentiable import AttentionKind, PairInputs

if TYPE_CHECKING:
    from vlcheck.models.hf.lxmert import Lxmert
    from vlcheck.models.hf.visual_bert import VisualBert


class LxmertStreams(nn.Module):
    """LXMERT in parts: what it computes from regions alone, from words alone, and from both.

    In a cross-modality layer one module reads in both directions. Here `text_reads` and `image_reads` do, with its
    weights.

    Args:
        network: a pre-training network of transformers; it is not copied.
    """

    def __init__(self, network: PreTrainedModel) -> None:
        super().__init__()
        whole: Any = network
        self.lxmert, self.cls = whole.lxmert, whole.cls
        heads, layers = whole.config.num_attention_heads, len(whole.lxmert.encoder.x_layers)
        self.text_reads = nn.ModuleList(CrossAttention(heads) for _ in range(layers))
        self.image_reads = nn.ModuleList(CrossAttention(heads) for _ in range(layers))

    def image(self, features: Tensor, boxes: Tensor, seen: Tensor) -> Tensor:
        """Return the states of regions before any word is read, (n, regions, width).

        Args:
            features: (n, regions, visual_feat_dim).
            boxes: (n, regions, 4), in fractions of the picture.
            seen: (n, regions): 1 = region, 0 = padding.
        """
        hidden: Tensor = self.lxmert.encoder.visn_fc(features, boxes)
        for layer in self.lxmert.encoder.r_layers:
            (hidden,) = layer(hidden, _added(seen, hidden))
        return hidden

    def text(self, ids: Tensor, attention: Tensor) -> Tensor:
        """Return the states of tokens before any region is read, (n, tokens, width).

        Args:
            ids: (n, tokens).
            attention: (n, tokens): 1 = token, 0 = padding.
        """
        hidden: Tensor = self.lxmert.embeddings(ids, torch.zeros_like(ids))
        for layer in self.lxmert.encoder.layer:
            (hidden,) = layer(hidden, _added(attention, hidden))
        return hidden

    def fuse(self, text: Tensor, attention: Tensor, image: Tensor, seen: Tensor) -> Tensor:
        """Return the states of tokens after the cross-modality layers, (n, tokens, width).

        Args:
            text: the output of `text`.
            attention: (n, tokens): 1 = token, 0 = padding.
            image: the output of `image`.
            seen: (n, regions): 1 = region, 0 = padding.
        """
        words, regions = _added(attention, text), _added(seen, image)
        layers = zip(self.lxmert.encoder.x_layers, self.text_reads, self.image_reads, strict=True)
        for layer, text_reads, image_reads in layers:
            crossed = (
                _read(text_reads, layer.visual_attention, text, image, regions),
                _read(image_reads, layer.visual_attention, image, text, words),
            )
            text, image = layer.output_fc(*layer.self_att(crossed[0], words, crossed[1], regions))
        return text


class DifferentiableLxmert(DifferentiableRegions):
    """LXMERT. See `vlcheck.models.differentiable.Differentiable`.

    Args:
        model: the adapter.
    """

    named = ("boxes", "seen")
    attentions = MappingProxyType(
        {
            r"lxmert\.encoder\.layer\.\d+\.attention\.self": "text",
            r"lxmert\.encoder\.r_layers\.\d+\.attention\.self": "image",
            r"lxmert\.encoder\.x_layers\.\d+\.lang_self_att\.self": "text",
            r"lxmert\.encoder\.x_layers\.\d+\.visn_self_att\.self": "image",
            r"text_reads\.\d+": "cross",
            r"image_reads\.\d+": "back",
        }
    )
    network: LxmertStreams

    def __init__(self, model: Lxmert) -> None:
        network = LxmertStreams(model.network)
        super().__init__(model, network, network.lxmert.embeddings.word_embeddings)
        # A layer returns a tuple; its last part returns the same states as a tensor.
        self.vision_blocks = [layer.output for layer in network.lxmert.encoder.r_layers]

    def image_states(self, inputs: PairInputs) -> Tensor:
        return self.network.image(inputs.pixels, inputs.others["boxes"], inputs.others["seen"])

    def text_states(self, inputs: PairInputs) -> Tensor:
        return self.network.text(inputs.ids, inputs.attention)

    def match_logits(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        pooled = self.network.lxmert.pooler(self._fused(inputs, image_states, text_states))
        logits: Tensor = self.network.cls.seq_relationship(pooled)
        return logits

    def word_log_probs(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        fused = self._fused(inputs, image_states, text_states)
        return log_probs_of_pieces(self.network.cls.predictions(fused[inputs.masks]), inputs)

    def image_keys(self, attention: Tensor, kind: AttentionKind, inputs: PairInputs) -> Tensor:
        return attention

    def _fused(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        return self.network.fuse(text_states, inputs.attention, image_states, inputs.others["seen"])


class DifferentiableVisualBert(DifferentiableRegions):
    """VisualBERT, whose layers all read words and regions. See `vlcheck.models.differentiable.Differentiable`.

    Args:
        model: the adapter.
    """

    named = ("seen",)
    attentions = MappingProxyType({r"visual_bert\.encoder\.layer\.\d+\.attention\.self": "joint"})

    def __init__(self, model: VisualBert) -> None:
        super().__init__(model, model.network, model.network.visual_bert.embeddings.word_embeddings)
        # As of LXMERT, but for the last layer: of its states a match reads the first token alone, and a word its masks.
        self.vision_blocks = [layer.output for layer in model.network.visual_bert.encoder.layer[:-1]]

    def image_states(self, inputs: PairInputs) -> Tensor:
        """Return the features of the regions: the first layer reads the words, too."""
        return inputs.pixels

    def text_states(self, inputs: PairInputs) -> Tensor:
        embedded: Tensor = self.word_embeddings(inputs.ids)
        return embedded

    def match_logits(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        # The first of the head's two logits is that of a match.
        logits: Tensor = self._read(inputs, image_states, text_states).seq_relationship_logits.flip(-1)
        return logits

    def word_log_probs(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Tensor:
        logits = self._read(inputs, image_states, text_states).prediction_logits[:, : inputs.ids.shape[1]]
        return log_probs_of_pieces(logits[inputs.masks], inputs)

    def patch_states(self, hidden: Tensor, inputs: PairInputs) -> Tensor:
        return hidden[:, inputs.ids.shape[1] :]  # the words come first

    def image_keys(self, attention: Tensor, kind: AttentionKind, inputs: PairInputs) -> Tensor:
        return attention[..., inputs.ids.shape[1] :]  # the words come first

    def _read(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor) -> Any:
        with output_replaced(self.word_embeddings, text_states):
            return self.network(
                input_ids=inputs.ids,
                attention_mask=inputs.attention,
                visual_embeds=image_states,
                visual_attention_mask=inputs.others["seen"],
            )


def _added(keep: Tensor, hidden: Tensor) -> Tensor:
    """Return a mask of ones and zeros as numbers to add to attention scores, (n, 1, 1, keys)."""
    return (1 - keep[:, None, None].to(hidden)) * torch.finfo(hidden.dtype).min


def _read(attention: nn.Module, layer: Any, reader: Tensor, source: Tensor, mask: Tensor) -> Tensor:
    """Return the states of a stream after it has read another stream in a cross-modality layer.

    Args:
        attention: the CrossAttention of this direction.
        layer: LXMERT's module for both directions.
        reader: states of the stream that reads, (n, queries, width).
        source: states of the stream that is read, (n, keys, width).
        mask: numbers to add to the scores, (n, 1, 1, keys).
    """
    shared = layer.att
    seen = attention(shared.query(reader), shared.key(source), shared.value(source), mask)
    states: Tensor = layer.output(seen, reader)
    return states
