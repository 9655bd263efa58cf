"""Loads the pre-training checkpoint of ViLT's original code, which has a head for words and one for matching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import BatchEncoding, BatchFeature
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.models.vilt.image_processing_pil_vilt import ViltImageProcessorPil

from vlcheck.metrics.registry import DEFAULT_KINDS
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.huggingface import match_probability
from vlcheck.models.adapters.processor import Processed
from vlcheck.models.adapters.tokenizing import Texts
from vlcheck.models.adapters.tryout import PLAIN, ask_everything, trying
from vlcheck.models.adapters.vilt import DifferentiableVilt, ImageTokens
from vlcheck.models.loading.layout import find_checkpoint, fingerprint, named_path
from vlcheck.models.original.vilt.weights import HEADS, sizes_of, vilt_from_original
from vlcheck.models.original.wordpiece import SPECIAL, bert_tokenizer, check_entries, vocabulary_of

# The original's `pixelbert` transform: the shorter side is scaled to image_size, the longer one to at most 1333/800 of
# that, and both are rounded down to multiples of 32.
_PIXELS: dict[str, Any] = {
    "resample": Image.Resampling.BICUBIC,
    "image_mean": (0.5, 0.5, 0.5),
    "image_std": (0.5, 0.5, 0.5),
    "size_divisor": 32,
}


class ViltPretraining(Processed):
    """The adapter of ViLT with both heads.

    It keeps the embedded patches of an image: ViLT computes everything else together with a text.
    """

    kinds = DEFAULT_KINDS
    known = ("vilt_200k_mlm_itm.ckpt",)

    def differentiable(self) -> DifferentiableVilt:
        return DifferentiableVilt(self)

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        return Features.of(*self.network.image_tokens(self.pixels(images)["pixel_values"]))

    def pixels(self, images: Sequence[Image.Image]) -> BatchFeature:
        # In float32 whatever the network's dtype: ViLT takes pixels whose channels add up to 0 for padding, and further
        # rounding could turn pixels of a picture into such.
        return self.prepared(images).to(self.network.device)

    def word_logits(self, images: tuple[Tensor, ...], tokens: BatchEncoding, where: Tensor) -> Tensor:
        text = self.read(images, tokens)["last_hidden_state"][:, : where.shape[1]]
        logits: Tensor = self.network.predict(text[where])
        return logits

    def match(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> Tensor:
        return match_probability(self.network.match(self.read(images, tokens)["pooler_output"]))

    def read(self, images: tuple[Tensor, ...], tokens: BatchEncoding) -> BaseModelOutputWithPooling:
        """Return the network's output for texts, each with its image.

        Args:
            images: embedded patches and their mask, each (n, ...).
            tokens: n texts.
        """
        out: BaseModelOutputWithPooling = self.network.read(
            ImageTokens(*images), tokens["input_ids"], tokens["attention_mask"]
        )
        return out


def load(path: str, *, device: str = "cpu", dtype: str = "float32") -> ViltPretraining:
    """Load a checkpoint of the original code, with `vocab.txt` beside it or bert-base-uncased's from the hub.

    Args:
        path: a folder with the files that `vilt_from_original` reads.
        device: a torch device.
        dtype: a torch dtype.

    Raises:
        UsageError: the folder holds no ViLT checkpoint that can be read in full, or there is no vocabulary.
    """
    folder = named_path(path, "vilt-original needs the folder of a checkpoint: vilt-original:FOLDER.")
    network = vilt_from_original(folder).to(device, getattr(torch, dtype))
    sizes = sizes_of(network.config)
    with vocabulary_of(folder) as vocabulary:
        check_entries(vocabulary, sizes["vocab_size"])
        tokenizer = bert_tokenizer(vocabulary, SPECIAL)
    model = ViltPretraining(
        f"vilt-original:{find_checkpoint(folder).name}",
        fingerprint(network, sizes, _PIXELS, vocabulary),
        network,
        ViltImageProcessorPil(size={"shortest_edge": sizes["image_size"]}, **_PIXELS),
        Texts(tokenizer, limit=sizes["max_position_embeddings"]),
    )
    for metric, head in HEADS.items():
        if getattr(network, head) is None:
            model.lose_head(metric, head)
    with trying(folder, "config.json, the checkpoint and vocab.txt"):
        ask_everything(model, model.encode([PLAIN]), model.texts.longest("a"))
    return model
