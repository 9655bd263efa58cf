"""The verdict in the report of a failing test."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from vlcheck.plugin.judgements import JUDGEMENTS
from vlcheck.plugin.mark import stated
from vlcheck.plugin.reporters.lines import shown

if TYPE_CHECKING:
    from vlcheck.evaluation.evidence import Judgement
    from vlcheck.policy.policy import Known
    from vlcheck.stats.verdict import Verdict

_ASSERTION = "assert verdict.passed"


def fail_unasserted(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Fail a test that passed although the verdict on its behavior did not: it lacks `assert verdict.passed`.

    A test of a known bias that is gone has failed already, and gets the message, too.

    Args:
        item: the test.
        call: its phase.
        report: changed if the test has to fail.
    """
    failed = [judgement.verdict for judgement in item.stash.get(JUDGEMENTS, []) if not judgement.verdict.passed]
    if failed and call.when == "call" and not call.excinfo and not hasattr(report, "wasxfail") and stated(item):
        report.outcome = "failed"
        report.longrepr = f"{shown(failed[-1].summary)}\nThe test passed all the same: add `{_ASSERTION}`."


def fold_assertion(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Show the docstring of a behavior alone in place of its source, whose assertion only repeats the verdict.

    The source stays with -v, --showlocals or a --tb of the user's, where a test fails for another reason, and where the
    behavior has no docstring.

    Args:
        item: the test.
        call: its phase.
        report: the test's report, which is changed.
    """
    config, test = item.config, stated(item)
    traceback = config.getoption("tbstyle", "auto") != "auto" or config.getoption("showlocals", default=False)
    asked = traceback or config.get_verbosity() > 0
    if asked or test is None or not item.stash.get(JUDGEMENTS, []) or not report.failed or not call.excinfo:
        return
    entries: Sequence[Any] = getattr(getattr(report.longrepr, "reprtraceback", None), "reprentries", ())
    if len(entries) == 1 and test.behavior.doc and any(map(_is_assertion, entries[0].lines)):
        doc = inspect.cleandoc(test.behavior.doc).partition("\n\n")[0]
        entries[0].lines = [f"    {shown(line)}" for line in f'"""{doc}"""'.splitlines()]
        entries[0].reprfuncargs = None


def _is_assertion(line: str) -> bool:
    """Return True if a line of a traceback, which marks the statement that raised, is the assertion alone."""
    return line.startswith(">") and line.removeprefix(">").strip() == _ASSERTION


def add_worst_cases(item: pytest.Item, report: pytest.TestReport) -> None:
    """Add counts, interval and the three worst cases to the report of a failed test.

    Args:
        item: the test.
        report: the test's report, to which they are added.
    """
    judgements = item.stash.get(JUDGEMENTS, [])
    if not report.failed or report.when != "call" or not judgements:
        return
    said = (shown(line) for judgement in judgements for line in _lines(judgement))
    report.sections.append(("vlcheck", "\n".join(said)))
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None and not judgements[-1].verdict.passed:
        crash.message = shown(judgements[-1].verdict.summary)


def _of_known(known: Known, verdict: Verdict) -> Iterator[str]:
    """Yield why an entry of the policy does not excuse a verdict, if it expired or lacks `invalid`."""
    if known.expired and replace(known, expired=False).excuses(verdict):
        yield known.overdue
    elif replace(known, invalid=True).excuses(verdict) and not known.excuses(verdict):
        yield known.unexcused


def _lines(judgement: Judgement) -> Iterator[str]:
    verdict = judgement.verdict
    yield f"{judgement.behavior.bias}, {judgement.metric}: {verdict.summary}"
    if judgement.known:
        yield from _of_known(judgement.known, verdict)
    if judgement.attribution:
        yield f"  {judgement.attribution}"
    for row in judgement.worst():
        yield from (f"  {line}" for line in row.lines())
