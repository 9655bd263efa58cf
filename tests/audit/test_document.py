"""The JSON of an audit: it is read again, programs know its schema, and it replaces no other file."""

import json

import msgspec

from tests.audit.documents import document, fails_position, report
from tests.conftest import ROOT
from vlcheck._util.typed import json_schema
from vlcheck.audit.document import AuditDocument
from vlcheck.audit.records import audit_as_json, is_audit_file, read_audit


def test_it_is_read_again_with_the_runs(tmp_path):
    written = document(runs=[("r.jsonl", fails_position())])
    (tmp_path / "audit.json").write_bytes(audit_as_json(written))
    assert is_audit_file(tmp_path / "audit.json")
    assert msgspec.json.decode((tmp_path / "audit.json").read_bytes(), type=AuditDocument) == written
    assert read_audit(tmp_path / "audit.json") == report()


def test_the_json_schema_in_the_docs_is_that_of_the_document():
    """`python -m vlcheck.audit.document > docs/audit.schema.json` writes it."""
    written = (ROOT / "docs" / "audit.schema.json").read_text(encoding="utf-8")
    assert json.loads(written) == json.loads(json.dumps(json_schema(AuditDocument)))


def test_half_a_character_in_a_name_is_a_question_mark(tmp_path):
    written = document(
        runs=[("r\ud800.jsonl", fails_position(name="a\udcff"))], corpus="\udcff.txt", skipped={"\udc00": 1}
    )
    (tmp_path / "audit.json").write_bytes(audit_as_json(written))
    found = read_audit(tmp_path / "audit.json")
    assert (found.corpus, found.skipped) == ("?.txt", {"?": 1})
