"""ALBEF's network: timm's ViT, and BERT layers of which the later ones cross-attend to the image."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Mapping, Set
from functools import partial
from itertools import pairwise

import torch
from timm.layers.patch_embed import PatchEmbed
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torch.nn.functional import interpolate, normalize, scaled_dot_product_attention
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import (
    BertAttention,
    BertEmbeddings,
    BertIntermediate,
    BertLMPredictionHead,
    BertOutput,
)

from vlcheck.errors import UsageError
from vlcheck.models.albef_config import AlbefConfig

_MLM_HEAD = "text_encoder.cls.predictions."
_WORDS = "text_encoder.bert.embeddings.word_embeddings.weight"
_POSITIONS = "visual_encoder.pos_embed"
# Momentum copies, the queues of contrastive training, and a buffer that is its own index.
_TRAINING_ONLY = re.compile(
    r".*_m\.|(image|text|idx)_queue$|queue_ptr$|text_encoder\.(bert\.)?embeddings\.position_ids$"
)

Images = Tensor | slice
ONE_EACH = slice(None)


class AlbefNetwork(nn.Module):
    """ALBEF for scoring (Li et al. 2021, arXiv:2107.07651), with the original's names of weights.

    Everywhere, `image_embeds` is (n, 1 + patches, vision_width) with the image's CLS token first, `input_ids` is
    (n, tokens) with CLS first and no SEP, `attention_mask` is (n, tokens): 1 = token, 0 = padding. `images` (n,) is the
    image that each text is read over; the first over the first, and so on, unless it is said.
    """

    def __init__(self, config: AlbefConfig) -> None:
        super().__init__()
        self.config = config
        self.visual_encoder = VisionTransformer(
            img_size=config.image_size,
            patch_size=config.patch_size,
            num_classes=0,
            global_pool="",
            embed_dim=config.vision_width,
            depth=config.vision_depth,
            num_heads=config.vision_heads,
            norm_layer=partial(nn.LayerNorm, eps=1e-6),
            weight_init="skip",
            embed_layer=partial(ConvStem, first=config.stem_width) if config.stem_width else PatchEmbed,
        )
        self.text_encoder = TextEncoder(config)
        self.vision_proj = nn.Linear(config.vision_width, config.embed_dim)
        self.text_proj = nn.Linear(config.text_width, config.embed_dim)
        self.itm_head = nn.Linear(config.text_width, 2)
        self.temp = nn.Parameter(torch.tensor(0.07))

    @property
    def has_mlm_head(self) -> bool:
        """Whether words can be predicted: fine-tuned checkpoints have no head for it."""
        return self.text_encoder.cls is not None

    def load_albef_state_dict(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load weights of the original code, of pre-training or fine-tuned for retrieval.

        What only training needs is left aside; position embeddings of another resolution are interpolated. Without
        the MLM head, as fine-tuned files are, the network loses its own.

        Raises:
            UsageError: a weight is missing, is unknown, or has another shape; nothing is loaded then.
        """
        weights = scoring_weights(state_dict)
        expected = {name: tensor.shape for name, tensor in self.state_dict().items()}
        if not (with_head := _is_pretraining(state_dict)):
            expected = {name: shape for name, shape in expected.items() if not name.startswith(_MLM_HEAD)}
        _check_names(expected.keys() - weights.keys(), weights.keys() - expected.keys())
        weights[_POSITIONS] = interpolate_positions(weights[_POSITIONS], self.config.grid)
        for name, shape in expected.items():
            if weights[name].shape != shape:
                raise UsageError(f"{name} has shape {tuple(weights[name].shape)} in place of {tuple(shape)}.")
        if with_head:
            _check_tied(weights)
        else:
            self.text_encoder.cls = None
        self.load_state_dict(weights)

    def image_embeds(self, pixels: Tensor) -> Tensor:
        """Encode normalised pixels (n, 3, image_size, image_size)."""
        embeds: Tensor = self.visual_encoder.forward_features(pixels)
        return embeds

    def text_embeds(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """What the layers below the fusion make of texts alone, (n, tokens, text_width)."""
        return self.text_encoder.bert.read(input_ids, attention_mask)

    def fusion(
        self, image_embeds: Tensor, input_ids: Tensor, attention_mask: Tensor, images: Images = ONE_EACH
    ) -> Tensor:
        """What all layers make of texts that are read over images, (n, tokens, text_width)."""
        text = self.text_embeds(input_ids, attention_mask)
        return self.text_encoder.bert.fuse(text, attention_mask, image_embeds, images)

    def itm_logits(
        self, image_embeds: Tensor, input_ids: Tensor, attention_mask: Tensor, images: Images = ONE_EACH
    ) -> Tensor:
        """Logits (n, 2) of no match and match."""
        logits: Tensor = self.itm_head(self.fusion(image_embeds, input_ids, attention_mask, images)[:, 0])
        return logits

    def mlm_logits(
        self, image_embeds: Tensor, input_ids: Tensor, attention_mask: Tensor, images: Images = ONE_EACH
    ) -> Tensor:
        """Logits (n, tokens, vocab_size) over the vocabulary, at every position."""
        return self.text_encoder.predict(self.fusion(image_embeds, input_ids, attention_mask, images))

    def mlm_logits_at(
        self,
        where: Tensor,
        image_embeds: Tensor,
        input_ids: Tensor,
        attention_mask: Tensor,
        images: Images = ONE_EACH,
    ) -> Tensor:
        """Logits (chosen, vocab_size) at the positions that `where` (n, tokens) marks, row by row.

        The head is a sixth of the text's work over all positions and next to nothing at one.
        """
        return self.text_encoder.predict(self.fusion(image_embeds, input_ids, attention_mask, images)[where])

    def image_features(self, image_embeds: Tensor) -> Tensor:
        """Unit vectors (n, embed_dim) that stand for images."""
        return normalize(self.vision_proj(image_embeds[:, 0]), dim=-1)

    def text_features(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Unit vectors (n, embed_dim) that stand for texts."""
        return normalize(self.text_proj(self.text_embeds(input_ids, attention_mask)[:, 0]), dim=-1)

    def itc_similarity(self, image_embeds: Tensor, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Cosine over temperature of every image with every text, (images, texts)."""
        similarity = self.image_features(image_embeds) @ self.text_features(input_ids, attention_mask).T
        return similarity / self.temp


class ConvStem(nn.Module):
    """Strided convolutions, each of which halves the sides and doubles the features, in place of the patch projection.

    Takes what timm gives to an `embed_layer`.
    """

    def __init__(
        self, img_size: int, patch_size: int, in_chans: int, embed_dim: int, *, first: int, **_: object
    ) -> None:
        super().__init__()
        self.grid_size = (img_size // patch_size,) * 2
        self.num_patches = self.grid_size[0] ** 2
        halvings = patch_size.bit_length() - 1
        widths = [in_chans, *(first * 2**power for power in range(halvings - 1)), embed_dim]
        steps: list[nn.Module] = []
        for before, after in pairwise(widths):
            steps += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.GELU()]
        self.stem = nn.Sequential(*steps[:-1])

    def forward(self, pixels: Tensor) -> Tensor:
        tokens: Tensor = self.stem(pixels).flatten(2).transpose(1, 2)
        return tokens


class TextEncoder(nn.Module):
    """BERT whose layers from fusion_layer on also read the image, and its head for masked words."""

    cls: nn.ModuleDict | None

    def __init__(self, config: AlbefConfig) -> None:
        super().__init__()
        bert = _bert_config(config)
        self.bert = Bert(bert, config)
        head = BertLMPredictionHead(bert)
        head.decoder.weight = self.bert.embeddings.word_embeddings.weight
        head.decoder.bias = head.bias
        self.cls = nn.ModuleDict({"predictions": head})

    def predict(self, hidden: Tensor) -> Tensor:
        """Logits (..., vocab_size) from features (..., text_width)."""
        if self.cls is None:
            raise UsageError("this checkpoint has no MLM head, as fine-tuned ones have none: it cannot predict words.")
        logits: Tensor = self.cls["predictions"](hidden)
        return logits


class Bert(nn.Module):
    """BERT without its head, in two halves."""

    def __init__(self, bert: BertConfig, config: AlbefConfig) -> None:
        super().__init__()
        self.embeddings = BertEmbeddings(bert)
        self.encoder = Encoder(bert, config)

    def read(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Pass texts through the embeddings and the layers below the fusion."""
        hidden: Tensor = self.embeddings(input_ids)
        for layer in self.encoder.layer[: self.encoder.fusion_layer]:
            hidden = layer(hidden, _keep(attention_mask))
        return hidden

    def fuse(self, hidden: Tensor, attention_mask: Tensor, image_embeds: Tensor, images: Images = ONE_EACH) -> Tensor:
        """Pass what `read` returned through the layers that cross-attend."""
        for layer in self.encoder.layer[self.encoder.fusion_layer :]:
            hidden = layer(hidden, _keep(attention_mask), image_embeds, images)
        return hidden


class Encoder(nn.Module):
    """The layers; those from `fusion_layer` on cross-attend."""

    def __init__(self, bert: BertConfig, config: AlbefConfig) -> None:
        super().__init__()
        self.fusion_layer = config.fusion_layer
        widths = [None] * config.fusion_layer + [config.vision_width] * (config.text_depth - config.fusion_layer)
        self.layer = nn.ModuleList(Layer(bert, width) for width in widths)


class Layer(nn.Module):
    """A bidirectional BERT layer, with cross-attention to tokens of `image_width` where that is given.

    transformers' own BertLayer has cross-attention in decoders alone, which are causal, and at the text's width.
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
        self, hidden: Tensor, keep: Tensor, image_embeds: Tensor | None = None, images: Images = ONE_EACH
    ) -> Tensor:
        hidden, _ = self.attention(hidden, keep)
        if image_embeds is not None:
            hidden = self._look(hidden, image_embeds, images)
        out: Tensor = self.output(self.intermediate(hidden), hidden)
        return out

    def _look(self, hidden: Tensor, image_embeds: Tensor, images: Images) -> Tensor:
        """Cross-attend. An image's keys and values are most of the work: they are made once, however many texts ask."""
        weights = self.crossattention.self
        query, key, value = (
            part.unflatten(-1, (weights.num_attention_heads, -1)).transpose(1, 2)
            for part in (weights.query(hidden), weights.key(image_embeds)[images], weights.value(image_embeds)[images])
        )
        seen = scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        out: Tensor = self.crossattention.output(seen, hidden)
        return out


def scoring_weights(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights that scoring needs, by their pre-training names (fine-tuned files lack the `bert.`)."""
    kept = {name: tensor for name, tensor in state_dict.items() if not _TRAINING_ONLY.match(name)}
    if _is_pretraining(kept):
        return kept
    return {
        re.sub(r"^text_encoder\.(embeddings|encoder)\.", r"text_encoder.bert.\1.", name): kept[name] for name in kept
    }


def interpolate_positions(positions: Tensor, grid: int) -> Tensor:
    """Carry position embeddings over to another resolution, as the original does.

    Args:
        positions: (1, 1 + side * side, width), the CLS token's first.
        grid: patches along a side of the image to come.

    Returns:
        (1, 1 + grid * grid, width): the CLS token's kept, the others interpolated bicubically on their square.
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


def _bert_config(config: AlbefConfig) -> BertConfig:
    bert = BertConfig(
        vocab_size=config.vocab_size,
        hidden_size=config.text_width,
        num_hidden_layers=config.text_depth,
        num_attention_heads=config.text_heads,
        intermediate_size=config.intermediate_size,
        max_position_embeddings=config.max_positions,
        layer_norm_eps=1e-12,
    )
    bert._attn_implementation = "sdpa"  # what PreTrainedModel would choose; parts without one fall to eager
    return bert


def _keep(attention_mask: Tensor) -> Tensor:
    """Which keys each query sees, (n, 1, 1, tokens)."""
    return attention_mask.bool()[:, None, None, :]


def _is_pretraining(names: Container[str]) -> bool:
    return _WORDS in names


def _check_names(missing: Set[str], unknown: Set[str]) -> None:
    complaints = [f"{what} {_some(names)}" for what, names in (("lacks", missing), ("has unknown", unknown)) if names]
    if complaints:
        raise UsageError(f"not an ALBEF checkpoint of these sizes: it {' and '.join(complaints)}.")


def _some(names: Set[str]) -> str:
    shown = ", ".join(sorted(names)[:3])
    return f"{len(names)} weights ({shown}, ...)" if len(names) > 3 else shown


def _check_tied(weights: Mapping[str, Tensor]) -> None:
    for copy, original in ((f"{_MLM_HEAD}decoder.weight", _WORDS), (f"{_MLM_HEAD}decoder.bias", f"{_MLM_HEAD}bias")):
        if not torch.allclose(weights[copy], weights[original], rtol=0, atol=0, equal_nan=True):
            raise UsageError(f"{copy} differs from {original}: in ALBEF they are one weight.")
