"""A run of pytest in one process: the model is opened, scored ahead, and its verdicts are kept."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vlcheck.behaviors.suite import BehaviorTest, sound
from vlcheck.errors import UsageError
from vlcheck.plugin import options
from vlcheck.plugin.case_item import beside_cases
from vlcheck.plugin.ending import Ending
from vlcheck.plugin.inputs import Inputs
from vlcheck.plugin.mark import all_stated, hold_apart
from vlcheck.plugin.process import RunProcess
from vlcheck.plugin.reporters.progress import Reporter
from vlcheck.plugin.selection import SelectedTests
from vlcheck.plugin.settings import read_settings
from vlcheck.plugin.shard import demand_shard

if TYPE_CHECKING:
    from vlcheck.cases.picture import Picture
    from vlcheck.evaluation.evaluator import ModelUnderTest
    from vlcheck.evaluation.preview import Foresight
    from vlcheck.plugin.opened import OpenedRun

_INFORMS = ("help", "version", "markers", "cacheshow")  # options with which pytest begins no session of tests
_LISTS = {  # options with which pytest runs no test, by their names in its config
    "collectonly": "--collect-only",
    "showfixtures": "--fixtures",
    "show_fixtures_per_test": "--fixtures-per-test",
}
FILES = ("results", "report", "baseline")  # options that name a file to write, or to compare with
_ASKS = ("model", *FILES)  # options that ask for a verdict


class Run:
    """The state of the plugin between its hooks; nothing is opened before a test needs it.

    Attributes:
        settings: values of the options.
        process: this process among those of the run.
        tests: the tests of the run.
        inputs: its cases, lexicons, policy and results of other runs.
        began: True once pytest has begun a session of tests.
        ending: the end of the run.
        problem: an error for the user that could not be raised where it occurred; "" if there is none.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.ending = Ending(self)
        self.problem = ""
        self.began = False
        self._words: Path | None = None  # the lexicons with which `collect` read the cases
        self._opened: OpenedRun | None = None
        try:
            self.settings = read_settings(config)
            if self.settings.model:
                self.settings.demand_reports()
            if self.settings.shard:
                demand_shard(config, self.settings)
        except UsageError as error:
            raise pytest.UsageError(options.message_of(error)) from error
        self.process = RunProcess(config, self.settings.run_id)
        self.tests = SelectedTests(config, self.process)
        self.inputs = Inputs(config, self.settings, self.process, self.tests)

    @property
    def lists(self) -> str:
        """The option with which pytest only lists tests, e.g. "--collect-only"; "" if tests are run."""
        said = (option for name, option in _LISTS.items() if getattr(self.config.option, name, False))
        return "--vl-plan" if self.settings.plan else next(said, "")

    @property
    def runs_no_test(self) -> bool:
        """True if the run asks a part of the questions and judges nothing; a worker's tests report its problem."""
        return bool(self.settings.shard) and not self.problem

    @property
    def concerned(self) -> bool:
        """True if tests were to run, and a behavior was selected in any process or the command line asks for a verdict.

        If the run ended before the selection, collected behaviors count as selected.
        """
        asked = any(options.on_the_command_line(self.config, name) for name in _ASKS)
        return self.began and (asked or self.tests.undecided or self.process.has_chosen)

    def select(self, session: pytest.Session) -> None:
        """Store which tests are to run."""
        if self.tests.select(session):
            self.process.note_choice()

    def prepare(self, session: pytest.Session) -> None:
        """Score all queries of the selected tests before the first of them runs."""
        if self.problem and not self.process.is_worker:
            raise pytest.UsageError(self.problem)
        chosen = [test for test in sound(self.tests.chosen) if not test.skipped]
        nothing = not (self.tests.chosen or self.tests.single)
        if nothing or self.lists or getattr(session.config.option, "setupplan", False):
            return
        reporter = Reporter(self.config, self.process.folder)
        try:
            opened = self._open()
            bench = opened.bench
            foresight = bench.foresee(self.tests.chosen)
            reporter.say([*bench.in_one_type(), *bench.superseded(), *opened.same_control(), *foresight.faults])
            reporter.announce([*self._hopeless(foresight), *foresight.shut()])
            if self.settings.shard or not session.config.getvalue("maxfail"):
                opened.ask(chosen, self.tests.single, reporter)
                reporter.end()
        except UsageError as error:
            self._complain(error)

    def _hopeless(self, foresight: Foresight) -> list[str]:
        """Return the tests that cannot pass, by cause; with -v a line for each of them."""
        return foresight.hopeless() if self.config.get_verbosity() > 0 else foresight.hopeless_by_cause()

    def collect(self) -> None:
        """Read the cases before the tests are collected, if --vl-cases asks for an item of each case."""
        if self.settings.cases:
            try:
                self._words = self.inputs.lexicons
                _ = self.inputs.source
            except UsageError as error:
                self._complain(error)

    def with_cases(self, made: object) -> object:
        """Add an item for each case, if --vl-cases asks for it.

        Args:
            made: whatever pytest made of a function; returned unchanged if it is no list of items.
        """
        made = self.tests.find(made, self.settings.explain)
        if not self.settings.cases or self.problem or not isinstance(made, list):
            return made
        try:
            return list(beside_cases(made, self.inputs.source, self.model_for))
        except UsageError as error:
            self.problem = options.message_of(error)
            return made

    def plan(self, session: pytest.Session) -> None:
        """Print how long the selected tests would take, and what they can decide; score nothing."""
        from vlcheck.plugin.workbench import plan_lines  # not imported in runs of other projects

        try:
            self._demand_own_words()
            self.settings.demand_comparable()
            _ = self.inputs.baseline
            hold_apart(self.tests.collected)
            chosen = all_stated(session.items)
            reporter = Reporter(self.config, self.process.folder)
            reporter.say(plan_lines(self.settings, self.inputs.policy, self.inputs.source, chosen))
            reporter.say(self._planned_control(chosen))
            reporter.say(f"{test.name} cannot be judged. {test.amiss}" for test in chosen if test.amiss)
        except UsageError as error:
            raise pytest.UsageError(options.message_of(error)) from error

    def _planned_control(self, chosen: Sequence[BehaviorTest]) -> Iterator[str]:
        """Yield what the control is asked, if there is one."""
        if self.settings.control:
            from vlcheck.plugin.control import control_plan  # brings torch

            yield from control_plan(self.settings, self.inputs.policy, self.inputs.source, chosen)

    def model_for(self, item: pytest.Item) -> ModelUnderTest:
        """Return the model under test; its judgements are kept under the item's name. Raises UsageError."""
        if self.problem:
            raise UsageError(self.problem)
        opened = self._open()
        return replace(opened.bench.session.model, record=lambda judgement: opened.keep(item, judgement))

    def close(self) -> None:
        """Close the model and the store, and delete temporary files."""
        if self._opened:
            self._opened.held.close()
        self.process.close(keep=self.ending.kept)

    def _demand_own_words(self) -> None:
        """Raise UsageError if --vl-cases has read the cases with the lexicons of another suite than the tests'."""
        if self.settings.cases and self._words != self.inputs.lexicons:
            raise UsageError(
                f"--vl-cases: the cases were read with the lexicons of {self._words or 'vlcheck'} before the tests were"
                f" found, but the suite of the tests has {self.inputs.lexicons or 'no lexicons of its own'}. Name the"
                " folder of the tests, or --vl-lexicons."
            )

    def _complain(self, error: UsageError) -> None:
        if not self.process.is_worker:
            raise pytest.UsageError(options.message_of(error)) from error
        # A worker has no terminal and no exit status of its own: its tests report the problem.
        self.problem = options.message_of(error)

    def _open(self) -> OpenedRun:
        if self._opened is None:
            from vlcheck.plugin.opened import OpenedRun

            self.settings.demand()
            self._demand_own_words()
            if not self.settings.shard:
                self._begin()
            self._opened = OpenedRun.open(self.settings, self.inputs, self.process, self.tests)
        return self._opened

    def _begin(self) -> None:
        """Create the unfinished results file before code of the model runs, which may end the process.

        A problem with what is shown or compared with is reported first, before anything is scored.
        """
        if not self.settings.control:
            _ = self.inputs.beside
        if not self.process.is_worker:
            _ = self.inputs.baseline
        run_id, started = self.process.run_id, self.process.started.isoformat()
        tests = {test.id: (test.behavior.bias, test.metric) for test in self.tests.chosen}
        self.ending.places.begin(
            run_id=run_id, started=started, model=self.settings.model, data=self.settings.data, tests=tests
        )

    def judge_control(self, test: BehaviorTest) -> None:
        """Judge the control by a test, if the run has one."""
        if self._opened and self._opened.control:
            self._opened.control.judge(test)

    def explain(self) -> None:
        """Explain the worst cases that this process has judged, and keep the explanations with its results."""
        if self._opened:
            self._opened.explain()

    def identify(self) -> None:
        """Ask a model that others run whether it is still the one of the start, and keep what it answers."""
        if self._opened:
            self._opened.identify()

    def thumbnail(self, picture: Picture) -> bytes:
        """Return a picture as a small JPEG; empty if pictures are left out."""
        return self._opened.bench.session.thumbnail(picture) if self._opened else b""


def last_word(config: pytest.Config, status: int) -> int:
    """Return the exit status of the process.

    Args:
        config: pytest's configuration of the run.
        status: the status with which pytest ends.
    """
    run = config.stash.get(RUN, None)
    if run and (run.began or run.lists):
        return run.ending.last_word(status)
    informs = any(getattr(config.option, name, False) for name in _INFORMS)
    asked = [f"--vl-{name}" for name in (FILES if informs else _ASKS) if options.on_the_command_line(config, name)]
    if asked and status == pytest.ExitCode.OK:  # another plugin ended pytest before a session of tests began
        sys.stderr.write(f"vlcheck: {', '.join(asked)}: no test was run, and nothing judged.\n")
        return pytest.ExitCode.USAGE_ERROR
    return status


RUN = pytest.StashKey[Run]()
