"""Measure the memory of processes that hold the weights of one model: once for all, or each its own.

    python -m benchmarks.weights [--workers 2]

Checkpoints of about 1 GB with random weights are written to a temporary folder: an ALBEF in the original layout, and a
CLIP as transformers saves it. Each process loads the model as the workers of pytest-xdist do, asks it about two
pictures, and waits. Then the proportional set sizes (PSS, of Linux's /proc/PID/smaps_rollup) of all are added: a page
that two processes hold counts half for each. It takes two minutes and 3 GB of the disk. The figures, in MB, go to
benchmarks/weights.json.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from PIL import Image
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

from benchmarks.albef_checkpoint import random_albef
from benchmarks.suite import ROOT, machine
from tests.models.checkpoints import VISION, bert_tokenizer, save, text_sizes
from vlcheck.models.loading.load import load_model
from vlcheck.models.loading.shared_weights import share_weights
from vlcheck.models.original.albef.config import AlbefConfig

RESULTS = Path(__file__).with_name("weights.json")
_TEXT = "a red bus"
_MB = 1e6


@dataclass(frozen=True)
class Memory:
    """Megabytes of processes with one model.

    Attributes:
        processes: the number of processes.
        weights: the weights.
        alone: one process.
        apart: all processes, each with its own weights; NaN if it was not measured.
        together: all processes, with the weights of all in one file.
    """

    processes: int
    weights: float
    alone: float
    apart: float
    together: float

    @property
    def most(self) -> float:
        """What is accepted: the weights once, and all else once for each process."""
        return self.weights + self.processes * (self.alone - self.weights)


def albef(folder: Path) -> str:
    """Write an ALBEF of about 1 GB; return its spec."""
    return f"albef:{random_albef(folder, AlbefConfig(vision_depth=18), [_TEXT])}"


def clip(folder: Path) -> str:
    """Write a CLIP of about 1 GB; return its spec."""
    large = {"hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16}
    config = CLIPConfig(
        text_config=text_sizes(bos_token_id=2, eos_token_id=3) | large | {"num_hidden_layers": 12},
        vision_config=VISION | large | {"num_hidden_layers": 8, "image_size": 224, "patch_size": 32},
        projection_dim=512,
    )
    return str(save(folder, CLIPModel(config), bert_tokenizer(), CLIPImageProcessor()))


MODELS: Mapping[str, Callable[[Path], str]] = {"ALBEF": albef, "CLIP, of transformers": clip}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--hold", nargs=3, metavar=("SPEC", "DTYPE", "FOLDER"), help="in this process")
    said = parser.parse_args()
    if said.hold:
        hold(*said.hold)
        return
    figures = {}
    for name, write in MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            spec = write(Path(folder))
            for dtype in ("float32", "bfloat16"):
                memory = measured(spec, dtype, said.workers)
                figures[f"{name}, {dtype}"] = asdict(memory) | {"most": memory.most}
                print(name, dtype, memory, flush=True)
    RESULTS.write_text(json.dumps({"machine": machine(), "memory": figures}, indent=2) + "\n", encoding="utf-8")


def measured(spec: str, dtype: str, processes: int, *, apart: bool = True) -> Memory:
    """Measure one process, so many with their own weights (unless not `apart`), and so many that share them."""
    weights, alone = total(spec, dtype, 1, share=False)
    _, own = total(spec, dtype, processes, share=False) if apart else (0.0, float("nan"))
    return Memory(processes, weights, alone, own, total(spec, dtype, processes, share=True)[1])


def total(spec: str, dtype: str, processes: int, *, share: bool) -> tuple[float, float]:
    """Return the MB of a model's weights, and of processes that hold it, while all of them do."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as held:
        place = folder if share else ""
        holders = [held.enter_context(_holder(spec, dtype, place)) for _ in range(processes)]
        weights = [float(holder.stdout.readline()) for holder in holders if holder.stdout]
        return weights[0] / _MB, sum(pss(holder.pid) for holder in holders)


def pss(pid: int) -> float:
    """Return the proportional set size of a process in MB."""
    said = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    found = re.search(r"^Pss:\s+(\d+) kB", said, re.MULTILINE)
    return int(found[1]) * 1024 / _MB if found else float("nan")


@contextmanager
def _holder(spec: str, dtype: str, folder: str) -> Iterator[subprocess.Popen[str]]:
    """Start a process that holds a model until the context ends."""
    command = [sys.executable, "-m", "benchmarks.weights", "--hold", spec, dtype, folder]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, cwd=ROOT, env=environment
    ) as holder:
        yield holder
        holder.communicate()


def hold(spec: str, dtype: str, folder: str) -> None:
    """Hold a model; print the bytes of its weights once it was asked, and wait until standard input ends."""
    model = load_model(spec, dtype=dtype)
    if folder:
        share_weights(model, Path(folder))
    model.itm(model.encode([Image.new("RGB", (64, 64))] * 2), [_TEXT] * 2, [["a cat"]] * 2)
    network: torch.nn.Module = model.network  # type: ignore[attr-defined] # of both families' adapters
    print(sum(weight.nbytes for weight in network.parameters()), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
