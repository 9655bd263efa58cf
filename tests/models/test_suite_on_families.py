"""The whole suite, asked of every family, from its files on the disk to the results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.models.families import each_family, spec_of, write_regions
from tests.models.original.test_original_models import ORIGINALS
from tests.tiers import NIGHTLY
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import MASK, ImageFile
from vlcheck.datasets.registry import open_source
from vlcheck.metrics.query import Query
from vlcheck.models.loading.load import load_model
from vlcheck.models.protocol import VisionLanguageModel, only_compares

VERDICTS = {"mlm": 30, "itm": 32}  # the suite's; what regions are called is asked by other tests
IMAGES = 3 if NIGHTLY else 1  # a behavior
UNPERTURBED = "test_grayscale_preserves_objects"  # a behavior that asks about each photograph as it is


@pytest.fixture(scope="module")
def regions(coco_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, random = tmp_path_factory.mktemp("regions"), np.random.default_rng(5)
    for path in sorted(coco_root.glob("*/*.jpg")):
        write_regions(folder, ImageFile(path), 4, random)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("family", each_family())
def test_the_suite_asks_every_family_to_the_end(
    family: str, coco_root: Path, regions: Path, tmp_path: Path, pytester: pytest.Pytester
) -> None:
    spec = spec_of(family, tmp_path, regions)
    data = "scenes:3" if family in ORIGINALS else f"coco:{coco_root}:{IMAGES}"  # theirs read few tokens
    results = tmp_path / "results.jsonl"
    suite = (
        "-p",
        "no:cacheprovider",
        f"--rootdir={ROOT}",
        f"-c{ROOT / 'pyproject.toml'}",
        str(ROOT / "behavior_tests"),
    )
    said = (f"--vl-model={spec}", f"--vl-data={data}", f"--vl-results={results}", "--vl-no-images")
    assert pytester.runpytest_inprocess(*suite, *said).ret == pytest.ExitCode.TESTS_FAILED

    head, *lines = map(json.loads, results.read_text().splitlines())
    verdicts = [line for line in lines if line["kind"] == "verdict"]
    model = load_model(spec)
    asked_for = VERDICTS.keys() & model.kinds.keys()
    assert head["score_kinds"] == model.kinds
    assert sorted((line["metric"], line["score_kind"]) for line in verdicts) == sorted(
        asked for metric in asked_for for asked in [(metric, model.kinds[metric])] * VERDICTS[metric]
    )
    assert {line["status"] for line in verdicts} <= {"fail", "inconclusive", "invalid", "not asked"}

    rows = [line for line in lines if line["kind"] == "evidence" and line["scores"] and UNPERTURBED in line["test"]]
    assert {row["metric"] for row in rows} == asked_for
    source = open_source(data)
    cases = {case.id: case for case in source.cases}
    trials = Trials(source, relative=only_compares(model))
    for row in rows:
        question = trials.plain(cases[row["case"]], row["metric"])
        alone = {word: score for told, query in question.queries.items() for word, score in ask(model, told, query)}
        assert {word: row["scores"][0][word] for word in alone} == pytest.approx(alone, abs=1e-5)
        if model.kinds[row["metric"]] == "yes-no":
            said = dict(row["top_before"])
            assert row["before"] == pytest.approx(said["yes"] / (said["yes"] + said["no"]))


@pytest.mark.contract
@pytest.mark.parametrize("family", ["lxmert", "vilbert"])
def test_models_of_regions_are_asked_how_vision_and_language_serve_one_another(
    family: str, coco_root: Path, regions: Path, tmp_path: Path, pytester: pytest.Pytester
) -> None:
    suite = ("-p", "no:cacheprovider", f"--rootdir={ROOT}", f"-c{ROOT / 'pyproject.toml'}")
    tests = (str(ROOT / "behavior_tests"), "--vl-explain=ablation", "-k", "hidden or surroundings")
    results = tmp_path / "results.jsonl"
    said = (f"--vl-model={spec_of(family, tmp_path, regions)}", f"--vl-data=coco:{coco_root}")
    run = pytester.runpytest_inprocess(*suite, *tests, *said, f"--vl-results={results}", "--vl-no-images")
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    lines = [*map(json.loads, results.read_text().splitlines())]
    verdicts = {(line["behavior"], line["metric"]): line for line in lines if line["kind"] == "verdict"}
    assert {test: verdict["score_kind"] for test, verdict in verdicts.items()} == {
        ("test_word_comes_from_the_thing_not_its_surroundings", "mlm"): "masked-lm",
        ("test_word_comes_from_the_thing_not_its_surroundings", "itm"): "match-head",
        ("test_caption_tells_what_is_hidden", "itm"): "match-head",
        ("test_caption_tells_class_of_hidden_regions", "mrc"): "masked-region",
    }
    contrast = verdicts["test_caption_tells_class_of_hidden_regions", "mrc"]["tables"]["language_for_vision"]
    assert len({contrast["none"], contrast["object"], contrast["all"]}) == 3
    rows = [line for line in lines if line["kind"] == "evidence" and line["metric"] == "mrc" and line["scores"]]
    assert len(rows) >= 5
    for row in rows:
        (told, untold), (before, after) = row["texts"], row["scores"]
        assert MASK in untold
        assert MASK not in told
        assert before.keys() == after.keys()
        assert before != after


def ask(model: VisionLanguageModel, told: str, query: Query) -> Iterator[tuple[str, float]]:
    """What a model says where nothing else is asked beside it."""
    encoded = model.encode([query.picture.render().convert("RGB")])
    if query.metric == "mlm":
        yield from zip(query.words, model.mlm(encoded, [query.text], [query.words])[0].tolist(), strict=True)
    else:
        yield told, float(model.itm(encoded, [query.text], [query.words] if query.words else None)[0])
