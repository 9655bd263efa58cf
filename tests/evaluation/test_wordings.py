"""A question in words is asked in each of its wordings: the usual one decides, and a difference is said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import vlcheck
from vlcheck import UsageError
from vlcheck.metrics.itm import YesNo
from vlcheck.models.loading.load import load_model
from vlcheck.results.conclusion import conclude

pytestmark = pytest.mark.slow

PLAIN, SURE, SAME = 'Is this "{text}"?', 'Surely this is "{text}"?', 'Does it show "{text}"?'
TEST = "test_blocking_drops_match"


class Asked:
    """The embedded model as one that is asked in words; in one wording it never looks at the picture.

    Attributes:
        counts: number of pictures that were encoded, and of texts that were read in each wording.
    """

    mask, fingerprint, name = "[MASK]", "asked", "asked"
    metrics, kinds = frozenset({"itm", "mlm"}), {"itm": "yes-no", "mlm": "masked-lm"}
    wordings = (PLAIN, SURE, SAME)

    def __init__(self, wording: str = PLAIN, counts: dict[str, int] | None = None) -> None:
        self.model, self.wording = load_model("tiny"), wording
        self.counts = dict[str, int]() if counts is None else counts

    def in_wording(self, wording: str) -> Asked:
        return Asked(wording, self.counts)

    def encode(self, images: Sequence[Image.Image]) -> Any:
        self._count("pictures", images)
        return self.model.encode(images)

    def mlm(self, encoded: Any, texts: Sequence[str], words: Sequence[Sequence[str]]) -> list[np.ndarray]:
        return self.model.mlm(encoded, texts, words)

    def answers(self, encoded: Any, texts: Sequence[str]) -> YesNo:
        yes = self.model.itm(encoded, texts)
        yes = np.array([0.5 + 0.05 * (len(text) % 7) for text in texts]) if self.wording == SURE else yes
        return YesNo(yes, 1 - yes)

    def itm(self, encoded: Any, texts: Sequence[str], foils: Any = None) -> np.ndarray:
        self._count(self.wording, texts)
        return self.answers(encoded, texts).share

    def _count(self, what: str, counted: Sequence[object]) -> None:
        self.counts[what] = self.counts.get(what, 0) + len(counted)


@pytest.fixture(scope="module")
def asked() -> Asked:
    return Asked()


@pytest.fixture(scope="module")
def results(asked: Asked) -> vlcheck.Results:
    return vlcheck.evaluate(asked, "scenes:40", tests=TEST, wordings=True, progress=False)


@pytest.fixture(scope="module")
def of_one_wording() -> vlcheck.Results:
    return vlcheck.evaluate(Asked(), "scenes:40", tests=TEST, progress=False)


def verdict_of(results: vlcheck.Results) -> Any:
    return next(verdict for verdict in results if verdict.metric == "itm")


def test_the_usual_wording_decides(results: vlcheck.Results, of_one_wording: vlcheck.Results) -> None:
    worded, usual = verdict_of(results), verdict_of(of_one_wording)
    assert (
        (worded.status, worded.n, worded.effect) == (usual.status, usual.n, usual.effect) == ("pass", 40, usual.effect)
    )
    assert [(one.wording, one.status) for one in worded.wordings] == [(SURE, "fail"), (SAME, "pass")]
    assert (worded.wordings[1].rate, worded.wordings[1].effect) == (worded.rate, worded.effect)
    assert usual.wordings == []


def test_a_verdict_that_depends_on_the_wording_is_said(results: vlcheck.Results) -> None:
    said = str(results)
    assert "pass (depends on the wording)" in said
    assert (
        "1 verdict depends on the wording of the question: test_blocking_drops_match itm (pass; fail and pass" in said
    )
    found = conclude(results.lines)
    assert found.tone == "partial"
    assert results.lines.run.wordings == [PLAIN, SURE, SAME]


def test_a_picture_is_encoded_once_for_all_wordings(asked: Asked, results: vlcheck.Results) -> None:
    alone = Asked()
    vlcheck.evaluate(alone, "scenes:40", tests=TEST, progress=False)
    assert len(results)
    assert asked.counts["pictures"] == alone.counts["pictures"]
    assert asked.counts[PLAIN] == asked.counts[SURE] == asked.counts[SAME] == alone.counts[PLAIN]


def test_answers_of_the_usual_wording_are_those_of_a_run_without_the_others(tmp_path: Path) -> None:
    store, model = tmp_path / "store", Asked()
    vlcheck.evaluate(model, "scenes:10", tests=TEST, store=store, progress=False)
    before = dict(model.counts)
    vlcheck.evaluate(model, "scenes:10", tests=TEST, store=store, wordings=True, progress=False)
    assert model.counts[PLAIN] == before[PLAIN]
    assert model.counts[SURE] == before[PLAIN]


def test_the_page_shows_each_wording(results: vlcheck.Results, tmp_path: Path) -> None:
    results.save(tmp_path / "results.jsonl")
    read = vlcheck.read_results(tmp_path / "results.jsonl")
    assert [one.status for one in verdict_of(read).wordings] == ["fail", "pass"]
    read.report(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "Surely this is" in page
    assert "depends on the wording" in page


def test_a_model_that_is_asked_nothing_in_words_is_refused() -> None:
    with pytest.raises(UsageError, match=r"wordings: tiny is asked no question in words.*its itm is match-head"):
        vlcheck.evaluate("tiny", "scenes:10", tests=TEST, wordings=True, progress=False)


@pytest.mark.parametrize("wrapper", ["symmetrised", "calibrated"])
def test_a_wrapped_model_is_asked_in_each_wording(wrapper: str) -> None:
    from vlcheck.models.loading.registry import registered_wrappers

    model = registered_wrappers()[wrapper].load()(Asked())
    encoded = model.encode([Image.new("RGB", (64, 64), (200, 0, 0)), Image.new("RGB", (64, 64), (0, 0, 200))])
    texts = ("a red ball left of a blue box", "a cup")
    plain, sure, same = (model.in_wording(wording).itm(encoded, texts) for wording in model.wordings)
    np.testing.assert_allclose(plain, model.itm(encoded, texts))
    np.testing.assert_allclose(same, plain)
    assert not np.allclose(sure, plain)
