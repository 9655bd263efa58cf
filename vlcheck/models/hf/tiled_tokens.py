"""The places of the picture tokens of networks that cut a picture into tiles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import fold, pad, unfold
from transformers.modeling_outputs import BaseModelOutputWithPooling

from vlcheck.errors import NotApplicable
from vlcheck.models.differentiable import AttentionKind, PairInputs
from vlcheck.models.hf.picture_tokens import LANGUAGE, NOWHERE, PARTS, WHOLE_INPUT, PlacedTokens, SquareTokens, Visual

_CROSS = re.compile(r"model\.language_model\.layers\.\d+\.cross_attn")


class TiledTokens(SquareTokens):
    """The base of families that cut a picture into tiles; several units may show the same part of it.

    `pixels` are (n, units, width): a row has all pixels of a unit, patch by patch.
    """

    @property
    def attentions(self) -> frozenset[str]:
        return frozenset()  # a tile reads itself alone

    def grid(self, visual: Visual) -> None:
        return None

    def others(self, visual: Visual) -> dict[str, Tensor]:
        return {**super().others(visual), WHOLE_INPUT: self.tiles(visual)[None]}

    def pixels(self, visual: Visual, placed: PlacedTokens) -> Tensor:
        tiles = self.tiles(visual)
        rows = unfold(tiles, self.patch_size, stride=self.patch_size).mT.flatten(0, 1)
        return rows[placed.parts].flatten(1)[None]

    def visual(self, inputs: PairInputs) -> dict[str, Tensor]:
        whole, parts = inputs.others[WHOLE_INPUT], inputs.others[PARTS]
        n, (height, width), side = len(inputs), whole.shape[-2:], self.patch_size
        rows = unfold(whole.flatten(0, -4), side, stride=side).mT
        rows = rows.reshape(n, -1, rows.shape[-1])
        changed = inputs.pixels.reshape(n, -1, rows.shape[-1])
        rows = rows.index_copy(1, parts[0].flatten(), changed)
        covered = height // side * side, width // side * side
        tiles = fold(rows.reshape(-1, self._per_tile(whole), rows.shape[-1]).mT, covered, side, stride=side)
        tiles = pad(tiles, (0, width - covered[1], 0, height - covered[0]))  # no patch reads the rest
        return {WHOLE_INPUT: self.shaped(tiles, whole)}

    def shaped(self, tiles: Tensor, whole: Tensor) -> Tensor:
        """Return tiles in the form that the network takes.

        Args:
            tiles: (n tiles, 3, height, width).
            whole: the network's own input, (n, tiles, 3, height, width).
        """
        return tiles.reshape(whole.shape)

    def _first(self, inputs: PairInputs) -> Tensor:
        return inputs.others[WHOLE_INPUT]

    def _per_tile(self, whole: Tensor) -> int:
        rows, columns = self._patches({WHOLE_INPUT: whole})
        return rows * columns

    def _numbers(self, visual: Visual) -> Tensor:
        """Return the number of each patch, (tiles, patches), float64."""
        tiles, each = len(self.tiles(visual)), self._per_tile(visual[WHOLE_INPUT])
        return torch.arange(tiles * each, dtype=torch.float64).view(tiles, each)


class IdeficsTokens(TiledTokens):
    """Picture tokens of Idefics 3 and SmolVLM: the patches of a square of some patches of a tile, joined."""

    @property
    def tower(self) -> nn.Module:
        tower: nn.Module = self.network.model.vision_model
        return tower

    def order(self, visual: Visual) -> Tensor:
        connector = self.network.model.connector
        joined: Tensor = connector.pixel_shuffle(self._numbers(visual)[..., None], connector.scale_factor)
        return joined.flatten(0, 1).long()

    def shaped(self, tiles: Tensor, whole: Tensor) -> Tensor:
        # The network drops a tile that is all zeros.
        return tiles.where(tiles != 0, torch.finfo(tiles.dtype).tiny).reshape(whole.shape)

    def visual(self, inputs: PairInputs) -> dict[str, Tensor]:
        masks = {name: inputs.others[name] for name in ("pixel_attention_mask",) if name in inputs.others}
        return {**super().visual(inputs), **masks}


class InternTokens(TiledTokens):
    """Picture tokens of InternVL: the patches of a square of some patches of a tile, joined."""

    def order(self, visual: Visual) -> Tensor:
        rows, columns = self._patches(visual)
        numbers = self._numbers(visual).view(-1, rows, columns, 1)
        joined: Tensor = self.network.model.pixel_shuffle(numbers, scale_factor=self.config.downsample_ratio)
        return joined.flatten(0, 2).long()

    def shaped(self, tiles: Tensor, whole: Tensor) -> Tensor:
        return tiles

    def outputs(self, states: Tensor) -> Any:
        return BaseModelOutputWithPooling(pooler_output=states)


class LlavaNextTokens(TiledTokens):
    """Picture tokens of LLaVA-NeXT and LLaVA-OneVision: the whole picture, then its tiles side by side, line by line.

    A token without a place ends each line, and the patches of the border around the picture are left out.
    """

    def order(self, visual: Visual) -> Tensor:
        (packed,), _ = self.pack([self._numbers(visual)[..., None]], visual["image_sizes"], torch.tensor([NOWHERE]))
        if not torch.equal(packed, packed.round()):
            raise NotApplicable("it mixes the patches of a large picture, so that its picture tokens have no places")
        return packed.long()

    def pack(self, numbers: list[Tensor], sizes: Tensor, ending: Tensor) -> tuple[list[Tensor], Tensor]:
        """Return the features of pictures as the network puts them in line.

        Args:
            numbers: features of the tiles of each picture, (tiles, patches, width).
            sizes: height and width of each picture, (n, 2).
            ending: the features that end a line, (width,).
        """
        packed: tuple[list[Tensor], Tensor] = self.network.model.pack_image_features(
            numbers, sizes, self.config.vision_feature_select_strategy, image_newline=ending
        )
        return packed

    def visual(self, inputs: PairInputs) -> dict[str, Tensor]:
        return {**super().visual(inputs), "image_sizes": inputs.others["image_sizes"]}


class OneVisionTokens(LlavaNextTokens):
    """Picture tokens of LLaVA-OneVision, which reads large pictures with fewer tokens."""

    def pack(self, numbers: list[Tensor], sizes: Tensor, ending: Tensor) -> tuple[list[Tensor], Tensor]:
        packed: tuple[list[Tensor], Tensor] = self.network.model.pack_image_features(
            numbers, sizes, image_newline=ending, vision_aspect_ratio=self.config.vision_aspect_ratio
        )
        return packed


class MllamaTokens(TiledTokens):
    """Patches of Mllama, which are no tokens: some layers of the language network cross-attend to them.

    The keys are the tiles one after another, each with a CLS token before its patches.
    """

    @property
    def blocks(self) -> Sequence[nn.Module]:
        return [*self.tower.transformer.layers, *self.tower.global_transformer.layers]

    @property
    def tower(self) -> Any:
        return self.network.model.vision_model

    def order(self, visual: Visual) -> Tensor:
        return self._numbers(visual).flatten()[:, None].long()

    def keys(self, ids: Tensor, visual: Visual) -> Tensor:
        numbers = self.order(visual)[:, 0]
        return numbers + numbers // self._per_tile(visual[WHOLE_INPUT]) + 1

    def shaped(self, tiles: Tensor, whole: Tensor) -> Tensor:
        return tiles.reshape(whole.shape)[:, None]  # one picture a conversation

    def visual(self, inputs: PairInputs) -> dict[str, Tensor]:
        shapes = {name: inputs.others[name] for name in ("aspect_ratio_ids", "aspect_ratio_mask")}
        return {**super().visual(inputs), **shapes}

    def states(self, inputs: PairInputs) -> Tensor:
        found = self.tower(**self.visual(inputs)).last_hidden_state
        states: Tensor = self.network.model.multi_modal_projector(found).flatten(1, 3)
        return states

    def passed(self, states: Tensor) -> dict[str, Any]:
        each = self.config.vision_config.image_size // self.patch_size
        return {"cross_attention_states": states.reshape(-1, each**2 + 1, states.shape[-1])}

    def attention_kind(self, module: str) -> AttentionKind | None:
        if LANGUAGE.fullmatch(module):
            return "text"
        return "cross" if _CROSS.fullmatch(module) else None

    def patch_states(self, hidden: Tensor, inputs: PairInputs) -> Tensor:
        whole = inputs.others[WHOLE_INPUT]
        tiles = hidden.reshape(len(inputs), whole.shape[1], -1, hidden.shape[-1])
        patches = tiles[:, :, 1 : self._per_tile(whole) + 1].flatten(1, 2)  # CLS comes first, padding last
        return patches[:, inputs.others[PARTS][0]].mean(2)
