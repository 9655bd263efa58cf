"""Loads ViLBERT (Lu et al. 2019, arXiv:1908.02265). `network` has its network, `config` its sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import torch
from torch import Tensor

from vlcheck._util.paths import expanded
from vlcheck.metrics.registry import WITH_REGIONS
from vlcheck.models.adapters.base import MaskedPass, log_softmax
from vlcheck.models.adapters.features import Features
from vlcheck.models.adapters.regions import ReadsRegions
from vlcheck.models.adapters.tokenizing import Texts
from vlcheck.models.adapters.tryout import ask_everything, trying
from vlcheck.models.loading.layout import fingerprint, named_path
from vlcheck.models.original.vilbert.differentiable import DifferentiableVilbert
from vlcheck.models.original.vilbert.inputs import region_inputs
from vlcheck.models.original.vilbert.network import VilbertNetwork
from vlcheck.models.original.wordpiece import SPECIAL, bert_tokenizer, check_entries, vocabulary_of
from vlcheck.models.regions.extractor import find_extractor
from vlcheck.models.regions.regions import RegionExtractor, Regions


class Vilbert(ReadsRegions):
    """The adapter of a pre-training checkpoint of the original code, with heads for words, matching and regions.

    Args:
        network: the network, in its dtype, on its device.
        texts: a tokenizer with the network's vocabulary.
        extractor: finds the regions of a picture.
        name: the model's name in reports.
        fingerprint: content hash of its files, dtype, device type and extractor.
    """

    kinds = WITH_REGIONS
    known = ("pytorch_model_9.bin (vilbert-multi-task)",)

    def __init__(
        self, network: VilbertNetwork, texts: Texts, extractor: RegionExtractor, *, name: str, fingerprint: str
    ) -> None:
        self.network, self.texts, self.extractor = network, texts, extractor
        self.name, self.fingerprint = name, fingerprint

    def inputs(self, regions: Regions, size: tuple[int, int]) -> Sequence[Tensor]:
        return region_inputs(regions.boxes, regions.features, size, regions.gone)

    def differentiable(self) -> DifferentiableVilbert:
        return DifferentiableVilbert(self)

    def _match(self, features: Features, rows: Sequence[int], texts: Sequence[str]) -> Tensor:
        """Return P(match) by softmax over the two logits of the matching head; the first one is that of a match."""
        return log_softmax(self.network.itm_logits(**self._asked(features, rows, texts)))[:, 0].exp()

    def _predict(self, features: Features, texts: Sequence[str], passes: Sequence[MaskedPass]) -> Tensor:
        rows = [each.row for each in passes]
        asked = self._asked(features, rows, [texts[row] for row in rows], [each.masks for each in passes])
        where = asked["ids"] == self.texts.tokenizer.mask_token_id
        return log_softmax(self.network.mlm_logits(**asked)[where])

    def region_logits(self, features: Features, rows: Sequence[int], texts: Sequence[str]) -> Tensor:
        logits: Tensor = self.network.region_logits(**self._asked(features, rows, texts))
        return logits[:, 1:]

    def _pieces(self, text: str, word: str) -> list[int]:
        return self.texts.pieces(text, word)

    def _entry(self, number: int) -> str:
        return self.texts.entry(number)

    def _asked(
        self, features: Features, rows: Sequence[int], texts: Sequence[str], masks: Sequence[int] | None = None
    ) -> dict[str, Tensor]:
        """Return the network's inputs, by name."""
        regions, places, seen = features.each(rows)
        tokens = self.texts.batch(texts, masks).to(regions.device)
        return {
            "ids": tokens["input_ids"],
            "input_mask": tokens["attention_mask"],
            "segment_ids": tokens["token_type_ids"],
            "features": regions,
            "image_loc": places,
            "image_mask": seen,
        }


def load(path: str, *, regions: str = "", device: str = "cpu", dtype: str = "float32") -> Vilbert:
    """Load a model of the original code, and the extractor of its regions.

    Args:
        path: a folder with one checkpoint of the original code and its `config.json`, and with `vocab.txt`, else
            bert-base-uncased's is taken from the hub.
        regions: see `vlcheck.models.regions.extractor.find_extractor`.
        device: a torch device.
        dtype: a torch dtype.

    Raises:
        UsageError: a part is missing or cannot be read, or the parts do not fit one another.
    """
    folder = named_path(path, "vilbert needs a folder and a detector: vilbert:FOLDER,regions=DETECTOR.")
    network = VilbertNetwork.from_original(folder).to(device, getattr(torch, dtype))
    sizes = network.config
    with vocabulary_of(folder) as vocabulary:
        check_entries(vocabulary, sizes.vocab_size)
        texts = Texts(bert_tokenizer(vocabulary, SPECIAL), limit=sizes.max_position_embeddings)
    extractor = find_extractor(regions, device=device, width=sizes.v_feature_size)
    decides = fingerprint(network, asdict(sizes), vocabulary, extractor.fingerprint)
    model = Vilbert(network, texts, extractor, name=f"vilbert:{path},regions={regions}", fingerprint=decides)
    with trying(folder, "config.json, the checkpoint and vocab.txt"):
        ask_everything(model, model.one_region(), texts.longest("a"))
    detector = expanded(regions)
    model.name_classes([folder, *([detector] if detector.is_dir() else [])], sizes.v_target_size)
    return model
