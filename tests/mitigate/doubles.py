"""A model whose answers stand in a table, and pictures that it tells apart by the color of their left half."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from vlcheck.cases.image_notes import Ablation, ablation_of
from vlcheck.metrics.itm import YesNo

RED, BLUE = (200, 0, 0), (0, 0, 200)


def halves(left: tuple[int, int, int] = RED, right: tuple[int, int, int] = BLUE) -> Image.Image:
    """A picture, mirrored where red and blue change places."""
    image = Image.new("RGB", (6, 4), left)
    image.paste(right, (3, 0, 6, 4))
    return image


class Seen(list[str]):
    """Pictures by name."""

    def __getitem__(self, index: Sequence[int]) -> Seen:  # type: ignore[override]
        return Seen(list.__getitem__(self, i) for i in index)


def seen(image: Image.Image) -> str:
    return {RED: "red", BLUE: "blue"}.get(image.getpixel((0, 0)), "blank")  # type: ignore[arg-type]


@dataclass
class Told:
    """Answers from a table: by the picture, the text and the word, which is "" for a match."""

    table: Mapping[tuple[str, str, str], float] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=lambda: {"mlm": "masked-lm", "itm": "match-head"})
    fingerprint: str = "told-1"
    name: str = "told"
    mask: str = "[MASK]"
    cased: bool = False
    encoded: list[str] = field(default_factory=list)
    asked: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    ablations: list[Ablation | None] = field(default_factory=list)

    @property
    def metrics(self) -> frozenset[str]:
        return frozenset(self.kinds)

    def encode(self, images: Sequence[Image.Image]) -> Seen:
        self.encoded += map(seen, images)
        self.ablations += map(ablation_of, images)
        return Seen(map(seen, images))

    def itm(self, encoded: Seen, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        against = foils or [()] * len(texts)
        self.asked += [(*pair, tuple(own)) for *pair, own in zip(encoded, texts, against, strict=True)]  # type: ignore[misc]
        return np.array([self.table[picture, text, ""] for picture, text in zip(encoded, texts, strict=True)])

    def mlm(self, encoded: Seen, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        each = list(zip(encoded, texts, words, strict=True))
        self.asked += [(picture, text, tuple(own)) for picture, text, own in each]
        return [np.array([self.table[picture, text, word] for word in own]) for picture, text, own in each]


class ToldRegions(Told):
    """Has regions, too."""

    def mrc(self, encoded: Seen, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        return self.mlm(encoded, texts, words)


class ToldTop(Told):
    """Names likely words, and knows the words of its table alone."""

    likely: Callable[[str], list[tuple[str, float]]] = staticmethod(
        lambda picture: {"red": [("left", 0.5), ("up", 0.25)], "blue": [("right", 0.25), ("up", 0.25)]}[picture]
    )

    def top(self, encoded: Seen, texts: Sequence[str], k: int) -> list[list[tuple[str, float]]]:
        return [self.likely(picture)[:k] for picture in encoded]

    def can_name(self, word: str) -> bool:
        return word in {"left", "cup"}


class ToldYesNo(Told):
    """Answers yes or no; the table has P(yes) under "yes" and P(no) under "no"."""

    def answers(self, encoded: Seen, texts: Sequence[str]) -> YesNo:
        pairs = list(zip(encoded, texts, strict=True))
        return YesNo(
            *(np.array([self.table[picture, text, said] for picture, text in pairs]) for said in ("yes", "no"))
        )
