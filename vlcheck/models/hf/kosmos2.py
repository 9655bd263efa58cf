"""Kosmos-2 (Peng et al. 2023, arXiv:2306.14824)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import Kosmos2ForConditionalGeneration, PreTrainedModel

from vlcheck.models.adapters.autoregressive import check_length
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.tokenizing import check_plain
from vlcheck.models.hf.prompting import Prompting


class Kosmos2(Prompting):
    """Adapter of a checkpoint that has prompts in place of a chat template.

    The states of a picture are kept; each text is read together with them.
    """

    known = ("microsoft/kosmos-2-patch14-224",)
    ask, describe = "Question: {question} Answer:", "An image of"

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        tokenizer, places = self.texts.tokenizer, self.network.config.latent_query_num
        # Its special tokens, such as <phrase>, are not marked as special.
        self.texts.signs = (*self.texts.signs, *tokenizer.get_added_vocab())
        # The ids at the places of the picture are not read.
        self.head = [tokenizer.bos_token_id, tokenizer.get_vocab()["<image>"], *[tokenizer.unk_token_id] * places]

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return Kosmos2ForConditionalGeneration

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Return the projected states of the vision network, (n, queries, width)."""
        return Features.of(self.network.get_image_features(self.pixels(images)["pixel_values"]).pooler_output)

    def asked(self, features: Features, row: int, text: str) -> Sequence[int]:
        check_plain(text, self.texts.signs)
        return self._spelled(self.question(text))

    def said(self, features: Features, row: int, text: str) -> Sequence[int]:
        check_plain(text, self.texts.signs)
        return self._spelled(f"{self.describe} {text}")

    def logits(self, features: Features, image: int, ids: Tensor, keep: Tensor) -> Tensor:
        seen = features.tensors[0][image].repeat(len(ids), 1, 1)
        places = torch.zeros_like(ids)
        places[:, 2 : 2 + seen.shape[1]] = 1
        with _masks_in(self.network.dtype):
            logits: Tensor = self.network(
                image_embeds=seen,
                image_embeds_position_mask=places,
                input_ids=ids,
                logits_to_keep=keep,
                use_cache=False,
            ).logits
        return logits

    def _spelled(self, text: str) -> list[int]:
        """Return the tokens of the picture and of a text after it. Raises NotApplicable if they are too many."""
        ids = [*self.head, *self.texts.tokenizer(f"</image> {text}", add_special_tokens=False)["input_ids"]]
        check_length(len(ids), self.texts.limit)
        return ids


@contextmanager
def _masks_in(dtype: torch.dtype) -> Iterator[None]:
    """Make masks in float64 for a network in float64: transformers makes Kosmos-2's in torch's default, and overflows.

    Args:
        dtype: the network's dtype.
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.promote_types(dtype, torch.float32))
    try:
        yield
    finally:
        torch.set_default_dtype(before)
