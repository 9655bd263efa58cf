"""The measured trust that comes with vlcheck, and what the documentation says about it."""

import subprocess
import sys
from dataclasses import replace
from functools import partial

import pytest

from benchmarks.explanation_pages import explanations
from tests.conftest import ROOT
from vlcheck import load_model
from vlcheck.explain.attribution.registry import METHODS
from vlcheck.explain.bench.planted import PLANTED_CAUSES
from vlcheck.explain.bench.records import read_bench
from vlcheck.explain.bench.trust import MEASURED, NULL, trust, trust_in, trust_sentence
from vlcheck.explain.single_image import _titled
from vlcheck.explain.worst_cases import method_record

PAGE = (ROOT / "docs" / "explanation" / "known-truth.md").read_text(encoding="utf-8")
SEEDS = 20


@pytest.fixture(scope="module")
def bench():
    return read_bench(MEASURED)


def test_each_method_was_measured_or_says_that_it_was_not(bench):
    missing = {*METHODS} - {*bench.methods} - {*bench.inapplicable}
    assert missing <= {"ig-black", "ig-blurred"}
    assert {trust_sentence(method) for method in (*missing, "a method of one's own")} == {"Trust: not measured."}


def test_at_least_three_methods_beat_random_in_each_of_20_seeds(bench):
    found = [trust_in(bench, method) for method in bench.methods if method != NULL]
    winners = [one.method for one in found if one.wins == one.seeds == SEEDS and one.better]
    assert len(winners) >= 3


def test_lrp_names_planted_causes_and_none_for_the_control(bench):
    found = trust_in(bench, "lrp")
    assert found.named.keys() == PLANTED_CAUSES.keys()
    assert found.cause_seeds == SEEDS
    assert found.most_named == SEEDS
    assert found.causes_named >= 5
    assert found.clean >= 18


def test_noise_is_even():
    noise = trust(NULL)
    assert (noise.seeds, noise.cause_seeds) == (SEEDS, SEEDS)
    assert abs(noise.lift.mean - 1) < 0.1
    assert noise.causes_named == 0
    assert noise.clean >= 18


def test_the_page_has_the_tables_of_what_was_measured():
    begin, end = "<!-- explanations: begin -->\n", "<!-- explanations: end -->"
    assert PAGE.partition(begin)[2].partition(end)[0] == explanations()


def test_the_trust_stands_beside_the_name_with_what_it_was_measured_on():
    said = trust_sentence("lrp")
    assert said.startswith("Measured on tiny, not on your model, 20 seeds: ")
    assert method_record(METHODS["lrp"], 1).trust == said
    assert _titled(load_model("tiny-right"), METHODS["lrp"]) == f"LRP of the match logit. {said}"


def test_the_trust_of_the_measured_model_is_its_own():
    said = _titled(load_model("tiny"), METHODS["lrp"])
    assert said.startswith("LRP of the match logit. Measured on tiny, 20 seeds: ")
    assert method_record(METHODS["lrp"], 1, "tiny").trust == said.removeprefix("LRP of the match logit. ")


def test_few_seeds_are_named_once(bench, monkeypatch):
    few = replace(bench, scores=tuple(one for one in bench.scores if one.seed < 3), causes=())
    monkeypatch.setattr("vlcheck.explain.bench.trust.trust", partial(trust_in, few))
    said = "Measured on tiny, not on your model: 3 seeds, too few to tell; planted causes: not measured."
    assert trust_sentence("saliency") == said
    assert trust_sentence(NULL).startswith("Measured on tiny, not on your model, 3 seeds: ")


def test_who_reads_the_trust_waits_for_no_torch():
    code = "import sys, vlcheck.explain.bench.trust as read; read.trust('lrp'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
