"""Capabilities of networks that write text about pictures, as their config, processor and code tell them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase, ProcessorMixin

from vlcheck.errors import UsageError

_NUMBERS = ("image_token_id", "image_token_index")  # names of the picture's token in configs and processors


def image_token(config: PreTrainedConfig, processor: ProcessorMixin) -> int:
    """Return the id of the token that stands for a part of a picture.

    Args:
        config: the network's config.
        processor: the processor, which may know the token where the config does not.

    Raises:
        UsageError: neither states one.
    """
    tokenizer: Any = processor.tokenizer
    stated = (getattr(part, name, None) for part in (config, processor, tokenizer) for name in _NUMBERS)
    named = (getattr(part, "image_token", None) for part in (processor, tokenizer))
    numbers = (tokenizer.get_vocab().get(str(token)) for token in named)
    found = next((number for number in (*stated, *numbers) if isinstance(number, int)), None)
    if found is None:
        raise UsageError(
            "no token stands for a picture: neither config.json nor the processor has image_token_id,"
            " image_token_index or image_token."
        )
    return found


def asked_inputs(network: PreTrainedModel) -> Mapping[str, bool]:
    """Return the settings by which a processor gives a network all inputs that it takes: some give them if asked."""
    takes = "mm_token_type_ids" in inspect.signature(network.forward).parameters
    return {"return_mm_token_type_ids": True} if takes else {}


def picks_tokens(network: PreTrainedModel) -> bool:
    """Return True if a part of a network, its indexer, picks the tokens that later ones attend to.

    Rounding decides between two tokens that are nearly as good, and what is read with them changes with it:
    kept states, or padding, then change scores by far more than rounding.
    """
    return any(name.rpartition(".")[2] == "indexer" for name, _ in network.named_modules())


def token_limit(config: PreTrainedConfig, tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the largest number of tokens that a network reads.

    Args:
        config: the network's config.
        tokenizer: the tokenizer, whose limit counts where the config states none.
    """
    stated = getattr(config.get_text_config(), "max_position_embeddings", None)
    return stated if isinstance(stated, int) else int(tokenizer.model_max_length)


def check_decoder(config: PreTrainedConfig) -> None:
    """Refuse a network that reads a picture and a question in an encoder: conversations are read by a decoder.

    Raises:
        UsageError: it has an encoder of texts.
    """
    if config.is_encoder_decoder:
        raise UsageError(
            f"{config.model_type} has an encoder that reads picture and question before a decoder writes. vlcheck asks"
            " such a network by a family of its own, which this type has not."
        )
