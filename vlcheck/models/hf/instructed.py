"""Networks that read a picture together with a prompt before they write: with an encoder, or with a Q-Former."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from PIL import Image
from torch import Tensor
from transformers import PreTrainedModel

from vlcheck.models.adapters.autoregressive import check_length
from vlcheck.models.adapters.base import log_softmax
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.huggingface import Hosted
from vlcheck.models.adapters.tokenizing import check_plain
from vlcheck.models.adapters.yes_no import Answering, spellings
from vlcheck.models.loading.pretrained import Pretrained


class Instructed(Answering, Hosted):
    """The base class of adapters whose network reads the picture and the prompt together, and then writes the answer.

    The states of the vision network are kept for all texts of a picture. Each question is read with them anew; all
    descriptions of a picture share one prompt, which is read once for the descriptions that are compared.

    Attributes:
        ask: the prompt of the yes-no question, with "{question}".
        describe: the prompt of a description, which the compared texts answer.
    """

    kinds = MappingProxyType({"itm": "yes-no", "mlm": "candidates"})
    max_pairs = 16
    ask: ClassVar[str]
    describe: ClassVar[str]

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.yes, self.no = (spellings(self.texts.tokenizer, word) for word in ("yes", "no"))

    @classmethod
    def viewer(cls, checkpoint: Pretrained, network: PreTrainedModel) -> Any:
        """Load the whole processor: its image processor alone does not prepare the prompt."""
        super().viewer(checkpoint, network)
        return checkpoint.processor()

    @property
    def start(self) -> int:
        """The token that the answer begins after."""
        raise NotImplementedError

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Return the states of the vision network, (n, image tokens, width)."""
        return Features.of(self.states(self.pixels(images)["pixel_values"]))

    def asked(self, features: Features, row: int, text: str) -> Sequence[int]:
        return self._spelled(self.question(text))

    def said(self, features: Features, row: int, text: str) -> Sequence[int]:
        check_plain(text, self.texts.signs)
        answer = self._spelled(text)
        check_length(len(answer) + len(self._spelled(self.describe)), self.texts.limit)
        return [self.start, *answer]

    def question(self, text: str) -> str:
        """Return the prompt that asks whether a picture shows a text.

        Raises:
            NotApplicable: the prompt is too long for the model, or the text holds a special token.
        """
        check_plain(text, self.texts.signs)
        prompt = self.ask.format(question=self.wording.format(text=text))
        check_length(len(self._spelled(prompt)), self.texts.limit)
        return prompt

    def logits(self, features: Features, image: int, ids: Tensor, keep: Tensor) -> Tensor:
        return self.written(features.tensors[0][image], [self.describe], ids, keep)

    @abstractmethod
    def states(self, pixels: Tensor) -> Tensor:
        """Return what the network computes from pictures alone, (n, image tokens, width).

        Args:
            pixels: n pictures, (n, 3, height, width).
        """

    @abstractmethod
    def written(self, seen: Tensor, prompts: Sequence[str], ids: Tensor, keep: Tensor) -> Tensor:
        """Return the logits of the next token at some positions of answers about one picture, (n, kept, vocab_size).

        Args:
            seen: the states of the picture, (image tokens, width).
            prompts: n prompts, or one for all answers.
            ids: token ids of n answers, (n, tokens); each begins with `start`.
            keep: the positions, (kept,), in range(tokens).
        """

    def _yes_and_no(self, features: Features, texts: Sequence[str]) -> Tensor:
        prompts = [self.question(text) for text in texts]
        found = torch.zeros(2, len(texts), dtype=torch.float64)
        for image, rows in self._by_image(features, range(len(texts))):
            begun, _ = self._padded([[self.start]] * len(rows))
            seen = features.tensors[0][image]
            logits = self.written(seen, [prompts[row] for row in rows], begun, begun.new_zeros(1))
            probs = log_softmax(logits[:, 0]).double().exp()
            found[:, rows] = torch.stack([probs[:, words].sum(-1) for words in (self.yes, self.no)]).cpu()
        return found

    def _spelled(self, text: str) -> list[int]:
        """Return the token ids of a text, without any tokens of the tokenizer."""
        return list(self.texts.tokenizer(text, add_special_tokens=False)["input_ids"])
