"""A GPU that is not there has one message, whoever asks for it."""

import pytest

from vlcheck._util.gpus import no_gpu
from vlcheck.errors import UsageError
from vlcheck.models.loading.load import load_model
from vlcheck.plugin.devices import demand_gpus


def test_who_loads_a_model_and_who_shares_gpus_say_the_same(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    with pytest.raises(UsageError) as loading:
        load_model("tiny", device="cuda")
    with pytest.raises(UsageError) as sharing:
        demand_gpus({"CUDA_VISIBLE_DEVICES": "-1"}, 0)
    assert str(loading.value) == str(sharing.value) == str(no_gpu("cuda", {"CUDA_VISIBLE_DEVICES": "-1"}))
    assert loading.value.with_options("--vl-{}".format) == (
        "--vl-device cuda: this machine has no GPU that can be used (CUDA_VISIBLE_DEVICES is '-1');"
        " cpu is always accepted."
    )
