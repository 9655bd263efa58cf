"""A run that was stopped says so everywhere, no cell over a test without a verdict passes, and no link is dead."""

import json
from html.parser import HTMLParser

import pytest

from tests.report.pages import invalid, mean, passing, results, rows, small, unasked, verdict
from vlcheck.report.markdown import markdown
from vlcheck.report.markdown.model_card import card
from vlcheck.report.page import draw
from vlcheck.report.page.row_budget import Room
from vlcheck.report.text import summary
from vlcheck.report.text.comparison import conclusion
from vlcheck.results.bias_matrix import matrix_of
from vlcheck.results.comparison import compare_runs
from vlcheck.results.conclusion import conclude
from vlcheck.results.file import ResultLines
from vlcheck.results.schema import line_of, record_of
from vlcheck.suite.shipped import BIASES

METRICS = ("mlm", "itm")
SUITE = [
    f"behavior_tests/test_{bias}.py::test_{number}[{metric}]"
    for bias in BIASES
    for number in range(3)
    for metric in METRICS
]
STATED = {
    test: {"bias": test.partition("/test_")[2].partition(".")[0], "metric": test.rpartition("[")[2][:-1]}
    for test in SUITE
}
STOPPED = "Stopped: 40 of 42 tests have no verdict."


def judged(test, status="pass", **changes):
    named = {"test": test, "bias": STATED[test]["bias"], "metric": STATED[test]["metric"]}
    return verdict(
        status=status, **{"rate": 0.0, "rate_low": 0.0, "rate_high": 0.09, "violations": 0, "p": 1.0} | named | changes
    )


def stopped(*verdicts, exit_status=2, stated=True, **run):
    """A run of the whole suite that ended when these were judged."""
    lacking = [test for test in SUITE if test not in {one["test"] for one in verdicts}]
    said = {"exit_status": exit_status, "unjudged": lacking, "stated": STATED if stated else {}}
    return results(*((one, rows()) for one in verdicts), run=said | run)


@pytest.fixture(params=[True, False], ids=["biases are said", "biases are told by names"])
def halfway(request):
    return stopped(judged(SUITE[0]), judged(SUITE[1], "fail", rate=1.0, rate_low=0.9), stated=request.param)


def test_every_surface_says_that_the_run_was_stopped(halfway):
    whole = stopped(*(judged(test) for test in SUITE), exit_status=0)
    said = [
        conclude(halfway).sentence,
        list(summary.summary_lines(halfway))[-1],
        markdown.summary(halfway),
        card(halfway),
        draw(halfway, source="results.jsonl"),
        conclusion(compare_runs(whole, halfway)),
    ]
    assert [STOPPED[:-1] in one for one in said] == [True] * len(said)
    assert "new run: Stopped: 40 of 42 tests have no verdict; worse:" in said[-1]
    assert [STOPPED in conclude(whole).sentence, compare_runs(whole, whole).incomplete] == [False, ()]


def test_all_biases_keep_a_row_and_what_was_not_judged_is_no_pass(halfway):
    found = matrix_of(halfway)
    assert set(found.biases) == set(BIASES)
    cells = {where: cell.said for where, cell in found.cells.items()}
    assert cells["modality", "mlm"] == "no verdict (2 of 3)"
    assert cells["modality", "itm"] == "fail (2 without a verdict)"
    assert {said for (bias, _), said in cells.items() if bias != "modality"} == {"no verdict"}
    for shown in ("\n".join(summary.matrix_lines(halfway)), markdown.summary(halfway), card(halfway)):
        table = shown[shown.index("| bias ") if "| bias " in shown else 0 :].partition("\n\n")[0]
        assert all(bias in table for bias in BIASES)
        assert "pass" not in table
    assert not any(note.startswith("No test was run on") for note in conclude(halfway).notes)


def test_a_run_in_which_some_tests_have_no_verdict_and_that_went_on_is_not_called_stopped():
    found = conclude(stopped(*(judged(test) for test in SUITE[1:]), exit_status=1))
    assert found.sentence.startswith("Incomplete: 1 of 42 tests has no verdict. ")
    assert (found.tone, found.notes[0][:24]) == ("partial", "Without a verdict, since")


def test_the_sentence_of_a_stopped_run_that_passes_is_short_and_the_policys_part_is_a_note():
    asked = "The policy requires a pass or a fail of order, position, and there is none."
    found = conclude(stopped(judged(SUITE[0]), required=["modality", "order", "position"]))
    told = "Stopped: 41 of 42 tests have no verdict. No bias in what was decided: none of 7 biases passes."
    assert (found.tone, found.sentence) == ("inconclusive", f"{told} Nothing is known of the rest.")
    assert asked in found.notes
    ended = conclude(stopped(*(judged(test) for test in SUITE[:2]), exit_status=0, required=["order", "position"]))
    assert ended.sentence.endswith(asked)


def test_a_run_that_was_stopped_before_its_first_verdict_is_drawn_everywhere():
    nothing = stopped()
    sentence = "Stopped: 42 of 42 tests have no verdict. Nothing was checked."
    assert conclude(nothing).sentence == sentence
    for page in (markdown.summary(nothing), card(nothing), draw(nothing, source="r.jsonl")):
        assert sentence in page
        assert all(bias in page for bias in BIASES)


def test_what_was_decided_and_has_no_verdict_in_a_stopped_run_is_lost_for_that():
    whole = stopped(*(judged(test, behavior=f"b{at}") for at, test in enumerate(SUITE)), exit_status=0)
    part = stopped(*(judged(test, behavior=f"b{at}") for at, test in enumerate(SUITE[:20])))
    lost = compare_runs(whole, part).lost
    assert (len(lost), {one.reason for one in lost}) == (22, {"without a verdict in the new run"})


class Links(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.places, self.leads = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.places.append(value)
            if name in ("href", "xlink:href", "src"):
                self.leads.append(value)
            if name in ("aria-labelledby", "for"):
                self.leads += [f"#{one}" for one in value.split()]


OTHER = verdict("test_elsewhere", test="behavior_tests/test_old.py::test_elsewhere[mlm]")
PAGES = {
    "small": (small(), {}),
    "of a part": (small(run={"complete": False}), {}),
    "stopped": (stopped(judged(SUITE[0]), judged(SUITE[1], "fail")), {}),
    "stopped before the first verdict": (stopped(), {}),
    "nothing was selected that is known": (results(), {}),
    "nothing decided": (results((mean(), []), (invalid(), []), (unasked(), [])), {}),
    "without room": (small(), {"room": Room(rows=0, characters=0)}),
    "beside another one": (small(), {"beside": small()}),
    "with a baseline": (small(), {"comparison": compare_runs(results((OTHER, rows()), (passing(), rows())), small())}),
    "stopped, with a baseline": (
        stopped(judged(SUITE[0])),
        {"comparison": compare_runs(small(), stopped(judged(SUITE[0])))},
    ),
}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_of_a_page_leads_to_a_place_on_it(name):
    found, options = PAGES[name]
    links = Links(draw(found, source="results.jsonl", **options))
    assert len(links.places) == len(set(links.places))
    leads = [lead for lead in links.leads if not lead.startswith("data:")]
    assert [lead for lead in leads if lead.removeprefix("#") not in links.places] == []


def test_what_a_header_says_of_its_tests_is_checked():
    line = line_of(small().run)
    assert line_of(record_of(line | {"stated": STATED}))["stated"] == STATED
    for wrong in ([], {"t": None}, {"t": {"bias": "color"}}, {"t": {"bias": 1, "metric": "mlm"}}):
        with pytest.raises(ValueError, match="run line without 'stated'"):
            record_of(line | {"stated": wrong})
    again = ResultLines()
    again.add([json.dumps(line | {"stated": STATED})])
    assert line_of(again.run)["stated"] == STATED
