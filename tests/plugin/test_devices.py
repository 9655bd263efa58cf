"""One GPU a worker; what needs no GPU of it is tested here, and the rest by benchmarks/gpu.py."""

import os

import pytest
from execnet import XSpec

from vlcheck import plugin
from vlcheck.errors import UsageError
from vlcheck.plugin.devices import demand_gpus, name_gpus, share_gpus, threads_each, workers_of

REPORTS = """
    import os, pathlib, signal
    import pytest

    @pytest.mark.parametrize("number", range(4))
    def test_writes_its_gpu(number, worker_id):
        with pathlib.Path({log!r}).open("a") as log:
            print(number, worker_id, os.environ["CUDA_VISIBLE_DEVICES"], os.environ["OMP_NUM_THREADS"], file=log)
        if number == 1 and worker_id in ("gw0", "gw1"):
            os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    ("environment", "count", "named"),
    [
        ({}, 3, ("0", "1", "2")),
        ({"CUDA_VISIBLE_DEVICES": "3,1"}, 2, ("3", "1")),
        ({"CUDA_VISIBLE_DEVICES": " GPU-8a , MIG-7/1/0"}, 2, ("GPU-8a", "MIG-7/1/0")),
        ({"CUDA_VISIBLE_DEVICES": "2,-1,1"}, 1, ("2",)),
        ({"CUDA_VISIBLE_DEVICES": ""}, 0, ()),
        ({"CUDA_VISIBLE_DEVICES": "0,1,9"}, 2, ("0", "1")),
        ({"CUDA_VISIBLE_DEVICES": "0,, 1"}, 1, ("0",)),
        ({"CUDA_VISIBLE_DEVICES": "none"}, 0, ()),
        ({"CUDA_VISIBLE_DEVICES": "0,0"}, 0, ()),  # PyTorch finds none where one is named twice
        ({}, 0, ()),
    ],
)
def test_gpus_are_those_of_the_caller_in_its_order(environment, count, named):
    assert name_gpus(environment, count) == named


def test_each_worker_has_a_gpu_of_its_own_while_there_are_enough():
    specs = [XSpec("popen") for _ in range(2)]

    said = share_gpus([spec.env for spec in specs], ("3", "GPU-8a"))

    assert [spec.env["CUDA_VISIBLE_DEVICES"] for spec in specs] == ["3", "GPU-8a"]
    assert said == ""


def test_more_workers_than_gpus_share_them_in_turn_and_it_is_said():
    specs = [XSpec("popen") for _ in range(5)]

    said = share_gpus([spec.env for spec in specs], ("3", "1"))

    assert [spec.env["CUDA_VISIBLE_DEVICES"] for spec in specs] == ["3", "1", "3", "1", "3"]
    assert said.startswith("5 workers share 2 GPUs: ")
    assert said.endswith("-n 2 has one worker a GPU")


@pytest.mark.parametrize(
    ("environment", "why"),
    [({}, "PyTorch finds none"), ({"CUDA_VISIBLE_DEVICES": "-1"}, "CUDA_VISIBLE_DEVICES is '-1'")],
)
def test_a_machine_without_gpu_is_told_so_with_what_is_accepted(environment, why):
    with pytest.raises(UsageError, match=f"device=cuda: .*{why}.*; cpu is always accepted"):
        demand_gpus(environment, 0)


def test_n_auto_is_left_to_xdist_on_another_device():
    assert workers_of("cpu") is None
    assert workers_of("cuda:1") is None


@pytest.mark.parametrize(("model", "workers"), [("tiny", 3), ("", None)])
def test_n_auto_is_left_to_xdist_without_a_model(pytester, monkeypatch, model, workers):
    monkeypatch.setattr(plugin, "workers_of", lambda device: 3 if device == "cuda" else None)
    config = pytester.parseconfig("--vl-device=cuda", *([f"--vl-model={model}"] if model else []))

    assert plugin.pytest_xdist_auto_num_workers(config) == workers


def test_the_usable_cores_are_divided():
    usable = len(os.sched_getaffinity(0))

    assert threads_each(1) == usable
    assert threads_each(10 * usable) == 1


@pytest.mark.parametrize("workers", ["2", pytest.param("auto", marks=pytest.mark.slow)])
def test_cuda_without_gpu_ends_the_run_before_any_worker_starts(project, monkeypatch, workers):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")

    result = project.run("-n", workers, "--vl-device=cuda", subprocess=True)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--vl-device cuda: this machine has no GPU*cpu is always accepted*"])


@pytest.mark.slow
def test_a_worker_that_replaces_a_dead_one_keeps_its_gpu(project, monkeypatch, log):
    """The plugin below stands for a machine with two GPUs, which PyTorch cannot be made to see."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    project.pytester.makepyfile(test_states=REPORTS.format(log=str(log)))
    project.pytester.makepyfile(
        two_gpus="""
        from vlcheck.plugin import xdist
        xdist.count_gpus = lambda: 2
        """
    )
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7,GPU-8a")
    monkeypatch.syspath_prepend(project.folder)

    project.run("-n2", "-p", "two_gpus", "--vl-device=cuda", subprocess=True)

    written = [line.split() for line in log.read_text().splitlines()]
    gpus = {worker: gpu for _, worker, gpu, _ in written}
    deaths = [gpu for number, worker, gpu, _ in written if number == "1" and worker in ("gw0", "gw1")]
    replaced = {f"gw{place}": gpu for place, gpu in enumerate(deaths, 2)}  # xdist counts on
    assert {gpus[name] for name in ("gw0", "gw1") if name in gpus} <= {"7", "GPU-8a"}
    assert gpus.keys() & replaced.keys()
    assert {name: gpu for name, gpu in gpus.items() if name in replaced} == {
        name: gpu for name, gpu in replaced.items() if name in gpus
    }
    assert {threads for *_, threads in written} == {str(threads_each(2))}
