"""The network of ViLBERT: a BERT for the text and one for regions, with co-attention layers between them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import (
    BertEmbeddings,
    BertIntermediate,
    BertLayer,
    BertOutput,
    BertPredictionHeadTransform,
)

from vlcheck._util.paths import expanded
from vlcheck.models.adapters.cross_attention import CrossAttention
from vlcheck.models.loading.extents import filled_from
from vlcheck.models.loading.layout import find_checkpoint, naming
from vlcheck.models.original.vilbert.config import VilbertConfig, read_config
from vlcheck.models.original.vilbert.weights import read_weights

_EPS = 1e-12

Array = Tensor | np.ndarray


class Streams(NamedTuple):
    """A tensor for the image and one for the text.

    Either states, (n, regions, v_hidden_size) and (n, tokens, hidden_size), or masks.
    """

    image: Tensor
    text: Tensor


class VilbertNetwork(nn.Module):
    """ViLBERT for scoring, with the original's names of weights.

    Every method takes the inputs of `streams` by keyword, as tensors or numpy arrays of any device and precision, and
    ignores other keyword arguments.

    Source:
        Lu et al. 2019, arXiv:1908.02265.
    """

    def __init__(self, config: VilbertConfig) -> None:
        super().__init__()
        self.config = config
        self.bert = TwoStreams(config)
        self.cls = nn.ModuleDict(
            {
                "predictions": WordHead(config),
                "bi_seq_relationship": nn.Linear(config.bi_hidden_size, 2),
                "imagePredictions": _region_head(config),
            }
        )

    @classmethod
    def from_original(cls, folder: str | Path) -> Self:
        """Load a pre-training checkpoint of the original code (`pytorch_model_9.bin`).

        Args:
            folder: a folder with one checkpoint and its configuration as `config.json`.

        Returns:
            The network in float32, in eval mode, without gradients.

        Raises:
            UsageError: there is not exactly one checkpoint, it cannot be read, the configuration is missing, or a
                weight is missing, unknown or of another shape than the configuration says.
        """
        folder = expanded(folder)
        path = find_checkpoint(folder)
        config = read_config(folder / "config.json")
        # On the meta device there are only names and shapes: no memory is used, and no random number is drawn.
        with naming(path), filled_from(path), torch.device("meta"):
            network = cls(config)
        shapes = {name: weight.shape for name, weight in network.state_dict().items()}
        network.load_state_dict(read_weights(path, shapes), assign=True)
        network.bert.fill_buffers()
        return network.eval().requires_grad_(requires_grad=False)

    def streams(
        self,
        *,
        ids: Array,
        input_mask: Array,
        segment_ids: Array,
        features: Array,
        image_loc: Array,
        image_mask: Array,
        **_: object,
    ) -> Streams:
        """Return the states of image and text after all layers.

        Args:
            ids: (n, tokens), entries of the vocabulary: CLS, the text, SEP, and padding at the end.
            input_mask: (n, tokens): 1 = token, 0 = padding.
            segment_ids: (n, tokens): 0 for a text of one segment.
            features: (n, regions, v_feature_size), the whole image's first; `region_inputs` makes them and the next
                two.
            image_loc: (n, regions, 5), boxes and their areas, in fractions of the image.
            image_mask: (n, regions): 1 = region, 0 = padding.
        """
        embedded = Streams(
            self.bert.v_embeddings(self._own(features), self._own(image_loc)),
            self.bert.embeddings(self._own(ids), self._own(segment_ids)),
        )
        keep = Streams(keep_mask(self._own(image_mask)), keep_mask(self._own(input_mask)))
        out: Streams = self.bert.encoder(embedded, keep)
        return out

    def itm_logits(self, **inputs: Array) -> Tensor:
        """Return logits (n, 2) of match and no match.

        Index 0 is a match, as in the original: P(match) is `softmax(-1)[:, 0]`.
        """
        return self.match(self.streams(**inputs))

    def mlm_logits(self, **inputs: Array) -> Tensor:
        """Return logits (n, tokens, vocab_size) at every position."""
        return self.predict(self.streams(**inputs).text)

    def region_logits(self, **inputs: Array) -> Tensor:
        """Return the logits over the detector's classes for every region, (n, regions, v_target_size).

        A region is masked by zeros in its row of `features`; its box and mask stay. In pre-training, the row of the
        whole image is the mean of the regions that are not masked, and the class of the whole image is not predicted.
        """
        logits: Tensor = self.cls["imagePredictions"](self.streams(**inputs).image)
        return logits

    def match(self, streams: Streams) -> Tensor:
        """Return logits (n, 2) of match and no match, as `itm_logits` does.

        Args:
            streams: states of image and text after all layers.
        """
        pooled = self.bert.v_pooler(streams.image) * self.bert.t_pooler(streams.text)
        logits: Tensor = self.cls["bi_seq_relationship"](pooled)
        return logits

    def predict(self, text: Tensor) -> Tensor:
        """Return logits over the vocabulary, (..., vocab_size).

        Args:
            text: states of tokens after all layers, (..., hidden_size).
        """
        logits: Tensor = self.cls["predictions"](text, self.bert.embeddings.word_embeddings.weight)
        return logits

    def _own(self, array: Array) -> Tensor:
        """Return an array on the network's device and, unless it holds whole numbers, in its dtype."""
        tensor, weight = torch.as_tensor(array), self.bert.embeddings.word_embeddings.weight
        return tensor.to(weight) if tensor.is_floating_point() else tensor.to(weight.device)


class TwoStreams(nn.Module):
    """ViLBERT without its heads."""

    def __init__(self, config: VilbertConfig) -> None:
        super().__init__()
        self.embeddings = BertEmbeddings(_text_bert(config))
        self.v_embeddings = RegionEmbeddings(config)
        self.encoder = TwoStreamEncoder(config)
        self.t_pooler = Pooler(config.hidden_size, config.bi_hidden_size)
        self.v_pooler = Pooler(config.v_hidden_size, config.bi_hidden_size)

    def fill_buffers(self) -> None:
        """Create the buffers that no state dict holds, as transformers' constructor does outside the meta device."""
        positions = torch.arange(self.embeddings.position_embeddings.num_embeddings)[None]
        self.embeddings.register_buffer("position_ids", positions, persistent=False)
        self.embeddings.register_buffer("token_type_ids", torch.zeros_like(positions), persistent=False)


class RegionEmbeddings(nn.Module):
    """Embeddings of regions: the sum of the embeddings of features and of box, normalised."""

    def __init__(self, config: VilbertConfig) -> None:
        super().__init__()
        self.image_embeddings = nn.Linear(config.v_feature_size, config.v_hidden_size)
        self.image_location_embeddings = nn.Linear(5, config.v_hidden_size)
        self.LayerNorm = nn.LayerNorm(config.v_hidden_size, eps=_EPS)

    def forward(self, features: Tensor, image_loc: Tensor) -> Tensor:
        """Return the embeddings of regions.

        Args:
            features: (n, regions, v_feature_size).
            image_loc: (n, regions, 5).

        Returns:
            Embeddings, (n, regions, v_hidden_size).
        """
        embedded: Tensor = self.LayerNorm(self.image_embeddings(features) + self.image_location_embeddings(image_loc))
        return embedded


class TwoStreamEncoder(nn.Module):
    """The layers of both streams, and the co-attention layers between the streams."""

    def __init__(self, config: VilbertConfig) -> None:
        super().__init__()
        self.config = config
        self.layer = nn.ModuleList(BertLayer(_text_bert(config)) for _ in range(config.num_hidden_layers))
        self.v_layer = nn.ModuleList(BertLayer(_image_bert(config)) for _ in range(config.v_num_hidden_layers))
        self.c_layer = nn.ModuleList(CoAttentionLayer(config) for _ in config.v_biattention_id)

    def forward(self, streams: Streams, keep: Streams) -> Streams:
        """Return the states of both streams after all layers.

        Args:
            streams: embeddings of regions and of text.
            keep: masks of both streams, as `keep_mask` makes them.
        """
        alone = Streams(self.image_alone(streams.image, keep.image), self.text_alone(streams.text, keep.text))
        return self.fuse(alone, keep)

    def image_alone(self, image: Tensor, keep: Tensor) -> Tensor:
        """Return the states of the regions before they read any text, (n, regions, v_hidden_size).

        Args:
            image: embeddings of regions.
            keep: their mask, as `keep_mask` makes it.
        """
        return _through(_runs(self.v_layer, self.config.v_biattention_id)[0], image, keep)

    def text_alone(self, text: Tensor, keep: Tensor) -> Tensor:
        """Return the states of the tokens before they read any region, (n, tokens, hidden_size).

        Args:
            text: embeddings of the text.
            keep: their mask, as `keep_mask` makes it.
        """
        return _through(_runs(self.layer, self.config.t_biattention_id)[0], text, keep)

    def fuse(self, streams: Streams, keep: Streams) -> Streams:
        """Return the states of both streams after all layers.

        Args:
            streams: the outputs of `image_alone` and `text_alone`.
            keep: masks of both streams, as `keep_mask` makes them.
        """
        _, *image_runs = _runs(self.v_layer, self.config.v_biattention_id)
        _, *text_runs = _runs(self.layer, self.config.t_biattention_id)
        for exchange, image_run, text_run in zip(self.c_layer, image_runs, text_runs, strict=True):
            image, text = exchange(streams, keep)
            streams = Streams(_through(image_run, image, keep.image), _through(text_run, text, keep.text))
        return streams


class CoAttentionLayer(nn.Module):
    """A layer in which each stream's queries attend to the other's keys and values (figure 2b of the paper).

    In the names of weights, 1 is the image and 2 the text. Both streams read the states that the other had before the
    layer.
    """

    def __init__(self, config: VilbertConfig) -> None:
        super().__init__()
        self.heads = config.bi_num_attention_heads
        self.image_reads, self.text_reads = CrossAttention(self.heads), CrossAttention(self.heads)
        widths = {"1": config.v_hidden_size, "2": config.hidden_size}
        self.biattention = nn.ModuleDict(
            {
                f"{part}{stream}": nn.Linear(width, config.bi_hidden_size)
                for stream, width in widths.items()
                for part in ("query", "key", "value")
            }
        )
        self.biOutput = nn.ModuleDict()
        for stream, width in widths.items():
            self.biOutput[f"dense{stream}"] = nn.Linear(config.bi_hidden_size, width)
            self.biOutput[f"LayerNorm{stream}"] = nn.LayerNorm(width, eps=_EPS)
        self.v_intermediate, self.v_output = BertIntermediate(_image_bert(config)), BertOutput(_image_bert(config))
        self.t_intermediate, self.t_output = BertIntermediate(_text_bert(config)), BertOutput(_text_bert(config))

    def forward(self, streams: Streams, keep: Streams) -> Streams:
        """Return the states of both streams after the layer.

        Args:
            streams: states of regions and of text.
            keep: masks of both streams, as `keep_mask` makes them.
        """
        image = self._read(self.image_reads, "1", streams.image, "2", streams.text, keep.text)
        text = self._read(self.text_reads, "2", streams.text, "1", streams.image, keep.image)
        return Streams(self.v_output(self.v_intermediate(image), image), self.t_output(self.t_intermediate(text), text))

    def _read(
        self, attention: nn.Module, reader: str, hidden: Tensor, source: str, other: Tensor, keep: Tensor
    ) -> Tensor:
        """Return stream `reader` after it has attended to the tokens of stream `source` that `keep` marks."""
        query = self.biattention[f"query{reader}"](hidden)
        key, value = (self.biattention[f"{part}{source}"](other) for part in ("key", "value"))
        seen = attention(query, key, value, keep)
        out: Tensor = self.biOutput[f"LayerNorm{reader}"](self.biOutput[f"dense{reader}"](seen) + hidden)
        return out


class Pooler(nn.Module):
    """The first token of a stream, projected into the space in which the streams are compared.

    Unlike BERT's pooler, it has a ReLU.
    """

    def __init__(self, width: int, pooled: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, pooled)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return the pooled features of states (n, tokens, width): (n, bi_hidden_size)."""
        pooled: Tensor = self.dense(hidden[:, 0]).relu()
        return pooled


class WordHead(nn.Module):
    """The head of BERT for masked words; its decoder is the matrix of word embeddings, which is passed in."""

    def __init__(self, config: VilbertConfig) -> None:
        super().__init__()
        self.transform = BertPredictionHeadTransform(_text_bert(config))
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden: Tensor, words: Tensor) -> Tensor:
        """Return the logits over the vocabulary.

        Args:
            hidden: states, (n, tokens, hidden_size).
            words: word embeddings, (vocab_size, hidden_size).

        Returns:
            Logits, (n, tokens, vocab_size).
        """
        return linear(self.transform(hidden), words, self.bias)


def _region_head(config: VilbertConfig) -> nn.Sequential:
    """Return the head that classifies regions; its activation is the text's, as in the original."""
    bert = BertConfig(hidden_size=config.v_hidden_size, hidden_act=config.hidden_act, layer_norm_eps=_EPS)
    return nn.Sequential(
        OrderedDict(
            transform=BertPredictionHeadTransform(bert), decoder=nn.Linear(config.v_hidden_size, config.v_target_size)
        )
    )


def _runs(layers: nn.ModuleList, stops: Sequence[int]) -> list[nn.ModuleList]:
    """Cut the layers at the stops into parts, one more than there are stops."""
    return [layers[start:stop] for start, stop in pairwise((0, *stops, len(layers)))]


def _through(layers: nn.ModuleList, hidden: Tensor, keep: Tensor) -> Tensor:
    """Pass the states of a stream through its own layers."""
    for layer in layers:
        hidden = layer(hidden, keep)
    return hidden


def _text_bert(config: VilbertConfig) -> BertConfig:
    return _with_sdpa(
        BertConfig(
            vocab_size=config.vocab_size,
            hidden_size=config.hidden_size,
            num_attention_heads=config.num_attention_heads,
            intermediate_size=config.intermediate_size,
            hidden_act=config.hidden_act,
            max_position_embeddings=config.max_position_embeddings,
            type_vocab_size=config.type_vocab_size,
            layer_norm_eps=_EPS,
        )
    )


def _image_bert(config: VilbertConfig) -> BertConfig:
    return _with_sdpa(
        BertConfig(
            hidden_size=config.v_hidden_size,
            num_attention_heads=config.v_num_attention_heads,
            intermediate_size=config.v_intermediate_size,
            hidden_act=config.v_hidden_act,
            layer_norm_eps=_EPS,
        )
    )


def _with_sdpa(bert: BertConfig) -> BertConfig:
    bert._attn_implementation = "sdpa"  # as PreTrainedModel would choose; single parts would use "eager"
    return bert


def keep_mask(mask: Tensor) -> Tensor:
    """Return True at the keys that a query may attend to, (n, 1, 1, keys)."""
    return mask.bool()[:, None, None, :]
