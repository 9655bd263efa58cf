"""The measured trust that comes with vlcheck."""

import subprocess
import sys

from vlcheck.explain.attribution.registry import METHODS
from vlcheck.explain.bench.planted import PLANTED_CAUSES
from vlcheck.explain.bench.records import read_bench
from vlcheck.explain.bench.trust import MEASURED, NULL, trust


def test_the_measured_methods_are_those_that_there_are():
    assert {*read_bench(MEASURED).methods} <= {*METHODS}
    assert trust("no such method") is None


def test_lrp_names_planted_causes_and_none_for_the_control():
    found = trust("lrp")
    assert found.better
    assert found.wins == found.seeds
    assert found.named.keys() == PLANTED_CAUSES.keys()
    assert found.named_a_seed >= 5
    assert found.clean >= 0.9 * found.seeds


def test_noise_is_even():
    noise = trust(NULL)
    assert abs(noise.lift.mean - 1) < 0.1
    assert noise.causes_named == 0


def test_who_reads_the_trust_waits_for_no_torch():
    code = "import sys, vlcheck.explain.bench.trust as read; read.trust('lrp'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
