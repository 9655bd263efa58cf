"""Vision-language models that write text about pictures, as AutoModelForImageTextToText loads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Self

import torch
from PIL import Image
from torch import Tensor
from transformers import AutoModelForImageTextToText, AutoModelForMultimodalLM, PreTrainedModel

from vlcheck._util.hashing import digest
from vlcheck.errors import NotApplicable, UsageError
from vlcheck.models.adapters.autoregressive import check_length
from vlcheck.models.adapters.chat import REQUEST, Chat, ChatPrefix
from vlcheck.models.adapters.described import joined, pixels_said
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.prompts import registered_prompt
from vlcheck.models.adapters.thinking import AFTER_A_THOUGHT, Read, Thinker, thought_limit, turn_ends
from vlcheck.models.adapters.tryout import PLAIN, check_finite, check_rows, trying
from vlcheck.models.adapters.wording import QUESTION
from vlcheck.models.adapters.yes_no import Answering, spellings
from vlcheck.models.hf.capabilities import asked_inputs, check_decoder, image_token, token_limit
from vlcheck.models.hf.differentiable_generative import DifferentiableGenerative
from vlcheck.models.hf.fitting_prefix import fitting_reading
from vlcheck.models.hf.forward import Forward
from vlcheck.models.hf.prefixes import KeptPrefix, Prefix, UnkeptPrefix, keeps_plain_states
from vlcheck.models.loading.layout import naming
from vlcheck.models.loading.pretrained import Pretrained

_FITTING = (
    "image_token_id and the vision_config's image_size and patch_size in config.json; patch_size, image_seq_length,"
    " num_additional_image_tokens and vision_feature_select_strategy in processor_config.json; the image processor's"
    " size, crop_size and patch_size there or in preprocessor_config.json"
)


@dataclass(frozen=True, eq=False)
class Prefixes(Features):
    """Pictures as prefixes. They are not one tensor: the number of a picture's tokens depends on its shape."""

    prefixes: tuple[Prefix, ...] = ()


class Generative(Answering):
    """A network that writes text about pictures.

    P(match) is the share of "yes" in the answer to a yes-no question about the text. Words are compared as parts of the
    answer to "Describe the picture." Both conversations are written with the chat template of the model's processor. A
    picture is read once: the states of the prefix are kept, and each text continues from there. A network whose scores
    would change by that is found when it is loaded, and reads each conversation whole.

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
            "image-text-to-text": ("mistralai/Mistral-Small-3.1-24B-Instruct-2503", "Qwen/Qwen3.5-4B"),
        }
    )
    auto: ClassVar[Any] = AutoModelForImageTextToText  # it loads one of the classes of its task
    spreads: ClassVar[bool] = True  # the device "auto" spreads the network over several devices
    max_pairs = 16  # while texts are read, each has a copy of the keys and values of its picture

    def __init__(self, name: str, fingerprint: str, network: PreTrainedModel, chat: Chat) -> None:
        self.name, self.fingerprint = name, fingerprint
        self.network, self.chat = network, chat
        self.yes, self.no = (spellings(chat.tokenizer, word) for word in ("yes", "no"))
        self.limit = token_limit(network.config, chat.tokenizer)
        self.forward = Forward.of(network)
        self.reading: type[KeptPrefix | UnkeptPrefix] = KeptPrefix
        if chat.thought:
            self.thinker = Thinker(chat, turn_ends(network, chat.tokenizer))
            self.kinds = MappingProxyType({**self.kinds, "itm": AFTER_A_THOUGHT})

    @classmethod
    def load(
        cls, checkpoint: Pretrained, *, device: str = "cpu", dtype: str = "float32", thought: str | None = None
    ) -> Self:
        # the fast kernels of experts have no float64
        settings: dict[str, Any] = {"experts_implementation": "eager"} if dtype == "float64" else {}
        network, _ = checkpoint.network(cls.auto, device=device, dtype=dtype, **settings)
        processor, limit = checkpoint.processor(), thought_limit(thought)
        with naming(checkpoint.folder):
            check_decoder(network.config)
            token = image_token(network.config, processor)
        how, prompt = asked_inputs(network), registered_prompt(network.config.model_type, processor)
        if prompt:
            processor.chat_template, how = prompt.template, {**how, **prompt.how}
        chat = Chat(processor, token, checkpoint.folder, how, limit)
        asked = [*([prompt.template] if prompt else []), *([repr(chat.thought)] if chat.thought else [])]
        fingerprint = checkpoint.fingerprint(cls.__name__, QUESTION, REQUEST, dtype, network.device.type, *asked)
        model = cls(checkpoint.name, fingerprint, network, chat)
        with trying(checkpoint.folder, _FITTING):
            # known types are proven by tests, type by type, on plain states; their language network may be of any kind
            if type(network).__name__ not in Generative.known or not keeps_plain_states(network.config):
                model.read_with(fitting_reading(model))
                if model.reading.said:
                    model.fingerprint = digest(model.fingerprint, model.reading.said)
            model.try_out()
        return model

    def read_with(self, reading: type[KeptPrefix | UnkeptPrefix]) -> None:
        """Choose how pictures are read.

        Args:
            reading: the class of a picture's prefix; a text is read alone if its states are not kept.
        """
        self.reading = reading
        self.max_pairs = type(self).max_pairs if reading is KeptPrefix else 1

    def try_out(self) -> None:
        """Put a plain picture and a question through the network.

        Raises:
            Exception: the parts of the checkpoint do not fit one another.
        """
        check_rows(self.chat.tokenizer, getattr(self.network.get_input_embeddings(), "num_embeddings", None))
        answers = self.answers(self.encode([PLAIN]), ["a dog"])
        check_finite([*answers.yes, *answers.no])

    def pictures_said(self) -> str:
        return pixels_said(self.chat.processor)

    def texts_said(self) -> str:
        return joined(
            f"chat template {digest(self.chat.template)[:8]}",
            super().texts_said(),
            f"request {REQUEST!r}",
            self.reading.said,
        )

    def differentiable(self) -> DifferentiableGenerative:
        if self.thinker:
            raise NotApplicable(
                f"{self.name} answers after a thought, and a thought has no gradients; SPEC,thought=0 answers without"
            )
        return DifferentiableGenerative(self)

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Prefixes:
        """Return the prefix caches of pictures, which are read one after another."""
        prefixes = tuple(self.reading.read(self.forward, self.begin(image)) for image in images)
        return Prefixes((), tuple(range(len(prefixes))), prefixes=prefixes)

    def asked(self, features: Features, row: int, text: str) -> Sequence[int]:
        prefix, ids = _prefixes(features)[features.index[row]], self.chat.asked(text, self.wording)
        return self.after(prefix, text, ids, more=self.chat.most_more)

    def said(self, features: Features, row: int, text: str) -> Sequence[int]:
        return self.after(_prefixes(features)[features.index[row]], text, self.chat.answered(text))

    def logits(self, features: Features, image: int, ids: Tensor, keep: Tensor) -> Tensor:
        return _prefixes(features)[image].logits(self.forward, ids, keep)

    def text_reader(self, features: Features, image: int) -> Read:
        prefix = _prefixes(features)[image]
        return prefix.reader(self.forward) if isinstance(prefix, KeptPrefix) else super().text_reader(features, image)

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
                name: self._placed(value) if isinstance(value, Tensor) else value
                for name, value in prefix.inputs.items()
            }
        )

    def _placed(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.network.device, self.network.dtype if tensor.is_floating_point() else None)

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


class Multimodal(Generative):
    """A network that writes text about pictures, and is loaded as one that reads sounds as well: Phi-4-multimodal."""

    known = MappingProxyType({"multimodal-lm": ("microsoft/Phi-4-multimodal-instruct",)})
    auto = AutoModelForMultimodalLM


def _prefixes(features: Features) -> tuple[Prefix, ...]:
    if not isinstance(features, Prefixes):
        raise TypeError(f"a generative model needs images that it encoded itself, not {type(features).__name__}")
    return features.prefixes
