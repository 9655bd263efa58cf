"""The board says what the results say, side by side only where it means the same."""

import html
import re
from dataclasses import replace

import pytest

from tests.report.board.boards import board_runs, drawn, run_of
from tests.report.pages import invalid, mean, passing, unasked, verdict
from tests.report.reading import HOSTILE, Elements
from vlcheck.errors import UsageError
from vlcheck.report.board import BoardNames, BoardRuns, board_view, stream_board
from vlcheck.results.anchors import verdict_anchor
from vlcheck.results.conclusion import conclude
from vlcheck.results.file import key_of


def named(table):
    """The rows of a table by their models."""
    return {row.model.text: row for row in table.rows}


def test_a_cell_has_the_gravest_verdict_its_numbers_and_its_worst_test():
    run = run_of(verdict(), verdict("test_hue", rate=1.0), passing("test_red", "mlm"), mean(), unasked())
    (table,) = board_view(drawn(run)).tables
    (row,) = table.rows
    color, position = row.cells[table.biases.index(table.biases[0])], row.cells[-1]
    assert [bias.text for bias in table.biases] == ["color", "position"]
    assert (color.status, color.passes, color.worst.text) == ("fail", "1 of 3 passes", "hue: wrong in 100 %")
    assert (position.status, position.passes) == ("inconclusive", "0 of 2 pass")
    assert position.worst.text == "right is no favourite: mean +0.120"


def test_a_model_of_several_dates_is_a_row_with_its_latest_run_and_a_line():
    view = board_view(drawn(run_of(day=9), run_of(passing("test_grey_preserves", "mlm"), passing(), day=3)))
    mlm, itm = view.tables
    (row,) = mlm.rows
    assert (row.run, row.date.text, row.cells[0].status) == (1, "09 January 2026", "fail")
    assert row.about[1].text == "the latest of 2 runs"
    label = "passes 1 of 1 (pass) on 03 January 2026, 0 of 1 (fail) on 09 January 2026"
    assert f'aria-label="{label}"' in row.cells[0].trend
    assert "1 of 1 (pass) on 09 January 2026" in itm.rows[0].cells[0].trend
    (history,) = mlm.histories
    assert [(one.run, one.cells) for one in history.rows] == [
        (2, (("pass", "1 of 1 passes"),)),
        (1, (("fail", "0 of 1 pass"),)),
    ]


def test_one_name_with_other_weights_is_said_and_another_spec_is_another_row():
    view = board_view(drawn(run_of(day=1), run_of(day=2, fingerprint="e2e2"), run_of(day=3, model="other.py:Mine")))
    rows = view.tables[0].rows
    assert [row.run for row in rows] == [2, 3]
    assert rows[0].about[0].text == "fingerprint e2e2"
    assert rows[0].about[1].text == "the latest of 2 runs, 2 fingerprints: its weights or code changed"
    assert view.sentence == "2 models in 3 runs"


def test_releases_with_a_spec_each_are_a_row_if_they_are_given_one_name():
    names = BoardNames.read(["ours=albef:/models/*.pth"], [])
    told = [{"name": f"albef:{day}.pth", "model": f"albef:/models/{day}.pth", "day": day} for day in (1, 2)]
    apart = board_runs(*(run_of(**one) for one in told), run_of(day=3))
    assert len(board_view(BoardRuns(apart)).tables[0].rows) == 3
    rows = board_view(BoardRuns(tuple(replace(run, names=names) for run in apart))).tables[0].rows
    assert [(row.model.text, row.run) for row in rows] == [("ours", 2), ("a-model", 3)]
    assert [one.text for one in rows[0].about][::2] == ["spec albef:/models/2.pth", "the latest of 2 runs"]
    assert rows[0].cells[0].trend is not None
    assert rows[1].cells[0].trend is None


def test_lexicons_that_an_older_file_names_by_their_folder_are_said_to_be():
    told = {"options": {"lexicons": "/words"}}
    runs = run_of(verdict(), day=1, **told), run_of(verdict(), name="b", lexicons="d1", **told)
    (table,) = board_view(drawn(*runs)).tables
    said = "lexicons of run 1: named by their folder, as an older vlcheck keeps them"
    assert [one.text for one in table.about if "lexicons" in one.text] == [said]


def test_data_in_two_folders_are_the_same_if_a_user_says_so_and_the_board_says_who_did():
    names = BoardNames.read([], ["val=coco:/mnt/*:40"])
    two = board_runs(*(run_of(name=place, data=f"coco:/mnt/{place}:40") for place in "ab"))
    assert len(board_view(BoardRuns(two)).tables) == 4
    mlm, _ = board_view(BoardRuns(tuple(replace(run, names=names) for run in two))).tables
    assert len(mlm.rows) == 2
    assert mlm.about[1].text == "data: val, given as the name of coco:/mnt/a:40, coco:/mnt/b:40"


@pytest.mark.parametrize("given", ["ours", "=a", "ours=", " = "])
def test_a_name_without_a_pattern_is_refused(given):
    with pytest.raises(UsageError, match=re.escape(f"same_data={given}: NAME=PATTERN is accepted")):
        BoardNames.read([], [given])


def test_versions_of_vlcheck_that_differ_are_said_in_the_table_and_in_the_row():
    later = {"vlcheck": "0.2.0", "vlcheck's code": "abcdef0123456789"}
    table, _ = board_view(drawn(run_of(), run_of(day=2, versions=later), run_of(name="b", versions={}))).tables
    assert table.versions.text == (
        "Asked by different versions of vlcheck: 0.1.0 in run 1; 0.2.0 (code abcdef012345) in run 2; unknown in run 3."
    )
    assert "its runs are of different versions of vlcheck" in [one.text for one in table.rows[0].about]
    assert [one.text for one in table.rows[1].about] == ["fingerprint f1f1"]
    assert board_view(drawn(run_of(), run_of(day=2))).tables[0].versions is None


def test_a_run_without_a_date_is_in_no_line_and_that_is_said():
    view = board_view(drawn(run_of(day=1), run_of(day=2), run_of(started="yesterday")))
    (row,) = view.tables[0].rows
    assert row.run == 2
    assert row.about[-1].text == "1 run without a date, in no line"
    assert "yesterday" in [one.date.text for one in view.tables[0].histories[0].rows]


def test_cells_that_cannot_be_compared_say_why_and_show_no_verdict():
    calm = [passing("test_order", "mlm", bias="order")]
    lax = run_of(passing("test_grey_preserves", "mlm", allowed=0.5), *calm, name="b", day=1)
    view = board_view(drawn(run_of(verdict(), *calm, day=2), lax))
    (table,) = view.tables
    cell = named(table)["b"].cells[0]
    assert cell.apart.text == "test_grey_preserves[mlm]: the allowed rate differs: 0.1 in run 1, 0.5 in run 2"
    assert "Not everything can be compared: 1 cell apart, each with the reason." in view.notes
    assert named(table)["b"].cells[1].apart is None
    text = "".join(stream_board(view))
    (shown,) = re.findall(r'<td role="cell" class="unasked" data-sort="98">.*?</td>', text)
    assert "not comparable" in shown
    assert "pass" not in re.sub("<.*?>", "", shown)


def test_an_older_run_that_cannot_be_compared_is_in_no_line():
    calm = [passing("test_order", "mlm", bias="order")]
    old = run_of(passing("test_grey_preserves", "mlm", allowed=0.5), *calm, day=1)
    view = board_view(drawn(old, run_of(verdict(), *calm, day=2)))
    color, order = view.tables[0].rows[0].cells
    assert color.trend is None
    assert order.trend is not None
    assert view.tables[0].histories[0].rows[0].cells == (("not comparable", ""), ("pass", "1 of 1 passes"))


def test_other_data_stand_in_a_table_of_their_own_that_says_what_differs_and_names_the_later_run():
    view = board_view(drawn(run_of(verdict(), day=1), run_of(verdict(), day=2, data="coco:/data")))
    assert [[row.run for row in table.rows] for table in view.tables] == [[2], [1]]
    assert view.tables[0].apart is None
    assert view.tables[1].apart.text == "Not comparable with table 1: the data: scenes:6 here, coco:/data there."
    assert view.tables[1].rows[0].about[-1].text == "a later one, run 2, is not in this table"
    assert "Not everything can be compared: 1 table apart, each with the reason." in view.notes


def test_limits_that_differ_in_most_tests_are_the_reason_of_a_table_of_their_own():
    view = board_view(drawn(run_of(verdict(), day=2), run_of(verdict(allowed=0.01), name="b", day=1)))
    assert view.tables[1].apart.text == (
        "Not comparable with table 1: test_grey_preserves[mlm]: the allowed rate differs: 0.1 in run 1, 0.01 in run 2."
    )


def test_a_table_says_why_it_is_apart_from_the_one_that_is_nearest_to_it():
    """Tables 2 and 3 are of the same data, which table 1 is not."""
    few = [run_of(verdict(allowed=limit), name=name, data="d", day=1) for limit, name in ((0.1, "b"), (0.01, "c"))]
    reasons = [table.apart and table.apart.text for table in board_view(drawn(run_of(verdict(), day=2), *few)).tables]
    assert reasons == [
        None,
        "Not comparable with table 1: the data: d here, scenes:6 there.",
        "Not comparable with table 2: test_grey_preserves[mlm]: the allowed rate differs: 0.1 in run 2, 0.01 in run 3.",
    ]


def test_each_run_is_listed_with_its_conclusion_and_the_versions_that_differ():
    late = ["behavior_tests/test_it.py::test_hue[mlm]"]
    stopped = run_of(
        name="b", day=2, unjudged=late, exit_status=None, versions={"vlcheck": "0.2.0", "python": "3.11.7"}
    )
    runs = board_view(drawn(run_of(), stopped)).runs
    assert [one.number for one in runs] == [1, 2]
    assert runs[1].sentence.text == conclude(stopped).sentence
    assert runs[1].sentence.text.startswith("Stopped: 1 of 3 tests has no verdict.")
    assert [one.text for one in runs[1].versions] == ["vlcheck 0.1.0 before, 0.2.0 now"]
    assert runs[0].versions == ()


def test_one_run_alone_says_so_and_a_run_that_judged_nothing_is_drawn():
    assert "One run alone: nothing stands beside it." in board_view(drawn(run_of())).notes
    late = {"t.py::test_hue[mlm]": {"bias": "color", "metric": "mlm"}}
    nothing = run_of()
    nothing.verdicts.clear()
    nothing.run = run_of(unjudged=[*late], stated=late).run
    (table,) = board_view(drawn(nothing)).tables
    assert (table.rows[0].cells[0].status, table.rows[0].cells[0].passes) == ("no verdict", "0 of 1 pass")
    nothing.run = run_of().run
    assert "No run has a test: there is nothing to show." in board_view(drawn(nothing)).notes


def test_a_cell_leads_to_its_worst_test_on_the_page_of_its_run():
    runs = [replace(run, page="runs/a%20b.html") for run in board_runs(run_of(), run_of(name="b"))]
    runs[1] = replace(runs[1], page="")
    mlm, itm = board_view(BoardRuns(tuple(runs))).tables
    mlm_anchor, itm_anchor = (verdict_anchor(*key_of(one)) for one in runs[0].results.verdicts.values())
    assert [row.cells[0].href for row in mlm.rows] == [f"runs/a%20b.html#{mlm_anchor}", ""]
    assert itm.rows[0].cells[0].href == f"runs/a%20b.html#{itm_anchor}"


def test_what_the_latest_runs_came_to_is_counted():
    clean = run_of(passing("test_grey_preserves", "mlm"), name="b", exit_status=0)
    view = board_view(drawn(run_of(day=1), run_of(day=2), clean, run_of(invalid(), name="c")))
    assert view.notes[0] == "Of the latest run of each model: 1 with a fail, 1 invalid, 1 with passes alone."


def test_hostile_text_is_text_everywhere():
    hostile = verdict(bias=HOSTILE, behavior=HOSTILE, bias_doc=HOSTILE, score_kind=HOSTILE)
    told = {"data": HOSTILE, "model": HOSTILE, "versions": {HOSTILE: HOSTILE}, "started": HOSTILE}
    found = drawn(run_of(hostile, name=HOSTILE, **told), run_of(hostile, name="b"), left_out=[HOSTILE])
    page = "".join(stream_board(board_view(found)))
    elements = Elements(page)
    assert [one for one in elements.elements if one[0] in ("img", "script")] == [("script", {})]
    assert "alert(1)" in html.unescape("".join(elements.text))
    assert not {"\u202e", "\x07", "\ud800"} & set(page)


def test_equal_runs_give_equal_boards_and_nothing_is_loaded():
    one, other = ("".join(stream_board(board_view(drawn(run_of(), run_of(day=2))))) for _ in range(2))
    assert one == other
    assert not re.findall(r'(?:src|href)="(?!#|data:)', one)
    assert "default-src 'none'" in one


def test_a_metric_that_this_version_does_not_know_is_shown():
    run = run_of(verdict() | {"metric": "later", "test": "t.py::test_x[later]"})
    (table,) = board_view(drawn(run)).tables
    assert (table.metric.text, table.meaning) == ("later", "")
