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
from vlcheck.models.adapters.thought import (
    ANSWER,
    REASON,
    USUAL,
    Thought,
    end_of_thought,
    thought_of,
    without_thoughts,
)
from vlcheck.models.adapters.tokenizing import check_plain, signs, tokens_within
from vlcheck.models.adapters.wording import QUESTION

REQUEST = "Describe the picture."
SAID: Mapping[str, object] = MappingProxyType(
    {
        # Llama's templates write the current date unless they are given one, and scores would change every day. This is
        # the date that they write where no clock is available.
        "date_string": "26 Jul 2024",
    }
)
_SWITCHES = ("enable_thinking", "thinking")  # variables of templates: whether the model thinks before it answers
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
        thought: the largest number of tokens of a thought before an answer, 0 for none; None for USUAL where the
            template has the model think in any case, and for none elsewhere.

    Attributes:
        thought: the texts around the thought before an answer; None if the model answers at once.

    Raises:
        UsageError: the processor has no chat template, or one that cannot write a question about one picture.
    """

    def __init__(
        self,
        processor: ProcessorMixin,
        image_token: int,
        folder: Path,
        how: Mapping[str, bool] = MappingProxyType({}),
        thought: int | None = None,
    ) -> None:
        self.processor: Any = processor
        self.how = how
        self.tokenizer: Any = self.processor.tokenizer
        self.image_token, self.folder = image_token, folder
        self.template = self._template()
        self.filled = _NOW + self.template if "strftime_now" in self.template else self.template
        said = {**SAID, **dict.fromkeys(_SWITCHES, bool(thought))}
        named = {name: value for name, value in said.items() if name in self.template}
        self.said = {**self.tokenizer.special_tokens_map, **named}
        self.signs = signs(self.tokenizer)
        self.before, self.after = added_around(self.tokenizer)
        self.unthought = ""
        self.thought: Thought | None = None
        self._try(thought)

    def asked(self, text: str, question: str = QUESTION) -> list[int]:
        """Return the token ids of a question about a text, up to the place of the answer, or of the thought before it.

        Args:
            text: the text.
            question: the question, with "{text}" in the place of the text.
        """
        check_plain(text, self.signs)
        return self._ids(self._question(text, question))

    @property
    def most_more(self) -> int:
        """The largest number of tokens between a question and the place of the answer."""
        return self.thought.limit + len(self.closing("")) if self.thought else 0

    def closing(self, thought: str) -> list[int]:
        """Return the token ids that end a thought and lead to the answer.

        Args:
            thought: the end of the thought as the model wrote it, which may have the sign that ends it.
        """
        if self.thought is None:
            raise TypeError("the model answers without a thought")
        _, ended, rest = thought.rpartition(self.thought.end)
        return self._plain(self.thought.after.removeprefix(rest) if ended else self.thought.closing)

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

    def _try(self, thought: int | None) -> None:
        """Try the template on a question and an answer about a plain picture. Raises UsageError if it fails."""
        try:
            self.unthought = self._end_of_thought()
            self.thought = self._thought(thought)
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
        asked, answered = self._unthinking(_SOME_TEXT), self._answer(ANSWER, QUESTION.format(text=_SOME_TEXT))
        ends = asked, answered[: answered.rindex(ANSWER)]
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

    def _question(self, text: str, question: str = QUESTION) -> str:
        """Return the prompt that asks about a text, up to the answer; for a model that thinks, up to the thought."""
        if self.thought:
            return self._prompt(text, question) + self.thought.opening
        return self._unthinking(text, question)

    def _unthinking(self, text: str, question: str = QUESTION) -> str:
        """Return the prompt that asks about a text; a thought that the chat template opens at its end is closed."""
        asked = self._prompt(text, question)
        return f"{asked.rstrip()}{self.unthought}" if self.unthought else asked

    def _prompt(self, text: str, question: str = QUESTION) -> str:
        """Return the question about a text as the chat template writes it."""
        return self._rendered([_about_the_picture(question.format(text=text))], add_generation_prompt=True)

    def _end_of_thought(self) -> str:
        """Return the text that ends the thought that the template opens after a question; "" if it opens none."""
        _, _, prompt = self._prompt("").rpartition(_LAST_ASKED)
        return end_of_thought(prompt, self.template, self.tokenizer.get_vocab())

    def _thought(self, limit: int | None) -> Thought | None:
        """Return the texts around the thought before an answer; None if the model is to answer at once."""
        limit = (USUAL if self.unthought else 0) if limit is None else limit
        if not limit:
            return None
        (_, _, prompt), thought_out = self._prompt("").rpartition(_LAST_ASKED), self._thought_out()
        return thought_of(
            prompt, thought_out.rpartition(_LAST_ASKED)[2], self.template, self.tokenizer.get_vocab(), limit
        )

    def _thought_out(self) -> str:
        """Return a conversation with a thought before its answer; "" if the template refuses it."""
        answer = {"role": "assistant", "reasoning_content": REASON, "content": [{"type": "text", "text": ANSWER}]}
        asked = _about_the_picture(QUESTION.format(text=""))
        try:
            return templates().fill(self.filled, [asked, answer], **self.said, continue_final_message=False)
        except Unfilled:  # not every template takes the thought of an earlier turn
            return ""

    def _answer(self, text: str, to: str = REQUEST) -> str:
        """Write a conversation: a request about the picture, and a text as its answer."""
        answer = {"role": "assistant", "content": [{"type": "text", "text": text}]}
        return self._rendered([_about_the_picture(to), answer], continue_final_message=True)

    def _read(self, rendered: str, image: Image.Image) -> BatchFeature:
        """Return the network's inputs for a rendered conversation about a picture."""
        begun = bool(self.before) and self._begins(self._plain(rendered))
        # as transformers does: what a processor adds to a text is its own choice where the template adds nothing
        how = {**self.how, "add_special_tokens": False} if begun else self.how
        inputs: BatchFeature = self.processor(text=[rendered], images=[image], return_tensors="pt", **how)
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
