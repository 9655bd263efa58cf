"""ALBEF, the paper's model: adapter and loading. Its network is in `albef_network`, its sizes in `albef_config`."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vlcheck.errors import NotApplicable, UsageError
from vlcheck.models.albef_config import AlbefConfig, infer_config, stated_sizes
from vlcheck.models.albef_network import AlbefNetwork, scoring_weights
from vlcheck.models.albef_text import MASK, MAX_WORDS, CaptionTokenizer, find_vocabulary, pre_caption, read_vocabulary
from vlcheck.models.checkpoint import read_checkpoint
from vlcheck.models.protocol import DEFAULT_KINDS, Encoded

__all__ = ["Albef", "AlbefConfig", "AlbefNetwork", "ImageFeatures", "load", "pre_caption"]

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
_NO_MLM = "a fine-tuned checkpoint without MLM head: it offers itm alone; for mlm take a pre-training checkpoint"


@dataclass
class _LastReading:
    """The latest predictions at one mask, of these images and texts."""

    of: tuple[tuple[int, ...], tuple[str, ...]] = ((), ())
    log_probs: Tensor | None = None


@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """Image tokens as a model keeps them, and which of the images are meant.

    Attributes:
        embeds: (images, 1 + patches, vision_width).
        index: the images meant, in order.
        last: what was read over them last; lives and goes with the features, shared by every selection of them.
    """

    embeds: Tensor
    index: tuple[int, ...]
    last: _LastReading = field(default_factory=_LastReading)

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, index: Sequence[int]) -> Self:
        return replace(self, index=tuple(self.index[number] for number in index))

    def gather(self, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Copy out the tokens of the images that these rows of the selection mean, and say which each row means."""
        chosen = [self.index[row] for row in rows]
        places = {image: place for place, image in enumerate(dict.fromkeys(chosen))}
        images = torch.tensor([places[image] for image in chosen], device=self.embeds.device)
        return self.embeds[[*places]], images


class Albef:
    """ALBEF as vlcheck asks it.

    Args:
        network: in its dtype, on its device.
        tokenizer: of the network's vocabulary.
        name: how reports call it.
        max_pairs: the most texts in one forward, which bounds memory.

    Attributes:
        lacks: metrics that this checkpoint does not offer, and why.
    """

    mask = MASK

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
        self.lacks: Mapping[str, str] = {} if network.has_mlm_head else {"mlm": _NO_MLM}
        self.kinds: Mapping[str, str] = {
            metric: kind for metric, kind in DEFAULT_KINDS.items() if metric not in self.lacks
        }
        self.metrics = frozenset(self.kinds)
        self.fingerprint = _fingerprint(network, tokenizer)

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> ImageFeatures:
        """Run the ViT over all images at once; features stay on the device."""
        size = self.network.config.image_size
        pixels = torch.stack([preprocess(image, size) for image in images]).to(self.network.temp)
        return ImageFeatures(self.network.image_embeds(pixels), tuple(range(len(images))))

    @torch.inference_mode()
    def itm(self, encoded: Encoded, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        """P(match), (n,): softmax over the two logits of the match head, of which the second is a match.

        Raises:
            NotApplicable: a text of more words than ALBEF reads: what was cut off would count for nothing.
        """
        for text in texts:
            self._check_whole(text)
        features = _own(encoded, texts)
        probs = [np.zeros(0)]
        for chunk in self._chunks([_Reading(row) for row in range(len(texts))]):
            logits = self.network.itm_logits(*self._inputs(features, texts, chunk))
            probs.append(_log_softmax(logits)[:, 1].exp().double().cpu().numpy())
        return np.concatenate(probs)

    @torch.inference_mode()
    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """P(word) at the one mask of each text; a word of several pieces is read with as many masks.

        Raises:
            UsageError: the checkpoint has no MLM head, a text has not exactly one mask, a word cannot be spelled.
        """
        features = _own(encoded, texts)
        single = self._at_one_mask(features, texts)
        pieces = {word: self.tokenizer.pieces(word) for word in {word for asked in words for word in asked}}
        lengths = {(row, len(pieces[word])) for row, asked in enumerate(words) for word in asked}
        readings = [_Reading(row) for row in range(len(texts))]
        several = [_Reading(*length) for length in sorted(lengths) if length[1] > 1]
        log_probs = torch.cat([single, self._read(features, texts, several)]) if several else single
        readings += several
        starts = dict(zip(readings, accumulate((reading.masks for reading in readings), initial=0), strict=False))
        return [
            _word_probs(log_probs, [(starts[_Reading(row, len(pieces[word]))], pieces[word]) for word in asked])
            for row, asked in enumerate(words)
        ]

    @torch.inference_mode()
    def top(self, encoded: Encoded, texts: Sequence[str], k: int) -> list[list[tuple[str, float]]]:
        """The k likeliest entries of the vocabulary at each mask; free right after `mlm` of the same."""
        best = self._at_one_mask(_own(encoded, texts), texts).exp().topk(min(k, len(self.tokenizer.vocabulary)))
        names = [[self.tokenizer.vocabulary[entry] for entry in row] for row in best.indices.tolist()]
        return [list(zip(*row, strict=True)) for row in zip(names, best.values.tolist(), strict=True)]

    def _at_one_mask(self, features: ImageFeatures, texts: Sequence[str]) -> Tensor:
        """Log-probabilities (n, vocab_size) at the one mask of each text, kept until other texts are asked."""
        last, asked = features.last, (features.index, tuple(texts))
        if last.log_probs is None or last.of != asked:
            self._check_masked(texts)
            last.of, last.log_probs = asked, self._read(features, texts, [_Reading(row) for row in range(len(texts))])
        return last.log_probs

    def _read(self, features: ImageFeatures, texts: Sequence[str], readings: Sequence[_Reading]) -> Tensor:
        """Log-probabilities (masks of all readings, vocab_size), one reading after another."""
        parts = [self.network.temp.new_empty(0, self.network.config.vocab_size)]
        for chunk in self._chunks(readings):
            embeds, ids, *others = self._inputs(features, texts, chunk)
            logits = self.network.mlm_logits_at(ids == self.tokenizer.mask, embeds, ids, *others)
            parts.append(_log_softmax(logits))
        return torch.cat(parts)

    def _inputs(
        self, features: ImageFeatures, texts: Sequence[str], readings: Sequence[_Reading]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Image tokens, padded ids, attention mask, and the image of each text."""
        rows = [self.tokenizer.encode(texts[reading.row], reading.masks) for reading in readings]
        limit = self.network.config.max_positions
        for reading, row in zip(readings, rows, strict=True):
            if len(row) > limit:
                raise UsageError(f"{texts[reading.row]!r} has {len(row)} tokens; the model reads {limit} at most.")
        width = max(map(len, rows))
        ids = torch.tensor([row + [self.tokenizer.pad] * (width - len(row)) for row in rows])
        attention = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
        device = self.network.temp.device
        embeds, images = features.gather([reading.row for reading in readings])
        return embeds, ids.to(device), attention.to(device), images

    def _chunks(self, readings: Sequence[_Reading]) -> Iterator[Sequence[_Reading]]:
        return (readings[start : start + self.max_pairs] for start in range(0, len(readings), self.max_pairs))

    @staticmethod
    def _check_whole(text: str) -> None:
        if len(pre_caption(text, max_words=len(text) + 1).split()) > MAX_WORDS:
            raise NotApplicable(f"the text has more than the {MAX_WORDS} words that ALBEF reads")

    def _check_masked(self, texts: Sequence[str]) -> None:
        if "mlm" in self.lacks:
            raise UsageError(f"{self.name}: {self.lacks['mlm']}.")
        for text in texts:
            if text.count(MASK) != 1:
                raise UsageError(f"{text!r} has to hold {MASK} exactly once to be asked for a word.")


class _Reading(NamedTuple):
    """One pass over a text, by its row, with so many mask tokens for its mask."""

    row: int
    masks: int = 1


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


def _own(encoded: Encoded, texts: Sequence[str]) -> ImageFeatures:
    if not isinstance(encoded, ImageFeatures):
        raise TypeError(f"ALBEF is asked about what ALBEF encoded, not about {type(encoded).__name__}")
    if len(encoded) != len(texts):
        raise ValueError(f"{len(texts)} texts for {len(encoded)} images")
    return encoded


def _log_softmax(logits: Tensor) -> Tensor:
    """In float32 at least: half precision has no digits left for an unlikely word."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(-1)


def _word_probs(log_probs: Tensor, words: Sequence[tuple[int, Sequence[int]]]) -> np.ndarray:
    """P of each word, given the row of its first mask and its pieces: their product over the masks."""
    rows = [start + place for start, pieces in words for place in range(len(pieces))]
    chosen = log_probs[rows, [piece for _, pieces in words for piece in pieces]].double().cpu().numpy()
    ends = np.cumsum([len(pieces) for _, pieces in words], dtype=np.intp)
    return np.array([math.exp(part.sum()) for part in np.split(chosen, ends[:-1]) if len(words)])


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
