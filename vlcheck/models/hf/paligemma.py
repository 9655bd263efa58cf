"""PaliGemma 1 and 2 (Beyer et al. 2024, arXiv:2407.07726; Steiner et al. 2024, arXiv:2412.03555)."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import PaliGemmaForConditionalGeneration, PreTrainedModel

from vlcheck.models.adapters.autoregressive import check_length
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.huggingface import Hosted
from vlcheck.models.adapters.tokenizing import check_plain
from vlcheck.models.adapters.yes_no import QUESTION, Answering, spellings


class PaliGemma(Answering, Hosted):
    """Adapter of a checkpoint that has prompts in place of a chat template: "answer en ..." and "caption en".

    Image and prompt attend to each other in both directions, up to the line break that ends the prompt. Therefore only
    the features of the vision tower can be kept for all texts of an image; each text is read together with them.
    """

    kinds = MappingProxyType({"itm": "yes-no", "mlm": "candidates"})
    known = ("google/paligemma-3b-mix-224",)
    max_pairs = 16
    prompts = (QUESTION,)

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.yes, self.no = (spellings(self.texts.tokenizer, word) for word in ("yes", "no"))
        (self.line_break,) = self._ids("\n")

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return PaliGemmaForConditionalGeneration

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Return the vision tower's features, (n, image tokens, width)."""
        return Features.of(self.network.model.get_image_features(self.pixels(images)["pixel_values"]).pooler_output)

    def asked(self, features: Features, row: int, text: str) -> Sequence[int]:
        return self._after(features, "answer en " + QUESTION.format(text=text))

    def said(self, features: Features, row: int, text: str) -> Sequence[int]:
        return self._after(features, "caption en", text)

    def logits(self, features: Features, image: int, ids: Tensor, keep: Tensor) -> Tensor:
        seen = features.tensors[0][image].expand(len(ids), -1, -1)
        breaks = ids == self.line_break
        written = torch.cat([breaks.new_zeros(seen.shape[:2]), breaks.cumsum(-1) > breaks], dim=1)
        logits: Tensor = self.network(
            inputs_embeds=torch.cat([seen, self.network.get_input_embeddings()(ids)], dim=1),
            token_type_ids=written.long(),
            logits_to_keep=keep + seen.shape[1],
            use_cache=False,
        ).logits
        return logits

    def _after(self, features: Features, prompt: str, answer: str = "") -> Sequence[int]:
        """Return the tokens of a prompt in one line and of its answer, after the token that begins every text."""
        check_plain(prompt + answer, self.texts.signs)
        ids = [self.texts.tokenizer.bos_token_id, *self._ids(" ".join(prompt.split()) + "\n"), *self._ids(answer)]
        check_length(features.tensors[0].shape[1] + len(ids), self.texts.limit)
        return ids

    def _ids(self, text: str) -> list[int]:
        return list(self.texts.tokenizer(text, add_special_tokens=False)["input_ids"])
