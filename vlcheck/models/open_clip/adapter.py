"""Adapters of open_clip's networks: CLIP and its kin, those with a bias as SigLIP's, and CoCa, which captions."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import torch
from open_clip.coca_model import CoCa
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from torch import Tensor, nn

from vlcheck.cases.case import MASK
from vlcheck.cases.rgb import to_rgb
from vlcheck.errors import UsageError
from vlcheck.models.adapters.autoregressive import Autoregressive, check_length
from vlcheck.models.adapters.base import wide
from vlcheck.models.adapters.described import joined, precision_of, steps_said
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.tokenizing import check_plain
from vlcheck.models.adapters.transfer import moved
from vlcheck.models.adapters.tryout import PLAIN, check_finite, trying
from vlcheck.models.adapters.two_encoders import ComparesVectors, MatchesVectors, RanksVectors, unit
from vlcheck.models.loading.layout import fingerprint, naming
from vlcheck.models.open_clip.network import filled_network
from vlcheck.models.open_clip.published import Published
from vlcheck.models.open_clip.texts import OpenClipTexts, OwnTexts, texts_of
from vlcheck.models.setup import Setup

_FITTING = "model_cfg and preprocess_cfg in open_clip_config.json, the weights, and the tokenizer's files"


class OpenClip(ComparesVectors):
    """The base of adapters of open_clip's networks.

    Args:
        published: the model on the disk.
        network: its network, a module in its dtype, on its device.
        texts: its tokenizer.
    """

    def __init__(self, published: Published, network: Any, texts: OpenClipTexts) -> None:
        self.name = published.name
        self.network = network
        self.texts = texts
        visual: Any = network.visual  # open_clip takes the size from it, whatever preprocess_cfg says
        self.prepare = image_transform_v2(PreprocessCfg(size=visual.image_size, **published.pixels), is_train=False)
        self.unread = published.unread
        self.quick = bool(published.model.get("quick_gelu"))
        settings = (repr(sorted(published.pixels.items())), self.quick, repr(published.model), texts.key)
        self.fingerprint = fingerprint(network, type(self).__name__, *settings)

    def setup(self) -> Setup:
        return Setup(
            pictures=joined(steps_said(self.prepare), *(f"its {name} is not read" for name in self.unread)),
            texts=self.texts.said(),
            precision=precision_of(self.network),
            attention="open_clip's",
            activation="quick_gelu" if self.quick else "gelu",
        )

    @property
    def weight(self) -> Tensor:
        """A weight of the network, whose device and dtype are those of its inputs."""
        weight: Tensor = self.network.logit_scale
        return weight

    def pixels(self, images: Sequence[Image.Image]) -> Tensor:
        """Prepare pictures as open_clip does, (n, 3, height, width), on the network's device and in its dtype.

        Args:
            images: n RGB images of any size.
        """
        pixels = torch.stack([self.prepare(to_rgb(image)) for image in images])
        return moved(pixels, self.weight.device).to(self.weight)

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Return the unit vectors of images, (n, width)."""
        return Features.of(unit(self.network.encode_image(self.pixels(images))))

    def can_spell(self, text: str) -> bool:
        """Return True if the vocabulary has each word of a text; "[MASK]" is no word."""
        return self.texts.spells(text)

    def text_vectors(self, texts: Sequence[str]) -> Tensor:
        """Return the unit vectors of texts, (n, width)."""
        return unit(self.network.encode_text(self.texts.batch(texts).to(self.weight.device)))

    def scaled(self, cosines: Tensor) -> Tensor:
        scaled = cosines * wide(self.network.logit_scale).exp()
        bias = self.network.logit_bias
        return scaled if bias is None else scaled + wide(bias)


class OpenClipRanks(RanksVectors, OpenClip):
    """Adapter of a network that was trained to rank texts: CLIP, EVA, MobileCLIP, PE-Core."""


class OpenClipMatches(MatchesVectors, OpenClip):
    """Adapter of a network with a bias, which was trained on single pairs: SigLIP and SigLIP 2."""


class OpenClipCoCaRanks(OpenClipRanks):
    """Adapter of a CoCa whose captions are not read: it ranks texts alone."""

    lacks = MappingProxyType(
        {
            "mlm": "its captions are read with open_clip's own text network and tokenizer alone: a text network of"
            " transformers sees the words that come after, and its tokenizer may begin a text with no token"
        }
    )


class OpenClipCoCa(Autoregressive, OpenClipRanks):
    """Adapter of CoCa (Yu et al. 2022, arXiv:2205.01917): it ranks texts, and writes captions about pictures.

    Words are compared by the likelihood of the captions that they complete, after open_clip's first token.
    """

    kinds = MappingProxyType({"itm": "contrastive", "mlm": "candidates"})
    lacks = MappingProxyType({})
    texts: OwnTexts

    def __init__(self, published: Published, network: Any, texts: OpenClipTexts) -> None:
        super().__init__(published, network, texts)
        self.network.device = self.weight.device  # as networks of transformers have it

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Return the unit vectors of images, (n, width), and the states that captions read, (n, queries, width)."""
        vectors, states = self.network.visual(self.pixels(images))
        return Features.of(unit(vectors), states)

    def said(self, features: Features, row: int, text: str) -> Sequence[int]:
        check_plain(text.lower(), self.texts.signs)
        ids = self.texts.ids(text)[:-1]
        check_length(len(ids) + 1, self.texts.limit)
        return ids

    def logits(self, features: Features, image: int, ids: Tensor, keep: Tensor) -> Tensor:
        _, states = self.network.text(ids)
        seen = features.tensors[1][image].expand(len(ids), -1, -1)
        logits: Tensor = self.network.text_decoder(seen, states)[:, keep]
        return logits


def adapter_of(published: Published, *, device: str, dtype: str) -> OpenClip:
    """Load a model, and try it out.

    Args:
        published: the model on the disk.
        device: a torch device.
        dtype: a torch dtype.

    Raises:
        UsageError: a part is missing or damaged, or the parts do not fit one another.
    """
    with naming(published.place):
        network = filled_network(published).to(device, getattr(torch, dtype))
        texts = texts_of(published.model["text_cfg"], published.tokenizer)
        model = _class_of(network, texts)(published, network, texts)
    with trying(published.place, _FITTING):
        _check_tokens(network, texts)
        encoded = model.encode([PLAIN])
        check_finite(model.itm(encoded, [texts.longest("a")], [["a dog"]]))
        if "mlm" in model.kinds:
            check_finite(*model.mlm(encoded, [f"a {MASK}"], [("dog", "cat")]))
    return model


def _class_of(network: nn.Module, texts: OpenClipTexts) -> type[OpenClip]:
    if isinstance(network, CoCa):
        return OpenClipCoCa if isinstance(texts, OwnTexts) else OpenClipCoCaRanks
    return OpenClipRanks if network.logit_bias is None else OpenClipMatches


def _check_tokens(network: Any, texts: OpenClipTexts) -> None:
    """Check that the network has an embedding for the tokens of the longest text. Raises UsageError."""
    highest, rows = int(texts.batch([texts.longest("a dog")]).max()), getattr(network, "vocab_size", None)
    if rows and highest >= rows:
        raise UsageError(f"the tokenizer makes token {highest}, and the network has {rows} (text_cfg: vocab_size).")
