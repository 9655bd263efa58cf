"""Conversations about one picture, in the words of a model's own chat template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from torch import Tensor
from transformers import BatchFeature, ProcessorMixin

from vlcheck.errors import UsageError
from vlcheck.models.answering import QUESTION

REQUEST = "Describe the picture."
SEEN = ("cross_attention_mask",)  # inputs that say token by token what is seen of a picture
_PER_TOKEN = ("input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids", *SEEN)


class Opening(NamedTuple):
    """How every conversation about a picture begins: all up to and including the picture.

    Attributes:
        inputs: of the network, for one picture.
        head: the tokens that stand for it before the processor makes one token for each part of the picture.
        length: how many tokens it has after that.
    """

    inputs: Mapping[str, Tensor]
    head: tuple[int, ...]
    length: int


class Chat:
    """A processor and its chat template.

    Args:
        processor: of text and pictures.
        image_token: the id that stands for a part of a picture.

    Raises:
        UsageError: the processor has no chat template.
    """

    def __init__(self, processor: ProcessorMixin, image_token: int, folder: Path) -> None:
        self.processor: Any = processor
        self.tokenizer: Any = self.processor.tokenizer
        self.image_token = image_token
        if not self.processor.chat_template:
            self.processor.chat_template = self.tokenizer.chat_template
        if not self.processor.chat_template:
            raise UsageError(
                f"{folder}: its processor has no chat template, by which a question is put to it; it belongs in"
                " chat_template.jinja beside the weights."
            )

    def asked(self, text: str) -> list[int]:
        """Tokens of the question whether the picture shows a text, up to where the answer begins."""
        return self._ids(self._question(text))

    def answered(self, text: str) -> list[int]:
        """Tokens of the request for a description and of a text as its answer, without what ends an answer."""
        answer = {"role": "assistant", "content": [{"type": "text", "text": text}]}
        return self._ids(self._rendered([_about_the_picture(REQUEST), answer], continue_final_message=True))

    def open(self, image: Image.Image) -> Opening:
        """What is read before any text about a picture."""
        asked = self._question("")
        inputs: BatchFeature = self.processor(
            text=[asked], images=[image.convert("RGB")], return_tensors="pt", **self._special(asked)
        )
        whole, ids = inputs["input_ids"][0].tolist(), self._ids(asked)
        after = len(whole) - max(place for place, token in enumerate(whole) if token == self.image_token) - 1
        pairs = list(zip(reversed(whole), reversed(ids), strict=False))[:after]
        common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        length = len(whole) - common
        cut = {name: tensor[:, :length] if name in _PER_TOKEN else tensor for name, tensor in inputs.items()}
        return Opening(cut, tuple(ids[: len(ids) - common]), length)

    def _question(self, text: str) -> str:
        return self._rendered([_about_the_picture(QUESTION.format(text=text))], add_generation_prompt=True)

    def _rendered(self, conversation: Sequence[Mapping[str, object]], **how: bool) -> str:
        rendered: str = self.processor.apply_chat_template(conversation, **how)
        return rendered

    def _ids(self, rendered: str) -> list[int]:
        return list(self.tokenizer(rendered, **self._special(rendered))["input_ids"])

    def _special(self, rendered: str) -> dict[str, bool]:
        """A template that writes the first token itself must not get a second one."""
        first = self.tokenizer.bos_token
        return {"add_special_tokens": False} if first and rendered.startswith(first) else {}


def _about_the_picture(text: str) -> dict[str, object]:
    return {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}
