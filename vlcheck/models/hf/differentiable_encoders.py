"""Models with two encoders for explanations: CLIP and its kin, SigLIP and SigLIP 2, and ALIGN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from vlcheck.errors import NotApplicable
from vlcheck.models.adapters.differentiable_network import tokens_of
from vlcheck.models.adapters.stepwise import DifferentiableSteps
from vlcheck.models.differentiable import ImageLayout, PairInputs

if TYPE_CHECKING:
    from vlcheck.models.hf.clip import Align, TwoEncoders


class DifferentiableEncoders(DifferentiableSteps):
    """The base class of networks that encode a picture and a text separately, each as a unit vector."""

    attentions = MappingProxyType(
        {r"vision_model\..*\.self_attn": "image", r"text_model\..*\.(self_attn|attention\.self)": "text"}
    )
    model: TwoEncoders


class DifferentiableClip(DifferentiableEncoders):
    """The network of CLIP, or of similar models: a picture's vector is made of its CLS token."""

    @property
    def vision_blocks(self) -> Sequence[nn.Module]:
        return [*self.network.vision_model.encoder.layers[:-1]]

    def absent(self, tokenizer: PreTrainedTokenizerBase) -> int:
        """Return the padding token's id, or 0, OpenAI's padding, where the padding token also ends a text."""
        return 0 if tokenizer.pad_token_id == tokenizer.eos_token_id else super().absent(tokenizer)


class DifferentiableAltClip(DifferentiableClip):
    """The network of AltCLIP."""

    def absent(self, tokenizer: PreTrainedTokenizerBase) -> int:
        """Return the mask token's id: the padding token's would shift the positions of the tokens after it."""
        mask = tokenizer.mask_token_id
        return super().absent(tokenizer) if mask is None else int(mask)


class DifferentiableSiglip(DifferentiableEncoders):
    """The network of SigLIP: a learned query pools the patches by attention, and padding is read as text."""

    attentions = MappingProxyType({**DifferentiableEncoders.attentions, r"vision_model\.head\.attention": "query"})
    first_patch = 0

    @property
    def vision_blocks(self) -> Sequence[nn.Module]:
        return [*self.network.vision_model.encoder.layers]

    def padded(self, texts: Sequence[str], masks: Sequence[int]) -> tuple[Tensor, Tensor]:
        ids = self.model.tokens(texts, masks)["input_ids"]
        own = self.model.texts.tokenizer([text.lower() for text in texts])["input_ids"]
        lengths = torch.tensor([len(tokens) for tokens in own], device=ids.device)
        return ids, (torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]).long()

    def text_states(self, inputs: PairInputs) -> Tensor:
        tokens = tokens_of(inputs)
        del tokens["attention_mask"]  # padding is read as text
        return self.model.text_states(tokens)


class DifferentiableSiglip2(DifferentiableSiglip):
    """The network of SigLIP 2 for pictures of any shape, which it reads as rows of patches."""

    image_inputs = ("pixel_attention_mask", "spatial_shapes")
    stackable = False

    def pictures(self, images: Sequence[Image.Image]) -> Mapping[str, Any]:
        """Return patches without the padding that no picture of the batch needs."""
        made = super().pictures(images)
        most = int(made["spatial_shapes"].prod(-1).max())
        cut = {name: made[name][:, :most] for name in ("pixel_values", "pixel_attention_mask")}
        return {**cut, "spatial_shapes": made["spatial_shapes"]}

    def layouts(self, images: Sequence[Image.Image], pictures: Mapping[str, Any]) -> tuple[ImageLayout, ...]:
        return tuple(ImageLayout.of_grid(rows, columns) for rows, columns in pictures["spatial_shapes"].tolist())


class DifferentiableAlign(DifferentiableEncoders):
    """The network of ALIGN: a convolutional image encoder, whose units are the places of its last feature map."""

    model: Align

    @property
    def vision_blocks(self) -> Sequence[nn.Module]:
        """The blocks whose feature maps have as many places as the last one."""
        blocks = [*self.network.vision_model.encoder.blocks]
        halving = [number for number, block in enumerate(blocks) if block.depthwise_conv.stride > 1]
        return blocks[max(halving, default=0) :]

    @torch.no_grad()
    def grid(self, pixels: Tensor) -> tuple[int, int]:
        rows, columns = self.network.vision_model(pixels[:1]).last_hidden_state.shape[-2:]
        return rows, columns

    def covered(self, pixels: Tensor) -> tuple[float, float]:
        return 1, 1

    def patch_states(self, hidden: Tensor, inputs: PairInputs) -> Tensor:
        return hidden.flatten(2).transpose(1, 2)

    def unit_logits(self, inputs: PairInputs) -> Tensor:
        """Return the term of each place in the match logit; see `vlcheck.models.differentiable.GloballyPooled`.

        The picture's vector is the mean over the places, scaled to length 1; the text's vector is the linear layer.

        Raises:
            NotApplicable: the checkpoint pools by the maximum.
        """
        vision = self.network.vision_model
        if vision.config.pooling_type != "mean":
            raise NotApplicable(f"CAM does not apply: {self.name} pools by the maximum, and not by the mean")
        states = self.patch_states(vision(inputs.pixels).last_hidden_state, inputs)
        cosines = (states @ self.text_states(inputs)[..., None])[..., 0] / states.mean(1).norm(dim=1, keepdim=True)
        return self.model.scaled(cosines) / states.shape[1]
