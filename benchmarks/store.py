"""What the store of scores costs: seconds of the processor and bytes, an answer.

    python -m benchmarks.store [--answers 20000] [--to benchmarks/store.json]

The answers are as those of a suite: eight texts a picture, half of them masked words with 14 words to choose from, the
same texts for each edit of a picture. Takes about 10 seconds. It asks no model.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vlcheck.cases.picture import Picture
from vlcheck.metrics.answer import Answer
from vlcheck.metrics.query import Query
from vlcheck.perturb import Block, Grayscale, Mirror
from vlcheck.perturb.image import Solid
from vlcheck.scoring.store import ScoreStore

WORDS = (
    *("ball", "boat", "book", "bottle", "box", "car", "chair"),
    *("cup", "drum", "fish", "flower", "hat", "kite", "lamp"),
)
EDITS = ((), (Grayscale(),), (Mirror(),), (Block(where="region"),))
AT_ONCE = 64  # answers in a call of `put`, as the scorer has them
ASKED = 500  # queries in a call of `get_many`
ROUNDS = 5


@dataclass(frozen=True)
class Place:
    """A source of pictures that is never opened."""

    key: str
    size: tuple[int, int] = (8, 8)
    open = Solid.open


def pairs(count: int) -> list[tuple[Query, Answer]]:
    return [pair for _, pair in zip(range(count), _drawn(), strict=False)]


def _drawn() -> Iterator[tuple[Query, Answer]]:
    number = 0
    while True:
        number += 1
        source = Place(f"{number:064x}")
        for edits in EDITS:
            picture = Picture(source, edits)
            for i in range(4):
                top = tuple((word, 1 / (3 + i)) for word in WORDS[:5])
                text = f"a person with picture number {number} and a"
                yield Query("mlm", picture, f"{text} [MASK] {i}", WORDS), Answer((1 / 3,) * len(WORDS), top)
                yield Query("itm", picture, f"{text} {WORDS[i]}"), Answer((1 / 7,))


def seconds(work: Callable[[], object]) -> float:
    """Seconds of the processor, those of the system among them."""
    began = time.process_time()
    work()
    return time.process_time() - began


def measured(answers: Sequence[tuple[Query, Answer]], folder: Path) -> dict[str, float]:
    path = folder / "scores.sqlite"
    batches = [answers[at : at + AT_ONCE] for at in range(0, len(answers), AT_ONCE)]
    asked = [[query for query, _ in answers[at : at + ASKED]] for at in range(0, len(answers), ASKED)]
    with ScoreStore(path, "model", versions={}) as store:
        put = seconds(lambda: [store.put(batch) for batch in batches])
    with ScoreStore(path, "model", versions={}) as store:
        get = seconds(lambda: [store.get_many(queries) for queries in asked])
        missing = seconds(lambda: [store.missing(query.key for query in queries) for queries in asked])
    n = len(answers)
    return {"put_us": put / n * 1e6, "get_us": get / n * 1e6, "missing_us": missing / n * 1e6} | {
        "bytes": path.stat().st_size / n
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=20_000)
    parser.add_argument("--to", type=Path)
    said = parser.parse_args()
    answers = pairs(said.answers)
    _ = [query.key for query, _ in answers]  # hashed before, as the plan does
    rounds = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(measured(answers, Path(folder)))
    found = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]} | {"answers": said.answers}
    print(json.dumps(found, indent=2))
    if said.to:
        said.to.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
