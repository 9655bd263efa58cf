"""What the workers of a run hold in memory. It takes a minute of the processor, and 2 GB of the disk."""

import sys

import pytest

from benchmarks.weights import albef, measured


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc/PID/smaps_rollup, which Linux has")
def test_two_processes_hold_a_gigabyte_of_weights_once_and_all_else_twice(tmp_path):
    memory = measured(albef(tmp_path), "float32", 2)

    assert memory.weights > 1_000
    assert memory.together < 1.02 * memory.most
    assert memory.apart > memory.together + 0.9 * memory.weights
