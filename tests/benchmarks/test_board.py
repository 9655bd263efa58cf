"""The benchmark of boards: results of many runs, which are varied from those of one."""

from benchmarks.board import vary
from tests.report.board.boards import kept, run_of
from vlcheck.report.board import board_view, gather_runs, stream_board
from vlcheck.results.file import read


def test_varied_results_are_whole_and_of_models_on_dates_with_other_verdicts(tmp_path):
    (path,) = kept(tmp_path, real=run_of())
    paths = vary(path, tmp_path, runs=50, models=10)
    found = gather_runs(paths)
    assert (len(found.runs), found.left_out) == (50, ())
    assert len({run.model for run in found.runs}) == 10
    assert len({run.date for run in found.runs}) == len({run.header.fingerprint for run in found.runs}) == 50
    assert len({tuple(one.status for one in run.results.verdicts.values()) for run in found.runs}) > 1
    assert [*read(paths[7]).evidence.values()] == [*read(path).evidence.values()]
    assert sum(map(len, stream_board(board_view(found)))) < 3e6
