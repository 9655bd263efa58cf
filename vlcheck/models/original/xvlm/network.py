"""X-VLM's network: timm's Swin, and a BERT whose later layers cross-attend to the image or to a region of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Self

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
from vlcheck.models.original.fusion.text_encoder import MLM_HEAD, ONE_EACH, TextEncoder, bert_config, check_tied
from vlcheck.models.original.xvlm.config import PATCH_SIZE, XvlmConfig, read_config

_BBOX_HEAD = "bbox_head."
# Buffers that follow from the sizes.
_RECOMPUTED = re.compile(
    r"vision_encoder\.layers\.\d+\.blocks\.\d+\.(attn_mask|attn\.relative_position_index)$"
    r"|text_encoder\.(bert\.)?embeddings\.position_ids$"
)

Array = np.ndarray | Tensor


class XvlmNetwork(FusionNetwork):
    """X-VLM for scoring (Zeng et al. 2022, arXiv:2111.08276).

    Everywhere, `image` is (n, 3, image_size, image_size), normalised pixels; `image_embeds` is (n, 1 + grid * grid,
    vision_width), the mean of the image's tokens and then they, row by row; `ids` is (n, tokens) with CLS first and no
    SEP; `att` is (n, tokens): 1 = token, 0 = padding. `images` (n,) is the image that each text, or region, is of; the
    first of the first, and so on, unless it is said. Arrays are numpy's or torch's; floats become the network's dtype.
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
        self.text_encoder = TextEncoder(bert_config(config), config.fusion_layer, config.vision_width)
        self.vision_proj = nn.Linear(config.vision_width, config.embed_dim)
        self.text_proj = nn.Linear(config.text_width, config.embed_dim)
        self.itm_head = _head(config.text_width, 2)
        self.bbox_head = _head(config.text_width, 4)
        self.temp = nn.Parameter(torch.tensor(0.07))

    @classmethod
    def from_original(cls, folder: str | Path) -> Self:
        """Load what the original code saved, of pre-training or fine-tuned for retrieval.

        Args:
            folder: holds one checkpoint (`.th`, `.pth`, `.pt`, read without running code, or `.safetensors`) and the
                configs of Swin and BERT; `config.json` where the checkpoint does not say what stands in it.

        Returns:
            The network in float32 and eval mode, without gradients.

        Raises:
            UsageError: a file is missing or cannot be read, or the weights are not those of these sizes.
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
        """Return True if boxes can be predicted: checkpoints fine-tuned for retrieval have no head for it."""
        return self.bbox_head is not None

    def load_original_state_dict(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load weights under the original's names; without a head for words or for boxes the network loses its own.

        Raises:
            UsageError: a weight is missing, is unknown, or has another shape; nothing is loaded then.
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

    def itm_logits(self, *, image: Array, ids: Array, att: Array, **_: object) -> Tensor:
        """Logits (n, 2) of no match and match."""
        return self.match(self.fusion(self.image_embeds(image), ids, att))

    def mlm_logits(self, *, image: Array, ids: Array, att: Array, **_: object) -> Tensor:
        """Logits (n, tokens, vocab_size) over the vocabulary, at every position."""
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
        """Logits (n, 2) of no match and match of a text with each region; see `region_embeds` for those."""
        regions = self.region_embeds(self.image_embeds(image), region_atts, images)
        return self.match(self.fusion(regions, ids, att, image_atts=region_atts))

    def boxes(self, *, image: Array, ids: Array, att: Array, **_: object) -> Tensor:
        """Where texts are in their images, (n, 4): centre's x, y, width, height as parts of the image's sides."""
        return self.locate(self.fusion(self.image_embeds(image), ids, att))

    def image_embeds(self, pixels: Array) -> Tensor:
        """Encode images, all that texts or regions ask of them."""
        tokens = self.vision_encoder.forward_features(self._own(pixels)).flatten(1, 2)
        return torch.cat([tokens.mean(1, keepdim=True), tokens], dim=1)

    def region_embeds(self, image_embeds: Tensor, region_atts: Array, images: Array | slice = ONE_EACH) -> Tensor:
        """What stands for regions of images, as `image_embeds` does for whole ones.

        Args:
            image_embeds: what `image_embeds` returned.
            region_atts: (regions, 1 + grid * grid), 1 at the tokens within the region and at the first entry, which is
                of their mean; give it to `fusion`, too, as `image_atts`.
            images: the image that each region is of.

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
        """What the layers below the fusion make of texts alone, (n, tokens, text_width)."""
        return self.text_encoder.bert.read(self._own(ids), self._own(att))

    def fusion(
        self,
        image_embeds: Tensor,
        ids: Array,
        att: Array,
        images: Array | slice = ONE_EACH,
        image_atts: Array | None = None,
    ) -> Tensor:
        """What all layers make of texts that are read over images, (n, tokens, text_width).

        `image_atts` (as many as image_embeds, 1 + grid * grid): 1 = what texts may look at; all unless it is given.
        """
        seen = None if image_atts is None else self._own(image_atts)
        text = self.text_embeds(ids, att)
        return self.text_encoder.bert.fuse(text, self._own(att), image_embeds, self._index(images), seen)

    def locate(self, fused: Tensor) -> Tensor:
        """Boxes (n, 4), as `boxes` has them, from what `fusion` returned."""
        if self.bbox_head is None:
            raise UsageError("this checkpoint has no head for boxes, as those fine-tuned for retrieval have none.")
        boxes: Tensor = self.bbox_head(fused[:, 0]).sigmoid()
        return boxes

    def _own(self, array: Array) -> Tensor:
        """On the network's device, and in its dtype where it is of floats."""
        tensor = torch.as_tensor(array, device=self.temp.device)
        return tensor.to(self.temp.dtype) if tensor.is_floating_point() else tensor

    def _index(self, images: Array | slice) -> Tensor | slice:
        return images if isinstance(images, slice) else self._own(images)


def _head(width: int, outputs: int) -> nn.Sequential:
    hidden = 2 * width
    return nn.Sequential(nn.Linear(width, hidden), nn.LayerNorm(hidden), nn.GELU(), nn.Linear(hidden, outputs))


def _original_name(name: str, *, fine_tuned: bool) -> str:
    """How the original calls a weight: there, a stage ends with the merging of patches that timm's next begins with."""
    name = re.sub(r"(?<=^vision_encoder\.layers\.)\d+(?=\.downsample)", lambda match: str(int(match[0]) - 1), name)
    return name.replace("text_encoder.bert.", "text_encoder.") if fine_tuned else name
