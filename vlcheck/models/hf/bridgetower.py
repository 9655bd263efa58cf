"""BridgeTower (Xu et al. 2023, arXiv:2206.08657): the upper layers of two encoders feed a cross-modal encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    BatchEncoding,
    BridgeTowerConfig,
    BridgeTowerForMaskedLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.masking_utils import create_bidirectional_mask
from transformers.models.bridgetower.modeling_bridgetower import BridgeTowerITMHead

from vlcheck.models.adapters.stepwise import DifferentiableSteps, Stepwise
from vlcheck.models.adapters.tokenizing import Texts, positions_of_roberta
from vlcheck.models.differentiable import PairInputs
from vlcheck.models.loading.pretrained import Pretrained


class BridgeTowerWithHeads(BridgeTowerForMaskedLM):
    """A network with both heads; the checkpoint bridgetower-base-itm-mlm has them in one file."""

    def __init__(self, config: BridgeTowerConfig) -> None:
        super().__init__(config)
        self.itm_score = BridgeTowerITMHead(config.hidden_size * 2)
        self.post_init()  # type: ignore[no-untyped-call]


class DifferentiableBridgeTower(DifferentiableSteps):
    """The network with one head or both."""

    attentions = MappingProxyType(
        {
            r"bridgetower\.vision_model\.visual\.transformer\.resblocks\.\d+\.attn": "image",
            r"bridgetower\.text_model\.encoder\.layer\.\d+\.attention\.self": "text",
            r"bridgetower\.cross_modal_text_layers\.\d+\.attention\.self": "text",
            r"bridgetower\.cross_modal_text_layers\.\d+\.crossattention\.self": "cross",
            r"bridgetower\.cross_modal_image_layers\.\d+\.attention\.self": "image",
            r"bridgetower\.cross_modal_image_layers\.\d+\.crossattention\.self": "back",
        }
    )

    @property
    def vision_blocks(self) -> Sequence[nn.Module]:
        return [*self.network.bridgetower.vision_model.visual.transformer.resblocks]

    def absent(self, tokenizer: PreTrainedTokenizerBase) -> int:
        """Return the mask token's id: the padding token's would shift the positions of the tokens after it."""
        return int(tokenizer.mask_token_id)

    def patch_states(self, hidden: Tensor, inputs: PairInputs) -> Tensor:
        return super().patch_states(hidden.transpose(0, 1), inputs)  # the blocks return (image tokens, n, width)


class BridgeTower(Stepwise):
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

    def differentiable(self) -> DifferentiableBridgeTower:
        return DifferentiableBridgeTower(self)

    def image_states(self, pictures: Mapping[str, Any]) -> Tensor:
        """Return the visual tower's states at each bridge, (n, bridges, image tokens, width)."""
        tower = self.network.bridgetower
        visual = tower.vision_model.visual
        hidden = visual.forward_pre(pictures["pixel_values"])
        bridges: list[Tensor] = []
        for number, block in enumerate(visual.transformer.resblocks, start=1):
            hidden = block(hidden)
            if number >= self._split:
                state = tower._apply_image_transform(visual.forward_post(hidden), len(bridges))
                bridges.append(
                    state + tower.token_type_embeddings(torch.ones(1, dtype=torch.long, device=state.device))
                )
        return torch.stack(bridges, dim=1)

    def text_states(self, tokens: BatchEncoding) -> Tensor:
        """Return the text tower's states at each bridge, (n, bridges, tokens, width)."""
        tower = self.network.bridgetower
        hidden = tower.text_model.embeddings(input_ids=tokens["input_ids"])
        keep = self._keep(hidden, tokens["attention_mask"])
        bridges: list[Tensor] = []
        for number, layer in enumerate(tower.text_model.encoder.layer, start=1):
            hidden = layer(hidden, keep)
            if number >= self._split:
                state = tower._apply_text_transform(hidden, len(bridges))
                bridges.append(
                    state + tower.token_type_embeddings(torch.zeros(1, dtype=torch.long, device=state.device))
                )
        return torch.stack(bridges, dim=1)

    def match_logits(self, images: Tensor, texts: Tensor, attention: Tensor) -> Tensor:
        pooled = self.network.bridgetower.get_cls_features(*self.read(images, texts, attention))
        logits: Tensor = self.network.itm_score(pooled)
        return logits

    def mask_logits(self, images: Tensor, texts: Tensor, attention: Tensor, where: Tensor) -> Tensor:
        text, _ = self.read(images, texts, attention)
        logits: Tensor = self.network.mlm_score(text[where])
        return logits

    def read(self, images: Tensor, texts: Tensor, attention: Tensor) -> tuple[Tensor, Tensor]:
        """Return the states of texts and images after the last cross-modal layer.

        Args:
            images: states of images at each bridge, (n, bridges, image tokens, width).
            texts: states of texts at each bridge, (n, bridges, text tokens, width).
            attention: the attention mask of the texts, (n, text tokens).

        Returns:
            The states of the texts, (n, text tokens, width), and of the images, (n, image tokens, width).
        """
        tower = self.network.bridgetower
        keep = self._keep(texts[:, 0], attention)
        text = tower.cross_modal_text_layernorm(texts[:, 0])
        image = tower.cross_modal_image_layernorm(images[:, 0])
        text, image = self._cross(0, text, image, keep)
        for number in range(1, texts.shape[1]):
            text = tower.cross_modal_text_link_tower[number - 1](texts[:, number], text, keep)
            image = tower.cross_modal_image_link_tower[number - 1](images[:, number], image, None)
            text, image = self._cross(number, text, image, keep)
        return text, image

    def _keep(self, hidden: Tensor, attention: Tensor) -> Any:
        """Return the mask of keys that are not padding, in the form that the layers take."""
        config = self.network.bridgetower.config
        return create_bidirectional_mask(config=config, inputs_embeds=hidden[:, :1], attention_mask=attention)

    def _cross(self, number: int, text: Tensor, image: Tensor, keep: Any) -> tuple[Tensor, Tensor]:
        """Apply one pair of cross-modal layers; both read the states that the previous pair wrote."""
        tower = self.network.bridgetower
        read = tower.cross_modal_text_layers[number](text, image, attention_mask=keep)[0]
        seen = tower.cross_modal_image_layers[number](image, text, encoder_attention_mask=keep)[0]
        return read, seen

    @property
    def _split(self) -> int:
        """The number of layers of each encoder up to the first bridge."""
        tower = self.network.bridgetower
        layers: int = len(tower.text_model.encoder.layer)
        return layers - int(tower.config.num_hidden_layers) + 1
