"""A control, such as a model that sees no picture: it is judged by the tests of the run, and shown beside its model."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Self

from vlcheck._util.option_names import option_of
from vlcheck.behaviors.suite import BehaviorTest
from vlcheck.cases import CaseSource
from vlcheck.errors import ForeignFault, UsageError
from vlcheck.evaluation.evidence import Judgement
from vlcheck.plugin.options import Settings
from vlcheck.plugin.workbench import Workbench
from vlcheck.policy.policy import Policy
from vlcheck.results.file import Part, ResultLines, gather

_FOLDER = "control"  # in the folder of the run


@dataclass(frozen=True)
class Control:
    """The control of a run, in one process.

    Attributes:
        bench: its session.
        part: this process's part of its results.
    """

    bench: Workbench
    part: Part

    @classmethod
    def open(cls, settings: Settings, policy: Policy, source: CaseSource, folder: Path, process: str) -> Self:
        """Load the control.

        Args:
            settings: values of the options; `control` has the spec.
            policy: tolerances and limits.
            source: the cases.
            folder: shared by the run's processes.
            process: the name of this process.

        Raises:
            UsageError: it cannot be loaded; the message names --vl-control.
        """
        own = folder / _FOLDER
        own.mkdir(exist_ok=True)
        try:
            bench = Workbench.open(
                replace(settings, model=settings.control, baseline=None, explain=()), policy, source, own
            )
        except UsageError as error:
            raise UsageError(error.with_options(_option)) from error
        return cls(bench, Part(own, process))

    def begin(self, tests: Sequence[BehaviorTest], *, run_id: str, started: datetime) -> None:
        """Write the first line of its results.

        Args:
            tests: the selected tests.
            run_id: the id of the run.
            started: the start of the run.
        """
        self.part.keep([self.bench.session.header(tests, run_id=run_id, started=started, complete=False)])

    def judge(self, test: BehaviorTest) -> None:
        """Judge the control by a test, unless it does not offer the metric; a fault of its own fails no test."""
        model = replace(self.bench.session.model, record=partial(self._keep, test.id))
        if not model.lacks(test.metric):
            with suppress(UsageError, ForeignFault):
                model.judge(test.behavior, test.metric)

    def close(self) -> None:
        """Close its store."""
        self.bench.close()

    def _keep(self, test: str, judgement: Judgement) -> None:
        self.part.keep([*judgement.records(test)])


def _option(parameter: str) -> str:
    """Return the option of a parameter; that of the model is --vl-control."""
    return option_of("control" if parameter == "model" else parameter)


def control_results(folder: Path) -> ResultLines | None:
    """Return the results of the control from all processes of a run; None if it was asked nothing.

    Args:
        folder: shared by the run's processes.
    """
    found = gather(folder / _FOLDER)
    return found if found.begun else None
