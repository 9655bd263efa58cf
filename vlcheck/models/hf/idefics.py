"""IDEFICS, an open Flamingo (Laurençon et al. 2023, arXiv:2306.16527): gated cross-attention to the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import BatchFeature, IdeficsForVisionText2Text, PreTrainedModel

from vlcheck.models.adapters.autoregressive import check_length
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.tokenizing import check_plain
from vlcheck.models.hf.prompting import Prompting

_PICTURE = "<fake_token_around_image><image><fake_token_around_image>"


class Idefics(Prompting):
    """Adapter of a checkpoint that has prompts in place of a chat template.

    The states of a picture are kept; each text is read together with them.
    """

    known = ("HuggingFaceM4/idefics-9b", "HuggingFaceM4/idefics-9b-instruct")
    ask, describe = "Question: {question} Answer:", "A picture of"

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.image_token: int = self.texts.tokenizer.get_vocab()["<image>"]
        resampler = self.network.config.use_resampler
        self._given = "perceiver_embeddings" if resampler else "image_encoder_embeddings"

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return IdeficsForVisionText2Text

    def prepared(self, images: Sequence[Image.Image]) -> BatchFeature:
        return BatchFeature({"pixel_values": super().prepared(images)})  # this processor makes the tensor alone

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Return the states of the vision network, resampled if the network does so, (n, image tokens, width)."""
        net, pixels = self.network.model, self.pixels(images)["pixel_values"]
        states = net.vision_model(pixel_values=pixels).last_hidden_state
        return Features.of(net.perceiver_resampler(states) if net.config.use_resampler else states)

    def asked(self, features: Features, row: int, text: str) -> Sequence[int]:
        return self._spelled(self.question(text), text)

    def said(self, features: Features, row: int, text: str) -> Sequence[int]:
        return self._spelled(f"{self.describe} {text}", text)

    def logits(self, features: Features, image: int, ids: Tensor, keep: Tensor) -> Tensor:
        pictured = torch.eq(ids, self.image_token)
        logits: Tensor = self.network(
            input_ids=ids,
            image_attention_mask=pictured.cumsum(1)[..., None],
            logits_to_keep=keep,
            use_cache=False,
            **{self._given: features.tensors[0][image].expand(len(ids), -1, -1)},
        ).logits
        return logits

    def _spelled(self, prompt: str, text: str) -> list[int]:
        """Return the tokens of a prompt about a picture, which comes first.

        Raises:
            NotApplicable: the prompt is too long for the model, or the text in it holds a special token.
        """
        check_plain(text, self.texts.signs)
        tokenizer = self.texts.tokenizer
        written = f"{tokenizer.bos_token}{_PICTURE}{prompt}"
        ids = list(tokenizer(written, add_special_tokens=False)["input_ids"])
        check_length(len(ids), self.texts.limit)
        return ids
