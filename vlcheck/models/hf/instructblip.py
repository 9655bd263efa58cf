"""InstructBLIP (Dai et al. 2023, arXiv:2305.06500), with Flan-T5 or Vicuna: its Q-Former reads the prompt, too."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import InstructBlipForConditionalGeneration, PreTrainedModel

from vlcheck.models.adapters.tokenizing import Texts
from vlcheck.models.hf.instructed import WholeProcessor
from vlcheck.models.hf.querying import Querying
from vlcheck.models.loading.pretrained import Pretrained


class InstructBlip(WholeProcessor, Querying):
    """Adapter of a checkpoint; the prompts are those of the paper's table of templates."""

    known = ("Salesforce/instructblip-flan-t5-xl", "Salesforce/instructblip-vicuna-7b")
    ask, describe = "Question: {question} Short answer:", "A short image description:"

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return InstructBlipForConditionalGeneration

    @classmethod
    def reader(cls, checkpoint: Pretrained, network: PreTrainedModel) -> Texts:
        config = network.config
        limits = [config.qformer_config.max_position_embeddings]
        language = getattr(config.text_config, "max_position_embeddings", None)  # T5's positions have no end
        if language is not None:
            limits.append(language - config.num_query_tokens)
        return Texts(checkpoint.tokenizer(), limit=min(limits))

    def states(self, pixels: Tensor) -> Tensor:
        states: Tensor = self.network.vision_model(pixels).last_hidden_state
        return states

    def queries(self, seen: Tensor, prompts: Sequence[str]) -> Tensor:
        asked, attention = self._tokens(self.images.qformer_tokenizer, prompts)
        net, n = self.network, len(asked)
        queries = net.query_tokens.expand(n, -1, -1)
        read = net.qformer(
            input_ids=asked,
            attention_mask=torch.cat([attention.new_ones(queries.shape[:2]), attention], dim=1),
            query_embeds=queries,
            encoder_hidden_states=seen.expand(n, -1, -1),
            encoder_attention_mask=attention.new_ones(n, seen.shape[0]),
        )[0]
        projected: Tensor = net.language_projection(read[:, : queries.shape[1]])
        return projected
