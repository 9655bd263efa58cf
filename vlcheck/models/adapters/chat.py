"""Conversations about one picture, written with a model's own chat template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from PIL import Image
from torch import Tensor
from transformers import BatchFeature, PreTrainedTokenizerBase, ProcessorMixin

from vlcheck.cases.rgb import to_rgb
from vlcheck.errors import NotApplicable, UsageError, printable
from vlcheck.models.adapters.refusal import errors_as_refusals
from vlcheck.models.adapters.templates import Unfilled, templates
from vlcheck.models.adapters.thought import end_of_thought, without_thoughts
from vlcheck.models.adapters.tokenizing import check_plain, signs, tokens_within
from vlcheck.models.adapters.yes_no import QUESTION

REQUEST = "Describe the picture."
SAID: Mapping[str, object] = MappingProxyType(
    {
        # Llama's templates write the current date unless they are given one, and scores would change every day. This is
        # the date that they write where no clock is available.
        "date_string": "26 Jul 2024",
        # The answer is read at its first token, so the model must not think first.
        "enable_thinking": False,
        "thinking": False,
    }
)
# The same date for templates that call strftime_now, in each format that they may ask for.
_DAY = {
    "%d": "26", "%e": "26", "%b": "Jul", "%B": "July", "%m": "07", "%Y": "2024", "%y": "24",
    "%a": "Fri", "%A": "Friday", "%H": "00", "%I": "12", "%M": "00", "%S": "00", "%p": "AM",
    "%F": "2024-07-26", "%T": "00:00:00", "%-d": "26", "%-m": "7", "%j": "208", "%Z": "UTC", "%z": "+0000",
}  # fmt: skip
_REPLACED = "".join(f"|replace({part!r}, {value!r})" for part, value in _DAY.items())
_NOW = f"{{%- macro strftime_now(format) -%}}{{{{ format{_REPLACED} }}}}{{%- endmacro +%}}"
_LAST_ASKED = QUESTION.partition("{text}")[2]
_SOME_TEXT = "a dog"
_LONG_TEXT = " and ".join([_SOME_TEXT] * 50)
_ANSWER = "Yes"
SEEN = ("cross_attention_mask",)  # inputs that mask the parts of a picture for each token
TYPES = "token_type_ids"  # the end of the names of inputs that give each token a type, 0 for text
PER_TOKEN = ("input_ids", "attention_mask", *SEEN)


class ChatPrefix(NamedTuple):
    """The prefix of every conversation about a picture, up to and including the picture.

    Attributes:
        inputs: the network's inputs for the prefix, with a batch of one.
        head: token ids of the prefix as the template writes it, with one token for the picture.
        length: number of tokens of the prefix after the processor has expanded the picture's token to one for each
            part of the picture.
    """

    inputs: Mapping[str, Tensor]
    head: tuple[int, ...]
    length: int


class Chat:
    """Writes conversations about one picture with a processor and its chat template.

    Args:
        processor: prepares texts and pictures for the network.
        image_token: id of the token that stands for a part of a picture.
        folder: the folder of the processor's files, for messages.
        how: settings of the processor, beside those of its files.

    Raises:
        UsageError: the processor has no chat template, or one that cannot write a question about one picture.
    """

    def __init__(
        self, processor: ProcessorMixin, image_token: int, folder: Path, how: Mapping[str, bool] = MappingProxyType({})
    ) -> None:
        self.processor: Any = processor
        self.how = how
        self.tokenizer: Any = self.processor.tokenizer
        self.image_token, self.folder = image_token, folder
        self.template = self._template()
        self.filled = _NOW + self.template if "strftime_now" in self.template else self.template
        named = {name: value for name, value in SAID.items() if name in self.template}
        self.said = {**self.tokenizer.special_tokens_map, **named}
        self.signs = signs(self.tokenizer)
        self.before, self.after = added_around(self.tokenizer)
        self.unthought = ""
        self._try()

    def asked(self, text: str) -> list[int]:
        """Return the token ids of the question whether a picture shows a text, up to the place of the answer."""
        check_plain(text, self.signs)
        return self._ids(self._question(text))

    def answered(self, text: str) -> list[int]:
        """Return the token ids of a request for a description and a text as its answer, without the end of the turn."""
        check_plain(text, self.signs)
        return self._ids(self._answer(text))

    def in_question(self, text: str) -> list[bool]:
        """Return for each token of `asked` whether it belongs to the text."""
        rendered = self._question(text)
        start = rendered.rindex(QUESTION.format(text=text)) + QUESTION.index("{text}")
        return self._within(rendered, slice(start, start + len(text)))

    def in_answer(self, text: str, part: slice) -> list[bool]:
        """Return for each token of `answered` whether it belongs to a part of the text.

        Args:
            text: the text.
            part: the characters of the part.
        """
        rendered = self._answer(text)
        start = rendered.rindex(text.strip()) - len(text) + len(text.lstrip())
        return self._within(rendered, slice(start + part.start, start + part.stop))

    def _within(self, rendered: str, part: slice) -> list[bool]:
        """Return for each token of `_ids` whether it holds one of some characters of a rendered text."""
        found = tokens_within(self.tokenizer, rendered, part)
        return [False] * (len(self._ids(rendered)) - len(found)) + found

    def _template(self) -> str:
        """Return the chat template of the processor, else of the tokenizer; among several, the one named "default"."""
        said = self.processor.chat_template or self.tokenizer.chat_template
        template = said.get("default") if isinstance(said, Mapping) else said
        if not template:
            raise UsageError(
                f"{self.folder}: its processor has no chat template, which questions are written with; it belongs in"
                " chat_template.jinja beside the weights."
            )
        return str(template)

    def _try(self) -> None:
        """Try the template on a question and an answer about a plain picture. Raises UsageError if it fails."""
        try:
            self.unthought = self._end_of_thought()
            self._question(_LONG_TEXT), self._answer(_LONG_TEXT)
            self._check_end()
            self._read(self._question(""), Image.new("RGB", (224, 224)))
        except (NotApplicable, UsageError) as error:
            raise UsageError(f"{self.folder}: its chat template: {error}") from error
        except Exception as error:  # a processor may raise errors of any kind
            said = str(error) if isinstance(error, Unfilled) else f"{type(error).__name__}: {error}"
            raise UsageError(f"{self.folder}: its chat template puts no question about one picture. {said}") from error

    def _check_end(self) -> None:
        """Check that a question ends where the template begins the answer. Raises UsageError."""
        asked, answered = self._question(_SOME_TEXT), self._answer(_ANSWER, QUESTION.format(text=_SOME_TEXT))
        ends = asked, answered[: answered.rindex(_ANSWER)]
        read, meant = (without_thoughts(end.rpartition(_LAST_ASKED)[2]) for end in ends)
        if "".join(read.split()) != "".join(meant.split()):
            raise UsageError(
                f"where an answer is asked for (add_generation_prompt), it writes {_shown(read)} after the question,"
                f" and where the answer is there, it writes {_shown(meant)} before it: the answer would be read in"
                " another place than the template gives it. Accepted: a template that writes the same in both cases,"
                " but for spaces and a thought that is ended."
            )

    def prefix(self, image: Image.Image) -> ChatPrefix:
        """Return the prefix of every conversation about a picture.

        Args:
            image: an image of any size.

        Raises:
            NotApplicable: the processor refuses the picture.
            UsageError: the processor does not use the image token that config.json names.
        """
        asked = self._question("")
        rgb = to_rgb(image)
        with errors_as_refusals():
            inputs = self._read(asked, rgb)
        whole, ids = self._unended(inputs["input_ids"][0].tolist()), self._ids(asked)
        if self.image_token not in whole:
            raise UsageError(
                f"the processor writes a picture without the token {self.image_token}, which config.json calls"
                " image_token_id (image_token_index); the image_token of the tokenizer or of processor_config.json has"
                " to be the one with this number."
            )
        after = whole[::-1].index(self.image_token)
        pairs = list(zip(reversed(whole), reversed(ids), strict=False))[:after]
        common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        while common and whole[-common] in self.tokenizer.all_special_ids:  # some networks look for the picture's end
            common -= 1
        length = len(whole) - common
        cut = {name: value[:, :length] if per_token(name) else value for name, value in inputs.items()}
        return ChatPrefix(cut, tuple(ids[: len(ids) - common]), length)

    def _question(self, text: str) -> str:
        """Return the prompt that asks about a text; a thought that the chat template opens at its end is closed."""
        asked = self._rendered([_about_the_picture(QUESTION.format(text=text))], add_generation_prompt=True)
        return f"{asked.rstrip()}{self.unthought}" if self.unthought else asked

    def _end_of_thought(self) -> str:
        """Return the text that ends the thought that the template opens after a question; "" if it opens none."""
        _, _, prompt = self._question("").rpartition(_LAST_ASKED)
        return end_of_thought(prompt, self.template, self.tokenizer.get_vocab())

    def _answer(self, text: str, to: str = REQUEST) -> str:
        """Write a conversation: a request about the picture, and a text as its answer."""
        answer = {"role": "assistant", "content": [{"type": "text", "text": text}]}
        return self._rendered([_about_the_picture(to), answer], continue_final_message=True)

    def _read(self, rendered: str, image: Image.Image) -> BatchFeature:
        """Return the network's inputs for a rendered conversation about a picture."""
        # a tokenizer that puts nothing before a text leaves it to the processor
        begun = bool(self.before) and self._begins(self._plain(rendered))
        inputs: BatchFeature = self.processor(
            text=[rendered], images=[image], return_tensors="pt", add_special_tokens=not begun, **self.how
        )
        return inputs

    def _rendered(self, conversation: Sequence[Mapping[str, Any]], **how: bool) -> str:
        """Write a conversation with the template. Raises NotApplicable if the template changes or omits a text."""
        said = [part["text"].strip() for turn in conversation for part in turn["content"] if part["type"] == "text"]
        rendered = templates().fill(self.filled, conversation, **self.said, **how)
        if lost := next((text for text in said if text not in rendered), ""):
            raise NotApplicable(f"it changes or omits a text: {printable(lost, 100)!r}")
        return rendered

    def _ids(self, rendered: str) -> list[int]:
        """Return the token ids of a rendered text, with the tokenizer's first tokens if the template omits them.

        The tokenizer's last tokens are left out: after a question, they would end the answer before it begins.
        """
        plain = self._plain(rendered)
        return plain if self._begins(plain) else [*self.before, *plain]

    def _plain(self, rendered: str) -> list[int]:
        """Return the token ids of a rendered text without any tokens of the tokenizer."""
        return list(self.tokenizer(rendered, add_special_tokens=False)["input_ids"])

    def _begins(self, ids: Sequence[int]) -> bool:
        """Return True if the template itself wrote the tokens that the tokenizer puts before every text."""
        return tuple(ids[: len(self.before)]) == self.before

    def _unended(self, ids: list[int]) -> list[int]:
        """Return the tokens without those that the tokenizer puts after every text."""
        ended = self.after and tuple(ids[-len(self.after) :]) == self.after
        return ids[: -len(self.after)] if ended else ids


def added_around(tokenizer: PreTrainedTokenizerBase) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the tokens that a tokenizer puts before every text, and those that it puts after it."""
    plain = list(tokenizer(_SOME_TEXT, add_special_tokens=False)["input_ids"])
    whole = list(tokenizer(_SOME_TEXT)["input_ids"])
    start = next(at for at in range(len(whole)) if whole[at : at + len(plain)] == plain)
    return tuple(whole[:start]), tuple(whole[start + len(plain) :])


def per_token(name: str) -> bool:
    """Return True if an input of the network, which has this name, has an entry for each token."""
    return name in PER_TOKEN or name.endswith(TYPES)


def extended(name: str, value: Any, length: int) -> Any:
    """Return an input of the network for a prefix, for the tokens of a text that follow, too.

    Args:
        name: its name. A mask goes on as it ends, and a type of tokens with that of text, 0.
        value: the input; it is returned as it is unless it has an entry for each token, (1, tokens, ...).
        length: number of tokens after.
    """
    if not per_token(name):
        return value
    last = torch.zeros_like(value[:, -1:]) if name.endswith(TYPES) else value[:, -1:]
    return torch.cat([value, last.expand(-1, length - value.shape[1], *value.shape[2:])], dim=1)


def _shown(text: str) -> str:
    return repr(text.strip()) if text.strip() else "nothing"


def _about_the_picture(text: str) -> dict[str, object]:
    return {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}
