"""ALBEF, the paper's model: adapter and loading. Its network is in `albef_network`, its sizes in `albef_config`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vlcheck.errors import NotApplicable, UsageError
from vlcheck.models.albef_config import AlbefConfig, infer_config, stated_sizes
from vlcheck.models.albef_network import AlbefNetwork, scoring_weights
from vlcheck.models.albef_text import MAX_WORDS, CaptionTokenizer, find_vocabulary, pre_caption, read_vocabulary
from vlcheck.models.asking import Adapter, Reading, log_softmax
from vlcheck.models.checkpoint import read_checkpoint
from vlcheck.models.features import Features
from vlcheck.models.protocol import DEFAULT_KINDS

__all__ = ["Albef", "AlbefConfig", "AlbefNetwork", "load", "pre_caption"]

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
_NO_MLM = "a fine-tuned checkpoint without MLM head: it offers itm alone; for mlm take a pre-training checkpoint"


class Albef(Adapter):
    """ALBEF as vlcheck asks it.

    Args:
        network: in its dtype, on its device.
        tokenizer: of the network's vocabulary.
        name: how reports call it.
        max_pairs: the most texts in one forward, which bounds memory.
    """

    kinds = DEFAULT_KINDS
    known = ("ALBEF_4M.pth", "ALBEF.pth")

    def __init__(self, network: AlbefNetwork, tokenizer: CaptionTokenizer, *, name: str, max_pairs: int = 64) -> None:
        if len(tokenizer.vocabulary) != network.config.vocab_size:
            raise UsageError(
                f"the vocabulary has {len(tokenizer.vocabulary)} entries, the network {network.config.vocab_size}:"
                " they do not belong together."
            )
        self.network = network.eval().requires_grad_(requires_grad=False)
        self.tokenizer = tokenizer
        self.name = name
        self.max_pairs = max_pairs
        self.lacks = {} if network.has_mlm_head else {"mlm": _NO_MLM}
        self.kinds = {metric: kind for metric, kind in DEFAULT_KINDS.items() if metric not in self.lacks}
        self.fingerprint = _fingerprint(network, tokenizer)

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Features:
        """Run the ViT over all images at once; features stay on the device."""
        size = self.network.config.image_size
        pixels = torch.stack([preprocess(image, size) for image in images]).to(self.network.temp)
        return Features.of(self.network.image_embeds(pixels))

    def _match(self, features: Features, rows: Sequence[int], texts: Sequence[str]) -> Tensor:
        """Softmax over the two logits of the match head, of which the second is a match."""
        for text in texts:
            self._check_whole(text)
        logits = self.network.itm_logits(*self._inputs(features, rows, texts))
        return log_softmax(logits)[:, 1].exp()

    def _predict(self, features: Features, texts: Sequence[str], readings: Sequence[Reading]) -> Tensor:
        rows = [reading.row for reading in readings]
        asked = [texts[row] for row in rows]
        embeds, ids, *others = self._inputs(features, rows, asked, [reading.masks for reading in readings])
        return log_softmax(self.network.mlm_logits_at(ids == self.tokenizer.mask, embeds, ids, *others))

    def _pieces(self, text: str, word: str) -> list[int]:
        return self.tokenizer.pieces(word)

    def _entry(self, number: int) -> str:
        return self.tokenizer.vocabulary[number]

    def _inputs(
        self, features: Features, rows: Sequence[int], texts: Sequence[str], masks: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Image tokens, padded ids, attention mask, and the image of each text."""
        sentences = [self.tokenizer.encode(text, n) for text, n in zip(texts, masks or [1] * len(texts), strict=True)]
        limit = self.network.config.max_positions
        for text, sentence in zip(texts, sentences, strict=True):
            if len(sentence) > limit:
                raise UsageError(f"{text!r} has {len(sentence)} tokens; the model reads {limit} at most.")
        width = max(map(len, sentences))
        ids = torch.tensor([sentence + [self.tokenizer.pad] * (width - len(sentence)) for sentence in sentences])
        attention = torch.tensor([[1] * len(sentence) + [0] * (width - len(sentence)) for sentence in sentences])
        device = self.network.temp.device
        (embeds,), images = features.distinct(rows)
        return embeds, ids.to(device), attention.to(device), images

    @staticmethod
    def _check_whole(text: str) -> None:
        if len(pre_caption(text, max_words=len(text) + 1).split()) > MAX_WORDS:
            raise NotApplicable(f"the text has more than the {MAX_WORDS} words that ALBEF reads")


def preprocess(image: Image.Image, size: int) -> Tensor:
    """Resize to a square without keeping the aspect, bicubic, and normalise: (3, size, size), float32."""
    resized = image.convert("RGB").resize((size, size), Image.Resampling.BICUBIC)
    return normalise(torch.from_numpy(np.array(resized, dtype=np.float32)) / 255)


def normalise(pixels: Tensor) -> Tensor:
    """From (..., height, width, 3) in [0, 1] to (..., 3, height, width) around 0."""
    return ((pixels - torch.tensor(MEAN)) / torch.tensor(STD)).movedim(-1, -3)


def load(path: str, *, device: str = "cpu", dtype: str = "float32") -> Albef:
    """Load a checkpoint of the original code, with `vocab.txt` beside it or bert-base-uncased's from the hub.

    Args:
        path: `.pth`, `.pt`, `.th` (read without running code) or `.safetensors`, of pre-training or fine-tuned.
        device: a torch device.
        dtype: a torch dtype.

    Raises:
        UsageError: the file is not an ALBEF checkpoint that can be read in full, or there is no vocabulary.
    """
    if not path:
        raise UsageError("albef needs a checkpoint: albef:PATH, e.g. albef:ALBEF_4M.pth.")
    file = Path(path).expanduser()
    checkpoint = read_checkpoint(file)
    with _naming(file):
        shapes = {name: tuple(weight.shape) for name, weight in scoring_weights(checkpoint.weights).items()}
        network = AlbefNetwork(infer_config(shapes, stated_sizes(file.parent, checkpoint.config)))
        network.load_albef_state_dict(checkpoint.weights)
    vocabulary = find_vocabulary(file.parent)
    with _naming(vocabulary):
        tokenizer = CaptionTokenizer(read_vocabulary(vocabulary))
        return Albef(network.to(device, getattr(torch, dtype)), tokenizer, name=f"albef:{file.name}")


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Put the file's name before what is wrong with it."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def _fingerprint(network: AlbefNetwork, tokenizer: CaptionTokenizer) -> str:
    """Hash what decides a score: weights, sizes, preprocessing, vocabulary, dtype, device type.

    Takes half a second for the 0.9 GB of the full-size model.
    """
    weight = network.temp
    settings = [asdict(network.config), MEAN, STD, MAX_WORDS, tokenizer.vocabulary, weight.dtype, weight.device.type]
    content = hashlib.sha256(repr(settings).encode())
    for name, tensor in network.state_dict().items():
        content.update(f"{name} {tuple(tensor.shape)}".encode())
        content.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return content.hexdigest()
