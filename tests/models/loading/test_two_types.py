"""A model in two number types: when there are two, and why there may be one."""

import pytest
import torch

from vlcheck.errors import UsageError
from vlcheck.models.loading import two_types
from vlcheck.models.loading.two_types import in_one_type, load_in_two_types, load_in_types, slow

MODEL = """
import numpy as np
import torch

class Small:
    name, mask, metrics, kinds = "small", "[MASK]", frozenset({"itm"}), {"itm": "match-head"}

    def __init__(self, device, dtype):
        self.fingerprint = f"small {dtype}"
        self.network = torch.nn.Linear(8, 8).to(getattr(torch, dtype))

    def encode(self, images):
        return np.zeros(len(images))

    def itm(self, encoded, texts, foils=None):
        return np.full(len(texts), 0.5)

def refuses(device, dtype):
    if dtype == "bfloat16":
        raise NotImplementedError("no bfloat16 here.")
    return Small(device, dtype)

def ignores(device, dtype):
    return Small(device, "float32")

def lacks(device, dtype):
    if dtype == FULL:
        raise torch.OutOfMemoryError("CUDA out of memory")
    return Small(device, dtype)

FULL = "bfloat16"
"""


@pytest.fixture
def spec(tmp_path, monkeypatch):
    """How the file of models names one, on a machine that computes in bfloat16."""
    monkeypatch.setattr(two_types, "slow", lambda device: "")
    path = tmp_path / "small.py"

    def write(name, full="bfloat16"):
        path.write_text(MODEL.replace('FULL = "bfloat16"', f'FULL = "{full}"'))
        return f"{path}:{name}"

    return write


def test_a_model_is_there_in_both_types(spec):
    loaded = load_in_two_types(spec("Small"))
    assert (loaded.exact.fingerprint, loaded.fast.fingerprint) == ("small float32", "small bfloat16")
    assert (loaded.dtype, loaded.alone, list(loaded.lines())) == ("float32", "", [])
    assert loaded.load().fingerprint == "small bfloat16"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("refuses", "no bfloat16 here"),
        ("ignores", "small is the same model in bfloat16"),
        ("lacks", "in bfloat16, too, it does not fit in memory"),
    ],
)
def test_a_model_without_the_fast_type_is_asked_in_float32_alone(spec, name, why):
    loaded = load_in_two_types(spec(name))
    assert (loaded.exact.fingerprint, loaded.fast, loaded.dtype) == ("small float32", None, "float32")
    assert why in loaded.alone
    (line,) = loaded.lines()
    assert line.startswith("dtype='verified': float32 alone: ") or "float32 alone: " in line


def test_where_float32_does_not_fit_the_fast_type_is_taken_and_said(spec):
    loaded = load_in_two_types(spec("lacks", full="float32"))
    assert (loaded.exact.fingerprint, loaded.fast, loaded.dtype) == ("small bfloat16", None, "bfloat16")
    assert loaded.alone == "float32 does not fit in memory"


def test_another_fault_in_float32_is_raised(spec):
    with pytest.raises(UsageError, match="has no 'missing'"):
        load_in_two_types(spec("missing"))


def test_where_there_is_no_room_the_second_type_is_not_loaded(spec, monkeypatch):
    monkeypatch.setattr(two_types, "free_memory", lambda device: 100)
    assert "does not fit" in load_in_two_types(spec("Small")).alone


def test_a_processor_without_the_instructions_has_one_type(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False, "avx2": True}, raising=False)
    assert slow("cpu") == "this processor has no instructions for bfloat16"
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True}, raising=False)
    assert slow("cpu") == ""
    assert "mps" in slow("mps")


def test_any_other_dtype_is_one_type(spec):
    loaded = load_in_types(spec("Small"), device="cpu", dtype="bfloat16")
    assert (loaded.exact.fingerprint, loaded.fast, loaded.alone) == ("small bfloat16", None, "")
    assert [in_one_type(one) for one in ("verified", "float16", None)] == ["float32", "float16", None]


def test_a_model_that_others_run_is_refused(spec, monkeypatch):
    from vlcheck.models.setup import Setup

    monkeypatch.setattr(two_types, "setup_of", lambda model: Setup(server="https://x"))
    with pytest.raises(UsageError, match="small is run by others, in a number type of their own"):
        load_in_two_types(spec("Small"))
