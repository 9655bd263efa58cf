from __future__ import annotations

import pytest

from vlcheck.errors import UsageError
from vlcheck.scoring.engines.ray.node_part import NodePart, part_for


@pytest.mark.parametrize(
    ("device", "threads", "part"),
    [
        ("cpu", "", NodePart(cores=4)),
        ("cpu", "8", NodePart(cores=8)),
        ("cpu", "0", NodePart(cores=4)),
        ("cpu", "two", NodePart(cores=4)),
        ("cuda", "8", NodePart(cores=0, gpus=1)),
        ("", "", NodePart(cores=4)),
    ],
)
def test_a_copy_takes_a_gpu_or_as_many_cores_as_it_has_threads(device, threads, part):
    assert part_for(device, threads) == part


@pytest.mark.parametrize("device", ["cuda:1", "cuda:0,1", "mps", "auto"])
def test_a_device_that_names_one_of_a_machine_is_refused(device):
    with pytest.raises(UsageError, match=rf"^device={device}: does not go with engine=ray, .*Accepted: cpu, or cuda"):
        part_for(device, "")


def test_a_node_has_room_for_whole_copies_alone():
    node = {"CPU": 15.0, "GPU": 2.0, "memory": 1e9}

    assert NodePart(cores=4).copies(node) == 3
    assert NodePart(cores=0, gpus=1).copies(node) == 2
    assert NodePart(cores=0, gpus=1).copies({"CPU": 15.0}) == 0


def test_a_part_is_said_in_words():
    assert [str(part) for part in (NodePart(1), NodePart(4), NodePart(0, 1))] == ["1 core", "4 cores", "1 GPU"]
