"""A small real model: scores from pixels and text, and a journal of all that it is asked."""

from __future__ import annotations

import hashlib
import os
import weakref
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from vlcheck.cases.case import ImageFile
from vlcheck.cases.picture import Picture
from vlcheck.cases.rgb import to_rgb
from vlcheck.errors import NotApplicable
from vlcheck.metrics.query import Query


class Features:
    """Encoded pictures, as one digest each."""

    def __init__(self, digests: Sequence[str]) -> None:
        self.digests = list(digests)

    def __len__(self) -> int:
        return len(self.digests)

    def __getitem__(self, index: Sequence[int]) -> Features:
        return Features([self.digests[i] for i in index])


class CountingModel:
    """Answers with numbers that depend on nothing but pixels, text and word; writes each question to a journal.

    The journal is a file that several processes append to, one line a write.
    """

    name = "counting"
    fingerprint = "counting-1"
    metrics: frozenset[str] = frozenset({"mlm", "itm"})
    kinds: Mapping[str, str] = {"mlm": "masked-lm", "itm": "match-head"}
    mask = "[MASK]"

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self.features: weakref.WeakSet[Features] = weakref.WeakSet()

    def encode(self, images: Sequence[Image.Image]) -> Features:
        digests = [hashlib.sha256(np.asarray(to_rgb(image)).tobytes()).hexdigest()[:12] for image in images]
        self._write("encode", digests)
        features = Features(digests)
        self.features.add(features)
        return features

    def itm(self, encoded: Features, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        asked = [f"{digest}|{text}" for digest, text in zip(encoded.digests, texts, strict=True)]
        self._write("itm", asked)
        against = [""] * len(asked) if foils is None else ["|".join(words) for words in foils]
        return np.array([chance(f"{pair}|{words}") for pair, words in zip(asked, against, strict=True)])

    def mlm(self, encoded: Features, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        asked = [f"{digest}|{text}" for digest, text in zip(encoded.digests, texts, strict=True)]
        self._write("mlm", asked)
        return [np.array([chance(f"{pair}|{w}") for w in own]) for pair, own in zip(asked, words, strict=True)]

    def top(self, encoded: Features, texts: Sequence[str], k: int) -> list[list[tuple[str, float]]]:
        return [
            [(f"{text[:3]}{rank}", chance(f"{digest}|{text}|{rank}")) for rank in range(k)]
            for digest, text in zip(encoded.digests, texts, strict=True)
        ]

    def asked(self, kind: str) -> Counter[str]:
        """How often each picture was encoded, or each picture and text were asked."""
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return Counter(line.split("\t")[2] for line in lines if line.startswith(f"{kind}\t"))

    def calls(self, kind: str) -> int:
        """In how many calls."""
        return self.journal.read_text().count(f"call {kind}\n") if self.journal.exists() else 0

    def workers(self) -> set[str]:
        """The processes that encoded anything."""
        lines = self.journal.read_text().splitlines()
        return {line.split("\t")[1] for line in lines if line.startswith("encode\t")}

    def _write(self, kind: str, asked: Sequence[str]) -> None:
        lines = [f"call {kind}", *(f"{kind}\t{os.getpid()}\t{one}" for one in asked)]
        with self.journal.open("ab", buffering=0) as file:
            file.write(("\n".join(lines) + "\n").encode())


def chance(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) / 2**32


@dataclass(frozen=True)
class Upend:
    """Turns a picture upside down."""

    name: ClassVar[str] = "upend"
    version: ClassVar[int] = 1

    def edit(self, image: Image.Image) -> Image.Image:
        return image.rotate(180)


@dataclass(frozen=True)
class Brighten:
    """Adds to every channel; adds nothing where `by` is 0."""

    by: int
    name: ClassVar[str] = "brighten"
    version: ClassVar[int] = 1

    def edit(self, image: Image.Image) -> Image.Image:
        return image.point(lambda value: min(value + self.by, 255))


@dataclass(frozen=True)
class Refuse:
    """Never applies."""

    name: ClassVar[str] = "refuse"
    version: ClassVar[int] = 1

    def edit(self, image: Image.Image) -> Image.Image:
        raise NotApplicable(f"no use for {image.width} pixels")


def photograph(folder: Path, seed: int, size: tuple[int, int] = (24, 16)) -> Picture:
    """A picture of noise, saved as PNG."""
    path = folder / f"{seed}.png"
    pixels = np.random.default_rng(seed).integers(0, 200, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return Picture(ImageFile(path))


def broken_photograph(folder: Path) -> Picture:
    """A file that is no picture."""
    path = folder / "broken.png"
    path.write_bytes(b"not a picture")
    return Picture(ImageFile(path))


def questions(picture: Picture) -> list[Query]:
    """Five queries about a picture, three of which are about one masked text."""
    return [
        Query("mlm", picture, "a photo of a [MASK]", ("dog", "cat")),
        Query("mlm", picture, "a photo of a [MASK]", ("cat", "bird")),
        Query("mlm", picture, "a photo of a [MASK]", ("dog",)),
        Query("mlm", picture, "a [MASK] on a long and winding road", ("car", "bus")),
        Query("itm", picture, "a photo of a dog"),
    ]


def album(folder: Path, n: int) -> list[Query]:
    """Queries about n photographs and their upended copies."""
    pictures = [photograph(folder, seed) for seed in range(n)]
    return [query for picture in pictures for shown in (picture, picture.then(Upend())) for query in questions(shown)]


def digest_of(picture: Picture) -> str:
    return hashlib.sha256(np.asarray(picture.render()).tobytes()).hexdigest()[:12]
