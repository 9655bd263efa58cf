"""The number of pictures that are encoded together is found from the memory that is there; nothing is lost."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.scoring.counting import photograph
from tests.scoring.limited_memory import BATCH, FEW, PICTURES, TEXTS
from tests.warm_python import warm_python
from vlcheck._util import memory
from vlcheck._util.memory import free_memory, lacks_memory
from vlcheck.metrics.query import Query
from vlcheck.scoring import batch_size
from vlcheck.scoring.batch_size import ON_CPU, PATIENCE, FoundSize, most_pictures, starting_size
from vlcheck.scoring.plan import Chunk
from vlcheck.scoring.scorer import Scorer

slow = pytest.mark.slow
needs_limits = pytest.mark.skipif(sys.platform != "linux", reason="needs limits of memory as Linux has them")


def asked(kind: str, folder: Path) -> dict:
    command = [warm_python().command, "-m", "tests.scoring.limited_memory", kind, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_limits
@pytest.mark.parametrize("kind", ["torch", *(pytest.param(kind, marks=slow) for kind in ("numpy", "bytes", "std"))])
def test_a_batch_that_finds_no_memory_is_halved_and_grows_again(tmp_path: Path, kind: str) -> None:
    found = asked(kind, tmp_path)
    assert found["answered"] == found["answers"] == PICTURES * TEXTS, found["errors"]
    first, rest = found["fitted"][:8], found["fitted"]
    assert max(first) <= 4, "no more fitted into the memory"
    assert max(rest) > max(first), "the batches grew once there was more memory"
    assert sum(rest) == PICTURES, "no picture was encoded twice"


@slow
@needs_limits
def test_texts_for_which_there_is_no_memory_are_halved_without_encoding_again(tmp_path: Path) -> None:
    found = asked("torch-texts", tmp_path)
    assert found["answered"] == found["answers"] == PICTURES * TEXTS, found["errors"]
    assert max(found["fitted"][:8]) <= 4
    assert max(found["fitted"]) > max(found["fitted"][:8])
    assert (tmp_path / "journal").read_text().count("call encode") == PICTURES // BATCH


@slow
@needs_limits
def test_a_picture_that_never_fits_is_an_error_of_its_own(tmp_path: Path) -> None:
    found = asked("never", tmp_path)
    assert (found["answered"], found["answers"]) == (0, FEW * TEXTS)
    assert all(said.startswith("RuntimeError: [enforce fail at alloc_cpu") for said in found["errors"])


class LittleRoom:
    """Has no memory for a large text beside two pictures."""

    name, metrics, kinds, fingerprint = "little", ("itm",), {"itm": "match-head"}, "little"
    held = 0

    def encode(self, images: Sequence[Image.Image]) -> np.ndarray:
        self.held = len(images)
        return np.zeros(len(images))

    def itm(self, encoded: object, texts: Sequence[str], foils: object = None) -> np.ndarray:
        if self.held > 1 and "large" in texts[0]:
            raise MemoryError("no room beside two pictures")
        return np.full(len(texts), 0.5)


def test_the_last_picture_of_a_batch_is_asked_alone_where_memory_was_short(tmp_path: Path) -> None:
    first, last = photograph(tmp_path, 0), photograph(tmp_path, 1)
    queries = (
        Query("itm", first, "small"),
        Query("itm", last, "small"),
        Query("itm", last, "large " * 100),
    )
    answers = [pair for part in Scorer(LittleRoom()).score(Chunk(queries), lambda *shown: None) for pair in part]
    assert [answer.values for _, answer in answers] == [(0.5,)] * 3


def test_a_size_is_halved_at_once_and_doubled_with_patience() -> None:
    size = FoundSize(16)
    size.failed(16)
    assert size.now == 8
    size.failed(8)
    size.failed(8)  # another part of the same batch
    assert size.now == 4
    for _ in range(PATIENCE - 1):
        size.fitted(4)
    size.fitted(3)  # the last one of a chunk says nothing of larger batches
    assert size.now == 4
    size.fitted(4)
    assert size.now == 8


def test_a_size_that_failed_again_is_tried_less_often() -> None:
    size, tries = FoundSize(16), []
    for _ in range(1000):
        if size.now > 4:
            tries.append(size.now)
            size.failed(size.now)
        else:
            size.fitted(size.now)
    assert len(tries) <= 1000 // 64 + 6


def test_a_size_never_leaves_its_bounds() -> None:
    size = FoundSize(6, start=100)
    assert size.now == 6
    for _ in range(5):
        size.failed(size.now)
    assert size.now == 1
    for _ in range(1000):
        size.fitted(size.now)
    assert size.now == 6


def test_a_smaller_batch_that_fails_says_more_than_the_size() -> None:
    size = FoundSize(16)
    size.failed(3)
    assert size.now == 1


@pytest.mark.parametrize(
    ("error", "lacks"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("the tokenizer is out of memory cards"), False),
        (ValueError("DefaultCPUAllocator: can't allocate memory"), False),
        (OSError(12, "Cannot allocate memory"), False),
        (None, False),
    ],
)
def test_want_of_memory_is_told_from_errors_that_sound_like_it(error: BaseException | None, lacks: bool) -> None:
    assert lacks_memory(error) is lacks


def test_all_processes_of_a_run_make_chunks_of_one_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert most_pictures("cpu", tmp_path) == ON_CPU
    monkeypatch.setattr(batch_size, "ON_CPU", 5)
    assert most_pictures("cpu", tmp_path) == ON_CPU
    (tmp_path / "other").mkdir()
    assert most_pictures("cpu", tmp_path / "other") == 5


@pytest.mark.parametrize(
    ("gigabytes", "pictures"), [(1, 16), (5, 32), (11, 64), (24, 128), (140, 128)], ids=lambda n: str(n)
)
def test_a_gpu_gets_batches_by_its_free_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gigabytes: int, pictures: int
) -> None:
    monkeypatch.setattr(batch_size, "free_memory", lambda device: gigabytes << 30)
    assert most_pictures("cuda", tmp_path) == pictures


@needs_limits
def test_free_memory_is_that_of_the_machine_or_the_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 << 20 < free_memory("cpu") < 1 << 50
    assert starting_size("cpu") >= 1
    assert free_memory("mps") is None
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("900\n")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert free_memory("cpu") == 100
    assert starting_size("cpu") == 1
