"""The fixture that hands a test its verdict."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from vlcheck.errors import ForeignFault, UsageError
from vlcheck.plugin.mark import stated
from vlcheck.plugin.options import message_of
from vlcheck.plugin.reporters.lines import shown
from vlcheck.plugin.run import RUN

if TYPE_CHECKING:
    from vlcheck.evaluation.evaluator import ModelUnderTest
    from vlcheck.policy.policy import Known
    from vlcheck.stats.verdict import Verdict


@pytest.fixture
def verdict(request: pytest.FixtureRequest) -> Verdict:
    """Return the verdict on the behavior that the test states with `@behavior(...)`."""
    test = stated(request.node)
    if test is None:
        pytest.fail("the verdict fixture belongs to a test that states its behavior with @behavior(...)", pytrace=False)
    if test.amiss:
        pytest.fail(test.amiss, pytrace=False)
    model = under_test(request)
    run = request.config.stash[RUN]
    with _plainly():  # first: the control is judged by a test, too, that gives no verdict on the model
        run.judge_control(test)
    if reason := model.lacks(test.metric):
        pytest.skip(shown(reason))
    with _plainly():
        behavior = test.behavior
        terms = model.policy.of(behavior.name, behavior.bias)
        known = terms.known(test.metric)
        verdict = model.judge(behavior, test.metric)
    if known:
        _mark_known(request, known, verdict)
    consequence = terms.on(verdict.status)
    if consequence == "skip":
        pytest.skip(shown(f"{verdict.status}: {verdict.reason}"))
    if consequence == "xfail":
        pytest.xfail(shown(f"{verdict.status}: {verdict.reason}"))
    return verdict


def under_test(request: pytest.FixtureRequest) -> ModelUnderTest:
    """Return the model under test; its judgements for this test are kept in the results."""
    with _plainly():
        return request.config.stash[RUN].model_for(request.node)


def _mark_known(request: pytest.FixtureRequest, known: Known, verdict: Verdict) -> None:
    """Mark a test of a known bias as an expected failure until the entry expires; let it fail if the bias is gone.

    An invalid verdict is excused only if the policy's entry says so.

    The xfail is strict whatever the ini file says; pytest reads the marks again when the test is called. An entry that
    names no test need not show in each test of its bias: the end of the run checks that it shows in any.
    """
    if verdict.passed and not known.behavior:
        return
    if verdict.passed:
        mark = pytest.mark.xfail(reason=shown(known.stale), raises=(), strict=True)  # (): an error stays an error
    elif known.excuses(verdict):
        excuse = known.excuse if verdict.status == "fail" else f"{verdict.status}, {known.excuse}"
        mark = pytest.mark.xfail(reason=shown(excuse), raises=(AssertionError, pytest.fail.Exception), strict=True)
    else:
        return
    request.applymarker(mark)


@contextmanager
def _plainly() -> Iterator[None]:
    """Turn an error that says all there is to say into a failure of the test with its text and no traceback."""
    try:
        yield
    except UsageError as error:
        raise pytest.fail.Exception(message_of(error), pytrace=False) from None
    except ForeignFault as fault:
        if fault.__cause__:  # foreign code raised: its traceback shows where
            raise
        raise pytest.fail.Exception(shown(str(fault)), pytrace=False) from None
