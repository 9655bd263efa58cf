"""The JSON schema of policy files that is published, and the records that it is made of."""

import json

from tests.conftest import ROOT
from vlcheck.policy.policy import BUILT_IN, METRICS
from vlcheck.policy.schema import policy_schema


def test_the_json_schema_in_the_docs_is_that_of_the_records():
    """`python -m vlcheck.policy.schema > docs/policy.schema.json` writes it."""
    written = (ROOT / "docs" / "policy.schema.json").read_text(encoding="utf-8")
    assert json.loads(written) == json.loads(json.dumps(policy_schema()))  # a tuple is a list there


def test_a_test_may_set_each_value_and_the_schema_says_what_holds_without_it():
    tables = policy_schema()["$defs"]
    said = {key: value["default"] for key, value in tables["TestsTable"]["properties"].items()}
    assert {key: tuple(value) if key == "band" else value for key, value in said.items()} == dict(BUILT_IN)
    assert list(tables["TolerancesTable"]["properties"]) == list(METRICS)
