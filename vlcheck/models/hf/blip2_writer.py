"""BLIP-2 (Li et al. 2023, arXiv:2301.12597) that writes, with OPT or Flan-T5; its Q-Former reads the picture alone."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from transformers import Blip2ForConditionalGeneration, PreTrainedModel

from vlcheck.models.adapters.tokenizing import Texts
from vlcheck.models.hf.querying import Querying
from vlcheck.models.loading.pretrained import Pretrained


class Blip2Writer(Querying):
    """Adapter of a checkpoint; the prompts are those of the paper, sections 4.1 and 4.2."""

    known = ("Salesforce/blip2-opt-2.7b", "Salesforce/blip2-flan-t5-xl")
    ask, describe = "Question: {question} Answer:", "a photo of"

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return Blip2ForConditionalGeneration

    @classmethod
    def reader(cls, checkpoint: Pretrained, network: PreTrainedModel) -> Texts:
        config, trained = network.config, network.config.qformer_config.max_position_embeddings
        limit = getattr(config.text_config, "max_position_embeddings", trained)  # T5's positions have no end
        return Texts(checkpoint.tokenizer(), limit=limit - config.num_query_tokens)

    def states(self, pixels: Tensor) -> Tensor:
        states: Tensor = self.network.get_image_features(pixels).pooler_output
        return states

    def queries(self, seen: Tensor, prompts: Sequence[str]) -> Tensor:
        return seen.expand(len(prompts), -1, -1)
