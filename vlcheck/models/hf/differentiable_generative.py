"""Networks that write text about pictures in conversations, for explanations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor

from vlcheck.errors import NotApplicable
from vlcheck.models.adapters.chat import ChatPrefix, extended, per_token
from vlcheck.models.adapters.differentiable import output_replaced
from vlcheck.models.adapters.writer_differentiable import (
    SCORED,
    TARGETS,
    DifferentiableAnswerer,
    Written,
    text_with_word,
)
from vlcheck.models.differentiable import AttentionKind, PairInputs
from vlcheck.models.hf.picture_tokens import PARTS, WHOLE_INPUT, PlacedTokens, PooledTokens, SquareTokens
from vlcheck.models.hf.qwen_tokens import DeepQwenTokens, QwenTokens, WindowedQwenTokens
from vlcheck.models.hf.tiled_tokens import IdeficsTokens, InternTokens, LlavaNextTokens, MllamaTokens, OneVisionTokens

if TYPE_CHECKING:
    from vlcheck.models.hf.generative import Generative

_KEYS = "keys"  # (n, units): the places of the units among the keys of the language network
_OWN = frozenset({PARTS, WHOLE_INPUT, TARGETS, SCORED, _KEYS})

FAMILIES: Mapping[str, type[SquareTokens]] = MappingProxyType(
    {
        "Gemma3ForConditionalGeneration": PooledTokens,
        "Idefics3ForConditionalGeneration": IdeficsTokens,
        "InternVLForConditionalGeneration": InternTokens,
        "LlavaForConditionalGeneration": SquareTokens,
        "LlavaNextForConditionalGeneration": LlavaNextTokens,
        "LlavaOnevisionForConditionalGeneration": OneVisionTokens,
        "MllamaForConditionalGeneration": MllamaTokens,
        "Qwen2VLForConditionalGeneration": QwenTokens,
        "Qwen2_5_VLForConditionalGeneration": WindowedQwenTokens,
        "Qwen3VLForConditionalGeneration": DeepQwenTokens,
        "SmolVLMForConditionalGeneration": IdeficsTokens,
    }
)


class DifferentiableGenerative(DifferentiableAnswerer):
    """A network that writes text about pictures. See `vlcheck.models.differentiable.Differentiable`.

    The units of a picture are its tokens, as the language network reads them. Picture and text are read in one pass,
    without a prefix cache, so that gradients reach the picture.

    Args:
        model: the adapter.

    Raises:
        NotApplicable: it is not known where the picture tokens of the network lie.
    """

    model: Generative

    def __init__(self, model: Generative) -> None:
        architecture = type(model.network).__name__
        if architecture not in FAMILIES:
            raise NotApplicable(
                f"{model.name} cannot be explained: where the picture tokens of {architecture} lie is not known"
            )
        super().__init__(model, model.chat.tokenizer, model.network.get_input_embeddings())
        self.tokens = FAMILIES[architecture](model.network, lambda image: model.begin(image).inputs)
        self.vision_blocks = self.tokens.blocks
        self._image_attentions = self.tokens.attentions

    def inputs(
        self, images: Sequence[Image.Image], texts: Sequence[str], words: Sequence[str] | None = None
    ) -> PairInputs:
        begun = [self.model.begin(image) for image in images]
        said = [(text,) for text in texts] if words is None else [*zip(texts, words, strict=True)]
        write = self._question if words is None else self._answer
        written = [write(prefix, *own) for prefix, own in zip(begun, said, strict=True)]
        placed = [self._place(image, prefix) for image, prefix in zip(images, begun, strict=True)]
        length = max(len(one.ids) for one in written)
        others = [self._others(prefix, own, length) for prefix, own in zip(begun, placed, strict=True)]
        return self.pairs(
            torch.cat([self.tokens.pixels(prefix.inputs, own) for prefix, own in zip(begun, placed, strict=True)]),
            [own.layout for own in placed],
            written,
            {name: torch.cat([each[name] for each in others]) for name in others[0]},
        )

    def image_states(self, inputs: PairInputs) -> Tensor:
        """Return the states of the picture tokens, (n, picture tokens, width)."""
        return self.tokens.states(inputs)

    def logits(self, inputs: PairInputs, image_states: Tensor, text_states: Tensor, keep: Tensor) -> Tensor:
        with output_replaced(self.word_embeddings, text_states):
            logits: Tensor = self.network(
                input_ids=inputs.ids,
                attention_mask=inputs.attention,
                logits_to_keep=keep,
                use_cache=False,
                **self.tokens.passed(image_states),
                **{name: tensor for name, tensor in inputs.others.items() if name not in _OWN},
            ).logits
        return logits

    def patch_states(self, hidden: Tensor, inputs: PairInputs) -> Tensor:
        return self.tokens.patch_states(hidden, inputs)

    def attention_kind(self, module: str) -> AttentionKind | None:
        return "image" if module in self._image_attentions else self.tokens.attention_kind(module)

    def image_keys(self, attention: Tensor, kind: AttentionKind, inputs: PairInputs) -> Tensor:
        if kind == "image":
            return self.tokens.image_keys(attention, inputs)
        return attention[..., inputs.others[_KEYS][0]]

    def _place(self, image: Image.Image, prefix: ChatPrefix) -> PlacedTokens:
        return self.tokens.place(image, prefix.inputs, self.tokens.keys(prefix.inputs["input_ids"][0], prefix.inputs))

    def _question(self, prefix: ChatPrefix, text: str) -> Written:
        chat = self.model.chat
        return self._written(prefix, text, chat.asked(text), chat.in_question(text))

    def _answer(self, prefix: ChatPrefix, text: str, word: str) -> Written:
        chat, (whole, part) = self.model.chat, text_with_word(text, word)
        of_text = chat.in_answer(whole, slice(0, len(whole)))
        return self._written(prefix, whole, chat.answered(whole), of_text, chat.in_answer(whole, part))

    def _written(
        self, prefix: ChatPrefix, text: str, ids: Sequence[int], of_text: Sequence[bool], of_word: Sequence[bool] = ()
    ) -> Written:
        """Return a conversation, with all tokens of its picture.

        Args:
            prefix: the prefix of the picture.
            text: the text that the conversation is about.
            ids: the token ids of the conversation, with one token for the picture.
            of_text: for each of them, True if it belongs to the text.
            of_word: for each of them, True if it belongs to the word; () without a word.
        """
        after, begun = self.model.after(prefix, text, ids), [False] * prefix.length
        flags = ([*begun, *row[len(prefix.head) :]] for row in (of_text, of_word or [False] * len(ids)))
        return Written([*prefix.inputs["input_ids"][0].tolist(), *after], *flags)

    def _others(self, prefix: ChatPrefix, placed: PlacedTokens, length: int) -> dict[str, Tensor]:
        """Return the further inputs of the network for one pair, with a batch of one.

        Args:
            prefix: the prefix of the picture.
            placed: the units of the picture.
            length: number of tokens of the longest conversation.
        """
        own = {PARTS: placed.parts[None], _KEYS: placed.keys[None]}
        more = {name: value for name, value in prefix.inputs.items() if name not in ("input_ids", "attention_mask")}
        tokens = {name: extended(name, value, length) for name, value in more.items() if per_token(name)}
        visual = {name: value for name, value in more.items() if not per_token(name)}
        found = {**tokens, **self.tokens.others(visual), **own}
        return {name: tensor.to(self.network.device) for name, tensor in found.items()}
