"""BridgeTower (Xu et al. 2023, arXiv:2206.08657): the upper layers of two encoders feed a cross-modal encoder."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import torch
from PIL import Image
from torch import Tensor
from transformers import BatchEncoding, BridgeTowerConfig, BridgeTowerForMaskedLM, PreTrainedModel
from transformers.masking_utils import create_bidirectional_mask
from transformers.models.bridgetower.modeling_bridgetower import BridgeTowerITMHead

from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.huggingface import Hosted, match_probability
from vlcheck.models.adapters.tokenizing import Texts, positions_of_roberta
from vlcheck.models.loading.pretrained import Pretrained


class BridgeTowerWithHeads(BridgeTowerForMaskedLM):
    """A network with both heads; the checkpoint bridgetower-base-itm-mlm has them in one file."""

    def __init__(self, config: BridgeTowerConfig) -> None:
        super().__init__(config)
        self.itm_score = BridgeTowerITMHead(config.hidden_size * 2)
        self.post_init()  # type: ignore[no-untyped-call]


class BridgeTower(Hosted):
    """Adapter of a checkpoint with one head or both. Its visual tower runs once for all texts of an image."""

    known = ("BridgeTower/bridgetower-base-itm-mlm",)
    heads = MappingProxyType({"mlm": "mlm_score.", "itm": "itm_score."})
    unread = ("itc_text_head.", "itc_image_head.", "itc_cross_modal_head.", "logit_scale")
    kinds = MappingProxyType({"mlm": "masked-lm", "itm": "match-head"})

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        return BridgeTowerWithHeads

    @classmethod
    def reader(cls, checkpoint: Pretrained, network: PreTrainedModel) -> Texts:
        return Texts(checkpoint.tokenizer(), limit=positions_of_roberta(network.config.text_config))

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Return the visual tower's states at each bridge, (n, bridges, image tokens, width)."""
        prepared = self.pixels(images)
        tower = self.network.bridgetower
        visual = tower.vision_model.visual
        hidden = visual.forward_pre(prepared["pixel_values"])
        bridges: list[Tensor] = []
        for number, block in enumerate(visual.transformer.resblocks, start=1):
            hidden = block(hidden)
            if number >= self._split:
                state = tower._apply_image_transform(visual.forward_post(hidden), len(bridges))
                bridges.append(state + tower.token_type_embeddings.weight[1])
        return Features.of(torch.stack(bridges, dim=1))

    def word_logits(self, images: tuple[Tensor, ...], tokens: BatchEncoding, where: Tensor) -> Tensor:
        text, _ = self.read(images, tokens)
        logits: Tensor = self.network.mlm_score(text[where])
        return logits

    def match(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Tensor:
        pooled = self.network.bridgetower.get_cls_features(*self.read(images, tokens))
        return match_probability(self.network.itm_score(pooled))

    def read(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> tuple[Tensor, Tensor]:
        """Return the states of texts and images after the last cross-modal layer.

        Args:
            images: encoded images, (n, bridges, image tokens, width).
            tokens: n texts.

        Returns:
            The states of the texts, (n, text tokens, width), and of the images, (n, image tokens, width).
        """
        (bridges,), tower = images, self.network.bridgetower
        hidden = tower.text_model.embeddings(input_ids=tokens["input_ids"])
        keep = create_bidirectional_mask(
            config=tower.config, inputs_embeds=hidden[:, :1], attention_mask=tokens["attention_mask"]
        )
        layers = tower.text_model.encoder.layer
        for layer in layers[: self._split]:
            hidden = layer(hidden, keep)
        kind = tower.token_type_embeddings.weight[0]
        text = tower.cross_modal_text_layernorm(tower._apply_text_transform(hidden, 0) + kind)
        image = tower.cross_modal_image_layernorm(bridges[:, 0])
        text, image = self._cross(0, text, image, keep)
        for number, layer in enumerate(layers[self._split :], start=1):
            hidden = layer(hidden, keep)
            said = tower._apply_text_transform(hidden, number) + kind
            text = tower.cross_modal_text_link_tower[number - 1](said, text, keep)
            image = tower.cross_modal_image_link_tower[number - 1](bridges[:, number], image, None)
            text, image = self._cross(number, text, image, keep)
        return text, image

    def _cross(self, number: int, text: Tensor, image: Tensor, keep: Tensor) -> tuple[Tensor, Tensor]:
        """Apply one pair of cross-modal layers; both read the states that the previous pair wrote."""
        tower = self.network.bridgetower
        read = tower.cross_modal_text_layers[number](text, image, attention_mask=keep)[0]
        seen = tower.cross_modal_image_layers[number](image, text, encoder_attention_mask=keep)[0]
        return read, seen

    @property
    def _split(self) -> int:
        """The number of layers of each encoder before the first bridge."""
        tower = self.network.bridgetower
        layers: int = len(tower.text_model.encoder.layer)
        return layers - int(tower.config.num_hidden_layers) + 1
