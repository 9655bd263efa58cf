"""A run's session, opened by pytest's options and scored by all of the run's processes together."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vlcheck._util.option_names import option_of
from vlcheck.behaviors.schedule import schedule_for
from vlcheck.behaviors.suite import BehaviorTest
from vlcheck.behaviors.trials import Trials
from vlcheck.cases import CaseSource
from vlcheck.errors import spelled
from vlcheck.evaluation.config import EvaluationConfig
from vlcheck.evaluation.preview import Foresight, foresee, preview
from vlcheck.evaluation.session import Session, open_session
from vlcheck.evaluation.wordings import wordings_of
from vlcheck.models.loading.two_types import VERIFIED, TwoTypesModel, in_one_type, load_in_types
from vlcheck.models.protocol import VisionLanguageModel
from vlcheck.plugin.settings import Settings
from vlcheck.policy.policy import Policy
from vlcheck.scoring.batch_size import ON_CPU, most_pictures
from vlcheck.scoring.engines.engine import Engine
from vlcheck.scoring.stores.store_file import warn_of_store

if TYPE_CHECKING:
    from vlcheck.explain.worst_cases import CaseExplainer


@dataclass(frozen=True)
class Workbench:
    """A run's session, which can score queries ahead of the tests.

    Attributes:
        session: model, data, policy and store.
        held: the open files and folders of the session, to be closed when the run ends.
        explainer: explains the worst cases; None if the run asks for no maps.
    """

    session: Session
    held: ExitStack
    explainer: CaseExplainer | None = None

    @classmethod
    def open(cls, settings: Settings, policy: Policy, source: CaseSource, folder: Path, engine: Engine) -> Workbench:
        """Load the model and open the session; the fastest checks come first.

        Args:
            settings: values of the options.
            policy: tolerances and limits.
            source: the cases.
            folder: shared by the run's processes.
            engine: runs the plans of the session.

        Raises:
            UsageError: it names the option that cannot be used.
        """
        loaded, held = _in_types(settings), ExitStack()
        settings = replace(settings, batch_size=settings.batch_size or most_pictures(settings.device, folder))
        own = replace(settings, dtype=loaded.dtype)
        adapter = _explained(loaded.exact, settings)
        if settings.processes > 1:
            _share(loaded, folder)
        explainer = _explainer(adapter, settings)
        config = _config(settings, explainer)
        trials = Trials.for_model(source, adapter)
        session = open_session(
            config,
            adapter,
            trials,
            policy,
            folder,
            engine=engine,
            load=partial(_model, own),
            verified=loaded if settings.dtype == VERIFIED else None,
            on_damage=_warn_of_store,
        )
        return cls(held.enter_context(session), held, explainer)

    def against(self, control: Workbench) -> Workbench:
        """Return the workbench of the model with a control among the rivals of its choices."""
        return replace(self, session=self.session.against(control.session))

    def close(self) -> None:
        """Close the store."""
        self.held.close()

    def foresee(self, tests: Sequence[BehaviorTest]) -> Foresight:
        """Return what some tests take and can decide."""
        model = self.session.model
        return foresee(tests, model.operating, model.policy, model.adapter.metrics)

    def in_one_type(self) -> Iterator[str]:
        """Yield a line if a verified run has one number type alone."""
        if self.session.verified:
            yield from (spelled(line, option_of) for line in self.session.verified.lines())

    def superseded(self) -> Iterator[str]:
        """Yield a line if the store's scores of the model were made with other versions than the installed ones."""
        if said := self.session.model.scorer.store.superseded():
            yield spelled(said, option_of)


def plan_lines(settings: Settings, policy: Policy, source: CaseSource, tests: Sequence[BehaviorTest]) -> Iterator[str]:
    """Return the lines of --vl-plan.

    Args:
        settings: values of the options.
        policy: tolerances and limits.
        source: the cases.
        tests: the selected tests.

    Raises:
        UsageError: it names the option that cannot be used.
    """
    model = _model(replace(settings, compile=False)) if settings.model else None
    others = wordings_of(model)[1:] if model and settings.wordings else ()
    return preview(tests, source, policy, model, schedule_for(source.seed, sequential=settings.sequential), others)


def _warn_of_store(said: UserWarning) -> None:
    warn_of_store(type(said)(spelled(str(said), option_of)))


def _config(settings: Settings, explainer: CaseExplainer | None) -> EvaluationConfig:
    return EvaluationConfig(
        model=settings.model,
        data=settings.data,
        device=settings.device,
        dtype=settings.dtype,
        trust_remote_code=settings.trust_remote_code,
        baseline=settings.baseline,
        sequential=settings.sequential,
        wordings=settings.wordings,
        batch_size=settings.batch_size or ON_CPU,
        store=settings.store,
        images=settings.images,
        explained=explainer.records if explainer else (),
        options=_kept_options(settings),
    )


def _kept_options(settings: Settings) -> dict[str, str]:
    """Return the options that the results keep as they were given, so that a verdict can be repeated."""
    explain = ",".join(request.said for request in settings.explain)
    said = {"columns": settings.columns, "lexicons": str(settings.lexicons or ""), "explain": explain}
    return {name: value for name, value in said.items() if value} | ({"compile": ""} if settings.compile else {})


def _in_types(settings: Settings) -> TwoTypesModel:
    loaded = load_in_types(
        settings.model,
        device=settings.device,
        dtype=settings.dtype,
        trust_remote_code=settings.trust_remote_code,
    )
    if settings.compile:
        from vlcheck.models.loading.compiled import compile_layers  # PyTorch takes a second, and some models need none

        for one in filter(None, (loaded.exact, loaded.fast)):
            compile_layers(one)
    return loaded


def _share(loaded: TwoTypesModel, folder: Path) -> None:
    if "torch" not in sys.modules:
        return  # no model has weights
    from vlcheck.models.loading.shared_weights import share_weights

    for one in filter(None, (loaded.exact, loaded.fast)):
        share_weights(one, folder)


def _model(settings: Settings) -> VisionLanguageModel:
    """Load the model in one type."""
    return _explained(_in_types(replace(settings, dtype=in_one_type(settings.dtype))).exact, settings)


def _explained(model: VisionLanguageModel, settings: Settings) -> VisionLanguageModel:
    if not settings.explain:
        return model
    from vlcheck.explain.explaining import explaining

    return explaining(model, settings.explain, batch_size=settings.batch_size or ON_CPU)


def _explainer(model: VisionLanguageModel, settings: Settings) -> CaseExplainer | None:
    if not settings.explain:
        return None
    from vlcheck.explain.explaining import case_explainer

    return case_explainer(model, settings.explain)
