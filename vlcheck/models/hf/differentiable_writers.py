"""BLIP's captioning network and PaliGemma for explanations: they write text after prompts of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import torch
from PIL import Image
from torch import Tensor

from vlcheck.models.adapters.differentiable import kind_by_name, output_replaced
from vlcheck.models.adapters.tokenizing import one_line, tokens_within
from vlcheck.models.adapters.writer_differentiable import (
    DifferentiableAnswerer,
    DifferentiableWriter,
    Written,
    text_with_word,
)
from vlcheck.models.differentiable import AttentionKind, PairInputs
from vlcheck.models.hf.picture_tokens import PARTS, WHOLE_INPUT, BlipTokens, SquareTokens

if TYPE_CHECKING:
    from vlcheck.models.hf.blip import BlipCaption
    from vlcheck.models.hf.paligemma import PaliGemma


class DifferentiableSquare(DifferentiableWriter):
    """The base of writing networks that read each picture as one square of patches.

    Args:
        model: the adapter.

    Attributes:
        attentions: pattern of module names -> which tokens read which in the attention that such a module computes.
        picture: finds the places of the patches of a picture.
    """

    attentions: ClassVar[Mapping[str, AttentionKind]]
    model: BlipCaption | PaliGemma
    picture: ClassVar[type[SquareTokens]] = SquareTokens
    stackable = True

    def __init__(self, model: BlipCaption | PaliGemma) -> None:
        super().__init__(model, model.texts.tokenizer, model.network.get_input_embeddings())
        self.squares = self.picture(model.network, lambda image: model.pixels([image]))
        self.vision_blocks = self.squares.blocks

    def inputs(
        self, images: Sequence[Image.Image], texts: Sequence[str], words: Sequence[str] | None = None
    ) -> PairInputs:
        if words is None:
            written = [self.question(text) for text in texts]
        else:
            written = [self.answer(*text_with_word(text, word)) for text, word in zip(texts, words, strict=True)]
        pixels = self.model.pixels(images)["pixel_values"]
        placed = [self.squares.place(image, {WHOLE_INPUT: pixels}) for image in images]
        parts = torch.stack([own.parts for own in placed]).to(pixels.device)
        return self.pairs(pixels, [own.layout for own in placed], written, {PARTS: parts})

    def question(self, text: str) -> Written:
        """Return the question whether the picture shows a text."""
        raise NotImplementedError

    def answer(self, text: str, word: slice) -> Written:
        """Return a text as the network would write it.

        Args:
            text: the text.
            word: the characters of the word that is asked about.
        """
        raise NotImplementedError

    def patch_states(self, hidden: Tensor, inputs: PairInputs) -> Tensor:
        return self.squares.patch_states(hidden, inputs)

    def attention_kind(self, module: str) -> AttentionKind | None:
        return kind_by_name(module, self.attentions)

    def image_keys(self, attention: Tensor, kind: AttentionKind, inputs: PairInputs) -> Tensor:
        return self.squares.image_keys(attention, inputs)


class DifferentiableCaptioner(DifferentiableSquare):
    """BLIP's captioning network, whose text decoder cross-attends to the patches. It has no match logit.

    Args:
        model: the adapter.
    """

    model: BlipCaption
    picture = BlipTokens
    attentions = MappingProxyType(
        {
            r"vision_model\.encoder\.layers\.\d+\.self_attn": "image",
            r"text_decoder\.bert\.encoder\.layer\.\d+\.attention\.self": "text",
            r"text_decoder\.bert\.encoder\.layer\.\d+\.crossattention\.self": "cross",
        }
    )

    def question(self, text: str) -> Written:
        raise self.no_match()

    def answer(self, text: str, word: slice) -> Written:
        return Written(
            self.model.spelled(text), *(self.model.within(text, part) for part in (slice(0, len(text)), word))
        )

    def image_states(self, inputs: PairInputs) -> Tensor:
        states: Tensor = self.network.vision_model(inputs.pixels)[0]
        return states

    def logits(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor, keep: Tensor) -> Tensor:
        with output_replaced(self.word_embeddings, text_states):
            logits: Tensor = self.network.text_decoder(
                inputs.ids, attention_mask=inputs.attention, encoder_hidden_states=image_states, use_cache=False
            ).logits
        return logits[:, keep]


class DifferentiablePaliGemma(DifferentiableSquare, DifferentiableAnswerer):
    """PaliGemma, whose language network reads the patches before the text.

    Args:
        model: the adapter.
    """

    model: PaliGemma
    attentions = MappingProxyType(
        {
            r"model\.vision_tower\.(vision_model\.)?encoder\.layers\.\d+\.self_attn": "image",
            r"model\.language_model\.layers\.\d+\.self_attn": "joint",
        }
    )

    def question(self, text: str) -> Written:
        line, before = one_line(self.model.question(text)), self.model.question("{text}").index("{text}")
        text_part = slice(before, before + len(one_line(text)) - 1)
        of_text = [False, *tokens_within(self.tokenizer, line, text_part)]
        return Written(self.model.spelled(self._patches, self.model.question(text)), of_text, [False] * len(of_text))

    def answer(self, text: str, word: slice) -> Written:
        ids = self.model.spelled(self._patches, self.model.describe, text)
        flags = (tokens_within(self.tokenizer, text, part) for part in (slice(0, len(text)), word))
        return Written(ids, *([False] * (len(ids) - len(own)) + own for own in flags))

    def image_states(self, inputs: PairInputs) -> Tensor:
        states: Tensor = self.network.model.get_image_features(inputs.pixels).pooler_output
        return states

    def logits(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor, keep: Tensor) -> Tensor:
        return self.model.read(image_states, inputs.ids, text_states, keep)

    def image_keys(self, attention: Tensor, kind: AttentionKind, inputs: PairInputs) -> Tensor:
        # The patches come before the text.
        return super().image_keys(attention[..., : attention.shape[-1] - self._words(kind, inputs)], kind, inputs)

    @property
    def _patches(self) -> int:
        vision = self.network.config.vision_config
        return int(vision.image_size // vision.patch_size) ** 2

    @staticmethod
    def _words(kind: AttentionKind, inputs: PairInputs) -> int:
        """Return the number of keys that are words."""
        return inputs.ids.shape[1] if kind == "joint" else 0
