"""Networks that read a picture together with a prompt before they write: with an encoder, or with a Q-Former."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import PreTrainedModel

from vlcheck.models.adapters.autoregressive import check_length
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.huggingface import Hosted
from vlcheck.models.adapters.tokenizing import check_plain
from vlcheck.models.hf.prompting import Prompting
from vlcheck.models.loading.pretrained import Pretrained


@dataclass(frozen=True, eq=False)
class Instructable(Features):
    """The states of pictures, with the prompts that they have been read with.

    Attributes:
        prompts: prompt -> its number, below 0, so that it is no token id; shared by all selections of the same images.
    """

    prompts: dict[str, int] = field(default_factory=dict)

    def number(self, prompt: str) -> int:
        """Return the number of a prompt."""
        return self.prompts.setdefault(prompt, -1 - len(self.prompts))


class WholeProcessor(Hosted):
    """The base class of adapters whose processor prepares prompts, too."""

    @classmethod
    def viewer(cls, checkpoint: Pretrained, network: PreTrainedModel) -> Any:
        super().viewer(checkpoint, network)  # refuses a detector of regions
        return checkpoint.processor()


class Instructed(Prompting):
    """The base class of adapters whose network reads the picture and the prompt together, and then writes the answer.

    The states of the vision network are kept for all texts of a picture. Each question is read with them anew; all
    descriptions of a picture share one prompt, which is read once for the descriptions that are compared. In a row of
    token ids, the number of a prompt stands for it, since more than one tokenizer may read it.
    """

    @property
    def start(self) -> int:
        """The token that the answer begins after."""
        raise NotImplementedError

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Instructable:
        """Return the states of the vision network, (n, image tokens, width)."""
        return Instructable.of(self.states(self.pixels(images)["pixel_values"]))

    def asked(self, features: Features, row: int, text: str) -> Sequence[int]:
        check_plain(text, self.texts.signs)
        prompt = self.question(text)
        check_length(len(self._spelled(prompt)), self.texts.limit)
        return [_instructable(features).number(prompt), self.start]

    def said(self, features: Features, row: int, text: str) -> Sequence[int]:
        check_plain(text, self.texts.signs)
        answer = self._spelled(text)
        check_length(len(answer) + len(self._spelled(self.describe)), self.texts.limit)
        return [_instructable(features).number(self.describe), self.start, *answer]

    def logits(self, features: Features, image: int, ids: Tensor, keep: Tensor) -> Tensor:
        texts = {number: prompt for prompt, number in _instructable(features).prompts.items()}
        prompts = [texts[number] for number in ids[:, 0].tolist()]
        alike = len({*prompts}) == 1
        return self.written(features.tensors[0][image], prompts[:1] if alike else prompts, ids[:, 1:], keep - 1)

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

    def _spelled(self, text: str) -> list[int]:
        """Return the token ids of a text, without any tokens of the tokenizer."""
        return list(self.texts.tokenizer(text, add_special_tokens=False)["input_ids"])


def _instructable(features: Features) -> Instructable:
    if not isinstance(features, Instructable):
        raise TypeError(f"a model with prompts needs images that it encoded itself, not {type(features).__name__}")
    return features
