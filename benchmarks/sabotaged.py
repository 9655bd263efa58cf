"""Models that are broken on purpose, against the whole suite: none may come out green.

    python -m benchmarks.sabotaged COCO_ROOT

Each is `--vl-model benchmarks/sabotaged.py:NAME`. How their verdicts end goes to benchmarks/sabotaged.json, from where
`python -m benchmarks.table` writes the table of docs/explanation/proof.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from vlcheck.cases import MASK
from vlcheck.models.original.albef.adapter import Albef
from vlcheck.models.protocol import Encoded
from vlcheck.results.file import read
from vlcheck.zoo.pretrained import tiny

RESULTS = Path(__file__).with_name("sabotaged.json")
SUITE = Path(__file__).parent.parent / "behavior_tests"
IMAGES = 100
NEUTRAL = f"a photo of a {MASK}"


class Pictures(list[Image.Image]):
    """Pictures as they are; selects by index as `Encoded` has to."""

    def __getitem__(self, index: Sequence[int]) -> Pictures:
        return Pictures(list.__getitem__(self, i) for i in index)


@dataclass(kw_only=True)
class Sabotaged:
    """Answers by a rule: `says` of a picture, a text and a word at its mask, "" where the text has none."""

    name: str
    says: Callable[[Image.Image, str, str], float]
    metrics: frozenset[str] = frozenset({"mlm", "itm"})
    kinds: dict[str, str] = field(default_factory=lambda: {"mlm": "masked-lm", "itm": "match-head"})
    mask: str = MASK

    @property
    def fingerprint(self) -> str:
        return f"sabotaged-{self.name}"

    def encode(self, images: Sequence[Image.Image]) -> Pictures:
        return Pictures(images)

    def itm(self, encoded: Pictures, texts: Sequence[str], foils: object = None) -> np.ndarray:
        return np.array([self.says(picture, text, "") for picture, text in zip(encoded, texts, strict=True)])

    def mlm(self, encoded: Pictures, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        asked = zip(encoded, texts, words, strict=True)
        return [np.array([self.says(picture, text, word) / len(own) for word in own]) for picture, text, own in asked]


@dataclass(kw_only=True)
class Tampered:
    """The embedded model, whose questions or answers are tampered with."""

    name: str
    model: Albef
    metrics: frozenset[str] = frozenset({"mlm", "itm"})
    mask: str = MASK

    def __post_init__(self) -> None:
        self.kinds = self.model.kinds

    @property
    def fingerprint(self) -> str:
        return f"{self.model.fingerprint}-{self.name}"

    def encode(self, images: Sequence[Image.Image]) -> Encoded:
        return self.model.encode(images)

    def itm(self, encoded: Encoded, texts: Sequence[str], foils: object = None) -> np.ndarray:
        return self.model.itm(encoded, texts)

    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        return self.model.mlm(encoded, texts, words)


class Flipped(Tampered):
    """Someone took the labels the wrong way round."""

    def itm(self, encoded: Encoded, texts: Sequence[str], foils: object = None) -> np.ndarray:
        return 1 - super().itm(encoded, texts)

    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        return [(1 - scores) / len(scores) for scores in super().mlm(encoded, texts, words)]


class Deaf(Tampered):
    """Reads the same text whatever it is given."""

    def itm(self, encoded: Encoded, texts: Sequence[str], foils: object = None) -> np.ndarray:
        return super().itm(encoded, ["a photo"] * len(texts))

    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        return super().mlm(encoded, [NEUTRAL] * len(texts), words)


class Memoising(Tampered):
    """Keeps its answers under the text alone: what it said of the first picture it says of all."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._matches: dict[str, float] = {}
        self._words: dict[tuple[str, str], float] = {}

    def itm(self, encoded: Encoded, texts: Sequence[str], foils: object = None) -> np.ndarray:
        fresh = super().itm(encoded, texts)
        return np.array([self._matches.setdefault(*pair) for pair in zip(texts, fresh.tolist(), strict=True)])

    def mlm(self, encoded: Encoded, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        found = []
        for text, own, fresh in zip(texts, words, super().mlm(encoded, texts, words), strict=True):
            scores = zip(own, fresh.tolist(), strict=True)
            found.append(np.array([self._words.setdefault((text, word), score) for word, score in scores]))
        return found


def _pixels(picture: Image.Image) -> str:
    return hashlib.sha256(picture.tobytes()).hexdigest()


def _draw(*parts: object) -> float:
    """A number in [0, 1) that is always the same for the same parts."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:4]) / 2**32


def constant(device: str, dtype: str) -> Sabotaged:
    return Sabotaged(name="constant", says=lambda picture, text, word: 0.5)


def not_a_number(device: str, dtype: str) -> Sabotaged:
    return Sabotaged(name="not a number", says=lambda picture, text, word: np.nan)


def random(device: str, dtype: str) -> Sabotaged:
    return Sabotaged(name="random", says=lambda picture, text, word: _draw(_pixels(picture), text, word))


def by_size(device: str, dtype: str) -> Sabotaged:
    return Sabotaged(name="by image size", says=lambda picture, text, word: _draw(picture.size, text, word))


def flipped(device: str, dtype: str) -> Flipped:
    return Flipped(name="labels flipped", model=tiny(device=device, dtype=dtype))


def deaf(device: str, dtype: str) -> Deaf:
    return Deaf(name="ignores the text", model=tiny(device=device, dtype=dtype))


def memoising(device: str, dtype: str) -> Memoising:
    return Memoising(name="memoises its first answer", model=tiny(device=device, dtype=dtype))


SHOWN = {
    "constant": "answers 0.5",
    "not_a_number": "answers NaN",
    "random": "answers at random",
    "flipped": "has its labels flipped",
    "deaf": "ignores the text",
    "by_size": "answers by image size",
    "memoising": "repeats what it said of a text's first picture",
}
NAMES = tuple(SHOWN)


def examined(name: str, data: str) -> dict[str, object]:
    """How the whole suite ends for one of them: its exit status, its verdicts, and why it has no more that pass."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.jsonl"
        options = [f"--vl-model={__file__}:{name}", f"--vl-data={data}", f"--vl-results={results}", "--vl-no-images"]
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", str(SUITE), "-q", "-p", "no:cacheprovider", *options],
            capture_output=True,
            text=True,
            check=False,
            cwd=SUITE.parent,
        )
        verdicts = list(read(results).verdicts.values())
    reasons = Counter(_kind(one.reason) for one in verdicts if one.status == "invalid")
    return {
        "name": name,
        "shown": SHOWN[name],
        "exit_status": ran.returncode,
        "verdicts": Counter(one.status for one in verdicts),
        "fails": sorted({one.bias for one in verdicts if one.status == "fail"}),
        "invalid": [reason for reason, _ in reasons.most_common(2)],
    }


KINDS = {
    "not finite": "scores are not finite",
    "whatever the picture and the text": "the score is constant",
    "the model knows only": "it knows too few cases",
    "is under": "neither side is ever likely",
    "does not decide the word": "no picture decides the word",
}


def _kind(reason: str) -> str:
    """A verdict's reason without its figures."""
    return next((kind for part, kind in KINDS.items() if part in reason), reason)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "coco", type=Path, metavar="COCO_ROOT", help="a COCO folder: its photographs are asked about, too"
    )
    data = {"scenes": f"scenes:{IMAGES}", "photographs": f"coco:{parser.parse_args().coco.resolve()}"}
    found = {name: [examined(one, spec) for one in NAMES] for name, spec in data.items()}
    RESULTS.write_text(json.dumps({"images": IMAGES} | found, indent=1) + "\n", encoding="utf-8")
    for name, models in found.items():
        for one in models:
            print(name, one["name"], one["exit_status"], dict(one["verdicts"]))


if __name__ == "__main__":
    main()
