"""The checks of a GPU, as far as they go without one."""

import inspect
import json
import subprocess
import sys

import pytest
import torch

from benchmarks import gpu


def test_the_checks_take_eight_minutes_at_most():
    assert gpu.CHECKS.keys() == gpu.LIMITS.keys()
    assert sum(gpu.LIMITS.values()) <= 8 * 60


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_in_one_sentence_and_ends_with_2(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["gpu"])

    assert gpu.main() == 2

    assert capsys.readouterr().err.strip().count("\n") == 0


def test_scores_that_differ_fail_a_check():
    assert gpu.demanded(True, "differs", {"largest": 0}) == {"largest": 0}
    with pytest.raises(gpu.Failed, match="differs"):
        gpu.demanded(False, "differs", {})


@pytest.mark.slow
def test_parity_memory_and_throughput_run_at_small_sizes():
    assert {*gpu.parity("cpu")["largest"]} == {"ALBEF", "CLIP"}
    assert gpu.memory("cpu") == {"room_for": 8, "questions": 64 * len(gpu.TEXTS)}
    assert gpu.throughput("cpu")["run_over_bare"] > 0


def test_what_only_a_gpu_is_asked_takes_these_arguments():
    """Without a GPU, no dry run reaches these calls."""
    for call, arguments in (
        (torch.cuda.get_device_properties, ("cuda",)),
        (torch.cuda.set_per_process_memory_fraction, (0.5, 0)),
        (torch.cuda.reset_peak_memory_stats, ()),
        (torch.cuda.max_memory_reserved, ()),
        (torch.cuda.memory_reserved, ()),
        (torch.cuda.empty_cache, ()),
        (torch.cuda.get_device_name, ("cuda",)),
    ):
        inspect.signature(call).bind(*arguments)


@pytest.mark.slow
def test_a_check_that_fails_is_named_with_its_message(monkeypatch):
    monkeypatch.setattr(gpu, "CLOSE", -1.0)  # two scores are never so near

    with pytest.raises(gpu.Failed, match="scores differ by"):
        gpu.parity("cpu")


@pytest.mark.nightly
def test_a_dry_run_on_the_processor_passes():
    command = [sys.executable, "-m", "benchmarks.gpu", "--device", "cpu"]

    done = subprocess.run(command, capture_output=True, text=True, cwd=gpu.ROOT, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    checks = json.loads(done.stdout)["checks"]
    assert checks.keys() == gpu.CHECKS.keys()
    assert all(check["passed"] for check in checks.values())
