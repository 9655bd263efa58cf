"""A run of pytest in one process: the model is opened, scored ahead, and its verdicts are kept."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vlcheck._util.numbers import counted
from vlcheck.behaviors.suite import BehaviorTest, sound, subjects, unfit
from vlcheck.errors import UsageError
from vlcheck.plugin import options
from vlcheck.plugin.case_item import CaseItem, beside_cases
from vlcheck.plugin.ending import Ending
from vlcheck.plugin.mark import all_stated, claim, hold_apart, stated
from vlcheck.plugin.reporters.page_link import junit_properties
from vlcheck.plugin.reporters.progress import Reporter
from vlcheck.plugin.scope import is_whole
from vlcheck.plugin.shard import ask_part, demand_shard, note_of, shard_engine
from vlcheck.plugin.suites import fixtures_folder, judging_fixtures
from vlcheck.results import run_id
from vlcheck.suite.shipped import lexicons_in, policy_in, policy_path

if TYPE_CHECKING:
    from vlcheck._util.temporary import Scratch
    from vlcheck.cases import CaseSource
    from vlcheck.cases.picture import Picture
    from vlcheck.evaluation.evaluator import ModelUnderTest
    from vlcheck.evaluation.evidence import Judgement
    from vlcheck.evaluation.preview import Foresight
    from vlcheck.evaluation.session import Session
    from vlcheck.plugin.control import Control
    from vlcheck.plugin.workbench import Workbench
    from vlcheck.policy.policy import Policy
    from vlcheck.results.file import Part, ResultLines
    from vlcheck.scoring.engines.engine import Engine
    from vlcheck.scoring.shards import ShardEngine

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
        started: start of the run, the same in all processes; known biases expire by its date.
        collected: the tests before any of them is deselected.
        complete: True if the whole suite was collected, and no test deselected.
        began: True once pytest has begun a session of tests.
        ending: the end of the run.
        problem: an error for the user that could not be raised where it occurred; "" if there is none.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.collected: Sequence[pytest.Item] = ()
        self.complete = False
        self.ending = Ending(self)
        self.problem = ""
        self.began = False
        self._found = False
        self._selected = False
        self._chosen: list[BehaviorTest] = []
        self._unasked: list[BehaviorTest] = []  # they need an explanation for which the run does not ask
        self._unfit: list[tuple[BehaviorTest, str]] = []  # the data has none of their kind of cases, with the reason
        self._single: list[CaseItem] = []
        self._words: Path | None = None  # the lexicons with which `collect` read the cases
        self._scratch: Scratch | None = None
        self._opened: tuple[Workbench, Part] | None = None
        self._engine: Engine | None = None
        self._shard: ShardEngine | None = None
        self._control: Control | None = None
        self._input: dict[str, Any] | None = getattr(config, "workerinput", None)
        said = (self._input or {}).get("vlcheck_started")
        self.started = datetime.fromisoformat(said) if said else datetime.now(UTC)
        try:
            self.settings = options.read_settings(config)
            if self.settings.model:
                self.settings.demand_reports()
            if self.settings.shard:
                demand_shard(config, self.settings)
        except UsageError as error:
            raise pytest.UsageError(options.message_of(error)) from error
        self.run_id = (self._input or {}).get("vlcheck_run_id") or self.settings.run_id or run_id.drawn()

    @property
    def is_worker(self) -> bool:
        """True in a worker of pytest-xdist."""
        return self._input is not None

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
        found = self._found and not self._selected
        return self.began and (asked or found or (self._scratch is not None and self._note.exists()))

    @property
    def _note(self) -> Path:
        """The file that tells the other processes, even after this one died, that behaviors were selected."""
        return self.folder / "selected"

    @property
    def folder(self) -> Path:
        """The folder in which the run's processes share scores, and store their parts of the results."""
        if shared := (self._input or {}).get("vlcheck_folder"):
            return Path(shared)
        if self._scratch is None:
            from vlcheck._util.temporary import Scratch  # not imported in runs of other projects

            try:
                self._scratch = Scratch()
            except UsageError as error:
                raise pytest.UsageError(options.message_of(error)) from error
        return self._scratch.path

    @property
    def policy_path(self) -> Path:
        """The policy's file: as an option names it, else that of the tests' suite, else the shipped one.

        Raises:
            UsageError: the tests belong to several suites.
        """
        if self.settings.policy:
            return self.settings.policy
        fixtures = judging_fixtures(self.config)
        return (policy_in(fixtures) if fixtures else None) or policy_path()

    @property
    def lexicons(self) -> Path | None:
        """The folder of lexicons, found in the same way; None for the shipped ones alone.

        Raises:
            UsageError: the tests belong to several suites.
        """
        if self.settings.lexicons:
            return self.settings.lexicons
        fixtures = judging_fixtures(self.config)
        return lexicons_in(fixtures) if fixtures else None

    @property
    def source(self) -> CaseSource:
        """The cases, read at first access. May raise UsageError."""
        if isinstance(self._read, UsageError):
            raise self._read
        return self._read

    @cached_property
    def _read(self) -> CaseSource | UsageError:
        """The cases, or why they cannot be read: a hub that cannot be reached is not asked twice."""
        from vlcheck.datasets.registry import open_source  # not imported in runs of other projects

        try:
            self.settings.demand_data()
            columns = self.settings.columns
            return open_source(self.settings.data, lexicons=self.lexicons, columns=columns, run=self.folder)
        except UsageError as error:
            return error

    def read_ahead(self) -> None:
        """Read large data before workers start, which then open what was read; they report what is wrong with it."""
        if self.settings.model and self.settings.data and not self.lists:
            from vlcheck.datasets.registry import reads_once  # not imported in runs of other projects

            with suppress(UsageError):
                _ = self.source if reads_once(self.settings.data) else None

    @cached_property
    def policy(self) -> Policy:
        """The policy on the day of the run. May raise UsageError, e.g. if it does not fit the tests."""
        return self.policy_from(self.settings.policy).as_of(self.started.date())

    def policy_from(self, said: Path | None) -> Policy:
        """Read a policy, and check that it fits the tests.

        Args:
            said: the policy's file; None for `policy_path`.

        Raises:
            UsageError: it cannot be read, or does not fit the tests.
        """
        from vlcheck.policy.toml_file import load_policy  # not imported in runs of other projects

        policy = load_policy(said or self.policy_path)
        tests = subjects([*all_stated(self.collected), *self._unasked, *(test for test, _ in self._unfit)])
        policy.check(tests)
        if is_whole(self.config):
            fixtures = fixtures_folder(self.config)
            if said or self.settings.policy or (fixtures and policy_in(fixtures)):
                policy.demand_tests(tests)
            elif fixtures:  # the policy of the tests' own suite: each bias that it requires has to have a test
                policy.demand_required(tests)
        return policy

    @cached_property
    def beside(self) -> ResultLines | None:
        """The results to show beside: those of an earlier run, or of the control. May raise UsageError."""
        from vlcheck.results.file import read_beside  # not imported in runs of other projects

        if self.settings.control:
            from vlcheck.plugin.control import control_results  # brings torch

            return control_results(self.folder)
        return read_beside(self.settings.beside, self.settings.data) if self.settings.beside else None

    @cached_property
    def baseline(self) -> ResultLines | None:
        """The results of the previous release, which this run has to match. May raise UsageError."""
        from vlcheck.results.comparison import read_baseline  # not imported in runs of other projects

        if not self.settings.baseline:
            return None
        places = self.ending.places
        of_control = places.of_control if self.settings.control else ()
        return read_baseline(self.settings.baseline, *places, *of_control)

    def demand_baseline(self) -> None:
        """Read the baseline; if it cannot be used, end the run at once."""
        try:
            _ = self.baseline
        except UsageError as error:
            raise pytest.UsageError(options.message_of(error)) from error

    def demand_settings(self) -> None:
        """Raise pytest.UsageError if options of the command line do not fit together, or the store cannot be used.

        Each worker would find that out by itself, and could only let its tests say so.
        """
        from vlcheck.scoring.stores.store_file import FullStore, StoreFile  # not imported in runs of other projects

        try:
            self.settings.demand()
            if self.settings.store:
                with suppress(FullStore), closing(StoreFile(self.settings.store)):
                    pass
        except UsageError as error:
            raise pytest.UsageError(options.message_of(error)) from error

    def demand_engine(self, processes: int) -> None:
        """Raise pytest.UsageError if the engine cannot be made, or does not share a plan among processes.

        Args:
            processes: number of processes that will run the tests.
        """
        from vlcheck.scoring.engines.registry import demand_shared, open_engine  # not imported in every run

        said = self.settings.engine
        try:
            with closing(open_engine(said, self.folder, self.settings.device)) as engine:
                demand_shared(engine, said, processes)
        except UsageError as error:
            raise pytest.UsageError(options.message_of(error)) from error

    def select(self, session: pytest.Session) -> None:
        """Store which tests are to run."""
        self._selected = True
        hold_apart(self.collected)
        self._chosen = all_stated(session.items)
        self._single = [item for item in session.items if isinstance(item, CaseItem)]
        self.complete = is_whole(self.config) and len(session.items) == len(self.collected)
        if self._chosen or self._single or self._emptied(session):
            self._note.touch()

    def prepare(self, session: pytest.Session) -> None:
        """Score all queries of the selected tests before the first of them runs."""
        if self.problem and not self.is_worker:
            raise pytest.UsageError(self.problem)
        chosen = list(sound(test for test in self._chosen if not test.skipped))
        if not (self._chosen or self._single) or self.lists or getattr(session.config.option, "setupplan", False):
            return
        reporter = Reporter(self.config, self.folder)
        try:
            bench, _ = self._open()
            foresight = bench.foresee(self._chosen)
            reporter.say(
                [
                    *bench.in_one_type(),
                    *bench.superseded(),
                    *self._same_control(bench),
                    *foresight.faults,
                ]
            )
            reporter.announce([*self._hopeless(foresight), *foresight.shut()])
            if self.settings.shard or not session.config.getvalue("maxfail"):
                self._ask(bench.session, chosen, reporter)
        except UsageError as error:
            self._complain(error)

    def _hopeless(self, foresight: Foresight) -> list[str]:
        """Return the tests that cannot pass, by cause; with -v a line for each of them."""
        return foresight.hopeless() if self.config.get_verbosity() > 0 else foresight.hopeless_by_cause()

    def _ask(self, session: Session, tests: Sequence[BehaviorTest], reporter: Reporter) -> None:
        """Ask the model, and its control, if there is one; with --vl-shard only a part of the questions."""
        model = session.model
        cases = [item.queries(model.trials) for item in self._single if not model.lacks(item.metric)]
        ask_tests = session.ask_at_once if self._shard else session.ask
        asks = [partial(session.score, chain(*cases), reporter.show), partial(ask_tests, tests, reporter.show)]
        if self._control:
            asks.append(partial(self._ask_control, tests, reporter))
        if self._shard:
            ask_part(self._shard, asks, note_of(self.folder, self._process))
        else:
            for ask in asks:
                ask()

    def _ask_control(self, tests: Sequence[BehaviorTest], reporter: Reporter) -> None:
        if self._control:
            reporter.say([f"scoring the control, {self.settings.control}"])
            self._control.ask(tests, reporter.show)

    def _emptied(self, session: pytest.Session) -> bool:
        """Return True if behaviors were collected, and nothing of all that was collected is left."""
        return not session.items and any(map(stated, self.collected))

    def collect(self) -> None:
        """Read the cases before the tests are collected, if --vl-cases asks for an item of each case."""
        if self.settings.cases:
            try:
                self._words = self.lexicons
                _ = self.source
            except UsageError as error:
                self._complain(error)

    def with_cases(self, made: object) -> object:
        """Add an item for each case, if --vl-cases asks for it.

        Args:
            made: whatever pytest made of a function; returned unchanged if it is no list of items.
        """
        made = self._without_unasked(made)
        self._found = self._found or any(map(stated, made if isinstance(made, list) else ()))
        if not self.settings.cases or self.problem or not isinstance(made, list):
            return made
        try:
            return list(beside_cases(made, self.source, self.model_for))
        except UsageError as error:
            self.problem = options.message_of(error)
            return made

    def _without_unasked(self, made: object) -> object:
        """Leave out the tests that need an explanation for which the run does not ask."""
        if not isinstance(made, list):
            return made
        methods = [request.tests for request in self.settings.explain]
        tests = [(item, stated(item)) for item in made]
        self._unasked += [test for _, test in tests if test and not test.asked_with(methods)]
        return [item for item, test in tests if not test or test.asked_with(methods)]

    def leave_unfit(self, items: list[pytest.Item]) -> None:
        """Leave out the tests that the data has none of the cases for: those of foils, or all others.

        Args:
            items: all collected items; those of other tests are taken out.

        Raises:
            pytest.UsageError: such a test was named by its id, or all tests of behaviors are such tests.
        """
        tests = {item: test for item in items if (test := stated(item))}
        source = self._source_with_foils() if tests else None
        reasons = {item: self._unfit_for(source, test) for item, test in tests.items()}
        self._unfit = [(test, reasons[item]) for item, test in tests.items() if reasons[item]]
        left_out = [item for item in items if reasons.get(item)]
        items[:] = [item for item in items if not reasons.get(item)]
        if not self.is_worker:
            _demand_fit(self._unfit, self.config.args, any_left=bool(items))
        if left_out:
            self.config.hook.pytest_deselected(items=left_out)

    def said_of_unfit(self) -> list[str]:
        """Return a line for each reason why tests are left out, with their number."""
        counts = Counter(reason for _, reason in self._unfit)
        return [f"vlcheck: {counted(n, 'test')} left out: {reason}" for reason, n in counts.items()]

    def _unfit_for(self, source: CaseSource | None, test: BehaviorTest) -> str:
        """Return why a test is not asked about the data; None stands for data without foils, or none at all."""
        if source:
            return unfit(test, source)
        without = self.settings.data and not self._may_have_foils
        return f"foils are asked for, and {self.settings.data} offers none" if without and test.asks_foils else ""

    @property
    def _may_have_foils(self) -> bool:
        from vlcheck.datasets.registry import may_have_foils  # not imported in runs of other projects

        return may_have_foils(self.settings.data)

    def _source_with_foils(self) -> CaseSource | None:
        """Return the cases if they may have foils; None for data without foils, or data that cannot be read."""
        if not self.settings.data or not self._may_have_foils or isinstance(self._read, UsageError):
            return None  # what cannot be read is said when the tests are about to run
        return self.source

    def plan(self, session: pytest.Session) -> None:
        """Print how long the selected tests would take, and what they can decide; score nothing."""
        from vlcheck.plugin.workbench import plan_lines  # not imported in runs of other projects

        try:
            self._demand_own_words()
            self.settings.demand_comparable()
            _ = self.baseline
            hold_apart(self.collected)
            chosen = all_stated(session.items)
            reporter = Reporter(self.config, self.folder)
            reporter.say(plan_lines(self.settings, self.policy, self.source, chosen))
            reporter.say(self._planned_control(chosen))
            reporter.say(f"{test.name} cannot be judged. {test.amiss}" for test in chosen if test.amiss)
        except UsageError as error:
            raise pytest.UsageError(options.message_of(error)) from error

    def _planned_control(self, chosen: Sequence[BehaviorTest]) -> Iterator[str]:
        """Yield what the control is asked, if there is one."""
        if self.settings.control:
            from vlcheck.plugin.control import control_plan  # brings torch

            yield from control_plan(self.settings, self.policy, self.source, chosen)

    def model_for(self, item: pytest.Item) -> ModelUnderTest:
        """Return the model under test; its judgements are kept under the item's name. Raises UsageError."""
        if self.problem:
            raise UsageError(self.problem)
        bench, _ = self._open()
        return replace(bench.session.model, record=lambda judgement: self._keep(item, judgement))

    def close(self) -> None:
        """Close the model and the store, and delete temporary files."""
        if self._opened:
            self._opened[0].close()
        if self._control:
            self._control.close()
        if self._engine:
            self._engine.close()
        if self._scratch:
            self._scratch.keep() if self.ending.kept else self._scratch.close()

    def _demand_own_words(self) -> None:
        """Raise UsageError if --vl-cases has read the cases with the lexicons of another suite than the tests'."""
        if self.settings.cases and self._words != self.lexicons:
            raise UsageError(
                f"--vl-cases: the cases were read with the lexicons of {self._words or 'vlcheck'} before the tests were"
                f" found, but the suite of the tests has {self.lexicons or 'no lexicons of its own'}. Name the"
                " folder of the tests, or --vl-lexicons."
            )

    def _complain(self, error: UsageError) -> None:
        if not self.is_worker:
            raise pytest.UsageError(options.message_of(error)) from error
        # A worker has no terminal and no exit status of its own: its tests report the problem.
        self.problem = options.message_of(error)

    def _open(self) -> tuple[Workbench, Part]:
        if self._opened is None:
            from vlcheck.plugin.workbench import Workbench  # brings torch
            from vlcheck.results.file import Part
            from vlcheck.scoring.engines.registry import open_engine

            self.settings.demand()
            self._demand_own_words()
            if not self.settings.shard:
                self._begin()
            self._engine = open_engine(self.settings.engine, self.folder, self.settings.device, self.settings.processes)
            if self.settings.shard:
                self._engine = self._shard = shard_engine(self._engine, self.settings)
            bench = Workbench.open(self.settings, self.policy, self.source, self.folder, self._engine)
            if self.settings.control:
                self._control = self._open_control(bench)
                bench = bench.against(self._control.bench)
            part = Part(self.folder, self._process)
            if not self.settings.shard:
                self._keep_header(bench, part)
            self._opened = bench, part
        return self._opened

    def _keep_header(self, bench: Workbench, part: Part) -> None:
        """Write the first line of the results, and of those of the control."""
        header = bench.session.header(
            self._chosen,
            run_id=self.run_id,
            started=self.started,
            complete=self.complete,
            unasked=self._unasked,
        )
        part.keep([header])
        if self._control:
            self._control.begin(self._chosen, run_id=self.run_id, started=self.started, complete=self.complete)

    @property
    def _process(self) -> str:
        """The name of this process among those of the run."""
        return str((self._input or {}).get("workerid", "main"))

    def _open_control(self, bench: Workbench) -> Control:
        """Load the control, after the model; close the model's store if it cannot be loaded."""
        from vlcheck.plugin.control import Control  # brings torch

        try:
            return Control.open(
                self.settings, self.policy, self.source, self.folder, self._process, bench.session.engine
            )
        except UsageError:
            bench.close()
            raise

    def _same_control(self, bench: Workbench) -> Iterator[str]:
        """Yield a line if the control is the model itself."""
        if self._control and self._control.fingerprint == bench.session.model.adapter.fingerprint:
            yield f"--vl-control {self.settings.control}: is the model itself, so that it shows nothing more"

    def _begin(self) -> None:
        """Create the unfinished results file before code of the model runs, which may end the process.

        A problem with what is shown or compared with is reported first, before anything is scored.
        """
        if not self.settings.control:
            _ = self.beside
        if not self.is_worker:
            _ = self.baseline
        started = self.started.isoformat()
        tests = {test.id: (test.behavior.bias, test.metric) for test in self._chosen}
        self.ending.places.begin(
            run_id=self.run_id, started=started, model=self.settings.model, data=self.settings.data, tests=tests
        )

    def _keep(self, item: pytest.Item, judgement: Judgement) -> None:
        if not stated(item):
            # A test that states no behavior decides itself what a verdict means: no known bias or gate applies to it.
            judgement = replace(judgement, known=None, gates=False)
        bench, part = self._open()
        part.keep(chain(bench.session.images(judgement, part.images, part.enlarged), judgement.records(claim(item))))
        if bench.explainer:
            bench.explainer.add(claim(item), judgement)
            part.keep(bench.explainer.pending(claim(item)))
        _store(item, judgement.brief, partial(junit_properties, self.settings, claim(item)))

    def judge_control(self, test: BehaviorTest) -> None:
        """Judge the control by a test, if the run has one."""
        if self._control:
            self._control.judge(test)

    def explain(self) -> None:
        """Explain the worst cases that this process has judged, and keep the explanations with its results."""
        if self._opened and (explainer := self._opened[0].explainer):
            for line in explainer.lines():  # what is explained is not lost if the process ends
                self._opened[1].keep([line])

    def identify(self) -> None:
        """Ask a model that others run whether it is still the one of the start, and keep what it answers."""
        if self._opened:
            bench, part = self._opened
            part.keep(bench.session.last_lines(self._process))
        if self._control:
            self._control.identify()

    def thumbnail(self, picture: Picture) -> bytes:
        """Return a picture as a small JPEG; empty if pictures are left out."""
        return self._opened[0].session.thumbnail(picture) if self._opened else b""


def _demand_fit(left_out: Sequence[tuple[BehaviorTest, str]], named: Sequence[str], *, any_left: bool) -> None:
    """Raise pytest.UsageError if a test is left out that was named by its id, or if no test is left.

    Args:
        left_out: the tests that are left out, with the reasons.
        named: the paths and ids on the command line.
        any_left: whether any test is left.
    """
    ids = [Path(path).name + f"::{name}" for path, _, name in (one.partition("::") for one in named) if name]
    for test, why in left_out:
        own = test.id.rpartition("/")[2]
        if not any_left or any(own == one or own.startswith((f"{one}[", f"{one}::")) for one in ids):
            raise pytest.UsageError(f"{test.id} is not asked: {why}.")


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


def _store(
    item: pytest.Item, judgement: Judgement, properties: Callable[[Judgement], Iterable[tuple[str, object]]]
) -> None:
    """Store a judgement for the reports of an item, in place of that of an earlier attempt, e.g. if a test is rerun.

    Args:
        item: the test.
        judgement: the judgement.
        properties: gives the properties of a judgement in JUnit's file.
    """
    others = [one for one in item.stash.get(JUDGEMENTS, []) if one.of != judgement.of]
    item.stash[JUDGEMENTS] = held = [*others, judgement]
    foreign = [(name, value) for name, value in item.user_properties if not name.startswith("vlcheck_")]
    item.user_properties[:] = [*foreign, *chain.from_iterable(map(properties, held))]


RUN = pytest.StashKey[Run]()
JUDGEMENTS = pytest.StashKey["list[Judgement]"]()
