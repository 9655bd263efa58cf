"""ViLBERT (Lu et al. 2019, arXiv:1908.02265) as vlcheck asks it. Its network is in `vilbert_network`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor
from transformers import BertTokenizer

from vlcheck.digest import digest
from vlcheck.errors import UsageError
from vlcheck.models.albef_text import find_vocabulary, read_vocabulary
from vlcheck.models.asking import Reading, log_softmax
from vlcheck.models.features import Features
from vlcheck.models.region_readers import ReadsRegions
from vlcheck.models.regions import RegionExtractor, Regions, find_extractor, split_spec
from vlcheck.models.texts import Texts
from vlcheck.models.vilbert_network import VilbertNetwork
from vlcheck.models.vilbert_original import find_checkpoint
from vlcheck.models.vilbert_regions import region_inputs


class Vilbert(ReadsRegions):
    """A pre-training checkpoint of the original code: both heads.

    Args:
        network: in its dtype, on its device.
        texts: makes ids of texts, with the network's vocabulary.
        extractor: finds regions.
        name: how reports call it.
        fingerprint: of its files, dtype, device type and extractor.
    """

    kinds = MappingProxyType({"mlm": "masked-lm", "itm": "match-head"})

    def __init__(
        self, network: VilbertNetwork, texts: Texts, extractor: RegionExtractor, *, name: str, fingerprint: str
    ) -> None:
        self.network, self.texts, self.extractor = network, texts, extractor
        self.name, self.fingerprint = name, fingerprint

    def inputs(self, regions: Regions, size: tuple[int, int]) -> Sequence[Tensor]:
        return region_inputs(regions.boxes, regions.features, size)

    def _match(self, features: Features, rows: Sequence[int], texts: Sequence[str]) -> Tensor:
        """Of its two logits the first is a match."""
        return log_softmax(self.network.itm_logits(**self._asked(features, rows, texts)))[:, 0].exp()

    def _predict(self, features: Features, texts: Sequence[str], readings: Sequence[Reading]) -> Tensor:
        rows = [reading.row for reading in readings]
        asked = self._asked(features, rows, [texts[row] for row in rows], [reading.masks for reading in readings])
        where = asked["ids"] == self.texts.tokenizer.mask_token_id
        return log_softmax(self.network.mlm_logits(**asked)[where])

    def _pieces(self, text: str, word: str) -> list[int]:
        return self.texts.pieces(text, word)

    def _entry(self, number: int) -> str:
        return self.texts.entry(number)

    def _asked(
        self, features: Features, rows: Sequence[int], texts: Sequence[str], masks: Sequence[int] | None = None
    ) -> dict[str, Tensor]:
        """The network's inputs, by its names."""
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


def load(spec: str, *, device: str = "cpu", dtype: str = "float32") -> Vilbert:
    """Load `FOLDER,regions=DETECTOR`.

    Args:
        spec: FOLDER holds one checkpoint of the original code and its `config.json`, with `vocab.txt` beside them or
            bert-base-uncased's from the hub; for DETECTOR see `vlcheck.models.regions.find_extractor`.
        device: a torch device.
        dtype: a torch dtype.

    Raises:
        UsageError: a part is missing or cannot be read, or the parts do not fit one another.
    """
    folder, detector = Path(split_spec(spec)[0]).expanduser(), split_spec(spec)[1]
    network = VilbertNetwork.from_original(folder)
    vocabulary = find_vocabulary(folder)
    texts = _texts(vocabulary, network)
    extractor = find_extractor(detector, device=device, width=network.config.v_feature_size)
    files = map(_content, (find_checkpoint(folder), folder / "config.json", vocabulary))
    return Vilbert(
        network.to(device, getattr(torch, dtype)),
        texts,
        extractor,
        name=f"vilbert:{spec}",
        fingerprint=digest("vilbert", *files, dtype, torch.device(device).type, extractor.fingerprint),
    )


def _texts(vocabulary: Path, network: VilbertNetwork) -> Texts:
    pieces = read_vocabulary(vocabulary)
    if len(pieces) != network.config.vocab_size:
        raise UsageError(
            f"{vocabulary}: has {len(pieces)} entries, the network {network.config.vocab_size}: they do not belong"
            " together."
        )
    tokenizer = BertTokenizer(vocab={piece: number for number, piece in enumerate(pieces)})
    return Texts(tokenizer, limit=network.config.max_position_embeddings)


def _content(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
