"""What a run keeps are the records of the results file, with the keys that its readers know."""

import base64
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tests.doubles import Competent
from tests.evaluation.test_evaluator import IN_GREY
from vlcheck.behaviors.trials import Trials
from vlcheck.datasets.registry import open_source
from vlcheck.evaluation.config import EvaluationConfig
from vlcheck.evaluation.session import open_session
from vlcheck.perturb import Mirror
from vlcheck.policy.toml_file import load_policy
from vlcheck.results.records import EvidenceRecord
from vlcheck.results.schema import encoded, line_of, record_of

POLICY = """
[defaults]
allowed = 0.2
band = [-0.5, 0.5]
[[known]]
bias = "color"
reason = "why"
until = 2999-01-01
invalid = true
"""
# As vlcheck wrote them before there were records: programs that read results files may go by place.
KEYS = {
    "run": """kind schema model name fingerprint baseline score_kinds data images seed sequential device dtype
        trust_remote_code versions started policy left_out contract run_id complete required unjudged stated explained
        unasked sees wrappers setup wordings options lexicons objects exit_status verdicts lines""",
    "image": "kind key sha256 jpeg width height",
    "evidence": """kind test metric case perturbation image perturbed texts targets wanted before after levels shares
        margin values effect reason violated scores top_before top_after boxes perturbed_boxes other_boxes
        perturbed_other_boxes""",
    "verdict": """kind test doc bias bias_doc behavior metric score_kind perturbation expected share_of tolerances scale
        status claim reason cause n not_applicable refused mass cut violations rate rate_low rate_high allowed band
        alpha p needed_n detectable effect effect_low effect_high asked offered known gates told wordings tables""",
}


@pytest.fixture(scope="module")
def session_of_one_test(tmp_path_factory):
    """The lines that a session with one test keeps, and its judgement."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "policy.toml").write_text(POLICY)
    policy = load_policy(folder / "policy.toml").as_of(date(2026, 1, 1))
    source, judgements = replace(open_source("scenes:20"), words="a digest"), []
    with open_session(EvaluationConfig(), Competent(source.cases), Trials(source), policy, folder) as session:
        test = SimpleNamespace(id="t", behavior=IN_GREY, metric="itm", function_name=IN_GREY.name)
        header = session.header([test], run_id="r", started=datetime(2026, 1, 1, tzinfo=UTC), complete=True)
        replace(session.model, record=judgements.append).judge(IN_GREY, "itm")
        return [header, *session.images(judgements[0]), *judgements[0].records("t")], judgements[0]


@pytest.fixture(scope="module")
def kept(session_of_one_test):
    """What the session keeps, by kind of line."""
    lines, _ = session_of_one_test
    by_kind = {}
    for record in lines:
        by_kind.setdefault(line_of(record)["kind"], []).append(record)
    return by_kind


@pytest.mark.parametrize("kind", KEYS)
def test_a_run_keeps_the_keys_of_the_results_file_in_their_order(kept, kind):
    for record in kept[kind]:
        assert list(json.loads(encoded(record))) == KEYS[kind].split()


@pytest.mark.parametrize("kind", KEYS)
def test_what_a_run_keeps_is_read_back_as_it_was(kept, kind):
    for record in kept[kind]:
        line = encoded(record)
        assert encoded(record_of(json.loads(line))) == line


def test_a_verdict_keeps_the_policys_word_on_it(kept):
    (run,), (verdict,) = kept["run"], kept["verdict"]
    assert run.policy.tables == {"defaults": {"allowed": 0.2, "band": (-0.5, 0.5)}}
    assert [(known.bias, known.until, known.invalid) for known in run.policy.known] == [("color", "2999-01-01", True)]
    assert line_of(verdict.known) == {"reason": "why", "until": "2999-01-01", "expired": False, "invalid": True}
    assert (verdict.status, verdict.rate, verdict.scale.used) == ("pass", 0.0, "calibrated")


def test_numbers_of_numpy_are_written_as_pythons_and_none_that_json_has_not():
    margins = {"a": np.float64(0.1), "b": float("nan"), "c": np.float64("inf")}
    row = EvidenceRecord(
        case="c", image=None, perturbed=None, texts=[np.str_("x")], margin=np.float64(-0.3), values=margins
    )
    line = json.loads(encoded(row))
    assert (line["texts"], line["margin"], line["values"]) == (["x"], -0.3, {"a": 0.1, "b": None, "c": None})


def test_a_run_keeps_a_digest_of_the_words_that_its_data_was_read_with(kept):
    (run,) = kept["run"]
    assert run.lexicons == "a digest"


def test_a_judgement_in_brief_says_the_same_in_reports(session_of_one_test):
    _, judgement = session_of_one_test
    assert len(judgement.rows) == 20
    assert judgement.brief.rows == tuple(judgement.worst())
    assert judgement.brief.worst() == judgement.worst()
    assert judgement.brief.properties() == judgement.properties()


def pictured(folder):
    """Cases on photographs of 640 x 480 pixels, each with a box and one of another thing."""
    lines = []
    for number, word in enumerate(("dog", "cat", "bus", "cup", "book", "boat")):
        pixels = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((640, 480)).save(folder / f"{number}.png")
        boxes = {"region": [[10, 20, 30, 40]], "other_region": [[100, 0, 50, 60]]}
        case = {"image": f"{number}.png", "caption": f"a {word}", "target": word, "tags": ["object"]}
        lines.append(json.dumps(case | boxes))
    (folder / "cases.jsonl").write_text("\n".join(lines))
    return open_source(f"jsonl:{folder / 'cases.jsonl'}")


def longest(copy):
    with Image.open(io.BytesIO(base64.b64decode(copy))) as image:
        return max(image.size)


@pytest.fixture
def mirrored(tmp_path):
    """A session, and its judgement of cases on photographs that are mirrored."""
    (tmp_path / "policy.toml").write_text("")
    source, judgements = pictured(tmp_path), []
    model, policy = Competent(source.cases), load_policy(tmp_path / "policy.toml")
    with open_session(EvaluationConfig(), model, Trials(source), policy, tmp_path) as session:
        replace(session.model, record=judgements.append).judge(replace(IN_GREY, perturb=Mirror()), "itm")
        yield session, judgements[0]


@pytest.mark.parametrize(("status", "many"), [("fail", 3), ("inconclusive", 1)])
def test_worst_cases_are_kept_at_512_pixels_three_of_a_fail_and_one_of_another_verdict(mirrored, status, many):
    session, judgement = mirrored
    judgement = replace(judgement, verdict=replace(judgement.verdict, status=status))
    lines = list(session.images(judgement))
    keys = {key for row in judgement.worst(many) for key in (row.before.picture.key, row.after.picture.key)}
    assert (len(lines), len(keys)) == (12, 2 * many)
    assert {line.key for line in lines if line.large} == keys
    assert {longest(line.jpeg) for line in lines} == {256}
    assert {longest(line.large) for line in lines if line.large} == {512}
    there = {line.key for line in lines}
    assert {line.key for line in session.images(judgement, there)} == keys
    assert list(session.images(judgement, there, keys)) == []


def test_evidence_has_the_boxes_of_both_things_before_and_after(mirrored):
    _, judgement = mirrored
    row = next(line for line in judgement.records("t") if isinstance(line, EvidenceRecord))
    assert (row.boxes, row.other_boxes) == ([(10, 20, 30, 40)], [(100, 0, 50, 60)])
    assert (row.perturbed_boxes, row.perturbed_other_boxes) == ([(600, 20, 30, 40)], [(490, 0, 50, 60)])
