"""A run of a suite from Python: the model is asked, and judged by each test."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path

from vlcheck.api.arguments import Told, told_by
from vlcheck.api.control import Companion
from vlcheck.api.results import Results, ended
from vlcheck.api.suite import SuiteTests
from vlcheck.api.under_test import UnderTest
from vlcheck.behaviors.suite import BehaviorTest, fitting, sound
from vlcheck.cases import CaseSource
from vlcheck.errors import ForeignFault, UsageError
from vlcheck.evaluation.evidence import Judgement
from vlcheck.evaluation.session import Session
from vlcheck.explain.request import Request
from vlcheck.explain.worst_cases import CaseExplainer
from vlcheck.policy.policy import Policy
from vlcheck.results.explained_cases import keep_worst
from vlcheck.results.parts import Part, gather
from vlcheck.results.records import RunRecord
from vlcheck.scoring.engines.engine import Engine


@dataclass(frozen=True)
class SuiteRun:
    """A run of a suite.

    Attributes:
        name: its name.
        started: its start.
        its: the suite.
        source: the cases.
        policy: the policy on its day.
        engine: asks the models.
        scratch: its temporary folder.
        progress: called as pictures are done; True writes to stderr, False nothing.
    """

    name: str
    started: datetime
    its: SuiteTests
    source: CaseSource
    policy: Policy
    engine: Engine
    scratch: Path
    progress: Told | bool

    def results(self, model: UnderTest, companion: Companion | None, chosen: Sequence[BehaviorTest]) -> Results:
        """Judge a model, and its control if there is one, by some tests.

        Args:
            model: the model.
            companion: the control.
            chosen: the tests.
        """
        with ExitStack() as opened:
            session = opened.enter_context(model.session(self.source, self.policy, self.scratch, self.engine))
            if companion is None:
                return self._judged(session, model, chosen)
            beside = opened.enter_context(companion.session(self.source, self.policy, self.engine))
            results = self._judged(session.against(beside), model, chosen)
            return replace(results, control=companion.judged(beside, chosen, results.lines.run, told_by(self.progress)))

    def _judged(self, session: Session, model: UnderTest, chosen: Sequence[BehaviorTest]) -> Results:
        part = Part(self.scratch, "main")
        part.keep([self._header(session, model.requests, chosen)])
        session.ask((test for test in sound(chosen) if not test.skipped), told_by(self.progress))
        errors = _judge_all(session, chosen, part, model.explainer)
        part.keep(session.last_lines("main"))
        if model.explainer:
            part.keep(model.explainer.lines())
        lines = gather(self.scratch)
        keep_worst(lines)
        return ended(lines, errors)

    def _header(self, session: Session, requests: Sequence[Request], chosen: Sequence[BehaviorTest]) -> RunRecord:
        could = self.its.asked(requests)
        return session.header(
            chosen,
            run_id=self.name,
            started=self.started,
            complete=self.its.whole and len(chosen) == len(fitting(could, self.source)),
            unasked=[test for test in self.its.tests if test not in could],
        )


def _judge_all(
    session: Session, tests: Sequence[BehaviorTest], part: Part, explainer: CaseExplainer | None
) -> dict[str, str]:
    """Judge the tests one after the other, and keep what comes of them; return why some have no verdict."""
    errors = {}
    for test in tests:
        model = replace(session.model, record=partial(_keep, session, part, explainer, test.id))
        if test.amiss:
            errors[test.id] = test.amiss
        elif not test.skipped and not model.lacks(test.metric):
            try:
                model.judge(test.behavior, test.metric)
            except (UsageError, ForeignFault) as error:
                errors[test.id] = str(error)
    return errors


def _keep(session: Session, part: Part, explainer: CaseExplainer | None, test: str, judgement: Judgement) -> None:
    part.keep(chain(session.images(judgement, part.images, part.enlarged), judgement.records(test)))
    if explainer:
        explainer.add(test, judgement)
