"""A run's session, as pytest needs it: opened by its options, and asked together by all of the run's processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from vlcheck._util.option_names import option_of
from vlcheck.behaviors.schedule import schedule_for
from vlcheck.behaviors.suite import BehaviorTest
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import CaseSource
from vlcheck.errors import spelled
from vlcheck.evaluation.config import EvaluationConfig
from vlcheck.evaluation.preview import Foresight, foresee, preview
from vlcheck.evaluation.session import Session, open_session
from vlcheck.metrics.query import Query
from vlcheck.models.loading.load import load_model
from vlcheck.models.protocol import VisionLanguageModel, only_compares
from vlcheck.plugin.options import Settings
from vlcheck.policy.policy import Policy
from vlcheck.scoring.engines.local import work_together
from vlcheck.scoring.plan import make_plan
from vlcheck.scoring.progress import Progress


@dataclass(frozen=True)
class Workbench:
    """A run's session, and how to score ahead in it."""

    session: Session
    held: ExitStack

    @classmethod
    def open(cls, settings: Settings, policy: Policy, source: CaseSource, folder: Path) -> Workbench:
        """Load what the cases are to be asked of, the quickest to be wrong first.

        Args:
            settings: what the options say.
            policy: what the model is held to.
            source: the cases.
            folder: what the run's processes share.

        Raises:
            UsageError: naming the option that cannot be satisfied.
        """
        config, adapter, held = _config(settings), _model(settings), ExitStack()
        trials = Trials(source, relative=only_compares(adapter))
        return cls(held.enter_context(open_session(config, adapter, trials, policy, folder)), held)

    def close(self) -> None:
        """Close the store."""
        self.held.close()

    def foresee(self, tests: Sequence[BehaviorTest]) -> Foresight:
        """What some tests take and can tell."""
        model = self.session.model
        return foresee(tests, model.operating, model.policy, model.adapter.metrics)

    def superseded(self) -> Iterator[str]:
        """A line where the kept scores of the model are of other versions than those that are installed."""
        if said := self.session.model.scorer.store.superseded():
            yield spelled(said, option_of)

    def score(self, queries: Iterable[Query], leases: Path, progress: Callable[[Progress], None]) -> None:
        """Answer all queries, together with every process that calls this with the same ones and leases."""
        plan = make_plan(queries, batch_size=self.session.config.batch_size)
        work_together(plan, self.session.model.scorer, leases, progress=progress)


def plan_lines(settings: Settings, policy: Policy, source: CaseSource, tests: Sequence[BehaviorTest]) -> Iterator[str]:
    """The lines of --vl-plan. Raises UsageError naming the option that cannot be satisfied."""
    model = _model(settings) if settings.model else None
    return preview(tests, source, policy, model, schedule_for(source.seed, sequential=settings.sequential))


def _config(settings: Settings) -> EvaluationConfig:
    return EvaluationConfig(
        model=settings.model,
        data=settings.data,
        device=settings.device,
        dtype=settings.dtype,
        trust_remote_code=settings.trust_remote_code,
        baseline=settings.baseline,
        sequential=settings.sequential,
        batch_size=settings.batch_size,
        store=settings.store,
        images=settings.images,
    )


def _model(settings: Settings) -> VisionLanguageModel:
    return load_model(
        settings.model,
        device=settings.device,
        dtype=settings.dtype,
        trust_remote_code=settings.trust_remote_code,
    )
