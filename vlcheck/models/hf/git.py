"""GIT (Wang et al. 2022, arXiv:2205.14100): the patches of a picture come before a text that is written after them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import DynamicCache, GitForCausalLM, PreTrainedModel

from vlcheck.models.adapters.autoregressive import check_length
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.tokenizing import check_plain
from vlcheck.models.hf.prompting import Prompting


class Git(Prompting):
    """Adapter of a checkpoint that continues a question by its answer, and writes a caption after nothing.

    A picture is read once: the keys and values of its patches are kept, which attend to no text.
    """

    known = ("microsoft/git-base-vqav2", "microsoft/git-base-coco")

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return GitForCausalLM

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Return keys and values of the patches, (n, layers, 2, heads, patches, size)."""
        pixels, cache = self.pixels(images)["pixel_values"], DynamicCache(config=self.network.config)
        begun = torch.full((len(pixels), 1), self.texts.tokenizer.cls_token_id, device=pixels.device)
        self.network(input_ids=begun, pixel_values=pixels, cache=cache, use_cache=True, logits_to_keep=1)
        layers: Sequence[Any] = cache.layers
        states = torch.stack([torch.stack([one.keys, one.values], 1) for one in layers], 1)
        return Features.of(states[..., :-1, :])  # without those of the text

    def asked(self, features: Features, row: int, text: str) -> Sequence[int]:
        return self._spelled(self.question(text))

    def said(self, features: Features, row: int, text: str) -> Sequence[int]:
        return self._spelled(text)

    def logits(self, features: Features, image: int, ids: Tensor, keep: Tensor) -> Tensor:
        cache = DynamicCache(config=self.network.config)
        for number, states in enumerate(features.tensors[0][image]):
            keys, values = (state.expand(len(ids), *state.shape) for state in states)
            cache.update(keys, values, number)
        places = torch.arange(ids.shape[1], device=ids.device)[None]  # the patches have positions of their own
        logits: Tensor = self.network(
            input_ids=ids, position_ids=places, cache=cache, use_cache=True, logits_to_keep=keep
        ).logits
        return logits

    def _spelled(self, text: str) -> list[int]:
        """Return the tokens of a text after [CLS].

        Raises:
            NotApplicable: the text is too long for the model, or holds a special token.
        """
        check_plain(text, self.texts.signs)
        ids = self.texts.tokenizer(text, add_special_tokens=False)["input_ids"]
        check_length(len(ids) + 1, self.texts.limit)
        return [self.texts.tokenizer.cls_token_id, *ids]
