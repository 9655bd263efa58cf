"""A control and the release before stand beside a model's results where they can be compared."""

import json

from tests.report.pages import mean, passing, results, row, rows, small, verdict
from tests.report.reading import view, views
from vlcheck.report.page import draw
from vlcheck.results.comparison import compare_runs


def test_a_control_that_sees_no_picture_is_counted_where_both_pass():
    control = results(
        (passing(), rows()), (verdict(), rows()), run={"name": "blind", "sees": False, "fingerprint": "f2"}
    )
    notes = [note.text for note in view(small(), beside=control).beside.notes]
    assert any(note.startswith("Both pass 1 of 1 test that a-model passes") for note in notes)
    assert any(note.startswith("Both fail 1 of 1 test that a-model fails") for note in notes)


def test_a_control_is_shown_beside_also_where_its_scores_are_of_another_kind():
    control = results((passing(metric="mlm"), []), (passing(score_kind="contrastive"), []), run={"name": "words alone"})
    found = views(small(), beside=control)
    same, other, lacking = (
        found[name].beside for name in (("grey preserves", "mlm"), ("grey preserves", "itm"), ("mirror swaps", "itm"))
    )
    assert (same.status, same.said.text) == ("pass", "wrong in 0 % (0 to 9.5 %) of 6 images")
    assert (other.status, other.said.text) == (
        "pass",
        "wrong in 0 % (0 to 9.5 %) of 6 images by scores of another kind (contrastive)",
    )
    assert (lacking.status, lacking.said.text) == ("", "was not asked this")
    assert "words alone" in draw(small(), source="r", beside=control)


def test_a_mean_on_another_scale_is_not_shown_beside():
    model, control = (results((mean(score_kind=kind), [])) for kind in ("masked-lm", "image-labels"))
    (found,) = views(model, beside=control).values()
    assert (found.beside.status, found.beside.said.text) == (
        "inconclusive",
        "of 6 images by scores of another kind (image-labels)",
    )


def test_a_control_of_another_metric_alone_stands_beside_by_its_own():
    run = {"name": "ViT", "fingerprint": "f2", "score_kinds": {"mlm": "image-labels"}}
    control = results((passing(metric="mlm", score_kind="image-labels"), []), run=run)
    found = views(results((verdict(metric="itm"), [])), beside=control)["grey preserves", "itm"].beside
    assert (found.status, found.said.text) == ("pass", "wrong in 0 % (0 to 9.5 %) of 6 images under mlm")


def test_model_and_control_are_paired_case_by_case():
    mine = [row(str(case), margin) for case, margin in enumerate([-0.1, -0.1, -0.1, 0.1, 0.1, None])]
    theirs = [row(str(case), margin) for case, margin in enumerate([0.1, 0.1, -0.1, -0.1, 0.1, 0.1])]
    model, control = results((verdict(), mine)), results((verdict(), theirs), run={"name": "ViT"})
    found = views(model, beside=control)["grey preserves", "mlm"].beside.pairing
    assert found == "of 5 cases in common, the model alone violates 2, the control alone 1, both 1"
    assert found in draw(model, source="r", beside=control)


def test_the_reason_why_a_control_has_no_verdict_is_on_the_page():
    reason = {"test": "t.py::test_grey_preserves[mlm]", "behavior": "test_grey_preserves", "metric": "mlm"}
    fault = {"kind": "fault", "reason": "the <store> is full", **reason}
    control = results((passing(metric="itm"), []), run={"name": "ViT", "fingerprint": "f2"})
    control.add([json.dumps(fault)])
    found = views(small(), beside=control)["grey preserves", "mlm"].beside
    assert (found.status, found.said.text) == ("", "has no verdict: the <store> is full")
    page = draw(small(), source="r", beside=control)
    assert "ViT has no verdict on test_grey_preserves[mlm]: the &lt;store&gt; is full." in page


def test_what_became_of_it_since_the_release_before_is_paired():
    bad, good = ([row(str(i), margin, image=f"i{i}") for i in range(20)] for margin in (-0.1, 0.1))
    old = results((passing(metric="mlm"), good), (passing(), good), run={"name": "the old one"})
    new = results((verdict(), bad), (passing(), good))
    comparison = compare_runs(old, new)
    found = view(new, comparison=comparison)
    (worse,) = found.release.changes
    assert (worse.outcome, worse.figures[:5]) == ("worse", ("0 %", "100 %", "20", "0", "20"))
    assert not found.release.accepted
    assert [one.outcome for one in found.release.rest] == ["same"]
    assert found.matrix.rows[0].cells[0].change == "worse"
    assert worse.id == found.matrix.rows[0].cells[0].id
    page = draw(new, source="r", comparison=comparison)
    assert "worse: color (1 test); better: none; 1 same, 0 not comparable" in page
    assert "What is installed differs" not in page
    assert "the old one on scenes:6" in page


def test_versions_that_differ_from_those_of_the_release_before_are_on_the_page():
    old, new = (results((passing(), []), run={"versions": {"transformers": one}}) for one in ("5.23.0", "5.24.0"))
    page = draw(new, source="r", comparison=compare_runs(old, new))
    assert "What is installed differs: transformers 5.23.0 before, 5.24.0 now" in page
