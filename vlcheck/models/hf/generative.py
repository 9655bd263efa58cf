"""Vision-language models that write text about pictures, as AutoModelForImageTextToText loads them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Self, cast

import torch
from PIL import Image
from torch import Tensor
from transformers import AutoModelForImageTextToText, DynamicCache, PreTrainedModel

from vlcheck.errors import NotApplicable, UsageError
from vlcheck.models.adapters.autoregressive import check_length
from vlcheck.models.adapters.chat import REQUEST, SEEN, Chat, ChatPrefix
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.thinking import AFTER_A_THOUGHT, Read, Thinker, thought_limit, turn_ends
from vlcheck.models.adapters.tryout import PLAIN, check_finite, check_rows, trying
from vlcheck.models.adapters.wording import QUESTION
from vlcheck.models.adapters.yes_no import Answering, spellings
from vlcheck.models.hf.differentiable_generative import DifferentiableGenerative
from vlcheck.models.loading.pretrained import Pretrained

_FITTING = (
    "image_token_id and the vision_config's image_size and patch_size in config.json; patch_size, image_seq_length,"
    " num_additional_image_tokens and vision_feature_select_strategy in processor_config.json; the image processor's"
    " size, crop_size and patch_size there or in preprocessor_config.json"
)


class Prefix(NamedTuple):
    """The prefix cache of a picture: keys and values of all tokens that come before the texts about the picture.

    Attributes:
        layers: keys and values of each layer, each (1, heads, length, size).
        head: token ids of the prefix, in which one token stands for the whole picture.
        length: number of tokens of the prefix.
        position: position of the next token; it is less than `length` if tokens of the picture share positions.
        seen: masks of the parts of the picture that each later token attends to, (1, 1, ...), by the name of the
            network's input; empty for networks without such inputs.
    """

    layers: tuple[tuple[Tensor, Tensor], ...]
    head: tuple[int, ...]
    length: int
    position: int
    seen: Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class Prefixes(Features):
    """The prefix caches of pictures. They are not one tensor: the number of a picture's tokens depends on its shape."""

    prefixes: tuple[Prefix, ...] = ()


class Generative(Answering):
    """A network that writes text about pictures.

    P(match) is the share of "yes" in the answer to a yes-no question about the text. Words are compared as parts of the
    answer to "Describe the picture." Both conversations are written with the chat template of the model's processor. A
    picture is read once: keys and values of the prefix are kept, and each text continues from there.

    Args:
        name: the model's name in reports.
        fingerprint: content hash of the checkpoint's files, dtype and device type.
        network: the network, in its dtype, on its device.
        chat: writes conversations with the chat template.
    """

    kinds = MappingProxyType({"itm": "yes-no", "mlm": "candidates"})
    known = MappingProxyType(
        {
            "Gemma3ForConditionalGeneration": ("google/gemma-3-4b-it",),
            "Idefics3ForConditionalGeneration": ("HuggingFaceM4/Idefics3-8B-Llama3",),
            "InternVLForConditionalGeneration": ("OpenGVLab/InternVL3-1B-hf",),
            "LlavaForConditionalGeneration": ("llava-hf/llava-1.5-7b-hf",),
            "LlavaNextForConditionalGeneration": ("llava-hf/llava-v1.6-mistral-7b-hf",),
            "LlavaOnevisionForConditionalGeneration": ("llava-hf/llava-onevision-qwen2-0.5b-ov-hf",),
            "MllamaForConditionalGeneration": ("meta-llama/Llama-3.2-11B-Vision-Instruct",),
            "Qwen2VLForConditionalGeneration": ("Qwen/Qwen2-VL-2B-Instruct",),
            "Qwen2_5_VLForConditionalGeneration": ("Qwen/Qwen2.5-VL-3B-Instruct",),
            "Qwen3VLForConditionalGeneration": ("Qwen/Qwen3-VL-2B-Instruct",),
            "SmolVLMForConditionalGeneration": ("HuggingFaceTB/SmolVLM2-256M-Video-Instruct",),
        }
    )
    spreads: ClassVar[bool] = True  # the device "auto" spreads the network over several devices
    max_pairs = 16  # while texts are read, each has a copy of the keys and values of its picture

    def __init__(self, name: str, fingerprint: str, network: PreTrainedModel, chat: Chat) -> None:
        self.name, self.fingerprint = name, fingerprint
        self.network, self.chat = network, chat
        self.yes, self.no = (spellings(chat.tokenizer, word) for word in ("yes", "no"))
        self.limit: int = network.config.get_text_config().max_position_embeddings
        if chat.thought:
            self.thinker = Thinker(chat, turn_ends(network, chat.tokenizer))
            self.kinds = self.kinds | {"itm": AFTER_A_THOUGHT}
        # transformers 5 renamed this parameter in one of its releases
        self._cache = "cache" if "cache" in inspect.signature(network.forward).parameters else "past_key_values"

    @classmethod
    def load(
        cls, checkpoint: Pretrained, *, device: str = "cpu", dtype: str = "float32", thought: str | None = None
    ) -> Self:
        any_class = cast(type[PreTrainedModel], AutoModelForImageTextToText)  # it loads one of the classes
        network, _ = checkpoint.network(any_class, device=device, dtype=dtype)
        limit = thought_limit(thought)
        chat = Chat(checkpoint.processor(), network.config.image_token_id, checkpoint.folder, limit)
        thinks = [repr(chat.thought)] if chat.thought else []
        fingerprint = checkpoint.fingerprint(cls.__name__, QUESTION, REQUEST, dtype, network.device.type, *thinks)
        model = cls(checkpoint.name, fingerprint, network, chat)
        with trying(checkpoint.folder, _FITTING):
            model.try_out()
        return model

    def try_out(self) -> None:
        """Put a plain picture and a question through the network.

        Raises:
            Exception: the parts of the checkpoint do not fit one another.
        """
        check_rows(self.chat.tokenizer, self.network.get_input_embeddings().num_embeddings)
        answers = self.answers(self.encode([PLAIN]), ["a dog"])
        check_finite([*answers.yes, *answers.no])

    def differentiable(self) -> DifferentiableGenerative:
        if self.thinker:
            raise NotApplicable(
                f"{self.name} answers after a thought, and a thought has no gradients; SPEC,thought=0 answers without"
            )
        return DifferentiableGenerative(self)

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Prefixes:
        """Return the prefix caches of pictures, which are read one after another."""
        prefixes = tuple(self._read_picture(image) for image in images)
        return Prefixes((), tuple(range(len(prefixes))), prefixes=prefixes)

    def asked(self, features: Features, row: int, text: str) -> Sequence[int]:
        prefix, ids = _prefixes(features)[features.index[row]], self.chat.asked(text, self.question)
        return self.after(prefix, text, ids, more=self.chat.most_more)

    def said(self, features: Features, row: int, text: str) -> Sequence[int]:
        return self.after(_prefixes(features)[features.index[row]], text, self.chat.answered(text))

    def logits(self, features: Features, image: int, ids: Tensor, keep: Tensor) -> Tensor:
        prefix = _prefixes(features)[image]
        places = prefix.position + torch.arange(ids.shape[1], device=ids.device)
        return self._forward(prefix, _restored(prefix, len(ids)), ids, places, keep)

    def _forward(self, prefix: Prefix, cache: DynamicCache, ids: Tensor, places: Tensor, keep: Tensor) -> Tensor:
        """Return the logits of the next token at some positions of texts; the cache grows by the texts."""
        logits: Tensor = self.network(
            input_ids=ids,
            position_ids=places.expand(*([3] if self._has_spatial_positions else []), *ids.shape),
            logits_to_keep=keep,
            use_cache=True,
            **{self._cache: cache},
            **{name: mask.expand(*ids.shape, *mask.shape[2:]) for name, mask in prefix.seen.items()},
        ).logits
        return logits

    def reader(self, features: Features, image: int) -> Read:
        prefix, had = _prefixes(features)[image], 0
        kept = _restored(prefix, 1)

        def read(ids: Tensor) -> Tensor:
            nonlocal had
            places = prefix.position + had + torch.arange(ids.shape[1], device=ids.device)
            had += ids.shape[1]
            return self._forward(prefix, kept, ids, places, ids.new_tensor([ids.shape[1] - 1]))[0, -1]

        return read

    @property
    def _has_spatial_positions(self) -> bool:
        """True if a position has three parts: time, height and width (Qwen2-VL, arXiv:2409.12191, section 2.1)."""
        return hasattr(self.network.model, "rope_deltas")

    def begin(self, image: Image.Image) -> ChatPrefix:
        """Return the prefix of every conversation about a picture, on the network's device and in its dtype.

        Args:
            image: an image of any size.

        Raises:
            NotApplicable: the processor refuses the picture.
        """
        prefix = self.chat.prefix(image)
        return prefix._replace(
            inputs={
                name: tensor.to(self.network.device, self.network.dtype if tensor.is_floating_point() else None)
                for name, tensor in prefix.inputs.items()
            }
        )

    def _read_picture(self, image: Image.Image) -> Prefix:
        prefix = self.begin(image)
        inputs, cache = prefix.inputs, DynamicCache()
        # The cache has no config: layers with a sliding window keep all tokens, and masks limit them.
        self.network(**inputs, logits_to_keep=1, use_cache=True, **{self._cache: cache})
        shift = int(self.network.model.rope_deltas) if self._has_spatial_positions else 0
        layers: Sequence[Any] = cache.layers
        kept = tuple((layer.keys, layer.values) for layer in layers)
        seen = {name: inputs[name][:, -1:] for name in SEEN if name in inputs}
        return Prefix(kept, prefix.head, prefix.length, prefix.length + shift, seen)

    def after(self, prefix: Prefix | ChatPrefix, text: str, ids: Sequence[int], more: int = 0) -> Sequence[int]:
        """Return the tokens of a conversation without those of the prefix of its picture.

        Args:
            prefix: the prefix.
            text: the text that the conversation is about, for messages.
            ids: all tokens of the conversation, with one token for the picture.
            more: number of tokens that may follow them before the answer.

        Raises:
            NotApplicable: the text is too long for the model.
            UsageError: the conversation does not begin with the prefix.
        """
        if tuple(ids[: len(prefix.head)]) != prefix.head:
            raise UsageError(f"{self.name}: its chat template puts something else than the picture before {text!r}.")
        check_length(prefix.length + len(ids) - len(prefix.head) + more, self.limit)
        return ids[len(prefix.head) :]


def _prefixes(features: Features) -> tuple[Prefix, ...]:
    if not isinstance(features, Prefixes):
        raise TypeError(f"a generative model needs images that it encoded itself, not {type(features).__name__}")
    return features.prefixes


def _restored(prefix: Prefix, texts: int) -> DynamicCache:
    """Return a picture's keys and values, repeated for a number of texts; the network appends those of the texts."""
    cache = DynamicCache()
    for number, (keys, values) in enumerate(prefix.layers):
        cache.update(keys.expand(texts, -1, -1, -1), values.expand(texts, -1, -1, -1), number)
    return cache
