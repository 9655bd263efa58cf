"""Captioners made of a vision network and a language network, as VisionEncoderDecoderModel of transformers has them."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import torch
from PIL import Image
from torch import Tensor
from transformers import PreTrainedModel, VisionEncoderDecoderModel

from vlcheck.errors import UsageError
from vlcheck.models.adapters.autoregressive import Autoregressive, check_length
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.huggingface import Hosted
from vlcheck.models.adapters.tokenizing import Texts, check_plain
from vlcheck.models.loading.pretrained import Pretrained

_OF_DOCUMENTS = frozenset({"donut-swin", "trocr"})  # parts of networks that read documents and lines of text


class Captioner(Autoregressive, Hosted):
    """Adapter of a captioning checkpoint: words are compared by the likelihood of the captions that they complete."""

    kinds = MappingProxyType({"mlm": "candidates"})
    lacks = MappingProxyType({"itm": "it writes captions, and reads no question"})
    known = ("nlpconnect/vit-gpt2-image-captioning",)

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return VisionEncoderDecoderModel

    @classmethod
    def reader(cls, checkpoint: Pretrained, network: PreTrainedModel) -> Texts:
        if reads := _OF_DOCUMENTS & {network.config.encoder.model_type, network.config.decoder.model_type}:
            raise UsageError(
                f"{checkpoint.folder}: a network with {', '.join(sorted(reads))} reads the text of documents: it"
                " describes no pictures."
            )
        return Texts(checkpoint.tokenizer(), limit=network.config.decoder.max_position_embeddings)

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Return the states of the vision network, (n, image tokens, width)."""
        return Features.of(self.network.encoder(pixel_values=self.pixels(images)["pixel_values"]).last_hidden_state)

    def said(self, features: Features, row: int, text: str) -> Sequence[int]:
        check_plain(text, self.texts.signs)
        ids = [self._start, *self.texts.tokenizer(text, add_special_tokens=False)["input_ids"]]
        check_length(len(ids), self.texts.limit)
        return ids

    def logits(self, features: Features, image: int, ids: Tensor, keep: Tensor) -> Tensor:
        seen = features.tensors[0][image].repeat(len(ids), 1, 1)
        logits: Tensor = self.network(encoder_outputs=(seen,), decoder_input_ids=ids, use_cache=False).logits[:, keep]
        return logits

    @property
    def _start(self) -> int:
        """The token that every caption begins after; older configs state it for the decoder alone, or not at all."""
        config, tokenizer = self.network.config, self.texts.tokenizer
        stated = (getattr(part, "decoder_start_token_id", None) for part in (config, config.decoder))
        return int(next((token for token in stated if token is not None), tokenizer.bos_token_id))
