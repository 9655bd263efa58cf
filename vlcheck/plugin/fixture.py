"""The fixture that hands a test its verdict."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from vlcheck.errors import UsageError
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
    """The verdict on the behavior that the test states with `@behavior(...)`."""
    test = stated(request.node)
    if test is None:
        pytest.fail("the verdict fixture belongs to a test that states its behavior with @behavior(...)", pytrace=False)
    if test.amiss:
        pytest.fail(test.amiss, pytrace=False)
    model = under_test(request)
    if reason := model.lacks(test.metric):
        pytest.skip(shown(reason))
    with _plainly():
        behavior = test.behavior
        terms = model.policy.of(behavior.name, behavior.bias)
        known = terms.known(test.metric)
        verdict = model.judge(behavior, test.metric)
    if known:
        _expect(request, known, verdict)
    consequence = terms.on(verdict.status)
    if consequence == "skip":
        pytest.skip(shown(f"{verdict.status}: {verdict.reason}"))
    if consequence == "xfail":
        pytest.xfail(shown(f"{verdict.status}: {verdict.reason}"))
    return verdict


def under_test(request: pytest.FixtureRequest) -> ModelUnderTest:
    """The run's model; what it judges for this test is kept in the results."""
    with _plainly():
        return request.config.stash[RUN].model_for(request.node)


def _expect(request: pytest.FixtureRequest, known: Known, verdict: Verdict) -> None:
    """Let a known bias fail as expected until its day, and fail where it is gone.

    What it makes invalid is excused where the policy says so; nothing else is.

    An xfail that is strict whatever the ini file says: pytest looks at the marks again when the test is called. What is
    known of a whole bias need not show in each of its tests: the run tells whether it shows in any.
    """
    if verdict.passed and not known.behavior:
        return
    if verdict.passed:
        mark = pytest.mark.xfail(reason=shown(known.stale), raises=(), strict=True)  # (): an error stays one
    elif known.excuses(verdict):
        excuse = known.excuse if verdict.status == "fail" else f"{verdict.status}, {known.excuse}"
        mark = pytest.mark.xfail(reason=shown(excuse), raises=(AssertionError, pytest.fail.Exception), strict=True)
    else:
        return
    request.applymarker(mark)


@contextmanager
def _plainly() -> Iterator[None]:
    """Let a usage error fail the test in its own words, without the way it came."""
    try:
        yield
    except UsageError as error:
        raise pytest.fail.Exception(message_of(error), pytrace=False) from None
