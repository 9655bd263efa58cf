"""The places of the picture tokens of generative networks in a picture, by family."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import fold, pad, unfold
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.qwen3_vl.modeling_qwen3_vl import BaseModelOutputWithDeepstackFeatures

from vlcheck.cases.box import Box
from vlcheck.errors import NotApplicable
from vlcheck.models.adapters.measured_frames import measured_frames
from vlcheck.models.differentiable import ImageLayout, PairInputs

PARTS = "parts"  # (n, units, k): the patches of each unit
WHOLE_INPUT = "pixel_values"
_NOWHERE = -1
_TINY = 1e-30
_SELF_ATTENTION = ("self_attn", "attention")  # names of attention in the blocks of vision towers

Visual = Mapping[str, Tensor]


class PlacedTokens(NamedTuple):
    """The picture tokens of one picture that show a part of it: its units.

    Attributes:
        layout: their places.
        parts: the patches that each is made of, (units, k), numbered through all tiles.
        kept: for each picture token, True if it is a unit; a token that ends a line is none.
    """

    layout: ImageLayout
    parts: Tensor
    kept: Tensor


class SquareTokens:
    """Picture tokens of networks that read the picture as one rectangle: a token for each patch, row by row.

    The base of the other families. `pixels` are (n, 3, height, width).

    Args:
        network: the network.
        prepare: returns the network's inputs for a picture, with a batch of one.
    """

    def __init__(self, network: Any, prepare: Callable[[Image.Image], Visual]) -> None:
        self.network, self.config = network, network.config
        self._prepare = prepare
        self._frames: dict[tuple[int, int], list[Box | None]] = {}

    @property
    def blocks(self) -> Sequence[nn.Module]:
        """The blocks of the vision tower, up to the last one whose states are read."""
        blocks = [*longest_list(self.tower)]
        layer = getattr(self.config, "vision_feature_layer", -1)
        last = max(number if number >= 0 else len(blocks) + 1 + number for number in _listed(layer))
        return blocks[:last]

    @property
    def tower(self) -> nn.Module:
        """The vision tower."""
        tower: nn.Module = self.network.model.vision_tower
        return tower

    @property
    def patch_size(self) -> int:
        """The side of a patch in pixels."""
        return int(_listed(self.config.vision_config.patch_size)[0])

    def place(self, image: Image.Image, visual: Visual, tokens: int | None = None) -> PlacedTokens:
        """Return the units of a picture.

        Args:
            image: the picture.
            visual: the network's inputs for it.
            tokens: number of its picture tokens; None if each patch is known to be one.

        Raises:
            NotApplicable: the tokens are not those that the family is known to make.
        """
        order = self.order(visual)
        if tokens is not None and len(order) != tokens:
            raise NotApplicable(
                f"the places of its picture tokens are not known: it makes {tokens}, and its patches {len(order)}"
            )
        boxes = self.patch_boxes(image, visual)
        kept = (order != _NOWHERE).all(1) & ~boxes[order].isnan().any(2).any(1)
        parts = order[kept]
        return PlacedTokens(ImageLayout(tuple(map(_around, boxes[parts])), self.grid(visual)), parts, kept)

    def grid(self, visual: Visual) -> tuple[int, int] | None:
        """Return rows and columns of the units of a picture; None if they are no grid."""
        return self._patches(visual)

    def order(self, visual: Visual) -> Tensor:
        """Return the patches that each picture token is made of, (tokens, k); -1 for a token without a place."""
        rows, columns = self._patches(visual)
        return torch.arange(rows * columns)[:, None]

    def patch_boxes(self, image: Image.Image, visual: Visual) -> Tensor:
        """Return the box of each patch as x, y, width and height in fractions of the picture, (patches, 4).

        Args:
            image: the picture.
            visual: the network's inputs for it.
        """
        if image.size not in self._frames:
            self._frames[image.size] = measured_frames(lambda one: self.tiles(self._prepare(one)), image.size)
        rows, columns = self._patches(visual)
        return torch.cat([_patch_boxes(frame, rows, columns) for frame in self._frames[image.size]])

    def tiles(self, visual: Visual) -> Tensor:
        """Return the tiles of one picture, (tiles, 3, height, width)."""
        return visual[WHOLE_INPUT].flatten(0, -4)

    def pixels(self, visual: Visual, placed: PlacedTokens) -> Tensor:
        """Return the pixels that are explained, with a batch of one.

        Args:
            visual: the network's inputs for a picture.
            placed: the units of the picture.
        """
        return visual[WHOLE_INPUT]

    def visual(self, inputs: PairInputs) -> dict[str, Tensor]:
        """Return the network's inputs for pictures, as its `get_image_features` takes them."""
        return {WHOLE_INPUT: inputs.pixels}

    def states(self, outputs: Any, n: int) -> Tensor:
        """Return the states of picture tokens, (n, tokens, width).

        Args:
            outputs: the output of the network's `get_image_features`.
            n: number of pictures.
        """
        return _by_picture(outputs.pooler_output, n)

    def outputs(self, states: Tensor) -> Any:
        """Return states of picture tokens in the form in which the network takes them."""
        listed: Any = [*states]
        return BaseModelOutputWithPooling(pooler_output=listed)

    def patch_states(self, hidden: Tensor, inputs: PairInputs) -> Tensor:
        """Return the mean state of each unit's patches, (n, units, width).

        Args:
            hidden: states of all tiles, (n tiles, tokens, width); tokens beyond the patches come first.
            inputs: the n pairs.
        """
        rows, columns = self._patches({WHOLE_INPUT: self._first(inputs)})
        patches = hidden[:, hidden.shape[1] - rows * columns :].reshape(len(inputs), -1, hidden.shape[-1])
        return patches[:, inputs.others[PARTS][0]].mean(2)

    @property
    def attentions(self) -> frozenset[str]:
        """The names of the modules of the vision tower in which all patches of a picture read one another."""
        read = {module for block in self.blocks for name, module in block.named_children() if name in _SELF_ATTENTION}
        return frozenset(name for name, module in self.network.named_modules() if module in read)

    def image_keys(self, attention: Tensor, inputs: PairInputs) -> Tensor:
        """Return the maps of `attentions` over the units, (..., units): the sum over the patches of each.

        Args:
            attention: (..., tokens); tokens beyond the patches come first.
            inputs: the n pairs.
        """
        rows, columns = self._patches({WHOLE_INPUT: self._first(inputs)})
        return attention[..., attention.shape[-1] - rows * columns :][..., inputs.others[PARTS][0]].sum(-1)

    def others(self, visual: Visual) -> dict[str, Tensor]:
        """Return the inputs for one picture that are kept beside its pixels, with a batch of one.

        Args:
            visual: the network's inputs for the picture.
        """
        return {name: tensor for name, tensor in visual.items() if name != WHOLE_INPUT}

    def _first(self, inputs: PairInputs) -> Tensor:
        """Return the input for pictures, of which the last two axes are height and width in pixels."""
        return inputs.pixels

    def _patches(self, visual: Visual) -> tuple[int, int]:
        """Return rows and columns of the patches of a tile."""
        height, width = visual[WHOLE_INPUT].shape[-2:]
        return height // self.patch_size, width // self.patch_size


class BlipTokens(SquareTokens):
    """Patches of BLIP."""

    @property
    def tower(self) -> nn.Module:
        tower: nn.Module = self.network.vision_model
        return tower


class PooledTokens(SquareTokens):
    """Picture tokens of Gemma 3: the mean of the patches in each cell of a square grid."""

    def grid(self, visual: Visual) -> tuple[int, int]:
        side = round(self.config.mm_tokens_per_image**0.5)
        return side, side

    def order(self, visual: Visual) -> Tensor:
        (rows, columns), (down, across) = self._patches(visual), self.grid(visual)
        numbers = torch.arange(rows * columns).view(down, rows // down, across, columns // across)
        return numbers.transpose(1, 2).flatten(2).flatten(0, 1)

    def outputs(self, states: Tensor) -> Any:
        return BaseModelOutputWithPooling(pooler_output=states)


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
        return tiles.where(tiles != 0, _TINY).reshape(whole.shape)

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
        (packed,), _ = self.pack([self._numbers(visual)[..., None]], visual["image_sizes"], torch.tensor([_NOWHERE]))
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


class QwenTokens(SquareTokens):
    """Picture tokens of Qwen2-VL and its successors: squares of some patches, row by row; a patch is a row of pixels.

    `pixels` are (n, units, width): a row has all pixels of a unit, patch by patch.
    """

    @property
    def attentions(self) -> frozenset[str]:
        return frozenset()  # its vision tower reads several pictures as one row, window by window

    @property
    def blocks(self) -> Sequence[nn.Module]:
        return [*self.network.model.visual.blocks]

    def grid(self, visual: Visual) -> tuple[int, int]:
        _, rows, columns = visual["image_grid_thw"][0].tolist()
        return rows // self._merged, columns // self._merged

    def order(self, visual: Visual) -> Tensor:
        return torch.arange(len(visual[WHOLE_INPUT])).view(-1, self._merged**2)

    def patch_boxes(self, image: Image.Image, visual: Visual) -> Tensor:
        down, across = self.grid(visual)
        boxes = _patch_boxes(Box(0, 0, 1, 1), down * self._merged, across * self._merged)
        numbers = torch.arange(len(boxes)).view(down, self._merged, across, self._merged)
        return boxes[numbers.transpose(1, 2).flatten()]

    def pixels(self, visual: Visual, placed: PlacedTokens) -> Tensor:
        return visual[WHOLE_INPUT][placed.parts].flatten(1)[None]

    def visual(self, inputs: PairInputs) -> dict[str, Tensor]:
        n, units, width = inputs.pixels.shape
        patches = inputs.pixels.reshape(n * units * self._merged**2, width // self._merged**2)
        return {WHOLE_INPUT: patches, "image_grid_thw": inputs.others["image_grid_thw"]}

    def patch_states(self, hidden: Tensor, inputs: PairInputs) -> Tensor:
        return hidden.reshape(len(inputs), -1, self._merged**2, hidden.shape[-1]).mean(2)

    @property
    def _merged(self) -> int:
        """The side of a unit in patches."""
        return int(self.config.vision_config.spatial_merge_size)


class WindowedQwenTokens(QwenTokens):
    """Picture tokens of Qwen2.5-VL, whose vision tower reads them window by window."""

    def patch_states(self, hidden: Tensor, inputs: PairInputs) -> Tensor:
        vision = self.config.vision_config
        side = vision.window_size // vision.patch_size // self._merged
        down, across = self.grid(inputs.others)
        units = [(row, column) for row in range(down) for column in range(across)]
        windows = sorted(units, key=lambda unit: (unit[0] // side, unit[1] // side, unit))
        places = [windows.index(unit) for unit in units]
        return super().patch_states(hidden, inputs)[:, places]


class DeepQwenTokens(QwenTokens):
    """Picture tokens of Qwen3-VL, which also come with states for the first layers of the language network."""

    def states(self, outputs: Any, n: int) -> Tensor:
        parts = [outputs.pooler_output, *outputs.deepstack_features]
        return torch.cat([_by_picture(part, n) for part in parts], dim=-1)

    def outputs(self, states: Tensor) -> Any:
        depth = 1 + len(self.config.vision_config.deepstack_visual_indexes)
        listed: Any = [[*part] for part in states.chunk(depth, dim=-1)]
        return BaseModelOutputWithDeepstackFeatures(pooler_output=listed[0], deepstack_features=listed[1:])


FAMILIES: Mapping[str, type[SquareTokens]] = MappingProxyType(
    {
        "Gemma3ForConditionalGeneration": PooledTokens,
        "Idefics3ForConditionalGeneration": IdeficsTokens,
        "InternVLForConditionalGeneration": InternTokens,
        "LlavaForConditionalGeneration": SquareTokens,
        "LlavaNextForConditionalGeneration": LlavaNextTokens,
        "LlavaOnevisionForConditionalGeneration": OneVisionTokens,
        "Qwen2VLForConditionalGeneration": QwenTokens,
        "Qwen2_5_VLForConditionalGeneration": WindowedQwenTokens,
        "Qwen3VLForConditionalGeneration": DeepQwenTokens,
        "SmolVLMForConditionalGeneration": IdeficsTokens,
    }
)


def longest_list(tower: nn.Module) -> nn.ModuleList:
    """Return the longest list of modules in a vision tower, which is that of its blocks."""
    return max((part for part in tower.modules() if isinstance(part, nn.ModuleList)), key=len)


def _by_picture(states: Sequence[Tensor], n: int) -> Tensor:
    """Return states of picture tokens, in parts of any size, as (n, tokens, width)."""
    every = torch.cat([*states])
    return every.reshape(n, -1, every.shape[-1])


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _patch_boxes(frame: Box | None, rows: int, columns: int) -> Tensor:
    """Return the boxes of a tile's patches, row by row, (patches, 4); NaN if the tile shows nothing."""
    if frame is None:
        return torch.full((rows * columns, 4), torch.nan)
    return torch.tensor([[*one] for one in ImageLayout.of_grid(rows, columns, frame).boxes])


def _around(boxes: Tensor) -> Box:
    """Return the box around boxes, (k, 4)."""
    low, high = boxes[:, :2].amin(0), (boxes[:, :2] + boxes[:, 2:]).amax(0)
    (x, y), (width, height) = low.tolist(), (high - low).tolist()
    return Box(x, y, width, height)
