"""ModernVBERT (Teiletche et al. 2025, arXiv:2510.01149) and UltraVBERT: masked language models with pictures.

A picture is tokens of the text, as in generative models, but each token attends to all others: nothing of a text can be
read before its mask is there. The vision tower runs once for all texts of a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModelForMaskedLM, PreTrainedModel, ProcessorMixin

from vlcheck.cases.case import MASK
from vlcheck.cases.rgb import to_rgb
from vlcheck.errors import NotApplicable, UsageError, printable
from vlcheck.models.adapters.autoregressive import check_length
from vlcheck.models.adapters.base import MaskedPass, log_softmax
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.huggingface import Hosted
from vlcheck.models.adapters.refusal import errors_as_refusals
from vlcheck.models.adapters.templates import Unfilled, templates
from vlcheck.models.adapters.tokenizing import Texts, check_plain
from vlcheck.models.loading.pretrained import Pretrained
from vlcheck.models.regions.regions import SAID_BY


@dataclass(frozen=True, eq=False)
class SeenPictures(Features):
    """The tokens of pictures; their number depends on a picture's shape.

    Attributes:
        seen: the features of each picture's tokens, (tokens, width).
        spans: token ids of each picture, with the tokens around its parts.
    """

    seen: tuple[Tensor, ...] = ()
    spans: tuple[tuple[int, ...], ...] = ()


class ModernVBert(Hosted):
    """Adapter of a masked language model whose texts contain a picture's tokens.

    A text is the turn of a user, after the picture, if the processor has a chat template, as its documentation has it;
    otherwise it stands right behind the picture.
    """

    kinds = MappingProxyType({"mlm": "masked-lm"})
    lacks = MappingProxyType({"itm": "it predicts words alone, and has no head for matching"})
    known = MappingProxyType(
        {
            "ModernVBertForMaskedLM": ("ModernVBERT/modernvbert",),
            "UltraVBertForMaskedLM": ("athrael-soju/UltraVBERT",),
        }
    )
    max_pairs = 16  # a text is read with all tokens of its picture

    def __init__(self, name: str, fingerprint: str, network: PreTrainedModel, images: Any, texts: Texts) -> None:
        super().__init__(name, fingerprint, network, images, Texts(images.tokenizer, limit=texts.limit))
        self.image_token = int(self.network.config.image_token_id)

    @classmethod
    def network_class(cls) -> type[PreTrainedModel]:
        made: Any = AutoModelForMaskedLM  # it loads one of the classes
        return made  # type: ignore[no-any-return]

    @classmethod
    def viewer(cls, checkpoint: Pretrained, network: PreTrainedModel) -> ProcessorMixin:
        if checkpoint.detector:
            raise UsageError(f"{checkpoint.architecture} reads pixels, not regions: leave out {SAID_BY}...")
        return checkpoint.processor()

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> SeenPictures:
        """Return the tokens of pictures, which are read one after another."""
        seen = [self._see(to_rgb(image)) for image in images]
        features, spans = zip(*seen, strict=True) if seen else ((), ())
        return SeenPictures((), tuple(range(len(seen))), seen=features, spans=spans)

    def _see(self, image: Image.Image) -> tuple[Tensor, tuple[int, ...]]:
        """Return the features of a picture's tokens, and its token ids."""
        with errors_as_refusals():
            made = self.images(text=[self.images.image_token], images=[[image]], return_tensors="pt")
        made = made.to(self.network.device, self.network.dtype)
        inputs = {name: made[name] for name in ("pixel_values", "pixel_attention_mask") if name in made}
        (features,) = self.network.model.get_image_features(**inputs).pooler_output
        whole, plain = made["input_ids"][0].tolist(), self._ids(self.images.image_token)
        start = plain.index(self.image_token)
        return features, tuple(whole[start : len(whole) - (len(plain) - start - 1)])

    def _predict(self, features: Features, texts: Sequence[str], passes: Sequence[MaskedPass]) -> Tensor:
        if not isinstance(features, SeenPictures):
            raise TypeError(f"{self.name} needs images that it encoded itself, not {type(features).__name__}")
        images = [features.index[each.row] for each in passes]
        asked = zip(passes, images, strict=True)
        spelled = [self._spelled(texts[each.row], each.masks, features.spans[image]) for each, image in asked]
        ids = pad_sequence(spelled, batch_first=True, padding_value=self.texts.tokenizer.pad_token_id or 0)
        lengths = torch.tensor([len(one) for one in spelled])
        ids, attention = ids.to(self.network.device), torch.arange(ids.shape[1]) < lengths[:, None]
        hidden = self.network.model(
            input_ids=ids,
            attention_mask=attention.long().to(self.network.device),
            image_hidden_states=[features.seen[image] for image in images],
        ).last_hidden_state
        at_masks = hidden[ids == self.texts.tokenizer.mask_token_id]
        return log_softmax(self.network.lm_head(self.network.projection_head(at_masks)))

    def _spelled(self, text: str, masks: int, span: Sequence[int]) -> Tensor:
        """Return the token ids of a text with its picture.

        Args:
            text: the text, with one mask.
            masks: number of mask tokens in its place.
            span: token ids of the picture.

        Raises:
            NotApplicable: the text is too long, or holds a special token.
        """
        check_plain(text.replace(MASK, ""), self.texts.signs)
        ids = self._ids(self._written(text.replace(MASK, self.texts.tokenizer.mask_token * masks)))
        if self.image_token not in ids:
            raise UsageError("its chat template writes no picture before a text.")
        place = ids.index(self.image_token)
        whole = [*ids[:place], *span, *ids[place + 1 :]]
        check_length(len(whole), self.texts.limit)
        return torch.tensor(whole)

    def _written(self, text: str) -> str:
        """Return a text with the picture's token before it, as the chat template writes it if there is one."""
        template = self.images.chat_template
        if not template:
            return f"{self.images.image_token}{text}"
        turn = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}
        try:
            written = templates().fill(template, [turn], **self.texts.tokenizer.special_tokens_map)
        except Unfilled as error:
            raise UsageError(f"its chat template writes no text about one picture: {error}") from error
        if text.strip() not in written:
            raise NotApplicable(f"its chat template changes or omits a text: {printable(text, 100)!r}")
        return written

    def _ids(self, text: str) -> list[int]:
        return list(self.texts.tokenizer(text)["input_ids"])
