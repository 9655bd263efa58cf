"""What a network can do is found in its config, its processor and its code."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from transformers import (
    CLIPImageProcessor,
    GemmaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedConfig,
    T5Config,
)

from tests.models import chats
from vlcheck.errors import UsageError
from vlcheck.models.hf.capabilities import asked_inputs, check_decoder, image_token, picks_tokens, token_limit
from vlcheck.models.hf.forward import Forward


@pytest.fixture(scope="module")
def processor() -> LlavaProcessor:
    return LlavaProcessor(CLIPImageProcessor(), chats.tokenizer())


def test_a_pictures_token_is_named_by_the_config(processor: LlavaProcessor) -> None:
    assert image_token(LlavaConfig(image_token_index=7), processor) == 7
    assert image_token(PreTrainedConfig(image_token_id=8), processor) == 8


def test_a_pictures_token_is_named_by_the_processor(processor: LlavaProcessor) -> None:
    assert image_token(PreTrainedConfig(), processor) == chats.number("<image>")


def test_a_config_and_a_processor_without_a_pictures_token_are_refused(processor: LlavaProcessor) -> None:
    bare = LlavaProcessor(CLIPImageProcessor(), chats.tokenizer())
    bare.image_token, bare.image_token_id = "<nothing>", None
    with pytest.raises(UsageError, match=r"neither config\.json nor the processor has image_token_id"):
        image_token(PreTrainedConfig(), bare)


def test_the_most_tokens_are_stated_by_the_config_or_the_tokenizer() -> None:
    words = chats.tokenizer(model_max_length=77)
    assert token_limit(GemmaConfig(max_position_embeddings=99), words) == 99
    assert token_limit(PreTrainedConfig(), words) == 77


def test_a_network_picks_the_tokens_it_attends_to_by_a_part_with_that_name() -> None:
    network: Any = nn.Sequential(nn.Linear(1, 1))
    assert not picks_tokens(network)
    network[0].indexer = nn.Linear(1, 1)
    assert picks_tokens(network)


def test_an_encoder_of_texts_is_refused() -> None:
    check_decoder(GemmaConfig())
    with pytest.raises(UsageError, match="t5 has an encoder that reads picture and question before a decoder writes"):
        check_decoder(T5Config())


@pytest.mark.slow
def test_a_forward_pass_gives_the_logits_that_are_kept(processor: LlavaProcessor) -> None:
    vision, language = chats._clip_vision(), chats._llama()
    network = LlavaForConditionalGeneration(LlavaConfig(vision_config=vision, text_config=language)).eval()
    assert asked_inputs(network) == {}
    forward, ids, keep = Forward.of(network), torch.arange(8)[None] + 20, torch.tensor([2, 5])
    whole = network(input_ids=ids).logits
    for named in (forward.named, forward.named - {"logits_to_keep"}):
        torch.testing.assert_close(Forward(network, named)(ids, keep), whole[:, keep])
    assert forward.shift is None
    assert forward.places(3, ids, spatial=True)["position_ids"].shape == (3, 1, 8)
    assert forward.places(3, ids, spatial=False)["position_ids"].tolist() == [[*range(3, 11)]]
    assert Forward(network, frozenset()).places(3, ids, spatial=False) == {}
