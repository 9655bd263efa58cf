"""What a run keeps are the records of the results file, with the keys that its readers know."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace

import numpy as np
import pytest

from tests.doubles import Competent
from tests.evaluation.test_evaluator import IN_GREY
from vlcheck.behaviors.trials import Trials
from vlcheck.datasets.registry import open_source
from vlcheck.evaluation.config import EvaluationConfig
from vlcheck.evaluation.session import open_session
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
        unasked sees wrappers setup wordings exit_status verdicts lines""",
    "image": "kind key sha256 jpeg width height",
    "evidence": """kind test metric case perturbation image perturbed texts targets wanted before after levels margin
        values effect reason violated scores top_before top_after boxes perturbed_boxes other_boxes
        perturbed_other_boxes""",
    "verdict": """kind test doc bias bias_doc behavior metric score_kind perturbation expected tolerances scale status
        claim reason cause n not_applicable refused mass cut violations rate rate_low rate_high allowed band alpha p
        needed_n detectable effect effect_low effect_high asked offered known gates told wordings tables""",
}


@pytest.fixture(scope="module")
def session_of_one_test(tmp_path_factory):
    """The lines that a session with one test keeps, and its judgement."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "policy.toml").write_text(POLICY)
    policy = load_policy(folder / "policy.toml").as_of(date(2026, 1, 1))
    source, judgements = open_source("scenes:20"), []
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


def test_a_judgement_in_brief_says_the_same_in_reports(session_of_one_test):
    _, judgement = session_of_one_test
    assert len(judgement.rows) == 20
    assert judgement.brief.rows == tuple(judgement.worst())
    assert judgement.brief.worst() == judgement.worst()
    assert judgement.brief.properties() == judgement.properties()
