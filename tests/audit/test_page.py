"""The page of an audit says what the audit says, all of it as text, beside what the runs say."""

import re

import msgspec
import pytest

from tests.audit.documents import COLORS, FEW, PICTURES, SIDES, TWICE, document, fails_position
from tests.report.reading import HOSTILE, Elements
from vlcheck.audit.page import AUDIT_START, audit_view, draw_audit
from vlcheck.audit.records import AuditPart
from vlcheck.report.page.share_chart import share_chart

RUNS = [("old.jsonl", fails_position(name="old")), ("new.jsonl", fails_position(name="new", complete=False))]


def test_it_begins_with_the_causes_and_their_limits():
    page = draw_audit(document())
    assert page.startswith(AUDIT_START)
    assert "<title>audit of captions.json - vlcheck</title>" in page
    said = page.index("Causes were found of 1 of 2 examined biases: position. Not examined: modality.")
    assert said < page.index("an association, no proof") < page.index('id="causes"') < page.index('id="findings"')
    assert "recipe: flip" in page
    assert "recipe: not given" in draw_audit(document(augment=()))


def test_a_corpus_that_was_cut_short_says_so():
    said = "shard-3.tar: ends within a file"
    assert f"The corpus was not read to its end: {said}" in draw_audit(document(unfinished=[said]))


@pytest.mark.parametrize(
    ("findings", "tone"),
    [
        ((SIDES,), "conclusion cause-found"),
        ((COLORS,), "conclusion "),
        ((COLORS, FEW), "conclusion partial"),
        ((PICTURES,), "conclusion partial"),
    ],
)
def test_nothing_is_green_and_nothing_examined_is_said(findings, tone):
    page = draw_audit(document(*findings))
    assert f'<p class="{tone}">' in page
    assert "badge pass" not in page


def test_each_run_has_its_column_and_each_bias_its_words():
    view = audit_view(document(runs=RUNS))
    assert [row.bias.text for row in view.rows] == ["modality", "color", "position", "robustness"]
    assert [[cell.status for cell in row.cells] for row in view.rows][2] == ["fail", "fail"]
    assert all(len(row.cells) == 2 for row in view.rows)
    page = draw_audit(document(runs=RUNS))
    assert page.count("a cause is found, and the model fails") == 2
    assert "Fails position. Captions name a side in 0.3 %, and the recipe mirrors pictures." in page
    assert "Not the whole suite was asked." in page
    assert "Nothing in these files says that it was trained on these captions" in page
    assert "Nothing in these files says" not in draw_audit(document())


def test_runs_that_asked_about_other_biases_leave_no_cell_out():
    mood = fails_position(name="other")
    for key, verdict in list(mood.verdicts.items()):
        mood.verdicts[key] = msgspec.structs.replace(verdict, bias="mood")
    view = audit_view(document(runs=[*RUNS, ("mood.jsonl", mood)]))
    assert {len(row.cells) for row in view.rows} == {3}
    rows = {row.bias.text: [cell.status for cell in row.cells] for row in view.rows}
    assert rows["mood"] == ["not in the run", "not in the run", "fail"]
    assert rows["position"] == ["fail", "fail", "not in the run"]


def test_a_finding_has_its_numbers_its_bar_its_parts_and_its_captions():
    (group,) = [group for group in audit_view(document()).groups if group.cause == "found"]
    (one,) = group.findings
    assert (one.check.text, one.cause.text, one.status) == ("sides named", "sides unnamed", "found")
    assert one.figures == "0.3 % (0.2 to 0.4 %), 75 of 25,014 captions; limit 1 %"
    assert [part.figures for part in one.parts] == [
        ("42", "75", "56 %", "44 to 67 %", "50 %"),
        ("33", "75", "44 %", "-", "-"),
    ]
    assert [caption.text for caption in one.examples] == list(SIDES.examples)


def test_what_was_not_examined_has_no_bar():
    (finding,) = audit_view(document(PICTURES)).groups[0].findings
    assert (finding.status, finding.chart, finding.figures) == ("not examined", None, "")


def test_what_bears_on_no_bias_is_a_group_of_its_own_without_a_cause():
    page = draw_audit(document(TWICE))
    assert "the corpus as a whole</h3>" in page
    (finding,) = audit_view(document(TWICE)).groups[0].findings
    assert finding.status == ""


def test_an_interval_that_holds_its_limit_is_inconclusive():
    view = audit_view(document(COLORS, FEW))
    assert [(group.cause, group.findings[0].status) for group in view.groups] == [
        ("not found", "not found"),
        ("inconclusive", "inconclusive"),
    ]
    assert 'href="#s-cause-inconclusive"' in draw_audit(document(FEW))


@pytest.mark.parametrize(
    ("seen", "interval", "limit", "end"),
    [
        (0.003, (0.0024, 0.0038), 0.01, "1 %"),
        (0.003, (0.0024, 0.0038), None, "1 %"),
        (0.0, (0.0, 0.0005), None, "0.1 %"),
        (0.2, (0.1, 0.3), 0.02, "50 %"),
        (1.0, (0.97, 1.0), 0.5, "100 %"),
    ],
)
def test_the_axis_of_a_bar_ends_at_a_round_share_that_it_names(seen, interval, limit, end):
    drawn = str(share_chart(seen, interval, limit))
    assert f"on an axis from 0 to {end}" in drawn
    assert f">{end}</text>" in drawn
    (width,) = re.findall(r'<rect class="of-text" x="14.0" y="8" width="([\d.]+)"', drawn)
    assert float(width) == pytest.approx(292 * seen / (float(end.split()[0]) / 100), abs=0.2)
    assert ('class="pin"' in drawn) == (limit is not None)


def test_each_shape_is_there_and_nothing_is_loaded():
    page = draw_audit(document(runs=RUNS))
    for used in re.findall(r'href="#(s-[^"]*)"', page):
        assert f'<symbol id="{used}"' in page
    assert not re.findall(r'(?:src|href)="(?!#)', page)
    assert "url(" not in page


def hostile():
    part = AuditPart(name=HOSTILE, n=3, count=1)
    texts = {"check": HOSTILE, "says": HOSTILE, "cause": HOSTILE, "unit": HOSTILE}
    finding = msgspec.structs.replace(SIDES, examples=(HOSTILE, "x" * 100_000), parts=(part,), **texts)
    run = {"name": HOSTILE, "data": HOSTILE, "started": HOSTILE}
    told = {"corpus": HOSTILE, "skipped": {HOSTILE: 2}, "augment": (HOSTILE,), "unfinished": [HOSTILE]}
    return document(
        finding, msgspec.structs.replace(finding, bias=HOSTILE), runs=[(HOSTILE, fails_position(**run))], **told
    )


def test_hostile_text_is_text():
    page = draw_audit(hostile())
    page.encode()
    elements = Elements(page)
    assert len(elements.all("script")) == 1
    assert elements.all("img") == []
    assert not re.search("[\u202e\u202c\u0007\ud800]", page)
    assert "49" not in "".join(elements.text)
    assert HOSTILE.partition("\u202e")[0] in "".join(elements.text)


def test_long_texts_and_tables_are_cut():
    parts = tuple(AuditPart(name=f"noun {at}", n=9, count=1) for at in range(5_000))
    finding = msgspec.structs.replace(SIDES, parts=parts, examples=("x" * 10_000_000,) * 5)
    page = draw_audit(document(finding, skipped={f"reason {at}": 1 for at in range(1_000)}))
    assert len(page) < 250_000
    assert "40 parts, and 4960 more in the JSON" in page
