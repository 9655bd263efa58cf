"""T5Gemma 2 (Zhang et al. 2025, arXiv:2512.14856): an encoder reads picture and prompt, a decoder writes the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel, T5Gemma2ForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput

from vlcheck.models.adapters.tokenizing import Texts
from vlcheck.models.hf.instructed import Instructed, WholeProcessor
from vlcheck.models.loading.pretrained import Pretrained


class T5Gemma2(WholeProcessor, Instructed):
    """Adapter of a checkpoint; the released ones are pretrained without a chat template."""

    known = ("google/t5gemma-2-270m-270m",)
    ask, describe = "{question}", "in this image, there is"

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return T5Gemma2ForConditionalGeneration

    @classmethod
    def reader(cls, checkpoint: Pretrained, network: PreTrainedModel) -> Texts:
        parts = (network.config.encoder.text_config, network.config.decoder)
        return Texts(checkpoint.tokenizer(), limit=min(part.max_position_embeddings for part in parts))

    @property
    def start(self) -> int:
        return int(self.network.config.decoder.bos_token_id)

    @property
    def side(self) -> Any:
        return self.network.config.encoder.vision_config.image_size

    def states(self, pixels: Tensor) -> Tensor:
        seen: Tensor = self.network.model.encoder.get_image_features(pixels).pooler_output
        return seen

    def written(self, seen: Tensor, prompts: Sequence[str], ids: Tensor, keep: Tensor) -> Tensor:
        encoder, picture = self.network.model.encoder, self.images.full_image_sequence
        tokens = self.texts.tokenizer([f"{picture} {prompt}" for prompt in prompts], padding=True, return_tensors="pt")
        asked, attention = tokens["input_ids"].to(ids.device), tokens["attention_mask"].to(ids.device)
        embedded = encoder.text_model.embed_tokens(asked)
        places = (asked == self.network.config.image_token_id)[..., None]
        embedded = embedded.masked_scatter(places, seen.expand(len(asked), -1, -1).to(embedded.dtype))
        read = encoder(inputs_embeds=embedded, attention_mask=attention).last_hidden_state
        logits: Tensor = self.network(
            encoder_outputs=BaseModelOutput(last_hidden_state=read.expand(len(ids), -1, -1)),
            attention_mask=attention.expand(len(ids), -1),
            decoder_input_ids=ids,
            logits_to_keep=keep,
            use_cache=False,
        ).logits
        return logits
