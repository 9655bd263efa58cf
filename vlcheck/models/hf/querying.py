"""Networks whose language network reads a picture through the queries of a Q-Former."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers.modeling_outputs import BaseModelOutput

from vlcheck.models.hf.instructed import Instructed


class Prompted(NamedTuple):
    """Pictures and prompts as the language network reads them.

    Attributes:
        embedded: the projected queries and the embedded prompts, (n, queries + tokens, width).
        attention: 1 for what is read, 0 for padding, (n, queries + tokens).
    """

    embedded: Tensor
    attention: Tensor


class Querying(Instructed):
    """The base class of adapters of such networks, with an encoder and a decoder or a decoder alone."""

    @property
    def start(self) -> int:
        """The decoder's first token; a language network without encoder begins at once, and the token is not read."""
        return int(getattr(self.network.config.text_config, "decoder_start_token_id", None) or 0)

    @property
    def rows(self) -> int:
        return int(self.network.get_input_embeddings().num_embeddings)

    def written(self, seen: Tensor, prompts: Sequence[str], ids: Tensor, keep: Tensor) -> Tensor:
        prompted, encoder_decoder = self._prompted(seen, prompts), self.network.language_model.config.is_encoder_decoder
        return self._decoded(prompted, ids, keep) if encoder_decoder else self._continued(prompted, ids, keep)

    def _prompted(self, seen: Tensor, prompts: Sequence[str]) -> Prompted:
        net, (asked, attention) = self.network, self._tokens(self.texts.tokenizer, prompts)
        queries = self.queries(seen, prompts)
        embedded = torch.cat([queries, net.get_input_embeddings()(asked)], dim=1)
        return Prompted(embedded, torch.cat([attention.new_ones(queries.shape[:2]), attention], dim=1))

    @abstractmethod
    def queries(self, seen: Tensor, prompts: Sequence[str]) -> Tensor:
        """Return the projected queries that read a picture and n prompts, (n, queries, width).

        Args:
            seen: the states of the picture, (image tokens, width).
            prompts: n prompts.
        """

    def _decoded(self, prompted: Prompted, ids: Tensor, keep: Tensor) -> Tensor:
        """Return the logits of a language network with encoder and decoder."""
        net, n = self.network.language_model, len(ids)
        read = net.get_encoder()(inputs_embeds=prompted.embedded, attention_mask=prompted.attention)
        logits: Tensor = net(
            encoder_outputs=BaseModelOutput(last_hidden_state=read.last_hidden_state.expand(n, -1, -1)),
            attention_mask=prompted.attention.expand(n, -1),
            decoder_input_ids=ids,
            use_cache=False,
        ).logits[:, keep]
        return logits

    def _continued(self, prompted: Prompted, ids: Tensor, keep: Tensor) -> Tensor:
        """Return the logits of a language network that continues each prompt: its padding is cut off first."""
        net, n = self.network, len(ids)
        answers = net.get_input_embeddings()(ids[:, 1:])
        embedded, attention = (part.expand(n, *part.shape[1:]) for part in prompted)
        lengths = attention.sum(1)
        rows = [torch.cat([embedded[row, : lengths[row]], answers[row]]) for row in range(n)]
        logits = net.language_model(inputs_embeds=pad_sequence(rows, batch_first=True), use_cache=False).logits
        return torch.stack([logits[row, lengths[row] - 1 + keep] for row in range(n)])

    def _tokens(self, tokenizer: Any, prompts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return token ids and attention mask of prompts, (n, tokens) each, padded on the right."""
        read = tokenizer([*prompts], padding=True, padding_side="right", return_tensors="pt").to(self.network.device)
        return read["input_ids"], read["attention_mask"]
