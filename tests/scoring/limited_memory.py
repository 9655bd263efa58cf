"""A process whose memory is limited by the operating system asks a model that takes much of it; run with -m.

    python -m tests.scoring.limited_memory KIND FOLDER

KIND says where memory is short: how pictures are encoded, or how texts are asked. The process prints, as JSON, how many
pictures or texts each call had for which there was room, and what kept queries from an answer.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from tests.scoring.counting import CountingModel, Features, photograph
from vlcheck.metrics.query import Query
from vlcheck.scoring.plan import make_plan
from vlcheck.scoring.scorer import Scorer

MEGABYTE = 1 << 20
A_PICTURE = 12 * MEGABYTE  # memory that a picture takes while it is encoded
ROOM = 72 * MEGABYTE  # midway between four pictures, which fit, and eight, which do not: threads take some, too
PICTURES, BATCH = 128, 16
SCARCE = 32  # pictures that are asked with little memory
FEW = 16  # pictures, where none ever fits
TEXTS = 4  # about each picture

TAKE: dict[str, Callable[[int], object]] = {
    "torch": lambda n: torch.ones(n * A_PICTURE, dtype=torch.uint8),
    "numpy": lambda n: np.ones(n * A_PICTURE, dtype=np.uint8),
    "bytes": lambda n: bytearray(n * A_PICTURE),
    # a hash table of C++; the tensors themselves fit
    "std": lambda n: torch.unique(torch.arange(n * A_PICTURE // 44), sorted=False),
    "never": lambda n: torch.ones(1 << 50, dtype=torch.uint8),
}


class Hungry(CountingModel):
    """Takes memory for each picture that it encodes, or for each text that it is asked."""

    def __init__(self, kind: str, folder: Path) -> None:
        super().__init__(folder / "journal")
        self.kind, _, self.what = kind.partition("-")
        self.fitted: list[int] = []

    def encode(self, images: Sequence[Image.Image]) -> Features:
        if not self.what:
            self._take(len(images))
        return super().encode(images)

    def itm(self, encoded: Features, texts: Sequence[str], foils: Sequence[Sequence[str]] | None = None) -> np.ndarray:
        if self.what:
            self._take(len(texts))
        return super().itm(encoded, texts, foils)

    def _take(self, number: int) -> None:
        taken = TAKE[self.kind](number)
        self.fitted.append(number)
        del taken


def limit(room: int) -> None:
    """Allow this process so many bytes beside those that it has."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + room, resource.RLIM_INFINITY))


def main(kind: str, folder: Path) -> None:
    """Ask about some of the pictures with little memory, and about the others with more."""
    model, pictures = Hungry(kind, folder), FEW if kind == "never" else PICTURES
    queries = [Query("itm", photograph(folder, seed), f"a dog {n}") for seed in range(pictures) for n in range(TEXTS)]
    scorer = Scorer(model, batch_size=BATCH)
    chunks = make_plan(queries, batch_size=BATCH).chunks
    torch.set_num_threads(1)  # a thread that starts takes as much as some pictures
    limit(ROOM)
    answers = []
    for at, chunk in enumerate(chunks):
        if at * BATCH == SCARCE:
            limit(100 * ROOM)
        answers += [pair for part in scorer.score(chunk, lambda picture, image: None) for pair in part]
    print(
        json.dumps(
            {
                "fitted": model.fitted,
                "answered": len({query.key for query, answer in answers if answer.values}),
                "answers": len(answers),
                "errors": sorted({answer.error[:60] for _, answer in answers if answer.error}),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
