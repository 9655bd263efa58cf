"""A tiny chat checkpoint that answers with yes, no or a letter, as a trained one does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from tests.models import chats
from vlcheck.models.adapters.yes_no import spellings

_PLACE = 0  # of the state that says that an answer begins
_YES_NO, _LETTER = 12.0, 10.0  # of the logits of answers there; larger ones are rounded by more in float32
_MARK = 1.0


def chatting(folder: Path) -> Path:
    """Save a tiny LLaVA whose template writes the first token itself.

    The last token before an answer says so in its state, as that of a trained checkpoint does: there almost all of the
    probability is on the spellings of yes and no and on the first letters, which all lie among the 20 tokens that a
    server lists. Elsewhere its tokens are as likely as without that.
    """
    chats.llava(folder, head_dim=32)  # vLLM has no smaller heads on a CPU
    processor: Any = AutoProcessor.from_pretrained(folder)
    processor.chat_template = "<s>" + chats.LLAVA
    processor.save_pretrained(folder)
    network = AutoModelForImageTextToText.from_pretrained(folder).eval()
    with torch.no_grad():
        _mark_beginnings(network, processor.tokenizer)
    network.save_pretrained(folder)
    return folder


def _mark_beginnings(network: Any, tokenizer: Any) -> None:
    """Let one number of the state be 0 but where an answer begins, and answers be likely there."""
    answers = {number: _YES_NO for word in ("yes", "no") for number in spellings(tokenizer, word)}
    answers |= {tokenizer.convert_tokens_to_ids(letter): _LETTER for letter in "ABCDEF"}
    language, projected = network.model.language_model, network.model.multi_modal_projector.linear_2
    written = [one for layer in language.layers for one in (layer.self_attn.o_proj, layer.mlp.down_proj)]
    for linear in (*written, projected):
        linear.weight[_PLACE] = 0
    projected.bias[_PLACE] = 0
    language.embed_tokens.weight[:, _PLACE] = network.lm_head.weight[:, _PLACE] = 0
    asked = tokenizer("<s>USER: a dog ASSISTANT:", return_tensors="pt", add_special_tokens=False)["input_ids"]
    language.embed_tokens.weight[asked[0, -1], _PLACE] = _MARK
    state = language(input_ids=asked).last_hidden_state[0, -1]
    network.lm_head.weight[[*answers], _PLACE] = torch.tensor([*answers.values()]) / state[_PLACE]
