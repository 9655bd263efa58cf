"""Small runs to draw boards of."""

from pathlib import Path

from tests.report.pages import passing, results, rows, verdict
from vlcheck.report.board.runs import BoardRun, BoardRuns
from vlcheck.results.file import write_results

FAILS, PASSES = verdict, passing


def run_of(*verdicts, name="a-model", day=1, fingerprint="f1f1", **header):
    """The results of a run in January, with evidence behind the first verdict."""
    told = {"name": name, "model": name, "fingerprint": fingerprint, "run_id": f"{name} {day} {fingerprint}"}
    told |= {"started": f"2026-01-{day:02}T03:04:05+00:00", "exit_status": 1}
    first, *others = verdicts or (verdict(), passing())
    return results((first, rows()), *((one, []) for one in others), run=told | header)


def board_runs(*found):
    """The same as runs of a board, from 1."""
    return tuple(BoardRun(number, Path(f"{number}.jsonl"), one) for number, one in enumerate(found, start=1))


def drawn(*found, left_out=()):
    return BoardRuns(board_runs(*found), tuple(left_out))


def kept(folder, **runs):
    """Write runs to files in a folder; return their paths."""
    paths = []
    for name, one in runs.items():
        paths.append(folder / f"{name}.jsonl")
        write_results(paths[-1], one)
    return paths
