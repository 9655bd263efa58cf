"""The gate: whether a release may rest on the results of a run, whatever the exit status of its process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vlcheck._util.files import followed
from vlcheck._util.numbers import counted, moment, names_in_brief
from vlcheck._util.paths import there_is
from vlcheck.errors import printable
from vlcheck.results.comparison import Comparison
from vlcheck.results.conclusion import missing_biases, worsened
from vlcheck.results.file import ResultLines, head, read
from vlcheck.results.known_biases import gates, no_longer_known
from vlcheck.results.places import Places, same_run
from vlcheck.results.records import RunRecord
from vlcheck.results.sentence import NOTHING_DECIDED

_MOST_NAMED = 5  # number of tests that a sentence names


def objections(results: ResultLines, comparison: Comparison | None = None) -> Iterator[str]:
    """Yield the reasons why no release may rest on a run's verdicts, a sentence each; none if the policy is fulfilled.

    Args:
        results: the results of the run.
        comparison: the comparison with the release before, if there is one.
    """
    if not results.verdicts:
        yield "No verdict came of this run: nothing was checked."
        return
    if results.changed:
        yield f"{printable(results.changed)} No verdict holds."
    if not results.decided:
        yield NOTHING_DECIDED
    if tests := results.run.unjudged:
        yield f"No verdict on {counted(len(tests), 'selected test')}: {_named(tests)}."
    if failing := [one.test for one in results.verdicts.values() if gates(one)]:
        yield f"Neither passed nor excused by the policy: {_named(failing)}."
    if biases := missing_biases(results):
        yield f"The policy requires a pass or a fail of {', '.join(biases)}, and there is none."
    yield from no_longer_known(results)
    if comparison and not comparison.accepted:
        yield worsened(comparison)


def refusals(path: Path, results: ResultLines, *, run_id: str, part: bool) -> Iterator[str]:
    """Yield the reasons why a release may not rest on a results file, a sentence each; none if it may.

    Args:
        path: the file.
        results: its contents.
        run_id: the id of the expected run; "" for the latest run that started with this file.
        part: whether a run of a part of the suite is accepted.
    """
    run = results.run
    beside = {there: other for there, other in _beside(path) if not same_run(other, run)}
    if run_id and run.run_id != run_id:
        where = "".join(f" It wrote {there.name}." for there, other in beside.items() if other.run_id == run_id)
        yield f"It is of {named_run(run)}; run {printable(run_id)} is asked for.{where}"
        return
    if not run.run_id or run.lines is None or run.exit_status is None:
        yield f"It is of a run that goes on or was killed, or of an older vlcheck: {named_run(run)}."
        return
    for there, other in beside.items():
        if other.started >= run.started and run_id in ("", other.run_id):
            hint = "" if run_id else f" (--run-id {printable(run.run_id)} asks for this one)"
            yield f"A later run began, and is not in this file: {named_run(other)}, in {there.name}{hint}."
    if run.exit_status:
        yield f"The run ended with {run.exit_status}."
    if not run.complete and not part:
        yield "Not the whole suite was asked (--part accepts that)."
    yield from objections(results)


def read_run(path: Path) -> ResultLines:
    """Read a results file, or the unfinished file beside it if it is missing. Raises UsageError if there is neither."""
    unfinished = Places.around(path).unfinished
    return read(unfinished if not there_is(str(path)) and head(unfinished) else path)


def named_run(run: RunRecord) -> str:
    """Return the run in words, by its id and time."""
    named = f"run {printable(run.run_id)}" if run.run_id else "a run without an id"
    return f"{named} of {printable(moment(run.started))}"


def _beside(path: Path) -> Iterator[tuple[Path, RunRecord]]:
    """Yield the results files beside a file, and beside the file that it links to, each with its first line."""
    seen = {followed(path)}
    for places in [kind(one) for one in (path, followed(path)) for kind in (Places.around, Places)]:
        for there in places:
            run = None if followed(there) in seen else head(there)
            seen.add(followed(there))
            if run:
                yield there, run


def _named(tests: list[str]) -> str:
    return names_in_brief([printable(test.rpartition("::")[2]) for test in tests], _MOST_NAMED)
