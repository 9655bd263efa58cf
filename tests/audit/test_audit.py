"""The audit as a whole: its report, its words and its errors."""

import pytest

from tests.audit.corpora import WORDS, audited, rows
from vlcheck.audit.audit import audit_corpus
from vlcheck.audit.caption import EMPTY
from vlcheck.audit.corpus import open_corpus
from vlcheck.audit.records import FORMAT, AuditReport, audit_as_json, is_audit_file, read_audit
from vlcheck.datasets.lexicons.toml_files import load_lexicons
from vlcheck.errors import UsageError
from vlcheck.suite.shipped import BIASES, lexicons_path


def test_the_report_counts_captions_and_pictures():
    report = audit_corpus([rows("a bus", "a cup"), rows("a dog")], name="mine", augment=["flip", "crop"])
    assert (report.corpus, report.captions, report.pictures) == ("mine", 3, 2)
    assert (dict(report.skipped), report.augment) == ({}, ("crop", "flip"))


def test_the_report_has_what_was_not_read(tmp_path):
    path = tmp_path / "captions.jsonl"
    path.write_text('{"caption": "a bus"}\n{"caption": ""}\n{"caption": "a cup"}\n')
    report = audit_corpus(open_corpus(path))
    assert (report.captions, report.skipped) == (2, {EMPTY: 1})


def test_findings_are_named_once_and_the_grave_biases_come_first():
    found = audit_corpus([rows("a bus")]).findings
    assert len({one.check for one in found}) == len(found)
    places = [BIASES.index(one.bias) for one in found if one.bias]
    assert places == sorted(places)
    assert all(one.says.endswith(".") for one in found)


def test_a_check_that_could_not_be_made_says_why():
    missing = [one for one in audit_corpus([rows("a bus")]).findings if not one.n]
    assert {one.check for one in missing} >= {"captions-guessable", "pictures-blank", "places-named", "colors-bound"}
    assert all(one.share is None and not one.cause and one.says for one in missing)


def test_an_interval_holds_the_share():
    for one in audit_corpus([rows("a red bus to the left of a cup", "a dog", "a cup above a cat")]).findings:
        assert one.n == 0 or 0 <= one.low <= one.share <= one.high <= 1


def test_own_lexicons_decide_what_a_side_is(tmp_path):
    sides = (lexicons_path() / "sides.toml").read_text("utf-8")
    (tmp_path / "sides.toml").write_text(sides.replace('words = ["left", "right"]', 'words = ["port", "starboard"]'))
    own = load_lexicons(lexicons_path(), tmp_path)
    captions = rows("a boat with its port side up", "the left side")
    assert audited(captions, "flips", lexicons=own).count == 1
    assert audited(captions, "flips", lexicons=WORDS.lexicons).count == 1
    assert {part.name for part in audited(captions, "sides-named", lexicons=own).parts} >= {"port"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"augment": ["flop"]}, "augment=flop: no such augmentation. Did you mean 'flip'"),
        ({"sample": 0}, "sample is 0; it has to be a whole number above 0"),
        ({"model": object()}, "object fills no gaps from words alone"),
    ],
)
def test_bad_options_are_refused(options, said):
    with pytest.raises(UsageError) as caught:
        audit_corpus([rows("a bus")], **options)
    assert said in str(caught.value)


def test_a_corpus_of_nothing_is_refused():
    with pytest.raises(UsageError, match=r"empty\.txt has no caption"):
        audit_corpus([[]], name="empty.txt")


@pytest.mark.parametrize("text", ["?!", "\u200b", "x" * 100_000, "left " * 20_000, "赤いバス", "\ud800 red bus"])
def test_strange_captions_are_read(text):
    report = audit_corpus([rows(text)])
    assert report.captions == 1
    assert audit_as_json(report)


def test_a_report_is_read_again(tmp_path):
    report, path = audit_corpus([rows("a red bus")]), tmp_path / "audit.json"
    path.write_bytes(audit_as_json(report))
    assert is_audit_file(path)
    assert read_audit(path) == report


def test_a_report_of_another_version_is_refused(tmp_path):
    path = tmp_path / "audit.json"
    path.write_bytes(audit_as_json(AuditReport(audit=FORMAT + 1, corpus="c", captions=1)))
    with pytest.raises(UsageError, match=f"version {FORMAT + 1}; version {FORMAT} is read"):
        read_audit(path)
    path.write_text("{}")
    with pytest.raises(UsageError, match="is no report of an audit"):
        read_audit(path)
