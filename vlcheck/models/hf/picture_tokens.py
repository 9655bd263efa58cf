"""The places of picture tokens in a picture that a network reads as one rectangle; the base of other families."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from PIL import Image
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutputWithPooling

from vlcheck.cases.box import Box
from vlcheck.errors import NotApplicable
from vlcheck.models.adapters.measured_frames import measured_frames
from vlcheck.models.differentiable import WHOLE, AttentionKind, ImageLayout, PairInputs

PARTS = "parts"  # (n, units, k): the patches of each unit
WHOLE_INPUT = "pixel_values"
NOWHERE = -1
LANGUAGE = re.compile(r"model\.(language_model|text_model)\.layers\.\d+\.self_attn")
_SELF_ATTENTION = ("self_attn", "attention")  # names of attention in the blocks of vision towers

Visual = Mapping[str, Tensor]


class PlacedTokens(NamedTuple):
    """The picture tokens of one picture that show a part of it: its units.

    Attributes:
        layout: their places.
        parts: the patches that each is made of, (units, k), numbered through all tiles.
        keys: their places among the keys of the language network's attention, (units,).
    """

    layout: ImageLayout
    parts: Tensor
    keys: Tensor


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

    def place(self, image: Image.Image, visual: Visual, keys: Tensor | None = None) -> PlacedTokens:
        """Return the units of a picture: of picture tokens that are no grid, those that show a part of it.

        Args:
            image: the picture.
            visual: the network's inputs for it.
            keys: the place of each of its picture tokens among the keys; None if these are the patches alone.

        Raises:
            NotApplicable: the tokens are not those that the family is known to make.
        """
        order = self.order(visual)
        keys = torch.arange(len(order)) if keys is None else keys
        if len(order) != len(keys):
            raise NotApplicable(
                f"the places of its picture tokens are not known: it makes {len(keys)}, and its patches {len(order)}"
            )
        grid, boxes = self.grid(visual), [*map(_around, self.patch_boxes(image, visual)[order])]
        kept = [
            number
            for number, (patches, box) in enumerate(zip(order.tolist(), boxes, strict=True))
            if NOWHERE not in patches and (grid is not None or box.meets(WHOLE))  # a grid has no gaps
        ]
        return PlacedTokens(ImageLayout(tuple(boxes[number] for number in kept), grid), order[kept], keys[kept])

    def keys(self, ids: Tensor, visual: Visual) -> Tensor:
        """Return the places of the picture tokens of a conversation among the keys of the language network, (tokens,).

        Args:
            ids: the token ids of the conversation, (length,).
            visual: the network's inputs for the picture.
        """
        places: Tensor = (ids == self.config.image_token_id).nonzero()[:, 0]
        return places

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
        return torch.cat([boxes_of_patches(frame, rows, columns) for frame in self._frames[image.size]])

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

    def states(self, inputs: PairInputs) -> Tensor:
        """Return the states of the picture tokens, (n, tokens, width)."""
        return self.joined(self.network.model.get_image_features(**self.visual(inputs)), len(inputs))

    def joined(self, outputs: Any, n: int) -> Tensor:
        """Return the output of the network's `get_image_features` as one tensor, (n, tokens, width).

        Args:
            outputs: the output.
            n: number of pictures.
        """
        return by_picture(outputs.pooler_output, n)

    def passed(self, states: Tensor) -> dict[str, Any]:
        """Return the network's inputs that take the place of pictures, given the states of their tokens."""
        return {"mm_encoder_outputs": {"image": self.outputs(states)}}

    def outputs(self, states: Tensor) -> Any:
        """Return the states of picture tokens as `get_image_features` returns them."""
        listed: Any = [*states]
        return BaseModelOutputWithPooling(pooler_output=listed)

    def attention_kind(self, module: str) -> AttentionKind | None:
        """Return which tokens read which in the attention of a module of the language network; None if it has none."""
        return "joint" if LANGUAGE.fullmatch(module) else None

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


def longest_list(tower: nn.Module) -> nn.ModuleList:
    """Return the longest list of modules in a vision tower, which is that of its blocks."""
    return max((part for part in tower.modules() if isinstance(part, nn.ModuleList)), key=len)


def by_picture(states: Sequence[Tensor], n: int) -> Tensor:
    """Return the states of the picture tokens of n pictures as one tensor, (n, tokens, width).

    Args:
        states: the states in parts of any size, each (..., width), in the order of the pictures.
        n: number of pictures.
    """
    every = torch.cat([*states])
    return every.reshape(n, -1, every.shape[-1])


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


def boxes_of_patches(frame: Box | None, rows: int, columns: int) -> Tensor:
    """Return the boxes of a tile's patches, row by row, (patches, 4): x, y, width and height.

    Args:
        frame: the part of the picture that the tile shows; None if it shows nothing, and the boxes lie outside.
        rows: number of rows.
        columns: number of columns.
    """
    frame = Box(1, 1, 1, 1) if frame is None else frame
    return torch.tensor(ImageLayout.of_grid(rows, columns, frame).boxes, dtype=torch.float64)


def _around(boxes: Tensor) -> Box:
    """Return the box around boxes, (k, 4), each x, y, width and height."""
    low, high = boxes[:, :2].amin(0), (boxes[:, :2] + boxes[:, 2:]).amax(0)
    (x, y), (width, height) = low.tolist(), (high - low).tolist()
    return Box(x, y, width, height)
