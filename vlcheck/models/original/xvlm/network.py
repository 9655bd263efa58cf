"""The network of X-VLM: timm's Swin, and a BERT whose later layers cross-attend to the image or to a region of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from timm.models.swin_transformer import SwinTransformer
from torch import Tensor, nn

from vlcheck._util.paths import expanded
from vlcheck.errors import UsageError
from vlcheck.models.loading.checkpoint import read_checkpoint
from vlcheck.models.loading.extents import filled_from
from vlcheck.models.loading.layout import check_weights, find_checkpoint, naming
from vlcheck.models.loading.misfits import check_names
from vlcheck.models.original.fusion.network import FusionNetwork
from vlcheck.models.original.fusion.text_encoder import MLM_HEAD, ONE_EACH, TextEncoder, check_tied
from vlcheck.models.original.xvlm.config import PATCH_SIZE, XvlmConfig, read_config

_BBOX_HEAD = "bbox_head."
# Buffers that are computed from the sizes.
_RECOMPUTED = re.compile(
    r"vision_encoder\.layers\.\d+\.blocks\.\d+\.(attn_mask|attn\.relative_position_index)$"
    r"|text_encoder\.(bert\.)?embeddings\.position_ids$"
)

Array = np.ndarray | Tensor


class XvlmNetwork(FusionNetwork):
    """X-VLM for scoring.

    In all methods, `image` is (n, 3, image_size, image_size), normalised pixels; `image_embeds` is (n, 1 + grid * grid,
    vision_width), the mean of the image's tokens and then the tokens, row by row; `ids` is (n, tokens) with CLS first
    and no SEP; `att` is (n, tokens): 1 = token, 0 = padding; `images` (n,) is the index of the image of each text or
    region, by default image i for text i. Arrays are numpy's or torch's; floats are converted to the network's dtype.

    Source:
        Zeng et al. 2022, arXiv:2111.08276.
    """

    config: XvlmConfig
    bbox_head: nn.Sequential | None

    def __init__(self, config: XvlmConfig) -> None:
        super().__init__()
        self.config = config
        self.vision_encoder = SwinTransformer(
            img_size=config.image_size,
            patch_size=PATCH_SIZE,
            num_classes=0,
            embed_dim=config.stem_width,
            depths=config.vision_depths,
            num_heads=config.vision_heads,
            window_size=config.window_size,
            drop_path_rate=0.0,
            weight_init="skip",
        )
        self.text_encoder = TextEncoder(config, config.fusion_layer, config.vision_width)
        self.vision_proj = nn.Linear(config.vision_width, config.embed_dim)
        self.text_proj = nn.Linear(config.text_width, config.embed_dim)
        self.itm_head = _head(config.text_width, 2)
        self.bbox_head = _head(config.text_width, 4)
        self.temp = nn.Parameter(torch.tensor(0.07))

    @classmethod
    def from_original(cls, folder: str | Path) -> Self:
        """Load a checkpoint of the original code, of pre-training or fine-tuned for retrieval.

        Args:
            folder: a folder with one checkpoint (`.th`, `.pth`, `.pt`, read without running code, or `.safetensors`)
                and the configs of Swin and BERT; also `config.json`, unless the checkpoint has its content.

        Returns:
            The network in float32 and eval mode, without gradients.

        Raises:
            UsageError: a file is missing or cannot be read, or the weights do not have these sizes.
        """
        folder = expanded(folder)
        path = find_checkpoint(folder)
        checkpoint = read_checkpoint(path)
        config = read_config(folder, checkpoint.config)
        with naming(path), filled_from(path):
            network = cls(config)
            network.load_original_state_dict(checkpoint.weights)
        return network.eval().requires_grad_(requires_grad=False)

    @property
    def has_bbox_head(self) -> bool:
        """True if the network can predict boxes; checkpoints fine-tuned for retrieval have no head for it."""
        return self.bbox_head is not None

    def load_original_state_dict(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load weights by the original's names.

        If the weights of the head for words or of the head for boxes are missing, the network loses this head.

        Raises:
            UsageError: another weight is missing, one is unknown, or has another shape; nothing is loaded then.
        """
        check_names(state_dict, "vision_encoder.patch_embed.proj.weight")
        weights = {name: tensor for name, tensor in state_dict.items() if not _RECOMPUTED.match(name)}
        absent = tuple(head for head in (MLM_HEAD, _BBOX_HEAD) if not any(name.startswith(head) for name in weights))
        fine_tuned = not any(name.startswith("text_encoder.bert.") for name in weights)
        own = {name: tensor.shape for name, tensor in self.state_dict().items() if not name.startswith(absent)}
        originals = {name: _original_name(name, fine_tuned=fine_tuned) for name in own}
        check_weights("an X-VLM", {originals[name]: shape for name, shape in own.items()}, weights)
        renamed = {name: weights[original] for name, original in originals.items()}
        if MLM_HEAD in absent:
            self.text_encoder.cls = None
        else:
            check_tied(renamed)
        if _BBOX_HEAD in absent:
            self.bbox_head = None
        self.load_state_dict(renamed)

    @property
    def grid(self) -> int:
        return self.config.grid

    @property
    def vision_blocks(self) -> Sequence[nn.Module]:
        """The blocks of Swin's last stage. The stages before it have more and smaller tokens."""
        stage: Any = self.vision_encoder.layers[-1]
        return [*stage.blocks]

    def itm_logits(self, *, image: Array, ids: Array, att: Array, **_: object) -> Tensor:
        """Return the logits of the matching head. Other keyword arguments are ignored.

        Args:
            image: normalised pixels, (n, 3, image_size, image_size).
            ids: token ids, (n, tokens).
            att: (n, tokens): 1 = token, 0 = padding.

        Returns:
            Logits of no match and match, (n, 2).
        """
        return self.match(self.fusion(self.image_embeds(image), ids, att))

    def mlm_logits(self, *, image: Array, ids: Array, att: Array, **_: object) -> Tensor:
        """Return the logits of the head for masked words at every position. Other keyword arguments are ignored.

        Args:
            image: normalised pixels, (n, 3, image_size, image_size).
            ids: token ids, (n, tokens).
            att: (n, tokens): 1 = token, 0 = padding.

        Returns:
            Logits, (n, tokens, vocab_size).
        """
        return self.text_encoder.predict(self.fusion(self.image_embeds(image), ids, att))

    def region_itm_logits(
        self,
        *,
        image: Array,
        ids: Array,
        att: Array,
        region_atts: Array,
        images: Array | slice = ONE_EACH,
        **_: object,
    ) -> Tensor:
        """Return the logits of the matching head for a text and each region. Other keyword arguments are ignored.

        Args:
            image: normalised pixels, (images, 3, image_size, image_size).
            ids: token ids, (n, tokens).
            att: (n, tokens): 1 = token, 0 = padding.
            region_atts: the tokens of each region: see `region_embeds`.
            images: index of each region's image, (n,).

        Returns:
            Logits of no match and match, (n, 2).
        """
        regions = self.region_embeds(self.image_embeds(image), region_atts, images)
        return self.match(self.fusion(regions, ids, att, image_atts=region_atts))

    def boxes(self, *, image: Array, ids: Array, att: Array, **_: object) -> Tensor:
        """Return the boxes of texts in their images. Other keyword arguments are ignored.

        Args:
            image: normalised pixels, (n, 3, image_size, image_size).
            ids: token ids, (n, tokens).
            att: (n, tokens): 1 = token, 0 = padding.

        Returns:
            Boxes, (n, 4): the centre's x and y, width and height, in fractions of the image's sides.
        """
        return self.locate(self.fusion(self.image_embeds(image), ids, att))

    def image_embeds(self, pixels: Array) -> Tensor:
        """Encode normalised pixels (n, 3, image_size, image_size), for all texts and regions.

        Returns:
            The mean of an image's tokens, then the tokens, (n, 1 + grid * grid, vision_width).
        """
        tokens = self.vision_encoder.forward_features(self._own(pixels)).flatten(1, 2)
        return torch.cat([tokens.mean(1, keepdim=True), tokens], dim=1)

    def region_embeds(self, image_embeds: Tensor, region_atts: Array, images: Array | slice = ONE_EACH) -> Tensor:
        """Return the embeddings of regions of images, in the form of `image_embeds`.

        Args:
            image_embeds: the output of `image_embeds`.
            region_atts: (regions, 1 + grid * grid): 1 at the tokens inside the region and at the first entry, which
                stands for their mean; pass it to `fusion` as `image_atts` too.
            images: index of each region's image, (regions,).

        Raises:
            ValueError: a region has no token.
        """
        tokens = image_embeds[self._index(images)][:, 1:]
        inside = self._own(region_atts)[:, 1:, None].to(tokens)
        sizes = inside.sum(1, keepdim=True)
        if not sizes.all():
            raise ValueError("a region has no token of its image")
        return torch.cat([(inside * tokens).sum(1, keepdim=True) / sizes, tokens], dim=1)

    def text_embeds(self, ids: Array, att: Array) -> Tensor:
        """Return the hidden states of texts before the layers with cross-attention.

        Args:
            ids: token ids, (n, tokens).
            att: (n, tokens): 1 = token, 0 = padding.

        Returns:
            States, (n, tokens, text_width).
        """
        return self.text_encoder.bert.read(self._own(ids), self._own(att))

    def fusion(
        self,
        image_embeds: Tensor,
        ids: Array,
        att: Array,
        images: Array | slice = ONE_EACH,
        image_atts: Array | None = None,
    ) -> Tensor:
        """Return the hidden states of texts after all layers, which cross-attend to images.

        Args:
            image_embeds: encoded images or regions.
            ids: token ids, (n, tokens).
            att: (n, tokens): 1 = token, 0 = padding.
            images: index of each text's image, (n,).
            image_atts: one row for each row of `image_embeds`, 1 + grid * grid wide: 1 = token that texts may attend
                to; None for all.

        Returns:
            States, (n, tokens, text_width).
        """
        seen = None if image_atts is None else self._own(image_atts)
        text = self.text_embeds(ids, att)
        return self.text_encoder.bert.fuse(text, self._own(att), image_embeds, self._index(images), seen)

    def locate(self, fused: Tensor) -> Tensor:
        """Return boxes (n, 4), as `boxes` does, of states from `fusion`. Raises UsageError without a head."""
        if self.bbox_head is None:
            raise UsageError("this checkpoint has no head for boxes, as those fine-tuned for retrieval have none.")
        boxes: Tensor = self.bbox_head(fused[:, 0]).sigmoid()
        return boxes

    def _own(self, array: Array) -> Tensor:
        """Return an array on the network's device and, if it holds floats, in its dtype."""
        tensor = torch.as_tensor(array, device=self.temp.device)
        return tensor.to(self.temp.dtype) if tensor.is_floating_point() else tensor

    def _index(self, images: Array | slice) -> Tensor | slice:
        return images if isinstance(images, slice) else self._own(images)


def _head(width: int, outputs: int) -> nn.Sequential:
    hidden = 2 * width
    return nn.Sequential(nn.Linear(width, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Linear(hidden, outputs))


def _original_name(name: str, *, fine_tuned: bool) -> str:
    """Return the original's name of a weight; its stages end with a patch merging, and timm's begin with it."""
    name = re.sub(r"(?<=^vision_encoder\.layers\.)\d+(?=\.downsample)", lambda match: str(int(match[0]) - 1), name)
    return name.replace("text_encoder.bert.", "text_encoder.") if fine_tuned else name
