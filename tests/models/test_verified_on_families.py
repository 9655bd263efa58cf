"""Verified runs of each sort of model: verdicts, violations and counted cases are those of float32."""

from __future__ import annotations

from pathlib import Path

import pytest

import vlcheck
from tests.conftest import ROOT
from tests.models import chats, checkpoints
from tests.models.open_clip.checkpoints import open_clip_folder
from vlcheck.results.records import PrecisionRecord

COLOR = ROOT / "behavior_tests" / "test_color.py"
OTHERS = (
    "siglip", "bert", "blip_retrieval", "vilt_retrieval", "flava", "qwen2_vl", "blip_captioning", "modernvbert",
)  # fmt: skip
SORTS = ("clip", "llava", "vilt_words", *(pytest.param(name, marks=pytest.mark.nightly) for name in OTHERS))


@pytest.fixture(autouse=True)
def bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the processor for one that has the instructions."""
    monkeypatch.setattr("vlcheck.models.loading.two_types.slow", lambda device: "")


def judged(spec: object, dtype: str, **settings: object) -> tuple[list[tuple[object, ...]], PrecisionRecord | None]:
    """What a run counts, and what a verified one says of the number types."""
    run = vlcheck.evaluate(str(spec), "scenes:6", suite=COLOR, dtype=dtype, images=False, progress=False, **settings)
    counted = [(one.test, one.status, one.n, one.violations, one.not_applicable) for one in run.verdicts]
    return counted, next(iter(run.lines.precisions.values()), None)


def both_agree(spec: object, **settings: object) -> PrecisionRecord:
    """Assert that a verified run counts what one in float32 does; return what it says of the types."""
    verified, said = judged(spec, "verified", **settings)
    assert verified == judged(spec, "float32", **settings)[0]
    assert verified
    assert said
    return said


@pytest.mark.slow
@pytest.mark.parametrize("sort", SORTS)
def test_each_sort_of_model_comes_to_the_verdicts_of_float32(sort: str, tmp_path: Path) -> None:
    make = getattr(checkpoints, sort, None) or getattr(chats, sort)

    said = both_agree(make(tmp_path))

    assert said.fast == "bfloat16"
    assert said.both > 0
    assert all(one.log_odds > 0 for one in said.differences)


@pytest.mark.nightly
def test_open_clip_comes_to_the_verdicts_of_float32(tmp_path: Path) -> None:
    assert both_agree(f"open_clip:{open_clip_folder(tmp_path, 'clip')}").fast == "bfloat16"


@pytest.mark.nightly
def test_a_question_in_other_words_comes_to_the_verdicts_of_float32(tmp_path: Path) -> None:
    assert both_agree(chats.llava(tmp_path), wordings=True).fast == "bfloat16"


@pytest.mark.nightly
def test_an_adapter_on_its_base_comes_to_the_verdicts_of_float32(tmp_path: Path) -> None:
    pytest.importorskip("peft")
    from tests.models.released import clip_with_lora  # imports PEFT

    base, adapter = clip_with_lora(tmp_path)
    assert both_agree(f"{base}+{adapter}").fast == "bfloat16"


@pytest.mark.nightly
def test_quantized_weights_that_fix_no_type_come_to_the_verdicts_of_float32(tmp_path: Path) -> None:
    pytest.importorskip("compressed_tensors")
    from tests.models.released import compressed  # imports a package that is not always there

    packed, _ = compressed(checkpoints.clip(tmp_path / "base"), tmp_path / "packed", 4)
    assert both_agree(packed).fast == "bfloat16"
