"""Florence-2 (Xiao et al. 2023, arXiv:2311.06242): an encoder reads picture and prompt, a decoder writes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import Florence2ForConditionalGeneration, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from vlcheck.models.adapters.tokenizing import Texts
from vlcheck.models.hf.instructed import Instructed
from vlcheck.models.loading.pretrained import Pretrained


class Florence2(Instructed):
    """Adapter of a checkpoint. A description is asked for as the task <CAPTION> does, and a question is put as it is.

    The decoder writes "<s>" before every answer.
    """

    known = ("florence-community/Florence-2-base-ft",)
    ask, describe = "{question}", "What does the image describe?"

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return Florence2ForConditionalGeneration

    @classmethod
    def reader(cls, checkpoint: Pretrained, network: PreTrainedModel) -> Texts:
        positions = network.config.text_config.max_position_embeddings
        of_picture: int = checkpoint.processor().num_image_tokens  # type: ignore[attr-defined]
        return Texts(checkpoint.tokenizer(), limit=positions - of_picture - 2)  # around a text: <s>, </s>

    @property
    def start(self) -> int:
        return int(self.network.config.text_config.decoder_start_token_id)

    def states(self, pixels: Tensor) -> Tensor:
        states: Tensor = self.network.model.get_image_features(pixels).pooler_output
        return states

    def written(self, seen: Tensor, prompts: Sequence[str], ids: Tensor, keep: Tensor) -> Tensor:
        tokenizer, n = self.texts.tokenizer, len(ids)
        begun = ids.new_full((n, 1), tokenizer.bos_token_id)
        read, attention = self._encoded(seen, prompts)
        logits: Tensor = self.network(
            encoder_outputs=BaseModelOutput(last_hidden_state=read.expand(n, -1, -1)),
            attention_mask=attention.expand(n, -1),
            decoder_input_ids=torch.cat([ids[:, :1], begun, ids[:, 1:]], dim=1),
            logits_to_keep=keep + 1,
            use_cache=False,
        ).logits
        return logits

    def _encoded(self, seen: Tensor, prompts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return the encoder's states of a picture and n prompts, (n, tokens, width), and their attention mask."""
        tokenizer, embed = self.texts.tokenizer, self.network.get_input_embeddings()
        ids = [[tokenizer.bos_token_id, *self._spelled(prompt), tokenizer.eos_token_id] for prompt in prompts]
        rows = [torch.cat([seen, embed(torch.tensor(row, device=seen.device))]) for row in ids]
        attention = pad_sequence([row.new_ones(len(row), dtype=torch.long) for row in rows], batch_first=True)
        read = self.network.model.language_model.encoder(
            inputs_embeds=pad_sequence(rows, batch_first=True), attention_mask=attention
        )
        return read.last_hidden_state, attention
