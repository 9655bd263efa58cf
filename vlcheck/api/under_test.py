"""The model of a run from Python: it is loaded, and can be explained."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Self

from vlcheck.behaviors.trials import Trials
from vlcheck.cases import CaseSource
from vlcheck.evaluation.config import EvaluationConfig
from vlcheck.evaluation.session import Session, open_session
from vlcheck.explain.explaining import case_explainer, explaining
from vlcheck.explain.request import Request
from vlcheck.explain.worst_cases import CaseExplainer
from vlcheck.models.loading.load import as_model, load_model
from vlcheck.models.loading.two_types import VERIFIED, TwoTypesModel, load_in_types
from vlcheck.models.protocol import VisionLanguageModel
from vlcheck.policy.policy import Policy
from vlcheck.scoring.engines.engine import Engine


def load_configured(config: EvaluationConfig) -> VisionLanguageModel:
    """Load a model by the settings of a run."""
    trusted = config.trust_remote_code
    return load_model(config.model, device=config.device, dtype=config.dtype, trust_remote_code=trusted)


def load_under_test(model: str | VisionLanguageModel, config: EvaluationConfig) -> TwoTypesModel:
    """Return the model of a run in its number type, or in the two of a verified run.

    Args:
        model: its spec, or the model.
        config: the settings of the run.
    """
    if not isinstance(model, str):
        return TwoTypesModel(as_model(model))
    trusted = config.trust_remote_code
    return load_in_types(model, device=config.device, dtype=config.dtype, trust_remote_code=trusted)


def _loaded_again(config: EvaluationConfig, requests: Sequence[Request]) -> VisionLanguageModel:
    """Load the model under test in another process, where an engine asks it."""
    return explaining(load_configured(config), requests, batch_size=config.batch_size)


@dataclass(frozen=True)
class UnderTest:
    """A model under test that is loaded, and can be explained.

    Attributes:
        adapter: the model.
        config: the settings of the run.
        requests: the methods of explanation.
        explainer: explains the worst cases; None if the run asks for no maps.
        loaded: the model in its number types.
        by_spec: whether a spec names the model.
    """

    adapter: VisionLanguageModel
    config: EvaluationConfig
    requests: Sequence[Request]
    explainer: CaseExplainer | None
    loaded: TwoTypesModel
    by_spec: bool

    @classmethod
    def of(cls, loaded: TwoTypesModel, config: EvaluationConfig, requests: Sequence[Request], *, by_spec: bool) -> Self:
        """Prepare a model to be explained.

        Args:
            loaded: the model in its number types.
            config: the settings of the run.
            requests: the methods of explanation.
            by_spec: whether a spec names the model.
        """
        adapter = explaining(loaded.exact, requests, batch_size=config.batch_size)
        explainer = case_explainer(adapter, requests)
        config = replace(config, explained=explainer.records if explainer else ())
        return cls(adapter, config, requests, explainer, loaded, by_spec)

    def session(
        self, source: CaseSource, policy: Policy, scratch: Path, engine: Engine
    ) -> AbstractContextManager[Session]:
        """Open the session of a run.

        Args:
            source: the cases of the run.
            policy: its policy.
            scratch: its temporary folder.
            engine: asks the model.
        """
        own = replace(self.config, dtype=self.loaded.dtype)
        return open_session(
            self.config,
            self.adapter,
            Trials.for_model(source, self.adapter),
            policy,
            scratch,
            engine=engine,
            load=partial(_loaded_again, own, self.requests) if self.by_spec else None,
            verified=self.loaded if self.config.dtype == VERIFIED else None,
        )
