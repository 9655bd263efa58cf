"""The way to the processor itself; that to a GPU is benchmarks/gpu.py's."""

import torch

from vlcheck.models.adapters.transfer import moved


def test_on_the_same_device_nothing_is_copied():
    pixels = torch.rand(2, 3, 4, 4)

    assert moved(pixels, torch.device("cpu")) is pixels


def test_another_device_has_what_is_moved():
    assert moved(torch.rand(2, 3), torch.device("meta")).device.type == "meta"
