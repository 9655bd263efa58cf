"""The control of a run from Python: another model that is judged by the same tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from vlcheck._util.temporary import Scratch
from vlcheck.api.arguments import Loading, Told, demand_model, objects_among
from vlcheck.api.results import Results, ended
from vlcheck.api.under_test import load_configured
from vlcheck.behaviors.suite import BehaviorTest, sound
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import CaseSource
from vlcheck.errors import UsageError
from vlcheck.evaluation.config import EvaluationConfig
from vlcheck.evaluation.session import Session, open_session
from vlcheck.explain.control import judge_control, tell_words
from vlcheck.models.loading.load import as_model
from vlcheck.models.protocol import VisionLanguageModel
from vlcheck.policy.policy import Policy
from vlcheck.results.parts import Part, gather
from vlcheck.results.records import RunRecord
from vlcheck.scoring.engines.engine import Engine


@dataclass(frozen=True)
class Companion:
    """A control that is loaded.

    Attributes:
        adapter: the control.
        config: the settings of the run, with the control as the model.
        load: loads it in another process; None if it is an object.
    """

    adapter: VisionLanguageModel
    config: EvaluationConfig
    load: Callable[[], VisionLanguageModel] | None = None

    @contextmanager
    def session(self, source: CaseSource, policy: Policy, engine: Engine) -> Iterator[Session]:
        """Yield its session on the cases of a run, which the engine of that run asks.

        Args:
            source: the cases.
            policy: the policy of the run.
            engine: its engine.
        """
        trials = Trials.for_model(source, self.adapter)
        with Scratch() as scratch:
            ours = open_session(self.config, self.adapter, trials, policy, scratch, engine=engine, load=self.load)
            with ours as session:
                yield session

    def judged(self, session: Session, tests: Sequence[BehaviorTest], run: RunRecord, told: Told | None) -> Results:
        """Return its results on the tests of a run.

        Args:
            session: its session.
            tests: the tests.
            run: the first line of the results of the model under test.
            told: listener of the progress; None for nobody.
        """
        asked = [test for test in sound(tests) if not test.skipped]
        started = datetime.fromisoformat(run.started)
        with Scratch() as scratch:
            part = Part(scratch, "main")
            complete = bool(run.complete)
            part.keep([session.header(tests, run_id=str(run.run_id), started=started, complete=complete)])
            tell_words(self.adapter, part.keep)
            with suppress(UsageError):  # said of each test when the control is judged by it
                session.ask(asked, told)
            for test in asked:
                judge_control(session, test, part.keep)
            part.keep(session.last_lines("main"))
            lines = gather(scratch)
        return ended(lines, {fault.test: fault.reason for fault in lines.faults.values()})


def load_control(
    control: str | VisionLanguageModel | None, config: EvaluationConfig, loading: Loading
) -> Companion | None:
    """Load the control, if there is one.

    Args:
        control: its spec, or the model; None for none.
        config: the settings of the run.
        loading: the parameters that say how it is loaded.

    Raises:
        UsageError: it cannot be loaded; the message names `control`.
    """
    if control is None:
        return None
    demand_model("control", control)
    others = (name for name in config.objects if name != "model")
    objects = (*objects_among(model=control), *others)
    config = replace(config, wordings=False, objects=objects, **loading.of(control))
    try:
        if isinstance(control, str):
            own = replace(config, model=control)
            return Companion(load_configured(own), own, partial(load_configured, own))
        own = replace(config, model=str(getattr(control, "name", "")))
        return Companion(as_model(control), own)
    except UsageError as error:
        raise error.renamed("model", "control") from error
