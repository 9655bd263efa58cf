"""One small LLaVA in the forms in which a model is released, pair by pair: `python -m benchmarks.parity released`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.parity_chat import checkpoint
from tests.models.released import KINDS, adapter, compressed, merged
from tests.models.served.checkpoint import chatting
from tests.models.served.running import running


@dataclass(frozen=True)
class Forms:
    """One model in two forms.

    Attributes:
        a: the first form, in words.
        b: the second form, in words.
        specs: the specs of both.
        dtype_b: the precision of the second one.
    """

    a: str
    b: str
    specs: tuple[str, str]
    dtype_b: str = "float32"


@contextmanager
def forms(folder: Path, seed: int = 0) -> Iterator[list[Forms]]:
    """Write a checkpoint in several forms, and serve one until the end of the block.

    Args:
        folder: the folder.
        seed: the seed of the weights.
    """
    base = checkpoint(folder / "base", seed)
    adapted = adapter(base, folder / "adapter", KINDS["lora"]("llava"), seed=seed)
    packed, numbers = compressed(base, folder / "int4", 4)
    chat = chatting(folder / "chat")  # its answers are all among the tokens that a server lists
    with running(str(chat)) as server:
        yield [
            Forms("base and adapter", "merged", (f"{base}+{adapted}", str(merged(base, adapted, folder / "merged")))),
            Forms("compressed int4", "the numbers that it stands for", (str(packed), str(numbers))),
            Forms("float32", "compressed int4", (str(base), str(packed))),
            Forms("float32", "bfloat16", (str(base), str(base)), "bfloat16"),
            Forms("in process", "served by a small server", (str(chat), f"{server.spec},concurrency=2")),
        ]
