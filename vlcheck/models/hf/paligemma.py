"""PaliGemma 1 and 2 (Beyer et al. 2024, arXiv:2407.07726; Steiner et al. 2024, arXiv:2412.03555)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import PaliGemmaForConditionalGeneration, PreTrainedModel

from vlcheck.models.adapters.autoregressive import check_length
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.tokenizing import check_plain, one_line
from vlcheck.models.hf.differentiable_writers import DifferentiablePaliGemma
from vlcheck.models.hf.prompting import Prompting


class PaliGemma(Prompting):
    """Adapter of a checkpoint that has prompts in place of a chat template: "answer en ..." and "caption en".

    Image and prompt attend to each other in both directions, up to the line break that ends the prompt. Therefore only
    the features of the vision tower can be kept for all texts of an image; each text is read together with them.
    """

    known = ("google/paligemma-3b-mix-224",)
    ask, describe = "answer en {question}", "caption en"

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        (self.line_break,) = self._ids("\n")

    def differentiable(self) -> DifferentiablePaliGemma:
        return DifferentiablePaliGemma(self)

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return PaliGemmaForConditionalGeneration

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Return the vision tower's features, (n, image tokens, width)."""
        return Features.of(self.network.model.get_image_features(self.pixels(images)["pixel_values"]).pooler_output)

    def asked(self, features: Features, row: int, text: str) -> Sequence[int]:
        return self.spelled(features.tensors[0].shape[1], self.question(text))

    def said(self, features: Features, row: int, text: str) -> Sequence[int]:
        return self.spelled(features.tensors[0].shape[1], self.describe, text)

    def logits(self, features: Features, image: int, ids: Tensor, keep: Tensor) -> Tensor:
        seen = features.tensors[0][image].expand(len(ids), -1, -1)
        return self.read(seen, ids, self.network.get_input_embeddings()(ids), keep)

    def read(self, seen: Tensor, ids: Tensor, embedded: Tensor, keep: Tensor) -> Tensor:
        """Return the logits of the next token at some positions of texts, (n, kept, vocab_size).

        Args:
            seen: features of the vision tower, (n, image tokens, width).
            ids: token ids of n texts, (n, tokens).
            embedded: their embeddings, (n, tokens, width).
            keep: the positions, (kept,), in range(tokens).
        """
        breaks = ids == self.line_break
        written = torch.cat([breaks.new_zeros(seen.shape[:2]), breaks.cumsum(-1) > breaks], dim=1)
        logits: Tensor = self.network(
            inputs_embeds=torch.cat([seen, embedded], dim=1),
            token_type_ids=written.long(),
            logits_to_keep=keep + seen.shape[1],
            use_cache=False,
        ).logits
        return logits

    def spelled(self, image_tokens: int, prompt: str, answer: str = "") -> list[int]:
        """Return the tokens of a prompt in one line and of its answer, after the token that begins every text.

        Args:
            image_tokens: number of tokens of the picture, which come before.
            prompt: the prompt.
            answer: the text that the model writes after it.

        Raises:
            NotApplicable: they are too long for the model, or hold a special token.
        """
        check_plain(prompt + answer, self.texts.signs)
        ids = [self.texts.tokenizer.bos_token_id, *self._ids(one_line(prompt)), *self._ids(answer)]
        check_length(image_tokens + len(ids), self.texts.limit)
        return ids

    def _ids(self, text: str) -> list[int]:
        return list(self.texts.tokenizer(text, add_special_tokens=False)["input_ids"])
