"""The suite of tests, asked about SugarCrepe, from the files to the results."""

import json

import pytest

from tests.conftest import ROOT
from tests.models import checkpoints

SUITE = ("-p", "no:cacheprovider", f"--rootdir={ROOT}", f"-c{ROOT / 'pyproject.toml'}", str(ROOT / "behavior_tests"))
TESTS = {
    "test_caption_beats_added_attribute",
    "test_caption_beats_added_object",
    "test_caption_beats_replaced_attribute",
    "test_caption_beats_replaced_object",
    "test_caption_beats_replaced_relation",
    "test_caption_beats_swapped_attributes",
    "test_caption_beats_swapped_objects",
}


@pytest.mark.slow
@pytest.mark.parametrize("family", ["tiny", "clip", "blip_retrieval"])
def test_a_run_on_sugarcrepe_asks_the_tests_of_foils_alone(
    family, foils_root, photographs_root, tmp_path, pytester, request
):
    model = family if family == "tiny" else getattr(checkpoints, family)(tmp_path / family)
    data = f"sugarcrepe:{foils_root}/sugar_crepe@coco:{photographs_root}"
    results = tmp_path / "results.jsonl"
    said = (f"--vl-model={model}", f"--vl-data={data}", f"--vl-results={results}", "--vl-no-images")
    run = pytester.runpytest_inprocess(*SUITE, *said)
    assert run.ret == pytest.ExitCode.TESTS_FAILED  # no model of random weights, or of drawn scenes, passes
    _, *lines = map(json.loads, results.read_text(encoding="utf-8").splitlines())
    verdicts = [line for line in lines if line["kind"] == "verdict"]
    assert {line["behavior"] for line in verdicts} == TESTS
    assert {line["metric"] for line in verdicts} == {"itm"}
    assert "pass" not in {line["status"] for line in verdicts}
    rows = [line for line in lines if line["kind"] == "evidence"]
    assert {row["case"].partition("-")[0] for row in rows} == {"sugarcrepe"}
