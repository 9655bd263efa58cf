"""A record of Every Eval Ever: valid by its schema, whatever the run; its figures are those of the results.

The schema is that of version 0.3.0 of the project, whose licence (MIT) stands beside it.
"""

import json

import pytest

from tests.cli.test_cli import run
from tests.conftest import ROOT
from tests.report import pages
from vlcheck.errors import UsageError
from vlcheck.export.every_eval import SCHEMA_VERSION, EvaluatingParty, evaluation_record
from vlcheck.results.file import write_results

Draft7Validator = pytest.importorskip("jsonschema", reason="needs the dependency group tests").Draft7Validator
SCHEMA = json.loads((ROOT / "tests" / "data" / "every_eval_ever" / "eval.schema.json").read_text(encoding="utf-8"))
WE = EvaluatingParty("Example Lab", "third_party", "org/model")
NOW = 1_800_000_000


def record(results, party=WE):
    """The record of some results, which the schema accepts."""
    found = json.loads(json.dumps(evaluation_record(results, party, NOW)))
    assert [error.message for error in Draft7Validator(SCHEMA).iter_errors(found)] == []
    return found


def by_name(found):
    return {one["evaluation_name"]: one for one in found["evaluation_results"]}


def test_it_is_of_the_version_of_the_schema_that_it_is_valid_by():
    Draft7Validator.check_schema(SCHEMA)
    assert SCHEMA["version"] == record(pages.small())["schema_version"] == SCHEMA_VERSION
    broken = evaluation_record(pages.small(), WE, NOW) | {"eval_library": {}}
    assert list(Draft7Validator(SCHEMA).iter_errors(broken))


def test_it_says_who_asked_which_model_when():
    found = record(pages.small(run={"setup": {"pictures": "64x64"}}))
    assert found["evaluation_id"] == f"vlcheck/org/model/{NOW}"
    assert (found["evaluation_timestamp"], found["retrieved_timestamp"]) == ("1767323045", str(NOW))
    assert found["source_metadata"]["source_organization_name"] == "Example Lab"
    assert found["model_info"]["additional_details"] == {
        "fingerprint": "f1f1",
        "setup_pictures": "64x64",
        "deployment_type": "self_deployed",
        "model_availability": "unknown",
    }
    served = record(pages.small(run={"model": "openai:http://h#m"}), EvaluatingParty("Lab", "other"))
    assert served["model_info"]["id"] == "a-model"
    assert served["model_info"]["additional_details"]["deployment_type"] == "externally_managed"


def test_a_rate_has_its_interval_its_limit_and_its_direction():
    rate = by_name(record(pages.small()))["vlcheck.color.grey_preserves.mlm"]
    assert rate["score_details"]["score"] == 0.666667
    assert rate["score_details"]["uncertainty"] == {
        "num_samples": 6,
        "confidence_interval": {
            "lower": 0.2713,
            "upper": 0.9372,
            "confidence_level": 0.9,
            "method": "two one-sided bounds",
        },
    }
    config = rate["metric_config"]
    assert (config["lower_is_better"], config["min_score"], config["max_score"]) == (True, 0, 1)
    assert config["metric_parameters"] == {"allowed": 0.1, "alpha": 0.05}
    assert rate["score_details"]["details"]["verdict"] == "fail"


def test_a_mean_is_the_level_of_its_verdict_since_it_has_to_lie_in_a_band():
    mean = by_name(record(pages.small()))["vlcheck.position.right_is_no_favourite.mlm"]
    assert mean["metric_config"]["level_names"][mean["score_details"]["score"]] == "inconclusive"
    assert mean["score_details"]["details"]["mean"] == "0.120"
    assert mean["score_details"]["details"]["interval"] == "-0.050 to 0.310"
    assert mean["metric_config"]["metric_parameters"]["band_low"] == -0.15


def test_what_has_no_score_is_counted_and_left_out():
    found = record(pages.small((pages.unasked(), [])))
    assert len(found["evaluation_results"]) == 3
    assert found["source_metadata"]["additional_details"]["verdicts_without_a_score"] == "2"


def test_a_stopped_run_is_a_stopped_one():
    found = record(pages.small(run={"exit_status": 2, "unjudged": ["t.py::test_later[mlm]"]}))
    details = found["source_metadata"]["additional_details"]
    assert (details["run"], details["tests_without_a_verdict"]) == ("stopped before its end", "1")
    assert details["conclusion"].startswith("Stopped: 1 of 5 tests has no verdict.")


@pytest.mark.parametrize(
    ("data", "of_hub"), [("hf:org/bench@test:50", "org/bench"), ("coco:/home/me/secret/coco:50", None)]
)
def test_data_of_the_hub_is_named_and_no_path_is(data, of_hub):
    found = record(pages.small(run={"data": data, "images": 50}))
    source = found["evaluation_results"][0]["source_data"]
    assert source.get("hf_repo") == of_hub
    assert source["source_type"] == ("hf_dataset" if of_hub else "other")
    assert "secret" not in json.dumps(found)


def test_older_and_hostile_results_are_valid_records_too():
    hostile = "x\u202e\x1b</script>\ud800"
    bare = pages.verdict(hostile, n=None, alpha=None, rate_low=None, allowed=None, doc=hostile, bias=hostile)
    found = record(pages.results((bare, []), run={"started": "no time", "versions": {}, "name": hostile}))
    assert found["eval_library"]["version"] == "unknown"
    assert found["evaluation_results"][0]["score_details"]["uncertainty"] == {}


def test_typed_it_writes_a_record_and_refuses_what_is_no_party(tmp_path):
    path, to = tmp_path / "results.jsonl", tmp_path / "record.json"
    write_results(path, pages.small())
    done = run("export", "every-eval-ever", path, "--organization=Lab", f"--to={to}", "--model-id=org/model")
    assert (done.returncode, done.stdout) == (0, f"record: {to} (schema {SCHEMA_VERSION})\n"), done.stderr
    assert list(Draft7Validator(SCHEMA).iter_errors(json.loads(to.read_text()))) == []
    again = run("export", "every-eval-ever", path, "--organization=Lab", f"--to={to}")
    assert (again.returncode, "is there already" in again.stderr) == (4, True)
    said = run("export", "every-eval-ever", path, f"--to={to}")
    assert said.returncode == 4
    assert "--organization" in said.stderr
    with pytest.raises(UsageError, match=r"--relationship firstparty: Did you mean 'first_party'\?"):
        EvaluatingParty("Lab", "firstparty")
    with pytest.raises(UsageError, match="--organization: is empty"):
        EvaluatingParty(" ", "other")
