"""The model and the control of a run, opened in one process: they are asked, and their verdicts are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from vlcheck.behaviors.suite import BehaviorTest
from vlcheck.plugin.judgements import keep_judgement
from vlcheck.plugin.mark import claim, stated
from vlcheck.plugin.reporters.page_link import junit_properties
from vlcheck.plugin.shard import ask_part, note_of, shard_engine

if TYPE_CHECKING:
    from vlcheck.evaluation.evidence import Judgement
    from vlcheck.plugin.case_item import CaseItem
    from vlcheck.plugin.control import Control
    from vlcheck.plugin.inputs import Inputs
    from vlcheck.plugin.process import RunProcess
    from vlcheck.plugin.reporters.progress import Reporter
    from vlcheck.plugin.selection import SelectedTests
    from vlcheck.plugin.settings import Settings
    from vlcheck.plugin.workbench import Workbench
    from vlcheck.results.parts import Part
    from vlcheck.scoring.shards import ShardEngine


@dataclass(frozen=True)
class OpenedRun:
    """The model, the control and the results of a run, once the model is loaded.

    Attributes:
        settings: values of the options.
        process: this process of the run.
        bench: the session of the model.
        part: this process's part of the results.
        control: the control; None without one.
        shard: the engine that asks one part of the questions; None if all of them are asked.
        held: the engine, the stores and other open files, to be closed when the run ends.
    """

    settings: Settings
    process: RunProcess
    bench: Workbench
    part: Part
    control: Control | None
    shard: ShardEngine | None
    held: ExitStack

    @classmethod
    def open(cls, settings: Settings, inputs: Inputs, process: RunProcess, tests: SelectedTests) -> OpenedRun:
        """Load the model and its control, the model first, and begin their results.

        Args:
            settings: values of the options.
            inputs: the inputs of the run.
            process: this process of the run.
            tests: the tests of the run.

        Raises:
            UsageError: it names the option that cannot be used.
        """
        from vlcheck.plugin.workbench import Workbench  # brings torch
        from vlcheck.results.parts import Part
        from vlcheck.scoring.engines.registry import open_engine

        with ExitStack() as opened:
            engine = open_engine(settings.engine, process.folder, settings.device, settings.processes)
            opened.callback(engine.close)
            shard = shard_engine(engine, settings) if settings.shard else None
            bench = Workbench.open(settings, inputs.policy, inputs.source, process.folder, shard or engine)
            opened.callback(bench.close)
            control = None
            if settings.control:
                from vlcheck.plugin.control import Control  # brings torch

                control = Control.open(
                    settings, inputs.policy, inputs.source, process.folder, process.name, bench.session.engine
                )
                opened.callback(control.close)
                bench = bench.against(control.bench)
            part = Part(process.folder, process.name)
            run = cls(settings, process, bench, part, control, shard, opened)
            if not shard:
                run._begin(tests)
            return replace(run, held=opened.pop_all())

    def _begin(self, tests: SelectedTests) -> None:
        """Write the first line of the results, and of those of the control."""
        run_id, started, complete = self.process.run_id, self.process.started, tests.complete
        header = self.bench.session.header(
            tests.chosen, run_id=run_id, started=started, complete=complete, unasked=tests.unasked
        )
        self.part.keep([header])
        if self.control:
            self.control.begin(tests.chosen, run_id=run_id, started=started, complete=complete)

    def same_control(self) -> Iterator[str]:
        """Yield a line if the control is the model itself."""
        if self.control and self.control.fingerprint == self.bench.session.model.adapter.fingerprint:
            yield f"--vl-control {self.settings.control}: is the model itself, so that it shows nothing more"

    def ask(self, tests: Sequence[BehaviorTest], single: Sequence[CaseItem], reporter: Reporter) -> None:
        """Ask the model, and its control, if there is one; with --vl-shard only a part of the questions.

        Args:
            tests: the tests of behaviors.
            single: the items of single cases.
            reporter: shows the progress.
        """
        session, model = self.bench.session, self.bench.session.model
        cases = [item.queries(model.trials) for item in single if not model.lacks(item.metric)]
        ask_tests = session.ask_at_once if self.shard else session.ask
        asks = [partial(session.score, chain(*cases), reporter.show), partial(ask_tests, tests, reporter.show)]
        if self.control:
            asks.append(partial(self._ask_control, self.control, tests, reporter))
        if self.shard:
            ask_part(self.shard, asks, note_of(self.process.folder, self.process.name))
        else:
            for ask in asks:
                ask()

    def _ask_control(self, control: Control, tests: Sequence[BehaviorTest], reporter: Reporter) -> None:
        reporter.say([f"scoring the control, {self.settings.control}"])
        control.ask(tests, reporter.show)

    def keep(self, item: pytest.Item, judgement: Judgement) -> None:
        """Keep a judgement in the results, and at its item for the reports of pytest.

        Args:
            item: the test.
            judgement: the judgement.
        """
        if not stated(item):
            # A test that states no behavior decides itself what a verdict means: no known bias or gate applies to it.
            judgement = replace(judgement, known=None, gates=False)
        bench, part = self.bench, self.part
        part.keep(chain(bench.session.images(judgement, part.images, part.enlarged), judgement.records(claim(item))))
        if bench.explainer:
            bench.explainer.add(claim(item), judgement)
            part.keep(bench.explainer.pending(claim(item)))
        keep_judgement(item, judgement.brief, partial(junit_properties, self.settings, claim(item)))

    def explain(self) -> None:
        """Explain the worst cases that this process has judged, and keep the explanations with its results."""
        if self.bench.explainer:
            for line in self.bench.explainer.lines():  # what is explained is not lost if the process ends
                self.part.keep([line])

    def identify(self) -> None:
        """Ask a model that others run whether it is still the one of the start, and keep what it answers."""
        self.part.keep(self.bench.session.last_lines(self.process.name))
        if self.control:
            self.control.identify()
