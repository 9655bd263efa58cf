"""Prompts of types whose processors have no chat template, as chat templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from transformers import ProcessorMixin

_PARTS = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %}"
)


@dataclass(frozen=True)
class RegisteredPrompt:
    """The prompt of a type whose processor has no chat template.

    Attributes:
        template: a chat template that writes what the processor's own documentation writes.
        how: settings with which the processor is called, so that it adds nothing after the prompt.
    """

    template: str
    how: Mapping[str, bool] = field(default_factory=dict)


PROMPTS: Mapping[str, RegisteredPrompt] = MappingProxyType(  # model type -> its prompt
    {
        # Chameleon (arXiv:2405.09818): a turn ends with the separator.
        "chameleon": RegisteredPrompt(
            _PARTS + "{% if message['role'] == 'user' %}{{ sep_token }}{% endif %}{% endfor %}",
            MappingProxyType({"return_for_text_completion": True}),
        ),
    }
)


def registered_prompt(kind: str, processor: ProcessorMixin) -> RegisteredPrompt | None:
    """Return the prompt of a type; None if it has none, or if its processor has a chat template, which goes before.

    Args:
        kind: the model type.
        processor: the processor.
    """
    tokenizer: Any = processor.tokenizer
    stated = processor.chat_template or tokenizer.chat_template
    return None if stated else PROMPTS.get(kind)
