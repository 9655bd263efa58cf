"""Neither modality decides alone: its verdicts on embedded models, and on doubles."""

from __future__ import annotations

import pytest

import vlcheck
from tests import doubles
from tests.conftest import ROOT
from tests.tiers import NIGHTLY
from vlcheck.datasets.registry import open_source
from vlcheck.results.records import VerdictRecord
from vlcheck.zoo import PLANTED

pytestmark = pytest.mark.slow  # networks are run many times

SUITE = ROOT / "behavior_tests" / "test_modality.py"
TEST = "test_neither_modality_decides_alone"
SEEDS = range(1, 6) if NIGHTLY else [1]


def judged(model: object, data: str) -> VerdictRecord:
    found = vlcheck.evaluate(model, data, suite=SUITE, tests=TEST, explain="mmshap", images=False, progress=False)
    assert found.errors == {}
    (verdict,) = found.verdicts
    return verdict


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("variant", PLANTED)
def test_tiny_blind_alone_fails(variant: str, seed: int) -> None:
    verdict = judged(variant, f"scenes:20:{seed}")
    blind = variant == "tiny-blind"
    assert (verdict.status, verdict.n) == ("fail" if blind else "pass", 20)
    assert verdict.effect == pytest.approx(1.0 if blind else 0.0, abs=0.1)
    cells = verdict.tables["modalities"]
    assert cells["of_text"] == pytest.approx(0.5, abs=0.05)
    assert cells["of_picture"] == pytest.approx(-0.5 if blind else 0.5, abs=0.05)  # it can only speak against a match
    assert cells["synergy"] == pytest.approx(1.0, abs=0.1)


class MatchesBlack(doubles.Competent):
    """Checks a caption against a picture that is there, and believes it without one."""

    def _match(self, seen: doubles.Seen, text: str) -> float:
        return doubles.SURE if seen.black else super()._match(seen, text)


class LooksOnly(doubles.Competent):
    """Believes every caption of a picture that is there."""

    def _match(self, seen: doubles.Seen, text: str) -> float:
        return doubles.REST if seen.black else doubles.SURE


@pytest.mark.parametrize(
    ("kind", "status", "mean"),
    [
        (doubles.Competent, "pass", 0.0),
        (MatchesBlack, "fail", 1.0),
        (LooksOnly, "fail", -1.0),
        (doubles.ReadsOnly, "invalid", None),  # to it all captions match all pictures: nothing speaks for one of them
    ],
)
def test_it_fires_for_its_reason(kind: type[doubles.Competent], status: str, mean: float | None) -> None:
    cases = doubles.everything(open_source("scenes:40"))
    verdict = judged(kind(cases, name=kind.__name__, fingerprint=kind.__name__), "scenes:40")
    assert verdict.status == status
    assert verdict.effect == (mean if mean is None else pytest.approx(mean, abs=0.01))


def test_a_model_that_only_compares_texts_is_asked_with_foils() -> None:
    verdict = judged(doubles.Compares(doubles.everything(open_source("scenes:20"))), "scenes:20")
    assert (verdict.status, verdict.score_kind) == ("pass", "contrastive")
    assert verdict.effect == pytest.approx(0, abs=0.1)
