"""The lines of an audit on the terminal."""

from tests.audit.documents import COLORS, FEW, PICTURES, SIDES, document, fails_position
from vlcheck.audit.text import audit_lines, audit_sentence


def lines(*findings, **options):
    return list(audit_lines(document(*findings, **options)))


def test_each_finding_has_its_row_and_each_cause_its_sentence():
    said = lines(skipped={"the caption is empty": 3, "never": 0})
    assert said[0] == "captions.json: 25,014 captions; the recipe has flip"
    assert said[1] == "  left out: 3 rows: the caption is empty"
    rows = [line.split() for line in said[2:7]]
    assert rows[0] == ["bias", "check", "cause", "n", "count", "share", "interval"]
    assert rows[1] == ["modality", "blank-pictures", "not", "examined", "0", "-", "-", "-"]
    assert rows[2] == ["color", "bound-colors", "no", "800", "80", "10", "%", "8", "to", "12.3", "%"]
    assert rows[3][:5] == ["position", "sides-named", "sides-unnamed", "25,014", "75"]
    assert rows[4][:3] == ["-", "near-duplicates", "-"]
    assert "position: Captions name a side in 0.3 %, and the recipe mirrors pictures." in said
    assert "modality: No pictures were given (--images)." in said
    assert not any("color of their own" in line for line in said)
    assert not any("never" in line for line in said)


def test_it_ends_with_the_causes_and_with_what_it_does_not_prove():
    said = lines()
    assert said[-2] == "Causes were found of 1 of 2 examined biases: position. Not examined: modality."
    assert said[-1].endswith("a cause beside a fail is an association, no proof.")
    assert "No recipe was given (--augment)" in lines(augment=())[-1]


def test_nothing_found_and_nothing_examined_are_not_the_same():
    assert audit_sentence(document(COLORS)) == "No cause was found of 1 examined bias."
    assert audit_sentence(document(COLORS, FEW)) == (
        "No cause was found, and none is ruled out of 1 of 2 examined biases. Too few captions to tell: order."
    )
    assert audit_sentence(document(PICTURES)) == "Nothing was examined: this audit says nothing about the captions."


def test_a_run_stands_below_with_its_verdict_on_each_bias():
    said = lines(SIDES, COLORS, runs=[("r.jsonl", fails_position(complete=False))])
    at = said.index("r.jsonl: a-model, asked about scenes:6")
    assert said[at + 1 : at + 5] == [
        "  Not the whole suite was asked.",
        "  color       pass: neither: no cause is found, and the model passes",
        "  position    fail: a cause is found, and the model fails",
        "  robustness  not asked: no cause was looked for; the data of the run has too few images",
    ]
