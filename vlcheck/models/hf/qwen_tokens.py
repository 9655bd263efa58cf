"""The places of the picture tokens of Qwen2-VL and its successors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from transformers.modeling_outputs import BaseModelOutputWithPooling

from vlcheck.models.differentiable import WHOLE, PairInputs
from vlcheck.models.hf.picture_tokens import (
    WHOLE_INPUT,
    PlacedTokens,
    SquareTokens,
    Visual,
    boxes_of_patches,
    by_picture,
)


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
        boxes = boxes_of_patches(WHOLE, down * self._merged, across * self._merged)
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


@dataclass
class DeepOutputs(BaseModelOutputWithPooling):
    """The states of picture tokens with those for the first layers of the language network.

    Attributes:
        deepstack_features: for each of these layers the states of each picture, (tokens, width).
    """

    deepstack_features: Any = None


class DeepQwenTokens(QwenTokens):
    """Picture tokens of Qwen3-VL, which also come with states for the first layers of the language network."""

    def joined(self, outputs: Any, n: int) -> Tensor:
        parts = [outputs.pooler_output, *outputs.deepstack_features]
        return torch.cat([by_picture(part, n) for part in parts], dim=-1)

    def outputs(self, states: Tensor) -> Any:
        depth = 1 + len(self.config.vision_config.deepstack_visual_indexes)
        listed: Any = [[*part] for part in states.chunk(depth, dim=-1)]
        return DeepOutputs(pooler_output=listed[0], deepstack_features=listed[1:])
